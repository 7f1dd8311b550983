"""The page Models without a browser: training, comparing, promoting and rolling back."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Actor
from core.evaluate.accuracy import Figure
from core.evaluate.scope import supports
from core.monitor.gate import Check, CheckVerdict, Gate, GateVerdict
from core.states import Family, Stage, Undecided
from core.store import Job, NewModel, open_store
from core.workflows import jobs
from core.workflows.jobs import RetrainTask, TrainTask
from core.workflows.models.gate import GATE, GateRecord, document_of
from core.workflows.models.retraining import RetrainPlan
from core.workflows.models.scope import PROPOSED, sign_scope
from core.workflows.models.test_scores import scores_of
from core.workflows.models.waiting import place
from core.workflows.overview import Overview
from core.workflows.promotion import promote_challenger, reject, rollback, rollback_effect
from core.workspace import Workspace
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from tests.acting import acting
from tests.pages.made_stores import MANAGER
from tests.patience import PATIENCE_SECONDS

MARKET = "testville"
CARD = "card_of_a_model"


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


def opened(role: str = "manager", *, card: bool = True) -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = role
    app.session_state[CARD] = card
    app.run()
    return app.switch_page(page_at("models").script.name).run()


def champion(home: Path) -> str:
    with open_store(home) as store:
        record = store.models.champion(MARKET)
        assert record is not None
        return record.model_id


def reason(app: AppTest, deed: str, text: str) -> AppTest:
    """Type the reason of a deed, which stands in the fold with its button."""
    [field] = [field for field in app.text_input if str(field.key).startswith(f"{deed}_reason_")]
    return field.input(text).run()


def said(parts: Any) -> str:
    return " ".join(str(one.value) for one in parts).replace("\\", "")


def test_both_models_are_listed_with_their_test_figures_and_stage(home: Path, made: tuple[Path, str, str]) -> None:
    app = opened()
    assert not app.exception
    listing = next(table.value for table in app.table if "Stage" in table.value)
    assert dict(zip(listing["Model"], listing["Stage"], strict=True)) == {made[1]: "live", made[2]: "candidate"}
    assert listing["Test error (MAPE)"].str.fullmatch(r"\d+\.\d% \(\d+\.\d% to \d+\.\d%\)").all()


def test_a_card_shows_leaderboard_and_origin_once_it_is_opened(home: Path, made: tuple[Path, str, str]) -> None:
    app = opened()
    app.selectbox(f"model_{MARKET}").select(made[2]).run()
    [board] = [table.value for table in app.table if "Validation MAPE" in table.value]
    assert len(board) == 2
    origin = next(table.value for table in app.table if "What" in table.value)
    assert {"Data version", "Split", "Code version", "Libraries"} <= set(origin["What"])
    assert len(app.get("plotly_chart")) == 1
    folded = opened(card=False)
    assert not folded.get("plotly_chart")
    assert not [table for table in folded.table if "Validation MAPE" in table.value]


def test_live_and_challenger_stand_side_by_side_and_a_promotion_is_primary_only_where_the_gate_passes(
    home: Path, challenged: Path, made: tuple[Path, str, str]
) -> None:
    app = opened(card=False)
    assert primary(app) == [], "the gate cannot tell"
    assert {"promote_challenger", "reject_challenger"} <= {str(one.key) for one in app.main.button}
    assert {"**Live model**", "**Challenger**"} <= {str(one.value) for one in app.markdown}
    passes = GateRecord(made[1], date(2024, 12, 1), date(2024, 12, 31), 0, Gate(GateVerdict.PASS, *CANNOT_TELL[1:]))
    with open_store(home) as store:
        waits = store.models.challenger(MARKET)
        assert waits is not None
        payload = store.models.load_bytes(waits.model_id) + b"\0"
        card = {**waits.card, GATE: document_of(passes)}
        better = store.models.add(NewModel(MARKET, waits.version_id, payload, card), MANAGER)
        store.models.challenge(better.model_id, MANAGER)
        assert primary(opened(card=False)) == ["promote_challenger"]
        promote_challenger(acting(store, MANAGER), better.model_id, "")
        rollback(acting(store, MANAGER), MARKET, "agents saw odd prices")
        store.models.challenge(better.model_id, MANAGER)
    assert primary(opened(card=False)) == [], "it was rolled back"


def test_without_a_challenger_retraining_is_the_primary_action_once_there_are_newer_sales(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert primary(opened(card=False)) == [], "it learned all sales there are"
    monkeypatch.setattr(Overview, "since", lambda self, model: "New sales have arrived")
    app = opened(card=False)
    assert primary(app) == ["retrain"]
    assert [tile.label for tile in app.main.metric] == ["Error on test sales"]


def primary(app: AppTest) -> list[str]:
    return [str(one.key) for one in app.main.button if one.proto.type == "primary"]


def test_a_manager_promotes_with_a_reason_and_rolls_back(home: Path, made: tuple[Path, str, str]) -> None:
    app = opened()
    app.selectbox(f"model_{MARKET}").select(made[2]).run()
    app.button("promote").click().run()
    assert "at least 10 characters (0 so far)" in said(app.error), "a promotion needs a reason"
    app = reason(app, "promote", "fewer wrong estimates")
    app.button("promote").click().run()
    assert not app.exception
    assert made[2] in str(app.success[0].value)
    assert champion(home) == made[2]
    # The live model has nothing to be promoted to.
    assert not [field for field in app.text_input if str(field.key).startswith("promote_reason_")]
    app = reason(app, "rollback", "bias in the north")
    app.button("rollback").click().run()
    assert champion(home) == made[1]
    with open_store(home) as store:
        decided = [event for event in store.events.list(MARKET) if "reason" in event.detail][:2]
    assert [(event.action, event.detail["reason"]) for event in decided] == [
        ("model.rolled_back", "bias in the north"),
        ("model.promoted", "fewer wrong estimates"),
    ]


def test_with_nothing_to_go_back_to_there_is_no_rollback(home: Path, made: tuple[Path, str, str]) -> None:
    app = opened()
    assert "rollback" not in [str(button.key) for button in app.button]
    with open_store(home) as store:
        assert rollback_effect(acting(store), MARKET) is None
        store.models.promote(made[2], MANAGER, "try it")
        effect = rollback_effect(acting(store), MARKET)
    assert effect is not None
    assert (effect.model.model_id, effect.replaced, effect.alerts) == (made[1], made[2], 0)
    words = f"Model {made[1]} will price again instead of {made[2]}"
    assert any(words in str(one.value).replace("\\", "") for one in opened().markdown)


def test_an_analyst_may_train_but_is_not_offered_to_promote(home: Path) -> None:
    app = opened("analyst")
    assert not app.exception
    assert {"promote", "rollback"} & {str(button.key) for button in app.button} == set()
    assert "Train" in [button.label for button in app.button]


def test_the_form_becomes_the_plan_of_a_run_in_its_own_process(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, Actor]] = []

    def start(workspace: Workspace, task: TrainTask) -> Job:
        asked.append((task, workspace.actor))
        return workspace.store.jobs.create(task.kind, task.market_id, workspace.actor)

    monkeypatch.setattr(jobs, "start", start)
    app = opened("analyst")
    next(one for one in app.radio if "divided" in one.label).set_value("time")
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


@pytest.fixture
def challenged(home: Path, made: tuple[Path, str, str]) -> Path:
    """The store with the other model as challenger; its gate, kept on a card, cannot tell."""
    gated = GateRecord(made[1], date(2024, 12, 1), date(2024, 12, 31), 0, Gate(*CANNOT_TELL))
    with open_store(home) as store:
        other = store.models.get(made[2])
        card = {**other.card, GATE: document_of(gated), "window_months": 24, "half_life_days": None}
        payload = store.models.load_bytes(other.model_id) + b"\0"
        record = store.models.add(NewModel(MARKET, other.version_id, payload, card), MANAGER)
        store.models.challenge(record.model_id, MANAGER)
    return home


MDAPE = Check(
    "mdape", "Median error (MdAPE)", 0.081, 0.074, Figure(-0.007, -0.02, 0.004, 130), 0.0, CheckVerdict.NEITHER
)
COD = Check("cod", "Scatter of the ratios (COD)", 9.8, 9.1, Figure(-0.7, -2.1, 0.4, 130), 1.0, CheckVerdict.NEITHER)
HELD = Check(
    "coverage",
    "Range held, how far from 80%",
    0.09,
    0.133,
    Figure(0.043, -0.014, 0.094, 130),
    0.01,
    CheckVerdict.NEITHER,
    held=(0.71, 0.667),
)
CONDO = Check(
    "property type",
    "Mean error (MAPE), property type condo",
    0.09,
    0.12,
    Figure(0.03, 0.021, 0.039, 40),
    0.02,
    CheckVerdict.WORSE,
    "condo",
)
_MAPE = Check("mape", "Mean error (MAPE)", 0.131, 0.094, Figure(-0.037, -0.05, 0.001, 130), 0.01, CheckVerdict.NEITHER)
MAPE = replace(_MAPE, ends=(0.112, 0.15))
CANNOT_TELL = (
    GateVerdict.INCONCLUSIVE,
    130,
    (MDAPE, MAPE, COD, HELD),
    (CONDO,),
    "The 130 sales do not show it is better.",
)


def test_the_challenger_stands_beside_the_champion_with_its_gate(challenged: Path, made: tuple[Path, str, str]) -> None:
    app = opened()
    assert not app.exception
    assert "Challenger and live model on the same sales" in [one.value for one in app.header]
    figures = next(table.value for table in app.table if "Challenger is" in table.value)
    assert figures.to_dict("records") == [
        {
            "Figure": "Median error (MdAPE)",
            "Live model": "8.1%",
            "Challenger": "7.4%",
            "Difference (95% interval)": "−0.7 points (−2.0 to +0.4)",
            "Challenger is": "no significant difference",
            "Sales": 130,
        },
        {
            "Figure": "Mean error (MAPE)",
            "Live model": "13.1%",
            "Challenger": "9.4%",
            "Difference (95% interval)": "−3.7 points (−5.0 to +0.1)",
            "Challenger is": "no significant difference",
            "Sales": 130,
        },
        {
            "Figure": "Scatter of the ratios (COD)",
            "Live model": "9.8",
            "Challenger": "9.1",
            "Difference (95% interval)": "−0.7 (−2.1 to +0.4)",
            "Challenger is": "no significant difference",
            "Sales": 130,
        },
        {
            "Figure": "Range held, how far from 80%",
            "Live model": "71.0%, 9.0 points off",
            "Challenger": "66.7%, 13.3 points off",
            "Difference (95% interval)": "+4.3 points (−1.4 to +9.4)",
            "Challenger is": "no significant difference",
            "Sales": 130,
        },
    ]
    [segments] = [table.value for table in app.table if "Property type condo" in set(table.value.iloc[:, 0])]
    assert list(segments["Challenger is"]) == ["worse"]
    said = " ".join(str(one.value) for one in (*app.markdown, *app.caption)).replace("\\", "")
    assert "The 130 sales do not show it is better." in said
    assert "the last 24 months" in said
    assert "python -m core worker" in said


def test_a_later_model_stands_beside_the_undecided_challenger_and_may_take_its_place(challenged: Path) -> None:
    with open_store(challenged) as store:
        waits = store.models.challenger(MARKET)
        assert waits is not None
        payload = store.models.load_bytes(waits.model_id) + b"\0"
        made = store.models.add(NewModel(MARKET, waits.version_id, payload, waits.card), MANAGER)
        later = place(acting(store, MANAGER), made, Undecided.KEPT)
    app = opened(card=False)
    assert not app.exception
    assert "**Later challenger**" in [one.value for one in app.main.markdown]
    assert f"Model {later.model_id} was trained while challenger {waits.model_id} waited for" in said(app.main.markdown)
    assert {"promote_challenger", "promote_later", "reject_later", "take_place"} <= {str(b.key) for b in app.button}
    app = reason(app, "take_place", "the newer one")
    app.button("take_place").click().run()
    assert not app.exception
    with open_store(challenged) as store:
        assert store.models.challenger(MARKET) == replace(later, stage=Stage.CHALLENGER)
        assert waits.model_id in {one.model_id for one in store.models.list(MARKET) if one.stage is Stage.CANDIDATE}


def test_live_and_challenger_show_their_figures_on_the_same_sales_side_by_side(challenged: Path) -> None:
    app = opened(card=False)
    tiles = [(tile.label, tile.value) for tile in app.main.metric]
    assert [value for label, value in tiles if label == "Error, same sales"] == ["13.1%", "9.4%"]
    assert [value for label, value in tiles if label == "Range held, same sales"] == ["71%", "67%"]
    said = [str(one.value).replace("\\", "") for one in app.main.caption]
    assert any(one.endswith("above the target of 10%], 130 sales") for one in said)
    assert "target 10%, 130 sales" in said
    assert not any("are left out, so the two errors differ" in one for one in said), "the gate left none out"
    with open_store(challenged) as store:
        [waits] = [one for one in store.models.list(MARKET) if one.stage is Stage.CHALLENGER]
        payload = store.models.load_bytes(waits.model_id) + b"\0"
        card = {**waits.card, GATE: {**waits.card[GATE], "left_out": 41}}
        store.models.challenge(
            store.models.add(NewModel(MARKET, waits.version_id, payload, card), MANAGER).model_id, MANAGER
        )
    said = [str(one.value).replace("\\", "") for one in opened(card=False).main.caption]
    assert any("The error on the same sales is of 130 of its" in one and "41 others" in one for one in said)


def test_a_model_is_said_to_be_trained_and_tested_on_the_same_sales_everywhere(challenged: Path) -> None:
    app = opened()
    with open_store(challenged) as store:
        live = store.models.champion(MARKET)
    assert live is not None
    sales, tested = live.card["sales"], live.card["metrics"]["mape"]["n"]
    said = [str(one.value).replace("\\", "") for one in app.main.caption]
    assert any(
        one.startswith(f"Trained on {sales:,} sales up to ") and f"tested on {tested} others" in one for one in said
    )
    [board] = [table.value for table in app.table if "Validation MAPE" in table.value]
    fitted = board["Fitted on"].max()
    assert any(f"fitted on {fitted:,} sales" in one and f"on both, {sales:,} sales" in one for one in said)


def test_the_way_to_the_signature_stands_where_one_is_asked_for(challenged: Path) -> None:
    app = opened(card=False)
    assert "no price range has a proven mean error" in said(app.main.markdown)
    assert ways_to_sign(app) == [champion(challenged)], "no scope is proposed, but a manager may sign one"
    with open_store(challenged) as store:
        live, challenger = store.models.champion(MARKET), store.models.challenger(MARKET)
        assert live is not None
        assert challenger is not None
        workspace = acting(store, MANAGER)
        scope = supports(scores_of(workspace, live.model_id), 10_000.0, 5e6, workspace.problem)
        sign_scope(workspace, live.model_id, scope, "to try the page")
        app = opened(card=False)
        assert ways_to_sign(app) == [live.model_id, challenger.model_id], "the one is not proven, the other unsigned"
        assert "The scope is signed although" in said(app.warning)
        card = {**live.card, PROPOSED: {"low": 10_000.0, "high": 5e6}}
        payload = store.models.load_bytes(live.model_id) + b"\0\0"
        unsigned = store.models.add(NewModel(MARKET, live.version_id, payload, card), MANAGER)
        store.models.promote(unsigned.model_id, MANAGER, "try it")
        assert ways_to_sign(opened(card=False)) == [unsigned.model_id]
        reject(workspace, challenger.model_id, "no longer wanted")
    app = opened(card=False)
    [link] = [one.proto for one in app.main.get("page_link") if one.proto.label == "Open the signature"]
    assert "verdict_and_signature=Signature" in str(link), "it opens where the scope is signed"
    assert not ways_to_sign(opened("analyst", card=False)), "a manager signs"


def ways_to_sign(app: AppTest) -> list[str]:
    """Return the models to whose signature the page leads."""
    keys = [str(one.key) for one in app.main.button]
    return [one.removeprefix("to_sign_") for one in keys if one.startswith("to_sign_")]


def test_a_gate_against_a_model_that_is_live_no_more_gives_no_verdict_on_the_live_one(
    challenged: Path, made: tuple[Path, str, str]
) -> None:
    with open_store(challenged) as store:
        live = store.models.get(made[1])
        payload = store.models.load_bytes(live.model_id) + b"\0\0"
        card = {name: value for name, value in live.card.items() if name != GATE}
        other = store.models.add(NewModel(MARKET, live.version_id, payload, card), MANAGER)
        store.models.promote(other.model_id, MANAGER, "from scratch")
    app = opened(card=False)
    assert not app.exception
    assert f"was compared with {made[1]}, but {other.model_id} is live now" in said(app.main.markdown)
    assert "The gate cannot tell" not in said(app.main.markdown)
    assert f"Challenger and {made[1]} \\(not live\\) on the same sales" in [one.value for one in app.header]
    figures = next(table.value for table in app.table if "Challenger is" in table.value)
    assert f"{made[1]} (not live)" in figures
    assert "Live model" not in figures


def test_a_gate_that_cannot_tell_is_overruled_only_with_a_typed_reason(
    challenged: Path, made: tuple[Path, str, str]
) -> None:
    app = opened()
    app.button("promote_challenger").click().run()
    assert "The gate cannot tell" in said(app.error)
    assert "at least 10 characters (0 so far)" in said(app.error)
    assert champion(challenged) == made[1]
    app = reason(app, "promote_challenger", "condos are few, and the agents in the north wait for it")
    app.switch_page(page_at("evaluation").script.name).run()
    app.switch_page(page_at("models").script.name).run()
    assert "condos are few" in str([one.value for one in app.text_input]), "a reason typed outlives another page"
    app.button("promote_challenger").click().run()
    assert not app.exception
    assert "is live" in str(app.success[0].value)
    assert champion(challenged) != made[1]


def test_an_analyst_sees_the_challenger_but_cannot_promote_it(challenged: Path) -> None:
    app = opened("analyst")
    assert not app.exception
    assert any("Challenger is" in table.value for table in app.table)
    assert "promote_challenger" not in [str(one.key) for one in app.button]


def test_a_manager_rejects_the_challenger_with_a_reason_and_takes_it_back(challenged: Path) -> None:
    app = opened()
    app = reason(app, "reject_challenger", "bad")
    app.button("reject_challenger").click().run()
    assert "at least 10 characters (3 so far)" in said(app.error)
    with open_store(challenged) as store:
        challenger = store.models.challenger(MARKET)
    assert challenger is not None
    app = reason(app, "reject_challenger", "worse on condos")
    app.button("reject_challenger").click().run()
    assert not app.exception
    assert "is rejected" in str(app.success[0].value)
    assert "promote_challenger" not in [str(one.key) for one in app.button]

    app.selectbox(f"model_{MARKET}").select(challenger.model_id).run()
    assert "promote" not in [str(one.key) for one in app.button]
    assert any("worse on condos" in str(one.value) for one in app.warning)
    listing = next(table.value for table in app.table if "Stage" in table.value).set_index("Model")
    assert listing.loc[challenger.model_id, "Stage"] == "rejected"
    app = reason(app, "reinstate", "a mistake by us")
    app.button("reinstate").click().run()
    assert not app.exception
    assert "promote_challenger" in [str(one.key) for one in app.button]
    with open_store(challenged) as store:
        assert store.models.challenger(MARKET) == challenger


def test_a_manager_rejects_a_candidate_and_an_analyst_reads_why(home: Path, made: tuple[Path, str, str]) -> None:
    app = opened()
    assert "reject" not in [str(one.key) for one in app.button], "the live model is rolled back, not rejected"
    app.selectbox(f"model_{MARKET}").select(made[2]).run()
    app = reason(app, "reject", "worse on condos")
    app.button("reject").click().run()
    assert not app.exception
    assert "reject" not in [str(one.key) for one in app.button]
    app = opened("analyst")
    app.selectbox(f"model_{MARKET}").select(made[2]).run()
    assert any("worse on condos" in str(one.value) for one in app.warning)
    assert {"reject", "reinstate", "promote"}.isdisjoint(str(one.key) for one in app.button)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("All sales", RetrainPlan()),
        ("Only the last months", RetrainPlan(window_months=24)),
        ("All, recent ones count more", RetrainPlan(half_life_days=365.0)),
    ],
)
def test_retraining_starts_with_the_window_chosen_and_can_be_cancelled(
    home: Path, monkeypatch: pytest.MonkeyPatch, window: str, expected: RetrainPlan
) -> None:
    asked: list[RetrainTask] = []

    def start(workspace: Workspace, task: RetrainTask) -> Job:
        asked.append(task)
        return workspace.store.jobs.create(task.kind, task.market_id, workspace.actor)

    monkeypatch.setattr(jobs, "start", start)
    app = opened("analyst")
    app.radio("retrain_window").set_value(window).run()
    app.button("retrain").click().run()
    assert [(task.market_id, task.plan) for task in asked] == [(MARKET, expected)]
    [cancel] = [one for one in app.button if str(one.key).startswith("cancel_")]
    cancel.click().run()
    with open_store(home) as store:
        [job] = [one for one in store.jobs.list() if one.kind == "retrain"]
        assert job.cancel_requested


def test_what_another_window_decided_meanwhile_is_said_and_not_lost(
    challenged: Path, made: tuple[Path, str, str]
) -> None:
    app = reason(opened(card=False), "promote_challenger", "condos are few in the north")
    with open_store(challenged) as store:
        challenger = store.models.challenger(MARKET)
        assert challenger is not None
        store.models.reject(challenger.model_id, "worse on condos", MANAGER)
    app.button("promote_challenger").click().run()
    assert not app.exception
    assert "Nothing was changed." in said(app.error)
    assert "was rejected on" in said(app.error)
    assert "worse on condos" in said(app.error)
    assert champion(challenged) == made[1]


def test_a_rollback_seen_before_another_model_went_live_changes_nothing(
    home: Path, made: tuple[Path, str, str]
) -> None:
    with open_store(home) as store:
        store.models.promote(made[2], MANAGER, "try it")
    app = reason(opened(card=False), "rollback", "bias in the north")
    with open_store(home) as store:
        store.models.rollback(MARKET, MANAGER, "the same, elsewhere")
    app.button("rollback").click().run()
    assert f"made model {made[1]} live at" in said(app.error)
    assert champion(home) == made[1]


def test_a_retraining_that_runs_anywhere_is_the_next_step(home: Path) -> None:
    with open_store(home) as store:
        job = store.jobs.create("retrain", MARKET, MANAGER)
        store.jobs.progress(job.job_id, 0.42, "Fitting")
    app = opened(card=False)
    assert "a challenger is being trained." in said(app.main.markdown)
    assert "(42%)" not in said(app.main.markdown), "the bar below moves on"
    assert "retrain" not in [str(one.key) for one in app.main.button]


def test_a_window_with_too_few_sales_is_refused_at_its_field(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "start", lambda *_: pytest.fail("a window that cannot work was put before the workers"))
    app = opened("analyst")
    app.radio("retrain_window").set_value("Only the last months").run()
    app.number_input("retrain_months").set_value(1).run()
    assert "Choose more months, or all sales." in said(app.main.markdown)
    app.button("retrain").click().run()
    assert said(app.main.markdown).count("Choose more months, or all sales.") == 2, "at the field and at the button"
    assert not app.exception


def test_a_live_model_lost_from_disk_is_explained_and_replaced(home: Path, made: tuple[Path, str, str]) -> None:
    with open_store(home) as store:
        (store.home / "models" / f"{store.models.get(made[1]).sha256}.joblib").unlink()
    app = opened()
    assert not app.exception
    assert f"file of the live model {made[1]} is missing" in str(app.error[0].value).replace("\\", "")
    app.selectbox(f"model_{MARKET}").select(made[2]).run()
    app = reason(app, "promote", "the live one is lost")
    app.button("promote").click().run()
    assert champion(home) == made[2]
    assert not any("is missing" in str(one.value) for one in app.error)
