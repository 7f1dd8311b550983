"""The readings behind alerts: each period's figures, from the database's totals and samples of homes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from core.errors import ArtifactCorrupt, StoreError, StoreUnavailable
from core.evaluate.intervals import mean_interval, share_interval
from core.monitor.cause import RootCause, root_cause
from core.monitor.drift import FeatureDrift, drift_from, drifted
from core.monitor.level_drift import LevelDrift, level_drift
from core.monitor.range_cause import range_cause
from core.monitor.rules import TYPE_SEGMENT, AlertKind, Reading, Threshold
from core.monitor.windows import Window, earlier, later, window_of, windows
from core.problem import Problem
from core.states import Period
from core.store import Market, ModelRecord, Store
from core.store.ledger.figures import Dimension, Slice
from core.workflows.models.reference import ModelReference, as_typed, model_reference_of, typed

OFFICE_SEGMENT: Final = "office "
"""The prefix of an alert's segment for one office."""

SAMPLE: Final = 2_000
"""Homes sampled for a month's drift or level; more would not change a verdict."""

_CAUSE_SAMPLE: Final = 4_000
_MONTHS: Final = 12
_WEEKS: Final = 8
_SEGMENTS: Final[dict[Dimension, str]] = {"office": OFFICE_SEGMENT, "property_type": TYPE_SEGMENT}
_PAGE: Final = "page"


@dataclass(frozen=True)
class MarketWatch:
    """A market as of a day: its live model, if any, the limits in use and the sources of the figures."""

    store: Store
    market: Market
    champion: ModelRecord | None
    clock: date
    problem: Problem
    limits: Mapping[AlertKind, Threshold]

    @property
    def reference(self) -> ModelReference | None:
        """The live model's reference, None without a live model."""
        return model_reference_of(self.store, self.champion) if self.champion else None


def readings(watch: MarketWatch) -> tuple[Reading, ...]:
    """Return the recent readings of every kind.

    Readings are monthly, except latency, which is weekly if there are enough requests, and the current state (spooled
    estimates, age and file of the live model), which is daily. Errors, ranges and price level cover the live model's
    blind estimates by day of sale; latency covers the page, where somebody waits. Raises NotFound, StoreUnavailable.
    """
    found = [*_traffic(watch), _ledger_failures(watch)]
    if watch.champion is not None:
        found += [*_accuracy(watch), *_segments(watch), *_levels(watch), *_facts(watch), _age(watch, watch.champion)]
        found += _verified(watch, watch.champion)
    return tuple(found)


def promised_readings(watch: MarketWatch) -> tuple[Reading, ...]:
    """Return the readings of the whole market that promises rest on: traffic, and the live model's error and age.

    They need no samples of homes, so they cost little. Raises NotFound, StoreUnavailable.
    """
    found = [*_traffic(watch)]
    if watch.champion is not None:
        found += [*_accuracy(watch), _age(watch, watch.champion)]
    return tuple(found)


def months_of(watch: MarketWatch) -> tuple[Window, ...]:
    """Return the months to check, the current one last."""
    first = window_of(watch.clock, Period.MONTH)
    for _ in range(_MONTHS):
        first = earlier(first)
    return windows(first.start, watch.clock, Period.MONTH)


def fact_drift(watch: MarketWatch, where: Slice) -> tuple[tuple[FeatureDrift, ...], int]:
    """Compare the homes priced in a slice with the live model's training homes; return the drift and their number.

    The share of agents who leave a fact out is compared with the year before the slice; the facts themselves with the
    model's. Raises NotFound, StoreUnavailable.
    """
    reference, sample = watch.reference, watch.store.samples.asked(watch.market.market_id, where, SAMPLE)
    if reference is None or sample.homes.empty:
        return (), sample.n
    table = typed(sample.homes["facts"])
    references = as_typed(reference.facts, _habit(watch, where, table))
    found = drift_from(references, table)
    if reference.estimates is not None:
        found += drift_from((reference.estimates,), sample.homes.rename(columns={"point": "estimate"}))
    return found, sample.n


def sold_homes(watch: MarketWatch, where: Slice, limit: int = SAMPLE) -> pd.DataFrame:
    """Return blind estimates with their sales and the inputs to level and cause; the result may be a sample.

    Columns: sale_date, sale_price, estimate, living_area_sqft, year_built, property_type, area.
    Raises NotFound, StoreUnavailable.
    """
    homes = watch.store.samples.sold(watch.market.market_id, where, limit).homes
    outcomes = homes[["sale_date", "sale_price", "point", "property_type", "area"]].rename(
        columns={"point": "estimate"}
    )
    kinds: dict[str, str] = {"property_type": "str", "area": "str", "sale_price": "float64", "estimate": "float64"}
    return pd.concat([outcomes.astype(kinds), typed(homes["facts"], ("living_area_sqft", "year_built"))], axis=1)


def level_of(watch: MarketWatch, sold: pd.DataFrame) -> LevelDrift | None:
    """Return how far sales are from the live model's estimates, overall and by area and property type."""
    reference = watch.reference
    base = reference.log_ratio if reference else np.empty(0)
    return level_drift(sold, base, ("property_type", "area"), watch.problem.estimate.small_sample_n)


def cause_of(watch: MarketWatch, sold: pd.DataFrame) -> RootCause | None:
    """Return why the error is above that of the sales on which the live model was accepted; None if unknown."""
    reference = watch.reference
    if reference is None:
        return None
    market = watch.market
    return root_cause(reference.tested, sold, market.currency, market.area_unit, watch.problem.estimate.small_sample_n)


def late_cause(watch: MarketWatch) -> RootCause | None:
    """Return why the live model's latest estimates are worse than when it was accepted, on the drift view's sales."""
    if watch.champion is None:
        return None
    where = Slice(latest_days(watch.clock, _MONTHS), watch.clock, watch.champion.model_id)
    return cause_of(watch, sold_homes(watch, where, _CAUSE_SAMPLE))


def range_cause_of(watch: MarketWatch, since: date) -> str:
    """Say why the live model's ranges of homes sold since a day do not hold their level; "" without a sale."""
    if watch.champion is None:
        return ""
    where = Slice(since, watch.clock, watch.champion.model_id)
    sold = watch.store.figures.sold(watch.market.market_id, where, SAMPLE).points
    return range_cause(sold, watch.problem.estimate.level)


def latest_days(clock: date, months: int) -> date:
    """Return the first day of the span of ``months`` calendar months that ends with the month of a market's day."""
    first = clock.replace(day=1) if clock.day > 1 else (clock - timedelta(days=1)).replace(day=1)
    for _ in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def days_in(window: Window, where: Slice) -> Slice:
    """Return the slice limited to a window's days."""
    return replace(where, since=window.start.date(), until=window.end.date() - timedelta(days=1))


def trained_on(store: Store, market: Market, record: ModelRecord) -> date:
    """Return the day a model was trained by its market's clock; a simulated one stands after its latest sale."""
    if market.simulated:
        try:
            last = store.versions.get(record.version_id).last_sale
        except StoreError:
            last = None
        if last is not None:
            return last + timedelta(days=1)
    return record.created_at.date()


def _traffic(watch: MarketWatch) -> Iterator[Reading]:
    store, market_id, months = watch.store, watch.market.market_id, months_of(watch)
    where = Slice(since=months[0].start.date(), until=watch.clock)
    asked = store.figures.traffic(market_id, where, Period.MONTH).periods
    counts = {row["start"].date(): int(row["n"]) for row in asked.to_dict("records")}
    # Months before the first estimate do not count as quiet.
    known = [month for month in months if counts and month.start.date() >= min(counts)]
    for month in known:
        n = counts.get(month.start.date(), 0)
        yield Reading(AlertKind.VOLUME_DOWN, "", month, float(n), np.nan, np.nan, n)
    yield from _latency(watch, where)


def _latency(watch: MarketWatch, where: Slice) -> Iterator[Reading]:
    figures, limit = watch.store.figures, watch.limits[AlertKind.SLOW]
    late = replace(where, channel=_PAGE, since=watch.clock - timedelta(days=7 * _WEEKS))
    weeks = figures.traffic(watch.market.market_id, late, Period.WEEK).periods
    whole = weeks[weeks["start"] + pd.Timedelta(days=7) <= pd.Timestamp(watch.clock)]
    enough = len(whole) >= limit.periods and bool((whole["n"].tail(limit.periods) >= limit.n_min).all())
    period = Period.WEEK if enough else Period.MONTH
    table = (
        weeks
        if enough
        else figures.traffic(watch.market.market_id, replace(where, channel=_PAGE), Period.MONTH).periods
    )
    for row in table.to_dict("records"):
        window = window_of(row["start"].date(), period)
        yield Reading(AlertKind.SLOW, "", window, row["latency_p95_ms"], np.nan, np.nan, int(row["n"]))


def _accuracy(watch: MarketWatch) -> Iterator[Reading]:
    where = _live(watch, months_of(watch)[0])
    table = watch.store.figures.accuracy(watch.market.market_id, where, Period.MONTH).periods
    centre = watch.limits[AlertKind.COVERAGE_OFF].centre
    low, high = mean_interval(table["mape"], table["mape_sd"], table["n"])
    held = share_interval((table["coverage"] * table["n"]).round(), table["n"])
    for place, row in enumerate(table.to_dict("records")):
        month, n = window_of(row["start"].date(), Period.MONTH), int(row["n"])
        for kind in (AlertKind.ERROR_HIGH, AlertKind.TARGET_MISSED):
            yield Reading(kind, "", month, row["mape"], float(low[place]), float(high[place]), n)
        # Agents may request other levels than the default, so measure how far coverage was from each estimate's level.
        off = centre - row["level"]
        below, above = (float(bound[place]) + off for bound in held)
        yield Reading(AlertKind.COVERAGE_OFF, "", month, row["coverage"] + off, below, above, n)


def _segments(watch: MarketWatch) -> Iterator[Reading]:
    """Yield the errors by office and property type of the months that may open or resolve an alert."""
    figures, market_id = watch.store.figures, watch.market.market_id
    for month in _late(watch):
        where = days_in(month, _live(watch, month))
        for name, table in figures.accuracy_by(market_id, where, dimensions=tuple(_SEGMENTS)).items():
            low, high = mean_interval(table["mape"], table["mape_sd"], table["n"])
            for place, (segment, value, n) in enumerate(zip(table[name], table["mape"], table["n"], strict=True)):
                if segment:
                    named = _SEGMENTS[name] + str(segment).replace("_", " ")
                    ends = float(low[place]), float(high[place])
                    yield Reading(AlertKind.ERROR_HIGH, named, month, float(value), *ends, int(n))


def _levels(watch: MarketWatch) -> Iterator[Reading]:
    for month in _late(watch):
        found = level_of(watch, sold_homes(watch, days_in(month, _live(watch, month))))
        if found is None:
            continue
        by_type = [(TYPE_SEGMENT + one.segment.replace("_", " "), one) for one in found.segments if one.by == _TYPE]
        for segment, one in [("", found.overall), *by_type]:
            yield Reading(AlertKind.LEVEL_DRIFT, segment, month, one.shift, one.low, one.high, one.n)


_TYPE: Final = "property_type"


def _facts(watch: MarketWatch) -> Iterator[Reading]:
    reference = watch.reference
    if reference is None or not reference.facts:
        return
    smallest = watch.limits[AlertKind.FEATURE_DRIFT].n_min
    for month in _late(watch):
        found, n = fact_drift(watch, days_in(month, Slice()))
        if n >= smallest:
            count = sum(one.field != "estimate" for one in drifted(found))
            yield Reading(AlertKind.FEATURE_DRIFT, "", month, float(count), np.nan, np.nan, n)


def _ledger_failures(watch: MarketWatch) -> Reading:
    state, today = watch.store.spool.state(), window_of(watch.clock, Period.DAY)
    missing = state.waiting + state.spoilt
    return Reading(AlertKind.LEDGER_FAILURES, "", today, float(missing), np.nan, np.nan, missing)


def verified(today: date, *, readable: bool) -> Reading:
    """Return the reading of the live model's file: 0 if it could be verified on a day, 1 if not."""
    return Reading(AlertKind.MODEL_UNVERIFIED, "", window_of(today, Period.DAY), float(not readable), np.nan, np.nan, 1)


def _verified(watch: MarketWatch, champion: ModelRecord) -> Iterator[Reading]:
    try:
        watch.store.models.load_bytes(champion.model_id)
    except ArtifactCorrupt:
        yield verified(watch.clock, readable=False)
    except StoreUnavailable:
        # Nobody knows while the files cannot be reached.
        return
    else:
        yield verified(watch.clock, readable=True)


def _age(watch: MarketWatch, champion: ModelRecord) -> Reading:
    age = (watch.clock - trained_on(watch.store, watch.market, champion)).days
    today = window_of(watch.clock, Period.DAY)
    return Reading(AlertKind.RETRAINING_OVERDUE, "", today, float(age), np.nan, np.nan, 1)


def _habit(watch: MarketWatch, where: Slice, table: pd.DataFrame) -> dict[str, float]:
    before = pd.DataFrame()
    if where.since is not None:
        year = replace(where, since=where.since - timedelta(days=365), until=where.since - timedelta(days=1))
        before = watch.store.samples.asked(watch.market.market_id, year, SAMPLE).homes
    known = typed(before["facts"]) if len(before) else table
    # Add one home of either kind: with few homes, a fact never left out may still be left out later.
    return {str(name): (float(known[name].isna().sum()) + 1) / (len(known) + 2) for name in known}


def _late(watch: MarketWatch) -> tuple[Window, ...]:
    """Return the last whole months: as many as a verdict needs, plus one for late sales."""
    needed = max(watch.limits[kind].periods for kind in (AlertKind.ERROR_HIGH, AlertKind.LEVEL_DRIFT)) + 1
    return tuple(month for month in months_of(watch) if later(month).start.date() <= watch.clock)[-needed:]


def _live(watch: MarketWatch, since: Window) -> Slice:
    assert watch.champion is not None
    return Slice(since=since.start.date(), until=watch.clock, model_id=watch.champion.model_id)
