"""The one rule which doubts are grave: files that go in only once somebody confirms that they are read rightly."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from core.accounting import FileAccounting
from core.collect.mapping import MappedTable
from core.errors import FileMisread
from core.schema import Source
from core.wording import count

_MISREAD_MIN: Final = 0.5
# Of fewer rows, most may be rejected by chance.
_MISREAD_ROWS: Final = 20


def misread_words(tables: Sequence[MappedTable], files: Sequence[FileAccounting]) -> dict[str, str]:
    """Say of each file of sales, by name, what makes it seem misread, so that a commit must be confirmed.

    A grave doubt does (see core.collect.inference), or a doubtful price where most rows are rejected. Grave are prices
    of no whole homes, in another currency or of another level than the stored ones, columns that seem swapped or
    shifted, dates of a mixed order, a tenth of the rows unread or rejected for one column, corrections of a tenth of
    the stored sales at once, in most of many rows or by one same factor. ``tables`` have their doubts, see with_doubts.
    """
    accounts = {account.file: account for account in files}
    found: dict[str, str] = {}
    for table in tables:
        account = accounts.get(table.name)
        if table.source is Source.SALES and account is not None:
            words = " ".join(_grave(table, account))
            found |= {table.name: words} if words else {}
    return found


def refuse_misread(misread: Mapping[str, str], allowed: Collection[str]) -> None:
    """Raise FileMisread for files, by name, that seem to be read wrongly, unless ``allowed``."""
    found = {name: words for name, words in misread.items() if name not in allowed}
    if found:
        raise FileMisread(f"{refused_words(found)} If it is right, give --misread {next(iter(found))!r}.")


def refused_words(found: Mapping[str, str]) -> str:
    """Open a refusal of files, by name, with why."""
    return f"Nothing was imported. {' '.join(f'{name}: {words}' for name, words in found.items())}"


def consent_words(new: int, corrected: int) -> str:
    """Name what a commit of files that seem misread does, for the box that somebody ticks."""
    done = []
    if new:
        done.append(f"{count(new, 'new sale')} {'goes' if new == 1 else 'go'} in")
    if corrected:
        done.append(f"{count(corrected, 'stored sale')} {'is' if corrected == 1 else 'are'} overwritten")
    return f"The file is read rightly: {' and '.join(done) or 'it goes in'} as shown here"


def _grave(table: MappedTable, account: FileAccounting) -> Iterator[str]:
    rows = account.rows_in - account.reasons.get("total_row", 0)
    rejected = account.rejected - account.reasons.get("total_row", 0)
    unsure = [one for one in table.inferences if not one.sure]
    doubt = next((one for one in unsure if one.field == "sale_price"), None)
    if doubt is not None and rows >= _MISREAD_ROWS and rejected > _MISREAD_MIN * rows:
        yield (
            f"{rejected:,} of {count(rows, 'row')} are rejected, and {doubt.column}: {doubt.claim}; "
            f"{doubt.evidence}. Choose the column of the prices, if it is another."
        )
    else:
        yield from (f"{one.column}: {one.claim} ({one.evidence})." for one in unsure if one.grave)
