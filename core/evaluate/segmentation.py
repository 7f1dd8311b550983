"""The ways to divide scored sales: by price, type, location, age, size, time and confidence."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.evaluate.scored_sales import ScoredSales
from core.problem import Problem
from core.wording import area_label, from_sqft, money_short

NOT_KNOWN: Final = "not known"
"""The segment of sales that lack the fact."""

# Bands that agents use; other currencies have other price scales, so there the market's quartiles replace them.
_BANDS: Final = {"USD": (200_000.0, 500_000.0, 1_000_000.0)}
_QUARTERS: Final = (0.25, 0.50, 0.75)
_TENTHS: Final = tuple(np.arange(1, 10) / 10)
_FIFTHS: Final = (0.2, 0.4, 0.6, 0.8)
# New, within the first mortgage, before the first renovation, postwar, prewar and antique.
_AGES: Final = (2.0, 11.0, 31.0, 61.0, 101.0)
_AGE_NAMES: Final = ("up to 1 year", "2 to 10 years", "11 to 30 years", "31 to 60 years", "61 to 100 years", "over 100")


class Segmentation(StrEnum):
    """What sales are divided by. By sale price, any model seems to over-predict low and under-predict high prices."""

    PRICE_BAND = "sale price band"
    PRICE_TENTH = "tenths by sale price"
    ESTIMATE_BAND = "estimate band"
    ESTIMATE_TENTH = "tenths by estimate"
    PROPERTY_TYPE = "property type"
    ZIPCODE = "zipcode"
    NEIGHBOURHOOD = "neighborhood"
    AGE = "age"
    SIZE = "living area"
    QUARTER = "quarter of sale"
    CONFIDENCE = "confidence"


def segments_of(scored: ScoredSales, by: Segmentation, problem: Problem) -> pd.Series:
    """Return the segment of each row of ``scored.table``, as ordered categories; "not known" comes last, if present."""
    return _LABELS[by](scored, problem)


def available(scored: ScoredSales, problem: Problem) -> tuple[Segmentation, ...]:
    """Return the segmentations that divide these sales into at least two segments."""
    return tuple(by for by in Segmentation if segments_of(scored, by, problem).nunique() > 1)


def _bands(values: pd.Series, edges: tuple[float, ...], names: list[str]) -> pd.Series:
    """Name each value's band, which includes its lower edge; ``names`` is one longer than ``edges``."""
    numbers = values.to_numpy(dtype=float)
    codes = np.searchsorted(np.asarray(edges), numbers, side="right")
    missing = np.isnan(numbers)
    every = [*names, NOT_KNOWN]
    codes = np.where(missing, len(names), codes)
    labels = pd.Series(pd.Categorical.from_codes(codes, pd.Index(every), ordered=True), index=values.index)
    return labels.cat.remove_unused_categories()


def _prices(scored: ScoredSales, column: str, edges: tuple[float, ...]) -> pd.Series:
    edge_words = [money_short(edge, scored.terms.currency) for edge in edges]
    if not edge_words:
        return _bands(scored.table[column], (), ["all prices"])
    between = [f"{low} to {high}" for low, high in itertools.pairwise(edge_words)]
    return _bands(
        scored.table[column], edges, _distinct([f"under {edge_words[0]}", *between, f"{edge_words[-1]} and over"])
    )


def _band_edges(scored: ScoredSales, column: str) -> tuple[float, ...]:
    return _BANDS.get(scored.terms.currency) or _quantiles(scored.table[column], _QUARTERS)


def _quantiles(values: pd.Series, shares: tuple[float, ...]) -> tuple[float, ...]:
    known = values.dropna()
    if known.empty:
        return ()
    # An edge at the smallest value would leave the lowest segment empty.
    return tuple(sorted({float(edge) for edge in known.quantile(list(shares))} - {float(known.min())}))


def _distinct(names: list[str]) -> list[str]:
    # Edges so close that their names are equal still bound separate segments.
    return [f"{name} ({place})" if names.count(name) > 1 else name for place, name in enumerate(names, 1)]


def _tenths(column: str) -> Callable[[ScoredSales, Problem], pd.Series]:
    return lambda scored, _: _prices(scored, column, _quantiles(scored.table[column], _TENTHS))


def _price_bands(column: str) -> Callable[[ScoredSales, Problem], pd.Series]:
    return lambda scored, _: _prices(scored, column, _band_edges(scored, column))


def _words(column: str) -> Callable[[ScoredSales, Problem], pd.Series]:
    def labels(scored: ScoredSales, _: Problem) -> pd.Series:
        codes, known = pd.factorize(scored.table[column], sort=True)
        names = [str(name) for name in known]
        # A market may have a type with that exact name; it means the same.
        missing = names.index(NOT_KNOWN) if NOT_KNOWN in names else len(names)
        every = names if NOT_KNOWN in names else [*names, NOT_KNOWN]
        values = pd.Categorical.from_codes(np.where(codes < 0, missing, codes), pd.Index(every), ordered=True)
        return pd.Series(values, index=scored.table.index).cat.remove_unused_categories()

    return labels


def _kinds(scored: ScoredSales, problem: Problem) -> pd.Series:
    """Label homes by property type in words: "single family" for single_family."""
    words = scored.table["property_type"].map(lambda kind: str(kind).replace("_", " "), na_action="ignore")
    return _words("property_type")(replace(scored, table=scored.table.assign(property_type=words)), problem)


def _ages(scored: ScoredSales, _: Problem) -> pd.Series:
    return _bands(scored.table["age"], _AGES, list(_AGE_NAMES))


def _sizes(scored: ScoredSales, _: Problem) -> pd.Series:
    values, unit = scored.table["living_area_sqft"], scored.terms.area_unit
    edges = _quantiles(values, _FIFTHS)
    if not edges:
        return _bands(values, (), ["all sizes"])
    edge_words = [f"{from_sqft(edge, unit):,.0f}" for edge in edges]
    between = [f"{low} to {high} {area_label(unit)}" for low, high in itertools.pairwise(edge_words)]
    first, last = f"under {edge_words[0]} {area_label(unit)}", f"{edge_words[-1]} {area_label(unit)} and over"
    return _bands(values, edges, _distinct([first, *between, last]))


def _confidence(scored: ScoredSales, problem: Problem) -> pd.Series:
    rules = problem.estimate
    # The cut points apply to the confidence as shown, in whole percent.
    shown: Floats = np.round(100 * scored.table["confidence"].to_numpy(dtype=float))
    edges = (rules.confidence_medium, rules.confidence_high)
    return _bands(pd.Series(shown, index=scored.table.index), edges, ["low", "medium", "high"])


_LABELS: Final[dict[Segmentation, Callable[[ScoredSales, Problem], pd.Series]]] = {
    Segmentation.PRICE_BAND: _price_bands("sale_price"),
    Segmentation.PRICE_TENTH: _tenths("sale_price"),
    Segmentation.ESTIMATE_BAND: _price_bands("estimate"),
    Segmentation.ESTIMATE_TENTH: _tenths("estimate"),
    Segmentation.PROPERTY_TYPE: _kinds,
    Segmentation.ZIPCODE: _words("zipcode"),
    Segmentation.NEIGHBOURHOOD: _words("neighbourhood"),
    Segmentation.AGE: _ages,
    Segmentation.SIZE: _sizes,
    Segmentation.QUARTER: _words("quarter"),
    Segmentation.CONFIDENCE: _confidence,
}
