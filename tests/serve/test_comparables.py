"""Comparables: like sales brought to the subject by the model's own amounts, and what they say together."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.problem import Problem
from core.serve.agent.advice import advice
from core.serve.agent.away import is_other_kind
from core.serve.comparables import GROSS_HIGH, GROSS_MOST, IN_USE, Comparable, like_enough, reconcile, similarity
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.fact_groups import FactGroup, group_of
from core.serve.flags import Answer, estimate_flags, flag_rules
from core.serve.likeness import newest_of_each_home
from core.serve.report.words import to_look_at
from core.serve.review.flag import FlagKind, Severity
from core.serve.typical_home import typical_home
from core.train.ranges import round_for_display
from core.wording import money
from core.workflows.pricing.desk import Desk


@pytest.fixture(scope="module")
def evidence(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def answer(evidence: LiveMarket, problem: Problem) -> Estimate:
    """A typical home of the largest zipcode, a bedroom more than usual."""
    profile = evidence.bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    facts = {**profile.typical["zipcode"][code], "zipcode": code, "bedrooms": 4.0, "living_area_sqft": 2_100.0}
    found = estimate(evidence, facts, evidence.live_model.level.as_of, problem, 0.8)
    assert isinstance(found, Estimate)
    return found


def made(sale_id: str, adjusted: float, like: float = 0.5) -> Comparable:
    return Comparable(
        sale_id=sale_id,
        address="",
        facts={},
        latitude=None,
        longitude=None,
        distance_km=None,
        similarity=like,
        sale_date=date(2024, 1, 1),
        sale_price=adjusted,
        time_adjusted=adjusted,
        adjustments={},
        adjusted=adjusted,
    )


def test_comparables_are_earlier_sales_the_most_alike_first_and_weak_ones_last(answer: Estimate) -> None:
    assert len(answer.comparables) >= IN_USE
    likeness = [(one.weak, -one.similarity) for one in answer.comparables]
    assert likeness == sorted(likeness)
    assert all(0 < one.similarity <= 1 for one in answer.comparables)
    assert all(one.sale_date < answer.subject.as_of for one in answer.comparables)
    assert len({one.sale_id for one in answer.comparables}) == len(answer.comparables)


def test_adjustments_lead_from_the_sale_price_to_the_adjusted_one(answer: Estimate) -> None:
    for one in answer.comparables:
        assert one.adjusted == pytest.approx(one.time_adjusted + sum(one.adjustments.values()), rel=1e-12)
        assert one.time_adjusted == pytest.approx(one.sale_price, rel=0.4)


def test_a_home_is_compared_with_its_own_kind_and_any_other_is_told_from_it(
    evidence: LiveMarket, answer: Estimate, problem: Problem
) -> None:
    """Every sale of a rare kind that can be compared comes before any of another kind, which is known as such."""
    live, as_of = evidence.live_model, answer.subject.as_of
    kinds = live.sales["property_type"].copy()
    boats = np.flatnonzero(kinds == "houseboat")
    kinds[boats[2:]] = "condo"
    fewer = replace(evidence, live_model=replace(live, sales={**live.sales, "property_type": kinds}))
    for market, kind in (
        (evidence, "single_family"),
        (evidence, "condo"),
        (evidence, "houseboat"),
        (fewer, "houseboat"),
    ):
        one = estimate(market, {**answer.subject.facts, "property_type": kind}, as_of, problem, 0.8)
        assert isinstance(one, Estimate)
        others = [is_other_kind(sale, one.subject.facts) for sale in one.comparables]
        assert others == [sale.facts["property_type"] != kind for sale in one.comparables]
        assert others == sorted(others), "its own kind comes first"
        if market is fewer:
            assert others.count(False) <= 2 < len(others), "other kinds, for want of its own"
        else:
            assert not any(others), "older and farther ones of its own kind, rather than others"
    open_kind = {name: value for name, value in answer.subject.facts.items() if name != "property_type"}
    assert not any(is_other_kind(sale, open_kind) for sale in answer.comparables)


def test_a_sale_adjusted_by_more_than_its_price_is_no_comparable_but_the_homes_own_is() -> None:
    def moved(sale_id: str, share: float) -> Comparable:
        one = made(sale_id, 400_000.0)
        return replace(one, adjustments={FactGroup.SIZE: share * 4e5}, adjusted=(1 + share) * 4e5)

    most, beyond = moved("most", GROSS_MOST), moved("beyond", 1.01 * GROSS_MOST)
    assert like_enough([replace(beyond, own=True), most, beyond]) == (replace(beyond, own=True), most)


def test_a_home_larger_than_nearly_all_is_compared_with_large_homes_or_none(
    evidence: LiveMarket, answer: Estimate, problem: Problem
) -> None:
    sizes = evidence.live_model.sales["living_area_sqft"].astype(float)
    facts = {**answer.subject.facts, "living_area_sqft": float(np.nanquantile(sizes, 0.999))}
    found = estimate(evidence, facts, answer.subject.as_of, problem, 0.8)
    assert isinstance(found, Estimate)
    assert all(one.gross <= GROSS_MOST for one in found.comparables)
    large = float(np.nanquantile(sizes, 0.9))
    assert all(float(one.facts.get("living_area_sqft", large)) >= large for one in found.comparables)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5), st.floats(0.05, 0.4))
def test_the_more_sales_are_adjusted_the_less_they_pull(gross: list[float], fsd: float) -> None:
    """Weak sales pull by no more than a third of the way to their mean, those that confirm no price by nothing."""
    sales = [
        replace(made(str(n), 480_000.0), sale_price=4e5, time_adjusted=4e5, adjustments={FactGroup.SIZE: share * 4e5})
        for n, share in enumerate(gross)
    ]
    value = reconcile(sales, {one.sale_id: 1.0 for one in sales}, 400_000.0, fsd, 1e5, 1e6)
    assert value is not None
    pull = math.log(value.reconciled / 4e5) / math.log(value.mean / 4e5)
    assert -1e-9 <= pull <= 1
    if value.adjusted_by >= GROSS_HIGH:
        assert pull <= 1 / 3
    if not value.confirms and value.adjusted_by > 2 * GROSS_HIGH:
        assert value.reconciled == pytest.approx(4e5)


def test_the_market_moves_all_sales_of_a_day_alike(evidence: LiveMarket, answer: Estimate, problem: Problem) -> None:
    """Whatever home asks, a sale of a day is moved by the same share; what sold around it is counted to the place."""
    codes = list(evidence.bundle.model.profile.area_codes["zipcode"])[:6]
    moved: dict[date, set[float]] = {}
    for code in codes:
        facts = typical_home(evidence.bundle.model, {"zipcode": code}).facts
        found = estimate(evidence, facts, answer.subject.as_of, problem, 0.8)
        assert isinstance(found, Estimate)
        for one in found.comparables:
            moved.setdefault(one.sale_date, set()).add(round(one.time_adjusted / one.sale_price, 9))
    assert max(sum(len(found) for found in moved.values()), len(moved)) > 10
    assert all(len(found) == 1 for found in moved.values())


def test_sale_is_not_moved_by_its_own_price(evidence: LiveMarket, answer: Estimate, problem: Problem) -> None:
    """Time adjustment is the market's movement: two sales of one day and place move alike, whatever they fetched."""
    moved = [one.time_adjusted / one.sale_price for one in answer.comparables]
    assert max(moved) / min(moved) < 1.35
    again = estimate(evidence, answer.subject.facts, answer.subject.as_of, problem, 0.8)
    assert again == answer


@given(near=st.floats(0, 50), farther=st.floats(0, 50))
def test_a_larger_gross_adjustment_never_raises_a_weight(near: float, farther: float) -> None:
    assume(near <= farther)
    assert similarity(farther) <= similarity(near) <= 1


def test_gross_and_net_are_of_all_adjustments_and_the_least_adjusted_come_first(answer: Estimate) -> None:
    for one in answer.comparables:
        parts = [one.time_adjusted - one.sale_price, *one.adjustments.values()]
        of_facts = {**one.adjustments, FactGroup.PLACE: one.adjustments[FactGroup.PLACE] - one.around}
        own_movement = one.time_adjusted + one.around - one.sale_price
        assert one.gross == pytest.approx((abs(own_movement) + sum(map(abs, of_facts.values()))) / one.sale_price)
        assert one.net == pytest.approx(sum(parts) / one.sale_price)
        assert abs(one.net) <= one.gross + 1e-12
    gross = [(one.weak, one.gross) for one in answer.comparables if not one.own]
    assert gross == sorted(gross)


def test_weak_sales_count_only_for_want_of_sound_ones(evidence: LiveMarket, problem: Problem) -> None:
    """What counts unless somebody picks has a weak sale only where all sound ones offered are in use."""
    model, moved = evidence.bundle.model, 0
    for code in model.profile.area_codes["zipcode"]:
        for size in (900.0, 1_400.0, 2_400.0, 3_400.0):
            facts = {"zipcode": code, "living_area_sqft": size}
            found = estimate(evidence, facts, evidence.live_model.level.as_of, problem, 0.8)
            if not isinstance(found, Estimate):
                continue
            used, spare = found.comparables[:IN_USE], found.comparables[IN_USE:]
            if any(one.weak for one in used):
                assert all(one.weak for one in spare)
            moved += [*used] != sorted(found.comparables, key=lambda one: one.gross)[:IN_USE]
    assert moved, "some home has a sound sale behind a weak one"


def test_a_home_is_compared_once(answer: Estimate) -> None:
    addresses = [one.address for one in answer.comparables if one.address]
    assert len(set(addresses)) == len(addresses)


def test_the_newest_sale_stands_for_a_home_known_by_its_id_or_its_address(evidence: LiveMarket) -> None:
    day = np.array(["2024-01-01", "2024-05-01", "2024-03-01", "2024-02-01", "2024-01-15"], dtype="datetime64[us]")
    ids = np.array(["0723049156", "723049156", None, None, None], dtype=object)
    addresses = np.array([None, None, "12 Oak St", "12 oak street", None], dtype=object)
    sales = {"property_id": ids, "address": addresses, "sale_date": day}
    live_model = replace(evidence.live_model, sales=sales)
    assert newest_of_each_home(live_model, np.arange(5)).tolist() == [False, True, True, False, True]
    assert newest_of_each_home(live_model, np.array([0, 3])).tolist() == [True, True]
    nameless = replace(evidence.live_model, sales={"sale_date": day})
    assert newest_of_each_home(nameless, np.arange(5)).all()


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("x_sqft_above", FactGroup.SIZE),
        ("x_sqft_lot15", FactGroup.PLOT),
        ("x_garage_area", FactGroup.PLOT),
        ("x_kitchen_qual", FactGroup.QUALITY),
        ("x_half_baths", FactGroup.ROOMS),
        ("x_fireplaces", FactGroup.OTHER),
        ("living_area_sqft", FactGroup.SIZE),
    ],
)
def test_a_column_of_the_markets_own_belongs_to_what_its_name_says(name: str, group: FactGroup) -> None:
    assert group_of(name) is group


def test_a_mean_agrees_with_a_range_that_it_leaves_by_less_than_is_shown() -> None:
    for price, agrees in ((384_300.0, True), (384_600.0, False), (288_600.0, True), (288_300.0, False)):
        value = reconcile([made("only", price)], {"only": 1.0}, 330_000.0, 0.1, 289_000.0, 384_000.0)
        assert value is not None
        assert value.agrees is agrees


prices = st.lists(st.floats(50_000, 2_000_000), min_size=1, max_size=8)


@given(adjusted=prices, exact=st.floats(50_000, 2_000_000), fsd=st.floats(0.02, 0.4), width=st.floats(0.05, 0.6))
def test_together_they_stay_within_what_they_say_and_the_models_range(
    adjusted: list[float], exact: float, fsd: float, width: float
) -> None:
    chosen = [made(str(n), price) for n, price in enumerate(adjusted)]
    low, high = exact * (1 - width / 2), exact * (1 + width / 2)
    value = reconcile(chosen, {one.sale_id: 1.0 for one in chosen}, exact, fsd, low, high)
    assert value is not None
    assert (value.low, value.high) == (min(adjusted), max(adjusted))
    assert value.low <= value.mean <= value.high
    assert low <= value.reconciled <= high
    # As it is shown: a mean of $384,300 is not above a range that ends at $384,000.
    assert value.agrees == any(low <= mean <= high for mean in (value.mean, float(round_for_display(value.mean))))
    assert sum(value.weights.values()) == pytest.approx(1.0)


@given(order=st.permutations(range(6)))
def test_order_of_comparables_does_not_matter(order: list[int]) -> None:
    chosen = [made(str(n), 400_000.0 + 9_000 * n, 0.3 + 0.1 * n) for n in range(6)]
    same = {one.sale_id: 1.0 for one in chosen}
    first, second = (
        reconcile(list(some), same, 420_000.0, 0.12, 360_000.0, 480_000.0)
        for some in (chosen, [chosen[n] for n in order])
    )
    assert first is not None
    assert second is not None
    assert first.reconciled == pytest.approx(second.reconciled)
    assert (first.low, first.high) == pytest.approx((second.low, second.high))


def test_dropping_or_reweighting_moves_the_value_as_one_expects() -> None:
    chosen = [made("cheap", 300_000.0), made("fair", 400_000.0), made("dear", 500_000.0)]
    usual, doubled, dropped = (
        reconcile(chosen, {"cheap": 1.0, "fair": 1.0, "dear": dear}, 400_000.0, 0.15, 320_000.0, 480_000.0)
        for dear in (1.0, 2.0, 0.0)
    )
    assert usual is not None
    assert doubled is not None
    assert dropped is not None
    assert dropped.mean < usual.mean < doubled.mean
    assert dropped.reconciled < usual.reconciled < doubled.reconciled
    assert set(dropped.weights) == {"cheap", "fair"}


def test_the_span_reaches_from_the_lowest_to_the_highest_sale_in_use_whatever_their_weight() -> None:
    chosen = [made("low", 218_000.0, 0.05), made("fair", 250_000.0, 0.9), made("high", 273_000.0, 0.1)]
    value = reconcile(
        [*chosen, made("left out", 900_000.0)], {"low": 1.0, "fair": 2.0, "high": 1.0}, 2.5e5, 0.1, 2e5, 3e5
    )
    assert value is not None
    assert (value.low, value.high) == (218_000.0, 273_000.0)


@pytest.mark.parametrize(
    ("size", "rooms", "confirms"), [(0.1, 0.05, True), (0.2, 0.05, True), (0.4, 0.0, False), (0.4, -0.3, False)]
)
def test_sales_adjusted_out_of_all_likeness_confirm_no_price_and_offer_none(
    size: float, rooms: float, confirms: bool
) -> None:
    price = 400_000.0
    moved = {FactGroup.SIZE: size * price, FactGroup.ROOMS: rooms * price}
    unlike = replace(made("unlike", price, 0.6), adjustments=moved, adjusted=price * (1 + size + rooms))
    like = made("like", unlike.adjusted, 0.4)
    both, exact = {"unlike": 1.0, "like": 1.0}, unlike.adjusted
    value = reconcile([unlike, like], both, exact, 0.1, 0.8 * exact, 1.2 * exact)
    assert value is not None
    assert value.agrees
    assert value.confirms is confirms
    assert value.offered == (round_for_display(value.reconciled) if confirms else None)
    assert value.adjusted_by == pytest.approx(0.6 * (size + abs(rooms)))
    chosen = reconcile([unlike, like], {**both, "like": 2.0}, exact, 0.1, 0.8 * exact, 1.2 * exact)
    assert chosen is not None
    assert chosen.confirms, "most of the weight is of a sale like the home"


def test_one_sale_like_the_home_does_not_vouch_for_others_adjusted_beyond_measure() -> None:
    near = replace(made("near", 400_000.0, 0.6), adjustments={FactGroup.SIZE: 80_000.0}, adjusted=480_000.0)
    absurd = replace(made("absurd", 220_000.0, 0.4), adjustments={FactGroup.SIZE: 264_000.0}, adjusted=484_000.0)
    value = reconcile([near, absurd], {"near": 1.0, "absurd": 1.0}, 480_000.0, 0.1, 400_000.0, 560_000.0)
    alone = reconcile([near, absurd], {"near": 1.0}, 480_000.0, 0.1, 400_000.0, 560_000.0)
    assert value is not None
    assert alone is not None
    assert value.offered is None
    assert value.adjusted_by == pytest.approx(0.6)
    assert alone.offered == round_for_display(alone.reconciled)


def test_comparables_far_from_the_model_disagree_and_none_say_nothing() -> None:
    far = reconcile([made("far", 900_000.0)], {"far": 1.0}, 400_000.0, 0.1, 350_000.0, 450_000.0)
    assert far is not None
    assert not far.agrees
    assert far.reconciled == 450_000.0
    assert reconcile([made("far", 900_000.0)], {"far": 0.0}, 400_000.0, 0.1, 350_000.0, 450_000.0) is None


@pytest.mark.parametrize("weight", [-1.0, float("inf"), float("nan")])
def test_impossible_weight_is_refused_by_name(weight: float) -> None:
    with pytest.raises(ValueError, match=r"sale 7 is .*0 or more"):
        reconcile([made("7", 400_000.0)], {"7": weight}, 400_000.0, 0.1, 350_000.0, 450_000.0)


@pytest.mark.parametrize(
    ("brought", "years", "words"),
    [
        (1.3, 0.1, "23% below"),
        (0.7, 0.1, "43% above"),
        (0.94, 0.1, "6% above"),
        (0.97, 0.1, ""),
        (0.94, 0.3, ""),
        (0.88, 0.3, "14% above"),
        (1.3, 1.6, ""),
    ],
)
def test_a_recent_own_sale_far_from_the_estimate_is_flagged_for_agent_and_seller(
    evidence: LiveMarket, answer: Estimate, problem: Problem, brought: float, years: float, words: str
) -> None:
    own = replace(made("own", brought * answer.point), own=True)
    asked = Answer(answer.point, answer.low, answer.high, answer.confidence, None, years, own)
    flags = list(estimate_flags(answer.subject, asked, flag_rules(evidence.bundle, (), problem)))
    far = [flag for flag in flags if flag.kind is FlagKind.OWN_SALE_FAR]
    assert bool(far) is bool(words)
    if far:
        assert far[0].severity is Severity.REVIEW
        first, paid = advice(flags)[0], f"sold for {money(own.sale_price, 'USD')} on "
        assert f"; the estimate is {words} it: find out why" in first
        assert paid in first
        assert first.count(" sold for ") == " ".join(advice(flags)).count(" sold for ") == 1
        assert "sold not long ago at a price far from the estimate" in to_look_at(flags)[0]
    elif years < 1.5:
        assert any(
            paid in line for line in advice(flags) for paid in [f"It sold for {money(own.sale_price, 'USD')} on"]
        )


def test_a_homes_own_sale_comes_first_and_a_recent_one_is_flagged(
    evidence: LiveMarket, answer: Estimate, problem: Problem
) -> None:
    live, as_of = evidence.live_model, evidence.live_model.level.as_of
    sold = [date.fromisoformat(str(day)[:10]) for day in live.sales["sale_date"]]
    kept = live.model.own_sales
    assert kept is not None
    for least, most in ((30, 540), (900, 9_999)):
        soon = [least <= (as_of - day).days < most for day in sold]
        row = next(number for number, one in enumerate(soon) if one)
        own_id = str(kept.homes["property_id"][row])
        found = estimate(evidence, {**answer.subject.facts, "property_id": own_id}, as_of, problem, 0.8)
        assert isinstance(found, Estimate)
        assert [one.own for one in found.comparables] == [True] + [False] * (len(found.comparables) - 1)
        assert len({one.sale_id for one in found.comparables}) == len(found.comparables)
        latest = max(sold[place] for place in kept.by_id.of_key(own_id).tolist())
        assert found.comparables[0].sale_date == latest
        recent = (as_of - latest).days < 548
        assert (FlagKind.SOLD_SOON in {flag.kind for flag in found.flags}) is recent
    assert not any(one.own for one in answer.comparables)
