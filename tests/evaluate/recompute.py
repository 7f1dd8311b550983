"""Every figure of an evaluation once more, with pandas alone, from the columns of the scored table."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd


def figures(table: pd.DataFrame) -> dict[str, float]:
    """The headline's values of priced sales."""
    signed = (table["estimate"] - table["sale_price"]) / table["sale_price"]
    squares = ((table["sale_price"] - table["sale_price"].mean()) ** 2).sum()
    return {
        "mape": signed.abs().mean(),
        "mdape": signed.abs().median(),
        "ppe5": (signed.abs() <= 0.05).mean(),
        "ppe10": (signed.abs() <= 0.10).mean(),
        "ppe20": (signed.abs() <= 0.20).mean(),
        "r_squared": 1 - ((table["estimate"] - table["sale_price"]) ** 2).sum() / squares,
        "bias": signed.median(),
        "coverage": table["sale_price"].between(table["low"], table["high"]).mean(),
        "width": ((table["high"] - table["low"]) / table["point"]).mean(),
    }


def ratios(table: pd.DataFrame) -> dict[str, float]:
    """The ratio study's values, the PRB by the normal equations of its regression."""
    ratio = table["estimate"] / table["sale_price"]
    value = 0.5 * table["sale_price"] + 0.5 * table["estimate"] / ratio.median()
    design = pd.DataFrame({"x": value.map(math.log) / math.log(2), "y": ratio / ratio.median() - 1})
    return {
        "median": ratio.median(),
        "cod": 100 * (ratio - ratio.median()).abs().mean() / ratio.median(),
        "prd": ratio.mean() / (table["estimate"].sum() / table["sale_price"].sum()),
        "prb": design["x"].cov(design["y"]) / design["x"].var(),
    }


def by_group(table: pd.DataFrame, groups: list[pd.Series]) -> pd.DataFrame:
    """The values of segments, by the labels of their sales."""
    values = table.assign(
        signed=(table["estimate"] - table["sale_price"]) / table["sale_price"],
        held=table["sale_price"].between(table["low"], table["high"]),
    )
    values = values.assign(size=values["signed"].abs())
    cells = values.groupby(groups, observed=True)
    return pd.DataFrame(
        {
            "n": cells.size(),
            "mape": cells["size"].mean(),
            "mdape": cells["size"].median(),
            "ppe10": cells["size"].agg(lambda size: (size <= 0.10).mean()),
            "bias": cells["signed"].median(),
            "coverage": cells["held"].mean(),
        }
    )


def segments(table: pd.DataFrame, by: str, currency: str, cuts: tuple[float, float]) -> pd.Series:
    """The number of each sale's segment, 0 the first; sales that lack the fact come last.

    ``table`` has all sales, priced or not; ``cuts`` are the least medium and the least high confidence, in percent.
    """
    tenths, quarters, fifths = (tuple(np.arange(1, parts) / parts) for parts in (10, 4, 5))
    if by in ("property type", "zipcode", "neighborhood", "quarter of sale"):
        names = {"property type": "property_type", "quarter of sale": "quarter", "neighborhood": "neighbourhood"}
        words = table[names.get(by, by)]
        return words.rank(method="dense", na_option="bottom").astype(int) - 1
    if by in ("sale price band", "estimate band"):
        values = table["sale_price" if by == "sale price band" else "estimate"]
        edges = [200_000.0, 500_000.0, 1_000_000.0] if currency == "USD" else _edges(values, quarters)
        return _banded(values, edges)
    column = {"tenths by sale price": "sale_price", "tenths by estimate": "estimate", "living area": "living_area_sqft"}
    if by in column:
        values = table[column[by]]
        return _banded(values, _edges(values, fifths if by == "living area" else tenths))
    if by == "age":
        return _banded(table["age"], [2, 11, 31, 61, 101])
    return _banded((table["confidence"] * 100).round(), list(cuts))


def _edges(values: pd.Series, shares: tuple[float, ...]) -> list[float]:
    edges = values.quantile(list(shares)).drop_duplicates()
    return edges[edges > values.min()].tolist()


def _banded(values: pd.Series, edges: list[float]) -> pd.Series:
    bands = pd.cut(values, [-math.inf, *edges, math.inf], right=False, labels=False)
    return bands.fillna(len(edges) + 1).astype(int)


def bounds(table: pd.DataFrame, level: float) -> dict[str, float]:
    """What the ranges of a level held, and their median width, of priced sales."""
    low, high = table[f"low_{level * 100:.0f}"], table[f"high_{level * 100:.0f}"]
    return {
        "coverage": table["sale_price"].between(low, high).mean(),
        "width": ((high - low) / table["point"]).median(),
    }


def calibration_error(table: pd.DataFrame, tolerance: float) -> float:
    """The expected calibration error in tenths of confidence."""
    right = ((table["sale_price"] / table["estimate"] - 1).abs() <= tolerance).astype(float)
    tenth = (table["confidence"] * 10).astype(int).clip(upper=9)
    gap = (table["confidence"] - right).groupby(tenth).sum().abs()
    return float(gap.sum() / len(table))


def recall_and_precision(table: pd.DataFrame) -> tuple[float, float]:
    """The review flags' recall of misses over 20 %, and their precision."""
    missed = ((table["estimate"] / table["sale_price"] - 1).abs() > 0.20).to_numpy()
    flagged = (table["review"] != "").to_numpy()
    return float(flagged[missed].mean()), float(missed[flagged].mean())


def trend(sales: pd.DataFrame, end: pd.Timestamp) -> float:
    """One area's yearly price trend, through numpy's own least squares."""
    recent = sales[(sales["sale_date"] < end) & (sales["sale_date"] >= end - pd.Timedelta(days=730))]
    years = (recent["sale_date"] - end).dt.days / 365.25
    unit_price = (recent["sale_price"] / recent["living_area_sqft"]).map(math.log)
    known = unit_price.notna()
    return float(np.expm1(np.polyfit(years[known], unit_price[known], 1)[0]))
