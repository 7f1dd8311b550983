"""Cells as people of many countries write them: amounts, dates, counts and categories."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.cells.amounts import read_amount
from core.collect.cells.categories import items_of_list, known_word
from core.collect.cells.counts import baths_of_parts, full_dot_half, year_in
from core.collect.dates.guess import compact_date_format, guess_date_format
from core.collect.mapping import ColumnRule, read_column
from core.collect.parsers import Marks, as_date, as_leading_number, as_number


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("₹ 2.05 Cr", 20_500_000),
        ("85.0 Lac", 8_500_000),
        ("2 Cr 5 Lac", 20_500_000),
        ("Rs. 45,00,000", 4_500_000),
        ("R$ 1.250.000,00", 1_250_000),
        ("1.250.000,-", 1_250_000),
        ("CHF 1'250'000.-", 1_250_000),
        ("kr 3 450 000", 3_450_000),
        ("12.5 mln zł", 12_500_000),
        ("AED 1,200,000", 1_200_000),
        ("฿3,500,000", 3_500_000),
        ("1.2 million", 1_200_000),
        ("3억 5,000", 350_000_000),
        ("1億2,000万", 120_000_000),
        ("2,850万円", 28_500_000),
        ("３０００００", 300_000),
        ("٣٠٠", 300),
        ("450 тыс. руб.", 450_000),
        ("NT$ 12,000,000", 12_000_000),
    ],
)
def test_amounts_are_read_in_the_money_of_many_countries(text: str, amount: float) -> None:
    assert read_amount(text, ".", ",") == pytest.approx(amount)


@pytest.mark.parametrize("text", ["Price on request", "12 34", "1,23,45", "", "2 Lac 5 Cr", "--"])
def test_what_is_no_amount_is_not_read(text: str) -> None:
    assert math.isnan(read_amount(text, ".", ","))


@given(st.text(alphabet=st.characters(categories=["Nd", "Nl", "No", "Po", "Zs", "Sc"]), max_size=12))
def test_no_text_of_digits_in_any_script_ends_in_an_error(text: str) -> None:
    values = pd.Series([text, "300000"], dtype="str")
    read = as_number(values, Marks())
    assert read.iloc[1] == 300_000
    as_date(values, Marks())


@pytest.mark.parametrize(
    ("texts", "date_format", "first"),
    [
        (["February-8-2018", "September-26-2017"], "%B-%d-%Y", "2018-02-08"),
        (["2014/05/02 05:00:00+00", "2014/06/13 05:00:00+00"], "%Y/%m/%d", "2014-05-02"),
        (["2014-05-02T00:00:00.000Z", "2014-05-13T10:00:00Z"], "%Y-%m-%d", "2014-05-02"),
        (["1110122", "0991231"], "roc", "2022-01-22"),
        (["1663286400000", "1700000000000"], "epoch", "2022-09-16"),
        (["2014年第2四半期", "2015年第1四半期"], "quarter", "2014-04-01"),
        (["Q2 2014", "Q4 2013"], "quarter", "2014-04-01"),
        (["2013.250", "2012.917"], "decimal_year", "2013-04-01"),
        (["2023.3041", "2022.9178"], "decimal_year", "2023-04-22"),
        (["2024.1639", "2023.0027"], "decimal_year", "2024-03-01"),
        (["22/04/2566", "05/12/2565"], "%d/%m/%Y", "2023-04-22"),
        (["2567-02-29", "2566-01-05"], "%Y-%m-%d", "2024-02-29"),
        (["15 de marzo de 2020", "3 de enero de 2021"], "%d %b %Y", "2020-03-15"),
        (["15. März 2020", "1. Dezember 2019"], "%d %b %Y", "2020-03-15"),
        (["15 мая 2020", "3 января 2019"], "%d %b %Y", "2020-05-15"),
        (["令和3年5月1日", "平成30年12月3日"], "%Y-%m-%d", "2021-05-01"),
        (["2014. 5. 2.", "2014. 12. 13."], "%Y-%m-%d", "2014-05-02"),
        (["2023-04", "2021-12"], "%Y-%m", "2023-04-01"),
        (["5th January 2020", "1st March 2021"], "%d %B %Y", "2020-01-05"),
    ],
)
def test_dates_are_read_as_people_write_them(texts: list[str], date_format: str, first: str) -> None:
    values = pd.Series(texts, dtype="str")
    assert guess_date_format(values).date_format == date_format
    read = as_date(values, Marks())
    assert read.iloc[0] == pd.Timestamp(first)
    assert read.notna().all()


@pytest.mark.parametrize(
    ("texts", "date_format"),
    [
        (["02/09/2023", "11/03/2023"] * 20, "%m/%d/%Y"),  # neither tells
        ([f"0{month}/01/2023" for month in (3, 1, 9, 4)], "%m/%d/%Y"),
        ([f"01/0{month}/2023" for month in (3, 1, 9, 4)], "%d/%m/%Y"),
        ([f"0{day}/0{month}/2023" for month in (1, 2, 3) for day in (2, 5, 8)], "%d/%m/%Y"),  # sorted so
        ([f"0{month}/0{day}/2023" for month in (1, 2, 3) for day in (2, 5, 8)], "%m/%d/%Y"),
    ],
)
def test_without_a_day_above_12_the_sorting_of_rows_tells_the_order_of_day_and_month(
    texts: list[str], date_format: str
) -> None:
    found = guess_date_format(pd.Series(texts, dtype="str"))
    assert found.date_format == date_format
    assert ("please check" in found.why) == (len(texts) == 40)


@pytest.mark.parametrize(
    ("texts", "date_format", "first"),
    [
        (["1122023", "12282022", "4302023"], "%m%d%Y", "2023-01-12"),
        (["230422", "221202", "230131"], "%y%m%d", "2023-04-22"),
        (["5122023", "28122022"], "%d%m%Y", "2023-12-05"),
    ],
)
def test_compact_dates_are_named_but_never_guessed_and_read_with_their_zero(
    texts: list[str], date_format: str, first: str
) -> None:
    values = pd.Series(texts, dtype="str")
    assert compact_date_format(values) == date_format
    assert guess_date_format(values).date_format != date_format
    assert as_date(values, Marks(date_format=date_format)).iloc[0] == pd.Timestamp(first)
    assert compact_date_format(pd.Series(["470000", "151500", "218000"], dtype="str")) == ""


@pytest.mark.parametrize(
    ("cells", "unit", "sqft"),
    [
        (["0.25 ac", "10,890 sf", "0.1 acres", "5000"], "sqft", [10_890, 10_890, 4_356, 5_000]),
        (["156 m²", "1,680 sf", "100 sqm", "100"], "sqm", [1_679.2, 1_680, 1_076.4, 1_076.4]),
    ],
)
def test_the_unit_in_a_cell_goes_before_that_of_its_column(cells: list[str], unit: str, sqft: list[float]) -> None:
    rule = ColumnRule("Lot", "lot_area_sqft", "number", unit=unit)
    assert read_column(pd.Series(cells, dtype="str"), rule, Marks())[0].tolist() == pytest.approx(sqft, rel=1e-4)


@pytest.mark.parametrize(
    ("text", "baths"), [("3 (2 1)", 2.5), ("2/1", 2.5), ("2F 1H", 2.5), ("4 (2/1/1)", 3.25), ("3", 3)]
)
def test_baths_in_parts_are_full_and_half_baths(text: str, baths: float) -> None:
    assert baths_of_parts(text) == baths


def test_half_baths_behind_the_point_count_half_each() -> None:
    assert [full_dot_half(text) for text in ("2.1", "3.0", "1", "2.2")] == [2.5, 3, 1, 3]


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1992年", 1992),
        ("昭和55年", 1980),
        ("0830317", 1994),
        ("c. 1920", 1920),
        ("1930-1949", 1939.5),
        ("平成元年", 1989),
    ],
)
def test_the_year_of_a_text_is_found(text: str, year: float) -> None:
    assert year_in(text) == year
    assert math.isnan(year_in("戦前"))


def test_rooms_are_counted_in_any_script() -> None:
    texts = pd.Series(["3ＬＤＫ", "十二層", "2室1厅", "4 B/R"], dtype="str")
    assert as_leading_number(texts, Marks()).tolist() == [3, 12, 2, 4]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SingleFamilyResidence", "single_family"),
        ("Single Family Residence", "single_family"),
        ("13 CONDOS - ELEVATOR APARTMENTS", "condo"),
        ("住宅大樓(11層含以上有電梯)", "apartment"),
        ("中古マンション等", "apartment"),
        ("Dépendance", "outbuilding"),
        ("Doppelhaushälfte", "townhouse"),
        ("Квартира", "apartment"),
        ('["Condominium"]', "condo"),
        ("Schloss", "schloss"),
        ("DS", "ds"),
    ],
)
def test_types_of_homes_are_read_in_many_spellings(text: str, kind: str) -> None:
    read, _ = read_column(pd.Series([text], dtype="str"), ColumnRule("c", "property_type", "property_word"), Marks())
    assert read.tolist() == [kind]


def test_a_list_in_a_cell_is_its_items() -> None:
    assert items_of_list('["City","Lake"]') == "City, Lake"
    assert items_of_list("[not a list") == "[not a list"
    assert known_word("anything", {}) == ""
