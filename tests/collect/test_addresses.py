"""Address keys: the same home written in two ways has one key, and two homes have two."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.collect.addresses import address_key, address_keys

SAME = [
    (("45½ Elm St", ""), ("45 1/2 Elm Street", "")),
    (("12 N. Main St., Apt 4", ""), ("12 North Main Street #4", "")),
    (("12 N Main St", "4"), ("0012 NORTH MAIN STREET UNIT 04", "")),
    (("123 Twenty-First Ave NE", ""), ("123 21st Avenue North East", "")),
    (("5 First St", "305-C"), ("5 1st Street # 305C", "")),
    (("18/659 Victoria St", ""), ("Unit 18, 659 Victoria Street", "")),
    (("406 Ang Mo Kio Avenue 10", ""), ("406 ANG MO KIO AVE 10", "")),
    (("7 Saint James Str", ""), ("7 St. James Street", "")),
    (("9 O'Brien Blvd Suite 200", ""), ("9 OBrien Boulevard, Ste. 200", "")),
    (("3 Café  Ter", ""), ("3 Cafe Terrace", "")),
    (("12 1/2 Oak Ln", ""), ("12 1/2 OAK LANE", "")),
]
DIFFERENT = [
    (("123 N Main St", ""), ("125 N Main St", "")),
    (("12 N Main St", ""), ("12 S Main St", "")),
    (("12 Main St", "4"), ("12 Main St", "5")),
    (("12 Main St", ""), ("12 Main St", "4")),
    (("12 Main St", ""), ("12 Main Ave", "")),
    (("12 E St", ""), ("12 East St", "")),
    (("45½ Elm St", ""), ("451 Elm St", "")),
    (("45½ Elm St", ""), ("45 Elm St", "")),
    (("1 1st Ave", ""), ("1 11th Ave", "")),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings_of_a_home_meet(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert address_key(*one) == address_key(*other) != ""


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_homes_stay_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert address_key(*one) != address_key(*other)


def test_a_key_is_as_the_postal_service_writes() -> None:
    assert address_key("12 North Main Street", "Apt 4") == "12 N MAIN ST #4"


def test_no_address_has_no_key_even_with_a_unit() -> None:
    addresses = pd.Series([None, "", " n/a ", "-", "1 A St"], dtype="str", index=[3, 4, 5, 6, 7])
    keys = address_keys(addresses, pd.Series(["4"] * 5, dtype="str", index=addresses.index))
    assert keys.isna().tolist() == [True, True, True, True, False]
    assert keys.index.tolist() == [3, 4, 5, 6, 7]
    assert str(keys.dtype) == "str"
    assert address_keys(addresses.iloc[:0], addresses.iloc[:0]).empty


def _one_of(words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *words.split()])


_ADDRESSES = st.builds(
    lambda *parts: " ".join(part for part in parts if part),
    st.sampled_from(["12", "012", "7B", "18/659", "12 1/2", "12-14", "4-N", "0"]),
    _one_of("North n. E SW South-East"),
    st.sampled_from(["Main", "First", "Twenty-First", "East", "Avenue", "St James", "Flat Rock", "O'Brien", "Café"]),
    _one_of("Street st. Ave BOULEVARD Park Lor"),
    _one_of("NE West 10"),
    st.sampled_from(["", "Apt 4", ", Unit 04", "#305-C", "# B", "Suite 200", "Apt North", "Ste.", "unit First"]),
    _one_of("Springfield Ohio"),
)


@settings(max_examples=500, deadline=None)
@given(_ADDRESSES, st.sampled_from(["", "4", "Apt 4", "#305-C", "B", "00", "n/a"]))
def test_a_key_is_its_own_key(address: str, unit: str) -> None:
    key = address_key(address, unit)
    assert key
    assert address_key(key) == key


@settings(max_examples=300, deadline=None)
@given(_ADDRESSES)
def test_case_spaces_and_commas_do_not_matter(address: str) -> None:
    assert address_key(f"  {address.swapcase()} ".replace(" ", "  ")) == address_key(address)
    assert address_key(address.replace(" ", " , ")) == address_key(address)


@given(st.text(max_size=40), st.text(max_size=10))
def test_no_text_breaks_the_fold(address: str, unit: str) -> None:
    key = address_key(address, unit)
    assert key == key.strip()
    assert address_key(address, unit) == key


def test_fifty_thousand_addresses_have_keys_of_their_own() -> None:
    addresses = pd.Series([f"{number} North Main Street, Apt {number % 90}" for number in range(50_000)], dtype="str")
    keys = address_keys(addresses, pd.Series(index=addresses.index, dtype="str"))
    assert keys.nunique() == 50_000
