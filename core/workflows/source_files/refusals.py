"""Why files are not taken in: no sales among them, or a mapping that would keep persons."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from core.accounting import OF_CELLS, FileAccounting, reason_words
from core.collect.columns.candidates import field_of_header
from core.collect.columns.near_misses import are_listings, why_no_sales
from core.collect.columns.parts import shift_words
from core.collect.dates.guess import compact_date_format
from core.collect.mapping import (
    LOCATIONS,
    ColumnMapping,
    MappedTable,
    apply_mapping,
    check_required,
    named_columns,
)
from core.collect.parsers import Marks, as_number
from core.collect.privacy.cutting import without_persons_in
from core.collect.privacy.findings import DROPPED, PersonalColumn, of_persons, reason
from core.collect.reading.table import RawTable
from core.collect.vocabulary import load_vocabulary
from core.errors import MappingError
from core.prepare.quality.price_rates import price_rate
from core.schema import AREAS, Source

_NEARLY_ALL = 0.9
_SAMPLE = 2_000
_TYPED = {"d": "DD", "m": "MM", "y": "YY", "Y": "YYYY"}
_X_OR_Y = re.compile(r"(?:point|map|gps|coord\w*)?[ _.-]*([xy])(?:[ _.-]*coord\w*)?", re.IGNORECASE)
_DEGREES = (180.0, 90.0)
_RENT_LOW, _RENT_HIGH = 100.0, 20_000.0
_PRICE_LOW = 30_000.0
# What homes cost for each square foot or square meter, and how closely prices follow living areas, by ranks.
_PER_AREA_LOW, _PER_AREA_HIGH = 20.0, 30_000.0
_FOLLOWS = 0.4


def apply_or_explain(table: RawTable, mapping: ColumnMapping, personal: Sequence[PersonalColumn]) -> MappedTable:
    """Apply a mapping; raises MappingError where it names a column of persons or lacks what sales need.

    The error says what the file is instead of sales, or which column comes near to what is lacking.
    """
    refuse_personal(named_columns(mapping), personal, table.name)
    try:
        return _without_quoted_persons(apply_mapping(table, mapping))
    except MappingError as error:
        causes = (_no_header(table), str(error), why_no_sales(table, mapping), _compact_dates(table, mapping))
        if shifted := shift_words(mapping.inferences):
            causes = (shifted, *causes[1:2], "", "")
        why = " ".join(filter(None, (*causes, "" if shifted else _bare_coordinates(table, mapping))))
        raise MappingError(why if table.name in why else f"{table.name}: {why}") from error


def no_sales_message(tables: Sequence[RawTable], mappings: Sequence[ColumnMapping]) -> str:
    """Say that no file holds sales, what each is instead, and what helps."""
    names = ", ".join(table.name for table in tables)
    pairs = zip(tables, mappings, strict=True)
    found = [why for table, mapping in pairs for why in _whys_no_sales(table, mapping) if why]
    whys = " ".join(found)
    return f"None of the files ({names}) holds sales. {whys or 'Add a file with sale prices and dates.'}"


def lacking_words(table: RawTable, mapping: ColumnMapping) -> str:
    """Say what a mapping lacks for its kind of file, and why a column that comes near is not it; "" for nothing."""
    try:
        check_required(mapping)
    except MappingError as error:
        near = why_no_sales(table, mapping) if mapping.source is Source.SALES else ""
        return " ".join(filter(None, (str(error), near)))
    return ""


def may_hold_sales(tables: Sequence[RawTable], mappings: Sequence[ColumnMapping]) -> bool:
    """Tell whether some file has a column named as the price or day of a sale, or listings: it completes no sales."""
    vocabulary = load_vocabulary()
    for table, mapping in zip(tables, mappings, strict=True):
        headers = {field_of_header(str(column), Source.SALES, vocabulary) for column in table.frame}
        if mapping.source not in (Source.NEIGHBOURHOOD, Source.INDICATORS) and (
            headers & {"sale_price", "sale_date"} or are_listings(table, mapping)
        ):
            return True
    return False


def no_gain_message(why_no_sales: str, accounts: Sequence[FileAccounting], left_out: str = "") -> str:
    """Say that files have no sales, which ``why_no_sales`` says, and that no stored sale gains a fact from them.

    ``left_out`` says which of their facts stored sales do not get, and why.
    """
    rows = sum(account.rows_in for account in accounts)
    matched = sum(account.reasons.get("matched", 0) for account in accounts)
    if matched:
        these = "all other facts" if left_out else "these facts"
        matching = f"{matched:,} of their {rows:,} rows match stored sales, which have {these} already."
        return f"{why_no_sales} {matching} {left_out}".rstrip()
    if any(one.source == Source.TAX and one.accepted for one in accounts):
        return (
            f"{why_no_sales} None of their {rows:,} rows matches a stored sale, and the market has these homes already."
        )
    return (
        f"{why_no_sales} None of their {rows:,} rows matches a stored sale either: check the columns of the parcel "
        "number, the address or the area."
    )


def _whys_no_sales(table: RawTable, mapping: ColumnMapping) -> tuple[str, ...]:
    if mapping.source is Source.NEIGHBOURHOOD:
        # None of its figures is a price, however much one looks like it.
        return (
            f"{table.name} holds figures of areas: add it to the market that has the sales, or bring these with it.",
        )
    shifted = shift_words(mapping.inferences)
    if shifted:
        return (f"{table.name}: {shifted}",)
    if mapping.source is Source.INDICATORS:
        return (
            f"{table.name} holds market indicators: add it to the market that has the sales, or bring these with it.",
        )
    why = _no_header(table), why_no_sales(table, mapping), _compact_dates(table, mapping)
    if mapping.source is Source.TAX and not may_hold_sales([table], [mapping]):
        return (*why, f"{table.name} holds facts of homes: bring the sales first, or with it.")
    return why


def nothing_usable_message(
    tables: Sequence[MappedTable],
    accounts: Sequence[FileAccounting],
    currency: str,
    tax: MappedTable | None = None,
    personal: Mapping[str, Sequence[PersonalColumn]] = MappingProxyType({}),
) -> str:
    """Say why no row of the files can be used, and what helps: the cause where it is known, else the mapping.

    ``currency`` is the market's, ``tax`` the tax file that was brought with the sales, and ``personal`` has by file the
    columns that were left out because they hold persons, or may.
    """
    reasons: Counter[str] = Counter()
    for account in accounts:
        reasons.update({code: n for code, n in account.reasons.items() if not code.startswith(OF_CELLS)})
    most_frequent = ", ".join(f"{reason_words(code)} ({n:,})" for code, n in reasons.most_common(3))
    names = ", ".join(table.name for table in tables)
    shifted = " ".join(shift_words(table.inferences) for table in tables).strip()
    remedy = (
        shifted
        or _price_as_area(tables, reasons)
        or _rents(tables, reasons, currency)
        or _no_scale(tables, reasons)
        or _parcels_only(tables, reasons, tax)
    )
    remedy = remedy or "Check the column mapping."
    return f"No row of {names} can be used; most frequent reasons: {most_frequent}. {remedy}{_left_out(personal)}"


def _left_out(personal: Mapping[str, Sequence[PersonalColumn]]) -> str:
    """Name the columns that were left out of files as those of persons: one may be what the sales lack."""
    dropped = [one.column for found in personal.values() for one in of_persons(found) if one.action == DROPPED]
    return f" Left out as personal data, or as text that may be: {', '.join(dropped)}." if dropped else ""


def _price_as_area(tables: Sequence[MappedTable], reasons: Counter[str]) -> str:
    """Say of prices no home costs, beside an area as large as prices are, that the two columns may be swapped."""
    middle = _impossible_median(tables, reasons)
    for table in tables:
        price = table.frame["sale_price"]
        for name in (one for one in AREAS if one in table.frame):
            area = table.frame[name]
            typical = float(area.median())
            per_area = typical / middle if middle else 0.0
            if typical < _PRICE_LOW or not _PER_AREA_LOW <= per_area <= _PER_AREA_HIGH:
                continue
            if price.rank().corr(area.rank()) >= _FOLLOWS:
                header, priced = table.columns[name], table.columns["sale_price"]
                return (
                    f"Their median price is {middle:,.0f}, and that of {header} is {typical:,.0f}: the columns "
                    f"{priced} and {header} seem swapped. Take each for the other in the column mapping."
                )
    return ""


def _rents(tables: Sequence[MappedTable], reasons: Counter[str], currency: str) -> str:
    """Say of prices as high as a month's rent that they may be that, or prices in thousands where the areas say so."""
    middle = _impossible_median(tables, reasons)
    if not _RENT_LOW <= middle <= _RENT_HIGH:
        return ""
    rents = "bring prices for which homes were sold"
    rate = price_rate(pd.concat([table.frame for table in tables], ignore_index=True), currency)
    if rate is None or not rate.remedy:
        return f"Their median price is {middle:,.0f}, which is what a month's rent is: {rents}."
    return (
        f"Their median price is {middle:,.0f}, and they are {rate.why}. "
        f"{rate.remedy[:1].upper()}{rate.remedy[1:]}; if they are a month's rents, {rents}."
    )


def _impossible_median(tables: Sequence[MappedTable], reasons: Counter[str]) -> float:
    """Return the median price of files of which nearly all prices are impossible, 0 for others."""
    prices = pd.concat([table.frame["sale_price"] for table in tables]).dropna()
    return float(prices.median()) if len(prices) and reasons["price_impossible"] >= _NEARLY_ALL * len(prices) else 0.0


def _no_scale(tables: Sequence[MappedTable], reasons: Counter[str]) -> str:
    middle = _impossible_median(tables, reasons)
    if not 0.0 < middle < _RENT_LOW:
        return ""
    return (
        f"Their median price is {middle:,.4g}, and too few figures differ to tell a scale: if they are in thousands or "
        "millions, say so with the columns (“Prices are written in”), or write the scale into the mapping file; if "
        "they are codes, choose the column of the prices."
    )


def _parcels_only(tables: Sequence[MappedTable], reasons: Counter[str], tax: MappedTable | None) -> str:
    rows = sum(len(table.frame) for table in tables)
    if reasons["no_location"] < _NEARLY_ALL * rows or not any("property_id" in table.frame for table in tables):
        return ""
    named = " and of ".join(f"{_parcel_columns(table)} of {table.name}" for table in tables)
    if tax is not None:
        return (
            f"The sales name their homes by parcel number only ({named}), and {tax.name} has none of these numbers: "
            "map its column of parcel numbers, or bring the tax file of the same parcels."
        )
    return (
        f"The sales name their homes by parcel number only ({named}): bring the tax file of the same parcels, with "
        "addresses, coordinates or ZIP codes, together with them."
    )


def _parcel_columns(table: MappedTable) -> str:
    """Return the columns that number a file's parcels, in words."""
    whole = str(table.columns.get("property_id", "no column"))
    joined = (one.claim for one in table.inferences if one.field == "property_id" and one.column == whole)
    return next((claim.removeprefix("the parcel from ") for claim in joined), whole)


def _no_header(table: RawTable) -> str:
    if table.reading.header_line:
        return ""
    return (
        f"{table.name}: this file has no header line; its columns are called column_1 and so on, "
        "and its first line is kept as data. Choose the columns of the sale price and the sale date."
    )


def _compact_dates(table: RawTable, mapping: ColumnMapping) -> str:
    """Name the date format of a column of sale dates in digits alone, which is never guessed; "" without one."""
    if "sale_date" in {rule.field for rule in mapping.rules}:
        return ""
    for column in map(str, table.frame):
        if field_of_header(column, Source.SALES, load_vocabulary()) == "sale_date":
            date_format = compact_date_format(table.frame[column].head(_SAMPLE))
            if date_format:
                typed = re.sub(r"%(.)", lambda found: _TYPED[found.group(1)], date_format)
                cell = table.frame[column].dropna().iloc[0]
                return f"If {cell!r} is a date, map {column!r} to the sale date with the date format {typed!r}."
    return ""


def _bare_coordinates(table: RawTable, mapping: ColumnMapping) -> str:
    """Say what two columns called X and Y are good for, where nothing else says where the homes are; "" without."""
    if {rule.field for rule in mapping.rules} & {*LOCATIONS} or mapping.address_columns:
        return ""
    named = {found.group(1).casefold(): one for one in map(str, table.frame) if (found := _X_OR_Y.fullmatch(one))}
    if not {"x", "y"} <= set(named):
        return ""
    marks = Marks(mapping.decimal, mapping.thousands)
    x, y = (as_number(table.frame[named[axis]].head(_SAMPLE), marks) for axis in "xy")
    if x.notna().any() and x.abs().max() <= _DEGREES[0] and y.abs().max() <= _DEGREES[1]:
        return f"{named['x']!r} and {named['y']!r} look like degrees: map them to longitude and latitude if they are."
    return (
        f"{named['x']!r} and {named['y']!r} are those of a map grid, not degrees: convert them to longitude and "
        "latitude (WGS 84), and map these."
    )


def refuse_personal(named: Sequence[str], personal: Sequence[PersonalColumn], name: str) -> None:
    """Raise MappingError for a named column that was left out of a file because it holds persons, or may."""
    for one in personal:
        if one.action == DROPPED and one.column in named:
            remedy = "bring the file again and name the column as kept" if one.keepable else "rename it"
            raise MappingError(
                f"{name}: column {one.column!r} was left out ({reason(one)}). Leave it out of the mapping; if it is a "
                f"fact of the home, {remedy}."
            )


def leave_out_persons(mapping: ColumnMapping, personal: Sequence[PersonalColumn]) -> ColumnMapping:
    """Return the mapping with the columns dropped as those of persons among what is left out, for the record of it."""
    known = dict(mapping.ignored)
    dropped = [(one.column, reason(one)) for one in personal if one.action == DROPPED and one.column not in known]
    return replace(mapping, ignored=(*mapping.ignored, *dropped))


def _without_quoted_persons(table: MappedTable) -> MappedTable:
    """Cut persons out of the cells that could not be read, which are quoted to whoever mends the file."""
    quoted = {text: without_persons_in(text) for text in table.problems["value"].unique()}
    return replace(table, problems=table.problems.assign(value=table.problems["value"].map(quoted).astype("str")))
