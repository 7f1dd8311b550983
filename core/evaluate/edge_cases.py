"""Edge cases: sets of homes that are hard to price, and whether review flags catch the model's big misses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import mean_interval, median_interval, share_interval
from core.evaluate.scored_sales import ScoredSales, Terms, error
from core.problem import Problem
from core.wording import money_range, money_short

BIG_MISS: Final = 0.20
"""A big miss: an error of twice the promised 10%, which a review should catch."""

_LUXURY_SHARE: Final = 0.98
_TINY_SHARE: Final = 0.02
_NEW_YEARS: Final = 1.0


@dataclass(frozen=True)
class EdgeCase:
    """One set of hard-to-price homes: ``n`` sales, of which ``priced`` got an estimate.

    Of those priced: ``mape`` and ``bias`` (median) with their intervals, missing if there are none; ``reviewed``, the
    share with a flag that needs review. ``withheld`` is the share of all that got no price; ``thin`` marks a small
    sample.
    """

    name: str
    meaning: str
    n: int
    priced: int
    mape: Figure
    bias: Figure
    reviewed: Figure
    withheld: Figure
    thin: bool


@dataclass(frozen=True)
class FlagQuality:
    """How well review flags find big misses among the priced sales; ``misses`` is their number.

    ``recall``: share of big misses that were flagged; ``precision``: share of flagged sales that were big misses;
    ``base``: share of big misses among all, which random flagging would reach. ``kinds`` has a row per kind of flag:
    kind, flagged, precision with precision_low and precision_high, recall.
    """

    over: float
    misses: int
    flagged: int
    recall: Figure
    precision: Figure
    base: Figure
    kinds: pd.DataFrame


def edge_cases(scored: ScoredSales, problem: Problem) -> tuple[EdgeCase, ...]:
    """Return every set that the market's data can identify, even those without test sales."""
    return tuple(
        _measured(scored.table[rows], name, meaning, problem.estimate.small_sample_n)
        for name, meaning, rows in _sets(scored, problem)
    )


def edge_case_sales(scored: ScoredSales, name: str, problem: Problem) -> pd.DataFrame:
    """Return one set's sales with their ``error``, worst misses first, those without a price last.

    Raises KeyError for a set the data cannot identify.
    """
    for one, _, rows in _sets(scored, problem):
        if one == name:
            table = scored.table[rows]
            signed = error(table).where(table["priced"])
            size = signed.abs().fillna(-1.0).to_numpy(dtype=float)
            return table.assign(error=signed).iloc[np.lexsort((table["intake_row"].to_numpy(), -size))]
    raise KeyError(name)


def flag_quality(scored: ScoredSales) -> FlagQuality:
    """Compare which priced sales were flagged for review with which were missed by more than 20%."""
    table = scored.priced
    missed = error(table).abs().to_numpy(dtype=float) > BIG_MISS
    flagged = (table["review"] != "").to_numpy()
    both = int((missed & flagged).sum())
    return FlagQuality(
        over=BIG_MISS,
        misses=int(missed.sum()),
        flagged=int(flagged.sum()),
        recall=_share(both, int(missed.sum())),
        precision=_share(both, int(flagged.sum())),
        base=_share(int(missed.sum()), len(table)),
        kinds=_by_kind(table["review"], missed),
    )


def flagged_by(terms: Terms) -> str:
    """Say by which prices the sales of a test were flagged: no scope was drawn yet when it was scored."""
    prices = money_range(terms.standard_low, terms.standard_high, terms.currency)
    return f"These flags are those of the day the test was scored: for the price, those outside {prices}."


def _by_kind(review: pd.Series, missed: Bools) -> pd.DataFrame:
    # Many sales share a few distinct combinations of flags.
    codes, combinations = pd.factorize(review, sort=True)
    n_of, hits_of = (np.bincount(codes[rows], minlength=len(combinations)) for rows in (slice(None), missed))
    every = sorted({kind for one in combinations for kind in str(one).split(";") if kind})
    carry = np.array([[kind in str(one).split(";") for one in combinations] for kind in every], dtype=np.int64)
    carry = carry.reshape(len(every), len(combinations))
    n, hits = carry @ n_of, carry @ hits_of
    low, high = share_interval(hits, n)
    return pd.DataFrame(
        {
            "kind": pd.Series(every, dtype="str"),
            "flagged": n,
            "precision": hits / n,
            "precision_low": low,
            "precision_high": high,
            "recall": hits / missed.sum() if missed.any() else np.nan,
        }
    )


def _sets(scored: ScoredSales, problem: Problem) -> Iterator[tuple[str, str, pd.Series]]:
    table, terms = scored.table, scored.terms
    high, low = (money_short(edge, terms.currency) for edge in (terms.standard_high, terms.standard_low))
    top = float(table["sale_price"].quantile(_LUXURY_SHARE)) if len(table) else np.nan
    yield (
        "luxury",
        f"most expensive 2% of sales, {money_short(top, terms.currency)} and over",
        table["sale_price"] >= top,
    )
    yield "above the standard scope", f"sold above {high}", table["sale_price"] > terms.standard_high
    yield "below the standard scope", f"sold below {low}", table["sale_price"] < terms.standard_low
    yield from _type_sets(table, problem)
    lots = table["lot_area_sqft"].where(table["lot_area_sqft"] > 0)
    if lots.notna().any():
        yield "tiny lots", "the smallest 2% of lots", lots <= float(lots.quantile(_TINY_SHARE))
    if table["age"].notna().any():
        yield "new builds", "sold within a year of being built, or before", table["age"] <= _NEW_YEARS
    yield "missing facts", "a fact that agents are asked for is not recorded", table["missing"] != ""


def _type_sets(table: pd.DataFrame, problem: Problem) -> Iterator[tuple[str, str, pd.Series]]:
    scope = problem.scope
    if table["property_type"].notna().any():
        for kind in scope.unusual_types:
            yield kind.replace("_", " "), f"property type {kind.replace('_', ' ')}", table["property_type"] == kind
    if table["zoning"].notna().any():
        pattern = "|".join(map(re.escape, scope.unusual_zoning))
        words = ", ".join(scope.unusual_zoning)
        unusual = table["zoning"].str.contains(pattern, case=False, na=False, regex=True)
        yield "commercial zoning", f"zoned {words}", unusual
    if table["units"].notna().any():
        yield "multi-unit", f"more than {scope.units_max} dwelling units", table["units"] > scope.units_max


def _measured(table: pd.DataFrame, name: str, meaning: str, small_sample_n: int) -> EdgeCase:
    priced = table[table["priced"]]
    signed = error(priced).to_numpy(dtype=float)
    n = len(signed)
    mape = bias = Figure(np.nan, np.nan, np.nan, n)
    if n:
        size = np.abs(signed)
        mean = float(size.mean())
        low, high = mean_interval(mean, float(size.std(ddof=1)) if n > 1 else np.nan, n)
        mape = Figure(mean, float(np.maximum(low, 0.0)), float(high), n)
        bias = Figure(float(np.median(signed)), *median_interval(signed), n)
    return EdgeCase(
        name=name,
        meaning=meaning,
        n=len(table),
        priced=n,
        mape=mape,
        bias=bias,
        reviewed=_share(int((priced["review"] != "").sum()), n),
        withheld=_share(len(table) - n, len(table)),
        thin=n < small_sample_n,
    )


def _share(hits: int, n: int) -> Figure:
    if n == 0:
        return Figure(np.nan, np.nan, np.nan, 0)
    low, high = share_interval(hits, n)
    return Figure(hits / n, float(low), float(high), n)
