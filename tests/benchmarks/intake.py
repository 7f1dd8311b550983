"""Files as large as a city's and as a country's, taken in: seconds from file to committed version, peak memory."""

from __future__ import annotations

import io
import multiprocessing
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from core.access import Actor, Role
from core.demo.city import END
from core.demo.files import demo_files
from core.problem import load_problem
from core.progress import part, silent
from core.store import open_store
from core.workflows.data.intake import commit_intake, ingest, prepare_intake
from core.workflows.data.market_of_files import NewMarket
from core.workflows.data.source_preview import preview_source
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.benchmarks.processes import peak_memory

ANALYST: Final = Actor("benchmark", Role.ANALYST)
BENCH: Final = NewMarket("Bench", "USD", "sqft")
TODAY: Final = END + timedelta(days=1)

_CITY: Final = 50_000
_YEARS: Final = 6
_ERAS: Final = 4


def three_sources(sales: int) -> dict[str, Any]:
    """Take in the simulated city's three files: as many sales as tax records, and 100 neighbourhoods."""
    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder:
        in_another_process(write_city, Path(folder), sales)
        return measure(Path(folder), sorted(Path(folder).glob("*.csv")))


def one_large_file(sales: int) -> dict[str, Any]:
    """Take in one file of sales: the simulated city again and again, in other years and with ids of its own."""
    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder:
        in_another_process(write_repeated, Path(folder), sales)
        return measure(Path(folder), sorted(Path(folder).glob("*.csv")))


def measure(folder: Path, paths: list[Path], market: NewMarket = BENCH, by_command: bool = True) -> dict[str, Any]:
    """Take files in as a new market of the store in the folder's ``home``; by the command line once more, if asked."""
    steps: dict[str, float] = {}
    problem = load_problem()
    with open_store(folder / "home") as store, peak_memory() as peak:
        started, worked = time.perf_counter(), time.process_time()
        # As on the page: the files are read once, when they are brought, and checked after that.
        seen = [preview_source(path, path.name, problem) for path in paths]
        brought = time.perf_counter() - started
        files = [
            SourceFile(path, path.name, one.guess.mapping, one.read) for path, one in zip(paths, seen, strict=True)
        ]
        started = time.perf_counter()

        def progress(fraction: float, message: str) -> None:
            steps.setdefault(message, round(time.perf_counter() - started, 1))

        preview = prepare_intake(
            acting(store, problem=problem, today=TODAY),
            market,
            files,
            part(progress, 0.0, 0.9),
        )
        checked = time.perf_counter() - started
        report = commit_intake(acting(store, ANALYST), preview, "benchmark")
        total, cpu = time.perf_counter() - started, time.process_time() - worked
        worked = time.process_time()
        if by_command:
            unguessed = [SourceFile(path, path.name) for path in paths]
            ingest(acting(store, ANALYST, problem, TODAY), NewMarket("By command", "USD", "sqft"), unguessed, silent)
        worked = time.process_time() - worked
    return {
        "rows_in": sum(file.rows_in for file in preview.files),
        "sales": report.version.rows,
        "read_and_guess_seconds": round(brought, 1),
        "check_seconds": round(checked, 1),
        "seconds": round(total, 1),
        "cpu_seconds": round(cpu, 1),
        "cpu_seconds_by_command": round(worked, 1),
        "peak_mb": round(peak.bytes / 1e6),
        "steps": steps,
    }


def in_another_process(make: Any, folder: Path, sales: int) -> None:
    """Make files in a process of its own."""
    # What making the files takes is no part of taking them in.
    process = multiprocessing.get_context("spawn").Process(target=make, args=(folder, sales))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"the files were not made: exit code {process.exitcode}")


def write_city(folder: Path, sales: int) -> None:
    """Write the three files of the simulated city."""
    demo = demo_files(sales=sales)
    for name, content in zip(demo.names, (demo.sales, demo.tax, demo.neighbourhoods), strict=True):
        (folder / name).write_bytes(content)


def write_repeated(folder: Path, sales: int) -> None:
    """Write one file of sales: the simulated city as often as they take."""
    city = pd.read_csv(io.BytesIO(demo_files(sales=_CITY).sales), dtype="str", keep_default_na=False)
    copies = -(-sales // len(city))
    with (folder / "million.csv").open("wb") as out:
        for copy in range(copies):
            rows = _moved(city, copy).head(sales - copy * len(city))
            options = csv.WriteOptions(include_header=copy == 0, quoting_style="none")
            csv.write_csv(pa.Table.from_pandas(rows, preserve_index=False), out, options)


def _moved(city: pd.DataFrame, copy: int) -> pd.DataFrame:
    """Return the city some years earlier, as another town: ids, house numbers and zip codes of its own."""
    era, town = copy % _ERAS, copy // _ERAS
    moved = city.copy()
    for name in ("MLS Number", "Parcel Number"):
        moved[name] = city[name].mask(city[name] != "", city[name] + f"-{copy}")
    moved["Street Address"] = city["Street Address"].str.replace(
        r"^\d", lambda found: f"{town + 1}{found[0]}", regex=True
    )
    for name in ("List Date", "Close Date"):
        days = city[name].str.replace(r"\d{4}$", lambda found: str(int(found[0]) - _YEARS * era), regex=True)
        moved[name] = days.str.replace(r"^02/29", "02/28", regex=True)
    moved["Zip"] = (pd.to_numeric(city["Zip"]) - 1_000 * town).astype("str")
    return moved
