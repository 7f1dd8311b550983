"""Whether the homes agents price differ from those the model was trained on, fact by fact.

A difference counts as drift if it is both significant and large. Significant: more than samples of these sizes show by
chance, with a false alarm over all facts in at most 4% of months. Large: an effect of practical size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import chi2, mannwhitneyu

from core.arrays import Floats, Ints
from core.schema import label_of
from core.wording import count, percent

PSI_LARGE: Final = 0.10
"""By the usual rule, a stability index of this size deserves a look (Siddiqi, Credit Risk Scorecards, 2006)."""
KS_LARGE: Final = 0.10
"""The distance between two normal distributions a quarter of a standard deviation apart."""
SMALLEST: Final = 30
"""A fact with fewer values than this is not judged."""

_FAMILY_ERROR: Final = 0.04
_DRAWS: Final = 5_000
_SEED: Final = 20
_HALF: Final = 0.5
# Quartiles of a normal distribution are this many standard deviations apart.
_IQR_SIGMAS: Final = 1.349


class DriftVerdict(StrEnum):
    """The verdict on a fact: "watch" is a significant but small change."""

    STEADY = "steady"
    WATCH = "watch"
    DRIFTED = "drifted"
    TOO_FEW = "too few"


@dataclass(frozen=True)
class FeatureDrift:
    """How one fact of n homes differs from the reference.

    ``psi`` is the raw stability index, ``psi_by_chance`` the average that samples of these sizes show without drift.
    ``distance`` (Kolmogorov and Smirnov) and ``wasserstein`` (in robust standard deviations of the reference) are for
    numbers only. ``unseen`` are values missing from the reference, most frequent first: categories, and numbers with
    few distinct values; ``unseen_share`` is their share. ``before`` and ``now`` are the medians of numbers. ``p_value``
    is adjusted for the number of facts tested.
    """

    field: str
    kind: str
    n: int
    psi: float
    psi_by_chance: float
    distance: float | None
    wasserstein: float | None
    unseen: tuple[str, ...]
    unseen_share: float
    missing_before: float
    missing_now: float
    before: float | None
    now: float | None
    p_value: float
    verdict: DriftVerdict

    @property
    def words(self) -> str:
        """State what changed, most important first."""
        label = label_of(self.field)
        if self.verdict is DriftVerdict.TOO_FEW:
            return f"{label}: {count(self.n, 'value')} are too few to judge; {SMALLEST} are needed."
        if self.verdict is DriftVerdict.STEADY:
            return f"{label}: as in the training sales."
        return f"{label}: {'; '.join(self._changes())}."

    def _changes(self) -> list[str]:
        found = []
        if self.unseen_share > 0.01:
            named = ", ".join(self.unseen[:3])
            found.append(f"{percent(self.unseen_share)} have values the model has never seen ({named})")
        if self.before is not None and self.now is not None and self.before != self.now:
            found.append(f"median {self.now:,.6g}, was {self.before:,.6g}")
        if abs(self.missing_now - self.missing_before) > 0.01:
            found.append(f"missing in {percent(self.missing_now)}, was {percent(self.missing_before)}")
        return found or [f"shares differ from the training sales (PSI {self.psi:.2f})"]


@dataclass(frozen=True)
class Reference:
    """One fact in the training sales, prepared once for comparison with many months.

    Numbers with many distinct values are counted in buckets bounded by ``edges``, open at both ends; everything else
    by value. ``values`` are the sorted known numbers, empty for categories; ``counts`` has a count per bucket, the last
    for missing values, the one before it for values that are not listed.
    """

    field: str
    kind: str
    values: Floats
    edges: Floats
    listed: pd.Index
    counts: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of reference rows, missing ones included."""
        return sum(self.counts)


def psi(reference: ArrayLike, current: ArrayLike, bins: int = 10) -> float:
    """Return the population stability index of two columns: the bucket sum of (now - before) * ln(now / before).

    Buckets of numbers are bounded by the reference's quantiles and open at both ends; text, and numbers with at most
    ``bins`` distinct values, are counted by value. Missing values are a bucket, and so are values the reference does
    not have. An empty bucket counts half a row. Raises ValueError if either side is empty.
    Source: Siddiqi, Credit Risk Scorecards (2006), chapter 9; Yurdakul, Statistical Properties of PSI (2018).
    """
    known = reference_of(pd.Series(reference), "", bins)
    return _stability(np.array(known.counts), _counts(known, pd.Series(current)))


def reference_of(column: pd.Series, field: str, bins: int = 10) -> Reference:
    """Prepare a reference column; raises ValueError for an empty one, or one of dates."""
    if column.empty:
        raise ValueError(f"the reference of {field or 'a column'} has no rows; give the rows the model was trained on")
    if pd.api.types.is_datetime64_any_dtype(column):
        raise ValueError(f"{field or 'a column'} holds dates, which always drift; leave it out")
    known = column.dropna()
    if pd.api.types.is_numeric_dtype(column) and known.nunique() > bins:
        values = np.sort(known.to_numpy(dtype=float))
        edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
        prepared = Reference(field, "number", values, edges, pd.Index([]), ())
    elif pd.api.types.is_numeric_dtype(column):
        values = np.sort(known.to_numpy(dtype=float))
        prepared = Reference(field, "number", values, np.empty(0), pd.Index(np.unique(values)), ())
    else:
        listed = pd.Index(sorted(known.astype("str").unique()))
        prepared = Reference(field, "category", np.empty(0), np.empty(0), listed, ())
    counts = tuple(int(number) for number in _counts(prepared, column))
    return Reference(field, prepared.kind, prepared.values, prepared.edges, prepared.listed, counts)


def references_of(reference: pd.DataFrame, fields: Iterable[str]) -> tuple[Reference, ...]:
    """Prepare the reference's columns among ``fields``; raises ValueError as reference_of does."""
    return tuple(reference_of(reference[field], field) for field in fields if field in reference)


def feature_drift(reference: pd.DataFrame, current: pd.DataFrame, fields: Iterable[str]) -> tuple[FeatureDrift, ...]:
    """Compare the fields that both tables have, most significant changes first.

    Raises ValueError for an empty reference or a field of dates. Without current rows, every verdict is "too few".
    """
    return drift_from(references_of(reference, fields), current)


def drift_from(references: Iterable[Reference], current: pd.DataFrame) -> tuple[FeatureDrift, ...]:
    """Compare as feature_drift does, with prepared references."""
    shared = [one for one in references if one.field in current]
    # A number is tested twice: for its bucket shares and for its level.
    tests = sum(2 if one.kind == "number" else 1 for one in shared)
    found = [_drift(one, current[one.field], tests) for one in shared]
    first = {DriftVerdict.DRIFTED: 0, DriftVerdict.WATCH: 1}
    return tuple(sorted(found, key=lambda one: (first.get(one.verdict, len(first)), one.p_value, -one.psi)))


def drifted(found: Iterable[FeatureDrift]) -> tuple[FeatureDrift, ...]:
    """Return those that drifted."""
    return tuple(one for one in found if one.verdict is DriftVerdict.DRIFTED)


def _drift(reference: Reference, column: pd.Series, tests: int) -> FeatureDrift:
    before, now = np.array(reference.counts), _counts(reference, column)
    known = column.dropna()
    numbers = np.sort(known.to_numpy(dtype=float)) if reference.kind == "number" else np.empty(0)
    compared = bool(len(numbers) and len(reference.values))
    index = _stability(before, now) if len(column) else 0.0
    chance = _by_chance(before, now)
    distance = _distance(reference.values, numbers) if compared else None
    unseen = _unseen(reference, known)
    surprise = min(_shares_p(before, now, index), _level_p(reference.values, numbers) if compared else 1.0)
    p_value = min(1.0, surprise * tests)
    return FeatureDrift(
        field=reference.field,
        kind=reference.kind,
        n=len(column),
        psi=index,
        psi_by_chance=chance,
        distance=distance,
        wasserstein=_moved(reference.values, numbers) if compared else None,
        unseen=tuple(str(name) for name in unseen.index),
        unseen_share=float(unseen.sum() / len(column)) if len(column) else 0.0,
        missing_before=float(before[-1] / before.sum()),
        missing_now=float(now[-1] / len(column)) if len(column) else 0.0,
        before=float(np.median(reference.values)) if len(reference.values) else None,
        now=float(np.median(numbers)) if len(numbers) else None,
        p_value=p_value,
        # If few homes have a fact, even a large shift is small among all homes.
        verdict=_verdict(len(column), p_value, index - chance, (distance or 0.0) * len(numbers) / max(len(column), 1)),
    )


def _verdict(n: int, p_value: float, effect: float, distance: float) -> DriftVerdict:
    if n < SMALLEST:
        return DriftVerdict.TOO_FEW
    if p_value > _FAMILY_ERROR:
        return DriftVerdict.STEADY
    return DriftVerdict.DRIFTED if effect >= PSI_LARGE or distance >= KS_LARGE else DriftVerdict.WATCH


def _counts(reference: Reference, column: pd.Series) -> Ints:
    """Count the rows of a column by the reference's buckets, then rows with unlisted values, then with missing ones."""
    if column.empty and reference.counts:
        return np.zeros(len(reference.counts), dtype=np.int64)
    missing = column.isna().to_numpy()
    known = column[~missing]
    if len(reference.edges):
        places = np.searchsorted(reference.edges, known.to_numpy(dtype=float), side="left")
        buckets, unlisted = np.bincount(places, minlength=len(reference.edges) + 1), 0
    else:
        values = known.to_numpy(dtype=float) if reference.kind == "number" else known.astype("str")
        codes = reference.listed.get_indexer(pd.Index(values))
        unlisted = int((codes < 0).sum())
        buckets = np.bincount(codes[codes >= 0], minlength=len(reference.listed))
    return np.concatenate([buckets, [unlisted, int(missing.sum())]]).astype(np.int64)


def _unseen(reference: Reference, known: pd.Series) -> pd.Series:
    if len(reference.edges):
        return pd.Series(dtype=float)
    values = pd.Series(known.to_numpy(dtype=float)) if reference.kind == "number" else known.astype("str")
    return values[~values.isin(reference.listed)].value_counts()


def _stability(before: Ints, now: Ints) -> float:
    if not (before.sum() and now.sum()):
        raise ValueError("the stability index needs rows on both sides; nothing was priced, so show no drift")
    return float(_indices(before[None, :].astype(float), now[None, :].astype(float))[0])


def _indices(before: Floats, now: Floats) -> Floats:
    """Return the index of each row of bucket counts, shape (k, buckets) each, ignoring buckets empty on both sides."""
    filled = (before > 0) | (now > 0)
    old = np.maximum(before, _HALF) / before.sum(axis=1, keepdims=True)
    new = np.maximum(now, _HALF) / now.sum(axis=1, keepdims=True)
    parts: Floats = np.where(filled, (new - old) * np.log(new / old), 0.0).sum(axis=1)
    return parts


def _by_chance(before: Ints, now: Ints) -> float:
    """Return the expected index of two samples of one population, (B - 1)(1/n + 1/m) of B buckets (Yurdakul 2018)."""
    if not now.sum():
        return 0.0
    buckets = int(((before > 0) | (now > 0)).sum())
    return float((buckets - 1) * (1 / before.sum() + 1 / now.sum()))


def _shares_p(before: Ints, now: Ints, index: float) -> float:
    """Return the probability of such an index without drift.

    The index's chi-squared distribution (Yurdakul 2018) holds only for well-filled buckets, so it only rules out clear
    chance; everything else is compared with simulated samples.
    """
    if not now.sum():
        return 1.0
    buckets = int(((before > 0) | (now > 0)).sum())
    usual = float(chi2.sf(index / (1 / before.sum() + 1 / now.sum()), max(buckets - 1, 1)))
    if buckets < 2 or usual > 0.05:
        return usual
    simulated = _simulated(tuple(int(number) for number in before), int(now.sum()))
    beyond = len(simulated) - int(np.searchsorted(simulated, index - 1e-12, side="left"))
    # Beyond all draws, the large-sample distribution says more than their number can.
    return (1 + beyond) / (1 + _DRAWS) if beyond else min(usual, 1 / (1 + _DRAWS))


@lru_cache(maxsize=512)
def _simulated(before: tuple[int, ...], n: int) -> Floats:
    """Return the sorted indices of sample pairs drawn from the reference's shares, with its size and n rows.

    The buckets of unlisted and missing values have half a row if the reference has none: none seen does not mean that
    none exist.
    """
    counts = np.array(before, dtype=float)
    counts[-2:] = np.maximum(counts[-2:], _HALF)
    shares = counts / counts.sum()
    rng = np.random.default_rng(_SEED)
    first = rng.multinomial(sum(before), shares, _DRAWS).astype(float)
    second = rng.multinomial(n, shares, _DRAWS).astype(float)
    return np.sort(_indices(first, second))


def _level_p(before: Floats, now: Floats) -> float:
    """Return the probability of such a shift of ranks without drift (Mann and Whitney 1947, corrected for ties)."""
    if before[0] == before[-1] == now[0] == now[-1]:
        return 1.0
    return float(mannwhitneyu(now, before, method="asymptotic").pvalue)


def _distance(before: Floats, now: Floats) -> float:
    points = np.concatenate([before, now])
    below = np.searchsorted(before, points, side="right") / len(before)
    return float(np.abs(below - np.searchsorted(now, points, side="right") / len(now)).max())


def _moved(before: Floats, now: Floats) -> float | None:
    """Return the mean distance values moved (Wasserstein), in robust standard deviations; None if all are equal."""
    first, third = np.quantile(before, [0.25, 0.75])
    scale = (third - first) / _IQR_SIGMAS or float(before.std())
    if scale == 0:
        return None
    places = (np.arange(200) + 0.5) / 200
    return float(np.abs(np.quantile(now, places) - np.quantile(before, places)).mean() / scale)
