"""Why the error rose: the price level, what buyers pay for, single areas and types of homes, or chance.

Each cause is measured by what correcting it would save: the error of the current estimates after the correction shows
its part. The parts add up to the rise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats, Indices
from core.evaluate.accuracy import Figure
from core.monitor.cause_segments import SegmentRise, both_have, segment_rises
from core.monitor.level_drift import log_ratio
from core.monitor.welch import welch
from core.schema import is_extra, label_of
from core.wording import count, market_day, percent

_FOLDS: Final = 5
_SEED: Final = 11
# A category's own mean gets a weight of one half at about this many sales.
_SHRINK: Final = 10.0
# Log ratios beyond this many robust standard deviations describe one sale, not its type.
_CLIP: Final = 3.0
_MAD_SIGMAS: Final = 1.4826
_LUXURY: Final = 0.8
# A part below this is written as 0.0 points.
_SMALLEST_PART: Final = 0.0005
_WORTH_A_SENTENCE: Final = 0.10
_SCATTER: Final = "scatter of single sales that no common shift explains"
_HIT_HARDEST: Final = "Hit hardest for its share of the sales: "


class Leading(StrEnum):
    """The cause that explains most of a rise."""

    NONE = "no rise"
    LEVEL = "price level"
    FEATURES = "what buyers pay for"
    PLACES = "single segments"
    CHANCE = "single sales"


_REMEDIES: Final = {
    Leading.NONE: "",
    Leading.LEVEL: "commit the latest sales, and the market level follows; retraining on them corrects it fully.",
    Leading.FEATURES: "retrain; the market level moves all homes alike, so it cannot correct this.",
    Leading.PLACES: "retrain; the market level moves all homes alike, so it cannot correct this.",
    Leading.CHANCE: "look at the single sales; no common shift explains the error, so retraining will not mend it.",
}


@dataclass(frozen=True)
class Part:
    """One cause: how much of the error, a fraction of the price, it added, and its share of the rise.

    ``share`` is missing if nothing rose; parts may be negative, but shares still add up to 1.
    """

    name: str
    label: str
    points: float
    share: float
    words: str


@dataclass(frozen=True)
class RootCause:
    """Why the mean absolute error (MAPE) rose from ``before`` to ``now`` over n sales.

    ``rise`` has a 95% interval (Welch); ``level_shift`` is how far sales moved relative to the estimates, as a share.
    ``level``, ``features`` and ``rest`` add up to the rise, ``by_feature`` to ``features``. ``segments`` are sorted by
    excess, worst first; within one segmentation, their points and its ``mix`` (a different mix of homes sold) also add
    up to the rise.
    """

    n: int
    n_before: int
    before: float
    now: float
    rise: Figure
    level_shift: float
    level: Part
    features: Part
    by_feature: tuple[Part, ...]
    rest: Part
    segments: tuple[SegmentRise, ...]
    mix: Mapping[str, float]
    leading: Leading
    words: str

    @property
    def remedy(self) -> str:
        """What to do about the leading cause, "" if nothing rose; alerts and the drift view give the same advice."""
        return _REMEDIES[self.leading]


def hardest_hit(words: str) -> str:
    """Return which homes a cause, in words, says were hit hardest, as a sentence; "" if it names none."""
    _, found, rest = words.partition(_HIT_HARDEST)
    return f"{rest[:1].upper()}{rest[1:]}" if found else ""


@dataclass(frozen=True)
class _Feature:
    """A group of columns for a correction; ``columns`` builds them from a table, shape (n, k), scaled by another."""

    name: str
    label: str
    column: str
    columns: Callable[[pd.DataFrame, pd.DataFrame], Floats]


def root_cause(
    reference: pd.DataFrame, current: pd.DataFrame, currency: str, area_unit: str, smallest: int = 30
) -> RootCause | None:
    """Explain why the error of ``current`` is above that of ``reference``; None if either has no sale.

    Both have a row per sale: sale_price and estimate (positive) and, if known, living_area_sqft, year_built,
    property_type, area and sale_date. The reference is the sales whose error was accepted: the model's test sales, or
    the months before the rise. Segments with fewer than ``smallest`` current sales are left out of ``segments``.
    ``currency`` (a code) and ``area_unit`` ("sqft" or "sqm") only name bands and dates.

    The level is the one factor on all estimates that restores the reference's median ratio. What a shift by size,
    price, age, type or area removes beyond that is fitted on four fifths of the sales and measured on the other fifth,
    in turns, so that chance explains nothing; the group that saves most counts first. The rest is scatter.
    """
    if reference.empty or current.empty:
        return None
    old, new = log_ratio(reference), log_ratio(current)
    before, now = _mape(old), _mape(new)
    shift = float(np.median(new) - np.median(old))
    levelled = _mape(new - shift)
    savings = _by_feature(reference, current, old, new - shift, smallest)
    rise = now - before
    saved = sum(points for _, points, _ in savings)
    level = _part("level", "Price level", now - levelled, rise, _level_words(shift))
    features = tuple(
        _part(one.name, label_of(one.name) if is_extra(one.name) else one.label, points, rise, words)
        for one, points, words in savings
    )
    together = _part("features", "What buyers pay for", saved, rise, "; ".join(part.words for part in features))
    rest = _part("rest", "Single sales", levelled - saved - before, rise, _SCATTER)
    segments, mix = segment_rises(reference, current, (currency, area_unit), smallest)
    figure = _rise(old, new)
    leading = _leading(figure, level, features, rest)
    return RootCause(
        n=len(current),
        n_before=len(reference),
        before=before,
        now=now,
        rise=figure,
        level_shift=float(np.expm1(shift)),
        level=level,
        features=together,
        by_feature=features,
        rest=rest,
        segments=segments,
        mix=mix,
        leading=leading,
        words=" ".join(
            _sentences(
                figure,
                (f"{percent(before, 1)}{_sold(reference, currency)}", f"{percent(now, 1)}{_sold(current, currency)}"),
                leading,
                (level, *features, rest),
                segments,
            )
        ),
    )


def _mape(log_ratio: Floats) -> float:
    return float(np.abs(np.expm1(-log_ratio)).mean())


def _rise(old: Floats, new: Floats) -> Figure:
    return Figure(*welch(np.abs(np.expm1(-new)), np.abs(np.expm1(-old))), len(new))


def _part(name: str, label: str, points: float, rise: float, words: str) -> Part:
    return Part(name, label, points, points / rise if rise > 0 else np.nan, words)


def _by_feature(
    reference: pd.DataFrame, current: pd.DataFrame, old: Floats, new: Floats, smallest: int
) -> list[tuple[_Feature, float, str]]:
    """Return what each group of features saves beyond those counted before it, largest first."""
    left = [one for one in _FEATURES if both_have(one.column, reference, current)]
    folds = np.random.default_rng(_SEED).permutation(len(current)) % _FOLDS
    chosen: list[_Feature] = []
    found: list[tuple[_Feature, float, str]] = []
    error = _mape(new)
    while left and len(current) >= 2 * _FOLDS:
        tried = [(_corrected(reference, current, old, new, [*chosen, one], folds), one) for one in left]
        corrected, best = min(tried, key=lambda pair: _mape(pair[0]))
        saved = error - _mape(corrected)
        if saved <= 0:
            break
        words = _place_moved(best, current, new, smallest) if best.name in _PLACES else ""
        found.append((best, saved, words or _ends_moved(best, reference, current, old, new)))
        chosen.append(best)
        left.remove(best)
        error -= saved
    return found


def _corrected(
    reference: pd.DataFrame, current: pd.DataFrame, old: Floats, new: Floats, features: list[_Feature], folds: Indices
) -> Floats:
    """Return the log ratios less the change that the features explain, each fitted on the other folds."""
    before = np.column_stack([one.columns(reference, reference) for one in features])
    now = np.column_stack([one.columns(current, reference) for one in features])
    # Effects in the reference's own sales are not a change; only what came on top is.
    usual = now @ _ridge(before, _clipped(old - np.median(old)))
    target = _clipped(new - np.median(new)) - usual
    explained = np.zeros(len(new))
    for fold in range(_FOLDS):
        others = folds != fold
        explained[~others] = now[~others] @ _ridge(now[others], target[others])
    return new - explained


def _ridge(columns: Floats, target: Floats) -> Floats:
    inner = columns.T @ columns + _SHRINK * np.eye(columns.shape[1])
    return np.asarray(np.linalg.solve(inner, columns.T @ target), dtype=float)


def _clipped(values: Floats) -> Floats:
    scale = _MAD_SIGMAS * float(np.median(np.abs(values))) or np.inf
    return np.minimum(np.maximum(values, -_CLIP * scale), _CLIP * scale)


def _line(column: str, transform: Callable[[Floats], Floats]) -> Callable[[pd.DataFrame, pd.DataFrame], Floats]:
    """Return a line in a number, with a bend at the start of the top fifth; missing numbers go to the middle."""

    def columns(table: pd.DataFrame, like: pd.DataFrame) -> Floats:
        known = transform(like[column].dropna().to_numpy(dtype=float))
        middle, top = np.quantile(known, [0.5, _LUXURY])
        scale = _MAD_SIGMAS * float(np.median(np.abs(known - middle))) or 1.0
        values = np.nan_to_num(transform(table[column].to_numpy(dtype=float)), nan=middle)
        return np.column_stack([(values - middle) / scale, np.maximum(values - top, 0.0) / scale])

    return columns


def _kinds(column: str) -> Callable[[pd.DataFrame, pd.DataFrame], Floats]:
    """Return a column per value of either table, 1 where a sale has it."""

    def columns(table: pd.DataFrame, like: pd.DataFrame) -> Floats:
        names = sorted({*like[column].dropna().astype("str")})
        codes = pd.Index(names).get_indexer(pd.Index(table[column].astype("str")))
        found = np.zeros((len(table), len(names)))
        rows = np.flatnonzero(codes >= 0)
        found[rows, codes[rows]] = 1.0
        return found

    return columns


_FEATURES: Final = (
    _Feature("living_area_sqft", "Living area", "living_area_sqft", _line("living_area_sqft", np.log)),
    _Feature("estimate", "Price band", "estimate", _line("estimate", np.log)),
    _Feature("year_built", "Year built", "year_built", _line("year_built", np.asarray)),
    _Feature("property_type", "Property type", "property_type", _kinds("property_type")),
    _Feature("area", "Area", "area", _kinds("area")),
)
_PLACES: Final = frozenset({"property_type", "area"})
_MORE: Final = {
    "living_area_sqft": ("the largest homes", "the smallest"),
    "estimate": ("the most expensive homes", "the cheapest"),
    "year_built": ("the newest homes", "the oldest"),
}


def _place_moved(feature: _Feature, current: pd.DataFrame, new: Floats, smallest: int) -> str:
    """Name the value that moved most, of those with enough sales to be judged if there are any."""
    values, change = current[feature.column].astype("str"), pd.Series(new - np.median(new), index=current.index)
    medians = change.groupby(values).agg(["median", "size"])
    enough = medians[medians["size"] >= smallest]
    judged = medians if enough.empty else enough
    believed = judged["median"] * judged["size"] / (judged["size"] + _SHRINK)
    worst = str(believed.abs().idxmax())
    n = int(judged["size"][worst])
    few = f"{count(n, 'sale')}{', too few to judge' if n < smallest else ''}"
    return f"{_in_words(worst)} sells {_moved(float(judged['median'][worst]))} the rest ({few})"


def _ends_moved(feature: _Feature, reference: pd.DataFrame, current: pd.DataFrame, old: Floats, new: Floats) -> str:
    """State how the homes of the top and bottom fifths moved relative to the level."""
    edges = np.quantile(reference[feature.column].dropna(), [1 - _LUXURY, _LUXURY])
    sides = []
    for above in (True, False):
        rows, base = (
            table[feature.column].to_numpy(dtype=float) >= edges[1]
            if above
            else table[feature.column].to_numpy(dtype=float) <= edges[0]
            for table in (current, reference)
        )
        known = rows.any() and base.any()
        sides.append(
            float(np.median(new[rows]) - np.median(new) - np.median(old[base]) + np.median(old)) if known else 0.0
        )
    top, bottom = _MORE[feature.name]
    return f"{top} sell {_moved(sides[0])} the level, {bottom} {_moved(sides[1])} it"


def _moved(log_change: float) -> str:
    change = float(np.expm1(log_change))
    return f"{percent(abs(change), 1)} {'below' if change < 0 else 'above'}"


def _level_words(shift: float) -> str:
    return f"all sales are {_moved(shift)} the level the estimates expect"


def _leading(rise: Figure, level: Part, features: tuple[Part, ...], rest: Part) -> Leading:
    # A rise that may be chance has no cause; a single sale has no interval and shows nothing.
    if not rise.low > 0:
        return Leading.NONE
    places = sum(part.points for part in features if part.name in _PLACES)
    parts = {
        Leading.LEVEL: level.points,
        Leading.FEATURES: sum(part.points for part in features) - places,
        Leading.PLACES: places,
        Leading.CHANCE: rest.points,
    }
    return max(parts, key=lambda one: parts[one])


def _sold(table: pd.DataFrame, currency: str) -> str:
    """Say when a table's homes sold: " (sold Jan 5, 2025 to Jun 28, 2025)"; "" if their dates are unknown."""
    if "sale_date" not in table or table["sale_date"].isna().all():
        return ""
    dates = pd.to_datetime(table["sale_date"])
    return f" (sold {' to '.join(dict.fromkeys(market_day(one, currency) for one in (dates.min(), dates.max())))})"


def _in_words(segment: str) -> str:
    """Write a segment as people do: the property type "single_family" is "single family"."""
    return segment.replace("_", " ")


def _parts_in_words(parts: tuple[Part, ...]) -> Iterator[str]:
    """Yield a sentence for each part that explains a tenth of the rise, then one each for the others and the rest."""
    *shifts, rest = parts
    adding = [part for part in shifts if part.points >= _SMALLEST_PART]
    small = [part for part in adding if part.share < _WORTH_A_SENTENCE]
    for part in adding:
        if part not in small:
            yield f"{part.label} explains {_points(part.points)} ({percent(part.share)}): {part.words}."
    if small:
        names = ", ".join(part.label.lower() for part in small)
        together = sum(part.points for part in small)
        yield f"Lesser causes ({names}) add {_points(together)}."
    if rest.points >= _SMALLEST_PART:
        yield f"{_points(rest.points)} ({percent(rest.share)}) are {rest.words}."
    elif rest.points <= -_SMALLEST_PART:
        yield f"Scatter of single sales takes {_points(rest.points)} from it."


def _points(fraction: float) -> str:
    return f"{abs(fraction) * 100:.1f} points"


def _sentences(
    rise: Figure,
    errors: tuple[str, str],
    leading: Leading,
    parts: tuple[Part, ...],
    segments: tuple[SegmentRise, ...],
) -> Iterator[str]:
    before, now = errors
    if leading is Leading.NONE:
        yield (
            f"The mean error is {now} on {count(rise.n, 'sale')} and was {before}: not a "
            "significant rise, so there is no cause to name."
        )
        return
    yield f"The mean error rose from {before} to {now}, by {_points(rise.value)} ({count(rise.n, 'sale')})."
    yield from _parts_in_words(parts)
    if segments and segments[0].excess >= 0.1 * rise.value:
        worst = segments[0]
        side = "high" if worst.bias > 0 else "low"
        yield (
            f"{_HIT_HARDEST}{label_of(worst.by).lower()} {_in_words(worst.segment)}, mean error up "
            f"from {percent(worst.mape_before, 1)} to {percent(worst.mape, 1)} ({count(worst.n, 'sale')}), "
            f"{percent(worst.share)} of the rise; half of its estimates are {percent(abs(worst.bias), 1)} or more too "
            f"{side}."
        )
