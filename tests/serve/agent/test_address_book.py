"""Homes found by a few letters of their address, with the facts of their latest sale and never a price."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from core.serve.agent.address_book import FOUND_MAX, AddressBook, sources_words
from core.serve.agent.tax_roll import joined_roll
from core.store.base.markets import new_market

USD = new_market("Larkhaven", "USD", "sqft", True)
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
    home = book.find("12 n elm st").homes[0]
    assert home.recorded == date(2024, 5, 1)
    assert home.address == "12 N Elm St"
    assert home.facts["living_area_sqft"] == 1_700.0
    assert "bedrooms" not in home.facts
    assert len(book) == 24


def test_no_price_comes_with_a_home(book: AddressBook) -> None:
    for home in book.find("12 elm").homes:
        assert set(home.facts) <= {*NAMES, "address"}


@pytest.mark.parametrize("typed", ["12 elm", "12 Elm Street", "12 north elm st.", "12 elm str"])
def test_part_of_an_address_or_another_spelling_finds_it(book: AddressBook, typed: str) -> None:
    assert "Elm S" in book.find(typed).homes[0].address


@pytest.mark.parametrize("typed", ["900 Pine Road", "900 pine rd", "900 Pine Rd 98106"])
def test_a_home_whose_whole_address_is_typed_comes_alone(book: AddressBook, typed: str) -> None:
    found = book.find(typed)
    assert ([home.address for home in found.homes], found.more) == (["900 Pine Rd"], 0)


def test_a_building_is_not_taken_for_one_of_its_units() -> None:
    homes = pd.DataFrame({"address": ["8 Bay St"] * 3, "unit": [None, "1", "2"], "zipcode": "98103"})
    book = AddressBook(homes.assign(sale_date=pd.Timestamp("2022-06-01")), NAMES)
    assert len(book.find("8 Bay St").homes) == 3
    assert [home.address for home in book.find("8 Bay St #2").homes] == ["8 Bay St #2"]


def test_a_mistyped_street_finds_it(book: AddressBook) -> None:
    assert book.find("7 oka ave #4").homes[0].facts["living_area_sqft"] == 850.0
    assert [home.address for home in book.find("7 Oak Ave").homes] == ["7 Oak Ave #3", "7 Oak Ave #4"]


def test_an_address_without_a_zip_code_is_known_where_one_area_has_it(book: AddressBook) -> None:
    asked = pd.DataFrame(
        {"address": ["12 N Elm St", "7 Oak Ave", "7 Oak Ave", "1 Fir Way"], "unit": [None, "4", None, None]},
        dtype="str",
    )
    found = [home.facts.get("zipcode") if home else None for home in book.known(asked)]
    assert found == ["98103", "98105", None, None]
    twice = pd.DataFrame(
        {"address": ["5 Fir St"] * 2, "zipcode": ["98103", "98104"], "living_area_sqft": [900.0, 950.0]}
    )
    apart = AddressBook(twice.assign(unit=None, sale_date=pd.Timestamp("2022-06-01")), NAMES)
    assert list(apart.known(pd.DataFrame({"address": ["5 Fir St"]}, dtype="str"))) == [None]


def test_units_of_a_building_come_in_order_with_how_many_more_there_are() -> None:
    units = ["304", "9", "102", "10", "204", "101", "103"]
    rows = [("116 Mirage Raven Ct", unit, "86907", pd.Timestamp("2022-06-01")) for unit in units]
    building = AddressBook(pd.DataFrame(rows, columns=["address", "unit", "zipcode", "sale_date"]), NAMES)
    found = building.find("116 mirage raven")
    assert [home.address.partition("#")[2] for home in found.homes] == ["9", "10", "101", "102", "103"]
    assert found.more == 2
    assert building.find("116 mirage raven #304").homes[0].address.endswith("#304")
    assert building.find("116 mirage raven #304").more == 0


def test_few_homes_are_offered_and_none_for_what_is_like_no_address(book: AddressBook) -> None:
    assert len(book.find("pine rd").homes) <= FOUND_MAX
    assert book.find("4711 nowhere blvd").homes == ()
    assert book.find("   ").homes == ()


ROLL = [
    ("14-02", "12 NORTH ELM ST", "98103", 1_690.0, 4.0, 5_000.0),
    ("14-03", "14 N ELM ST", "98103", 1_200.0, 2.0, 4_000.0),
    ("14-04", "14 N ELM ST", "98199", 900.0, 1.0, 3_000.0),
    ("14-05", None, "98103", 950.0, 1.0, 3_000.0),
]


def with_roll() -> AddressBook:
    sales = pd.DataFrame(
        {
            "address": ["12 N. Elm Street"],
            "unit": [None],
            "zipcode": ["98103"],
            "living_area_sqft": [1_700.0],
            "bedrooms": [float("nan")],
            "sale_date": pd.to_datetime(["2024-05-01"]),
            "sale_price": [1.0],
        }
    ).astype({"unit": "str"})
    columns = ["property_id", "address", *NAMES, "lot_area_sqft"]
    new = pd.DataFrame(ROLL, columns=columns).astype({"property_id": "str", "address": "str", "zipcode": "str"})
    new = new.assign(sale_price=5.0, x_owner=pd.Series(["Kim Doe"] * len(new), dtype="str"), x_heat=1.0)
    roll = joined_roll(lambda: None, new, date(2025, 3, 1))
    assert roll is not None
    assert not {"sale_price", "x_owner"} & {*roll}
    assert "x_heat" in roll
    return AddressBook(sales, (*NAMES, "lot_area_sqft"), roll)


def test_a_home_nobody_sold_is_found_on_the_tax_roll_with_its_source_and_year() -> None:
    home, other, *_ = with_roll().find("14 elm st").homes
    assert {home.facts["zipcode"], other.facts["zipcode"]} == {"98103", "98199"}
    assert (home.recorded, home.on_roll) == (None, date(2025, 3, 1))
    assert home.address == "14 N Elm St"
    assert sources_words(home, USD) == "Facts as on the tax roll, 2025"


def test_what_the_sale_did_not_record_comes_from_the_tax_roll_and_says_so() -> None:
    [home] = [one for one in with_roll().find("12 n elm st").homes if one.recorded]
    assert home.facts["living_area_sqft"] == 1_700.0
    assert home.facts["bedrooms"] == 4.0
    assert sources_words(home, USD) == (
        "Facts as recorded with its sale of May 1, 2024; bedrooms, lot area from the tax roll, 2025"
    )


@pytest.mark.parametrize("typed", ["14-05", "1405", " 14 05 "])
def test_a_property_id_finds_its_home(typed: str) -> None:
    home = with_roll().find(typed).homes[0]
    assert home.facts["living_area_sqft"] == 950.0
    assert home.facts["property_id"] == "14-05"


@pytest.mark.parametrize(
    "typed", ["2023049218", "2023-0492-18", "2,023,049,218", "2023049218.0", "Parcel no. 2023049218"]
)
def test_sales_without_addresses_are_found_by_the_number_as_people_write_it(typed: str) -> None:
    columns = ["property_id", *NAMES, "sale_date"]
    rows = [
        ("2023049218", "98103", 1_500.0, 3.0, "2020-05-01"),
        ("2023049219", "98104", 900.0, 2.0, "2021-05-01"),
        ("2023049218", "98103", 1_700.0, 4.0, "2024-05-01"),
    ]
    sales = pd.DataFrame(rows, columns=columns).astype({"sale_date": "datetime64[us]"})
    book = AddressBook(sales, NAMES)
    [home] = book.find(typed).homes
    assert (home.address, home.facts["living_area_sqft"], home.recorded) == ("2023049218", 1_700.0, date(2024, 5, 1))
    assert book.numbered(typed) == home
    assert len(book) == 2
    assert book.find("2023049217").homes == (), "another parcel is not like it"
    roll = pd.DataFrame({"property_id": ["2023-049218"], "address": ["9 Fir St"], "zipcode": ["98103"]})
    kept = joined_roll(lambda: None, roll.assign(lot_area_sqft=4_000.0), date(2025, 3, 1))
    [whole] = AddressBook(sales, (*NAMES, "lot_area_sqft"), kept).find(typed).homes
    assert (whole.address, whole.facts["bedrooms"], whole.facts["lot_area_sqft"]) == ("9 Fir St", 4.0, 4_000.0)


def test_the_rise_in_assessed_value_is_that_of_the_roll_though_the_sale_recorded_an_earlier_one() -> None:
    sales = pd.DataFrame(
        {
            "address": pd.Series(["12 Oak Street"], dtype="str"),
            "zipcode": pd.Series(["00101"], dtype="str"),
            "bedrooms": [3.0],
            "assessed_rise": [1.5],
            "sale_date": pd.to_datetime(["2024-05-05"]),
        }
    )
    roll = joined_roll(lambda: None, sales.drop(columns="sale_date").assign(assessed_rise=24.0), date(2026, 1, 1))
    (home,) = AddressBook(sales, ("zipcode", "bedrooms", "assessed_rise"), roll).find("12 oak st").homes
    assert home.facts["assessed_rise"] == 24.0
    assert home.from_roll == {"assessed_rise"}
    assert "assessed" not in sources_words(home, USD), "it comes silently"


def test_a_newer_roll_takes_the_place_of_each_home_it_has_and_leaves_the_others() -> None:
    columns = ["property_id", "address", *NAMES, "lot_area_sqft"]
    words = {"property_id": "str", "address": "str", "zipcode": "str"}
    first = joined_roll(lambda: None, pd.DataFrame(ROLL, columns=columns).astype(words), date(2024, 3, 1))
    later = pd.DataFrame([("14-03", "14 N ELM ST", "98103", 1_300.0, 2.0, 4_000.0)], columns=columns).astype(words)
    both = joined_roll(lambda: first, later, date(2025, 3, 1))
    assert both is not None
    assert len(both) == len(ROLL)
    [newer] = both[both["property_id"] == "14-03"].to_dict("records")
    assert (newer["living_area_sqft"], newer["roll_day"].year) == (1_300.0, 2025)
    assert joined_roll(lambda: pytest.fail("nothing new needs nothing held"), None, date(2025, 3, 1)) is None


def test_sales_without_addresses_give_an_empty_book() -> None:
    sales = pd.DataFrame({"zipcode": ["98103"], "sale_date": [pd.Timestamp("2024-01-01")]})
    book = AddressBook(sales, NAMES)
    assert len(book) == 0
    assert book.find("12 elm").homes == ()
