"""Month-ahead accuracy: each month's sales priced using only earlier sales, as in live use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from core.arrays import Floats, Ints
from core.prepare.features.columns import Columns, stack
from core.train.level import MarketLevel
from core.train.live_model import live_model_with_residuals, residuals_since
from core.train.model import Model, Priced


@dataclass(frozen=True)
class Month:
    """One month's sales as priced: their rows in the sales table, answers by level, and the market level used.

    ``price`` holds the sale prices, shape (n,).
    """

    first: date
    rows: Ints
    homes: Columns
    priced: Mapping[float, Priced]
    price: Floats
    level: MarketLevel


def months_ahead(
    model: Model,
    sales: pd.DataFrame,
    first: date,
    levels: tuple[float, ...],
    tolerance: float,
    seen: pd.DataFrame | None = None,
) -> Iterator[Month]:
    """Price the sales since ``first`` month by month, each as of its sale date, oldest month first.

    ``sales`` includes the sales before ``first``. ``seen`` is what is known of each when it is priced, in the same
    order; None for everything. A month's evidence and market level come from sales before the month
    began (before ``first`` in the first month); the model is never refitted.
    """
    dates, residuals = sales["sale_date"], residuals_since(model, sales)
    price = sales["sale_price"].to_numpy(dtype=float)
    for month in pd.period_range(pd.Timestamp(first), dates.max(), freq="M"):
        start, end = max(month.start_time, pd.Timestamp(first)), (month + 1).start_time
        rows = np.flatnonzero(((dates >= start) & (dates < end)).to_numpy())
        if not len(rows):
            continue
        live_model = live_model_with_residuals(model, sales, start.date(), residuals)
        now = (sales if seen is None else seen).iloc[rows]
        homes = live_model.fill(now)
        priced = live_model.price(homes, levels, tolerance)
        yield Month(start.date(), rows, homes, priced, price[rows], live_model.level)


@dataclass(frozen=True)
class MonthAhead:
    """All months combined, in order: fields as in Month, all for the same n sales."""

    rows: Ints
    homes: Columns
    priced: Mapping[float, Priced]
    price: Floats


def price_month_ahead(
    model: Model,
    sales: pd.DataFrame,
    first: date,
    levels: tuple[float, ...],
    tolerance: float,
    seen: pd.DataFrame | None = None,
) -> MonthAhead:
    """Price the sales since ``first`` as ``months_ahead`` does; raises ValueError if there are none."""
    months = list(months_ahead(model, sales, first, levels, tolerance, seen))
    if not months:
        raise ValueError(f"no sale since {first}; choose an earlier day")
    return MonthAhead(
        rows=np.concatenate([month.rows for month in months]),
        homes=stack([month.homes for month in months]),
        priced={level: _joined([month.priced[level] for month in months]) for level in levels},
        price=np.concatenate([month.price for month in months]),
    )


def _joined(parts: Sequence[Priced]) -> Priced:
    names = ("point", "exact", "low", "high", "confidence", "fsd", "segments")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    since = [part.years_since_sale for part in parts if part.years_since_sale is not None]
    years = np.concatenate(since) if since else None
    return Priced(level=parts[0].level, tolerance=parts[0].tolerance, **arrays, years_since_sale=years)
