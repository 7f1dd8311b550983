"""What an agent gets for one property: a range, a confidence, flags, or the exact words of a refusal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ImpossibleProperty
from core.evaluate.scope import standard_prices
from core.prepare.features.facts import COORDINATES, TYPE_HOMES_MIN
from core.problem import Problem
from core.serve.agent.assumed import assumed_for_seller
from core.serve.agent.nearest_sales import nearest_sales
from core.serve.comparables import IN_USE
from core.serve.document import from_document, to_document
from core.serve.estimate import Estimate, LiveMarket, confidence_word, estimate
from core.serve.estimate_many import estimate_many
from core.serve.fact_groups import critical_facts
from core.serve.review.flag import FlagKind, Severity
from core.serve.review.unavailable import Unavailable, UnavailableKind
from core.serve.review.whereabouts import NOWHERE
from core.serve.typical_home import usual_facts
from core.serve.words import confidence_words, record_words, widening_words
from core.train.bundle import RangeCoverage
from core.train.ranges import Horizon
from core.wording import market_day
from core.workflows.pricing.desk import Desk

MESSAGE = "Price estimate unavailable. Use comparative market analysis instead."


@pytest.fixture(scope="module")
def evidence(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def home(evidence: LiveMarket) -> dict[str, object]:
    """A typical home of the largest zipcode."""
    code = next(iter(evidence.bundle.model.profile.area_codes["zipcode"]))
    return {**evidence.bundle.model.profile.typical["zipcode"][code], "zipcode": code}


@pytest.fixture(scope="module")
def today(evidence: LiveMarket) -> date:
    return evidence.bundle.model.profile.last_sale + timedelta(days=1)


def price(evidence: LiveMarket, facts: Mapping[str, object], as_of: date, problem: Problem) -> Estimate:
    answer = estimate(evidence, facts, as_of, problem, 0.8)
    assert isinstance(answer, Estimate), answer
    return answer


def kinds(answer: Estimate) -> set[FlagKind]:
    return {flag.kind for flag in answer.flags}


def test_typical_home_gets_a_range_round_its_point_and_no_review(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    answer = price(evidence, home, today, problem)
    assert 0 < answer.low < answer.point < answer.high
    assert 0 < answer.confidence < 100
    assert answer.confidence_word == confidence_word(answer.confidence, problem)
    assert answer.held is not None
    assert answer.held.n > 0
    assert answer.currency == "USD"
    review = [flag for flag in answer.flags if flag.severity is Severity.REVIEW]
    assert not [flag for flag in review if flag.kind not in (FlagKind.LOW_CONFIDENCE, FlagKind.FEW_COMPARABLES)]


def test_same_question_gets_the_same_answer(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    assert price(evidence, home, today, problem) == price(evidence, dict(reversed(home.items())), today, problem)


def test_wider_levels_hold_narrower_ones(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    answers = [estimate(evidence, home, today, problem, level) for level in problem.estimate.levels]
    widths = [answer.high - answer.low for answer in answers if isinstance(answer, Estimate)]
    assert widths == sorted(widths)
    assert len(widths) == 3


@given(area=st.floats(400, 6_000), bedrooms=st.integers(0, 6), built=st.integers(1900, 2020))
def test_any_possible_home_gets_ordered_bounds(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem, area: float, bedrooms: int, built: int
) -> None:
    facts = {**home, "living_area_sqft": area, "bedrooms": bedrooms, "year_built": built}
    answer = price(evidence, facts, today, problem)
    assert 0 < answer.low <= answer.point <= answer.high
    assert 0 <= answer.confidence <= 100


def test_larger_home_is_dearer(evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem) -> None:
    small, large = (
        price(evidence, {**home, "living_area_sqft": area}, today, problem).point for area in (1_000, 3_500)
    )
    assert large > small * 1.2


@pytest.mark.parametrize("missing", ["living_area_sqft", "place"])
def test_missing_critical_fact_is_unavailable_with_the_exact_message(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem, missing: str
) -> None:
    dropped = {"zipcode", "latitude", "longitude"} if missing == "place" else {missing}
    answer = estimate(
        evidence, {name: value for name, value in home.items() if name not in dropped}, today, problem, 0.8
    )
    assert isinstance(answer, Unavailable)
    assert answer.message == MESSAGE
    assert "missing" in answer.reason
    assert answer.remedy.startswith("Enter")


def test_blank_text_counts_as_missing(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    answer = estimate(evidence, {**home, "living_area_sqft": "  "}, today, problem, 0.8)
    assert isinstance(answer, Unavailable)


def test_unknown_zipcode_without_coordinates_is_unavailable(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    facts = {name: value for name, value in home.items() if name not in ("latitude", "longitude")}
    answer = estimate(evidence, {**facts, "zipcode": "12345"}, today, problem, 0.8)
    assert isinstance(answer, Unavailable)
    assert "12345" in answer.reason


def test_place_outside_the_market_is_unavailable_and_says_how_far(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    answer = estimate(evidence, {**home, "latitude": 0.0, "longitude": 0.0}, today, problem, 0.8)
    assert isinstance(answer, Unavailable)
    assert re.search(r"[0-9,]+ mi from the nearest sale the model knows; the limit is 9\.3 mi\.", answer.reason)
    assert "km" not in answer.reason
    metric = estimate(
        replace(evidence, area_unit="sqm"), {**home, "latitude": 0.0, "longitude": 0.0}, today, problem, 0.8
    )
    assert isinstance(metric, Unavailable)
    assert metric.reason.endswith("the limit is 15 km.")


def test_no_sale_across_the_globe_is_offered_as_similar(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    near = nearest_sales(evidence, {**home, "living_area_sqft": None}, today, problem)
    assert near
    assert all((one.distance_km or 0) <= problem.estimate.market_km for one in near)
    unplaced = {
        name: value for name, value in home.items() if name not in ("latitude", "longitude", "living_area_sqft")
    }
    assert all(one.distance_km is not None for one in near)
    somewhere = nearest_sales(evidence, unplaced, today, problem)
    assert {one.distance_km for one in somewhere} == {None}, "how far they are from a home in that area, nobody knows"
    largest = int(np.argmax(np.nan_to_num(evidence.live_model.sales["living_area_sqft"])))
    huge = {**home, "living_area_sqft": 1.6 * evidence.live_model.sales["living_area_sqft"][largest], "bedrooms": None}
    like_it = nearest_sales(evidence, {name: huge[name] for name in huge if name != "property_type"}, today, problem)
    assert len(like_it) == IN_USE, "however far away they lie in the market"
    assert nearest_sales(evidence, {**home, "latitude": 0.0, "longitude": 0.0}, today, problem) == ()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("living_area_sqft", -5, "Living area cannot be -5: it must lie between 70"),
        ("living_area_sqft", 10, "between 70 and"),
        ("bedrooms", 1000, "Bedrooms cannot be 1,000"),
        ("bedrooms", 33, "between 0 and 20"),
        ("bathrooms", "three", "not a number"),
        ("year_built", 2099, "Year built cannot be 2099: it must lie between 1600 and 20"),
        ("year_built", 3020, "Year built cannot be 3020: it must lie between 1600 and 20"),
        ("year_built", 1196, "between 1600 and 20"),
        ("latitude", 123.0, "between -90 and 90"),
        ("lot_area_sqft", float("inf"), "Lot area cannot be inf"),
    ],
)
def test_impossible_facts_are_refused_with_field_limit_and_remedy(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem, field: str, value: object, told: str
) -> None:
    with pytest.raises(ImpossibleProperty, match=told) as refusal:
        estimate(evidence, {**home, field: value}, today, problem, 0.8)
    message = str(refusal.value)
    if field == "year_built":
        assert f" and {today.year + problem.intake.years_ahead}, 2 years after the valuation date. " in message
    assert "Correct" in message or "Enter" in message
    assert "\n" not in message


def test_facts_that_contradict_each_other_are_refused(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    with pytest.raises(ImpossibleProperty, match="before year built"):
        estimate(evidence, {**home, "year_built": 1990, "year_renovated": 1950}, today, problem, 0.8)
    with pytest.raises(ImpossibleProperty, match="sq ft per bedroom"):
        estimate(evidence, {**home, "living_area_sqft": 500, "bedrooms": 15}, today, problem, 0.8)


def test_facts_not_given_are_named_with_what_was_assumed(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    facts = {name: value for name, value in home.items() if name not in ("bedrooms", "latitude", "longitude")}
    answer = price(evidence, facts, today, problem)
    assert {"bedrooms", "latitude", "longitude"} <= set(answer.imputed)
    imputed = [flag for flag in answer.flags if flag.kind is FlagKind.IMPUTED_FACT]
    assert [flag.field for flag in imputed] == ["location", "bedrooms"]


def test_what_is_assumed_is_named_by_how_much_it_moves_prices(
    small_desk: Desk, evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    few = {"living_area_sqft": home["living_area_sqft"], "zipcode": home["zipcode"], "property_type": "single_family"}
    answer = price(evidence, few, today, problem)
    ranking = [one.fact for one in evidence.bundle.importance]
    rank = [ranking.index("location" if name in COORDINATES else name) for name in answer.imputed]
    assert rank == sorted(rank)
    assert [*answer.imputed][:2] == ["latitude", "longitude"]
    assert assumed_for_seller(answer, small_desk.market)[0].startswith("lot area")
    facts = [flag.field for flag in answer.flags if flag.kind is FlagKind.IMPUTED_FACT]
    assert facts[:4] == ["location", "lot_area_sqft", "year_built", "condition"]


def test_a_condo_or_houseboat_is_neither_assumed_to_have_a_lot_nor_asked_for_it(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    facts = {name: value for name, value in home.items() if name != "lot_area_sqft"}
    house, condo, boat = (
        price(evidence, {**facts, "property_type": kind}, today, problem)
        for kind in ("single_family", "condo", "houseboat")
    )
    kinds = evidence.live_model.model.profile.category("property_type")
    assert kinds is not None
    assert kinds.levels["houseboat"] < TYPE_HOMES_MIN
    for answer, has_lot in ((house, True), (condo, False), (boat, False)):
        assert ("lot_area_sqft" in answer.imputed) == has_lot
        assert ("lot_area_sqft" in {flag.field for flag in answer.flags}) == has_lot
        typed = {"property_type": answer.subject.facts["property_type"]}
        usual = usual_facts(evidence.live_model.model, typed, today, NOWHERE)
        assert ("lot_area_sqft" in usual) == has_lot
        assert has_lot or "lot_area_sqft" not in {one.name for one in answer.ask_next}
    given = price(evidence, {**facts, "property_type": "condo", "lot_area_sqft": 3_000}, today, problem)
    assert given.subject.facts["lot_area_sqft"] == 3_000, "a lot that is entered counts"


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"property_type": "houseboat"}, FlagKind.UNUSUAL_TYPE),
        ({"property_type": "historic"}, FlagKind.UNUSUAL_TYPE),
        ({"zoning": "Castle grounds"}, FlagKind.UNKNOWN_CATEGORY),
        ({"zoning": "Commercial C2"}, FlagKind.UNUSUAL_ZONING),
        ({"units": 12}, FlagKind.MULTI_UNIT),
        ({"living_area_sqft": 12_000}, FlagKind.OUT_OF_DISTRIBUTION),
    ],
)
def test_unusual_homes_are_flagged_for_review(
    evidence: LiveMarket,
    home: dict[str, object],
    today: date,
    problem: Problem,
    facts: dict[str, object],
    kind: FlagKind,
) -> None:
    answer = price(evidence, {**home, **facts}, today, problem)
    flag = next(flag for flag in answer.flags if flag.kind is kind)
    assert flag.severity is Severity.REVIEW
    assert flag.value
    assert flag.limit
    assert flag.action


@pytest.mark.parametrize("kind", ["castle", "land"])
def test_a_type_that_never_sold_here_gets_no_price(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem, kind: str
) -> None:
    answer = estimate(evidence, {**home, "property_type": kind}, today, problem, 0.8)
    assert isinstance(answer, Unavailable)
    assert (answer.message, answer.kind, answer.field) == (MESSAGE, UnavailableKind.UNLIKE, "property_type")
    assert f"No sale the model learned from has the property type {kind}" in answer.reason
    assert "single family, condo" in answer.remedy
    price(evidence, {**home, "property_type": None}, today, problem)


def test_a_size_far_beyond_all_homes_sold_gets_no_price_and_one_near_them_does(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    sold = evidence.bundle.model.profile.numeric_fact("living_area_sqft")
    assert sold is not None
    for size in (sold.highest * 1.6, sold.lowest / 2.1):
        answer = estimate(evidence, {**home, "living_area_sqft": size, "bedrooms": None}, today, problem, 0.8)
        assert isinstance(answer, Unavailable)
        assert (answer.message, answer.kind, answer.field) == (MESSAGE, UnavailableKind.UNLIKE, "living_area_sqft")
        assert f"Living area {size:,.0f} sq ft is far beyond" in answer.reason.replace("m²", "sq ft")
        assert "homes the model learned from" in answer.reason, "the market may have sold a larger one"
    near = [
        estimate(evidence, {**home, "living_area_sqft": size, "bedrooms": None}, today, problem, 0.8)
        for size in (sold.highest * 1.4, sold.lowest / 1.9)
    ]
    # Its range may be too wide for a price, but its size is no reason against one.
    assert {one.kind for one in near if isinstance(one, Unavailable)} <= {UnavailableKind.RANGE}
    assert any(isinstance(one, Estimate) for one in near)


def test_price_out_of_scope_is_flagged_for_manual_review(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    splendid = {**home, "living_area_sqft": 6_000, "condition": 5, "view": 4, "waterfront": 1}
    typical = evidence.bundle.model.profile.typical["zipcode"]
    places = [
        {**splendid, **{name: typical[code][name] for name in ("latitude", "longitude")}, "zipcode": code}
        for code in list(typical)[:40]
    ]
    answer = max((price(evidence, facts, today, problem) for facts in places), key=lambda one: one.point)
    assert answer.point > 800_000
    # Beyond all test sales a person reviews it; where such prices were tested, an unsigned scope only notes it.
    kind = FlagKind.PRICE_UNTESTED if answer.held is None else FlagKind.PRICE_UNPROVEN
    assert kind in kinds(answer)
    standard = replace(evidence, scope=standard_prices(evidence.bundle, problem))
    flags = price(standard, answer.subject.facts, today, problem).flags
    flag = next(flag for flag in flags if flag.kind is FlagKind.PRICE_OUT_OF_SCOPE)
    assert "Manual review" in flag.action


def test_an_answer_names_the_latest_sales_of_model_and_market_level(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    answer = price(evidence, home, today, problem)
    assert answer.trained_through == evidence.bundle.model.profile.last_sale
    assert answer.last_sale == evidence.live_model.level.as_of - timedelta(days=1)


def test_a_stored_answer_that_lacks_the_models_latest_sale_is_still_read(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    answer = price(evidence, home, today, problem)
    document = to_document(answer)
    assert from_document(document) == answer
    del document["result"]["trained_through"]
    assert from_document(document) == replace(answer, trained_through=None)


def test_old_model_is_flagged_as_stale(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    fresh, stale = (price(evidence, home, today + timedelta(days=days), problem) for days in (0, 120))
    assert FlagKind.STALE_MODEL not in kinds(fresh)
    assert FlagKind.STALE_MODEL in kinds(stale)


def test_a_day_beyond_what_the_markets_past_shows_gets_no_price_and_a_day_within_a_wider_range(
    evidence: LiveMarket, home: dict[str, object], problem: Problem
) -> None:
    live_model = evidence.live_model
    model = replace(live_model.model, horizon=Horizon(200, (1.0, 1.2, 1.4)))
    market = replace(evidence, live_model=replace(live_model, model=model))
    last = live_model.level.as_of - timedelta(days=1)
    near, far = (price(market, home, last + timedelta(days=days), problem) for days in (1, 200))
    assert (near.widening, far.widening) == (1.0, 1.4)
    assert (far.high - far.low) / far.point > 1.25 * (near.high - near.low) / near.point
    assert far.confidence < near.confidence
    assert widening_words(far) == "40% wider, because it is valued 200 days after the latest sale"
    assert widening_words(near) == ""
    # The tests priced nothing that far ahead.
    assert record_words(far).endswith(", none priced this far ahead")
    assert "ahead" not in record_words(near)
    beyond = last + timedelta(days=201)
    answer = estimate(market, home, beyond, problem, 0.8)
    assert isinstance(answer, Unavailable)
    assert (answer.message, answer.kind) == (MESSAGE, UnavailableKind.DATE)
    assert f"{market_day(beyond, 'USD')} is 201 days after the latest sale, {market_day(last, 'USD')}" in answer.reason
    assert market_day(last + timedelta(days=200), "USD") in answer.remedy
    many = estimate_many(market, pd.DataFrame([home, home]), beyond, problem, 0.8)
    assert [(one.kind, one.reason) for one in many.not_priced] == [(answer.kind, answer.reason)] * 2


def test_an_old_market_prices_as_of_its_latest_day_and_says_so(small_desk: Desk) -> None:
    assert small_desk.live_model is not None
    real = replace(small_desk, market=replace(small_desk.market, simulated=False))
    as_of = small_desk.live_model.level.as_of
    soon, late = as_of + timedelta(days=90), as_of + timedelta(days=4_205)
    assert (real.valuation_date(soon), real.date_note(soon)) == (soon, "")
    assert real.valuation_date(late) == as_of
    assert real.date_note(late).startswith(
        f"The latest sale is from {market_day(as_of - timedelta(days=1), 'USD')}, so homes"
    )
    assert small_desk.date_note(late) == ""


def test_scope_of_a_currency_without_fixed_bounds_comes_from_its_own_prices(
    evidence: LiveMarket, problem: Problem
) -> None:
    assert standard_prices(evidence.bundle, problem).high == 800_000
    elsewhere = standard_prices(replace(evidence.bundle, currency="SGD"), problem)
    quantiles = evidence.bundle.model.profile.price_quantiles
    assert (elsewhere.low, elsewhere.high) == (quantiles[0.01], quantiles[0.90])


def test_fact_that_the_markets_own_sales_often_lack_is_not_critical(evidence: LiveMarket, problem: Problem) -> None:
    assert critical_facts(evidence.bundle.model, problem) == ("living_area_sqft", "location")
    profile = evidence.bundle.model.profile
    thin = tuple(
        replace(fact, missing_share=0.6) if fact.name == "living_area_sqft" else fact for fact in profile.numeric
    )
    model = replace(evidence.bundle.model, profile=replace(profile, numeric=thin))
    assert critical_facts(model, problem) == ("location",)


def test_confidence_words_follow_the_cut_points(problem: Problem) -> None:
    rules = problem.estimate
    assert confidence_word(rules.confidence_high, problem) == "high"
    assert confidence_word(rules.confidence_high - 1, problem) == "medium"
    assert confidence_word(rules.confidence_medium - 1, problem) == "low"


def test_confidence_says_how_often_like_ones_came_true(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    codes = list(evidence.bundle.model.profile.area_codes["zipcode"])[:10]
    answers = [price(evidence, {**home, "zipcode": code}, today, problem) for code in codes]
    # A tenth of few test sales has no record.
    answer = next(one for one in answers if one.kept is not None)
    assert answer.kept is not None
    assert evidence.bundle.came_true is not None
    assert answer.kept == evidence.bundle.came_true[answer.confidence // 10]


def test_no_record_is_shown_beyond_the_prices_tested_nor_of_a_handful_of_sales(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    known = price(evidence, home, today, problem)
    assert known.held is not None
    assert record_words(known).startswith(f"80% range; held {known.held.share:.0%} of ")
    metrics = {**evidence.bundle.metrics, "tested": [1.0, known.point - 1_000.0]}
    above = price(replace(evidence, bundle=replace(evidence.bundle, metrics=metrics)), home, today, problem)
    assert (above.held, above.kept) == (None, None)
    assert (above.low, above.high, above.point) == (known.low, known.high, known.point)
    assert record_words(above) == "80% range; no test sale was priced this high, so it has no record"
    few = {level: {name: RangeCoverage(1.0, 1) for name in held} for level, held in evidence.bundle.held.items()}
    came_true = {tenth: RangeCoverage(1.0, 1) for tenth in range(10)}
    thin = price(
        replace(evidence, bundle=replace(evidence.bundle, held=few, came_true=came_true)), home, today, problem
    )
    assert (thin.held, thin.kept) == (None, None)
    assert record_words(thin) == "80% range; too few sales were tested for a record"
    assert "test sale" not in confidence_words(thin, "10%")


def test_the_word_of_a_confidence_is_no_better_than_what_came_true(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    promised = price(evidence, home, today, problem).confidence

    def having(share: float) -> Estimate:
        record = {promised // 10: RangeCoverage(share, 52)}
        return price(replace(evidence, bundle=replace(evidence.bundle, came_true=record)), home, today, problem)

    answer = having(0.33)
    assert (answer.confidence, answer.confidence_word) == (promised, "low")
    assert FlagKind.LOW_CONFIDENCE in {flag.kind for flag in answer.flags}
    better = having(1.0)
    assert better.confidence_word == confidence_word(promised, problem), "nor is it better than what is promised"
