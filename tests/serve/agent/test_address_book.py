"""Homes found by a few letters of their address, with the facts of their latest sale and never a price."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from core.serve.agent.address_book import FOUND_MAX, AddressBook

NAMES = ("zipcode", "living_area_sqft", "bedrooms")


@pytest.fixture(scope="module")
def book() -> AddressBook:
    sales = [
        ("12 N. Elm Street", None, "98103", 1_500.0, 3.0, "2020-05-01", 400_000.0),
        ("12 NORTH ELM ST", None, "98103", 1_700.0, float("nan"), "2024-05-01", 600_000.0),
        ("12 Elmira Ct", None, "98104", 900.0, 2.0, "2021-05-01", 300_000.0),
        ("7 Oak Ave", "3", "98105", 800.0, 1.0, "2022-05-01", 200_000.0),
        ("7 Oak Ave", "4", "98105", 850.0, 1.0, "2022-06-01", 210_000.0),
        (None, None, "98105", 850.0, 1.0, "2022-06-01", 210_000.0),
        *((f"{number} Pine Rd", None, "98106", 1_000.0, 2.0, "2022-06-01", 1.0) for number in range(900, 920)),
    ]
    columns = ["address", "unit", *NAMES, "sale_date", "sale_price"]
    return AddressBook(pd.DataFrame(sales, columns=columns).astype({"sale_date": "datetime64[us]"}), NAMES)


def test_a_home_sold_twice_is_known_once_as_its_latest_sale_recorded_it(book: AddressBook) -> None:
    home = book.find("12 n elm st")[0]
    assert home.recorded == date(2024, 5, 1)
    assert home.address == "12 North Elm St"
    assert home.facts["living_area_sqft"] == 1_700.0
    assert "bedrooms" not in home.facts
    assert len(book) == 24


def test_no_price_comes_with_a_home(book: AddressBook) -> None:
    for home in book.find("12 elm"):
        assert set(home.facts) <= {*NAMES, "address"}


@pytest.mark.parametrize("typed", ["12 elm", "12 Elm Street", "12 north elm st.", "12 elm str"])
def test_part_of_an_address_or_another_spelling_finds_it(book: AddressBook, typed: str) -> None:
    assert "Elm S" in book.find(typed)[0].address


def test_a_mistyped_street_finds_it(book: AddressBook) -> None:
    assert book.find("7 oka ave #4")[0].facts["living_area_sqft"] == 850.0
    assert [home.address for home in book.find("7 Oak Ave")] == ["7 Oak Ave #3", "7 Oak Ave #4"]


def test_few_homes_are_offered_and_none_for_what_is_like_no_address(book: AddressBook) -> None:
    assert len(book.find("pine rd")) <= FOUND_MAX
    assert book.find("4711 nowhere blvd") == []
    assert book.find("   ") == []


def test_sales_without_addresses_give_an_empty_book() -> None:
    sales = pd.DataFrame({"zipcode": ["98103"], "sale_date": [pd.Timestamp("2024-01-01")]})
    book = AddressBook(sales, NAMES)
    assert len(book) == 0
    assert book.find("12 elm") == []
