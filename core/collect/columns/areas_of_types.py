"""Files whose one column of areas is the land of houses and the floor of flats: Japan's transaction prices."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from core.collect.areas_by_type import AREA_BY_TYPE
from core.collect.columns.sheet import Candidate, Sheet
from core.collect.inference import Inference
from core.collect.parsers import as_number

_LIVING: Final = "living_area_sqft"
_AREA: Final = (("面積",), ("area",))
_FLOOR: Final = (("延床面積",), ("total", "floor", "area"))
_HEAD: Final = 200
_READ_SHARE: Final = 0.9
_LAND_AND_BUILDING: Final = re.compile(r"土地と建物|land and building", re.IGNORECASE)


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
    return len(cells) > 0 and float(as_number(cells.head(_HEAD), sheet.marks).notna().mean()) >= _READ_SHARE
