"""A home's own earlier sales: found by property id, else by address and unit, always before the day of valuation.

Of a sale, the home's sales in the 30 days before it are left out: contract and deed of one sale may be recorded weeks
apart, and would tell its price. A home that is for sale has no such price, so its latest sale counts from the next day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Floats, Ints, Objects
from core.collect.addresses import address_key
from core.prepare.features.area_evidence import running_trend, value_on
from core.prepare.features.columns import Columns, columns_of, size, words
from core.prepare.features.derived import days_since_2000
from core.prepare.features.rows_by_key import RowsByKey
from core.prepare.quality.duplicates import HOUSES

IDENTITY: Final = ("property_id", "address", "unit", "zipcode", "neighbourhood", "property_type")
"""What tells which home a record is about; a table may lack any of these columns."""

ROW: Final = "own_sale:row"
YEARS_SINCE: Final = "own_sale:years"
OWN_SALE: Final = (ROW, YEARS_SINCE, "own_sale:moved", "own_sale:residual")
"""The columns about a home's latest own sale, all missing without one.

``row`` is its position among the kept sales, ``years`` the time since, ``moved`` its log price plus the market's trend
since then, ``residual`` what it brought above its estimate at that time (log), missing if that was never estimated.
"""

DAYS_A_YEAR: Final = 365.25
SOON_YEARS: Final = 1.5
"""A home sold again within 18 months has often been improved in between, or its first sale was a forced one."""

# No home is sold twice within a month.
_DAYS_BEFORE_A_SALE: Final = 30.0
_DAYS_BEFORE_A_VALUATION: Final = 1.0


@dataclass(frozen=True)
class HomeKeys:
    """What homes are recognized by, "" if it is not known, (n,) each: property id, else address with unit and area."""

    ids: Objects
    addresses: Objects

    def of_sales(self, days: Floats) -> list[tuple[str, float]]:
        """Return home and day of each sale, the key under which its residual is kept."""
        own = np.where(self.ids != "", self.ids, self.addresses)
        return list(zip(own.tolist(), days.tolist(), strict=True))


@dataclass(frozen=True)
class OwnSales:
    """The sales kept to find a home's own earlier ones: their days since 2000, shape (n,), and log prices.

    ``level`` is the log price less the market's trend on the day of the sale. ``residuals`` holds what sales brought
    above their estimates, by home and day; only homes that sold again need one. ``homes`` tell which home each is of.
    """

    homes: Columns
    by_id: RowsByKey
    days: Floats
    level: Floats
    trend: tuple[Floats, Floats]
    residual: Floats
    residuals: Mapping[tuple[str, float], float]

    @cached_property
    def by_address(self) -> RowsByKey:
        """The sales by address, read when a home without property id is looked for first: addresses take time."""
        addresses = _addresses(self.homes, np.ones(len(self.days), dtype=bool))
        return RowsByKey.of(np.where(_one_home_an_address(self.homes, addresses), addresses, ""), self.days)

    def prices(self, rows: Floats) -> Floats:
        """Return what the sales at these ``ROW`` numbers brought, shape (n,), missing where there is none."""
        found = np.full(len(rows), np.nan)
        known = np.flatnonzero(np.isfinite(rows))
        at = rows[known].astype(np.int64)
        found[known] = np.exp(self.level[at] + value_on(self.trend, self.days[at]))
        return found

    def before_sales(self, sold: Columns) -> Columns:
        """Return the columns ``OWN_SALE`` of homes sold on ``sale_date``, given by their identity, shape (n,) each."""
        return self._find(sold, _DAYS_BEFORE_A_SALE)

    def before_valuation(self, homes: Columns) -> Columns:
        """Return the columns ``OWN_SALE`` of homes for sale, to be valued as of ``sale_date``, shape (n,) each."""
        return self._find(homes, _DAYS_BEFORE_A_VALUATION)

    def _find(self, homes: Columns, least_days: float) -> Columns:
        keys, days = home_keys(homes), days_since_2000(homes["sale_date"])
        rows = np.array(
            [self._latest(found, day - least_days) for found, day in zip(self._sales_of(keys), days, strict=True)],
            dtype=np.int64,
        )
        columns = no_own_sale(len(rows))
        found = np.flatnonzero(rows >= 0)
        if len(found):
            row, now = rows[found], days[found]
            moved = self.level[row] + value_on(self.trend, now)
            values = (row, (now - self.days[row]) / DAYS_A_YEAR, moved, self.residual[row])
            for name, value in zip(OWN_SALE, values, strict=True):
                columns[name][found] = value
        return columns

    def _sales_of(self, keys: HomeKeys) -> list[Ints]:
        """Return the sales of each home, by address where it has no property id."""
        rows = self.by_id.of_keys(keys.ids)
        addressed = np.flatnonzero(keys.addresses != "")
        if len(addressed):
            for place, found in zip(addressed, self.by_address.of_keys(keys.addresses[addressed]), strict=True):
                rows[place] = found
        return rows

    def _latest(self, rows: Ints, last_day: float) -> int:
        earlier = rows[self.days[rows] <= last_day] if len(rows) else rows
        return int(earlier[-1]) if len(earlier) else -1


def no_own_sale(count: int) -> Columns:
    """Return the columns ``OWN_SALE`` of homes without an earlier sale."""
    return {name: np.full(count, np.nan) for name in OWN_SALE}


def keep_own_sales(
    homes: Columns, log_price: Floats, log_size: Floats, residuals: Mapping[tuple[str, float], float]
) -> OwnSales:
    """Keep sales: ``homes`` have identity and ``sale_date``, ``log_size`` is the log of their living areas, (n,)."""
    keys, days = home_keys(homes), days_since_2000(homes["sale_date"])
    trend = running_trend(days, log_price - log_size) if len(days) else (np.array([-np.inf]), np.array([np.nan]))
    return OwnSales(
        homes=homes,
        by_id=RowsByKey.of(keys.ids, days),
        days=days,
        level=log_price - value_on(trend, days),
        trend=trend,
        residual=np.array([residuals.get(key, np.nan) for key in keys.of_sales(days)]),
        residuals=residuals,
    )


def identity_of(homes: pd.DataFrame) -> Columns:
    """Return the columns by which a home is recognized, as far as the table has them, and ``sale_date``."""
    return columns_of(homes, [name for name in (*IDENTITY, "sale_date") if name in homes])


def home_keys(homes: Columns) -> HomeKeys:
    """Return what homes are recognized by: their property ids, and the addresses of those that have none."""
    # Spreadsheets take leading zeros off a number.
    given = words(homes, "property_id", "") if "property_id" in homes else np.full(size(homes), "", dtype=object)
    ids = np.array([str(one).strip().lstrip("0") for one in given], dtype=object)
    return HomeKeys(ids, _addresses(homes, ids == ""))


def _addresses(homes: Columns, wanted: Bools) -> Objects:
    """Return the addresses of the homes wanted in one spelling, with zip code, else neighborhood; "" for others."""
    address, unit, zipcode, area = (
        words(homes, name, "") if name in homes else np.full(size(homes), "", dtype=object)
        for name in ("address", "unit", "zipcode", "neighbourhood")
    )
    keys = [
        _address(str(street), str(number), str(code) or str(name).casefold()) if street and needed else ""
        for street, number, code, name, needed in zip(address, unit, zipcode, area, wanted, strict=True)
    ]
    return np.array(keys, dtype=object)


def _address(street: str, unit: str, area: str) -> str:
    key = address_key(street, unit)
    return f"{key}|{area}" if key else ""


def _one_home_an_address(homes: Columns, addresses: Objects) -> Bools:
    """Return which addresses only one home has, shape (n,): those with a unit, and those of houses."""
    sole: Bools = np.array(["#" in key for key in addresses], dtype=bool)
    if "property_type" in homes:
        sole |= np.isin(words(homes, "property_type", "").astype(str), HOUSES)
    return sole
