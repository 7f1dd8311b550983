"""The homes of a market's tax roll, sold or not, as they are kept for the look-up of addresses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

import pandas as pd

from core.collect.join_keys import column_or_missing, full_keys
from core.schema import PROPERTY_FIELDS, is_extra

KEY: Final = "roll_key"
DAY: Final = "roll_day"
_KEPT: Final = frozenset(field.name for field in PROPERTY_FIELDS)


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
    keys = full_keys(roll).fillna("id:" + column_or_missing(roll, "property_id"))
    roll[KEY], roll[DAY] = keys, pd.Timestamp(day)
    roll = roll[keys.notna()]
    if (held := load_held()) is not None:
        roll = pd.concat([held, roll], ignore_index=True)
    roll = roll[~roll[KEY].duplicated(keep="last")].reset_index(drop=True)
    return roll if len(roll) else None
