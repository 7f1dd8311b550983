"""How far a range reaches is said of both of its ends."""

from __future__ import annotations

from core.serve.review.reach import reach_words


def test_both_ends_are_told_apart() -> None:
    assert reach_words(800.0, 1690.0, 1000.0) == "20% below the estimate to 69% above it"
