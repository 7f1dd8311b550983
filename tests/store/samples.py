"""Small made-up records for the tests of the store, and the work that test processes do on it."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.access import Actor, Role
from core.accounting import FileAccounting
from core.errors import StaleVersion
from core.store import DataVersion, NewEstimate, NewVersion, Store, open_store

ANALYST = Actor("Ana Lyst", Role.ANALYST)
MANAGER = Actor("Max Manager", Role.MANAGER)
AGENT = Actor("Kim Agent", Role.AGENT, "North")


def sales(rows: int, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "sale_id": pd.Series([f"{seed}-{row}" for row in range(rows)], dtype="str"),
            "zipcode": pd.Series(random.choice(np.array(["01234", "98103", None], dtype=object), rows), dtype="str"),
            "sale_price": random.normal(400_000, 90_000, rows).round(),
            "bedrooms": random.choice([1.0, 2.0, np.nan], rows),
            "sale_date": (pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, rows), unit="D")).astype(
                "datetime64[us]"
            ),
        }
    )


def accounting(name: str, rows: int, sha256: str = "a" * 64) -> FileAccounting:
    return FileAccounting(name, "sales", sha256, rows + 1, rows, 0, 0, 1, {"no_price": 1})


def upload(
    market_id: str, parent_id: str | None, seed: int = 0, rows: int = 20, sha256: str | None = None
) -> NewVersion:
    ledger = pd.DataFrame({"file": f"{seed}.csv", "source_row": range(rows + 1), "outcome": "accepted"})
    files = (accounting(f"{seed}.csv", rows, sha256 or f"{seed:064x}"),)
    return NewVersion(market_id, sales(rows, seed), parent_id, files, ledger, rows + 1, f"upload {seed}")


def commit(store: Store, market_id: str, seed: int = 0) -> DataVersion:
    latest = store.versions.latest(market_id)
    return store.versions.commit(upload(market_id, latest.version_id if latest else None, seed), ANALYST)


def estimate(market_id: str, **changes: Any) -> NewEstimate:
    """A priced estimate of 250,000 in a range from 240,000 to 265,000."""
    given: dict[str, Any] = {
        "market_id": market_id,
        "as_of": date(2024, 2, 29),
        "channel": "page",
        "status": "priced",
        "currency": "USD",
        "latency_ms": 12.5,
        "model_id": "0123456789ab",
        "version_id": "ba9876543210",
        "property_key": "12 N MAIN ST # 4",
        "facts": {"bedrooms": 3},
        "answer": {"range": "$240K - $265K"},
        "point": 250_000.0,
        "low": 240_000.0,
        "high": 265_000.0,
        "level": 0.8,
        "confidence": 71,
    }
    return NewEstimate(**(given | changes))


def no_estimate(market_id: str, **changes: Any) -> NewEstimate:
    """An answer without a price."""
    figures = dict.fromkeys(("point", "low", "high", "level", "confidence"))
    return estimate(
        market_id, **({"status": "unavailable", "reason": "no living area", "answer": {}} | figures | changes)
    )


def commit_until_killed(home: Path, url: str | None, market_id: str, first_seed: int, started: str) -> None:
    """Commit one upload after another; the file ``started`` tells the parent that it has begun."""
    with open_store(home, url) as store:
        for seed in itertools.count(first_seed):
            commit(store, market_id, seed)
            Path(started).touch()


def commit_some(home: Path, url: str | None, market_id: str, seeds: range) -> None:
    """Commit one upload per seed, reloading whenever another process was faster."""
    with open_store(home, url) as store:
        for seed in seeds:
            while True:
                try:
                    commit(store, market_id, seed)
                    break
                except StaleVersion:
                    continue


def open_and_create(home: Path, url: str | None, name: str) -> None:
    with open_store(home, url) as store:
        store.markets.create(name, "USD", "sqft", False, ANALYST)


def report_and_leave(home: Path, url: str | None, job_id: str) -> None:
    """Begin a job and end without closing it, as a killed process does."""
    with open_store(home, url) as store:
        store.jobs.progress(job_id, 0.4, "half way")


def append_some(home: Path, url: str | None, market_id: str, count: int) -> None:
    """Append estimates as fast as can be."""
    with open_store(home, url) as store:
        for _ in range(count):
            store.ledger.append(estimate(market_id), AGENT)
