"""A home whose area and coordinates cannot both be true is flagged, and true homes hardly ever are."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.prepare.features.columns import Columns
from core.prepare.features.profile import MarketProfile
from core.prepare.features.projection import Projection
from core.problem import Problem
from core.serve.agent.advice import advice, to_review
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.estimate_many import estimate_many
from core.serve.report.words import to_look_at
from core.serve.review.flag import Flag, FlagKind, Severity
from core.serve.review.places import AREAS_CONTRADICTED, AreaPlaces, place_flags, places_by_area
from core.serve.words import record_words
from core.workflows.pricing.desk import Desk
from tests.king_county import FILE


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


@pytest.fixture(scope="module")
def today(evidence: LiveMarket) -> date:
    return evidence.bundle.model.profile.last_sale + timedelta(days=1)


def flags_of(evidence: LiveMarket, facts: dict[str, object], today: date, problem: Problem) -> tuple[Flag, ...]:
    answer = estimate(evidence, facts, today, problem, 0.8)
    assert isinstance(answer, Estimate), answer
    return answer.flags


def test_a_home_that_cannot_be_gets_no_promise(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    wrong = {**home, "zipcode": far_zipcode(evidence, home)}
    sound, answer = (estimate(evidence, facts, today, problem, 0.8) for facts in (home, wrong))
    assert isinstance(sound, Estimate)
    assert isinstance(answer, Estimate)
    assert sound.promised is not None
    assert (answer.promised, answer.held, answer.kept, answer.confidence_word) == (None, None, None, "low")
    assert record_words(answer) == "80% range; area and coordinates contradict each other, so it has no record"
    many = estimate_many(evidence, pd.DataFrame([home, wrong]), today, problem, 0.8)
    assert many.promised == (sound.promised, None)


def far_zipcode(evidence: LiveMarket, home: dict[str, object]) -> str:
    """The zipcode whose middle is farthest from a home."""
    typical = evidence.bundle.model.profile.typical["zipcode"]

    def away(code: str) -> float:
        return sum(abs(float(typical[code][name]) - float(str(home[name]))) for name in ("latitude", "longitude"))

    return max(typical, key=away)


def test_a_zipcode_far_from_the_coordinates_is_flagged_alone_and_in_a_file(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    code = far_zipcode(evidence, home)
    wrong = {**home, "zipcode": code}
    found = flags_of(evidence, wrong, today, problem)
    [flag] = [one for one in found if one.kind is FlagKind.PLACES_DISAGREE]
    assert (flag.severity, flag.field) == (Severity.REVIEW, "zipcode")
    assert f"zipcode {code} and the coordinates " in flag.value
    assert flag.value.endswith(" mi away")
    assert flag.limit.endswith((" mi", " ft"))
    assert "Check both" in flag.action
    sentences = advice(found)
    assert sentences[0].startswith(f"Zipcode {code} and the coordinates ")
    assert sentences[0].endswith("Check both.")
    assert to_review(found) >= 1
    assert "does not fit" in to_look_at(found)[0]
    many = estimate_many(evidence, pd.DataFrame([wrong, home]), today, problem, 0.8)
    assert [flag in one for one in many.flags] == [True, False]
    assert not [one for one in flags_of(evidence, home, today, problem) if one.kind is FlagKind.PLACES_DISAGREE]


def test_an_area_without_a_known_sale_and_a_home_without_coordinates_raise_no_contradiction(
    evidence: LiveMarket, home: dict[str, object]
) -> None:
    known = evidence.where.places
    assert known is not None
    placed = {name: float(str(home[name])) for name in ("latitude", "longitude")}
    assert not [*known.disagreements({**placed, "zipcode": "no such code"})]
    assert not [*known.disagreements({"zipcode": far_zipcode(evidence, home)})]


@pytest.mark.parametrize(("given", "missing"), [("latitude", "longitude"), ("longitude", "latitude")])
def test_half_of_the_coordinates_is_not_ignored_without_a_word(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem, given: str, missing: str
) -> None:
    half = {name: value for name, value in home.items() if name != missing}
    answer = estimate(evidence, half, today, problem, 0.8)
    assert isinstance(answer, Estimate)
    [flag] = [one for one in answer.flags if one.kind is FlagKind.HALF_PLACE]
    assert (flag.severity, flag.field) == (Severity.REVIEW, missing)
    assert f"but {given} " in flag.value
    assert any("enter both" in sentence for sentence in advice(answer.flags))
    assert any(one.kind is FlagKind.IMPUTED_FACT and one.field == "location" for one in answer.flags)
    assert {"latitude", "longitude"} <= {*answer.imputed}, "the place that counts is assumed as a whole"
    none = {name: value for name, value in half.items() if name != given}
    assert not [one for one in flags_of(evidence, none, today, problem) if one.kind is FlagKind.HALF_PLACE]


def king_county(sales_data: Path) -> pd.DataFrame:
    sales = pd.read_csv(sales_data / FILE, dtype={"zipcode": "str"})
    return sales.rename(columns={"lat": "latitude", "long": "longitude"}).sort_values("date", kind="stable")


def places_of(sales: pd.DataFrame) -> AreaPlaces:
    columns: Columns = {name: sales[name].to_numpy() for name in ("zipcode", "latitude", "longitude")}
    return places_by_area(["zipcode"], Projection(47.5, -122.2), columns)


def share_flagged(known: AreaPlaces, homes: pd.DataFrame) -> float:
    facts = homes[["zipcode", "latitude", "longitude"]].to_dict("records")
    return float(np.mean([any(True for _ in known.disagreements(one)) for one in facts]))  # type: ignore[arg-type]


def test_of_king_countys_homes_few_true_and_most_wrong_zipcodes_are_flagged(sales_data: Path) -> None:
    sales = king_county(sales_data)
    cut = int(0.8 * len(sales))
    known, later = places_of(sales.iloc[:cut]), sales.iloc[cut:]
    rng, codes = np.random.default_rng(0), sorted(known.areas["zipcode"])
    assert share_flagged(known, later) < 0.005
    wrong = [rng.choice([other for other in codes if other != code]) for code in later["zipcode"]]
    assert share_flagged(known, later.assign(zipcode=wrong)) > 0.95
    seattle: dict[str, float | str] = {"zipcode": "98001", "latitude": 47.66, "longitude": -122.34}
    [flag] = place_flags(seattle, known, located=True, area_unit="sqft")
    both, away = "zipcode 98001 and the coordinates 47.66000, −122.34000", "21.1 mi away"
    assert flag.value == f"{both}: the nearest sale known in zipcode 98001 is {away}"


def test_areas_scattered_over_the_market_contradict_no_place() -> None:
    rng = np.random.default_rng(1)
    columns: Columns = {
        "zipcode": rng.choice(["A", "B", "C"], 600).astype(object),
        "latitude": 47 + 0.2 * rng.random(600),
        "longitude": 122 + 0.2 * rng.random(600),
    }
    known = places_by_area(["zipcode"], Projection(47.1, 122.1), columns)
    places = 0.01 + 0.18 * rng.random((200, 2))
    for north, east in places.tolist():
        assert not [*known.disagreements({"zipcode": "A", "latitude": 47 + north, "longitude": 122 + east})]


def test_too_few_places_and_blank_coordinates_tell_no_limit() -> None:
    columns: Columns = {
        "zipcode": np.array(["A", "B", None] * 20, dtype=object),
        "latitude": np.array([47.0, 47.5, np.nan] * 20),
        "longitude": np.array([122.0, 122.5, 122.0] * 20),
    }
    known = places_by_area(["zipcode"], Projection(47.1, 122.1), columns)
    assert not [*known.disagreements({"zipcode": "A", "latitude": 47.5, "longitude": 122.5})]


def test_of_melbournes_homes_no_true_and_most_wrong_postcodes_contradict_the_suburb(sales_data: Path) -> None:
    table = pd.read_csv(sales_data / "melbourne/melbourne_housing_full.csv.gz", dtype={"Postcode": "str"})
    table = table.rename(
        columns={"Postcode": "zipcode", "Suburb": "neighbourhood", "Lattitude": "latitude", "Longtitude": "longitude"}
    )
    sales = table.assign(Date=pd.to_datetime(table["Date"], dayfirst=True)).sort_values("Date", kind="stable")
    sales = sales.dropna(subset=["latitude", "zipcode"])
    codes, cut = ["zipcode", "neighbourhood"], int(0.8 * len(sales))
    columns: Columns = {name: sales[name].to_numpy()[:cut] for name in (*codes, "latitude", "longitude")}
    known, later = places_by_area(codes, Projection(-37.8, 145.0), columns), sales.iloc[cut:][codes]
    wrong = np.random.default_rng(0).permutation(later["zipcode"].to_numpy())

    def share(homes: pd.DataFrame) -> float:
        return float(np.mean([bool([*known.apart(one)]) for one in homes.to_dict("records")]))  # type: ignore[arg-type]

    assert share(later) == 0
    assert share(later.assign(zipcode=wrong)[wrong != later["zipcode"]]) > 0.9
    both: dict[str, float | str] = {"zipcode": "3199", "neighbourhood": "Richmond"}
    [flag] = place_flags(both, known, located=True, area_unit="sqm")
    assert flag.kind is FlagKind.PLACES_DISAGREE
    assert flag.value.startswith("zipcode 3199 and neighborhood Richmond: the nearest sales known in each are ")
    assert flag.value.endswith(" km apart")
    assert known.contradiction(both) == AREAS_CONTRADICTED
    assert not known.contradiction({**both, "zipcode": "3121"})


def test_an_area_without_a_sale_is_named_with_the_nearest_known(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    code = str(home["zipcode"])
    slip = code[:-1] + ("x" if code[-1] != "x" else "y")
    found = flags_of(evidence, {**home, "zipcode": slip}, today, problem)
    [flag] = [one for one in found if one.kind is FlagKind.UNKNOWN_CATEGORY]
    assert (flag.severity, flag.field, flag.value) == (Severity.REVIEW, "zipcode", slip)
    assert "the nearest known is " in flag.action
    assert any(
        one.startswith(f"The model learned from no sale in zipcode {slip}. Check the zipcode") for one in advice(found)
    )
    many = estimate_many(evidence, pd.DataFrame([{**home, "zipcode": slip}, home]), today, problem, 0.8)
    assert [flag in one for one in many.flags] == [True, False]


@pytest.mark.parametrize("written", ["{}-1234", " {}.0", "0{}"])
def test_an_area_is_the_same_however_it_is_spelled(
    evidence: LiveMarket, home: dict[str, object], today: date, problem: Problem, written: str
) -> None:
    spelled = {**home, "zipcode": written.format(home["zipcode"])}
    assert estimate(evidence, spelled, today, problem, 0.8) == estimate(evidence, home, today, problem, 0.8)
    alone, twice = (estimate_many(evidence, pd.DataFrame([one]), today, problem, 0.8) for one in (home, spelled))
    assert alone.subjects == twice.subjects
    assert alone.priced.exact.tolist() == twice.priced.exact.tolist()


def test_the_name_of_an_area_has_any_case_and_a_spelling_of_two_areas_means_neither() -> None:
    towns = profile_of({"neighbourhood": {"Richmond": 3, "St Kilda": 2, "ALBERT PARK": 1, "Albert Park": 4}})
    assert towns.as_sold("neighbourhood", "richmond") == "Richmond"
    assert towns.as_sold("neighbourhood", " ST  kilda ") == "St Kilda"
    assert towns.as_sold("neighbourhood", "albert park") == "albert park"
    assert towns.as_sold("neighbourhood", "Albert Park") == "Albert Park"
    assert towns.as_sold("neighbourhood", "Nowhere") == "Nowhere"
    assert towns.as_sold("zipcode", "3121") == "3121"


def profile_of(areas: dict[str, dict[str, int]]) -> MarketProfile:
    day = date(2025, 1, 1)
    return MarketProfile(10, day, day, (), (), areas, {}, {})
