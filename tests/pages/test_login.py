"""Pages with login configured: what somebody who is not signed in, has no role, or is of another office gets to see."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Actor, Role
from core.errors import WrongUsage
from core.problem import Problem
from core.store import open_store
from core.workflows.login.settings import DEMANDED
from core.workflows.pricing.answers import Question, price_and_record
from core.workflows.pricing.desk import open_desk
from pages.kit import login
from pages.kit.navigation import PAGES, PAGES_FOLDER, page_at
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS

SECRETS = {
    "auth": {
        "redirect_uri": "http://localhost:8501/oauth2callback",
        "cookie_secret": "c" * 40,
        "client_id": "doorstep",
        "client_secret": "s",
        "server_metadata_url": "http://localhost/.well-known/openid-configuration",
    },
    "doorstep": {"role_claim": "roles", "office_claim": "office", "contact": "Ada"},
}
ROLES = {"agent": "North", "office lead": "North", "analyst": "", "manager": "", "admin": ""}

Opened = Callable[..., AppTest]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def opened(home: Path) -> Opened:
    """Open a page as somebody with these claims, or as nobody."""

    def make(path: str = "", **claims: Any) -> AppTest:
        app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
        app.secrets = SECRETS
        app.user = {"is_logged_in": False}
        if claims:
            now = datetime.now(UTC).timestamp()
            known = {"iss": "https://id.example", "sub": "kim", "name": "Kim", "iat": now, "is_logged_in": True}
            app.user = known | claims
        # What the address says of the role counts for nothing.
        app.query_params["role"] = "Manager"
        app.run()
        return app.switch_page(page_at(path).script.name).run() if path else app

    return make


def said(app: AppTest) -> str:
    parts = [*app.title, *app.markdown, *app.caption, *app.warning, *app.error, *app.info]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


def test_who_is_not_signed_in_sees_the_way_in_on_every_page_and_nothing_else(opened: Opened) -> None:
    for page in PAGES:
        app = opened(page.path)
        assert [one.value for one in app.title] == ["Sign in to Doorstep"]
        assert [button.label for button in app.button] == ["Sign in"]
        assert len(app.sidebar) == 0
        assert not app.exception


@pytest.mark.parametrize(("role", "office"), ROLES.items())
def test_each_role_has_its_pages_its_name_and_no_switch_of_roles(opened: Opened, role: str, office: str) -> None:
    app = opened("models", roles=role, office=office)
    assert not app.sidebar.selectbox
    assert f"Kim  \n{role.capitalize()}" in app.sidebar.caption[0].value
    assert [button.label for button in app.sidebar.button] == ["Sign out"]
    refused = "is not open to the role" in said(app)
    assert refused == (Role(role) not in page_at("models").roles)


def test_secrets_that_are_lost_while_login_is_demanded_open_nothing(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DEMANDED, "on")
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS).run()
    assert len(app.sidebar) == 0
    assert not app.title
    assert not app.exception
    assert "Login is demanded, but no secrets file" in said(app)
    with pytest.raises(WrongUsage, match="no secrets file with the table"):
        login.check()


def test_who_has_no_role_reads_one_sentence_and_gets_out_again(opened: Opened) -> None:
    app = opened("models", roles="visitor")
    assert [one.value for one in app.title] == ["No access yet"]
    assert "Kim is signed in but has no role in Doorstep; ask Ada for one." in said(app)
    assert [button.label for button in app.button] == ["Sign out"]
    assert len(app.sidebar) == 0


def test_a_sign_in_that_is_too_old_shows_the_way_in_and_why(opened: Opened) -> None:
    app = opened(roles="manager", iat=datetime.now(UTC).timestamp() - 9 * 3600)
    assert [one.value for one in app.title] == ["Sign in to Doorstep"]
    assert "You signed in more than 8 hours ago." in said(app)


def test_whoever_signs_out_leaves_without_a_fault(opened: Opened) -> None:
    app = opened(roles="manager")
    app.sidebar.button(key="sign_out").click().run()
    assert not app.exception
    assert not app.main.children


def test_an_office_lead_lists_the_estimates_of_the_office_and_an_agent_their_own(
    opened: Opened, home: Path, small_store: Path, problem: Problem
) -> None:
    shutil.copytree(small_store, home)
    by = [Actor("Ned", Role.AGENT, "North"), Actor("Nia", Role.AGENT, "North"), Actor("Sue", Role.AGENT, "South")]
    with open_store(home) as store:
        desk = open_desk(store, store.markets.list()[0].market_id, problem)
        assert desk.live_model is not None
        zipcode = str(desk.live_model.sales["zipcode"][-1])
        for actor in by:
            day = desk.valuation_date(datetime.now(UTC).date())
            home_of_it = {"living_area_sqft": 1_500.0, "zipcode": zipcode}
            price_and_record(acting(store, actor), desk, Question(home_of_it, day, 0.8), "page")

    def listed(app: AppTest) -> set[str]:
        return set(app.main.dataframe[0].value["By"]) if app.main.dataframe else set()

    lead = opened("estimates", roles="office lead", office="North")
    assert listed(lead) == {"Ned", "Nia"}
    assert "The estimates of North" in said(lead)
    assert [one.proto.label for one in lead.main.get("download_button")] == [
        "Download 2 estimates with decisions and sales"
    ]
    agent = opened("estimates", roles="agent", office="North")
    assert listed(agent) == set()
    assert "Your own estimates" in said(agent)
    assert not agent.main.get("download_button")
    assert listed(opened("estimates", roles="manager")) == {"Ned", "Nia", "Sue"}
