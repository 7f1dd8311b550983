"""Guesses what each column of an unknown file holds, from its header and contents, with the reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from core.collect.columns.area_units import add_area_units, areas_of_types, extras_like_home, unit_inferences
from core.collect.columns.candidates import assign_fields, find_candidates, is_called_street
from core.collect.columns.leftovers import Leftover, judge_leftover
from core.collect.columns.market_sales import deed_column, market_columns
from core.collect.columns.parts import (
    date_conclusions,
    days_of_areas,
    joined_columns,
    own_decimals,
    shifted_headers,
    with_swapped,
)
from core.collect.columns.proofs import prove, warnings_of
from core.collect.columns.sheet import Candidate, Sheet, date_guess, open_sheet, sampled_values
from core.collect.columns.years import year_from_age
from core.collect.dated.areas import day_column
from core.collect.dated.figures import dated_figures
from core.collect.inference import Inference
from core.collect.leaks import NEEDED, parts_of_price
from core.collect.mapping import LOCATIONS, ColumnMapping, ColumnRule
from core.collect.mapping_file import with_reading
from core.collect.money.stated import with_currency
from core.collect.parsers import as_text
from core.collect.reading.table import RawTable
from core.collect.vocabulary import Summand, snake
from core.schema import EXTRA_PREFIX, Source

_SHOWN: Final = 3
_OF_HOMES: Final = frozenset({"living_area_sqft", "bedrooms", "bathrooms", "property_type"})
_NAMES_OF_AREAS: Final = (("area",), ("region",), ("phase",))
_STREETS_ROWS: Final = 50
_STREETS_MIN: Final = 5
_NUMBERS: Final = frozenset({"number", "bare_number"})
_NUMBERED_SHARE: Final = 0.5
_SAME_SHARE: Final = 0.95


@dataclass(frozen=True)
class ColumnGuess:
    """What a column is taken for: ``field`` is empty where it is left out."""

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


def guess_source(table: RawTable) -> Source:
    """Tell which kind of file it is.

    A sale price makes it sales; else figures without the place of a home make it neighborhood data, with one row per
    area code or area code and day, or market indicators, with one per day; all else are facts of homes: a tax roll.
    """
    sheet = open_sheet(table, Source.SALES)
    return _source_of(sheet, assign_fields(find_candidates(sheet)))


def guess_file(table: RawTable) -> Guess:
    """Guess the kind of a file and its mapping: guess_source and guess_mapping, reading the file once for both."""
    sheet = open_sheet(table, Source.SALES)
    return guess_from(sheet, find_candidates(sheet))


def guess_from(sheet: Sheet, candidates: list[Candidate]) -> Guess:
    """Guess as guess_file does from a sheet opened as sales and the candidates found on it."""
    assigned = assign_fields(candidates)
    source = _source_of(sheet, assigned)
    if source is Source.INDICATORS:
        return guess_indicators(sheet)
    if source is not Source.SALES:
        sheet = replace(sheet, source=source)
        assigned = assign_fields(find_candidates(sheet))
    return _in_currency(_guess(sheet.table, sheet, assigned), sheet.table)


def _source_of(sheet: Sheet, assigned: list[Candidate]) -> Source:
    found = {candidate.rule.field: candidate.rule.column for candidate in assigned}
    if (
        not found.keys() & {*LOCATIONS}
        and not _is_named_price(sheet, found)
        and dated_figures(sheet.table, sheet.marks)
    ):
        return Source.INDICATORS
    if "sale_price" in found:
        return Source.SALES
    area = found.get("zipcode") or found.get("neighbourhood")
    if not area or found.keys() & {"property_id", "address", "latitude"}:
        return Source.TAX
    by_day = not found.keys() & _OF_HOMES and day_column(sheet.table, area, sheet.marks)[0]
    return Source.NEIGHBOURHOOD if by_day or sheet.table.frame[area].is_unique else Source.TAX


def _is_named_price(sheet: Sheet, found: Mapping[str, str]) -> bool:
    """Tell whether a column says outright that it has sale prices: sales without a place are then what the file is."""
    names = next(one.names for one in sheet.vocabulary.fields if one.field == "sale_price")
    return "sale_price" in found and sheet.header(found["sale_price"]) in names


def guess_mapping(table: RawTable, source: Source, area_unit: str = "") -> Guess:
    """Guess the mapping of a file of the given kind; a field stays empty rather than guessed at random.

    ``area_unit`` ("sqft" or "sqm") is what areas are in where the file does not say; empty, their size tells.
    Columns computed from the price or known only after the sale are ignored and say why; columns of personal data have
    already been removed (see core.collect.privacy.read_file).
    """
    sheet = open_sheet(table, source, area_unit)
    if source is Source.INDICATORS:
        return guess_indicators(sheet)
    return _in_currency(_guess(table, sheet, assign_fields(find_candidates(sheet))), table)


def guess_indicators(sheet: Sheet) -> Guess:
    """Guess the mapping of a file of market indicators: each column of figures is one, called what the column is.

    Where a column of words stands beside a single one of figures, the words name the indicators.
    """
    found, read = dated_figures(sheet.table, sheet.marks), dict[str, tuple[ColumnRule, str]]()
    if found is not None:
        day = ColumnRule(found.day, "indicator_day", "date", date_format=found.date_format)
        read[found.day] = day, f"dates as {found.date_format}: {found.why}"
        if found.names:
            read[found.names] = ColumnRule(found.names, "indicator"), "names what the figures are of"
        for column in found.values:
            field = "indicator_value" if found.names else EXTRA_PREFIX + snake(column)
            read[column] = ColumnRule(column, field, "number"), "figures by day"
    mapping = ColumnMapping(
        source=Source.INDICATORS,
        rules=tuple(rule for rule, _ in read.values()),
        decimal=sheet.marks.decimal,
        thousands=sheet.marks.thousands,
        inferences=tuple(_of_reading(sheet.table)),
        ignored=tuple((column, _NO_FIGURES) for column in sheet.columns if column not in read),
    )
    columns = []
    for column in sheet.columns:
        rule, why = read.get(column, (ColumnRule(column, ""), _NO_FIGURES))
        shown = tuple(sheet.present(column).drop_duplicates().head(_SHOWN))
        columns.append(ColumnGuess(column, rule.field, 0.95, shown, why))
    return Guess(with_reading(mapping, sheet.table.reading), tuple(columns))


def _in_currency(guess: Guess, table: RawTable) -> Guess:
    return replace(guess, mapping=with_currency(guess.mapping, table))


_NO_FIGURES: Final = "no figures of a day"
_LARGER_PLACE: Final = re.compile(
    r"city|county|municip|commune|ville|gemeinde|comune|kommun|gemeente|concelho|post.?town", re.IGNORECASE
)


def _is_coarser_than_zip(sheet: Sheet, one: Candidate, chosen: Iterable[Candidate]) -> bool:
    """Tell whether a column taken for the neighborhood is a city or county: it has fewer values than the ZIP code."""
    if not _LARGER_PLACE.search(one.rule.column):
        return False
    zips = [other.rule.column for other in chosen if other.rule.field == "zipcode"]
    if one.rule.field != "neighbourhood" or not zips:
        return False
    return bool(sheet.present(one.rule.column).nunique() < sheet.present(zips[0]).nunique())


def _guess(table: RawTable, sheet: Sheet, assigned: list[Candidate]) -> Guess:
    shifted = shifted_headers(sheet)
    assigned, swapped = (assigned, []) if shifted else with_swapped(sheet, assigned)
    proven = prove(sheet, _without_units(add_area_units(sheet, assigned)))
    inferences = [*sheet.named.inferences, *swapped, *unit_inferences(list(proven.chosen), sheet), *proven.inferences]
    taken = {one.rule.column: one for one in proven.chosen if not _is_coarser_than_zip(sheet, one, proven.chosen)}
    for one, seen in areas_of_types(sheet, taken.values()):
        taken[one.rule.column] = one
        inferences += [seen] if seen else []
    inferences += [*own_decimals(sheet, taken.values()), *date_conclusions(sheet, taken.values())]
    for one, why in (*_named_areas(sheet, taken), *joined_columns(sheet, taken.values())):
        taken[one.rule.column] = one
        inferences.append(why)
    if sheet.source is Source.SALES and "year_built" not in {one.rule.field for one in taken.values()}:
        aged = year_from_age(sheet)
        if aged:
            taken[aged[0].rule.column] = aged[0]
            inferences.append(aged[1])
    deed = deed_column(sheet, taken.values()) if sheet.source is Source.SALES else None
    if deed:
        inferences.append(deed)
    if sheet.source is Source.SALES:
        for one, whys in market_columns(sheet, taken.values()):
            taken[one.rule.column] = one
            inferences.extend(whys)
    inferences.extend(warnings_of(sheet))
    parts = _address_parts(sheet, set(taken))
    used_parts = () if "address" in {one.rule.field for one in taken.values()} else _joined_parts(parts)
    taken |= {one.rule.column: one for one in _summands(sheet, taken)} | days_of_areas(sheet, taken.values())
    numbers = _needed_numbers(sheet, taken)
    verdicts = {column: judge_leftover(sheet, column, numbers) for column in sheet.columns if column not in taken}
    verdicts = {column: _as_part(column, verdict, parts, used_parts) for column, verdict in verdicts.items()}
    verdicts = _without_parts_of_price(sheet, verdicts, numbers) | _read_beside(taken)
    if deed:
        verdicts[deed.column] = Leftover(None, 0.95, "the number of the deed: rows that share it are one sale")
    rules = (*(one.rule for one in taken.values()), *(one.rule for one in verdicts.values() if one.rule))
    dates = [rule.date_format for rule in rules if rule.field == "sale_date"]
    date_format = dates[0] if dates else ""
    mapping = ColumnMapping(
        source=sheet.source,
        rules=tuple(
            replace(rule, date_format="" if rule.date_format == date_format else rule.date_format)
            for rule in _distinct(_in_file_order(rules, table))
        ),
        address_columns=used_parts,
        date_format=date_format,
        decimal=sheet.marks.decimal,
        thousands=sheet.marks.thousands,
        deed_column=deed.column if deed else "",
        inferences=(*_of_reading(table), *_without_single_doubts(shifted, inferences)),
        ignored=tuple(
            (column, verdict.why)
            for column, verdict in verdicts.items()
            if not verdict.rule and column not in used_parts
        ),
    )
    return Guess(
        mapping=with_reading(mapping if shifted else extras_like_home(sheet, mapping), table.reading),
        columns=tuple(_explain(sheet, column, taken, verdicts, used_parts) for column in sheet.columns),
    )


def _without_single_doubts(shifted: Inference | None, inferences: list[Inference]) -> list[Inference]:
    """Return the inferences; where the headers are shifted, that one doubt stands for those of single columns."""
    return [shifted, *(one for one in inferences if one.sure)] if shifted else inferences


def _of_reading(table: RawTable) -> list[Inference]:
    """Return what was concluded of the whole file on reading it; it stands under no column."""
    notes = table.reading.notes
    return [Inference(f"({one.about})", "", one.claim, one.evidence, table.rows_in, one.sure) for one in notes]


def _named_areas(sheet: Sheet, taken: dict[str, Candidate]) -> list[tuple[Candidate, Inference]]:
    """Return a column called "Area" whose cells are names as the neighborhood, where nothing else is a place."""
    if sheet.source is not Source.SALES or {one.rule.field for one in taken.values()} & {*LOCATIONS}:
        return []
    for column in sheet.columns:
        present = sheet.present(column)
        is_bare = column not in taken and sheet.header(column).words in _NAMES_OF_AREAS and len(present) > 0
        if is_bare and present.str.contains(r"[^\W\d_]{3}").all() and 2 <= present.nunique() <= len(present) / 2:
            seen = f"{present.nunique():,} names, such as {present.iloc[0]!r}"
            claim = "taken for the neighborhood"
            inference = Inference(column, "neighbourhood", claim, seen, len(present), sure=False)
            rule = ColumnRule(column, "neighbourhood", "text")
            return [(Candidate(rule, 0.7, str(inference), False), inference)]
    return []


def _without_units(chosen: list[Candidate]) -> list[Candidate]:
    """Leave out what a column seems to be that has the units of another: "Unit" is then no apartment."""
    units = {one.rule.unit_column for one in chosen} - {""}
    return [one for one in chosen if one.rule.column not in units]


def _summands(sheet: Sheet, taken: dict[str, Candidate]) -> list[Candidate]:
    """Find columns that complete a total, such as half baths beside a column of full ones."""
    partial = {one.rule.field for one in taken.values() if "full" in sheet.header(one.rule.column).words}
    found: list[Candidate] = []
    for column in sheet.columns:
        summand = None if column in taken else _summand(sheet, column)
        alike = [one.rule for one in found if summand and one.rule.weight == summand.weight]
        if summand and summand.field in partial and not any(_is_same(sheet, column, rule) for rule in alike):
            rule = ColumnRule(column, summand.field, "number", weight=summand.weight)
            found.append(Candidate(rule, 0.95, f"adds {summand.weight:g} each to {summand.field}", True))
    return found


def _is_same(sheet: Sheet, column: str, rule: ColumnRule) -> bool:
    """Tell whether a column says again what another one does: "Half Baths" and "Baths 1/2" count the same rooms."""
    one, other = (sampled_values(sheet, replace(rule, column=name)).fillna(0.0) for name in (column, rule.column))
    return bool(one.eq(other).mean() >= _SAME_SHARE)


def _summand(sheet: Sheet, column: str) -> Summand | None:
    words = sorted(sheet.header(column).words)
    for summand in sheet.vocabulary.sums:
        if sheet.source in summand.sources and any(words == sorted(name.words) for name in summand.names):
            return summand
    return None


def _address_parts(sheet: Sheet, taken: set[str]) -> dict[str, str]:
    """Return the column of each part of a split address, in the order in which an address is written."""
    found: dict[str, str] = {}
    for part, names in sheet.vocabulary.address_parts:
        for column in sheet.columns:
            joined = sheet.header(column).joined
            is_named_so = column not in taken and part not in found and any(joined == name.joined for name in names)
            if is_named_so and _holds_part(sheet, column, part, found):
                found[part] = column
    return found


def _holds_part(sheet: Sheet, column: str, part: str, found: dict[str, str]) -> bool:
    """Tell whether the cells of a column are what its header says: numbers of houses, names of streets."""
    if part == "bare_number" and ("number" in found or not _stands_before_street(sheet, column)):
        return False
    if part in _NUMBERS:
        return float(sheet.present(column).str.contains(r"\d").mean()) >= _NUMBERED_SHARE
    return part != "name" or not _NUMBERS.isdisjoint(found) or _names_streets(sheet, column)


def _stands_before_street(sheet: Sheet, column: str) -> bool:
    """Tell whether the next column of the file is called as those of street names are."""
    after = sheet.columns[sheet.columns.index(column) + 1 :][:1]
    return any(is_called_street(sheet, one) for one in after)


def _names_streets(sheet: Sheet, column: str) -> bool:
    """Tell whether a column called "street" names streets: "Pave" and "Grvl" are how a street is paved."""
    present = sheet.present(column)
    return len(present) < _STREETS_ROWS or present.nunique() >= _STREETS_MIN


def _without_parts_of_price(
    sheet: Sheet, verdicts: dict[str, Leftover], numbers: dict[str, pd.Series]
) -> dict[str, Leftover]:
    """Leave out columns kept as extras of which two give the sale price: the whole, and what is part of it."""
    kept = {column: sampled_values(sheet, one.rule) for column, one in verdicts.items() if one.rule} if numbers else {}
    parts = parts_of_price(numbers, kept)
    return verdicts | {column: Leftover(None, 0.9, why) for column, why in parts.items()}


def _read_beside(taken: dict[str, Candidate]) -> dict[str, Leftover]:
    """Return the columns that are read beside another: units of its rows, further parts of its cells."""
    beside = {}
    for one in taken.values():
        if one.rule.unit_column:
            beside[one.rule.unit_column] = Leftover(None, 0.95, f"the unit of {one.rule.column}, row by row")
        beside |= {column: Leftover(None, 0.95, f"read with {one.rule.column}") for column in one.rule.with_columns}
    return beside


def _joined_parts(parts: dict[str, str]) -> tuple[str, ...]:
    return tuple(parts.values()) if "name" in parts else ()


def _as_part(column: str, verdict: Leftover, parts: dict[str, str], used: tuple[str, ...]) -> Leftover:
    if column not in parts.values() or column == parts.get("city"):
        return verdict
    why = "a part of the address" if column in used else "a part of the address, which another column gives whole"
    return Leftover(None, 0.9, why)


def _needed_numbers(sheet: Sheet, taken: dict[str, Candidate]) -> dict[str, pd.Series]:
    """Return what a leak is measured against, from the sample; nothing where the file holds no sale prices."""
    by_field = {one.rule.field: one.rule for one in taken.values()}
    if sheet.source is not Source.SALES or "sale_price" not in by_field:
        return {}
    return {name: sampled_values(sheet, by_field[name]) for name in NEEDED if name in by_field}


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
    sheet: Sheet,
    column: str,
    taken: dict[str, Candidate],
    verdicts: dict[str, Leftover],
    used_parts: tuple[str, ...],
) -> ColumnGuess:
    shown = tuple(as_text(sheet.present(column), sheet.marks).drop_duplicates().head(_SHOWN))
    if column in taken:
        one = taken[column]
        why = one.why
        if one.rule.parse == "date" and not one.rule.with_columns:
            dates = date_guess(sheet, column)
            why = f"{why}; dates as {dates.date_format}: {dates.why}"
        return ColumnGuess(column, one.rule.field, one.confidence, shown, why)
    verdict = verdicts[column]
    if column in used_parts:
        return ColumnGuess(column, "address", 0.9, shown, "a part of the address")
    return ColumnGuess(column, verdict.rule.field if verdict.rule else "", verdict.confidence, shown, verdict.why)


def describe(guess: Guess) -> str:
    """Return the guess as lines of text, one per column: column, field, confidence, why."""
    width = max((len(one.column) for one in guess.columns), default=0)
    return "\n".join(
        f"{one.column:<{width}}  {one.field or '-':<22} {one.confidence:.2f}  {one.why}" for one in guess.columns
    )
