"""The facts of a home under their names in the RESO Data Dictionary 2.0, as listing systems hold them.

Names and units are those of https://dd.reso.org (Property resource); a name of Doorstep's own is left as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from core.collect.cells.categories import known_word
from core.collect.cells.typed import read_typed
from core.collect.cells.units import UNIT_FACTORS
from core.collect.vocabulary import load_vocabulary
from core.errors import ImpossibleProperty
from core.serve.reading.facts import LIST_PRICE, Unread, read_text

_SAME: Final[Mapping[str, str]] = {
    "ParcelNumber": "property_id",
    "UnparsedAddress": "address",
    "UnitNumber": "unit",
    "PostalCode": "zipcode",
    "SubdivisionName": "neighbourhood",
    "Latitude": "latitude",
    "Longitude": "longitude",
    "Zoning": "zoning",
    "NumberOfUnitsTotal": "units",
    "BedroomsTotal": "bedrooms",
    "Stories": "floors",
    "YearBuilt": "year_built",
    "YearBuiltEffective": "year_renovated",
    "WaterfrontYN": "waterfront",
    "GarageSpaces": "garage_spaces",
    "TaxAssessedValue": "assessed_value",
    "WalkScore": "walk_score",
    "ListPrice": LIST_PRICE,
}
_UNITS: Final[Mapping[str, str]] = {"squarefeet": "sqft", "squaremeters": "sqm", "acres": "acre"}
_BATHS: Final[Mapping[str, float]] = {
    "BathroomsFull": 1.0,
    "BathroomsThreeQuarter": 0.75,
    "BathroomsHalf": 0.5,
    "BathroomsOneQuarter": 0.25,
}
_STREET: Final = ("StreetNumber", "StreetDirPrefix", "StreetName", "StreetSuffix", "StreetDirSuffix")

Facts = Mapping[str, object]


def own_facts(facts: Facts) -> dict[str, object]:
    """Return a home's facts under Doorstep's own names and in its units.

    Raises ImpossibleProperty for a fact given twice, as in both vocabularies, and for an area in an unknown unit.
    """
    found = {name: value for name, value in facts.items() if name not in RESO_NAMES}
    for reso, name, value in _translated({name: value for name, value in facts.items() if name in RESO_NAMES}):
        if name in found:
            raise ImpossibleProperty(f"{name} is given twice, also as {reso}.", "Give each fact once.", reso)
        found[name] = value
    return found


def _translated(facts: Facts) -> Iterator[tuple[str, str, object]]:
    """Yield each fact's RESO name, its own name and its value."""
    for name, value in facts.items():
        if name in _SAME:
            yield name, _SAME[name], value
    for read in _READERS:
        found = read(facts)
        if found is not None:
            yield found


def _property_type(facts: Facts) -> tuple[str, str, object] | None:
    # The subtype says what the home is; the type of nearly all listings is Residential.
    value = facts.get("PropertySubType")
    if value is None:
        return None
    text = str(value)
    return "PropertySubType", "property_type", known_word(text, load_vocabulary().words_of("property_type")) or text


def _living_area(facts: Facts) -> tuple[str, str, object] | None:
    return _area(facts, "LivingArea", "LivingAreaUnits", "living_area_sqft")


def _lot_area(facts: Facts) -> tuple[str, str, object] | None:
    if "LotSizeSquareFeet" in facts:
        return "LotSizeSquareFeet", "lot_area_sqft", facts["LotSizeSquareFeet"]
    if "LotSizeAcres" in facts:
        return "LotSizeAcres", "lot_area_sqft", _in_sqft("lot_area_sqft", facts["LotSizeAcres"], "acre")
    return _area(facts, "LotSizeArea", "LotSizeUnits", "lot_area_sqft")


def _area(facts: Facts, reso: str, units: str, name: str) -> tuple[str, str, object] | None:
    if reso not in facts:
        return None
    unit = str(facts.get(units) or "Square Feet")
    known = _UNITS.get("".join(unit.casefold().split()))
    if known is None:
        raise ImpossibleProperty(
            f"{units} = {unit[:60]!r} is not a unit of area.", "Write Square Feet, Square Meters or Acres.", units
        )
    return reso, name, _in_sqft(name, facts[reso], known)


def _bathrooms(facts: Facts) -> tuple[str, str, object] | None:
    parts = {name: weight for name, weight in _BATHS.items() if facts.get(name) is not None}
    if not parts:
        # A plain count, in which a half bath is one.
        total = facts.get("BathroomsTotalInteger")
        return None if total is None else ("BathroomsTotalInteger", "bathrooms", total)
    rooms = [_times(facts[name], weight) for name, weight in parts.items()]
    unread = next((one for one in rooms if not isinstance(one, float)), None)
    return next(iter(parts)), "bathrooms", sum(map(float, rooms)) if unread is None else unread  # type: ignore[arg-type]


def _address(facts: Facts) -> tuple[str, str, object] | None:
    parts = [str(facts[name]).strip() for name in _STREET if facts.get(name) is not None]
    return None if "UnparsedAddress" in facts or not parts else ("StreetName", "address", " ".join(parts))


def _in_sqft(name: str, value: object, unit: str) -> object:
    """Return an area in square feet; what is none stays as it is, for its reader to refuse."""
    if not isinstance(value, str):
        return _times(value, UNIT_FACTORS[unit])
    read = read_text(name, value, None, unit)
    return value if isinstance(read, Unread) else read


def _times(value: object, factor: float) -> object:
    """Return a number times ``factor``; what is no number stays as it is, for its reader to refuse."""
    number = read_typed(value) if isinstance(value, str) else value
    if not isinstance(number, (int, float)) or math.isnan(number):
        return value
    return float(number) * factor


_READERS: Final[tuple[Callable[[Facts], tuple[str, str, object] | None], ...]] = (
    _property_type,
    _living_area,
    _lot_area,
    _bathrooms,
    _address,
)

RESO_NAMES: Final = frozenset(
    {
        *(*_SAME, *_BATHS, *_STREET),
        *("PropertySubType", "LivingArea", "LivingAreaUnits", "BathroomsTotalInteger"),
        *("LotSizeSquareFeet", "LotSizeAcres", "LotSizeArea", "LotSizeUnits"),
    }
)
"""The RESO names that are read beside Doorstep's own."""
