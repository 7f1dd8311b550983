"""Whether prices moved away from the estimates, by segment, as opposed to a change in the homes being priced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binom

from core.arrays import Floats, Indices
from core.monitor.drift import DriftVerdict, FeatureDrift
from core.schema import label_of
from core.wording import count, percent

EVERYWHERE: Final = "all sales"
"""The name of the shift over all sales."""

LEVEL_STEADY: Final = 0.02
"""A price level this close to the estimates' has not moved: it is less than the rounding of a list price."""

_CONFIDENCE: Final = 0.95


class LevelVerdict(StrEnum):
    """The verdict on a segment's price level; "unsure" means it may have moved, but too few sales show it."""

    STEADY = "steady"
    FELL = "fell"
    ROSE = "rose"
    UNSURE = "unsure"
    TOO_FEW = "too few"


@dataclass(frozen=True)
class LevelShift:
    """How far one segment's sale prices are from their estimates, as a share of the estimate.

    ``shift`` is exp(median log(sale / estimate) less that of the reference) - 1: below 0 if prices fell. The
    interval is exact (order statistics); the segments' intervals hold jointly at 95%. ``by`` is the segmentation. A
    level has moved if its whole interval lies beyond LEVEL_STEADY.
    """

    by: str
    segment: str
    n: int
    shift: float
    low: float
    high: float
    verdict: LevelVerdict


@dataclass(frozen=True)
class LevelDrift:
    """The price level of all sales and of each segment, largest shift first."""

    overall: LevelShift
    segments: tuple[LevelShift, ...]

    @property
    def moved(self) -> tuple[LevelShift, ...]:
        """The segments whose level moved significantly."""
        return tuple(one for one in self.segments if one.verdict in (LevelVerdict.FELL, LevelVerdict.ROSE))


class Movement(StrEnum):
    """What moved: the homes being priced, the prices paid for them, both or neither."""

    STEADY = "nothing moved"
    INPUTS = "inputs moved"
    MARKET = "market moved"
    BOTH = "inputs and market moved"
    UNKNOWN = "not known yet"


@dataclass(frozen=True)
class Moved:
    """What moved and what it means: the facts that drifted, the segments whose level moved, and a summary in words."""

    movement: Movement
    fields: tuple[str, ...]
    segments: tuple[LevelShift, ...]
    words: str


def level_drift(
    outcomes: pd.DataFrame, reference_log_ratio: ArrayLike, by: Iterable[str] = (), smallest: int = 30
) -> LevelDrift | None:
    """Compare sale prices with their estimates, overall and by segment; None if there are none.

    ``outcomes`` has sale_price, estimate (both positive) and the columns ``by``, whose values name the segments (a
    missing value means no segment). ``reference_log_ratio`` is log(sale / estimate) of the model's test sales; its
    median is the starting level, 0 if there are none. Segments with fewer than ``smallest`` sales are not judged.
    """
    if outcomes.empty:
        return None
    ratio = log_ratio(outcomes)
    base = np.asarray(reference_log_ratio, dtype=float)
    overall = _shift("", EVERYWHERE, ratio, base, 1, smallest)
    rows = [(name, segment, members) for name in by for segment, members in _rows(outcomes[name]).items()]
    judged = max(sum(len(members) >= smallest for _, _, members in rows), 1)
    segments = [_shift(name, segment, ratio[members], base, judged, smallest) for name, segment, members in rows]
    return LevelDrift(overall, tuple(sorted(segments, key=lambda one: -abs(one.shift))))


def movement(features: Iterable[FeatureDrift], level: LevelDrift | None) -> Moved:
    """Tell "the inputs moved" from "the market moved".

    A level compares each sale with the estimate of the same home, so it does not move just because different homes are
    sold: if facts drifted but the level held, the model prices the new homes as well as the old ones.
    """
    known = list(features)
    fields = tuple(one.field for one in known if one.verdict is DriftVerdict.DRIFTED)
    segments = level.moved if level else ()
    shift = level.overall if level else None
    market = bool(segments) or (shift is not None and shift.verdict in (LevelVerdict.FELL, LevelVerdict.ROSE))
    if fields or market:
        found = Movement.BOTH if fields and market else Movement.MARKET if market else Movement.INPUTS
    elif shift is None or shift.verdict in (LevelVerdict.TOO_FEW, LevelVerdict.UNSURE):
        found = Movement.UNKNOWN
    else:
        found = Movement.STEADY
    return Moved(found, fields, segments, " ".join(_sentence(found, fields, segments, shift)))


def log_ratio(table: pd.DataFrame) -> Floats:
    """Return log(sale price / estimate) of each row of a table that has both, shape (n,)."""
    ratio: Floats = np.log(table["sale_price"].to_numpy(dtype=float) / table["estimate"].to_numpy(dtype=float))
    return ratio


def _rows(labels: pd.Series) -> dict[str, Indices]:
    """Return the positions of each segment's sales; sales without a segment are left out."""
    codes, names = pd.factorize(labels.to_numpy(dtype=object), sort=True)
    return {str(name): np.flatnonzero(codes == code) for code, name in enumerate(names)}


def _shift(by: str, segment: str, ratio: Floats, base: Floats, together: int, smallest: int) -> LevelShift:
    """Return the shift with an interval that holds jointly for ``together`` segments (Bonferroni)."""
    confidence = 1 - (1 - _CONFIDENCE) / together
    middle, low, high = _median(ratio, confidence)
    start, start_low, start_high = _median(base, confidence) if len(base) else (0.0, 0.0, 0.0)
    # Independent uncertainties add as squares; a reference too small for an interval is taken as exact.
    below = np.hypot(middle - low, np.nan_to_num(start_high - start))
    above = np.hypot(high - middle, np.nan_to_num(start - start_low))
    shift, lowest, highest = (float(np.expm1(middle - start + off)) for off in (0.0, -below, above))
    verdict = _verdict(shift, lowest, highest, len(ratio), smallest)
    return LevelShift(by, segment, len(ratio), shift, lowest, highest, verdict)


def _verdict(shift: float, low: float, high: float, n: int, smallest: int) -> LevelVerdict:
    if n < smallest or not np.isfinite([low, high]).all():
        return LevelVerdict.TOO_FEW
    if high < -LEVEL_STEADY:
        return LevelVerdict.FELL
    if low > LEVEL_STEADY:
        return LevelVerdict.ROSE
    return LevelVerdict.STEADY if abs(shift) <= LEVEL_STEADY else LevelVerdict.UNSURE


def _median(values: Floats, confidence: float) -> tuple[float, float, float]:
    """Return the median with its exact interval at a confidence, missing if there are too few values."""
    n = len(values)
    place = int(binom.ppf((1 - confidence) / 2, n, 0.5)) - 1
    ranked = np.sort(values)
    if place < 0:
        return float(np.median(ranked)), np.nan, np.nan
    return float(np.median(ranked)), float(ranked[place]), float(ranked[n - 1 - place])


def _sentence(
    found: Movement, fields: tuple[str, ...], segments: tuple[LevelShift, ...], shift: LevelShift | None
) -> Iterator[str]:
    if found is Movement.UNKNOWN:
        yield f"Whether the market moved is not known yet: {_not_sure(shift)}."
    if found is Movement.STEADY:
        yield "The homes priced are like those the model was trained on, and they sell at the level it expects."
    if fields:
        named = ", ".join(label_of(field).lower() for field in fields)
        yield f"The homes priced differ from those the model was trained on ({named})."
    if found is Movement.INPUTS:
        if shift is None or shift.verdict in (LevelVerdict.TOO_FEW, LevelVerdict.UNSURE):
            yield "There are too few sales yet to show whether they sell at the level the model expects."
        else:
            yield "They sell at the level it expects, so its prices hold; watch the homes it has never seen."
    if shift is not None and shift.verdict in (LevelVerdict.FELL, LevelVerdict.ROSE):
        yield _level(shift, "Homes sell")
    if segments:
        worst = segments[0]
        others = f" (and {count(len(segments) - 1, 'segment')} more)" if len(segments) > 1 else ""
        yield _level(
            worst,
            f"Of the segments that surely moved, {label_of(worst.by).lower()} {worst.segment.replace('_', ' ')} moved "
            f"most{others}: its homes sell",
        )
    if found is Movement.MARKET:
        yield "The homes themselves are like those the model was trained on: the market moved, not the inputs."


def _not_sure(shift: LevelShift | None) -> str:
    if shift is None:
        return "no home that the live model priced blind has a known sale"
    if shift.verdict is LevelVerdict.TOO_FEW:
        return f"{count(shift.n, 'sale')} with an earlier estimate {'is' if shift.n == 1 else 'are'} too few to show it"
    side = "below" if shift.shift < 0 else "above"
    return (
        f"homes sell {percent(abs(shift.shift), 1)} {side} the level the model expects, but by "
        f"{count(shift.n, 'sale')} that may be within the {percent(LEVEL_STEADY)} that count as steady"
    )


def _level(shift: LevelShift, start: str) -> str:
    side = "below" if shift.shift < 0 else "above"
    ends = sorted([abs(shift.low), abs(shift.high)])
    return (
        f"{start} {percent(abs(shift.shift), 1)} {side} the level the model expects "
        f"({percent(ends[0], 1)} to {percent(ends[1], 1)}, {count(shift.n, 'sale')})."
    )
