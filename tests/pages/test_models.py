"""The page Models without a browser: training, comparing, promoting and rolling back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Actor
from core.lifecycle.jobs import TrainTask
from core.store import Job, Store, open_store
from core.train.candidates import Family
from pages.widgets import job_progress, model_card, session
from pages.widgets.registry import PAGES_FOLDER, page_at
from tests.pages.made_stores import MANAGER

MARKET = "testville"


@pytest.fixture(scope="module")
def made(trained_home: Path) -> tuple[Path, str, str]:
    """The store, the model that is live in it and the other one."""
    live = champion(trained_home)
    with open_store(trained_home) as store:
        [other] = [record.model_id for record in store.models.list(MARKET) if record.model_id != live]
    return trained_home, live, other


@pytest.fixture
def home(made: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(made[0], tmp_path / "home"))


def opened(role: str = "manager") -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=60)
    app.session_state[session.ROLE_KEY] = role
    app.run()
    return app.switch_page(page_at("models").script.name).run()


def champion(home: Path) -> str:
    with open_store(home) as store:
        record = store.models.champion(MARKET)
        assert record is not None
        return record.model_id


def reason(app: AppTest, text: str) -> AppTest:
    [field] = [field for field in app.text_input if str(field.key).startswith("reason_")]
    return field.input(text).run()


def test_both_models_are_listed_with_their_test_figures_and_stage(home: Path, made: tuple[Path, str, str]) -> None:
    app = opened()
    assert not app.exception
    listing = next(table.value for table in app.dataframe if "Stage" in table.value)
    assert dict(zip(listing["Model"], listing["Stage"], strict=True)) == {made[1]: "live", made[2]: "candidate"}
    assert listing["Test error (MAPE)"].str.fullmatch(r"\d+\.\d% \(\d+\.\d% to \d+\.\d%\)").all()


def test_a_card_shows_leaderboard_search_and_origin(home: Path, made: tuple[Path, str, str]) -> None:
    app = opened()
    app.selectbox(f"model_{MARKET}").select(made[2]).run()
    boards = [table.value for table in app.dataframe if "Validation MAPE" in table.value]
    assert [len(board) for board in boards] == [2, 2]
    origin = next(table.value for table in app.dataframe if "What" in table.value)
    assert {"Data version", "Split", "Code version", "Libraries"} <= set(origin["What"])
    assert len(app.get("plotly_chart")) == 2


def test_a_manager_promotes_with_a_reason_and_rolls_back(home: Path, made: tuple[Path, str, str]) -> None:
    app = opened()
    app.selectbox(f"model_{MARKET}").select(made[2]).run()
    assert app.button("promote").disabled, "a promotion needs a reason"
    app = reason(app, "fewer wrong estimates")
    app.button("promote").click().run()
    assert not app.exception
    assert made[2] in str(app.success[0].value)
    assert champion(home) == made[2]
    assert [field.value for field in app.text_input if str(field.key).startswith("reason_")] == [""]
    app = reason(app, "bias in the north")
    app.button("rollback").click().run()
    assert champion(home) == made[1]
    with open_store(home) as store:
        decided = [event for event in store.events.list(MARKET) if "reason" in event.detail][:2]
    assert [(event.action, event.detail["reason"]) for event in decided] == [
        ("model.rolled_back", "bias in the north"),
        ("model.promoted", "fewer wrong estimates"),
    ]


def test_rolling_back_the_first_champion_is_refused_in_a_line(home: Path, made: tuple[Path, str, str]) -> None:
    app = reason(opened(), "try")
    app.button("rollback").click().run()
    assert "no champion before" in str(app.error[0].value).replace("\\", "")
    assert champion(home) == made[1]


def test_an_analyst_may_train_but_is_not_offered_to_promote(home: Path) -> None:
    app = opened("analyst")
    assert not app.exception
    assert {"promote", "rollback"} & {str(button.key) for button in app.button} == set()
    assert "Train" in [button.label for button in app.button]


def test_the_form_becomes_the_plan_of_a_run_in_its_own_process(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, Actor]] = []

    def start(store: Store, task: TrainTask, actor: Actor) -> Job:
        asked.append((task, actor))
        return store.jobs.create(task.kind, task.market_id, actor)

    monkeypatch.setattr(job_progress.jobs, "start", start)
    app = opened("analyst")
    app.radio[0].set_value("time")
    [tried, seed] = app.number_input
    tried.set_value(3)
    seed.set_value(7)
    app.session_state["families"] = [Family.TREE]
    next(button for button in app.button if button.label == "Train").click().run()
    [(task, _)] = asked
    plan = task.plan
    assert (task.market_id, plan.split, plan.seed, plan.forest_budget) == (MARKET, "time", 7, 3)
    assert plan.families == (Family.TREE,)
    assert any(str(button.key).startswith("cancel_") for button in app.button)


def test_a_run_that_failed_says_why(home: Path) -> None:
    with open_store(home) as store:
        store.jobs.fail(store.jobs.create("train", MARKET, MANAGER).job_id, "There are too few sales.")
    app = opened()
    assert "There are too few sales." in str(app.error[0].value).replace("\\", "")


def test_without_sales_the_page_points_to_the_sales_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "empty"))
    app = opened()
    assert not app.exception
    assert "no sales to train on" in str(app.info[0].value)


def test_trees_are_read_from_a_setting() -> None:
    assert model_card.trees_of("n_estimators 150, min_samples_leaf 2") == 150
    assert model_card.trees_of("alpha 1") == 0
