"""Converts numpy and pandas values to plain ones that a database column or a JSON document can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import PurePath
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from core.errors import InvalidRecord

_AS_THEY_ARE: Final = frozenset({int, bool, type(None)})


def plain_text(value: str) -> str:
    """Return the text in a form UTF-8 can hold: without NUL characters, with unpaired surrogates as ``?``."""
    text = value if type(value) is str else str(value)
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def plain_document(value: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a JSON-ready copy of a mapping: plain values for numpy's, null for missing ones (NaN, NA, NaT).

    ``where`` names the document in messages. Raises InvalidRecord for an infinite number, two keys with the same
    text, or a value JSON cannot represent.
    """
    return _plain_mapping(value, (None, where))


# A value's place in a document: its parent, and its key or position there. Spelled out only in an error message,
# since an estimate holds hundreds of values.
_Place = tuple[Any, Any]


def _spelled(place: _Place) -> str:
    tolerance, name = place
    if tolerance is None:
        return str(name)
    return _spelled(tolerance) + (f"[{name[0]}]" if isinstance(name, _Position) else f".{name}")


class _Position(NamedTuple):
    number: int


def _plain(value: Any, where: _Place) -> Any:
    if type(value) is float:
        return _plain_float(value, where)
    if isinstance(value, Mapping):
        return _plain_mapping(value, where)
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), where)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, (where, _Position(position))) for position, item in enumerate(value)]
    return value if type(value) in _AS_THEY_ARE else _plain_scalar(value, where)


def _plain_mapping(value: Mapping[Any, Any], where: _Place) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, item in value.items():
        kind = type(item)
        name = plain_text(key)
        if kind is str:
            plain[name] = plain_text(item)
        elif kind in _AS_THEY_ARE:
            plain[name] = item
        else:
            plain[name] = _plain(item, (where, key))
    if len(plain) != len(value):
        raise InvalidRecord(f"{_spelled(where)} has two keys with the same text; give each its own name.")
    return plain


def _plain_scalar(value: Any, where: _Place) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return _plain_float(value, where)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, PurePath):
        return plain_text(str(value))
    raise InvalidRecord(
        f"{_spelled(where)} is a {type(value).__name__}, which JSON cannot hold; store text, numbers or lists."
    )


def _plain_float(value: float, where: _Place) -> float | None:
    if math.isinf(value):
        raise InvalidRecord(f"{_spelled(where)} is {value}; store a finite number, or NaN if it is unknown.")
    return None if math.isnan(value) else value
