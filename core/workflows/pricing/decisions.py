"""An agent's decision on an estimate: accept it, adjust it or override it, with a reason if required."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from pydantic import TypeAdapter

from core.access import Action, require_office
from core.collect.privacy.cutting import without_persons_in_note
from core.errors import InvalidDecision, InvalidRecord
from core.problem import Problem
from core.serve.agent.sale_weights import multipliers
from core.serve.comparables import Comparable
from core.states import AuditAction
from core.store import DecisionRecord, EstimateRecord, NewDecision
from core.store.ledger.decisions import DecisionKind
from core.wording import money, percent
from core.workspace import Workspace

DECIDED: Final[Mapping[DecisionKind, str]] = {"accept": "Accepted", "adjust": "Adjusted", "override": "Overridden"}
"""A decision in words, by its kind."""

OTHER: Final = "other"
"""The reason that says nothing on its own, so it always needs a note."""

HIGHER_ONLY: Final = frozenset({"condition_better"})
LOWER_ONLY: Final = frozenset({"condition_worse"})
"""The reasons that explain only a price above the estimate, or only one below it."""

_KINDS: Final = get_args(DecisionKind)
_ADDED: Final = TypeAdapter(tuple[Comparable, ...])
_CENT: Final = 0.005
# A list price this much above the agent's own price is a slip of the hand more often than a plan.
_FAR_ABOVE: Final = 0.25
# Shares are kept as floating-point numbers, so that a multiplier of 2 comes back as almost 2.


@dataclass(frozen=True)
class DecisionInput:
    """A decision as entered, with money in the estimate's currency and the weights of the comparables in use.

    ``added`` are those of the comparables in use that the agent added.
    "accept" takes the point estimate, "adjust" another price inside the range, "override" any price.
    """

    kind: DecisionKind
    price: float
    listing_price: float | None = None
    reason_code: str | None = None
    note: str = ""
    comparables: Mapping[str, float] | None = None
    added: tuple[Comparable, ...] = ()


def decide(workspace: Workspace, estimate_id: str, decision: DecisionInput) -> DecisionRecord:
    """Record a decision on a priced estimate; a later one supersedes it, but all are kept.

    Names, phones, e-mail addresses and the like are cut out of the note before it is stored. Raises AccessDenied, also
    for another office's estimate, NotFound for an unknown one, InvalidDecision naming field, value, limit and remedy.
    """
    estimate = _estimate_for(workspace, estimate_id, Action.DECIDE)
    decision = replace(decision, note=without_persons_in_note(decision.note.strip()))
    check_decision(decision, estimate, workspace.problem)
    reason = decision.reason_code or None
    new = NewDecision(
        estimate_id,
        decision.kind,
        decision.price,
        decision.listing_price,
        reason,
        decision.note,
        decision.comparables,
        _ADDED.dump_python(decision.added, mode="json"),
    )
    try:
        return workspace.store.ledger.decide(new, workspace.actor)
    except InvalidRecord as error:
        raise InvalidDecision(str(error), "price") from error


def take_back(workspace: Workspace, estimate_id: str, decision_id: str) -> None:
    """Take back the decision that counts on an estimate; the one before it, if any, counts again.

    Raises AccessDenied, also for another office's estimate, NotFound, InvalidDecision if it no longer counts,
    StoreUnavailable.
    """
    _estimate_for(workspace, estimate_id, Action.DECIDE)
    try:
        workspace.store.ledger.take_back(estimate_id, decision_id, workspace.actor)
    except InvalidRecord as error:
        raise InvalidDecision(str(error), "kind") from error


def check_decision(decision: DecisionInput, estimate: EstimateRecord, problem: Problem) -> None:
    """Raise InvalidDecision if the decision breaks a rule of the problem statement."""
    if decision.kind not in _KINDS:
        raise InvalidDecision(f"Decision {decision.kind!r} is unknown; choose one of {', '.join(_KINDS)}.", "kind")
    if estimate.status != "priced" or estimate.point is None:
        raise InvalidDecision(
            f"Estimate {estimate.estimate_id} is {estimate.status}, so there is no price to decide on. Use comparative "
            "market analysis instead.",
            "kind",
        )
    _check_amount(decision.price, "price", "Your price", estimate, problem)
    if decision.listing_price is not None:
        _check_amount(decision.listing_price, "listing_price", "Listing price", estimate, problem)
    _check_kind(decision, estimate)
    _check_reason(decision, estimate, problem)


def history(workspace: Workspace, estimate_id: str) -> list[DecisionRecord]:
    """Return all decisions on an estimate, newest first.

    Raises AccessDenied, also for another office's estimate, NotFound for an unknown one, StoreUnavailable.
    """
    _estimate_for(workspace, estimate_id, Action.PRICE)
    return workspace.store.ledger.decisions_on(estimate_id)


def comparables_decided(
    workspace: Workspace, decision: DecisionRecord, comparables: Sequence[Comparable]
) -> Mapping[str, float] | None:
    """Return the multipliers, by sale, of the comparables in use when a decision was made, the least of them 1.

    ``reconcile`` takes them. None for a decision made without comparables. Raises StoreUnavailable.
    """
    shares: Mapping[str, float] = _recorded(workspace, decision).get("comparables") or {}
    # The audit trail has each sale's share in the value.
    return multipliers(comparables, shares) or None


def comparables_added(workspace: Workspace, decision: DecisionRecord) -> tuple[Comparable, ...]:
    """Return the comparables in use that the agent had added when a decision was made; raises StoreUnavailable."""
    return _ADDED.validate_python(_recorded(workspace, decision).get("added", ()))


def _recorded(workspace: Workspace, decision: DecisionRecord) -> Mapping[str, Any]:
    """Return what the audit trail has of a decision."""
    entries = workspace.store.events.of(decision.estimate_id, AuditAction.DECISION_MADE)
    return next((one.detail for one in entries if one.detail["decision_id"] == decision.decision_id), {})


def kind_of(price: float, point: float, low: float, high: float) -> DecisionKind:
    """Return which decision a price is: the estimate accepted, adjusted within its range, or overridden."""
    if abs(price - point) <= _CENT:
        return "accept"
    return "adjust" if low <= price <= high else "override"


def departure(price: float, point: float) -> float:
    """Return a price's difference from the point estimate, as a share of it; negative is below."""
    return (price - point) / point


def fitting_reasons(share: float, problem: Problem) -> list[str]:
    """Return the codes of the reasons that can explain a price ``share`` above (below, if negative) the estimate."""
    against = LOWER_ONLY if share > 0 else HIGHER_ONLY
    return [code for code in problem.decisions.reasons if code not in against]


def usual_listing(price: float, problem: Problem) -> float:
    """Return the usual listing price, unrounded, for a home expected to sell for ``price``."""
    return price * (1.0 + problem.decisions.listing_markup)


def listing_doubt(price: float, listing: float, currency: str) -> str:
    """Say what is odd about a list price beside the agent's own price, "" if nothing is."""
    listed, own = money(listing, currency), money(price, currency)
    if listing < price:
        return f"You would list at {listed}, below your own price of {own}."
    if listing > (1.0 + _FAR_ABOVE) * price:
        return f"You would list at {listed}, {percent(listing / price - 1.0)} above your own price of {own}."
    return ""


def _estimate_for(workspace: Workspace, estimate_id: str, action: Action) -> EstimateRecord:
    """Return an estimate on which the actor may do this; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(action)
    estimate = workspace.store.ledger.get(estimate_id)
    require_office(workspace.actor, estimate.office, f"Estimate {estimate_id}")
    return estimate


def _check_amount(value: float, field: str, label: str, estimate: EstimateRecord, problem: Problem) -> None:
    limit, currency = problem.limits["sale_price"], estimate.currency
    if not (math.isfinite(value) and limit.holds(value)):
        raise InvalidDecision(
            f"{label} = {money(value, currency) if math.isfinite(value) else value} is impossible: it must lie between "
            f"{money(limit.low, currency)} and {money(limit.high, currency)}. Correct it.",
            field,
        )


def _check_kind(decision: DecisionInput, estimate: EstimateRecord) -> None:
    point, low, high = (float(value or 0.0) for value in (estimate.point, estimate.low, estimate.high))
    price = money(decision.price, estimate.currency)
    if decision.kind == "accept" and abs(decision.price - point) > _CENT:
        raise InvalidDecision(
            f"Your price = {price} is not the estimate of {money(point, estimate.currency)}. Accept it, or choose "
            "adjust or override.",
            "price",
        )
    if decision.kind == "adjust" and not low <= decision.price <= high:
        raise InvalidDecision(
            f"Your price = {price} is outside the range of {money(low, estimate.currency)} to "
            f"{money(high, estimate.currency)}. Adjust within the range, or choose override.",
            "price",
        )


def _check_reason(decision: DecisionInput, estimate: EstimateRecord, problem: Problem) -> None:
    rules, note = problem.decisions, decision.note.strip()
    if decision.reason_code and decision.reason_code not in rules.reasons:
        raise InvalidDecision(
            f"Reason {decision.reason_code!r} is unknown; choose one of {', '.join(rules.reasons)}.", "reason_code"
        )
    if len(note) > rules.note_chars:
        raise InvalidDecision(
            f"The note has {len(note):,} characters; at most {rules.note_chars:,} are allowed. Shorten it.", "note"
        )
    share = departure(decision.price, float(estimate.point or math.nan))
    gap = f"{percent(abs(share), 1)} {'above' if share > 0 else 'below'} the estimate"
    if decision.kind == "accept":
        return
    if decision.reason_code and decision.reason_code not in fitting_reasons(share, problem):
        raise InvalidDecision(
            f"Your price is {gap}, and the reason “{rules.reasons[decision.reason_code]}” explains one on the other "
            "side. Choose another reason.",
            "reason_code",
        )
    if abs(share) > rules.explain_over and not decision.reason_code:
        raise InvalidDecision(
            f"Your price is {gap}; beyond {percent(rules.explain_over)} a reason is needed. Choose one.",
            "reason_code",
        )
    if abs(share) > rules.note_over and not note:
        raise InvalidDecision(
            f"Your price is {gap}; beyond {percent(rules.note_over)} a note is needed too. Explain in a sentence "
            "what the model does not know.",
            "note",
        )
    if decision.reason_code == OTHER and not note:
        raise InvalidDecision("The reason is “something else”, which says nothing on its own. Add a note.", "note")
