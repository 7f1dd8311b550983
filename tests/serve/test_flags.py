"""The flags of an estimate follow from the figures an agent sees, whoever asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.evaluate.scope import GoverningScope, ScopeBasis, standard_prices
from core.prepare.features.facts import COORDINATES
from core.problem import Problem
from core.serve.flags import COMPLETE, Answer, FlagRules, answers_of, estimate_flags, flag_rules, subject_flags
from core.serve.review.flag import DriftNotice, FlagKind, Severity
from core.serve.subject import Subject
from core.train.bundle import Bundle
from core.train.importance import Importance
from core.train.model import Priced
from core.workflows.pricing.desk import Desk

ALERT = DriftNotice("", Severity.REVIEW, "price level", "8.0% below", "5.0%", "Check it.")


def bundle_of(desk: Desk) -> Bundle:
    assert desk.bundle is not None
    return desk.bundle


def home_of(bundle: Bundle) -> Subject:
    """A typical home of the busiest zipcode, on the day after the model's latest sale."""
    profile = bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    return Subject({**profile.typical["zipcode"][code], "zipcode": code}, profile.last_sale + timedelta(days=1))


def kinds(subject: Subject, answer: Answer, rules: FlagRules) -> list[FlagKind]:
    return [flag.kind for flag in estimate_flags(subject, answer, rules)]


def priced_at(*shares: float) -> Priced:
    """Estimates of 300,000 with a narrow range, each with its confidence of 0 to 1."""
    same = np.full(len(shares), 300_000.0)
    confidence = np.array(shares, dtype=float)
    segments = np.full(len(shares), "everywhere", dtype=object)
    return Priced(0.8, 0.1, same, same, same - 5_000, same + 5_000, confidence, np.full(len(shares), 0.1), segments)


@given(shares=st.lists(st.floats(0, 1), max_size=5))
def test_an_estimate_is_flagged_by_the_confidence_that_is_shown(
    small_desk: Desk, problem: Problem, shares: list[float]
) -> None:
    bundle = bundle_of(small_desk)
    rules, subject = flag_rules(bundle, (), problem), home_of(bundle)
    answers = answers_of(priced_at(*shares))
    assert [answer.confidence for answer in answers] == [round(100 * share) for share in shares]
    for answer in answers:
        low = answer.confidence < problem.estimate.confidence_medium
        assert (FlagKind.LOW_CONFIDENCE in kinds(subject, answer, rules)) == low


def test_flags_of_facts_come_first_then_open_alerts_then_figures(small_desk: Desk, problem: Problem) -> None:
    bundle = bundle_of(small_desk)
    known = home_of(bundle)
    subject = Subject({**known.facts, "property_type": "houseboat"}, known.as_of)
    [answer] = answers_of(priced_at(0.0))
    found = kinds(subject, replace(answer, point=5e6, low=3e6, high=7e6), flag_rules(bundle, (ALERT,), problem))
    of_facts = [flag.kind for flag in subject_flags(subject, flag_rules(bundle, (), problem))]
    assert FlagKind.UNUSUAL_TYPE in of_facts
    assert found == [
        *of_facts,
        FlagKind.DRIFT_ALERT,
        FlagKind.PRICE_OUT_OF_SCOPE,
        FlagKind.WIDE_RANGE,
        FlagKind.LOW_CONFIDENCE,
    ]


def test_a_wide_range_asks_for_the_facts_that_somebody_can_find_out(small_desk: Desk, problem: Problem) -> None:
    """Figures of an area are assumed for most homes: nobody enters those."""
    bundle = bundle_of(small_desk)
    facts = bundle.model.facts
    live = small_desk.live_market
    assert live is not None
    figures = live.area_figures
    assert figures
    [answer] = answers_of(priced_at(0.99))
    wide = replace(answer, low=0.4 * answer.point, high=1.6 * answer.point)
    every: dict[str, str | float] = {
        **dict.fromkeys(facts.numeric, 1.0),
        **dict.fromkeys(facts.categorical, "single_family"),
        **dict.fromkeys(COORDINATES, 47.0),
    }
    home, rules = home_of(bundle), flag_rules(bundle, (), problem, figures=figures)
    told = {name: value for name, value in {**every, **home.facts}.items() if name not in figures}

    def action(facts: Mapping[str, str | float]) -> str:
        flags = estimate_flags(Subject(dict(facts), home.as_of), wide, rules)
        return next(one.action for one in flags if one.kind is FlagKind.WIDE_RANGE)

    assert action(told) != COMPLETE
    for missing in ("year_built", "latitude"):
        assert action({name: value for name, value in told.items() if name != missing}) == COMPLETE


def test_an_area_with_few_sales_is_flagged_and_a_home_without_an_area_is_not(
    small_desk: Desk, problem: Problem
) -> None:
    bundle = bundle_of(small_desk)
    rules, home = flag_rules(bundle, (), problem), home_of(bundle)
    [answer] = answers_of(priced_at(0.99))
    codes = bundle.model.facts.area_codes
    unknown = Subject({**home.facts, **dict.fromkeys(codes, "no such area")}, home.as_of)
    nowhere = Subject({name: value for name, value in home.facts.items() if name not in codes}, home.as_of)
    assert FlagKind.FEW_COMPARABLES not in kinds(home, answer, rules)
    assert FlagKind.FEW_COMPARABLES in kinds(unknown, answer, rules)
    assert FlagKind.FEW_COMPARABLES not in kinds(nowhere, answer, rules)


def test_a_market_whose_prices_rose_past_the_standard_ones_is_not_all_luxury(
    small_desk: Desk, problem: Problem
) -> None:
    bundle = bundle_of(small_desk)
    profile = bundle.model.profile
    risen = {share: 4 * price for share, price in profile.price_quantiles.items()}
    model = replace(bundle.model, profile=replace(profile, price_quantiles=risen))
    today = replace(bundle, model=model)
    assert risen[0.5] > problem.scope.price["USD"].standard_high
    scope = standard_prices(today, problem)
    assert (scope.low, scope.high) == (risen[0.01], risen[0.90])
    [answer] = answers_of(priced_at(0.99))
    usual = replace(answer, point=risen[0.5], low=0.95 * risen[0.5], high=1.05 * risen[0.5])
    assert FlagKind.PRICE_OUT_OF_SCOPE not in kinds(home_of(bundle), usual, flag_rules(today, (), problem))


def test_the_scope_in_force_flags_by_price_type_and_area_and_says_whether_it_is_signed(
    small_desk: Desk, problem: Problem
) -> None:
    bundle = bundle_of(small_desk)
    home = home_of(bundle)
    condo = Subject({**home.facts, "property_type": "condo"}, home.as_of)
    [answer] = answers_of(priced_at(0.99))
    area = str(home.facts["zipcode"])
    for basis, words in ((ScopeBasis.PROPOSED, "unsigned"), (ScopeBasis.SIGNED, "the signed scope")):
        by_price, by_type, by_area = (
            flag_rules(bundle, (), problem, scope)
            for scope in (
                GoverningScope(400_000, 900_000, basis),
                GoverningScope(200_000, 900_000, basis, ("condo",)),
                GoverningScope(200_000, 900_000, basis, (), (area,)),
            )
        )
        found = [
            flag
            for subject, rules in ((home, by_price), (condo, by_type), (home, by_area))
            for flag in estimate_flags(subject, answer, rules)
            if flag.kind in (FlagKind.PRICE_OUT_OF_SCOPE, FlagKind.PRICE_UNPROVEN, FlagKind.LEFT_OUT_OF_SCOPE)
        ]
        assert [flag.field for flag in found] == ["estimate", "property_type", "zipcode"]
        assert all(words in flag.limit for flag in found)
        # What a test supports but nobody signed does not say which prices a person reviews.
        of_price = Severity.REVIEW if basis is ScopeBasis.SIGNED else Severity.NOTE
        assert [flag.severity for flag in found] == [of_price, Severity.REVIEW, Severity.REVIEW]
        single = Subject({**home.facts, "property_type": "single_family"}, home.as_of)
        assert FlagKind.LEFT_OUT_OF_SCOPE not in kinds(single, answer, by_type)


def test_an_unusual_area_is_written_in_whole_square_feet(small_desk: Desk, problem: Problem) -> None:
    bundle = bundle_of(small_desk)
    home = home_of(bundle)
    numeric = tuple(
        replace(fact, low=579.9) if fact.name == "living_area_sqft" else fact for fact in bundle.model.profile.numeric
    )
    model = replace(bundle.model, profile=replace(bundle.model.profile, numeric=numeric))
    large = replace(home, facts={**home.facts, "living_area_sqft": 12_345.6})
    [flag] = [
        one
        for one in subject_flags(large, flag_rules(replace(bundle, model=model), (), problem))
        if one.kind is FlagKind.OUT_OF_DISTRIBUTION and one.field == "living_area_sqft"
    ]
    assert flag.value == "12,346"
    assert flag.limit.startswith("580 to ")
    assert "." not in flag.limit


def test_blank_facts_are_noted_by_how_much_they_move_this_markets_prices(small_desk: Desk, problem: Problem) -> None:
    """A fixed list of facts named bedrooms, which hardly move a price, and never the grade."""
    bundle, home = bundle_of(small_desk), home_of(bundle_of(small_desk))

    def noted(ranking: Mapping[str, float], figures: frozenset[str] = frozenset()) -> list[str]:
        importance = tuple(Importance(name, name, rise) for name, rise in ranking.items())
        facts = replace(bundle.model.facts, numeric=(*bundle.model.facts.numeric, "grade"))
        market = replace(bundle, model=replace(bundle.model, facts=facts), importance=importance)
        blank = Subject({"living_area_sqft": 1_500.0, "property_type": "single_family"}, home.as_of)
        found = subject_flags(blank, flag_rules(market, (), problem, figures=figures))
        return [flag.field for flag in found if flag.kind is FlagKind.IMPUTED_FACT]

    ranking = {"grade": 0.06, "location": 0.05, "year_built": 0.03, "condition": 0.02, "view": 0.004, "bedrooms": 0.0}
    unranked = ["bathrooms", "lot_area_sqft"]
    assert noted(ranking) == ["grade", "location", "year_built", "condition", "bedrooms", *unranked]
    assert noted(ranking, frozenset({"condition"})) == ["grade", "location", "year_built", "bedrooms", *unranked]
    assert {"grade", "condition"} & {*noted({"grade": 0.002})} == set()


def test_an_unusual_year_is_written_without_thousands_marks(small_desk: Desk, problem: Problem) -> None:
    bundle = bundle_of(small_desk)
    home = home_of(bundle)
    old = replace(home, facts={**home.facts, "year_built": 1_700.0})
    [flag] = [
        one
        for one in subject_flags(old, flag_rules(bundle, (), problem))
        if one.kind is FlagKind.OUT_OF_DISTRIBUTION and one.field == "year_built"
    ]
    assert flag.value == "1700"
    assert "," not in flag.limit
