"""The frame as a user meets it: it opens, its navigation follows the role, nothing leaves this computer."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from core.access import Actor, Role
from core.store import open_store
from pages.kit.navigation import PAGES, landing
from tests.browser.conftest import DESKTOP, PHONE, ROOT, Server, Visit, listening_server, running_server, visit
from tests.patience import PATIENCE_SECONDS

# The page tests go through all roles and pages.
ROLES_AND_PATHS = [(Role.AGENT, "pricing"), (Role.AGENT, "models"), (Role.MANAGER, "models")]
# Its icon is a word for a screen reader, too.
SIMULATED = re.compile("Simulated$")
SETTER = Actor("Ann", Role.ANALYST)


@pytest.fixture(scope="module")
def two_markets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose store holds a real and a simulated market."""
    home = tmp_path_factory.mktemp("doorstep") / "home"
    with open_store(home, f"sqlite:///{_ready(home) / 'doorstep.sqlite'}") as store:
        store.markets.create("Harbour $1 *town*", "AUD", "sqm", False, SETTER)
        store.markets.create("Made-up city", "USD", "sqft", True, SETTER)
    with running_server(home) as running:
        yield running


def _ready(home: Path) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    return home


def get(url: str, host: str = "127.0.0.1", accept: str = "") -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, headers={"Host": host, "Accept-Encoding": accept})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, error.read()


def navigation(opened: Visit) -> list[str]:
    links = opened.page.get_by_test_id("stSidebarNavLink")
    return [link.get_by_test_id("stMarkdownContainer").inner_text() for link in links.all()]


def titles(role: Role) -> list[str]:
    return [page.title for page in PAGES if role in page.roles and landing(page.path, role) is None]


def test_the_first_page_opens_without_an_error_or_a_request_to_elsewhere(desktop: Visit) -> None:
    page = desktop.open()
    expect(page).to_have_title("Home · Doorstep")
    expect(page.get_by_test_id("stSidebarLogo")).to_be_visible()
    desktop.shot("shell-desktop")
    for entry in PAGES:
        desktop.open(entry.path, role="Manager")
    assert {urlsplit(url).hostname for url in desktop.requests if not url.startswith(("data:", "blob:"))} == {
        "127.0.0.1"
    }
    assert any(url.startswith("ws://127.0.0.1") for url in desktop.requests)
    assert desktop.complaints == []


def test_the_navigation_follows_the_role(desktop: Visit) -> None:
    desktop.open()
    assert navigation(desktop) == titles(Role.AGENT)
    desktop.choose("Local mode: act as", "Manager")
    expect(desktop.page.get_by_test_id("stSidebarNavLink")).to_have_count(len(titles(Role.MANAGER)))
    assert navigation(desktop) == titles(Role.MANAGER)
    assert "role=Manager" in desktop.page.url


def test_the_role_outlives_a_change_of_page_and_a_reload(desktop: Visit) -> None:
    desktop.open("", role="Agent")
    desktop.page.get_by_test_id("stSidebarNavLink").filter(has_text="Price a home").click()
    desktop.settle()
    assert urlsplit(desktop.page.url).path == "/pricing"
    desktop.page.reload()
    desktop.settle()
    assert navigation(desktop) == titles(Role.AGENT)


@pytest.mark.parametrize(("role", "path"), ROLES_AND_PATHS)
def test_a_page_asked_for_directly_is_guarded(desktop: Visit, role: Role, path: str) -> None:
    [entry] = [page for page in PAGES if page.path == path]
    page = desktop.open(entry.path, role=role.value.capitalize())
    refusal = page.get_by_text(f"is not open to the role {role.value}")
    if role in entry.roles:
        expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(len(titles(role)))
        expect(refusal).to_have_count(0)
    else:
        expect(refusal).to_be_visible()
        expect(page.get_by_test_id("stMain").get_by_test_id("stHeading")).to_have_count(0)


def test_a_page_cannot_be_reached_around_the_frame_on_a_cold_server(chromium: Browser, tmp_path: Path) -> None:
    closed = [page for page in PAGES if Role.AGENT not in page.roles]
    assert closed
    with listening_server(tmp_path / "home") as cold, ExitStack() as stack:
        tabs = {entry.path: stack.enter_context(visit(chromium, cold, DESKTOP)) for entry in closed}
        # All of them are asked for while the server still loads.
        for path, tab in tabs.items():
            tab.page.goto(cold.address(path, role="Agent"), wait_until="commit")
        for tab in tabs.values():
            page = tab.settle()
            expect(page.get_by_text("is not open to the role agent")).to_be_visible()
            expect(page.get_by_test_id("stSidebarLogo")).to_be_visible()
            assert page.get_by_test_id("stMain").get_by_test_id("stHeading").count() == 0


@pytest.mark.parametrize("path", ["", "models", "api/v1/health", "_stcore/health"])
def test_every_response_carries_the_security_headers(server: Server, path: str) -> None:
    status, headers, _ = get(server.address(path))
    assert status == 200
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "'unsafe-eval'" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_scripts_are_compressed(server: Server) -> None:
    _, _, html = get(server.url)
    script = html.decode().partition('src="./')[2].partition('"')[0]
    _, headers, body = get(server.address(script), accept="gzip")
    _, _, whole = get(server.address(script))
    assert headers["content-encoding"] == "gzip"
    assert len(body) < len(whole) / 2


def test_health_says_that_the_store_answers(server: Server) -> None:
    status, headers, body = get(server.address("api/v1/health"))
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {"status": "ok", "markets": 0}


def test_a_store_that_cannot_be_opened_is_told_by_page_and_health(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "doorstep.sqlite").write_text("no database" * 1_000)
    with running_server(tmp_path / "home") as running, visit(chromium, running, DESKTOP) as opened:
        status, _, body = get(running.address("api/v1/health"))
        assert (status, json.loads(body)) == (503, {"status": "store unavailable"})
        page = opened.open()
        expect(page.get_by_test_id("stAlert")).to_have_count(1)
        expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_page_that_fails_shows_a_reference_and_only_the_log_the_fault(chromium: Browser, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.mkdir()
    for name in ("api", "pages", ".streamlit", "assets", "core"):
        shutil.copytree(ROOT / name, program / name)
    shutil.copy(ROOT / "app.py", program)
    (program / "pages" / "home.py").write_text('raise ValueError("a secret of the inside")\n', encoding="utf-8")
    with running_server(tmp_path / "home", program) as running, visit(chromium, running, DESKTOP) as opened:
        page = opened.open()
        reference = page.get_by_test_id("stAlert").locator("strong").inner_text()
        assert "a secret of the inside" not in page.content()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert f"Reference {reference}" in running.log()
        assert "ValueError: a secret of the inside" in running.log()


@pytest.mark.parametrize("path", ["", "api/v1/health"])
def test_a_foreign_host_name_is_refused(server: Server, path: str) -> None:
    status, _, _ = get(server.address(path), host="evil.example")
    assert status == 400


def test_the_market_is_chosen_in_the_sidebar_and_simulated_ones_say_so(chromium: Browser, two_markets: Server) -> None:
    with visit(chromium, two_markets, DESKTOP) as opened:
        page = opened.open("pricing")
        label = page.get_by_test_id("stSidebar").get_by_text(SIMULATED).first
        expect(page.get_by_role("combobox", name="Market")).to_have_value("Harbour $1 *town*")
        expect(label).to_have_count(0)
        # Every address names the market, the first one too, and Back leads to what it names.
        assert parse_qs(urlsplit(page.url).query) == {"market": ["Harbour $1 *town*"]}
        opened.follow(page.get_by_test_id("stSidebarNavLink").filter(has_text="Estimates"), "estimates")
        opened.choose("Market", "Made-up city (simulated)")
        there = page.url
        assert "market=Made-up+city" in there
        # In another tab a link leads to this market, too.
        link = page.get_by_test_id("stSidebarNavLink").filter(has_text="Price a home")
        link.focus()
        assert urlsplit(link.get_attribute("href") or "").query == urlsplit(there).query
        opened.follow(page.get_by_test_id("stSidebarNavLink").filter(has_text="Price a home"), "pricing")
        assert "market=Made-up+city" in page.url
        page.go_back()
        opened.settle()
        assert page.url == there
        page.go_back()
        opened.settle()
        expect(page.get_by_role("combobox", name="Market")).to_have_value("Harbour $1 *town*")
        assert "/pricing?market=Harbour" in page.url
        page.go_forward()
        opened.settle()
        assert page.url == there
        expect(label).to_be_visible()
        opened.shot("shell-market")
        page.reload()
        opened.settle()
        expect(label).to_be_visible()


def test_the_dark_theme_has_its_own_colours(chromium: Browser, two_markets: Server) -> None:
    with visit(chromium, two_markets, DESKTOP, dark=True) as opened:
        page = opened.open("pricing", market="Made-up city (simulated)")
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", "rgb(17, 24, 27)")
        opened.shot("shell-dark")


def test_a_phone_sees_the_page_and_opens_the_sidebar_on_demand(chromium: Browser, two_markets: Server) -> None:
    with visit(chromium, two_markets, PHONE) as opened:
        page = opened.open("pricing", market="Made-up city (simulated)")
        expect(page.get_by_test_id("stMain").get_by_text(re.compile("Made-up city · Simulated"))).to_be_in_viewport()
        opened.shot("shell-phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        page.get_by_test_id("stExpandSidebarButton").click()
        expect(page.get_by_role("combobox", name="Market")).to_be_in_viewport()
