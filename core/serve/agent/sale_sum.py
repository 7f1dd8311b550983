"""A comparable as a sum that adds up on the screen: its price, the market, its facts, and the adjusted price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.serve.comparables import Comparable
from core.wording import marks, symbol

_THOUSAND: Final = 1_000.0
# Below it, thousands would hide what a sale was adjusted by.
_IN_THOUSANDS: Final = 20_000.0


@dataclass(frozen=True)
class SaleSum:
    """Rounded amounts in money: ``price`` + ``market`` + ``facts`` is exactly ``adjusted``, as it is shown."""

    price: float
    market: float
    facts: float
    adjusted: float
    in_thousands: bool

    def words(self, currency: str) -> str:
        """Write the sum: "$407K − $13K market − $26K facts = $368K", or "$407K − $13K market, no change for facts"."""
        market, facts = self._step(self.market, "market", currency), self._step(self.facts, "facts", currency)
        return f"{self._amount(self.price, currency)}{market}{facts} = {self._amount(self.adjusted, currency)}"

    def _step(self, change: float, what: str, currency: str) -> str:
        if not change:
            return f", no change for {what}"
        return f" {'−' if change < 0 else '+'} {self._amount(abs(change), currency)} {what}"

    def _amount(self, amount: float, currency: str) -> str:
        if self.in_thousands:
            return f"{symbol(currency)}{marks(f'{amount / _THOUSAND:,.0f}', currency)}K"
        return f"{symbol(currency)}{marks(f'{amount:,.0f}', currency)}"


def sale_sum(sale: Comparable, unit: float | None = None) -> SaleSum:
    """Return a comparable as a sum; the facts take the remainder.

    It is rounded to ``unit``, without one to thousands where prices are that high.
    """
    unit = unit or (_THOUSAND if sale.sale_price >= _IN_THOUSANDS else 1.0)
    price, moved, adjusted = (
        unit * round(amount / unit) for amount in (sale.sale_price, sale.time_adjusted, sale.adjusted)
    )
    return SaleSum(price, moved - price, adjusted - moved, adjusted, unit == _THOUSAND)
