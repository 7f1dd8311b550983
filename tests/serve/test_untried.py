"""Where no test tells what a promise is worth, none is made and the confidence is low."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from core.problem import Problem
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.estimate_many import estimate_many
from core.serve.review.sizes import LARGER, SMALLER
from core.serve.words import UNPROVEN, confidence_words, look_back_words, record_words
from core.workflows.pricing.desk import Desk


@pytest.fixture(scope="module")
def evidence(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def home(evidence: LiveMarket) -> dict[str, object]:
    """A typical home of the largest zipcode."""
    profile = evidence.bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    return {**profile.typical["zipcode"][code], "zipcode": code}


def price(evidence: LiveMarket, home: dict[str, object], day: date, problem: Problem) -> Estimate:
    answer = estimate(evidence, home, day, problem, 0.8)
    assert isinstance(answer, Estimate), answer
    return answer


def assert_promises_nothing(answer: Estimate, why: str) -> None:
    assert (answer.held, answer.kept, answer.promised, answer.confidence_word) == (None, None, None, "low")
    assert confidence_words(answer, "10%") == UNPROVEN
    assert record_words(answer) == f"80% range; {why}, so it has no record"


def test_a_day_before_all_sales_known(evidence: LiveMarket, home: dict[str, object], problem: Problem) -> None:
    first = evidence.bundle.model.profile.first_sale
    assert price(evidence, home, first, problem).promised is not None
    early = first - timedelta(days=1)
    assert_promises_nothing(price(evidence, home, early, problem), "no test sale was sold so early")
    assert estimate_many(evidence, pd.DataFrame([home]), early, problem, 0.8).promised == (None,)


@pytest.mark.parametrize(("moved", "end", "why"), [(-1.0, "highest", LARGER), (1.0, "lowest", SMALLER)])
def test_a_size_of_no_home_learned_from(
    evidence: LiveMarket, home: dict[str, object], problem: Problem, moved: float, end: str, why: str
) -> None:
    model, size = evidence.bundle.model, float(str(home["living_area_sqft"]))
    numeric = tuple(
        replace(one, **{end: size + moved}) if one.name == "living_area_sqft" else one  # type: ignore[arg-type]
        for one in model.profile.numeric
    )
    unlike = replace(model, profile=replace(model.profile, numeric=numeric))
    beyond = replace(evidence, bundle=replace(evidence.bundle, model=unlike))
    day = model.profile.last_sale
    assert price(evidence, home, day, problem).promised is not None
    assert_promises_nothing(price(beyond, home, day, problem), f"it is {why}")
    assert estimate_many(beyond, pd.DataFrame([home]), day, problem, 0.8).promised == (None,)


def test_a_look_back_is_said(evidence: LiveMarket, home: dict[str, object], problem: Problem) -> None:
    last = evidence.bundle.model.profile.last_sale
    assert look_back_words(price(evidence, home, last, problem)) == ""
    back = price(evidence, home, last - timedelta(days=30), problem)
    assert look_back_words(back).startswith("this looks back: the model has learned from later sales, through ")


def test_a_price_above_those_tested(evidence: LiveMarket, home: dict[str, object], problem: Problem) -> None:
    day = evidence.bundle.model.profile.last_sale
    known = price(evidence, home, day, problem)
    metrics = {**evidence.bundle.metrics, "tested": [1.0, known.point - 1_000.0]}
    luxury = replace(evidence, bundle=replace(evidence.bundle, metrics=metrics))
    assert_promises_nothing(price(luxury, home, day, problem), "no test sale was priced this high")
