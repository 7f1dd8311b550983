"""A file too large for memory, cut by market and by month: seconds and peak memory, beside pandas in chunks."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from core.access import Actor, Role
from core.problem import load_problem
from core.progress import silent
from core.store import open_store
from core.workflows.cutting.cut import MONTH, cut_file
from tests.acting import acting

ROWS: Final = (1_000_000, 10_000_000)
COUNTIES: Final = 60

_CHUNK: Final = 250_000
_PLAIN_CHUNK: Final = 100_000
_DAYS: Final = 5_400


def measure() -> Iterator[dict[str, Any]]:
    """Yield the figures of each size: peak memory must not grow with the rows."""
    for rows in ROWS:
        with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder:
            path = Path(folder) / "statewide.csv"
            _alone(_write, path, rows)
            found: dict[str, Any] = {"rows": rows, "file_mb": round(path.stat().st_size / 1e6)}
            plain = _alone(_plainly, path, Path(folder) / "plain")
            for by in ("County", MONTH):
                ours = _alone(_cut, path, by, Path(folder) / f"by-{by}")
                yield {
                    **found,
                    "by": by,
                    "pieces": ours["made"],
                    "seconds": round(ours["seconds"], 1),
                    "rows_per_second": round(rows / ours["seconds"]),
                    "peak_mb": round(ours["peak"] / 1e6),
                    "plain_by_county_seconds": round(plain["seconds"], 1),
                    "plain_by_county_peak_mb": round(plain["peak"] / 1e6),
                    "ratio": round(ours["seconds"] / plain["seconds"], 3),
                }


def _alone(work: Callable[..., int], *arguments: Any) -> dict[str, Any]:
    """Do work in a process of its own, and return what it made, its seconds, and its peak memory from its start."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_timed, (work, *arguments))


def _timed(work: Callable[..., int], *arguments: Any) -> dict[str, Any]:
    started = time.perf_counter()
    made = work(*arguments)
    seconds = time.perf_counter() - started
    status = Path("/proc/self/status").read_text().split("VmHWM:", 1)[1]
    return {"made": made, "seconds": seconds, "peak": int(status.split()[0]) * 1024}


def _write(path: Path, rows: int) -> int:
    """Write sales of 60 counties and 15 years, twelve columns each, without ever holding them all."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for at in range(0, rows, _CHUNK):
            table = _some_sales(rng, at, min(_CHUNK, rows - at))
            csv.write_csv(table, file, csv.WriteOptions(include_header=at == 0))
    return rows


def _some_sales(rng: np.random.Generator, first: int, count: int) -> pa.Table:
    days = np.datetime64("2010-01-01") + rng.integers(0, _DAYS, count)
    return pa.table(
        {
            "parcel number": np.arange(first, first + count),
            "County": np.char.add("County ", rng.integers(0, COUNTIES, count).astype(str)),
            "address": np.char.add(rng.integers(1, 9_999, count).astype(str), " Oak Street, Unit 4"),
            "zip code": rng.integers(10_000, 10_400, count),
            "sale date": days.astype(str),
            "sale price": rng.integers(90_000, 900_000, count),
            "living area sqft": rng.integers(500, 4_000, count),
            "bedrooms": rng.integers(1, 6, count),
            "bathrooms": rng.integers(1, 4, count),
            "year built": rng.integers(1_900, 2_010, count),
            "latitude": rng.uniform(40, 42, count).round(6),
            "longitude": rng.uniform(-90, -88, count).round(6),
        }
    )


def _cut(path: Path, by: str, target: Path) -> int:
    with tempfile.TemporaryDirectory() as home, open_store(Path(home)) as store:
        workspace = acting(store, Actor("benchmark", Role.ANALYST), load_problem())
        return len(cut_file(workspace, path, by, target, silent).pieces)


def _plainly(path: Path, target: Path) -> int:
    """Do the same by pandas: chunks of text, grouped and appended to a file for each county."""
    target.mkdir()
    made: set[str] = set()
    for chunk in pd.read_csv(path, dtype=str, keep_default_na=False, chunksize=_PLAIN_CHUNK):
        for county, rows in chunk.groupby("County", sort=False):
            rows.to_csv(target / f"{county}.csv", mode="a", header=county not in made, index=False)
            made.add(str(county))
    return len(made)
