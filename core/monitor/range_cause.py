"""Why a range holds fewer or more sales than it states: on which side they fall out, and how wide it should be."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.wording import count, percent

_NONE_ON_A_SIDE = 1e-9


def range_cause(sold: pd.DataFrame, level: float) -> str:
    """Explain the coverage of ranges meant to hold a share ``level`` of the sales; "" without a sale.

    ``sold`` has point, low, high and sale_price (positive) per sale. Each sale's distance from its estimate is measured
    in widths of its own side of the range; the quantile of these distances at ``level`` is the factor by which all
    ranges should have been wider.
    """
    if sold.empty:
        return ""
    price, point, low, high = (sold[name].to_numpy(dtype=float) for name in ("sale_price", "point", "low", "high"))
    below, above = float((price < low).mean()), float((price > high).mean())
    side = np.where(price < point, point - low, high - point)
    distance = np.abs(price - point) / np.maximum(side, _NONE_ON_A_SIDE * point)
    factor = float(np.quantile(distance, level))
    edge = (1 - level) / 2
    words = (
        f"Of {count(len(sold), 'sale')}, {percent(below, 1)} sold below their range and {percent(above, 1)} above it; "
        f"a right range has about {percent(edge)} on each side. "
    )
    if factor <= 1:
        return f"{words}Ranges {percent(factor)} as wide would have held {percent(level)}: they are too wide."
    return f"{words}Ranges {factor:.1f} times as wide would have held {percent(level)}: they are too narrow."
