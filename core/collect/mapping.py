"""A column mapping says how a file's own columns become the canonical record, and is applied to give it."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from core.collect.areas_by_type import AREA_BY_TYPE, divide_by_type
from core.collect.cells.categories import in_known_words, without_brackets
from core.collect.cells.joined import joined_date, joined_identifier
from core.collect.cells.market import gravity
from core.collect.cells.missing import is_null_word
from core.collect.cells.units import UNIT_FACTORS, factors_of_cells, units_of_rows
from core.collect.cells.zeros import without_zeros, zeros_in
from core.collect.dates.formats import is_own_format
from core.collect.dates.own_formats import NO_SUCH_DAY, date_format_of, names_no_day
from core.collect.dates.unread import remedy_of
from core.collect.inference import Inference
from core.collect.parsers import PARSERS, TEXT_PARSERS, Marks, as_text, digits_written
from core.collect.reading.table import BadLine, RawTable
from core.collect.set_aside import set_aside
from core.collect.shared_parcels import without_shared_parcels
from core.collect.vocabulary import load_vocabulary
from core.errors import MappingError
from core.schema import FIELD_BY_NAME, FIELDS, FieldKind, Source, check_names, conform, is_extra, label_of
from core.wording import IdDigits

LOCATIONS: Final = ("property_id", "address", "latitude", "zipcode", "neighbourhood")
"""Any one of these tells where a property is."""

PROBLEM_COLUMNS: Final = ("source_row", "column", "field", "value", "problem", "remedy")

_NO_RECODE: Final[Mapping[str, str]] = MappingProxyType({})
_WANTED: Final[Mapping[str, str]] = {
    "number": "a number",
    "leading_number": "a text that begins with a number",
    "range_midpoint": "a range such as 10 TO 12",
    "years_months": "a length of time such as 61 years 04 months",
    "dimensions": "two sides such as 64x120",
    "date": "a date",
    AREA_BY_TYPE: "a number",
    "full_dot_half": "full baths, a point and half baths, such as 2.1",
    "bath_parts": "full and half baths, such as 2/1",
    "year": "a year",
    "age": "an age in years",
    "flag": "yes or no",
}


EMPTY: Final = "(empty)"
"""The word that stands for a blank cell in a recoding: where a file leaves the usual out, a person says so."""


@dataclass(frozen=True)
class ColumnRule:
    """How one column is read into one field.

    ``recode`` turns words, in lower case, into what the parser reads. ``unit`` is what areas are written in.
    ``date_format`` overrides the mapping's. Of several rules for one number field the first gives the value, and
    every further one adds ``weight`` times its own where it has one (half baths to full baths); of several for the
    validity any that speaks against a market sale decides. ``unit_column`` names the column that states the unit of
    each row, ``unit`` being that of rows where it says nothing. ``scale`` multiplies the figure (1000 for thousands).
    ``with_columns`` are further columns that the cell is joined with before it is read: a month beside its year.
    ``as_of`` (ISO date) is the day an age is counted back from; empty, the sale date of the row. ``label`` is the
    display name of a column of the market's own; empty, it is the readable form of the column's name. ``decimal`` is
    the column's own decimal mark where it differs from the mapping's.
    """

    column: str
    field: str
    parse: str = "text"
    unit: str = ""
    recode: Mapping[str, str] = dataclasses.field(default_factory=lambda: _NO_RECODE)
    date_format: str = ""
    weight: float = 1.0
    unit_column: str = ""
    scale: float = 1.0
    with_columns: tuple[str, ...] = ()
    as_of: str = ""
    label: str = ""
    decimal: str = ""

    def __getstate__(self) -> dict[str, object]:
        """Return what goes to another process, which cannot be given a mapping that only looks into another."""
        return {**vars(self), "recode": dict(self.recode)}


@dataclass(frozen=True)
class ColumnMapping:
    """All rules of one kind of file; ``ignored`` holds (column, why) of the columns left out.

    ``address_columns`` are joined in order into ``address`` where no rule gives it. ``deed_column`` numbers the deeds:
    rows that share it are one sale. ``keep`` names the kinds of rows to take in although they would be set aside
    (PACKAGE, NOT_A_HOME). ``inferences`` are what was concluded beyond the names of the columns. ``encoding``,
    ``sheet`` (of a workbook with several) and ``separator`` say how the file is read; what is empty is found from it.
    ``currency`` is the ISO code that the sale prices are written in, empty where they do not say.
    """

    source: Source
    rules: tuple[ColumnRule, ...]
    address_columns: tuple[str, ...] = ()
    date_format: str = ""
    decimal: str = "."
    thousands: str = ","
    ignored: tuple[tuple[str, str], ...] = ()
    deed_column: str = ""
    keep: tuple[str, ...] = ()
    inferences: tuple[Inference, ...] = ()
    encoding: str = ""
    sheet: str = ""
    separator: str = ""
    currency: str = ""


@dataclass(frozen=True)
class MappedTable:
    """A file in canonical columns plus int64 ``source_row`` (1-based data row of the file), RangeIndex.

    ``problems`` has one row per cell that could not be read and so became missing: see PROBLEM_COLUMNS. ``columns``
    names the file's column behind each field; the first, where several are added. ``currency`` is the mapping's.
    ``zeros`` counts by field the cells whose 0 is read as unknown, or as never. ``rules`` are the mapping's, and
    ``cells`` the file's text, row for row, in which whoever mends the file finds its faults. ``id_digits`` is what the
    file tells of the digits of its ids.
    """

    name: str
    source: Source
    sha256: str
    frame: pd.DataFrame
    problems: pd.DataFrame
    bad_lines: tuple[BadLine, ...]
    rows_in: int
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    inferences: tuple[Inference, ...] = ()
    currency: str = ""
    zeros: Mapping[str, int] = dataclasses.field(default_factory=dict)
    rules: tuple[ColumnRule, ...] = ()
    cells: pd.DataFrame = dataclasses.field(default_factory=pd.DataFrame, repr=False, compare=False)
    id_digits: IdDigits = dataclasses.field(default_factory=dict)


def check_mapping(mapping: ColumnMapping) -> None:
    """Raise MappingError if a rule names an unknown field, parser, unit or format, or two rules fill one field."""
    for rule in mapping.rules:
        _check_rule(rule)
    if mapping.decimal not in {".", ","} or mapping.decimal == mapping.thousands:
        raise MappingError(
            f"decimal = {mapping.decimal!r} and thousands = {mapping.thousands!r} must differ, "
            "and decimal must be a point or a comma."
        )
    _check_date_format(mapping.date_format, "the mapping")
    by_field: dict[str, list[ColumnRule]] = {}
    for rule in mapping.rules:
        by_field.setdefault(rule.field, []).append(rule)
    check_names({name: next((rule.label for rule in rules if rule.label), "") for name, rules in by_field.items()})
    for name, rules in by_field.items():
        if len(rules) > 1 and not _is_number(name) and name != "validity":
            columns = " and ".join(repr(rule.column) for rule in rules)
            raise MappingError(f"Columns {columns} are both mapped to {name!r}. Keep one of them.")


def check_required(mapping: ColumnMapping) -> None:
    """Raise MappingError if the mapping leaves out what its kind of file cannot do without.

    Sales need a price, a date and a location; tax files a location; neighborhood files an area code and a figure;
    files of indicators a day and a figure.
    """
    fields = {rule.field for rule in mapping.rules} | ({"address"} if mapping.address_columns else set())
    if mapping.source is Source.SALES:
        for name in ("sale_price", "sale_date"):
            if name not in fields:
                label = FIELD_BY_NAME[name].label.lower()
                raise MappingError(f"No column is taken for the {label}. Sales need a {label}: choose its column.")
    if mapping.source is Source.INDICATORS:
        if "indicator_day" not in fields or not ("indicator_value" in fields or any(map(is_extra, fields))):
            raise MappingError("Market indicators need the day of the figures and at least one column of figures.")
        return
    if mapping.source is Source.NEIGHBOURHOOD:
        if not fields & {"zipcode", "neighbourhood"} or not fields - {"zipcode", "neighbourhood", "indicator_day"}:
            raise MappingError("Neighborhood data need a zipcode or neighborhood column and at least one figure.")
        return
    if not fields & set(LOCATIONS):
        raise MappingError(f"No column says where a property is: map one to {' or '.join(map(label_of, LOCATIONS))}.")


def apply_mapping(table: RawTable, mapping: ColumnMapping) -> MappedTable:
    """Turn a file's text into canonical columns, listing every cell that could not be read.

    Raises MappingError if the mapping is impossible, lacks a required field or names a column the file lacks.
    """
    check_mapping(mapping)
    check_required(mapping)
    check_columns(table, mapping)
    columns: dict[str, pd.Series] = {}
    problems: list[pd.DataFrame] = []
    by_type: list[pd.Series] = []
    for rule in mapping.rules:
        values, unread = _read(table.frame, rule, mapping)
        problems.append(_problem_rows(table, rule, unread))
        if rule.parse == AREA_BY_TYPE:
            by_type.append(values)
            continue
        columns[rule.field] = _combine(columns[rule.field], values, rule) if rule.field in columns else values
    divide_by_type(columns, by_type)
    _count_back_ages(columns, mapping)
    if mapping.address_columns and "address" not in columns:
        columns["address"] = join_address(table.frame[list(mapping.address_columns)])
    if mapping.source is Source.SALES:
        deeds = table.frame[mapping.deed_column] if mapping.deed_column else None
        columns = set_aside(without_shared_parcels(columns), deeds, mapping.keep)
    read = pd.DataFrame(columns, index=table.frame.index)
    unknown = load_vocabulary().zero_is_missing
    zeros = zeros_in(read, unknown)
    frame = conform(without_zeros(read, unknown), _in_schema_order(columns))
    frame["source_row"] = np.asarray(table.row_numbers, dtype=np.int64)
    filled = [one for one in problems if len(one)]
    return MappedTable(
        name=table.name,
        source=mapping.source,
        sha256=table.sha256,
        frame=frame,
        problems=pd.concat(filled, ignore_index=True) if filled else _problem_frame({}),
        bad_lines=table.bad_lines,
        rows_in=table.rows_in,
        columns={rule.field: rule.column for rule in reversed(mapping.rules)},
        inferences=mapping.inferences,
        currency=mapping.currency,
        zeros=zeros,
        rules=mapping.rules,
        cells=table.frame,
        id_digits=_id_digits(table.frame, mapping.rules),
    )


def _id_digits(frame: pd.DataFrame, rules: Iterable[ColumnRule]) -> IdDigits:
    # The parts of a joined id are filled up with zeros: only its first column tells that the file writes them.
    ids = (one for one in rules if one.parse == "identifier" and digits_written(frame[one.column]))
    return {one.field: digits for one in ids if (digits := digits_written(cells_of(frame, one)))}


def check_own_dates(table: RawTable, mapping: ColumnMapping) -> None:
    """Raise MappingError if a date format of one's own reads no cell of a column of the file that it is used for."""
    for rule in mapping.rules:
        date_format = rule.date_format or mapping.date_format
        if rule.parse == "date" and is_own_format(date_format) and rule.column in table.frame.columns:
            _read(table.frame, rule, mapping)


def cells_of(frame: pd.DataFrame, rule: ColumnRule) -> pd.Series:
    """Return the cells a rule reads: those of its column, joined with those of its further columns."""
    if not rule.with_columns:
        return frame[rule.column]
    join = joined_date if rule.parse == "date" else joined_identifier
    return join(frame, (rule.column, *rule.with_columns))


def read_column(values: pd.Series, rule: ColumnRule, marks: Marks) -> tuple[pd.Series, pd.Series]:
    """Read one text column; returns its values and a mask of present cells that could not be read.

    Areas are in the rule's unit: the unit column, which is another column, is seen by apply_mapping only.
    """
    marks = marks_of(rule, marks)
    usual = load_vocabulary().words_of(rule.field)
    recoded = _recode(without_brackets(values), usual | {word.casefold(): to for word, to in rule.recode.items()})
    if rule.parse == "property_word":
        recoded = in_known_words(recoded, usual)
    parsed = PARSERS[rule.parse](recoded, marks)
    if rule.unit and rule.parse == "number" and not rule.unit_column:
        parsed = parsed * factors_of_cells(recoded, rule.unit)
    if rule.scale * UNIT_FACTORS[rule.unit] != 1.0:
        parsed = parsed * (rule.scale * UNIT_FACTORS[rule.unit])
    empty = parsed.isna() & values.notna() & (rule.parse != "remark_validity")
    # Words for missing are looked for only among the few cells that gave no value; a word may be recoded to one.
    stated = ~is_null_word(recoded[empty])
    return parsed, empty & stated.reindex(values.index, fill_value=False)


def join_address(parts: pd.DataFrame) -> pd.Series:
    """Join the parts of an address, in column order, with single spaces; missing where all parts are."""
    joined = pd.Series("", index=parts.index, dtype="str")
    for name in parts:
        joined = joined + " " + as_text(parts[name], Marks()).fillna("")
    joined = joined.str.strip().str.replace(r"\s+", " ", regex=True)
    return joined.mask(joined == "").astype("str")


def _recode(values: pd.Series, words: Mapping[str, str]) -> pd.Series:
    if not words:
        return values
    if EMPTY in words:
        values = values.fillna(words[EMPTY])
    folded = {text: " ".join(text.casefold().split()) for text in values.dropna().unique()}
    recoded = {text: words[word] for text, word in folded.items() if word in words}
    return values.mask(values.isin(list(recoded)), values.map(recoded)).astype("str") if recoded else values


def _read(frame: pd.DataFrame, rule: ColumnRule, mapping: ColumnMapping) -> tuple[pd.Series, pd.Series]:
    marks = Marks(mapping.decimal, mapping.thousands, rule.date_format or mapping.date_format)
    values = cells_of(frame, rule)
    parsed, unreadable = read_column(values, rule, marks)
    if rule.parse == "date" and is_own_format(marks.date_format):
        _refuse_unread(rule.column, marks.date_format, values, parsed)
    if rule.unit_column:
        units = units_of_rows(frame[rule.unit_column]).map(dict(UNIT_FACTORS)).astype("float64")
        parsed = parsed * (units / UNIT_FACTORS[rule.unit]).fillna(1.0)
    return parsed, values[unreadable]


def _refuse_unread(column: str, date_format: str, values: pd.Series, parsed: pd.Series) -> None:
    """Refuse a format of one's own that reads none of a column's cells: it is mistyped, or that of another column."""
    if values.notna().any() and parsed.isna().all():
        raise MappingError(
            f"Column {column!r}: the date format {date_format!r} reads none of its {values.notna().sum():,} cells. "
            "Compare it with a cell of the file, or leave it empty to have it found."
        )


def _combine(first: pd.Series, further: pd.Series, rule: ColumnRule) -> pd.Series:
    if rule.field != "validity":
        return first + rule.weight * further.fillna(0.0)
    ranks = {verdict: gravity(verdict) for verdict in pd.concat([first, further]).dropna().unique()}
    graver = further.map(ranks) > first.map(ranks)
    return first.mask(graver | first.isna(), further).astype("str")


def _count_back_ages(columns: dict[str, pd.Series], mapping: ColumnMapping) -> None:
    """Turn ages in years into years: that of the day they are counted back from, less the age."""
    for rule in mapping.rules:
        if rule.parse == "age":
            days = pd.Series(pd.Timestamp(rule.as_of), columns[rule.field].index) if rule.as_of else None
            days = columns.get("sale_date") if days is None else days
            if days is None:
                raise MappingError(f"Column {rule.column!r} holds ages, and no day to count them back from. Set as_of.")
            columns[rule.field] = (days.dt.year + (days.dt.day_of_year - 1) / 365 - columns[rule.field]).round()


def marks_of(rule: ColumnRule, marks: Marks) -> Marks:
    """Return the marks that a column's numbers are written with: the file's, or its own."""
    if not rule.decimal or rule.decimal == marks.decimal:
        return marks
    return dataclasses.replace(marks, decimal=rule.decimal, thousands="," if rule.decimal == "." else ".")


def _in_schema_order(columns: Iterable[str]) -> list[str]:
    present = list(columns)
    return [one.name for one in FIELDS if one.name in present] + [name for name in present if is_extra(name)]


def _problem_rows(table: RawTable, rule: ColumnRule, unread: pd.Series) -> pd.DataFrame:
    wanted = _WANTED.get(rule.parse, "a value")
    no_day = [rule.parse == "date" and names_no_day(str(cell)) for cell in unread]
    return _problem_frame(
        {
            "source_row": np.asarray(table.row_numbers)[unread.index.to_numpy()],
            "column": rule.column,
            "field": rule.field,
            "value": unread.to_numpy(),
            "problem": [f"not {NO_SUCH_DAY if gone else wanted}" for gone in no_day],
            "remedy": [
                remedy_of(rule.field, rule.parse, str(cell), no_day=gone)
                for cell, gone in zip(unread, no_day, strict=True)
            ],
        }
    )


def _problem_frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(dict(columns), columns=list(PROBLEM_COLUMNS))
    return frame.astype(dict.fromkeys(PROBLEM_COLUMNS, "str") | {"source_row": "int64"})


def _check_rule(rule: ColumnRule) -> None:
    name = rule.field
    if name not in FIELD_BY_NAME and not is_extra(name):
        near = difflib.get_close_matches(name, list(FIELD_BY_NAME), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" Use a canonical field, or 'x_{name}' to keep it as it is."
        raise MappingError(f"Column {rule.column!r} is mapped to {name!r}, which is not a field.{hint}")
    if rule.parse not in PARSERS:
        raise MappingError(f"Column {rule.column!r}: parse = {rule.parse!r} must be one of {', '.join(PARSERS)}.")
    if rule.decimal not in {"", ".", ","}:
        raise MappingError(f"Column {rule.column!r}: decimal = {rule.decimal!r} must be a point or a comma, or empty.")
    if rule.unit not in UNIT_FACTORS:
        units = ", ".join(one for one in UNIT_FACTORS if one)
        raise MappingError(f"Column {rule.column!r}: unit = {rule.unit!r} must be empty or one of {units}.")
    if rule.unit and (rule.parse in TEXT_PARSERS or rule.parse in {"date", "flag"}):
        raise MappingError(f"Column {rule.column!r}: unit = {rule.unit!r} needs numbers, not parse = {rule.parse!r}.")
    if name in FIELD_BY_NAME and rule.parse not in parsers_of(FIELD_BY_NAME[name].kind):
        allowed = ", ".join(sorted(parsers_of(FIELD_BY_NAME[name].kind)))
        raise MappingError(f"Column {rule.column!r}: {name!r} cannot be read by {rule.parse!r}; use one of {allowed}.")
    for what in ("weight", "scale"):
        if not isinstance(getattr(rule, what), int | float) or not np.isfinite(getattr(rule, what)):
            raise MappingError(f"Column {rule.column!r}: {what} = {getattr(rule, what)!r} must be a number.")
    _check_date_format(rule.date_format, f"column {rule.column!r}")


@cache
def parsers_of(kind: FieldKind) -> frozenset[str]:
    """Return the names of the parsers that can read a field of the kind."""
    if kind is FieldKind.DATE:
        return frozenset({"date"})
    if kind is FieldKind.FLAG:
        return frozenset({"flag", "number"})
    if kind is FieldKind.NUMBER:
        return frozenset(PARSERS) - TEXT_PARSERS - {"date"}
    return TEXT_PARSERS


def _is_number(name: str) -> bool:
    return is_extra(name) or FIELD_BY_NAME[name].kind is FieldKind.NUMBER


def _check_date_format(date_format: str, where: str) -> None:
    try:
        written = date_format_of(date_format)
    except MappingError as error:
        raise MappingError(f"date_format of {where}: {error}") from error
    if written != date_format:
        raise MappingError(f"date_format = {date_format!r} of {where} must be written {written!r}.")


NEAR_NAME: Final = 0.55
"""How alike two names are at least for one to be offered in the place of the other: a slip or two, no other word."""


def check_columns(table: RawTable, mapping: ColumnMapping) -> None:
    """Raise MappingError if a mapping names a column that the file lacks."""
    for column in named_columns(mapping):
        if column not in table.frame.columns:
            near = difflib.get_close_matches(column, list(table.frame.columns), n=1, cutoff=NEAR_NAME)
            hint = f" The nearest is {near[0]!r}." if near else ""
            raise MappingError(
                f"{table.name} has no column {column!r}, which the mapping names.{hint} Correct the mapping."
            )


def named_columns(mapping: ColumnMapping) -> tuple[str, ...]:
    """Return all columns of a file that a mapping reads, each once."""
    read = [[rule.column, *rule.with_columns, rule.unit_column] for rule in mapping.rules]
    named = [*(column for columns in read for column in columns), *mapping.address_columns, mapping.deed_column]
    return tuple(dict.fromkeys(column for column in named if column))
