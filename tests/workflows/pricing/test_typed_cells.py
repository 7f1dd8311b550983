"""Numbers in a list of homes: each cell as the form reads it, no unit from magnitudes, no guess of two readings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from core.access import Actor, Role
from core.progress import silent
from core.schema import SQFT_PER_SQM
from core.workflows.pricing.asking_prices import with_asking
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.many_homes import PricedFile, price_file

AGENT = Actor("Ann", Role.AGENT)


@pytest.fixture
def area(small_desk: Desk) -> str:
    """The busiest zipcode."""
    assert small_desk.bundle is not None
    return next(iter(small_desk.bundle.model.profile.area_codes["zipcode"]))


def priced(desk: Desk, folder: Path, columns: dict[str, list[str]]) -> PricedFile:
    path = folder / "homes.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return price_file(desk, path, "homes.csv", desk.valuation_date(date(2026, 1, 1)), silent, AGENT)


def homes(area: str, n: int, **further: list[str]) -> dict[str, list[str]]:
    return {"zip": [area] * n, "living area": ["1680"] * n} | {
        name.replace("_", " "): one for name, one in further.items()
    }


@pytest.mark.parametrize("lots", [["4", "5.1"], ["6000", "0.5"], ["4"]])
def test_no_unit_is_guessed_from_magnitudes(small_desk: Desk, tmp_path: Path, area: str, lots: list[str]) -> None:
    answer = priced(small_desk, tmp_path, homes(area, len(lots), lot_area=lots))
    assert answer.homes["lot_area_sqft"].tolist() == [float(one) for one in lots]


def test_no_unit_of_many_homes_is_guessed_from_their_median(small_desk: Desk, tmp_path: Path, area: str) -> None:
    sizes = [str(90 + n) for n in range(30)]
    columns = {"zip": [area] * 30, "living area": sizes, "Lot area (sqft)": [f"{n}.5" for n in range(1, 31)]}
    answer = priced(small_desk, tmp_path, columns)
    assert answer.homes["living_area_sqft"].tolist() == [float(one) for one in sizes]
    assert answer.homes["lot_area_sqft"].max() == 30.5


def test_a_heading_and_a_cell_give_their_unit(small_desk: Desk, tmp_path: Path, area: str) -> None:
    columns = {"zip": [area] * 2, "living area": ["140 m2", "1500 sqft"], "Lot area (acres)": ["0.25", "8,000 sq ft"]}
    found = priced(small_desk, tmp_path, columns).homes
    assert found["living_area_sqft"].tolist() == pytest.approx([140 * SQFT_PER_SQM, 1500])
    assert found["lot_area_sqft"].tolist() == pytest.approx([10_890, 8_000])
    metric = replace(small_desk, market=replace(small_desk.market, area_unit="sqm"))
    found = priced(metric, tmp_path, {"zip": [area], "living area": ["1500 sqft"], "lot": ["600"]}).homes
    assert found["living_area_sqft"].tolist() == [1500]
    assert found["lot_area_sqft"].tolist() == pytest.approx([600 * SQFT_PER_SQM])


def test_a_cell_without_the_unit_that_others_name_is_to_correct(small_desk: Desk, tmp_path: Path, area: str) -> None:
    answer = priced(small_desk, tmp_path, homes(area, 3, lot_area=["0.25 acres", "0.5", "0"]))
    assert answer.table["row"].tolist() == [1, 3]
    [wrong] = answer.errors.to_dict("records")
    assert (wrong["row"], wrong["status"], wrong["field"], wrong["value"]) == (2, "refused", "lot_area_sqft", "0.5")
    assert "Write 0.5 sq ft or 0.5 acre" in wrong["remedy"]


@pytest.mark.parametrize(
    ("lots", "baths"), [(["4,500", "5,100"], ["1,5", "2,5"]), (["4.500", "5.100"], ["1.5", "2.5"])]
)
def test_a_cell_that_may_be_either_is_to_correct_with_both_readings(
    small_desk: Desk, tmp_path: Path, area: str, lots: list[str], baths: list[str]
) -> None:
    answer = priced(small_desk, tmp_path, homes(area, 2, bathrooms=baths, lot_area=lots))
    assert answer.counts["priced"] == 0
    first = answer.errors.to_dict("records")[0]
    assert (first["status"], first["field"], first["value"]) == ("refused", "lot_area_sqft", lots[0])
    assert f"Lot area '{lots[0]}' in column 'lot area' is either 4,500 or 4.5 sq ft" in first["reason"]
    assert "Write 4500 or 4.5" in first["remedy"]
    assert answer.to_correct.all()


@pytest.mark.parametrize(
    ("lots", "baths", "read"),
    [
        (["4,500", "5,100"], ["1.5", "2.5"], [4500, 5100]),
        (["4,500", "6000"], ["1", "2"], [4500, 6000]),
        (["4.500", "5.100"], ["1,5", "2,5"], [4500, 5100]),
        (["4.500,5", "5.100"], ["1.5", "2.5"], [4500.5, 5100]),
        (["4,500", "5,100,000"], ["1,5", "2,5"], [4500, 5_100_000]),
        (["871.212", "10345.25"], ["1", "2"], [871.212, 10345.25]),
    ],
)
def test_the_cells_beside_it_say_what_a_mark_is(
    small_desk: Desk, tmp_path: Path, area: str, lots: list[str], baths: list[str], read: list[float]
) -> None:
    answer = priced(small_desk, tmp_path, homes(area, 2, bathrooms=baths, lot_area=lots))
    assert answer.homes["lot_area_sqft"].tolist() == read
    assert answer.counts["priced"] == 2


def test_one_odd_mark_leaves_a_column_of_grouped_lots_as_it_is(small_desk: Desk, tmp_path: Path, area: str) -> None:
    lots = [f"{n},500" for n in range(4, 10)]
    answer = priced(small_desk, tmp_path, homes(area, 6, bathrooms=["1,5", *["2"] * 5], lot_area=lots))
    assert answer.homes["lot_area_sqft"].tolist() == [4500, 5500, 6500, 7500, 8500, 9500]


def test_a_decimal_comma_elsewhere_turns_no_living_area_or_asking_price_into_another(
    small_desk: Desk, tmp_path: Path, area: str
) -> None:
    columns = {"zip": [area], "living area": ["1,680"], "bathrooms": ["1,5"], "asking price": ["600,000"]}
    answer = priced(small_desk, tmp_path, columns)
    assert answer.homes[["living_area_sqft", "bathrooms", "list_price"]].to_numpy().tolist() == [[1680, 1.5, 600_000]]
    assert answer.counts["priced"] == 1


def test_a_yes_or_no_is_read_in_a_file_as_alone(small_desk: Desk, tmp_path: Path, area: str) -> None:
    answer = priced(
        small_desk, tmp_path, homes(area, 4, waterfront=["yes", "0", "2", ""], bedrooms=["3", "3", "3", "2.5"])
    )
    assert answer.table["row"].tolist() == [1, 2]
    assert answer.homes["waterfront"].tolist()[:2] == [1, 0]
    assert "'2' in column 'waterfront' is not yes or no" in answer.errors["reason"][0]
    assert "Bedrooms cannot be 2.5: it must be a whole number" in answer.errors["reason"][1]


def test_a_range_of_areas_is_read_with_the_same_marks(small_desk: Desk, tmp_path: Path, area: str) -> None:
    answer = priced(
        small_desk, tmp_path, homes(area, 2, bathrooms=["1,5", "2,5"], lot_area=["4,500.5", "4,000 - 5,000"])
    )
    assert answer.homes["lot_area_sqft"].tolist() == [4500.5, 4500]


def test_an_asking_price_left_out_is_no_asking_price(small_desk: Desk, tmp_path: Path, area: str) -> None:
    answer = priced(small_desk, tmp_path, homes(area, 2, asking_price=["600", "450000"]))
    assert answer.counts["priced"] == 2
    assert with_asking(answer, answer.table)["asking_price"].fillna(0).tolist() == [0, 450_000]
    assert (
        "The asking price “600” must lie between 10,000 and 500,000,000: it was left out." in answer.table["advice"][0]
    )
