"""Month-ahead accuracy: every sale of the test once, priced with nothing of its own month or later."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.evaluate.accuracy import Evaluation, measure
from core.evaluate.behavior.month_ahead import months_ahead, price_month_ahead
from core.store import open_store
from core.train.model import Model
from core.workflows.pricing.desk import Desk

FIRST = date(2024, 10, 15)
LEVELS = (0.5, 0.8)


@pytest.fixture(scope="module")
def sales(small_home: Path) -> pd.DataFrame:
    with open_store(small_home) as store:
        version = store.versions.latest(store.markets.list()[0].market_id)
        assert version is not None
        return store.versions.load(version.version_id)


@pytest.fixture(scope="module")
def model(small_desk: Desk) -> Model:
    assert small_desk.bundle is not None
    return small_desk.bundle.model


def measured(model: Model, sales: pd.DataFrame, first: date) -> Evaluation:
    ahead = price_month_ahead(model, sales, first, LEVELS, 0.1)
    return measure(ahead.priced, ahead.price, 0.8, 1)


def test_every_sale_from_the_first_day_on_is_priced_once(model: Model, sales: pd.DataFrame) -> None:
    months = list(months_ahead(model, sales, FIRST, LEVELS, 0.1))
    assert [month.first for month in months] == [FIRST, date(2024, 11, 1), date(2024, 12, 1)]
    rows = np.concatenate([month.rows for month in months])
    expected = np.flatnonzero((sales["sale_date"] >= pd.Timestamp(FIRST)).to_numpy())
    assert sorted(rows) == sorted(expected)
    for month in months:
        assert month.level.as_of == month.first
        assert (month.price == sales["sale_price"].to_numpy()[month.rows]).all()


def test_prices_of_a_month_and_later_do_not_reach_its_estimates(model: Model, sales: pd.DataFrame) -> None:
    doubled = sales.assign(
        sale_price=np.where(sales["sale_date"] >= "2024-11-01", 2 * sales["sale_price"], sales["sale_price"])
    )
    plain, moved = (list(months_ahead(model, table, FIRST, LEVELS, 0.1)) for table in (sales, doubled))
    for before, after in zip(plain[:2], moved[:2], strict=True):
        assert (before.priced[0.8].exact == after.priced[0.8].exact).all()
        assert (before.priced[0.8].high == after.priced[0.8].high).all()
    assert not (plain[2].priced[0.8].exact == moved[2].priced[0.8].exact).all()


def test_order_of_rows_changes_nothing(model: Model, sales: pd.DataFrame) -> None:
    first, second = (measured(model, table, FIRST) for table in (sales, sales.sample(frac=1.0, random_state=3)))
    assert first.mape.value == pytest.approx(second.mape.value, rel=1e-12)
    assert first.coverage.value == second.coverage.value


def test_no_sale_from_that_day_on_is_said(model: Model, sales: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="2030-01-01"):
        price_month_ahead(model, sales, date(2030, 1, 1), LEVELS, 0.1)
