"""How far a range reaches to either side of its estimate, in words."""

from __future__ import annotations

from core.wording import percent


def reach_words(low: float, high: float, point: float) -> str:
    """Return the ends of a range beside its estimate: "37% below the estimate to 62% above it".

    Ranges are lopsided, above all those of dear homes: half their width would hide the farther end. Money is in any
    one currency.
    """
    return f"{percent(1 - low / point)} below the estimate to {percent(high / point - 1)} above it"
