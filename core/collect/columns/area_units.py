"""The unit of each area column: from the header, the values, the market, or the size of the median home."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from core.collect.areas_by_type import AREA_BY_TYPE
from core.collect.cells.units import LAND_UNITS, OTHER_SIZES, name_units, unit_behind, units_of_rows
from core.collect.columns.sheet import Candidate, Sheet, open_sheet
from core.collect.inference import Inference
from core.collect.mapping import ColumnMapping, ColumnRule, read_column
from core.collect.parsers import as_number
from core.collect.reading.table import RawTable
from core.schema import AREAS, is_extra

SQM_MEDIAN_BELOW: Final = 350.0
"""Homes whose median living area is below this figure are measured in square meters.

The median home of no market is below 350 sq ft (33 m2), nor above 350 m2 (3,767 sq ft)."""

ACRE_MEDIAN_BELOW: Final = 20.0
"""Lots whose median is below this figure, beside homes in square feet, are measured in acres."""

SQFT_MEDIAN_BELOW: Final = 200.0
SQM_MEDIAN_ABOVE: Final = 700.0
"""Homes of a market in square feet, or in square meters, whose median is beyond this figure are in the other unit."""

LOT_ACRES_BELOW: Final = 500.0
"""Lots of homes whose median is above this figure are not in acres, whatever the header says."""

_LOT_MIN: Final = 500.0
_MIXED_SHARE: Final = 0.05
_PROOF_ROWS: Final = 20
_AREA_WORDS: Final = frozenset({"area", "size", "value", "sz"})
_UNIT_WORDS: Final = frozenset({"unit", "uom", "measure", "type"})
_KNOWN_SHARE: Final = 0.9
_LIVING: Final = "living_area_sqft"
_AREA: Final = (("面積",), ("area",))
_FLOOR: Final = (("延床面積",), ("total", "floor", "area"))
_HEAD: Final = 200
_LAND_AND_BUILDING: Final = re.compile(r"土地と建物|land and building", re.IGNORECASE)
_USUAL_UNIT: Final = "no unit stated: {}, as is usual in the market"


def unit_column_of(sheet: Sheet, column: str) -> str:
    """Return the column that states the unit of another one row by row, "" where there is none.

    Its header is that of the area with "units" added (LotSizeUnits beside LotSizeArea), or says no more than "unit" and
    stands next to it ("Living Area, Area UOM"); its cells are units.
    """
    words = set(sheet.header(column).words) - _AREA_WORDS
    following = sheet.columns[sheet.columns.index(column) + 1 :][:1]
    for other in sheet.columns:
        added = set(sheet.header(other).words) - _AREA_WORDS
        rest = added - _UNIT_WORDS
        if other != column and added & _UNIT_WORDS and (rest == words or (not rest and other in following)):
            present = sheet.present(other)
            if len(present) and float(units_of_rows(present).notna().mean()) >= _KNOWN_SHARE:
                return other
    return ""


def add_area_units(sheet: Sheet, chosen: list[Candidate]) -> list[Candidate]:
    """Return the candidates, each area column with its unit and the reason for it."""
    by_field = _as_lot({one.rule.field: _with_unit_column(sheet, one) for one in chosen}, sheet)
    living, lot = (by_field.get(field) for field in AREAS)
    unit = ""
    if living:
        unit, why = (living.rule.unit, "") if living.rule.unit_column else _living_unit(sheet, living.rule)
        by_field["living_area_sqft"] = _in_unit(living, unit, why)
    if lot and not lot.rule.unit_column:
        home = by_field[_LIVING].rule if living else None
        follows = _like_home(sheet, lot.rule, home) if home else None
        by_field["lot_area_sqft"] = _in_unit(lot, *(follows or _lot_unit(sheet, lot.rule, unit)))
    return list(by_field.values())


def _as_lot(by_field: dict[str, Candidate], sheet: Sheet) -> dict[str, Candidate]:
    """Return the candidates, an area of which some rows are in acres or hectares as the lot: no home is so large."""
    living = by_field.get("living_area_sqft")
    if not living or not living.rule.unit_column:
        return by_field
    units = units_of_rows(sheet.present(living.rule.unit_column))
    if not units.isin(list(LAND_UNITS)).any():
        return by_field
    rest = {field: one for field, one in by_field.items() if field != "living_area_sqft"}
    lot = replace(
        living, rule=replace(living.rule, field="lot_area_sqft"), why=f"{living.why}; some rows in units of land"
    )
    return {"lot_area_sqft": lot} | rest


def in_market_unit(table: RawTable, mapping: ColumnMapping, area_unit: str) -> ColumnMapping:
    """Return a guessed mapping with areas whose unit the file does not state in the market's unit, where that can be.

    ``area_unit`` is "sqft", "sqm", or "" where the market has none yet. What follows from it is among the inferences: a
    unit that changes, and a market's unit that the size of the homes speaks against, which a person should look at.
    """
    areas = [rule for rule in mapping.rules if rule.field in AREAS]
    if not area_unit or not areas:
        return mapping
    sheet = open_sheet(table, mapping.source, area_unit)
    # The sizes are compared as the file has them.
    bare = [Candidate(rule if rule.unit_column else replace(rule, unit=""), 1.0, "", True) for rule in areas]
    in_unit = {one.rule.column: one for one in add_area_units(sheet, bare)}
    rules, inferences = [], []
    for rule in mapping.rules:
        found = in_unit.get(rule.column) if rule.field in AREAS else None
        unit = found.rule.unit if found is not None and found.rule.field == rule.field else rule.unit
        rules.append(replace(rule, unit=unit))
        if found is not None and "no unit stated" in found.why and (unit != rule.unit or unit == _other(area_unit)):
            seen = found.why.removeprefix("; ")
            inferences.append(
                Inference(rule.column, rule.field, f"in {unit}", seen, len(table.frame), unit == area_unit)
            )
    return replace(mapping, rules=tuple(rules), inferences=(*mapping.inferences, *inferences))


def _other(area_unit: str) -> str:
    return "sqft" if area_unit == "sqm" else "sqm"


def unit_inferences(chosen: list[Candidate], sheet: Sheet) -> tuple[Inference, ...]:
    """Return what was inferred of units: stated row by row by a neighbor, against the header, or mixed in a column."""
    by_row = [_unit_inference(sheet, one) for one in chosen if one.rule.unit_column]
    home = next((one.rule for one in chosen if one.rule.field == _LIVING), None)
    areas = [one.rule for one in chosen if one.rule.field in AREAS]
    doubts = [(home and _doubt_beside(sheet, rule, home)) or _unit_doubt(sheet, rule) for rule in areas]
    return (*by_row, *(one for one in doubts if one))


def extras_like_home(sheet: Sheet, mapping: ColumnMapping) -> ColumnMapping:
    """Return the mapping with a file's further areas in the unit of its homes, where that is not what headers say.

    Only columns whose header states the same unit as that of the living area follow it, and only figures that are no
    larger than homes are in that unit: others stay as their header says. A person should look at each of them.
    """
    home = next((rule for rule in mapping.rules if rule.field == _LIVING), None)
    if home is None or not _is_against_header(sheet, home):
        return mapping
    rules, inferences = [], []
    for rule in mapping.rules:
        is_own_area = is_extra(rule.field) and rule.parse == "number" and _states_the_same(sheet, rule, home)
        follows = _like_home(sheet, rule, home) if is_own_area else None
        rules.append(replace(rule, unit=follows[0]) if follows else rule)
        doubt = _doubt_beside(sheet, rules[-1], home) if is_own_area else None
        inferences += [doubt] if doubt else []
    return replace(mapping, rules=tuple(rules), inferences=(*mapping.inferences, *inferences))


def _is_against_header(sheet: Sheet, home: ColumnRule) -> bool:
    """Tell whether the living area is read in another unit than its header says."""
    stated = sheet.header(home.column).unit
    return stated in ("sqft", "sqm") and home.unit != stated and not home.unit_column


def _states_the_same(sheet: Sheet, rule: ColumnRule, home: ColumnRule) -> bool:
    return sheet.header(rule.column).unit == sheet.header(home.column).unit


def _like_home(sheet: Sheet, rule: ColumnRule, home: ColumnRule) -> tuple[str, str] | None:
    """Return square meters for an area whose header says square feet as that of homes in square meters does.

    None where its figures are no smaller than the home is in square feet: then the header may be right.
    """
    stated, enough = sheet.header(rule.column).unit, len(sheet.present(rule.column)) >= _PROOF_ROWS
    if stated != "sqft" or rule.parse != "number" or not enough or not _states_the_same(sheet, rule, home):
        return None
    if not _is_against_header(sheet, home) or home.unit != "sqm":
        return None
    area, size = _median(sheet, replace(rule, unit="")), _median(sheet, home)
    if not ACRE_MEDIAN_BELOW <= area < size:
        return None
    return "sqm", f"square meters like {home.column}, as {area:,.0f} sq ft is less than the median home of {size:,.0f}"


def _doubt_beside(sheet: Sheet, rule: ColumnRule, home: ColumnRule) -> Inference | None:
    """Return what to check of an area whose header states the unit that is wrong of the living area."""
    if rule.field == _LIVING or rule.unit_column or rule.unit not in ("", "sqft", "sqm"):
        return None
    if not _is_against_header(sheet, home) or not _states_the_same(sheet, rule, home):
        return None
    stated, n = sheet.header(rule.column).unit, len(sheet.present(rule.column))
    area, size = _median(sheet, replace(rule, unit="")), _median(sheet, home)
    seen = f"its header says {stated} as that of {home.column} does, which is in {home.unit}"
    if rule.unit in ("", stated):
        return Inference(rule.column, rule.field, f"in {stated}", seen, n, sure=False)
    less = f"a median of {area:,.4g} sq ft is less than the median home of {size:,.0f}"
    return Inference(rule.column, rule.field, f"in {rule.unit}", f"{seen}; {less}", n, sure=False)


def _unit_doubt(sheet: Sheet, rule: ColumnRule) -> Inference | None:
    """Return what to check where the values contradict the header's unit, or where lots are in two units."""
    stated, n = sheet.header(rule.column).unit, len(sheet.present(rule.column))
    if stated and rule.unit and rule.unit != stated and not rule.unit_column:
        median = _median(sheet, replace(rule, unit=""))
        what = "home" if rule.field == _LIVING else "lot"
        seen = f"its header says {stated}, but the median {what} of {median:,.4g} {stated} is not possible"
        return Inference(rule.column, rule.field, f"in {rule.unit}", seen, n, sure=False)
    if rule.unit in OTHER_SIZES and not rule.unit_column:
        seen = "its header says so" if stated else "its cells say so"
        return Inference(rule.column, rule.field, f"in {OTHER_SIZES[rule.unit]}", seen, n, sure=False)
    if not stated and not rule.unit_column and (unknown := _unknown_unit(sheet, rule, n)):
        return unknown
    if stated or rule.unit_column or rule.parse != "number" or rule.field == _LIVING or n < _PROOF_ROWS:
        return None
    cells = sheet.sample[rule.column]
    # A cell that names its unit is read in it.
    lots = as_number(cells, sheet.marks).mask(name_units(cells))
    small = float((lots.gt(0) & lots.lt(ACRE_MEDIAN_BELOW)).sum()) / n
    large = float(lots.ge(_LOT_MIN).sum()) / n
    if min(small, large) < _MIXED_SHARE:
        return None
    seen = f"{small:.0%} of its values are below {ACRE_MEDIAN_BELOW:.0f}, {large:.0%} are {_LOT_MIN:.0f} and more"
    return Inference(rule.column, rule.field, f"all in {rule.unit}, though some may be in acres", seen, n, sure=False)


def _unknown_unit(sheet: Sheet, rule: ColumnRule, n: int) -> Inference | None:
    """Return the doubt about an area whose cells end in a word that names no known unit."""
    word, unit = unit_behind(sheet.present(rule.column))
    if unit or not word or rule.parse == "dimensions":
        return None
    seen = f"most cells end in {word!r}, which is no unit that is known: convert the column"
    return Inference(rule.column, rule.field, f"taken for {rule.unit or 'sqft'}", seen, n, sure=False)


def _with_unit_column(sheet: Sheet, one: Candidate) -> Candidate:
    if one.rule.field not in AREAS or sheet.header(one.rule.column).unit:
        return one
    column = unit_column_of(sheet, one.rule.column)
    if not column:
        return one
    usual = str(units_of_rows(sheet.present(column)).mode().iloc[0])
    changed = replace(one, rule=replace(one.rule, unit=usual, unit_column=column))
    return replace(changed, why=f"{one.why}; {_unit_inference(sheet, changed)}")


def _unit_inference(sheet: Sheet, one: Candidate) -> Inference:
    counts = sheet.present(one.rule.unit_column).value_counts()
    seen = ", ".join(f"{word} in {n:,}" for word, n in counts.head(4).items())
    return Inference(
        one.rule.column, one.rule.field, f"its unit by row from {one.rule.unit_column}", seen, int(counts.sum())
    )


def _in_unit(one: Candidate, unit: str, why: str) -> Candidate:
    return replace(one, rule=replace(one.rule, unit=unit), why=f"{one.why}; {why}" if why else one.why)


def _living_unit(sheet: Sheet, rule: ColumnRule) -> tuple[str, str]:
    stated = _stated_unit(sheet, rule.column)
    if stated:
        return _unless_absurd(sheet, rule, stated)
    median = _median(sheet, rule)
    if sheet.area_unit and not _is_absurd(sheet, rule, median):
        return sheet.area_unit, _USUAL_UNIT.format(sheet.area_unit)
    if median < SQM_MEDIAN_BELOW:
        return "sqm", f"no unit stated: square meters, as the median home of {median:.0f} sq ft would be too small"
    return "sqft", f"no unit stated: square feet, as the median home of {median:.0f} m2 would be too large"


def _unless_absurd(sheet: Sheet, rule: ColumnRule, stated: tuple[str, str]) -> tuple[str, str]:
    """Return the unit that the header states, or the other one where no median home has such a size in it."""
    if not sheet.header(rule.column).unit or len(sheet.present(rule.column)) < _PROOF_ROWS:
        return stated
    median = _median(sheet, rule)
    if stated[0] == "sqft" and median < SQFT_MEDIAN_BELOW:
        return "sqm", f"square meters, as the median home of {median:.0f} sq ft would be too small"
    if stated[0] == "sqm" and median > SQM_MEDIAN_ABOVE:
        return "sqft", f"square feet, as the median home of {median:.0f} m2 would be too large"
    return stated


def _is_absurd(sheet: Sheet, rule: ColumnRule, median: float) -> bool:
    """Tell whether the median home is of no possible size in the market's unit; a few rows tell nothing."""
    if len(sheet.present(rule.column)) < _PROOF_ROWS:
        return False
    return median < SQFT_MEDIAN_BELOW if sheet.area_unit == "sqft" else median > SQM_MEDIAN_ABOVE


def _lot_unit(sheet: Sheet, rule: ColumnRule, living: str) -> tuple[str, str]:
    stated = _stated_unit(sheet, rule.column)
    if stated:
        return _lot_unless_absurd(sheet, rule, stated, living)
    if rule.parse == "dimensions":
        return living or "sqft", f"sides in {'metres' if living == 'sqm' else 'feet'}, like the living area"
    if "acreage" in sheet.header(rule.column).words:
        return "acre", "the header says acres"
    median = _median(sheet, rule)
    if median < ACRE_MEDIAN_BELOW and "sqm" not in (living, sheet.area_unit):
        return "acre", f"no unit stated: acres, as the median lot is {median:.2f}"
    if sheet.area_unit and not living:
        return sheet.area_unit, _USUAL_UNIT.format(sheet.area_unit)
    return living or "sqft", f"no unit stated: {living or 'sqft'}, {'like the living area' if living else 'assumed'}"


def _lot_unless_absurd(sheet: Sheet, rule: ColumnRule, stated: tuple[str, str], living: str) -> tuple[str, str]:
    if not sheet.header(rule.column).unit or rule.parse != "number" or len(sheet.present(rule.column)) < _PROOF_ROWS:
        return stated
    median = _median(sheet, rule)
    if stated[0] == "acre" and median > LOT_ACRES_BELOW:
        return living or "sqft", f"{living or 'sqft'}, as the median lot of {median:,.0f} acres would be too large"
    if stated[0] == "sqft" and median < ACRE_MEDIAN_BELOW:
        return "acre", f"acres, as the median lot of {median:.2f} sq ft would be too small"
    return stated


def _stated_unit(sheet: Sheet, column: str) -> tuple[str, str] | None:
    unit = sheet.header(column).unit
    if unit:
        return unit, f"the header says {unit}"
    values = sheet.present(column).head(500).str.casefold()
    for unit, pattern in (
        ("sqm", r"(?:sqm|sq\.?\s?m|m2|m²)\s*$"),
        ("acre", r"(?:acres?|ac)\s*$"),
        ("hectare", r"ha\s*$"),
    ):
        if len(values) and values.str.contains(pattern).mean() > 0.5:
            return unit, f"the values end in {unit}"
    if len(values) and values.str.contains(r"(?:sq\.?\s?f(?:ee)?t|sqft|ft2|ft²|sf)\.?\s*$").mean() > 0.5:
        return "sqft", "the values end in sqft"
    unit = unit_behind(sheet.present(column))[1]
    return (unit, f"the values end in {unit}") if unit in {*LAND_UNITS, "tsubo", "sqyd"} else None


def _median(sheet: Sheet, rule: ColumnRule) -> float:
    parsed, _ = read_column(sheet.sample[rule.column], rule, sheet.marks)
    return float(parsed[parsed > 0].median())


# Areas that depend on the type: the land of houses, the floor of flats, as Japan publishes its transaction prices.


def areas_of_types(sheet: Sheet, taken: Iterable[Candidate]) -> list[tuple[Candidate, Inference | None]]:
    """Return the columns of such a file's areas: the one that depends on the type, and that of all floors, if any."""
    by_field = {one.rule.field: one for one in taken}
    living, kind = by_field.get(_LIVING), by_field.get("property_type")
    columns = {sheet.header(column).words: column for column in sheet.columns if _is_of_figures(sheet, column)}
    area = next((columns[words] for words in _AREA if words in columns), "")
    if living is None or kind is None or not area:
        return []
    types = sheet.present(kind.rule.column)
    houses = types.str.contains(_LAND_AND_BUILDING)
    n = int(houses.sum())
    if n == 0:
        return []
    seen = f"{types[houses].iloc[0]!r} in {n:,} of {len(types):,} rows"
    inference = Inference(area, _LIVING, "the lot area of houses, the living area of flats", seen, len(types))
    rule = replace(living.rule, column=area, parse=AREA_BY_TYPE)
    found: list[tuple[Candidate, Inference | None]] = [(Candidate(rule, 0.9, str(inference), False), inference)]
    floor = next((columns[words] for words in _FLOOR if words in columns), "")
    if floor and len(sheet.present(floor)):
        found.append((Candidate(replace(living.rule, column=floor, parse="number"), 0.9, "all floors", False), None))
    return found


def _is_of_figures(sheet: Sheet, column: str) -> bool:
    """Tell whether a column has figures: "Area" is the name of a district beside "Area(m2)"."""
    cells = sheet.present(column)
    return len(cells) > 0 and float(as_number(cells.head(_HEAD), sheet.marks).notna().mean()) >= _KNOWN_SHARE
