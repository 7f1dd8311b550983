"""The canonical property record: the fields that every phase uses, with their kinds, units and labels."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from core.errors import MappingError

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

EXTRA_PREFIX: Final = "x_"
"""A market's columns beyond the canonical record keep their names after this prefix."""

ASSESSED_RISE: Final = "assessed_rise"
"""By how many percent more the assessed value of a home rose than is usual in its area: a sign of renovation."""

ONLY_ON_ROLL: Final = frozenset({ASSESSED_RISE})
"""Facts that only a tax roll has: they come with a home known by its address; no form or list has them."""

NAME_MAX: Final = 40
"""How many characters the display name of a market's own column may have."""

SQFT_PER_SQM: Final = 10.763910416709722

# What people call the code of a mail area and the part of a town, by the currency of their market.
_US_TERMS: Final = ("Zipcode", "Neighborhood")
_POSTAL: Final = ("Postal code", "Neighborhood")
_TERMS: Final = {
    "USD": _US_TERMS,
    "AUD": ("Postcode", "Suburb"),
    "NZD": ("Postcode", "Suburb"),
    "GBP": ("Postcode", "Neighbourhood"),
    "CAD": ("Postal code", "Neighbourhood"),
    "ZAR": ("Postal code", "Suburb"),
}

# Of the market that a screen, a request or a command is about. Each of them has a context of its own, so that two
# markets that name one column differently can be open at once.
_NAMES: Final[ContextVar[Mapping[str, str]]] = ContextVar("names")


class FieldKind(StrEnum):
    """How a canonical table stores a field's values (the comments give the pandas dtype)."""

    NUMBER = "number"  # float64
    FLAG = "flag"  # float64: 1.0, 0.0 or missing
    CATEGORY = "category"  # str
    TEXT = "text"  # str
    DATE = "date"  # datetime64[us]: a calendar date as printed on the record, without a time zone


class Source(StrEnum):
    """The four kinds of files that an analyst uploads."""

    SALES = "sales"
    TAX = "tax"
    NEIGHBOURHOOD = "neighbourhood"
    INDICATORS = "indicators"

    @property
    def word(self) -> str:
        """The kind in one word, as it is written for people."""
        return "neighborhood" if self is Source.NEIGHBOURHOOD else self.value


@dataclass(frozen=True)
class Field:
    """One field of the canonical record; ``unit`` is ``sqft``, ``money``, ``year``, ``degrees``, ``days`` or empty."""

    name: str
    kind: FieldKind
    label: str
    unit: str = ""


_N, _F, _C, _T, _D = FieldKind.NUMBER, FieldKind.FLAG, FieldKind.CATEGORY, FieldKind.TEXT, FieldKind.DATE

PROPERTY_FIELDS: Final[tuple[Field, ...]] = (
    Field("property_id", _T, "Property id"),
    Field("address", _T, "Address"),
    Field("unit", _T, "Unit"),
    Field("zipcode", _C, "Zipcode"),
    Field("neighbourhood", _C, "Neighborhood"),
    Field("latitude", _N, "Latitude", "degrees"),
    Field("longitude", _N, "Longitude", "degrees"),
    Field("property_type", _C, "Property type"),
    Field("zoning", _C, "Zoning"),
    Field("units", _N, "Dwelling units"),
    Field("living_area_sqft", _N, "Living area", "sqft"),
    Field("lot_area_sqft", _N, "Lot area", "sqft"),
    Field("bedrooms", _N, "Bedrooms"),
    Field("bathrooms", _N, "Bathrooms"),
    Field("floors", _N, "Floors"),
    Field("year_built", _N, "Year built", "year"),
    Field("year_renovated", _N, "Year renovated", "year"),
    Field("condition", _N, "Condition (1-5)"),
    Field("grade", _N, "Construction grade"),
    Field("view", _N, "View (0-4)"),
    Field("waterfront", _F, "Waterfront"),
    Field("garage_spaces", _N, "Garage spaces"),
    Field("assessed_value", _N, "Assessed value", "money"),
    Field("prior_assessed_value", _N, "Prior assessed value", "money"),
    Field("assessed_on", _D, "Assessment date"),
    # Not read from a file but worked out at intake: see core.prepare.assessed_rise.
    Field(ASSESSED_RISE, _N, "Extra rise in assessed value (%)"),
)

NEIGHBOURHOOD_FIELDS: Final[tuple[Field, ...]] = (
    Field("school_rating", _N, "School rating (1-5)"),
    Field("crime_index", _N, "Crime index"),
    Field("walk_score", _N, "Walk score"),
)

SALE_FIELDS: Final[tuple[Field, ...]] = (
    Field("sale_id", _T, "Sale id"),
    Field("sale_date", _D, "Sale date"),
    Field("sale_price", _N, "Sale price", "money"),
    Field("list_date", _D, "List date"),
    Field("list_price", _N, "List price", "money"),
    # What was asked first, before any cut: it serves to compare price cuts, and is no fact of the home.
    Field("first_list_price", _N, "First list price", "money"),
    Field("validity", _C, "Sale validity"),
    # Whose listing it was: it serves to compare offices and is no fact of the home.
    Field("listing_office", _T, "Listing office"),
)

INDICATOR_FIELDS: Final[tuple[Field, ...]] = (
    Field("indicator_day", _D, "Day of the figures"),
    Field("indicator", _T, "Indicator"),
    Field("indicator_value", _N, "Value of the indicator"),
)
"""The fields of a file of dated market indicators, none of which is a fact of a home or a sale."""

FIELDS: Final[tuple[Field, ...]] = PROPERTY_FIELDS + NEIGHBOURHOOD_FIELDS + SALE_FIELDS + INDICATOR_FIELDS
FIELD_BY_NAME: Final[dict[str, Field]] = {field.name: field for field in FIELDS}

AREAS: Final = tuple(field.name for field in FIELDS if field.unit == "sqft")
"""The facts measured in a unit of area: the living area, then the lot's."""


_FIRST_PRICES: Final = ("first_list_price", "x_first_list_price", "x_original_list_price")


def first_price_column(sales: pd.DataFrame) -> str | None:
    """Return the column of sales that has the first list prices, None without any.

    Before there was a field for them, whoever kept them had them as a column of the market's own.
    """
    return next((name for name in _FIRST_PRICES if name in sales and sales[name].notna().any()), None)


def is_extra(name: str) -> bool:
    """Tell whether a column is one of the market's own, beyond the canonical record."""
    return name.startswith(EXTRA_PREFIX)


def use_names(names: Mapping[str, str]) -> None:
    """Have ``label_of`` show these names of columns, by field, in the context at hand: a market's own, and areas."""
    _NAMES.set(names)


def keeping_names(make: Callable[[], T]) -> Callable[[], T]:
    """Return a call made later, perhaps in a thread of its own, that shows the names of columns in use here and now."""
    names = _NAMES.get({})

    def make_named() -> T:
        use_names(names)
        return make()

    return make_named


def local_names(currency: str) -> dict[str, str]:
    """Return the labels of areas as people of the market with this currency say them: "Postcode", "Suburb"."""
    return dict(zip(("zipcode", "neighbourhood"), _TERMS.get(currency, _POSTAL), strict=True))


def label_of(name: str) -> str:
    """Return a column's label on screen, in the words of the market at hand.

    A market's own column has the display name that an analyst gave it, if any.
    """
    field = FIELD_BY_NAME.get(name)
    return _NAMES.get({}).get(name) or (field.label if field else readable_name(name))


def unit_of(name: str) -> str:
    """Return the canonical unit of a fact, "" for none."""
    field = FIELD_BY_NAME.get(name)
    return field.unit if field else ""


def own_unit(name: str) -> str:
    """Return the unit of a market's own column, which only its display name may tell: "km" of "Distance (km)"."""
    unit = re.fullmatch(r".+ \(([^()]+)\)", label_of(name)) if is_extra(name) else None
    return unit[1] if unit else ""


def readable_name(name: str) -> str:
    """Return what a market's own column is called until somebody names it: "x_ppltn_qty" is "Ppltn qty"."""
    words = name.removeprefix(EXTRA_PREFIX).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def check_names(names: Mapping[str, str]) -> None:
    """Raise MappingError for display names by field that cannot be: too long, taken, or of a field that has a label.

    An empty one means the readable form of the column's name.
    """
    taken = {field.label.casefold(): field.name for field in FIELD_BY_NAME.values()}
    for field, name in names.items():
        if not isinstance(name, str):
            raise MappingError(f"label = {name!r} of {field!r} must be a text.")
        if name and not is_extra(field):
            raise MappingError(
                f"label = {name!r} names {field!r}, which Doorstep calls {label_of(field)!r}. Only a column of your "
                "own can be named: remove the label."
            )
        if len(name) > NAME_MAX or name != " ".join(name.split()) or not name.isprintable():
            raise MappingError(
                f"The name {name!r} has {len(name)} characters; use 1 to {NAME_MAX}, on one line, without blanks at "
                "its ends."
            )
    taken |= {readable_name(field).casefold(): field for field, name in names.items() if is_extra(field) and not name}
    for field, name in names.items():
        other = taken.setdefault(name.casefold(), field) if name else field
        if other != field:
            raise MappingError(f"The name {name!r} of {field!r} is also that of {other!r}. Choose another.")


def conform(frame: pd.DataFrame, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Return the table with canonical columns in their canonical dtypes; extra columns are float64 or str.

    ``columns`` limits and orders the result; canonical columns that the table lacks are added as all missing.
    Raises MappingError if a column is neither canonical nor extra.
    """
    import pandas as pd  # noqa: PLC0415 - who needs only the fields, such as --help, starts without it

    names = list(frame.columns) if columns is None else list(columns)
    return pd.DataFrame({name: _in_dtype(frame, name) for name in names}, index=frame.index)


def _in_dtype(frame: pd.DataFrame, name: str) -> pd.Series:
    from pandas.api.types import is_numeric_dtype  # noqa: PLC0415 - as in conform

    if name not in FIELD_BY_NAME and not is_extra(name):
        raise MappingError(
            f"Column {name!r} is not a field of the canonical record; map it to one, or keep it as "
            f"{EXTRA_PREFIX + name!r}."
        )
    kind = FIELD_BY_NAME[name].kind if name in FIELD_BY_NAME else None
    if name not in frame.columns:
        return _all_missing(kind or FieldKind.NUMBER, frame.index)
    values = frame[name]
    if kind is None:
        kind = FieldKind.NUMBER if is_numeric_dtype(values) else FieldKind.CATEGORY
    if kind in (FieldKind.NUMBER, FieldKind.FLAG):
        return values.astype("float64")
    if kind is FieldKind.DATE:
        return values.astype("datetime64[us]")
    return values.astype("str")


def _all_missing(kind: FieldKind, index: pd.Index) -> pd.Series:
    import pandas as pd  # noqa: PLC0415 - as in conform

    if kind in (FieldKind.NUMBER, FieldKind.FLAG):
        return pd.Series(math.nan, index=index, dtype="float64")
    if kind is FieldKind.DATE:
        return pd.Series(pd.NaT, index=index, dtype="datetime64[us]")
    return pd.Series(math.nan, index=index, dtype="str")
