"""The mortgage rate of the simulated country, week by week: what it cost to borrow when the city's prices moved."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import pandas as pd

# Decimal years and percent, linear between them: cheap money until 2021, dear from 2022, dearer in the turn of 2025.
_KNOTS: Final = (
    (2018.0, 4.1),
    (2018.9, 4.9),
    (2020.9, 2.8),
    (2021.9, 3.1),
    (2022.85, 7.0),
    (2023.1, 6.3),
    (2023.8, 7.6),
    (2024.7, 6.2),
    (2025.0, 6.4),
    (2025.35, 8.1),
    (2026.0, 8.3),
)
_STEP: Final = 0.05


def weekly_rates(seed: int, start: date, end: date) -> pd.DataFrame:
    """Return the rate (percent) of each Thursday from ``start`` to ``end``, inclusive: columns day and rate.

    A week has the same rate whatever the days asked for.
    """
    every = pd.date_range("2018-01-04", "2025-12-31", freq="W-THU")
    years = every.year + (every.day_of_year - 1) / 365.25
    drawn = np.random.default_rng([seed, 12]).normal(0.0, _STEP, len(every))
    rates = np.round(np.interp(years, *np.array(_KNOTS).T) + drawn, 2)
    table = pd.DataFrame({"day": every, "rate": rates})
    return table[table["day"].between(pd.Timestamp(start), pd.Timestamp(end))].reset_index(drop=True)
