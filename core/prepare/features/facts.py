"""The facts of a market's homes that a model may use, and how missing ones are filled from training homes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from core.arrays import Floats, Ints, Objects
from core.prepare.features.columns import Columns, columns_of, words
from core.prepare.features.postal_codes import next_wider, next_wider_of, often_new
from core.schema import NEIGHBOURHOOD_FIELDS, PROPERTY_FIELDS, FieldKind, is_extra

AREA_CODES: Final = ("zipcode", "neighbourhood")
COORDINATES: Final = ("latitude", "longitude")

# Assessed values are excluded: agents rarely know them at the kitchen table, and many rolls set them after the sale,
# which would leak its price; what they rose by before it is a fact (core.prepare.assessed_rise).
NEVER_USED: Final = frozenset({"assessed_value", "prior_assessed_value", "assessed_on"})
"""Facts of a home that no model uses."""

# Renovation is never imputed: a blank year means "not renovated".
_NOT_MODELLED: Final = frozenset(
    {"property_id", "address", "unit", "year_renovated"} | NEVER_USED | set(AREA_CODES) | set(COORDINATES)
)
_RECORDED_SHARE_MIN: Final = 0.05
# A fact that only older sales record stands for their age: a home of today of which it is known would be priced as one
# of theirs. King County, types in the file of 2006 to 2014 alone: 150 homes of 2015 with their true type were priced
# 12.8% too low in the median, without it 1.6%.
_NEWEST_SHARE: Final = 0.1
_NEWEST_MIN: Final = 100
# An older file without coordinates must not take them from the homes that have them; the others get the middle of
# their area. King County with as many sales of either kind: MAPE 11.6% with, 14.0% without (training folds).
_LOCATED_SHARE_MIN: Final = 0.2
# Fewer list dates tell how fast the homes of one source sell, and not those of the market; of fewer sales they tell too
# little of single areas: in the simulated city they gained nothing by time with 6,000 sales, and with 20,000 the mean
# error fell from 7.56% to 7.35%.
_LISTED_SHARE_MIN: Final = 0.5
_LISTED_MIN: Final = 10_000
_LEVELS_MIN: Final = 2
_MISSING_MARK_SHARE: Final = 0.01
_SIZE: Final = "living_area_sqft"
# A fact follows the size of a home if size explains a tenth of its variance within a neighborhood.
_ELASTICITY_SHARE_MIN: Final = 0.1
_ELASTICITY_SALES_MIN: Final = 100
# A type of home does not have a fact (a condo its own lot) if fewer of its homes record it.
_TYPE_SHARE_MIN: Final = 0.05
TYPE_HOMES_MIN: Final = 30
"""Of fewer training homes of a type, a fact that a few of them record may be one that the type has."""
_CODE: Final = "zipcode"
_WIDER: Final = "zipcode_wider"
_STEPS: Final = (1.0, 0.5, 0.25)
_LEAST_STEP: Final = 0.01


@dataclass(frozen=True)
class FactColumns:
    """The columns of one market's sales that a model may use, by how it uses them.

    ``addressed`` says that the address tells the street, which only a market without coordinates needs; ``listed`` that
    the list dates of sales tell how fast homes sell. The list date of a home that is priced is no fact of it.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    area_codes: tuple[str, ...]
    located: bool
    renovation: bool
    addressed: bool = False
    listed: bool = False

    @property
    def of_sales(self) -> tuple[str, ...]:
        """The columns of sales that a model learns from, beside their prices."""
        return (*self.all, "sale_date", *(("list_date",) if self.listed else ()))

    @property
    def all(self) -> tuple[str, ...]:
        """Every fact column, in a fixed order."""
        coordinates = COORDINATES if self.located else ()
        renovation = ("year_renovated",) if self.renovation else ()
        address = ("address",) if self.addressed else ()
        return (*self.numeric, *self.categorical, *self.area_codes, *coordinates, *renovation, *address)


def find_facts(sales: pd.DataFrame) -> FactColumns:
    """Choose the usable columns: recorded for at least 5% of the sales (coordinates: 20%) and not constant.

    Facts of homes must be recorded for 5% of the newest tenth of the sales, too, or of the newest 100.
    """
    newest = _newest(sales)
    kinds = {field.name: field.kind for field in (*PROPERTY_FIELDS, *NEIGHBOURHOOD_FIELDS)}
    numeric, categorical = [], []
    for name in sales.columns:
        if name in _NOT_MODELLED or (name not in kinds and not is_extra(name)):
            continue
        recorded = sales[name].dropna()
        if min(_recorded_share(sales, name), _recorded_share(newest, name)) < _RECORDED_SHARE_MIN:
            continue
        if recorded.nunique() < _LEVELS_MIN:
            continue
        if pd.api.types.is_numeric_dtype(recorded):
            numeric.append(name)
        elif kinds.get(name) is not FieldKind.TEXT:
            categorical.append(name)
    codes = [code for code in AREA_CODES if _recorded_share(sales, code) >= _RECORDED_SHARE_MIN]
    located = all(_recorded_share(sales, name) >= _LOCATED_SHARE_MIN for name in COORDINATES)
    renovation = _recorded_share(sales, "year_renovated") > 0
    addressed = not located and _recorded_share(sales, "address") >= _RECORDED_SHARE_MIN
    listed = _recorded_share(sales, "list_date") >= max(_LISTED_SHARE_MIN, _LISTED_MIN / max(len(sales), 1))
    return FactColumns(tuple(numeric), tuple(categorical), tuple(codes), located, renovation, addressed, listed)


def _newest(sales: pd.DataFrame) -> pd.DataFrame:
    """Return the newest tenth of the sales, at least 100, with all that were sold on the earliest day of these."""
    count = max(_NEWEST_MIN, int(_NEWEST_SHARE * len(sales)))
    if "sale_date" not in sales or len(sales) <= count:
        return sales
    return sales[sales["sale_date"] >= sales["sale_date"].nlargest(count).min()]


def _recorded_share(sales: pd.DataFrame, name: str) -> float:
    return float(sales[name].notna().mean()) if name in sales.columns else 0.0


@dataclass(frozen=True)
class _Medians:
    """Medians of groups of homes: ``position`` is each group's row by its key in ``values``, (groups + 1, columns).

    The last row is all missing: it serves unknown groups.
    """

    position: Mapping[Hashable, int]
    values: Floats

    def of(self, keys: Iterable[Hashable]) -> Floats:
        """Return the medians of each key's group, shape (n, columns)."""
        found: Floats = self.values[[self.position.get(key, -1) for key in keys]]
        return found


class FactImputer(TransformerMixin, BaseEstimator):
    """Fills missing numeric facts with the median of the same property type and area, then type, then all.

    The area is that of the first area code whose area is known. For a home of unknown type, the area alone comes before
    the type.

    If the living area is given, facts that grow with it (rooms, floor space of parts) are scaled from the group's
    median home to the subject's size, by the elasticity within groups of training homes.

    ``fit`` sees only training homes. ``transform`` returns arrays: the fact columns (plus ``sale_date``) without
    missing numbers, and a ``missing_<field>`` column (0 or 1) for each field that at least 1% of training homes lack.
    Missing coordinates become the middle of the home's area, if that is known. A postal code without sales then becomes
    the smallest wider area that it names.
    """

    by_other_areas_: tuple[tuple[_Medians, _Medians], ...] = ()
    """The medians by further area codes, alone and with the type; a model of an earlier release has none."""

    def __init__(self, facts: FactColumns) -> None:
        self.facts = facts

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the medians of each group from training homes."""
        names = list(self.facts.numeric)
        table, homes = X[names], columns_of(X, self.facts.all)
        kind, areas = _kinds(homes, self.facts, np.arange(len(X))), _areas(homes, self.facts, np.arange(len(X)))
        self.overall_ = table.median().to_numpy(dtype=float)
        had = table.mask(_not_of_its_type(table, kind))
        self.by_type_, self.by_area_ = _medians(had, kind), _medians(table, areas[0])
        self.by_type_area_ = _medians(had, kind, areas[0])
        self.by_other_areas_ = tuple((_medians(table, area), _medians(had, kind, area)) for area in areas[1:])
        self.marked_ = tuple(np.array(names)[(table.isna().mean() >= _MISSING_MARK_SHARE).to_numpy()])
        self.centres_ = _centres(X, self.facts)
        self.codes_ = frozenset(X[_CODE]) if _CODE in self.facts.area_codes else frozenset()
        self.elasticity_ = _elasticities(table, pd.Series([*zip(kind, areas[0], strict=True)], index=table.index))
        self.step_ = np.array([_step(table[name].to_numpy(dtype=float)) for name in names])
        self.bounds_ = table.min().to_numpy(dtype=float), table.max().to_numpy(dtype=float)
        return self

    def transform(self, X: pd.DataFrame) -> Columns:
        """Return the facts with numbers filled in and the missing marks set."""
        dated = ("list_date",) if self.facts.listed and "list_date" in X else ()
        return self.fill(columns_of(X, (*self.facts.all, "sale_date", *dated)))

    def never_of(self, kind: str) -> frozenset[str]:
        """Return the numeric facts that hardly any training home of this type records, as a condo its own lot."""
        usual = self.by_type_.of([kind])[0]
        return frozenset(self.facts.numeric[place] for place in np.flatnonzero(np.isnan(usual)))

    def wider_area(self, facts: Mapping[str, object]) -> str:
        """Return the wider area that places a home without coordinates, whose codes are given; "" if none does."""
        for code, centres in self.centres_.items():
            if code == _WIDER:
                return self._around(facts.get(_CODE))
            if facts.get(code) in centres.position:
                break
        return ""

    def _around(self, code: object) -> str:
        """Return the wider area that stands for a postal code: the one so called, or the smallest around it."""
        known = self.centres_.get(_WIDER)
        if known is None or not isinstance(code, str):
            return ""
        plain = code.strip().upper()
        return next((area for area in (plain, next_wider(plain)) if area in known.position), "")

    def fill(self, columns: Columns) -> Columns:
        """Fill in homes given as arrays: every fact column and ``sale_date``."""
        check_is_fitted(self, "overall_")
        columns = dict(columns)
        for name in (*self.facts.numeric, *(["year_renovated"] if self.facts.renovation else [])):
            columns[name] = columns[name].astype(float, copy=False)
        marks = {f"missing_{name}": np.isnan(columns[name]) * 1.0 for name in self.marked_}
        columns |= self._fill(columns)
        if self.facts.located:
            columns |= self._place(columns)
        return columns | marks

    def _place(self, columns: Columns) -> Columns:
        place = np.column_stack([columns[name].astype(float, copy=False) for name in COORDINATES])
        codes: Columns = {}
        for code, centres in self.centres_.items():
            rows = np.flatnonzero(np.isnan(place).any(axis=1))
            if rows.size == 0:
                break
            areas = columns[_CODE if code == _WIDER else code][rows]
            if code == _WIDER:
                areas = np.array([self._around(one) for one in areas], dtype=object)
                codes = {_CODE: self._replaced(columns[_CODE], rows, areas)}
            middle = centres.of(areas)
            known = np.isfinite(middle).all(axis=1)
            place[rows[known]] = middle[known]
        return codes | {name: place[:, position].copy() for position, name in enumerate(COORDINATES)}

    def _replaced(self, codes: Objects, rows: Ints, wider: Objects) -> Objects:
        """Return postal codes, those at ``rows`` that no training home has replaced by their wider areas, if known."""
        changed = codes.copy()
        for row, area in zip(rows.tolist(), wider.tolist(), strict=True):
            if area and codes[row] not in self.codes_:
                changed[row] = area
        return changed

    def _fill(self, columns: Columns) -> Columns:
        names = self.facts.numeric
        if not names:
            return {}
        recorded = np.column_stack([columns[name] for name in names])
        rows = np.flatnonzero(np.isnan(recorded).any(axis=1))
        if rows.size == 0:
            return {}
        kind = _kinds(columns, self.facts, rows)
        usual = self._usual_nearby(kind, _areas(columns, self.facts, rows))
        for values in (self.by_type_.of(kind), self.overall_):
            usual = np.where(np.isnan(usual), values, usual)
        recorded[rows] = np.where(np.isnan(recorded[rows]), self._sized(usual, recorded[rows]), recorded[rows])
        return {name: recorded[:, position].copy() for position, name in enumerate(names)}

    def _usual_nearby(self, kind: Objects, areas: Sequence[Objects]) -> Floats:
        """Return the medians of homes of the same type in the first area known, NaN without one, (n, columns)."""
        usual = np.full((len(kind), len(self.facts.numeric)), np.nan)
        placed = np.zeros(len(kind), dtype=bool)
        medians = [(self.by_area_, self.by_type_area_), *self.by_other_areas_]
        for area, (of_area, of_both) in zip(areas, medians, strict=False):
            here = ~placed & np.array([one in of_area.position for one in area], dtype=bool)
            found = of_both.of(zip(kind, area, strict=True))
            # A home of unknown type is more like its neighbors than like homes of unknown type elsewhere.
            untyped = np.where((kind == "")[:, None], of_area.of(area), np.nan)
            usual[here] = np.where(np.isnan(found), untyped, found)[here]
            placed |= here & (area != "")
        return usual

    def _sized(self, usual: Floats, recorded: Floats) -> Floats:
        """Scale the facts of median homes, shape (n, columns), to the recorded living areas, if there are any."""
        if _SIZE not in self.facts.numeric:
            return usual
        place = self.facts.numeric.index(_SIZE)
        given = np.where(recorded[:, place] > 0, recorded[:, place], usual[:, place])
        sized = usual * (given / usual[:, place])[:, None] ** self.elasticity_
        stepped = np.where(self.step_ > 0, np.round(sized / np.maximum(self.step_, _LEAST_STEP)) * self.step_, sized)
        return np.where(self.elasticity_ == 0.0, usual, np.clip(stepped, *self.bounds_))


def _not_of_its_type(table: pd.DataFrame, kind: Objects) -> pd.DataFrame:
    """Return where a home has a recorded fact that homes of its type do not have, shape (n, columns)."""
    groups = table.notna().groupby(kind)
    recorded, homes = groups.transform("mean"), pd.Series(kind).groupby(kind).transform("size").to_numpy()
    return (recorded < _TYPE_SHARE_MIN).mul(homes >= TYPE_HOMES_MIN, axis=0)


def _elasticities(table: pd.DataFrame, groups: pd.Series) -> Floats:
    """Return each fact's percent growth per percent of living area within a group, 0 if there is hardly any."""
    if _SIZE not in table.columns:
        return np.zeros(table.shape[1])
    logs = table.where(table > 0).transform(np.log)
    within = logs - logs.groupby(groups).transform("mean")
    return np.array([_elasticity(within[name], within[_SIZE]) if name != _SIZE else 0.0 for name in table.columns])


def _elasticity(fact: pd.Series, size: pd.Series) -> float:
    both = fact.notna() & size.notna()
    x, y = size[both].to_numpy(), fact[both].to_numpy()
    if len(x) < _ELASTICITY_SALES_MIN or not x.any() or not y.any():
        return 0.0
    product = float(x @ y)
    shared = product**2 / (float(x @ x) * float(y @ y))
    return product / float(x @ x) if shared >= _ELASTICITY_SHARE_MIN else 0.0


def _step(values: Floats) -> float:
    """Return the step in which a fact is counted: whole, half or quarter; 0 if it is measured."""
    known = values[np.isfinite(values)]
    return next((step for step in _STEPS if (known % step == 0).all()), 0.0)


def _kinds(columns: Columns, facts: FactColumns, rows: Ints) -> Objects:
    if "property_type" not in facts.categorical:
        return np.full(len(rows), "", dtype=object)
    return words(columns, "property_type", "")[rows]


def _areas(columns: Columns, facts: FactColumns, rows: Ints) -> tuple[Objects, ...]:
    """Return the areas of homes by each code; one blank area where the market has no codes."""
    named = tuple(words(columns, code, "")[rows] for code in facts.area_codes)
    return named or (np.full(len(rows), "", dtype=object),)


def _centres(X: pd.DataFrame, facts: FactColumns) -> dict[str, _Medians]:
    """Return the middle of each area by code, first the code whose areas are the smallest.

    Beside the codes there are the smallest wider areas that postal codes name, where new homes often need them.
    """
    if not facts.located:
        return {}
    located, codes = X.dropna(subset=list(COORDINATES)), [*facts.area_codes]
    if _CODE in codes and often_new(X[_CODE]):
        located = located.assign(**{_WIDER: next_wider_of(located[_CODE])})
        codes += [_WIDER] if located[_WIDER].notna().any() else []
    codes.sort(key=lambda code: _reach(located, code))
    return {code: _medians(located[list(COORDINATES)], located[code].to_numpy()) for code in codes}


def _reach(located: pd.DataFrame, code: str) -> float:
    """Return how far homes usually lie from the middle of their area, in degrees; infinite if no area has homes."""
    middles = located.groupby(code)[list(COORDINATES)].transform("median")
    apart = (located[list(COORDINATES)] - middles).abs().sum(axis=1, min_count=1).median()
    return np.inf if np.isnan(apart) else float(apart)


def _medians(table: pd.DataFrame, *keys: Objects) -> _Medians:
    medians = table.groupby([*keys], sort=True).median()
    position = {group: place for place, group in enumerate(medians.index.tolist())}
    unknown = np.full((1, table.shape[1]), np.nan)
    return _Medians(position, np.vstack([medians.to_numpy(dtype=float), unknown]))
