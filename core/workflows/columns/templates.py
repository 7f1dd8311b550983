"""A template of each source: a workbook with a heading for each field, and a sheet that explains them."""

from __future__ import annotations

from typing import Final

import pandas as pd

from core.collect.reading.formats import GUIDE_SHEET
from core.schema import (
    ASSESSED_RISE,
    FIELD_BY_NAME,
    INDICATOR_FIELDS,
    NEIGHBOURHOOD_FIELDS,
    PROPERTY_FIELDS,
    FieldKind,
    Source,
    label_of,
)
from core.spreadsheet import to_csv, to_xlsx
from core.wording import area_label

NAMES: Final[dict[Source, str]] = {
    Source.SALES: "Sales",
    Source.TAX: "Tax roll",
    Source.NEIGHBOURHOOD: "Neighborhood figures",
    Source.INDICATORS: "Market indicators",
}
"""What people call each source."""

FORMATS: Final = ("xlsx", "csv")

_SALES: Final = (
    *("sale_id", "sale_date", "sale_price", "list_date", "list_price", "first_list_price"),
    *("listing_office", "validity"),
)
# A valuation beside a sale may have been made after it, so that sales are read without it.
_NOT_BESIDE_SALES: Final = frozenset({"assessed_value", "prior_assessed_value", "assessed_on"})
_AREAS: Final = ("zipcode", "neighbourhood")
_MEANINGS: Final[dict[str, str]] = {
    "property_id": "The parcel number or other id that the tax roll uses too",
    "address": "Street and house number, without the city",
    "unit": "The number of an apartment in its building",
    "zipcode": "The postal code",
    "neighbourhood": "The name or code of the neighborhood",
    "latitude": "Degrees north, such as 47.6205",
    "longitude": "Degrees east, negative in the Americas, such as -122.3493",
    "property_type": "Such as single family, condo or townhouse",
    "zoning": "The code of the zone",
    "units": "How many dwellings the property has",
    "living_area_sqft": "Heated living area, without the garage",
    "lot_area_sqft": "The land that belongs to the home",
    "bedrooms": "How many bedrooms",
    "bathrooms": "How many bathrooms; a half bath counts 0.5",
    "floors": "How many floors the home has",
    "year_built": "Four digits",
    "year_renovated": "The latest renovation, four digits; blank if there was none",
    "condition": "1 (poor) to 5 (very good)",
    "grade": "The quality of construction, as the county grades it",
    "view": "0 (none) to 4 (excellent)",
    "waterfront": "yes or no",
    "garage_spaces": "How many cars the garage holds",
    "assessed_value": "The value that the tax roll has now",
    "prior_assessed_value": "The value that the tax roll had before",
    "assessed_on": "The day as of which the tax roll's value was set; without it, a rise in value is not used",
    "school_rating": "1 (low) to 5 (high)",
    "crime_index": "Higher is more crime; one scale in the whole file",
    "walk_score": "0 (needs a car) to 100",
    "indicator_day": "The day that the figure is of, such as 2025-03-31",
    "indicator": "What the figure is, such as Mortgage rate, Listings or Sales",
    "indicator_value": "The figure on that day, such as 6.81",
    "sale_id": "The number of the deed or listing",
    "sale_date": "The day of the sale, such as 2025-03-31",
    "sale_price": "What the buyer paid, in figures, such as 412000",
    "list_date": "The day the home was listed",
    "list_price": "What was asked for the home last, before the sale",
    "first_list_price": "What was asked for the home first; the list price says what was asked after any cuts",
    "listing_office": "The office that listed the home, not a person",
    "validity": "How it sold: standard, foreclosure, short sale, family or auction, for example",
}
_FORMS: Final = {
    FieldKind.NUMBER: "number",
    FieldKind.FLAG: "yes or no",
    FieldKind.CATEGORY: "text",
    FieldKind.TEXT: "text",
    FieldKind.DATE: "date",
}


def template(source: Source, file_format: str, area_unit: str, currency: str) -> bytes:
    """Return the template of a source in one of FORMATS, with areas in a unit ("sqft" or "sqm") and a currency.

    It has no example row, so that nothing in it can be taken for a sale. A workbook's second sheet explains the fields;
    it is never read as data. Doorstep takes each heading for its field without a doubt.
    """
    table = pd.DataFrame(columns=[_heading(name, area_unit, currency) for name in _fields(source)])
    if file_format == "csv":
        return to_csv(table)
    return to_xlsx(table, NAMES[source], (GUIDE_SHEET, _guide(source, area_unit, currency)))


def file_name(source: Source, file_format: str) -> str:
    """Return what the template's file is called."""
    return f"{NAMES[source].lower().replace(' ', '_')}_template.{file_format}"


def _fields(source: Source) -> tuple[str, ...]:
    facts = tuple(field.name for field in PROPERTY_FIELDS if field.name != ASSESSED_RISE)
    if source is Source.NEIGHBOURHOOD:
        return (*_AREAS, *(field.name for field in NEIGHBOURHOOD_FIELDS))
    if source is Source.TAX:
        return facts
    if source is Source.INDICATORS:
        return tuple(field.name for field in INDICATOR_FIELDS)
    return (*_SALES, *(name for name in facts if name not in _NOT_BESIDE_SALES))


def _heading(name: str, area_unit: str, currency: str) -> str:
    """Return a field's label with its unit, but without a scale, which the second sheet explains."""
    unit = _unit(name, area_unit, currency)
    label = label_of(name).partition(" (")[0]
    return f"{label} ({unit})" if FIELD_BY_NAME[name].unit in ("sqft", "money") else label


def _unit(name: str, area_unit: str, currency: str) -> str:
    field = FIELD_BY_NAME[name]
    units = {"sqft": area_label(area_unit), "money": currency}
    return units.get(field.unit, field.unit or _FORMS[field.kind])


def _guide(source: Source, area_unit: str, currency: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Column": _heading(name, area_unit, currency),
                "Needed": _needed(name, source),
                "Unit": _unit(name, area_unit, currency),
                "Meaning": _MEANINGS[name],
            }
            for name in _fields(source)
        ]
    )


def _needed(name: str, source: Source) -> str:
    if source is Source.NEIGHBOURHOOD:
        return "one of the two" if name in _AREAS else "at least one figure"
    if source is Source.INDICATORS:
        return "needed"
    if source is Source.SALES and name in ("sale_date", "sale_price"):
        return "needed"
    located = {"property_id", "address", "zipcode", "neighbourhood", "latitude", "longitude"}
    areas = ", ".join(label_of(one).lower() for one in ("zipcode", "neighbourhood"))
    return f"one of these: property id, address, {areas} or coordinates" if name in located else "optional"
