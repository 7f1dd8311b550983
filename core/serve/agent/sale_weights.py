"""How comparables count in a value: once, or more often by choice; whether they back the range; what they offer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from core.serve.agent.away import is_other_kind
from core.serve.comparables import Comparable, ComparableValue, in_use, weak_in_use
from core.serve.estimate import Estimate
from core.serve.review.flag import Flag, FlagKind
from core.train.ranges import round_for_display

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
    used = value.sales_in_use
    return used > 1 and value.confirms and value.agrees and 2 * weak_in_use(comparables, value) <= used


def few_of_its_type(flags: Iterable[Flag]) -> bool:
    """Tell whether a home is of a type that few sell: its sales say more of its price than the model, which saw few."""
    return any(one.kind is FlagKind.UNUSUAL_TYPE for one in flags)


def its_type_leads(estimate: Estimate, weights: Mapping[str, float]) -> bool:
    """Tell whether few such homes sell and all sales in use, those with a weight by sale_id, are of its type."""
    used = in_use(estimate.comparables, weights)
    other = any(is_other_kind(one, estimate.subject.facts) for one in used)
    return bool(used) and not other and few_of_its_type(estimate.flags)


def offered(estimate: Estimate, value: ComparableValue) -> float | None:
    """Return the price that comparables offer to decide on, rounded for display; None where they confirm none.

    It is the mean of sales of the home's own type where these lead, else the value reconciled with the model.
    """
    if value.confirms and its_type_leads(estimate, value.weights):
        return float(round_for_display(value.mean))
    return value.offered
