"""What cells look like that reach or betray a person, as regular expressions of RE2, and matching them in columns."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.arrays import Bools
from core.collect.cells.amounts import usual_signs

EMAIL: Final = r"[^\s@,;:<>()\[\]\"']+@[^\s@,;:<>()\[\]\"']+\.[^\s@,;:<>()\[\]\"'.\d]{2,}"
_INTERNATIONAL: Final = r"\+\d{1,3}[-. (]{0,2}\d[-\d(). ]{5,14}\d\b"
# North American 3-3-4 (no area code or exchange begins with 0 or 1), international with +, national with leading 0.
PHONE: Final = (
    r"(?:\+?\b1[-. ])?(?:\([2-9]\d{2}\)[-. ]*|\b[2-9]\d{2}[-. ])[2-9]\d{2}[-. ]\d{4}\b"
    rf"|{_INTERNATIONAL}"
    r"|\(0\d{1,4}\)[-. ]?\d{3,4}[-. ]?\d{3,5}\b"
    r"|\b0\d{1,4}[-. ]\d{3,4}[-. ]\d{3,4}\b"
    r"|\b0\d{2,4}[-/ ]\d{5,8}\b"
    r"|\b0\d(?:[-. ]\d{2}){4}\b"
)
# With a country's or an area's code marked as such, or in groups set apart by blanks: no parcel is numbered so.
MARKED_PHONE: Final = (
    rf"{_INTERNATIONAL}"
    r"|\(\d{2,5}\)[-. ]?\d{3,4}[-. ]?\d{3,5}\b"
    r"|\b0\d{1,4} \d{3,4} ?\d{3,4}\b"
)
IBAN: Final = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"
SOCIAL: Final = r"\b\d{3}-\d{2}-\d{4}\b"
ACCOUNT: Final = rf"{IBAN}|{SOCIAL}"
_CODE: Final = (
    r"(?i:\b(?:alarm\w*|lock ?box|key ?pad|pass ?code|combo"
    r"|(?:gate|access|entry|door|security|supra|garage|key) ?(?:code|pin|combination))\b[^\d\n]{0,14}\d[\d#*-]{2,9}"
    r"|\bgate\b[^\d\n]{0,4}\d{4}\b)"
)
_BIRTH: Final = (
    r"(?i:\b(?:born|birth ?da(?:te|y)|date of birth|dob|d\.o\.b\.|geboren|geb\.|née? le|nacid[oa]|nat[oa] il)"
    r"[^\d\n]{0,12}?(?:\d{1,4}[-./ ]+\w{1,9}[-./, ]+\d{2,4}|\w{3,9} \d{1,2},? \d{4}|\d{1,2},? \d{4}))"
)
# The name after these words goes on to the next comma or digit, where the address begins.
CARE_OF: Final = r"(?i:\b(?:c/o|care of|attn\.?:?|z\. ?hd\.))\s+[^\d,;|\n]+"

CONTACT: Final = rf"{EMAIL}|{PHONE}"
WORDED: Final = rf"{IBAN}|{_CODE}|{_BIRTH}|{CARE_OF}"
"""What names a person's private data outright, so that it cannot be another kind of figure."""

DETAILS: Final = rf"{SOCIAL}|{WORDED}"
"""What betrays a person and never a fact of a home, so that it is cut out of every text, an address too."""

PLAIN_PHONE: Final = r"\b(?:\d{9,11}|[689]\d{7})\b"
"""Digits without a separator: in a text a phone number, alone perhaps a parcel number."""

NOTED_PHONE: Final = (
    r"\(\d{2,4}\) ?\d{3,4}[-. ]?\d{3,4}\b|\b\d{3}[-. ]\d{3}[-. ]\d{4}\b|\b0\d{1,3}[-/ ]?\d{6,8}\b|\b\d{10,11}\b"
)
"""Digits that somebody writes in a note of their own: there they are a phone number, be it one that nobody can have."""

BARE_PHONE: Final = r"\+?[\d\s()./-]{7,20}"
FLAG: Final = r"(?i)yes|no|y|n|true|false|t|f|0|1"
FIGURE: Final = r"[-+($€£¥ A-Z]{0,4}\d[\d.,' ]*[%)]?(?: ?[a-zA-Z]{1,3})?"
CODE_CELL: Final = r"\{?[\pL\d][\pL\d./#_:-]{0,39}\}?"

_UNITS: Final = (
    "years?|yrs?|months?|mths?|mos?|days?|hours?|to|sqft|sqm|sq|feet|foot|acres?|ares?|hectares?|beds?|baths?|rooms?|bhk|"
    "lac|lakh|crore|cr|million|mio|mln|billion|usd|aud|cad|eur|gbp|nzd|sgd|chf|hkd|inr|jpy|krw|aed|and|by|over|under|"
    "about|approx|plus|or|more|less|than|up|per|half|full|st|nd|rd|th|point|"
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?|mon|tue|wed|thu|fri|sat|sun|utc|gmt|est|pst|年|月|日|号|號|期|年第|四半期|半期|分|万|億|元|円|㎡|坪|평|원|만원"
)
MEASURE: Final = rf"(?i)^[^\pL]*\d?(?:(?:{_UNITS}|\pL{{1,2}})(?:[^\pL]+|$))*$"
"""A cell of figures, units, months and single letters: a price, a size, a date, a range, a house number."""


def as_array(values: pd.Series) -> pa.Array:
    """Return a column of text as one Arrow array."""
    array = pa.array(values, type=pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def matches(cells: pa.Array, pattern: str) -> Bools:
    """Tell which cells hold a pattern; a missing one holds none."""
    if pattern == EMAIL:
        # Hardly any cell holds an at sign, and looking for one is ten times faster.
        held = pc.fill_null(pc.match_substring(cells, "@"), False).to_numpy(zero_copy_only=False)
        places = np.flatnonzero(held)
        hits = np.zeros(len(cells), dtype=bool)
        if len(places):
            hits[places] = pc.match_substring_regex(cells.take(places), pattern).to_numpy(zero_copy_only=False)
        return hits
    # A pattern of the letters of all scripts takes milliseconds to prepare, of those of ASCII next to nothing.
    plain = r"\pL" in pattern and pc.all(pc.string_is_ascii(cells)).as_py()
    found = pc.fill_null(pc.match_substring_regex(cells, _with_ascii_letters(pattern) if plain else pattern), False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


@lru_cache(maxsize=500)
def _with_ascii_letters(pattern: str) -> str:
    """Return a pattern that finds the same in texts of ASCII, with its letters for those of all scripts."""
    return re.sub(
        r"\[(?:\\.|[^]\\])*]|\\.L?",
        lambda part: part[0].replace(r"\pL", "A-Za-z" if part[0][0] == "[" else "[A-Za-z]"),
        pattern,
    )


def share_of(present: pd.Series, pattern: str) -> float:
    """Return the share of cells that are nothing but the pattern."""
    return float(np.mean(matches(as_array(present), rf"^\s*(?:{pattern})\s*$")))


def share_holding(present: pd.Series, pattern: str) -> float:
    """Return the share of cells that hold the pattern among other things."""
    return float(np.mean(matches(as_array(present), pattern)))


def share_of_measures(present: pd.Series) -> float:
    """Return the share of cells that are figures with their units, dates, ranges or house numbers, in any digits."""
    cells = as_array(present.map(usual_signs))
    return float(np.mean(matches(cells, r"\d") & matches(cells, MEASURE)))


def holds(text: str, pattern: str) -> bool:
    """Tell whether one text holds a pattern."""
    return bool(matches(pa.array([text], pa.large_string()), pattern).any())
