"""The homes a market's sales have recorded, found by a few letters of their address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from core.arrays import Ints
from core.collect.addresses import address_key, address_keys
from core.serve.subject import Value
from core.serve.words import readable_address

FOUND_MAX: Final = 5
# Of 100; below it, two addresses share little more than their digits.
_LIKENESS_MIN: Final = 70
_UNIT_WORD: Final = re.compile(r"^(?:unit |apt |#)*(?=\S)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True)
class KnownHome:
    """A home as its latest sale recorded it: ``facts`` are canonical, never a price; ``recorded`` is the sale's day."""

    address: str
    facts: Mapping[str, Value]
    recorded: date


class AddressBook:
    """A market's homes by address, the latest sale of each; build it once for a data version."""

    def __init__(self, sales: pd.DataFrame, names: Iterable[str]) -> None:
        """Index sales; ``names`` are the facts to keep of each home."""
        recorded = sales.sort_values("sale_date", kind="stable") if "address" in sales else sales.head(0)
        addresses = recorded.get("address", pd.Series(dtype="str"))
        units = recorded.get("unit", pd.Series("", index=recorded.index)).fillna("").astype("str")
        recorded = recorded[addresses.notna()]
        keys = address_keys(recorded.get("address", addresses), units[recorded.index])
        last = ~keys.duplicated(keep="last") & keys.ne("").fillna(False)
        kept = dict.fromkeys((*names, "address", "unit", "sale_date"))
        self._homes = recorded.loc[last, [name for name in kept if name in recorded]].reset_index(drop=True)
        self._names = tuple(name for name in kept if name in self._homes and name not in ("unit", "sale_date"))
        self._keys: list[str] = keys[last].tolist()
        self._by_number = _by_number(self._keys)

    def __len__(self) -> int:
        """Return how many homes are known."""
        return len(self._keys)

    def find(self, typed: str) -> list[KnownHome]:
        """Return the homes whose address is most like what was typed, at most ``FOUND_MAX``, the likeliest first."""
        wanted = address_key(typed.strip())
        number = _NUMBER.match(wanted)
        if not wanted or not self._keys:
            return []
        rows = self._by_number.get(number.group()) if number else None
        if rows is None:
            found = process.extract(wanted, self._keys, scorer=fuzz.ratio, limit=FOUND_MAX, score_cutoff=_LIKENESS_MIN)
            return [self._home(at) for _, _, at in found]
        near = [self._keys[row] for row in rows]
        scores = np.array([_likeness(wanted, key) for key in near])
        best = np.argsort(-scores, kind="stable")[:FOUND_MAX]
        return [self._home(int(rows[at])) for at in best if scores[at] >= _LIKENESS_MIN]

    def _home(self, row: int) -> KnownHome:
        record = self._homes.iloc[row]
        facts = {name: _value(record[name]) for name in self._names if pd.notna(record[name]) and record[name] != ""}
        unit = record.get("unit")
        address = readable_address(str(record["address"]).strip())
        if isinstance(unit, str) and unit.strip() and "#" not in address:
            address = f"{address} #{_UNIT_WORD.sub('', unit.strip())}"
        return KnownHome(address, facts, pd.Timestamp(record["sale_date"]).date())


def _likeness(wanted: str, key: str) -> float:
    """Return how well an address fits what was typed of it, 0 to 100; words may lack, or lack letters."""
    return (fuzz.token_set_ratio(wanted, key) + fuzz.partial_ratio(wanted, key)) / 2


def _by_number(keys: list[str]) -> dict[str, Ints]:
    """Return the rows of the addresses that begin with each house number."""
    found: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        number = _NUMBER.match(key)
        if number:
            found.setdefault(number.group(), []).append(row)
    return {number: np.array(rows) for number, rows in found.items()}


def _value(recorded: object) -> Value:
    return float(recorded) if isinstance(recorded, int | float | np.number) else str(recorded)
