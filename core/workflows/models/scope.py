"""The scope of a model: proposed by its test, signed by a person, and what governs its estimates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from core.access import Action, reason_for
from core.errors import ArtifactCorrupt, ModelOutdated, NotFound
from core.evaluate.edge_cases import flagged_by
from core.evaluate.scope import (
    CARRIED_OVER,
    NO_PRICES,
    NOTHING_PROPOSED,
    GoverningScope,
    ProposedScope,
    ScopeBasis,
    carried_scope,
    is_enough_for_a_scope,
    left_out_words,
    share_outside,
)
from core.evaluate.scored_sales import ScoredSales
from core.evaluate.targets import Verdict, at_most, judge
from core.problem import Problem
from core.states import SIGNING, AuditAction
from core.store import ModelRecord, Store
from core.store.base.audit import Event
from core.wording import count, money_range, percent
from core.workflows.models.test_scores import SCORES, scores_of
from core.workspace import Workspace

PROPOSED: Final = "proposed_scope"
"""The key of the scope on a model's card that its sealed test proposes, or that is carried over to it."""

_CARRIED_FROM: Final = "carried_from"


@dataclass(frozen=True)
class SignedScope:
    """The scope a person signed, also in words, with note, name and time (UTC).

    ``although`` says what its test has against it, to be read after "is": "signed although …"; "" if nothing.
    """

    scope: GoverningScope
    words: str
    note: str
    signed_by: str
    signed_at: datetime
    although: str = ""


@dataclass(frozen=True)
class Outside:
    """The shares of n test sales, from 0 to 1, outside the scope in force and outside the other model's."""

    before: float
    after: float
    n: int

    @property
    def words(self) -> str:
        """Both shares as a sentence."""
        now, then = percent(self.before), percent(self.after)
        change = f"{now} now, {then} after the change" if now != then else f"{now}, as now"
        return f"Outside it, so flagged or without a price: {change} (of {count(self.n, 'test sale')})."


@dataclass(frozen=True)
class ScopeChange:
    """The scope in force and the one another model would bring; None where the market's standard prices hold.

    ``outside`` is what each leaves to review of the other model's test sales, None if those cannot be read.
    """

    before: GoverningScope | None
    after: GoverningScope | None
    currency: str
    outside: Outside | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What changes, a sentence for each: the prices, what is left out, and whether a person signed it."""
        now, then = (_bounds(one, self.currency) for one in (self.before, self.after))
        prices = (f"Prices in scope: {now} now, {then} after the change.",) if now != then else ()
        changes = (*prices, *self._left_out()) or (f"The scope stays as it is: {now}.",)
        return (*changes, *((self.outside.words,) if self.outside else ()), *self._signature())

    @property
    def asks_for_a_signature(self) -> bool:
        """Whether a signature in force is lost by the change, so that a person has to sign again."""
        return _is_signed(self.before) and not _is_signed(self.after)

    def _left_out(self) -> Iterator[str]:
        now, then = (_left_out(one) for one in (self.before, self.after))
        back, gone = ([kept - other for kept, other in zip(*pair, strict=True)] for pair in ((now, then), (then, now)))
        if any(back):
            priced = "no price" if _is_signed(self.before) else "a price for review only"
            yield f"{_names_of(back)}: {priced} now, in scope after the change."
        if any(gone):
            priced = "no price" if _is_signed(self.after) else "a price for review only"
            yield f"{_names_of(gone)}: in scope now, {priced} after the change."

    def _signature(self) -> Iterator[str]:
        if self.asks_for_a_signature:
            yield "The scope in force is signed, the other model's is not: sign it on the page Evaluation."
        if _is_signed(self.after) and not _is_signed(self.before):
            yield "The scope in force is not signed, the other model's is."


def scope_change(workspace: Workspace, live: ModelRecord, other: ModelRecord) -> ScopeChange:
    """Return what changes in scope if ``other`` prices instead of ``live``.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    store = workspace.store
    currency = store.markets.get(live.market_id).currency
    before, after = governing_scope(store, live), governing_scope(store, other)
    return ScopeChange(before, after, currency, _outside(workspace, other, before, after))


def _outside(
    workspace: Workspace, other: ModelRecord, before: GoverningScope | None, after: GoverningScope | None
) -> Outside | None:
    """Return the shares of the other model's test sales outside both scopes; None without scores to be read."""
    try:
        scored = scores_of(workspace, other.model_id)
    except (NotFound, ModelOutdated, ArtifactCorrupt):
        return None
    if scored.priced.empty:
        return None
    return Outside(share_outside(before, scored), share_outside(after, scored), len(scored.priced))


def proposal_to_card(found: ProposedScope) -> dict[str, Any]:
    """Return the proposed scope for the card, as JSON values; empty if the evidence supports none."""
    if not found.found:
        return {}
    return {PROPOSED: _to_card(found.governing(ScopeBasis.PROPOSED))}


def carried_to_card(store: Store, live: ModelRecord, scored: ScoredSales, problem: Problem) -> dict[str, Any]:
    """Return the live model's scope for the card of a challenger whose test is too small to draw one, as JSON values.

    Empty if the test is large enough, or disproves the scope, or if the live model has none. Raises NotFound,
    StoreUnavailable.
    """
    before = governing_scope(store, live)
    if before is None or before.is_empty or is_enough_for_a_scope(scored, problem):
        return {}
    found = carried_scope(before, scored, problem)
    if found is None:
        return {}
    return {PROPOSED: {**_to_card(found), _CARRIED_FROM: live.model_id}}


def governing_scope(store: Store, record: ModelRecord) -> GoverningScope | None:
    """Return the scope a person signed for a model, else what governs without a signature (``unsigned_scope``).

    Raises NotFound, StoreUnavailable.
    """
    signed = signed_scope(store, record.model_id)
    return signed.scope if signed is not None else unsigned_scope(record)


def unsigned_scope(record: ModelRecord) -> GoverningScope | None:
    """Return the scope that governs a model until a person signs one, None where the market's standard prices do.

    These hold for a model whose test is not on its card. A test that proposes nothing leaves no price in scope.
    """
    proposed = record.card.get(PROPOSED)
    if not proposed:
        return NOTHING_PROPOSED if record.card.get(SCORES) else None
    return _scope(proposed, ScopeBasis.CARRIED if _CARRIED_FROM in proposed else ScopeBasis.PROPOSED)


def reviewed_without_scope(scope: GoverningScope | None) -> str:
    """Say which estimates a person reviews where no scope is drawn, as part of a sentence."""
    return "the standard prices say which to review" if scope is None else "every estimate needs review"


def governs_without_signature(governing: GoverningScope | None, currency: str) -> str:
    """Say which estimates are flagged while no signature is in force."""
    if governing is None:
        return "No scope is signed, so the standard prices flag estimates for review."
    if governing.is_empty:
        return f"Until somebody signs again, every estimate needs review: {NO_PRICES}."
    left_out = left_out_words(governing.types_left_out, governing.areas_left_out)
    also = f"; a person reviews every estimate for {left_out}" if left_out else ""
    source = f"{CARRIED_OVER}," if governing.basis is ScopeBasis.CARRIED else "that its test proposes"
    return (
        f"Until somebody signs again, the scope {source} holds: a note marks estimates outside "
        f"{_bounds(governing, currency)} as not yet shown to be accurate enough{also}."
    )


def proposal_words(record: ModelRecord) -> str:
    """Name the scope that a model's test proposes, with the warning that stays after a signature if it is too small."""
    unsigned = unsigned_scope(record)
    if unsigned is None or unsigned.basis is not ScopeBasis.CARRIED:
        return "The evidence proposes"
    return "This test is too small to draw a scope from; it alone would propose"


def flags_words(store: Store, record: ModelRecord, scored: ScoredSales) -> str:
    """Say by which prices a test's sales were flagged, and how many the scope in force flags instead.

    Raises NotFound, StoreUnavailable.
    """
    scope = governing_scope(store, record)
    if scope is None or scored.priced.empty:
        return flagged_by(scored.terms)
    if scope.is_empty:
        return f"{flagged_by(scored.terms)} Today every estimate needs review: {NO_PRICES}."
    n = len(scored.priced)
    outside = round(share_outside(scope, scored) * n)
    prices = money_range(scope.low, scope.high, scored.terms.currency)
    are = "is" if outside == 1 else "are"
    return (
        f"{flagged_by(scored.terms)} By {scope.name}, which governs today ({prices}), {outside:,} of "
        f"{count(n, 'sale')} {are} outside, flagged or without a price."
    )


def is_unsigned(store: Store, record: ModelRecord) -> bool:
    """Tell whether a model has a scope that nobody has signed; raises NotFound, StoreUnavailable."""
    scope = governing_scope(store, record)
    return scope is not None and scope.basis is not ScopeBasis.SIGNED


def sign_scope(workspace: Workspace, model_id: str, scope: ProposedScope, note: str) -> SignedScope:
    """Record that a person signs a model's scope: it governs at once, and earlier signatures stay on record.

    A scope whose test does not prove its target needs a reason as its note. Raises AccessDenied, ReasonNeeded, NotFound
    for an unknown model, ValueError for a scope without bounds, or without a price between them, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.PROMOTE)
    if not scope.found:
        raise ValueError("the proposed scope has no bounds; choose them, or leave the model unsigned")
    if not 0 <= scope.low < scope.high:
        raise ValueError(f"no price lies from {scope.low:,.0f} to {scope.high:,.0f}; give the lower one first")
    record = store.models.get(model_id)
    against = unproven_words(scope, record, workspace.problem)
    note = reason_for(f"{against} To sign it all the same", note) if against else note.strip()
    detail = {
        **_to_card(scope.governing(ScopeBasis.SIGNED)),
        "words": scope.words,
        "note": note,
        "mape": scope.inside.value,
        "mape_high": scope.inside.high,
        "share": scope.share,
        "verdict": scope_verdict(scope, record, workspace.problem).value,
        "target": scope.target,
    }
    store.events.record(workspace.actor, AuditAction.SCOPE_SIGNED, record.market_id, model_id, detail)
    signed = signed_scope(store, model_id)
    if signed is None:
        raise NotFound(f"The signature of model {model_id}'s scope was not found. Sign it again.")
    return signed


def withdraw_signature(workspace: Workspace, model_id: str, reason: str) -> SignedScope | None:
    """Record that a person withdraws the signature in force; return the one before it, which governs again, or None.

    It changes at once which estimates are flagged, so it needs a reason, as any other change of what agents get.
    Raises AccessDenied, NotFound for an unknown model or one without a signature, ReasonNeeded, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.PROMOTE)
    record, signed = store.models.get(model_id), signed_scope(store, model_id)
    if signed is None:
        raise NotFound(f"Model {model_id} has no signature to withdraw. Sign its scope first.")
    given = reason_for("To withdraw a signature", reason)
    detail = {"reason": given, "words": signed.words, "signed_by": signed.signed_by}
    store.events.record(workspace.actor, AuditAction.SCOPE_WITHDRAWN, record.market_id, model_id, detail)
    return signed_scope(store, model_id)


def signed_scope(store: Store, model_id: str) -> SignedScope | None:
    """Return a model's latest signed scope that was not withdrawn, or None; raises NotFound, StoreUnavailable."""
    store.models.get(model_id)
    deeds = [one for deed in SIGNING for one in store.events.of(model_id, deed)]
    in_force: list[Event] = []
    for one in sorted(deeds, key=lambda one: one.event_id):
        if one.action == AuditAction.SCOPE_SIGNED:
            in_force.append(one)
        else:
            in_force.pop()
    if not in_force:
        return None
    latest, detail = in_force[-1], in_force[-1].detail
    return SignedScope(
        _scope(detail, ScopeBasis.SIGNED),
        str(detail["words"]),
        str(detail["note"]),
        latest.actor,
        latest.at,
        _although(detail),
    )


def unproven_words(scope: ProposedScope, record: ModelRecord, problem: Problem) -> str:
    """Say that a scope's test disproves its target, or cannot prove it, and of which parts; "" if it is proven."""
    judged, error = scope_verdict(scope, record, problem), scope.inside
    if judged is Verdict.PASS:
        return ""
    interval = f"{percent(error.value, 1)}, 95% interval {percent(error.low, 1)} to {percent(error.high, 1)}"
    target = f"a mean error of at most {percent(scope.target)}"
    if judged is Verdict.FAIL:
        return f"This scope misses its target, {target}: its test shows {interval}."
    shows = f"it shows {interval}" if math.isfinite(error.low) else f"{count(error.n, 'sale is', 'sales are')} too few"
    if _is_drawn_from_too_few(scope, record):
        found = f"This test is too small to draw a scope from, so it does not prove {target} for this scope: {shows}."
    elif _mean_verdict(scope, problem) is Verdict.PASS:
        found = f"The test does not prove {target} for all of this scope."
    else:
        found = f"The test does not prove {target} for this scope: {shows}."
    return " ".join((found, *_parts_unproven(scope, record)))


def _parts_unproven(scope: ProposedScope, record: ModelRecord) -> Iterator[str]:
    """Yield a sentence on the parts of a scope that surely miss the target, and one on those without a test sale."""
    if scope.missed:
        yield f"Surely above it: {', '.join(scope.missed)}."
    if scope.untested and not _is_carried(scope, record):
        yield f"No test sale was estimated {scope.untested}."


def signed_although(store: Store, record: ModelRecord) -> str:
    """Say that a model's scope is signed against its test: "signed although …"; "" if it is not, or not signed.

    Raises NotFound, StoreUnavailable.
    """
    signed = signed_scope(store, record.model_id)
    return signed.although if signed is not None else ""


def scope_verdict(scope: ProposedScope, record: ModelRecord, problem: Problem) -> Verdict:
    """Judge a scope by the mean error of the model's test sales inside it.

    A mean within the target proves no scope of which a part surely misses it, or lies beyond all test sales. A test too
    small to draw a scope from proves none that it alone would draw, however few its errors: only the scope carried
    over, which rests on an earlier test, may pass it, also where no sale of this one lies.
    """
    judged = _mean_verdict(scope, problem)
    doubtful = _is_drawn_from_too_few(scope, record) or any(_parts_unproven(scope, record))
    return Verdict.INCONCLUSIVE if judged is Verdict.PASS and doubtful else judged


def _mean_verdict(scope: ProposedScope, problem: Problem) -> Verdict:
    return judge(scope.inside, at_most(scope.target, "problem statement"), problem.estimate.small_sample_n)


def _is_drawn_from_too_few(scope: ProposedScope, record: ModelRecord) -> bool:
    """Tell whether a scope is another than the one carried over to a model whose test is too small to draw any."""
    carried = unsigned_scope(record)
    return carried is not None and carried.basis is ScopeBasis.CARRIED and not _is_carried(scope, record)


def _is_carried(scope: ProposedScope, record: ModelRecord) -> bool:
    """Tell whether a scope is the one carried over to a model from the one before."""
    carried = unsigned_scope(record)
    if carried is None or carried.basis is not ScopeBasis.CARRIED:
        return False
    return replace(carried, basis=ScopeBasis.PROPOSED) == scope.governing(ScopeBasis.PROPOSED)


def _although(detail: Mapping[str, Any]) -> str:
    """Return what the test had against a scope when it was signed; earlier releases did not record it."""
    judged = detail.get("verdict")
    if judged == Verdict.FAIL.value:
        return f"signed although it misses its target of {percent(float(detail['target']))}"
    if judged == Verdict.INCONCLUSIVE.value:
        return f"signed although its target of {percent(float(detail['target']))} is not proven"
    return ""


def _is_signed(scope: GoverningScope | None) -> bool:
    return scope is not None and scope.basis is ScopeBasis.SIGNED


def _bounds(scope: GoverningScope | None, currency: str) -> str:
    if scope is None:
        return "the market's standard prices"
    return "none" if scope.is_empty else money_range(scope.low, scope.high, currency)


def _left_out(scope: GoverningScope | None) -> tuple[set[str], set[str]]:
    """Return the property types and the areas a scope leaves out."""
    return (set(scope.types_left_out), set(scope.areas_left_out)) if scope else (set(), set())


def _names_of(parts: list[set[str]]) -> str:
    types, areas = (tuple(sorted(one)) for one in parts)
    words = left_out_words(types, areas)
    return f"{words[:1].upper()}{words[1:]}"


def _to_card(scope: GoverningScope) -> dict[str, Any]:
    left_out = {"types_left_out": list(scope.types_left_out), "areas_left_out": list(scope.areas_left_out)}
    return {"low": scope.low, "high": scope.high, **left_out}


def _scope(found: Mapping[str, Any], basis: ScopeBasis) -> GoverningScope:
    # Scopes signed in earlier releases left nothing out.
    types, areas = (tuple(map(str, found.get(key, ()))) for key in ("types_left_out", "areas_left_out"))
    return GoverningScope(float(found["low"]), float(found["high"]), basis, types, areas)
