"""How comparables count in a value: once, or more often where an agent chose so; whether they back the range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from core.serve.comparables import Comparable, ComparableValue, weak_in_use

_DECIMALS: Final = 6


def multipliers(comparables: Sequence[Comparable], shares: Mapping[str, float]) -> dict[str, float]:
    """Return by sale_id how often each sale with a share in a value counts, the least of them 1.

    A sale's share is how like the home it is times how often it counts. Empty where no sale has a share.
    """
    counted = {
        one.sale_id: shares[one.sale_id] / (one.similarity or 1.0) for one in comparables if one.sale_id in shares
    }
    least = min((often for often in counted.values() if often > 0), default=0.0)
    return {sale_id: round(often / least, _DECIMALS) for sale_id, often in counted.items()} if least else {}


def often_words(often: float) -> str:
    """Say how often a sale counts, "" for once: "counts twice"."""
    if round(often) < 2:
        return ""
    return "counts twice" if round(often) == 2 else f"counts {round(often)} times"


def is_firm(comparables: Sequence[Comparable], value: ComparableValue) -> bool:
    """Tell whether comparables back the model's range: several lie inside it, and at most half of them are weak."""
    used = sum(share > 0 for share in value.weights.values())
    return used > 1 and value.confirms and value.agrees and 2 * weak_in_use(comparables, value) <= used
