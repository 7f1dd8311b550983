"""On real sales, by mapping alone: King County is priced as accurately as promised, and its ranges hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from core.access import Actor, Role
from core.problem import Problem
from core.progress import silent
from core.serve.estimate import Estimate
from core.states import Family
from core.store import ModelRecord, Store, open_store
from core.train.trainer import default_plan
from core.workflows.data.intake import SourceFile, ingest
from core.workflows.models.training import load_model
from core.workflows.pricing.desk import open_desk
from core.workflows.pricing.many_homes import price_file
from core.workflows.training import train_model
from tests.acting import acting

MANAGER = Actor("test manager", Role.MANAGER)


@pytest.fixture(scope="module")
def king_county(
    sales_data: Path, problem: Problem, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Store, ModelRecord]:
    store = open_store(tmp_path_factory.mktemp("king-county"))
    market = store.markets.create("King County", "USD", "sqft", False, MANAGER)
    path = sales_data / "king_county" / "kc_house_data_2014_2015.csv"
    ingest(
        acting(store, MANAGER, problem, today=date(2026, 1, 1)), market.market_id, [SourceFile(path, path.name)], silent
    )
    plan = replace(default_plan(problem), families=(Family.BOOSTING,), boosting_budget=1, curve_shares=())
    return store, train_model(acting(store, MANAGER, problem), market.market_id, plan, silent)


def test_king_county_meets_its_accuracy_and_coverage(king_county: tuple[Store, ModelRecord]) -> None:
    metrics = king_county[1].card["metrics"]
    assert metrics["n"] == 4_323
    assert metrics["mape"]["value"] <= 0.116
    assert metrics["ppe10"]["value"] >= 0.58
    assert 0.78 <= metrics["coverage"]["value"] <= 0.82


def test_king_county_is_split_as_published(king_county: tuple[Store, ModelRecord], problem: Problem) -> None:
    store, record = king_county
    sales = store.versions.load(record.version_id)
    rest, test = train_test_split(range(21_613), test_size=0.2, random_state=42)
    bundle = load_model(store, record.model_id)
    known = sales[sales["intake_row"].isin(rest)]
    assert bundle.model.profile.sales == len(known)
    assert record.card["metrics"]["n"] == int(sales["intake_row"].isin(test).sum())


def test_king_county_confidence_is_calibrated(king_county: tuple[Store, ModelRecord]) -> None:
    assert king_county[1].card["metrics"]["calibration_error"] < 0.03


def test_king_county_subjects_are_priced(
    king_county: tuple[Store, ModelRecord], sales_data: Path, problem: Problem
) -> None:
    store, record = king_county
    desk = open_desk(store, record.market_id, problem)
    facts = {
        "zipcode": "98118",
        "latitude": 47.5354,
        "longitude": -122.273,
        "living_area_sqft": 1680,
        "bedrooms": 4,
        "bathrooms": 1,
        "lot_area_sqft": 5043,
        "year_built": 1911,
        "grade": 6,
        "condition": 4,
    }
    answer = desk.price(facts, date(2015, 5, 28), 0.8, MANAGER)
    assert isinstance(answer, Estimate)
    assert 250_000 < answer.point < 600_000
    assert np.isfinite([answer.low, answer.high, answer.fsd]).all()


def test_all_king_county_subjects_of_a_file_are_priced(
    king_county: tuple[Store, ModelRecord], sales_data: Path, problem: Problem
) -> None:
    store, record = king_county
    desk = open_desk(store, record.market_id, problem)
    path = sales_data / "king_county" / "subject_properties.csv"
    priced = price_file(desk, path, path.name, date(2015, 5, 28), silent, MANAGER)
    assert priced.counts == {"priced": 100, "unavailable": 0, "refused": 0, "unreadable": 0}
    assert {column.field for column in priced.columns} >= {"x_sqft_above", "x_sqft_living15", "grade", "zipcode"}
    row = {str(name): value for name, value in priced.homes.iloc[17].dropna().items()}
    alone = desk.price(row, date(2015, 5, 28), problem.estimate.level, MANAGER)
    assert isinstance(alone, Estimate)
    assert priced.table["point"].iloc[17] == alone.point
