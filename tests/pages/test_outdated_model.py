"""The pages where the live model is one of another release: every one says so or goes without, and none breaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.store import open_store
from core.train.bundle import Bundle
from core.workflows.data.scrutiny import review_queue
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS
from tests.workflows.outdated_models import lower_format, make_live, module_gone

MARKET = "larkhaven"


def opened(page: str, role: str) -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = role
    app.run()
    return app.switch_page(page_at(page).script.name).run()


@pytest.fixture(params=[lower_format, module_gone])
def home(request: pytest.FixtureRequest, own_small_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small market with a live model of another release."""
    write: Callable[[Bundle], bytes] = request.param
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(own_small_store))
    with open_store(own_small_store) as store:
        make_live(store, MARKET, write)
    return own_small_store


def test_an_agent_goes_on_pricing_and_without_a_model_before_reads_why_not_and_what_helps(home: Path) -> None:
    app = opened("pricing", "agent")
    assert not app.exception
    assert not app.error
    with open_store(home) as store:
        for record in store.models.list(MARKET):
            if not record.is_live:
                (home / "models" / f"{record.sha256}.joblib").unlink()
    st.cache_resource.clear()
    app = opened("pricing", "agent")
    assert not app.exception
    [refusal] = [str(one.value).replace("\\", "") for one in app.error]
    assert refusal.startswith("Price estimate unavailable.")
    assert "The live model was trained by another release of Doorstep, and no model before it can be read." in refusal
    assert refusal.endswith("Ask a manager to train a new model.")


def test_doubtful_sales_are_decided_on_without_it(home: Path) -> None:
    with open_store(home) as store:
        queue = review_queue(acting(store), MARKET)
    assert len(queue.rows)
    assert queue.rows["model_estimate"].isna().all()
    assert queue.unpriced.startswith("The live model prices none of these sales. The model was trained by another")
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "analyst"
    app.run()
    app.switch_page(page_at("sales_data").script.name).run()
    app.session_state["view"] = "Doubtful sales"
    app.run()
    assert not app.exception
    assert not app.error
    assert [one.value for one in app.metric if one.label == "To decide"] == [f"{queue.undecided:,}"]
    assert any("prices none of these sales" in str(one.value) for one in app.caption)


@pytest.mark.parametrize("page", ["", "evaluation", "models", "monitoring"])
def test_no_other_page_breaks_on_it(home: Path, page: str) -> None:
    app = opened(page, "manager")
    assert not app.exception
    assert "reference **" not in " ".join(str(one.value) for one in app.error)


def test_a_manager_rolls_back_to_a_model_that_prices_again(home: Path) -> None:
    app = opened("models", "manager")
    app.button("rollback").click().run()
    assert not app.exception
    app = opened("pricing", "agent")
    assert not app.error
