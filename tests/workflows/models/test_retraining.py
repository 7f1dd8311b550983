"""Retraining: what the challenger learns from, how it is held against the champion, and what promoting it takes."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.access import Actor, Role
from core.errors import AccessDenied, JobCancelled, NotFound, ReasonNeeded, TrainError
from core.monitor.gate import Gate, GateVerdict
from core.prepare.splits import TIME
from core.problem import Problem
from core.progress import silent
from core.serve.estimate import Estimate
from core.states import Family, Stage
from core.store import ModelRecord, Store, open_store
from core.store.ledger.outcomes import NewOutcome
from core.train.trainer import TrainingPlan
from core.workflows.models.gate import GateRecord, gate_of, gate_start, reason_needed, rival_of, unseen_by
from core.workflows.models.retraining import RetrainPlan, retrain, trained_words, window_named
from core.workflows.models.shadow import shadow_pending, shadow_report
from core.workflows.models.training import known_sales, load_model
from core.workflows.pricing.answers import Question, price_and_record
from core.workflows.pricing.desk import open_desk
from core.workflows.promotion import promote, promote_challenger, rollback
from core.workflows.training import train_model
from tests.acting import acting
from tests.made_once import copy_of

MANAGER = Actor("mia", Role.MANAGER)
AGENT = Actor("ann", Role.AGENT, "Harbour")
POOR = TrainingPlan(TIME, 1, (Family.TREE,), 0, 1, 2, test_from=date(2020, 1, 1))
QUICK = replace(POOR, families=(Family.BLEND,))
TODAY = date(2024, 12, 31)


@pytest.fixture(scope="module")
def lenient(problem: Problem) -> Problem:
    """The problem statement with a gate for a small market, where two months bring some eighty sales."""
    return replace(problem, monitoring=replace(problem.monitoring, gate_sales_min=40))


@pytest.fixture(scope="module")
def challenged(small_home: Path, tmp_path_factory: pytest.TempPathFactory, lenient: Problem) -> Path:
    """The small market with a poor champion that knows no sale since 2020, and a challenger that does."""

    def make(home: Path) -> None:
        shutil.copytree(small_home, home)
        with open_store(home) as store:
            market = market_of(store)
            poor = train_model(acting(store, MANAGER, lenient), market, POOR, silent)
            promote(acting(store, MANAGER), poor.model_id, "the simplest first")
            retrain(acting(store, MANAGER, lenient), market, RetrainPlan(base=QUICK), silent)

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        return copy_of("challenged-market", tmp_path_factory, make)


@pytest.fixture
def store(challenged: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copytree(challenged, tmp_path / "copy")
    with open_store(tmp_path / "copy") as opened:
        yield opened


def market_of(store: Store) -> str:
    return store.markets.list()[0].market_id


def home_in(store: Store, size: float = 1680.0) -> dict[str, object]:
    """A home where the market's first sale was."""
    place = known_sales(store, market_of(store)).table.iloc[0]
    where = {name: place[name] for name in ("zipcode", "latitude", "longitude")}
    return {**where, "living_area_sqft": size, "bedrooms": 3.0, "year_built": 1987.0, "property_type": "single family"}


def ids(store: Store) -> tuple[str, str]:
    """Champion and challenger."""
    champion, challenger = store.models.champion(market_of(store)), store.models.challenger(market_of(store))
    assert champion is not None
    assert challenger is not None
    return champion.model_id, challenger.model_id


def test_a_better_challenger_passes_on_sales_neither_model_learned_from(store: Store) -> None:
    champion, challenger = ids(store)
    gated = gate_of(store, challenger)
    assert gated is not None
    assert gated.champion_id == champion
    assert gated.gate.verdict is GateVerdict.PASS
    assert gated.gate.n >= 40
    assert gated.left_out == 0
    assert timedelta(days=28) <= gated.last - gated.first <= timedelta(days=61)
    model = load_model(store, challenger).model
    assert date(2024, 6, 1) < model.profile.last_sale < gated.first
    mape = {one.name: one for one in gated.gate.checks}["mdape"]
    assert mape.challenger < mape.champion
    assert "challenger is better" in gated.gate.words
    [judged] = store.events.of(challenger, "gate.judged")
    assert judged.detail["verdict"] == "pass"
    assert judged.detail["window"] == "all sales"


def test_the_gate_passed_a_manager_promotes_without_a_reason_and_alerts_of_the_old_model_close(
    store: Store, problem: Problem
) -> None:
    market, (champion, challenger) = market_of(store), ids(store)
    reading = {"period": "2024-11", "value": 0.13, "model_id": champion}
    opened = [
        store.alerts.open(market, kind, "", reading, f"{kind} in November", "act", MANAGER)
        for kind in ("error_high", "target_missed", "volume_down")
    ]
    with pytest.raises(AccessDenied):
        promote_challenger(acting(store, AGENT, problem), challenger, "")
    assert promote_challenger(acting(store, MANAGER, problem), challenger, "").stage == "champion"
    states = [store.alerts.get(one.alert_id) for one in opened]
    assert [one.state for one in states] == ["resolved", "resolved", "open"]
    assert challenger in states[0].why
    assert "Median error" in states[0].why
    assert store.models.challenger(market) is None
    # Again, after a call that broke off before the alerts: nothing moves, and nothing is demanded.
    assert promote_challenger(acting(store, MANAGER, problem), challenger, "").model_id == challenger
    assert len(store.events.of(challenger, "model.promoted")) == 1


def test_a_gate_of_another_champion_demands_a_reason_and_says_why(store: Store, problem: Problem) -> None:
    _, challenger = ids(store)
    first = next(one for one in store.models.list(market_of(store)) if one.stage == "retired")
    promote(acting(store, MANAGER), first.model_id, "back to the first")
    with pytest.raises(ReasonNeeded, match=rf"{first.model_id} is live now.*10 characters \(3 so far\)"):
        promote_challenger(acting(store, MANAGER, problem), challenger, "ok. ")
    champion = store.models.champion(market_of(store))
    assert champion is not None
    assert champion.model_id == first.model_id
    done = promote_challenger(acting(store, MANAGER, problem), challenger, "better in the north, see the figures")
    assert store.events.of(done.model_id, "model.promoted")[0].detail["reason"].startswith("better in the north")


def test_what_the_gate_says_decides_whether_a_reason_is_needed() -> None:
    def gated(verdict: GateVerdict) -> GateRecord:
        return GateRecord("old", date(2025, 5, 1), date(2025, 5, 31), 0, Gate(verdict, 200, (), (), "As measured."))

    assert reason_needed(gated(GateVerdict.PASS), "old") == ""
    assert "rejects" in reason_needed(gated(GateVerdict.FAIL), "old")
    assert "cannot tell" in reason_needed(gated(GateVerdict.INCONCLUSIVE), "old")
    assert "nothing about these two" in reason_needed(gated(GateVerdict.PASS), "new")
    assert "not compared with" in reason_needed(None, "old")


def test_a_model_says_how_many_of_its_test_sales_got_no_price() -> None:
    def words(priced: int) -> str:
        figures = {"mape": {"value": 0.08, "low": 0.07, "high": 0.09, "n": priced}}
        card = {
            "sales": 12_000,
            "last_sale": "2024-12-30",
            "currency": "USD",
            "metrics": {"mape": figures["mape"] | {"n": 4_323}},
            "headline": {"sales": 4_323, "figures": figures},
        }
        record = ModelRecord("m", "demo", "v", "", Stage.CHAMPION, card, 0, datetime(2025, 1, 1, tzinfo=UTC), "Ana")
        return trained_words(record)

    assert words(4_320).endswith("tested on 4,323 others; 3 of them got no price.")
    assert words(4_323).endswith("tested on 4,323 others.")


def test_sales_the_champion_learned_from_are_no_comparison(store: Store) -> None:
    """The first model of the small market was tested on a fifth of its sales, drawn at random."""
    market = market_of(store)
    first = next(one for one in store.models.list(market) if one.stage == "retired")
    promote(acting(store, MANAGER), first.model_id, "back to the first")
    known = known_sales(store, market)
    unseen = unseen_by(store, rival_of(store, market), known)
    assert int(unseen.sum()) == first.card["metrics"]["n"]
    (store.home / "scores" / f"{first.card['scores']}.parquet").unlink()
    assert not unseen_by(store, rival_of(store, market), known).any()


def test_a_champion_lost_from_disk_leaves_the_gate_open_and_can_be_replaced(store: Store, problem: Problem) -> None:
    market, (champion, earlier) = market_of(store), ids(store)
    record = store.models.get(champion)
    (store.home / "models" / f"{record.sha256}.joblib").unlink()
    assert not store.models.holds(record)
    made = retrain(acting(store, MANAGER, problem), market, RetrainPlan(window_months=24, base=POOR), silent)
    assert made.gate.gate.verdict is GateVerdict.INCONCLUSIVE
    assert "missing" in made.gate.gate.words
    assert made.gate.champion_id == champion
    assert store.models.get(earlier).stage == "candidate"
    assert store.models.get(made.record.model_id).stage == "challenger"
    assert made.record.card["window_months"] == 24
    assert made.record.card["first_sale"] >= "2022-10-01"
    with pytest.raises(ReasonNeeded, match="missing"):
        promote_challenger(acting(store, MANAGER, problem), made.record.model_id, "")
    promote_challenger(acting(store, MANAGER, problem), made.record.model_id, "the file of the old model is lost")
    assert isinstance(open_desk(store, market, problem).price(home_in(store), TODAY, 0.8, AGENT), Estimate)


def test_rolling_back_from_a_lost_champion_works(store: Store, problem: Problem) -> None:
    market, (champion, _) = market_of(store), ids(store)
    (store.home / "models" / f"{store.models.get(champion).sha256}.joblib").unlink()
    back = rollback(acting(store, MANAGER), market, "its file is lost")
    assert back.model_id != champion
    assert isinstance(open_desk(store, market, problem).price(home_in(store), TODAY, 0.8, AGENT), Estimate)


def test_shadows_are_what_the_challenger_would_have_answered(store: Store, problem: Problem) -> None:
    market, (_, challenger) = market_of(store), ids(store)
    desk = open_desk(store, market, problem)
    sizes = (1100.0, 1680.0, 2400.0)
    asked = [Question(home_in(store, size), TODAY, 0.8) for size in sizes]
    given = [price_and_record(acting(store, AGENT), desk, question, "page") for question in asked]
    price_and_record(acting(store, AGENT), desk, Question({"bedrooms": 3.0}, TODAY, 0.8), "page")
    assert store.shadows.count(challenger) == 0
    assert shadow_pending(acting(store, problem=problem), market) == len(sizes)
    assert shadow_pending(acting(store, problem=problem), market) == 0
    report = shadow_report(acting(store, MANAGER), challenger)
    assert (report.n, report.sold) == (3, 0)
    assert np.isnan(report.champion_error.value)
    kept = store.shadows.frame(market, challenger)
    champion_points = [one.result.point for one in given if isinstance(one.result, Estimate)]
    assert kept["point"].tolist() == champion_points
    promote_challenger(acting(store, MANAGER, problem), challenger, "")
    now = open_desk(store, market, problem)
    for question, shadow in zip(asked, kept.itertuples(), strict=True):
        said = now.price(question.facts, question.as_of, 0.8, AGENT)
        assert isinstance(said, Estimate)
        assert (said.point, said.low, said.high) == (shadow.shadow_point, shadow.shadow_low, shadow.shadow_high)
        assert said.confidence == shadow.shadow_confidence
    assert shadow_pending(acting(store, problem=problem), market) == 0, "there is no challenger any more"


def test_once_homes_are_sold_the_shadow_report_has_both_errors(store: Store, problem: Problem) -> None:
    market, (champion, challenger) = market_of(store), ids(store)
    desk = open_desk(store, market, problem)
    asked = [Question(home_in(store, size), TODAY, 0.8) for size in (1100.0, 1680.0)]
    given = [price_and_record(acting(store, AGENT), desk, question, "page") for question in asked]
    shadow_pending(acting(store, problem=problem), market)
    shadows = store.shadows.frame(market, challenger).set_index("estimate_id")["shadow_point"]
    version = store.versions.latest(market)
    assert version is not None
    found = {}
    for one in given:
        assert isinstance(one.result, Estimate)
        assert one.estimate_id is not None
        price = float(shadows[one.estimate_id])
        found[one.estimate_id] = [
            NewOutcome(
                estimate_id=one.estimate_id,
                sale_key=one.estimate_id,
                sale_date=date(2025, 1, 20),
                sale_price=price,
                list_date=None,
                list_price=None,
                first_list_price=None,
                counted=True,
                blind=True,
                estimated_at=datetime.now(UTC),
                model_id=champion,
                office="Harbour",
                channel="page",
                property_type=None,
                area="98103",
                point=one.result.point,
                low=one.result.low,
                high=one.result.high,
                level=0.8,
                confidence=50.0,
            )
        ]
    store.outcomes.record(market, [version.version_id], version.version_id, found, MANAGER)
    report = shadow_report(acting(store, MANAGER), challenger)
    assert report.sold == 2
    assert report.challenger_error.value == 0.0
    assert report.champion_error.value == pytest.approx(-report.difference.value)
    # Two sales are too few for an interval.
    assert math.isnan(report.difference.low)
    assert math.isnan(report.difference.high)


def test_a_run_that_is_cancelled_leaves_nothing_behind(store: Store, lenient: Problem) -> None:
    market, before = market_of(store), store.models.list(market_of(store))

    def cancel(fraction: float, message: str) -> None:
        if fraction > 0.1:
            raise JobCancelled("Cancelled by mia.")

    with pytest.raises(JobCancelled):
        retrain(acting(store, MANAGER, lenient), market, RetrainPlan(base=POOR), cancel)
    assert store.models.list(market) == before


def test_retraining_takes_a_market_that_ever_had_a_model_and_a_person_who_may(store: Store, problem: Problem) -> None:
    with pytest.raises(AccessDenied):
        retrain(acting(store, AGENT, problem), market_of(store), RetrainPlan(), silent)
    empty = store.markets.create("Nowhere", "USD", "sqft", True, MANAGER)
    with pytest.raises(NotFound, match="no sales yet"):
        retrain(acting(store, MANAGER, problem), empty.market_id, RetrainPlan(), silent)


def test_a_busy_market_is_judged_on_a_month_and_a_quiet_one_on_two(store: Store, problem: Problem) -> None:
    dates = known_sales(store, market_of(store)).table["sale_date"]
    last = dates.max().date()
    assert (last - gate_start(dates, last, problem)).days == 60
    busy = replace(problem, monitoring=replace(problem.monitoring, gate_sales_min=5))
    assert (last - gate_start(dates, last, busy)).days == 29


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("all", "all sales"),
        ("months=24", "the last 24 months"),
        ("half-life=365", "all sales, half the weight every 365 days"),
    ],
)
def test_windows_are_named_on_the_command_line(text: str, words: str) -> None:
    assert window_named(text).words == words


@pytest.mark.parametrize("text", ["", "months=", "months=-1", "year", "half-life=1e3"])
def test_another_window_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(TrainError, match="months=24"):
        window_named(text)
