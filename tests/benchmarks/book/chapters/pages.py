"""Pages in Chromium on the shared store: drawn cold and warm, and from the button to the new range."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Final

from playwright.sync_api import Page

from core.store import open_store
from tests.benchmarks.book.browser import EMPTY, chromium, empty_program
from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place
from tests.benchmarks.evaluation import clear_caches, developer, load, times_of
from tests.benchmarks.page import answer_times
from tests.browser.conftest import DESKTOP, running_server, visit

_REPEATS: Final = 3
_PRESSES: Final = 10
_PAGES: Final = {
    "Home": ("", "Manager"),
    "Price a home": ("pricing", "Agent"),
    "Sales data": ("sales_data", "Analyst"),
    "Models": ("models", "Manager"),
    "Evaluation": ("evaluation", "Manager"),
    "Monitoring": ("monitoring", "Manager"),
}


def measure(place: Place) -> Iterator[Measurement]:
    """Yield the milliseconds until each page is drawn, beside an empty page, then those of an answer on screen."""
    with place.copied_home() as home:
        empty = empty_program(home.parent / "empty")
        with developer(), chromium() as browser:
            with running_server(home.parent / "none", empty) as server, visit(browser, server, DESKTOP) as opened:
                load(opened.page, server.url)
                beside = {kind: median(found) for kind, found in times_of(opened.page, server.url, _REPEATS).items()}
            with running_server(home) as server, visit(browser, server, DESKTOP) as opened:
                load(opened.page, server.address(role="Manager"))
                for name, (path, role) in _PAGES.items():
                    address = server.address(path, role=role)
                    for kind, times in _times(opened.page, server.address(role="Manager"), address).items():
                        yield place.measured(f"{name}, {kind}", "ms", median(times), EMPTY, beside[kind])
        with open_store(home) as store:
            for screen, times in answer_times(store, _PRESSES).items():
                name = f"from the button to the range, {screen}"
                yield place.measured(name, "ms", median(times), f"{EMPTY}, warm", beside["warm"])


def _times(page: Page, home: str, address: str) -> dict[str, list[float]]:
    """Return milliseconds until drawn as ``times_of`` does; caches are cleared at home, as a page may take the key."""
    cold = []
    for _ in range(_REPEATS):
        load(page, home)
        clear_caches(page)
        cold.append(load(page, address))
    return {"cold": cold, "warm": [load(page, address) for _ in range(_REPEATS)]}
