"""Which new rows correct a stored sale, and which only repeat a state that was corrected earlier.

A row corrects the one stored sale with its *sale id* and home if any fact of the sale differs; otherwise the one stored
sale of its home *on the same date* if the price differs by more than a retyping (NEAR_PRICE) and the publisher does not
give the two different numbers. A home sold twice on one day (a flip through two deeds) is far rarer than a mistyped
price, and is recognizable: its file has both sales, and a stored sale that the same file repeats is never corrected.

Homes that are not identified (see core.prepare.quality.duplicates) are corrected by sale id only, and only where the
address, or without one every known fact of the home, and the date or the price are the same. Row numbers used as sale
ids would turn one condo of a building into another, so none is corrected where most of the file's sale ids belong to
other homes than before. If several rows would correct one sale differently, none does: they are separate sales. A row
equal to a superseded state is a duplicate, so that uploading the old file again undoes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Floats, Ints
from core.collect.join_keys import area_codes
from core.collect.merge import TAX_WINS
from core.prepare.quality.duplicates import (
    NEAR_DAYS,
    NEAR_PRICE,
    dwelling_keys,
    find_duplicates,
    home_ids,
    house_numbers,
    identified,
    unequal,
)
from core.prepare.quality.findings import Findings
from core.schema import ASSESSED_RISE, PROPERTY_FIELDS, SALE_FIELDS, conform, label_of

CORRECTS: Final = "corrects_earlier"
SUPERSEDED: Final = "superseded_before"
OTHER_FACTS: Final = "other_facts"
"""A row that repeats a stored sale and gives other facts of it, which correct nothing."""

SAYS_OTHERWISE: Final = "the stored sale has another "
"""How the detail of such a row begins to list the facts, to its end."""

_REPEATS: Final = "already_held"
# Assessor figures change every year without being corrections, and the merge takes them from the tax file.
_COMPARED: Final = tuple(
    field.name
    for field in (*PROPERTY_FIELDS, *SALE_FIELDS)
    if field.name not in {*TAX_WINS, ASSESSED_RISE, "property_id", "sale_id", "address", "unit"}
)
_OF_HOME: Final = tuple(field.name for field in PROPERTY_FIELDS if field.name in _COMPARED)
_FACTS_OF_HOME: Final = 3
_NUMBERS_SALES: Final = 0.5
"""The share of a file's known sale ids that must belong to the same home as before, for the ids to number sales."""


class Repeats(StrEnum):
    """What the other facts of a row do that repeats a stored sale: nothing, or they correct it, as a person chose."""

    STAY = "stay"
    CORRECT = "correct"


@dataclass(frozen=True)
class HeldBack:
    """A market's stored sales, the earlier states of those that were corrected, and what ``repeats`` of them do.

    Both tables are canonical; ``superseded`` may lack columns and have no rows.
    """

    sales: pd.DataFrame
    superseded: pd.DataFrame
    repeats: Repeats = Repeats.STAY


def settle_repeats(facts: pd.DataFrame, rows: Ints, usable: Bools, held: HeldBack | None, findings: Findings) -> Ints:
    """Separate corrections and duplicates from new sales.

    ``facts`` is canonical, shape (n, columns); ``rows`` has the row numbers shown, ``usable`` those not rejected.
    Duplicates are recorded in ``findings``. Returns, for each row, the position in ``held.sales`` of the sale it
    corrects, -1 if none.
    """
    target = np.full(len(facts), -1, dtype="int64")
    if held is None or held.sales.empty:
        find_duplicates(facts, rows, usable, None, None, findings)
        return target
    by_id = _by_sale_id(facts, usable, held)
    findings.add(by_id.superseded, SUPERSEDED, "a later file already corrected this sale")
    findings.add(by_id.repeats, _REPEATS, "the sale is already stored")
    by_id = _one_each(facts, rows, by_id, findings)
    target[by_id.corrects] = by_id.target[by_id.corrects]
    rest = usable & ~findings.found & (target < 0)
    if held.repeats is Repeats.CORRECT:
        taken = _surely_repeated(facts, rows, rest, held)
        taken[np.isin(taken, by_id.target)] = -1
        target = np.where(taken >= 0, taken, target)
        rest &= taken < 0
    repeated = find_duplicates(facts, rows, rest, held.sales, held.superseded, findings)
    rest &= ~findings.found
    repeats = np.array([reason == _REPEATS for reason in findings.reasons], dtype=bool)
    _note_other_facts(facts, repeated, held.sales, findings)
    same_day = _by_home_and_date(facts, rest | repeats, rest, held.sales)
    same_day[np.isin(same_day, target[target >= 0])] = -1
    return np.where(target >= 0, target, same_day)


def filled_from(held: pd.DataFrame, target: Ints, facts: pd.DataFrame) -> pd.DataFrame:
    """Return the correcting rows, with missing values taken from the stored sale: an empty cell erases nothing."""
    before = conform(held.iloc[target], facts.columns).set_axis(facts.index)
    filled: dict[str, pd.Series] = {
        str(name): facts[name].where(facts[name].notna(), before[name])
        for name in facts
        if facts[name].dtype == before[name].dtype
    }
    return facts.assign(**filled)


# By sale id


@dataclass(frozen=True)
class _ById:
    """For each row: the stored sale with its sale id and home, or -1, and how the row relates to it."""

    target: Ints
    corrects: Bools
    repeats: Bools
    superseded: Bools


def _by_sale_id(facts: pd.DataFrame, usable: Bools, held: HeldBack) -> _ById:
    target = _target_of_sale_id(facts, usable, held.sales)
    pairs = np.flatnonzero(target >= 0)
    ours = facts.iloc[pairs].reset_index(drop=True)
    theirs = held.sales.iloc[target[pairs]].reset_index(drop=True)
    differs = _differs(ours, theirs)
    here = _same_home(ours, theirs)
    corrects, repeats, superseded = (np.zeros(len(facts), dtype=bool) for _ in range(3))
    corrects[pairs] = here & differs
    repeats[pairs] = here & ~differs
    was = np.flatnonzero(corrects)
    repeats_another = _repeats_another(facts.iloc[was], target[was], held.sales)
    corrects[was[repeats_another]] = False
    was = was[~repeats_another]
    superseded[was] = _was_held(facts.iloc[was], held.sales.iloc[target[was]], held.superseded)
    # A file that contains an earlier state is out of date for that sale.
    superseded |= corrects & np.isin(target, target[superseded])
    return _ById(np.where(corrects | repeats, target, -1), corrects & ~superseded, repeats, superseded)


def _target_of_sale_id(facts: pd.DataFrame, usable: Bools, held: pd.DataFrame) -> Ints:
    if "sale_id" not in facts or "sale_id" not in held:
        return np.full(len(facts), -1, dtype="int64")
    ids = held["sale_id"].astype("str")
    places = np.flatnonzero((ids.notna() & ~ids.duplicated(keep=False)).to_numpy())
    place = pd.Index(ids.iloc[places]).get_indexer(pd.Index(facts["sale_id"].astype("str")))
    found = usable & (place >= 0) & facts["sale_id"].notna().to_numpy()
    return np.where(found, places[place] if len(places) else -1, -1).astype("int64")


def _one_each(facts: pd.DataFrame, rows: Ints, by_id: _ById, findings: Findings) -> _ById:
    """Correct each stored sale at most once: not if the file also repeats it, nor if two rows disagree."""
    candidates = np.flatnonzero(by_id.corrects)
    matched = pd.DataFrame(
        {
            "target": by_id.target[candidates],
            "date": facts["sale_date"].to_numpy()[candidates],
            "price": facts["sale_price"].to_numpy()[candidates],
        }
    )
    sayings = matched.drop_duplicates().groupby("target").size().reindex(matched["target"]).to_numpy()
    clear = (sayings == 1) & ~np.isin(matched["target"], by_id.target[by_id.repeats])
    first = ~matched.duplicated("target").to_numpy()
    corrects, again = np.zeros((2, len(facts)), dtype=bool)
    corrects[candidates] = clear & first
    again[candidates] = clear & ~first
    row_of = dict(zip(matched["target"][first], rows[candidates[first]], strict=True))
    findings.add(again, "duplicate_sale", [f"the same sale as row {row_of[one]}" for one in by_id.target[again]])
    return _ById(by_id.target, corrects, by_id.repeats, by_id.superseded)


def _repeats_another(facts: pd.DataFrame, target: Ints, held: pd.DataFrame) -> Bools:
    """Mark the rows that match, by home, date and price, another stored sale than the one with their sale id."""
    repeats = np.zeros(len(facts), dtype=bool)
    if not len(facts):
        return repeats
    margin = pd.Timedelta(days=NEAR_DAYS)
    tolerance = held["sale_date"].between(facts["sale_date"].min() - margin, facts["sale_date"].max() + margin)
    places = np.flatnonzero(tolerance.to_numpy())
    pairs = _pairs_of_homes(facts, held.iloc[places])
    left, right = facts.iloc[pairs["ours"]], held.iloc[places[pairs["earlier"]]]
    another = places[pairs["earlier"]] != target[pairs["ours"]]
    repeats[pairs["ours"].to_numpy()[another & _retyped(left, right)]] = True
    return repeats


def _was_held(facts: pd.DataFrame, now: pd.DataFrame, superseded: pd.DataFrame) -> Bools:
    """Mark the rows that repeat an earlier state of their sale; ``now`` has the stored sales, row by row.

    They equal a state of their sale id or home in all facts both have, or have its price and date (as retyped) while
    the stored sale has others: a file may describe one sale twice.
    """
    was = np.zeros(len(facts), dtype=bool)
    if superseded.empty or not len(facts):
        return was
    pairs = _pairs(facts, superseded)
    ours, earlier = (facts.iloc[pairs["ours"]], superseded.iloc[pairs["earlier"]])
    left, right, held = (one.reset_index(drop=True) for one in (ours, earlier, now.iloc[pairs["ours"]]))
    same_as_before = ~_differs(left, right) | (_retyped(left, right) & ~_retyped(left, held))
    was[pairs["ours"].to_numpy()[same_as_before]] = True
    return was


def _pairs(facts: pd.DataFrame, superseded: pd.DataFrame) -> pd.DataFrame:
    """Return the positions (ours, earlier) of rows and earlier states with the same sale id or identified home."""
    ours = pd.DataFrame({"sale_id": _text(facts, "sale_id").to_numpy(), "ours": np.arange(len(facts))})
    ids = pd.DataFrame({"sale_id": _text(superseded, "sale_id").to_numpy(), "earlier": np.arange(len(superseded))})
    by_id = ours.dropna().merge(ids.dropna(), on="sale_id")[["ours", "earlier"]]
    return pd.concat([by_id, _pairs_of_homes(facts, superseded)]).drop_duplicates(ignore_index=True)


def _pairs_of_homes(facts: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    table = pd.concat([conform(earlier, facts.columns), facts], ignore_index=True)
    is_ours = np.arange(len(table)) >= len(earlier)
    home = home_ids(table, _shares_number(table, is_ours))
    keys = pd.DataFrame({"home": home, "place": np.where(is_ours, np.arange(len(table)) - len(earlier), table.index)})
    known = home >= 0
    pairs = keys[known & is_ours].merge(keys[known & ~is_ours], on="home", suffixes=("_ours", "_earlier"))
    return pairs.rename(columns={"place_ours": "ours", "place_earlier": "earlier"})[["ours", "earlier"]]


def _shares_number(table: pd.DataFrame, is_ours: Bools) -> Bools:
    """Mark the rows whose house number occurs in both kinds of rows: only their address keys are needed."""
    if "address" not in table:
        return np.zeros(len(table), dtype=bool)
    number = house_numbers(table)
    return number.isin(set(number[is_ours]) & set(number[~is_ours])).to_numpy(dtype=bool)


def _retyped(ours: pd.DataFrame, theirs: pd.DataFrame) -> Bools:
    apart = np.abs(ours["sale_date"].to_numpy() - theirs["sale_date"].to_numpy()) <= np.timedelta64(NEAR_DAYS, "D")
    ratio = np.abs(np.log(_number(ours, "sale_price") / _number(theirs, "sale_price")))
    return np.asarray(apart & (ratio <= np.log1p(NEAR_PRICE) + 1e-12))


def _same_home(ours: pd.DataFrame, theirs: pd.DataFrame) -> Bools:
    """Mark the pairs of rows with one sale id that are of one home: publishers may reuse sale ids for other homes."""
    id_known, id_same = _agree(_text(ours, "property_id"), _text(theirs, "property_id"))
    left, right = dwelling_keys(ours), dwelling_keys(theirs)
    key_known, key_same = _agree(left, right)
    zip_known, zip_same = _agree(area_codes(_text(ours, "zipcode")), area_codes(_text(theirs, "zipcode")))
    at_one_address = key_same & (~zip_known | zip_same)
    same_address = at_one_address & identified(ours, left) & identified(theirs, right)
    alike = np.where(key_known, at_one_address, _same_facts_of_home(ours, theirs))
    if len(ours) and np.where(id_known, id_same, alike).mean() >= _NUMBERS_SALES:
        same_address |= alike & (_same_day(ours, theirs) | _same_price(ours, theirs))
    return np.where(id_known, id_same, same_address)


def _same_facts_of_home(ours: pd.DataFrame, theirs: pd.DataFrame) -> Bools:
    """Mark the pairs that both know at least _FACTS_OF_HOME facts of the home, all of them the same."""
    known, differing = np.zeros(len(ours), dtype="int64"), np.zeros(len(ours), dtype=bool)
    for name, both in _known_twice(ours, theirs, _OF_HOME):
        known += both
        differing |= both & unequal(name, ours[name], theirs[name])
    return (known >= _FACTS_OF_HOME) & ~differing


def _same_day(ours: pd.DataFrame, theirs: pd.DataFrame) -> Bools:
    return np.asarray(ours["sale_date"].to_numpy() == theirs["sale_date"].to_numpy())


def _same_price(ours: pd.DataFrame, theirs: pd.DataFrame) -> Bools:
    return ~unequal("sale_price", ours["sale_price"], theirs["sale_price"])


def _agree(ours: pd.Series, theirs: pd.Series) -> tuple[Bools, Bools]:
    known = (ours.notna() & theirs.notna()).to_numpy()
    return known, known & (ours.fillna("") == theirs.fillna("")).to_numpy()


def _differs(ours: pd.DataFrame, theirs: pd.DataFrame) -> Bools:
    """Mark the pairs of rows that differ in a fact of the sale that both have; address and ids identify the home."""
    differs = np.zeros(len(ours), dtype=bool)
    for differing in _differences(ours, theirs).values():
        differs |= differing
    return differs


def _differences(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, Bools]:
    """Return, for each fact of the sale that both tables have, in which pairs of rows it is known twice and differs."""
    return {
        name: both & unequal(name, ours[name], theirs[name])
        for name, both in _known_twice(ours, theirs, _COMPARED)
        if both.any()
    }


def _known_twice(ours: pd.DataFrame, theirs: pd.DataFrame, names: Iterable[str]) -> Iterator[tuple[str, Bools]]:
    """Yield the facts that both tables have, with the pairs of rows in which both know them."""
    for name in names:
        if name in ours and name in theirs:
            yield name, (ours[name].notna() & theirs[name].notna()).to_numpy()


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        return pd.Series(np.nan, index=frame.index, dtype="str")
    return frame[name].astype("str")


def _number(frame: pd.DataFrame, name: str) -> Floats:
    return frame[name].to_numpy(dtype="float64") if name in frame else np.full(len(frame), np.nan)


# By home and date


def _by_home_and_date(facts: pd.DataFrame, eligible: Bools, new: Bools, held: pd.DataFrame) -> Ints:
    """Return the stored sale of each new row's home on its date, -1 if there is none or more than one.

    ``eligible`` marks the new rows and those that repeat a stored sale. A sale that one row repeats is not corrected by
    another row, and if two new rows match one sale, neither corrects it.
    """
    target = np.full(len(facts), -1, dtype="int64")
    ours = np.flatnonzero(eligible)
    theirs = np.flatnonzero(held["sale_date"].isin(facts["sale_date"].to_numpy()[new]).to_numpy())
    if not new.any() or not len(theirs):
        return target
    table = pd.concat([conform(held.iloc[theirs], facts.columns), facts.iloc[ours]], ignore_index=True)
    is_held = np.arange(len(table)) < len(theirs)
    is_new = np.concatenate([np.zeros(len(theirs), dtype=bool), new[ours]])
    needed = _shares_date_and_number(table, is_held, is_new)
    home = home_ids(table, needed)
    group = pd.DataFrame({"home": home, "date": table["sale_date"].to_numpy()}).groupby(["home", "date"]).ngroup()
    counted = pd.DataFrame({"group": group, "held": is_held, "new": ~is_held}).groupby("group")[["held", "new"]].sum()
    sole = counted.index[(counted["held"] == 1) & (counted["new"] == 1)]
    decided = (home >= 0) & group.isin(sole).to_numpy()
    held_of = pd.Series(np.flatnonzero(decided & is_held), index=group[decided & is_held])
    rows = np.flatnonzero(decided & is_new)
    partner = held_of.reindex(group.iloc[rows]).to_numpy()
    with_partner = ~np.isnan(partner.astype("float64"))
    rows, partner = rows[with_partner], partner[with_partner].astype("int64")
    ids = _text(table, "sale_id")
    numbered_apart = _numbered_apart(ids.iloc[rows], ids.iloc[partner])
    rows, partner = rows[~numbered_apart], partner[~numbered_apart]
    target[ours[rows - len(theirs)]] = theirs[partner]
    return target


def _surely_repeated(facts: pd.DataFrame, rows: Ints, usable: Bools, held: HeldBack) -> Ints:
    """Return, for each row, the stored sale that it surely repeats with other facts, -1 for none.

    Sure is one row alone of one home on the same day at the same price, whose address is no other where both have one,
    and that differs in no more facts than agree: two flats of one parcel may be sold together. A row that repeats an
    earlier state of its sale corrects nothing.
    """
    sure = np.full(len(facts), -1, dtype="int64")
    repeated = find_duplicates(facts, rows, usable, held.sales, held.superseded, Findings(len(facts)))
    pairs = np.flatnonzero(repeated >= 0)
    ours = facts.iloc[pairs].reset_index(drop=True)
    theirs = held.sales.iloc[repeated[pairs]].reset_index(drop=True)
    differing = sum((one.astype("int64") for one in _differences(ours, theirs).values()), np.zeros(len(ours)))
    known = sum((both.astype("int64") for _, both in _known_twice(ours, theirs, _COMPARED)), np.zeros(len(ours)))
    keys_known, keys_same = _agree(dwelling_keys(ours), dwelling_keys(theirs))
    alone = ~pd.Series(repeated[pairs]).duplicated(keep=False).to_numpy()
    found = alone & (differing > 0) & (2 * differing <= known) & (keys_same | ~keys_known)
    found &= _same_home(ours, theirs) & _same_day(ours, theirs) & _same_price(ours, theirs)
    again = np.flatnonzero(found)
    found[again] = ~_was_held(ours.iloc[again], theirs.iloc[again], held.superseded)
    sure[pairs[found]] = repeated[pairs[found]]
    return sure


def _note_other_facts(facts: pd.DataFrame, repeated: Ints, held: pd.DataFrame, findings: Findings) -> None:
    """Record which rows give other facts of the stored sale they repeat, and name the facts.

    ``repeated`` has the position in ``held`` of each row's sale, -1 for none. Such a row may come from another source,
    or correct the sale: without a sale id, nothing tells which.
    """
    pairs = np.flatnonzero(repeated >= 0)
    ours = facts.iloc[pairs].reset_index(drop=True)
    theirs = held.iloc[repeated[pairs]].reset_index(drop=True)
    differences = pd.DataFrame(_differences(ours, theirs), index=ours.index, dtype=bool)
    otherwise = differences.to_numpy(dtype=bool)
    differs = otherwise.any(axis=1)
    mask = np.zeros(len(facts), dtype=bool)
    mask[pairs[differs]] = True
    details = [
        SAYS_OTHERWISE + ", ".join(_apart(str(name), ours, theirs, row) for name in names)
        for row, names in zip(
            np.flatnonzero(differs).tolist(), (differences.columns[row] for row in otherwise[differs]), strict=True
        )
    ]
    findings.add(mask, OTHER_FACTS, details)


def _apart(name: str, ours: pd.DataFrame, theirs: pd.DataFrame, row: int) -> str:
    """Name a fact with its stored value and the row's: "bedrooms (3, here 7)"."""
    stored, here = (_written(table[name].iloc[row]) for table in (theirs, ours))
    return f"{label_of(name).lower()} ({stored}, here {here})"


def _written(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return str(value) if isinstance(value, str) else f"{value:.12g}"


def _numbered_apart(ours: pd.Series, theirs: pd.Series) -> Bools:
    known, same = _agree(ours.reset_index(drop=True), theirs.reset_index(drop=True))
    return known & ~same


def _shares_date_and_number(table: pd.DataFrame, is_held: Bools, is_new: Bools) -> Bools:
    """Mark the rows whose date and house number occur in both stored and new rows: only their keys are needed."""
    number = house_numbers(table)
    if number.isna().all():
        return np.zeros(len(table), dtype=bool)
    cells = pd.DataFrame({"date": table["sale_date"], "number": number, "held": is_held, "new": is_new})
    both = cells.groupby(["date", "number"])[["held", "new"]].transform("any")
    return np.asarray((both["held"] & both["new"]).fillna(False).to_numpy(dtype=bool))
