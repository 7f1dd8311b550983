"""The homes of a market's tax roll, sold or not, as they are kept for the look-up of addresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import pandas as pd

from core.collect.join_keys import column_or_missing, full_keys
from core.schema import PROPERTY_FIELDS, is_extra

KEY: Final = "roll_key"
DAY: Final = "roll_day"
BY_ID: Final = "id:"
"""How the key of a home without an address begins, before its property id."""

_KEPT: Final = frozenset(field.name for field in PROPERTY_FIELDS)


@dataclass(frozen=True)
class RollNews:
    """How many homes a file brings to a tax roll that it did not have, and of how many it has other facts."""

    new: int = 0
    changed: int = 0

    @property
    def homes(self) -> int:
        """The number of homes of which the roll has more than before."""
        return self.new + self.changed


def roll_news(held: pd.DataFrame | None, joined: pd.DataFrame | None) -> RollNews:
    """Compare the homes of a roll with those held before; the day that a record came is no fact of the home."""
    if joined is None:
        return RollNews()
    if held is None:
        return RollNews(len(joined))
    known = joined[KEY].isin(held[KEY])
    facts = [name for name in joined if name != DAY]
    after = joined.loc[known, facts].set_index(KEY)
    before = held.set_index(KEY).reindex(index=after.index, columns=after.columns)
    same = after.eq(before) | (after.isna() & before.isna())
    return RollNews(int((~known).sum()), int((~same.fillna(value=False).all(axis=1)).sum()))


def joined_roll(
    load_held: Callable[[], pd.DataFrame | None], new: pd.DataFrame | None, day: date
) -> pd.DataFrame | None:
    """Return the records held with those of a new file, the newest of each home; None without a new file.

    ``load_held`` is called only where there is a new one, and ``day`` is when that came.

    Records are kept with the facts of a home only, words of a market's own columns and all sale fields left out. A home
    is known by its address with zip code, one without address by its property id.
    """
    if new is None:
        return None
    names = [
        name for name in new.columns if name in _KEPT or (is_extra(name) and pd.api.types.is_numeric_dtype(new[name]))
    ]
    roll = new[names].reset_index(drop=True)
    keys = full_keys(roll).fillna(BY_ID + column_or_missing(roll, "property_id"))
    roll[KEY], roll[DAY] = keys, pd.Timestamp(day)
    roll = roll[keys.notna()]
    if (held := load_held()) is not None:
        roll = pd.concat([held, roll], ignore_index=True)
    roll = roll[~roll[KEY].duplicated(keep="last")].reset_index(drop=True)
    return roll if len(roll) else None
