"""The only place that turns an answer into its ledger row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from core.collect.addresses import address_key
from core.collect.parsers import identifier
from core.serve.document import to_document
from core.serve.estimate import Refused
from core.serve.reading.facts import shortened
from core.serve.review.unavailable import Unavailable
from core.store import NewEstimate
from core.store.ledger.records import Channel, Status
from core.workflows.pricing.desk import Desk

UNPROVEN: Final = "confidence_unproven"
"""What a row of a file notes in its answer where its confidence is kept to be tested, but shown nowhere."""


@dataclass(frozen=True)
class PricedBy:
    """What priced a home: the market, its currency, and the ids of the model, data version and market level in use."""

    market_id: str
    currency: str
    model_id: str | None
    version_id: str | None
    level_id: str | None


@dataclass(frozen=True)
class Asked:
    """The question: known facts by canonical name in canonical units, the date, any asking price, and which home.

    ``home_id`` is "" where nobody asks for one home after another.
    """

    facts: Mapping[str, object]
    as_of: date
    list_price: float | None = None
    home_id: str = ""


@dataclass(frozen=True)
class Figures:
    """A price: money in the market's currency, ``level`` a share, ``confidence`` 0 to 100, ``fsd`` a share."""

    point: float
    low: float
    high: float
    level: float
    confidence: float
    fsd: float
    flags: tuple[str, ...]


def priced_by(desk: Desk) -> PricedBy:
    """Return what a desk prices with."""
    market, live = desk.market, desk.live_market
    return PricedBy(
        market.market_id,
        market.currency,
        desk.record.model_id if desk.record else None,
        live.version_id if live else None,
        live.level_id if live else None,
    )


def ledger_entry(
    by: PricedBy,
    asked: Asked,
    outcome: Figures | Unavailable | Refused,
    channel: Channel,
    milliseconds: float,
    answer: Mapping[str, object] | None = None,
) -> NewEstimate:
    """Return an answer's ledger row; ``answer`` is everything needed to show it again, if that is stored.

    Without ``answer``, only a price's figures are stored or, if there is no price, the reason.
    """
    facts = asked.facts
    figures = {} if isinstance(outcome, Unavailable | Refused) else vars(outcome)
    return NewEstimate(
        market_id=by.market_id,
        as_of=asked.as_of,
        channel=channel,
        status=_status(outcome),
        currency=by.currency,
        latency_ms=milliseconds,
        model_id=by.model_id,
        version_id=by.version_id,
        level_id=by.level_id,
        reason=_reason(outcome),
        property_key=property_key(facts),
        property_type=_word(facts, "property_type"),
        area=_word(facts, "zipcode") or _word(facts, "neighbourhood"),
        facts={name: _storable(value) for name, value in facts.items()},
        answer=answer_document(outcome) if answer is None else answer,
        list_price=asked.list_price,
        home_id=asked.home_id,
        **figures,
    )


def _storable(value: object) -> object:
    """Return a fact as the ledger holds it: infinity, which JSON lacks, as text; long text shortened."""
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return shortened(value) if isinstance(value, str) else value


def property_key(facts: Mapping[str, object]) -> str:
    """Return what identifies a property: its standardized address, else its id, else nothing."""
    address, unit, own = (str(facts.get(name) or "") for name in ("address", "unit", "property_id"))
    return address_key(address, unit) or identifier(own)


def _status(outcome: Figures | Unavailable | Refused) -> Status:
    match outcome:
        case Figures():
            return "priced"
        case Unavailable():
            return "unavailable"
        case Refused():
            return "refused"


def _reason(outcome: Figures | Unavailable | Refused) -> str:
    match outcome:
        case Figures():
            return ""
        case Unavailable():
            return f"{outcome.reason} {outcome.remedy}"
        case Refused():
            return outcome.message


def answer_document(outcome: Figures | Unavailable | Refused) -> dict[str, object]:
    """Return what is stored of an answer that is not kept in full: the reason where there is no price."""
    return {} if isinstance(outcome, Figures) else to_document(outcome)


def _word(facts: Mapping[str, object], name: str) -> str | None:
    value = facts.get(name)
    return str(value) if value not in (None, "") else None
