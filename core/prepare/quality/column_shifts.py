"""How the columns of two tables of sales differ: missing shares, quantiles, and the shift of the distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.schema import FIELD_BY_NAME, FieldKind, is_extra

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)

_BINS: Final = 10
_TOP: Final = 5
_EMPTY_SHARE: Final = 1e-4
_IDENTIFIERS: Final = frozenset({"property_id", "sale_id", "address", "unit"})


@dataclass(frozen=True)
class CategoryShare:
    """A category and its share of the rows that have a value, before and after."""

    name: str
    before: float
    after: float


@dataclass(frozen=True)
class ColumnShift:
    """One column in two tables.

    ``before`` and ``after`` count present values; the missing shares are of all rows. ``quantiles_before`` and
    ``quantiles_after`` are at QUANTILES: for numbers in the field's unit, for dates in days since 1970, empty for
    text. ``top`` has the most frequent categories of both. ``distance`` is the population stability index over ten
    quantile bins (or the categories) plus "missing": 0 if nothing moved, below 0.1 small, above 0.25 large; None for a
    column of names, which has no shares to compare.
    """

    field: str
    before: int
    after: int
    missing_before: float
    missing_after: float
    quantiles_before: tuple[float, ...]
    quantiles_after: tuple[float, ...]
    top: tuple[CategoryShare, ...]
    distance: float | None


def column_shifts(before: pd.DataFrame, after: pd.DataFrame) -> tuple[ColumnShift, ...]:
    """Compare all columns of two canonical tables, in the order of the second."""
    names = [*after.columns, *(name for name in before.columns if name not in after.columns)]
    wanted = [str(name) for name in names if name in FIELD_BY_NAME or is_extra(str(name))]
    return tuple(_shift(name, _values(before, name, after), _values(after, name, before)) for name in wanted)


def _values(table: pd.DataFrame, name: str, other: pd.DataFrame) -> pd.Series:
    if name in table:
        return table[name]
    return pd.Series(np.nan, index=table.index).astype(other[name].dtype)


def _shift(name: str, before: pd.Series, after: pd.Series) -> ColumnShift:
    if before.dtype != after.dtype:
        before, after = before.astype("str"), after.astype("str")
    is_words = before.dtype == "str"
    quantiles = ((), ()) if is_words else (_quantiles(before), _quantiles(after))
    named = name in _IDENTIFIERS or (name in FIELD_BY_NAME and FIELD_BY_NAME[name].kind is FieldKind.TEXT)
    shares = _shares_of_words(before, after) if is_words and not named else None
    if is_words:
        distance = None if shares is None else _distance(shares.to_numpy(dtype=float))
    else:
        distance = _distance(_shares_of_numbers(_numbers(before), _numbers(after)))
    return ColumnShift(
        field=name,
        before=int(before.notna().sum()),
        after=int(after.notna().sum()),
        missing_before=_missing(before),
        missing_after=_missing(after),
        quantiles_before=quantiles[0],
        quantiles_after=quantiles[1],
        top=() if shares is None else _top(shares),
        distance=distance,
    )


def _missing(values: pd.Series) -> float:
    return float(values.isna().mean()) if len(values) else 0.0


def _numbers(values: pd.Series) -> Floats:
    if values.dtype.kind == "M":
        days = (values - pd.Timestamp(1970, 1, 1)) / pd.Timedelta(days=1)
        return np.asarray(days, dtype=np.float64)
    return np.asarray(values, dtype=np.float64)


def _quantiles(values: pd.Series) -> tuple[float, ...]:
    numbers = _numbers(values)
    numbers = numbers[np.isfinite(numbers)]
    return tuple(float(one) for one in np.quantile(numbers, QUANTILES)) if len(numbers) else ()


def _shares_of_numbers(before: Floats, after: Floats) -> Floats:
    """Return the shares of both tables in the quantile bins of the first, "missing" last, shape (bins, 2)."""
    present = before[np.isfinite(before)] if np.isfinite(before).any() else after[np.isfinite(after)]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(present) else np.zeros(0)
    counts = [_counts(values, edges) / max(len(values), 1) for values in (before, after)]
    return np.asarray(counts, dtype=np.float64).T


def _counts(values: Floats, edges: Floats) -> Floats:
    # A value on an edge belongs above it, so that one value that dominates a column gets its own bin.
    known = np.isfinite(values)
    bins = np.bincount(np.searchsorted(edges, values[known], side="right"), minlength=len(edges) + 1)
    return np.asarray([*bins, len(values) - int(known.sum())], dtype=np.float64)


def _shares_of_words(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    counts = [values.value_counts(normalize=True, dropna=False) for values in (before, after)]
    return pd.concat(counts, axis=1, keys=["before", "after"]).fillna(0.0)


def _top(shares: pd.DataFrame) -> tuple[CategoryShare, ...]:
    known = shares[shares.index.notna()]
    largest = known.max(axis=1).nlargest(_TOP, keep="first").index
    whole = known.sum()
    return tuple(
        CategoryShare(
            str(name), _part(known["before"][name], whole["before"]), _part(known["after"][name], whole["after"])
        )
        for name in largest
    )


def _part(share: float, whole: float) -> float:
    return float(share / whole) if whole else 0.0


def _distance(shares: Floats) -> float:
    """Return the population stability index, sum of (q - p) ln(q / p); empty bins count as one in 10,000."""
    if not shares.sum(axis=0).all():
        return 0.0
    before, after = np.maximum(shares, _EMPTY_SHARE).T
    return float(np.sum((after - before) * np.log(after / before)))
