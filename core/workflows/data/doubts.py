"""Doubts seen only once the rows of a file are judged: what a misread column does to them, and sales of elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from core.accounting import FileAccounting
from core.collect.columns.parts import is_shifted
from core.collect.inference import Inference
from core.collect.join_keys import area_keys, column_or_missing
from core.collect.mapping import MappedTable
from core.collect.set_aside import PERHAPS_NO_HOME
from core.errors import FileMisread, SalesElsewhere
from core.prepare.quality.column_check import compare_columns
from core.schema import FIELD_BY_NAME, Source, label_of
from core.wording import count, percent
from core.workflows.data.price_tellers import doubt_of_price

_REJECTED_MAX: Final = 0.05
_BLANKED_MAX: Final = 1 / 3
_MISREAD_MIN: Final = 0.5
# Of fewer rows, most may be rejected by chance.
_MISREAD_ROWS: Final = 20
_FIELD_OF: Final = {"price": "sale_price", "date": "sale_date", "listed_after_sold": "list_date"}
_KINDS_SHOWN: Final = 3
_TWO_PARTS: Final = r"^\s*(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}\b"
_MONTHS: Final = 12
_LEAP_YEAR: Final = 2024
_COORDINATES: Final = ("latitude", "longitude")
_MARGIN_DEGREES: Final = 0.5
"""About 50 km: sales a little around a market may be its own."""

_NEW_MIN: Final = 20
_HELD_MIN: Final = 100
_INSIDE_MIN: Final = 0.1


def with_doubts(
    tables: Sequence[MappedTable],
    files: Sequence[FileAccounting],
    currency: str,
    held: pd.DataFrame | None = None,
) -> list[MappedTable]:
    """Return the tables, those of sales with what makes a column doubtful among their inferences.

    A column is doubtful if its limits reject more than 5% of the rows, or blank more than a third of its values; prices
    also if they are written in another currency than the market's, ``currency``, or may be prices per area; dates if
    some have day and month the other way round. So are types of property that may be no home. Where the headers are
    shifted, single columns are passed over. So are columns whose values look like another column of the sales ``held``,
    which are named first: where the price is one of them, its level is left out.
    """
    by_name = {account.file: account for account in files}

    def priced(table: MappedTable) -> tuple[Inference, ...]:
        return doubt_of_price(table, currency)

    def doubts(table: MappedTable) -> tuple[Inference, ...]:
        if table.source is not Source.SALES or table.name not in by_name or is_shifted(table.inferences):
            return ()
        likes = _likenesses(table, held, currency)
        return (
            *_look_alikes(table, likes),
            *_other_money(table, currency),
            *(() if "sale_price" in (likes | {other: name for name, other in likes.items()}) else priced(table)),
            *_no_homes(table),
            *_mixed_orders(table),
            *_doubts(table, by_name[table.name]),
        )

    return [replace(table, inferences=(*table.inferences, *doubts(table))) for table in tables]


def misread_words(tables: Sequence[MappedTable], files: Sequence[FileAccounting]) -> dict[str, str]:
    """Say of each file of sales, by name, what makes it seem misread.

    Its prices are doubtful and most rows rejected, or its dates have day and month both ways round: nobody finds the
    days that are read wrongly later. ``tables`` have their doubts (see with_doubts).
    """
    accounts = {account.file: account for account in files}
    found = {}
    for table in tables:
        account = accounts.get(table.name)
        if table.source is not Source.SALES or account is None or is_shifted(table.inferences):
            continue
        rows = account.rows_in - account.reasons.get("total_row", 0)
        doubt = next((one for one in table.inferences if not one.sure and one.field == "sale_price"), None)
        rejected = account.rejected - account.reasons.get("total_row", 0)
        if doubt is not None and rows >= _MISREAD_ROWS and rejected > _MISREAD_MIN * rows:
            found[table.name] = (
                f"{rejected:,} of {count(rows, 'row')} are rejected, and {doubt.column}: {doubt.claim}. Choose the "
                "column of the prices."
            )
        elif mixed := next(_mixed_orders(table), None):
            found[table.name] = f"{mixed.column}: {mixed.claim} ({mixed.evidence}). Write all dates in one order."
    return found


def refuse_misread(misread: Mapping[str, str], allowed: Collection[str]) -> None:
    """Raise FileMisread for files, by name, whose prices or dates seem to be read wrongly, unless ``allowed``."""
    found = {name: words for name, words in misread.items() if name not in allowed}
    if found:
        raise FileMisread(f"{_refused(found)} If it is right, give --misread {next(iter(found))!r}.")


def _likenesses(table: MappedTable, held: pd.DataFrame | None, currency: str) -> dict[str, str]:
    """Return by field the stored field that a column's values resemble instead of those of its own."""
    if held is None or held.empty:
        return {}
    known = {one.field: one.looks_like for one in compare_columns(table.frame, held, currency) if one.looks_like}
    return {name: other for name, other in known.items() if name in table.columns}


def _look_alikes(table: MappedTable, likes: Mapping[str, str]) -> Iterator[Inference]:
    for name, other in likes.items():
        theirs = table.columns.get(other, "")
        swapped = f", which {theirs} is taken for: their names may be swapped" if theirs else ""
        claim = f"taken for the {label_of(name).lower()}, but looks like the stored {label_of(other).lower()}"
        # A price under another heading is a doubt of the price too.
        field = "sale_price" if other == "sale_price" else name
        n = int(table.frame[name].notna().sum())
        seen = "compared with the stored sales"
        yield Inference(table.columns[name], field, f"{claim}{swapped}", seen, n, sure=False)


def elsewhere_of(
    tables: Sequence[MappedTable], references: Sequence[FileAccounting], held: pd.DataFrame
) -> dict[str, str]:
    """Say by file that hardly any of its sales is where the market has any, or of the homes of an unmatched tax roll.

    ``references`` are the accounts of the tax and neighborhood files.
    """
    unmatched = {one.file for one in references if one.source == Source.TAX and not one.reasons.get("matched", 0)}
    asked = [(one, "sale") for one in tables if one.source is Source.SALES]
    asked += [(one, "home") for one in tables if one.name in unmatched]
    return {one.name: words for one, noun in asked if (words := elsewhere_words(one.frame, held, noun))}


def elsewhere_words(new: pd.DataFrame, held: pd.DataFrame, noun: str = "sale") -> str:
    """Say that hardly any new sale is where a market has sales, "" where they are or nothing tells; both canonical.

    ``noun`` is what a row is of. They are compared by zip code, else by neighborhood, else by coordinates, if enough
    sales of both have them. Rows without a price or a day are no sales.
    """
    new = new.dropna(subset=[name for name in ("sale_price", "sale_date") if name in new])
    for place in ("zipcode", "neighbourhood"):
        coming, known = (area_keys(table, place).dropna() for table in (new, held))
        if min(len(coming) / _NEW_MIN, len(known) / _HELD_MIN) >= 1:
            return _elsewhere(
                coming.isin(set(known)), f"in a {label_of(place).lower()} where this market has sales", noun
            )
    ours, theirs = (_places(table) for table in (new, held))
    if min(len(ours) / _NEW_MIN, len(theirs) / _HELD_MIN) < 1:
        return ""
    near = pd.Series(True, index=ours.index)
    for name in _COORDINATES:
        near &= ours[name].between(theirs[name].min() - _MARGIN_DEGREES, theirs[name].max() + _MARGIN_DEGREES)
    return _elsewhere(near, "where this market has sales", noun)


def refuse_elsewhere(elsewhere: Mapping[str, str], allowed: Collection[str]) -> None:
    """Raise SalesElsewhere for files, by name, whose sales are not where the market has any, unless ``allowed``."""
    found = {name: words for name, words in elsewhere.items() if name not in allowed}
    if found:
        raise SalesElsewhere(
            f"{_refused(found)} If it does, give --elsewhere {next(iter(found))!r}; else name its own market."
        )


def _refused(found: Mapping[str, str]) -> str:
    return f"Nothing was imported. {' '.join(f'{name}: {words}' for name, words in found.items())}"


def _elsewhere(inside: pd.Series, where: str, noun: str) -> str:
    if inside.mean() >= _INSIDE_MIN:
        return ""
    number = int(inside.sum())
    found = f"Only {number:,}" if number else "None"
    are = "are" if number > 1 else "is"
    return f"{found} of {count(len(inside), noun)} {are} {where}: make sure that the file belongs to this market."


def _places(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: pd.to_numeric(column_or_missing(table, name)) for name in _COORDINATES}).dropna()


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


def _mixed_orders(table: MappedTable) -> Iterator[Inference]:
    """Doubt the days up to the 12th of a column in which some dates have day and month the other way round."""
    if "sale_date" not in table.frame or "sale_date" not in table.columns:
        return
    unread = table.problems.loc[table.problems["field"] == "sale_date", "value"]
    parts = unread.str.extract(_TWO_PARTS).dropna().astype("int64")
    day, month = parts.max(axis=1), parts.min(axis=1)
    other_way = pd.to_datetime({"year": _LEAP_YEAR, "month": month, "day": day}, errors="coerce").notna()
    swapped = int((other_way & (day > _MONTHS)).sum())
    texts = column_or_missing(table.cells, table.columns["sale_date"])
    # Where the year stands first, no order of day and month is in doubt.
    two_ways = texts.str.contains(_TWO_PARTS.replace("(", "(?:"), na=False).to_numpy(dtype=bool)
    either = int((two_ways & (table.frame["sale_date"].dt.day <= _MONTHS).to_numpy()).sum())
    if swapped and either:
        claim = (
            f"day and month stand both ways round: {count(either, 'date')} of a day up to the 12th may be read wrongly"
        )
        seen = f"{count(swapped, 'date')} cannot be read in the order of the others"
        yield Inference(table.columns["sale_date"], "sale_date", claim, seen, table.rows_in, sure=False)


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
