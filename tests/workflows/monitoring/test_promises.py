"""Promises on small readings: which figure counts, when one is on watch or broken, and what each says."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.errors import AccessDenied
from core.evaluate.accuracy import Figure
from core.monitor.alerts import thresholds_of
from core.monitor.gate import Check, CheckVerdict, Gate, GateVerdict
from core.monitor.rules import AlertKind
from core.problem import Problem
from core.serve.words import FellShort, InUse
from core.states import AuditAction, Period
from core.store import NewModel, open_store
from core.store.ledger.figures import Slice
from core.wording import money
from core.workflows.models.gate import GATE, GateRecord, document_of
from core.workflows.monitoring.alerts import market_watch, watch_market
from core.workflows.monitoring.audit_words import action_words, by_words, detail_words, subject_words, with_units
from core.workflows.monitoring.figures import drift_of, of_models_before
from core.workflows.monitoring.limits import limit_doubt
from core.workflows.overview import overview
from core.workflows.pricing.desk import open_desk
from core.workflows.promises import SHOWN, Promise, PromiseState, Remedy, promises_of
from core.workflows.standing import in_use_words
from tests.acting import acting
from tests.workflows.watched_market import Month, live_through

MANAGER = Actor("Max", Role.MANAGER)
FIGURES = {"mape": {"n": 400}}
GOOD = (Month(date(2025, 1, 1)), Month(date(2025, 2, 1)))
BAD = (Month(date(2025, 3, 1), 0.85), Month(date(2025, 4, 1), 0.85))


def promised(home: Path, problem: Problem, *, watched: bool = False) -> dict[str, Promise]:
    with open_store(home) as store:
        [market] = store.markets.list()
        at_work = acting(store, MANAGER, problem)
        if watched:
            watch_market(at_work, market.market_id)
        return {one.name: one for one in promises_of(at_work, market.market_id)}


@pytest.fixture(scope="module")
def lived(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small market after two good months and two bad ones, not watched yet."""
    home = Path(shutil.copytree(small_home, tmp_path_factory.mktemp("promised") / "home"))
    with open_store(home) as store:
        live_through(store, store.markets.list()[0], *GOOD, *BAD)
    return home


def test_before_any_estimate_nothing_is_promised_met(small_home: Path, problem: Problem) -> None:
    found = promised(small_home, problem)
    assert list(found) == ["Error", "Range", "Confidence", "Volume", "Speed", "Freshness"]
    assert {found[name].state for name in ("Error", "Range", "Confidence", "Volume", "Speed")} == {PromiseState.UNKNOWN}
    assert found["Freshness"].state is PromiseState.MET


def test_after_a_promotion_the_test_speaks_and_the_figures_say_whose_sales_they_count(
    lived: Path, problem: Problem, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(lived, tmp_path / "own"))
    with open_store(home) as store:
        [market] = store.markets.list()
        before = store.models.champion(market.market_id)
        assert before is not None
        sold = int(store.figures.accuracy(market.market_id, Slice(), Period.MONTH).total["n"])
        at_work = acting(store, MANAGER, problem)
        assert of_models_before(at_work, market.market_id, Slice(), sold) == ""
        headline = {name: {**one, "value": 0.13, "low": 0.11, "high": 0.15} for name, one in FIGURES.items()}
        card = {**before.card, "headline": {"sales": 400, "figures": headline}}
        newer = store.models.add(NewModel(market.market_id, before.version_id, b"newer", card), MANAGER)
        store.models.promote(newer.model_id, MANAGER, "to see")
        words = of_models_before(at_work, market.market_id, Slice(), sold)
        assert words.startswith(f"Of the {sold} sales behind the mean error, {sold} are of homes that models before")
        assert of_models_before(at_work, market.market_id, Slice(model_id=before.model_id), sold) == ""
        drift = drift_of(market_watch(at_work, market.market_id), Slice(), MANAGER)
        assert drift.sold == 0
        assert f"The {sold} sales behind the mean error are of homes that models before it priced." in drift.unsold
    error = promised(home, problem)["Error"]
    assert error.state is PromiseState.ON_TEST
    assert error.words == (
        "No home that the live model priced before its listing has a known sale yet. On its test sales, it misses its "
        "target of 10%: mean error 13.0% (95% interval 11.0% to 15.0%)."
    )
    with open_store(home) as store:
        turned = Check("mape", "Mean error", 0.21, 0.2, Figure(-0.01, -0.02, 0.01, 304), 0.0, CheckVerdict.NEITHER)
        far = Figure(0.01, -0.02, 0.03, 304)
        held = replace(turned, name="coverage", difference=far, held=(0.42, 0.43))
        checks = (replace(turned, ends=(0.19, 0.23)), held)
        days = date(2025, 6, 1), date(2025, 6, 30)
        gated = GateRecord(newer.model_id, *days, 0, Gate(GateVerdict.INCONCLUSIVE, 304, checks, (), "Words."))
        compared = {**before.card, GATE: document_of(gated)}
        store.models.add(NewModel(market.market_id, before.version_id, b"compared", compared), MANAGER)
    found = promised(home, problem)
    beside = "On 304 sales up to Jun 30, 2025, when another model was compared with it, its"
    assert found["Error"].words.endswith(f"{beside} mean error was 21.0%.")
    assert found["Range"].words.endswith(f"{beside} 80% range held 42%.")
    assert found["Range"].state is PromiseState.ON_TEST


def test_a_promise_off_without_an_alert_is_on_watch_and_says_what_helps(
    small_home: Path, problem: Problem, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(small_home, tmp_path / "own"))
    with open_store(home) as store:
        live_through(store, store.markets.list()[0], *GOOD, Month(date(2025, 3, 1)), BAD[-1])
    error = promised(home, problem)["Error"]
    assert error.state is PromiseState.WATCH
    assert "in Apr 2025" in error.words
    assert "beyond the target of" in error.words
    assert error.labels[-1] == "Apr 2025"
    assert len(error.values) == len(error.labels) <= SHOWN
    assert error.values[-1] > error.limit > error.values[0]  # type: ignore[operator]
    assert "a newer model may do better" in error.action
    assert error.until_alert == "One month beyond it is no alert yet; a second one in a row opens it."
    assert error.remedy is Remedy.NEXT


def test_a_promise_that_all_sales_together_break_is_missed_though_most_months_are_too_few_to_open_an_alert(
    small_home: Path, problem: Problem, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(small_home, tmp_path / "own"))
    few = (Month(date(2025, month, 1), 0.85, n=40) for month in (1, 2, 3))
    with open_store(home) as store:
        [market] = store.markets.list()
        live_through(store, market, *few, Month(date(2025, 4, 1), 0.85, n=60), Month(date(2025, 5, 1), 0.85, n=40))
    error = promised(home, problem, watched=True)["Error"]
    assert (error.state, error.remedy) == (PromiseState.MISSED, Remedy.NEXT)
    assert "Over all 220 sales in use, the mean error is " in error.words
    assert error.words.endswith(
        "above the target of 10%; no alert is open, because only Apr 2025 has the 50 sales that a month is judged by."
    )
    assert error.action
    assert not error.until_alert


def test_a_range_that_all_sales_together_break_is_missed_though_no_month_is_sure(
    small_home: Path, problem: Problem, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(small_home, tmp_path / "own"))
    with open_store(home) as store:
        [market] = store.markets.list()
        live_through(store, market, *(Month(date(2025, month, 1), noise=0.09) for month in range(1, 6)))
        watched = overview(acting(store, MANAGER, problem), market).watched
        desk = open_desk(store, market.market_id, problem)
        good = Path(shutil.copytree(small_home, tmp_path / "good"))
    said, found = in_use_words(watched, problem), promised(home, problem)
    held = found["Range"]
    assert watched.confidence is not None
    assert watched.confidence.words == found["Confidence"].words
    assert watched.too_confident == (found["Confidence"].state is PromiseState.MISSED)
    # Home says so of the same sales, and a month of 60 sales that holds too few is not "within" its limit.
    assert held.state is PromiseState.MISSED
    assert "beyond the 5 points allowed around its level, though chance may explain it" in held.words
    assert "Over all 300 sales in use, the 80% range held" in held.words
    # Whoever reads a range or a confidence reads the same of it, but nothing where both hold.
    assert desk.record is not None
    assert desk.in_use_of("another model") == InUse()
    assert desk.in_use_of(desk.record.model_id).range == FellShort(0.8, watched.held.value, 300)  # type: ignore[union-attr]
    assert (desk.in_use.confidence is not None) == watched.too_confident
    short = desk.in_use.agent_words("10%", "USD")
    assert short.startswith("In use: of 300 homes sold since, ranges held ")
    with open_store(good) as store:
        live_through(store, store.markets.list()[0], *GOOD)
        kept = open_desk(store, store.markets.list()[0].market_id, problem).in_use
    assert (kept, kept.agent_words("10%", "USD")) == (InUse(), "")
    why = "which takes 2 months in a row beyond the limit."
    assert held.words.endswith(f"not the share it promises; no alert is open, {why}")
    assert said.endswith(f": missed. No alert on the range is open, {why}")


def test_answers_slower_than_promised_are_no_promise_met_though_no_alert_opens(
    small_home: Path, problem: Problem, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(small_home, tmp_path / "own"))
    with open_store(home) as store:
        live_through(
            store, store.markets.list()[0], Month(date(2025, 1, 1), latency_ms=problem.success.answer_ms + 100)
        )
    slow = promised(home, problem)["Speed"]
    assert (slow.state, slow.remedy) == (PromiseState.WATCH, Remedy.FIGURES)
    assert slow.words.endswith("within 500 ms, so they took longer than promised.")
    assert slow.until_alert == "No alert opens up to 1,000 ms."
    assert slow.action
    with open_store(home) as store:
        live_through(
            store, store.markets.list()[0], Month(date(2025, 2, 1), latency_ms=problem.success.answer_ms - 100)
        )
    met = promised(home, problem)["Speed"]
    assert (met.state, met.until_alert) == (PromiseState.MET, "")
    assert met.words.endswith("Answers are promised within 500 ms.")


def test_an_alert_breaks_its_promise_and_brings_cause_and_remedy(lived: Path, problem: Problem, tmp_path: Path) -> None:
    found = promised(Path(shutil.copytree(lived, tmp_path / "own")), problem, watched=True)
    error = found["Error"]
    assert (error.state, error.remedy) == (PromiseState.MISSED, Remedy.NEXT)
    assert "Price level" in error.cause
    with open_store(tmp_path / "own") as store:
        for one in store.alerts.list(store.markets.list()[0].market_id):
            store.alerts.resolve(one.alert_id, "we retrain in July", "wait", MANAGER)
    by_hand = promised(tmp_path / "own", problem)["Error"]
    assert (by_hand.state, by_hand.remedy) == (PromiseState.MISSED, Remedy.NEXT)
    assert by_hand.cause.startswith("The alert was resolved by Max on ")
    assert "“we retrain in July”" in by_hand.cause
    assert error.action
    assert found["Speed"].remedy is Remedy.NONE


def test_an_agent_may_not_read_the_promises(small_home: Path) -> None:
    with open_store(small_home) as store, pytest.raises(AccessDenied):
        promises_of(acting(store, Actor("Ann", Role.AGENT)), store.markets.list()[0].market_id)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("alert.opened", "Alert opened"),
        ("version.committed", "Sales committed"),
        ("model.rolled_back", "Model rolled back"),
        ("of.a_later_release", "Of a later release"),
    ],
)
def test_the_audit_trail_speaks_in_words(action: str, words: str) -> None:
    assert action_words(action) == words


@pytest.mark.parametrize(
    ("actor", "role", "words"),
    [
        ("Ann", "manager", "Ann (manager)"),
        ("Doorstep worker", "manager", "Doorstep worker"),
        ("demo set-up", "manager", "demo set-up"),
        ("Old Town agent 4 (simulated)", "agent", "Old Town agent 4 (simulated)"),
    ],
)
def test_doorstep_s_own_deeds_are_not_said_to_be_a_manager_s(actor: str, role: str, words: str) -> None:
    assert by_words(actor, role) == words


def test_every_entry_says_of_what_kind_its_subject_is() -> None:
    bare = [one for one in AuditAction if subject_words(one.value, "91ab", {}) == "91ab"]
    # A limit has its alert's title, a profile its person's name, a key and the figures in reports say it themselves.
    assert {one.value.partition(".")[0] for one in bare} <= {"threshold", "profile", "seller_figures"}


def test_a_limit_that_was_changed_is_written_in_its_unit(problem: Problem) -> None:
    detail = with_units("error_high", {"before": 0.12, "after": 0.13, "reason": "a small market"}, problem)
    assert detail_words(detail, "USD") == "a small market. From 12% to 13%."
    first = with_units("error_high", {"before": None, "after": 0.09, "reason": "tighter"}, problem)
    assert detail_words(first, "USD") == "tighter. From 12% to 9%."
    reset = with_units("error_high", {"before": 0.09, "after": None, "reason": "back"}, problem)
    assert detail_words(reset, "USD") == "back. From 9% to 12%."
    assert with_units("297a", {"before": 0.12}, problem) == {"before": 0.12}
    code, reason = next(iter(problem.decisions.reasons.items()))
    assert detail_words(with_units("e1", {"price": 1e6, "reason_code": code}, problem), "EUR") == (
        f"{reason}. Price: {money(1e6, 'EUR')}."
    )


@pytest.mark.parametrize(
    ("action", "subject", "detail", "of", "words"),
    [
        (
            "alert.opened",
            "91ab",
            {"kind": "level_drift", "segment": "condo", "why": "Prices rose by 7.1%. Next: retrain.", "reading": {}},
            "Prices moved: condo",
            "Prices rose by 7.1%.",
        ),
        (
            "version.committed",
            "1bfe",
            {"rows": 49_341, "set_aside": 0, "parent_id": None, "note": "sales.csv", "files": ["sales.csv"]},
            "data version 1bfe",
            "sales.csv. Sales in use: 49,341; set aside: 0.",
        ),
        (
            "level.added",
            "297a",
            {"model_id": "ff6a", "as_of": "2025-01-01"},
            "level 297a",
            "Model ff6a; as of Jan 1, 2025.",
        ),
        ("alert.judged", "91ab", {"period": "2025-06"}, "alert 91ab", "Period Jun 2025."),
        (
            "model.reinstated",
            "297a",
            {"reason": "a mistake", "stage": "challenger", "rejected_why": "not now"},
            "model 297a",
            "a mistake. It was rejected because: not now.",
        ),
        (
            "scope.signed",
            "297a",
            {
                "low": 150_000.0,
                "high": 830_000.0,
                "mape": 0.0762656,
                "share": 0.9,
                "words": "Deploy from $150K to $830K.",
            },
            "model 297a",
            "Deploy from $150K to $830K.",
        ),
        (
            "decision.made",
            "e1",
            {"kind": "adjust", "price": 367_000.0, "listing_price": 374_000.0, "note": "", "decision_id": "dc58"}
            | {"reason": "The view", "point": 360_000.0, "comparables": {"7": 1.0}},
            "estimate e1",
            "The view. Price: $367,000; list price: $374,000; estimate: $360,000.",
        ),
        ("of.a_later_release", "x", {"is_new": True}, "x", "Is new: yes."),
        (
            "rollout.widened",
            "m",
            {
                "before": [{"office": "Old Town", "group": "pilot", "starts": "2025-06-01"}],
                "after": [{"office": "Harbour", "group": "control", "starts": None}],
                "reason": "compare",
            },
            "market m",
            "compare. Harbour: control, no start date; Old Town: taken out.",
        ),
    ],
)
def test_an_entry_says_what_was_acted_on_and_with_what_result(
    action: str, subject: str, detail: dict[str, object], of: str, words: str
) -> None:
    assert subject_words(action, subject, detail) == of
    assert detail_words(detail, "USD") == words


def test_a_limit_that_sounds_the_alarm_before_the_target_is_missed_is_asked_about(problem: Problem) -> None:
    limits = thresholds_of(problem, {})
    doubt = limit_doubt(limits, AlertKind.ERROR_HIGH, 0.09)
    assert "“Error too high” would open at 9%, below “Target missed” at 10%" in doubt
    assert limit_doubt(limits, AlertKind.TARGET_MISSED, 0.13).startswith("“Error too high” would open at 12%")
    assert limit_doubt(limits, AlertKind.ERROR_HIGH, 0.13) == ""
    assert limit_doubt(limits, AlertKind.COVERAGE_OFF, 0.02) == ""
