"""Doubts of a file that corrects stored sales wholesale, or all by one same factor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from core.collect.inference import Inference
from core.collect.mapping import MappedTable
from core.schema import label_of
from core.wording import Conventions, area, count, market_day, money, significant

# What a correction says anew of a sale; all other facts are filled in with it.
_CORRECTED: Final = ("sale_price", "sale_date", "living_area_sqft")
_CHANGED_MIN: Final = 20
_CHANGED_SHARE: Final = 0.1
"""A publisher corrects a few sales at a time; a tenth of all those stored is another reading of the file."""

_OF_FILE_MIN: Final = 50
_OF_FILE_SHARE: Final = 0.5
"""A file that is mostly corrections, of more sales than a publisher has wrong in a month, is another reading too."""

_ONE_FACTOR_MIN: Final = 10
_ONE_FACTOR_SHARE: Final = 0.8
_ALIKE: Final = 0.02
_ALIKE_OF_CHANGE: Final = 0.1
"""Factors are the same if they are within 2% of each other, and those near 1 within a tenth of what they change."""


def overwritten(table: MappedTable, corrections: pd.DataFrame, stored: int, market: Conventions) -> Iterator[Inference]:
    """Doubt a file that changes a tenth of the ``stored`` sales at once, or many of their prices by one same factor.

    A file is doubted too if half of its rows, and more than a few, change stored sales.
    ``corrections`` lists what the file corrects (see CORRECTION_COLUMNS in core.workflows.data.corrected_sales).
    """
    changed = corrections[corrections["before"].ne("") & corrections["after"].ne("")]
    for field in (name for name in _CORRECTED if name in table.columns):
        of_field = changed[changed["field"] == field]
        n, label = len(of_field), label_of(field).lower()
        factor = _one_factor(of_field) if field != "sale_date" else 0.0
        if factor:
            claim = f"corrects the {label} of {count(n, 'stored sale')}, nearly all by the factor {significant(factor)}"
        elif n >= max(_CHANGED_MIN, _CHANGED_SHARE * stored):
            claim = f"corrects the {label} of {n:,} of {count(stored, 'stored sale')} at once"
        elif n >= max(_OF_FILE_MIN, _OF_FILE_SHARE * table.rows_in):
            claim = f"corrects the {label} of {count(n, 'stored sale')}, in {n:,} of {count(table.rows_in, 'row')}"
        else:
            continue
        one = of_field.iloc[0]
        before, after = (_shown(field, one[side], market) for side in ("before", "after"))
        seen = f"one changes from {before} to {after}"
        yield Inference(table.columns[field], field, claim, seen, n, sure=False, grave=True, of_rows=True)


def _shown(field: str, text: str, market: Conventions) -> str:
    if field == "sale_price":
        return money(float(text), market.currency)
    if field == "sale_date":
        return market_day(pd.Timestamp(text), market.currency)
    return area(float(text), market.area_unit, market.currency)


def _one_factor(changed: pd.DataFrame) -> float:
    """Return the factor by which nearly all values change, 0 where they change by several, or are few."""
    if len(changed) < _ONE_FACTOR_MIN:
        return 0.0
    ratios = pd.to_numeric(changed["after"]) / pd.to_numeric(changed["before"])
    factor = float(ratios.median())
    if not 0 < factor < np.inf:
        return 0.0
    alike = np.abs(ratios / factor - 1) <= min(_ALIKE, _ALIKE_OF_CHANGE * abs(factor - 1))
    return factor if float(alike.mean()) >= _ONE_FACTOR_SHARE else 0.0
