"""Row accounting: counts that do not sum cannot exist."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounting import FileAccounting, Outcome

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
