"""Prices that are none of whole homes: they do not rise with the area, or no home costs so little or much per area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.collect.cells.market import SET_ASIDE
from core.prepare.quality.currencies import UNITS_PER_DOLLAR
from core.problem import Limit
from core.schema import SQFT_PER_SQM
from core.wording import significant

ROWS_MIN: Final = 60
"""With fewer sales than this, prices may fail to rise with the area by chance."""

# Between the smallest and the largest tenth of homes, else their areas cannot move prices.
_AREAS_DIFFER: Final = 1.3
_TRIMMED: Final = 0.01
# A whole price rises by 0.5 to 1.6% per 1% of area on real markets; a price per area by 0 to -0.4%.
_FLAT_MAX: Final = 0.3
_ERRORS: Final = 2.58
# A median needs fewer sales than a slope.
_LEVEL_ROWS_MIN: Final = 20
# In dollars per square foot: the median home of no market sells for less or for more.
_CHEAPEST: Final = 20.0
_DEAREST: Final = 8_000.0
# The dollar may be worth ten times the units assumed for it, which are set low.
_ROOM: Final = 10.0
_IN_THOUSANDS: Final = (
    "if they are in thousands, say so with the columns (“Prices are written in”), or set the scale of their column to "
    "1000 in the mapping file"
)
_IN_CENTS: Final = (
    "if they are in cents, say so with the columns (“Prices are written in”), or set the scale of their column to "
    "0.01 in the mapping file"
)
_TOO_LARGE: Final = (
    "if they are 1,000 times too large, say so with the columns (“Prices are written in”), or set the scale of their "
    "column to 0.001 in the mapping file"
)
_TIMES_1000: Final = Limit(low=500.0, high=2_000.0)
_PLACE: Final = ("zipcode", "neighbourhood")
_HOMES_OF_PLACE_MIN: Final = 5


@dataclass(frozen=True)
class PriceRate:
    """Sale prices that seem to be prices per area, in thousands or in cents: why, in words, on ``n`` sales.

    ``sure`` is False where they may be whole prices after all, and a person should answer; ``remedy`` says what helps
    if they are prices of homes in another scale, "" where no scale makes them so.
    """

    why: str
    n: int
    sure: bool
    remedy: str = ""


def usual_rates(currency: str) -> Limit:
    """Return the lowest and the highest median price per square foot of living area that homes of a market sell for."""
    units = _units_per_dollar(currency)
    return Limit(low=_CHEAPEST * units, high=_DEAREST * units * (_ROOM if units > 1.0 else 1.0))


def _units_per_dollar(currency: str) -> float:
    return UNITS_PER_DOLLAR.get(currency.upper(), 1.0)


def price_rate(sales: pd.DataFrame, currency: str, times: float | None = None) -> PriceRate | None:
    """Tell whether the sale prices of a canonical table are none of whole homes; None where they seem whole.

    They are prices per area if they do not rise with the area, and doubtful if their median per area is outside
    ``usual_rates``. Sales that are set aside do not count. ``currency`` is that of the prices; ``times``
    is their median divided by that of stored prices, if known. Areas are in square feet.
    """
    if not {"sale_price", "living_area_sqft"} <= set(sales):
        return None
    used = sales[(sales["sale_price"] > 0) & (sales["living_area_sqft"] > 0)]
    if "validity" in used:
        used = used[~used["validity"].str.startswith(SET_ASIDE, na=False)]
    if len(used) < _LEVEL_ROWS_MIN:
        return None
    rate, usual = float((used["sale_price"] / used["living_area_sqft"]).median()), usual_rates(currency)
    slope = _slope(used) if len(used) >= ROWS_MIN else None
    if slope is None or slope[1] >= _FLAT_MAX:
        is_usual = usual.low <= rate <= usual.high
        if is_usual:
            return None
        is_times_1000 = times is not None and _TIMES_1000.low < times < _TIMES_1000.high
        too_much = _TOO_LARGE if is_times_1000 else _IN_CENTS
        why = _odd_level(rate, usual, currency, is_times_1000)
        return PriceRate(why, len(used), sure=False, remedy=_IN_THOUSANDS if rate < usual.low else too_much)
    # No whole price falls as homes grow, wherever they are; one that stays the same may, in a small market.
    dearest_sqm = _DEAREST * _units_per_dollar(currency) * SQFT_PER_SQM
    is_low = rate < usual.low or float(used["sale_price"].median()) < dearest_sqm
    sure = slope[1] < 0.0 or (is_low and slope[0] < _FLAT_MAX / 2)
    what = "a price per area, it seems, and no price of a whole home"
    if rate >= usual.low and slope[1] >= 0.0:
        what = "no price of these homes, it seems, but perhaps one per area, of other homes, or another figure"
    change = f"{abs(1.1 ** slope[0] - 1):.1%} {'lower' if slope[0] < 0 else 'higher'}"
    words = f"{what}: where homes are 10% larger, it is {change}"
    return PriceRate(words, len(used), sure)


def _odd_level(rate: float, usual: Limit, currency: str, is_times_1000: bool) -> str:
    too_much = "1,000 times too large" if is_times_1000 else "in cents"
    what = "prices per area, rents, or in thousands" if rate < usual.low else too_much
    return (
        f"no prices of whole homes, it seems; they may be {what}: the median is {significant(rate, 4)} {currency} per "
        f"square foot "
        f"of living area, which no home costs ({usual.low:,.0f} to {usual.high:,.0f} is usual)"
    )


def _slope(used: pd.DataFrame) -> tuple[float, float] | None:
    """Return by how many percent prices rise per 1% of area within a place, and at most; None where areas are alike."""
    logs = used[["living_area_sqft", "sale_price"]].astype("float64").apply(np.log)
    low, high = logs.quantile(_TRIMMED), logs.quantile(1 - _TRIMMED)
    kept = ((logs >= low) & (logs <= high)).all(axis=1)
    logs, used = logs[kept], used[kept]
    tenth, most = logs["living_area_sqft"].quantile([0.1, 0.9])
    if most - tenth < np.log(_AREAS_DIFFER):
        return None
    for name in _PLACE:
        if name in used and used[name].notna().mean() > 1 / 2:
            places = used[name].fillna("")
            if len(used) / places.nunique() >= _HOMES_OF_PLACE_MIN:
                logs = logs - logs.groupby(places).transform("mean")
                break
    return _line(*(logs[name].to_numpy(dtype=np.float64) for name in logs))


def _line(x: Floats, y: Floats) -> tuple[float, float] | None:
    """Return the slope of the least-squares line and its upper bound at 99%; None where x hardly differs."""
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x)
    if spread <= 0.0:
        return None
    slope = float(x @ y) / spread
    rest = y - slope * x
    return slope, slope + _ERRORS * float(np.sqrt(rest @ rest / (len(x) - 2) / spread))
