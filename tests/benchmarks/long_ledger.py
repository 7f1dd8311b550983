"""A ledger of any length, a tenth of it sold, and how long its figures take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.states import Period
from core.store import Store, open_store
from core.store.base.tables import ESTIMATE, OUTCOME
from core.store.ledger.figures import Slice
from core.store.ledger.histograms import error_bin, latency_bin
from tests.benchmarks.ledger import ANSWER
from tests.store.samples import ANALYST

MARKET: Final = "long-ledger"
START: Final = datetime(2025, 1, 1, tzinfo=UTC)
DAYS: Final = 365

_AT_ONCE: Final = 5_000
_OFFICES: Final = [f"Office {number} North" for number in range(12)]
_MODELS: Final = ["0123456789ab", "1123456789ab", "2123456789ab"]
_TYPES: Final = ["single_family", "condo", "townhouse", "apartment", "duplex", "multi_family"]


def fill(store: Store, rows: int, market_id: str = MARKET) -> None:
    """Write a year of estimates (of 12 offices, 3 models, 70 zipcodes) and their sales; about a minute a million.

    Past the ledger's own door, which checks each: only for measuring. The market is made if it is not there.
    """
    if all(market.market_id != market_id for market in store.markets.list()):
        store.markets.create(market_id, "USD", "sqft", True, ANALYST)
    random = np.random.default_rng(0)
    days = np.sort(random.integers(0, DAYS, rows))
    for first in range(0, rows, _AT_ONCE):
        part = range(first, min(first + _AT_ONCE, rows))
        estimates = [_estimate(market_id, number, int(days[number]), random) for number in part]
        outcomes = [_outcome(one, random) for one in estimates[::10] if one["status"] == "priced"]
        with store._database.write() as connection:
            connection.execute(ESTIMATE.insert(), estimates)
            connection.execute(OUTCOME.insert(), outcomes)


def _estimate(market_id: str, number: int, day: int, random: np.random.Generator) -> dict[str, Any]:
    at = START + timedelta(days=day, seconds=number % 86_400)
    status = ("priced", "unavailable", "refused")[int(random.choice(3, p=(0.95, 0.04, 0.01)))]
    priced = status == "priced"
    latency, flags = float(random.lognormal(3.5, 0.5)), ["wide range"] if random.random() < 0.15 else []
    point = float(random.integers(150, 750)) * 1_000
    return {
        "estimate_id": f"{number:016x}",
        "at": at,
        "actor": "Kim",
        "role": "agent",
        "office": _OFFICES[int(random.integers(0, 12))],
        "market_id": market_id,
        "model_id": _MODELS[min(day // 122, 2)],
        "as_of": at.date(),
        "channel": ("page", "file", "api")[int(random.choice(3, p=(0.7, 0.2, 0.1)))],
        "status": status,
        "reason": "" if priced else "no living area",
        "property_key": f"{number % 50_000} MAIN ST",
        "property_type": _TYPES[int(random.choice(6, p=(0.6, 0.2, 0.1, 0.05, 0.03, 0.02)))],
        "area": f"981{int(random.integers(0, 70)):02d}",
        "facts": {"living_area_sqft": 1_500.0},
        "answer": ANSWER if priced else {},
        "point": point if priced else None,
        "low": 0.9 * point if priced else None,
        "high": 1.1 * point if priced else None,
        "level": 0.8 if priced else None,
        "confidence": float(random.integers(30, 95)) if priced else None,
        "flags": flags,
        "latency_ms": latency,
        "currency": "USD",
        "day": at.date(),
        "latency_bin": latency_bin(latency),
        "flagged": bool(flags),
    }


def _outcome(estimate: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
    same = ("estimate_id", "market_id", "model_id", "office", "channel", "property_type", "area")
    figures = ("point", "low", "high", "level", "confidence")
    error = float(random.normal(0, 0.09))
    price = estimate["point"] / (1 + error)
    return {
        **{name: estimate[name] for name in (*same, *figures)},
        "version_id": "v",
        "sale_key": estimate["estimate_id"],
        "sale_date": estimate["day"] + timedelta(days=int(random.integers(20, 60))),
        "sale_price": price,
        "current": True,
        "counted": True,
        "blind": bool(random.random() < 0.8),
        "recorded_at": estimate["at"] + timedelta(days=70),
        "estimated_at": estimate["at"],
        "error": error,
        "error_bin": error_bin(error),
        "inside": bool(estimate["low"] <= price <= estimate["high"]),
    }


def measure(home: Path, rows: int) -> Iterator[dict[str, Any]]:
    """Yield how long the figures of a monitoring page take at that length: milliseconds of each, and together."""
    with open_store(home) as store:
        fill(store, rows)
        model = Slice(model_id=_MODELS[-1])
        for name, where in (("everything", Slice()), ("one model", model), ("one office", Slice(office=_OFFICES[3]))):
            calls = _calls(store, where)
            for call in calls.values():  # what is not in memory yet is the disk's time
                call()
            times = {what: _milliseconds(call) for what, call in calls.items()}
            yield {"rows": rows, "slice": name, "together_ms": round(sum(times.values()), 1), **times}


def _calls(store: Store, where: Slice) -> dict[str, Callable[[], object]]:
    figures = store.figures
    return {
        "traffic_ms": lambda: figures.traffic(MARKET, where, Period.DAY),
        "traffic_by_ms": lambda: figures.traffic_by(MARKET, where),
        "accuracy_ms": lambda: figures.accuracy(MARKET, where, Period.MONTH),
        "accuracy_by_ms": lambda: figures.accuracy_by(MARKET, where),
        "sold_ms": lambda: figures.sold(MARKET, where, 1_500),
    }


def _milliseconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return round(float(np.median(times)), 1)
