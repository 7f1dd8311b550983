"""Doubts of columns that are seen only once the rows of a file are judged, or beside the stored sales."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from core.accounting import FileAccounting
from core.collect.columns.parts import is_shifted
from core.collect.inference import Inference
from core.collect.join_keys import column_or_missing
from core.collect.mapping import MappedTable
from core.collect.money.stated import SEVERAL
from core.collect.set_aside import PERHAPS_NO_HOME
from core.prepare.quality.column_check import ColumnComparison, compare_columns
from core.schema import FIELD_BY_NAME, Source, label_of
from core.wording import Conventions, count, percent
from core.workflows.doubts.mixed_money import is_other_money, mixed_money
from core.workflows.doubts.overwritten import overwritten
from core.workflows.doubts.price_tellers import doubt_of_price
from core.workflows.doubts.rejected_rows import RowGuess
from core.workflows.doubts.two_levels import two_levels

_REJECTED_MAX: Final = 0.05
# From here on the rows that stay are read wrongly too, it seems.
_GRAVE_SHARE: Final = 0.1
_GRAVE_ROWS: Final = 20
# What deeds without a price say: it is no price that was read wrongly.
_NOMINAL_MAX: Final = 100.0
_LEVELS: Final = ("sale_price", "living_area_sqft")
_LEVEL_FACTOR: Final = 3.0
_BLANKED_MAX: Final = 1 / 3
_FIELD_OF: Final = {"price": "sale_price", "date": "sale_date", "listed_after_sold": "list_date"}
_KINDS_SHOWN: Final = 3
_STORED: Final = "compared with the stored sales"
_TWO_PARTS: Final = r"^\s*(\d{1,2})([/.-])(\d{1,2})\2\d{2,4}\b"
_MONTHS: Final = 12
_LEAP_YEAR: Final = 2024


def with_doubts(
    tables: Sequence[MappedTable],
    files: Sequence[FileAccounting],
    market: Conventions,
    held: pd.DataFrame | None = None,
    corrections: pd.DataFrame | None = None,
    guesses: Sequence[RowGuess] = (),
) -> list[MappedTable]:
    """Return the tables, those of sales with what makes a column doubtful among their inferences.

    A column is doubtful if its limits reject more than 5% of the rows, blank more than a third of its values, or leave
    prices or dates unread; prices also if they are written in another currency than the ``market``'s, or may
    be prices per area; dates if some have day and month the other way round. So are types of property that may be no
    home. Where the headers are shifted, single columns are passed over. So are columns whose values look like another
    column of the sales ``held``, which are named first: where the price is one of them, its level is left out; last
    come those that correct many of them at once, as the preview lists ``corrections``, and what
    rejected rows share, ``guesses``: what explains a row so is no fault of its column.
    """
    by_name, currency = {account.file: account for account in files}, market.currency

    def doubts(table: MappedTable) -> tuple[Inference, ...]:
        if table.source is not Source.SALES or table.name not in by_name or is_shifted(table.inferences):
            return ()
        compared = _compared(table, held, currency)
        likes = {name: one.looks_like for name, one in compared.items() if one.looks_like}
        alike = {*likes, *likes.values()}
        times = compared["sale_price"].ratio_of_medians if "sale_price" in compared else None
        priced = () if "sale_price" in alike else doubt_of_price(table, currency, times)
        passed_over = alike | {one.field for one in priced}
        return (
            *_look_alikes(table, likes),
            *_other_money(table, currency),
            *mixed_money(table),
            *(priced or two_levels(table)),
            *(one for one in _other_levels(table, compared) if one.field not in passed_over),
            *_no_homes(table),
            *_mixed_orders(table),
            *_unread(table),
            *(_fractions(table) if "bedrooms" not in alike else ()),
            *_doubts(table, by_name[table.name], _explained(table, guesses)),
            *_overwritten(table, corrections, held, market),
            *(one.inference() for one in guesses if one.file == table.name),
        )

    found = [(table, doubts(table)) for table in tables]
    return [replace(table, inferences=(*_not_said_again(table, more), *more)) for table, more in found]


def _not_said_again(table: MappedTable, more: Sequence[Inference]) -> Iterator[Inference]:
    """Return the table's own inferences, without its currencies where those are counted against the market's."""
    counted = any(one.claim.startswith(SEVERAL) for one in more)
    return (one for one in table.inferences if not (counted and one.claim.startswith(SEVERAL)))


def _overwritten(
    table: MappedTable, corrections: pd.DataFrame | None, held: pd.DataFrame | None, market: Conventions
) -> Iterator[Inference]:
    if corrections is not None and held is not None:
        yield from overwritten(table, corrections[corrections["file"] == table.name], len(held), market)


def _compared(table: MappedTable, held: pd.DataFrame | None, currency: str) -> dict[str, ColumnComparison]:
    """Return by field how the columns of the file compare with the stored sales."""
    if held is None or held.empty:
        return {}
    return {one.field: one for one in compare_columns(table.frame, held, currency) if one.field in table.columns}


def _look_alikes(table: MappedTable, likes: Mapping[str, str]) -> Iterator[Inference]:
    for name, other in likes.items():
        theirs = table.columns.get(other, "")
        swapped = f", which {theirs} is taken for: their names may be swapped" if theirs else ""
        claim = f"taken for the {label_of(name).lower()}, but looks like the stored {label_of(other).lower()}"
        # A price under another heading is a doubt of the price too.
        field = "sale_price" if other == "sale_price" else name
        n = int(table.frame[name].notna().sum())
        # Where the other column is like its own, as of flats whose lots are as large as they are, nothing was swapped.
        grave = not theirs or other in likes
        yield Inference(table.columns[name], field, f"{claim}{swapped}", _STORED, n, sure=False, grave=grave)


def _other_levels(table: MappedTable, compared: Mapping[str, ColumnComparison]) -> Iterator[Inference]:
    """Doubt prices and living areas of quite another level than the stored ones, with which they hardly overlap."""
    for name in _LEVELS:
        one = compared.get(name)
        times = one.ratio_of_medians if one is not None else None
        if one is None or not one.finding or not times or 1 / _LEVEL_FACTOR < times < _LEVEL_FACTOR:
            continue
        finding = one.finding[:1].lower() + one.finding[1:].rstrip("?.")
        claim = f"taken for the {label_of(name).lower()}, but {finding}"
        yield Inference(table.columns[name], name, claim, _STORED, one.new_n, sure=False, grave=True)


def _other_money(table: MappedTable, currency: str) -> Iterator[Inference]:
    if table.currency and table.currency != currency:
        claim = f"prices are written in {table.currency}, but those of the market are in {currency}"
        seen = "they are taken in as they are, not converted"
        yield Inference(table.columns["sale_price"], "sale_price", claim, seen, table.rows_in, sure=False, grave=True)


def _no_homes(table: MappedTable) -> Iterator[Inference]:
    if not {"validity", "property_type"} <= set(table.frame) or "property_type" not in table.columns:
        return
    words = table.frame["validity"]
    found = words[words.str.startswith(PERHAPS_NO_HOME, na=False)].str.removeprefix(PERHAPS_NO_HOME).value_counts()
    if len(found):
        claim = f"{count(int(found.sum()), 'row')} kept whose type of property may be no home"
        seen = "; ".join(f"{kind!r} in {count(int(n), 'row')}" for kind, n in found.head(_KINDS_SHOWN).items())
        yield Inference(table.columns["property_type"], "property_type", claim, seen, table.rows_in, sure=False)


def _mixed_orders(table: MappedTable) -> Iterator[Inference]:
    """Doubt the days up to the 12th of a column in which some dates have day and month the other way round."""
    if "sale_date" not in table.frame or "sale_date" not in table.columns:
        return
    unread = table.problems.loc[table.problems["field"] == "sale_date", "value"]
    found = unread.str.extract(_TWO_PARTS).dropna()
    parts = found[[0, 2]].astype("int64")
    day, month = parts.max(axis=1), parts.min(axis=1)
    other_way = pd.to_datetime({"year": _LEAP_YEAR, "month": month, "day": day}, errors="coerce").notna()
    other_way &= day > _MONTHS
    swapped = int(other_way.sum())
    texts = column_or_missing(table.cells, table.columns["sale_date"])
    # Where the year stands first, or another style has other marks, no order of day and month is in doubt.
    two_ways = texts.str.extract(_TWO_PARTS)[1].isin(set(found.loc[other_way, 1])).to_numpy(dtype=bool)
    either = int((two_ways & (table.frame["sale_date"].dt.day <= _MONTHS).to_numpy()).sum())
    if swapped and either:
        claim = (
            f"day and month stand both ways round: {count(either, 'date')} of a day up to the 12th may be read wrongly"
        )
        seen = f"{count(swapped, 'date')} cannot be read in the order of the others"
        yield Inference(table.columns["sale_date"], "sale_date", claim, seen, table.rows_in, sure=False, grave=True)


def _unread(table: MappedTable) -> Iterator[Inference]:
    """Doubt prices and dates of which many are written so that they cannot be read."""
    unread = table.problems[~is_other_money(table.problems)]
    for name in ("sale_price", "sale_date") if len(unread) >= _GRAVE_ROWS else ():
        # Words such as "price withheld" say that there is none.
        is_written = unread["value"].str.contains(r"\d", na=False)
        cells = unread.loc[unread["field"].eq(name) & is_written, "value"] if name in table.columns else unread.head(0)
        if len(cells) >= _GRAVE_ROWS and len(cells) > _REJECTED_MAX * table.rows_in:
            claim = f"taken for the {label_of(name).lower()}, which cannot be read in {count(len(cells), 'row')}"
            seen = f"a cell is {cells.iloc[0]!r}"
            grave = _is_grave(len(cells), table.rows_in)
            yield Inference(table.columns[name], name, claim, seen, table.rows_in, sure=False, grave=grave)


def _fractions(table: MappedTable) -> Iterator[Inference]:
    """Doubt bedrooms in halves and quarters beside bathrooms that are all whole: their names may be swapped."""
    if not {"bedrooms", "bathrooms"} <= set(table.columns):
        return
    broken = {name: table.frame[name].dropna().mod(1).ne(0) for name in ("bedrooms", "bathrooms")}
    n = int(broken["bedrooms"].sum())
    if _is_grave(n, len(broken["bedrooms"])) and not broken["bathrooms"].any():
        claim = f"taken for the bedrooms, but {count(n, 'value')} have a fraction, as only bathrooms have"
        seen = f"{table.columns['bathrooms']} has whole numbers only: their names may be swapped"
        yield Inference(table.columns["bedrooms"], "bedrooms", claim, seen, table.rows_in, sure=False, grave=True)


def _is_grave(rows: int, of: int) -> bool:
    return rows >= _GRAVE_ROWS and rows > _GRAVE_SHARE * of


def _explained(table: MappedTable, guesses: Sequence[RowGuess]) -> Counter[str]:
    """Count by reason code the rows whose fault is known."""
    return sum((Counter(one.codes) for one in guesses if one.file == table.name), Counter[str]())


def _doubts(table: MappedTable, account: FileAccounting, explained: Counter[str]) -> Iterator[Inference]:
    for code, rows in account.reasons.items():
        n = rows - explained[code]
        name, _, ending = code.rpartition("_")
        field = _FIELD_OF.get(code, _FIELD_OF.get(name, name))
        column = table.columns.get(field, "")
        if not column or field not in FIELD_BY_NAME:
            continue
        label = label_of(field).lower()
        if ending == "impossible" and n > _REJECTED_MAX * account.rows_in:
            claim = f"taken for the {label}, which {count(n, 'row')} are rejected for"
            seen = f"{percent(n / account.rows_in)} of the rows are outside its limits"
            nominal = int(table.frame[field].between(0, _NOMINAL_MAX).sum()) if field == "sale_price" else 0
            grave = _is_grave(n - nominal, account.rows_in)
            yield Inference(column, field, claim, seen, account.rows_in, sure=False, grave=grave)
        present = int(table.frame[field].notna().sum())
        if (ending == "implausible" or code in _FIELD_OF) and n > _BLANKED_MAX * present:
            claim = f"taken for the {label}, of which {count(n, 'value')} are left out"
            seen = f"{percent(n / present)} of its values are not plausible"
            yield Inference(column, field, claim, seen, present, sure=False)
