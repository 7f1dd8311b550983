"""What the monitoring page is drawn from: figures with intervals, the market's scorecard and the audit trail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.access import Actor, Role
from core.errors import AccessDenied
from core.evaluate.intervals import mean_interval
from core.monitor.level_drift import Movement
from core.problem import Problem
from core.states import Period
from core.store import NewDecision, NewModel, NewVersion, Store, open_store
from core.store.base.audit import Wanted
from core.store.ledger.figures import Slice
from core.store.ledger.outcomes import NewOutcome
from core.workflows.monitoring.alerts import market_watch
from core.workflows.monitoring.audit import export_trail, trail_names, trail_of
from core.workflows.monitoring.figures import (
    NO_MODEL,
    accuracy_of,
    drift_of,
    expected_of,
    figure_of,
    health_of,
)
from core.workflows.monitoring.readings import latest_days
from core.workflows.monitoring.scorecard import scorecard_of
from tests.acting import acting
from tests.store.samples import estimate
from tests.workflows.watched_market import AGENT, ANALYST, MANAGER, Month, live_through

LEVEL = 0.85
MONTHS = (Month(date(2025, 1, 1)), Month(date(2025, 2, 1), LEVEL))
WHERE = Slice(date(2025, 1, 1), date(2025, 2, 28))


@pytest.fixture(scope="module")
def lived_home(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Path(shutil.copytree(small_home, tmp_path_factory.mktemp("lived") / "home"))
    with open_store(home) as store:
        live_through(store, store.markets.list()[0], *MONTHS)
    return home


@pytest.fixture
def lived(lived_home: Path, tmp_path: Path) -> Iterator[Store]:
    """The small market after two months, prices lower in the second."""
    shutil.copytree(lived_home, tmp_path / "lived")
    with open_store(tmp_path / "lived") as opened:
        yield opened


def market_of(store: Store) -> str:
    return store.markets.list()[0].market_id


def test_errors_come_with_the_intervals_of_the_very_sales(lived: Store) -> None:
    market_id = market_of(lived)
    found = accuracy_of(acting(lived, MANAGER), market_id, WHERE, Period.MONTH, "blind")
    sales = lived.outcomes.frame(market_id, WHERE)
    size = sales["error"].abs()
    low, high = mean_interval(size.mean(), size.std(), len(size))
    figure = figure_of(found.total, "mape")
    assert figure.n == len(sales)
    assert (figure.value, figure.low, figure.high) == pytest.approx((size.mean(), float(low), float(high)))
    assert found.periods["n"].tolist() == [60, 60]
    inside = found.periods
    assert (inside["coverage_low"] <= inside["coverage"]).all()
    assert (inside["coverage"] <= inside["coverage_high"]).all()


def test_of_no_sale_there_is_no_figure_and_of_one_no_interval(lived: Store) -> None:
    none = accuracy_of(
        acting(lived, MANAGER), market_of(lived), Slice(date(2020, 1, 1), date(2020, 2, 1)), Period.MONTH, "blind"
    )
    assert none.periods.empty
    assert none.total["n"] == 0
    assert np.isnan(figure_of(none.total, "ppe10").low)


def test_estimates_after_the_last_day_are_counted_apart(lived: Store) -> None:
    january = Slice(date(2025, 1, 1), date(2025, 1, 31))
    found = health_of(acting(lived, MANAGER), market_of(lived), january, Period.WEEK)
    assert (found.traffic.total["n"], found.after) == (60, 60)


def test_what_is_not_sold_yet_is_expected_by_its_confidence(lived: Store) -> None:
    market_id = market_of(lived)
    assert expected_of(acting(lived, MANAGER), market_id, WHERE) is None
    for confidence in (60, 80):
        lived.ledger.append(estimate(market_id, confidence=confidence), AGENT)
    found = expected_of(acting(lived, MANAGER), market_id, Slice())
    assert found is not None
    assert found.ppe10.n == 2
    assert found.ppe10.value == pytest.approx(0.7)


def test_a_market_whose_prices_fell_is_told_from_other_homes(lived: Store, problem: Problem) -> None:
    watch = market_watch(acting(lived, problem=problem, today=date(2026, 1, 1)), market_of(lived))
    found = drift_of(watch, Slice(date(2025, 2, 1), date(2025, 2, 28)), MANAGER)
    assert found.level is not None
    assert found.level.overall.shift == pytest.approx(LEVEL - 1, abs=0.05)
    assert found.moved.movement is Movement.MARKET
    assert (found.asked, found.sold) == (60, 60)


def test_without_a_model_drift_says_so(store: Store, problem: Problem) -> None:
    market = store.markets.create("Empty", "USD", "sqft", False, ANALYST)
    found = drift_of(
        market_watch(acting(store, problem=problem, today=date(2026, 1, 1)), market.market_id), Slice(), MANAGER
    )
    assert found.notes == (NO_MODEL,)
    assert found.moved.movement is Movement.UNKNOWN


def test_the_scorecard_holds_each_decision_against_its_sale(lived: Store, problem: Problem) -> None:
    market_id = market_of(lived)
    priced = lived.ledger.list(market_id, 1_000)
    for place, one in enumerate(priced):
        assert one.point is not None
        new = NewDecision(one.estimate_id, "accept", one.point)
        if place % 2:
            new = NewDecision(one.estimate_id, "adjust", one.point * 0.96)
        lived.ledger.decide_past([(one.at + timedelta(minutes=5), new, AGENT)])
    scored = scorecard_of(acting(lived, MANAGER, problem), market_id, WHERE.since, WHERE.until)
    found = scored.card
    assert found.overall is not None
    assert scored.of_models_before == ""
    assert found.n == len(priced)
    assert {one.segment: one.n for one in found.decisions} == {"accept": 60, "adjust": 60}
    sales = lived.outcomes.frame(market_id, WHERE).set_index("estimate_id")
    changed = sales.loc[[one.estimate_id for one in priced[1::2]]]
    agent = (0.96 * changed["point"] / changed["sale_price"] - 1).abs().mean()
    [adjusted] = [one for one in found.decisions if one.segment == "adjust"]
    assert adjusted.agent.value == pytest.approx(agent)
    # After a promotion, the same figures are those of the model before.
    live = lived.models.champion(market_id)
    assert live is not None
    newer = lived.models.add(NewModel(market_id, live.version_id, b"newer", live.card), MANAGER)
    lived.models.promote(newer.model_id, MANAGER, "to see")
    after = scorecard_of(acting(lived, MANAGER, problem), market_id, WHERE.since, WHERE.until)
    assert after.of_models_before.startswith(
        "Of the 120 sales with a decision, 120 are of homes that models before the live one priced:"
    )


def test_only_sales_of_the_days_chosen_are_on_the_scorecard(lived: Store, problem: Problem) -> None:
    market_id = market_of(lived)
    for one in lived.ledger.list(market_id, 1_000):
        assert one.point is not None
        lived.ledger.decide_past([(one.at, NewDecision(one.estimate_id, "accept", one.point), AGENT)])
    found = scorecard_of(acting(lived, MANAGER, problem), market_id, date(2025, 2, 1), date(2025, 2, 28))
    assert found.card.n == 60


def test_a_sale_estimated_twice_counts_once_by_the_decision_on_the_estimate_that_counts(store: Store) -> None:
    market = store.markets.create("Twice", "USD", "sqft", False, ANALYST)
    made = [store.ledger.append(estimate(market.market_id, point=point), AGENT) for point in (245_000.0, 250_000.0)]
    for one in made:
        assert one.point is not None
        store.ledger.decide(NewDecision(one.estimate_id, "accept", one.point), AGENT)
    sold = [_outcome(one.estimate_id, one.point or 0.0, place == 0) for place, one in enumerate(made)]
    store.outcomes.record(market.market_id, ("v",), "v", {"S": sold}, ANALYST)
    found = store.agent_decisions.sold(market.market_id, Slice())
    assert found["point"].tolist() == [245_000.0]


def test_listings_without_an_estimate_are_the_comparison_and_those_listed_before_the_first_are_left_out(
    store: Store, problem: Problem
) -> None:
    market = store.markets.create("Pilot", "USD", "sqft", True, ANALYST)
    listed, rows = pd.Timestamp("2025-01-10"), 80
    # Every other home is priced, and sells ten days sooner; one more was listed before the first estimate.
    sales = pd.DataFrame(
        {
            "sale_id": [f"S{row}" for row in range(rows + 1)],
            "sale_date": [listed + timedelta(days=30 + 10 * (row % 2) + row % 5) for row in range(rows + 1)],
            "list_date": [*[listed] * rows, pd.Timestamp("2024-01-01")],
            "sale_price": 250_000.0,
            "list_price": 255_000.0,
            "intake_row": range(rows + 1),
        }
    )
    dates = dict.fromkeys(("sale_date", "list_date"), "datetime64[us]")
    ledger = pd.DataFrame({"row": [1]})
    version = store.versions.commit(
        NewVersion(market.market_id, sales.astype(dates | {"sale_id": "str"}), None, (), ledger, rows + 1, "pilot"),
        ANALYST,
    )
    at = datetime(2025, 1, 10, 9, tzinfo=UTC)
    entries = [(at, estimate(market.market_id), AGENT) for _ in range(0, rows, 2)]
    made = store.ledger.append_past(entries)
    found = {str(2 * place): [_outcome(one, 250_000.0, True, str(2 * place))] for place, one in enumerate(made)}
    store.outcomes.record(market.market_id, (version.version_id,), version.version_id, found, ANALYST)
    found_offices = scorecard_of(acting(store, MANAGER, problem), market.market_id, None, None).offices
    assert (found_offices.offices, found_offices.inside, found_offices.outside) == (("North",), 40, 40)
    [days] = [one for one in found_offices.effects if one.name == "days_on_market"]
    assert days.difference.value == pytest.approx(-10.0, abs=1.0)
    assert "chose for themselves" in found_offices.warning


def test_without_an_estimate_there_are_no_offices_to_compare(store: Store, problem: Problem) -> None:
    market = store.markets.create("Quiet", "USD", "sqft", False, ANALYST)
    found = scorecard_of(acting(store, MANAGER, problem), market.market_id, None, None)
    assert found.card.overall is None
    assert found.of_models_before == ""
    assert "No estimate has been requested yet" in found.offices.words


def test_the_trail_is_searched_by_action_actor_subject_and_day_and_its_export_is_an_entry(store: Store) -> None:
    market = store.markets.create("Trail", "USD", "sqft", False, ANALYST)
    other = store.markets.create("Other", "USD", "sqft", False, ANALYST)
    store.events.record(MANAGER, "threshold.changed", market.market_id, "error_high", {"after": 0.15})
    store.events.record(AGENT, "ledger.exported", market.market_id, "100%_off", {})
    store.events.record(MANAGER, "worker.started", None, "w1", {})
    store.events.record(MANAGER, "threshold.changed", other.market_id, "slow", {})
    today = datetime.now(UTC).date()

    def subjects(wanted: Wanted) -> list[str]:
        return trail_of(acting(store, MANAGER), market.market_id, wanted, 100).entries["subject"].tolist()

    assert subjects(Wanted(actions=("threshold.changed",))) == ["error_high"]
    assert subjects(Wanted(actors=("Kim",))) == ["100%_off"]
    assert subjects(Wanted(subject="0%_o")) == ["100%_off"]
    assert "w1" in subjects(Wanted(since=today - timedelta(days=1), until=today + timedelta(days=1)))
    assert subjects(Wanted(until=today - timedelta(days=2))) == []
    assert "slow" not in subjects(Wanted())
    assert trail_names(acting(store, MANAGER), market.market_id).actors == ("Ana", "Kim", "Mia")
    table = export_trail(acting(store, MANAGER), market.market_id, Wanted(actors=("Mia",)))
    assert table["action"].tolist() == ["worker.started", "threshold.changed"]
    assert subjects(Wanted(actions=("trail.exported",))) == [market.market_id]


def test_an_agent_sees_none_of_it(store: Store, problem: Problem) -> None:
    market_id = store.markets.create("Closed", "USD", "sqft", False, ANALYST).market_id
    nobody = Actor("Kim", Role.AGENT)
    for call in (
        lambda: health_of(acting(store, nobody), market_id, Slice(), Period.MONTH),
        lambda: accuracy_of(acting(store, nobody), market_id, Slice(), Period.MONTH, "blind"),
        lambda: expected_of(acting(store, nobody), market_id, Slice()),
        lambda: scorecard_of(acting(store, nobody, problem), market_id, None, None),
        lambda: trail_of(acting(store, nobody), market_id, Wanted(), 10),
    ):
        with pytest.raises(AccessDenied):
            call()


@pytest.mark.parametrize(
    ("clock", "months", "first"),
    [
        (date(2025, 7, 1), 6, date(2025, 1, 1)),
        (date(2025, 7, 15), 1, date(2025, 7, 1)),
        (date(2025, 1, 1), 3, date(2024, 10, 1)),
    ],
)
def test_the_latest_months_end_with_the_last_one_that_has_a_day(clock: date, months: int, first: date) -> None:
    assert latest_days(clock, months) == first


def test_the_pulse_changes_with_whatever_is_written(store: Store) -> None:
    market = store.markets.create("Pulse", "USD", "sqft", False, ANALYST)
    seen = [store.figures.pulse()]
    made = store.ledger.append(estimate(market.market_id), AGENT)
    seen.append(store.figures.pulse())
    store.ledger.decide(NewDecision(made.estimate_id, "accept", 250_000.0), AGENT)
    seen.append(store.figures.pulse())
    store.events.record(MANAGER, "x.done", None, "x", {})
    seen.append(store.figures.pulse())
    assert len(set(seen)) == len(seen)
    assert store.figures.pulse() == seen[-1]


def test_what_is_of_sales_is_worked_out_anew_only_when_an_outcome_changes(store: Store) -> None:
    market = store.markets.create("Sold pulse", "USD", "sqft", False, ANALYST)
    other = store.markets.create("Another", "USD", "sqft", False, ANALYST)
    seen = [store.figures.sold_pulse(market.market_id)]
    made = store.ledger.append(estimate(market.market_id), AGENT)
    store.ledger.decide(NewDecision(made.estimate_id, "accept", 250_000.0), AGENT)
    store.events.record(MANAGER, "x.done", market.market_id, "x", {})
    assert store.figures.sold_pulse(market.market_id) == seen[-1]
    changes: tuple[list[NewOutcome], ...] = (
        [_outcome(made.estimate_id, 240_000.0, True)],
        [_outcome(made.estimate_id, 260_000.0, True)],
        [],
    )
    for found in changes:
        store.outcomes.record(market.market_id, ("v",), "v", {"S": found}, ANALYST)
        seen.append(store.figures.sold_pulse(market.market_id))
    assert len(set(seen)) == len(seen)
    store.outcomes.record(market.market_id, ("v",), "v", {"S": []}, ANALYST)
    assert store.figures.sold_pulse(market.market_id) == seen[-1]
    assert store.figures.sold_pulse(other.market_id) == 0


def _outcome(estimate_id: str, point: float, counted: bool, key: str = "S") -> NewOutcome:
    return NewOutcome(
        estimate_id=estimate_id,
        sale_key=key,
        sale_date=date(2025, 2, 20),
        sale_price=250_000.0,
        list_date=None,
        list_price=None,
        first_list_price=None,
        counted=counted,
        blind=True,
        estimated_at=datetime(2025, 1, 10, 9, tzinfo=UTC),
        model_id="0123456789ab",
        office="North",
        channel="page",
        property_type="condo",
        area="98103",
        point=point,
        low=0.9 * point,
        high=1.1 * point,
        level=0.8,
        confidence=70.0,
    )
