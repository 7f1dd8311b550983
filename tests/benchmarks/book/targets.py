"""The targets of the book, each read from its measurements: met, not met, or not measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.demo import SALES_USUAL
from tests.benchmarks.book.chapters.suite import FOLDERS, WHOLE
from tests.benchmarks.book.measurement import Measurement, Results

MILLION: Final = 1_000_000
USUAL: Final = 50_000
SMALLEST: Final = 10_000


class Verdict(StrEnum):
    """How a target stands."""

    MET = "met"
    NOT_MET = "not met"
    NOT_MEASURED = "not measured"


Read = Callable[[Results], float | None]


@dataclass(frozen=True)
class Target:
    """What is wanted: a figure of at most ``limit``; ``profiled`` is the chapter and size whose profile explains it.

    ``share`` writes the figure as a multiple instead of a number with a unit. ``parts`` are the measurements it is made
    of, at ``size``; of a ``growth`` from a smaller size, each is named with how much it grew.
    """

    what: str
    limit: float
    unit: str
    read: Read
    profiled: tuple[str, int] | None = None
    parts: tuple[tuple[str, str], ...] = ()
    size: int = MILLION
    grown_from: int | None = None

    def breakdown(self, results: Results) -> str:
        """Return what the figure is made of, the largest part first; empty where it is one measurement."""
        if self.grown_from is not None:
            return _fastest(results, self.grown_from, self.size, self.parts)
        found = [results.find(chapter, self.size, name) for chapter, name in self.parts]
        known = sorted((one for one in found if one is not None), key=lambda one: -one.value)
        chapters = {one.chapter for one in known}
        return ", ".join(
            f"{one.chapter if len(chapters) > 1 else one.name} {one.value:,.0f} {one.unit}" for one in known
        )

    def figure(self, results: Results) -> float | None:
        """Return the figure measured, None where it was not."""
        return self.read(results)

    def verdict(self, results: Results) -> Verdict:
        """Return how the target stands."""
        figure = self.figure(results)
        if figure is None or math.isnan(figure):
            return Verdict.NOT_MEASURED
        return Verdict.MET if figure <= self.limit else Verdict.NOT_MET


def value(chapter: str, size: int, name: str) -> Read:
    """Read one measurement."""
    return lambda results: _of(results.find(chapter, size, name), lambda one: one.value)


def ratio(chapter: str, size: int, name: str) -> Read:
    """Read one measurement as a multiple of its baseline."""
    return lambda results: _of(results.find(chapter, size, name), lambda one: one.ratio)


def together(size: int, *parts: tuple[str, str]) -> Read:
    """Read the sum of measurements; None unless all are there, of one machine."""
    return lambda results: _combined(results, size, parts, sum)


def largest(size: int, *parts: tuple[str, str]) -> Read:
    """Read the largest of some measurements; None unless all are there, of one machine."""
    return lambda results: _combined(results, size, parts, max)


def growth(small: int, large: int, *parts: tuple[str, str]) -> Read:
    """Read the fastest growth of some measurements between two sizes, as a multiple of that of n log n."""

    def read(results: Results) -> float | None:
        wanted = large * math.log(large) / (small * math.log(small))
        grown = _grown(results, small, large, parts)
        return max(grown.values()) / wanted if len(grown) == len(parts) else None

    return read


def _grown(results: Results, small: int, large: int, parts: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Return by name how many times as long each measurement takes at the larger size, of those at both."""
    found = {}
    for chapter, name in parts:
        before, after = results.find(chapter, small, name), results.find(chapter, large, name)
        if before is not None and after is not None and before.value > 0:
            found[f"{chapter}, {name.removeprefix('step: ')}"] = after.value / before.value
    return found


def _fastest(results: Results, small: int, large: int, parts: Iterable[tuple[str, str]]) -> str:
    grown = sorted(_grown(results, small, large, parts).items(), key=lambda one: -one[1])
    return "; ".join(f"{name} x{times:.1f}" for name, times in grown[:_NAMED])


def _of(one: Measurement | None, what: Callable[[Measurement], float | None]) -> float | None:
    return None if one is None else what(one)


def _combined(
    results: Results, size: int, parts: tuple[tuple[str, str], ...], combine: Callable[[list[float]], float]
) -> float | None:
    found = [results.find(chapter, size, name) for chapter, name in parts]
    values = [one.value for one in found if one is not None]
    of_one_machine = len(results.machines((chapter, size) for chapter, _ in parts)) <= 1
    return combine(values) if len(values) == len(parts) and of_one_machine else None


_STEPS: Final = (
    ("ingest", "ingest"),
    ("train", "training, evaluation and registration"),
    ("batch", "price all sales"),
)
# What takes more than some seconds at 1,000,000 sales; the work that depends on the settings tried is in the sums.
_GROWING: Final = (
    *_STEPS,
    ("ingest", "read and guess columns"),
    ("ingest", "merge and clean"),
    ("ingest", "commit"),
    ("ingest", "features"),
    ("train", "step: Preparing the facts of the homes"),
    ("train", "step: Comparing models"),
    ("train", "step: Training the final model and measuring its ranges"),
    ("train", "step: Pricing homes sold more than once"),
    ("train", "step: Opening the sealed test sales"),
    ("train", "step: Registering the model"),
    ("desk", "first open, nothing kept"),
)
_NAMED: Final = 3
_MEMORY: Final = (("ingest", "peak memory"), ("train", "peak memory"), ("batch", "price all sales: peak memory"))
_TRAINING: Final = "default training with search"
_REASONS: Final = "with range, confidence, comparables, drivers, flags, p95"
_DEMO: Final = "empty store to first priced home, story included"
_BAR: Final = "longest time the bar on the page stands still"


def _of_demo(size: int) -> tuple[Target, Target]:
    """Return the targets of a demo city of some sales: how long it takes, and how long its bar stands still."""
    city, profiled = f"Demo city of {size:,} sales", ("demo", size)
    return (
        Target(
            f"{city}, empty store to first priced home with its story", 60, "s", value("demo", size, _DEMO), profiled
        ),
        Target(f"{city}: the longest time its bar stands still", 3, "s", value("demo", size, _BAR), profiled),
    )


TARGETS: Final = (
    Target(
        "Default training with search at 50,000 sales, as a multiple of the time before the leaner search",
        1 / 3,
        "x",
        ratio("before", USUAL, _TRAINING),
        ("train", USUAL),
    ),
    Target(
        "Its validation error, as a multiple of the error before",
        1.0,
        "x",
        ratio("before", USUAL, "validation error (MAPE)"),
        ("train", USUAL),
    ),
    Target(
        "1,000,000 sales: ingest, train, evaluate, price all",
        480,
        "s",
        together(MILLION, *_STEPS),
        ("train", MILLION),
        parts=_STEPS,
    ),
    Target("1,000,000 sales: peak memory", 4_000, "MB", largest(MILLION, *_MEMORY), ("train", MILLION), parts=_MEMORY),
    Target(
        "No step grows faster than n log n, 50,000 to 1,000,000 sales: the fastest as a multiple of it",
        1.0,
        "x",
        growth(USUAL, MILLION, *_GROWING),
        ("train", MILLION),
        parts=_GROWING,
        grown_from=USUAL,
    ),
    Target(
        "Desk at 1,000,000 sales: first open after the training",
        3,
        "s",
        value("desk", MILLION, "first open after the training"),
        ("desk", MILLION),
    ),
    Target(
        "Desk at 1,000,000 sales: first open on a server that has kept nothing, as after an update",
        3,
        "s",
        value("desk", MILLION, "first open, nothing kept"),
        ("desk", MILLION),
    ),
    Target(
        "Desk at 1,000,000 sales: open in each process after that",
        3,
        "s",
        value("desk", MILLION, "open in the next process"),
        ("desk", MILLION),
    ),
    Target(
        "Desk at 1,000,000 sales: slowest answer after a commit of 5,000 sales",
        100,
        "ms",
        value("desk", MILLION, "after the commit: slowest answer meanwhile"),
        ("desk", MILLION),
    ),
    Target(
        "Desk at 1,000,000 sales: resident memory of a process",
        800,
        "MB",
        value("desk", MILLION, "open in the next process: resident memory"),
        ("desk", MILLION),
    ),
    Target(
        "One estimate without reasons, 50,000 sales: p95 as a multiple of the tutorial forest's predict of one row",
        0.1,
        "x",
        ratio("estimate", USUAL, "price alone, from its facts, p95"),
        ("estimate", USUAL),
    ),
    Target(
        "One estimate with its reasons, 1,000,000 sales: p95",
        15,
        "ms",
        value("estimate", MILLION, _REASONS),
        ("estimate", MILLION),
    ),
    Target("Cold start to first paint", 4, "s", value("start", USUAL, "cold start to first paint")),
    Target("--help", 0.4, "CPU s", value("start", USUAL, "--help, processor time")),
    *_of_demo(SALES_USUAL),
    *_of_demo(USUAL),
    Target(
        "Test suite, as CI runs it",
        600,
        "s",
        value("suite", SMALLEST, WHOLE),
        parts=tuple(("suite", folder) for folder in FOLDERS),
        size=SMALLEST,
    ),
)
