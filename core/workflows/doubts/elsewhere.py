"""Sales that seem to be of another market: hardly any is where the market has sales."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import pandas as pd

from core.accounting import FileAccounting
from core.collect.join_keys import area_keys, column_or_missing
from core.collect.mapping import MappedTable
from core.errors import SalesElsewhere
from core.schema import Source, label_of
from core.wording import count
from core.workflows.doubts.misread import refused_words

_COORDINATES: Final = ("latitude", "longitude")
_MARGIN_DEGREES: Final = 0.5
"""About 50 km: sales a little around a market may be its own."""

_NEW_MIN: Final = 20
_HELD_MIN: Final = 100
_INSIDE_MIN: Final = 0.1


def elsewhere_of(
    tables: Sequence[MappedTable], references: Sequence[FileAccounting], held: pd.DataFrame
) -> dict[str, str]:
    """Say by file that hardly any of its sales is where the market has any, or of the homes of an unmatched tax roll.

    ``references`` are the accounts of the tax and neighborhood files.
    """
    unmatched = {one.file for one in references if one.source == Source.TAX and not one.reasons.get("matched", 0)}
    asked = [(one, "sale") for one in tables if one.source is Source.SALES]
    asked += [(one, "home") for one in tables if one.name in unmatched]
    return {one.name: words for one, noun in asked if (words := elsewhere_words(one.frame, held, noun))}


def elsewhere_words(new: pd.DataFrame, held: pd.DataFrame, noun: str = "sale") -> str:
    """Say that hardly any new sale is where a market has sales, "" where they are or nothing tells; both canonical.

    ``noun`` is what a row is of. They are compared by zip code, else by neighborhood, else by coordinates, if enough
    of both have them. Rows without a price or a day are no sales.
    """
    new = new.dropna(subset=[name for name in ("sale_price", "sale_date") if name in new])
    for place in ("zipcode", "neighbourhood"):
        coming, known = (area_keys(table, place).dropna() for table in (new, held))
        if min(len(coming) / _NEW_MIN, len(known) / _HELD_MIN) >= 1:
            where = f"in a {label_of(place).lower()} where this market has sales"
            return _elsewhere(coming.isin(set(known)), where, noun)
    ours, theirs = (_places(table) for table in (new, held))
    if min(len(ours) / _NEW_MIN, len(theirs) / _HELD_MIN) < 1:
        return ""
    near = pd.Series(True, index=ours.index)
    for name in _COORDINATES:
        near &= ours[name].between(theirs[name].min() - _MARGIN_DEGREES, theirs[name].max() + _MARGIN_DEGREES)
    return _elsewhere(near, "where this market has sales", noun)


def refuse_elsewhere(elsewhere: Mapping[str, str], allowed: Collection[str]) -> None:
    """Raise SalesElsewhere for files, by name, whose sales are not where the market has any, unless ``allowed``."""
    found = {name: words for name, words in elsewhere.items() if name not in allowed}
    if found:
        raise SalesElsewhere(
            f"{refused_words(found)} If it does, give --elsewhere {next(iter(found))!r}; else name its own market."
        )


def _elsewhere(inside: pd.Series, where: str, noun: str) -> str:
    if inside.mean() >= _INSIDE_MIN:
        return ""
    number = int(inside.sum())
    found = f"Only {number:,}" if number else "None"
    are = "are" if number > 1 else "is"
    return f"{found} of {count(len(inside), noun)} {are} {where}: make sure that the file belongs to this market."


def _places(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: pd.to_numeric(column_or_missing(table, name)) for name in _COORDINATES}).dropna()
