"""Servers and Chromium for the chapters that look at pages, and an empty Streamlit page to compare with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET, ROOT, listening_server

EMPTY: Final = "an empty Streamlit page"
_PROGRAM: Final = 'import streamlit as st\n\nst.title("Empty")\n'


def empty_program(folder: Path) -> Path:
    """Write the empty program and return its folder."""
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(_PROGRAM, encoding="utf-8")
    return folder


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


_PAINTED: Final = """() => new Promise(resolve => {
  const look = () => {
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    if (paint) resolve(performance.timeOrigin + paint.startTime);
    else requestAnimationFrame(look);
  };
  look();
})"""


@dataclass(frozen=True)
class ColdStart:
    """Seconds from the command to the server's first answer, the first paint in a new tab, and the page drawn."""

    answer: float
    paint: float
    drawn: float


def cold_start(browser: Browser, home: Path, program: Path | None = None) -> ColdStart:
    """Start a server, open its first page in a new tab, and return how long each step took from the start on."""
    started = time.time()
    with listening_server(home, program or ROOT) as server, browser.new_context() as context:
        answer = time.time() - started
        page = context.new_page()
        page.goto(server.url, wait_until="commit")
        paint = float(page.evaluate(_PAINTED)) / 1000 - started
        page.wait_for_selector("[data-testid='stHeading']")
        return ColdStart(answer, paint, time.time() - started)
