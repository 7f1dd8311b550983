"""Rows of a large table found by a text, such as the sales of a home by its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from core.arrays import Floats, Ints, Objects, UInts


@dataclass(frozen=True)
class RowsByKey:
    """The rows of each key: those of key k are ``rows[starts[k]:starts[k + 1]]``, in the order given when it was made.

    Keys are found by their hashes, 64 bits, in order: a dictionary of a million keys would take a hundred times the
    memory, and could not be mapped from a file. Two of a million keys share a hash with a probability below 1 in 10
    million.
    """

    hashes: UInts
    starts: Ints
    rows: Ints

    @classmethod
    def of(cls, keys: Objects, order: Floats) -> Self:
        """Keep the rows of each key but "", sorted by ``order``, shape (n,), then by row."""
        known = np.flatnonzero(keys != "")
        hashes = _hashes(keys[known])
        sorted_rows = np.lexsort((known, order[known], hashes))
        found, first = np.unique(hashes[sorted_rows], return_index=True)
        return cls(found, np.append(first, len(known)).astype(np.int64), known[sorted_rows])

    def of_keys(self, keys: Objects) -> list[Ints]:
        """Return the rows of each key; none of an unknown one, or of ""."""
        if not len(self.hashes):
            return [self.rows[:0]] * len(keys)
        hashes = _hashes(keys)
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        known = (keys != "") & (self.hashes[place] == hashes)
        return [
            self.rows[self.starts[at] : self.starts[at + 1]] if found else self.rows[:0]
            for at, found in zip(place.tolist(), known.tolist(), strict=True)
        ]

    def of_key(self, key: str) -> Ints:
        """Return the rows of one key."""
        return self.of_keys(np.array([key], dtype=object))[0]


def _hashes(keys: Objects) -> UInts:
    found: UInts = pd.util.hash_array(keys, categorize=False)
    return found
