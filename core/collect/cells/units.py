"""Units of area as cells write them, row by row: "Square Feet", "SquareMeters", "ac"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pandas as pd

from core.collect.cells.amounts import usual_signs
from core.schema import SQFT_PER_SQM

UNIT_FACTORS: Final[Mapping[str, float]] = {
    "": 1.0,
    "sqft": 1.0,
    "sqm": SQFT_PER_SQM,
    "acre": 43_560.0,
    "hectare": 10_000.0 * SQFT_PER_SQM,
    "sqyd": 9.0,
    "tsubo": 400 / 121 * SQFT_PER_SQM,
}
"""Square feet in one of each area unit (international acre of 43,560 sq ft; tsubo, ping and pyeong of 400/121 m2)."""

_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("sqft", "squarefeet", "squarefoot", "sf", "ft2", "sqfeet", "sft", "feet", "ft"), "sqft"),
    **dict.fromkeys(
        ("sqm", "squaremeter", "squaremetre", "m2", "sqmt", "sqmeter", "sqmetre", "sm", "qm", "mq", "kvm"), "sqm"
    ),
    **dict.fromkeys(("m", "meter", "metre", "м2", "квм", "平方公尺", "平方米", "平米"), "sqm"),
    **dict.fromkeys(("acre", "ac"), "acre"),
    **dict.fromkeys(("hectare", "ha", "h"), "hectare"),
    **dict.fromkeys(("sqyd", "squareyard", "sqyard", "gaj"), "sqyd"),
    **dict.fromkeys(("tsubo", "坪", "평", "pyeong", "ping"), "tsubo"),
}


_UNIT_BEHIND: Final = r"[0-9]\s*([^\W\d_][^\d]*[2²]?)\s*$"


def unit_of_word(text: str) -> str:
    """Return the area unit a word names ("Square Feet" is sqft), empty where it names none."""
    bare = re.sub(r"[\W_]+", "", usual_signs(text).casefold())
    return _WORDS.get(bare, _WORDS.get(re.sub(r"s$", "", bare), ""))


def factors_of_cells(cells: pd.Series, unit: str) -> pd.Series | float:
    """Return by what to multiply each figure so that it is in ``unit``: "0.25 ac" beside "10,890 sf" is in acres."""
    has_words = cells.str.contains(r"[^0-9., ]", na=False)
    if not has_words.any():
        return 1.0
    written = cells[has_words].str.extract(_UNIT_BEHIND)[0].reindex(cells.index).astype("str")
    return (units_of_rows(written).map(dict(UNIT_FACTORS)).astype("float64") / UNIT_FACTORS[unit]).fillna(1.0)


def units_of_rows(cells: pd.Series) -> pd.Series:
    """Return the area unit each cell names, missing where it names none."""
    known = {text: unit_of_word(text) for text in cells.dropna().unique()}
    return cells.map({text: unit for text, unit in known.items() if unit}).astype("str")
