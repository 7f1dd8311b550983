"""Files brought in together: the column that joins sales and tax records, found by comparing their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from core.collect.columns.guess import Guess, guess_file
from core.collect.columns.sheet import is_row_counter
from core.collect.columns.years import age_column, day_of_ages
from core.collect.inference import Inference
from core.collect.join_keys import bare_ids
from core.collect.mapping import ColumnMapping, ColumnRule, cells_of
from core.collect.parsers import Marks, as_identifier
from core.collect.reading.table import RawTable
from core.schema import Source

SHARE_MIN: Final = 0.5
"""At least this share of the sales' keys must appear in the other file."""

JOINS: Final = "the key that joins the two files"
"""The claim on a property id that was found by its values in another file."""

_ROWS_MIN: Final = 20
_UNIQUE: Final = 0.98


@dataclass(frozen=True)
class SharedKey:
    """The columns of two files whose values agree: the share of the sales' keys met in the other file, of ``n``."""

    sales_column: str
    tax_column: str
    share: float
    n: int


def guess_together(
    tables: Sequence[RawTable], given: Sequence[ColumnMapping | None], guesses: Sequence[Guess | None] = ()
) -> tuple[ColumnMapping, ...]:
    """Return the mapping of each file, guessed where none is given; ``guesses`` are those made before.

    Sales and a tax file that share no property id yet are joined by the column whose values agree, whatever it is
    called, and ages in the tax file are counted back from a day that the sales give.
    """
    made = guesses or [None] * len(tables)
    mappings = [
        mapping or (guess or guess_file(table)).mapping
        for table, mapping, guess in zip(tables, given, made, strict=True)
    ]
    sales = [at for at, mapping in enumerate(mappings) if mapping.source is Source.SALES and given[at] is None]
    taxes = [at for at, mapping in enumerate(mappings) if mapping.source is Source.TAX and given[at] is None]
    if len(taxes) == 1:
        tax = taxes[0]
        for at in sales:
            mappings[at], mappings[tax] = _joined((tables[at], mappings[at]), (tables[tax], mappings[tax]))
    return tuple(mappings)


def shared_key(sales: RawTable, tax: RawTable) -> SharedKey | None:
    """Find the columns of two files that hold the same keys, each once in the tax file; None where there are none."""
    wanted = {str(column): _keys(sales.frame[column]) for column in sales.frame}
    found = []
    for column in map(str, tax.frame):
        keys = _keys(tax.frame[column])
        if len(keys) < _ROWS_MIN or keys.nunique() < _UNIQUE * len(keys) or is_row_counter(tax.frame[column]):
            continue
        known = pd.Index(keys.unique())
        for ours, values in wanted.items():
            met = values.isin(known)
            if values[met].nunique() >= _ROWS_MIN and met.mean() >= SHARE_MIN:
                found.append(SharedKey(ours, column, float(met.mean()), len(values)))
    return max(found, key=lambda one: (round(one.share, 3), one.sales_column == one.tax_column), default=None)


def _keys(cells: pd.Series) -> pd.Series:
    keys = as_identifier(cells, Marks()).dropna()
    # Any two files share values such as yes and no, areas and prices.
    return bare_ids(keys[~keys.str.fullmatch(r"-?[0-9]*\.[0-9]+|[A-Za-z]+|[0-9]{1,3}")]).dropna()


Mapped = tuple[RawTable, ColumnMapping]


def _joined(sales: Mapped, tax: Mapped) -> tuple[ColumnMapping, ColumnMapping]:
    ours, theirs = sales[1], tax[1]
    if not _meet(sales, tax) and (key := shared_key(sales[0], tax[0])):
        seen = f"{key.share:.0%} of the values of {key.sales_column} in {sales[0].name} are {key.tax_column} there"
        ours = _keyed(ours, key.sales_column, key, f"{seen} in {tax[0].name}")
        theirs = _keyed(theirs, key.tax_column, key, seen)
    return ours, _with_years(tax[0], theirs, sales)


def _meet(sales: Mapped, tax: Mapped) -> bool:
    """Tell whether the property ids that both files have already are the same ones."""
    ids = []
    for table, mapping in (sales, tax):
        rule = next((rule for rule in mapping.rules if rule.field == "property_id"), None)
        if rule is None:
            return False
        ids.append(bare_ids(as_identifier(cells_of(table.frame, rule), Marks())).dropna())
    return bool(len(ids[0])) and float(ids[0].isin(ids[1].unique()).mean()) >= SHARE_MIN


def _keyed(mapping: ColumnMapping, column: str, key: SharedKey, seen: str) -> ColumnMapping:
    rule = ColumnRule(column, "property_id", "identifier")
    others = tuple(one for one in mapping.rules if one.field != "property_id" and one.column != column)
    inference = Inference(column, "property_id", JOINS, seen, key.n)
    return replace(
        mapping,
        rules=(rule, *others),
        ignored=tuple(one for one in mapping.ignored if one[0] != column),
        inferences=(*mapping.inferences, inference),
    )


def _with_years(table: RawTable, mapping: ColumnMapping, sales: Mapped) -> ColumnMapping:
    column = age_column(table.frame)
    if not column or "year_built" in {rule.field for rule in mapping.rules}:
        return mapping
    day = day_of_ages(*sales)
    if not day.as_of:
        return mapping
    rule = ColumnRule(column, "year_built", "age", as_of=day.as_of)
    inference = Inference(column, "year_built", f"the year built, {day.as_of} less the age", day.seen, day.n, day.sure)
    return replace(
        mapping,
        rules=(*(one for one in mapping.rules if one.column != column), rule),
        ignored=tuple(one for one in mapping.ignored if one[0] != column),
        inferences=(*mapping.inferences, inference),
    )
