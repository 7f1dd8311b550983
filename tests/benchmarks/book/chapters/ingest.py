"""Ingest: the simulated city, from files to a committed version; makes the store that all chapters share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from core.workflows.data.market_of_files import NewMarket
from tests.benchmarks import intake
from tests.benchmarks.book.baselines import COLUMNS, MERGE, columns_step, inputs_of, pandas_merge
from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place, market_of, sales_of, timed
from tests.benchmarks.pricing import feature_seconds

_WHOLE_CITY: Final = 200_000
"""The most sales of one simulated city; more are the city again and again, in other years and other towns."""


def measure(place: Place) -> Iterator[Measurement]:
    """Yield the seconds of reading, checking and committing, and of building features."""
    shutil.rmtree(place.folder, ignore_errors=True)
    place.folder.mkdir(parents=True)
    whole = place.size <= _WHOLE_CITY
    intake.in_another_process(intake.write_city if whole else intake.write_repeated, place.folder, place.size)
    market = NewMarket("Bench", "USD", "sqft", simulated=True)
    found = intake.measure(place.folder, place.files, market, by_command=False)
    total = found["read_and_guess_seconds"] + found["seconds"]
    with tempfile.TemporaryDirectory(dir=place.folder) as folder:
        merge = timed(lambda: pandas_merge(place.files, Path(folder) / "merged.parquet"))
    note = "" if whole else "one file: the city of 50,000 sales again and again, as other towns and years"
    yield place.measured("ingest", "s", total, MERGE, merge, note)
    yield place.measured("read and guess columns", "s", found["read_and_guess_seconds"])
    yield place.measured("merge and clean", "s", _cleaning(found["steps"], found["check_seconds"]))
    yield place.measured("commit", "s", found["seconds"] - found["check_seconds"])
    yield place.measured("peak memory", "MB", found["peak_mb"])
    yield place.measured("sales committed", "sales", found["sales"])
    with place.store() as store:
        sales = sales_of(store)
        facts = inputs_of(sales)
        plain = timed(lambda: columns_step(facts).fit_transform(facts))
        yield place.measured("features", "s", feature_seconds(store, market_of(store)), COLUMNS, plain)


def _cleaning(steps: Mapping[str, float], end: float) -> float:
    begun = [at for message, at in steps.items() if message.startswith("Merging")]
    return end - min(begun, default=0.0)
