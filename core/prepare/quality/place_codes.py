"""Zip codes that are none: words, or codes with letters for figures, where the file's other codes have figures."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools

_CODES_MIN: Final = 30
"""Of fewer codes, none is unlike the others."""

_USUAL_SHARE: Final = 0.05
"""A length with this share of the codes is one of the file's own: codes of two kinds may stand in one column."""

NO_CODE: Final = "zipcode_unlike"


def unlike_the_others(facts: pd.DataFrame) -> Bools:
    """Mark the rows, of shape (n,), whose zip code is none, as the other codes of the table show.

    It has a letter, and its longest run of figures is of no length that the others have: ABC or 98O03 among 98103.
    Where the others have letters too, it has no figure at all: LONDON among SW1A 1AA. Figures alone are never doubted:
    spreadsheets drop their zeros.
    """
    if "zipcode" not in facts:
        return np.zeros(len(facts), dtype=bool)
    codes = facts["zipcode"].astype("str")
    known = codes.notna() & codes.ne("")
    if known.sum() < _CODES_MIN:
        return np.zeros(len(facts), dtype=bool)
    places, uniques = pd.factorize(codes[known])
    runs = pd.Series(uniques).str.findall(r"\d+").map(lambda found: max(map(len, found), default=0))
    length = runs.to_numpy()[places]
    counts = np.bincount(length)
    unusual = counts[length] < _USUAL_SHARE * len(length)
    lettered = pd.Series(uniques).str.contains(r"[^\W\d_]").to_numpy(dtype=bool)[places]
    if lettered.mean() >= _USUAL_SHARE:
        # Codes that have letters vary in their figures too: NE9 and NE30. Only a code without any is none.
        unusual &= length == 0
    marked = np.zeros(len(facts), dtype=bool)
    marked[known.to_numpy()] = unusual & lettered
    return marked


def usual_code(facts: pd.DataFrame) -> str:
    """Return the most frequent zip code of a table that has any."""
    return str(facts["zipcode"].mode().iloc[0])
