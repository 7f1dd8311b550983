"""How one report writes money: every amount in one form, rounded to one unit, so that sums add up as they are read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from core.wording import marks, money, symbol

# From each largest amount on: what amounts are rounded to, and the scale they are written in, "" for whole units.
_SCALES: Final[tuple[tuple[float, float, float, str], ...]] = (
    (1e11, 1e8, 1e9, "B"),
    (1e8, 1e5, 1e6, "M"),
    (20_000.0, 1_000.0, 1.0, ""),
    (0.0, 1.0, 1.0, ""),
)


@dataclass(frozen=True)
class Amounts:
    """Writes a market's money: "$374,000", "¥120.5M"; amounts are rounded to ``unit``."""

    currency: str
    unit: float
    scale: float
    letter: str

    def rounded(self, value: float) -> float:
        """Return an amount rounded to the unit of the report."""
        return self.unit * round(value / self.unit)

    def write(self, value: float) -> str:
        """Write an amount that somebody chose or that was rounded for display, as it is."""
        if not self.letter or math.fmod(value, self.unit):
            return money(value, self.currency)
        sign = "−" if value < 0 else ""
        return f"{sign}{symbol(self.currency)}{marks(f'{abs(value) / self.scale:,.1f}', self.currency)}{self.letter}"

    def about(self, value: float) -> str:
        """Write an amount rounded to the unit."""
        return self.write(self.rounded(value))

    def change(self, value: float) -> str:
        """Write a difference with its sign: "+$12,000", "−$5,000", "$0"."""
        text = self.about(value)
        return f"+{text}" if self.rounded(value) > 0 else text

    def span(self, low: float, high: float) -> str:
        """Write a range of amounts: "$374,000 to $461,000"."""
        ends = self.write(low), self.write(high)
        return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def amounts_of(currency: str, values: Iterable[float]) -> Amounts:
    """Return how a report with these amounts writes them all."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    _, unit, scale, letter = next(one for one in _SCALES if largest >= one[0])
    return Amounts(currency, unit, scale, letter)
