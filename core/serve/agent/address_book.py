"""The homes a market knows from its sales and its tax roll, found by a few letters of their address or by number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from core.arrays import Ints, Objects
from core.collect.addresses import address_key, with_unit
from core.collect.join_keys import bare_ids, column_or_missing, full_keys
from core.prepare.features.rows_by_key import RowsByKey
from core.schema import ONLY_ON_ROLL, label_of
from core.serve.agent.tax_roll import BY_ID, DAY, KEY
from core.serve.subject import Value
from core.serve.words import readable_address
from core.wording import NO_DIGITS, Conventions, IdDigits, market_day, with_id_words

FOUND_MAX: Final = 5
# Of 100; below it, two addresses share little more than their digits.
_LIKENESS_MIN: Final = 70
_NUMBER: Final = re.compile(r"\d+")
_DIGITS: Final = re.compile(r"([0-9]+)")
_ID: Final = "property_id"
# Shorter texts are house numbers before they are numbers of a parcel.
_ID_LENGTH_MIN: Final = 4
# What people write before the number, and the end that a spreadsheet gives it.
_ID_WORDS: Final = re.compile(
    r"^\W*(?:(?:property|parcel|tax|account|apn|ain|pin|id|number|no|nr|num)\b[\W_]*)+", re.IGNORECASE
)
_CELL: Final = re.compile(r"^(\d+)\.0+\s*$")
_KEPT: Final = ("address", "unit", _ID)


@dataclass(frozen=True)
class KnownHome:
    """A home as its latest sale and the tax roll recorded it: ``facts`` are canonical, never a price.

    ``recorded`` is the sale's day, None for a home without a sale; ``on_roll`` the day of its tax record, None without
    one. ``from_roll`` names the facts that are the roll's; the others are the sale's.
    """

    address: str
    facts: Mapping[str, Value]
    recorded: date | None
    on_roll: date | None = None
    from_roll: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Matches:
    """The homes that fit what was typed best, and how many ``more`` fit as well as the first of them."""

    homes: tuple[KnownHome, ...]
    more: int


class AddressBook:
    """A market's homes by address, the latest record of each; build it once for a data version."""

    def __init__(
        self,
        sales: pd.DataFrame,
        names: Iterable[str],
        roll: pd.DataFrame | None = None,
        digits: IdDigits = NO_DIGITS,
    ) -> None:
        """Index sales and tax roll (see tax_roll); ``names`` are the facts to keep of each home."""
        kept = tuple(dict.fromkeys((*names, *_KEPT)))
        recorded = sales.sort_values("sale_date", kind="stable")
        self._sales = _Homes(recorded.assign(**{KEY: _keys(recorded, roll)}), kept, "sale_date", digits)
        self._roll = _Homes(roll, kept, DAY, digits) if roll is not None else None
        self._books = (self._sales,) if self._roll is None else (self._sales, self._roll)

    def __len__(self) -> int:
        """Return how many homes are known."""
        known = set(np.asarray(self._sales.keys))
        roll = () if self._roll is None else np.asarray(self._roll.keys)
        return len(known) + sum(key not in known for key in roll)

    def find(self, typed: str) -> Matches:
        """Find the homes whose address is most like what was typed, at most ``FOUND_MAX``, the likeliest first.

        Those that fit equally well come by street, house number and unit, 9 before 10. A whole property id finds its
        home, too. A home whose whole address was typed comes alone, unless the address has units.
        """
        found = [hit for book in self._books for hit in book.find(typed)]
        best: dict[str, float] = {}
        for likeness, key in sorted(found, key=lambda hit: (-hit[0], _in_order(hit[1]))):
            best.setdefault(key, likeness)
        # One home is in both; a source without zip codes spells its key without one.
        with_zip = {key.partition("|")[0] for key in best if not key.endswith("|")}
        alone = [key for key in best if not (key.endswith("|") and key[:-1] in with_zip)]
        alone = _exact(alone, address_key(typed.strip())) or alone
        shown, others = alone[:FOUND_MAX], alone[FOUND_MAX:]
        more = sum(best[key] >= best[shown[0]] for key in others)
        return Matches(tuple(self._home(key) for key in shown), more)

    def numbered(self, typed: str) -> KnownHome | None:
        """Return the one home whose whole property id was typed; None if there is none, or more than one."""
        keys = {key for book in self._books for key in book.with_id(typed)}
        return self._home(keys.pop()) if len(keys) == 1 else None

    def known(self, homes: pd.DataFrame) -> Iterator[KnownHome | None]:
        """Yield for each home, given by address, unit and zip code, what is recorded under just this address.

        An address without a zip code is known where only one area has it.
        """
        for key in full_keys(homes):
            yield self._recorded(self._with_area(key)) if isinstance(key, str) and key else None

    def _with_area(self, key: str) -> str:
        """Return the key with its zip code where it lacks one and only one home has this address."""
        if not key.endswith("|"):
            return key
        whole = {found for book in self._books for found in book.beginning(key)} - {key}
        return whole.pop() if len(whole) == 1 else key

    def _home(self, key: str) -> KnownHome:
        found = self._recorded(key)
        assert found is not None
        return found

    def _recorded(self, key: str) -> KnownHome | None:
        bare = key.partition("|")[0] + "|"
        sale = self._sales.record(key, bare)
        tax = self._roll.record(key, bare) if self._roll is not None else None
        if sale is None and tax is None:
            return None
        recorded, listed = (sale.facts if sale else {}), (tax.facts if tax else {})
        # The roll's own figures are newer than those it had when the home was sold.
        newer = {name: value for name, value in listed.items() if name in ONLY_ON_ROLL}
        facts = {**listed, **recorded, **newer}
        lacking = frozenset(facts) - frozenset(recorded) | frozenset(newer)
        sources = [source for source in (sale, tax) if source is not None]
        named = next((source for source in sources if "address" in source.facts), sources[0])
        address = _address(named)
        on_roll = tax.day if tax is not None and lacking else None
        return KnownHome(address, facts, sale.day if sale else None, on_roll, lacking)


@dataclass(frozen=True)
class _Record:
    """What one source has of a home, and when it got it."""

    facts: Mapping[str, Value]
    unit: str
    day: date


class _Homes:
    """The homes of one source, the last record of each, by address and by property id."""

    def __init__(self, records: pd.DataFrame, names: tuple[str, ...], day: str, digits: IdDigits) -> None:
        last = ~records[KEY].duplicated(keep="last") & records[KEY].notna() & records[KEY].ne("")
        held = records[last]
        self.keys: Objects = held[KEY].to_numpy(dtype=object)
        self._days = held[day].to_numpy()
        facts = held[[name for name in names if name in held]].reset_index(drop=True)
        self._facts = with_id_words(facts, digits)
        self._by_key = _index(self.keys)
        self._by_id = _index(bare_ids(column_or_missing(self._facts, _ID).astype("str")))
        self._by_number = _index([_house_number(key) for key in self.keys])
        streets = np.array([_street(key) for key in self.keys], dtype=object)
        self._streets: Objects = np.unique(streets[streets != ""].astype(str)).astype(object)
        self._by_street = _index(streets)

    def find(self, typed: str) -> Iterator[tuple[float, str]]:
        """Yield the keys of the homes that fit best, with how well they do, 0 to 100 (more for a property id)."""
        yield from ((200.0, key) for key in self.with_id(typed))
        wanted = address_key(typed.strip())
        if not wanted or not len(self.keys):
            return
        numbered = self._by_number.of_key(_house_number(wanted))
        rows = numbered if len(numbered) else self._alike(wanted)
        near = [self.keys[row].partition("|")[0] for row in rows]
        scorer = _likeness if len(numbered) else fuzz.ratio
        # All of them: of the units of one building, which fit alike, the first are to be shown.
        hits = process.extract(wanted, near, scorer=scorer, limit=None, score_cutoff=_LIKENESS_MIN)
        yield from ((score, self.keys[rows[at]]) for _, score, at in hits)

    def with_id(self, typed: str) -> Iterator[str]:
        """Yield the keys of the homes whose whole property id was typed, at most ``FOUND_MAX``."""
        bare = _CELL.sub(r"\1", _ID_WORDS.sub("", typed))
        number = bare_ids(pd.Series([bare], dtype="str"))[0]
        if isinstance(number, str) and len(number) >= _ID_LENGTH_MIN and any(map(str.isdigit, number)):
            yield from (self.keys[row] for row in self._by_id.of_key(number)[:FOUND_MAX])

    def beginning(self, bare: str) -> Iterator[str]:
        """Yield the keys of the homes with this address, whatever their zip code."""
        rows = self._by_number.of_key(_house_number(bare))
        yield from (key for key in self.keys[rows] if key.startswith(bare))

    def record(self, key: str, bare: str) -> _Record | None:
        """Return the record of a home by its key, else by its key without zip code; None if there is none."""
        found_rows = self._by_key.of_keys(np.array([key, bare], dtype=object))
        row = next((int(rows[0]) for rows in found_rows if len(rows)), None)
        if row is None:
            return None
        found = self._facts.iloc[row]
        facts = {
            str(name): _value(value)
            for name, value in found.items()
            if name != "unit" and pd.notna(value) and value != ""
        }
        unit = found.get("unit")
        return _Record(facts, unit.strip() if isinstance(unit, str) else "", pd.Timestamp(self._days[row]).date())

    def _alike(self, wanted: str) -> Ints:
        """Return the rows of the streets most like what was typed: they are few, where homes are many."""
        street = _NUMBER.sub("", wanted, count=1).strip() if _NUMBER.match(wanted) else wanted
        found = process.extract(street, np.asarray(self._streets).tolist(), scorer=fuzz.ratio, limit=FOUND_MAX)
        rows = [self._by_street.of_key(name) for name, _, _ in found]
        return np.concatenate(rows) if rows else np.empty(0, dtype="int64")


def sources_words(home: KnownHome, market: Conventions) -> str:
    """Say where each known fact of a home is from, and of when."""
    roll = f"tax roll, {home.on_roll.year}" if home.on_roll is not None else ""
    if home.recorded is None:
        return f"Facts as on the {roll}"
    sale = f"Facts as recorded with its sale of {market_day(home.recorded, market.currency)}"
    shown = home.from_roll - ONLY_ON_ROLL - {*_KEPT}
    named = [label_of(name).lower() for name in home.facts if name in shown]
    return f"{sale}; {', '.join(named)} from the {roll}" if roll and named else sale


def _address(record: _Record) -> str:
    address = readable_address(str(record.facts["address"]).strip()) if "address" in record.facts else ""
    if not address:
        return str(record.facts.get(_ID, ""))
    return with_unit(address, record.unit)


def _likeness(wanted: str, key: str, score_cutoff: float | None = None) -> float:
    """Return how well an address fits what was typed of it, 0 to 100; words may lack, or lack letters."""
    return (fuzz.token_set_ratio(wanted, key) + fuzz.partial_ratio(wanted, key)) / 2


def _exact(keys: list[str], wanted: str) -> list[str]:
    """Return the keys with just this address, with or without its zip code; none if some are units of it."""
    if not wanted or any(key.startswith(f"{wanted} ") for key in keys):
        return []
    return [key for key in keys if wanted in (key.partition("|")[0], key.replace("|", " "))]


def _keys(sales: pd.DataFrame, roll: pd.DataFrame | None) -> pd.Series:
    """Return the key of each sale's home: its address, else that of its property id on the roll, else its id."""
    ids = bare_ids(column_or_missing(sales, _ID).astype("str"))
    keys = full_keys(sales)
    if roll is not None:
        listed = pd.Series(
            roll[KEY].to_numpy(), index=bare_ids(column_or_missing(roll, _ID).astype("str")), dtype="str"
        )
        listed = listed[listed.index.notna() & ~listed.index.duplicated()]
        keys = keys.fillna(ids.map(listed))
    return keys.fillna(BY_ID + ids)


def _index(keys: Iterable[object]) -> RowsByKey:
    texts = np.array([key if isinstance(key, str) else "" for key in keys], dtype=object)
    return RowsByKey.of(texts, np.zeros(len(texts)))


def _in_order(key: str) -> tuple[str | int, ...]:
    """Return what sorts addresses as people count: "#9" before "#10"."""
    return tuple(int(part) if part.isdecimal() else part for part in _DIGITS.split(key))


def _house_number(key: str) -> str:
    """Return the house number an address begins with, "" if it has none."""
    number = _NUMBER.match(key)
    return number.group() if number else ""


def _street(key: str) -> str:
    """Return an address without zip code and house number; "" for a home without an address."""
    return "" if key.startswith(BY_ID) else _NUMBER.sub("", key.partition("|")[0], count=1).strip()


def _value(recorded: object) -> Value:
    return float(recorded) if isinstance(recorded, int | float | np.number) else str(recorded)
