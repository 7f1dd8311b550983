"""The same sales as another publisher spoiled them are read alike, by the guessed mapping alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.collect.guess import guess_file
from core.collect.mapping import apply_mapping
from core.collect.reader import read_table

KEYS = ["property_id", "sale_date"]
ALIKE = 0.995


def as_guessed(path: Path) -> pd.DataFrame:
    raw = read_table(path)
    mapped = apply_mapping(raw, guess_file(raw).mapping)
    assert mapped.problems.empty
    return mapped.frame.drop(columns="source_row")


def alike(ours: pd.Series, theirs: pd.Series) -> pd.Series:
    if ours.dtype == "float64":
        return pd.Series(np.isclose(ours, theirs, rtol=1e-9, atol=0), index=ours.index)
    return ours == theirs


def test_dirty_king_county_agrees_with_the_clean_one(sales_data: Path) -> None:
    clean = as_guessed(sales_data / "king_county" / "kc_house_data_2014_2015.csv")
    dirty = as_guessed(sales_data / "king_county" / "kc_house_data_dirty.csv")
    assert set(dirty.columns) == set(clean.columns)
    shared = clean.merge(dirty, on=KEYS, suffixes=("", "_dirty"), validate="one_to_one")
    assert len(shared) == len(dirty) == 21_597
    facts = [name for name in clean if name not in KEYS]
    agree = pd.DataFrame({name: alike(shared[name], shared[f"{name}_dirty"]) for name in facts})
    # A cell the other publisher left blank (or "?") cannot agree, and is no matter of reading.
    told = pd.DataFrame({name: shared[f"{name}_dirty"].notna() for name in facts})
    assert float(agree.to_numpy()[told.to_numpy()].mean()) >= ALIKE
    assert float((~told & shared[facts].notna()).to_numpy().mean()) < 0.01
    assert (agree | ~told).drop(columns="sale_price").all(axis=None), "only prices lost digits (1.23e+06)"
