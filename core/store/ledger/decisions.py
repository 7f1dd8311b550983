"""An agent's decision on an estimate, as written to and read from the ledger."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa

from core.errors import InvalidRecord
from core.store.base.tables import DECISION, DECISION_TAKEN_BACK
from core.store.base.values import plain_document
from core.store.ledger.checks import check_choice, check_price, number_or_none

DecisionKind = Literal["accept", "adjust", "override"]

_CENT: Final = 0.005


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
