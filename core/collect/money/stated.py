"""The currency that sale prices state, by their cells, header or a column of currencies, and what speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from core.collect.cells.currencies import (
    WrittenCurrency,
    currency_column,
    likely_currency,
    money_of_rows,
    written_currency,
)
from core.collect.cells.price_notes import notes_against_sales
from core.collect.inference import Inference
from core.collect.mapping import ColumnMapping
from core.collect.reading.table import RawTable

SEVERAL: Final = "prices are in several currencies"


def with_currency(mapping: ColumnMapping, table: RawTable) -> ColumnMapping:
    """Return the mapping with the currency that the sale prices are written in, where they say it or hint at it."""
    column = next((rule.column for rule in mapping.rules if rule.field == "sale_price"), "")
    if not column:
        return replace(mapping, currency="")
    cells = table.frame[column]
    beside = currency_column(table.frame, (column,))
    doubts = (*_notes_against_sales(table, column), *_several(table, column, beside))
    mapping = replace(mapping, inferences=(*mapping.inferences, *doubts))
    stated = written_currency(cells, column) or _in_its_column(table, beside)
    found = stated or likely_currency(cells, column, map(str, table.frame))
    if found is None:
        return replace(mapping, currency="")
    claim = f"prices are in {found.code}"
    why = Inference(column, "sale_price", claim, found.evidence, found.n, sure=stated is not None)
    return replace(mapping, currency=found.code, inferences=(*mapping.inferences, why))


def _in_its_column(table: RawTable, column: str) -> WrittenCurrency | None:
    """Return the currency that the column of currencies states for all prices; None without one ("")."""
    found = written_currency(table.frame[column], "") if column else None
    return replace(found, evidence=f"{column} has {found.evidence}") if found else None


def _several(table: RawTable, price: str, beside: str) -> Iterator[Inference]:
    """Doubt prices that no one currency fits, by their cells or those in the column of currencies, "" for none."""
    money = money_of_rows(table.frame[price], table.frame[beside] if beside else None)
    kinds = {one.name: one for one in money if one is not None}
    if kinds and not frozenset.intersection(*(frozenset(one.codes) for one in kinds.values())):
        names = Counter(one.name for one in money if one is not None).most_common()
        claim = f"{SEVERAL}: {', '.join(f'{n:,} in {name}' for name, n in names)}"
        seen = "the rows in another than the market’s are rejected, as nothing is converted"
        yield Inference(price, "sale_price", claim, seen, len(money), sure=False)


def _notes_against_sales(table: RawTable, column: str) -> list[Inference]:
    """Doubt sale prices whose own cells say that they are asking prices, or rents."""
    return [
        Inference(
            column,
            "sale_price",
            f"taken for the sale price, but its cells speak of {kind}: map the price that was paid",
            f"{cell!r} and others, {times:,} of {n:,} cells",
            n,
            sure=False,
        )
        for kind, (cell, times, n) in notes_against_sales(table.frame[column]).items()
    ]
