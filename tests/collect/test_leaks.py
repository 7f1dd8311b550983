"""Leaks: what tells the price is caught under any name, and fair facts of the home are not accused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.collect.columns.guess import guess_file
from core.collect.leaks import LEAK_CORRELATION, find_leaks
from core.collect.mapping import ColumnRule, MappedTable, apply_mapping
from core.collect.reading.reader import read_table
from core.schema import Source

SALES = 600


def _table(extra: dict[str, pd.Series], source: Source = Source.SALES) -> MappedTable:
    frame = _market().assign(**extra).assign(source_row=np.arange(1, SALES + 1))
    return MappedTable("sales.csv", source, "0", frame, pd.DataFrame(), (), SALES)


def _market() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    area = rng.lognormal(7.5, 0.4, SALES)
    price = 250 * area * rng.lognormal(0, 0.3, SALES)
    return pd.DataFrame(
        {
            "living_area_sqft": area.round(),
            "lot_area_sqft": rng.lognormal(9, 0.9, SALES).round(),
            "sale_date": pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 1500, SALES), unit="D"),
            "sale_price": price.round(-3),
            "list_price": (price * rng.normal(1.02, 0.02, SALES)).round(-3),
        }
    )


def _found(values: pd.Series, name: str = "x_figure") -> str:
    leaks = find_leaks(_table({name: values}))
    return leaks[0].why if leaks else ""


def _monthly_factor(market: pd.DataFrame) -> pd.Series:
    months = market["sale_date"].dt.to_period("M").astype("int64")
    return 1 + 0.5 * np.sin(months.astype(float))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda m: m["sale_price"] * 0.74, "the sale price"),
        (lambda m: np.log10(m["sale_price"]).round(4), "the sale price"),
        (lambda m: (m["sale_price"] / 1000).round(), "the sale price"),
        (lambda m: -m["sale_price"], "the sale price"),
        (lambda m: m["sale_price"].rank(), "the sale price"),
        (lambda m: m["sale_price"] * _monthly_factor(m), "its month"),
        (lambda m: (m["sale_price"] / m["living_area_sqft"]).round(2), "the price per area"),
        (lambda m: m["sale_price"] / m["lot_area_sqft"], "per area of the lot"),
        (lambda m: m["sale_price"] / m["list_price"], "ratio of sale to list price"),
        (lambda m: pd.cut(m["sale_price"], 8, labels=False).astype(float), "bands of the sale price"),
        (lambda m: pd.cut(m["sale_price"], 5, labels=list("abcde")).astype("str"), "bands of the sale price"),
    ],
)
def test_a_column_from_which_the_price_can_be_computed_is_a_leak(
    make: Callable[[pd.DataFrame], pd.Series], what: str
) -> None:
    assert what in _found(make(_market()))


def test_a_leak_is_found_beside_missing_and_mistyped_cells() -> None:
    values = _market()["sale_price"] * 1.3
    values[::7] = np.nan
    values[3] = 1.0
    assert "the sale price" in _found(values)


def test_fair_facts_are_not_accused() -> None:
    market, rng = _market(), np.random.default_rng(8)
    fair_roll = market["sale_price"] * rng.lognormal(0, 0.2, SALES)
    facts = {
        "assessed_value": fair_roll,
        "x_second_area": market["lot_area_sqft"] * rng.normal(1, 0.02, SALES),
        "x_sqft_above": market["living_area_sqft"] * 0.8,
        "x_flag": (market["sale_price"] > 3e6).astype(float),
        "x_noise": pd.Series(rng.normal(size=SALES)),
        "x_latitude_like": pd.Series(rng.normal(47.5, 0.01, SALES)),
        "x_type": pd.Series(rng.choice(["a", "b", "c"], SALES), dtype="str"),
    }
    assert 0.85 < fair_roll.corr(market["sale_price"], method="spearman") < LEAK_CORRELATION
    assert find_leaks(_table(facts)) == ()


@pytest.mark.parametrize(
    "name", ["x_adj_sale_price", "x_price_per_sqft", "x_zestimate", "x_total_value", "x_days_on_market"]
)
def test_a_name_says_enough(name: str) -> None:
    [leak] = find_leaks(_table({name: pd.Series(np.random.default_rng(2).normal(size=SALES))}))
    assert (leak.field, leak.correlation) == (name, None)
    assert "its header says" in leak.why


def test_other_files_and_the_sale_s_own_fields_hold_no_leaks() -> None:
    price = _market()["sale_price"]
    assert find_leaks(_table({"x_figure": price}, Source.TAX)) == ()
    assert find_leaks(_table({})) == ()


def test_the_area_that_a_price_follows_is_no_leak() -> None:
    """Homes of one development often cost exactly the same per square foot."""
    area = _market()["living_area_sqft"]
    assert find_leaks(_table({"sale_price": 250 * area})) == ()


def test_on_real_sales_only_what_was_computed_later_is_accused(sales_data: Path) -> None:
    table = read_table(sales_data / "king_county/house_sales_2006_2015.tsv.gz")
    # Under harmless names: only their figures can tell.
    names = {"AdjSalePrice": "figure a", "LandVal": "figure b", "ImpsVal": "figure c"}
    table = replace(table, frame=table.frame.rename(columns=names))
    mapping = guess_file(table).mapping
    ignored = dict(mapping.ignored)
    assert "the sale price and its month" in ignored["figure a"]
    kept = {rule.column for rule in mapping.rules}
    assert kept >= {"figure b", "figure c", "SqFtTotLiving", "BldgGrade"}
    taken_back = replace(mapping, rules=(*mapping.rules, ColumnRule("figure a", "x_figure_a", "number")))
    assert [leak.column for leak in find_leaks(apply_mapping(table, taken_back))] == ["figure a"]


@pytest.mark.parametrize(
    "file",
    [
        "king_county/kc_house_data_2014_2015.csv",
        "melbourne/melbourne_housing_full.csv.gz",
        "mls_sample/acadiana_sold_2023.csv",
    ],
)
def test_no_guessed_column_of_a_real_file_is_accused(sales_data: Path, file: str) -> None:
    table = read_table(sales_data / file)
    mapped = apply_mapping(table, guess_file(table).mapping)
    assert find_leaks(mapped) == ()
    if "list_price" in mapped.frame:
        assert "list_price" in {rule.field for rule in guess_file(table).mapping.rules}
