"""Package sales: one price and one date over several homes, which is the price of all of them and of none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import pdtrc

from core.arrays import Bools, Floats, Ints

_CHANCE_MAX: Final = 0.05
_HOMES_MIN: Final = 3
_SHARE_MAX: Final = 0.5
_IDENTITY: Final = ("property_id", "address", "unit", "latitude", "longitude", "living_area_sqft", "bedrooms")


@dataclass(frozen=True)
class Packages:
    """Which of n sales share price and date with others more often than chance would have it, each of shape (n,).

    ``group`` numbers the packages, -1 for none; ``homes`` counts the homes of each, 1 for none. ``expected`` is how
    many groups as large as this one chance would make in the whole file, at most; 0 where the rows bear one sale id:
    one deed, marked in ``one_record``.
    """

    group: Ints
    homes: Ints
    one_record: Bools
    expected: Floats


def find_packages(facts: pd.DataFrame, usable: Bools) -> Packages:
    """Find the packages of a canonical table among its usable rows, shape (n,); rows of one home count once.

    Homes of one sale id are always a package. Else price and date must meet at least three homes, and more
    than chance brings about once in 20 times: the count on a date is compared with a Poisson law with the
    price's share of the sales on other dates, in the whole file and within one area.
    """
    rows = np.flatnonzero(usable & facts["sale_date"].notna().to_numpy() & (facts["sale_price"] > 0).to_numpy())
    table = pd.DataFrame(
        {
            "price": facts["sale_price"].to_numpy(dtype="float64")[rows],
            "date": facts["sale_date"].to_numpy()[rows],
            "home": _homes(facts.iloc[rows]),
            "area": _areas(facts.iloc[rows]),
        }
    )
    group, homes = (np.full(len(facts), start, dtype="int64") for start in (-1, 1))
    one_record, expected = np.zeros(len(facts), dtype=bool), np.full(len(facts), np.inf)
    by_chance = [(_by_chance(table, within), False) for within in (["area"], [])]
    for found, is_record in (*by_chance, (_by_record(facts, table, rows), True)):
        place = rows[found.index]
        group[place] = found["group"].to_numpy() + group.max(initial=-1) + 1
        homes[place] = found["homes"].to_numpy()
        one_record[place] = is_record
        expected[place] = np.minimum(expected[place], found["expected"].to_numpy())
    return Packages(group, homes, one_record, expected)


def _by_record(facts: pd.DataFrame, table: pd.DataFrame, rows: Ints) -> pd.DataFrame:
    if "sale_id" not in facts:
        return _none(table)
    known = table.assign(record=facts["sale_id"].to_numpy()[rows]).dropna(subset="record")
    keys = ["record", "price", "date"]
    homes = _homes_on_a_deed(known.assign(**_names(facts.iloc[rows]).loc[known.index]), keys)
    return _numbered(known[homes >= 2], keys, pd.DataFrame({"homes": homes, "expected": 0.0}))


def _names(facts: pd.DataFrame) -> pd.DataFrame:
    """Return what names each home, on a plain index: its property id, and its address with the unit."""
    texts = {name: _text(facts, name) for name in ("property_id", "address", "unit")}
    place = (texts["address"] + " " + texts["unit"].fillna("")).where(texts["address"].notna())
    return pd.DataFrame({"by_id": texts["property_id"], "by_place": place})


def _text(facts: pd.DataFrame, name: str) -> pd.Series:
    values = facts[name].to_numpy() if name in facts else np.full(len(facts), None, dtype=object)
    return pd.Series(values, dtype="str")


def _homes_on_a_deed(sales: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Count the homes of each deed: an id that one of two rows lacks makes no second home of one address."""
    deeds = sales.groupby(keys)
    counts = pd.DataFrame({name: deeds[name].transform("nunique") for name in ("by_id", "by_place")})
    named = counts.max(axis=1)
    return named.where(named > 0, deeds["home"].transform("nunique")).astype("int64")


def _by_chance(table: pd.DataFrame, within: list[str]) -> pd.DataFrame:
    keys = [*within, "price", "date"]
    once = table.drop_duplicates([*keys, "home"])
    if within:
        once = once[once["area"] >= 0]
    counted = once.groupby(keys).size().rename("homes").reset_index()
    counted = counted[(counted["homes"] >= _HOMES_MIN) & (counted["homes"] <= _SHARE_MAX * len(table))]
    if counted.empty:
        return _none(table)
    scope = [*within, "date"]
    on_date = _sizes(once, scope, counted)
    others = (_sizes(once, within, counted) if within else len(once)) - on_date
    same_price = _sizes(once, [*within, "price"], counted) - counted["homes"].to_numpy()
    usual = on_date * (same_price + 0.5) / (others + 1.0)
    # The chance of more homes by Poisson's law; scipy.stats, which has it too, takes seconds to import.
    chance = pdtrc(counted["homes"].to_numpy(dtype="float64") - 2, usual)
    rare = counted.assign(expected=len(once) * chance)[chance < _CHANCE_MAX].set_index(keys)[["homes", "expected"]]
    of_rows = rare.reindex(pd.MultiIndex.from_frame(table[keys])).set_axis(table.index)
    return _numbered(table[of_rows["homes"].notna()], keys, of_rows)


def _numbered(found: pd.DataFrame, keys: list[str], of_rows: pd.DataFrame) -> pd.DataFrame:
    """Return number of group, homes and expected count of the rows found, by their place in the table."""
    group = found.groupby(keys, sort=False).ngroup().to_numpy(dtype="int64")
    return of_rows.loc[found.index].astype({"homes": "int64"}).assign(group=group)


def _none(table: pd.DataFrame) -> pd.DataFrame:
    nothing = pd.DataFrame({"homes": 0, "expected": 0.0}, index=table.index)
    return _numbered(table.iloc[:0], ["price"], nothing)


def _sizes(table: pd.DataFrame, keys: list[str], wanted: pd.DataFrame) -> Floats:
    sizes = table.groupby(keys).size()
    index = pd.MultiIndex.from_frame(wanted[keys]) if len(keys) > 1 else pd.Index(wanted[keys[0]])
    return np.asarray(sizes.reindex(index).to_numpy(), dtype="float64")


def _homes(facts: pd.DataFrame) -> Ints:
    """Number the homes: by property id where there is one, else by all that tells one dwelling from another."""
    names = [name for name in _IDENTITY if name in facts]
    if not names:
        return np.arange(len(facts), dtype=np.int64)
    parts = facts[names].copy()
    if "property_id" in parts:
        known = parts["property_id"].notna()
        for name in names[1:]:
            parts[name] = parts[name].mask(known)
    return np.asarray(parts.groupby(names, dropna=False, sort=False).ngroup(), dtype=np.int64)


def _areas(facts: pd.DataFrame) -> Ints:
    for name in ("zipcode", "neighbourhood"):
        if name in facts and facts[name].notna().any():
            return np.asarray(pd.factorize(facts[name])[0], dtype=np.int64)
    return np.full(len(facts), -1, dtype="int64")
