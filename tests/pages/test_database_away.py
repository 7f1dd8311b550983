"""The page “Price a home” while the database is away."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import StoreUnavailable
from core.serve.estimate import Estimate
from core.store import open_store
from core.store.base.database import Database
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER
from tests.pages import test_pricing as pricing
from tests.pages.test_login import SECRETS
from tests.patience import PATIENCE_SECONDS


def test_somebody_signed_in_goes_on_pricing_with_their_role_and_somebody_new_waits(
    small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pricing.use(Path(shutil.copytree(small_home, tmp_path / "home")), monkeypatch)

    def visit(sub: str) -> AppTest:
        app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
        app.secrets = SECRETS
        issued = datetime.now(UTC).timestamp()
        app.user = {"iss": "https://id.example", "sub": sub, "name": "Kim", "iat": issued, "is_logged_in": True}
        app.user |= {"roles": "agent", "office": "North"}
        return app.run().switch_page("pricing.py").run()

    app = visit("kim")
    zipcode = str(app.selectbox(pricing.key("zipcode")).options[1])
    with monkeypatch.context() as failing:
        for way in ("read", "write"):
            failing.setattr(Database, way, _refuse)
        app = pricing.price(app, zipcode)
        assert not app.exception
        assert isinstance(pricing.estimated(app), Estimate)
        assert "Kim  \nAgent, North" in app.sidebar.caption[0].value
        stranger = visit("stranger")
        assert not stranger.button
        assert "db.internal" not in pricing.said(stranger)


def _refuse(*_: object) -> None:
    raise StoreUnavailable("The database cannot be used: try again.", "postgresql://dora@db.internal:5432/prices")


def test_a_visitor_goes_on_pricing_with_the_model_in_memory_and_reads_no_address(
    small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = pricing.use(Path(shutil.copytree(small_home, tmp_path / "home")), monkeypatch)
    app = pricing.opened()
    assert not app.exception
    zipcode = str(app.selectbox(pricing.key("zipcode")).options[1])

    with monkeypatch.context() as failing:
        failing.setattr(Database, "read", _refuse)
        failing.setattr(Database, "write", _refuse)
        app = pricing.price(app, zipcode)
        shown = pricing.said(app)
        assert not app.exception
        assert not app.error
        assert isinstance(pricing.estimated(app), Estimate)
        assert "This answer waits and is added automatically" in shown
        app.session_state[session.ROLE_KEY] = "manager"
        models = app.switch_page("models.py").run()
        assert [str(error.value) for error in models.error] != []
        everything = shown + pricing.said(models)
    assert "db.internal" not in everything
    assert "dora" not in everything
    with open_store(home) as store:
        assert store.spool.retry() == 1
