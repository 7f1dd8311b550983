"""A comparable as a sum that adds up on the screen: its price, the market, its facts, and the adjusted price."""

from __future__ import annotations

from dataclasses import dataclass

from core.serve.comparables import Comparable
from core.wording import Amounts


@dataclass(frozen=True)
class SaleSum:
    """Rounded amounts in money: ``price`` + ``market`` + ``facts`` is exactly ``adjusted``, as it is shown."""

    price: float
    market: float
    facts: float
    adjusted: float

    def words(self, amounts: Amounts) -> str:
        """Write the sum: "$407K − $13K market − $26K facts = $368K", or "$407K − $13K market, no change for facts"."""
        market, facts = _step(self.market, "market", amounts), _step(self.facts, "facts", amounts)
        return f"{amounts.short(self.price)}{market}{facts} = {amounts.short(self.adjusted)}"


def sale_sum(sale: Comparable, amounts: Amounts) -> SaleSum:
    """Return a comparable as a sum of amounts rounded as those of its estimate; the facts take the remainder."""
    price, moved, adjusted = map(amounts.rounded, (sale.sale_price, sale.time_adjusted, sale.adjusted))
    return SaleSum(price, moved - price, adjusted - moved, adjusted)


def _step(change: float, what: str, amounts: Amounts) -> str:
    if not change:
        return f", no change for {what}"
    return f" {'−' if change < 0 else '+'} {amounts.short(abs(change))} {what}"
