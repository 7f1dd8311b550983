"""Compares each column of a new file with the stored data: shares, medians, and what looks wrong, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats, evenly
from core.schema import FIELD_BY_NAME, SQFT_PER_SQM, FieldKind, is_extra, label_of
from core.wording import from_sqft, market_day, significant

BINS: Final = 24
"""The number of bins of a numeric column; categories have this many of the most frequent, plus one for the rest."""

SAMPLE: Final = 100_000
"""Shares and distances of numbers use at most this many values, evenly spaced over the rows."""

NUMBER: Final = str(FieldKind.NUMBER)
DATE: Final = str(FieldKind.DATE)
CATEGORY: Final = str(FieldKind.CATEGORY)

OTHER: Final = "all others"
"""The last bin of a column with many categories."""

_NEW_MIN: Final = 12
_HELD_MIN: Final = 30
# The same values in two units hardly overlap: the Kolmogorov-Smirnov distance is near 1, and near 0 after division by
# the factor. One month's sales stay within 0.25 of the previous months.
_FAR: Final = 0.6
_NEAR: Final = 0.25
_REPAIRED: Final = 0.5
_FACTOR_SLACK: Final = 0.30  # in logs: a month's median may differ this much by chance
_LEVEL_FACTOR: Final = 1.8
_UNSEEN_SHARE: Final = 0.10
_UNSEEN_PLACES: Final = 0.30  # a market may gain a town, but hardly a third in one file
_UNSEEN_FACTOR: Final = 2.0
_CATEGORIES_MIN: Final = 200
_MISSING_RISE: Final = 0.30
_GAP_DAYS: Final = 92
_WIDE: Final = 20.0

_AREA_FACTORS: Final[dict[float, str]] = {
    SQFT_PER_SQM: "square feet read as square meters",
    1 / SQFT_PER_SQM: "square meters read as square feet",
    43_560.0: "square feet read as acres",
    1 / 43_560.0: "acres read as square feet",
    10_000 * SQFT_PER_SQM: "square feet read as hectares",
    1 / (10_000 * SQFT_PER_SQM): "hectares read as square feet",
    9.0: "square feet read as square yards",
    1 / 9.0: "square yards read as square feet",
}
_SCALE_FACTORS: Final[dict[float, str]] = {
    1000.0: "whole amounts versus amounts in thousands, or a thousands separator read as the decimal point",
    1 / 1000.0: "amounts in thousands, or a thousands separator read as the decimal point",
    100.0: "cents, or a lost decimal point",
    1 / 100.0: "amounts in hundreds, or whole amounts read as cents",
    1e6: "whole amounts versus amounts in millions",
    1e-6: "amounts in millions",
}
_TEXTS_SHOWN: Final = 3
_MANY_LEVELS: Final = 400


@dataclass(frozen=True)
class ColumnComparison:
    """One field, new versus stored (``held_n`` 0: nothing is stored, or not this field).

    ``new_n`` and ``held_n`` count present values, ``new_missing`` and ``held_missing`` are shares of rows. ``edges``
    bound the bins of numbers, one more than bins, the first and last bin open to values beyond; for dates they are the
    first days of months as text, for categories their names. ``new_share`` and ``held_share`` are shares of the present
    values by bin, empty for free text such as addresses and if there are no values. ``ratio_of_medians`` is new to
    stored. ``finding`` says in words what looks wrong; it is empty if nothing does. ``looks_like`` is the stored field
    that the new values resemble instead of their own, "" for none.
    """

    field: str
    kind: str
    new_n: int
    held_n: int
    new_missing: float
    held_missing: float | None
    edges: tuple[float, ...] | tuple[str, ...]
    new_share: tuple[float, ...]
    held_share: tuple[float, ...]
    new_median: float | None
    held_median: float | None
    ratio_of_medians: float | None
    finding: str
    looks_like: str = ""

    @property
    def label(self) -> str:
        """What the column is called."""
        return label_of(self.field)


def compare_columns(new: pd.DataFrame, held: pd.DataFrame | None, currency: str) -> tuple[ColumnComparison, ...]:
    """Compare every canonical and extra column of a new table with the stored sales, in the new table's order.

    Both are canonical (see schema.conform); bookkeeping columns are skipped. If nothing is stored, only the new side
    has shares and medians, and there are no findings. Days are written as a market with this ``currency`` does.
    """
    before = held if held is not None else pd.DataFrame(index=pd.RangeIndex(0))
    names = [str(name) for name in new if str(name) in FIELD_BY_NAME or is_extra(str(name))]
    numbers = {str(name): _sorted(before[name]) for name in before if _kind_or_none(before, str(name)) == NUMBER}
    return tuple(_compare(name, new, before, numbers, currency) for name in names)


def is_area(one: ColumnComparison) -> bool:
    """Tell whether a column holds areas, which are compared in square feet."""
    return one.field in FIELD_BY_NAME and FIELD_BY_NAME[one.field].unit == "sqft"


def in_unit(one: ColumnComparison, unit: str) -> ColumnComparison:
    """Return a comparison with the edges and medians of areas in the market's unit; raises ValueError for another."""
    if not is_area(one):
        return one
    factor = from_sqft(1.0, unit)
    medians = (None if value is None else value * factor for value in (one.new_median, one.held_median))
    new_median, held_median = medians
    edges = tuple(float(edge) * factor for edge in one.edges)
    return replace(one, edges=edges, new_median=new_median, held_median=held_median)


@dataclass(frozen=True)
class _Bins:
    edges: tuple[float, ...] | tuple[str, ...] = ()
    new: tuple[float, ...] = ()
    held: tuple[float, ...] = ()


def _compare(
    name: str, new: pd.DataFrame, held: pd.DataFrame, numbers: Mapping[str, Floats], currency: str
) -> ColumnComparison:
    kind = _kind(new, name)
    fresh = new[name]
    before = held[name] if name in held and _kind(held, name) == kind else fresh.iloc[:0]
    bins = _BINNED[kind](fresh, before) if kind in _BINNED else _Bins()
    medians = [_median(_finite(side)) if kind == NUMBER else None for side in (fresh, before)]
    known = len(held) > 0 and name in held
    if kind == DATE:
        finding, like = _date_finding(fresh, before, currency), ""
    else:
        finding, like = _finding(kind, fresh, before, held, numbers)
    return ColumnComparison(
        field=name,
        kind=kind,
        new_n=int(fresh.notna().sum()),
        held_n=int(before.notna().sum()),
        new_missing=float(fresh.isna().mean()) if len(fresh) else 0.0,
        held_missing=float(held[name].isna().mean()) if known else None,
        edges=bins.edges,
        new_share=bins.new,
        held_share=bins.held,
        new_median=medians[0],
        held_median=medians[1],
        ratio_of_medians=_ratio(medians[0], medians[1]),
        finding=finding or (_missing_finding(fresh, before) if known else ""),
        looks_like=like,
    )


def _finding(
    kind: str, fresh: pd.Series, before: pd.Series, held: pd.DataFrame, numbers: Mapping[str, Floats]
) -> tuple[str, str]:
    """Return what looks wrong in words, and the stored field that the values resemble instead of their own."""
    name = str(fresh.name)
    if kind == NUMBER:
        return _numeric_finding(name, _sorted(fresh), _sorted(before), numbers)
    return _category_finding(name, fresh, before, held) if kind == CATEGORY else ("", "")


def _kind(frame: pd.DataFrame, name: str) -> str:
    field = FIELD_BY_NAME.get(name)
    if field is None:
        return NUMBER if pd.api.types.is_numeric_dtype(frame[name]) else CATEGORY
    return NUMBER if field.kind is FieldKind.FLAG else str(field.kind)


def _finite(values: pd.Series) -> Floats:
    numbers = values.to_numpy(dtype="float64")
    return numbers[np.isfinite(numbers)]


def _sorted(values: pd.Series) -> Floats:
    numbers = _finite(values)
    return np.sort(numbers[evenly(len(numbers), SAMPLE)])


# Bins


def _numeric(fresh: pd.Series, before: pd.Series) -> _Bins:
    sides = [_sorted(fresh), _sorted(before)]
    full = [side for side in sides if len(side)]
    if not full:
        return _Bins()
    low = min(float(np.quantile(side, 0.005)) for side in full)
    high = max(float(np.quantile(side, 0.995)) for side in full)
    distinct = np.unique(np.concatenate([side[np.diff(side, prepend=-np.inf) > 0] for side in full]))
    if len(distinct) <= BINS:
        edges = np.append(distinct, distinct[-1] + 1.0)
    elif low > 0 and high / low > _WIDE:
        edges = np.geomspace(low, high, BINS + 1)
    else:
        edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    return _Bins(tuple(map(float, edges)), _shares(sides[0], edges), _shares(sides[1], edges))


def _shares(values: Floats, edges: Floats) -> tuple[float, ...]:
    if not len(values):
        return ()
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return tuple(map(float, np.bincount(places, minlength=len(edges) - 1) / len(values)))


def _monthly(fresh: pd.Series, before: pd.Series) -> _Bins:
    sides = [values.dropna().dt.to_period("M") for values in (fresh, before)]
    known = pd.concat(sides)
    if known.empty:
        return _Bins()
    months = pd.period_range(known.min(), known.max(), freq="M")
    if len(months) > _MANY_LEVELS:
        # With a date mistyped by centuries, use only the months that occur.
        months = pd.PeriodIndex(known.drop_duplicates().sort_values().tail(_MANY_LEVELS))
    edges = tuple(str(month.start_time.date()) for month in months)
    return _Bins(edges, _counted(sides[0], months), _counted(sides[1], months))


def _counted(values: pd.Series, levels: pd.Index) -> tuple[float, ...]:
    if values.empty:
        return ()
    return tuple(map(float, values.value_counts().reindex(levels, fill_value=0) / len(values)))


def _levels(fresh: pd.Series, before: pd.Series) -> _Bins:
    sides = [values.dropna() for values in (fresh, before)]
    counts = [side.value_counts(normalize=True) for side in sides]
    joint = counts[0].add(counts[1], fill_value=0.0)
    # By share, then name, so that the same data always gives the same chart.
    ordered = joint.sort_index().sort_values(ascending=False, kind="stable").index
    shown = ordered[:BINS]
    shares = []
    for side, count in zip(sides, counts, strict=True):
        own = [float(share) for share in count.reindex(shown, fill_value=0.0)]
        if len(ordered) > BINS:
            own.append(max(0.0, 1.0 - sum(own)))
        shares.append(tuple(own) if len(side) else ())
    names = [str(level) for level in shown] + ([OTHER] if len(ordered) > BINS else [])
    return _Bins(tuple(names), shares[0], shares[1])


_BINNED: Final[Mapping[str, Callable[[pd.Series, pd.Series], _Bins]]] = {
    NUMBER: _numeric,
    DATE: _monthly,
    CATEGORY: _levels,
}


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if len(values) else None


def _ratio(new: float | None, held: float | None) -> float | None:
    return new / held if new is not None and held else None


# Findings


def _numeric_finding(name: str, fresh: Floats, before: Floats, numbers: Mapping[str, Floats]) -> tuple[str, str]:
    if len(fresh) < _NEW_MIN or len(before) < _HELD_MIN:
        return "", ""
    if _distance(fresh, before) < _FAR:
        return "", ""
    ratio = _ratio(_median(fresh), _median(before))
    unit = _unit_finding(name, fresh, before, ratio)
    other = "" if unit else _other_column(name, fresh, numbers)
    return unit or _shifted(name, other) or _level_finding(ratio), other


def _shifted(name: str, other: str) -> str:
    if not other:
        return ""
    return f"Looks like {label_of(other)} in the stored data, not like {label_of(name)}: is the column shifted?"


def _level_finding(ratio: float | None) -> str:
    if ratio is None or ratio <= 0:
        return "The values hardly overlap with the stored ones."
    if 1 / _LEVEL_FACTOR < ratio < _LEVEL_FACTOR:
        return ""
    return f"The median is {_times(ratio)} the stored one, and the values hardly overlap: other homes or another unit?"


def _unit_finding(name: str, fresh: Floats, before: Floats, ratio: float | None) -> str:
    if ratio is None or ratio <= 0:
        return ""
    for factor, words in _factors(name).items():
        near = abs(np.log(ratio) - np.log(factor)) < _FACTOR_SLACK
        if near and _distance(fresh / factor, before) < _REPAIRED:
            return f"The median is {_times(ratio)} the stored one: {words}?"
    return ""


def _factors(name: str) -> Mapping[float, str]:
    field = FIELD_BY_NAME.get(name)
    unit = field.unit if field else ""
    if unit == "sqft":
        return _AREA_FACTORS | _SCALE_FACTORS
    if unit == "money":
        return _SCALE_FACTORS
    return {} if field else _AREA_FACTORS | _SCALE_FACTORS


def _other_column(name: str, fresh: Floats, numbers: Mapping[str, Floats]) -> str:
    """Return the stored column that the new values resemble most, or "" if none is close."""
    distances = {
        other: _distance(fresh, values)
        for other, values in numbers.items()
        if other != name and len(values) >= _HELD_MIN and len(np.unique(values[:: max(1, len(values) // 1000)])) > 2
    }
    best = min(distances, key=lambda other: distances[other], default="")
    return best if best and distances[best] < _NEAR else ""


def _distance(one: Floats, other: Floats) -> float:
    """Kolmogorov-Smirnov distance of two sorted samples."""
    every = np.concatenate([one, other])
    below = np.searchsorted(one, every, side="right") / len(one)
    return float(np.max(np.abs(below - np.searchsorted(other, every, side="right") / len(other))))


def _category_finding(name: str, fresh: pd.Series, before: pd.Series, held: pd.DataFrame) -> tuple[str, str]:
    new, known = fresh.dropna(), before.dropna()
    if len(new) < _NEW_MIN or len(known) < _CATEGORIES_MIN:
        return "", ""
    unseen = ~new.isin(known.unique())
    share = float(unseen.mean())
    # Good and Turing: the next value is new about as often as past values occurred only once. Among thousands of
    # subdivisions every month brings new ones; among a dozen types hardly ever.
    expected = float((known.value_counts() == 1).sum()) / len(known)
    usual = _UNSEEN_PLACES if name in {"zipcode", "neighbourhood"} else _UNSEEN_SHARE
    if share <= usual + _UNSEEN_FACTOR * expected:
        return "", ""
    for other in map(str, held):
        if other != name and other in held and _kind_or_none(held, other) == CATEGORY:
            fits = float(new.isin(held[other].dropna().unique()).mean())
            if share > 0.8 and fits > 0.8:
                return _shifted(name, other), other
    examples = new[unseen].value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:_TEXTS_SHOWN]
    shown = ", ".join(repr(str(one)) for one in examples)
    return f"{share:.0%} of the values are new, such as {shown}: other words for the same thing?", ""


def _kind_or_none(frame: pd.DataFrame, name: str) -> str:
    return _kind(frame, name) if name in FIELD_BY_NAME or is_extra(name) else ""


def _date_finding(fresh: pd.Series, before: pd.Series, currency: str) -> str:
    new, known = fresh.dropna(), before.dropna()
    if new.empty or len(known) < _HELD_MIN:
        return ""
    # A few mistyped dates are left to the contract; this checks the bulk of the dates.
    first, last = new.quantile(0.01), new.quantile(0.99)
    start, end = known.min(), known.max()
    if (first - end).days > _GAP_DAYS:
        stored = market_day(end.date(), currency)
        return f"Begins {(first - end).days:,} days after the last stored date ({stored}): is a file missing?"
    if (start - last).days > _GAP_DAYS:
        stored = market_day(start.date(), currency)
        return f"Ends {(start - last).days:,} days before the first stored date ({stored}): an older file?"
    by_day = float(new.dt.day.le(12).mean())
    if len(new) >= _HELD_MIN and by_day > 0.95 and new.dt.day.nunique() > 6 and float(known.dt.day.le(12).mean()) < 0.7:
        return "All days of the month are 12 or less: does the date format swap day and month?"
    return ""


def _missing_finding(fresh: pd.Series, before: pd.Series) -> str:
    if len(fresh) < _NEW_MIN or len(before) < _HELD_MIN:
        return ""
    now, then = float(fresh.isna().mean()), float(before.isna().mean())
    return f"Missing in {now:.0%} of the rows, up from {then:.0%}." if now - then > _MISSING_RISE else ""


def _times(ratio: float) -> str:
    return f"{significant(ratio)} times" if ratio >= 1 else f"{significant(ratio)} of"
