"""A model brought up to date: its evidence includes every known sale, and the market level shifts its estimates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats, Ints
from core.collect.addresses import with_unit
from core.prepare.features.columns import Columns, columns_of, take, words
from core.prepare.features.derived import days_since_2000
from core.prepare.features.facts import COORDINATES, FactColumns
from core.train.level import MarketLevel, Residuals, day_of, join, market_level, no_level
from core.train.model import Model, Priced, property_kinds, refreshed

_TOLERANCE: Final = 0.1
_ALWAYS_RECORDED: Final = ("address", "unit", *COORDINATES, "intake_row", "sale_date", "sale_price")


@dataclass(frozen=True)
class LiveModel:
    """An immutable model with the sales known by a day: their evidence, and the market level they show.

    ``sales`` holds the recorded facts, location, date and price of the sales behind the evidence; ``filled`` their
    facts as the model sees them, in the same order, to which positions of comparables and ``own`` refer.
    """

    model: Model
    sales: Columns
    filled: Columns
    level: MarketLevel

    def fill(self, homes: pd.DataFrame) -> Columns:
        """Return the facts of homes with missing values filled in from training homes."""
        return self.model.fill(homes)

    def log_estimate(self, filled: Columns, matrix: Floats) -> Floats:
        """Return the log estimates of homes from their feature matrix, including the market level, shape (n,)."""
        return self.model.log_estimate(matrix, self.shift(filled))

    def shift(self, filled: Columns) -> Floats:
        """Return what the market level adds to the log estimate of each home, shape (n,)."""
        areas = {code: words(filled, code, "") for code in self.model.facts.area_codes}
        return self.level.shift(days_since_2000(filled["sale_date"]), areas)

    def addresses(self, rows: Ints) -> list[str]:
        """Return the addresses of sales with their units, "" where none is recorded."""
        sales: Columns = {name: self.sales[name][rows] for name in ("address", "unit") if name in self.sales}
        if "address" not in sales:
            return [""] * len(rows)
        addresses = words(sales, "address", "").tolist()
        units = words(sales, "unit", "").tolist() if "unit" in sales else [""] * len(rows)
        return [with_unit(address, unit) for address, unit in zip(addresses, units, strict=True)]

    def priced(
        self, filled: Columns, matrix: Floats, centre: Floats, levels: tuple[float, ...], tolerance: float
    ) -> dict[float, Priced]:
        """Return ranges and confidence around existing log estimates, by level of the range."""
        kinds = property_kinds(filled, self.model.facts)
        known = self._as_of_latest(filled, matrix)
        return self.model.spread(known, centre, kinds, levels, tolerance, self.width(filled))

    def _as_of_latest(self, filled: Columns, matrix: Floats) -> Floats:
        """Return the matrix with the features of homes valued later as of the day after the latest sale.

        How far estimates err beyond that day was measured for the market as a whole, and widens each range alike: by
        its date and its fewer recent sales alone, 23 of 150 homes of King County were surer 200 days on.
        """
        later = np.flatnonzero(days_since_2000(filled["sale_date"]) > day_of(self.level.as_of))
        if not len(later):
            return matrix
        dates = filled["sale_date"][later]
        homes = take(filled, later) | {"sale_date": np.full_like(dates, np.datetime64(self.level.as_of))}
        return self.model.with_features(matrix, later, self.model.matrix(homes))

    def width(self, filled: Columns) -> Floats:
        """Return the factor of the width of each home's range: the latest errors' and the horizon's, shape (n,)."""
        return self.level.width * self.widening(filled)

    def widening(self, filled: Columns) -> Floats:
        """Return the factor by which each range is wider for the days since the latest sale, shape (n,)."""
        ahead = days_since_2000(filled["sale_date"]) - day_of(self.level.as_of) + 1.0
        return self.model.horizon.widening(ahead)

    def price(self, filled: Columns, levels: tuple[float, ...], tolerance: float) -> dict[float, Priced]:
        """Return estimates with ranges and confidence for filled homes, by level of the range."""
        matrix = self.model.matrix(filled)
        return self.priced(filled, matrix, self.log_estimate(filled, matrix), levels, tolerance)


def bring_up_to_date(model: Model, sales: pd.DataFrame) -> LiveModel:
    """Bring a model up to the day after the latest of ``sales`` (canonical, with ``sale_date`` and ``sale_price``).

    The level comes from the model's out-of-fold residuals and from the sales after the latest one it has seen, each
    priced with the evidence of earlier sales. The model itself does not change.
    """
    as_of = sales["sale_date"].max().date() + timedelta(days=1)
    return live_model_as_of(model, sales, as_of)


def live_model_as_of(model: Model, sales: pd.DataFrame, as_of: date) -> LiveModel:
    """Bring a model up to a given day: sales on or after that day are left out; the order of rows has no effect."""
    known = _before(sales, as_of)
    live = refreshed(model, known)
    filled = live.fill(known)
    return _live_model(live, known, filled, _residuals_since(live, known, filled, model.profile.last_sale), as_of)


def live_model_with_residuals(model: Model, sales: pd.DataFrame, as_of: date, residuals: Residuals) -> LiveModel:
    """Bring a model up to a given day with ``residuals_since`` computed in advance, to reuse them for several days."""
    known = _before(sales, as_of)
    live = refreshed(model, known)
    return _live_model(live, known, live.fill(known), residuals, as_of)


def residuals_since(model: Model, sales: pd.DataFrame) -> Residuals:
    """Return the log residuals of the sales after the latest one a model has seen.

    Each is priced with the evidence of sales before its day, so that later sales do not change earlier residuals.
    """
    known = sales.sort_values("intake_row", kind="stable")
    live = refreshed(model, known)
    return _residuals_since(live, known, live.fill(known), model.profile.last_sale)


def live_model_as_fitted(model: Model, known: pd.DataFrame) -> LiveModel:
    """Return a model with the sales its evidence was fitted on and no market level, as for pricing a random test.

    ``known`` are these sales, in the order of ``intake_row``. Raises ValueError if their number differs from the
    model's.
    """
    sales = known.sort_values("intake_row", kind="stable")
    if len(sales) != model.profile.sales:
        raise ValueError(f"the model was fitted on {model.profile.sales:,} sales, not {len(sales):,}")
    as_of = sales["sale_date"].max().date() + timedelta(days=1)
    return LiveModel(model, _recorded(model, sales), model.fill(sales), no_level(as_of))


def _recorded(model: Model, sales: pd.DataFrame) -> Columns:
    names = dict.fromkeys((*model.facts.all, *_ALWAYS_RECORDED))
    return {name: sales[name].to_numpy() for name in names if name in sales}


def residuals_of(facts: FactColumns, homes: Columns, log_ratio: Floats, reach: tuple[Floats, Floats]) -> Residuals:
    """Return log residuals with the days and areas of their sales, each array of shape (n,).

    ``reach`` is how far the main range reached below and above each estimate, in logs.
    """
    areas = {code: words(homes, code, "") for code in facts.area_codes}
    return Residuals(days_since_2000(homes["sale_date"]), log_ratio, areas, *reach)


def residuals_of_table(
    facts: FactColumns, homes: pd.DataFrame, log_ratio: Floats, reach: tuple[Floats, Floats]
) -> Residuals:
    """Return log residuals as ``residuals_of`` does, for a table of homes."""
    return residuals_of(facts, columns_of(homes, [*facts.area_codes, "sale_date"]), log_ratio, reach)


def _before(sales: pd.DataFrame, as_of: date) -> pd.DataFrame:
    return sales[sales["sale_date"] < pd.Timestamp(as_of)].sort_values("intake_row", kind="stable")


def _live_model(live: Model, known: pd.DataFrame, filled: Columns, residuals: Residuals, as_of: date) -> LiveModel:
    level = market_level(join((live.recent, residuals)), as_of, live.ranges.rules.level)
    return LiveModel(live, _recorded(live, known), filled, level)


def _residuals_since(live: Model, known: pd.DataFrame, filled: Columns, last: date) -> Residuals:
    rows = np.flatnonzero(known["sale_date"].to_numpy() > np.datetime64(last))
    homes = take(filled, rows)
    if not len(rows):
        return residuals_of(live.facts, homes, np.empty(0), (np.empty(0), np.empty(0)))
    log_price, level = np.log(known["sale_price"].to_numpy(dtype=float)[rows]), live.ranges.rules.level
    matrix = live.matrix(homes, rows)
    estimate = live.log_estimate(matrix)
    # The reach does not depend on the tolerance of the confidence.
    main = live.spread(matrix, estimate, property_kinds(homes, live.facts), (level,), _TOLERANCE)[level]
    reach = estimate - np.log(main.low), np.log(main.high) - estimate
    return residuals_of(live.facts, homes, log_price - estimate, reach)
