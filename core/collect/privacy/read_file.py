"""Reads a file once: parsed once, searched for personal data once, and free of it from then on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.collect.columns.candidates import find_candidates, parts_of_sale
from core.collect.columns.guess import Guess, guess_from
from core.collect.columns.sheet import open_sheet
from core.collect.mapping import ColumnMapping, named_columns
from core.collect.privacy.cutting import betrays_person, cut_texts, without_persons_in
from core.collect.privacy.findings import PersonalColumn
from core.collect.privacy.patterns import EMAIL, holds
from core.collect.privacy.rewriting import as_csv
from core.collect.privacy.search import is_personal_header, personal_columns
from core.collect.reading.packing import DEFAULT_MAX_BYTES
from core.collect.reading.reader import extract, read_table, table_of
from core.collect.reading.table import FileFormat, RawTable, Reading, ReadingChoice
from core.collect.vocabulary import load_vocabulary
from core.errors import CollectError, FileUnreadable
from core.schema import Source, is_extra


@dataclass(frozen=True)
class ReadFile:
    """A file without persons, as it goes through the intake: its table, and what was taken out of it, by column.

    ``guess`` is what its columns were taken for during the search, None where the search changed the table.
    """

    table: RawTable
    personal: tuple[PersonalColumn, ...]
    guess: Guess | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Scrubbed:
    """The bytes of a file that may be written to disk, the same file as read, and how it was read before."""

    content: bytes
    read: ReadFile
    reading: Reading


def read_file(
    path: Path,
    name: str,
    max_bytes: int = DEFAULT_MAX_BYTES,
    kept: Collection[str] = frozenset(),
    choice: ReadingChoice | None = None,
) -> ReadFile:
    """Read a file as ``without_persons`` leaves it; raises what read_table raises, and FileUnreadable as it does."""
    with _messages_without_persons(name):
        table = read_table(path, name, max_bytes, choice, parts_of_sale)
    return without_persons(table, kept)


def without_persons(table: RawTable, kept: Collection[str] = frozenset()) -> ReadFile:
    """Return the table without columns of persons, and with persons cut out of all other texts.

    ``kept`` names columns of text that fit no field and are to be kept; what is certainly a person's is dropped all the
    same. Where anything was found, the texts of bad lines are blanked, as nobody can tell what stands in them, and the
    table takes the hash of what ``scrubbed`` makes of the same file, so that both ways the file is known again.
    Raises FileUnreadable if fewer than two columns are left.
    """
    suspect = any(betrays_person(line.text) for line in table.bad_lines)
    return _cleaned(table, kept, suspect or _holds_more(table))[0]


def scrubbed(
    content: bytes,
    name: str,
    max_bytes: int = DEFAULT_MAX_BYTES,
    kept: Collection[str] = frozenset(),
    choice: ReadingChoice | None = None,
) -> Scrubbed:
    """Return the bytes of a file that may reach disk: the same bytes where nothing in them is personal.

    Otherwise the table without what ``without_persons`` takes out, as comma separated UTF-8: the same input gives the
    same bytes, rows, bad lines and line numbers stay what and where they were, and doing it again changes nothing.
    Raises what core.collect.reading.reader.read_table raises, and FileUnreadable if fewer than two columns are left.
    """
    with _messages_without_persons(name):
        extracted = extract(content, name, max_bytes, choice, parts_of_sale)
        table = table_of(extracted, hashlib.sha256(content).hexdigest(), name)
    # Bad lines, comments and unnamed row labels are in no cell of the table.
    suspect = any(betrays_person(line.text) for line in table.bad_lines) or holds(extracted.text, EMAIL)
    # Chosen once, an encoding or a sheet need not be chosen again: the file is kept as UTF-8.
    read, rewritten = _cleaned(table, kept, suspect or _holds_more(table) or choice is not None)
    return Scrubbed(rewritten or content, read, table.reading)


def _guess_with_fields(table: RawTable) -> tuple[Guess, Mapping[str, str]]:
    """Return a guess, and the field that each column fits by header and cells, be it only as a part of the address.

    Columns that fit none, or several files' worth of kinds differently, are judged as those of a file of sales.
    """
    sheet = open_sheet(table, Source.SALES)
    vocabulary = load_vocabulary()
    parts = {header.joined for _, names in vocabulary.address_parts for header in names}
    fields = {column: "address" for column in sheet.columns if sheet.header(column).joined in parts}
    candidates = find_candidates(sheet)
    for one in sorted(candidates, key=lambda candidate: candidate.confidence):
        fields[one.rule.column] = one.rule.field
    guess = guess_from(sheet, candidates)
    mapping = guess.mapping
    read = {rule.column: rule.field for rule in mapping.rules if not is_extra(rule.field)}
    return guess, dict.fromkeys(named_columns(_without_extras(mapping)), "") | fields | read


def _without_extras(mapping: ColumnMapping) -> ColumnMapping:
    return replace(mapping, rules=tuple(rule for rule in mapping.rules if not is_extra(rule.field)))


def _cleaned(table: RawTable, kept: Collection[str], suspect: bool) -> tuple[ReadFile, bytes]:
    named = _without_personal_headers(table)
    guess, fields = _guess_with_fields(named)
    dropped = personal_columns(named, fields, kept)
    frame = named.frame.drop(columns=[one.column for one in dropped])
    if dropped and len(frame.columns) < 2:
        raise FileUnreadable(
            f"{table.name}: all but {len(frame.columns)} of its {len(table.frame.columns)} columns hold personal data, "
            "or text that may, which is never kept. Choose a file with the facts of the homes."
        )
    blanked, cells = cut_texts(frame, fields)
    places = {str(column): place for place, column in enumerate(named.frame)}
    found = tuple(sorted((*dropped, *blanked), key=lambda one: places[one.column]))
    if not found and not suspect and named is table:
        return ReadFile(table, (), guess), b""
    lines = tuple(replace(line, text="") for line in table.bad_lines)
    clean = replace(named, frame=frame.assign(**cells), bad_lines=lines)
    rewritten = as_csv(clean)
    return ReadFile(replace(clean, sha256=hashlib.sha256(rewritten).hexdigest()), found), rewritten


def _holds_more(table: RawTable) -> bool:
    """Tell whether a file may name persons outside its table: authors of a workbook, other sheets, title lines."""
    reading = table.reading
    above = any(line.reason != "blank" for line in reading.skipped)
    return above or bool(reading.member) or reading.format is not FileFormat.DELIMITED


@contextmanager
def _messages_without_persons(name: str) -> Iterator[None]:
    """Remove personal data from the reason a file cannot be read: without a header line, it quotes cells."""
    try:
        yield
    except CollectError as error:
        before, shown, after = str(error).partition(name)
        raise type(error)(f"{without_persons_in(before)}{shown}{without_persons_in(after)}") from error


def _without_personal_headers(table: RawTable) -> RawTable:
    """Number the columns whose very header names or reaches a person, as where the first line is no header."""
    taken = set(map(str, table.frame))
    names = {}
    for place, column in enumerate(map(str, table.frame), start=1):
        if is_personal_header(column, table.frame[column]):
            names[column] = next(name for name in (f"column_{place}", f"column_{place}_") if name not in taken)
    return replace(table, frame=table.frame.rename(columns=names)) if names else table
