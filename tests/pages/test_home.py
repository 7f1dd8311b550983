"""The page Home without a browser: the two doors of a first start, and the seven phases of a market."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Actor, Role
from core.demo.opening import DemoTask
from core.evaluate.accuracy import Figure
from core.evaluate.card.headline import HEADLINE, headline_of
from core.evaluate.headline import headline
from core.evaluate.targets import Verdict, at_most, judge
from core.monitor.rules import AlertKind
from core.problem import Problem, load_problem
from core.progress import silent
from core.store import Job, Market, open_store
from core.wording import percent
from core.workflows import jobs
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.models.test_scores import scores_of
from core.workflows.monitoring.limits import set_threshold
from core.workflows.overview import Overview, State, attention, error_state, overview, phases
from core.workflows.source_files.reading import SourceFile
from core.workspace import Workspace
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER
from pages.views.home import first_start
from pages.views.home.phases import FOLD
from pages.views.models.card import listing
from tests.acting import acting
from tests.doubtful_market import doubtful_sales
from tests.pages.made_stores import MANAGER
from tests.patience import PATIENCE_SECONDS

PHASES = ["Problem", "Collection", "Preparation", "Training", "Evaluation", "Deployment", "Monitoring"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def trained(trained_home: Path) -> Path:
    return trained_home


@pytest.fixture
def statement() -> Problem:
    return load_problem()


def opened(role: str = "manager") -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = role
    return app.run()


def unfolded() -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "manager"
    app.session_state[FOLD] = True
    return app.run()


def said(app: AppTest) -> str:
    parts = [*app.main.markdown, *app.main.subheader, *app.main.caption, *app.main.error, *app.main.info]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


def buttons(app: AppTest) -> list[str]:
    return [str(button.key) for button in app.main.button]


def test_an_empty_store_offers_both_doors() -> None:
    app = opened()
    assert not app.exception
    assert buttons(app) == ["open_upload", "open_demo"]
    assert "**simulated**" in said(app)


def test_the_first_door_leads_to_the_sales_data() -> None:
    app = opened("analyst")
    app.button("open_upload").click().run()
    assert [title.value for title in app.main.title] == ["Sales data"]


def test_in_local_mode_a_door_gives_an_agent_the_least_role_it_needs_and_says_so() -> None:
    app = opened("agent")
    assert buttons(app) == ["open_upload", "open_demo"]
    assert "You act as analyst from there on" in said(app)
    assert "You act as analyst until the city is open, and then as before." in said(app)
    app.button("open_upload").click().run()
    assert [title.value for title in app.main.title] == ["Sales data"]
    assert app.session_state[session.ROLE_KEY] == "analyst"


def test_the_demo_starts_in_a_process_of_its_own_at_the_size_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, Actor]] = []

    def start(workspace: Workspace, task: DemoTask) -> Job:
        asked.append((task, workspace.actor))
        return workspace.store.jobs.create(task.kind, task.market_id, workspace.actor)

    monkeypatch.setattr(jobs, "start", start)
    monkeypatch.setenv(first_start.SALES_VARIABLE, "1234")
    app = opened()
    app.button("open_demo").click().run()
    assert [(task.sales, actor.role) for task, actor in asked] == [(1234, Role.MANAGER)]
    assert any(key.startswith("cancel_") for key in buttons(app))


def test_a_demo_under_way_is_found_again_by_a_new_visit_and_can_be_cancelled(home: Path) -> None:
    with open_store(home) as store:
        job = store.jobs.create("demo", None, MANAGER)
        store.jobs.progress(job.job_id, 0.4, "Comparing models")
        app = opened()
        assert "so far" in said(app)
        # Between two reports it moves on, by a twentieth at most.
        assert 40 <= app.main.get("progress")[0].proto.value <= 45
        assert "open_demo" not in buttons(app)
        app.button(f"cancel_{job.job_id}").click().run()
        assert store.jobs.get(job.job_id).cancel_requested


def test_an_agent_sees_the_progress_but_cannot_cancel(home: Path) -> None:
    with open_store(home) as store:
        store.jobs.progress(store.jobs.create("demo", None, MANAGER).job_id, 0.4, "Comparing models")
    app = opened("agent")
    assert "so far" in said(app)
    assert buttons(app) == ["open_upload"]


def test_a_demo_that_failed_says_why_and_is_offered_again(home: Path) -> None:
    with open_store(home) as store:
        store.jobs.fail(store.jobs.create("demo", None, MANAGER).job_id, "The disk is full.")
    app = opened()
    assert "The disk is full." in said(app)
    assert app.button("open_demo").label == "Try again"


def test_who_waited_for_the_demo_is_taken_to_pricing(home: Path, trained: Path) -> None:
    with open_store(home) as store:
        job = store.jobs.create("demo", None, MANAGER)
        store.jobs.progress(job.job_id, 0.9, "Registering the model")
    app = opened()
    with open_store(home) as store:
        market = store.markets.create("Made up", "USD", "sqft", True, MANAGER)
        store.jobs.finish(job.job_id, {"model_id": "m", "market_id": market.market_id})
    app.run()
    assert [title.value for title in app.main.title] == ["Price a home"]


def test_with_data_the_seven_phases_are_folded_with_live_figures(home: Path, trained: Path) -> None:
    shutil.copytree(trained, home)
    app = opened()
    assert f"1 · {PHASES[0]}" not in said(app)
    app = unfolded()
    assert not app.exception
    text = said(app)
    for number, name in enumerate(PHASES, start=1):
        assert f"{number} · {name}" in text
    with open_store(home) as store:
        version = store.versions.latest("testville")
        champion = store.models.champion("testville")
    assert version is not None
    assert champion is not None
    assert f"{version.rows:,} sales" in text
    assert f"Model {champion.model_id}" in text
    assert "open_demo" not in buttons(app)


def test_the_figures_of_a_card_are_those_of_the_store(trained: Path, statement: Problem) -> None:
    with open_store(trained) as store:
        [market] = store.markets.list()
        seen = overview(acting(store, today=date(2025, 6, 1)), market)
        version = store.versions.latest(market.market_id)
    cards = {card.name: card for card in phases(seen, statement)}
    assert list(cards) == PHASES
    assert version is not None
    [file] = version.files
    assert cards["Preparation"].figure == f"{file.rows_in:,} rows read"
    assert f"{file.rejected:,} rejected" in cards["Preparation"].facts[1]
    assert seen.live_since is not None
    assert cards["Training"].figure == "2 models"


def test_a_market_without_sales_names_the_remedy(home: Path, statement: Problem) -> None:
    with open_store(home) as store:
        market = store.markets.create("Empty", "USD", "sqft", False, MANAGER)
        seen = overview(acting(store, today=date(2025, 6, 1)), market)
    assert [card.state for card in phases(seen, statement)][1:] == [State.OPEN] * 6
    [sentence] = attention(seen, statement)
    assert "Upload a sales file" in sentence


@pytest.mark.parametrize(
    ("low", "high", "n", "state"),
    [
        (0.08, 0.10, 500, State.GOOD),
        (0.101, 0.12, 500, State.BAD),
        (0.09, 0.11, 500, State.UNSURE),
        (0.10, 0.11, 500, State.UNSURE),
        (0.129, 0.242, 25, State.UNSURE),
    ],
)
def test_home_judges_an_error_by_the_rule_of_the_evaluation_page(
    low: float, high: float, n: int, state: State, statement: Problem
) -> None:
    error = Figure((low + high) / 2, low, high, n)
    assert error_state(error, statement) is state
    target = at_most(statement.success.target_mape, "")
    words = {State.GOOD: Verdict.PASS, State.BAD: Verdict.FAIL, State.UNSURE: Verdict.INCONCLUSIVE}
    assert judge(error, target, statement.estimate.small_sample_n) is words[state]


def seen_with(trained: Path, today: date, **metrics: dict[str, float]) -> Overview:
    with open_store(trained) as store:
        [market] = store.markets.list()
        seen = overview(acting(store, today=today), market)
    assert seen.champion is not None
    good = {"mape": {"value": 0.08, "low": 0.07, "high": 0.09, "n": 100}}
    good |= {"coverage": {"value": 0.8, "low": 0.77, "high": 0.83, "n": 100}}
    card = seen.champion.card
    test = {"sales": 120, "figures": card[HEADLINE]["figures"] | good | metrics}
    return replace(seen, champion=replace(seen.champion, card=card | {HEADLINE: test}))


def test_a_good_and_fresh_model_needs_no_attention(trained: Path, statement: Problem) -> None:
    assert attention(seen_with(trained, date(2025, 1, 2)), statement) == ()


@pytest.mark.parametrize(
    ("today", "metrics", "sentence"),
    [
        (date(2025, 12, 1), {}, "days old, so today's prices are a guess"),
        (date(2025, 1, 2), {"mape": {"value": 0.12, "low": 0.11, "high": 0.13, "n": 90}}, "misses its target"),
        (date(2025, 1, 2), {"mape": {"value": 0.10, "low": 0.09, "high": 0.11, "n": 9}}, "cannot tell"),
        (date(2025, 1, 2), {"coverage": {"value": 0.7, "low": 0.67, "high": 0.73, "n": 90}}, "held 70.0%"),
        (date(2025, 1, 2), {"coverage": {"value": 0.9, "low": 0.88, "high": 0.92, "n": 90}}, "held 90.0%"),
    ],
)
def test_what_needs_attention_is_said(
    trained: Path, statement: Problem, today: date, metrics: dict[str, dict[str, float]], sentence: str
) -> None:
    [found] = attention(seen_with(trained, today, **metrics), statement)
    assert sentence in found


def test_a_model_past_the_limit_of_monitoring_is_to_be_replaced(trained: Path, statement: Problem) -> None:
    old = replace(seen_with(trained, date(2025, 1, 2)), age=100, retrain_after=91)
    [found] = attention(old, statement)
    assert "trained 100 days ago, past the limit of 91 days" in found
    assert attention(replace(old, retrain_after=100), statement) == ()


def test_the_limit_a_manager_set_holds_on_home_too(home: Path, trained: Path, statement: Problem) -> None:
    shutil.copytree(trained, home)
    with open_store(home) as store:
        [market] = store.markets.list()
        at_work = acting(store, MANAGER, statement)
        set_threshold(at_work, market.market_id, AlertKind.RETRAINING_OVERDUE, 30.0, "a fast market")
        assert overview(at_work, market).retrain_after == 30


def test_home_shows_the_figure_of_the_evaluation_and_says_of_how_many_sales(
    small_store: Path, statement: Problem
) -> None:
    with open_store(small_store) as store:
        [market] = store.markets.list()
        at_work = acting(store, MANAGER, statement)
        seen = overview(at_work, market)
        assert seen.champion is not None
        scored = scores_of(at_work, seen.champion.model_id)
        table = listing(store, market, [seen.champion], ())
    found = headline(scored, statement)
    assert found is not None
    shown, kept = phases(seen, statement)[4], headline_of(seen.champion.card)
    error = found.line("mape").figure
    assert error.n < found.sales
    assert kept["mape"] == error
    assert shown.figure == f"{percent(error.value, 1)} error"
    assert f"{error.n:,} of {found.sales:,} test sales; {found.sales - error.n:,} got no price" in shown.facts
    assert table["Test sales priced"].tolist() == [error.n]
    assert table["Test error (MAPE)"][0].startswith(percent(error.value, 1))


def test_a_card_without_a_headline_says_its_figures_are_of_all_test_sales(trained: Path) -> None:
    champion = seen_with(trained, date(2025, 1, 2)).champion
    assert champion is not None
    card = dict(champion.card)
    del card[HEADLINE]
    kept = headline_of(card)
    assert kept["mape"].n == card["metrics"]["n"]
    assert "priced or not" in kept.words


def test_a_simulated_market_lives_on_the_day_after_its_last_sale(trained: Path) -> None:
    with open_store(trained) as store:
        [market] = store.markets.list()
        made_up: Market = replace(market, simulated=True)
        seen = overview(acting(store, today=date(2030, 1, 1)), made_up)
        version = store.versions.latest(market.market_id)
    assert version is not None
    assert version.last_sale is not None
    assert (seen.today - version.last_sale).days == 1


def test_the_problem_statement_is_at_hand(home: Path, trained: Path) -> None:
    shutil.copytree(trained, home)
    app = unfolded()
    assert "The problem statement" in said(app)
    tables = [table.value for table in app.main.table]
    assert any("Within" in str(table) or "within" in str(table) for table in tables)


def test_a_manager_reads_one_sentence_with_one_button_and_three_tiles(home: Path, trained: Path) -> None:
    shutil.copytree(trained, home)
    app = opened()
    assert not app.exception
    assert buttons(app) == ["next_step"]
    assert [tile.label for tile in app.main.metric] == ["Error on test sales", "Range held", "Estimates accepted"]
    app.button("next_step").click().run()
    assert [title.value for title in app.main.title] == ["Sales data"], "the live model learned all sales there are"


def test_an_analyst_finds_the_last_upload_what_waits_and_the_months(home: Path, trained: Path) -> None:
    shutil.copytree(trained, home)
    app = opened("analyst")
    assert not app.exception
    assert [header.value for header in app.main.header] == ["What waits", "Last upload", "Sales by month"]
    with open_store(home) as store:
        version = store.versions.latest("testville")
    assert version is not None
    accepted = {tile.label: tile.value for tile in app.main.metric}["Accepted"]
    assert accepted == f"{sum(file.accepted for file in version.files if file.source == 'sales'):,}"
    assert len(app.main.get("plotly_chart")) == 1
    assert [(button.key, button.label) for button in app.main.button] == [("next_step", "Decide the doubtful sales")]


@pytest.mark.parametrize(
    ("rows", "waits", "button", "page"),
    [
        (
            600,
            "No model is live, so nothing can be priced. Train one on the Models page.",
            "Open Models to train",
            "Models",
        ),
        (20, "20 sales are too few to train on", "Bring in sales", "Sales data"),
    ],
)
def test_home_leads_an_analyst_on_after_the_first_commit(
    home: Path, tmp_path: Path, rows: int, waits: str, button: str, page: str
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(doubtful_sales(rows, faults=0).csv())
    with open_store(home) as store:
        analyst = acting(store, Actor("Ana", Role.ANALYST), today=date(2025, 1, 1))
        ingest(analyst, NewMarket("Springfield", "USD", "sqft"), [SourceFile(path, path.name)], silent)
    app = opened("agent")
    assert [title.value for title in app.main.title] == ["Price a home"]
    assert "No model is live for Springfield" in said(app)
    assert "Act as analyst to train one (in the sidebar)." in said(app)
    assert not app.main.get("page_link")
    app = opened("analyst")
    assert waits in said(app)
    assert [one.label for one in app.main.button] == [button]
    app.button("next_step").click().run()
    assert not app.exception
    assert [title.value for title in app.main.title] == [page]
