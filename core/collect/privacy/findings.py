"""What personal data a file holds, and the words in which the uploader learns of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from core.accounting import ADDED_WORDS

REMOVED: Final = "[removed]"
"""Replaces personal data that was cut out of a text."""

DROPPED: Final = "dropped"
BLANKED: Final = "blanked"

TEXT: Final = "text"
"""The kind of a column that fits no field and could name persons, although nothing says that it does."""

OWN: Final = "own"
"""The kind of a column that Doorstep added to downloaded rows: it may quote persons, but is no data of the file."""


@dataclass(frozen=True)
class PersonalColumn:
    """A column that holds persons, or may: ``kind`` is name, phone, e-mail, birth date, account, contact, TEXT or OWN.

    ``action`` says whether the column was DROPPED, or what tells of persons in ``cells`` of its texts was BLANKED.
    ``why`` never quotes a cell. ``keepable``: the column is kept where the analyst names it.
    """

    column: str
    kind: str
    why: str
    action: str = DROPPED
    cells: int = 0
    keepable: bool = False


def reason(found: PersonalColumn) -> str:
    """Return why a column was dropped or cut, in words for a person."""
    if found.kind == OWN:
        return f"left out: {ADDED_WORDS}"
    if found.action == BLANKED:
        return f"{found.why}, cut out"
    if found.kind == TEXT:
        return f"dropped: {found.why}; text that fits no field may name persons, and is kept only if you list it"
    if found.keepable:
        return f"dropped ({found.kind}): {found.why}; kept only where you name it"
    return f"personal data ({found.kind}): names and ways to reach persons are never kept; {found.why}"


def of_persons(found: Iterable[PersonalColumn]) -> tuple[PersonalColumn, ...]:
    """Return the columns that hold persons, or may: those that Doorstep added itself are none of the file's."""
    return tuple(one for one in found if one.kind != OWN)
