"""The rows of all uploads of a market, by what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final

from core.store import DataVersion


@dataclass(frozen=True)
class RowCounts:
    """The rows of all sales files ever committed and not undone, by what became of them."""

    files: int
    rows_in: int
    accepted: int
    repaired: int
    duplicate: int
    rejected: int
    set_aside: int


NO_ROWS: Final = RowCounts(0, 0, 0, 0, 0, 0, 0)


def rows_of_all_uploads(chain: Iterable[DataVersion]) -> RowCounts:
    """Add up the files of a version and of those it was built on; an undone version is not among them."""
    files = [file for one in chain for file in one.files if file.source == "sales"]
    parts = (sum(getattr(file, part.name) for file in files) for part in fields(RowCounts)[1:])
    return RowCounts(len(files), *parts)
