"""One question to the pricing desk and what came of it, timed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.access import Actor
from core.errors import ImpossibleProperty
from core.lifecycle import Desk
from core.serve.estimate import Estimate, Unavailable


@dataclass(frozen=True)
class Asked:
    """A home to be priced as of a date; ``facts`` by canonical name, in canonical units, only what was entered."""

    facts: Mapping[str, object]
    as_of: date


@dataclass(frozen=True)
class Refused:
    """The facts are impossible, and ``message`` says which and why."""

    message: str


@dataclass(frozen=True)
class Answered:
    """What the model ``model_id`` of a market said to a question, in how many milliseconds."""

    market_id: str
    model_id: str
    asked: Asked
    level: float
    result: Estimate | Unavailable | Refused
    milliseconds: float


def ask(desk: Desk, asked: Asked, level: float, who: Actor) -> Answered:
    """Put the question to the desk; raises AccessDenied."""
    started = time.perf_counter()
    result = _result(desk, asked, level, who)
    milliseconds = 1000 * (time.perf_counter() - started)
    return Answered(desk.market.market_id, model_id(desk), asked, level, result, milliseconds)


def model_id(desk: Desk) -> str:
    """Return the id of the desk's live model, "" where there is none."""
    return desk.record.model_id if desk.record else ""


def _result(desk: Desk, asked: Asked, level: float, who: Actor) -> Estimate | Unavailable | Refused:
    try:
        return desk.price(asked.facts, asked.as_of, level, who)
    except ImpossibleProperty as error:
        return Refused(str(error))
