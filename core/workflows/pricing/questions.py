"""Homes as other programs ask about them: facts under either vocabulary, defaults for what is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from core.access import Action
from core.errors import ImpossibleProperty
from core.problem import Problem
from core.schema import label_of
from core.serve.estimate import Refused
from core.serve.reading.facts import LIST_PRICE, in_numbers
from core.serve.reso import own_facts
from core.serve.subject import FactFault
from core.serve.words import typed_amount
from core.store.ledger.records import Channel
from core.workflows.pilot.rollout import require_in_pilot
from core.workflows.pricing.answers import Question, RecordedAnswer, price_and_record
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """A home as a program describes it: facts under Doorstep's names or those of the RESO Data Dictionary.

    Without ``as_of``, the market's usual valuation date counts; without ``level``, the problem statement's.
    ``reference`` is the program's own name for the home.
    """

    facts: Mapping[str, object]
    as_of: date | None = None
    level: float | None = None
    list_price: float | None = None
    reference: str = ""
    request_id: str = ""


def question_of(desk: Desk, asked: Asked, today: date) -> Question:
    """Return the question about a home; ``today`` is the day in UTC.

    Raises ImpossibleProperty for a fact given twice, an unknown unit, a level not on offer, or a list price that no
    home has. The facts themselves are checked when the home is priced.
    """
    facts = own_facts(asked.facts)
    listed = facts.pop(LIST_PRICE, None)
    if listed is not None and asked.list_price is not None:
        raise ImpossibleProperty("List price is given twice.", "Give it once.", LIST_PRICE)
    return Question(
        in_numbers(facts, desk.problem),
        asked.as_of or desk.valuation_date(today),
        _level(asked.level, desk.problem),
        list_price(listed if asked.list_price is None else asked.list_price, desk.problem, label_of(LIST_PRICE)),
        asked.reference,
        asked.request_id,
    )


def price_home(workspace: Workspace, desk: Desk, asked: Asked, channel: Channel) -> RecordedAnswer:
    """Price a home as a program describes it, and record the answer; raises AccessDenied, also NotInPilot.

    What question_of refuses is refused, too, but not recorded: there is no question to record.
    """
    workspace.require(Action.PRICE)
    today = workspace.utc_today()
    try:
        question = question_of(desk, asked, today)
    except ImpossibleProperty as error:
        require_in_pilot(workspace, desk.market)
        as_of = asked.as_of or desk.valuation_date(today)
        unread = Question(asked.facts, as_of, desk.problem.estimate.level, None, asked.reference, asked.request_id)
        refused = Refused(str(error), (FactFault(error.field, error.reason, error.remedy),))
        at, actor = datetime.now(UTC), workspace.actor.name
        return RecordedAnswer(None, desk.market.market_id, "", unread, refused, 0.0, at, actor)
    return price_and_record(workspace, desk, question, channel)


def list_price(value: object, problem: Problem, called: str = "Asking price") -> float | None:
    """Return an asking price, None if it is blank; raises ImpossibleProperty for what no home is offered for.

    ``called`` is what the asker knows it by: agents by the default, programs by the label of their field.
    """
    if value is None or value == "":
        return None
    amount = typed_amount(value) if isinstance(value, str) else value
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not 0 < amount < math.inf:
        raise ImpossibleProperty(
            f"{called} {str(value)[:60]!r} is not an amount above 0.", "Correct it, or leave it out.", LIST_PRICE
        )
    limit = problem.limits["sale_price"]
    if not limit.holds(amount):
        raise ImpossibleProperty(
            f"{called} cannot be {amount:,.15g}: it must lie between {limit.low:,.15g} and {limit.high:,.15g}.",
            "Correct it, or leave it out.",
            LIST_PRICE,
        )
    return float(amount)


def _level(level: float | None, problem: Problem) -> float:
    if level is None:
        return problem.estimate.level
    if level not in problem.estimate.levels:
        levels = ", ".join(map(str, problem.estimate.levels))
        raise ImpossibleProperty(f"Level = {level} is not a range level.", f"Choose one of: {levels}.", "level")
    return level
