"""Why the error rose: the price level, what buyers pay for, single areas and types of homes, or chance.

Each cause is measured by what correcting it would save: the error of the current estimates after the correction shows
its part. The parts add up to the rise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats, Indices
from core.evaluate.accuracy import Figure
from core.monitor.level_drift import log_ratio
from core.monitor.welch import welch
from core.schema import is_extra, label_of
from core.wording import area, count, market_day, money_short, percent

_FOLDS: Final = 5
_SEED: Final = 11
# A category's own mean gets a weight of one half at about this many sales.
_SHRINK: Final = 10.0
# Log ratios beyond this many robust standard deviations describe one sale, not its type.
_CLIP: Final = 3.0
_MAD_SIGMAS: Final = 1.4826
_BANDS: Final = 5
_LUXURY: Final = 0.8
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
class SegmentRise:
    """One segment's error before and now; ``bias`` is the median signed error, above 0 if prices fell.

    ``points`` is what it adds to the rise and ``share`` that share of the rise; ``excess`` is how much more it adds
    than its share of the sales would, in points: 0 for every segment if all rose equally.
    """

    by: str
    segment: str
    n: int
    n_before: int
    mape: float
    mape_before: float
    bias: float
    bias_before: float
    points: float
    share: float
    excess: float


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
    savings = _by_feature(reference, current, old, new - shift)
    rise = now - before
    saved = sum(points for _, points, _ in savings)
    level = _part("level", "Price level", now - levelled, rise, _level_words(shift))
    features = tuple(
        _part(one.name, label_of(one.name) if is_extra(one.name) else one.label, points, rise, words)
        for one, points, words in savings
    )
    together = _part("features", "What buyers pay for", saved, rise, "; ".join(part.words for part in features))
    rest = _part("rest", "Single sales", levelled - saved - before, rise, "scatter that no common shift explains")
    segments, mix = _segments(reference, current, (currency, area_unit), smallest)
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


def _labels(reference: pd.DataFrame, table: pd.DataFrame, currency: str, area_unit: str) -> dict[str, pd.Series]:
    """Return the segments of a table's sales by segmentation, bands cut at the reference's fifths."""
    found = {name: table[name].astype("str") for name in ("property_type", "area") if _both(name, reference, table)}
    edge_words: dict[str, Callable[[float], str]] = {
        "living_area_sqft": lambda edge: area(edge, area_unit, currency),
        "estimate": lambda edge: money_short(edge, currency),
    }
    for column, words in edge_words.items():
        if _both(column, reference, table):
            edges = np.unique(np.quantile(reference[column].dropna(), np.arange(1, _BANDS) / _BANDS))
            found[column] = _banded(table[column], edges, [words(float(edge)) for edge in edges])
    return found


def _banded(values: pd.Series, edges: Floats, edge_words: list[str]) -> pd.Series:
    between = [f"{low} to {high}" for low, high in itertools.pairwise(edge_words)]
    names = np.array([f"under {edge_words[0]}", *between, f"{edge_words[-1]} and over"], dtype=object)
    places = np.searchsorted(edges, values.to_numpy(dtype=float), side="right")
    return pd.Series(names[places], index=values.index, dtype="str").where(values.notna())


def _mape(log_ratio: Floats) -> float:
    return float(np.abs(np.expm1(-log_ratio)).mean())


def _rise(old: Floats, new: Floats) -> Figure:
    return Figure(*welch(np.abs(np.expm1(-new)), np.abs(np.expm1(-old))), len(new))


def _part(name: str, label: str, points: float, rise: float, words: str) -> Part:
    return Part(name, label, points, points / rise if rise > 0 else np.nan, words)


def _by_feature(
    reference: pd.DataFrame, current: pd.DataFrame, old: Floats, new: Floats
) -> list[tuple[_Feature, float, str]]:
    """Return what each group of features saves beyond those counted before it, largest first."""
    left = [one for one in _FEATURES if _both(one.column, reference, current)]
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
        found.append((best, saved, _direction(best, reference, current, old, new)))
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


def _direction(feature: _Feature, reference: pd.DataFrame, current: pd.DataFrame, old: Floats, new: Floats) -> str:
    """State which homes moved relative to the level: the top and bottom fifths, or the value that moved most."""
    if feature.name in _PLACES:
        values, change = current[feature.column].astype("str"), pd.Series(new - np.median(new), index=current.index)
        medians = change.groupby(values).agg(["median", "size"])
        believed = medians["median"] * medians["size"] / (medians["size"] + _SHRINK)
        worst = str(believed.abs().idxmax())
        return f"{_in_words(worst)} sells {_moved(float(medians['median'][worst]))} the rest"
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


def _segments(
    reference: pd.DataFrame, current: pd.DataFrame, units: tuple[str, str], smallest: int
) -> tuple[tuple[SegmentRise, ...], dict[str, float]]:
    """Split the rise into what each segment adds and what a different mix of homes adds (Kitagawa 1955).

    With shares w and errors e, before and now: rise = sum w_now (e_now - e_before) + sum (w_now - w_before) e_before.
    """
    before, now = _labels(reference, reference, *units), _labels(reference, current, *units)
    errors = [np.expm1(-log_ratio(table)) for table in (reference, current)]
    overall = float(np.abs(errors[0]).mean())
    rise = float(np.abs(errors[1]).mean()) - overall
    found: list[SegmentRise] = []
    mix: dict[str, float] = {}
    for by, labels in now.items():
        old, new = (_grouped(names, error) for names, error in ((before[by], errors[0]), (labels, errors[1])))
        added = 0.0
        for segment, (n, mape, bias) in new.items():
            # A segment without reference sales is compared with the whole reference.
            n_before, mape_before, bias_before = old.get(segment, (0, overall, float(np.median(errors[0]))))
            points = n / len(current) * (mape - mape_before)
            added += points
            if n >= smallest:
                share = points / rise if rise > 0 else np.nan
                excess = points - n / len(current) * rise
                figures = (n, n_before, mape, mape_before, bias, bias_before, points, share, excess)
                found.append(SegmentRise(by, segment, *figures))
        mix[by] = rise - added
    return tuple(sorted(found, key=lambda one: -one.excess)), mix


def _grouped(labels: pd.Series, error: Floats) -> dict[str, tuple[int, float, float]]:
    """Return n, mean absolute and median signed error by segment; sales without one are the segment "not known"."""
    names = labels.fillna("not known").to_numpy()
    groups = pd.Series(error).groupby(names)
    return {str(name): (len(values), float(values.abs().mean()), float(values.median())) for name, values in groups}


def _both(column: str, reference: pd.DataFrame, current: pd.DataFrame) -> bool:
    return all(column in table and bool(table[column].notna().any()) for table in (reference, current))


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


def _sentences(
    rise: Figure,
    errors: tuple[str, str],
    leading: Leading,
    parts: tuple[Part, ...],
    segments: tuple[SegmentRise, ...],
) -> Iterator[str]:
    before, now = errors
    points = f"{abs(rise.value) * 100:.1f} points"
    if leading is Leading.NONE:
        yield (
            f"The mean error is {now} on {count(rise.n, 'sale')} and was {before}: not a "
            "significant rise, so there is no cause to name."
        )
        return
    yield f"The mean error rose from {before} to {now}, by {points} ({count(rise.n, 'sale')})."
    for part in parts:
        if part.points >= 0.0005:
            yield f"{part.label}: {part.points * 100:.1f} points ({percent(part.share)}), {part.words}."
    if segments and segments[0].excess >= 0.1 * rise.value:
        worst = segments[0]
        side = "high" if worst.bias > 0 else "low"
        yield (
            f"{_HIT_HARDEST}{label_of(worst.by).lower()} {_in_words(worst.segment)}, mean error up "
            f"from {percent(worst.mape_before, 1)} to {percent(worst.mape, 1)} ({count(worst.n, 'sale')}), "
            f"{percent(worst.share)} of the rise; half of its estimates are {percent(abs(worst.bias), 1)} or more too "
            f"{side}."
        )
