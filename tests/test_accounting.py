"""Row accounting: counts that do not sum cannot exist."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounting import FileAccounting, Outcome, reason_words, verdict_words

Counts = tuple[int, int, int, int, int]
COUNTS = st.tuples(*[st.integers(0, 10_000)] * 5)


def account(rows_in: int, counts: Counts) -> FileAccounting:
    accepted, repaired, duplicate, rejected, set_aside = counts
    return FileAccounting("a.csv", "sales", "ab", rows_in, accepted, repaired, duplicate, rejected, {}, set_aside)


@given(COUNTS)
def test_counts_that_sum_are_kept(counts: Counts) -> None:
    kept = account(sum(counts), counts)
    assert tuple(getattr(kept, outcome.value) for outcome in Outcome) == counts


@given(COUNTS, st.integers(-50, 50).filter(bool))
def test_a_lost_or_doubled_row_is_refused_with_both_counts(counts: Counts, off: int) -> None:
    rows_in = sum(counts) + off
    with pytest.raises(ValueError, match=rf"a\.csv: {rows_in} rows in, but {sum(counts)} accounted for"):
        account(rows_in, counts)


def test_an_account_is_final() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        account(0, (0, 0, 0, 0, 0)).accepted = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((21_598, 15, 0, 0, 0), "Ready: 21,598 as they are, 15 repaired, 0 rejected."),
        ((5, 0, 2, 1, 3), "Ready: 5 as they are, 0 repaired, 2 known already, 3 set aside, 1 rejected."),
        (
            (0, 0, 1, 2_999, 0),
            "Nothing to commit: none of the 3,000 rows adds a sale (0 as they are, 0 repaired, 1 known already, "
            "2,999 rejected).",
        ),
    ],
)
def test_a_verdict_says_what_becomes_of_every_row(counts: tuple[int, int, int, int, int], words: str) -> None:
    accepted, repaired, duplicate, rejected, aside = counts
    file = FileAccounting("a.csv", "sales", "", sum(counts), accepted, repaired, duplicate, rejected, {}, aside)
    assert verdict_words([file]) == words


def test_a_verdict_says_of_how_many_rows_that_stay_a_cell_was_emptied() -> None:
    file = FileAccounting("a.csv", "sales", "", 6, 5, 0, 0, 1, {"emptied": 3, "unread_bedrooms": 3, "unread_floors": 1})
    assert verdict_words([file]) == (
        "Ready: 5 as they are, 0 repaired, 1 rejected; of those that stay, 3 have a cell that could not be read and is "
        "left empty."
    )


def test_a_verdict_tells_repeats_in_the_file_from_known_sales_and_names_corrections() -> None:
    reasons = {"already_held": 3, "duplicate_row": 1, "duplicate_sale": 1, "corrects_earlier": 30}
    file = FileAccounting("a.csv", "sales", "", 35, 30, 0, 5, 0, reasons)
    assert verdict_words([file]) == (
        "Ready: 30 as they are, 0 repaired, 3 known already, 2 repeated in the file, 0 rejected; 30 of them correct "
        "sales that the market has."
    )


def test_files_with_an_open_doubt_are_not_called_ready() -> None:
    assert verdict_words([account(5, (5, 0, 0, 0, 0))], ["dates may be read wrongly."]).startswith("Look first: 5 as")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("already_held", "known already"),
        ("no_such_day", "no such day"),
        ("zero_year_renovated", "0 read as never renovated"),
        ("zero_lot_area_sqft", "0 read as unknown lot area"),
        ("living_area_sqft_impossible", "living area impossible"),
        ("non_market_sale", "non market sale"),
    ],
)
def test_a_reason_is_written_in_words(code: str, words: str) -> None:
    assert reason_words(code) == words
