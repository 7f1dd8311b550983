"""The areas a home lies in, from the widest to its street, for markets that have codes and addresses but no map."""

from __future__ import annotations

import functools
import re
from typing import Final

import numpy as np

from core.arrays import Objects
from core.collect.addresses import address_key
from core.prepare.features.columns import Columns, words
from core.prepare.features.facts import FactColumns
from core.prepare.features.postal_codes import wider_areas

STREET: Final = "street"
_WIDER_MAX: Final = 3
_HOUSE_NUMBER: Final = re.compile(r"^\S*\d\S* +(?=\S)")


@functools.lru_cache(maxsize=1 << 17)
def street_of(address: str) -> str:
    """Return the street of an address, without house number and unit: "12 N Main St #4" gives N MAIN ST."""
    return _HOUSE_NUMBER.sub("", address_key(address).partition(" #")[0])


def area_levels(homes: Columns, facts: FactColumns) -> Columns:
    """Return the area of each home by level, (n,) each, NaN where it is unknown.

    Where homes have coordinates, the levels are the area codes. Else they are also the wider areas that codes name
    (``zipcode_wider1`` is the first wider one), and the street within the smallest code.
    """
    if facts.located:
        return {code: homes[code] for code in facts.area_codes}
    levels: Columns = {}
    for code in facts.area_codes:
        given = words(homes, code, "")
        wider = [wider_areas(str(one)) for one in given]
        for number in range(1, _WIDER_MAX + 1):
            levels[wider_name(code, number)] = _known([one[-number] if len(one) >= number else "" for one in wider])
        levels[code] = _known(list(given))
    if facts.addressed and facts.area_codes:
        levels[STREET] = _streets(homes, facts)
    return levels


def wider_name(code: str, number: int) -> str:
    """Return the name of the level that is ``number`` steps wider than a code."""
    return f"{code}_wider{number}"


def _streets(homes: Columns, facts: FactColumns) -> Objects:
    within = words(homes, facts.area_codes[-1], "")
    address = words(homes, "address", "")
    streets = [street_of(str(one)) if area else "" for one, area in zip(address, within, strict=True)]
    return _known([f"{one}|{area}" if one else "" for one, area in zip(streets, within, strict=True)])


def _known(areas: list[str]) -> Objects:
    return np.array([area or np.nan for area in areas], dtype=object)
