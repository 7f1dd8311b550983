"""Numbers typed one at a time: the marks of any country, and nothing that could be another number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.cells.typed import read_typed


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1500,5", 1500.5),
        ("1,5", 1.5),
        ("1,500", 1500),
        ("1,234,567.5", 1_234_567.5),
        ("1.234.567,5", 1_234_567.5),
        ("1.500,5", 1500.5),
        ("1 500", 1500),
        ("1’500", 1500),
        ("12,5000", 12.5),
        ("1.5e3", 1500),
        ("-1,5", -1.5),
        ("１５００", 1500),
        (" 3 ", 3),
    ],
)
def test_the_marks_of_any_country_are_read(text: str, number: float) -> None:
    assert read_typed(text) == number


@pytest.mark.parametrize("text", ["", "three", "150 m2", "1,2,3", "1.2.3", "1,5,00", "inf", "nan", "1e999", "$5", "2k"])
def test_what_is_no_number_alone_is_none(text: str) -> None:
    assert math.isnan(read_typed(text))


@given(st.integers(0, 10**9), st.integers(0, 99))
def test_a_number_reads_the_same_in_every_country(whole: int, cents: int) -> None:
    english = f"{whole:,}.{cents:02}"
    german = english.translate(str.maketrans(",.", ".,"))
    swiss, french = english.replace(",", "’"), german.replace(".", "\u202f")
    assert {read_typed(text) for text in (english, german, swiss, french)} == {float(f"{whole}.{cents:02}")}
