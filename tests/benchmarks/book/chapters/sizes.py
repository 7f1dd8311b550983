"""Sizes on disk: source files, data version, model, opened evidence, database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.benchmarks.book import baselines
from tests.benchmarks.book.measurement import Measurement, read
from tests.benchmarks.book.place import Place

_FOLDERS: Final = {
    "versions": "data version",
    "ledgers": "row ledger",
    "scores": "test scores",
    "opened": "opened evidence",
}


def measure(place: Place) -> Iterator[Measurement]:
    """Yield the megabytes of what the store keeps, beside the source files and the tutorial's pickle."""
    source = sum(path.stat().st_size for path in place.files) / 1e6
    for folder, name in _FOLDERS.items():
        yield place.measured(name, "MB", megabytes(place.home / folder), "the source files", source)
    forest = read(place.out).find("train", place.size, f"{baselines.FOREST}: size")
    largest = max((path.stat().st_size for path in (place.home / "models").rglob("*") if path.is_file()), default=0)
    beside = (baselines.FOREST, forest.value, forest.note) if forest else ("", None, "")
    yield place.measured("model", "MB", largest / 1e6, *beside)
    yield place.measured("database", "MB", sum(p.stat().st_size for p in place.home.glob("*.sqlite*")) / 1e6)


def megabytes(folder: Path) -> float:
    """Return how much a folder's files take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
