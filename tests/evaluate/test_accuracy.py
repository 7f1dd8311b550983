"""The figures of the sealed test equal an independent recomputation, and intervals contain their value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.evaluate.accuracy import Evaluation, held_by_group
from core.problem import Problem
from core.workflows.pricing.desk import Desk
from tests.evaluate.measured import evaluated


@pytest.fixture(scope="module")
def case(small_desk: Desk, problem: Problem) -> tuple[pd.DataFrame, Evaluation]:
    assert small_desk.bundle is not None
    model = small_desk.bundle.model
    rng = np.random.default_rng(1)
    homes = pd.DataFrame({name: pd.Series([np.nan] * 400, dtype="float64") for name in model.facts.all})
    codes = list(model.profile.area_codes["zipcode"])
    homes["zipcode"] = pd.Series(rng.choice(codes, 400), dtype="str")
    for name in model.facts.categorical:
        profile = model.profile.category(name)
        assert profile is not None
        homes[name] = pd.Series(rng.choice(list(profile.levels), 400), dtype="str")
    homes["living_area_sqft"] = rng.uniform(800, 3_000, 400)
    homes["sale_date"] = pd.Series([pd.Timestamp(model.profile.last_sale)] * 400, dtype="datetime64[us]")
    homes["sale_price"] = model.estimate(homes) * rng.lognormal(0, 0.1, 400)
    return homes, evaluated(model, homes, 0.8, problem.estimate.levels, 0.10, seed=1)


def test_figures_equal_a_recomputation_with_pandas_alone(
    case: tuple[pd.DataFrame, Evaluation], small_desk: Desk
) -> None:
    homes, measured = case
    assert small_desk.bundle is not None
    table = pd.DataFrame({"price": homes["sale_price"], "point": small_desk.bundle.model.estimate(homes)})
    error = (table["point"] - table["price"]) / table["price"]
    assert measured.mape.value == pytest.approx(error.abs().mean(), abs=1e-12)
    assert measured.mdape.value == pytest.approx(error.abs().median(), abs=1e-12)
    assert measured.ppe10.value == pytest.approx((error.abs() <= 0.10).mean(), abs=1e-12)
    assert measured.bias.value == pytest.approx(error.median(), abs=1e-12)
    explained = (
        1 - ((table["point"] - table["price"]) ** 2).sum() / ((table["price"] - table["price"].mean()) ** 2).sum()
    )
    assert measured.r_squared.value == pytest.approx(explained, abs=1e-12)


def test_coverage_is_of_the_range_as_shown(case: tuple[pd.DataFrame, Evaluation], small_desk: Desk) -> None:
    homes, measured = case
    assert small_desk.bundle is not None
    priced = small_desk.bundle.model.price(homes, 0.8, 0.1)
    inside = (homes["sale_price"] >= priced.low) & (homes["sale_price"] <= priced.high)
    assert measured.coverage.value == pytest.approx(inside.mean(), abs=1e-12)


def test_what_ranges_held_is_told_by_group(case: tuple[pd.DataFrame, Evaluation], small_desk: Desk) -> None:
    homes, _ = case
    assert small_desk.bundle is not None
    model = small_desk.bundle.model
    filled = model.fill(homes)
    priced = model.price_filled(filled, (0.5, 0.8), 0.10)
    for level, groups in held_by_group(model, filled, priced, homes["sale_price"].to_numpy(dtype=float)).items():
        # The price bands divide the sales; groups of one property type lie within a band.
        parts = {name: held for name, held in groups.items() if name.startswith("price band")}
        assert sum(held.n for held in parts.values()) == 400, level
        mean = sum(held.share * held.n for held in parts.values()) / 400
        assert groups["all homes"].share == pytest.approx(mean)


def test_every_figure_has_its_interval_and_n(case: tuple[pd.DataFrame, Evaluation]) -> None:
    _, measured = case
    for name in ("mape", "mdape", "ppe10", "bias", "r_squared", "coverage", "width"):
        figure = getattr(measured, name)
        assert figure.low <= figure.value <= figure.high
        assert figure.low < figure.high
        assert figure.n == 400


def test_reliability_bins_account_for_every_sale(case: tuple[pd.DataFrame, Evaluation]) -> None:
    _, measured = case
    assert sum(one.n for one in measured.reliability) == 400
    gap = sum(abs(one.promised - one.observed) * one.n for one in measured.reliability) / 400
    assert measured.calibration_error == pytest.approx(gap)
