"""All sales a market holds, those in use and those set aside, and what persons' decisions make of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Ints, Objects
from core.schema import AREAS, FIELD_BY_NAME, FieldKind, conform
from core.states import Doubt, SaleDecision
from core.store import DataVersion, Store
from core.store.sales.scrutiny import StoredSaleDecision

ROW: Final = "intake_row"
DOUBT: Final = "doubt"
DECIDED: Final = "decided"
"""Why a sale is set aside where a person, not a rule, has set it aside."""

_KEY_FIELDS: Final = (
    *("property_id", "address", "unit", "zipcode", "latitude", "longitude"),
    *("sale_id", "sale_date", "sale_price", "living_area_sqft"),
)


@dataclass(frozen=True)
class Pool:
    """Sales by ``intake_row``, canonical; ``doubt``, shape (n,), says why a sale is set aside, empty for one in use."""

    sales: pd.DataFrame
    doubt: Objects

    @property
    def waits(self) -> Bools:
        """Which sales are set aside, shape (n,)."""
        return np.asarray(self.doubt != "", dtype=bool)

    def in_use(self) -> pd.DataFrame:
        """Return the sales in use with a new index."""
        return self.sales[~self.waits].reset_index(drop=True)

    def set_aside(self) -> pd.DataFrame | None:
        """Return the sales set aside with their doubt as the last column, None where there are none."""
        if not self.waits.any():
            return None
        waiting = self.sales[self.waits].reset_index(drop=True)
        return waiting.assign(**{DOUBT: pd.Series(self.doubt[self.waits], dtype="str")})


def load_pool(store: Store, version: DataVersion) -> Pool:
    """Return all sales of a version; raises ArtifactCorrupt, StoreUnavailable."""
    sales, aside = store.versions.load(version.version_id), store.versions.load_set_aside(version.version_id)
    doubt = np.full(len(sales), "", dtype=object)
    if aside is None:
        return Pool(sales, doubt)
    joined = appended(sales, aside.drop(columns=DOUBT))
    doubt = np.concatenate([doubt, aside[DOUBT].to_numpy(dtype=object)])
    order = np.argsort(joined[ROW].to_numpy(), kind="stable")
    return Pool(joined.iloc[order].reset_index(drop=True), doubt[order])


def appended(held: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame:
    """Return held sales with new ones below them, each column in its canonical dtype."""
    if held is None:
        return new.reset_index(drop=True)
    columns = list(dict.fromkeys([*held.columns, *new.columns]))
    facts = [name for name in columns if name != ROW]
    tables = [conform(table, [name for name in facts if name in table.columns]) for table in (held, new)]
    joined = pd.concat(tables, ignore_index=True)
    rows = np.concatenate([held[ROW].to_numpy(), new[ROW].to_numpy()])
    return joined.assign(**{ROW: rows})


def replaced(held: pd.DataFrame, places: Ints, corrected: pd.DataFrame) -> pd.DataFrame:
    """Return the stored sales with those at ``places`` replaced by the corrections' values, where they have any."""
    joined = appended(held, corrected.assign(**{ROW: held[ROW].to_numpy()[places]}))
    now = joined.iloc[: len(held)].copy()
    updated = joined.iloc[len(held) :].set_axis(now.index[places])
    for name in corrected:
        now.loc[updated.index, name] = updated[name]
    return now


# Decisions


def settle(pool: Pool, history: Sequence[StoredSaleDecision]) -> Pool:
    """Return the pool as all decisions of its market, oldest first, would have it; those of other sales do nothing.

    A sale is in the state its latest decision says, worked out from how it was brought: a decision taken back leaves it
    exactly as it was before the first.
    """
    if not history:
        return pool
    sales, doubt = pool.sales.copy(), pool.doubt.copy()
    places = places_of(pool.sales, history)
    for key, decisions in by_sale(history).items():
        place = places.get(key)
        if place is None:
            continue
        first, latest = decisions[0], decisions[-1]
        for name in {name for one in decisions for name in _corrected(first, one)}:
            sales.loc[place, name] = first.sale.get(name, np.nan)
        for name, value in _corrected(first, latest).items():
            sales.loc[place, name] = value
        doubt[place] = _doubt_after(first, latest)
    return Pool(sales, doubt)


def as_brought(pool: Pool, history: Sequence[StoredSaleDecision]) -> Pool:
    """Return the pool as it would be had nobody decided anything."""
    latest = [decisions[-1] for decisions in by_sale(history).values()]
    undone = [replace(one, kind=SaleDecision.TAKEN_BACK, field="", value=None) for one in latest]
    return settle(pool, [*history, *undone])


def _corrected(first: StoredSaleDecision, one: StoredSaleDecision) -> Mapping[str, Any]:
    """Return what a decision puts in the place of the facts of a sale, by field; ``first`` is the first on that sale.

    Of a sale whose living and lot area seem swapped, the lot area follows a living area that is about the lot's.
    """
    if one.kind is not SaleDecision.CORRECT:
        return {}
    living, lot = (first.sale.get(name) for name in AREAS)
    if first.doubt != Doubt.AREAS_SWAPPED or one.field != "living_area_sqft" or not (one.value and living and lot):
        return {one.field: one.value}
    is_lot = abs(np.log(one.value / lot)) < abs(np.log(one.value / living))
    return {one.field: one.value, **({"lot_area_sqft": living} if is_lot else {})}


def _doubt_after(first: StoredSaleDecision, latest: StoredSaleDecision) -> str:
    if latest.kind is SaleDecision.TAKEN_BACK:
        return first.doubt if first.waited else ""
    return DECIDED if latest.kind is SaleDecision.SET_ASIDE else ""


def by_sale(history: Sequence[StoredSaleDecision]) -> dict[str, list[StoredSaleDecision]]:
    """Return the decisions on each sale, oldest first, by its key."""
    found: dict[str, list[StoredSaleDecision]] = {}
    for one in history:
        found.setdefault(one.sale_key, []).append(one)
    return found


def places_of(sales: pd.DataFrame, history: Sequence[StoredSaleDecision]) -> dict[str, int]:
    """Return where in a table the sales decided on are, by key: as they were brought, or as a correction left them.

    A sale that has gained a part of its key since, such as its place from a tax roll, is known by the other parts. Of
    several sales alike in all that makes the key the first is meant.
    """
    states: dict[str, str] = {}
    for one in history:
        states[one.sale_key] = one.sale_key
        if one.kind is SaleDecision.CORRECT:
            states[_key({**one.sale, one.field: one.value})] = one.sale_key
    near = _on_days_of(sales, history)
    found: dict[str, int] = {}
    for place, key in zip(near.tolist(), sale_keys(sales.iloc[near]), strict=True):
        if key in states:
            found.setdefault(states[key], place)
    gone = [one for one in history if one.sale_key not in found]
    return found | _places_by_parts(sales, gone, set(found.values())) if gone else found


def _places_by_parts(sales: pd.DataFrame, history: Sequence[StoredSaleDecision], taken: set[int]) -> dict[str, int]:
    """Return where the sales decided on are that have more parts of their key than they had, by the parts they had."""
    states: dict[tuple[str, ...], dict[str, str]] = {}
    for one in history:
        now = {**one.sale, one.field: one.value} if one.kind is SaleDecision.CORRECT else one.sale
        for sale, key in ((one.sale, one.sale_key), (now, _key(now))):
            parts = tuple(name for name in _KEY_FIELDS if not pd.isna(sale.get(name)))
            states.setdefault(parts, {})[key] = one.sale_key
    near = np.setdiff1d(_on_days_of(sales, history), np.array(sorted(taken), dtype="int64"))
    found: dict[str, int] = {}
    for parts, keys in states.items():
        if not set(parts) <= set(sales):
            continue
        for place, key in zip(near.tolist(), sale_keys(sales[list(parts)].iloc[near]), strict=True):
            if key in keys and place not in found.values():
                found.setdefault(keys[key], place)
    return found


def _on_days_of(sales: pd.DataFrame, history: Sequence[StoredSaleDecision]) -> Ints:
    """Return the places of the sales on a day on which a sale that somebody decided on was sold."""
    days = {str(one.sale.get("sale_date", ""))[:10] for one in history}
    on_days = sales["sale_date"].dt.strftime("%Y-%m-%d").isin(days).to_numpy()
    return np.flatnonzero(on_days).astype("int64")


def sale_keys(sales: pd.DataFrame) -> list[str]:
    """Return the key of each sale: a hash of home, date, price and area as they stand, shape (n,)."""
    names = [name for name in _KEY_FIELDS if name in sales]
    return [_key(dict(zip(names, cells, strict=True))) for cells in sales[names].itertuples(index=False)]


def document(sale: Mapping[Any, Any]) -> dict[str, Any]:
    """Return one sale of a canonical table as a decision keeps it, what is missing left out."""
    return {str(name): _plain(value) for name, value in sale.items() if name not in (ROW, DOUBT) and not pd.isna(value)}


def originals(history: Sequence[StoredSaleDecision]) -> pd.DataFrame:
    """Return the corrected sales as they were brought, canonical: their rows, brought again, are nothing new."""
    documents = [
        decisions[0].sale
        for decisions in by_sale(history).values()
        if decisions[-1].kind is SaleDecision.CORRECT and decisions[-1].field in ("sale_price", "living_area_sqft")
    ]
    frame = pd.DataFrame([dict(one) for one in documents])
    for name in frame:
        if name in FIELD_BY_NAME and FIELD_BY_NAME[name].kind is FieldKind.DATE:
            frame[name] = pd.to_datetime(frame[name])
    return conform(frame)


def changed_rows(before: Pool, after: Pool) -> Ints:
    """Return the places of the sales that differ between two states of one pool."""
    differs = np.asarray(before.doubt != after.doubt, dtype=bool)
    for name in before.sales:
        left, right = before.sales[name], after.sales[name]
        differs |= ((left != right) & ~(left.isna() & right.isna())).fillna(True).to_numpy(dtype=bool)
    return np.flatnonzero(differs).astype("int64")


def _key(sale: Mapping[str, Any]) -> str:
    parts = [f"{name}={_written(_plain(sale[name]))}" for name in _KEY_FIELDS if not pd.isna(sale.get(name))]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.10g}"


def _plain(value: Any) -> str | float:
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return float(value) if isinstance(value, int | float | np.number) else str(value)


def doubts_of(rows: Iterable[int], reasons: Mapping[int, str]) -> Objects:
    """Return why each row (an ``intake_row``) is set aside, empty for those that are not."""
    return np.array([reasons.get(row, "") for row in rows], dtype=object)
