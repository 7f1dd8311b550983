"""The page “Price a home” while the database is away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.errors import StoreUnavailable
from core.serve.estimate import Estimate
from core.store import open_store
from core.store.base.database import Database
from pages.kit import session
from tests.pages import test_pricing as pricing


def test_a_visitor_goes_on_pricing_with_the_model_in_memory_and_reads_no_address(
    small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = pricing.use(Path(shutil.copytree(small_home, tmp_path / "home")), monkeypatch)
    app = pricing.opened()
    assert not app.exception
    zipcode = str(app.selectbox(pricing.key("zipcode")).options[1])

    def refuse(*_: object) -> None:
        raise StoreUnavailable("The database cannot be used: try again.", "postgresql://dora@db.internal:5432/prices")

    with monkeypatch.context() as failing:
        failing.setattr(Database, "read", refuse)
        failing.setattr(Database, "write", refuse)
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
