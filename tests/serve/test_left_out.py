"""A home that a scope leaves out is found although the fact that the scope names is not given, or is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.evaluate.scope import GoverningScope, ScopeBasis
from core.prepare.features.columns import Columns
from core.prepare.features.projection import Projection
from core.problem import Problem
from core.serve.agent.advice import advice
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.estimate_many import estimate_many
from core.serve.review.flag import FlagKind
from core.serve.review.places import places_by_area
from core.serve.review.scope import LeftOut, left_out
from core.serve.review.unavailable import Unavailable, UnavailableKind
from core.serve.review.whereabouts import NOWHERE, Whereabouts
from core.workflows.pricing.desk import Desk

Facts = dict[str, object]
CODES = ["zipcode", "neighbourhood"]


@pytest.fixture(scope="module")
def evidence(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def home(evidence: LiveMarket) -> Facts:
    """A typical home of the largest zipcode."""
    profile = evidence.bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    return {**profile.typical["zipcode"][code], "zipcode": code, "property_type": "single_family"}


@pytest.fixture(scope="module")
def today(evidence: LiveMarket) -> date:
    return evidence.bundle.model.profile.last_sale + timedelta(days=1)


def without(facts: Facts, *names: str) -> Facts:
    return {name: value for name, value in facts.items() if name not in names}


def governed(evidence: LiveMarket, basis: ScopeBasis, types: tuple[str, ...], areas: tuple[str, ...]) -> LiveMarket:
    return replace(evidence, scope=GoverningScope(0, 1e9, basis, types, areas))


def ways(home: Facts) -> dict[str, Facts]:
    """The same home, with and without the fact that a scope names."""
    return {"as it is": home, "by its coordinates": without(home, "zipcode")}


def test_a_signed_scope_governs_an_area_however_it_is_given(
    evidence: LiveMarket, home: Facts, today: date, problem: Problem
) -> None:
    market = governed(evidence, ScopeBasis.SIGNED, (), (str(home["zipcode"]),))
    for name, facts in ways(home).items():
        answer = estimate(market, facts, today, problem, 0.8)
        assert isinstance(answer, Unavailable), name
        assert (answer.kind, answer.field) == (UnavailableKind.SCOPE, "zipcode"), name
        assert f"Zipcode {home['zipcode']}" in answer.reason
    many = estimate_many(market, pd.DataFrame([*ways(home).values()]), today, problem, 0.8)
    assert [(one.kind, one.field) for one in many.not_priced] == [(UnavailableKind.SCOPE, "zipcode")] * 2


def test_an_unsigned_scope_marks_an_area_however_it_is_given(
    evidence: LiveMarket, home: Facts, today: date, problem: Problem
) -> None:
    market = governed(evidence, ScopeBasis.PROPOSED, (), (str(home["zipcode"]),))
    many = estimate_many(market, pd.DataFrame([*ways(home).values()]), today, problem, 0.8)
    for facts, flags in zip(ways(home).values(), many.flags, strict=True):
        answer = estimate(market, facts, today, problem, 0.8)
        assert isinstance(answer, Estimate)
        for found in (answer.flags, flags):
            assert FlagKind.LEFT_OUT_OF_SCOPE in {flag.kind for flag in found}
            assert any("not reliable for zipcode" in sentence for sentence in advice(found))


def test_a_home_without_a_type_passes_no_scope_that_leaves_types_out(
    evidence: LiveMarket, home: Facts, today: date, problem: Problem
) -> None:
    blank, why = without(home, "property_type"), "which it may be, as none is given"
    signed = governed(evidence, ScopeBasis.SIGNED, ("condo",), ())
    answer = estimate(signed, blank, today, problem, 0.8)
    assert isinstance(answer, Unavailable)
    assert answer.reason == f"Property type condo, {why}, is outside the scope signed for this model."
    assert answer.remedy.startswith("Enter the property type. ")
    assert isinstance(estimate(signed, home, today, problem, 0.8), Estimate), "another type is priced"
    assert isinstance(estimate(governed(evidence, ScopeBasis.SIGNED, (), ()), blank, today, problem, 0.8), Estimate)
    marked = estimate(governed(evidence, ScopeBasis.PROPOSED, ("condo",), ()), blank, today, problem, 0.8)
    assert isinstance(marked, Estimate)
    assert any(f"not reliable for property type condo, {why}: " in one for one in advice(marked.flags))


def test_a_market_that_tells_no_types_apart_asks_for_none() -> None:
    scope = GoverningScope(0, 1e9, ScopeBasis.SIGNED, ("condo",))
    assert left_out({}, scope, NOWHERE, frozenset()) is None


def test_a_home_priced_by_its_coordinates_is_priced_as_one_of_its_area(
    evidence: LiveMarket, home: Facts, today: date, problem: Problem
) -> None:
    placed, bare = (estimate(evidence, facts, today, problem, 0.8) for facts in (home, without(home, "zipcode")))
    assert isinstance(placed, Estimate)
    assert isinstance(bare, Estimate)
    assert bare.worked_out == {"zipcode": home["zipcode"]}
    assert placed.worked_out == {}
    assert "zipcode" not in bare.subject.facts, "nobody gave it"
    assert (bare.exact, bare.low, bare.high, bare.confidence) == (
        placed.exact,
        placed.low,
        placed.high,
        placed.confidence,
    )
    assert bare.drivers == placed.drivers
    many = estimate_many(evidence, pd.DataFrame([without(home, "zipcode"), home]), today, problem, 0.8)
    assert many.priced.low[0] == many.priced.low[1] == placed.low
    assert many.confidence[0] == many.confidence[1] == placed.confidence


def melbourne(sales_data: Path) -> pd.DataFrame:
    table = pd.read_csv(sales_data / "melbourne/melbourne_housing_full.csv.gz", dtype={"Postcode": "str"})
    table = table.rename(
        columns={"Postcode": "zipcode", "Suburb": "neighbourhood", "Lattitude": "latitude", "Longtitude": "longitude"}
    )
    return table.dropna(subset=["latitude", "longitude", *CODES]).reset_index(drop=True)


def where_of(sales: pd.DataFrame, *, located: bool = True) -> Whereabouts:
    columns: Columns = {name: sales[name].to_numpy() for name in (*CODES, "latitude", "longitude")}
    places = places_by_area(CODES, Projection(-37.8, 145.0), columns) if located else None
    return Whereabouts(places, {code: sales[code].to_numpy(dtype=object) for code in CODES})


def found(facts: Mapping[str, float | str], where: Whereabouts, *areas: str) -> LeftOut | None:
    return left_out(facts, GoverningScope(0, 1e9, ScopeBasis.SIGNED, (), areas), where, frozenset())


@pytest.mark.parametrize("located", [True, False], ids=["with coordinates", "without coordinates"])
def test_a_suburb_is_known_by_its_postcode_and_by_nearly_its_name(sales_data: Path, located: bool) -> None:
    where = where_of(melbourne(sales_data), located=located)
    by_code = found({"zipcode": "3073"}, where, "Reservoir")
    assert by_code is not None
    assert by_code.clause == "Neighborhood Reservoir, where homes in zipcode 3073 lie,"
    misspelled = found({"zipcode": "3072", "neighbourhood": "Reservior"}, where, "Reservoir")
    assert misspelled is not None
    assert misspelled.clause == "Neighborhood Reservoir, for which “Reservior” may stand,"
    assert misspelled.remedy == "Check the neighborhood."
    assert found({"zipcode": "3072"}, where, "Reservoir") is None
    assert found({"zipcode": "3073", "neighbourhood": "Preston"}, where, "Reservoir") is None, "it is given"
    shared = found({"zipcode": "3030"}, where, "Werribee")
    assert shared is not None
    assert "% of the homes in zipcode 3030 lie" in shared.how
    assert shared.remedy == "Enter the neighborhood."


def test_of_later_homes_most_are_placed_where_they_lie_and_hardly_one_wrongly_left_out(sales_data: Path) -> None:
    sales = melbourne(sales_data)
    late = np.random.default_rng(0).permutation(len(sales)) >= 0.8 * len(sales)
    where, later = where_of(sales[~late]), sales[late].iloc[:1500]
    blank = later[["latitude", "longitude"]].to_dict("records")
    placed = [where.worked_out({str(name): float(value) for name, value in one.items()}) for one in blank]
    right = [one.get("neighbourhood") == true for one, true in zip(placed, later["neighbourhood"], strict=True)]
    assert np.mean(right) > 0.9
    area = "Reservoir"
    given = later[[*CODES, "latitude", "longitude"]].to_dict("records")
    judged = [found({str(k): v for k, v in one.items()}, where, area) is not None for one in given]
    inside = later["neighbourhood"].eq(area).to_numpy()
    assert np.mean(np.array(judged)[inside]) == 1.0
    assert np.mean(np.array(judged)[~inside]) < 0.005


def test_coordinates_deep_in_an_area_left_out_are_believed_more_than_the_name_given(sales_data: Path) -> None:
    sales = melbourne(sales_data)
    where = where_of(sales)
    middle = sales.loc[sales["neighbourhood"].eq("Reservoir"), ["latitude", "longitude"]].median()
    facts = {"latitude": float(middle["latitude"]), "longitude": float(middle["longitude"])}
    named = found({**facts, "neighbourhood": "Preston", "zipcode": "3072"}, where, "Reservoir")
    assert named is not None
    assert named.how == "where its coordinates lie"
    assert found({**facts, "neighbourhood": "Reservoir"}, where, "Preston") is None
