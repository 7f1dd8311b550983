"""The demo city: from an empty store to the first priced home with its half year of story."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from cProfile import Profile
from pathlib import Path

from core.demo.opening import open_demo_with_story
from core.progress import silent
from core.store import open_store
from tests.acting import acting
from tests.benchmarks.book import baselines
from tests.benchmarks.book.measurement import Measurement, read
from tests.benchmarks.book.place import Place, desk_of
from tests.benchmarks.memory import peak_memory
from tests.benchmarks.pricing import price_first_home


class Pauses:
    """A progress that notes the longest time without a message, and after which message it was."""

    def __init__(self) -> None:
        self.longest, self.after, self.live_at = 0.0, "", 0.0
        self._started = self._last = time.perf_counter()
        self._message = "the start"

    def __call__(self, fraction: float, message: str) -> None:
        """Note the time since the message before."""
        now = time.perf_counter()
        if now - self._last > self.longest:
            self.longest, self.after = now - self._last, self._message
        if message == "Model registered":
            self.live_at = now - self._started
        self._last, self._message = now, message


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
