"""Zeros that mean unknown, or never: they are counted, and read as missing."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd


def zeros_in(frame: pd.DataFrame, unknown: Collection[str]) -> dict[str, int]:
    """Count by field the cells whose 0 means unknown; assessors write year 0 for "never renovated"."""
    named = sorted({*unknown, "year_renovated"} & set(frame.columns))
    counts = {name: int((frame[name] == 0).sum()) for name in named}
    return {name: n for name, n in counts.items() if n}


def without_zeros(frame: pd.DataFrame, unknown: Collection[str]) -> pd.DataFrame:
    """Return the table with the zeros of the fields in which they mean unknown, and the place (0, 0), as missing."""
    for name in set(unknown) & set(frame.columns):
        frame[name] = frame[name].mask(frame[name] == 0)
    if {"latitude", "longitude"} <= set(frame.columns):
        nowhere = (frame["latitude"] == 0) & (frame["longitude"] == 0)
        frame = frame.assign(latitude=frame["latitude"].mask(nowhere), longitude=frame["longitude"].mask(nowhere))
    return frame
