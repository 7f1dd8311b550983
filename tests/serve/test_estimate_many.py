"""Many homes at once get, each, exactly what the same home gets alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ImpossibleProperty
from core.problem import Problem
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.estimate_many import Answers, estimate_many
from core.serve.review.flag import FlagKind
from core.serve.review.unavailable import Unavailable
from core.serve.subject import fact_faults
from core.workflows.pricing.desk import Desk

NAN = float("nan")
# The first of each is a home of the market; the others are absent, unusual or impossible.
FACTS: dict[str, list[object]] = {
    "zipcode": ["known", None, "00000", "known 2"],
    "living_area_sqft": [1_680.0, NAN, 9_500.0, -5.0, 30.0],
    "bedrooms": [3.0, NAN, 15.0, 1_000.0],
    "bathrooms": [2.0, NAN, 19.0],
    "year_built": [1975.0, NAN, 1_196.0, 2_190.0],
    "year_renovated": [NAN, 2_010.0, 1_950.0],
    "lot_area_sqft": [6_000.0, NAN, -1.0, 3e7],
    "property_type": ["single_family", None, "houseboat", "castle"],
    "zoning": [None, "Commercial C2"],
    "units": [NAN, 12.0],
    "latitude": ["inside", NAN, 0.0, 123.0],
    "longitude": ["inside", NAN, 0.0],
}


@pytest.fixture(scope="module")
def evidence(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def today(small_desk: Desk) -> date:
    return small_desk.valuation_date(date(2026, 1, 1))


def placed(evidence: LiveMarket, choices: dict[str, object]) -> dict[str, object]:
    """The chosen facts, with the words that stand for the market's own places made places."""
    profile = evidence.bundle.model.profile
    codes = list(profile.area_codes["zipcode"])
    typical = profile.typical["zipcode"][codes[0]]
    known = {"known": codes[0], "known 2": codes[1]}
    return {
        name: typical[name] if value == "inside" else known.get(str(value), value) for name, value in choices.items()
    }


def alone(evidence: LiveMarket, facts: dict[str, object], as_of: date, problem: Problem) -> tuple[object, ...]:
    try:
        answer = estimate(evidence, facts, as_of, problem, 0.8)
    except ImpossibleProperty as error:
        faults = fact_faults(facts, as_of, evidence.bundle.model.facts, problem)
        remedies = " ".join(dict.fromkeys(fault.remedy for fault in faults))
        return "refused", error.field, " ".join(fault.reason for fault in faults), remedies
    if isinstance(answer, Unavailable):
        return "unavailable", answer.reason, answer.remedy
    assert isinstance(answer, Estimate)
    flags = tuple(flag for flag in answer.flags if flag.kind is not FlagKind.COMPARABLES_DISAGREE)
    return answer.point, answer.low, answer.high, answer.confidence, answer.fsd, answer.promised, flags


def together(answers: Answers) -> dict[int, tuple[object, ...]]:
    found: dict[int, tuple[object, ...]] = {}
    for place, position in enumerate(answers.rows.tolist()):
        figures = (answers.priced.point, answers.priced.low, answers.priced.high)
        point, low, high = (float(values[place]) for values in figures)
        sure, fsd = answers.confidence[place], float(answers.priced.fsd[place])
        found[position] = (point, low, high, sure, fsd, answers.promised[place], answers.flags[place])
    for one in answers.not_priced:
        field = (one.field,) if one.status == "refused" else ()
        found[one.position] = (one.status, *field, one.reason, one.remedy)
    return found


usual = st.fixed_dictionaries({name: st.sampled_from([values[0]] * 6 + values) for name, values in FACTS.items()})
homes = st.lists(usual, max_size=6)


@settings(max_examples=25)
@given(chosen=homes, ahead=st.sampled_from([0, 45, 200]))
def test_each_row_gets_what_it_gets_alone(
    evidence: LiveMarket, today: date, problem: Problem, chosen: list[dict[str, object]], ahead: int
) -> None:
    as_of = today + timedelta(days=ahead)
    rows = [placed(evidence, one) for one in chosen]
    answers = together(estimate_many(evidence, pd.DataFrame(rows, columns=list(FACTS)), as_of, problem, 0.8))
    assert sorted(answers) == list(range(len(rows)))
    for position, row in enumerate(rows):
        expected = alone(evidence, row, as_of, problem)
        assert answers[position][-1] == expected[-1]
        numbers = [value for value in expected if isinstance(value, float | int)]
        assert numbers == pytest.approx([value for value in answers[position] if isinstance(value, float | int)], 1e-9)
        assert [type(value) for value in answers[position]] == [type(value) for value in expected]
        assert [value for value in expected if isinstance(value, str)] == [
            value for value in answers[position] if isinstance(value, str)
        ]


def test_real_homes_among_impossible_ones_keep_their_places(
    evidence: LiveMarket, today: date, problem: Problem
) -> None:
    sales = pd.DataFrame({name: evidence.live_model.sales[name][-60:] for name in evidence.bundle.model.facts.all})
    sales = sales[sales["living_area_sqft"].notna()].head(40).reset_index(drop=True)
    sales.loc[3, "bedrooms"], sales.loc[7, "living_area_sqft"], sales.loc[8, "year_built"] = 999.0, np.nan, 1_196.0
    answers = estimate_many(evidence, sales, today, problem, 0.8)
    assert [one.position for one in answers.not_priced] == [3, 7, 8]
    assert [(one.status, one.field, one.value) for one in answers.not_priced] == [
        ("refused", "bedrooms", 999.0),
        ("unavailable", "living_area_sqft", None),
        ("refused", "year_built", 1_196.0),
    ]
    assert sorted([*answers.rows.tolist(), 3, 7, 8]) == list(range(40))
    for place, position in enumerate(answers.rows.tolist()):
        expected = alone(evidence, sales.loc[position].to_dict(), today, problem)
        assert answers.priced.point[place] == expected[0]
        assert answers.flags[place] == expected[-1]


def test_no_homes_get_no_answers(evidence: LiveMarket, today: date, problem: Problem) -> None:
    answers = estimate_many(evidence, pd.DataFrame({"zipcode": pd.Series(dtype="str")}), today, problem, 0.8)
    assert (len(answers.rows), answers.not_priced, answers.flags) == (0, (), ())
