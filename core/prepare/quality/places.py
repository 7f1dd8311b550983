"""Places that are none: zip codes unlike the file's others, and latitude and longitude that stand swapped."""

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

_LOCATED_MIN: Final = 30
"""Of fewer places, none tells where the market is."""

_BEYOND: Final = 1.0
"""A place at most this many degrees beyond nearly all sales may be of the market."""


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


def swapped_places(facts: pd.DataFrame, known: pd.DataFrame | None) -> Bools:
    """Mark the rows, shape (n,), that are where the market is only with latitude and longitude swapped.

    The market is where the middle 98% of the rows and of its ``known`` sales are, and a degree around.
    """
    both = ("latitude", "longitude")
    marked = np.zeros(len(facts), dtype=bool)
    if not set(both) <= set(facts):
        return marked
    tables = [facts] if known is None or not set(both) <= set(known) else [facts, known]
    located = pd.concat([table[list(both)] for table in tables], ignore_index=True).dropna()
    if len(located) < _LOCATED_MIN:
        return marked
    low, high = (located.quantile(at).to_numpy() for at in (0.01, 0.99))
    places = facts[list(both)].to_numpy(dtype="float64")
    here, swapped = (
        ((one >= low - _BEYOND) & (one <= high + _BEYOND)).all(axis=1) for one in (places, places[:, ::-1])
    )
    return np.asarray(swapped & ~here, dtype=bool)


def usual_code(facts: pd.DataFrame) -> str:
    """Return the most frequent zip code of a table that has any."""
    return str(facts["zipcode"].mode().iloc[0])
