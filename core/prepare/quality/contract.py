"""The contract of the canonical sales table: all rules as one schema; each breach has its row, column and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from core.arrays import Ints
from core.collect.cells.units import UNIT_FACTORS, unit_words
from core.collect.mapping import ColumnRule, MappedTable, cells_of
from core.errors import ContractBroken
from core.prepare.quality.cleaning import LIST_RATIO, QUANTITIES, ROOMLESS_SQFT, ROW, TRUSTED
from core.prepare.quality.places import NO_CODE, unlike_the_others, usual_code
from core.problem import Problem
from core.schema import FIELD_BY_NAME, FIELDS, FieldKind, conform, is_extra, label_of

PROBLEM_COLUMNS: Final = ("row", "column", "field", "value", "limit", "remedy", "code")
"""One row per breach: the file's data row, its column, the mapped field, the value as text (empty if missing), what is
allowed, what happens and what helps, and a short code for counting."""

_LEFT_OUT: Final = "The row is left out. Correct the {label} in the file, or check the mapping."
EMPTIED: Final = "The cell is left empty and the sale kept"
_EMPTIED: Final = EMPTIED + ". Correct the {label} in the file, or check the mapping."
_DERIVED: Final = "derived: "
# Cleaning compares products, this compares quotients: a difference in the last digit is not a breach.
_TIE: Final = 1e-9
# From here on a limit is written without decimals.
_WHOLE_FROM: Final = 10
_BARE: Final = re.compile(r"[\d.,\s']+")
_FLAGS: Final = tuple(one.name for one in FIELDS if one.kind is FieldKind.FLAG)
_PLACES: Final = ("address", "latitude", "zipcode", "neighbourhood")
_DTYPES: Final[Mapping[FieldKind, Any]] = {
    FieldKind.NUMBER: float,
    FieldKind.FLAG: float,
    FieldKind.CATEGORY: str,
    FieldKind.TEXT: str,
    FieldKind.DATE: "datetime64[us]",
}


@dataclass(frozen=True)
class _Rule:
    """What a column of the checked table must hold, and the field and words in which a breach is reported."""

    column: str
    field: str
    check: pa.Check | None  # None: it must not be missing
    code: str
    limit: str
    remedy: str


def problems_of(frame: pd.DataFrame, problem: Problem, today: date) -> pd.DataFrame:
    """List every breach of the contract in a mapped table, before cleaning, by row and rule.

    ``frame`` is canonical (see schema.conform) with ``source_row``. Columns: PROBLEM_COLUMNS; ``column`` is the
    field itself. Raises MappingError if a column is neither canonical nor extra.
    """
    facts = _canonical(frame)
    checked = facts.assign(**_derived(facts))
    rules = _rules(checked, problem, today)
    cases = _failures(checked, rules)
    breaches = [
        _findings_of(rule, cases[place], facts, frame[ROW]) for place, rule in enumerate(rules) if place in cases
    ]
    if not breaches:
        return _empty()
    return pd.concat(breaches, ignore_index=True).sort_values(["row", "field"], kind="stable", ignore_index=True)


def all_problems(table: MappedTable, problem: Problem, today: date) -> pd.DataFrame:
    """List the breaches and unreadable cells of a mapped sales file, under the file's own headers."""
    breaches = _typed(pd.concat([problems_of(table.frame, problem, today), _codes_unlike(table.frame)]))
    named = breaches["field"].map(dict(table.columns)).fillna(breaches["field"])
    unread = table.problems
    unreadable = pd.DataFrame(
        {
            "row": unread["source_row"],
            "column": unread["column"],
            "field": unread["field"],
            "value": unread["value"],
            "limit": unread["problem"].str.replace(r"^not ", "", regex=True),
            "remedy": unread["remedy"],
            "code": "unreadable",
        }
    )
    # An unreadable cell is missing for that reason and does not need a second line.
    seen = pd.MultiIndex.from_frame(unreadable[["row", "field"]])
    repeated = breaches["code"].str.endswith("_missing") & pd.MultiIndex.from_frame(breaches[["row", "field"]]).isin(
        seen
    )
    worded = _in_file_words(breaches, table, problem).assign(column=named)
    both = [one for one in (worded[~repeated], unreadable) if len(one)]
    if not both:
        return _empty()
    return _typed(pd.concat(both, ignore_index=True)).sort_values(["row", "field"], kind="stable", ignore_index=True)


def _codes_unlike(frame: pd.DataFrame) -> pd.DataFrame:
    """List the zip codes that are none: what the others of a file show is no rule of one cleaned table."""
    rows = np.flatnonzero(unlike_the_others(frame))
    if not len(rows):
        return _empty()
    limit = f"a code like the others, such as {usual_code(frame)}"
    rule = _Rule("zipcode", "zipcode", None, NO_CODE, limit, _remedy("zipcode", False))
    return _findings_of(rule, rows, frame.reset_index(drop=True), frame[ROW])


def _in_file_words(breaches: pd.DataFrame, table: MappedTable, problem: Problem) -> pd.DataFrame:
    """Return breaches with the cells as the file has them, and with the limits of areas and amounts in its unit."""
    place = pd.Series(np.arange(len(table.frame)), index=table.frame[ROW])
    first = {rule.field: rule for rule in reversed(table.rules)}
    worded = breaches.copy()
    for field in breaches["field"].unique():
        rule, rows = first.get(field), breaches["field"] == field
        if rule is None or rule.column not in table.cells:
            continue
        places = place.loc[breaches.loc[rows, "row"]].to_numpy()
        texts = cells_of(table.cells.iloc[places], rule).fillna("")
        is_area = field in FIELD_BY_NAME and FIELD_BY_NAME[field].unit == "sqft"
        unit = unit_words(rule.unit or "sqft") if is_area else ""
        # A cell that names its unit says it itself.
        worded.loc[rows, "value"] = [f"{text} {unit}" if unit and _BARE.fullmatch(text) else text for text in texts]
        factor = rule.scale * UNIT_FACTORS[rule.unit]
        is_amount = field in FIELD_BY_NAME and FIELD_BY_NAME[field].unit == "money"
        if field in problem.limits and (is_area or is_amount or factor != 1.0):
            limit = problem.limits[field]
            words = f"{_rounded(limit.low / factor)} to {_rounded(limit.high / factor)} {unit}".strip()
            worded.loc[rows & breaches["code"].str.endswith("_impossible"), "limit"] = words
    _word_limits_of_areas(worded, first, problem)
    return worded


def _word_limits_of_areas(worded: pd.DataFrame, rules: Mapping[str, ColumnRule], problem: Problem) -> None:
    """Write what bedrooms need of the living area in the unit that the file gives it in."""
    rule = rules.get("living_area_sqft")
    unit = (rule.unit or "sqft") if rule else "sqft"
    if unit == "sqft":
        return
    for code, least, words in (
        ("bedrooms_crowded", problem.intake.sqft_per_bedroom_low, "at least {} of living area each"),
        ("bedrooms_zero", ROOMLESS_SQFT, "at least 1 if over {} of living area"),
    ):
        area = f"{_rounded(least / UNIT_FACTORS[unit])} {unit_words(unit)}"
        worded.loc[worded["code"] == code, "limit"] = words.format(area)


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:.2g}"


def check_contract(sales: pd.DataFrame, problem: Problem, today: date, name: str = "the cleaned sales") -> None:
    """Raise ContractBroken if a cleaned table still breaks a rule, naming table, column, rows and remedy.

    ``sales`` is canonical with ``source_row`` or ``intake_row``; the check guards every commit against errors in the
    cleaning itself.
    """
    row = next(one for one in (ROW, "intake_row") if one in sales)
    broken = problems_of(sales.rename(columns={row: ROW}), problem, today)
    if broken.empty:
        return
    first = broken.iloc[0]
    same = broken[broken["code"] == first["code"]]
    rows = ", ".join(map(str, same["row"].head(5))) + (", …" if len(same) > 5 else "")
    raise ContractBroken(
        f"{name}: column {first['field']!r} breaks its rule ({first['limit']}) in {len(same):,} rows (row {rows}; "
        f"first value {first['value'] or 'missing'}). Nothing was committed. Leave the column out of the mapping, or "
        "correct it in the file, and report this as a bug in Doorstep."
    )


# Schema


def _failures(checked: pd.DataFrame, rules: list[_Rule]) -> dict[int, Ints]:
    """Return the positions of the rows that break each rule, by the rule's index."""
    try:
        _schema(checked, rules).validate(checked, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        of_table = cases["index"].isna()
        if of_table.any():
            one = cases[of_table].iloc[0]
            raise ContractBroken(
                f"Column {one['column']!r} of the table has the wrong type ({one['check']}, found "
                f"{one['failure_case']}). Nothing was committed. Map it again, or leave it out."
            ) from errors
        missing = cases["check"] == "not_nullable"
        required = {rule.column: str(place) for place, rule in enumerate(rules) if rule.check is None}
        places = cases["check"].mask(missing, cases["column"].map(required)).astype("int64").to_numpy()
        rows = cases["index"].to_numpy(dtype="int64")
        return {int(place): np.unique(rows[places == place]) for place in np.unique(places)}
    return {}


def _schema(checked: pd.DataFrame, rules: list[_Rule]) -> pa.DataFrameSchema:
    """Return the schema of the table's columns; a check's ``error`` is the index of its rule."""
    columns = {}
    for name in map(str, checked):
        own = [(place, rule) for place, rule in enumerate(rules) if rule.column == name]
        checks = [_numbered(rule.check, place) for place, rule in own if rule.check is not None]
        required = any(rule.check is None for _, rule in own)
        columns[name] = pa.Column(_dtype(checked, name), checks, nullable=not required)
    return pa.DataFrameSchema(columns)


def _numbered(check: pa.Check, place: int) -> pa.Check:
    check.error = str(place)
    return check


def _dtype(checked: pd.DataFrame, name: str) -> Any:
    if name in FIELD_BY_NAME:
        return _DTYPES[FIELD_BY_NAME[name].kind]
    return float if checked[name].dtype == "float64" else str


# Rules


def _rules(checked: pd.DataFrame, problem: Problem, today: date) -> list[_Rule]:
    rules = [
        _required("sale_price", "price_missing", "a sale price; unsold homes have none"),
        _required("sale_date", "date_missing", "a sale date"),
        *_limits(checked, problem),
        *_dates(problem, today),
        *_plausible(problem),
        *_finite(checked, problem),
    ]
    return [rule for rule in rules if rule.column in checked]


def _required(name: str, code: str, wanted: str) -> _Rule:
    return _Rule(name, name, None, code, wanted, _LEFT_OUT.format(label=label_of(name).lower()))


def _limits(checked: pd.DataFrame, problem: Problem) -> Iterable[_Rule]:
    for name, limit in problem.limits.items():
        if name not in checked:
            continue
        code = "price_impossible" if name == "sale_price" else f"{name}_impossible"
        limit_words = f"{_plain(limit.low)} to {_plain(limit.high)}"
        remedy = _remedy(name, name in TRUSTED)
        if name in QUANTITIES:
            remedy += " A value that is negative or ten times too large leaves the whole row out."
        yield _Rule(name, name, pa.Check.in_range(limit.low, limit.high), code, limit_words, remedy)
    for name in ("lot_area_sqft", "bathrooms", "assessed_value", "prior_assessed_value"):
        # Report a negative value only once, by its limits if it has any.
        above = pa.Check.ne(0) if name in problem.limits else pa.Check.gt(0)
        yield _Rule(name, name, above, f"{name}_zero", "above 0", _remedy(name, False))
    for name in _FLAGS:
        yield _Rule(name, name, pa.Check.isin([0.0, 1.0]), f"{name}_flag", "yes or no", _remedy(name, False))


def _dates(problem: Problem, today: date) -> Iterable[_Rule]:
    oldest = int(problem.limits["year_built"].low)
    label = {"label": "sale date"}
    latest = pa.Check.le(pd.Timestamp(today))
    yield _Rule("sale_date", "sale_date", latest, "date_in_future", f"up to {today}", _LEFT_OUT.format(**label))
    first = pa.Check.ge(pd.Timestamp(oldest, 1, 1))
    yield _Rule("sale_date", "sale_date", first, "date_impossible", f"{oldest} or later", _LEFT_OUT.format(**label))
    ahead = problem.intake.years_ahead
    for name in ("year_built", "year_renovated"):
        limit_words = f"at most {ahead} years after the sale"
        column, check = _derived_name(name, "ahead"), pa.Check.le(ahead)
        yield _Rule(column, name, check, f"{name}_after_sale", limit_words, _remedy(name, False))
    column = _derived_name("year_renovated", "after built")
    limit_words = "not before the year built"
    remedy = _remedy("year_renovated", False)
    yield _Rule(column, "year_renovated", pa.Check.ge(0), "renovated_before_built", limit_words, remedy)
    column = _derived_name("list_date", "before sale")
    limit_words = "not after the sale date"
    yield _Rule(column, "list_date", pa.Check.ge(0), "listed_after_sold", limit_words, _remedy("list_date", False))


def _plausible(problem: Problem) -> Iterable[_Rule]:
    words = {_folded(word) for word in problem.intake.non_market}
    market = pa.Check(lambda values: ~_says(values, words))
    remedy = "The row is left out: its price is not a market price. Recode the word in the mapping if that is wrong."
    yield _Rule("validity", "validity", market, "non_market_sale", "an arm's-length sale", remedy)
    least = problem.intake.sqft_per_bedroom_low
    column, limit_words = _derived_name("bedrooms", "space"), f"at least {_plain(least)} sq ft of living area each"
    enough = pa.Check.ge(least * (1 - _TIE))
    yield _Rule(column, "bedrooms", enough, "bedrooms_crowded", limit_words, _remedy("bedrooms", False))
    column, limit_words = _derived_name("bedrooms", "none"), f"at least 1 if over {ROOMLESS_SQFT} sq ft of living area"
    yield _Rule(
        column, "bedrooms", pa.Check.le(ROOMLESS_SQFT), "bedrooms_zero", limit_words, _remedy("bedrooms", False)
    )
    limit_words = f"{LIST_RATIO.low:g} to {LIST_RATIO.high:g} times the sale price"
    for name in ("list_price", "first_list_price"):
        column, remedy = _derived_name(name, "ratio"), _remedy(name, False)
        ratio = pa.Check.in_range(LIST_RATIO.low * (1 - _TIE), LIST_RATIO.high * (1 + _TIE))
        yield _Rule(column, name, ratio, f"{name}_implausible", limit_words, remedy)
        yield _Rule(name, name, pa.Check.gt(0), f"{name}_zero", "above 0", remedy)
    column, limit_words = _derived_name("latitude", "place"), "both coordinates, and not (0, 0)"
    yield _Rule(column, "latitude", pa.Check.eq(1), "coordinates_implausible", limit_words, _remedy("latitude", False))
    known = "an address, coordinates, a zipcode or a neighborhood"
    remedy = "The row is left out, because the home's location is unknown. Add one of these columns, or map it."
    column = _derived_name("address", "places known")
    yield _Rule(column, "address", pa.Check.ge(1), "no_location", known, remedy)


def _finite(checked: pd.DataFrame, problem: Problem) -> Iterable[_Rule]:
    for name in map(str, checked):
        known = is_extra(name) or name in FIELD_BY_NAME
        if known and checked[name].dtype == "float64" and name not in problem.limits and name not in _FLAGS:
            finite = pa.Check(lambda values: ~np.isinf(values))
            yield _Rule(name, name, finite, "not_finite", "a finite number", _remedy(name, False))


def _remedy(name: str, grave: bool) -> str:
    words = (_LEFT_OUT if grave else _EMPTIED).format(label=label_of(name).lower())
    field = FIELD_BY_NAME.get(name)
    return f"{words} If many rows have this problem, the unit is wrong." if field and field.unit == "sqft" else words


# Derived columns: rules on two facts, as one number


def _derived(facts: pd.DataFrame) -> dict[str, pd.Series]:
    number = {name: _number(facts, name) for name in ("latitude", "longitude", "living_area_sqft", "bedrooms")}
    area, bedrooms = number["living_area_sqft"], number["bedrooms"]
    built, renovated = _number(facts, "year_built"), _number(facts, "year_renovated")
    price = _number(facts, "sale_price")
    listed = {name: _number(facts, name) for name in ("list_price", "first_list_price")}
    sold = facts["sale_date"].dt.year.astype("float64")
    both = number["latitude"].notna().astype("int64") + number["longitude"].notna()
    somewhere = (both == 2) & ~((number["latitude"] == 0) & (number["longitude"] == 0))
    since = pd.Series(np.nan, index=facts.index)
    if "list_date" in facts:
        since = (facts["sale_date"] - facts["list_date"]).dt.days.astype("float64")
    return {
        _derived_name("bedrooms", "space"): area / bedrooms.where(bedrooms > 0),
        _derived_name("bedrooms", "none"): area.where(bedrooms == 0),
        _derived_name("year_built", "ahead"): built - sold,
        _derived_name("year_renovated", "ahead"): renovated - sold,
        _derived_name("year_renovated", "after built"): renovated - built,
        **{_derived_name(name, "ratio"): one.where(one > 0) / price.where(price > 0) for name, one in listed.items()},
        _derived_name("list_date", "before sale"): since,
        _derived_name("latitude", "place"): somewhere.astype("float64").where(both > 0),
        _derived_name("address", "places known"): _places_known(facts),
    }


def _places_known(facts: pd.DataFrame) -> pd.Series:
    known = pd.Series(0.0, index=facts.index)
    for name in _PLACES:
        if name in facts:
            known = known + (facts[name].notna() & facts[name].ne(""))
    return known


def _derived_name(field: str, what: str) -> str:
    return f"{_DERIVED}{field} {what}"


def _canonical(frame: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in frame.columns if name not in (ROW, "intake_row")]
    names += [name for name in ("sale_date", "sale_price") if name not in frame.columns]
    facts = conform(frame.reset_index(drop=True), names)
    if "year_renovated" in facts:
        # Assessors write year 0 for "never renovated".
        facts = facts.assign(year_renovated=facts["year_renovated"].mask(facts["year_renovated"] == 0))
    return facts


def _number(facts: pd.DataFrame, name: str) -> pd.Series:
    return facts[name] if name in facts else pd.Series(np.nan, index=facts.index)


def _says(values: pd.Series, words: set[str]) -> pd.Series:
    unusable = [word for word in values.dropna().unique() if _folded(word) in words]
    return values.isin(unusable)


def _folded(word: str) -> str:
    return re.sub(r"[\W_]+", "", word.casefold())


# Words


def _findings_of(rule: _Rule, positions: Ints, facts: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    values = facts[rule.field].iloc[positions] if rule.field in facts else pd.Series(np.nan, index=positions)
    table = {
        "row": rows.to_numpy()[positions],
        "column": rule.field,
        "field": rule.field,
        "value": _shown(values).to_numpy(),
        "limit": rule.limit,
        "remedy": rule.remedy,
        "code": rule.code,
    }
    return _typed(pd.DataFrame(table))


def _shown(values: pd.Series) -> pd.Series:
    codes, uniques = pd.factorize(values)
    if pd.api.types.is_datetime64_any_dtype(values):
        words = [str(one.date()) for one in pd.DatetimeIndex(uniques)]
    elif pd.api.types.is_numeric_dtype(values):
        words = [_plain(one) for one in uniques]
    else:
        words = [str(one) for one in uniques]
    return pd.Series(np.asarray([*words, ""], dtype=object)[codes], index=values.index)


def _typed(problems: pd.DataFrame) -> pd.DataFrame:
    kinds = dict.fromkeys(PROBLEM_COLUMNS, "str") | {"row": "int64"}
    return problems[list(PROBLEM_COLUMNS)].fillna("").astype(kinds)


def _empty() -> pd.DataFrame:
    return _typed(pd.DataFrame({name: [] for name in PROBLEM_COLUMNS}))


def _plain(value: float) -> str:
    return f"{value:.12g}"
