"""The merge: tax records by property id, exact address or a person's answer, and neighborhood figures by area code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.accounting import FileAccounting
from core.arrays import Bools, Floats, Ints
from core.collect.addresses import address_keys
from core.collect.join_keys import (
    DAY,
    AddressKeys,
    address_keys_of,
    area_codes,
    area_keys,
    bare_ids,
    column_or_missing,
    fold_names,
    full_keys,
    known_on,
    latest_before,
    positions_of,
    repeated_keys,
)
from core.collect.mapping import MappedTable
from core.collect.reading.totals import bad_line_counts
from core.errors import MappingError
from core.schema import FIELD_BY_NAME, NEIGHBOURHOOD_FIELDS, SALE_FIELDS, conform, is_extra

ROW: Final = "source_row"
PLACE_COLUMNS: Final = ("property_id", "address", "unit", "zipcode")
CONFLICT_COLUMNS: Final = (ROW, "property_id", "address", "field", "sales_value", "tax_value", "chosen")

TAX_WINS: Final = frozenset(
    {"zoning", "units", "lot_area_sqft", "year_built", "assessed_value", "prior_assessed_value", "assessed_on"}
)
"""Facts the assessor measures or decides. For all others the listing wins: someone stood in the home at the sale."""

MATERIAL_SHARE: Final = 0.01
"""Numbers closer than this share of the larger one are roundings of one fact, not a conflict."""

MATERIAL_DEGREES: Final = 0.005
"""Coordinates closer than this (about 500 m) are the same place: one source gives the door, the other the parcel."""

MATERIAL_YEARS: Final = 1.0
"""A building's permit and completion often fall in adjacent years."""


@dataclass(frozen=True)
class Merged:
    """Sales with the facts that the other sources add, and what the merge did.

    ``frame``: the sales rows in their order with ``source_row``, then the columns only the other files have.
    ``conflicts``: one row per sale and field on which sales and tax file differ materially, with the sale's property id
    and address so that a person can tell which home it is; values as text, ``chosen`` being ``sales`` or ``tax``.
    ``reference``: accounting of the tax and neighborhood files, if given.
    ``sales_left`` and ``tax_left``: sales with an address that met no tax record, and tax records with an address that
    no sale matched, with ``source_row`` and PLACE_COLUMNS: near matches are looked for between them.
    ``roll``: the accepted tax records as mapped, matched or not, None without a tax file. ``withheld``: the columns of
    the tax file of which some sales get no value (see core.prepare.assessed_rise).
    """

    frame: pd.DataFrame
    conflicts: pd.DataFrame
    tax_matched_by_id: int
    tax_matched_by_address: int
    tax_matched_by_answer: int
    neighbourhood_matched: int
    reference: tuple[FileAccounting, ...]
    sales_left: pd.DataFrame
    tax_left: pd.DataFrame
    roll: pd.DataFrame | None = None
    withheld: tuple[str, ...] = ()


def merge_sources(
    sales: MappedTable,
    tax: MappedTable | None,
    neighbourhood: MappedTable | None,
    same: frozenset[tuple[str, str]] = frozenset(),
) -> Merged:
    """Add tax and neighborhood facts to the sales, by exact keys and by a person's answers.

    A tax row belongs to a sale by property id where both have one, else by address key, with equal zip codes where both
    have one, else because ``same`` has their pair of keys (sales, tax; see full_keys): a person confirmed it, and
    no other of that sale. A key that several differing tax rows carry is ambiguous and joins nothing. Tax facts fill
    what the sale lacks; where both differ materially TAX_WINS decides and the conflict is listed. Sale fields of a tax
    file (an earlier price) are never taken over. Neighborhood figures and extras join by zip code, or by neighborhood
    name where that fits the sales better, and only fill; of figures by date a sale gets the latest known before it.

    Raises MappingError if an extra column is numbers in one file and words in another.
    """
    return merge_into(sales.frame, tax, neighbourhood, same)


def merge_into(
    sales: pd.DataFrame,
    tax: MappedTable | None,
    neighbourhood: MappedTable | None,
    same: frozenset[tuple[str, str]] = frozenset(),
) -> Merged:
    """Add tax and neighborhood facts to a table of sales with ``source_row``, as merge_sources does."""
    frame = sales.reset_index(drop=True)
    conflicts = pd.DataFrame(columns=list(CONFLICT_COLUMNS), dtype="str").astype({ROW: "int64"})
    by_id = by_address = by_answer = by_area = 0
    sales_left = tax_left = _left(frame, np.zeros(len(frame), dtype=bool))
    reference: list[FileAccounting] = []
    roll = None
    if tax is not None:
        match = _match_tax(frame, tax.frame.reset_index(drop=True), same)
        sales_left, tax_left = _left(frame, match.row < 0), _left(match.table, match.free)
        frame, conflicts = _join_tax(frame, match, tax.name)
        by_id, by_address, by_answer = (int(how.sum()) for how in (match.by_id, match.by_address, match.by_answer))
        reference.append(_account(tax, match.masks, match.row))
        roll = match.table.loc[match.masks.accepted]
    if neighbourhood is not None:
        area = _match_area(frame, neighbourhood.frame.reset_index(drop=True))
        frame = _join_area(frame, area, neighbourhood.name)
        by_area = int((area.row >= 0).sum())
        reference.append(_account(neighbourhood, area.masks, area.row))
    return Merged(frame, conflicts, by_id, by_address, by_answer, by_area, tuple(reference), sales_left, tax_left, roll)


def _left(frame: pd.DataFrame, rows: Bools) -> pd.DataFrame:
    addressed = rows & column_or_missing(frame, "address").notna().to_numpy()
    left = frame.loc[addressed].reset_index(drop=True)
    return conform(left, PLACE_COLUMNS).assign(**{ROW: left[ROW]})


# Verdicts on reference rows


@dataclass(frozen=True)
class _ReferenceMasks:
    """What became of each reference row; the masks are disjoint, the rest is accepted."""

    no_key: Bools
    repeated: Bools
    ambiguous: Bools
    shared_address: int = 0

    @property
    def accepted(self) -> Bools:
        return ~(self.no_key | self.repeated | self.ambiguous)


def _account(table: MappedTable, masks: _ReferenceMasks, matched_rows: Ints) -> FileAccounting:
    matched = len(np.unique(matched_rows[matched_rows >= 0]))
    accepted = int(masks.accepted.sum())
    counts = Counter(
        {
            **bad_line_counts(table.bad_lines),
            "no_key": int(masks.no_key.sum()),
            "ambiguous_key": int(masks.ambiguous.sum()),
            "repeated_row": int(masks.repeated.sum()),
            "shared_address": masks.shared_address,
            "matched": matched,
            "unmatched": accepted - matched,
        }
    )
    return FileAccounting(
        file=table.name,
        source=table.source.value,
        sha256=table.sha256,
        rows_in=table.rows_in,
        accepted=accepted,
        repaired=0,
        duplicate=counts["repeated_row"],
        rejected=len(table.bad_lines) + counts["no_key"] + counts["ambiguous_key"],
        reasons=_nonzero(counts),
    )


def _nonzero(counts: Mapping[str, int]) -> Mapping[str, int]:
    return {reason: count for reason, count in counts.items() if count}


# Tax records


@dataclass(frozen=True)
class _TaxMatch:
    """For each sale the position of its tax row or -1, and how it was found."""

    table: pd.DataFrame
    masks: _ReferenceMasks
    row: Ints
    by_id: Bools
    by_address: Bools
    by_answer: Bools
    free: Bools


def _match_tax(sales: pd.DataFrame, tax: pd.DataFrame, same: frozenset[tuple[str, str]]) -> _TaxMatch:
    ids = column_or_missing(tax, "property_id")
    has_id, has_address = ids.notna().to_numpy(), column_or_missing(tax, "address").notna().to_numpy()
    no_key = ~(has_id | has_address)
    repeated = ~no_key & tax.drop(columns=ROW, errors="ignore").duplicated().to_numpy()
    usable = ~(no_key | repeated)
    ambiguous = repeated_keys(ids, usable)
    row = _by_id(column_or_missing(sales, "property_id"), ids, usable & ~ambiguous)
    by_id = row >= 0

    waiting = ~by_id & column_or_missing(sales, "address").notna().to_numpy()
    shared, free = np.zeros((2, len(tax)), dtype=bool)
    by_answer = np.zeros(len(sales), dtype=bool)
    if has_address.any() and (waiting.any() or not has_id.all()):
        keys = address_keys_of(tax)
        shared = repeated_keys(keys.with_zip, usable) | repeated_keys(keys.bare, usable & keys.without_zip)
        ambiguous |= shared & ~has_id
        joinable = usable & ~ambiguous & ~shared
        targets = _Targets(keys, ids, joinable, joinable & ~repeated_keys(keys.bare, usable))
        row[waiting] = _by_address(sales.loc[waiting], targets)
        by_answer = waiting & (row < 0)
        if same and by_answer.any():
            row[by_answer] = _by_answer(sales.loc[by_answer], targets, _sole(same))
        by_answer &= row >= 0
        free = joinable & has_address
        free[row[row >= 0]] = False
    masks = _ReferenceMasks(no_key, repeated, ambiguous, int((shared & has_id & usable & ~ambiguous).sum()))
    return _TaxMatch(tax, masks, row, by_id, ~by_id & ~by_answer & (row >= 0), by_answer, free)


@dataclass(frozen=True)
class _Targets:
    """Tax rows that can be matched by address: by a full key, or by one that no other zip code has."""

    keys: AddressKeys
    ids: pd.Series
    joinable: Bools
    alone: Bools


def _by_id(wanted: pd.Series, ids: pd.Series, among: Bools) -> Ints:
    """Match by property id as written, else by one that differs in signs, blanks or leading zeros only."""
    exact = positions_of(wanted, ids, among)
    bare, wanted_bare = bare_ids(ids), bare_ids(wanted)
    # Where signs tell two parcels of the sales apart, "1-23" and "12-3", what is left without them names neither.
    spellings = wanted.groupby(wanted_bare).nunique()
    sole = wanted_bare.where(wanted_bare.map(spellings).eq(1))
    alike = positions_of(sole.astype("str"), bare, among & ~repeated_keys(bare, among))
    return np.where(exact >= 0, exact, alike)


def _by_address(sales: pd.DataFrame, tax: _Targets) -> Ints:
    keys = address_keys_of(sales)
    same_zip = positions_of(keys.with_zip, tax.keys.with_zip, tax.joinable)
    no_tax_zip = positions_of(keys.bare, tax.keys.bare, tax.joinable & tax.keys.without_zip)
    no_sale_zip = positions_of(keys.bare, tax.keys.bare, tax.alone)
    found = np.where(keys.without_zip, no_sale_zip, np.where(same_zip >= 0, same_zip, no_tax_zip))
    return _of_one_property(sales, tax, found)


def _by_answer(sales: pd.DataFrame, tax: _Targets, same: Mapping[str, str]) -> Ints:
    tax_keys = tax.keys.with_zip.fillna(tax.keys.bare + "|")
    return _of_one_property(sales, tax, positions_of(full_keys(sales).map(same), tax_keys, tax.joinable))


def _sole(same: frozenset[tuple[str, str]]) -> Mapping[str, str]:
    answers = Counter(sales_key for sales_key, _ in same)
    return {sales_key: tax_key for sales_key, tax_key in same if answers[sales_key] == 1}


def _of_one_property(sales: pd.DataFrame, tax: _Targets, found: Ints) -> Ints:
    # Two different property ids are two properties, however alike their addresses.
    both_have_id = column_or_missing(sales, "property_id").notna().to_numpy() & tax.ids.notna().to_numpy()[found]
    return np.where(both_have_id, -1, found)


def _join_tax(sales: pd.DataFrame, match: _TaxMatch, file: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    never = {ROW, *(field.name for field in SALE_FIELDS)}
    offered = _taken(match.table, match.row, [name for name in match.table.columns if name not in never])
    frame = sales.copy()
    conflicts: list[pd.DataFrame] = []
    for name in offered.columns:
        ours, theirs = _comparable(frame, offered, name, file)
        units = (column_or_missing(frame, "unit"), column_or_missing(offered, "unit"))
        differ = _differ_in_place(ours, theirs, units) if name == "address" else _differs(name, ours, theirs)
        if name != "property_id" and differ.any():
            conflicts.append(_conflicts(frame, name, ours, theirs, differ))
        takes = ours.isna().to_numpy() | (differ & (name in TAX_WINS))
        frame[name] = ours.mask(takes, theirs)
    if not conflicts:
        return frame, pd.DataFrame(columns=list(CONFLICT_COLUMNS), dtype="str").astype({ROW: "int64"})
    listed = pd.concat(conflicts, ignore_index=True)
    return frame, listed.sort_values(ROW, kind="stable", ignore_index=True)


def _taken(table: pd.DataFrame, row: Ints, names: list[str]) -> pd.DataFrame:
    # Position -1 means no match: taking it as a label gives a row of missing values.
    return conform(table.loc[:, names]).reindex(pd.Index(row)).reset_index(drop=True)


def _comparable(frame: pd.DataFrame, offered: pd.DataFrame, name: str, file: str) -> tuple[pd.Series, pd.Series]:
    theirs = offered[name]
    if name not in frame:
        return theirs.iloc[:0].reindex(frame.index), theirs
    ours = frame[name]
    if ours.dtype == theirs.dtype:
        return ours, theirs
    if ours.isna().all():
        return ours.astype(theirs.dtype), theirs
    if theirs.isna().all():
        return ours, theirs.astype(ours.dtype)
    raise MappingError(
        f"Column {name!r} of {file} holds {_kind(theirs)}, that of the sales file {_kind(ours)}; map both with the "
        "same parser, or give one another name."
    )


def _kind(values: pd.Series) -> str:
    return "numbers" if pd.api.types.is_numeric_dtype(values) else "words"


def _differs(name: str, ours: pd.Series, theirs: pd.Series) -> Bools:
    """Tell where both have a value and the two are materially different."""
    both = (ours.notna() & theirs.notna()).to_numpy()
    if not both.any():
        return both
    field = FIELD_BY_NAME.get(name)
    if ours.dtype == "float64":
        left, right = ours.to_numpy(), theirs.to_numpy()
        tolerance: float | Floats = MATERIAL_SHARE * np.maximum(np.abs(left), np.abs(right))
        if field is not None and field.unit == "degrees":
            tolerance = MATERIAL_DEGREES
        if field is not None and field.unit == "year":
            tolerance = MATERIAL_YEARS
        return np.asarray(both & (np.abs(left - right) > tolerance))
    differ: Bools = both & (ours != theirs).to_numpy()
    if not differ.any():
        return differ
    left_text, right_text = _folded(name, ours[differ]), _folded(name, theirs[differ])
    differ[differ] = (left_text.fillna("") != right_text.fillna("")).to_numpy()
    return differ


def _differ_in_place(ours: pd.Series, theirs: pd.Series, units: tuple[pd.Series, pd.Series]) -> Bools:
    """Tell where two addresses are of two places; one source has the unit in the address, the other beside it."""
    differ: Bools = (ours.notna() & theirs.notna() & (ours != theirs)).to_numpy(copy=True)
    left, right = (address_keys(one[differ], unit[differ]) for one, unit in zip((ours, theirs), units, strict=True))
    differ[differ] = (left.fillna("") != right.fillna("")).to_numpy()
    return differ


def _folded(name: str, values: pd.Series) -> pd.Series:
    if name == "zipcode":
        return area_codes(values)
    if name == "unit":
        return values.str.upper().str.replace(r"^(APT|UNIT|STE|#)|[^0-9A-Z]", "", regex=True)
    return fold_names(values) if values.dtype == "str" else values.astype("str")


def _conflicts(frame: pd.DataFrame, name: str, ours: pd.Series, theirs: pd.Series, differ: Bools) -> pd.DataFrame:
    chosen = "tax" if name in TAX_WINS else "sales"
    return pd.DataFrame(
        {
            ROW: frame.loc[differ, ROW].to_numpy(),
            "property_id": column_or_missing(frame, "property_id")[differ].to_numpy(),
            "address": column_or_missing(frame, "address")[differ].to_numpy(),
            "field": name,
            "sales_value": _as_text(ours[differ]),
            "tax_value": _as_text(theirs[differ]),
            "chosen": chosen,
        }
    ).astype({name: "str" for name in CONFLICT_COLUMNS if name != ROW})


def _as_text(values: pd.Series) -> list[str]:
    if values.dtype == "float64":
        return [f"{value:.12g}" for value in values]
    if values.dtype == "str":
        return [str(value) for value in values]
    return [str(value) for value in values.dt.date]


# Neighborhood figures


@dataclass(frozen=True)
class _AreaMatch:
    """For each sale the position of its neighborhood row or -1, and the fields that row may fill."""

    table: pd.DataFrame
    masks: _ReferenceMasks
    row: Ints
    fields: tuple[str, ...]


def _match_area(sales: pd.DataFrame, areas: pd.DataFrame) -> _AreaMatch:
    tried = [_match_area_by(sales, areas, name) for name in ("zipcode", "neighbourhood")]
    # max keeps the first of equals: the zip code, which two publishers spell alike more often than a name.
    return max(tried, key=lambda match: int((match.row >= 0).sum()))


def _match_area_by(sales: pd.DataFrame, areas: pd.DataFrame, name: str) -> _AreaMatch:
    keys = area_keys(areas, name)
    # Figures by date have a row for each area and day.
    known = known_on(areas[DAY]) if DAY in areas else None
    no_key = (keys.isna() if known is None else keys.isna() | known.isna()).to_numpy()
    content = areas.drop(columns=ROW, errors="ignore").assign(**{name: keys})
    repeated = ~no_key & content.duplicated().to_numpy()
    rows = keys if known is None else keys + known.dt.strftime("|%Y-%m-%d")
    ambiguous = repeated_keys(rows, ~(no_key | repeated))
    masks = _ReferenceMasks(no_key, repeated, ambiguous)
    wanted = area_keys(sales, name)
    if known is None:
        row = positions_of(wanted, keys, masks.accepted)
    else:
        row = latest_before(wanted, sales["sale_date"], keys, known, masks.accepted)
    own = {"zipcode", "neighbourhood", *(field.name for field in NEIGHBOURHOOD_FIELDS)}
    fields = tuple(column for column in areas.columns if column in own or is_extra(column))
    return _AreaMatch(areas, masks, row, fields)


def _join_area(sales: pd.DataFrame, match: _AreaMatch, file: str) -> pd.DataFrame:
    offered = _taken(match.table, match.row, list(match.fields))
    frame = sales.copy()
    for name in offered.columns:
        ours, theirs = _comparable(frame, offered, name, file)
        frame[name] = ours.mask(ours.isna(), theirs)
    return frame
