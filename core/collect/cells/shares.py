"""The share of a home that a sale was of, as cells write it: 1/2, 50%, 0.5, 50."""

from __future__ import annotations

from typing import Final

import pandas as pd

_FRACTION: Final = r"^\s*([0-9]{1,6})\s*/\s*([0-9]{1,6})\s*$"
_PERCENT: Final = 100.0


def shares_sold(values: pd.Series, figures: pd.Series) -> pd.Series | None:
    """Return the shares from 0 to 1, where 1 is the whole; None where cells are no shares.

    ``figures`` are the cells read as numbers. They are of 100 where any is above 1 or has a percent sign,
    else of 1.
    """
    parts = values.str.extract(_FRACTION)
    fractions = pd.to_numeric(parts[0]) / pd.to_numeric(parts[1])
    is_percent = bool((figures[fractions.isna()] > 1).any()) or bool(values.str.contains("%", regex=False).any())
    shares = fractions.fillna(figures / (_PERCENT if is_percent else 1.0))
    is_share = shares.between(0.0, 1.0, inclusive="both")
    return shares if len(shares) and bool(is_share.all()) else None
