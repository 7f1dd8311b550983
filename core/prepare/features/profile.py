"""A market's usual values: ranges, categories and typical values of its training homes, for forms and flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from core.collect.join_keys import area_key
from core.prepare.features.facts import AREA_CODES, COORDINATES, FactColumns
from core.schema import FIELD_BY_NAME, FieldKind, label_of

MEDIAN: Final = 0.5
"""The quantile of the prices that is always in a profile."""

_USUAL_QUANTILES: Final = (0.005, 0.995)


@dataclass(frozen=True)
class NumericProfile:
    """Usual values of a numeric fact: 0.5% and 99.5% quantiles, median, extremes, share of homes without it."""

    name: str
    label: str
    unit: str
    flag: bool
    whole: bool
    low: float
    median: float
    high: float
    lowest: float
    highest: float
    missing_share: float


@dataclass(frozen=True)
class CategoryProfile:
    """A fact's categories with their number of training sales, most frequent first."""

    name: str
    label: str
    levels: Mapping[str, int]
    missing_share: float


@dataclass(frozen=True)
class MarketProfile:
    """The usual values of one market; ``typical`` has each area's median facts and most frequent categories."""

    sales: int
    first_sale: date
    last_sale: date
    numeric: tuple[NumericProfile, ...]
    categories: tuple[CategoryProfile, ...]
    area_codes: Mapping[str, Mapping[str, int]]
    typical: Mapping[str, Mapping[str, Mapping[str, float | str]]]
    price_quantiles: Mapping[float, float]

    @cached_property
    def _spelled(self) -> Mapping[str, Mapping[str, str]]:
        """The area of each spelling, by code; a spelling of several areas means none of them."""
        found: dict[str, dict[str, str]] = {}
        for code, areas in self.area_codes.items():
            keys = {area: area_key(code, area) for area in areas}
            spellings = Counter(keys.values())
            found[code] = {key: area for area, key in keys.items() if key and spellings[key] == 1}
        return found

    def as_sold(self, code: str, area: str) -> str:
        """Return an area as the sales spell it, by the keys that join files: "richmond" is Richmond; else as it is."""
        if area in self.area_codes.get(code, {}):
            return area
        return self._spelled.get(code, {}).get(area_key(code, area), area)

    def numeric_fact(self, name: str) -> NumericProfile | None:
        """Return the profile of a numeric fact, or None if the market does not use it."""
        return next((fact for fact in self.numeric if fact.name == name), None)

    def category(self, name: str) -> CategoryProfile | None:
        """Return the profile of a category, or None if the market does not use it."""
        return next((fact for fact in self.categories if fact.name == name), None)


def profile_market(
    homes: pd.DataFrame, prices: pd.Series, facts: FactColumns, quantiles: tuple[float, ...]
) -> MarketProfile:
    """Profile training homes and their prices; scope rules use the ``quantiles`` of the prices."""
    coordinates = COORDINATES if facts.located else ()
    numeric = (*facts.numeric, *coordinates, *(["year_renovated"] if facts.renovation else []))
    return MarketProfile(
        sales=len(homes),
        first_sale=homes["sale_date"].min().date(),
        last_sale=homes["sale_date"].max().date(),
        numeric=tuple(_numeric(homes[name]) for name in numeric if homes[name].notna().any()),
        categories=tuple(_category(homes[name]) for name in facts.categorical),
        area_codes={code: _levels(homes[code]) for code in facts.area_codes},
        typical={code: _typical(homes, code, facts) for code in AREA_CODES if code in facts.area_codes},
        price_quantiles={share: float(prices.quantile(share)) for share in (*quantiles, MEDIAN)},
    )


def _numeric(values: pd.Series) -> NumericProfile:
    name = str(values.name)
    field = FIELD_BY_NAME.get(name)
    recorded = values.dropna()
    low, high = recorded.quantile(list(_USUAL_QUANTILES))
    return NumericProfile(
        name=name,
        label=label_of(name),
        unit=field.unit if field else "",
        flag=(field.kind is FieldKind.FLAG) if field else set(recorded.unique()) <= {0.0, 1.0},
        whole=bool(np.all(recorded == np.round(recorded))),
        low=float(low),
        median=float(recorded.median()),
        high=float(high),
        lowest=float(recorded.min()),
        highest=float(recorded.max()),
        missing_share=float(values.isna().mean()),
    )


def _category(values: pd.Series) -> CategoryProfile:
    name = str(values.name)
    return CategoryProfile(name, label_of(name), _levels(values), float(values.isna().mean()))


def _levels(values: pd.Series) -> Mapping[str, int]:
    # Break ties by name, so that the order of sales does not affect the profile.
    counts = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return {str(level): int(count) for level, count in counts.items()}


def _typical(homes: pd.DataFrame, code: str, facts: FactColumns) -> Mapping[str, Mapping[str, float | str]]:
    coordinates = list(COORDINATES) if facts.located else []
    medians = homes.groupby(code)[[*facts.numeric, *coordinates]].median()
    table: dict[str, dict[str, float | str]] = {
        str(area): {str(name): float(value) for name, value in row.items() if np.isfinite(value)}
        for area, row in medians.to_dict(orient="index").items()
    }
    for name in facts.categorical:
        for area, level in _most_frequent(homes, code, name).items():
            table[area][name] = level
    return table


def _most_frequent(homes: pd.DataFrame, code: str, name: str) -> dict[str, str]:
    counts = homes.groupby([code, name]).size().rename("n").reset_index()
    first = counts.sort_values([code, "n", name], ascending=[True, False, True]).drop_duplicates(code)
    return {str(area): str(level) for area, level in zip(first[code], first[name], strict=True)}
