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
    "are": 100.0 * SQFT_PER_SQM,
    "dunam": 1_000.0 * SQFT_PER_SQM,
    "rai": 1_600.0 * SQFT_PER_SQM,
    "wah": 4.0 * SQFT_PER_SQM,
    "marla": 225.0,
    "kanal": 4_500.0,
    "guntha": 1_089.0,
    "mu": 2_000 / 3 * SQFT_PER_SQM,
}
"""Square feet in one of each area unit: international acre of 43,560 sq ft; tsubo, ping and pyeong of 400/121 m2;
metric dunam; square wah and rai of 400 of them; marla as homes are offered in, a 20th of a kanal; Chinese mu."""

_WRITTEN: Final[Mapping[str, str]] = {"sqft": "sq ft", "sqm": "m²", "sqyd": "sq yd", "wah": "sq wah"}

LAND_UNITS: Final = frozenset({"acre", "hectare", "are", "dunam", "rai", "wah", "marla", "kanal", "guntha", "mu"})
"""Units in which land is measured, and no floor."""

OTHER_SIZES: Final[Mapping[str, str]] = {
    "marla": "marlas of 225 sq ft; in land registers and some cities it is 272.25",
    "kanal": "kanals of 4,500 sq ft; in land registers and some cities it is 5,445",
    "dunam": "dunams of 1,000 m2; in some countries it is 1,338 or 2,500",
}
"""Units that are of another size elsewhere, and the size taken."""

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
    **dict.fromkeys(("are", "ares", "ar", "arów", "aary", "сотка", "соток", "сотки", "сот"), "are"),
    **dict.fromkeys(
        ("га", "hektar", "hektare", "ettari", "ettaro", "hectárea", "公顷", "公頃", "ヘクタール"), "hectare"
    ),
    **dict.fromkeys(("dunam", "dunum", "donum", "dönüm", "דונם", "دونم"), "dunam"),
    **dict.fromkeys(("rai", "ไร"), "rai"),
    **dict.fromkeys(("wah", "sqwah", "tarangwah", "ตรว", "ตารางวา", "วา"), "wah"),
    **dict.fromkeys(("marla", "marlas", "مرلہ"), "marla"),
    **dict.fromkeys(("kanal", "kanals", "کنال"), "kanal"),
    **dict.fromkeys(("guntha", "gunta"), "guntha"),
    **dict.fromkeys(("mu", "亩", "畝"), "mu"),
}


_UNIT_BEHIND: Final = r"[0-9]\s*([^\W\d_][^\d]*[2²]?)\s*$"
_HEAD: Final = 500
# Words behind a figure that say how exact it is, in no unit.
_NO_UNIT: Final = frozenset({"approx", "approximately", "about", "ca", "circa", "est", "total", "plus", "k", "m"})


def unit_of_word(text: str) -> str:
    """Return the area unit a word names ("Square Feet" is sqft), empty where it names none."""
    bare = re.sub(r"[\W_]+", "", usual_signs(text).casefold())
    return _WORDS.get(bare, _WORDS.get(re.sub(r"s$", "", bare), ""))


def unit_behind(cells: pd.Series) -> tuple[str, str]:
    """Return the word behind the figures of most cells and the unit it names: ("Marla", "marla"), ("bigha", "").

    Both are empty where most cells have no such word, or none that could be a unit.
    """
    words = cells.head(_HEAD).str.extract(_UNIT_BEHIND)[0].str.strip(" .,)")
    found = words.dropna()
    if 2 * len(found) <= min(len(cells), _HEAD):
        return "", ""
    units = found.map(unit_of_word)
    usual = units.mode().iloc[0]
    word = str(found[units == usual].mode().iloc[0])
    return ("", "") if not usual and word.casefold() in _NO_UNIT else (word, str(usual))


def factors_of_cells(cells: pd.Series, unit: str) -> pd.Series | float:
    """Return by what to multiply each figure so that it is in ``unit``: "0.25 ac" beside "10,890 sf" is in acres."""
    has_words = cells.str.contains(r"[^0-9., ]", na=False)
    if not has_words.any():
        return 1.0
    written = cells[has_words].str.extract(_UNIT_BEHIND)[0].reindex(cells.index).astype("str")
    return (units_of_rows(written).map(dict(UNIT_FACTORS)).astype("float64") / UNIT_FACTORS[unit]).fillna(1.0)


def name_units(cells: pd.Series) -> pd.Series:
    """Tell for each cell whether it names the unit of its figure."""
    return units_of_rows(cells.str.extract(_UNIT_BEHIND)[0].astype("str")).notna()


def unit_words(unit: str) -> str:
    """Return an area unit as people write it after a number; "" for none."""
    return _WRITTEN.get(unit, unit)


def units_of_rows(cells: pd.Series) -> pd.Series:
    """Return the area unit each cell names, missing where it names none."""
    known = {text: unit_of_word(text) for text in cells.dropna().unique()}
    return cells.map({text: unit for text, unit in known.items() if unit}).astype("str")
