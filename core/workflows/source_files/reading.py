"""Source files are read and mapped together, each as its mapping or a person says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path

import pandas as pd

from core.accounting import ID_DIGITS, FileIntake
from core.collect.columns.guess import Guess, guess_mapping
from core.collect.columns.shared_keys import guess_together
from core.collect.mapping import ColumnMapping, MappedTable, named_columns
from core.collect.mapping_file import mapping_document, reading_choice, with_reading
from core.collect.privacy.findings import PersonalColumn
from core.collect.privacy.read_file import ReadFile, read_file
from core.collect.reading.packing import memory_limit
from core.collect.reading.table import RawTable, ReadingChoice
from core.errors import MappingError
from core.prepare.quality.corrections import Repeats
from core.progress import Progress
from core.schema import Source
from core.wording import NO_DIGITS, IdDigits, agreed_digits
from core.workflows.source_files.customs import Customs, as_customary
from core.workflows.source_files.refusals import (
    apply_or_explain,
    leave_out_persons,
    may_hold_sales,
    no_sales_message,
)


@dataclass(frozen=True)
class SourceFile:
    """A file to import: its path, the name its owner gave it, and its mapping and how to read it (None: as found).

    ``read`` is the file as it was read before, which spares reading it again; ``reading`` says in words how it was read
    when it came, where that was in another form. ``kept`` names columns of text to keep although they fit no field.
    ``repeats`` says what its other facts of stored sales do.
    """

    path: Path
    name: str
    mapping: ColumnMapping | None = None
    read: ReadFile | None = None
    choice: ReadingChoice | None = None
    reading: str = ""
    kept: frozenset[str] = frozenset()
    repeats: Repeats = Repeats.STAY


def read_source(file: SourceFile) -> ReadFile:
    """Return a file as read: as it was before, else as a person or its mapping says.

    The columns that a mapping names are kept, text of no field too: an analyst who wrote it wants them. Raises what
    read_file raises.
    """
    if file.read is not None:
        return file.read
    kept = file.kept | frozenset(named_columns(file.mapping) if file.mapping else ())
    return read_file(file.path, file.name, memory_limit(), kept, reading_choice(file.mapping, file.choice))


@dataclass(frozen=True)
class SourceTables:
    """Files as mapped, in their order, and by name: as read, what of persons was dropped, and the record of each.

    ``repeats`` says by name what other facts of stored sales do, ``why_no_sales`` what the files are where none holds
    sales.
    """

    mapped: list[MappedTable]
    raws: Mapping[str, RawTable]
    personal: Mapping[str, tuple[PersonalColumn, ...]]
    records: tuple[FileIntake, ...]
    repeats: Mapping[str, Repeats]
    why_no_sales: str = ""

    @property
    def sales(self) -> list[MappedTable]:
        """The tables of sales."""
        return [table for table in self.mapped if table.source is Source.SALES]

    @property
    def id_digits(self) -> IdDigits:
        """What the files tell of the digits of their ids."""
        return reduce(agreed_digits, (table.id_digits for table in self.mapped), NO_DIGITS)

    def prices_or(self, held: pd.DataFrame) -> pd.Series:
        """Return the prices of the sales that the files bring; where they bring none, those of the market."""
        return pd.concat([table.frame["sale_price"] for table in self.sales] or [held["sale_price"]])

    def one_of(self, source: Source) -> MappedTable | None:
        """Return the table of a kind, None without one; raises MappingError for several."""
        found = [table for table in self.mapped if table.source is source]
        if len(found) > 1:
            names = " and ".join(table.name for table in found)
            raise MappingError(f"{names} are both {source} files; import one at a time, or change the kind of one.")
        return found[0] if found else None


def read_together(
    files: Sequence[SourceFile], customs: Customs, with_stored_sales: bool, progress: Progress
) -> SourceTables:
    """Read and map files that belong together; without stored sales to join, one of them must hold sales.

    ``customs`` are the market's, which decide what a guess leaves open. Raises CollectError leaves.
    """
    raws: dict[str, RawTable] = {}
    personal: dict[str, tuple[PersonalColumn, ...]] = {}
    guesses: list[Guess | None] = []
    for done, file in enumerate(files):
        progress(done / len(files), f"Reading {file.name}")
        read = read_source(file)
        raw = read.table
        if raw.name in raws:
            raise MappingError(f"Two files are named {raw.name!r}; rename one, so that its rows can be traced.")
        raws[raw.name], personal[raw.name] = raw, read.personal
        guesses.append(read.guess)
    given = [file.mapping for file in files]
    if len(files) > 1:
        given = [_chosen(*one, customs) for one in zip(given, raws.values(), guesses, strict=True)]
    mappings = [
        mapping if chosen is not None else as_customary(raw, mapping, customs)
        for chosen, raw, mapping in zip(
            given, raws.values(), guess_together(list(raws.values()), given, guesses), strict=True
        )
    ]
    why_none = ""
    if Source.SALES not in {mapping.source for mapping in mappings}:
        why_none = no_sales_message(list(raws.values()), mappings)
        if not with_stored_sales or may_hold_sales(list(raws.values()), mappings):
            raise MappingError(why_none)
    found = zip(raws.values(), mappings, personal.values(), strict=True)
    records = tuple(map(_record, files, raws.values(), mappings, personal.values()))
    repeats = {raw.name: file.repeats for file, raw in zip(files, raws.values(), strict=True)}
    return SourceTables([apply_or_explain(*one) for one in found], raws, personal, records, repeats, why_none)


def _chosen(
    mapping: ColumnMapping | None, raw: RawTable, guess: Guess | None, customs: Customs
) -> ColumnMapping | None:
    """Return a mapping that a person chose; None for one that is as guessed, as the page's are until one is changed."""
    if mapping is None:
        return None
    guessed = as_customary(raw, (guess or guess_mapping(raw, mapping.source)).mapping, customs)
    read = with_reading(mapping, raw.reading)
    return None if with_reading(guessed, raw.reading) == replace(read, inferences=guessed.inferences) else mapping


def _record(file: SourceFile, raw: RawTable, mapping: ColumnMapping, personal: Sequence[PersonalColumn]) -> FileIntake:
    # A file read before, as the page's are, was perhaps rewritten since; one read now is as its mapping now says.
    in_force = mapping if file.read is not None else with_reading(mapping, raw.reading)
    return FileIntake(
        raw.name, file.reading or raw.reading.describe(), mapping_document(leave_out_persons(in_force, personal))
    )


def with_inferences(records: Sequence[FileIntake], tables: Sequence[MappedTable]) -> tuple[FileIntake, ...]:
    """Return the records of files with all that was concluded of their columns, what came to light later too."""
    found: dict[str, dict[str, object]] = {
        table.name: {"inferences": [asdict(one) for one in table.inferences]}
        | ({ID_DIGITS: dict(table.id_digits)} if table.id_digits else {})
        for table in tables
    }
    return tuple(replace(one, mapping={**one.mapping, **found[one.file]}) for one in records)
