"""What a record itself says against a sale: that a share was sold, or in words that leave its nature open."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools
from core.collect.cells.market import ASKED
from core.schema import EXTRA_PREFIX

_WORDS: Final = re.compile(
    r"quit\W*claim|not\W*(at\W*)?(arm|full\W*market|open\W*market|qualified)|non\W*(arm|qualified|market|use)|unqualified"
    r"|relat(ed|ives)|famil|gift|auction|adjudication|estate\W*sale|probate|divorce|tax\W*(sale|deed)|sheriff"
    r"|foreclos|short\W*sale|bank\W*owned|\breo\b|trustee|multi\W*(ple)?\W*(parcel|sale)|portfolio|bulk",
    re.IGNORECASE,
)
_MARKED_MAX: Final = 0.5
_PLAIN: Final = re.compile(
    r"^\W*(not (a )?(foreclosure|short sale)|none|standard|market|valid|qualified)\W*$", re.IGNORECASE
)
_SHARE_COLUMN: Final = re.compile(
    r"(part|ownership|interest|undivided)_?.*(share|interest|pct|percent)|share_sold|pct_interest"
)
_MULTIPLE_COLUMN: Final = re.compile(r"is_multi_?(sale|parcel)|multi_?(parcel|sale)|(num|number|count)_?(of_)?parcels")


def maybe_non_market(table: pd.DataFrame) -> tuple[Bools, Bools]:
    """Tell which sales of a canonical table are described in words of doubtful sales, and which of these strongly.

    The words are those of ``validity``; what the problem statement names as non-market is rejected before. A column
    that counts the parcels of a deed, or marks deeds of several, is read too. A sale that is only asked about is not
    strongly doubted. Both arrays have shape (n,).
    """
    found, asked = np.zeros((2, len(table)), dtype=bool)
    if "validity" in table:
        words = table["validity"]
        doubtful = [one for one in words.dropna().unique() if _WORDS.search(one) and not _PLAIN.match(one)]
        found |= words.isin(doubtful).to_numpy()
        asked = words.str.startswith(f"{ASKED}: ", na=False).to_numpy(dtype=bool)
        found |= asked
    many = _many_parcels(table)
    return found | many, (found & ~asked) | many


def part_share(table: pd.DataFrame) -> tuple[Bools, Bools]:
    """Tell which sales are of a share of the home, by a column that says how much was sold; both are shape (n,)."""
    found = np.zeros(len(table), dtype=bool)
    for name in _extras(table, _SHARE_COLUMN):
        shares = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype="float64")
        known = shares[np.isfinite(shares)]
        # Written as 0.5 or as 50, by the largest value; a column that never says "all of it" is something else.
        whole = 100.0 if len(known) and known.max() > 1.0 else 1.0
        if len(known) and np.mean(known == whole) > 0.5 and known.min() > 0:
            found |= (shares < whole) & np.isfinite(shares)
    return found, found.copy()


def _many_parcels(table: pd.DataFrame) -> Bools:
    found = np.zeros(len(table), dtype=bool)
    for name in _extras(table, _MULTIPLE_COLUMN):
        values = table[name]
        if values.dtype == "float64":
            is_count = bool((values.dropna() >= 1).all()) and bool((values.dropna() > 1).any())
            mark = values > 1 if is_count else values == 1
        else:
            mark = values.str.casefold().isin(["true", "yes", "y", "t", "multi", "multiple"])
        # Where most sales bear the mark it means something else.
        if mark[values.notna()].mean() < _MARKED_MAX:
            found |= mark.fillna(False).to_numpy(dtype=bool)
    return found


def _extras(table: pd.DataFrame, pattern: re.Pattern[str]) -> list[str]:
    names = [str(name) for name in table]
    return [name for name in names if name.startswith(EXTRA_PREFIX) and pattern.search(name.removeprefix(EXTRA_PREFIX))]
