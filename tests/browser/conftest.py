"""A real server on a free port and the system's Chromium, for tests that see what a user sees."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Playwright,
    TimeoutError,
    WebSocket,
    expect,
    sync_playwright,
)

from tests.browser.runs import Run, Runs
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parent.parent.parent
SHOTS = ROOT / "test-results" / "screenshots"
# Without windows to draw, the first takes half the processor time of the second.
BROWSERS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(shutil.which, BROWSERS), BROWSERS[0])
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = (1280, 900)
PHONE = (390, 844)
IDLE_MS = 120_000
# Training and checking large files, beside whatever else the machine does: no test asserts how fast they are.
WORK_MS = PATIENCE_SECONDS * 1_000
IDLE = "[data-testid='stApp'][data-test-script-state='notRunning'][data-test-connection-state='CONNECTED']"
HEALTH = "_stcore/health"
# The API answers once everything is loaded.
LOADED = "api/v1/health"
# Drawing what moves while a page waits takes a third of the browser's processor time.
STILL = """addEventListener('DOMContentLoaded', () => { const style = document.createElement('style');
    style.textContent = '*, *::before, *::after { animation: none !important; transition: none !important }';
    document.head.append(style); })"""


@dataclass(frozen=True)
class Server:
    """A running Doorstep: where it answers, where it keeps its data and what it logged."""

    url: str
    home: Path
    log_file: Path

    def address(self, path: str = "", **query: str) -> str:
        """The address of a page, such as address("pricing", role="Agent")."""
        return f"{self.url}/{path}" + (f"?{urlencode(query)}" if query else "")

    def log(self) -> str:
        """Everything the server has printed."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Visit:
    """A browser tab on a server; ``requests`` and ``complaints`` fill while it is open."""

    page: Page
    server: Server
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    runs: Runs = field(default_factory=Runs)

    def open(self, path: str = "", **query: str) -> Page:
        """Go to a page and wait until it is drawn; the query takes role="Agent" and market="<its name>" as labelled."""
        self.page.goto(self.server.address(path, **query), wait_until="domcontentloaded")
        return self.settle()

    def settle(self, timeout_ms: int = IDLE_MS) -> Page:
        """Wait until the app is idle and drawn; call it after each click that makes the app work."""
        # Some inputs send what was typed a moment later.
        self.page.wait_for_timeout(150)
        deadline = time.monotonic() + timeout_ms / 1000
        while self.runs.newest is not Run.ENDED and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert self.runs.newest is Run.ENDED, f"the page is not done after {timeout_ms} ms; {self.server.log()}"
        expect(self.page.locator(IDLE), self.server.log()).to_be_attached(timeout=timeout_ms)
        expect(self.page.get_by_test_id("stSkeleton"), "parts of the page never arrived").to_have_count(
            0, timeout=timeout_ms
        )
        return self.page

    def choose(self, label: str, option: str) -> Page:
        """Choose an option of the select box with this label."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        return self.settle()

    def name_currency(self, code: str) -> Page:
        """Choose the currency of a new market whose files do not say it."""
        # The list is long, and only its beginning is drawn.
        self.page.get_by_role("combobox", name="Currency of its prices").fill(code)
        self.page.get_by_role("option", name=code, exact=True).click()
        return self.settle()

    def press(self, name: str) -> Page:
        """Press the button whose name has this pattern, and wait until what it sets off is done."""
        self.settle(WORK_MS)
        self.page.get_by_role("button", name=re.compile(name)).click()
        return self.settle(WORK_MS)

    def follow(self, link: Locator, path: str) -> Page:
        """Click a link until the page at this path is open, and wait until it is drawn.

        Streamlit forgets the page asked for if the page that is open asks to be drawn anew in the same moment.
        """
        for patience_ms in (5_000, IDLE_MS):
            link.click()
            try:
                self.page.wait_for_url(re.compile(rf"/{path}\b"), timeout=patience_ms)
            except TimeoutError:
                # A click that was forgotten is not one the page asks for.
                self.page.evaluate("sessionStorage.clicks = Number(sessionStorage.clicks || 0) - 1")
                continue
            return self.settle()
        raise AssertionError(f"the link does not lead to {path!r}; {self.server.log()}")

    def figure(self, label: str) -> int:
        """Return a whole number the page shows under this label."""
        metric = self.page.get_by_test_id("stMetric").filter(has_text=label)
        return int(metric.get_by_test_id("stMetricValue").inner_text().replace(",", ""))

    def shot(self, name: str) -> None:
        """Keep a screenshot in test-results/screenshots, which git ignores; not in CI, where nobody looks at them."""
        if not os.environ.get("CI"):
            SHOTS.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=SHOTS / f"{name}.png")


@contextmanager
def running_server(
    home: Path, program: Path = ROOT, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Server]:
    """Run the Doorstep in ``program`` on a free port with its data in ``home``, and wait until all of it is loaded."""
    with listening_server(home, program, settings) as server:
        _wait_for(server, LOADED)
        yield server


@contextmanager
def listening_server(
    home: Path, program: Path = ROOT, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Server]:
    """Run a program until the block ends, from the moment it answers; shows its log if it does not start.

    ``settings`` are environment variables in the place of the usual ones.
    """
    server = Server(f"http://127.0.0.1:{_free_port()}", home, home.with_suffix(".log"))
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", server.url.rpartition(":")[2]]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"STREAMLIT_SERVER_HEADLESS": "true", "DOORSTEP_HOME": str(home), **settings}
    with server.log_file.open("wb") as log:
        process = subprocess.Popen(command, cwd=program, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(server, HEALTH, process)
            yield server
        finally:
            _stop(process)


@contextmanager
def visit(browser: Browser, server: Server, size: tuple[int, int], dark: bool = False) -> Iterator[Visit]:
    """Open a tab with no cookie and nothing stored on the server, and note every request and every console error."""
    with _tab(browser, server, has_touch=size == PHONE) as page:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme="dark" if dark else "light")
        opened = Visit(page, server)
        notes: tuple[tuple[Any, str, Callable[[Any], None]], ...] = (
            (page.context, "request", lambda request: opened.requests.append(request.url)),
            (page, "websocket", lambda socket: _follow(socket, opened)),
            (page, "console", lambda said: _note(said, opened.complaints)),
            (page, "pageerror", lambda error: opened.complaints.append(str(error))),
        )
        for source, event, note in notes:
            source.on(event, note)
        yield opened
        for source, event, note in notes:
            source.remove_listener(event, note)


# Tabs that no visit uses: one that has seen a server's scripts loads a page of it in a third of the time.
_FREE: dict[tuple[str, bool], list[Page]] = {}


@contextmanager
def _tab(browser: Browser, server: Server, has_touch: bool) -> Iterator[Page]:
    """Give a tab of a profile of its own to one visit alone, and then empty both of all but the scripts."""
    for other in [key for key in _FREE if key[0] != server.url]:
        for page in _FREE.pop(other):
            page.context.close()
    free = _FREE.setdefault((server.url, has_touch), [])
    page = free.pop() if free else _new_tab(browser, has_touch)
    context = page.context
    try:
        yield page
        for another in context.pages:
            if another is not page:
                another.close()
        page.goto(f"{server.url}/{HEALTH}")
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        context.clear_cookies()
    except BaseException:
        context.close()
        raise
    free.append(page)


def _new_tab(browser: Browser, has_touch: bool) -> Page:
    context = browser.new_context(has_touch=has_touch, accept_downloads=True)
    context.set_default_timeout(IDLE_MS)
    context.add_init_script(STILL)
    return context.new_page()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; tests are skipped without it, but not in CI."""
    path = shutil.which(CHROMIUM)
    if path is None:
        message = f"no browser at {CHROMIUM}; install Debian's chromium-headless-shell, or set CHROMIUM to one"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # What is awaited may come late on a machine that is busy with other tests.
    expect.set_options(timeout=IDLE_MS)
    with sync_playwright() as playwright:
        browser = _launch(playwright, path)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an empty store, shared by the tests of a module."""
    with running_server(tmp_path_factory.mktemp("doorstep") / "home") as running:
        yield running


@pytest.fixture
def desktop(chromium: Browser, server: Server) -> Iterator[Visit]:
    """A tab as wide as a laptop's."""
    with visit(chromium, server, DESKTOP) as opened:
        yield opened


@pytest.fixture
def phone(chromium: Browser, server: Server) -> Iterator[Visit]:
    """A tab as narrow as a phone's."""
    with visit(chromium, server, PHONE) as opened:
        yield opened


def _follow(socket: WebSocket, opened: Visit) -> None:
    opened.requests.append(socket.url)
    opened.runs.follow(socket)


def _note(said: ConsoleMessage, complaints: list[str]) -> None:
    url = said.location.get("url", "")
    missing = "404" in said.text
    # Streamlit's client looks for a download's file once its button is drawn, though the page may have moved on since.
    passed = missing and ("/media/" in url or "Download Button source error" in said.text)
    if said.type == "error" and not passed:
        complaints.append(f"{said.text} ({url})")


def _launch(playwright: Playwright, path: str) -> Browser:
    return playwright.chromium.launch(executable_path=path, args=list(QUIET))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(server: Server, path: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait for an answer of any status; a process that ended gives none."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (process is None or process.poll() is None) and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(server.address(path), timeout=PATIENCE_SECONDS).close()
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the server did not start within {PATIENCE_SECONDS} s; its log:\n{server.log()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
