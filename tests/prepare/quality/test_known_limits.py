"""Known limits: what is missing, thin, old or never captured is counted, and put into words for the model's users."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.accounting import FileAccounting
from core.prepare.quality.known_limits import PRICE, SIZE, TYPE, ZIPCODE, known_limits, limits_markdown
from core.prepare.signals.dated import area_figures, market_figures
from core.problem import Problem

ROWS = 1_000


def _sales() -> pd.DataFrame:
    months = np.repeat(pd.period_range("2022-01", "2022-11", freq="M").to_timestamp().to_numpy(), 100)[:ROWS]
    dates = pd.Series(months).where(pd.Series(months) != pd.Timestamp("2022-04-01"), pd.Timestamp("2022-05-01"))
    return pd.DataFrame(
        {
            "sale_price": [300_000.0] * 950 + [900_000.0] * 40 + [4_000_000.0] * 10,
            "sale_date": dates.astype("datetime64[us]"),
            "living_area_sqft": np.linspace(800, 4_000, ROWS),
            "bedrooms": [np.nan] * 400 + [3.0] * 600,
            "property_type": pd.Series(
                ["single_family"] * 960 + ["multi_family"] * 20 + ["houseboat"] * 20, dtype="str"
            ),
            "zipcode": pd.Series(["98001"] * 900 + ["98002"] * 60 + ["9|8"] * 40, dtype="str"),
            "latitude": [np.nan] * ROWS,
            "intake_row": np.arange(ROWS),
        }
    )


ACCOUNT = FileAccounting("a.csv", "sales", "0", 2_000, 900, 100, 200, 800, {"price_missing": 700, "date_missing": 100})


def test_missing_facts_are_counted_and_absent_ones_listed(problem: Problem) -> None:
    limits = known_limits(_sales(), "USD", "sqft", problem)
    [missing] = limits.missing
    assert (missing.field, missing.missing, missing.share) == ("bedrooms", 400, 0.4)
    assert {"Latitude", "Condition (1-5)", "List date", "School rating (1-5)"} <= set(limits.not_captured)
    assert not {"Bedrooms", "Sale price", "Zipcode"} & set(limits.not_captured)


def test_thin_segments_are_luxury_rare_types_and_sparse_zipcodes(problem: Problem) -> None:
    thin = known_limits(_sales(), "USD", "sqft", problem).thin
    counted = {(one.kind, one.name): (one.n, one.thin) for one in thin}
    assert counted[(PRICE, "$3.2M and over")] == (10, True)
    assert counted[(PRICE, "$800K to $1.6M")] == (40, False)
    assert counted[(TYPE, "houseboat")] == counted[(TYPE, "multi family")] == (20, True)
    assert counted[(ZIPCODE, "98002")] == (60, False)
    assert (ZIPCODE, "98001") not in counted
    assert {name for kind, name in counted if kind == SIZE} == {"under 832 sq ft", "3,968 sq ft and over"}


def test_months_without_sales_are_named(problem: Problem) -> None:
    time = known_limits(_sales(), "USD", "sqft", problem).time
    assert time.empty == ("2022-04-01",)
    assert len(time.months) == 10
    assert sum(n for _, n in time.months) == ROWS


def test_shares_of_the_files_come_from_their_accounting(problem: Problem) -> None:
    tax = replace(ACCOUNT, source="tax", rows_in=10, accepted=10, repaired=0, duplicate=0, rejected=0, reasons={})
    intake = known_limits(_sales(), "USD", "sqft", problem, [ACCOUNT, tax]).intake
    assert intake is not None
    assert (intake.rows_in, intake.rejected, intake.duplicate) == (2_000, 0.4, 0.1)
    assert intake.accepted + intake.repaired + intake.duplicate + intake.rejected == pytest.approx(1.0)
    assert intake.reasons[0] == ("price_missing", 700)


def test_rows_set_aside_do_not_count_among_the_reasons_of_rejections(problem: Problem) -> None:
    reasons = {"area_unit": 900, "price_missing": 500, "living_area_sqft_impossible": 300, "already_held": 200}
    account = replace(ACCOUNT, rows_in=2_900, set_aside=900, reasons=reasons)
    words = " ".join(known_limits(_sales(), "USD", "sqft", problem, [account]).consequences)
    assert "28% of the rows were rejected, most often for no price and living area impossible: if" in words


def test_dated_figures_are_listed_and_no_indicator_counts_as_not_captured(problem: Problem) -> None:
    days = pd.to_datetime(["2022-01-01", "2022-02-01"] * 2)
    names = ["Mortgage rate"] * 2 + ["Listings"] * 2
    held = pd.DataFrame({"indicator": names, "indicator_day": days, "indicator_value": [4.2, 4.1804, 3_000, 3_020]})
    sales = _sales().assign(x_income=[np.nan] * 500 + [40_000.0] * 500)
    figures = (*market_figures(held), *area_figures(sales, ["x_income", "x_gone"]))
    limits = known_limits(sales, "USD", "sqft", problem, dated=figures)
    assert not {"Indicator", "Day of the figures", "Value of the indicator"} & set(limits.not_captured)
    text = limits_markdown(limits, "Lake")
    assert "| Listings | the market | 2 | Jan 1, 2022 | Feb 1, 2022 | 3,020 |" in text
    assert "| Mortgage rate | the market | 2 | Jan 1, 2022 | Feb 1, 2022 | 4.18 |" in text
    assert "| Income | each area | 5 | Jun 1, 2022 | Oct 1, 2022 | 40,000 |" in text


def test_days_are_written_as_in_the_market(problem: Problem) -> None:
    assert "Prices after Oct 1, 2022 are projected" in limits_markdown(
        known_limits(_sales(), "USD", "sqft", problem), "A"
    )
    assert "Prices after 1 Oct 2022 are projected" in limits_markdown(
        known_limits(_sales(), "AUD", "sqm", problem), "A"
    )


def test_consequences_say_what_follows_for_the_model(problem: Problem) -> None:
    words = " ".join(known_limits(_sales(), "USD", "sqft", problem, [ACCOUNT]).consequences)
    assert "Without coordinates" in words
    assert "condition (1-5)" in words
    assert "lack bedrooms" in words
    assert "houseboat (20)" in words
    assert "40% of the rows were rejected, most often for no price" in words
    assert "1 month without a sale" in words


def test_the_report_is_markdown_with_every_part_and_safe_names(problem: Problem) -> None:
    text = limits_markdown(known_limits(_sales(), "USD", "sqm", problem, [ACCOUNT]), "Lake <b>*City*")
    for heading in (
        "# Known limits",
        "## Missing facts",
        "## Small segments",
        "## Coverage in time",
        "## Rows in the files",
    ):
        assert heading in text
    assert "<b>" not in text.replace("\\<b\\>", "")
    assert "9\\|8" in text
    assert "m²" in text


def test_a_market_of_another_currency_and_an_empty_one_are_described(problem: Problem) -> None:
    elsewhere = known_limits(_sales(), "AUD", "sqm", problem)
    assert all(one.name.startswith(("A$", "under A$")) for one in elsewhere.thin if one.kind == PRICE)
    empty = known_limits(_sales().iloc[:0], "USD", "sqft", problem)
    assert (empty.sales, empty.thin, empty.time.first) == (0, (), None)
    assert limits_markdown(empty, "Empty").startswith("# Known limits")
