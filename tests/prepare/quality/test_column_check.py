"""Columns against held data: a wrong unit or a shifted column is named, an ordinary next month is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.collect.columns.guess import guess_file
from core.collect.mapping import apply_mapping
from core.collect.reading.reader import read_table
from core.prepare.quality.column_check import OTHER, ColumnComparison, compare_columns, in_unit
from core.schema import SQFT_PER_SQM


def _market(seed: int, rows: int, start: str) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    area = rng.lognormal(7.5, 0.4, rows).round()
    return pd.DataFrame(
        {
            "sale_price": (area * rng.lognormal(5.5, 0.3, rows)).round(-3),
            "sale_date": (pd.Timestamp(start) + pd.to_timedelta(rng.integers(0, 28, rows), unit="D")).astype(
                "datetime64[us]"
            ),
            "living_area_sqft": area,
            "lot_area_sqft": rng.lognormal(9, 0.8, rows).round(),
            "bedrooms": rng.integers(1, 6, rows).astype(float),
            "year_built": rng.integers(1920, 2020, rows).astype(float),
            "latitude": rng.normal(47.5, 0.1, rows),
            "longitude": rng.normal(-122.3, 0.1, rows),
            "property_type": pd.Series(rng.choice(["single_family", "condo", "townhouse"], rows), dtype="str"),
            "zipcode": pd.Series(rng.choice([f"980{place:02d}" for place in range(40)], rows), dtype="str"),
            "address": pd.Series([f"{place} Oak St" for place in range(rows)], dtype="str"),
        }
    )


def _by_field(new: pd.DataFrame, held: pd.DataFrame | None) -> dict[str, ColumnComparison]:
    return {one.field: one for one in compare_columns(new, held, "USD")}


def _findings(new: pd.DataFrame, held: pd.DataFrame) -> dict[str, str]:
    return {one.field: one.finding for one in compare_columns(new, held, "USD") if one.finding}


HELD = _market(1, 2_000, "2023-01-01")
NEW = _market(2, 150, "2023-02-01")


def test_an_ordinary_next_file_has_no_finding() -> None:
    assert _findings(NEW, HELD) == {}


@pytest.mark.parametrize(
    ("field", "factor", "words"),
    [
        ("living_area_sqft", SQFT_PER_SQM, "square feet read as square meters"),
        ("living_area_sqft", 1 / SQFT_PER_SQM, "square meters read as square feet"),
        ("lot_area_sqft", 1 / 43_560, "acres read as square feet"),
        ("sale_price", 1000.0, "amounts in thousands"),
        ("sale_price", 0.001, "amounts in thousands"),
        ("sale_price", 100.0, "cents"),
    ],
)
def test_a_wrong_unit_is_named_with_its_factor(field: str, factor: float, words: str) -> None:
    findings = _findings(NEW.assign(**{field: NEW[field] * factor}), HELD)
    assert findings.keys() == {field}
    assert words in findings[field]
    assert "times the stored one" in findings[field] or " of the stored one" in findings[field]


def test_shifted_columns_are_told_by_the_column_they_resemble() -> None:
    swapped = NEW.assign(latitude=NEW["longitude"], longitude=NEW["latitude"])
    findings = _findings(swapped, HELD)
    assert "Looks like Longitude" in findings["latitude"]
    assert "Looks like Latitude" in findings["longitude"]
    shifted = _findings(NEW.assign(bedrooms=NEW["year_built"]), HELD)
    assert "Looks like Year built" in shifted["bedrooms"]
    words = _findings(NEW.assign(property_type=NEW["zipcode"]), HELD)
    assert "Looks like Zipcode" in words["property_type"]


def test_other_words_another_time_and_missing_cells_are_told() -> None:
    other = NEW.assign(property_type=NEW["property_type"].map({"condo": "Strata"}).fillna(NEW["property_type"]))
    assert "'Strata'" in _findings(other, HELD)["property_type"]
    late = NEW.assign(sale_date=NEW["sale_date"] + pd.Timedelta(days=400))
    assert "is a file missing" in _findings(late, HELD)["sale_date"]
    early = NEW.assign(sale_date=NEW["sale_date"] - pd.Timedelta(days=400))
    assert "an older file" in _findings(early, HELD)["sale_date"]
    assert "Missing in 100%" in _findings(NEW.assign(year_built=np.nan), HELD)["year_built"]


def test_exchanged_day_and_month_are_told() -> None:
    days = pd.to_datetime([f"2023-{1 + place % 11:02d}-{1 + place % 12:02d}" for place in range(150)])
    held = HELD.assign(sale_date=pd.Timestamp("2022-12-01") + pd.to_timedelta(np.arange(2_000) % 300, unit="D"))
    assert "swap day and month" in _findings(NEW.assign(sale_date=days.astype("datetime64[us]")), held)["sale_date"]


def test_areas_are_shown_in_the_unit_of_the_market() -> None:
    one, price = _by_field(NEW, HELD)["living_area_sqft"], _by_field(NEW, HELD)["sale_price"]
    metric = in_unit(one, "sqm")
    assert (in_unit(one, "sqft"), in_unit(price, "sqm")) == (one, price)
    assert one.new_median is not None
    assert metric.new_median == pytest.approx(one.new_median * 0.09290304)
    assert metric.edges == pytest.approx([float(edge) * 0.09290304 for edge in one.edges])
    assert metric.new_share == one.new_share


def test_days_in_findings_are_written_as_in_the_market() -> None:
    later = NEW.assign(sale_date=NEW["sale_date"] + pd.Timedelta(days=400))
    for currency, day in (("USD", "Jan 28, 2023"), ("AUD", "28 Jan 2023")):
        [found] = [one.finding for one in compare_columns(later, HELD, currency) if one.field == "sale_date"]
        assert f"after the last stored date ({day}): is a file missing?" in found


def test_without_held_data_only_the_new_side_is_shown() -> None:
    for one in compare_columns(NEW, None, "USD"):
        assert (one.held_n, one.held_missing, one.held_share, one.finding) == (0, None, (), "")
        assert one.ratio_of_medians is None
        assert one.new_n == 150


def test_bins_are_shared_by_both_sides_and_long_lists_of_levels_are_closed_by_one_for_all_others() -> None:
    found = _by_field(NEW, HELD)
    price = found["sale_price"]
    assert len(price.edges) == len(price.new_share) + 1 == len(price.held_share) + 1
    assert price.ratio_of_medians == pytest.approx(NEW["sale_price"].median() / HELD["sale_price"].median())
    assert found["zipcode"].edges[-1] == OTHER
    assert found["sale_date"].edges == ("2023-01-01", "2023-02-01")
    assert found["address"].edges == ()


@settings(max_examples=40)
@given(
    new=st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), max_size=60),
    held=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=60),
)
def test_shares_sum_to_one_for_any_numbers(new: list[float | None], held: list[float | None]) -> None:
    tables = [pd.DataFrame({"x_one": pd.Series(side, dtype="float64")}) for side in (new, held)]
    [one] = compare_columns(tables[0], tables[1], "USD")
    for share in (one.new_share, one.held_share):
        assert not share or sum(share) == pytest.approx(1.0)
        assert not share or len(share) == len(one.edges) - 1


@pytest.mark.parametrize(
    "file",
    [
        "king_county/kc_house_data_2014_2015.csv",
        "king_county/house_sales_2006_2015.tsv.gz",
        "melbourne/melbourne_housing_full.csv.gz",
    ],
)
def test_no_month_of_real_sales_is_accused_beside_the_months_before_it(sales_data: Path, file: str) -> None:
    table = read_table(sales_data / file)
    sales = apply_mapping(table, guess_file(table).mapping).frame
    sales = sales[sales["sale_price"].notna()]
    month = sales["sale_date"].dt.to_period("M")
    accused: dict[tuple[str, str], str] = {}
    for one in sorted(month.unique())[1::9]:
        held = sales[month < one]
        accused |= {(str(one), field): why for field, why in _findings(sales[month == one], held).items()}
    assert accused == {}


def test_every_wrong_unit_of_a_real_month_is_seen(sales_data: Path) -> None:
    table = read_table(sales_data / "king_county/kc_house_data_2014_2015.csv")
    sales = apply_mapping(table, guess_file(table).mapping).frame
    month = sales["sale_date"].dt.to_period("M")
    held = sales[month < "2015-01"]
    for one in ("2015-01", "2015-03", "2015-05"):
        new = sales[month == one]
        for field in ("living_area_sqft", "lot_area_sqft"):
            for factor in (SQFT_PER_SQM, 1 / SQFT_PER_SQM):
                assert "square" in _findings(new.assign(**{field: new[field] * factor}), held).get(field, "")
        assert "thousands" in _findings(new.assign(sale_price=new["sale_price"] / 1000), held)["sale_price"]
