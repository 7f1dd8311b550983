"""Row accounting: the outcome of every row of a file, in counts that always add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from core.schema import FIELD_BY_NAME, Source, label_of
from core.wording import count

ZERO: Final = "zero_"
"""How the code of a convention begins: that many cells of the field after it hold a 0 that is read as unknown."""

UNREAD: Final = "unread_"
"""How the code of emptied cells begins: that many cells of the field after it could not be read, in rows that stay."""

EMPTIED: Final = "emptied"
"""The code of rows that stay although a cell of theirs could not be read and was left empty."""

ROW_OF_FILE: Final = "Doorstep row"
REASON_OF_ROW: Final = "Doorstep reason"
LINE_OF_FILE: Final = "Doorstep unreadable line"
ADDED: Final = (ROW_OF_FILE, REASON_OF_ROW, LINE_OF_FILE)
"""The columns added to downloaded rows of a file; where the file comes again, they are left out."""

ADDED_WORDS: Final = "added by Doorstep to rows downloaded from it"

OF_CELLS: Final = (ZERO, UNREAD, EMPTIED)
"""How the codes begin that say of cells what became of them: they speak against no row."""

_REASONS: Final[Mapping[str, str]] = {
    "already_held": "known already",
    "other_facts": "with other facts than the stored sale",
    "duplicate_row": "the same row twice",
    "duplicate_sale": "the same sale twice",
    "corrects_earlier": "corrects an earlier sale",
    "price_missing": "no price",
    "price_unreadable": "price unreadable",
    "price_other_currency": "price in another currency",
    "date_missing": "no date",
    "date_unreadable": "date unreadable",
    "no_such_day": "no such day",
    "no_location": "no location",
    "coordinates_swapped": "latitude and longitude swapped, put right",
    "bad_line": "line unreadable",
    "total_row": "a total of other rows",
    "no_value": "no value",
    "zipcode_unlike": "zip code unlike the others",
    "area_unit": "area in another unit",
    "areas_swapped": "living and lot area swapped",
    "price_digit": "price with a digit too many or too few",
    "far": "far from the usual price",
    "decided": "decided earlier",
    EMPTIED: "a cell unreadable, left empty",
    "zero_year_renovated": "0 read as never renovated",
}
_COUNTED: Final = (("duplicate_row", "duplicate_sale", "near_duplicate"), ("corrects_earlier",))
"""The reasons of rows that repeat another row of their file, and of those that correct a stored sale."""

_REASONS_SHOWN: Final = 3
_REJECTING: Final = frozenset(
    {
        "price_missing",
        "price_unreadable",
        "price_other_currency",
        "date_missing",
        "date_unreadable",
        "no_such_day",
        "date_in_future",
    }
    | {"no_location", "bad_line", "total_row", "non_market_sale", "not_sold", "not_a_home", "package_sale"}
)
"""The reasons of rejected rows; beside them, a value that is impossible rejects its row."""

_ENDINGS: Final = ("_impossible", "_implausible", "_after_sale", "_crowded", "_flag", "_zero")


class Outcome(StrEnum):
    """The outcome of one row."""

    ACCEPTED = "accepted"
    REPAIRED = "repaired"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True)
class FileAccounting:
    """Counts of one file's rows by outcome, and by reason code for all but plainly accepted rows.

    Codes that begin as OF_CELLS say count cells, of accepted rows too. ``set_aside`` rows are doubtful sales that wait
    for a person's decision, outside the sales in use. Raises ValueError if rows_in differs from accepted + repaired +
    duplicate + rejected + set_aside.
    """

    file: str
    source: str
    sha256: str
    rows_in: int
    accepted: int
    repaired: int
    duplicate: int
    rejected: int
    reasons: Mapping[str, int]
    set_aside: int = 0

    def __post_init__(self) -> None:
        """Check that every row is counted exactly once."""
        total = self.accepted + self.repaired + self.duplicate + self.rejected + self.set_aside
        if total != self.rows_in:
            raise ValueError(f"{self.file}: {self.rows_in} rows in, but {total} accounted for")


def verdict_words(files: Sequence[FileAccounting], doubts: Sequence[str] = ()) -> str:
    """Say in one sentence whether files of sales can be committed, and what becomes of their rows.

    ``doubts`` are those a person should answer before: while one is open, the files are not called ready.
    """
    rows, accepted, repaired, duplicate, lost, waiting = (
        sum(getattr(file, part) for file in files)
        for part in ("rows_in", "accepted", "repaired", "duplicate", "rejected", "set_aside")
    )
    repeated, corrections = (sum(file.reasons.get(code, 0) for file in files for code in part) for part in _COUNTED)
    known = duplicate - repeated
    more = [f"{known:,} known already"] if known else []
    more += [f"{repeated:,} repeated in the file"] if repeated else []
    more += [f"{waiting:,} set aside"] if waiting else []
    why = f": {rejected_words(files)}" if rejected_words(files) else ""
    parts = ", ".join([f"{accepted:,} as they are", f"{repaired:,} repaired", *more, f"{lost:,} rejected{why}"])
    if not accepted + repaired:
        return f"Nothing to commit: none of the {rows:,} rows adds a sale ({parts})."
    corrected = f"; {corrections:,} of them correct sales that the market has" if corrections else ""
    return f"{readiness_word(doubts)}: {parts}{corrected}{emptied_words(files)}."


def repeated_rows(files: Sequence[FileAccounting]) -> int:
    """Count the rows that repeat another row of their own file."""
    return sum(file.reasons.get(code, 0) for file in files for code in _COUNTED[0])


def rejected_words(files: Sequence[FileAccounting]) -> str:
    """Say why rows of sales are rejected, the most frequent reasons first: "no price in 941 and no date in 13".

    A row may have several. "" where none is.
    """
    reasons = Counter[str]()
    for file in files:
        if file.source == Source.SALES and file.rejected:
            reasons.update({code: n for code, n in file.reasons.items() if is_rejection(code) and n})
    named = [f"{reason_words(code)} in {n:,}" for code, n in reasons.most_common(_REASONS_SHOWN)]
    others = len(reasons) - len(named)
    named += [count(others, "other reason")] if others else []
    return " and ".join(filter(None, (", ".join(named[:-1]), *named[-1:])))


def emptied_words(files: Sequence[FileAccounting]) -> str:
    """Say how many of the rows that stay had a cell left empty, to end a sentence on them; "" for none."""
    emptied = sum(file.reasons.get(EMPTIED, 0) for file in files)
    have = "has" if emptied == 1 else "have"
    return (
        f"; of those that stay, {emptied:,} {have} a cell that could not be read and is left empty" if emptied else ""
    )


def readiness_word(doubts: Sequence[str]) -> str:
    """Return how a verdict on files that can be committed begins: it says "Ready" only where no doubt is open."""
    return "Look first" if doubts else "Ready"


ID_DIGITS: Final = "id_digits"
"""The key under which the record of a file has what it tells of the digits of its ids (see core.wording.IdDigits)."""


@dataclass(frozen=True)
class FileIntake:
    """How a file was taken in: how it was read, in words, and ``mapping``, the document that a mapping file holds.

    Where the file tells how many digits its ids have, ID_DIGITS is in the document.
    """

    file: str
    reading: str
    mapping: Mapping[str, Any]


def reason_words(code: str) -> str:
    """Write the code of a reason in words: "living area impossible", "no such day"."""
    if code in _REASONS:
        return _REASONS[code]
    if code.startswith(ZERO):
        return f"0 read as unknown {_field_words(code.removeprefix(ZERO))}"
    if code.startswith(UNREAD):
        return f"{_field_words(code.removeprefix(UNREAD))} unreadable, left empty"
    ending = next((one for one in _ENDINGS if code.endswith(one)), "")
    return _field_words(code.removesuffix(ending)) + ending.replace("_", " ")


def is_rejection(code: str) -> bool:
    """Tell whether a reason is one that rejects a row of sales: others say of rows what else became of them."""
    return code in _REJECTING or code.endswith("_impossible")


def _field_words(name: str) -> str:
    return label_of(name).lower() if name in FIELD_BY_NAME else name.replace("_", " ")
