"""The verbs that price homes and list the markets they are priced in: their arguments and their handlers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.cli.session import OK, UNPRICED, AddVerb, Session, add_market
from core.cli.values import calendar_day, fact, quoted, range_level
from core.errors import ImpossibleProperty, StoreError, WrongUsage

if TYPE_CHECKING:
    from core.serve.estimate import Estimate
    from core.workflows.pricing.desk import Desk


_SQM: Final = "_sqm"
_AS_OF: Final = (
    "valuation date (default: today; where sales are old or simulated, the day after the latest one, named in a note)"
)


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    verb("markets", "list all markets by id and name, with the live model of each", _markets)
    price = verb("price", "price one property, or a CSV of many", _price)
    add_market(price)
    what = price.add_mutually_exclusive_group()
    what.add_argument(
        "--set",
        nargs="+",
        action="extend",
        type=fact,
        default=[],
        metavar="FIELD=VALUE",
        help="facts of one home, named as on screen or by canonical name, in canonical units; areas by canonical name, "
        "also in square meters (living_area_sqm); list_price is recorded, and does not affect the estimate",
    )
    what.add_argument(
        "--csv",
        metavar="FILE",
        help="file of listings: CSV or TSV (also gzipped or zipped), xlsx, xls, ods, Parquet, or RESO OData JSON",
    )
    price.add_argument("--encoding", default="", help="encoding of that file, such as cp932 (default: as found)")
    price.add_argument("--sheet", default="", help="sheet of a workbook (default: the one with the most rows)")
    price.add_argument("--as-of", type=calendar_day, metavar="YYYY-MM-DD", help=_AS_OF)
    price.add_argument(
        "--level",
        type=range_level,
        help="level of one home's range, such as 0.8 (default: of the problem statement, also for a file)",
    )
    price.set_defaults(check=_check)


def _check(options: argparse.Namespace) -> None:
    """Raise WrongUsage for a fact given twice, and for options that would have no effect."""
    names = [name for name, _ in options.set]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WrongUsage(f"--set gives {quoted(twice)} twice; give each fact once.")
    if options.csv and options.level:
        raise WrongUsage("--level is for one home (--set); leave it out, or price the homes of the file one by one.")
    for name in ("encoding", "sheet"):
        if getattr(options, name) and not options.csv:
            raise WrongUsage(f"--{name} is for a file of listings; name the file with --csv, or leave --{name} out.")


def _markets(session: Session) -> int:
    from core.workflows.pricing.market_form import list_markets

    found = list_markets(session.workspace)
    lines = (
        f"{one['market']}  {one['name']}  {one['currency']}  {one['model_id'] or 'no live model'}" for one in found
    )
    session.print_result({"markets": found}, lambda: "\n".join(lines) or "no markets yet")
    return OK


def _price(session: Session) -> int:
    from core.serve.estimate import Estimate, Refused
    from core.serve.review.unavailable import Unavailable
    from core.wording import percent
    from core.workflows.pricing.answer_form import answer_form
    from core.workflows.pricing.answers import price_and_record
    from core.workflows.pricing.desk import open_desk
    from core.workflows.pricing.questions import Asked, fault_of, question_of, refuse_home

    options = session.options
    desk = open_desk(session.workspace.store, session.market().market_id, session.workspace.problem)
    today = session.workspace.utc_today()
    as_of = options.as_of or desk.valuation_date(today)
    if options.as_of is None and (note := desk.date_note(today)):
        print(f"note: {note}", file=sys.stderr)
    if options.csv:
        return _price_csv(session, desk, as_of)
    asked = Asked(_typed(options.set, desk), as_of, options.level)
    try:
        question = question_of(desk, asked, today)
    except ImpossibleProperty as error:
        refuse_home(session.workspace, desk, asked, (fault_of(error),), "command line")
        raise
    question = replace(question, facts={**question.facts, **_from_records(session, desk, question.facts)})
    answered = price_and_record(session.workspace, desk, question, "command line")
    if answered.pending_id:
        print("warning: the estimate is not in the ledger yet; it waits and is written later", file=sys.stderr)
    elif answered.estimate_id is None:
        print("warning: the estimate is not recorded: the ledger did not take it; see the log", file=sys.stderr)
    result, form = answered.result, answer_form(answered, desk.market)
    # The flags of an estimate name them.
    if isinstance(result, Unavailable) and (unused := desk.unused(question.facts)):
        print(f"note: this market's model does not use {', '.join(unused)}", file=sys.stderr)
    match result:
        case Refused():
            raise ImpossibleProperty(result.message)
        case Unavailable():
            session.print_result(form, lambda: f"{result.message}\n{result.reason} {result.remedy}")
            return UNPRICED
        case Estimate():
            of_late = desk.in_use.agent_words(percent(desk.problem.success.tolerance), result.currency)
            session.print_result(
                form, lambda: f"{_estimate_text(result, desk, of_late)}\nestimate {answered.estimate_id}"
            )
            return OK


def _from_records(session: Session, desk: Desk, facts: Mapping[str, object]) -> Mapping[str, object]:
    """Return the facts of a home known by its address that were not given, and say that they are used."""
    from core.schema import ONLY_ON_ROLL
    from core.serve.agent.filled_facts import recorded_facts
    from core.workflows.pricing.known_homes import AddressBooks

    book = AddressBooks().book(session.workspace, desk) if facts.get("address") else None
    taken = recorded_facts(facts, book) if book is not None else {}
    if shown := [name for name in taken if name not in ONLY_ON_ROLL]:
        print(
            "note: the home is known by its address: what was not given is taken from its latest sale and the tax roll "
            f"({', '.join(shown)})",
            file=sys.stderr,
        )
    return taken


def _typed(pairs: Sequence[tuple[str, str]], desk: Desk) -> dict[str, object]:
    """Return facts with numbers as numbers and areas in square feet, so that the ledger stores them as for a page.

    A fact may also be named as on screen. Raises WrongUsage for one given under two names, or an area in both units.
    """
    from core.schema import FIELD_BY_NAME, FieldKind
    from core.serve.reading.facts import Unread, read_text
    from core.serve.subject import fact_called

    columns = desk.live_model.model.facts if desk.live_model else None
    facts: dict[str, object] = {}
    for given, text in pairs:
        name, unit = fact_called(given, columns), ""
        if given.endswith(_SQM) and (in_sqft := f"{given.removesuffix(_SQM)}_sqft") in FIELD_BY_NAME:
            name, unit = in_sqft, "sqm"
        if name in facts:
            raise WrongUsage(f"--set gives {quoted(name)} under two names or in two units; give it once.")
        field, facts[name] = FIELD_BY_NAME.get(name), text
        if field is not None and field.kind in (FieldKind.NUMBER, FieldKind.FLAG):
            read = read_text(name, text, desk.problem.limits.get(name), unit)
            facts[name] = text if isinstance(read, Unread) else read
    return facts


def _price_csv(session: Session, desk: Desk, as_of: date) -> int:
    import pandas as pd

    from core.collect.reading.table import ReadingChoice
    from core.spreadsheet import to_csv_text
    from core.wording import count
    from core.workflows.pricing.asking_prices import for_people, repeats_words, with_asking
    from core.workflows.pricing.known_homes import AddressBooks
    from core.workflows.pricing.many_homes import filled_names, in_file_order, price_file, record_file

    options, workspace = session.options, session.workspace
    path, choice = Path(options.csv), ReadingChoice(options.encoding, options.sheet)
    book = AddressBooks().book(workspace, desk)
    priced = price_file(desk, path, path.name, as_of, session.progress(), workspace.actor, choice, book)
    try:
        priced = record_file(workspace, priced, "command line")
    except StoreError as error:
        print(f"warning: the estimates were not recorded: {error}", file=sys.stderr)
    left_out = {one.column: one.why for one in priced.columns if not one.field}
    if left_out:
        columns = "; ".join(f"{quoted(column)} ({why})" for column, why in left_out.items())
        print(f"note: {count(len(left_out), 'column')} not used: {columns}", file=sys.stderr)
    if priced.filled:
        names = ", ".join(filled_names(priced))
        print(
            f"note: {count(len(priced.filled), 'home')} known by address: what the file leaves blank is taken from the "
            f"latest sale and the tax roll ({names})",
            file=sys.stderr,
        )
    if repeated := repeats_words(priced):
        print(f"note: {repeated}", file=sys.stderr)
    rows = with_asking(priced, in_file_order(priced))
    document = {
        "market": priced.by.market_id,
        "model": priced.by.model_id,
        "level": priced.level,
        "as_of": priced.as_of,
        "counts": dict(priced.counts),
        "columns_not_used": left_out,
        "facts_from_records": {str(row): names for row, names in priced.filled.items()},
        "rows": [{name: value for name, value in row.items() if not pd.isna(value)} for row in rows.to_dict("records")],
    }
    session.print_result(document, lambda: to_csv_text(for_people(rows)).rstrip())
    return OK


def _estimate_text(answer: Estimate, desk: Desk, of_late: str) -> str:
    """Write an estimate in the words of the page; ``of_late`` says what of its promises fell short, "" if nothing."""
    from core.serve.agent.advice import advice, to_review
    from core.serve.agent.assumed import assumed_words, given_words, placed_words
    from core.serve.words import ask_next_words, confidence_words, look_back_words, record_words, widening_words
    from core.wording import percent

    lines = [
        f"{answer.low:,.0f} to {answer.high:,.0f} {answer.currency}",
        record_words(answer),
        f"point estimate {answer.point:,.0f}; confidence {answer.confidence_word}: "
        f"{confidence_words(answer, percent(desk.problem.success.tolerance))}",
        *filter(None, (of_late,)),
    ]
    lines += [f"facts: {', '.join(given)}"] if (given := given_words(answer, desk.market)) else []
    lines += [f"by the coordinates: {placed}"] if (placed := placed_words(answer, desk.market)) else []
    assumed = assumed_words(answer, desk.untold, desk.market)
    lines += [f"not given, usual here: {', '.join(assumed)}; the range allows for others"] if assumed else []
    lines += [f"the range is {wider}"] if (wider := widening_words(answer)) else []
    lines += [back] if (back := look_back_words(answer)) else []
    lines += [f"to narrow the range, find out: {one}" for one in ask_next_words(answer.ask_next)]
    review = to_review(answer.flags)
    lines += [
        f"{'check' if at < review else 'note'}: {line}"
        for at, line in enumerate(advice(answer.flags, desk.market.area_unit))
    ]
    return "\n".join(lines)
