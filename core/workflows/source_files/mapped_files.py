"""Files read and mapped before anything is imported: the mapping in force of each, guessed or given, and corrected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.collect.columns.area_units import in_market_unit
from core.collect.columns.corrections import Correction, corrected, corrections_by_file, inferences_that_hold
from core.collect.columns.guess import Guess, guess_mapping
from core.collect.columns.shared_keys import guess_together
from core.collect.mapping import ColumnMapping, ColumnRule, check_columns, check_required
from core.collect.mapping_file import with_reading
from core.collect.privacy.findings import DROPPED, PersonalColumn
from core.collect.reading.table import RawTable
from core.collect.vocabulary import load_vocabulary
from core.errors import MappingError
from core.progress import Progress
from core.schema import Source
from core.store.base.markets import USUAL_CURRENCY, AreaUnit
from core.workflows.source_files.customs import NO_CUSTOMS, Customs, as_before
from core.workflows.source_files.reading import SourceFile, read_source
from core.workflows.source_files.refusals import leave_out_persons, refuse_personal

# In which unit a market shows its areas, by the unit its files give them in.
_SHOWN_IN: Final[Mapping[str, AreaUnit]] = {"sqft": "sqft", "sqyd": "sqft", "sqm": "sqm", "tsubo": "sqm"}


def map_files(
    files: Sequence[SourceFile], corrections: Sequence[Correction], progress: Progress, customs: Customs = NO_CUSTOMS
) -> tuple[SourceFile, ...]:
    """Return the files as read, each with the mapping in force: given or guessed, with the corrections on top.

    ``customs`` are the market's, which decide what a guess leaves open. A given mapping keeps of its inferences only
    what this file shows again. Importing what is returned gives what importing the files would.
    Raises CollectError leaves for unreadable files, and MappingError for a mapping or a
    correction that does not fit its file.
    """
    kept = frozenset(one.column for one in corrections if one.field)
    read = []
    for done, file in enumerate(files):
        progress(done / len(files), f"Reading {file.name}")
        read.append(replace(file, read=read_source(replace(file, kept=file.kept | kept))))
    tables = [_table(file) for file in read]
    names = [table.name for table in tables]
    if len(set(names)) < len(names):
        raise MappingError(f"Two files are named {max(names, key=names.count)!r}; rename one.")
    mappings = list(guess_together(tables, _given(read, tables), _guesses(read)))
    guessed = [at for at, file in enumerate(files) if file.mapping is None]
    for at in guessed:
        mappings[at] = as_before(tables[at], mappings[at], customs)
    asked = corrections_by_file(_without_dropped(corrections, read), dict(zip(names, tables, strict=True)))
    in_force = list(map(_corrected, tables, mappings, (asked[name] for name in names)))
    for at in guessed:
        in_force[at] = in_market_unit(tables[at], in_force[at], customs.area_unit)
    progress(1.0, "Mapped")
    return tuple(
        replace(file, mapping=leave_out_persons(mapping, personal_of(file)))
        for file, mapping in zip(read, in_force, strict=True)
    )


def lacking(file: SourceFile) -> str:
    """Return what a file's mapping lacks for its kind of file, as a sentence; empty where it is complete."""
    assert file.mapping is not None
    try:
        check_required(file.mapping)
    except MappingError as error:
        return str(error)
    return ""


def personal_of(file: SourceFile) -> tuple[PersonalColumn, ...]:
    """Return what of persons was dropped or cut out of a file that was read."""
    assert file.read is not None
    return file.read.personal


def _table(file: SourceFile) -> RawTable:
    assert file.read is not None
    return file.read.table


def _guesses(files: Sequence[SourceFile]) -> list[Guess | None]:
    """Return what was guessed of each file while it was searched for persons."""
    return [file.read.guess if file.read is not None else None for file in files]


def _given(files: Sequence[SourceFile], tables: Sequence[RawTable]) -> list[ColumnMapping | None]:
    """Return the mapping given for each file, with what the files show of its inferences; None where none is given."""
    if all(file.mapping is None for file in files):
        return [None for _ in files]
    given: list[ColumnMapping | None] = []
    guessed_from_files = guess_together(tables, [None] * len(files), _guesses(files))
    for file, table, guessed in zip(files, tables, guessed_from_files, strict=True):
        if file.mapping is not None:
            check_columns(table, file.mapping)
            given.append(replace(file.mapping, inferences=inferences_that_hold(file.mapping, guessed)))
        else:
            given.append(None)
    return given


def _without_dropped(corrections: Sequence[Correction], files: Sequence[SourceFile]) -> list[Correction]:
    """Refuse to take in a column of persons, and pass over one that is to be left out and is out already."""
    gone: set[tuple[str, str]] = set()
    for file in files:
        wanted = [one.column for one in corrections if one.field and one.file in ("", file.name)]
        refuse_personal(wanted, personal_of(file), file.name)
        gone |= {(name, one.column) for one in personal_of(file) if one.action == DROPPED for name in ("", file.name)}
    return [one for one in corrections if one.field or (one.file, one.column) not in gone]


def _corrected(table: RawTable, mapping: ColumnMapping, asked: Sequence[Correction]) -> ColumnMapping:
    """Return the mapping in force; a file that a person says holds sale prices is one of sales."""
    if mapping.source is not Source.SALES and any(one.field == "sale_price" for one in asked):
        mapping = guess_mapping(table, Source.SALES).mapping
    return with_reading(corrected(table, mapping, asked) if asked else mapping, table.reading)


def stated_currency(mappings: Iterable[ColumnMapping | None]) -> str:
    """Return the ISO code of the currency that the prices of files are written in; empty unless they agree on one."""
    stated = {one.currency for one in mappings if one is not None and one.source is Source.SALES}
    return stated.pop() if len(stated) == 1 else ""


def usual_currency(mappings: Collection[ColumnMapping | None]) -> str:
    """Return the currency to offer for a new market: as its files state it, else US dollars beside square feet.

    Empty where areas are in no square feet and no price states its currency: a person must name it.
    """
    return stated_currency(mappings) or (USUAL_CURRENCY if stated_unit(mappings) == "sqft" else "")


def stated_unit(mappings: Iterable[ColumnMapping | None]) -> AreaUnit | None:
    """Return the unit that files of sales give living areas in; None unless they agree on one."""
    units = {rule.unit for rule in _living_areas(mappings)}
    return _SHOWN_IN.get(units.pop()) if len(units) == 1 else None


def headers_name_unit(mappings: Iterable[ColumnMapping | None]) -> bool:
    """Tell whether the headers of living areas name the unit in all files of sales, so that none is guessed."""
    vocabulary = load_vocabulary()
    return all(vocabulary.fold(rule.column).unit for rule in _living_areas(mappings))


def _living_areas(mappings: Iterable[ColumnMapping | None]) -> list[ColumnRule]:
    rules = [rule for one in mappings if one is not None and one.source is Source.SALES for rule in one.rules]
    return [rule for rule in rules if rule.field == "living_area_sqft"]
