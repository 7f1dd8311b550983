"""Error by segment: where the model is good enough and where not, by one or two segmentations, down to single sales."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import numpy as np
import pandas as pd

from core.arrays import Bools, Floats, Ints
from core.evaluate.intervals import group_medians, mean_interval, share_interval
from core.evaluate.scored_sales import ScoredSales, error
from core.evaluate.segmentation import Segmentation, segments_of
from core.problem import Problem

MEASURES: Final = ("mape", "mdape", "ppe10", "bias", "coverage")
"""The figures of a segment, each with its interval in columns ``<name>_low`` and ``<name>_high``."""

_WITHIN: Final = 0.10
_TIE: Final = 1e-12


def by_segment(scored: ScoredSales, by: tuple[Segmentation, ...], problem: Problem) -> pd.DataFrame:
    """Return one row per segment of the priced sales, or per cell of two crossed segmentations, in their order.

    Columns: one per segmentation, with its name; n; MEASURES with their 95% intervals (mape Student's, the medians
    mdape and bias and the shares ppe10 and coverage exact; missing for too few sales); thin (n below
    estimate.small_sample_n). The counts n add up to the priced sales; empty cells are left out.
    Raises ValueError unless ``by`` has one segmentation or two different ones.
    """
    if len(by) not in (1, 2) or len(set(by)) != len(by):
        raise ValueError(f"segments by {[*by]}; choose one segmentation, or two different ones to cross")
    table = scored.priced
    labels = {one.value: segments_of(scored, one, problem)[table.index] for one in by}
    return _measured(table, labels, problem.estimate.small_sample_n)


def by_every_segmentation(scored: ScoredSales, problem: Problem) -> dict[Segmentation, pd.DataFrame]:
    """Return the result of ``by_segment`` for every single ``available`` segmentation."""
    table, found = scored.priced, {}
    for by in Segmentation:
        labels = segments_of(scored, by, problem)
        if labels.nunique() > 1:
            found[by] = _measured(table, {by.value: labels[table.index]}, problem.estimate.small_sample_n)
    return found


def sales_of(scored: ScoredSales, cell: Mapping[Segmentation, str], problem: Problem) -> pd.DataFrame:
    """Return the priced sales of one segment or cell with their signed ``error``, worst misses first.

    ``cell`` gives the segment's name by segmentation; an empty cell means all sales, an unknown name gives no rows.
    """
    chosen = scored.table["priced"].copy()
    for by, name in cell.items():
        chosen &= segments_of(scored, by, problem) == name
    table = scored.table[chosen]
    signed = error(table)
    order = np.lexsort((table["intake_row"].to_numpy(), -signed.abs().to_numpy()))
    return table.assign(error=signed).iloc[order]


def worst(segments: pd.DataFrame, measure: str = "mape") -> pd.DataFrame:
    """Return the segments that are not small samples, largest error first."""
    return segments[~segments["thin"]].sort_values(measure, ascending=False, kind="stable")


def surely_over(segments: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Return the small samples whose mean error is over a limit with its whole interval, largest error first."""
    over = segments["thin"] & (segments["mape_low"] > limit)
    return segments[over].sort_values("mape", ascending=False, kind="stable")


def _measured(table: pd.DataFrame, labels: Mapping[str, pd.Series], small_sample_n: int) -> pd.DataFrame:
    sizes = [len(label.cat.categories) for label in labels.values()]
    codes = np.ravel_multi_index([label.cat.codes.to_numpy(dtype=np.int64) for label in labels.values()], sizes)
    groups, cells = pd.factorize(codes, sort=True)
    n = np.bincount(groups, minlength=len(cells))
    names = dict(zip(labels, np.unravel_index(cells, sizes), strict=True))
    result = pd.DataFrame(
        {
            name: pd.Categorical.from_codes(names[name], dtype=cast("pd.CategoricalDtype", label.dtype))
            for name, label in labels.items()
        }
    ).assign(n=n.astype(np.int64))
    for name, values in _figures(table, groups.astype(np.int64), len(result)).items():
        result[name] = values
    return result.assign(thin=result["n"] < small_sample_n)


def _figures(table: pd.DataFrame, groups: Ints, count: int) -> dict[str, Floats]:
    signed = error(table).to_numpy(dtype=float)
    size = np.abs(signed)
    held = ((table["sale_price"] >= table["low"]) & (table["sale_price"] <= table["high"])).to_numpy()
    columns: dict[str, Floats] = {}
    columns |= _with_interval("mape", _means(size, groups, count))
    columns |= _with_interval("mdape", group_medians(size, groups, count))
    columns |= _with_interval("ppe10", _shares(size <= _WITHIN + _TIE, groups, count))
    columns |= _with_interval("bias", group_medians(signed, groups, count))
    return columns | _with_interval("coverage", _shares(held, groups, count))


def _with_interval(name: str, figures: tuple[Floats, Floats, Floats]) -> dict[str, Floats]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), figures, strict=True))


def _means(values: Floats, groups: Ints, count: int) -> tuple[Floats, Floats, Floats]:
    n = np.bincount(groups, minlength=count)
    mean = np.bincount(groups, values, minlength=count) / n
    squares = np.bincount(groups, (values - mean[groups]) ** 2, minlength=count)
    low, high = mean_interval(mean, np.sqrt(squares / np.maximum(n - 1, 1)), n)
    # An absolute error is never below zero.
    return mean, np.maximum(low, 0.0), high


def _shares(true: Bools, groups: Ints, count: int) -> tuple[Floats, Floats, Floats]:
    n = np.bincount(groups, minlength=count)
    hits = np.bincount(groups[true], minlength=count)
    return hits / n, *share_interval(hits, n)
