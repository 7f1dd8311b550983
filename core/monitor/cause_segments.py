"""Which segments of the homes sold add how much to a rise of the error, and what a different mix of homes adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.monitor.level_drift import log_ratio
from core.wording import area, band_names, money_short

_BANDS: Final = 5


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


def segment_rises(
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


def _labels(reference: pd.DataFrame, table: pd.DataFrame, currency: str, area_unit: str) -> dict[str, pd.Series]:
    """Return the segments of a table's sales by segmentation, bands cut at the reference's fifths."""
    found = {name: table[name].astype("str") for name in ("property_type", "area") if both_have(name, reference, table)}
    edge_words: dict[str, Callable[[float], str]] = {
        "living_area_sqft": lambda edge: area(edge, area_unit, currency),
        "estimate": lambda edge: money_short(edge, currency),
    }
    for column, words in edge_words.items():
        if both_have(column, reference, table):
            edges = np.unique(np.quantile(reference[column].dropna(), np.arange(1, _BANDS) / _BANDS))
            found[column] = _banded(table[column], edges, [words(float(edge)) for edge in edges])
    return found


def _banded(values: pd.Series, edges: Floats, edge_words: list[str]) -> pd.Series:
    names = np.array(band_names(edge_words), dtype=object)
    places = np.searchsorted(edges, values.to_numpy(dtype=float), side="right")
    return pd.Series(names[places], index=values.index, dtype="str").where(values.notna())


def both_have(column: str, reference: pd.DataFrame, current: pd.DataFrame) -> bool:
    """Tell whether both tables know a column of at least one sale."""
    return all(column in table and bool(table[column].notna().any()) for table in (reference, current))
