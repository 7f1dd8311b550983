"""The verb of sale scrutiny: list the doubtful sales, decide on them, take back, apply, and measure the effect."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from core.cli.session import OK, AddVerb, Session, add_market
from core.cli.values import number, quoted
from core.errors import InvalidRecord, WrongUsage
from core.states import Doubt, SaleDecision

if TYPE_CHECKING:
    import pandas as pd

    from core.workflows.data.scrutiny import Queue

_KEY_SHOWN: Final = 12
_DEEDS: Final = {"keep": SaleDecision.KEEP, "set-aside": SaleDecision.SET_ASIDE, "correct": SaleDecision.CORRECT}


# What can be corrected, as core.workflows.data.scrutiny has it, which is not to be imported for every verb.
_FIELDS: Final = ("sale_price", "living_area_sqft")


def add_verbs(verb: AddVerb) -> None:
    """Declare the verb and its arguments."""
    scrutiny = verb("scrutiny", "list doubtful sales, decide on them, or take decisions back", _scrutiny)
    scrutiny.add_argument("sales", nargs="*", metavar="SALE", help="ids of sales as listed, or how they begin")
    add_market(scrutiny)
    scrutiny.add_argument("--kind", choices=[kind.value for kind in Doubt], help="only, or all, sales of this doubt")
    scrutiny.add_argument("--all", action="store_true", help="list decided sales too")
    deeds = scrutiny.add_mutually_exclusive_group()
    deeds.add_argument("--decide", choices=sorted(_DEEDS), help="decide on the sales named, or on all of --kind")
    deeds.add_argument("--take-back", action="store_true", help="take the decisions on these sales back")
    scrutiny.add_argument("--value", type=number, help="the right value of one sale (default: what is suggested)")
    scrutiny.add_argument(
        "--field", choices=_FIELDS, help="what --value is (default: the fact suggested, else the sale price)"
    )
    scrutiny.add_argument("--note", default="", help="why, for the record")
    scrutiny.add_argument("--apply", action="store_true", help="make a data version of all decisions")
    scrutiny.add_argument("--effect", action="store_true", help="measure what the decisions do to error and prices")
    scrutiny.set_defaults(check=_check)


def _check(options: argparse.Namespace) -> None:
    """Raise WrongUsage for options that would have no effect."""
    if options.value is not None and options.decide != "correct":
        raise WrongUsage("--value is the right value of a sale to correct; add --decide correct, or leave --value out.")
    if options.field and options.value is None:
        raise WrongUsage("--field says what --value is; add --value, or leave --field out.")
    if options.note and not (options.decide or options.take_back):
        raise WrongUsage("--note is the reason for a decision; add --decide or --take-back, or leave --note out.")


def _scrutiny(session: Session) -> int:
    from core.workflows.data.scrutiny import apply_decisions, review_queue
    from core.workflows.data.scrutiny_effect import measure_effect

    options, workspace = session.options, session.workspace
    market_id = session.market().market_id
    done = _deed(session, market_id, review_queue(workspace, market_id))
    document: dict[str, Any] = {"market": market_id, **done}
    if options.apply:
        applied = apply_decisions(workspace, market_id)
        document |= {"version": applied.version.version_id, "changed": applied.changed}
    if options.effect:
        document["effect"] = asdict(measure_effect(workspace, market_id, session.progress()))
    queue = review_queue(workspace, market_id)
    rows = _chosen(queue.rows, options.sales, options.kind)
    rows = rows if options.all else rows[rows["decision"] == ""]
    document |= {"undecided": queue.undecided, "pending": queue.pending}
    # Empty cells are null: NaN is no JSON.
    document["sales"] = rows.astype("object").where(rows.notna(), None).to_dict("records")

    def text() -> str:
        lines = [_line(row, session.market().currency) for row in rows.to_dict("records")]
        facts = [f"{name} {value}" for name, value in document.items() if name in ("decided", "changed", "version")]
        if "effect" in document:
            facts.append(str(document["effect"]["words"]))
        head = f"{queue.undecided:,} undecided, {queue.pending:,} decided and not yet in the data version in use"
        return "\n".join([*lines, *facts, *filter(None, (queue.unpriced,)), head])

    session.print_result(document, text)
    return OK


def _deed(session: Session, market_id: str, queue: Queue) -> dict[str, Any]:
    """Do what the options ask for; returns how many sales were decided on or taken back."""
    from core.workflows.data.scrutiny import Choice, decide, take_back

    options = session.options
    if not options.decide and not options.take_back:
        return {}
    if not options.sales and not options.kind:
        raise InvalidRecord("Name the sales to decide on, or all of one kind with --kind.")
    chosen = _chosen(queue.rows, options.sales, options.kind)
    if options.value is not None and len(chosen) != 1:
        raise InvalidRecord(f"--value is for one sale, and {len(chosen):,} are named.")
    if options.take_back:
        keys = chosen.loc[chosen["decision"] != "", "key"].tolist()
        return {"decided": take_back(session.workspace, market_id, keys, options.note)}
    if not options.sales:
        # All of a kind means all that nobody has decided on.
        chosen = chosen[chosen["decision"] == ""]
    kind = _DEEDS[options.decide]
    choices = [Choice(key, kind, options.field or "", options.value) for key in chosen["key"]]
    return {"decided": decide(session.workspace, market_id, choices, options.note)}


def _chosen(rows: pd.DataFrame, names: list[str], kind: str | None) -> pd.DataFrame:
    # The keys of an empty queue are no texts yet.
    keys = rows["key"].astype("str")
    for name in names:
        found = int(keys.str.startswith(name).sum())
        if found != 1:
            raise InvalidRecord(f"{found:,} sales of the queue begin with {quoted(name)}; name one as it is listed.")
    if names:
        rows = rows[keys.str.startswith(tuple(names))]
    return rows if kind is None else rows[rows["kind"] == kind]


def _line(row: dict[Any, Any], currency: str) -> str:
    from core.prepare.quality.scrutiny import in_words
    from core.wording import market_day

    home = next(
        (str(row[name]) for name in ("address", "property_id", "zipcode") if isinstance(row[name], str)), "home"
    )
    why = f"; {row['decision']} because: {row['decided_note']}" if row["decided_note"] else ""
    state = row["decision"] or ("set aside" if row["waiting"] else "in use")
    return (
        f"{row['key'][:_KEY_SHOWN]}  {state:<9}  {market_day(row['sale_date'], currency):>12}  "
        f"{row['sale_price']:>13,.0f}  {home}: {in_words(row)}{why}"
    )
