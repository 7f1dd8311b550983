"""On real sales, by mapping alone: King County is priced as accurately as promised, and its ranges hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from core.problem import Problem
from core.progress import silent
from core.serve.agent.address_book import AddressBook
from core.serve.estimate import Estimate
from core.store import ModelRecord, Store, open_store
from core.workflows.models.training import load_model
from core.workflows.pricing.desk import open_desk
from core.workflows.pricing.many_homes import price_file
from tests.king_county import MANAGER, SALES


@pytest.fixture(scope="module")
def king_county(king_county_home: Path) -> Iterator[tuple[Store, ModelRecord]]:
    with open_store(king_county_home) as store:
        live = store.models.champion(store.markets.list()[0].market_id)
        assert live is not None
        yield store, live


def test_king_county_meets_its_accuracy_and_coverage(king_county: tuple[Store, ModelRecord]) -> None:
    metrics = king_county[1].card["metrics"]
    assert metrics["n"] == 4_323
    assert metrics["mape"]["value"] <= 0.116
    assert metrics["ppe10"]["value"] >= 0.58
    assert 0.78 <= metrics["coverage"]["value"] <= 0.82


def test_king_county_is_split_as_published(king_county: tuple[Store, ModelRecord], problem: Problem) -> None:
    store, record = king_county
    sales = store.versions.load(record.version_id)
    rest, test = train_test_split(range(SALES), test_size=0.2, random_state=42)
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


def test_king_county_ids_are_shown_with_the_zeros_of_the_county(
    king_county: tuple[Store, ModelRecord], problem: Problem, tmp_path: Path
) -> None:
    store, record = king_county
    desk = open_desk(store, record.market_id, problem)
    assert desk.id_digits == {"property_id": 10}
    for typed in ("0518500480", "518500480"):
        path = tmp_path / "homes.csv"
        path.write_text(f"id,zipcode,sqft_living,bedrooms,bathrooms\n{typed},98056,1680,3,2\n", encoding="utf-8")
        priced = price_file(desk, path, path.name, date(2015, 5, 28), silent, MANAGER)
        assert priced.table["property_id"].tolist() == ["0518500480"]
        [home] = AddressBook(store.versions.load(record.version_id), (), None, desk.id_digits).find(typed).homes
        assert home.address == "0518500480"


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
