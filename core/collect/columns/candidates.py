"""Which columns fit which fields, by header and contents, and the best assignment between them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from core.arrays import rank_correlation
from core.collect.cells.units import LAND_UNITS
from core.collect.columns.proofs import is_scale_too_long, is_spoiled, measures_something, price_of
from core.collect.columns.sheet import (
    Candidate,
    Sheet,
    date_guess,
    is_row_counter,
    leak_in_header,
    sampled_values,
)
from core.collect.leaks import leak_by_name
from core.collect.mapping import LOCATIONS, ColumnRule, read_column
from core.collect.parsers import TEXT_PARSERS, as_identifier, as_postcode
from core.collect.vocabulary import FieldNames, Header, Vocabulary, load_vocabulary
from core.schema import AREAS, FIELD_BY_NAME, INDICATOR_FIELDS, NEIGHBOURHOOD_FIELDS, PROPERTY_FIELDS, Source

RATING_TOPS: Final = {"condition": 5.0, "grade": 13.0, "view": 4.0, "school_rating": 5.0}
"""The best rating on the scale of each field; ratings out of ten are facts of their own, kept in their order."""

CONFIDENCE_MIN: Final = 0.45
"""The lowest confidence at which a column is mapped to a field."""

TO_CHECK: Final = 0.5
"""The confidence of a column that a person should look at."""

MARK_WORDS: Final = {".": "point", ",": "comma"}
"""What the decimal marks are called."""

_OF_INDICATORS: Final = frozenset(one.name for one in INDICATOR_FIELDS)
_FIT_MIN: Final = 0.6
_OWN_DECIMALS_MIN: Final = 0.95
_GAPS_COST: Final = 0.04
_COUNT_SHARE: Final = 0.5
_PARTS_OF_PARCELS: Final = frozenset({("block",), ("section",), ("plat",), ("map",)})
_PROOF_ROWS: Final = 100
_HALF: Final = 0.5
_DEGREES: Final = ("latitude", "longitude")
_FINE_SHARE: Final = 0.5
_SWAP_ROWS: Final = 20
_COUNTED: Final = 0.95
_STOREY_ROWS: Final = 20
_COUNTERS_BEGIN_BELOW: Final = 1_000
# One word in the singular and the plural; "total floors" are those of the building.
_FLOOR: Final = (("floor",), ("level",), ("planta",), ("etage",))
_STOREYS_MAX: Final = 4.5
_HIGH_SHARE: Final = 0.1
_BARE_PRICE: Final = frozenset({("price",), ("amount",), ("value",)})
_BARE_AREA: Final = (Header(("area",), ""), Header(("size",), ""))
_DISTRICTS_MAX: Final = 1_000
_NO_RELATION: Final = 0.15
SIZE_WORDS: Final = frozenset({"area", "size", "acreage", "surface", "superficie", "dimension", "living"})
_COUNTING: Final = frozenset({"number", "count", "quantity"})
# A weak name with more words beside it usually means something else: "price per foot" is not a price.
_WEAK_MIN: Final = 0.85
_NAMED_MIN: Final = 0.85
_NAMED_ONLY: Final = frozenset({"listing_office", "first_list_price"})


# A file's headers are compared with every field's names several times over: as sales, as taxes, for persons.
@lru_cache(maxsize=50_000)
def header_score(header: Header, names: FieldNames, vocabulary: Vocabulary) -> float:
    """Return how well a header fits the names of a field, 0 to 1; 1 only where it is one of the names."""
    strong = max((_likeness(header, name, vocabulary) for name in names.names), default=0.0)
    weak = max((_likeness(header, name, vocabulary) for name in names.weak), default=0.0)
    best = max(strong, 0.8 * weak if weak >= _WEAK_MIN else 0.0)
    # "List Office Phone" and "Previous List Price" hold a name of the field, and are not it.
    return 0.0 if names.field in _NAMED_ONLY and best < _NAMED_MIN else best


def field_of_header(column: str, source: Source, vocabulary: Vocabulary) -> str:
    """Return the field that a header alone points to, empty where it names none or tells of a leak."""
    header = vocabulary.fold(column)
    wanted = _fields_of(source) | {"validity"}
    fits = [names for names in vocabulary.fields if names.field in wanted and _unit_fits(header, names.field)]
    if not fits:
        return ""
    scores = [header_score(header, names, vocabulary) for names in fits]
    best = int(np.argmax(scores))
    leaks = not _is_usual(header, fits[best], vocabulary) and leak_by_name(column, source, vocabulary)
    return fits[best].field if scores[best] >= CONFIDENCE_MIN and not leaks else ""


# The headers of a file are looked up several times over, and those of the files of one publisher are the same.
@lru_cache(maxsize=10_000)
def is_usual_header(column: str) -> bool:
    """Tell whether a header is a usual name of a field, or of a part of an address: it names no person then."""
    vocabulary = load_vocabulary()
    header = vocabulary.fold(column)
    parts = (name for _, names in vocabulary.address_parts for name in names)
    of_field = any(_is_usual(header, names, vocabulary) for names in vocabulary.fields)
    return of_field or any(_is_same(header, one) for one in parts)


def parts_of_sale(headers: Sequence[str]) -> int:
    """Count which of a sale's price, day and place the headers of a table name: 0 to 3."""
    vocabulary = load_vocabulary()
    fields = {field_of_header(header, Source.SALES, vocabulary) for header in headers if header}
    return len(fields & {"sale_price", "sale_date"}) + bool(fields & set(LOCATIONS))


def _likeness(header: Header, name: Header, vocabulary: Vocabulary) -> float:
    if _is_same(header, name):
        return 1.0
    plain, plain_name = (tuple(word for word in one.words if word not in vocabulary.fillers) for one in (header, name))
    if not name.words:
        return 0.95 if header.unit and not plain else 0.0
    identifiers = vocabulary.identifiers
    if not header.words or (header.words[-1] in identifiers and name.words[-1] not in identifiers):
        return 0.0
    return 0.95 if plain and sorted(plain) == sorted(plain_name) else _partial_likeness(header, name, vocabulary)


def _partial_likeness(header: Header, name: Header, vocabulary: Vocabulary) -> float:
    if header.words[-1] in {"1", "2"} and header.words[:-1] == name.words:
        return 0.9
    if not set(header.words) & vocabulary.contrary and _is_misspelt(header.joined, name.joined):
        return 0.85
    extra = set(header.words) - set(name.words)
    holds_all = len(name.words) > 1 and set(name.words) <= set(header.words)
    return 0.65 if holds_all and len(extra) <= 2 and not extra & vocabulary.contrary else 0.0


def _is_same(header: Header, name: Header) -> bool:
    return header.joined == name.joined or header.in_order == name.in_order


def _is_usual(header: Header, names: FieldNames, vocabulary: Vocabulary) -> bool:
    """Tell whether a header is one of a field's names, be it with the currency beside it: "List price (USD)"."""
    bare = tuple(word for word in header.words if word not in vocabulary.currencies)
    spoken = {header, replace(header, words=bare or header.words)}
    return any(_is_same(one, name) for one in spoken for name in (*names.names, *names.weak))


def _is_misspelt(one: str, other: str) -> bool:
    close_in_length = min(len(one), len(other)) >= 6 and abs(len(one) - len(other)) <= 1
    if not close_in_length or one[0] != other[0]:
        return False
    # One letter more, less, changed or exchanged; in a long word two such slips make another word.
    likeness = 1 - 1 / max(len(one), len(other))
    return difflib.SequenceMatcher(None, one, other).ratio() >= max(0.88, likeness)


def find_candidates(sheet: Sheet) -> list[Candidate]:
    """Find every field that each column may hold, by header and contents."""
    wanted = _fields_of(sheet.source)
    found = []
    for column in sheet.columns:
        if sheet.present(column).empty:
            continue
        for names in sheet.vocabulary.fields:
            if names.field in wanted and (candidate := _candidate(sheet, column, names)):
                found.append(candidate)
    found = [one for one in found if not _is_better_left_out(sheet, one)]
    found = _without_plain_counts(sheet, found)
    price = price_of(sheet, found)
    return [one for one in found if not _is_no_area(sheet, one, price)]


def _without_plain_counts(sheet: Sheet, found: list[Candidate]) -> list[Candidate]:
    """Leave out a count of all baths, where columns of full and of half ones give more: 2 full and 1 half are 2.5."""
    names = [name.words for summand in sheet.vocabulary.sums if summand.weight == _HALF for name in summand.names]
    halves = [column for column in sheet.columns if sheet.header(column).words in names]
    full = [one for one in _of_baths(found) if "full" in sheet.header(one.rule.column).words]
    if not (halves and full):
        return found
    numbers = {column: sampled_values(sheet, replace(full[0].rule, column=column)) for column in halves}
    return [
        one
        for one in found
        if one.rule.field != "bathrooms"
        or one in full
        or not _counts_all(sheet, one.rule, sampled_values(sheet, full[0].rule), numbers[halves[0]])
    ]


def _of_baths(found: list[Candidate]) -> list[Candidate]:
    return [one for one in found if one.rule.field == "bathrooms"]


def _counts_all(sheet: Sheet, rule: ColumnRule, full: pd.Series, half: pd.Series) -> bool:
    """Tell whether a column counts full and half baths alike, by its header or where homes have both."""
    if "integer" in sheet.header(rule.column).words:
        return True
    both = full.notna() & half.gt(0)
    counts = sampled_values(sheet, rule)
    return bool(both.any()) and float(counts[both].eq(full[both] + half[both]).mean()) >= _COUNTED


def _is_no_area(sheet: Sheet, one: Candidate, price: ColumnRule | None) -> bool:
    """Tell whether a column taken for an area by a name alone holds numbers of something else: lots, districts."""
    header = sheet.header(one.rule.column)
    if one.rule.field not in AREAS or header.unit:
        return False
    cells = sheet.present(one.rule.column)
    if not cells.str.fullmatch(r"[0-9]{1,6}").all():
        return False
    is_parcel = header.words == ("lot",) and _PARTS_OF_PARCELS & {
        sheet.header(column).words for column in sheet.columns
    }
    if is_parcel or (header.words == ("house",) and _has_streets(sheet)):
        return True
    if price is None or one.exact or one.rule.field != "living_area_sqft" or len(cells) < _PROOF_ROWS:
        return False
    if float(pd.to_numeric(cells).max()) > _DISTRICTS_MAX:
        return False
    # Larger homes cost more in every market; district numbers have nothing to do with prices.
    areas, prices = sampled_values(sheet, one.rule), sampled_values(sheet, price)
    both = areas.notna() & prices.notna()
    return abs(rank_correlation(areas[both].to_numpy(), prices[both].to_numpy())) < _NO_RELATION


def _has_streets(sheet: Sheet) -> bool:
    """Tell whether a column is called as those of street names are: the house beside it is a number in the street."""
    return any(is_called_street(sheet, column) for column in sheet.columns)


def is_called_street(sheet: Sheet, column: str) -> bool:
    """Tell whether a column is called as those of street names are."""
    names = next(titles for part, titles in sheet.vocabulary.address_parts if part == "name")
    joined = sheet.header(column).joined
    return any(joined == name.joined for name in names)


def _is_better_left_out(sheet: Sheet, one: Candidate) -> bool:
    """Tell whether a column only numbers the rows, or tells the price; a usual name shields it, but no money."""
    header, field, column = sheet.header(one.rule.column), one.rule.field, one.rule.column
    if field in _DEGREES and not one.exact and not _is_fine(sheet.present(column)):
        return True
    if one.exact and FIELD_BY_NAME[field].unit != "money":
        return _is_storey_of_flat(sheet, one.rule)
    # Money that goes up by one is a counter as well, but not where the smallest is a price.
    if is_row_counter(sheet.table.frame[column]) and not (one.exact and _begins_as_price(sheet, one.rule)):
        return True
    is_usual = any(
        names.field == field and _is_usual(header, names, sheet.vocabulary) for names in sheet.vocabulary.fields
    )
    return bool(not is_usual and leak_in_header(sheet, column))


def _is_fine(cells: pd.Series) -> bool:
    """Tell whether figures are as fine as coordinates: "Breite" is a latitude too, and the width of a lot."""
    return float(cells.str.contains(r"\d[.,]\d{3,}\s*°?$").mean()) >= _FINE_SHARE


def _begins_as_price(sheet: Sheet, rule: ColumnRule) -> bool:
    return float(sampled_values(sheet, rule).min()) > _COUNTERS_BEGIN_BELOW


def _is_storey_of_flat(sheet: Sheet, rule: ColumnRule) -> bool:
    """Tell whether a column called "Floor" says on which storey a flat lies, which may be the 13th or the ground."""
    if rule.field != "floors" or sheet.header(rule.column).words not in _FLOOR:
        return False
    floors = sampled_values(sheet, rule).dropna()
    return len(floors) >= _STOREY_ROWS and float((floors.gt(_STOREYS_MAX) | floors.lt(1)).mean()) > _HIGH_SHARE


def _fields_of(source: Source) -> frozenset[str]:
    if source is Source.SALES:
        # A sales file's assessed values may have been made after the sale, and would then know its price. Several
        # columns may say which sales are market sales: see core.collect.columns.market_sales.
        others = {"assessed_value", "prior_assessed_value", "assessed_on", "validity"}
        return frozenset(FIELD_BY_NAME) - others - _OF_INDICATORS
    if source is Source.TAX:
        return frozenset(one.name for one in (*PROPERTY_FIELDS, *NEIGHBOURHOOD_FIELDS))
    if source is Source.INDICATORS:
        return _OF_INDICATORS
    return frozenset(one.name for one in NEIGHBOURHOOD_FIELDS) | {"zipcode", "neighbourhood"}


def _candidate(sheet: Sheet, column: str, names: FieldNames) -> Candidate | None:
    header = sheet.header(column)
    score = header_score(header, names, sheet.vocabulary) if _unit_fits(header, names.field) else 0.0
    score = score or _score_by_values(sheet, column, names)
    if score == 0.0:
        return None
    rule, content = best_reading(sheet, column, names)
    if names.field in RATING_TOPS and is_scale_too_long(sampled_values(sheet, rule), RATING_TOPS[names.field]):
        return None
    filled = len(sheet.present(column)) / max(1, len(sheet.sample))
    # Of two columns that fit alike, the one with fewer gaps; the header still counts for more.
    confidence = (
        score * (0.5 + 0.5 * content) * _certainty(header, names.field, score) * (1.0 - _GAPS_COST * (1.0 - filled))
    )
    how = "header is a usual name" if score == 1.0 else "header resembles a usual name"
    if content < _FIT_MIN and score == 1.0:
        return with_own_decimals(sheet, column, names)
    if content < _FIT_MIN or confidence < CONFIDENCE_MIN:
        return None
    return Candidate(rule, round(confidence, 3), f"{how}; {_fitting(content)} of values fit", score == 1.0)


def _fitting(content: float) -> str:
    """Write the share of values that fit, 100% only where all do."""
    return "100%" if content == 1.0 else f"{min(content, 0.999):.1%}"


def with_own_decimals(sheet: Sheet, column: str, names: FieldNames) -> Candidate | None:
    """Return a column called as the field is, whose numbers have the other decimal mark than the rest of the file."""
    if "number" not in names.parse:
        return None
    mark = "." if sheet.marks.decimal == "," else ","
    written = float(sheet.present(column).str.fullmatch(rf"-?[0-9]+(?:{re.escape(mark)}[0-9]+)?").mean())
    rule = ColumnRule(column, names.field, "number", decimal=mark)
    with_mark = sheet.present(column).str.contains(mark, regex=False).any()
    if not with_mark or min(written, _number_fit(sheet, rule, names)) < _OWN_DECIMALS_MIN:
        return None
    why = f"header is a usual name; its decimals are written with a {MARK_WORDS[mark]}, unlike those of other columns"
    return Candidate(rule, TO_CHECK, why, True)


def _score_by_values(sheet: Sheet, column: str, names: FieldNames) -> float:
    """Return the score of a header without its last word, "num" or "code", where its cells are measures."""
    header = sheet.header(column)
    if len(header.words) < 2 or header.words[-1] not in sheet.vocabulary.identifiers:
        return 0.0
    score = 0.9 * header_score(replace(header, words=header.words[:-1]), names, sheet.vocabulary)
    return score if score > 0.0 and measures_something(sheet.present(column)) else 0.0


def _certainty(header: Header, field: str, score: float) -> float:
    """Rate how clearly a header names an area or price: a unit counts for more than "area", "sold for" than "price"."""
    if field == "sale_price":
        return 0.96 if header.words in _BARE_PRICE else 1.0
    if field == "living_area_sqft" and header in _BARE_AREA and score < 1.0:
        return 0.75
    if field not in AREAS or header.unit:
        # Acres are rounded where square feet are not.
        return 0.99 if header.unit in LAND_UNITS else 1.0
    return 0.97 if SIZE_WORDS & set(header.words) or not header.joined.isascii() else 0.9


def _unit_fits(header: Header, field: str) -> bool:
    measure = FIELD_BY_NAME[field].unit
    if (header.unit and field not in AREAS) or (header.scale != 1.0 and measure != "money"):
        return False
    if measure in {"sqft", "money"} and _COUNTING & set(header.words):
        return False
    is_land = header.unit in LAND_UNITS
    return not (
        (field == "living_area_sqft" and is_land) or (field == "lot_area_sqft" and not header.words and not is_land)
    )


def best_reading(sheet: Sheet, column: str, names: FieldNames) -> tuple[ColumnRule, float]:
    """Return the rule that reads most of a column as a field, and how well its values fit, 0 to 1."""
    best: tuple[ColumnRule, float] | None = None
    for parse in names.parse:
        rule = ColumnRule(column, names.field, parse)
        if parse == "number" and sheet.groups_other_way(column):
            rule = replace(rule, decimal=sheet.marks.thousands)
        if parse == "date":
            rule = replace(rule, date_format=date_guess(sheet, column).date_format)
        fit = _text_fit(sheet, column, names.field) if parse in TEXT_PARSERS else _number_fit(sheet, rule, names)
        if best is None or fit > best[1]:
            best = (rule, fit)
        if fit >= 0.98:
            break
    assert best is not None
    return best


def _number_fit(sheet: Sheet, rule: ColumnRule, names: FieldNames) -> float:
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


def _text_fit(sheet: Sheet, column: str, field: str) -> float:
    values = sheet.present(column)
    if field == "property_type":
        words = sheet.vocabulary.words_of(field)
        known = set(words) | set(words.values())
        read, _ = read_column(values, ColumnRule(column, field, "property_word"), sheet.marks)
        return float(read.isin(known).mean())
    if field == "zipcode":
        codes = as_postcode(values, sheet.marks)
        return float(codes.str.fullmatch(r"(?=.*\d)[A-Z0-9][A-Z0-9 -]{2,9}").mean())
    if field == "address":
        return float((values.str.contains(r"\d") & values.str.contains(r"[^\W\d]{2}")).mean())
    if field in {"property_id", "sale_id"}:
        ids = as_identifier(values, sheet.marks)
        unique = 0.0 if is_spoiled(values) else ids.nunique() / len(ids)
        return float(unique if field == "property_id" or unique > 0.98 else 0.0)
    if field == "neighbourhood":
        return float((~values.str.fullmatch(r"-?\d+\.\d+")).mean() * (not values.is_unique or len(values) < 1000))
    # A column that says 1 nearly everywhere counts dwellings; it does not number a unit.
    ones = float(values.str.fullmatch(r"1(?:\.0+)?").mean()) if field == "unit" else 0.0
    return float(ones <= _COUNT_SHARE)


def assign_fields(candidates: list[Candidate]) -> list[Candidate]:
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


def column_named(sheet: Sheet, names: FieldNames) -> str:
    """Return the one column whose header is a usual name of a field of figures; "" where there is none, or several."""
    if "number" not in names.parse or names.field not in _fields_of(sheet.source):
        return ""
    for usual in (names.names, names.weak):
        found = [one for one in sheet.columns if any(_is_same(sheet.header(one), name) for name in usual)]
        if found:
            return found[0] if len(found) == 1 and len(sheet.present(found[0])) >= _SWAP_ROWS else ""
    return ""


def fit_of(sheet: Sheet, column: str, names: FieldNames) -> float:
    """Return how well a column's figures fit a field, 0 to 1."""
    return _number_fit(sheet, ColumnRule(column, names.field, "number"), names)
