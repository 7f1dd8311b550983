"""Whether the parts of a home's living area, such as above ground and basement, add up to it as in true sales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from core.arrays import Bools, Floats, evenly
from core.prepare.features.columns import Columns
from core.prepare.features.facts import FactColumns
from core.schema import SQFT_PER_SQM, is_extra, label_of
from core.serve.review.flag import Flag, FlagKind, Severity
from core.wording import area

_AREA: Final = "living_area_sqft"
_SALES_MIN: Final = 200
_ASKED: Final = 2_000
_SHARE: Final = 0.95
# Parts are rounded one by one.
_ALIKE: Final = 0.02
# A part that hardly any home has proves nothing about a sum.
_HAVE_MIN: Final = 0.05


@dataclass(frozen=True)
class SizeParts:
    """Facts of a market's own that add up to the living area in nearly all its sales; ``unit`` makes them sq ft."""

    names: tuple[str, ...] = ()
    unit: float = 1.0


NO_PARTS: Final = SizeParts()


def size_parts(facts: FactColumns, sales: Columns) -> SizeParts:
    """Return the two or three facts that add up to the living area in 95% of the sales that record all of them."""
    names = [name for name in facts.numeric if is_extra(name) and name in sales]
    if _AREA not in sales or len(names) <= 1:
        return NO_PARTS
    total = sales[_AREA].astype(float)
    rows = np.flatnonzero(total > 0)
    rows = rows[evenly(len(rows), _ASKED)]
    for unit in (1.0, SQFT_PER_SQM):
        parts = {name: sales[name][rows].astype(float) * unit for name in names}
        within = [name for name, part in parts.items() if _is_part(part, total[rows])]
        for some in (*combinations(within, 2), *combinations(within, 3)):
            if _add_up([parts[name] for name in some], total[rows]):
                return SizeParts(some, unit)
    return NO_PARTS


def size_parts_flags(
    facts: Mapping[str, float | str], parts: SizeParts, area_unit: str, currency: str
) -> Iterator[Flag]:
    """Yield a flag for a home whose parts do not add up to its living area, or of which one is larger than that."""
    total, given = facts.get(_AREA), {name: facts[name] for name in parts.names if name in facts}
    if not isinstance(total, float) or not given:
        return
    together = sum(float(value) for value in given.values()) * parts.unit
    short = len(given) == len(parts.names) and together < (1 - _ALIKE) * total
    if not short and together <= (1 + _ALIKE) * total:
        return
    named = " and ".join(
        f"{label_of(name)} {area(float(value) * parts.unit, area_unit, currency)}" for name, value in given.items()
    )
    sum_ = f", together {area(together, area_unit, currency)}" if len(given) > 1 else ""
    whole = area(total, area_unit, currency)
    yield Flag(
        FlagKind.PARTS_DISAGREE,
        Severity.REVIEW,
        _AREA,
        f"{whole}, with {named}{sum_}",
        "the living area is the sum of its parts in the sales of this market",
        "Check the living area and its parts: they cannot all be right.",
    )


def _is_part(part: Floats, total: Floats) -> bool:
    known = np.isfinite(part)
    if int(known.sum()) < _SALES_MIN:
        return False
    has = float((part[known] > 0).mean())
    return has >= _HAVE_MIN and float((part[known] <= (1 + _ALIKE) * total[known]).mean()) >= _SHARE


def _add_up(parts: list[Floats], total: Floats) -> bool:
    together = np.sum(parts, axis=0)
    known: Bools = np.isfinite(together)
    # Where one part is all of it in nearly every sale, the others are not seen to add anything.
    apart = known & (np.max(parts, axis=0) < (1 - _ALIKE) * total)
    if int(known.sum()) < _SALES_MIN or float(apart.sum()) < _HAVE_MIN * known.sum():
        return False
    alike = np.abs(together - total) <= _ALIKE * total
    return float(alike[known].mean()) >= _SHARE and float(alike[apart].mean()) >= _SHARE
