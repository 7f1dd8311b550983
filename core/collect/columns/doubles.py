"""Columns that repeat another: the sale date as a year or an age, or an area in a second unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from core.collect.cells.units import UNIT_FACTORS
from core.collect.dates.guess import guess_date_format
from core.collect.parsers import Marks, as_date

_ROWS_MIN: Final = 20
_SAME_SHARE: Final = 0.98
_SAME_DAYS: Final = 0.99999
_LEVELS_MIN: Final = 5


def double_of_sale_day(cells: pd.Series, figures: pd.Series | None, sold: pd.Series) -> str:
    """Return why a column says nothing but the sale's day ("its year", "the days since"); empty where it says more.

    ``cells`` are its texts, ``figures`` its numbers where it has any, ``sold`` the sale dates, on one index.
    """
    if sold.nunique() < _LEVELS_MIN:
        return ""
    if figures is not None:
        return _in_figures(figures, sold)
    by_quarter = sold.dt.year.astype("str") + "Q" + sold.dt.quarter.astype("str")
    bare = cells.str.upper().str.replace(r"[\W_]+", "", regex=True)
    both = bare.notna() & sold.notna()
    if both.sum() >= _ROWS_MIN and float((bare[both] == by_quarter[both]).mean()) >= _SAME_SHARE:
        return "the quarter of the sale date over again"
    dates = guess_date_format(cells)
    if dates.share < _SAME_SHARE:
        return ""
    days = as_date(cells, Marks(date_format=dates.date_format))
    same = days.eq(sold) | days.eq(sold.dt.to_period("M").dt.start_time)
    return "the sale date over again" if both.sum() and float(same[both].mean()) >= _SAME_SHARE else ""


def _in_figures(figures: pd.Series, sold: pd.Series) -> str:
    both = figures.notna() & sold.notna()
    if both.sum() < _ROWS_MIN or figures[both].nunique() < 2:
        return ""
    day, values = sold[both].dt, figures[both]
    parts = {
        "year": day.year,
        "month": day.month,
        "quarter": day.quarter,
        "day": day.day,
        "weekday": day.day_of_week,
        "day of the year": day.day_of_year,
        "year and month": day.year * 100 + day.month,
        "year and quarter": day.year * 10 + day.quarter,
        "whole": (day.year * 100 + day.month) * 100 + day.day,
    }
    for what, part in parts.items():
        if float(values.eq(part).mean()) >= _SAME_SHARE:
            return f"the {what} of the sale date over again"
    days = (sold[both] - pd.Timestamp(1970, 1, 1)) / pd.Timedelta(days=1)
    if abs(float(np.corrcoef(days, values)[0, 1])) >= _SAME_DAYS:
        return "the days from the sale date to a fixed one"
    return ""


def double_of_area(figures: pd.Series, areas: Mapping[str, pd.Series]) -> str:
    """Return why a column repeats an area of the home in another unit; empty if it does not.

    ``areas`` are the areas already read, in square feet.
    """
    for name, area in areas.items():
        both = (figures > 0) & (area > 0)
        if both.sum() < _ROWS_MIN or figures[both].nunique() < _LEVELS_MIN:
            continue
        ratio = area[both] / figures[both]
        for unit, factor in UNIT_FACTORS.items():
            # Rounded acres are a few percent off in small lots.
            if unit and float((abs(ratio / factor - 1) <= 0.05).mean()) >= _SAME_SHARE:
                return f"the {name.removesuffix('_sqft').replace('_', ' ')} over again, in {unit}"
    return ""
