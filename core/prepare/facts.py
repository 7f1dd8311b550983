"""Which facts of a market's homes the model may use, and how missing ones are filled from training homes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from core.schema import NEIGHBOURHOOD_FIELDS, PROPERTY_FIELDS, FieldKind, is_extra

AREA_CODES: Final = ("zipcode", "neighbourhood")
COORDINATES: Final = ("latitude", "longitude")

# Assessed values stay out: an agent rarely knows them at the kitchen table, and in many rolls they were set after
# the sale, which would leak its price. Renovation is never imputed: a blank year means "not renovated".
_NOT_MODELLED: Final = frozenset(
    {"property_id", "address", "unit", "assessed_value", "prior_assessed_value", "year_renovated"}
    | set(AREA_CODES)
    | set(COORDINATES)
)
_RECORDED_SHARE_MIN: Final = 0.05
_LEVELS_MIN: Final = 2
_MISSING_MARK_SHARE: Final = 0.01


@dataclass(frozen=True)
class FactColumns:
    """The columns of one market's sales a model may use, by the way they are used."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    area_codes: tuple[str, ...]
    located: bool
    renovation: bool

    @property
    def all(self) -> tuple[str, ...]:
        """Every fact column, in a fixed order."""
        coordinates = COORDINATES if self.located else ()
        renovation = ("year_renovated",) if self.renovation else ()
        return (*self.numeric, *self.categorical, *self.area_codes, *coordinates, *renovation)


def find_facts(sales: pd.DataFrame) -> FactColumns:
    """Choose the usable columns: recorded for at least 5 % of the sales and not constant."""
    kinds = {field.name: field.kind for field in (*PROPERTY_FIELDS, *NEIGHBOURHOOD_FIELDS)}
    numeric, categorical = [], []
    for name in sales.columns:
        if name in _NOT_MODELLED or (name not in kinds and not is_extra(name)):
            continue
        recorded = sales[name].dropna()
        if len(recorded) < _RECORDED_SHARE_MIN * len(sales) or recorded.nunique() < _LEVELS_MIN:
            continue
        if pd.api.types.is_numeric_dtype(recorded):
            numeric.append(name)
        elif kinds.get(name) is not FieldKind.TEXT:
            categorical.append(name)
    codes = [code for code in AREA_CODES if _recorded_share(sales, code) >= _RECORDED_SHARE_MIN]
    located = all(_recorded_share(sales, name) >= 0.5 for name in COORDINATES)
    renovation = _recorded_share(sales, "year_renovated") > 0
    return FactColumns(tuple(numeric), tuple(categorical), tuple(codes), located, renovation)


def _recorded_share(sales: pd.DataFrame, name: str) -> float:
    return float(sales[name].notna().mean()) if name in sales.columns else 0.0


class FactImputer(TransformerMixin, BaseEstimator):
    """Fill missing numeric facts with the median of the same property type and area code, then type, then all.

    ``fit`` sees training homes only. ``transform`` returns the fact columns (plus ``sale_date``) without missing
    numbers, and one ``missing_<field>`` column (0 or 1) for each field at least 1 % of training homes lack. Missing
    coordinates become the middle of the home's area code, if that is known.
    """

    def __init__(self, facts: FactColumns) -> None:
        self.facts = facts

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the medians of each group from training homes."""
        names = list(self.facts.numeric)
        table = X[names]
        kind, area = _group_keys(X, self.facts)
        self.overall_ = table.median().to_numpy(dtype=float)
        self.by_type_ = _medians(table, kind)
        self.by_type_area_ = _medians(table, kind + "|" + area)
        self.marked_ = tuple(np.array(names)[(table.isna().mean() >= _MISSING_MARK_SHARE).to_numpy()])
        self.centres_ = _centres(X, self.facts)
        self.recorded_share_ = dict(zip(names, table.notna().mean().to_numpy(), strict=True))
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the facts with numbers filled and the missing marks set."""
        check_is_fitted(self, "overall_")
        names = list(self.facts.numeric)
        recorded = X[names].to_numpy(dtype=float)
        filled = self._fill(X, recorded)
        others = [name for name in (*self.facts.all, "sale_date") if name not in names]
        marks = {f"missing_{name}": np.isnan(recorded[:, names.index(name)]) * 1.0 for name in self.marked_}
        columns: dict[str, Any] = {name: filled[:, position] for position, name in enumerate(names)}
        columns |= {name: X[name].to_numpy() for name in others}
        if self.facts.located:
            columns |= self._place(X)
        return pd.DataFrame(columns | marks, index=X.index, copy=False)

    def _place(self, X: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
        place = X[list(COORDINATES)].to_numpy(dtype=float).copy()
        for code, centres in self.centres_.items():
            rows = np.flatnonzero(np.isnan(place).any(axis=1))
            if rows.size == 0:
                break
            found = centres.index.get_indexer(pd.Index(X[code].iloc[rows]))
            place[rows[found >= 0]] = centres.to_numpy()[found[found >= 0]]
        return {name: place[:, position] for position, name in enumerate(COORDINATES)}

    def _fill(self, X: pd.DataFrame, recorded: NDArray[np.float64]) -> NDArray[np.float64]:
        filled = recorded.copy()
        rows = np.flatnonzero(np.isnan(recorded).any(axis=1))
        if rows.size == 0:
            return filled
        kind, area = _group_keys(X.iloc[rows], self.facts)
        for medians, keys in ((self.by_type_area_, kind + "|" + area), (self.by_type_, kind)):
            found = medians.index.get_indexer(pd.Index(keys))
            values = np.where((found >= 0)[:, None], medians.to_numpy()[found], np.nan)
            filled[rows] = np.where(np.isnan(filled[rows]), values, filled[rows])
        return np.where(np.isnan(filled), self.overall_, filled)


def _group_keys(X: pd.DataFrame, facts: FactColumns) -> tuple[pd.Series, pd.Series]:
    blank = pd.Series("", index=X.index, dtype="str")
    kind = X["property_type"].fillna("") if "property_type" in facts.categorical else blank
    area = X[facts.area_codes[0]].fillna("") if facts.area_codes else blank
    return kind, area


def _centres(X: pd.DataFrame, facts: FactColumns) -> dict[str, pd.DataFrame]:
    if not facts.located:
        return {}
    located = X.dropna(subset=list(COORDINATES))
    # The neighbourhood first: it is the smaller area where a market has both.
    return {code: _medians(located[list(COORDINATES)], located[code]) for code in reversed(facts.area_codes)}


def _medians(table: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    return table.groupby(keys.to_numpy(), sort=True).median()
