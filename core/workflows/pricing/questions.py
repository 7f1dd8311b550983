"""Homes as other programs ask about them: facts under either vocabulary, defaults for what is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from core.access import Action
from core.errors import ImpossibleProperty
from core.problem import Problem
from core.schema import label_of
from core.serve.estimate import Refused
from core.serve.reading.facts import LIST_PRICE, in_numbers, shortened
from core.serve.reso import own_facts
from core.serve.subject import FactFault, in_market_words
from core.serve.words import typed_amount
from core.store.ledger.records import Channel
from core.workflows.pricing.answers import Question, RecordedAnswer, price_and_record, refuse_and_record
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace

_FACTS_MAX: Final = 200
_NUMBER_MAX: Final = 1e15


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
        in_market_words(in_numbers(facts, desk.problem), desk.live_model.model if desk.live_model else None),
        asked.as_of or desk.valuation_date(today),
        _level(asked.level, desk.problem),
        list_price(listed if asked.list_price is None else asked.list_price, desk.problem, label_of(LIST_PRICE)),
        asked.reference,
        asked.request_id,
    )


def price_home(workspace: Workspace, desk: Desk, asked: Asked, channel: Channel) -> RecordedAnswer:
    """Price a home as a program describes it, and record the answer; raises AccessDenied, also NotInPilot.

    What question_of refuses is recorded as refused, with the facts as they were given.
    """
    workspace.require(Action.PRICE)
    try:
        question = question_of(desk, asked, workspace.utc_today())
    except ImpossibleProperty as error:
        return refuse_home(workspace, desk, asked, (fault_of(error),), channel)
    return price_and_record(workspace, desk, question, channel)


def fault_of(error: ImpossibleProperty) -> FactFault:
    """Return what is wrong with the field that a question was refused for."""
    return FactFault(error.field, error.reason, error.remedy)


def refuse_home(
    workspace: Workspace, desk: Desk, asked: Asked, faults: Sequence[FactFault], channel: Channel
) -> RecordedAnswer:
    """Record that a home was refused for what nobody could read; raises AccessDenied, also NotInPilot.

    ``asked.facts`` may hold whatever JSON can: what is no fact's value is recorded as text.
    """
    facts = {shortened(_readable(str(name))): _kept(value) for name, value in [*asked.facts.items()][:_FACTS_MAX]}
    as_of = asked.as_of or desk.valuation_date(workspace.utc_today())
    question = Question(facts, as_of, desk.problem.estimate.level, None, asked.reference, asked.request_id)
    message = " ".join(f"{one.reason} {one.remedy}".strip() for one in faults)
    return refuse_and_record(workspace, desk, question, Refused(message, tuple(faults)), channel)


def _kept(value: object) -> object:
    """Return a value as the ledger can hold it: a text, a number of a usual size, or whether something is so."""
    if value is None or isinstance(value, bool) or (isinstance(value, (int, float)) and abs(value) <= _NUMBER_MAX):
        return value
    return shortened(_readable(str(value)))


def _readable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which no database can hold."""
    return text.encode(errors="replace").decode()


def list_price(value: object, problem: Problem, called: str = "Asking price") -> float | None:
    """Return an asking price, None if it is blank; raises ImpossibleProperty for what no home is offered for.

    ``called`` is what the asker knows it by: agents by the default, programs by the label of their field.
    """
    if value is None or value == "":
        return None
    amount = typed_amount(value) if isinstance(value, str) else value
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not 0 < amount < math.inf:
        shown = f"{value:,.15g}" if isinstance(value, float) else str(value)[:60]
        raise ImpossibleProperty(
            f"{called} {shown!r} is not an amount above 0.", "Correct it, or leave it out.", LIST_PRICE
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
