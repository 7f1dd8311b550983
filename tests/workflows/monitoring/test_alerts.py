"""Watching a market: alerts open with their cause, stay put, are dealt with by people, and flag estimates meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from core.errors import AccessDenied, InvalidThreshold, NotFound, ReasonNeeded
from core.monitor.rules import AlertKind
from core.problem import Problem
from core.serve.agent.advice import advice
from core.serve.estimate import Estimate
from core.serve.estimate_many import estimate_many
from core.serve.review.flag import FlagKind, Severity
from core.store import Market, NewModel, Store, open_store
from core.workflows.monitoring.alerts import acknowledge, alert_lines, open_alerts, resolve, watch_market
from core.workflows.monitoring.limits import set_threshold
from core.workflows.pricing.desk import open_desk
from core.workspace import market_day
from tests.acting import acting
from tests.workflows.watched_market import AGENT, ANALYST, MANAGER, Month, live_through

TODAY = date(2026, 1, 15)
CALM = tuple(Month(date(2025, month, 1)) for month in (1, 2, 3))
TURN = (Month(date(2025, 4, 1), 0.8), Month(date(2025, 5, 1), 0.8))
AFTER = (Month(date(2025, 6, 1)), Month(date(2025, 7, 1)))
LATE = frozenset({"retraining_overdue"})
OF_THE_RECORD = (FlagKind.RANGE_HELD_LESS, FlagKind.TARGET_MISSED)
TURNED = {"error_high", "target_missed", "coverage_off", "level_drift"}


@pytest.fixture(scope="module")
def calm_home(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Path(shutil.copytree(small_home, tmp_path_factory.mktemp("calm") / "home"))
    with open_store(home) as store:
        live_through(store, store.markets.list()[0], *CALM)
    return home


@pytest.fixture(scope="module")
def turned_home(calm_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Path(shutil.copytree(calm_home, tmp_path_factory.mktemp("turned") / "home"))
    with open_store(home) as store:
        live_through(store, store.markets.list()[0], *TURN)
    return home


@pytest.fixture
def turned(turned_home: Path, tmp_path: Path) -> Iterator[Store]:
    """The market after two months at lower prices, not watched yet."""
    shutil.copytree(turned_home, tmp_path / "turned")
    with open_store(tmp_path / "turned") as opened:
        yield opened


@pytest.fixture
def store(calm_home: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copytree(calm_home, tmp_path / "home")
    with open_store(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.list()[0]


def kinds(alerts: tuple[object, ...]) -> set[str]:
    return {one.kind for one in alerts} - LATE  # type: ignore[attr-defined]


def test_months_as_good_as_the_test_open_nothing_and_nothing_is_left_unread(
    store: Store, market: Market, problem: Problem
) -> None:
    seen = watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id)
    assert seen.clock == date(2025, 4, 1)
    assert kinds(seen.opened) == set()
    assert {one.kind for one in seen.readings} == set(AlertKind)
    assert seen.notes == ()


def test_a_turn_of_prices_opens_alerts_that_name_the_price_level_and_watching_again_changes_nothing(
    store: Store, market: Market, problem: Problem
) -> None:
    live_through(store, market, TURN[0])
    assert (
        kinds(watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).opened) == set()
    )  # one month is chance

    live_through(store, market, TURN[1])
    seen = watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id)
    assert kinds(seen.opened) == TURNED
    error = next(one for one in seen.opened if one.kind == "error_high")
    champion = store.models.champion(market.market_id)
    assert champion is not None
    assert (error.segment, error.document["reading"]["model_id"]) == ("", champion.model_id)
    assert "Price level" in error.why
    assert "retrain" in error.next_action
    assert error.document["reading"]["value"] > 0.12
    level = next(one for one in seen.opened if one.kind == "level_drift")
    assert level.document["reading"]["high"] < -0.05

    events = len(store.events.list(limit=10_000))
    again = watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id)
    assert (again.opened, again.resolved) == ((), ())
    assert again.open == seen.open
    assert len(store.events.list(limit=10_000)) == events


def test_an_alert_taken_on_stays_and_is_resolved_by_two_good_months(turned: Store, problem: Problem) -> None:
    store, market = turned, turned.markets.list()[0]
    opened = watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).opened
    error = next(one for one in opened if one.kind == "error_high")
    taken = acknowledge(acting(store, MANAGER), error.alert_id, "prices turned", "retrain on Monday")
    assert (taken.state, taken.next_action) == ("acknowledged", "retrain on Monday")
    assert "error_high" in {one.kind for one in open_alerts(acting(store, ANALYST), market.market_id)}

    live_through(store, market, AFTER[0])
    assert watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).resolved == ()
    live_through(store, market, AFTER[1])
    resolved = watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).resolved
    assert kinds(resolved) == TURNED
    assert watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).opened == ()


def test_what_a_person_resolved_opens_again_on_new_months_only(turned: Store, problem: Problem) -> None:
    store, market = turned, turned.markets.list()[0]
    for one in watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).opened:
        resolve(acting(store, MANAGER, today=TODAY), one.alert_id, "known, the spring sale")
    assert watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).opened == ()

    worse = [replace(month, level=0.8) for month in AFTER]
    live_through(store, market, worse[0])
    assert kinds(watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).opened) == set()
    live_through(store, market, worse[1])
    assert "error_high" in kinds(watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).opened)


def test_another_model_going_live_resolves_the_alerts_on_the_one_before(turned: Store, problem: Problem) -> None:
    store, market = turned, turned.markets.list()[0]
    watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id)
    champion = store.models.champion(market.market_id)
    assert champion is not None
    payload = store.models.load_bytes(champion.model_id) + b"another"
    new = NewModel(market.market_id, champion.version_id, payload, champion.card)
    successor = store.models.add(new, MANAGER)
    store.models.promote(successor.model_id, MANAGER, "better since the turn")
    seen = watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id)
    assert kinds(seen.resolved) == TURNED
    assert successor.model_id in seen.resolved[0].why
    assert kinds(seen.open) == set()
    assert watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).resolved == ()


def test_a_drift_alert_flags_estimates_until_it_is_resolved(turned: Store, problem: Problem) -> None:
    store, market = turned, turned.markets.list()[0]
    seen = watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id)
    level = next(one for one in seen.opened if one.kind == "level_drift")
    desk = open_desk(store, market.market_id, problem)
    assert desk.live_market is not None
    home = store.versions.load(desk.live_market.version_id).iloc[0]
    names = ("zipcode", "neighbourhood", "latitude", "longitude", "property_type", "living_area_sqft", "bedrooms")
    facts = {name: home[name] for name in names if name in home and not pd.isna(home[name])}
    as_of = desk.valuation_date(TODAY)
    alone = desk.price(facts, as_of, problem.estimate.level, AGENT)
    assert isinstance(alone, Estimate)
    [flag] = [one for one in alone.flags if one.kind is FlagKind.DRIFT_ALERT]
    assert (flag.severity, flag.field) == (Severity.REVIEW, "price level")
    assert "below the level the model expects in May 2025" in flag.value
    assert flag.limit == "5% in either direction"
    assert "sales of recent weeks" in flag.action
    many = estimate_many(desk.live_market, pd.DataFrame([facts]), as_of, problem, problem.estimate.level)
    assert flag in many.flags[0]
    held, off = (next(one for one in alone.flags if one.kind is kind) for kind in OF_THE_RECORD)
    readings = {one.kind: one.document["reading"] for one in seen.opened}
    reading, error = readings["coverage_off"], readings["target_missed"]
    assert held.value.startswith(f"{reading['value']:.0%} of {reading['n']} sales of ")
    assert (held.limit, off.limit) == ("80%", "at most 10%")
    assert off.value.startswith(f"{error['value']:.1%} on average")
    assert f"Only {held.value} ended inside such a range (80% was promised): leave more room." in advice(alone.flags)

    resolve(acting(store, MANAGER, today=TODAY), level.alert_id, "I looked at it")
    again = open_desk(store, market.market_id, problem).price(facts, as_of, problem.estimate.level, AGENT)
    assert isinstance(again, Estimate)
    assert FlagKind.DRIFT_ALERT not in {one.kind for one in again.flags}
    assert (again.low, again.point, again.high) == (alone.low, alone.point, alone.high)


def test_homes_unlike_those_learned_from_are_told_apart_from_a_market_that_moved(
    store: Store, market: Market, problem: Problem
) -> None:
    live_through(store, market, *(replace(one, level=1.0) for one in TURN), facts={"living_area_sqft": 6_000.0})
    seen = watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id)
    assert kinds(seen.opened) == {"feature_drift"}
    [alert] = [one for one in seen.opened if one.kind == "feature_drift"]
    assert "Living area: median 6,000, was " in alert.why
    assert alert.document["reading"]["value"] == 1


def test_a_fact_no_longer_typed_is_drift_though_facts_never_typed_are_not(
    store: Store, market: Market, problem: Problem
) -> None:
    live_through(store, market, *(replace(one, level=1.0) for one in TURN), facts={"bedrooms": None})
    [alert] = [
        one
        for one in watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).opened
        if one.kind == "feature_drift"
    ]
    assert "Bedrooms" in alert.why
    assert alert.document["reading"]["value"] == 1


def test_a_manager_changes_a_limit_within_its_bounds_and_it_is_on_record(turned: Store, problem: Problem) -> None:
    store, market = turned, turned.markets.list()[0]
    market_id = market.market_id
    with pytest.raises(InvalidThreshold, match=r"“Error too high” = 90% must lie between 2% and 50%"):
        set_threshold(acting(store, MANAGER, problem), market_id, AlertKind.ERROR_HIGH, 0.9, "quiet please")
    with pytest.raises(ReasonNeeded, match="at least 10 characters"):
        set_threshold(acting(store, MANAGER, problem), market_id, AlertKind.ERROR_HIGH, 0.3, "ab")
    set_threshold(acting(store, MANAGER, problem), market_id, AlertKind.ERROR_HIGH, 0.3, "a hard spring")
    assert "error_high" not in kinds(watch_market(acting(store, MANAGER, problem, today=TODAY), market_id).opened)
    [kept] = store.thresholds.history(market_id, "error_high")
    assert (kept.value, kept.reason, kept.actor) == (0.3, "a hard spring", "Mia")


def test_only_managers_act_on_alerts_and_agents_do_not_see_them(store: Store, market: Market, problem: Problem) -> None:
    for actor in (AGENT, ANALYST):
        with pytest.raises(AccessDenied):
            acknowledge(acting(store, actor), "any", "why it is so", "")
        with pytest.raises(AccessDenied):
            resolve(acting(store, actor, today=TODAY), "any", "why it is so")
        with pytest.raises(AccessDenied):
            set_threshold(acting(store, actor, problem), market.market_id, AlertKind.SLOW, 500, "why it is so")
    with pytest.raises(AccessDenied):
        watch_market(acting(store, AGENT, problem, today=TODAY), market.market_id)
    with pytest.raises(AccessDenied):
        open_alerts(acting(store, AGENT), market.market_id)
    with pytest.raises(NotFound):
        resolve(acting(store, MANAGER, today=TODAY), "0123456789abcdef", "why it is so")


def test_estimates_that_cannot_be_written_are_an_alert_at_once_and_until_they_are(
    store: Store, market: Market, problem: Problem
) -> None:
    spoilt = store.home / "unwritten" / "0123456789abcdef.unreadable"
    spoilt.write_text("{", encoding="utf-8")
    assert "ledger_failures" in kinds(
        watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).opened
    )
    assert any("could not be written" in line for line in alert_lines(store.alerts.list(market.market_id)))
    spoilt.unlink()
    assert "ledger_failures" in kinds(
        watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id).resolved
    )


def test_files_lost_from_disk_leave_the_rest_watched_and_are_named(turned: Store, problem: Problem) -> None:
    store, market = turned, turned.markets.list()[0]
    for folder in ("scores", "models"):
        shutil.rmtree(store.home / folder)
    champion = store.models.champion(market.market_id)
    assert champion is not None
    trained_on = store.versions.get(champion.version_id)
    (store.home / "versions" / f"{trained_on.sha256}.parquet").unlink()
    seen = watch_market(acting(store, MANAGER, problem, today=TODAY), market.market_id)
    assert kinds(seen.opened) == TURNED | {"model_unverified"}
    assert "drift of facts is not judged" in " ".join(seen.notes)
    assert "cause of errors is unknown" in " ".join(seen.notes)


def test_a_market_without_anything_is_watched_in_peace(store: Store, problem: Problem) -> None:
    empty = store.markets.create("Nowhere", "USD", "sqft", False, MANAGER)
    seen = watch_market(acting(store, MANAGER, problem, today=TODAY), empty.market_id)
    assert (seen.clock, seen.opened, seen.open) == (TODAY, (), ())
    assert "No model is live" in seen.notes[0]


def test_a_simulated_markets_clock_follows_its_sales_and_a_real_ones_the_day(store: Store, market: Market) -> None:
    real = store.markets.create("Nowhere", "USD", "sqft", False, MANAGER)
    assert acting(store, today=TODAY).today(real) == TODAY
    latest = store.versions.latest(market.market_id)
    assert latest is not None
    assert latest.last_sale is not None
    assert acting(store, today=TODAY).today(market) == latest.last_sale + timedelta(days=1)
    before = store.versions.chain(market.market_id)[1]
    assert before.last_sale is not None
    assert market_day(store, market, before.created_at) == before.last_sale + timedelta(days=1)
    assert market_day(store, real, datetime(2026, 1, 2, 3, tzinfo=UTC)) == date(2026, 1, 2)
