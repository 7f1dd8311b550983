"""The frame around the pages, run without a browser: roles, the open market, the simulated label and errors."""

from __future__ import annotations

import ast
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.access import Actor, Role
from core.errors import AccessDenied, ArtifactCorrupt
from core.store import open_store
from pages.kit import errors, session
from pages.kit.navigation import PAGES, PAGES_FOLDER, Page, page_at
from pages.kit.text import plain
from tests.patience import PATIENCE_SECONDS

ANALYST = Actor("Ann", Role.ANALYST)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def markets(home: Path) -> None:
    with open_store(home) as store:
        store.markets.create("Bay *area*", "USD", "sqft", False, ANALYST)
        store.markets.create("Made-up city", "USD", "sqft", True, ANALYST)


def opened(path: str = "", role: str = "manager") -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = role
    app.run()
    return app.switch_page(page_at(path).script.name).run() if path else app


def said(app: AppTest) -> str:
    return " ".join(str(part.value) for part in [*app.main.markdown, *app.main.warning, *app.main.error])


def labels(app: AppTest) -> str:
    return " ".join(str(part.value) for part in app.sidebar.markdown)


def test_the_first_page_is_drawn_for_every_role() -> None:
    for role in Role:
        app = opened(role=role.value)
        assert not app.exception
        assert len(app.main) > 0
        assert not app.error
        assert not app.warning


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("entry", PAGES[1:], ids=lambda entry: entry.path)
def test_a_page_closed_to_the_role_shows_why_and_nothing_else(entry: Page, role: Role) -> None:
    app = opened(entry.path, role.value)
    refused = "is not open to the role" in said(app)
    assert refused == (role not in entry.roles)
    if refused:
        assert [kind for kind in ("title", "header", "button", "dataframe") if app.main.get(kind)] == []


def test_the_role_switch_says_that_it_is_local_mode() -> None:
    [switch] = app_switches(opened())
    assert "Local mode" in switch.label
    assert sorted(option.lower() for option in switch.options) == sorted(role.value for role in Role)


def app_switches(app: AppTest) -> list:  # type: ignore[type-arg]
    return [box for box in app.sidebar.selectbox if box.key == session.ROLE_KEY]


@pytest.mark.parametrize(
    ("asked", "acts_as"),
    [(None, "agent"), ("", "agent"), ("root", "agent"), ("Manager", "manager"), ("OFFICE lead", "office lead")],
)
def test_the_role_in_the_address_counts_in_any_case_and_an_unknown_or_missing_one_is_the_least(
    asked: str | None, acts_as: str
) -> None:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    if asked is not None:
        app.query_params[session.ROLE_KEY] = asked
    app.run()
    assert app.session_state[session.ROLE_KEY] == acts_as


@pytest.mark.usefixtures("markets")
def test_a_simulated_market_is_labelled_on_every_page() -> None:
    for page in PAGES:
        app = opened(page.path)
        [box] = [box for box in app.sidebar.selectbox if box.key == session.MARKET_KEY]
        assert session.SIMULATED not in labels(app)
        box.select("made-up-city").run()
        assert session.SIMULATED in labels(app), page.title


def test_a_market_opened_by_a_page_is_open_in_the_next_run(home: Path) -> None:
    with open_store(home) as store:
        store.markets.create("First", "USD", "sqft", False, ANALYST)
    app = opened()
    with open_store(home) as store:
        made = store.markets.create("Second", "USD", "sqft", False, ANALYST)
    app.session_state["_next_market"] = made.market_id
    app.run()
    [box] = [box for box in app.sidebar.selectbox if box.key == session.MARKET_KEY]
    assert box.value == made.market_id
    app.run()
    assert app.session_state["_open_market"] == made


def test_a_session_keeps_its_market_when_another_is_made_meanwhile(home: Path) -> None:
    with open_store(home) as store:
        larkhaven = store.markets.create("Larkhaven", "USD", "sqft", False, ANALYST)
    app = opened()
    with open_store(home) as store:
        store.markets.create("Boroondara", "USD", "sqft", False, ANALYST)
    for _ in range(2):
        app.run()
        assert app.session_state["_open_market"] == larkhaven
    app.sidebar.selectbox(session.MARKET_KEY).select("boroondara").run()
    assert app.session_state["_open_market"].market_id == "boroondara"


def test_a_store_that_cannot_be_opened_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "file" / "home"))
    app = opened()
    assert not app.exception
    assert len(app.main.error) == 1


def drawing(function: Callable[[], None]) -> AppTest:
    return AppTest.from_function(function, default_timeout=PATIENCE_SECONDS).run()


def test_outside_the_frame_a_page_is_denied() -> None:
    def script() -> None:
        from core.errors import AccessDenied
        from pages.kit import errors, session

        try:
            session.guard("models")
        except AccessDenied as error:
            errors.show(error)

    assert "No role was chosen" in drawing(script).warning[0].value


def test_an_unknown_role_is_denied() -> None:
    def script() -> None:
        import streamlit as st

        from core.errors import AccessDenied
        from pages.kit import errors, session

        st.session_state[session.ROLE_KEY] = "owner"
        try:
            session.guard("pricing")
        except AccessDenied as error:
            errors.show(error)

    assert "No role was chosen" in drawing(script).warning[0].value


def test_a_refusal_is_shown_in_its_own_words() -> None:
    def script() -> None:
        from core.errors import ArtifactCorrupt
        from pages.kit import errors

        errors.show(ArtifactCorrupt("The model m1 is damaged; it cost $5 to $6."))

    app = drawing(script)
    assert app.error[0].value == plain("The model m1 is damaged; it cost $5 to $6.")


def test_anything_else_is_shown_by_a_reference_that_the_log_explains(caplog: pytest.LogCaptureFixture) -> None:
    def script() -> None:
        from pages.kit import errors

        try:
            raise ValueError("secret path /etc/passwd")
        except ValueError as error:
            errors.show(error)

    with caplog.at_level(logging.ERROR, logger=errors.LOG.name):
        app = drawing(script)
    shown = app.error[0].value
    [record] = [record for record in caplog.records if record.name == errors.LOG.name]
    assert "secret" not in shown
    assert isinstance(record.args, tuple)
    assert str(record.args[0]) in shown
    assert record.exc_info
    assert "secret path" in str(record.exc_info[1])


@pytest.mark.parametrize("error", [AccessDenied("no"), ArtifactCorrupt("damaged"), RuntimeError("broken")])
def test_streamlit_need_not_draw_an_error_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "error", lambda *args, **kwargs: None)
    monkeypatch.setattr(st, "warning", lambda *args, **kwargs: None)
    assert errors.show(error) is True


def test_each_page_script_starts_with_its_guard() -> None:
    for page in PAGES:
        calls = [line for line in page.script.read_text(encoding="utf-8").splitlines() if "session.guard(" in line]
        assert any(f'session.guard("{page.path}")' in line for line in calls), page.script.name


def test_paths_of_pages_are_unique_and_their_scripts_exist() -> None:
    assert len({page.path for page in PAGES}) == len(PAGES)
    assert PAGES[0].path == ""
    assert all(page.script.is_file() for page in PAGES)


def test_no_two_pages_keep_a_choice_in_the_address_under_one_name() -> None:
    """A page would read the other's choice, which it may not have on offer."""
    places: dict[str, set[str]] = {}
    for path in PAGES_FOLDER.rglob("*.py"):
        inside = path.relative_to(PAGES_FOLDER).parts
        page = inside[1] if inside[0] == "views" else Path(inside[-1]).stem
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            given = {one.arg: one.value for one in call.keywords}
            named = given.get("key") if "bind" in given else None
            if isinstance(call.func, ast.Name) and call.func.id == "one_of":
                named = call.args[2]
            if isinstance(named, ast.Constant):
                places.setdefault(str(named.value), set()).add(page)
    assert len(places) > 20
    assert {key: pages for key, pages in places.items() if len(pages) > 1} == {}
