"""A first model below the floor does not go live, and a range that reaches too far is no price."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.access import Actor, Role
from core.problem import Problem
from core.progress import silent
from core.serve.document import from_document, to_document
from core.serve.estimate import Estimate
from core.serve.estimate_many import estimate_many
from core.serve.review.unavailable import UNAVAILABLE, Unavailable, UnavailableKind
from core.states import Family, Stage
from core.store import Store, open_store
from core.train.model import Priced
from core.train.trainer import TrainingPlan
from core.workflows.data.intake import ingest
from core.workflows.models.baseline import area_median_estimates
from core.workflows.models.floor import floor_of, measure_floor, miss_words
from core.workflows.overview import attention, overview
from core.workflows.pricing.answers import Question, load_answer, price_and_record
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.many_homes import price_file, record_file
from core.workflows.promotion import promote_challenger
from core.workflows.source_files.reading import SourceFile
from core.workflows.training import train_model
from tests.acting import acting

MANAGER = Actor("Mia", Role.MANAGER)
QUICK = TrainingPlan("random", 1, (Family.LINEAR,), 0, 1, 2)
TODAY = date(2026, 1, 1)


@pytest.fixture
def opened(small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with open_store(Path(shutil.copytree(small_home, tmp_path / "own-store"))) as store:
        yield store


def priced(exact: np.ndarray, half: float) -> Priced:
    groups = np.full(len(exact), "all homes", dtype=object)
    sure = np.full(len(exact), 0.5)
    return Priced(0.8, 0.1, exact, exact, exact * (1 - half), exact * (1 + half), sure, sure, groups)


def sales(prices: np.ndarray) -> pd.DataFrame:
    areas = pd.Series(np.where(np.arange(len(prices)) % 2, "north", "south"), dtype="str")
    return pd.DataFrame({"sale_price": prices, "zipcode": areas})


def test_a_model_must_beat_the_area_median_with_a_range_of_use(problem: Problem) -> None:
    prices = np.where(np.arange(100) % 2, 600_000.0, 300_000.0) * np.exp(np.linspace(-0.3, 0.3, 100))
    test, known = sales(prices), sales(prices)
    good = measure_floor(priced(prices * 1.05, 0.2), test, known, problem)
    assert good.reached
    assert good.words == ""
    assert good.mape == pytest.approx(0.05)
    worse = measure_floor(priced(prices * 1.5, 0.2), test, known, problem)
    assert not worse.reached
    assert "mean error of 50.0% is no better than that of the area's median price" in worse.words
    wide = measure_floor(priced(prices * 1.05, 0.7), test, known, problem)
    assert not wide.reached
    assert "its 80% range is ±70% of the estimate; beyond ±60% a range is of no use" in wide.words


def test_the_area_median_needs_some_sales_of_the_area_and_uses_no_unseen_price() -> None:
    known = sales(np.array([100.0, 900.0, 200.0, 800.0, 300.0, 700.0]))
    known.loc[5, "zipcode"] = "west"
    unseen = sales(np.array([1e9, 1e9, 1e9]))
    unseen["zipcode"] = ["south", "west", "east"]
    assert area_median_estimates(known, unseen, 3).tolist() == [200.0, 500.0, 500.0]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # it trains: once is enough
def test_a_first_model_no_better_than_the_area_median_is_registered_and_says_why(
    store: Store, tmp_path: Path, problem: Problem
) -> None:
    rng = np.random.default_rng(7)
    n = 400
    table = pd.DataFrame(
        {
            "address": [f"{number} Elm St" for number in range(1, n + 1)],
            "zip": rng.choice(["10001", "10002", "10003"], n),
            "living area": rng.integers(600, 4_000, n),
            "sale date": pd.date_range("2023-01-01", periods=n).strftime("%Y-%m-%d"),
            "sale price": np.round(rng.lognormal(12.5, 1.3, n)),
        }
    )
    path = tmp_path / "mixed.csv"
    table.to_csv(path, index=False)
    workspace = acting(store, MANAGER, problem, today=TODAY)
    market = store.markets.create("Mixed", "USD", "sqft", False, MANAGER)
    ingest(workspace, market.market_id, [SourceFile(path, path.name)], silent)
    record = train_model(workspace, market.market_id, QUICK, silent)
    assert record.stage is Stage.CANDIDATE
    assert store.models.champion(market.market_id) is None
    floor = floor_of(record.card)
    assert floor is not None
    assert not floor.reached
    assert "of no use" in floor.words
    [sentence] = attention(overview(workspace, market), problem)
    assert "did not go live on its own" in sentence
    assert floor.words in sentence
    # A manager may still decide otherwise, and the miss is then said.
    live = promote_challenger(workspace, record.model_id, "to see what it does")
    assert miss_words(live.card, problem).startswith("The live model misses its target of 10%: mean error ")


def desk_that_withholds(opened: Store, problem: Problem) -> tuple[Desk, Problem]:
    """The small market's desk under a limit that no range of it keeps to."""
    strict = replace(problem, estimate=replace(problem.estimate, half_width_max=0.02))
    return open_desk(opened, opened.markets.list()[0].market_id, strict), strict


def home_in(desk: Desk) -> dict[str, object]:
    assert desk.bundle is not None
    profile = desk.bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    return {**profile.typical["zipcode"][code], "zipcode": code}


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_a_range_that_reaches_too_far_is_no_price_at_any_level_asked_for(
    opened: Store, problem: Problem, level: float
) -> None:
    usual = open_desk(opened, opened.markets.list()[0].market_id, problem)
    desk, strict = desk_that_withholds(opened, problem)
    day, home = desk.valuation_date(TODAY), home_in(desk)
    assert isinstance(usual.price(home, day, level, MANAGER), Estimate)
    main = usual.price(home, day, problem.estimate.level, MANAGER)
    assert isinstance(main, Estimate)
    answer = desk.price(home, day, level, MANAGER)
    assert isinstance(answer, Unavailable)
    assert (answer.message, answer.kind) == (UNAVAILABLE, UnavailableKind.RANGE)
    share = (main.high - main.low) / (2 * main.point)
    ends = f"{1 - main.low / main.point:.0%} below the estimate to {main.high / main.point - 1:.0%} above it"
    assert answer.reason == (
        f"The range would be wider than ±2%: its 80% range reaches from {ends}, ±{share:.0%} on average."
    )
    assert from_document(to_document(answer)) == answer
    assert desk.live_market is not None
    many = estimate_many(desk.live_market, pd.DataFrame([home]), day, strict, level)
    assert not len(many.rows)
    assert [(one.kind, one.reason) for one in many.not_priced] == [(answer.kind, answer.reason)]


def test_the_ledger_tells_a_range_too_wide_from_other_refusals(opened: Store, problem: Problem, tmp_path: Path) -> None:
    desk, strict = desk_that_withholds(opened, problem)
    workspace, day = acting(opened, MANAGER, strict), desk.valuation_date(TODAY)
    home = home_in(desk)
    stored = {}
    for name, facts in (("wide", home), ("nowhere", {"living_area_sqft": 1_500.0})):
        answered = price_and_record(workspace, desk, Question(facts, day, 0.8), "page")
        assert answered.estimate_id is not None
        result = load_answer(workspace, answered.estimate_id).result
        assert isinstance(result, Unavailable)
        stored[name] = result.kind
    assert stored == {"wide": UnavailableKind.RANGE, "nowhere": UnavailableKind.FACTS}
    path = tmp_path / "homes.csv"
    path.write_text(f"zip,living area\n{home['zipcode']},1500\n,1500\n", encoding="utf-8")
    done = record_file(workspace, price_file(desk, path, path.name, day, silent, MANAGER), "file")
    kinds = [opened.ledger.get(one).answer["result"]["kind"] for one in done.errors["estimate_id"]]
    assert kinds == [UnavailableKind.RANGE.value, UnavailableKind.FACTS.value]
