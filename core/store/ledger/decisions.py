"""An agent's decision on an estimate as the ledger has it, and which estimates wait for one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa

from core.errors import InvalidRecord
from core.states import EstimateState
from core.store.base.tables import DECISION, DECISION_TAKEN_BACK, ESTIMATE
from core.store.base.values import plain_document
from core.store.ledger.checks import check_choice, check_price, number_or_none
from core.store.ledger.records import WantedEstimates

DecisionKind = Literal["accept", "adjust", "override"]

_CENT: Final = 0.005
_PAGE: Final = "page"
_SIZE: Final = "living_area_sqft"


@dataclass(frozen=True)
class NewDecision:
    """A decision on an estimate: ``price`` is the agent's, ``listing_price`` what the home is listed at.

    ``comparables`` are the weights, by sale, of the comparables the agent used, ``added`` those of them that the agent
    added, as documents; both go into the audit trail.
    """

    estimate_id: str
    kind: DecisionKind
    price: float
    listing_price: float | None = None
    reason_code: str | None = None
    note: str = ""
    comparables: Mapping[str, float] | None = None
    added: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class DecisionRecord:
    """A stored decision; ``at`` is UTC."""

    decision_id: str
    estimate_id: str
    market_id: str
    at: datetime
    actor: str
    role: str
    office: str
    kind: DecisionKind
    price: float
    listing_price: float | None
    reason_code: str | None
    note: str


def decision_values(new: NewDecision) -> dict[str, Any]:
    """Return the decision's columns as plain values; raises InvalidRecord for an unknown kind or a bad price."""
    values = plain_document(vars(new), "decision")
    check_choice(values["kind"], get_args(DecisionKind), "kind of decision")
    for name in ("price", "listing_price"):
        values[name] = number_or_none(values[name], f"decision.{name}")
        check_price(values[name], name.replace("_", " "))
    if values["price"] is None:
        raise InvalidRecord("The decision has no price; give the price the agent chose.")
    values["reason_code"] = values["reason_code"] or None
    return values


def check_decision(values: Mapping[str, Any], estimate: sa.RowMapping) -> None:
    """Raise InvalidRecord if the estimate has no price, or an accepted price does not equal it to the cent."""
    if estimate["status"] != "priced":
        raise InvalidRecord(
            f"Estimate {values['estimate_id']} is {estimate['status']}, so there is no price to decide on; "
            "use comparative market analysis instead."
        )
    if values["kind"] == "accept" and not math.isclose(values["price"], estimate["point"], rel_tol=0, abs_tol=_CENT):
        raise InvalidRecord(
            f"The accepted price {values['price']} is not the estimate's {estimate['point']}; accept that price, or "
            "record the decision as 'adjust' or 'override'."
        )


def decision_stands(decision: sa.FromClause = DECISION) -> sa.ColumnElement[bool]:
    """Return the condition on DECISION, or an alias of it, that it was not taken back."""
    return ~sa.exists().where(DECISION_TAKEN_BACK.c.decision_id == decision.c.decision_id)


def decision_counts() -> sa.ColumnElement[bool]:
    """Return the condition on DECISION that it stands, and no later one on the same estimate does."""
    later = DECISION.alias("later")
    newer = (later.c.estimate_id == DECISION.c.estimate_id, later.c.seq > DECISION.c.seq, decision_stands(later))
    return sa.and_(decision_stands(), ~sa.exists().where(*newer))


def conditions_of(wanted: WantedEstimates) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions on ESTIMATE of the words and the state wanted."""
    e = ESTIMATE.c
    for word in wanted.words:
        yield sa.or_(e.property_key.icontains(word, autoescape=True), e.area.icontains(word, autoescape=True))
    if wanted.priced:
        yield e.point.is_not(None)
    if wanted.latest:
        yield from _last_of_its_home()
    yield from wanted.same_home()
    if wanted.state is None:
        return
    of_estimate = sa.select(DECISION.c.seq).where(DECISION.c.estimate_id == e.estimate_id)
    match wanted.state:
        case EstimateState.NO_PRICE:
            yield e.point.is_(None)
        case EstimateState.OPEN:
            yield e.point.is_not(None)
            yield e.channel == _PAGE
            yield from _last_of_its_home()
            yield ~_alike_again()
            yield ~of_estimate.where(decision_stands()).exists()
        case kind:
            yield of_estimate.where(decision_counts(), DECISION.c.kind == kind.value).exists()


def _last_of_its_home() -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions that the actor of an estimate has not priced its home on the page again since."""
    yield ~_priced_again()
    yield ~_corrected_again()
    yield ~_same_again()


def _priced_again() -> sa.ColumnElement[bool]:
    """Return whether the actor of an estimate has priced its home on the page again since; it needs an address."""
    e, later = ESTIMATE.c, ESTIMATE.alias("later")
    return sa.and_(e.property_key != "", _followed(later, later.c.property_key == e.property_key))


def _corrected_again() -> sa.ColumnElement[bool]:
    """Return whether the actor of an estimate without an address has priced that home with other facts since."""
    e, later = ESTIMATE.c, ESTIMATE.alias("later")
    both = (later.c.property_key == "", later.c.home_id == e.home_id)
    return sa.and_(e.property_key == "", e.home_id != "", _followed(later, *both))


def _alike_again() -> sa.ColumnElement[bool]:
    """Return whether the actor of an estimate without an address has priced one of its area, type and size since.

    It is asked of estimates of releases that did not note which of them are about one home.
    """
    e, later = ESTIMATE.c, ESTIMATE.alias("later")
    size, before = (each.facts[_SIZE].as_string() for each in (later.c, e))
    alike = (
        later.c.area.is_not_distinct_from(e.area),
        later.c.property_type.is_not_distinct_from(e.property_type),
        size.is_not_distinct_from(before),
    )
    nameless = (later.c.property_key == "", later.c.home_id == "", *alike)
    return sa.and_(e.property_key == "", e.home_id == "", _followed(later, *nameless))


def _same_again() -> sa.ColumnElement[bool]:
    """Return whether the actor of an estimate has asked the same of a home without an address since."""
    e, later = ESTIMATE.c, ESTIMATE.alias("later")
    # As text: PostgreSQL does not compare JSON.
    facts = sa.cast(later.c.facts, sa.Text) == sa.cast(e.facts, sa.Text)
    return sa.and_(e.property_key == "", _followed(later, later.c.property_key == "", later.c.as_of == e.as_of, facts))


def _followed(later: sa.FromClause, *same: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return whether the actor of an estimate has priced on the page since: a row ``later`` with the ``same``."""
    e, then = ESTIMATE.c, later.c
    after = sa.or_(then.at > e.at, sa.and_(then.at == e.at, then.seq > e.seq))
    own = (then.market_id == e.market_id, then.actor_id == e.actor_id)
    again = sa.select(then.seq).where(*own, *same, then.channel == _PAGE, then.point.is_not(None), after)
    return again.correlate(ESTIMATE).exists()
