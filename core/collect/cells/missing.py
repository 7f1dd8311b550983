"""What says in a cell that it has no value."""

from __future__ import annotations

from typing import Final

import pandas as pd

NULL_WORDS: Final = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", "—", ".", "unknown", "not available", "tba"}
)
"""Words, in lower case, by which a file says that it has no value; a field's own vocabulary goes before them."""


def is_null_word(values: pd.Series) -> pd.Series:
    """Tell for each value whether it is missing or a word for missing."""
    return values.isna() | values.str.lower().isin(list(NULL_WORDS))
