"""The scope in force: proposed by the test until a manager signs, then the signed one, for one home and for many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from core.access import Actor, Role
from core.errors import AccessDenied, NotFound, ReasonNeeded
from core.evaluate.scope import (
    NO_PRICES,
    NOTHING_PROPOSED,
    GoverningScope,
    ProposedScope,
    ScopeBasis,
    propose_scope,
    supports,
)
from core.evaluate.targets import Verdict
from core.problem import Problem
from core.serve.estimate import Estimate
from core.serve.estimate_many import estimate_many
from core.serve.review.flag import FlagKind, Severity
from core.serve.review.unavailable import UNAVAILABLE, Unavailable
from core.store import ModelRecord, NewModel, Store
from core.train.bundle import from_bytes, to_bytes
from core.wording import money_short
from core.workflows.models.scope import (
    PROPOSED,
    ScopeChange,
    carried_to_card,
    flags_words,
    governing_scope,
    proposal_to_card,
    scope_change,
    scope_verdict,
    sign_scope,
    unproven_words,
    unsigned_scope,
    withdraw_signature,
)
from core.workflows.models.test_scores import SCORES, scores_of
from core.workflows.overview import overview, phases
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.promotion import promotion_effect
from tests.acting import acting

MANAGER = Actor("Mia", Role.MANAGER)
TODAY = date(2026, 1, 1)


@pytest.fixture
def store(own_store: Store) -> Store:
    return own_store


def champion(store: Store) -> ModelRecord:
    found = store.models.champion(store.markets.list()[0].market_id)
    assert found is not None
    return found


def desk_of(store: Store, problem: Problem) -> Desk:
    return open_desk(store, store.markets.list()[0].market_id, problem)


def home_in(desk: Desk, kind: str) -> dict[str, object]:
    assert desk.bundle is not None
    profile = desk.bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    return {**profile.typical["zipcode"][code], "zipcode": code, "property_type": kind}


def signed(store: Store, problem: Problem, types: tuple[str, ...] = (), high: float = 5e6) -> ProposedScope:
    record, workspace = champion(store), acting(store, MANAGER, problem)
    scope = supports(scores_of(workspace, record.model_id), 10_000.0, high, problem, types)
    sign_scope(workspace, record.model_id, scope, "a first try")
    return scope


def test_prices_beyond_all_test_sales_are_signed_with_a_reason_only(store: Store, problem: Problem) -> None:
    workspace, record = acting(store, MANAGER, problem), champion(store)
    scored = scores_of(workspace, record.model_id)
    exact = replace(scored, table=scored.table.assign(sale_price=1.01 * scored.table["estimate"]))
    low, high = float(scored.table["estimate"].min()), float(scored.table["estimate"].max())
    proven = supports(exact, low, high, problem)
    assert scope_verdict(proven, record, problem) is Verdict.PASS
    wide = supports(exact, low, 10 * high, problem)
    assert scope_verdict(wide, record, problem) is Verdict.INCONCLUSIVE
    with pytest.raises(ReasonNeeded, match=r"for all of this scope\. No test sale was estimated above"):
        sign_scope(workspace, record.model_id, wide, "")
    although = sign_scope(workspace, record.model_id, wide, "The board wants it so.").although
    assert although == "signed although its target of 10% is not proven"
    assert not sign_scope(workspace, record.model_id, proven, "").although


def test_another_models_scope_is_compared_by_prices_what_is_left_out_and_signature() -> None:
    now = GoverningScope(69_000.0, 820_000.0, ScopeBasis.SIGNED, ("historic",))
    then = GoverningScope(110_000.0, 720_000.0, ScopeBasis.PROPOSED)
    assert ScopeChange(now, then, "USD").words == (
        "Prices in scope: $69K to $820K now, $110K to $720K after the change.",
        "Historic: no price now, in scope after the change.",
        "The scope in force is signed, the other model's is not: sign it on the page Evaluation.",
    )
    assert ScopeChange(then, now, "USD").words[1:] == (
        "Historic: in scope now, no price after the change.",
        "The scope in force is not signed, the other model's is.",
    )
    assert ScopeChange(now, now, "USD").words == ("The scope stays as it is: $69K to $820K.",)
    assert ScopeChange(now, then, "USD").asks_for_a_signature
    assert not ScopeChange(then, now, "USD").asks_for_a_signature


def test_a_promotion_says_which_share_of_homes_each_scope_sends_to_review(store: Store, problem: Problem) -> None:
    workspace = acting(store, MANAGER, problem)
    live = champion(store)
    priced = scores_of(workspace, live.model_id).priced
    low, high = (float(one) for one in priced["estimate"].quantile([0.25, 0.75]))
    card = {**live.card, PROPOSED: {"low": low, "high": high, "types_left_out": [], "areas_left_out": []}}
    payload = store.models.load_bytes(live.model_id) + b"\0"
    other = store.models.add(NewModel(live.market_id, live.version_id, payload, card), MANAGER)
    signed(store, problem)
    outside = scope_change(workspace, live, other).outside
    assert outside is not None
    assert (outside.before, outside.n) == (0.0, len(priced))
    assert outside.after == pytest.approx(0.5, abs=2 / len(priced))
    effect = promotion_effect(workspace, other.model_id)
    assert effect.scope is not None
    assert outside.words in effect.scope.words
    assert outside.words.startswith("Outside it, so flagged or without a price: 0% now, ")
    # Scores that were lost leave the share out, and the rest stands.
    gone = store.models.add(NewModel(live.market_id, live.version_id, payload + b"\0", _unscored(card)), MANAGER)
    assert scope_change(workspace, live, gone).outside is None


def test_the_flags_of_a_test_are_told_from_those_of_the_scope_in_force(store: Store, problem: Problem) -> None:
    live, workspace = champion(store), acting(store, MANAGER, problem)
    scored = scores_of(workspace, live.model_id)
    middle = float(scored.priced["estimate"].median())
    signed(store, problem, high=middle)
    outside = int((scored.priced["estimate"] > middle).sum())
    words = flags_words(store, live, scored)
    assert words.startswith("These flags are those of the day the test was scored: for the price, those outside $")
    assert f"By the signed scope, which governs today ($10K to {money_short(middle, 'USD')})" in words
    assert f", {outside} of {len(scored.priced)} sales are outside, flagged or without a price." in words


def _unscored(card: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in card.items() if name != SCORES}


def test_until_a_signature_the_tests_proposal_governs_and_then_the_signed_scope(store: Store, problem: Problem) -> None:
    record, workspace = champion(store), acting(store, MANAGER, problem)
    proposed = propose_scope(scores_of(workspace, record.model_id), problem)
    assert proposal_to_card(proposed) == ({PROPOSED: record.card[PROPOSED]} if proposed.found else {})
    scope = governing_scope(store, record)
    assert scope == (proposed.governing(ScopeBasis.PROPOSED) if proposed.found else NOTHING_PROPOSED)
    chosen = signed(store, problem, ("condo",))
    assert governing_scope(store, record) == chosen.governing(ScopeBasis.SIGNED)
    market = store.markets.list()[0]
    facts = phases(overview(workspace, market), problem)[0].facts
    assert facts[1] == "Scope: $10K to $5M, without condo (signed)"
    assert facts[2] == "The scope is signed although its target of 10% is not proven"


def test_a_signature_is_withdrawn_and_the_one_before_it_governs_again(store: Store, problem: Problem) -> None:
    record, workspace = champion(store), acting(store, MANAGER, problem)
    first = signed(store, problem, ("condo",)).governing(ScopeBasis.SIGNED)
    before = desk_of(store, problem)
    second = signed(store, problem).governing(ScopeBasis.SIGNED)
    assert first != second
    assert governing_scope(store, record) == second
    with pytest.raises(ReasonNeeded, match="at least 10 characters"):
        withdraw_signature(workspace, record.model_id, " ")
    assert governing_scope(store, record) == second
    back = withdraw_signature(workspace, record.model_id, "signed for the wrong model")
    assert back is not None
    assert back.scope == first == governing_scope(store, record)
    day, level = before.valuation_date(TODAY), problem.estimate.level
    answer = desk_of(store, problem).price(home_in(before, "condo"), day, level, MANAGER)
    assert isinstance(answer, Unavailable), "a desk that is open follows, too"
    assert withdraw_signature(workspace, record.model_id, "once again") is None
    assert governing_scope(store, record) == unsigned_scope(record)
    with pytest.raises(NotFound, match="no signature to withdraw"):
        withdraw_signature(workspace, record.model_id, "once again")
    with pytest.raises(AccessDenied):
        withdraw_signature(acting(store, Actor("Ana", Role.AGENT), problem), record.model_id, "no")


def test_a_type_left_out_of_the_signed_scope_gets_no_price_alone_or_in_a_file(store: Store, problem: Problem) -> None:
    before = desk_of(store, problem)
    day, level = before.valuation_date(TODAY), problem.estimate.level
    assert isinstance(before.price(home_in(before, "condo"), day, level, MANAGER), Estimate)
    signed(store, problem, ("condo",))
    desk = desk_of(store, problem)
    answer = desk.price(home_in(desk, "condo"), day, level, MANAGER)
    assert isinstance(answer, Unavailable)
    assert answer.message == UNAVAILABLE
    assert answer.reason == "Property type condo is outside the scope signed for this model."
    assert isinstance(desk.price(home_in(desk, "single_family"), day, level, MANAGER), Estimate)
    assert desk.live_market is not None
    homes = pd.DataFrame([home_in(desk, "condo"), home_in(desk, "single_family")])
    many = estimate_many(desk.live_market, homes, day, problem, level)
    assert many.rows.tolist() == [1]
    [refused] = many.not_priced
    assert (refused.field, refused.value, refused.reason) == ("property_type", "condo", answer.reason)


def test_a_price_outside_the_signed_bounds_is_reviewed_and_an_unsigned_scope_only_flags(
    store: Store, problem: Problem
) -> None:
    signed(store, problem, high=20_000.0)
    desk = desk_of(store, problem)
    day, level = desk.valuation_date(TODAY), problem.estimate.level
    answer = desk.price(home_in(desk, "condo"), day, level, MANAGER)
    assert isinstance(answer, Estimate)
    [flag] = [one for one in answer.flags if one.kind is FlagKind.PRICE_OUT_OF_SCOPE]
    assert flag.limit == "10,000 to 20,000, the signed scope"
    assert desk.live_market is not None
    scope = desk.live_market.scope
    assert scope is not None
    unsigned = replace(scope, basis=ScopeBasis.PROPOSED, types_left_out=("condo",))
    live_market = replace(desk.live_market, scope=unsigned)
    flagged = replace(desk, live_market=live_market).price(home_in(desk, "condo"), day, level, MANAGER)
    assert isinstance(flagged, Estimate)
    assert "unsigned" in next(one.limit for one in flagged.flags if one.kind is FlagKind.LEFT_OUT_OF_SCOPE)


def test_a_challenger_of_a_small_test_keeps_the_scope_in_force_and_says_so(store: Store, problem: Problem) -> None:
    record = champion(store)
    scope = signed(store, problem, ("condo",))
    scored = scores_of(acting(store, MANAGER, problem), record.model_id)
    exact = scored.table.assign(sale_price=1.05 * scored.table["estimate"])
    month = replace(scored, table=exact).of(exact.index < 40)
    carried = carried_to_card(store, record, month, problem)
    payload = store.models.load_bytes(record.model_id)
    new = NewModel(record.market_id, record.version_id, payload + b"again", {**record.card, **carried, "metrics": {}})
    challenger = store.models.add(new, MANAGER)
    found = governing_scope(store, challenger)
    assert found is not None
    estimates = month.priced["estimate"]
    alone = supports(month, float(estimates.quantile(0.05)), float(estimates.max()), problem)
    assert alone.inside.high < problem.success.target_mape
    assert scope_verdict(alone, challenger, problem) is Verdict.INCONCLUSIVE, "its test is too small to draw a scope"
    assert "too small to draw a scope from" in unproven_words(alone, challenger, problem)
    with pytest.raises(ReasonNeeded):
        sign_scope(acting(store, MANAGER, problem), challenger.model_id, alone, "")
    kept = supports(month, scope.low, scope.high, problem, ("condo",))
    assert scope_verdict(kept, challenger, problem) is Verdict.PASS, "what an earlier test bears out"
    assert (found.low, found.high, found.types_left_out) == (scope.low, scope.high, ("condo",))
    assert found.basis is ScopeBasis.CARRIED
    assert "(of the model before, without what this model’s test disproves; unsigned" in found.words("USD")


def barren_twin(store: Store, record: ModelRecord) -> ModelRecord:
    """Make live a twin of the model whose test proposes nothing."""
    bundle = from_bytes(store.models.load_bytes(record.model_id))
    twin = replace(bundle, plan=replace(bundle.plan, seed=bundle.plan.seed + 1))
    card = {name: value for name, value in record.card.items() if name != PROPOSED}
    made = store.models.add(NewModel(record.market_id, record.version_id, to_bytes(twin), card), MANAGER)
    return store.models.promote(made.model_id, MANAGER, "a twin of the live one")


def test_only_evidence_that_proposes_nothing_has_every_estimate_reviewed(store: Store, problem: Problem) -> None:
    record = champion(store)
    untested = replace(record, card={"metrics": record.card["metrics"]})
    assert governing_scope(store, untested) is None, "nothing is tested yet, so the standard prices hold"
    barren = barren_twin(store, record)
    desk = desk_of(store, problem)
    day, level = desk.valuation_date(TODAY), problem.estimate.level
    homes = [home_in(desk, kind) for kind in ("condo", "single_family")]
    for home in homes:
        alone = desk.price(home, day, level, MANAGER)
        assert isinstance(alone, Estimate)
        [flag] = [one for one in alone.flags if one.kind is FlagKind.NOTHING_PROPOSED]
        assert (flag.severity, flag.limit) == (Severity.REVIEW, NO_PRICES)
    assert desk.live_market is not None
    many = estimate_many(desk.live_market, pd.DataFrame(homes), day, problem, level)
    assert all(FlagKind.NOTHING_PROPOSED in {one.kind for one in flags} for flags in many.flags)
    seen = overview(acting(store, MANAGER, problem), store.markets.list()[0])
    assert phases(seen, problem)[0].facts[1] == f"Scope: none; {NO_PRICES}"
    assert carried_to_card(store, barren, scores_of(acting(store, MANAGER, problem), record.model_id), problem) == {}
    signed(store, problem)
    answer = desk_of(store, problem).price(homes[0], day, level, MANAGER)
    assert isinstance(answer, Estimate)
    assert FlagKind.NOTHING_PROPOSED not in {one.kind for one in answer.flags}, "the signed scope governs"
