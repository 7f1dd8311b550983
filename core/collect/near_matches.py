"""Near matches: a sale and a tax record whose addresses are probably one, for a person to say yes or no to.

Nothing here joins anything. An address that differs by a letter may be a slip or another street, and no score can tell:
"12 Maple St" and "12 Mapel St" are one home, "12 Main St" and "12 Maine St" two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from core.collect.address_words import LONG_FORMS, SHORT_DIRECTIONS
from core.collect.join_keys import full_keys
from core.collect.merge import ROW

EACH: Final = 3
"""Candidates shown for one sale: anyone who knows the street will recognize it among three."""

_SHORT_WORD: Final = 3
_MOST_SLIPS: Final = 2
_MOST_LETTERS_LEFT_OUT: Final = 10
_NUMBERED: Final = {("HWY",), ("RTE",), ("STATE", "RTE"), ("US", "HWY")}


_Block = tuple[str, str, str]
_Places = dict[_Block, list[tuple[int, str]]]


@dataclass(frozen=True)
class NearMatch:
    """A pair to ask about: ``sales_row`` and ``tax_row`` are rows of the files, addresses as written there.

    ``sales_key`` and ``tax_key`` (see merge.full_keys) name the pair when it is answered; of several sales of one home
    the first stands for all. ``score`` is 0 to 100, how alike the keys are spelt; ``why`` says in words what differs.
    """

    sales_row: int
    sales_address: str
    tax_row: int
    tax_address: str
    sales_key: str
    tax_key: str
    score: float
    why: str


class _Address(NamedTuple):
    """A key taken apart: ``words`` are those of the street without directions and numbers, ``spelt`` them in full."""

    place: int
    key: str
    bare: str
    directions: tuple[str, ...]
    numbers: tuple[str, ...]
    words: tuple[str, ...]
    spelt: str


def near_matches(
    sales: pd.DataFrame, tax: pd.DataFrame, known: Mapping[tuple[str, str], bool]
) -> tuple[NearMatch, ...]:
    """Return pairs of addresses that one home may have, the likeliest first, without those answered in ``known``.

    ``sales`` and ``tax`` are what a merge left over (Merged.sales_left, tax_left). A pair has the same house number and
    unit, and the same zip code unless one has none. Its streets are alike but for a slip of the keyboard or a space, or
    else differ in one thing only: a direction that one lacks or puts behind, or the street type. Pairs with two
    property ids, other numbers or opposite directions are two homes and never asked about. At most EACH pairs a sale.
    """
    found: list[tuple[_Address, _Address, str]] = []
    for ours, theirs in _blocks(_places(sales), _places(tax)):
        found += _alike(ours, theirs, known)
    ids_of_sales, ids_of_tax = sales["property_id"].to_numpy(), tax["property_id"].to_numpy()
    asked = [
        _near_match(sales, tax, pair)
        for pair in found
        if pd.isna(ids_of_sales[pair[0].place]) or pd.isna(ids_of_tax[pair[1].place])
    ]
    asked.sort(key=lambda near: (-near.score, near.sales_row, near.tax_row))
    return tuple(_few_each(asked))


def _few_each(asked: list[NearMatch]) -> Iterator[NearMatch]:
    shown: dict[str, int] = defaultdict(int)
    for near in asked:
        shown[near.sales_key] += 1
        if shown[near.sales_key] <= EACH:
            yield near


def _near_match(sales: pd.DataFrame, tax: pd.DataFrame, pair: tuple[_Address, _Address, str]) -> NearMatch:
    ours, theirs, why = pair
    return NearMatch(
        sales_row=int(sales[ROW].iloc[ours.place]),
        sales_address=_shown(sales, ours.place),
        tax_row=int(tax[ROW].iloc[theirs.place]),
        tax_address=_shown(tax, theirs.place),
        sales_key=ours.key,
        tax_key=theirs.key,
        score=round(fuzz.ratio(ours.bare, theirs.bare), 1),
        why=why,
    )


def _shown(frame: pd.DataFrame, place: int) -> str:
    parts = [frame[name].iloc[place] for name in ("address", "unit", "zipcode")]
    return ", ".join(str(part) for part in parts if pd.notna(part))


# Addresses taken apart


def _parse(place: int, key: str) -> _Address:
    bare = key.rpartition("|")[0]
    rest = bare.partition(" #")[0].split()[1:]
    # "12 E St" lies in a street called E.
    named = [word for word in rest if word not in SHORT_DIRECTIONS and not word[0].isdigit()]
    directions = tuple(word for word in rest if word in SHORT_DIRECTIONS)
    if all(word in LONG_FORMS for word in named) and len(named) == 1 and directions and not _has_digit(rest):
        directions, named = directions[:-1], [directions[-1], *named]
    numbers = tuple(word for word in rest if word[0].isdigit())
    # Compare numbered roads by number, whatever their names.
    spelt = "" if tuple(named) in _NUMBERED else "".join(_long(word) for word in named)
    return _Address(place, key, bare, directions, numbers, tuple(named), spelt)


def _long(word: str) -> str:
    return LONG_FORMS.get(word, word)


def _has_digit(words: list[str]) -> bool:
    return any(word[0].isdigit() for word in words)


# Pairs


def _blocks(ours: _Places, theirs: _Places) -> Iterator[tuple[list[_Address], list[_Address]]]:
    """Yield the groups between which pairs can lie: one number and unit, and one zip code or none on a side."""
    anywhere: dict[_Block, list[tuple[int, str]]] = defaultdict(list)
    for (number, unit, _), places in theirs.items():
        anywhere[number, unit, ""] += places
    nowhere: list[tuple[int, str]] = []
    for (number, unit, zipcode), mine in ours.items():
        if zipcode:
            yours = theirs.get((number, unit, zipcode), nowhere) + theirs.get((number, unit, ""), nowhere)
        else:
            yours = anywhere.get((number, unit, ""), nowhere)
        if yours:
            yield [_parse(*one) for one in mine], [_parse(*one) for one in yours]


def _places(frame: pd.DataFrame) -> _Places:
    """Group the first place of each key, with the key, by house number, unit and zip code."""
    keys = full_keys(frame)
    places = np.flatnonzero((keys.notna() & ~keys.duplicated()).to_numpy()).tolist()
    groups: _Places = defaultdict(list)
    for place, key in zip(places, keys.iloc[places].tolist(), strict=True):
        bare, _, zipcode = key.rpartition("|")
        street, _, unit = bare.partition(" #")
        number, _, name = street.partition(" ")
        if name and number[0].isdigit():
            groups[number, unit, zipcode].append((place, key))
    return groups


def _alike(
    ours: list[_Address], theirs: list[_Address], known: Mapping[tuple[str, str], bool]
) -> Iterator[tuple[_Address, _Address, str]]:
    mine, yours = [one.spelt for one in ours], [one.spelt for one in theirs]
    distance = process.cdist(mine, yours, scorer=OSA.distance, score_cutoff=_MOST_LETTERS_LEFT_OUT, dtype=np.int32)
    lengths = np.abs(np.subtract.outer([len(one) for one in mine], [len(one) for one in yours]))
    # One name within the other is a street without its type; all else is decided by the words themselves.
    near = (distance <= 2 * _MOST_SLIPS) | ((distance == lengths) & (distance <= _MOST_LETTERS_LEFT_OUT))
    for left, right in np.argwhere(near):
        one, other = ours[left], theirs[right]
        why = _difference(one, other)
        if why and (one.key, other.key) not in known:
            yield one, other, why


def _difference(one: _Address, other: _Address) -> str:
    """Say what differs where a person should look at it, empty where these are two homes or one."""
    if one.numbers != other.numbers or one.bare == other.bare:
        return ""
    same_directions = one.directions == other.directions
    if one.words == other.words:
        return _direction_difference(one.directions, other.directions)
    if not same_directions:
        return ""
    if one.words in _NUMBERED and other.words in _NUMBERED:
        differ = len(one.words) != len(other.words)
        return f"road is {' '.join(one.words)} or {' '.join(other.words)}" if differ else ""
    if one.spelt == other.spelt:
        return "street written together or apart"
    return _type_difference(one.words, other.words) or _slip(one, other)


def _direction_difference(ours: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    if sorted(ours) == sorted(theirs):
        return "direction before or behind the street"
    if not ours or not theirs:
        return f"direction {' '.join(ours or theirs)} in one only"
    return ""


def _type_difference(ours: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    shorter, longer = sorted((ours, theirs), key=len)
    if longer[:-1] == shorter and longer[-1] in LONG_FORMS:
        return f"street type {longer[-1]} in one only"
    if ours[:-1] == theirs[:-1] and ours[:-1] and {ours[-1], theirs[-1]} <= LONG_FORMS.keys():
        return f"street type is {ours[-1]} or {theirs[-1]}"
    return ""


def _slip(one: _Address, other: _Address) -> str:
    if len(one.words) != len(other.words):
        alike = OSA.distance(one.spelt, other.spelt) <= 1 and one.words[-1:] == other.words[-1:]
        return "spelt differently" if alike else ""
    differing = [pair for pair in zip(one.words, other.words, strict=True) if pair[0] != pair[1]]
    if all(OSA.distance(_long(left), _long(right)) <= _slips_in(left, right) for left, right in differing):
        return ", ".join(f"{left} or {right}" for left, right in differing)
    return ""


def _slips_in(left: str, right: str) -> int:
    """Return how many letters of a word may be wrong: none in a short one (Oak), one up to twice that, else two."""
    length = max(len(_long(left)), len(_long(right)))
    if length <= _SHORT_WORD or {left, right} <= LONG_FORMS.keys():
        return 0
    return 1 if length <= 2 * _SHORT_WORD else _MOST_SLIPS
