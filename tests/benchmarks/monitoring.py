"""How long a manager waits for the monitoring page, by length of the ledger, beside the page Home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

from core.problem import load_problem
from core.store import Market, Store, open_store
from tests.benchmarks.evaluation import developer, load, times_of
from tests.benchmarks.ledger import entry
from tests.benchmarks.long_ledger import fill
from tests.browser.conftest import CHROMIUM, DESKTOP, QUIET, running_server, visit
from tests.small_market import build_small_market
from tests.store.samples import AGENT

SIZES: Final = (100_000, 1_000_000)
VIEWS: Final = ("Promises", "Figures", "Accuracy", "Agents and the model", "Operations")


def load_times(folder: Path, repeats: int, sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, Any]]:
    """Yield the times to draw Home and views of the monitoring page, by estimates in the ledger.

    Times are milliseconds from the start of the navigation: cold with the server's caches cleared, warm without, and
    after with an estimate written since the page was drawn last, so that its figures are worked out anew.
    """
    for rows in sizes:
        home = folder / f"home-{rows}"
        files = folder / f"files-{rows}"
        files.mkdir()
        market = build_small_market(home, files, load_problem())
        with open_store(home) as store:
            fill(store, rows, market.market_id)
        with open_store(home) as store:
            yield from _timed(store, market, rows, repeats)


def _timed(store: Store, market: Market, rows: int, repeats: int) -> Iterator[dict[str, Any]]:
    with developer(), running_server(store.home) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        with visit(browser, server, DESKTOP) as opened:
            page, home = opened.page, server.address(role="Manager")
            views = {view: server.address("monitoring", role="Manager", span="Everything", view=view) for view in VIEWS}
            # The browser has the scripts of charts and tables from here on.
            load(page, home)
            load(page, views[VIEWS[0]])
            for name, address in {"Home (baseline)": home, **views}.items():
                after = _after_writing(page, address, store, market, repeats)
                yield {"view": name, "rows": rows, **times_of(page, address, repeats), "after": after}
        browser.close()


def _after_writing(page: Page, address: str, store: Store, market: Market, repeats: int) -> list[float]:
    found = []
    for _ in range(repeats):
        store.ledger.append(entry(market.market_id), AGENT)
        found.append(load(page, address))
    return found
