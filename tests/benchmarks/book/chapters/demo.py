"""The demo city: from an empty store to the first priced home with its half year of story."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from cProfile import Profile
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from core.demo.opening import open_demo_with_story
from core.progress import expected_fraction, shown_fraction, silent
from core.store import open_store
from tests.acting import acting
from tests.benchmarks.book import baselines
from tests.benchmarks.book.measurement import Measurement, read
from tests.benchmarks.book.place import Place, desk_of
from tests.benchmarks.pricing import price_first_home
from tests.benchmarks.processes import peak_memory

# A bar of a thousand pixels, drawn once a second: the page draws it so.
_STEPS: Final = 1_000


class Pauses:
    """A progress that notes the longest time without a message, and after which message it was."""

    def __init__(self) -> None:
        self.longest, self.after, self.live_at = 0.0, "", 0.0
        self._started = time.perf_counter()
        self._message = "the start"
        self._reports = [(0.0, 0.0)]

    def __call__(self, fraction: float, message: str) -> None:
        """Note the time since the message before."""
        at, before = time.perf_counter() - self._started, self._reports[-1][0]
        if at - before > self.longest:
            self.longest, self.after = at - before, self._message
        if message == "Model registered":
            self.live_at = at
        self._message = message
        self._reports.append((at, fraction))

    def stands_still(self) -> float:
        """Return for how many seconds at most the bar on the page did not move: it goes on between two reports."""
        longest, since, shown, drawn, step = 0.0, 0.0, 0.0, 0.0, 0
        for (at, fraction), (until, _) in pairwise(self._reports):
            for second in np.arange(at, until):
                shown = shown_fraction(
                    fraction, expected_fraction(fraction, second, second - at), shown, second - drawn
                )
                longest = max(longest, second - since)
                drawn, since = second, since if round(_STEPS * shown) == step else second
                step = round(_STEPS * shown)
        return longest


def measure(place: Place) -> Iterator[Measurement]:
    """Yield the seconds to the first priced home, the longest pause between messages, and peak memory."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="doorstep-book-", dir=place.out))
        store, peak = stack.enter_context(open_store(Path(folder))), stack.enter_context(peak_memory())
        started, pauses = time.perf_counter(), Pauses()
        open_demo_with_story(acting(store), pauses, place.size)
        price_first_home(desk_of(store))
        total = time.perf_counter() - started
    name, beside = _tutorial(place)
    yield place.measured("empty store to first priced home, story included", "s", total, name, beside)
    yield place.measured("first model live", "s", pauses.live_at)
    note = f"after the message {pauses.after!r}"
    yield place.measured("longest pause between progress messages", "s", pauses.longest, note=note)
    yield place.measured("longest time the bar on the page stands still", "s", pauses.stands_still())
    yield place.measured("peak memory", "MB", peak.bytes / 1e6)


def profiled(place: Place, profile: Profile) -> None:
    """Open the demo city once more."""
    with (
        tempfile.TemporaryDirectory(prefix="doorstep-book-", dir=place.out) as folder,
        open_store(Path(folder)) as store,
    ):
        profile.runcall(open_demo_with_story, acting(store), silent, place.size)


def _tutorial(place: Place) -> tuple[str, float | None]:
    """Return what the tutorial takes at this size, as the chapters ingest and train measured it."""
    results = read(place.out)
    merge = results.find("ingest", place.size, "ingest")
    forest = results.find("train", place.size, f"{baselines.FOREST}: fit")
    if merge is None or merge.baseline_value is None or forest is None:
        return "", None
    return "tutorial: pandas merge and RandomForest(150) fitted", merge.baseline_value + forest.value
