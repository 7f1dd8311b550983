"""Which currency prices are written in: by their signs, by their header, and never by a sign of several countries."""

from __future__ import annotations

import pandas as pd
import pytest

from core.collect.cells.currencies import CURRENCIES, currency_column, money_of_rows, written_currency


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("₹ 2.05 Cr", "INR"),
        ("85.0 Lac", "INR"),
        ("1.250.000 €", "EUR"),
        ("£450,000", "GBP"),
        ("3억 5,000", "KRW"),
        ("R$ 500.000,00", "BRL"),
        ("A$1,200,000", "AUD"),
        ("US$ 300,000", "USD"),
        ("1 250 000 zł", "PLN"),
        ("CHF 1'250'000", "CHF"),
        ("AED 2,400,000", "AED"),
        ("3 500 000 SEK", "SEK"),
    ],
)
def test_a_sign_of_one_currency_tells_it(cell: str, code: str) -> None:
    found = written_currency(pd.Series([cell, None, "", cell]), "price")
    assert found is not None
    assert (found.code, found.n) == (code, 2)


@pytest.mark.parametrize("cell", ["$450,000", "2 400 000 kr", "Rs. 4,500,000", "450000", "R 1 200 000"])
def test_a_sign_of_several_currencies_tells_none(cell: str) -> None:
    assert written_currency(pd.Series([cell] * 20), "price") is None


@pytest.mark.parametrize(
    ("header", "code"),
    [("Price (€)", "EUR"), ("price_chf", "CHF"), ("Sale price AED", "AED"), ("Kaufpreis in EUR", "EUR")],
)
def test_a_header_tells_it_where_the_cells_do_not(header: str, code: str) -> None:
    found = written_currency(pd.Series(["450000"] * 3), header)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("header", ["Sale Price", "price in eur or usd", "all prices", "Topside price", "inrepair"])
def test_a_header_without_one_currency_tells_none(header: str) -> None:
    assert written_currency(pd.Series(["450000"] * 3), header) is None


def test_a_few_signs_among_many_cells_tell_nothing() -> None:
    assert written_currency(pd.Series(["450000"] * 15 + ["€450000"] * 5), "price") is None


@pytest.mark.parametrize(
    ("cell", "fits", "not_of"),
    [
        ("$221,900", "AUD", "GBP"),
        ("USD 221900", "USD", "AUD"),
        ("538000 GBP", "GBP", "USD"),
        ("£538,000", "EGP", "USD"),
        ("2 400 000 kr", "DKK", "EUR"),
        ("R$ 500.000,00", "BRL", "USD"),
        ("¥ 3,000,000", "CNY", "USD"),
    ],
)
def test_a_cell_says_which_currencies_it_may_be_in(cell: str, fits: str, not_of: str) -> None:
    [money, none] = money_of_rows(pd.Series([cell, "1,221,900.50"]))
    assert money is not None
    assert (none, fits in money.codes, not_of in money.codes) == (None, True, False)


def test_a_column_of_currencies_speaks_where_a_price_does_not() -> None:
    frame = pd.DataFrame({"Price": ["500", "€ 600", "700"], "Currency": ["USD", "USD", None], "Current use": ["a"] * 3})
    column = currency_column(frame)
    money = money_of_rows(frame["Price"], frame[column])
    assert (column, [one and one.name for one in money]) == ("Currency", ["USD", "EUR", None])
    assert currency_column(frame.drop(columns="Currency")) == ""


def test_every_code_is_listed_once() -> None:
    assert len(set(CURRENCIES)) == len(CURRENCIES)
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)
