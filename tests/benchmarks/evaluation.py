"""How long a manager waits for the evaluation page: from the address to the last chart drawn, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from playwright.sync_api import Page, sync_playwright

from core.evaluate.scored_sales import ScoredSales
from core.store import ModelRecord, NewModel, Store, open_store
from core.train.bundle import to_bytes
from core.workflows.models.test_scores import SCORES, keep_scores, scores_of
from core.workflows.models.training import load_model
from tests.acting import acting
from tests.benchmarks.accuracy import MANAGER
from tests.browser.conftest import CHROMIUM, DESKTOP, IDLE, QUIET, Server, running_server, visit

GROWN: Final = 200_000
# It explains single sales with the model's evidence, which copies of a sale are not in; of the sales it shows a sample.
_OF_REAL_SALES: Final = ("Importance",)

_MONEY: Final = ("sale_price", "list_price", "estimate", "point", "low", "high", "baseline")
# Drawn: the app is idle, nothing is being worked out, and each chart and table in sight has its picture, for a while.
_DRAWN: Final = """(idle) => new Promise((resolve, reject) => {
  const all = (parts) => [...document.querySelectorAll(parts)].filter(part => part.checkVisibility());
  const drawn = () => document.querySelector(idle)
    && all("[data-testid='stAlertContentError']").length === 0
    && all("[data-testid='stHeading']").length > 0
    && all("[data-testid='stSkeleton'], [data-testid='stSpinner']").length === 0
    && all("[data-testid='stPlotlyChart']").every(chart => chart.querySelector('.main-svg'))
    && all("[data-testid='stDataFrame']").every(table => table.querySelector('canvas'));
  let since = null;
  const look = () => {
    since = drawn() ? since ?? performance.now() : null;
    if (since !== null && performance.now() - since > 400) resolve(since);
    else if (performance.now() > 60000) reject(new Error('the page is not drawn after a minute'));
    else requestAnimationFrame(look);
  };
  look();
})"""


def load_times(home: Path, repeats: int) -> Iterator[dict[str, Any]]:
    """Yield the times to draw Home and each view of the evaluation page, by number of test sales, cold and warm.

    ``home`` holds a store with one market and its live model, of which the first numbers are; for those of GROWN sales
    its test sales are repeated.

    Times are milliseconds from the start of the navigation. Cold is the first load after the server's caches were
    cleared, warm a later one; the browser has the scripts either way.
    """
    with open_store(home) as store:
        [market] = store.markets.list()
        live = store.models.champion(market.market_id)
        assert live is not None
        own = scores_of(acting(store, MANAGER), live.model_id)
        models = {len(own.table): _named(live), GROWN: _named(_model_of(store, live, grown(own, GROWN)))}
    with developer(), running_server(home) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        with visit(browser, server, DESKTOP) as opened:
            page = opened.page
            load(page, server.address(role="Manager"))
            yield {"view": "Home (baseline)", **times_of(page, server.address(role="Manager"), repeats)}
            views = _views(page, server)
            for sales, model in models.items():
                for view in views if sales != GROWN else [view for view in views if view not in _OF_REAL_SALES]:
                    address = server.address("evaluation", role="Manager", evaluated=model, view=view)
                    yield {"view": view, "sales": sales, **times_of(page, address, repeats)}
        browser.close()


def grown(scored: ScoredSales, sales: int, seed: int = 1) -> ScoredSales:
    """Make scores of so many sales from fewer: each drawn again, at prices up to some percent higher or lower.

    A copy keeps the row of its sale: the rows of the sealed test must not grow into those the model learned from.
    """
    rng = np.random.default_rng(seed)
    table = scored.table.iloc[rng.integers(0, len(scored.table), sales)].reset_index(drop=True)
    factor = rng.lognormal(0.0, 0.05, sales)
    money = [str(name) for name in table if name in _MONEY or str(name).startswith(("low_", "high_"))]
    table[money] = table[money].mul(factor, axis=0)
    table["sale_price"] *= rng.lognormal(0.0, 0.01, sales)
    return replace(scored, table=table)


def _named(record: ModelRecord) -> str:
    """Return a model's name on the page."""
    return f"{record.model_id} ({record.card['family']})"


def _model_of(store: Store, live: ModelRecord, scored: ScoredSales) -> ModelRecord:
    """Register the live model once more, with other scores."""
    bundle = load_model(store, live.model_id)
    card = live.card | {SCORES: keep_scores(store, scored)}
    # Another bundle, or the registry would return the model it has.
    payload = to_bytes(replace(bundle, metrics={**bundle.metrics, "scored": len(scored.table)}))
    return store.models.add(NewModel(live.market_id, live.version_id, payload, card), MANAGER)


@contextmanager
def developer() -> Iterator[None]:
    """Let a server started meanwhile clear its caches at the press of a key."""
    os.environ["STREAMLIT_CLIENT_TOOLBAR_MODE"] = "developer"
    try:
        yield
    finally:
        del os.environ["STREAMLIT_CLIENT_TOOLBAR_MODE"]


def _views(page: Page, server: Server) -> list[str]:
    load(page, server.address("evaluation", role="Manager"))
    return page.get_by_test_id("stButtonGroup").first.get_by_role("radio").all_inner_texts()


def times_of(page: Page, address: str, repeats: int) -> dict[str, list[float]]:
    """Return milliseconds until the page at an address is drawn, with the server's caches cleared and without."""
    cold = []
    for _ in range(repeats):
        clear_caches(page)
        cold.append(load(page, address))
    return {"cold": cold, "warm": [load(page, address) for _ in range(repeats)]}


def clear_caches(page: Page) -> None:
    """Clear the server's caches from a page without a focused input."""
    page.locator("body").press("c")
    page.get_by_role("button", name="Clear caches").click()
    page.wait_for_timeout(300)


def load(page: Page, address: str) -> float:
    """Go to an address; returns milliseconds until all in sight is drawn."""
    page.goto(address, wait_until="commit")
    page.wait_for_selector(IDLE)
    return float(page.evaluate(_DRAWN, IDLE))
