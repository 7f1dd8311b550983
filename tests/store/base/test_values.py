from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access import Role
from core.errors import InvalidRecord
from core.store.base.values import plain_document, plain_text

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from([np.int64(3), np.float32(0.5), np.bool_(True), np.float64("nan"), pd.NA, pd.NaT, np.str_("a")])
)
DOCUMENTS = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
)


@settings(deadline=None)
@given(value=st.dictionaries(st.text("abc", max_size=3), DOCUMENTS, max_size=4))
def test_every_document_becomes_strict_json_and_is_stable(value: dict[str, Any]) -> None:
    plain = plain_document(value, "card")
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain_document(plain, "card") == plain


def test_types_of_numpy_and_pandas_become_plain() -> None:
    plain = plain_document(
        {
            "n": np.int64(3),
            "share": np.float32(0.5),
            "yes": np.bool_(True),
            "missing": [np.nan, pd.NA, pd.NaT, None],
            "matrix": np.arange(4).reshape(2, 2),
            "day": date(2024, 2, 29),
            "at": pd.Timestamp("2024-01-01", tz="UTC"),
            "instant": datetime(2024, 1, 1, tzinfo=UTC),
            "path": Path("a/b"),
            "role": Role.AGENT,
            5: (1, 2),  # type: ignore[dict-item]  # a key that is no text becomes one
        },
        "card",
    )
    assert plain == {
        "n": 3,
        "share": 0.5,
        "yes": True,
        "missing": [None] * 4,
        "matrix": [[0, 1], [2, 3]],
        "day": "2024-02-29",
        "at": "2024-01-01T00:00:00+00:00",
        "instant": "2024-01-01T00:00:00+00:00",
        "path": "a/b",
        "role": "agent",
        "5": [1, 2],
    }
    assert type(plain["n"]) is int
    assert type(plain["yes"]) is bool


@pytest.mark.parametrize("number", [math.inf, -math.inf, np.float64("inf")])
def test_infinity_is_refused_and_named(number: float) -> None:
    with pytest.raises(InvalidRecord, match=r"card\.metrics\.mape\[1\]"):
        plain_document({"metrics": {"mape": [0.1, number]}}, "card")


@pytest.mark.parametrize(("value", "named"), [({"a": object()}, "object"), ({1: 1, "1": 2}, "keys with the same text")])
def test_what_json_cannot_hold_is_refused(value: dict[Any, Any], named: str) -> None:
    with pytest.raises(InvalidRecord, match=named):
        plain_document(value, "card")


def test_text_is_made_storable() -> None:
    assert plain_text("a\x00b\udcff") == "ab?"
