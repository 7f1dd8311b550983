"""The verb that prices homes: its arguments and its handler."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.session import OK, UNPRICED, AddVerb, Session
from core.errors import ImpossibleProperty, StoreError

if TYPE_CHECKING:
    from core.serve.estimate import Estimate
    from core.workflows.pricing.desk import Desk


def add_verbs(verb: AddVerb) -> None:
    """Declare the verb and its arguments."""
    price = verb("price", "price one property, or a CSV of many", _price)
    price.add_argument("--market")
    price.add_argument(
        "--set",
        nargs="+",
        action="extend",
        type=_pair,
        default=[],
        metavar="FIELD=VALUE",
        help="facts, canonical names",
    )
    price.add_argument(
        "--csv",
        help="file of listings: CSV or TSV (also gzipped or zipped), xlsx, xls, ods, Parquet, or RESO OData JSON",
    )
    price.add_argument("--encoding", default="", help="encoding of that file, such as cp932 (default: as found)")
    price.add_argument("--sheet", default="", help="sheet of a workbook (default: the one with the most rows)")
    price.add_argument("--as-of", type=date.fromisoformat, help="valuation date, YYYY-MM-DD (default today)")
    price.add_argument("--level", type=_level, help="level of the range, such as 0.8 (default: as configured)")


def _level(text: str) -> float:
    from core.problem import load_problem

    levels = load_problem().estimate.levels
    level = {str(level): level for level in levels}.get(text.rstrip("0"))
    if level is None:
        raise argparse.ArgumentTypeError(f"{text} is not a range level; choose one of: {', '.join(map(str, levels))}")
    return level


def _price(session: Session) -> int:
    from core.serve.estimate import Estimate, Refused, Unavailable
    from core.workflows.pricing.answers import Question, price_and_record
    from core.workflows.pricing.desk import open_desk

    options = session.options
    desk = open_desk(session.workspace.store, session.market().market_id, session.workspace.problem)
    as_of = options.as_of or desk.valuation_date(session.workspace.utc_today())
    if options.csv:
        return _price_csv(session, desk, as_of)
    question = Question(_typed(options.set), as_of, options.level or session.workspace.problem.estimate.level)
    answered = price_and_record(session.workspace, desk, question, "command line")
    if answered.estimate_id is None:
        print("warning: the estimate is not in the ledger yet; see the log", file=sys.stderr)
    result, named = answered.result, {"estimate_id": answered.estimate_id}
    match result:
        case Refused():
            raise ImpossibleProperty(result.message)
        case Unavailable():
            session.print_result(asdict(result) | named, lambda: f"{result.message}\n{result.reason} {result.remedy}")
            return UNPRICED
        case Estimate():
            session.print_result(
                asdict(result) | named, lambda: f"{_estimate_text(result)}\nestimate {answered.estimate_id}"
            )
            return OK


def _typed(pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return facts with numbers as numbers, so that the ledger stores them as it does for a page."""
    from core.collect.cells.typed import read_typed
    from core.schema import FIELD_BY_NAME, FieldKind

    facts: dict[str, object] = dict(pairs)
    for name, text in pairs:
        field = FIELD_BY_NAME.get(name)
        if field is not None and field.kind in (FieldKind.NUMBER, FieldKind.FLAG):
            number = read_typed(text)
            facts[name] = text if isnan(number) else number
    return facts


def _price_csv(session: Session, desk: Desk, as_of: date) -> int:
    import pandas as pd

    from core.collect.reading.table import ReadingChoice
    from core.spreadsheet import to_csv_text
    from core.workflows.pricing.many_homes import in_file_order, price_file, record_file

    options = session.options
    path, choice = Path(options.csv), ReadingChoice(options.encoding, options.sheet)
    priced = price_file(desk, path, path.name, as_of, session.progress(), session.workspace.actor, choice)
    try:
        priced = record_file(session.workspace, priced, "command line")
    except StoreError as error:
        print(f"warning: the estimates were not recorded: {error}", file=sys.stderr)
    rows = in_file_order(priced)
    document = {
        "market": priced.by.market_id,
        "model": priced.by.model_id,
        "level": priced.level,
        "as_of": priced.as_of,
        "counts": dict(priced.counts),
        "rows": [{name: value for name, value in row.items() if not pd.isna(value)} for row in rows.to_dict("records")],
    }
    session.print_result(document, lambda: to_csv_text(rows).rstrip())
    return OK


def _estimate_text(answer: Estimate) -> str:
    from core.serve.words import ask_next_words

    lines = [
        f"{answer.low:,.0f} to {answer.high:,.0f} {answer.currency}",
        f"{answer.level:.0%} range; held {answer.held.share:.0%} of {answer.held.n:,} test sales ({answer.segment})",
        f"point {answer.point:,.0f}; confidence {answer.confidence} of 100 ({answer.confidence_word}); "
        f"FSD {answer.fsd:.1%}",
    ]
    lines += [f"ask next: {ask_next_words(one)}" for one in answer.ask_next]
    lines += [f"{flag.severity}: {flag.kind} - {flag.field} {flag.value}; {flag.action}" for flag in answer.flags]
    return "\n".join(lines)


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise argparse.ArgumentTypeError(f"{text!r} does not have the form field=value")
    return name, value
