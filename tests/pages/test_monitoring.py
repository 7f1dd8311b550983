"""The page Monitoring without a browser: its views, its empty states, and what a manager does about an alert."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button, Element

from core.access import Action, Actor, Role, may
from core.monitor.alerts import thresholds_of
from core.monitor.rules import RULE_OF, AlertKind
from core.problem import Problem
from core.states import AlertState, Period
from core.store import NewDecision, NewModel, Store, open_store
from core.store.base.values import plain_document
from core.store.ledger.figures import Slice
from core.store.operations.alerts import UNRESOLVED
from core.wording import bound, count, market_day, percent
from core.workflows.monitoring.alerts import watch_market
from core.workflows.monitoring.figures import accuracy_of, sold_of
from core.workflows.monitoring.limits import set_threshold
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from pages.views.home.phases import FOLD
from pages.views.monitoring import selection
from pages.views.monitoring.words import NO_ESTIMATES, NO_SALES_YET
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS
from tests.workflows.watched_market import AGENT, Month, live_through

MANAGER = Actor("Max", Role.MANAGER)
VIEWS = ("Promises", "Figures", "Accuracy", "Drift", "Alerts", "Agents and the model", "Pilot", "Operations")
TODAY = date(2026, 1, 15)
MONTHS = (
    Month(date(2025, 1, 1)),
    Month(date(2025, 2, 1)),
    Month(date(2025, 3, 1), 0.85),
    Month(date(2025, 4, 1), 0.85),
)


@pytest.fixture(scope="module")
def turned_home(small_home: Path, tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Path:
    """The small market after two good months and two at lower prices, decided on, watched, its alerts open."""
    home = Path(shutil.copytree(small_home, tmp_path_factory.mktemp("monitored") / "home"))
    with open_store(home) as store:
        market = store.markets.list()[0]
        live_through(store, market, *MONTHS)
        _decide(store, market.market_id)
        watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id)
    return home


@pytest.fixture
def home(turned_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That market, to be looked at only."""
    return as_home(turned_home, monkeypatch)


@pytest.fixture
def own_home(turned_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to change."""
    return as_home(Path(shutil.copytree(turned_home, tmp_path / "own")), monkeypatch)


@pytest.fixture
def quiet_home(own_small_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small market before anybody asked for an estimate."""
    return as_home(own_small_store, monkeypatch)


def as_home(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(path))
    selection._offered.clear()
    return path


def _decide(store: Store, market_id: str) -> None:
    """Half of the estimates are accepted, of the others each price is changed by four percent."""
    for place, one in enumerate(store.ledger.list(market_id, 1_000)):
        assert one.point is not None
        kind = "accept" if place % 2 else "adjust"
        price = one.point if place % 2 else one.point * 0.96
        new = NewDecision(one.estimate_id, kind, price)  # type: ignore[arg-type]
        store.ledger.decide_past([(one.at + timedelta(minutes=5), new, AGENT)])


def opened(view: str = "Figures", role: str = "manager", **chosen: str | bool) -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = role
    app.run()
    app = app.switch_page(page_at("monitoring").script.name).run()
    app.session_state["view"] = view
    for key, value in chosen.items():
        app.session_state[key] = value
    return app.run()


def text(app: AppTest) -> str:
    """All the words on the page but tables, as a reader sees them."""
    written = [*app.markdown, *app.caption, *app.info, *app.warning, *app.success, *app.error, *app.header]
    figures = [f"{one.label} {one.value}" for one in app.metric]
    return "\n".join([*(str(one.value) for one in written), *figures]).replace("\\", "")


def market_of(store: Store) -> str:
    return store.markets.list()[0].market_id


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn_without_an_error(home: Path, view: str) -> None:
    app = opened(view)
    assert not app.exception
    assert not app.error
    assert "In this simulated market, it is May 1, 2025" in text(app)


@pytest.mark.parametrize("view", VIEWS)
def test_before_the_first_estimate_every_view_says_what_is_missing(quiet_home: Path, view: str) -> None:
    app = opened(view)
    assert not app.exception
    assert not app.error
    assert not app.get("plotly_chart")
    expected = {
        "Promises": "How many estimates a month are usual is not known yet: that takes at least 3 earlier months",
        "Figures": NO_ESTIMATES,
        "Accuracy": NO_SALES_YET,
        "Drift": "Whether the market moved is not known yet: no home that the live model priced blind",
        "Alerts": "No alert is open.",
        "Agents and the model": "No home with an agent's decision",
        "Pilot": "Every office has estimates; no pilot is set.",
        "Operations": "No worker is running",
    }
    assert expected[view] in text(app)


def test_each_promise_has_its_state_and_the_broken_ones_open_to_cause_and_one_action(home: Path) -> None:
    app = opened("Promises")
    said = text(app)
    places = [said.index(f"**{name}**") for name in ("Error", "Range", "Confidence", "Volume", "Speed", "Freshness")]
    assert places == sorted(places)
    assert "beyond the target of" in said
    assert "Price level" not in said, "the cause is folded"
    assert not app.get("plotly_chart")
    app = opened("Promises", promise_Error=True)
    assert "Price level" in text(app)
    assert [one.proto.page for one in app.get("page_link")] == ["models"]


def test_alerts_are_rows_and_the_worst_is_first(home: Path) -> None:
    said = text(opened("Alerts"))
    assert said.index("Error too high") < said.index("Target missed")


def test_the_figures_are_those_of_the_core(home: Path) -> None:
    app = opened()
    with open_store(home) as store:
        where = Slice(date(2024, 5, 1), date(2025, 5, 1))
        found = accuracy_of(acting(store, MANAGER), market_of(store), where, Period.MONTH, "blind").total
    said = text(app)
    assert f"Mean error, made blind {percent(found['mape'], 1)}" in said
    assert f"n = {int(found['n']):,}" in said
    assert said.count("May 1, 2024 to May 1, 2025") == 1, "what the figures cover is said once"


def test_the_days_and_homes_chosen_limit_the_figures(home: Path) -> None:
    whole, part = opened("Accuracy"), opened("Accuracy", span="3 months", type="condo")
    everything, condos = (int(app.table[0].value["Sales"].sum()) for app in (whole, part))
    with open_store(home) as store:
        where = Slice(date(2025, 2, 1), date(2025, 5, 1), property_type="condo")
        expected = int(accuracy_of(acting(store, MANAGER), market_of(store), where, Period.MONTH, "blind").total["n"])
    assert everything == sum(month.n for month in MONTHS)
    assert condos == expected
    assert "property type condo" in text(part)


def test_a_closed_fold_draws_no_choices_but_keeps_those_made(home: Path) -> None:
    closed, narrowed = (
        {one.key: one.value for one in app.selectbox} for app in (opened("Accuracy"), opened("Accuracy", type="condo"))
    )
    parts = {"type", "area", "office", "model", "channel"}
    assert not parts & set(closed)
    assert parts <= set(narrowed)
    assert narrowed["type"] == "condo"


def test_the_scatter_is_drawn_when_asked_for_and_says_how_many_lie_within_the_target(home: Path) -> None:
    over_time, sold = opened(), opened(error="Estimated against sold")
    n = sum(month.n for month in MONTHS)
    assert "Mean error of estimates made before the list price was known" in text(over_time)
    assert "Above the line: estimated too high" not in text(over_time)
    said = text(sold)
    assert f"{count(n, 'sale')}; " in said
    with open_store(home) as store:
        points = sold_of(
            acting(store, MANAGER), market_of(store), Slice(date(2024, 5, 1), date(2025, 5, 1)), "blind"
        ).points
    inside = ((points["point"] / points["sale_price"] - 1).abs() <= 0.10).mean()
    assert f"{percent(inside)} of the marks are in the band" in said


def test_a_sale_that_comes_in_is_in_the_figures_at_once(own_home: Path) -> None:
    everything = {"span": "Everything"}
    before = opened("Accuracy", **everything)
    with open_store(own_home) as store:
        [market] = store.markets.list()
        live_through(store, market, Month(date(2025, 5, 1), 0.85, n=7))
    after = opened("Accuracy", **everything)
    counts = [int(app.table[0].value["Sales"].sum()) for app in (before, after)]
    assert counts[1] == counts[0] + 7


def test_one_sale_is_told_from_a_verdict(quiet_home: Path) -> None:
    with open_store(quiet_home) as store:
        live_through(store, store.markets.list()[0], Month(date(2025, 1, 1), n=1))
    app = opened()
    assert not app.exception
    assert "only one sale" in text(app)
    assert "too few for an interval" in text(app)


def test_drift_names_the_market_and_offers_to_retrain(home: Path) -> None:
    app = opened("Drift", span="3 months")
    said = text(app)
    assert "Market moved" in said
    assert "**Leading cause: price level.**" in said
    assert "Why the error rose" in said
    links = [one.proto.page for one in app.get("page_link")]
    assert "models" in links


def test_a_training_that_begins_is_the_next_step_of_every_view_at_once_and_no_view_freezes_how_far_it_is(
    own_home: Path,
) -> None:
    views = ("Promises", "Alerts", "Drift")
    folds: dict[str, Any] = {f"promise_{name}": True for name in ("Error", "Range", "Confidence", "Freshness")}
    for view in views:
        assert "is being trained" not in text(opened(view, **folds))
    with open_store(own_home) as store:
        job = store.jobs.create("retrain", market_of(store), MANAGER)
        for fraction in (0.59, 0.11):
            store.jobs.progress(job.job_id, fraction, "Fitting")
            for view in views:
                said = text(opened(view, **folds))
                assert "Next: a challenger is being trained." in said.replace("**", "")
                assert "retrain, as a newer model" not in said
                assert "start a retraining" not in said
                assert "%)." not in "".join(one for one in said.splitlines() if "being trained" in one)
        store.jobs.fail(job.job_id, "stopped")
    assert "is being trained" not in text(opened("Alerts"))


def test_while_a_challenger_waits_every_advice_to_retrain_leads_to_it(own_home: Path) -> None:
    assert "decide on challenger" not in text(opened("Alerts"))
    with open_store(own_home) as store:
        live = store.models.champion(market_of(store))
        assert live is not None
        payload = store.models.load_bytes(live.model_id) + b"\0"
        new = store.models.add(NewModel(live.market_id, live.version_id, payload, dict(live.card)), MANAGER)
        store.models.challenge(new.model_id, MANAGER)
        alerts = [one for one in store.alerts.list(live.market_id) if RULE_OF[AlertKind(one.kind)].of_the_model]
    assert alerts
    decide = f"decide on challenger {new.model_id}"
    for view in ("Alerts", "Drift"):
        said = text(opened(view))
        assert decide in said
    assert text(opened("Alerts")).count(decide) == len(alerts)
    said = text(opened("Promises", promise_Error=True))
    assert decide in said

    app = opened("Alerts")
    app.text_input(f"why_{alerts[0].alert_id}").set_value("prices fell")
    app.text_input(f"next_{alerts[0].alert_id}").set_value("ask the analyst")
    _button(app, f"ack_{alerts[0].alert_id}").click().run()
    assert "**Next:** ask the analyst" in text(app), "what a person wrote stands"


def test_counts_of_estimates_and_sales_say_what_each_counts_and_the_legend_names_what_is_drawn(home: Path) -> None:
    app = opened()
    with open_store(home) as store:
        where = Slice(date(2024, 5, 1), date(2025, 5, 1))
        workspace = acting(store, MANAGER)
        sold = int(accuracy_of(workspace, market_of(store), where, Period.MONTH, "blind").total["n"])
        asked = int(store.figures.traffic(market_of(store), where, Period.MONTH).total["n"])
    said = text(app)
    assert f"{asked} estimates on these days" in said
    assert f"The mean error is of {sold} sales on these days: one estimate for each" in said
    charts = [json.loads(one.proto.spec) for one in app.get("plotly_chart")]
    [bars] = [[trace["name"] for trace in one["data"]] for one in charts if one["data"][0]["type"] == "bar"]
    assert bars == ["priced"], "no estimate was unavailable or refused"
    ticks = [one["layout"]["xaxis"]["ticktext"] for one in charts]
    assert ticks[0] == ["Jan<br>2025", "Feb", "Mar", "Apr"], "a year stands once: repeated, it runs together"


def test_a_rise_is_said_with_the_days_of_both_errors(home: Path) -> None:
    with open_store(home) as store:
        market = store.markets.list()[0]
        sold = store.samples.sold(market.market_id, Slice(), 1_000).homes["sale_date"]
    said = text(opened("Drift"))
    now = " to ".join(market_day(one, market.currency) for one in (sold.min(), sold.max()))
    assert re.search(rf"rose from [\d.]+% \(sold .+ to .+\) to [\d.]+% \(sold {re.escape(now)}\), by", said)


def test_a_manager_takes_an_alert_on_and_resolves_it(own_home: Path) -> None:
    with open_store(own_home) as store:
        alert = next(one for one in store.alerts.list(market_of(store)) if one.kind == "error_high")
        app = opened("Alerts")
        app.text_input(f"why_{alert.alert_id}").set_value("prices fell")
        app.text_input(f"next_{alert.alert_id}").set_value("retrain on Monday")
        _button(app, f"ack_{alert.alert_id}").click().run()
        taken = store.alerts.get(alert.alert_id)
        assert (taken.state, taken.why, taken.next_action) == ("acknowledged", "prices fell", "retrain on Monday")
        assert "is handling it: prices fell" in text(app)
        app.text_input(f"reason_{alert.alert_id}").set_value("it was retrained")
        _button(app, f"res_{alert.alert_id}").click().run()
        assert store.alerts.get(alert.alert_id).state == "resolved"
    assert "resolved" in text(app)


def test_a_manager_gives_an_alert_back_and_it_is_open_as_before(own_home: Path) -> None:
    with open_store(own_home) as store:
        alert = next(one for one in store.alerts.list(market_of(store)) if one.kind == "error_high")
        app = opened("Alerts")
        app.text_input(f"why_{alert.alert_id}").set_value("prices fell")
        app.text_input(f"next_{alert.alert_id}").set_value("retrain on Monday")
        _button(app, f"ack_{alert.alert_id}").click().run()
        _button(app, f"unack_{alert.alert_id}").click().run()
        assert "give a reason of at least 10 characters" in text(app)
        app.text_input(f"back_{alert.alert_id}").set_value("on leave now")
        _button(app, f"unack_{alert.alert_id}").click().run()
        assert not app.exception
        now = store.alerts.get(alert.alert_id)
        assert (now.state, now.why, now.next_action) == ("open", alert.why, alert.next_action)
    assert "open again" in text(app)
    assert "deals with it: prices fell" not in text(app)
    history = next(one.value for one in (*app.dataframe, *app.table) if "State" in one.value)
    assert not any("Next: " in why for why in history["Why"]), "the column beside says it"
    assert history["Next"].iloc[1] == "retrain on Monday"
    assert f"**Next:** {history['Next'].iloc[-1]}" in text(app), "what stands last is what to do now"
    assert app.text_input(f"why_{alert.alert_id}"), "somebody else can take it on"


def test_without_a_reason_an_alert_stays_open_and_the_page_says_why(own_home: Path) -> None:
    with open_store(own_home) as store:
        alert = store.alerts.list(market_of(store))[0]
        app = opened("Alerts")
        _button(app, f"res_{alert.alert_id}").click().run()
        assert store.alerts.get(alert.alert_id).state == "open"
    assert "give a reason of at least 10 characters" in text(app)


def test_a_manager_sets_a_limit_with_a_reason_that_stays_on_record(own_home: Path) -> None:
    app = opened("Alerts")
    app.number_input("limit_value_error_high").set_value(15.0)
    app.button("set_limit").click().run()
    assert "give a reason of at least 10 characters" in text(app)
    app.text_input("limit_why_error_high").set_value("a small market").run()
    assert "needs a reason" not in text(app), "what is typed next takes the message away"
    app.button("set_limit").click().run()
    with open_store(own_home) as store:
        [record] = store.thresholds.history(market_of(store))
    assert (record.name, record.reason) == ("error_high", "a small market")
    assert record.value == pytest.approx(0.15)
    limits = next(one.value for one in app.table if "Opens beyond" in one.value)
    assert limits.set_index("Alert").loc["Error too high", "Opens beyond"] == "15%"


def test_a_manager_resets_a_limit_to_the_problem_statements(own_home: Path, problem: Problem) -> None:
    with open_store(own_home) as store:
        set_threshold(acting(store, MANAGER), market_of(store), AlertKind.ERROR_HIGH, 0.15, "a small market")
        default = thresholds_of(problem, {})[AlertKind.ERROR_HIGH].value
        app = opened("Alerts")
        app.text_input("limit_why_error_high").set_value("the market grew")
        next(one for one in app.button if one.label == "Reset to the problem statement").click().run()
        assert not app.exception
        assert store.thresholds.values(market_of(store)) == {}
    limits = next(one.value for one in app.table if "Opens beyond" in one.value).set_index("Alert")
    assert limits.loc["Error too high", "Opens beyond"] == bound(default)
    assert limits.loc["Error too high", "Set by"] == "problem statement"
    changes = next(one.value for one in app.table if "Limit" in one.value)
    assert changes["Limit"].tolist() == ["reset to the problem statement", "15%"]
    assert app.number_input("limit_value_error_high").value == pytest.approx(100 * default)
    assert not [one for one in app.button if one.label == "Reset to the problem statement"]


def test_an_analyst_looks_but_does_not_act_and_an_agent_stays_out(home: Path) -> None:
    app = opened("Alerts", role="analyst")
    assert not app.exception
    assert not app.text_input
    assert "A manager can acknowledge" in text(app)
    assert "not open to the role agent" in text(opened(role="agent"))


def test_the_scorecard_says_who_was_nearer_and_warns(home: Path) -> None:
    said = text(opened("Agents and the model"))
    n = sum(month.n for month in MONTHS)
    assert f"On {count(n, 'sale')} with a decision, the agents were closer on average" in said
    assert "This is not an experiment" in said or "No list dates" in said


def test_the_estimates_themselves_are_a_download_unless_they_are_too_many(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(span="Everything")
    with open_store(home) as store:
        n = store.ledger.count(market_of(store))
    assert f"Download {n} estimates with decisions and sales" in [
        one.label for one in app.get("download_button") if isinstance(one, Element)
    ]
    monkeypatch.setattr("pages.views.monitoring.in_use.AT_ONCE", n - 1)
    app = opened(span="Everything")
    assert f"python -m core ledger FILE --market {market_of(store)}" in text(app).replace("\\", "")


def test_the_audit_trail_is_filtered(home: Path) -> None:
    app = opened("Operations")
    every = len(app.table[0].value)
    app.multiselect("action").set_value(["alert.opened"]).run()
    found = app.table[0].value
    assert 0 < len(found) < every
    assert set(found["What"]) == {"Alert opened"}
    app.text_input("subject").set_value("nothing like it").run()
    assert "No entry matches" in text(app)


def test_estimates_that_wait_are_counted_and_written_at_the_press_of_a_button(own_home: Path) -> None:
    with open_store(own_home) as store:
        waiting = own_home / "unwritten"
        waiting.mkdir(exist_ok=True)
        market_id = market_of(store)
        before = store.ledger.count(market_id)
        record = store.ledger.get(store.ledger.list(market_id, 1)[0].estimate_id)
        _spool(waiting, record)
        app = opened("Operations")
        assert "1 estimate could not be written" in text(app)
        app.button("retry_ledger").click().run()
        assert store.ledger.count(market_id) == before + 1
    assert "1 estimate written" in text(app)


def test_a_live_model_gone_from_the_disk_is_told_with_the_remedy(own_home: Path) -> None:
    for path in (own_home / "models").glob("*.joblib"):
        path.unlink()
    app = opened("Promises")
    assert not app.exception
    assert "The live model cannot be opened" in text(app)
    assert "Restore it from a backup, or train a new model." in text(app)
    assert "Roll back" not in text(app), "no model was live before this one"


def test_a_dot_beside_monitoring_counts_the_alerts_for_those_who_may_act(home: Path) -> None:
    with open_store(home) as store:
        alerts = len(store.alerts.list(market_of(store), UNRESOLVED))
    for role in Role:
        app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
        app.session_state[session.ROLE_KEY] = role.value
        app.run()
        styles = " ".join(str(one.proto.body) for one in app.get("html"))
        assert (f"{count(alerts, 'alert')} not resolved" in styles) == may(Actor("", role), Action.ACT_ON_ALERTS)
        assert "not resolved:" not in text(app), "an agent is not shown the operator's alarms"


def test_the_card_on_home_has_the_error_in_use_and_the_alerts(home: Path) -> None:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "manager"
    app.session_state[FOLD] = True
    said = text(app.run())
    with open_store(home) as store:
        market_id = market_of(store)
        found = accuracy_of(acting(store, MANAGER), market_id, Slice(), Period.MONTH, "blind").total
        alerts = len(store.alerts.list(market_id, (AlertState.OPEN,)))
    assert f"{percent(found['mape'], 1)} error in use" in said
    assert f"{count(alerts, 'alert')} not resolved" in said


def _button(app: AppTest, form: str) -> Button:
    return next(one for one in app.button if one.proto.form_id == form)


def _spool(folder: Path, record: object) -> None:
    document = plain_document({**vars(record), "estimate_id": "f" * 16}, "estimate")
    document["at"] = datetime(2025, 4, 30, tzinfo=UTC).isoformat()
    (folder / f"{'f' * 16}.json").write_text(json.dumps([document]), encoding="utf-8")
