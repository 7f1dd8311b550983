"""Login in a browser, by a real OpenID Connect provider: each role, the page asked for, and every way out."""

from __future__ import annotations

import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from core.access import Action, Actor, Role
from core.problem import Problem
from core.store import open_store
from core.store.base.access_tables import SIGN_IN
from core.workflows.pricing.answers import Question, price_and_record
from core.workflows.pricing.desk import open_desk
from pages.kit.navigation import PAGES, landing
from tests.acting import acting
from tests.browser.conftest import DESKTOP, PHONE, Server, Visit, running_server, visit
from tests.patience import PATIENCE_SECONDS

ROLES = {"ned": Role.AGENT, "lea": Role.OFFICE_LEAD, "ana": Role.ANALYST, "max": Role.MANAGER, "ada": Role.ADMIN}
OFFICES = {"ned": "North", "lea": "North", "sue": "South"}
PEOPLE = {**{name: role.value for name, role in ROLES.items()}, "sue": "agent", "guest": ""}


@dataclass(frozen=True)
class Office:
    """A server with login, an estimate that North's agent made on it, and the API key of South."""

    server: Server
    estimate_id: str
    key_of_south: str

    def database(self) -> sa.Engine:
        return sa.create_engine(f"sqlite:///{self.server.home / 'doorstep.sqlite'}")


def claims_of(name: str) -> dict[str, Any]:
    claims = {"name": name.capitalize(), "email": f"{name}@example.com", "roles": [PEOPLE[name]]}
    return claims | {"office": OFFICES.get(name, "")}


@pytest.fixture(scope="module")
def office(small_home: Path, tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    home = Path(shutil.copytree(small_home, folder / "home"))
    with open_store(home, f"sqlite:///{home / 'doorstep.sqlite'}") as store:
        [market] = store.markets.list()
        desk = open_desk(store, market.market_id, problem)
        version = store.versions.latest(market.market_id)
        assert version is not None
        sales = store.versions.load(version.version_id)
        facts = {"living_area_sqft": 1_500.0, "zipcode": str(sales["zipcode"].mode()[0])}
        day = desk.valuation_date(datetime.now(UTC).date())
        ned = acting(store, Actor("Ned", Role.AGENT, "North"))
        made = price_and_record(ned, desk, Question(facts, day, problem.estimate.level), "page")
        key = store.api_keys.create("feed of South", Role.AGENT, "South", [Action.PRICE], Actor("Ada", Role.ADMIN))[1]
    assert made.estimate_id is not None
    # Dear to load, and every test process loads this module.
    from oidc_provider_mock import User, run_server_in_thread

    people = [User(sub=name, claims=claims_of(name)) for name in PEOPLE]
    with run_server_in_thread(user_claims=people, require_nonce=True) as provider:
        secrets = folder / "secrets.toml"
        secrets.write_text(
            f"""
            [auth]
            redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
            cookie_secret = "{"c" * 40}"
            client_id = "doorstep"
            client_secret = "secret"
            server_metadata_url = "http://localhost:{provider.server_port}/.well-known/openid-configuration"

            [doorstep]
            role_claim = "roles"
            office_claim = "office"
            contact = "Ada (ada@example.com)"
            """,
            encoding="utf-8",
        )
        with running_server(home, settings={"STREAMLIT_SECRETS_FILES": str(secrets)}) as server:
            yield Office(server, made.estimate_id, key)


@pytest.fixture
def tab(chromium: Browser, office: Office) -> Iterator[Visit]:
    with visit(chromium, office.server, DESKTOP) as opened:
        yield opened


def sign_in(opened: Visit, name: str, path: str = "", **query: str) -> None:
    """Ask for a page, see the way in and nothing else, and come back as somebody."""
    page = opened.open(path, **query)
    expect(page.get_by_role("heading", name="Sign in to Doorstep")).to_be_visible()
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(0)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_url(lambda url: urlsplit(url).netloc == urlsplit(opened.server.url).netloc)
    opened.settle()


# The page tests go through the other roles.
@pytest.mark.parametrize(("name", "role"), [(name, ROLES[name]) for name in ("ned", "ada")])
def test_each_role_reaches_the_page_asked_for_sees_its_own_pages_and_signs_out(
    tab: Visit, name: str, role: Role
) -> None:
    asked = "pricing" if role in (Role.AGENT, Role.OFFICE_LEAD) else "models"
    sign_in(tab, name, asked, market="Larkhaven")
    page = tab.page
    assert urlsplit(page.url).path == f"/{asked}"
    links = [one.title for one in PAGES if role in one.roles and landing(one.path, role) is None]
    expect(page.get_by_test_id("stSidebarNavLink").locator("span[label]")).to_have_text(links)
    expect(page.get_by_test_id("stSidebar")).to_contain_text(name.capitalize())
    expect(page.get_by_text("Local mode")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("heading", name="Sign in to Doorstep")).to_be_visible()
    # The provider's own pages ask for a style sheet of another site.
    assert [one for one in tab.complaints if "cdn.jsdelivr.net" not in one and "localhost" not in one] == []


def test_an_estimate_opens_by_its_address_for_its_office_and_for_no_other(chromium: Browser, office: Office) -> None:
    address = {"estimate": office.estimate_id}
    with visit(chromium, office.server, DESKTOP) as north:
        sign_in(north, "ned", "pricing", **address)
        expect(north.page.get_by_label(re.compile("^Your price"))).to_be_visible()
        cookies = {cookie["name"]: cookie for cookie in north.page.context.cookies()}
        assert cookies["_streamlit_user"]["httpOnly"]
        assert cookies["_streamlit_user"]["sameSite"] == "Lax"
        assert (
            cookies["_streamlit_user"]["expires"] - datetime.now(UTC).timestamp() <= timedelta(hours=8).total_seconds()
        )
        assert "doorstep_asked" not in cookies
    with visit(chromium, office.server, PHONE) as south:
        sign_in(south, "sue", "pricing", **address)
        refusal = south.page.get_by_text(f"Estimate {office.estimate_id} belongs to another office")
        expect(refusal).to_be_visible()
        expect(south.page.get_by_text("Your decision")).to_have_count(0)
        south.shot("login-other-office-phone")
    assert asked_by_api(office, office.key_of_south) == 403
    # With login, this computer is no exception.
    assert asked_by_api(office) == 401


def test_a_download_is_given_to_whoever_is_signed_in_and_to_nobody_else(tab: Visit, office: Office) -> None:
    sign_in(tab, "lea", "estimates")
    tab.shot("estimates")
    with tab.page.expect_download() as downloading:
        tab.page.get_by_role("button", name="Download 1 estimate").click()
    assert office.estimate_id in downloading.value.path().read_text(encoding="utf-8")
    address = downloading.value.url
    assert "/media/" in address
    assert status_of(address, {}) == 403
    tab.page.get_by_role("link", name="Price a home").click()
    tab.settle()
    tab.shot("pricing-signed-in")


def test_a_page_closed_to_the_role_is_refused_by_its_address(tab: Visit) -> None:
    sign_in(tab, "sue", "models", role="Manager")
    expect(tab.page.get_by_text("is not open to the role agent")).to_be_visible()
    expect(tab.page.get_by_test_id("stMain").get_by_test_id("stHeading")).to_have_count(0)
    tab.shot("login-closed-page")


def test_who_has_no_role_reads_whom_to_ask_and_sees_nothing_else(tab: Visit) -> None:
    sign_in(tab, "guest")
    denied = "Guest is signed in but has no role in Doorstep; ask Ada (ada@example.com) for one."
    expect(tab.page.get_by_text(denied)).to_be_visible()
    expect(tab.page.get_by_test_id("stSidebarNavLink")).to_have_count(0)
    tab.shot("login-denied")


def test_a_sign_in_ends_when_idle_and_for_every_tab_when_signed_out(tab: Visit, office: Office) -> None:
    sign_in(tab, "max", "monitoring")
    second = tab.page.context.new_page()
    second.goto(office.server.address("models"))
    expect(second.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    with office.database().begin() as connection:
        connection.execute(SIGN_IN.update().values(seen_at=datetime.now(UTC) - timedelta(hours=2)))
    page = tab.open("models")
    expect(page.get_by_text("You were away for 60 minutes or more.")).to_be_visible()
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(0)
    tab.shot("login-idle")
    # What was open shows nothing either, once it is touched.
    second.get_by_role("link", name="Evaluation").click()
    expect(second.get_by_role("heading", name="Sign in to Doorstep")).to_be_visible()


def test_every_page_asked_for_cold_shows_the_way_in_and_nothing_else(chromium: Browser, office: Office) -> None:
    with visit(chromium, office.server, PHONE, dark=True) as opened:
        for one in PAGES:
            page = opened.open(one.path, role="Manager", estimate=office.estimate_id)
            expect(page.get_by_role("heading", name="Sign in to Doorstep")).to_be_visible()
            assert page.get_by_role("heading").count() == 1
            assert urlsplit(page.url).path == f"/{one.path}"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        opened.shot("login-phone-dark")


def asked_by_api(office: Office, key: str = "") -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return status_of(f"{office.server.url}/api/v1/estimates/{office.estimate_id}", headers)


def status_of(address: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
