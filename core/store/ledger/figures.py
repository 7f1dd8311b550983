"""Monitoring figures, aggregated by the database: volume, confidence, latency, and errors against sale prices.

However long the ledger, results have only as many rows as the periods, groups or points asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
import sqlalchemy as sa

from core.access import shown_spellings
from core.errors import InvalidRecord
from core.states import AuditAction, Period
from core.store.base.database import Database
from core.store.base.markets import market_row
from core.store.base.office_names import spellings
from core.store.base.parallel_reads import run_in_parallel
from core.store.base.tables import DECISION, ESTIMATE, EVENT, OUTCOME
from core.store.ledger.histograms import latency_of, medians, quantiles

Basis = Literal["blind", "counted", "every"]
Dimension = Literal["model_id", "office", "channel", "area", "property_type"]

DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
TRAFFIC: Final = (
    *("n", "priced", "unavailable", "refused", "hit_rate", "confidence", "flagged_share"),
    *("latency_p50_ms", "latency_p95_ms"),
)
GROUP_TRAFFIC: Final = TRAFFIC[:-2]
ACCURACY: Final = (
    *("n", "mape", "mape_sd", "mdape", "bias", "ppe10", "coverage", "level", "confidence"),
    *("mean_error", "mean_error_sd"),
)

_STATUSES: Final = ("priced", "unavailable", "refused")
_SUMMED: Final = ("n", "size", "squares", "signed", "close", "inside", "levels", "confidence")
_LABELS: Final = frozenset({"day", "sale_date", "status", *DIMENSIONS})
_Figures = Callable[[pd.DataFrame, pd.Series], pd.DataFrame]


@dataclass(frozen=True)
class Slice:
    """A filter on estimates; None matches all. Days are inclusive, in UTC.

    For estimates they are the days they were made; for outcomes, the days of sale. ``office`` is a name however it is
    written (core.access), or after ``spelled`` all its spellings.
    """

    since: date | None = None
    until: date | None = None
    model_id: str | None = None
    office: str | tuple[str, ...] | None = None
    channel: str | None = None
    area: str | None = None
    property_type: str | None = None


@dataclass(frozen=True)
class Series:
    """Figures over time: ``total`` has one row, ``periods`` one per nonempty period, with its first day ``start``."""

    total: pd.Series
    periods: pd.DataFrame


@dataclass(frozen=True)
class SoldSample:
    """Estimates with their sale prices, evenly sampled: ``points`` drawn from all ``n``.

    Columns: estimate_id, sale_date, sale_price, point, low, high, model_id, area, property_type, blind.
    """

    points: pd.DataFrame
    n: int


class Figures:
    """Aggregates the ledger and its outcomes; all methods raise NotFound for an unknown market, StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def traffic(self, market_id: str, where: Slice, period: Period) -> Series:
        """Return the volume of requests and answers, by period of the estimate.

        Columns: n, priced, unavailable, refused (counts), hit_rate (priced / n), confidence (mean of the priced, 0 to
        100), flagged_share (of the priced), latency_p50_ms, latency_p95_ms (from bins, accurate to 2.5%). NaN where
        there is nothing to count.
        """
        columns = (_plain(ESTIMATE.c.day), ESTIMATE.c.status, ESTIMATE.c.latency_bin)
        where = spelled(self._database, market_id, where)
        by_day = _traffic_query(market_id, where, columns)
        # Group by day first, in index order, which leaves few cells to sort; then by month, so that few are read.
        cells = self._cells(market_id, _by_month(by_day) if period == Period.MONTH else by_day)
        cells["start"] = first_days(cells.pop("day"), period)
        return _series(cells, _timed_traffic, TRAFFIC)

    def traffic_by(self, market_id: str, where: Slice) -> Mapping[Dimension, pd.DataFrame]:
        """Return the volume of requests and answers by model, office, channel, area and property type.

        Each table has a column named after the dimension ("" where unknown), then the columns of traffic() without
        the latencies, most estimates first.
        """
        e, where = ESTIMATE.c, spelled(self._database, market_id, where)
        tables: dict[Dimension, pd.DataFrame] = {}
        # Group in index order, so that the database has nothing to sort.
        groups = ((e.office, e.model_id, e.channel, e.status), (e.area, e.property_type, e.status))
        queries = [_traffic_query(market_id, where, columns) for columns in groups]
        counted = run_in_parallel([partial(self._cells, market_id, query) for query in queries])
        for columns, cells in zip(groups, counted, strict=True):
            for column in columns[:-1]:
                tables[column.name] = _grouped(cells, column.name, _traffic, GROUP_TRAFFIC)  # type: ignore[index]
        return {name: tables[name] for name in DIMENSIONS}

    def accuracy(self, market_id: str, where: Slice, period: Period, basis: Basis = "blind") -> Series:
        """Return errors against sale prices, by period of the sale.

        ``basis``: "counted" takes the one estimate that counts for each sale, "blind" only those of them made without
        knowledge of the list price, "every" all estimates of sold homes. Columns: n; mape and its standard deviation
        mape_sd; mdape; bias (median signed error, positive if over-predicted; both medians are exact but for middle
        values that share a bin of 0.1%); ppe10; coverage (share of ranges that held the price); ``level`` (the mean
        level promised); confidence (mean, 0 to 100: the expected PPE10); mean_error and mean_error_sd (mean and
        standard deviation of the signed error). NaN where there is nothing to count.
        """
        where = spelled(self._database, market_id, where)
        day = _month if period == Period.MONTH else _plain
        cells = self._cells(market_id, _accuracy_query(market_id, where, basis, (day(OUTCOME.c.sale_date),)))
        cells["start"] = first_days(cells.pop("sale_date"), period)
        return _series(cells, _accuracy, ACCURACY)

    def accuracy_by(
        self, market_id: str, where: Slice, basis: Basis = "blind", dimensions: Sequence[Dimension] = DIMENSIONS
    ) -> Mapping[Dimension, pd.DataFrame]:
        """Return errors against sale prices by dimension, with accuracy()'s columns, most sales first."""
        where = spelled(self._database, market_id, where)
        queries = [_accuracy_query(market_id, where, basis, (OUTCOME.c[name],)) for name in dimensions]
        tables = run_in_parallel([partial(self._cells, market_id, query) for query in queries])
        named = zip(dimensions, tables, strict=True)
        return {name: _grouped(cells, name, _accuracy, ACCURACY) for name, cells in named}

    def sold(self, market_id: str, where: Slice, limit: int, basis: Basis = "blind") -> SoldSample:
        """Return at most ``limit`` estimates with their sale prices: every k-th in the order recorded."""
        o, where = OUTCOME.c, spelled(self._database, market_id, where)
        conditions = outcome_conditions(market_id, where, basis)
        wanted = sa.select(
            o.estimate_id,
            o.sale_date,
            o.sale_price,
            o.point,
            o.low,
            o.high,
            o.model_id,
            o.area,
            o.property_type,
            o.blind,
        )
        with self._database.read() as connection:
            market_row(connection, market_id)
            n = connection.execute(sa.select(sa.func.count()).where(*conditions)).scalar_one()
            place = sa.func.row_number().over(order_by=o.seq).label("place")
            numbered = wanted.add_columns(place).where(*conditions).subquery()
            every = max(1, -(-n // max(int(limit), 1)))
            names = [column.name for column in wanted.selected_columns]
            query = sa.select(*(numbered.c[name] for name in names)).where((numbered.c.place - 1) % every == 0)
            points = pd.DataFrame(connection.execute(query).all(), columns=names)
        points["sale_date"] = points["sale_date"].astype("datetime64[us]")
        return SoldSample(points, n)

    def pulse(self) -> tuple[int, ...]:
        """Return numbers that change whenever anything behind the figures changes; raises StoreUnavailable."""
        keys = (ESTIMATE.c.seq, DECISION.c.seq, OUTCOME.c.seq, EVENT.c.event_id)
        with self._database.read() as connection:
            return tuple(connection.execute(sa.select(sa.func.max(key))).scalar_one() or 0 for key in keys)

    def sold_pulse(self, market_id: str) -> int:
        """Return a number that changes with a market's outcomes (new, corrected, retired); raises StoreUnavailable."""
        e = EVENT.c
        query = sa.select(sa.func.max(e.event_id)).where(
            e.market_id == market_id, e.action == AuditAction.OUTCOMES_RECORDED
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar_one() or 0

    def _cells(self, market_id: str, query: sa.Select[Any]) -> pd.DataFrame:
        names = [column.name for column in query.selected_columns]
        with self._database.read() as connection:
            market_row(connection, market_id)
            rows = connection.execute(query).all()
        columns = zip(*rows, strict=True) if rows else ([] for _ in names)
        # Column by column, with plain types: pandas is slow to build from rows and slower with its own string type.
        kinds = [object if name in _LABELS else float for name in names]
        named = zip(names, columns, kinds, strict=True)
        return pd.DataFrame({name: np.array(values, dtype=kind) for name, values, kind in named})


def first_days(days: pd.Series, period: Period) -> pd.Series:
    """Return the first day of the period each day is in (weeks begin on Monday) as datetime64[us]."""
    if period not in [*Period]:
        raise InvalidRecord(f"The period {period!r} is unknown; use one of {', '.join(Period)}.")
    codes, unique = pd.factorize(days)
    starts = pd.DatetimeIndex(pd.to_datetime(unique)).as_unit("us")
    if period == Period.WEEK:
        starts = starts - pd.to_timedelta(starts.day_of_week, unit="D")
    if period == Period.MONTH:
        starts = starts - pd.to_timedelta(starts.day - 1, unit="D")
    return pd.Series(starts.take(codes), index=days.index, dtype="datetime64[us]")


def _plain(day: sa.Column[date]) -> sa.ColumnElement[Any]:
    # As the driver gives it: building a date object for each of many thousand cells takes longer than the count.
    return sa.type_coerce(day, sa.String).label(day.name)


def _month(day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the first day of the month as text, such as 2025-03-01; both databases write dates as ISO 8601."""
    return (sa.func.substr(sa.cast(day, sa.String), 1, 7) + "-01").label(str(day.key))


def _by_month(by_day: sa.Select[Any]) -> sa.Select[Any]:
    cells = by_day.subquery().c
    groups = (_month(cells.day), cells.status, cells.latency_bin)
    sums = (sa.func.sum(cells[name]).label(name) for name in ("n", "confidence", "flagged"))
    return sa.select(*groups, *sums).group_by(*groups)


def _traffic_query(market_id: str, where: Slice, columns: Sequence[sa.ColumnElement[Any]]) -> sa.Select[Any]:
    e = ESTIMATE.c
    flagged = sa.func.sum(sa.cast(e.flagged, sa.Integer))
    sums = (sa.func.count().label("n"), sa.func.sum(e.confidence).label("confidence"), flagged.label("flagged"))
    days = _days(e.day if columns[0].name == "day" else _by_no_index(e.day), where)
    conditions = (e.market_id == market_id, *days, *_conditions(ESTIMATE, where))
    return sa.select(*columns, *sums).where(*conditions).group_by(*columns)


def _by_no_index(day: sa.Column[date]) -> sa.ColumnElement[Any]:
    # Otherwise SQLite would use the index to look up half the ledger's days and then sort the rows it found.
    return sa.func.coalesce(day, day)


def _accuracy_query(
    market_id: str, where: Slice, basis: Basis, columns: Sequence[sa.ColumnElement[Any]]
) -> sa.Select[Any]:
    o = OUTCOME.c
    size = sa.func.abs(o.error)
    sums = {
        "n": sa.func.count(),
        "size": sa.func.sum(size),
        "squares": sa.func.sum(o.error * o.error),
        "signed": sa.func.sum(o.error),
        "close": sa.func.sum(sa.case((size <= 0.10 + 1e-12, 1), else_=0)),
        "inside": sa.func.sum(sa.cast(o.inside, sa.Integer)),
        "levels": sa.func.sum(o.level),
        "confidence": sa.func.sum(o.confidence),
    }
    groups = (*columns, o.error_bin)
    labelled = [value.label(name) for name, value in sums.items()]
    return sa.select(*groups, *labelled).where(*outcome_conditions(market_id, where, basis)).group_by(*groups)


def spelled(database: Database, market_id: str, where: Slice) -> Slice:
    """Return the slice with all spellings of its office in the market's ledger; raises StoreUnavailable."""
    if not isinstance(where.office, str) or not where.office:
        return where
    with database.read() as connection:
        return replace(where, office=tuple(spellings(connection, ESTIMATE.c.office, market_id, where.office)))


def estimate_conditions(market_id: str, where: Slice) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that select a slice's estimates."""
    return [ESTIMATE.c.market_id == market_id, *_days(ESTIMATE.c.day, where), *_conditions(ESTIMATE, where)]


def outcome_conditions(market_id: str, where: Slice, basis: Basis) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that select a slice's current outcomes; raises InvalidRecord for an unknown basis."""
    o = OUTCOME.c
    if basis not in get_args(Basis):
        raise InvalidRecord(f"The basis {basis!r} is unknown; use one of {', '.join(get_args(Basis))}.")
    conditions: list[sa.ColumnElement[bool]] = [o.market_id == market_id, o.current.is_(True)]
    conditions += [] if basis == "every" else [o.counted.is_(True)]
    conditions += [o.blind.is_(True)] if basis == "blind" else []
    return [*conditions, *_days(o.sale_date, where), *_conditions(OUTCOME, where)]


def _days(day: sa.ColumnElement[Any], where: Slice) -> list[sa.ColumnElement[bool]]:
    since = [] if where.since is None else [day >= sa.literal(where.since, sa.Date)]
    return since if where.until is None else [*since, day <= sa.literal(where.until, sa.Date)]


def _conditions(table: sa.Table, where: Slice) -> list[sa.ColumnElement[bool]]:
    asked = {name: getattr(where, name) for name in DIMENSIONS}
    return [
        table.c[name].in_(value) if isinstance(value, tuple) else table.c[name] == value
        for name, value in asked.items()
        if value is not None
    ]


def _series(cells: pd.DataFrame, figures: _Figures, columns: Sequence[str]) -> Series:
    periods = figures(cells, cells["start"])
    periods.index.name = "start"
    total = figures(cells, pd.Series(0, index=cells.index)).reindex([0])
    total[_counts_of(columns)] = total[_counts_of(columns)].fillna(0)
    whole = pd.Series({name: float(total[name].iloc[0]) for name in columns}, dtype="float64")
    return Series(whole, periods.reset_index()[["start", *columns]])


def _grouped(cells: pd.DataFrame, name: str, figures: _Figures, columns: Sequence[str]) -> pd.DataFrame:
    groups = cells[name].fillna("").astype("str")
    if name == "office":
        groups = groups.map(shown_spellings({str(one): int(n) for one, n in cells["n"].groupby(groups).sum().items()}))
    table = figures(cells, groups)
    table.index.name = name
    return table.reset_index()[[name, *columns]].sort_values(["n", name], ascending=[False, True], ignore_index=True)


def _counts_of(columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name in ("n", *_STATUSES)]


def _timed_traffic(cells: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    table = _traffic(cells, groups)
    for share in (50, 95):
        places = quantiles(groups, cells["latency_bin"], cells["n"], share / 100)
        table[f"latency_p{share}_ms"] = places.map(latency_of).reindex(table.index)
    return table


def _traffic(cells: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    counts = cells["n"].groupby([groups, cells["status"]]).sum().unstack(fill_value=0)
    counts = counts.reindex(columns=list(_STATUSES), fill_value=0)
    sums = cells[["confidence", "flagged"]].astype("float64").groupby(groups).sum()
    n, priced = counts.sum(axis=1), counts["priced"]
    return pd.DataFrame(
        {
            "n": n,
            **{status: counts[status] for status in _STATUSES},
            "hit_rate": priced / n,
            "confidence": sums["confidence"] / priced.where(priced > 0),
            "flagged_share": sums["flagged"] / priced.where(priced > 0),
        }
    )


def _accuracy(cells: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    sums = cells[list(_SUMMED)].astype("float64").groupby(groups).sum()
    n = sums["n"]
    # Negative bin k holds errors of the same size as positive bin -1 - k.
    sizes = cells["error_bin"].where(cells["error_bin"] >= 0, -1 - cells["error_bin"])
    middle = {
        name: medians(groups, bins, cells["n"], cells[summed]).reindex(sums.index)
        for name, bins, summed in (("mdape", sizes, "size"), ("bias", cells["error_bin"], "signed"))
    }
    return pd.DataFrame(
        {
            "n": n.astype("int64"),
            "mape": sums["size"] / n,
            "mape_sd": _deviation(sums["squares"], sums["size"], n),
            **middle,
            "ppe10": sums["close"] / n,
            "coverage": sums["inside"] / n,
            "level": sums["levels"] / n,
            "confidence": sums["confidence"] / n,
            "mean_error": sums["signed"] / n,
            "mean_error_sd": _deviation(sums["squares"], sums["signed"], n),
        }
    )


def _deviation(squares: pd.Series, total: pd.Series, n: pd.Series) -> pd.Series:
    several = n.where(n > 1)
    variance = (squares - total * total / several) / (several - 1)
    return variance.clip(lower=0) ** 0.5
