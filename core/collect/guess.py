"""What each column of an unknown file most likely is, told from its header and its contents, with the reason."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from core.collect.leaks import NEEDED, leak_by_name, leak_by_numbers
from core.collect.mapping import ColumnMapping, ColumnRule, read_column
from core.collect.parsers import (
    EXCEL_SERIAL,
    TEXT_PARSERS,
    DateGuess,
    Marks,
    as_identifier,
    as_number,
    as_postcode,
    as_text,
    as_word,
    guess_date_format,
    is_null_word,
)
from core.collect.privacy import personal_columns, reason
from core.collect.reader import RawTable
from core.collect.vocabulary import FieldNames, Header, Summand, Tokens, Vocabulary, load_vocabulary, snake
from core.schema import EXTRA_PREFIX, FIELD_BY_NAME, NEIGHBOURHOOD_FIELDS, PROPERTY_FIELDS, SALE_FIELDS, Source

CONFIDENCE_MIN: Final = 0.45
"""A column is mapped to a field from this confidence on."""

SQM_MEDIAN_BELOW: Final = 350.0
"""Homes whose median living area is below this figure are measured in square metres.

The median home of no market is below 350 sq ft (33 m2), nor above 350 m2 (3,767 sq ft)."""

ACRE_MEDIAN_BELOW: Final = 20.0
"""Lots whose median is below this figure, beside homes in square feet, are measured in acres."""

LEVELS_MAX: Final = 60
"""Text of more different values than this is not kept as an extra column."""

_SAMPLE_ROWS: Final = 5_000
_READ_SHARE: Final = 0.9
_COUNT_SHARE: Final = 0.5
_SHOWN: Final = 3
_RANGE: Final = r"^\s*\d[\d.,]*\s*(?:-|–|to)\s*\d[\d.,]*\D*$"
_USUAL_UNIT: Final = "no unit stated: {}, as is usual in the market"
_AREA_FIELDS: Final = ("living_area_sqft", "lot_area_sqft")


@dataclass(frozen=True)
class ColumnGuess:
    """What a column is taken for: ``field`` is empty where it is left out, ``samples`` for personal data."""

    column: str
    field: str
    confidence: float
    samples: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Guess:
    """A mapping ready to be applied or corrected, and the reasons column by column, in file order."""

    mapping: ColumnMapping
    columns: tuple[ColumnGuess, ...]


@dataclass(frozen=True)
class _Candidate:
    rule: ColumnRule
    confidence: float
    why: str
    exact: bool


@dataclass(frozen=True)
class _Verdict:
    """What a column that fits no field is: an extra to keep (with its rule), or ignored (without)."""

    rule: ColumnRule | None
    confidence: float
    why: str


@dataclass(frozen=True)
class _Sheet:
    """The file under study: a sample of its rows, evenly spaced, beside the whole."""

    table: RawTable
    sample: pd.DataFrame
    marks: Marks
    source: Source
    vocabulary: Vocabulary
    area_unit: str
    personal: Mapping[str, str]  # why, by column that holds persons

    @property
    def columns(self) -> list[str]:
        """The file's headers, in its order."""
        return [str(column) for column in self.table.frame.columns]

    def header(self, column: str) -> Header:
        """Fold a header."""
        return self.vocabulary.fold(column)

    def present(self, column: str) -> pd.Series:
        """The sampled cells that hold a value."""
        values = self.sample[column].dropna()
        return values[~is_null_word(values)]


def guess_source(table: RawTable) -> Source:
    """Tell which kind of file it is.

    A sale price makes it sales; else one row per area code, figures and no place of a single home make it
    neighbourhood data; anything else holds facts of homes, as a tax roll does.
    """
    return _source_of(table, _assign(_candidates(_sheet(table, Source.SALES))))


def guess_file(table: RawTable) -> Guess:
    """Guess the kind of a file and its mapping: guess_source and guess_mapping, reading the file once for both."""
    sheet = _sheet(table, Source.SALES)
    assigned = _assign(_candidates(sheet))
    source = _source_of(table, assigned)
    if source is not Source.SALES:
        sheet = replace(sheet, source=source)
        assigned = _assign(_candidates(sheet))
    return _guess(table, sheet, assigned)


def _source_of(table: RawTable, assigned: list[_Candidate]) -> Source:
    found = {candidate.rule.field: candidate.rule.column for candidate in assigned}
    if "sale_price" in found:
        return Source.SALES
    area = found.get("zipcode") or found.get("neighbourhood")
    if area and not found.keys() & {"property_id", "address", "latitude"} and table.frame[area].is_unique:
        return Source.NEIGHBOURHOOD
    return Source.TAX


def guess_mapping(table: RawTable, source: Source, area_unit: str = "") -> Guess:
    """Guess the mapping of a file of the given kind; it is complete as far as honest guessing goes.

    ``area_unit`` ("sqft" or "sqm") is what areas are in where the file does not say; empty, their size tells.
    Columns of persons, and columns computed from the price or known only after the sale, are ignored and say why.
    """
    sheet = _sheet(table, source, area_unit)
    return _guess(table, sheet, _assign(_candidates(sheet)))


def _guess(table: RawTable, sheet: _Sheet, assigned: list[_Candidate]) -> Guess:
    taken = {one.rule.column: one for one in _with_units(sheet, assigned)}
    parts = _address_parts(sheet, set(taken))
    used_parts = () if "address" in {one.rule.field for one in taken.values()} else _joined_parts(parts)
    taken |= {one.rule.column: one for one in _summands(sheet, taken)}
    numbers = _needed_numbers(sheet, taken)
    verdicts = {column: _left_over(sheet, column, numbers) for column in sheet.columns if column not in taken}
    verdicts = {column: _as_part(column, verdict, parts, used_parts) for column, verdict in verdicts.items()}
    rules = (*(one.rule for one in taken.values()), *(one.rule for one in verdicts.values() if one.rule))
    dates = [rule.date_format for rule in rules if rule.field == "sale_date"]
    date_format = dates[0] if dates else ""
    return Guess(
        mapping=ColumnMapping(
            source=sheet.source,
            rules=tuple(
                replace(rule, date_format="" if rule.date_format == date_format else rule.date_format)
                for rule in _distinct(_in_file_order(rules, table))
            ),
            address_columns=used_parts,
            date_format=date_format,
            decimal=sheet.marks.decimal,
            thousands=sheet.marks.thousands,
            ignored=tuple(
                (column, verdict.why)
                for column, verdict in verdicts.items()
                if not verdict.rule and column not in used_parts
            ),
        ),
        columns=tuple(_explain(sheet, column, taken, verdicts, used_parts) for column in sheet.columns),
    )


def guess_marks(table: RawTable) -> Marks:
    """Tell whether the file writes 1,234.5 or 1.234,5, from the cells that can be only one of the two."""
    points = commas = 0
    head = table.frame.iloc[:: max(1, len(table.frame) // 500)]
    for column in head:
        values = head[column].dropna()
        commas += int(values.str.fullmatch(r"\D{0,3}-?(?:\d+|\d{1,3}(?:\.\d{3})+),(?:\d{1,2}|\d{4,})\D{0,3}").sum())
        points += int(values.str.fullmatch(r"\D{0,3}-?(?:\d+|\d{1,3}(?:,\d{3})+)\.(?:\d{1,2}|\d{4,})\D{0,3}").sum())
    return Marks(",", ".") if commas > points else Marks()


def header_score(header: Header, names: FieldNames, vocabulary: Vocabulary) -> float:
    """Return how well a header fits the names of a field, 0 to 1; 1 only where it is one of the names."""
    strong = max((_likeness(header, name, vocabulary) for name in names.names), default=0.0)
    weak = max((_likeness(header, name, vocabulary) for name in names.weak), default=0.0)
    return max(strong, 0.8 * weak)


def _likeness(header: Header, name: Header, vocabulary: Vocabulary) -> float:
    identifiers = vocabulary.identifiers
    if header.joined == name.joined or sorted(header.words) == sorted(name.words):
        return 1.0
    if not header.words or not name.words or (header.words[-1] in identifiers and name.words[-1] not in identifiers):
        return 0.0
    plain, plain_name = (tuple(word for word in one.words if word not in vocabulary.fillers) for one in (header, name))
    if plain and sorted(plain) == sorted(plain_name):
        return 0.95
    if header.words[-1] in {"1", "2"} and header.words[:-1] == name.words:
        return 0.9
    if _is_misspelt(header.joined, name.joined):
        return 0.85
    extra = set(header.words) - set(name.words)
    return 0.65 if len(name.words) > 1 and set(name.words) <= set(header.words) and len(extra) <= 2 else 0.0


def _is_misspelt(one: str, other: str) -> bool:
    close_in_length = min(len(one), len(other)) >= 6 and abs(len(one) - len(other)) <= 1
    return close_in_length and one[0] == other[0] and difflib.SequenceMatcher(None, one, other).ratio() >= 0.88


def _sheet(table: RawTable, source: Source, area_unit: str = "") -> _Sheet:
    places = np.unique(np.linspace(0, len(table.frame) - 1, _SAMPLE_ROWS).astype(int))
    sample = table.frame.iloc[places].reset_index(drop=True)
    personal = {one.column: reason(one) for one in personal_columns(table)}
    return _Sheet(table, sample, guess_marks(table), source, load_vocabulary(), area_unit, personal)


def _candidates(sheet: _Sheet) -> list[_Candidate]:
    wanted = _fields_of(sheet.source)
    found = []
    for column in sheet.columns:
        if sheet.present(column).empty:
            continue
        for names in sheet.vocabulary.fields:
            if names.field in wanted and (candidate := _candidate(sheet, column, names)):
                found.append(candidate)
    return [one for one in found if one.exact or not _rather_left_out(sheet, one.rule.column)]


def _rather_left_out(sheet: _Sheet, column: str) -> bool:
    return bool(_leak_by_name(sheet, column)) or _is_counter(sheet.table.frame[column])


def _fields_of(source: Source) -> frozenset[str]:
    if source is Source.SALES:
        # A sales file's assessed values may have been made after the sale, and would then know its price.
        return frozenset(FIELD_BY_NAME) - {"assessed_value", "prior_assessed_value"}
    if source is Source.TAX:
        return frozenset(one.name for one in (*PROPERTY_FIELDS, *NEIGHBOURHOOD_FIELDS))
    return frozenset(one.name for one in NEIGHBOURHOOD_FIELDS) | {"zipcode", "neighbourhood"}


def _candidate(sheet: _Sheet, column: str, names: FieldNames) -> _Candidate | None:
    header = sheet.header(column)
    score = header_score(header, names, sheet.vocabulary) if _unit_fits(header, names.field) else 0.0
    if score == 0.0:
        return None
    rule, content = _best_reading(sheet, column, names)
    confidence = score * (0.5 + 0.5 * content)
    if content < 0.6 or confidence < CONFIDENCE_MIN:
        return None
    how = "header is a usual name" if score == 1.0 else "header is like a usual name"
    return _Candidate(rule, round(confidence, 3), f"{how}; {content:.0%} of values fit", score == 1.0)


def _unit_fits(header: Header, field: str) -> bool:
    if header.unit and field not in _AREA_FIELDS:
        return False
    is_land = header.unit in {"acre", "hectare"}
    return not (
        (field == "living_area_sqft" and is_land) or (field == "lot_area_sqft" and not header.words and not is_land)
    )


def _best_reading(sheet: _Sheet, column: str, names: FieldNames) -> tuple[ColumnRule, float]:
    best: tuple[ColumnRule, float] | None = None
    for parse in names.parse:
        rule = ColumnRule(column, names.field, parse)
        if parse == "date":
            rule = replace(rule, date_format=_date_guess(sheet, column).date_format)
        fit = _text_fit(sheet, column, names.field) if parse in TEXT_PARSERS else _number_fit(sheet, rule, names)
        if best is None or fit > best[1]:
            best = (rule, fit)
        if fit >= 0.98:
            break
    assert best is not None
    return best


def _date_guess(sheet: _Sheet, column: str) -> DateGuess:
    # Over all values, not the sample: a single 13 settles the order of day and month.
    return guess_date_format(sheet.table.frame[column])


def _number_fit(sheet: _Sheet, rule: ColumnRule, names: FieldNames) -> float:
    if rule.parse == "date" and not rule.date_format:
        return 0.0
    values = sheet.sample[rule.column]
    parsed, unreadable = read_column(values, rule, replace(sheet.marks, date_format=rule.date_format))
    present = int(parsed.notna().sum() + unreadable.sum())
    if not present or rule.parse == "date":
        return float(parsed.notna().sum() / present) if present else 0.0
    zero_passes = names.field in sheet.vocabulary.zero_is_missing
    plausible = parsed.between(names.low, names.high) | (parsed.eq(0) & zero_passes)
    return float(plausible.sum() / present)


def _text_fit(sheet: _Sheet, column: str, field: str) -> float:
    values = sheet.present(column)
    if field == "property_type":
        words = sheet.vocabulary.words_of(field)
        known = set(words) | set(words.values())
        return float((values.str.casefold().isin(known) | as_word(values, sheet.marks).isin(known)).mean())
    if field == "zipcode":
        codes = as_postcode(values, sheet.marks)
        return float(codes.str.fullmatch(r"(?=.*\d)[A-Z0-9][A-Z0-9 -]{2,9}").mean())
    if field == "address":
        return float((values.str.contains(r"\d") & values.str.contains(r"[^\W\d]{2}")).mean())
    if field in {"property_id", "sale_id"}:
        ids = as_identifier(values, sheet.marks)
        unique = ids.nunique() / len(ids)
        return float(unique if field == "property_id" or unique > 0.98 else 0.0)
    if field == "neighbourhood":
        return float((~values.str.fullmatch(r"-?\d+\.\d+")).mean() * (not values.is_unique or len(values) < 1000))
    # A column that says 1 nearly everywhere counts dwellings; it does not number a unit.
    ones = float(values.str.fullmatch(r"1(?:\.0+)?").mean()) if field == "unit" else 0.0
    return float(ones <= _COUNT_SHARE)


def _is_counter(values: pd.Series) -> bool:
    """Tell whether a column numbers the rows: whole numbers, each once, with hardly a gap, in any order."""
    if len(values) < 5 or values.isna().any() or not values.head(50).str.fullmatch(r"\d+").all():
        return False
    numbers = pd.to_numeric(values, errors="coerce")
    return bool(
        numbers.notna().all() and numbers.is_unique and len(numbers) > 0.9 * (numbers.max() - numbers.min() + 1)
    )


def _assign(candidates: list[_Candidate]) -> list[_Candidate]:
    """Choose the candidates of greatest total confidence, each column and each field at most once."""
    if not candidates:
        return []
    columns = list(dict.fromkeys(one.rule.column for one in candidates))
    fields = list(dict.fromkeys(one.rule.field for one in candidates))
    worth = np.zeros((len(columns), len(fields)))
    by_place = {(columns.index(one.rule.column), fields.index(one.rule.field)): one for one in candidates}
    for place, one in by_place.items():
        worth[place] = one.confidence
    rows, places = linear_sum_assignment(worth, maximize=True)
    return [by_place[pair] for pair in zip(rows.tolist(), places.tolist(), strict=True) if pair in by_place]


def _with_units(sheet: _Sheet, chosen: list[_Candidate]) -> list[_Candidate]:
    by_field = {one.rule.field: one for one in chosen}
    living, lot = (by_field.get(field) for field in _AREA_FIELDS)
    unit = ""
    if living:
        unit, why = _living_unit(sheet, living.rule)
        by_field["living_area_sqft"] = _in_unit(living, unit, why)
    if lot:
        by_field["lot_area_sqft"] = _in_unit(lot, *_lot_unit(sheet, lot.rule, unit))
    return list(by_field.values())


def _in_unit(one: _Candidate, unit: str, why: str) -> _Candidate:
    return replace(one, rule=replace(one.rule, unit=unit), why=f"{one.why}; {why}")


def _living_unit(sheet: _Sheet, rule: ColumnRule) -> tuple[str, str]:
    stated = _stated_unit(sheet, rule.column)
    if stated:
        return stated
    if sheet.area_unit:
        return sheet.area_unit, _USUAL_UNIT.format(sheet.area_unit)
    median = _median(sheet, rule)
    if median < SQM_MEDIAN_BELOW:
        return "sqm", f"no unit stated: square metres, as the median home of {median:.0f} sq ft would be too small"
    return "sqft", f"no unit stated: square feet, as the median home of {median:.0f} m2 would be too large"


def _lot_unit(sheet: _Sheet, rule: ColumnRule, living: str) -> tuple[str, str]:
    stated = _stated_unit(sheet, rule.column)
    if stated:
        return stated
    if rule.parse == "dimensions":
        return living or "sqft", f"sides in {'metres' if living == 'sqm' else 'feet'}, like the living area"
    if "acreage" in sheet.header(rule.column).words:
        return "acre", "the header says acres"
    median = _median(sheet, rule)
    if median < ACRE_MEDIAN_BELOW and "sqm" not in (living, sheet.area_unit):
        return "acre", f"no unit stated: acres, as the median lot is {median:.2f}"
    if sheet.area_unit and not living:
        return sheet.area_unit, _USUAL_UNIT.format(sheet.area_unit)
    return living or "sqft", f"no unit stated: {living or 'sqft'}, {'like the living area' if living else 'assumed'}"


def _stated_unit(sheet: _Sheet, column: str) -> tuple[str, str] | None:
    unit = sheet.header(column).unit
    if unit:
        return unit, f"the header says {unit}"
    values = sheet.present(column).head(500).str.casefold()
    for unit, pattern in (
        ("sqm", r"(?:sqm|sq\.?\s?m|m2|m²)\s*$"),
        ("acre", r"(?:acres?|ac)\s*$"),
        ("hectare", r"ha\s*$"),
    ):
        if len(values) and values.str.contains(pattern).mean() > 0.5:
            return unit, f"the values end in {unit}"
    if len(values) and values.str.contains(r"(?:sq\.?\s?f(?:ee)?t|sqft|ft2|ft²|sf)\.?\s*$").mean() > 0.5:
        return "sqft", "the values end in sqft"
    return None


def _median(sheet: _Sheet, rule: ColumnRule) -> float:
    parsed, _ = read_column(sheet.sample[rule.column], rule, sheet.marks)
    return float(parsed[parsed > 0].median())


def _summands(sheet: _Sheet, taken: dict[str, _Candidate]) -> list[_Candidate]:
    """Find columns that complete a total, such as half baths beside a column of full ones."""
    partial = {one.rule.field for one in taken.values() if "full" in sheet.header(one.rule.column).words}
    found = []
    for column in sheet.columns:
        summand = None if column in taken else _summand(sheet, column)
        if summand and summand.field in partial:
            rule = ColumnRule(column, summand.field, "number", weight=summand.weight)
            found.append(_Candidate(rule, 0.95, f"adds {summand.weight:g} each to {summand.field}", True))
    return found


def _summand(sheet: _Sheet, column: str) -> Summand | None:
    words = sorted(sheet.header(column).words)
    for summand in sheet.vocabulary.sums:
        if sheet.source in summand.sources and any(words == sorted(name.words) for name in summand.names):
            return summand
    return None


def _address_parts(sheet: _Sheet, taken: set[str]) -> dict[str, str]:
    """Return the column of each part of a split address, in the order in which an address is written."""
    found: dict[str, str] = {}
    for part, names in sheet.vocabulary.address_parts:
        for column in sheet.columns:
            joined = sheet.header(column).joined
            if column not in taken and part not in found and any(joined == name.joined for name in names):
                found[part] = column
    return found


def _joined_parts(parts: dict[str, str]) -> tuple[str, ...]:
    return tuple(parts.values()) if "name" in parts else ()


def _as_part(column: str, verdict: _Verdict, parts: dict[str, str], used: tuple[str, ...]) -> _Verdict:
    if column not in parts.values() or column == parts.get("city"):
        return verdict
    why = "a part of the address" if column in used else "a part of the address, which another column gives whole"
    return _Verdict(None, 0.9, why)


def _left_over(sheet: _Sheet, column: str, numbers: Mapping[str, pd.Series]) -> _Verdict:
    present = sheet.present(column)
    why = _why_left_out(sheet, column, present)
    if why:
        return _Verdict(None, 0.95, why)
    verdict = _as_extra(sheet, column, present)
    leak = leak_by_numbers(_sampled(sheet, verdict.rule), numbers) if verdict.rule and numbers else None
    return _Verdict(None, 0.9, leak.why) if leak else verdict


def _why_left_out(sheet: _Sheet, column: str, present: pd.Series) -> str:
    if present.empty and is_null_word(sheet.table.frame[column]).all():
        return "no values"
    if sheet.table.frame[column].nunique(dropna=False) == 1:
        return f"the same value {present.iloc[0]!r} in every row"
    if column in sheet.personal:
        return sheet.personal[column]
    if _is_counter(sheet.table.frame[column]):
        return "a row counter, not a fact of the home"
    return _leak_by_name(sheet, column) or _sale_fact(sheet, column) or ("hardly any values" if present.empty else "")


def _leak_by_name(sheet: _Sheet, column: str) -> str:
    return leak_by_name(column, sheet.source, sheet.vocabulary)


def _sale_fact(sheet: _Sheet, column: str) -> str:
    if sheet.source is not Source.TAX:
        return ""
    sale_fields = {field.name for field in SALE_FIELDS}
    for names in sheet.vocabulary.fields:
        if names.field in sale_fields and header_score(sheet.header(column), names, sheet.vocabulary) >= 0.6:
            return "a fact of a sale; a tax file gives facts of the home only"
    return ""


def _as_extra(sheet: _Sheet, column: str, present: pd.Series) -> _Verdict:
    name = EXTRA_PREFIX + snake(column)
    words: Tokens = sheet.header(column).words
    levels = int(sheet.table.frame[column].nunique())
    if words and words[-1] in sheet.vocabulary.identifiers:
        if levels > LEVELS_MAX:
            return _Verdict(None, 0.8, f"numbers or names things ({levels:,} different values), no fact of the home")
        return _Verdict(ColumnRule(column, name, "text"), 0.6, f"a code of {levels} values, kept as a category")
    parse, share = _extra_reading(sheet, present)
    if parse == "date":
        return _Verdict(None, 0.8, "a date that no field needs")
    if parse:
        return _Verdict(
            ColumnRule(column, name, parse), 0.6, f"{share:.0%} of values read as {parse.replace('_', ' ')}"
        )
    if 2 <= levels <= LEVELS_MAX:
        return _Verdict(ColumnRule(column, name, "text"), 0.6, f"a category of {levels} values")
    return _Verdict(None, 0.7, f"text of {levels:,} different values")


def _extra_reading(sheet: _Sheet, present: pd.Series) -> tuple[str, float]:
    """Return the parser that reads nearly all values, and the share it reads; empty where none does."""
    number = float(as_number(present, sheet.marks).notna().mean())
    if number >= _READ_SHARE:
        return "number", number
    shares = {
        "flag": float(present.str.fullmatch(r"yes|no|y|n|true|false|t|f", case=False).mean()),
        "years_months": float(present.str.contains(r"^\s*\d+\s*(?:year|yr|month)", case=False).mean()),
        "range_midpoint": float(present.str.contains(_RANGE, case=False).mean()),
    }
    best = max(shares, key=lambda one: shares[one])
    if shares[best] >= _READ_SHARE:
        return best, shares[best]
    dates = guess_date_format(present)
    return ("date", dates.share) if dates.share >= _READ_SHARE and dates.date_format != EXCEL_SERIAL else ("", 0.0)


def _needed_numbers(sheet: _Sheet, taken: dict[str, _Candidate]) -> dict[str, pd.Series]:
    """Return what a leak is measured against, from the sample; nothing where the file holds no sale prices."""
    by_field = {one.rule.field: one.rule for one in taken.values()}
    if sheet.source is not Source.SALES or "sale_price" not in by_field:
        return {}
    return {name: _sampled(sheet, by_field[name]) for name in NEEDED if name in by_field}


def _sampled(sheet: _Sheet, rule: ColumnRule) -> pd.Series:
    return read_column(sheet.sample[rule.column], rule, sheet.marks)[0]


def _in_file_order(rules: tuple[ColumnRule, ...], table: RawTable) -> list[ColumnRule]:
    order = {column: place for place, column in enumerate(table.frame)}
    # A field's first rule is its base, whatever the columns' order.
    return sorted(rules, key=lambda rule: (rule.weight != 1.0, order[rule.column]))


def _distinct(rules: list[ColumnRule]) -> list[ColumnRule]:
    seen: Counter[str] = Counter()
    result = []
    for rule in rules:
        seen[rule.field] += 1
        again = rule.field.startswith(EXTRA_PREFIX) and seen[rule.field] > 1
        result.append(replace(rule, field=f"{rule.field}_{seen[rule.field]}") if again else rule)
    return result


def _explain(
    sheet: _Sheet,
    column: str,
    taken: dict[str, _Candidate],
    verdicts: dict[str, _Verdict],
    used_parts: tuple[str, ...],
) -> ColumnGuess:
    shown = tuple(as_text(sheet.present(column), sheet.marks).drop_duplicates().head(_SHOWN))
    if column in taken:
        one = taken[column]
        why = one.why
        if one.rule.parse == "date":
            dates = _date_guess(sheet, column)
            why = f"{why}; dates as {dates.date_format}: {dates.why}"
        return ColumnGuess(column, one.rule.field, one.confidence, shown, why)
    verdict = verdicts[column]
    if column in used_parts:
        return ColumnGuess(column, "address", 0.9, shown, "a part of the address")
    if column in sheet.personal:
        shown = ()
    return ColumnGuess(column, verdict.rule.field if verdict.rule else "", verdict.confidence, shown, verdict.why)


def describe(guess: Guess) -> str:
    """Return the guess as lines of text, one per column: column, field, confidence, why."""
    width = max((len(one.column) for one in guess.columns), default=0)
    return "\n".join(
        f"{one.column:<{width}}  {one.field or '-':<22} {one.confidence:.2f}  {one.why}" for one in guess.columns
    )
