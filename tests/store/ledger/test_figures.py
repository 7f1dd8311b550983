"""Figures the database adds up are those one gets by going through every row."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from core import measures
from core.access import Actor, Role
from core.errors import InvalidRecord, NotFound
from core.states import Period
from core.store import Market, Store
from core.store.ledger.figures import ACCURACY, DIMENSIONS, GROUP_TRAFFIC, TRAFFIC, Slice, first_days
from core.store.ledger.histograms import error_bin, latency_bin, latency_of, medians, quantiles
from core.store.ledger.outcomes import NewOutcome
from tests.store.samples import ANALYST, estimate, no_estimate

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
N = 400


@pytest.fixture
def rows(store: Store, market: Market) -> pd.DataFrame:
    """Estimates of all kinds over four months, a third of them with sales; returned as rows."""
    random = np.random.default_rng(5)
    entries, table = [], []
    for number in range(N):
        at = START + timedelta(days=int(random.integers(0, 120)), minutes=number)
        point = float(random.integers(200, 400)) * 1_000
        row: dict[str, Any] = {
            "model_id": str(random.choice(["0123456789ab", "ba9876543210"])),
            "area": [None, "98103", "98104"][number % 3],
            "property_type": ["condo", None][number % 2],
            "channel": ["page", "file", "api"][number % 3],
            "latency_ms": float(random.lognormal(3, 1)),
        }
        if number % 10:
            row |= {"point": point, "low": 0.9 * point, "high": 1.1 * point}
            row["confidence"] = float(random.integers(20, 99))
            new = estimate(market.market_id, **row, flags=["wide range"][: number % 4 == 0])
        else:
            new = no_estimate(market.market_id, **row, status=["refused", "unavailable"][number % 20 == 0])
        office = ["North", "South"][number % 2]
        entries.append((at, new, Actor("Kim", Role.AGENT, office)))
        signed = {"at": at, "day": at.date(), "office": office}
        table.append(row | signed | {"status": new.status, "flagged": bool(new.flags)})
    frame = pd.DataFrame(table).assign(estimate_id=store.ledger.append_past(entries))
    sold = frame[(frame["status"] == "priced") & (frame.index % 3 == 1)].copy()
    sold["sale_price"] = (sold["point"] * random.normal(1, 0.12, len(sold))).round()
    sold["sale_date"] = [one + timedelta(days=40) for one in sold["day"]]
    sold["counted"], sold["blind"] = sold.index % 5 > 0, sold.index % 4 > 0
    found = {str(row): [_outcome(str(row), one)] for row, one in sold.iterrows()}
    store.outcomes.record(market.market_id, ["v"], "v", found, ANALYST)
    return frame.join(sold[["sale_price", "sale_date", "counted", "blind"]])


def _outcome(key: str, row: pd.Series) -> NewOutcome:
    same = {name: row[name] for name in ("estimate_id", "sale_date", "sale_price", "model_id", "office", "channel")}
    return NewOutcome(
        sale_key=key,
        list_date=None,
        list_price=None,
        first_list_price=None,
        counted=bool(row["counted"]),
        blind=bool(row["blind"]),
        estimated_at=row["at"],
        level=0.8,
        property_type=_text_of(row["property_type"]),
        area=_text_of(row["area"]),
        point=float(row["point"]),
        low=float(row["low"]),
        high=float(row["high"]),
        confidence=float(row["confidence"]),
        **same,
    )


def _text_of(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None


SLICES = [
    Slice(),
    Slice(since=date(2024, 2, 1), until=date(2024, 3, 10)),
    Slice(model_id="0123456789ab", office="North"),
    Slice(channel="page", property_type="condo"),
    Slice(area="98103"),
    Slice(office="Nowhere"),
]


def chosen(rows: pd.DataFrame, where: Slice, day: str) -> pd.DataFrame:
    part = rows
    for name in DIMENSIONS:
        value = getattr(where, name)
        part = part if value is None else part[part[name] == value]
    days = part[day]
    return part[(days >= (where.since or date.min)) & (days <= (where.until or date.max))]


@pytest.mark.parametrize("where", SLICES, ids=str)
def test_traffic_is_what_the_rows_say(store: Store, market: Market, rows: pd.DataFrame, where: Slice) -> None:
    part = chosen(rows, where, "day")
    series = store.figures.traffic(market.market_id, where, Period.WEEK)
    _same_traffic(series.total, part)
    assert list(series.periods.columns) == ["start", *TRAFFIC]
    weeks = list(part.assign(start=first_days(part["day"], Period.WEEK)).groupby("start")) if len(part) else []
    assert series.periods["start"].tolist() == [start for start, _ in weeks]
    for (_, expected), (_, found) in zip(weeks, series.periods.iterrows(), strict=True):
        _same_traffic(found, expected)


def _same_traffic(found: pd.Series, part: pd.DataFrame, latency: bool = True) -> None:
    priced = part[part["status"] == "priced"]
    assert found["n"] == len(part)
    for status in ("priced", "unavailable", "refused"):
        assert found[status] == (part["status"] == status).sum()
    assert _near(found["hit_rate"], len(priced) / len(part) if len(part) else math.nan)
    assert _near(found["confidence"], priced["confidence"].mean())
    assert _near(found["flagged_share"], priced["flagged"].mean() if len(priced) else math.nan)
    for share in (50, 95) if latency else ():
        exact = np.quantile(part["latency_ms"], share / 100, method="inverted_cdf") if len(part) else math.nan
        assert _near(found[f"latency_p{share}_ms"], float(exact), 0.0251)


def _near(found: float, expected: float, share: float = 1e-9) -> bool:
    return bool(np.isclose(found, expected, rtol=share, atol=1e-9, equal_nan=True))


def test_groups_are_what_the_rows_say(store: Store, market: Market, rows: pd.DataFrame) -> None:
    where = Slice(since=date(2024, 1, 20), office="North")
    part = chosen(rows, where, "day")
    tables = store.figures.traffic_by(market.market_id, where)
    assert tuple(tables) == DIMENSIONS
    for name, table in tables.items():
        assert list(table.columns) == [name, *GROUP_TRAFFIC]
        assert table["n"].is_monotonic_decreasing
        expected = {key or "": group for key, group in part.assign(**{name: part[name].fillna("")}).groupby(name)}
        assert set(table[name]) == set(expected)
        for _, found in table.iterrows():
            _same_traffic(found, expected[found[name]], latency=False)


@pytest.mark.parametrize("basis", ["blind", "counted", "every"])
@pytest.mark.parametrize("where", SLICES, ids=str)
def test_accuracy_is_what_the_rows_say(
    store: Store, market: Market, rows: pd.DataFrame, where: Slice, basis: Any
) -> None:
    part = _judged(rows, where, basis)
    series = store.figures.accuracy(market.market_id, where, Period.MONTH, basis)
    _same_accuracy(series.total, part)
    assert list(series.periods.columns) == ["start", *ACCURACY]
    assert series.periods["n"].sum() == len(part)
    for _, found in series.periods.iterrows():
        inside = [(day.year, day.month) == (found["start"].year, found["start"].month) for day in part["sale_date"]]
        _same_accuracy(found, part[inside])


def _judged(rows: pd.DataFrame, where: Slice, basis: str) -> pd.DataFrame:
    part = chosen(rows[rows["sale_price"].notna()], where, "sale_date")
    keep = part["counted"].astype(bool) | (basis == "every")
    return part[keep & (part["blind"].astype(bool) | (basis != "blind"))]


def _same_accuracy(found: pd.Series, part: pd.DataFrame) -> None:
    assert found["n"] == len(part)
    if part.empty:
        assert found.drop("n").isna().all()
        return
    pair = part["point"].to_numpy(), part["sale_price"].to_numpy()
    error = measures.relative_error(*pair)
    assert _near(found["mape"], measures.mape(*pair))
    assert _near(found["ppe10"], measures.ppe10(*pair))
    assert _near(found["mean_error"], float(error.mean()))
    assert abs(found["bias"] - np.median(error)) <= 0.000501
    assert abs(found["mdape"] - np.median(np.abs(error))) <= 0.000501
    held = (part["low"] <= part["sale_price"]) & (part["sale_price"] <= part["high"])
    assert _near(found["coverage"], held.mean())
    assert _near(found["confidence"], part["confidence"].mean())
    assert _near(found["level"], 0.8)
    for name, values in (("mape_sd", np.abs(error)), ("mean_error_sd", error)):
        assert _near(found[name], float(values.std(ddof=1)) if len(part) > 1 else math.nan, 1e-6)


def test_accuracy_by_group_is_what_the_rows_say(store: Store, market: Market, rows: pd.DataFrame) -> None:
    part = _judged(rows, Slice(), "counted")
    for name, table in store.figures.accuracy_by(market.market_id, Slice(), "counted").items():
        assert table["n"].sum() == len(part)
        for _, found in table.iterrows():
            _same_accuracy(found, part[part[name].fillna("") == found[name]])


def test_the_sample_is_thinned_evenly(store: Store, market: Market, rows: pd.DataFrame) -> None:
    every = store.figures.sold(market.market_id, Slice(), 1_000, "every")
    assert len(every.points) == every.n == rows["sale_price"].notna().sum()
    some = store.figures.sold(market.market_id, Slice(), 20, "every")
    assert some.n == every.n
    assert 10 <= len(some.points) <= 20
    step = -(-every.n // 20)
    assert some.points["estimate_id"].tolist() == every.points["estimate_id"].tolist()[::step]


def test_nothing_gives_no_periods_and_zero_counts(store: Store, market: Market) -> None:
    traffic = store.figures.traffic(market.market_id, Slice(), Period.DAY)
    assert traffic.periods.empty
    assert traffic.total["n"] == 0
    assert math.isnan(traffic.total["hit_rate"])
    assert store.figures.accuracy(market.market_id, Slice(), Period.DAY).total["n"] == 0
    assert store.figures.sold(market.market_id, Slice(), 10).n == 0
    assert all(table.empty for table in store.figures.traffic_by(market.market_id, Slice()).values())
    assert all(table.empty for table in store.figures.accuracy_by(market.market_id, Slice()).values())


def test_unknown_markets_periods_and_bases_are_refused(store: Store, market: Market) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        store.figures.traffic("nowhere", Slice(), Period.DAY)
    with pytest.raises(InvalidRecord, match="'year'"):
        store.figures.traffic(market.market_id, Slice(), "year")  # type: ignore[arg-type]
    with pytest.raises(InvalidRecord, match="'best'"):
        store.figures.accuracy(market.market_id, Slice(), "day", "best")  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_the_ledger_is_counted_in_the_order_of_an_index(store: Store, market: Market, rows: pd.DataFrame) -> None:
    """What keeps a million rows quick: no sorting, and no reading of the documents."""
    plans: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "GROUP BY" in statement and "FROM estimate" in statement:
            plans.append((statement, parameters))

    sa.event.listen(store._database._engine, "before_cursor_execute", note)
    store.figures.traffic(market.market_id, Slice(), Period.DAY)
    store.figures.traffic_by(market.market_id, Slice())
    store.figures.traffic_by(market.market_id, Slice(since=date(2024, 1, 1), until=date(2024, 12, 31)))
    sa.event.remove(store._database._engine, "before_cursor_execute", note)
    assert len(plans) == 5
    with store._database.read() as connection:
        for statement, parameters in plans:
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
            assert "COVERING INDEX" in plan
            assert "B-TREE" not in plan


@given(st.floats(0.0001, 1e8))
def test_a_latency_is_within_a_fortieth_of_the_middle_of_its_bin(milliseconds: float) -> None:
    assert latency_of(latency_bin(milliseconds) + 0.5) == pytest.approx(milliseconds, rel=0.0251)


@given(st.lists(st.tuples(st.booleans(), st.floats(-1, 9)), max_size=12))
def test_medians_of_bins_are_those_of_the_values(errors: list[tuple[bool, float]]) -> None:
    table = pd.DataFrame(errors, columns=["group", "error"]).assign(n=1)
    bins = table["error"].map(error_bin).astype("int64")
    found = medians(table["group"], bins, table["n"], table["error"])
    assert set(found.index) == set(table["group"])
    for group, values in table.groupby("group")["error"]:
        middle = float(np.median(values))
        assert found[group] == pytest.approx(middle, abs=0.001001)
        if bins[values.index].is_unique or len(values) <= 2:
            assert found[group] == pytest.approx(middle)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-5, 5), st.integers(0, 4)), max_size=12), st.floats(0.01, 1))
def test_quantiles_of_bins_are_those_of_the_values(cells: list[tuple[int, int, int]], share: float) -> None:
    groups, bins, counts = (pd.Series([cell[n] for cell in cells], dtype="int64") for n in range(3))
    found = quantiles(groups, bins, counts, share)
    for group in range(3):
        values = [number for own, number, count in cells if own == group for _ in range(count)]
        assert (group in found.index) == bool(values)
        if values:
            assert found[group] == sorted(values)[max(math.ceil(share * len(values) - 1e-9), 1) - 1] + 0.5
