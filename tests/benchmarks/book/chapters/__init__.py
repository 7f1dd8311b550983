"""The chapters of the book, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from cProfile import Profile
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place


@dataclass(frozen=True)
class Chapter:
    """A part of the book: what it needs to have run before, the most sales it runs at, and minutes until it is ended.

    ``minutes`` are for 50,000 sales and fewer; they grow with the sales. Above ``most`` sales the chapter is left out,
    and the book says ``why``.
    """

    name: str
    title: str
    needs: tuple[str, ...] = ()
    minutes: float = 5.0
    most: int | None = None
    why: str = ""

    @property
    def run(self) -> Callable[[Place], Iterator[Measurement]]:
        """Return what measures it; imported only in the process that does."""
        measure: Callable[[Place], Iterator[Measurement]] = import_module(f"{__name__}.{self.name}").measure
        return measure

    @property
    def profile(self) -> Callable[[Place, Profile], None]:
        """Return what runs its work, and no baseline, under a profile."""
        profiled: Callable[[Place, Profile], None] = import_module(f"{__name__}.{self.name}").profiled
        return profiled

    def limit_seconds(self, size: int) -> float:
        """Return after how many seconds the chapter is ended at a size."""
        return 60 * self.minutes * max(1.0, min(size / 50_000, 5.0))


CHAPTERS: Final = (
    Chapter("ingest", "Ingest: files to a committed version", minutes=6),
    Chapter("train", "Training with search", ("ingest",), minutes=12),
    Chapter("estimate", "One estimate", ("train",)),
    Chapter("batch", "Many homes at once", ("train",)),
    Chapter("desk", "Opening a market's desk", ("train",), minutes=6),
    Chapter("sizes", "Sizes on disk", ("train",)),
    Chapter("monitoring", "Monitoring queries, on a ledger of as many estimates as sales", minutes=4),
    Chapter("pages", "Pages in Chromium", ("train",), minutes=10),
    Chapter("api", "REST API", ("train",)),
    Chapter("start", "Start of the program", most=50_000, why="it does not depend on the sales"),
    Chapter("demo", "Demo city with its story", minutes=8, most=50_000, why="the demo city has 50,000 sales"),
    Chapter("suite", "The test suite", minutes=75, most=10_000, why="it does not depend on the sales"),
    Chapter(
        "before",
        "The default training of before",
        ("train",),
        minutes=15,
        most=50_000,
        why="the target is set at 50,000 sales",
    ),
)
