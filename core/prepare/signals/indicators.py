"""Dated indicators of a market, such as the mortgage rate: read from files, kept, and how they moved between days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from core.accounting import FileAccounting
from core.collect.mapping import MappedTable
from core.collect.reading.totals import bad_line_counts
from core.schema import is_extra, label_of
from core.wording import count, market_day

DAY: Final = "indicator_day"
NAME: Final = "indicator"
VALUE: Final = "indicator_value"
COLUMNS: Final = (NAME, DAY, VALUE)
"""The columns of a table of indicators: what it is called, the day it is of, and its value then, sorted by both."""

# A value of a quarter ago is still known; an older one says nothing of today.
_OLDEST_DAYS: Final = 120


@dataclass(frozen=True)
class Move:
    """How an indicator moved: its last values known before two days, and the days these are of."""

    name: str
    before: float
    before_day: date
    now: float
    now_day: date

    @property
    def by(self) -> float:
        """The difference of the two values, in the indicator's own unit."""
        return self.now - self.before


def read_indicators(table: MappedTable, held: pd.DataFrame | None) -> tuple[pd.DataFrame, FileAccounting]:
    """Return the indicators of a mapped file that the market does not hold yet, and what became of its rows.

    A row has either a name and a value, or a value in each column that the market keeps as its own, which is then
    called what the column is. Series whose names differ in case, blanks and underscores only are one, and the first
    spelling stays, that of the market before that of the file. A row without a day, or without any value, is left out;
    of two values for one day the later row counts.
    """
    found = _long(table)
    called: dict[str, str] = {}
    for name in (*(held[NAME].unique() if held is not None else ()), *found[NAME].unique()):
        called.setdefault(_bare_name(name), name)
    found[NAME] = found[NAME].map(lambda name: called[_bare_name(name)])
    counting = found.drop_duplicates([NAME, DAY], keep="last")
    new = counting
    if held is not None:
        known = pd.MultiIndex.from_frame(held[list(COLUMNS)])
        new = counting[~pd.MultiIndex.from_frame(counting[list(COLUMNS)]).isin(known)]
    accepted, counted, valued = (one["row"].nunique() for one in (new, counting, found))
    no_day = int(table.frame[DAY].isna().sum())
    counts = {
        **bad_line_counts(table.bad_lines),
        "date_missing": no_day,
        "no_value": len(table.frame) - no_day - valued,
        "repeated_row": valued - counted,
        "already_held": counted - accepted,
    }
    rejected = len(table.bad_lines) + counts["date_missing"] + counts["no_value"]
    account = FileAccounting(
        file=table.name,
        source=table.source.value,
        sha256=table.sha256,
        rows_in=table.rows_in,
        accepted=accepted,
        repaired=0,
        duplicate=counts["repeated_row"] + counts["already_held"],
        rejected=rejected,
        reasons={reason: count for reason, count in counts.items() if count},
    )
    return _sorted(new), account


def _bare_name(name: str) -> str:
    """Return what names of one series have in common: it is the same of "Active listings" and "active_listings"."""
    return re.sub(r"[\s_]+", "", str(name).casefold())


def _long(table: MappedTable) -> pd.DataFrame:
    """Return the values of a file, one a row, with the number of the row of the file that each is from."""
    frame = table.frame
    wide = [name for name in frame.columns if is_extra(name) and pd.api.types.is_numeric_dtype(frame[name])]
    parts = [_values(frame, label_of(name), frame[name]) for name in wide]
    if VALUE in frame:
        names = frame[NAME] if NAME in frame else table.columns.get(VALUE, label_of(VALUE))
        parts.append(_values(frame, names, frame[VALUE]))
    return pd.concat(parts).sort_values("row", kind="stable", ignore_index=True)


def _values(frame: pd.DataFrame, names: str | pd.Series, values: pd.Series) -> pd.DataFrame:
    long = pd.DataFrame({NAME: names, DAY: frame[DAY], VALUE: values, "row": np.arange(len(frame))}, index=frame.index)
    return long.dropna()


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table[list(COLUMNS)].sort_values([NAME, DAY], kind="stable", ignore_index=True).astype({NAME: "str"})


def joined_indicators(held: pd.DataFrame | None, new: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the indicators held with new ones, whose values count; None without new ones."""
    if new is None or new.empty:
        return None
    if held is None:
        return new
    return _sorted(pd.concat([held, new]).drop_duplicates([NAME, DAY], keep="last"))


def new_words(new: pd.DataFrame, currency: str) -> str:
    """Say in a sentence which indicators new values are of, how many each, and of which days; "" without any.

    Days are written as a market with this currency does.
    """
    series_words = []
    for name, series in new.groupby(NAME, sort=True):
        first, last = (market_day(day.date(), currency) for day in (series[DAY].min(), series[DAY].max()))
        series_words.append(f"{name} ({count(len(series), 'value')} from {first} to {last})")
    return f"New market indicators: {', '.join(series_words)}." if series_words else ""


def values_before(indicators: pd.DataFrame, days: pd.Series) -> pd.DataFrame:
    """Return each indicator's latest value before each day, a column each, shape (n, indicators).

    A value of the day itself is not known on its morning. Missing where the latest value is older than 120 days.
    """
    found = {}
    for name, series in indicators.groupby(NAME, sort=True):
        known, wanted = series[DAY].to_numpy(), days.to_numpy()
        place = np.searchsorted(known, wanted) - 1
        fresh = (place >= 0) & (wanted - known[np.maximum(place, 0)] <= np.timedelta64(_OLDEST_DAYS, "D"))
        found[str(name)] = np.where(fresh, series[VALUE].to_numpy()[np.maximum(place, 0)], np.nan)
    return pd.DataFrame(found, index=days.index)


def moves(indicators: pd.DataFrame, since: date, until: date) -> tuple[Move, ...]:
    """Return how each indicator moved from what was known before ``since`` to what was known before ``until``.

    An indicator without a value of at most 120 days before either day is left out.
    """
    found = []
    oldest = pd.Timedelta(days=_OLDEST_DAYS)
    for name, series in indicators.groupby(NAME, sort=True):
        ends = []
        for day in (pd.Timestamp(since), pd.Timestamp(until)):
            known = series[(series[DAY] < day) & (series[DAY] >= day - oldest)]
            ends += [known.iloc[-1]] if len(known) else []
        if len(ends) == 2:
            before, now = ends
            found.append(Move(str(name), float(before[VALUE]), before[DAY].date(), float(now[VALUE]), now[DAY].date()))
    return tuple(found)
