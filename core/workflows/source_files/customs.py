"""How a market's files are read where they leave it open: in its unit, and as its earlier files were."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from core.collect.columns.area_units import in_market_unit
from core.collect.columns.candidates import best_reading
from core.collect.columns.corrections import Correction, corrected
from core.collect.columns.leftovers import NO_VALUES
from core.collect.columns.parts import is_shifted
from core.collect.columns.picks import PICKED, leaking_columns
from core.collect.columns.proofs import is_spoiled
from core.collect.columns.shared_keys import JOINS
from core.collect.columns.sheet import Sheet, open_sheet, sampled_values
from core.collect.inference import Inference
from core.collect.mapping import ColumnMapping, ColumnRule
from core.collect.mapping_file import mapping_of
from core.collect.parsers import TEXT_PARSERS, Marks
from core.collect.reading.table import RawTable
from core.errors import MappingError
from core.schema import Source
from core.store import Store

_FILES_MAX: Final = 50
_READ_MIN: Final = 0.5
_NEEDED: Final = frozenset({"sale_price", "sale_date"})


@dataclass(frozen=True)
class Taken:
    """What an earlier file took a column for: its rule, None where a person left the column out."""

    rule: ColumnRule | None
    file: str

    @property
    def field(self) -> str:
        """The field, empty for none."""
        return self.rule.field if self.rule is not None else ""


@dataclass(frozen=True)
class Customs:
    """How a market's files are read where they leave it open.

    ``area_unit`` is the unit of areas that state none, empty where the size of the homes tells. ``taken`` has by kind
    of file and by column what the latest file that had it took it for, the latest file first.
    """

    area_unit: str = ""
    taken: Mapping[Source, Mapping[str, Taken]] = dataclasses.field(default_factory=dict)


NO_CUSTOMS: Final = Customs()


def taken_before(store: Store, market_id: str) -> Mapping[Source, Mapping[str, Taken]]:
    """Return what the latest files of a market's data in use took their columns for; raises NotFound, StoreUnavailable.

    Of a column that a guess left out, an earlier file decides; one that a person left out stays out.
    """
    found: dict[Source, dict[str, Taken]] = {source: {} for source in Source}
    for file, mapping in _earlier_files(store, market_id):
        of_kind = found[mapping.source]
        for rule in mapping.rules:
            of_kind.setdefault(rule.column, Taken(rule, file))
        for column, why in mapping.ignored:
            if why == PICKED:
                of_kind.setdefault(column, Taken(None, file))
    return found


def _earlier_files(store: Store, market_id: str) -> Iterator[tuple[str, ColumnMapping]]:
    """Yield the latest files of a market with their mappings, the latest first."""
    left = _FILES_MAX
    for version in store.versions.chain(market_id):
        for one in store.versions.intake(version.version_id)[::-1]:
            try:
                mapping = mapping_of(one.mapping)
            except MappingError:
                # An earlier release read it in ways that there are no more.
                continue
            yield one.file, mapping
            left -= 1
            if left == 0:
                return


def as_customary(table: RawTable, guessed: ColumnMapping, customs: Customs) -> ColumnMapping:
    """Return the guessed mapping of a file as its market's files are read."""
    return in_market_unit(table, as_before(table, guessed, customs), customs.area_unit)


def as_before(table: RawTable, guessed: ColumnMapping, customs: Customs) -> ColumnMapping:
    """Return a guessed mapping with each column taken as the market's earlier files took it.

    What the file itself shows goes before: columns that seem swapped or shifted, that tell the price, that join it to
    another file, or whose cells can no longer be read so.
    """
    taken = customs.taken.get(guessed.source, {})
    here = {column: one for column, one in taken.items() if column in table.frame.columns}
    if not here or is_shifted(guessed.inferences):
        return guessed
    wanted = _differing(guessed, here)
    if not wanted:
        return guessed
    sheet = replace(open_sheet(table, guessed.source), marks=Marks(guessed.decimal, guessed.thousands))
    readable = {column: one for column, one in wanted.items() if _reads(sheet, column, one.rule)}
    changes = [Correction(column, one.field, before=one.rule) for column, one in readable.items()]
    if not changes:
        return guessed
    mapping = corrected(table, guessed, changes)
    as_before = [
        Inference(column, one.field, "read as before", f"so in {one.file} of this market", len(sheet.present(column)))
        for column, one in readable.items()
        if one.rule is not None
    ]
    return replace(mapping, inferences=(*mapping.inferences, *as_before))


def _differing(guessed: ColumnMapping, here: Mapping[str, Taken]) -> dict[str, Taken]:
    """Return what a guess takes otherwise than before and does not itself prove, one column a field."""
    now = {rule.column: rule.field for rule in guessed.rules}
    settled = _settled(guessed)
    fields = {one.field for column, one in here.items() if now.get(column) == one.field}
    fields |= {one.field for one in guessed.inferences if one.claim == JOINS or one.grave}
    found = {}
    for column, one in here.items():
        is_same = now.get(column, "") == one.field
        is_needed = one.rule is None and now.get(column) in _NEEDED
        if is_same or is_needed or column in settled or one.field in fields - {""} or not _is_plain(one.rule):
            continue
        fields.add(one.field)
        found[column] = one
    return found


def _settled(guessed: ColumnMapping) -> set[str]:
    """Return the columns that the file itself decides on: doubted gravely, read beside others, or telling the price."""
    beside = {column for rule in guessed.rules for column in (*rule.with_columns, rule.unit_column)}
    proven = {one.column for one in guessed.inferences if one.grave or one.claim == JOINS}
    empty = {column for column, why in guessed.ignored if why == NO_VALUES}
    parts = {*guessed.address_columns, guessed.deed_column}
    return beside | proven | empty | parts | {*leaking_columns(guessed)}


def _is_plain(rule: ColumnRule | None) -> bool:
    """Tell whether a rule reads a column alone; several columns say together what is a market sale."""
    return rule is None or (
        (rule.weight, rule.unit_column, rule.with_columns, rule.as_of) == (1.0, "", (), "") and rule.field != "validity"
    )


def _reads(sheet: Sheet, column: str, rule: ColumnRule | None) -> bool:
    """Tell whether the cells of a column can be what they were before."""
    if rule is None:
        return True
    cells = sheet.present(column)
    if rule.parse in TEXT_PARSERS:
        return not is_spoiled(cells)
    names = next((one for one in sheet.vocabulary.fields if one.field == rule.field), None)
    if names is not None:
        return best_reading(sheet, column, names)[1] >= _READ_MIN
    return bool(len(cells)) and float(sampled_values(sheet, rule).notna().sum()) >= _READ_MIN * len(cells)
