"""A home's own earlier sale is found by id, else by address and unit, and never from a later day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.prepare.features.own_sales import OWN_SALE, OwnSales, identity_of, keep_own_sales

SOLD = pd.DataFrame(
    {
        "property_id": ["77", None, None, "77", None],
        "address": [None, "12 North Main Street", "9 Elm Ave", None, "9 Elm Ave"],
        "unit": [None, "4", None, None, None],
        "zipcode": ["98103", "98103", "98103", "98103", "98103"],
        "property_type": ["single_family", "condo", "single_family", "single_family", "condo"],
        "sale_date": pd.to_datetime(["2010-01-01", "2011-01-01", "2012-01-01", "2014-01-01", "2013-01-01"]),
    }
)
PRICE = np.log([100.0, 200.0, 300.0, 400.0, 500.0])


@pytest.fixture
def kept() -> OwnSales:
    return keep_own_sales(identity_of(SOLD), PRICE, np.zeros(5), {("77", 3653.0): 0.25})


def row_of(kept: OwnSales, day: str, **facts: str) -> float:
    home = pd.DataFrame([{**facts, "sale_date": pd.Timestamp(day)}])
    return float(kept.before_sales(identity_of(home))["own_sale:row"][0])


@pytest.mark.parametrize(
    ("facts", "row"),
    [
        ({"property_id": "0077"}, 3),
        ({"address": "12 N. Main St., Apt 4", "zipcode": "98103"}, 1),
        ({"address": "12 N Main St", "unit": "4", "zipcode": "98103"}, 1),
        ({"address": "9 ELM AVENUE", "zipcode": "98103"}, 2),
    ],
)
def test_a_home_is_found_by_id_else_by_address_and_unit(kept: OwnSales, facts: dict[str, str], row: int) -> None:
    assert row_of(kept, "2015-01-01", **facts) == row


@pytest.mark.parametrize(
    "facts",
    [
        {"property_id": "78"},
        {"address": "12 N Main St", "unit": "5", "zipcode": "98103"},
        {"address": "12 N Main St", "zipcode": "98103"},
        {"address": "9 Elm Ave", "zipcode": "98199"},
        {},
    ],
)
def test_another_home_has_no_earlier_sale(kept: OwnSales, facts: dict[str, str]) -> None:
    assert np.isnan(row_of(kept, "2015-01-01", **facts))


def test_only_the_latest_sale_before_the_day_counts(kept: OwnSales) -> None:
    assert row_of(kept, "2013-12-31", property_id="77") == 0
    assert row_of(kept, "2014-01-20", property_id="77") == 0  # the same sale recorded twice is no earlier sale
    assert np.isnan(row_of(kept, "2010-01-01", property_id="77"))


@pytest.mark.parametrize(
    ("day", "row"), [("2014-01-01", 0), ("2014-01-02", 3), ("2014-01-20", 3), ("2010-01-01", np.nan)]
)
def test_a_home_for_sale_has_its_latest_sale_from_the_next_day(kept: OwnSales, day: str, row: float) -> None:
    home = identity_of(pd.DataFrame({"property_id": ["77"], "sale_date": [pd.Timestamp(day)]}))
    np.testing.assert_equal(kept.before_valuation(home)["own_sale:row"], [row])


def test_years_and_residual_belong_to_the_sale_found(kept: OwnSales) -> None:
    home = identity_of(pd.DataFrame({"property_id": ["77"], "sale_date": pd.to_datetime(["2012-01-01"])}))
    _, years, _, residual = (float(kept.before_sales(home)[name][0]) for name in OWN_SALE)
    assert years == pytest.approx(2.0, abs=0.01)
    assert residual == 0.25


def test_the_price_moves_with_the_market_since_then() -> None:
    days = pd.date_range("2010-01-01", "2014-12-31", freq="7D")
    drift = np.linspace(0.0, 0.5, len(days))
    market = pd.DataFrame({"property_id": [f"{number + 1}" for number in range(len(days))], "sale_date": days})
    kept = keep_own_sales(identity_of(market), 12.0 + drift, np.zeros(len(days)), {})
    home = identity_of(pd.DataFrame({"property_id": ["60"], "sale_date": [days[-1]]}))
    assert float(kept.before_sales(home)["own_sale:moved"][0]) == pytest.approx(12.5, abs=0.03)


def test_later_prices_change_nothing_that_is_found(kept: OwnSales) -> None:
    changed = keep_own_sales(identity_of(SOLD), PRICE + np.array([0, 0, 0, 9.0, 9.0]), np.zeros(5), {})
    home = identity_of(pd.DataFrame({"property_id": ["77"], "sale_date": pd.to_datetime(["2012-12-01"])}))
    for name in OWN_SALE[:3]:
        np.testing.assert_array_equal(kept.before_sales(home)[name], changed.before_sales(home)[name])


def test_what_a_sale_brought_is_known_after_the_first_day_alone(kept: OwnSales) -> None:
    """Up to the first sale there is no trend to read a price against."""
    known = kept.prices(np.array([0.0, 3.0, np.nan]))
    assert known == pytest.approx([np.nan, 400.0, np.nan], nan_ok=True)
