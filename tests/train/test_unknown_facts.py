"""Homes with facts unknown: ranges hold what they say for what is known, and complete homes are priced as before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.arrays import Bools
from core.prepare.features.known_facts import KnownFacts, find_known_facts
from core.problem import Problem
from core.progress import silent
from core.serve.estimate import Estimate, estimate
from core.states import Family
from core.store import open_store
from core.train.model import Model
from core.train.trainer import TrainingPlan, default_plan, split_sales, train
from core.train.unknown_facts import (
    GROUPS,
    HiddenHomes,
    Shrinkage,
    UnknownFactsModel,
    UnknownFactsRanges,
    fit_weights,
    range_kinds,
)
from core.workflows.pricing.desk import Desk
from tests.acting import acting

LEVELS = (0.5, 0.8, 0.9)


@pytest.fixture(scope="module")
def model(small_desk: Desk) -> Model:
    assert small_desk.bundle is not None
    return small_desk.bundle.model


@pytest.fixture(scope="module")
def unknown(model: Model) -> UnknownFactsModel:
    assert model.unknown is not None
    return model.unknown


@pytest.fixture(scope="module")
def unseen(small_home: Path) -> pd.DataFrame:
    """The sealed test sales with every critical fact recorded."""
    with open_store(small_home) as store:
        version = store.versions.latest(store.markets.list()[0].market_id)
        assert version is not None
        sales = store.versions.load(version.version_id).sort_values("intake_row", kind="stable")
        problem = acting(store).problem
        test = split_sales(sales, version.rows_seen, default_plan(problem), problem).test
    return sales[test].dropna(subset=["living_area_sqft", "zipcode"]).reset_index(drop=True)


def without(known: KnownFacts, homes: pd.DataFrame, *names: str) -> pd.DataFrame:
    hidden = np.zeros((len(homes), len(known.names)), dtype=bool)
    hidden[:, [known.names.index(name) for name in names]] = True
    return known.hide(homes, hidden)


def only_size_and_zipcode(known: KnownFacts) -> list[str]:
    return [name for name in known.names if name != "zipcode"]


def test_a_home_with_every_usual_fact_is_priced_to_the_bit_as_if_nothing_could_be_unknown(
    model: Model, unknown: UnknownFactsModel, unseen: pd.DataFrame
) -> None:
    complete = unseen.dropna(
        subset=[name for fact, names in unknown.known.columns if fact in unknown.known.usual for name in names]
    )
    bare = replace(model, unknown=None)
    for level in LEVELS:
        ours, theirs = model.price(complete, level, 0.1), bare.price(complete, level, 0.1)
        assert (ours.exact == theirs.exact).all()
        assert (ours.low == theirs.low).all()
        assert (ours.high == theirs.high).all()
        assert (ours.confidence == theirs.confidence).all()


Hidden = Callable[[KnownFacts], list[str]]


@pytest.mark.parametrize(
    "hidden",
    [
        only_size_and_zipcode,
        lambda known: [name for name in known.names if name in ("condition", "grade", "coordinates")],
        lambda known: [
            name for name in known.names if name in ("bedrooms", "bathrooms", "year_built", "lot_area_sqft")
        ],
    ],
)
def test_ranges_hold_and_confidence_is_right_whatever_is_unknown(
    model: Model, unknown: UnknownFactsModel, unseen: pd.DataFrame, hidden: Hidden
) -> None:
    homes = without(unknown.known, unseen, *hidden(unknown.known))
    price = unseen["sale_price"].to_numpy(dtype=float)
    answers = model.price_filled(model.fill(homes), LEVELS, 0.1)
    n = len(price)
    for level, priced in answers.items():
        held = ((price >= priced.low) & (price <= priced.high)).mean()
        # Two points, and three standard errors of a share of n sales.
        assert abs(held - level) < 0.02 + 3 * np.sqrt(level * (1 - level) / n)
    within = (np.abs(answers[0.8].exact / price - 1) <= 0.1).mean()
    assert abs(within - answers[0.8].confidence.mean()) < 0.025 + 3 * np.sqrt(within * (1 - within) / n)


def market_of_buildings(size: int, seed: int) -> pd.DataFrame:
    """Invented flats whose postal codes name single buildings and whose neighborhoods are whole towns."""
    rng = np.random.default_rng(seed)
    buildings, towns = 80, 4
    north, east = rng.uniform(0, 0.2, (2, buildings))
    town = (north > 0.1) * 2 + (east > 0.1)
    value = 13.0 + 2.0 * north + rng.normal(0, 0.25, buildings)
    building = rng.integers(buildings, size=size)
    area, floor, state = rng.uniform(500, 1500, size), rng.integers(1, 20, size), rng.integers(1, 6, size)
    log_price = value[building] + 0.8 * np.log(area / 1000) + 0.01 * floor + 0.06 * state + rng.normal(0, 0.05, size)
    assert len(set(town)) == towns
    return pd.DataFrame(
        {
            "property_id": pd.Series([str(n) for n in range(size)], dtype="str"),
            "zipcode": pd.Series([f"Z{n:02}" for n in building], dtype="str"),
            "neighbourhood": pd.Series([f"Town {n}" for n in town[building]], dtype="str"),
            "latitude": 1.3 + north[building],
            "longitude": 103.8 + east[building],
            "living_area_sqft": area,
            "x_floor": floor.astype(float),
            "condition": state.astype(float),
            "sale_date": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 730, size), unit="D"),
            "sale_price": np.round(np.exp(log_price)),
            "intake_row": np.arange(size),
        }
    ).astype({"sale_date": "datetime64[us]"})


def test_a_building_says_where_a_home_without_coordinates_is(problem: Problem) -> None:
    sales = market_of_buildings(2_400, 1)
    plan = TrainingPlan("random", 42, (Family.BLEND,), 0, 1, 3)
    trained = train(sales, len(sales), plan, problem, silent)
    model, unseen = trained.model, sales[trained.split.test]
    assert model.unknown is not None
    known, price = model.unknown.known, unseen["sale_price"].to_numpy(dtype=float)
    hidden = {
        "nothing": [],
        "coordinates": ["coordinates"],
        "all but size and building": [name for name in known.names if name != "zipcode"],
    }
    answers = {name: model.price(without(known, unseen, *facts), 0.8, 0.1) for name, facts in hidden.items()}
    error = {name: np.median(np.abs(answer.exact / price - 1)) for name, answer in answers.items()}
    assert error["coordinates"] < 1.15 * error["nothing"]
    assert error["coordinates"] < error["all but size and building"]
    for answer in answers.values():
        held = ((price >= answer.low) & (price <= answer.high)).mean()
        assert abs(held - 0.8) < 0.02 + 3 * np.sqrt(0.8 * 0.2 / len(price))


def test_hiding_one_more_fact_never_raises_confidence_nor_narrows_the_range_on_average(
    model: Model, unknown: UnknownFactsModel, unseen: pd.DataFrame
) -> None:
    # From the first hidden fact on: complete homes of this small market are priced by another family of models.
    order = sorted(only_size_and_zipcode(unknown.known), key=lambda name: name not in unknown.known.usual)
    answers = [model.price(without(unknown.known, unseen, *order[: n + 1]), 0.8, 0.1) for n in range(len(order))]
    confidence = [answer.confidence.mean() for answer in answers]
    width = [((answer.high - answer.low) / answer.point).mean() for answer in answers]
    assert (np.diff(confidence) < 0.01).all()
    assert (np.diff(width) > -0.01).all()
    assert confidence[-1] < confidence[0] - 0.05
    assert width[-1] > width[0] + 0.05


def test_which_fact_is_unknown_tells_which_estimate_counts_while_few_others_are() -> None:
    rng = np.random.default_rng(0)
    hidden = rng.uniform(size=(6_000, 6)) < rng.beta(1, 0.6, size=(6_000, 1))
    price = rng.normal(13, 0.5, size=6_000).astype(float)
    # Without the place, the first fact, filling the blanks misleads; without any other it does no harm.
    misled = np.where(hidden[:, 0] | (hidden.mean(axis=1) > 0.5), 0.4, 0.05)
    homes = HiddenHomes(
        np.arange(6_000),
        hidden,
        np.zeros(6_000, dtype=bool),
        price + rng.normal(0, 1, 6_000) * misled,
        price + rng.normal(0, 0.15, 6_000),
    )
    weights = fit_weights(hidden.astype(float), homes, price)
    alone = weights.of(np.eye(6))
    assert alone[0] > 0.8
    assert alone[1:].max() < 0.5
    assert weights.of(np.ones((1, 6)))[0] > 0.8
    assert weights.of(np.zeros((1, 6)))[0] == 0.0


def test_a_blank_type_lies_between_the_types_there_are(
    model: Model, unknown: UnknownFactsModel, unseen: pd.DataFrame
) -> None:
    homes = without(unknown.known, unseen.head(60), *only_size_and_zipcode(unknown.known))
    blank = model.estimate(homes)
    kinds = unseen["property_type"].dropna().unique()
    typed = np.array([model.estimate(homes.assign(property_type=kind)) for kind in kinds])
    between = (blank >= typed.min(axis=0)) & (blank <= typed.max(axis=0))
    assert between.mean() > 0.8


def test_what_is_named_to_ask_next_is_unknown_and_narrows_the_range(small_desk: Desk, problem: Problem) -> None:
    assert small_desk.live_market is not None
    live = small_desk.live_market
    day = live.live_model.level.as_of
    zipcode = next(iter(live.bundle.model.profile.area_codes["zipcode"]))
    facts: dict[str, object] = {"living_area_sqft": 1_600.0, "zipcode": zipcode}
    little = estimate(live, facts, day, problem, 0.8)
    assert isinstance(little, Estimate)
    assert little.segment in GROUPS
    assert little.held is not None
    assert 0 < little.held.n < live.bundle.held[0.8]["all homes"].n
    assert 1 <= len(little.ask_next) <= 3
    assert all(one.name not in facts and one.then < one.now for one in little.ask_next)
    assert [one.then for one in little.ask_next] == sorted(one.then for one in little.ask_next)
    whole = facts | dict(little.imputed)
    known = estimate(live, whole, day, problem, 0.8)
    assert isinstance(known, Estimate)
    assert not {one.name for one in known.ask_next} & set(whole)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 200))
def test_marks_tell_what_was_hidden_and_a_place_is_always_left(seed: int, n: int) -> None:
    homes = pd.DataFrame(
        {
            "living_area_sqft": np.arange(n) + 500.0,
            "grade": np.arange(n) % 5 + 1.0,
            "zipcode": pd.Series(["98101"] * n, dtype="str"),
            "latitude": 47.5,
            "longitude": -122.3,
        }
    )
    known = KnownFacts(
        (("zipcode", ("zipcode",)), ("grade", ("grade",)), ("coordinates", ("latitude", "longitude"))),
        ("zipcode", "grade", "coordinates"),
        ("zipcode",),
    )
    wider = replace(known, postal_codes=frozenset({"98101"}))
    partly = wider.draw(n, seed)
    left = wider.hide(homes, partly)
    both = partly[:, 0] & partly[:, 2]
    assert (left["zipcode"].to_numpy() == np.where(both, "981", "98101"))[both | ~partly[:, 0]].all()
    marks = wider.marks({str(name): left[str(name)].to_numpy() for name in left})
    assert (np.column_stack(list(marks.values())) == partly).all()
    hidden: Bools = known.draw(n, seed)
    seen = known.hide(homes, hidden)
    marks = known.marks({str(name): seen[str(name)].to_numpy() for name in seen})
    assert (np.column_stack(list(marks.values())) == hidden).all()
    assert not (hidden[:, 0] & hidden[:, 2]).any()
    assert (known.draw(n, seed) == hidden).all()
    assert seen["living_area_sqft"].equals(homes["living_area_sqft"])


def test_homes_of_which_the_basics_alone_are_known_are_drawn() -> None:
    basics = ("property_type", "bedrooms", "bathrooms", "year_built", "lot_area_sqft")
    names = (*basics, *(f"x_{number}" for number in range(12)), "zipcode")
    known = KnownFacts(tuple((name, (name,)) for name in names), names, ("zipcode",))
    hidden = known.draw(20_000, 7)
    told = (hidden[:, :5].sum(axis=1) <= 1) & (hidden[:, 5:17].mean(axis=1) > 0.8)
    assert told.mean() > 0.01
    alone = hidden[hidden[:, 5:17].all(axis=1)]
    assert (alone[:, :5].sum(axis=1) == 0).mean() > 0.1
    assert (alone[:, :5].sum(axis=1) == 1).mean() > 0.1
    # And everything else: nothing hidden, one fact, hardly anything known.
    assert (hidden.sum(axis=1) == 0).mean() > 0.01
    assert (hidden.sum(axis=1) == 1).mean() > 0.2
    assert (hidden[:, :17].mean(axis=1) > 0.9).mean() > 0.1


def test_each_fact_unknown_widens_the_range_by_what_it_matters(problem: Problem) -> None:
    rng = np.random.default_rng(3)
    homes, facts = np.repeat(np.arange(1_000), 4), 16
    marks = (rng.uniform(size=(len(homes), facts)) < rng.beta(1, 0.6, size=(len(homes), 1))).astype(float)
    single = np.flatnonzero(rng.uniform(size=len(homes)) < 0.25)
    marks[single] = np.eye(facts)[rng.integers(facts, size=len(single))]
    # Each home has a luck of its own; of the facts, only the first four matter.
    matters = np.where(np.arange(facts) < 4, 0.09, 0.0)
    size = np.repeat(rng.lognormal(0, 0.6, 1_000), 4) * np.sqrt(0.07**2 + marks @ matters**2)
    price = rng.uniform(12, 14, len(homes))
    estimate = price - size * rng.choice([-1.0, 1.0], len(homes))
    noise = rng.normal(size=(len(homes), 60))
    groups = np.where(marks.sum(axis=1) <= 1, "one", "several").astype(object)
    ranges = UnknownFactsRanges(problem.estimate, 0, facts)
    ranges.fit(np.hstack([noise, marks]), estimate, price, groups, homes)
    alone = ranges.expected_size(np.hstack([np.zeros((facts, 60)), np.eye(facts)]), np.full(facts, 13.0))
    true = np.sqrt(0.07**2 + 0.09**2) / 0.07
    assert 0.92 * true < alone[:4].mean() / alone[4:].mean() < 1.08 * true


def test_ranges_hold_for_homes_priced_with_earlier_sales_only_as_every_live_estimate_is(problem: Problem) -> None:
    rng = np.random.default_rng(4)
    homes, facts = np.repeat(np.arange(3_000), 4), 6
    marks = (rng.uniform(size=(len(homes), facts)) < 0.5).astype(float)
    # The sales after a home's own day bring estimates of it nearer; a home for sale has none.
    early = np.tile([False, True], len(homes) // 2)
    price = rng.uniform(12, 14, len(homes))
    estimate = price + rng.normal(0, np.where(early, 0.2, 0.1))
    ranges = UnknownFactsRanges(problem.estimate, 0, facts)
    features = np.hstack([rng.normal(size=(len(homes), 3)), marks])
    ranges.fit(features, estimate, price, range_kinds(early), homes)
    live = range_kinds(np.ones(early.sum(), dtype=bool))
    segments = ranges.segments_.of(estimate[early], live)
    low, high = ranges.range(estimate[early], ranges.expected_size(features[early], estimate[early]), segments, 0.8)
    assert ((low <= np.exp(price[early])) & (np.exp(price[early]) <= high)).mean() == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize("own", [False, True], ids=["all alike", "another where an earlier sale is known"])
def test_expected_errors_are_drawn_together_as_far_as_they_differ_by_chance(own: bool) -> None:
    rng = np.random.default_rng(5)
    n = 20_000
    sold_before = rng.uniform(size=n) < 0.2 if own else np.zeros(n, dtype=bool)
    # Half of what is expected of homes sold before is chance, of others nothing.
    true = rng.lognormal(np.log(0.1), 0.3, n)
    expected = np.where(sold_before, true * rng.lognormal(0, 0.3, n), true)
    shrinkage = Shrinkage.learn(expected, rng.exponential(true), sold_before, n)
    found = shrinkage.of(expected, sold_before)
    assert np.abs(np.log(found / true))[~sold_before].mean() < 0.02
    if own:
        left = np.log(found / expected)[sold_before]
        beyond = np.log(expected / 0.1)[sold_before]
        assert np.polyfit(beyond, left, 1)[0] == pytest.approx(-0.5, abs=0.1)
        assert found[sold_before].mean() == pytest.approx(true[sold_before].mean(), rel=0.03)


def test_the_luck_of_few_homes_hardly_changes_what_is_expected() -> None:
    rng = np.random.default_rng(6)
    expected = rng.lognormal(np.log(0.1), 0.5, 40)
    new = np.zeros(40, dtype=bool)
    moves = [Shrinkage.learn(expected, rng.exponential(expected), new, 40).moves[0] for _ in range(50)]
    assert np.abs(moves).mean() < 0.15
    assert np.mean(moves) == pytest.approx(0, abs=0.1)


def test_a_place_that_many_homes_lack_is_still_one_that_a_home_may_lack(
    model: Model, unseen: pd.DataFrame, problem: Problem
) -> None:
    third = np.arange(len(unseen)) % 3 == 0
    some = unseen.assign(latitude=unseen["latitude"].mask(third), year_built=unseen["year_built"].mask(third))
    known = find_known_facts(some, model.facts, problem.estimate.critical)
    assert "coordinates" in known.usual
    assert "year_built" not in known.usual


def test_facts_without_which_there_is_no_price_are_never_hidden(
    model: Model, unseen: pd.DataFrame, problem: Problem
) -> None:
    known = find_known_facts(unseen, model.facts, problem.estimate.critical)
    assert "living_area_sqft" not in known.names
    assert "year_renovated" not in known.names
    assert not set(known.names) & {"median_income", "school_rating"}
