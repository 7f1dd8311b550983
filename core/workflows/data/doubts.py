"""Doubts about how a file was read, seen only once its rows are judged: what a misread column does to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from core.accounting import FileAccounting
from core.collect.inference import Inference
from core.collect.mapping import MappedTable
from core.collect.set_aside import PERHAPS_NO_HOME
from core.schema import FIELD_BY_NAME, Source, label_of
from core.wording import count, percent
from core.workflows.data.price_tellers import doubt_of_price

_REJECTED_MAX: Final = 0.05
_BLANKED_MAX: Final = 1 / 3
_FIELD_OF: Final = {"price": "sale_price", "date": "sale_date", "listed_after_sold": "list_date"}
_KINDS_SHOWN: Final = 3


def with_doubts(tables: Sequence[MappedTable], files: Sequence[FileAccounting], currency: str) -> list[MappedTable]:
    """Return the tables, those of sales with what makes a column doubtful among their inferences.

    A column is doubtful if its limits reject more than 5% of the rows, or blank more than a third of its values; prices
    also if they are written in another currency than the market's, ``currency``, or may be prices per area.
    So are types of property that may be no home.
    """
    by_name = {account.file: account for account in files}

    def doubts(table: MappedTable) -> tuple[Inference, ...]:
        if table.source is not Source.SALES or table.name not in by_name:
            return ()
        return (
            *_other_money(table, currency),
            *doubt_of_price(table, currency),
            *_no_homes(table),
            *_doubts(table, by_name[table.name]),
        )

    return [replace(table, inferences=(*table.inferences, *doubts(table))) for table in tables]


def _other_money(table: MappedTable, currency: str) -> Iterator[Inference]:
    if table.currency and table.currency != currency:
        claim = f"prices are written in {table.currency}, but those of the market are in {currency}"
        seen = "they are taken in as they are, not converted"
        yield Inference(table.columns["sale_price"], "sale_price", claim, seen, table.rows_in, sure=False)


def _no_homes(table: MappedTable) -> Iterator[Inference]:
    if not {"validity", "property_type"} <= set(table.frame) or "property_type" not in table.columns:
        return
    words = table.frame["validity"]
    found = words[words.str.startswith(PERHAPS_NO_HOME, na=False)].str.removeprefix(PERHAPS_NO_HOME).value_counts()
    if len(found):
        claim = f"{count(int(found.sum()), 'row')} kept whose type of property may be no home"
        seen = "; ".join(f"{kind!r} in {count(int(n), 'row')}" for kind, n in found.head(_KINDS_SHOWN).items())
        yield Inference(table.columns["property_type"], "property_type", claim, seen, table.rows_in, sure=False)


def _doubts(table: MappedTable, account: FileAccounting) -> Iterator[Inference]:
    for code, n in account.reasons.items():
        name, _, ending = code.rpartition("_")
        field = _FIELD_OF.get(code, _FIELD_OF.get(name, name))
        column = table.columns.get(field, "")
        if not column or field not in FIELD_BY_NAME:
            continue
        label = label_of(field).lower()
        if ending == "impossible" and n > _REJECTED_MAX * account.rows_in:
            claim = f"taken for the {label}, which {count(n, 'row')} are rejected for"
            seen = f"{percent(n / account.rows_in)} of the rows are outside its limits"
            yield Inference(column, field, claim, seen, account.rows_in, sure=False)
        present = int(table.frame[field].notna().sum())
        if (ending == "implausible" or code in _FIELD_OF) and n > _BLANKED_MAX * present:
            claim = f"taken for the {label}, of which {count(n, 'value')} are left out"
            seen = f"{percent(n / present)} of its values are not plausible"
            yield Inference(column, field, claim, seen, present, sure=False)
