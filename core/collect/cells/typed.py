"""Numbers as a person types them one at a time, with the marks of any country; a unit or a scale is refused."""

from __future__ import annotations

import math
import re
from typing import Final

from core.collect.cells.amounts import usual_signs

_PLAIN: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_COMMAS: Final = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_POINTS: Final = re.compile(r"[-+]?[0-9]{1,3}(?:(?:\.[0-9]{3}){2,}|(?:\.[0-9]{3})+,[0-9]+)(?:,[0-9]+)?")
_DECIMAL_COMMA: Final = re.compile(r"[-+]?[0-9]+,[0-9]+")
_SPACES: Final = re.compile(r"(?<=[0-9])[ '’](?=[0-9]{3}(?:[^0-9]|$))")


def read_typed(text: str) -> float:
    """Read one typed number; NaN where it is none or could be two.

    "1,500" and "1.500.000" have thousands marks, "1500,5" and "1,5" a decimal comma. "1.500" is one and a half, as
    programs write it.
    """
    body = without_gaps(text)
    if _PLAIN.fullmatch(body):
        return _finite(body)
    if _COMMAS.fullmatch(body):
        return _finite(body.replace(",", ""))
    if _POINTS.fullmatch(body):
        return _finite(body.replace(".", "").replace(",", "."))
    if _DECIMAL_COMMA.fullmatch(body):
        return _finite(body.replace(",", "."))
    return math.nan


def without_gaps(text: str) -> str:
    """Return a number's text in usual signs, without spaces and apostrophes between its thousands."""
    return _SPACES.sub("", usual_signs(text))


def _finite(body: str) -> float:
    value = float(body)
    return value if math.isfinite(value) else math.nan
