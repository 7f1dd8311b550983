"""A comparable as a sum that adds up on the screen: its price, the market, its facts, and the adjusted price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.serve.comparables import Comparable
from core.serve.fact_groups import FactGroup
from core.wording import Amounts, half_up, signed_percent

AROUND: Final = "Sold around it since"
"""The name of what the sales around a comparable say since beyond the market."""

_NOTHING: Final = 1e-6


@dataclass(frozen=True)
class SaleSum:
    """Amounts in money: ``price`` as recorded, the others rounded.

    ``facts_are`` says what ``facts`` is for: of the home's own sale, whose facts are the same, what sold around it.
    ``price`` + ``market`` + ``facts``, as shown, rounds to ``adjusted``; only the result of a sum is ever rounded.
    """

    price: float
    market: float
    facts: float
    adjusted: float
    facts_are: str = "facts"

    def words(self, amounts: Amounts) -> str:
        """Write the sum: "$407,500 − $13K market − $26K facts = about $369K", or "$407K, no change for market …"."""
        return f"{self.steps(amounts)}{amounts.short(self.adjusted)}"

    def steps(self, amounts: Amounts) -> str:
        """Write the sum up to its result: "$407,500 − $13K market − $26K facts = about "."""
        market, facts = _step(self.market, "market", amounts), _step(self.facts, self.facts_are, amounts)
        about = "" if self.is_exact else "about "
        return f"{amounts.recorded(self.price)}{market}{facts} = {about}"

    @property
    def is_exact(self) -> bool:
        """Whether the amounts, as shown, add up without rounding."""
        return self.price + self.market + self.facts == self.adjusted


def sale_sum(sale: Comparable, amounts: Amounts) -> SaleSum:
    """Return a comparable as a sum: its price whole, the rest rounded as its estimate; the facts take the remainder."""
    price, adjusted = half_up(sale.sale_price), amounts.rounded(sale.adjusted)
    market = amounts.rounded(sale.time_adjusted - sale.sale_price)
    facts = adjusted - amounts.rounded(price + market)
    return SaleSum(price, market, facts, adjusted, "for what sold around it since" if unchanged(sale) else "facts")


def parts_of(sale: Comparable) -> dict[str, float]:
    """Return a sale's adjustments by name, in money: what sold around it since is no difference of facts, nor a place.

    Together they are what ``adjustments`` are.
    """
    parts = {group.label: amount for group, amount in sale.adjustments.items()}
    if not sale.around:
        return parts
    place = parts.pop(FactGroup.PLACE.label, 0.0) - sale.around
    # Of the home's own sale nothing is left but what floats leave.
    kept = {} if abs(place) < _NOTHING else {FactGroup.PLACE.label: place}
    return {AROUND: sale.around, **parts, **kept}


def market_since(sale: Comparable) -> str:
    """Say how the market moved since a sale, which its net and gross adjustment count: "market +78%"."""
    return f"market {signed_percent(sale.time_adjusted / sale.sale_price - 1)}"


def unchanged(sale: Comparable) -> bool:
    """Tell whether a sale is the home's own and none of its facts is known to have changed since."""
    return sale.own and not any(sale.adjustments[group] for group in sale.adjustments if group is not FactGroup.PLACE)


def _step(change: float, what: str, amounts: Amounts) -> str:
    if not change:
        return f", no change for {what.removeprefix('for ')}"
    return f" {'−' if change < 0 else '+'} {amounts.short(abs(change))} {what}"
