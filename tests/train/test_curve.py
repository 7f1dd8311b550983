"""The learning curve: the same candidate on growing shares, from one draw, never seeing validation sales."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from core.prepare.features.facts import FactColumns
from core.prepare.features.pipeline import baseline_features
from core.progress import silent
from core.states import Family
from core.train.candidates import Candidate
from core.train.curve import CurveSales, learning_curve, more_data_helps
from core.workflows.models.baseline import baseline_estimates

FACTS = FactColumns(("living_area_sqft", "bedrooms"), (), ("zipcode",), False, False)


def made_sales(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    homes = pd.DataFrame(
        {
            "living_area_sqft": rng.uniform(800, 3_000, n),
            "bedrooms": rng.integers(1, 6, n).astype(float),
            "zipcode": pd.Series(rng.integers(10_000, 10_010, n)).astype("str"),
            "sale_date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
        }
    )
    level = 5.2 + 0.05 * (homes["zipcode"].astype(int) - 10_000)
    return homes.assign(sale_price=np.exp(level) * homes["living_area_sqft"] * rng.lognormal(0, 0.1, n))


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    return made_sales(600)


def test_error_falls_with_the_share_and_the_last_point_is_the_whole(sales: pd.DataFrame) -> None:
    log_price = np.log(sales["sale_price"].to_numpy())
    both = CurveSales(sales[:400], log_price[:400], sales[400:], log_price[400:])
    tree = Candidate(Family.TREE, {"min_samples_leaf": 5})
    curve = learning_curve(tree, partial(baseline_features, FACTS), both, 1, silent)
    assert [(point.share, point.rows) for point in curve] == [(0.1, 40), (0.25, 100), (0.5, 200), (1.0, 400)]
    assert curve[-1].mape < curve[0].mape
    again = learning_curve(tree, partial(baseline_features, FACTS), both, 1, silent, (1.0,))
    assert again == curve[-1:]
    gain = more_data_helps(curve)
    assert gain == pytest.approx(curve[-2].mape - curve[-1].mape)
    assert more_data_helps(again) is None


def test_shares_too_small_to_fit_are_left_out(sales: pd.DataFrame) -> None:
    log_price = np.log(sales["sale_price"].to_numpy())
    few = CurveSales(sales[:60], log_price[:60], sales[400:], log_price[400:])
    curve = learning_curve(Candidate(Family.LINEAR), partial(baseline_features, FACTS), few, 1, silent)
    assert [point.rows for point in curve] == [30, 60]


def test_baseline_prices_unseen_sales_without_their_prices(sales: pd.DataFrame) -> None:
    known, unseen = sales[:500], sales[500:]
    found = baseline_estimates(known, unseen, FACTS, 1)
    blind = baseline_estimates(known, unseen.drop(columns="sale_price"), FACTS, 1)
    assert (found == blind).all()
    assert np.mean(np.abs(found / unseen["sale_price"] - 1)) < 0.15
