"""Why files are not taken in: no sales among them, or a mapping that would keep persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.collect.columns.near_misses import why_no_sales
from core.collect.mapping import ColumnMapping, MappedTable, apply_mapping, named_columns
from core.collect.privacy.cutting import without_persons_in
from core.collect.privacy.findings import DROPPED, PersonalColumn, reason
from core.collect.reading.table import RawTable
from core.errors import MappingError


def apply_or_explain(table: RawTable, mapping: ColumnMapping, personal: Sequence[PersonalColumn]) -> MappedTable:
    """Apply a mapping; raises MappingError where it names a column of persons or lacks what sales need.

    The error says what the file is instead of sales, or which column comes near to what is lacking.
    """
    _refuse_personal(mapping, personal, table.name)
    try:
        return _without_quoted_persons(apply_mapping(table, mapping))
    except MappingError as error:
        why = " ".join(filter(None, (_no_header(table), str(error), why_no_sales(table, mapping))))
        raise MappingError(why if table.name in why else f"{table.name}: {why}") from error


def no_sales_message(tables: Sequence[RawTable], mappings: Sequence[ColumnMapping]) -> str:
    """Say that no file holds sales, what each is instead, and what helps."""
    names = ", ".join(table.name for table in tables)
    whys = " ".join(why_no_sales(table, mapping) for table, mapping in zip(tables, mappings, strict=True)).strip()
    return f"None of the files ({names}) holds sales. {whys or 'Add a file with sale prices and dates.'}"


def _no_header(table: RawTable) -> str:
    if table.reading.header_line:
        return ""
    return (
        f"{table.name}: this file has no header line; its columns are offered as column_1 to "
        f"column_{table.frame.shape[1]}, and its first line is kept as data."
    )


def _refuse_personal(mapping: ColumnMapping, personal: Sequence[PersonalColumn], name: str) -> None:
    named = named_columns(mapping)
    for one in personal:
        if one.action == DROPPED and one.column in named:
            remedy = "bring the file again and name the column as kept" if one.keepable else "rename it"
            raise MappingError(
                f"{name}: column {one.column!r} was left out ({reason(one)}). Leave it out of the mapping; if it is a "
                f"fact of the home, {remedy}."
            )


def _without_quoted_persons(table: MappedTable) -> MappedTable:
    """Cut persons out of the cells that could not be read, which are quoted to whoever mends the file."""
    quoted = {text: without_persons_in(text) for text in table.problems["value"].unique()}
    return replace(table, problems=table.problems.assign(value=table.problems["value"].map(quoted).astype("str")))
