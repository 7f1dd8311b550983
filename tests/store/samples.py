"""Small made-up records for the tests of the store, and the work that test processes do on it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from core.access import Actor, Role
from core.accounting import FileAccounting
from core.errors import StaleVersion
from core.store import DataVersion, NewVersion, Store, open_store

ANALYST = Actor("Ana Lyst", Role.ANALYST)
MANAGER = Actor("Max Manager", Role.MANAGER)


def sales(rows: int, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "sale_id": pd.Series([f"{seed}-{row}" for row in range(rows)], dtype="str"),
            "zipcode": pd.Series(random.choice(["01234", "98103", None], rows), dtype="str"),
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
