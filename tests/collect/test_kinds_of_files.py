"""Kinds of sales files from many countries: money, parts of prices, validity, dates and figures with notes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from core.collect.cells.currencies import likely_currency, written_currency
from core.collect.columns.corrections import Correction, corrected
from core.collect.columns.near_misses import why_no_sales
from core.collect.columns.parts import styles_words
from core.collect.dates.guess import guess_date_format
from core.collect.leaks import area_is_money, find_leaks
from core.collect.mapping import apply_mapping
from core.collect.parsers import Marks, as_date, as_number
from tests.collect.made_sales import BASE, PRICE, ROWS, SOLD, SQFT, fields_of, guess_of, mapped, sales_table, to_check

ROW = np.arange(ROWS)
RNG = np.random.default_rng(5)
ODD = ROW % 9 == 0


@pytest.mark.parametrize(
    ("cells", "header", "code"),
    [
        ("1.52 Crore", "Price (PKR)", "PKR"),
        ("45 Lakh", "price bdt", "BDT"),
        ("45 Lakh", "price", "INR"),
        ("2500000", "ราคา (บาท)", "THB"),
        ("Rp 850 juta", "harga", "IDR"),
    ],
)
def test_the_currency_that_a_header_names_goes_before_what_words_hint_at(cells: str, header: str, code: str) -> None:
    found = written_currency(pd.Series([cells] * 20), header)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize(
    ("cells", "headers", "code"),
    [
        ("2 100 000 kr", ("Salgspris", "Soverom", "Byggeår"), "NOK"),
        ("2 100 000 kr", ("Pris", "Værelser", "Boligareal"), "DKK"),
        ("2 100 000 kr", ("Slutpris", "Boarea"), "SEK"),
        ("Rs. 4,500,000", ("Price", "Marla"), "PKR"),
    ],
)
def test_a_sign_of_several_countries_is_likely_that_of_the_headers(cells: str, headers: tuple[str], code: str) -> None:
    found = likely_currency(pd.Series([cells] * 20), "Price", headers)
    assert found is not None
    assert found.code == code


def test_a_likely_currency_is_to_check() -> None:
    guess = guess_of({"Salgspris": [f"{price:,} kr".replace(",", " ") for price in PRICE]}, "Sale Price")
    assert "prices are in SEK" in to_check(guess)["Salgspris"]


@pytest.mark.parametrize(("form", "code"), [("{} €", "EUR"), ("£{}", "GBP")])
def test_the_price_that_a_person_picks_tells_its_currency(form: str, code: str) -> None:
    table = sales_table({"What it went for": [form.format(price) for price in PRICE]}, "Sale Price")
    guess = guess_of({"What it went for": PRICE}, "Sale Price")
    mapping = corrected(table, guess.mapping, [Correction("What it went for", "sale_price")])
    assert mapping.currency == code


@pytest.mark.parametrize("sign", [1, -1])
def test_columns_that_give_the_price_by_a_sum_or_a_difference_are_left_out(sign: int) -> None:
    part = np.round(PRICE * RNG.uniform(0.1, 0.6, ROWS), -3).astype(int)
    guess = guess_of({"Whole": PRICE - sign * part, "Part": part})
    assert not {"Whole", "Part"} & set(fields_of(guess))
    assert "computed from the sale price" in dict(guess.mapping.ignored)["Part"]


def test_columns_that_give_no_price_together_stay() -> None:
    part = np.round(PRICE * RNG.uniform(0.1, 0.6, ROWS), -3).astype(int)
    fields = fields_of(guess_of({"Fee": part, "Dues": RNG.integers(50, 900, ROWS)}))
    assert {"Fee", "Dues"} <= set(fields)


@pytest.mark.parametrize("header", ["Net", "Gross"])
def test_a_share_of_the_price_is_no_area(header: str) -> None:
    assert header not in fields_of(guess_of({header: (PRICE * 0.97).round()}))


def test_an_area_of_the_size_of_the_price_reveals_it() -> None:
    table = mapped({"Lot Size": SQFT * 4})
    frame = table.frame.assign(lot_area_sqft=table.frame["sale_price"] * 0.97)
    leaks = find_leaks(type(table)(**{**table.__dict__, "frame": frame}))
    assert [leak.field for leak in leaks] == ["lot_area_sqft"]
    assert area_is_money(table.frame["lot_area_sqft"], table.frame["sale_price"]) is None


@pytest.mark.parametrize(
    ("header", "usual", "odd"),
    [
        ("Aandeel", "100%", "50%"),
        ("Cuota", "1", "1/2"),
        ("Parcels in Sale", "1", "3"),
        ("Properties Sold", "1", "4"),
        ("No. of Properties", "1", "2"),
        ("Multiple Parcel Sale", "False", "True"),
        ("Non-Arms Length", "N", "Y"),
        ("Disqualified", "Q", "DQ"),
        ("Full Market Price", "Yes", "No"),
        ("vente_entre_parents", "non", "oui"),
        ("QUAL_CD", "01", "11"),
        ("Qualification Code", "02", "37"),
    ],
)
def test_rows_that_are_no_market_sales_of_one_home_are_set_aside(header: str, usual: str, odd: str) -> None:
    validity = mapped({header: np.where(ODD, odd, usual)}).frame["validity"]
    assert validity[ODD].str.startswith(("non-market", "package")).all()
    assert validity[~ODD].eq("market").all()


@pytest.mark.parametrize("header", ["Family Room", "Property Number", "Home Count"])
def test_facts_of_the_home_say_nothing_of_its_sale(header: str) -> None:
    cells = {"Family Room": np.where(ODD, "Y", "N"), "Home Count": np.ones(ROWS, dtype=int)}
    assert fields_of(guess_of({header: cells.get(header, ROW + 40_001)})).get(header) != "validity"


def test_probate_is_asked_about() -> None:
    guess = guess_of({"Sale Conditions": np.where(ODD, "Probate Listing", "Standard")})
    assert "'Probate Listing' in" in to_check(guess)["Sale Conditions"]


@pytest.mark.parametrize("between", ["; ", ", ", " & "])
def test_a_list_of_parcels_is_a_package(between: str) -> None:
    numbers = np.where(ODD, [between.join((f"66{n:04d}", "7001", "9001")) for n in ROW], [f"55{n:04d}" for n in ROW])
    table = mapped({"Parcel Number": numbers})
    assert table.frame["validity"][ODD].eq("package: 3 parcels on one deed").all()
    assert table.frame["validity"][~ODD].isna().all()


@pytest.mark.parametrize("kind", ["Kiosk", "Ateliers"])
def test_an_unknown_type_without_areas_at_a_tenth_of_the_price_is_asked_about(kind: str) -> None:
    columns = {
        "Property Type": np.where(ODD, kind, "House"),
        "Sale Price": np.where(ODD, PRICE // 10, PRICE),
        "SqFt": np.where(ODD, "", SQFT.astype(str)),
    }
    assert mapped(columns).frame["validity"][ODD].str.startswith("asked").all()


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("Sale Date", lambda day: f"{day:%d. %m. %Y}"),
        ("Sale Date", lambda day: f"{day:%Y.%m.%d}."),
        ("Sale Date", lambda day: f"/Date({int(day.timestamp()) * 1_000})/"),
        ("Sale Date", lambda day: str(int(day.timestamp()))),
        ("COE", lambda day: f"{day:%m/%d/%Y}"),
        ("Completion date", lambda day: f"{day:%d %B %Y}"),
    ],
)
def test_days_of_sales_are_read_as_people_and_programs_write_them(
    header: str, form: Callable[[pd.Timestamp], str]
) -> None:
    table = mapped({header: [form(day) for day in SOLD]}, "Sale Date")
    assert (table.frame["sale_date"] == SOLD).all()


def test_a_year_and_a_month_by_name_make_the_date() -> None:
    table = mapped({"Yr Sold": SOLD.year, "Mo Sold": SOLD.strftime("%b")}, "Sale Date")
    assert (table.frame["sale_date"] == SOLD.to_period("M").to_timestamp()).all()


def test_dates_in_two_formats_are_each_read_in_their_own_and_to_check() -> None:
    cells = np.where(ROW % 2 == 0, SOLD.strftime("%Y-%m-%d"), SOLD.strftime("%m/%d/%Y"))
    assert guess_date_format(pd.Series(cells)).share == 1.0
    assert (as_date(pd.Series(cells), Marks()) == SOLD).all()
    assert "two formats" in to_check(guess_of({"Sale Date": cells}))["Sale Date"]


def test_dates_in_several_formats_say_how_many_rows_each_reads_and_ask_where_one_tells_no_order() -> None:
    words, figures = SOLD.strftime("%d %b %Y"), SOLD.strftime("%d.%m.%Y")
    guess = guess_of({"Sale Date": np.where(ROW % 4 == 0, figures, words)})
    told = f"{words[1]} in {ROWS * 3 // 4} rows, {figures[0]} in {ROWS // 4} rows."
    assert styles_words(guess.mapping.inferences) == f"Sale Date is written in several ways: {told}"
    assert "Sale Date" not in to_check(guess)
    early = np.where(ROW % 4 == 0, [f"0{n % 5 + 1}.0{n % 3 + 2}.2015" for n in ROW], words)
    assert "are month, then day" in to_check(guess_of({"Sale Date": early}))["Sale Date"]


def test_digits_that_spread_over_centuries_are_no_day_numbers() -> None:
    cells = [day.strftime("%m%d%y").lstrip("0") for day in SOLD]
    assert "sale_date" not in fields_of(guess_of({"Sale Date": cells})).values()


@pytest.mark.parametrize(
    ("header", "other"),
    [
        ("Sale Price", "Pending Date"),
        ("Sold For", "Updated"),
    ],
)
def test_a_file_with_a_price_that_was_paid_is_never_called_listings(header: str, other: str) -> None:
    table = sales_table({header: PRICE, other: SOLD.strftime("%Y-%m-%d")}, "Sale Price", "Sale Date")
    guess = guess_of({header: PRICE, other: SOLD.strftime("%Y-%m-%d")}, "Sale Price", "Sale Date")
    why = why_no_sales(table, guess.mapping)
    assert "listings" not in why


@pytest.mark.parametrize(
    ("header", "other"),
    [
        ("Verkoopprijs", "Notarisdag"),
        ("Verkaufspreis", "Notartermin"),
        ("Prix de vente", "Chez le notaire"),
    ],
)
def test_nor_is_one_in_another_language_whose_days_have_no_name_known(header: str, other: str) -> None:
    renamed = {header: PRICE, other: SOLD.strftime("%Y-%m-%d")}
    table, guess = sales_table(renamed, "Sale Price", "Sale Date"), guess_of(renamed, "Sale Price", "Sale Date")
    assert why_no_sales(table, guess.mapping) == f"{other!r} looks like the sale date: map it so if it is."


@pytest.mark.parametrize("cell", ["$412,500 (cash)", "412,500*", "412,500 †", "$412,500**"])
def test_notes_behind_a_figure_are_read_past(cell: str) -> None:
    assert as_number(pd.Series([cell]), Marks())[0] == 412_500


@pytest.mark.parametrize(("cell", "value"), [("Rp 1.565 juta", 1.565e9), ("Rp 2.500 juta", 2.5e9)])
def test_thousands_of_millions_are_read(cell: str, value: float) -> None:
    assert as_number(pd.Series([cell]), Marks(",", "."))[0] == value


def test_the_message_quotes_a_cell_that_is_not_read() -> None:
    cells = np.where(ROW % 2 == 1, "as agreed", PRICE.astype(str))
    table, guess = sales_table({"Sale Price": cells}), guess_of({"Sale Price": cells})
    assert "'as agreed' is no number" in why_no_sales(table, guess.mapping)


@pytest.mark.parametrize(("paid", "asked"), [("Sold $", "List $"), ("Sale $", "Asking $")])
def test_a_sign_stands_for_the_price(paid: str, asked: str) -> None:
    fields = fields_of(guess_of({paid: PRICE, asked: (PRICE * RNG.uniform(0.95, 1.05, ROWS)).round()}, "Sale Price"))
    assert (fields[paid], fields[asked]) == ("sale_price", "list_price")


def test_names_in_a_column_called_area_are_the_neighborhood_where_nothing_else_tells_the_place() -> None:
    cells = RNG.choice(["North Bank", "Old Mill", "Harbor"], ROWS)
    guess = guess_of({"Area": cells}, "Address", "Zip")
    assert fields_of(guess)["Area"] == "neighbourhood"
    assert "Area" in to_check(guess)
    assert (
        apply_mapping(sales_table({"Area": cells}, "Address", "Zip"), guess.mapping)
        .frame["neighbourhood"]
        .notna()
        .all()
    )


def test_the_made_file_itself_is_read_without_doubt() -> None:
    assert set(fields_of(guess_of({}))) == set(BASE)
    assert not to_check(guess_of({}))
