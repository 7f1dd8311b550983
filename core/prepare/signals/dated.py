"""Figures by date that a market holds beside its sales: of the whole market, or of each of its areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import pandas as pd

from core.prepare.signals.indicators import DAY, NAME, VALUE
from core.schema import label_of

MARKET: Final = "the market"
AREAS: Final = "each area"


@dataclass(frozen=True)
class DatedFigure:
    """A figure by date: what it is called, what it is ``of``, on how many days it is known, and its latest value.

    ``values`` are all of them, oldest first. Of figures of areas only those that sales have are kept: a value is then
    the median of a month's sales, and the days are those of sales.
    """

    name: str
    of: str
    days: int
    first: date
    last: date
    value: float
    values: tuple[float, ...]


def market_figures(indicators: pd.DataFrame | None) -> tuple[DatedFigure, ...]:
    """Return the dated indicators of a market, by name."""
    if indicators is None:
        return ()
    return tuple(
        _figure(str(name), MARKET, series.sort_values(DAY).set_index(DAY)[VALUE], len(series))
        for name, series in indicators.groupby(NAME, sort=True)
    )


def area_figures(sales: pd.DataFrame, fields: Sequence[str]) -> tuple[DatedFigure, ...]:
    """Return the figures by area and day that sales have, by field; those that are no numbers are left out."""
    found = []
    for name in fields:
        if name not in sales or not pd.api.types.is_numeric_dtype(sales[name]):
            continue
        known = sales[["sale_date", name]].dropna().sort_values("sale_date")
        if known.empty:
            continue
        months = known.groupby(known["sale_date"].dt.to_period("M"))[name].median()
        days = known["sale_date"]
        values = tuple(map(float, months))
        first, last = days.iloc[0].date(), days.iloc[-1].date()
        found.append(DatedFigure(label_of(name), AREAS, int(days.nunique()), first, last, values[-1], values))
    return tuple(found)


def _figure(name: str, of: str, values: pd.Series, days: int) -> DatedFigure:
    numbers = tuple(map(float, values))
    return DatedFigure(name, of, days, values.index[0].date(), values.index[-1].date(), numbers[-1], numbers)
