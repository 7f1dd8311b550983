"""Figures whose mark may be that of decimals or of thousands, and what other figures show of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from core.collect.cells.typed import without_gaps

_EITHER: Final = re.compile(r"[-+]?[1-9][0-9]{0,2}([.,])[0-9]{3}")
_TWO_GROUPS: Final = re.compile(r"[-+]?[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})+")
_GROUPS_AND_DECIMALS: Final = re.compile(r"[-+]?[0-9]{1,3}(?:(?:,[0-9]{3})+(\.)|(?:\.[0-9]{3})+(,))[0-9]+")
_DECIMALS: Final = re.compile(r"[-+]?[0-9]*([.,])[0-9]+")
_OTHER: Final = {".": ",", ",": "."}
# Where this many cells of a column all have three digits behind the mark, none of them is a decimal.
_MANY: Final = 5


@dataclass(frozen=True)
class MarksSeen:
    """What the cells of a file show: how many of the column have each mark before decimals, and the marks of all.

    ``either`` counts the column's cells whose mark may be either.
    """

    column: Mapping[str, int] = field(default_factory=dict)
    file: frozenset[str] = frozenset()
    either: int = 0

    def role(self, mark: str, usual: str) -> str:
        """Return "thousands" or "decimals" for a mark that may be either, "" where the cells contradict each other.

        ``usual`` is its role where no cell says otherwise.
        """
        decimals, thousands = self.column.get(mark, 0), self.column.get(_OTHER[mark], 0)
        if decimals or thousands:
            sure = not (decimals and thousands) and (thousands or decimals >= self.either)
            return ("thousands" if thousands else "decimals") if sure else ""
        against = mark if usual == "thousands" else _OTHER[mark]
        is_grouped = usual == "thousands" and self.either >= _MANY
        return usual if against not in self.file or is_grouped else ""


ALONE: Final = MarksSeen()
"""A text without others beside it."""


def mark_of_either(figure: str) -> str:
    """Return the mark of a figure that is either grouped or has three decimals, such as "4,500"; "" for others."""
    found = _EITHER.fullmatch(without_gaps(figure))
    return found[1] if found else ""


def read_either(figure: str, mark: str, role: str) -> float:
    """Read such a figure, its mark having the role "thousands" or "decimals"."""
    return float(without_gaps(figure).replace(mark, "" if role == "thousands" else "."))


def decimal_mark(figure: str) -> str:
    """Return the decimal mark that a figure shows for certain: a comma for "1,5" and "1.234.567"; "" for none."""
    body = without_gaps(figure)
    if found := _TWO_GROUPS.fullmatch(body):
        return _OTHER[found[1]]
    if found := _GROUPS_AND_DECIMALS.fullmatch(body):
        return found[1] or found[2]
    found = None if _EITHER.fullmatch(body) else _DECIMALS.fullmatch(body)
    return found[1] if found else ""


def sure_mark(figure: str, role: str) -> str:
    """Return the decimal mark shown by a figure that could be either, once its role is known."""
    mark = mark_of_either(figure)
    return mark if role == "decimals" else _OTHER[mark]
