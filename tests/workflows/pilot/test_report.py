"""The report on a pilot, from the ledger and the sales of a market: whose estimates, whose listings, which days."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.errors import AccessDenied
from core.problem import Problem
from core.schema import conform
from core.states import FeedbackVerdict, Group
from core.store import Market, NewDecision, NewVersion, Store
from core.store.operations.rollouts import OfficePlan
from core.workflows.data.outcomes import settle_outcomes
from core.workflows.pilot.report import PilotReport, pilot_report, report_form, report_lines
from core.workflows.pilot.rollout import add_offices, end_pilot, stop_offices, take_back_change
from core.workflows.pricing.ledger_entry import property_key
from tests.acting import acting
from tests.store.samples import ANALYST, MANAGER, estimate

START = date(2026, 3, 2)
ANN, BEN = Actor("Ann", Role.AGENT, "NORTH-SIDE"), Actor("Ben", Role.AGENT, "North Side")
SUE = Actor("Sue", Role.AGENT, "South")


@pytest.fixture
def market(store: Store) -> Market:
    """A simulated market, so that its ledger takes estimates of the past; its day is the one after its last sale."""
    return store.markets.create("Springfield", "USD", "sqft", True, MANAGER)


def home(number: int) -> dict[str, object]:
    return {"address": f"{number} Oak St.", "zipcode": "98103"}


def ask(store: Store, market: Market, actor: Actor, number: int, day: date, point: float = 200_000.0) -> str:
    new = estimate(
        market.market_id,
        as_of=day,
        facts=home(number),
        property_key=property_key(home(number)),
        point=point,
        low=point * 0.9,
        high=point * 1.1,
    )
    [estimate_id] = store.ledger.append_past([(datetime.combine(day, time(9), UTC), new, actor)])
    return estimate_id


def sell(store: Store, market: Market, rows: list[tuple[int, str | None, int, int, float]]) -> None:
    """Commit sales: number of the home, office, day listed and day sold after the start, first list price."""
    table = pd.DataFrame(
        [
            {
                **home(number),
                "listing_office": office,
                "list_date": pd.Timestamp(START) + pd.Timedelta(days=listed),
                "sale_date": pd.Timestamp(START) + pd.Timedelta(days=sold),
                "sale_price": 200_000.0,
                "list_price": 210_000.0,
                "x_original_list_price": first,
            }
            for number, office, listed, sold, first in rows
        ]
    )
    facts = conform(table).assign(intake_row=range(len(table)))
    ledger = pd.DataFrame({"file": ["a.csv"], "source_row": [len(table)]})
    new = NewVersion(market.market_id, facts, None, (), ledger, len(table), "sales")
    store.versions.commit(new, ANALYST)
    settle_outcomes(acting(store, ANALYST), market.market_id)


def report(store: Store, market: Market) -> PilotReport:
    found = pilot_report(acting(store, ANALYST), market.market_id)
    assert found is not None
    return found


SALES: list[tuple[int, str | None, int, int, float]] = [
    # The pilot's, since the start: 4 and 10 days on the market, one of them after a cut of 16%.
    (1, "North Side", 1, 5, 210_000.0),
    (2, "NORTH  SIDE", 2, 12, 250_000.0),
    # The pilot's, before the start and sold before it; one listed before it and sold after is of neither.
    (3, "north side", -20, -6, 210_000.0),
    (4, "North Side", -10, 3, 210_000.0),
    # The others', since the start and before.
    (5, "South", 3, 19, 210_000.0),
    (6, "West", -15, -3, 210_000.0),
    # Too long before, and of no known office.
    (7, "South", -90, -60, 210_000.0),
    (8, None, 4, 9, 210_000.0),
    (9, "South", 1, 20, 210_000.0),
]


def start(store: Store, market: Market, *more: OfficePlan) -> None:
    plans = [OfficePlan("North Side", Group.PILOT, START), *more]
    add_offices(acting(store, MANAGER), market.market_id, plans, "first office")


def test_a_report_counts_the_pilots_offices_from_their_start_on(store: Store, market: Market) -> None:
    sell(store, market, SALES)
    start(store, market)
    ask(store, market, ANN, 1, START - timedelta(days=1))
    early = ask(store, market, ANN, 1, START, 220_000.0)
    late = ask(store, market, BEN, 2, START + timedelta(days=1), 202_000.0)
    ask(store, market, ANN, 30, START + timedelta(days=20))
    other = ask(store, market, SUE, 5, START + timedelta(days=2))
    for estimate_id, actor in ((early, ANN), (other, SUE)):
        store.ledger.decide(NewDecision(estimate_id, "override", 1.0), actor)
    store.ledger.decide(NewDecision(late, "accept", 202_000.0), BEN)
    for estimate_id, verdict in ((early, FeedbackVerdict.TOO_HIGH), (late, FeedbackVerdict.USEFUL)):
        store.feedback.give(estimate_id, verdict, "", ANN)
    store.feedback.give(other, FeedbackVerdict.TOO_LOW, "", SUE)
    settle_outcomes(acting(store, ANALYST), market.market_id)
    found = report(store, market)
    # The pilot was set up only on the day after the last sale: until then South had an estimate, too.
    assert found.verdict == (
        "The other offices had estimates, too, until the pilot was set up on Mar 23, 2026: "
        "1 estimate since Mar 2, 2026. So the pilot's effect is not known."
    )
    # The market's day is the one after the last sale: 21 days after the start.
    assert (found.starts, found.days, found.too_early) == (START, 21, False)
    assert found.offices == ("North Side",)
    assert (found.use.estimates, found.use.priced, found.use.agents, found.use.active) == (3, 3, 2, 1)
    assert found.decided.kinds == {"accept": 1, "adjust": 0, "override": 1}
    assert found.decided.accepted.value == 0.5
    assert found.feedback == {"useful": 1, "too_high": 1, "too_low": 0, "wrong_facts": 0}


def test_listings_are_grouped_by_office_and_period_and_worked_by_hand(store: Store, market: Market) -> None:
    sell(store, market, SALES)
    start(store, market)
    found = report(store, market)
    assert found.listings == (2, 1, 2, 1)
    assert found.others == ("South", "West")
    others = {one.name: one for one in found.compared.others}
    # (4 + 10) / 2 days against (16 + 19) / 2.
    assert others["days_on_market"].difference.value == pytest.approx(7.0 - 17.5)
    assert others["price_cut"].first_value.value == pytest.approx((0 + 1 - 210 / 250) / 2)
    changes = {one.name: one for one in found.compared.changes}
    assert changes["days_on_market"].difference.value == pytest.approx((7.0 - 14.0) - (17.5 - 12.0))
    assert found.verdict.startswith("There are too few sold listings to compare")
    lines = "\n".join(report_lines(found))
    assert lines.startswith("Simulated market. Pilot of North Side since Mar 2, 2026, 21 days.")
    assert "not chosen at random" in lines
    form = report_form(found)
    assert (form["simulated"], form["listings"]["others_before"]) == (True, 1)
    json.dumps(form)


def test_a_named_control_is_what_the_pilot_is_compared_with(store: Store, market: Market) -> None:
    sell(store, market, SALES)
    start(store, market, OfficePlan("West", Group.CONTROL, None))
    assert report(store, market).others == ("West",)
    add_offices(
        acting(store, MANAGER),
        market.market_id,
        [OfficePlan("West", Group.PILOT, START + timedelta(days=2)), OfficePlan("South", Group.CONTROL, None)],
        "more offices",
    )
    assert report(store, market).listings == (2, 2, 2, 0)


def test_a_stopped_pilot_is_compared_with_the_same_offices_as_before(store: Store, market: Market) -> None:
    sell(store, market, SALES)
    start(store, market, OfficePlan("West", Group.CONTROL, None))
    before, manager = report(store, market), acting(store, MANAGER)
    for keep in (["North Side"], []):
        stop_offices(manager, market.market_id, keep, "prices too high")
        found = report(store, market)
        assert (found.others, found.listings, found.verdict) == (("West",), before.listings, before.verdict)
        assert [one.words for one in found.compared.changes] == [one.words for one in before.compared.changes]
    add_offices(manager, market.market_id, [OfficePlan("South", Group.CONTROL, None)], "for the next pilot")
    assert report(store, market).others == ("West",)
    take_back_change(manager, market.market_id, "not yet decided")
    assert report(store, market).others == ("West",)


def test_a_pilot_that_ended_keeps_its_last_day_after_a_stop(store: Store, market: Market) -> None:
    sell(store, market, SALES)
    start(store, market, OfficePlan("West", Group.CONTROL, None))
    manager = acting(store, MANAGER)
    end_pilot(manager, market.market_id, "it went well")
    before = report(store, market)
    stop_offices(manager, market.market_id, [], "prices too high")
    found = report(store, market)
    assert (found.ended, found.how_ended, found.others) == (before.ended, before.how_ended, before.others)


def test_without_what_is_needed_the_report_says_so(store: Store, market: Market) -> None:
    assert pilot_report(acting(store, ANALYST), market.market_id) is None
    sell(store, market, [(1, None, 1, 5, 210_000.0)])
    start(store, market)
    found = report(store, market)
    assert found.too_early
    assert found.verdict.startswith("It is too early to judge: the pilot has run 6 days")
    assert found.notes == (
        "The sales have no listing offices, so listings are not compared. Map a column to them at upload.",
    )
    assert "no home with a blind estimate" in "\n".join(report_lines(found))
    with pytest.raises(AccessDenied):
        pilot_report(acting(store, ANN), market.market_id)


def test_a_stopped_pilot_keeps_its_report_up_to_the_stop_and_a_change_taken_back_leaves_none(
    store: Store, market: Market
) -> None:
    sell(store, market, SALES)
    start(store, market, OfficePlan("West", Group.PILOT, START))
    ask(store, market, ANN, 1, START + timedelta(days=1))
    manager = acting(store, MANAGER)
    before = report(store, market)
    stop_offices(manager, market.market_id, ["West"], "prices too high")
    part = report(store, market)
    assert (part.offices, part.ended, part.use) == (("West", "North Side"), None, before.use)
    stop_offices(manager, market.market_id, [], "prices too high")
    found = report(store, market)
    assert (found.use, found.listings, found.days) == (before.use, before.listings, before.days)
    assert (set(found.offices), found.ended) == ({"North Side", "West"}, START + timedelta(days=21))
    assert report_lines(found)[0].endswith("21 days; its estimates were stopped then.")
    for _ in range(3):
        take_back_change(manager, market.market_id, "to begin anew")
    assert pilot_report(acting(store, ANALYST), market.market_id) is None
    start(store, market)
    stop_offices(manager, market.market_id, [], "prices too high")
    stopped = report(store, market)
    add_offices(manager, market.market_id, [OfficePlan("South", Group.PILOT, START)], "another pilot")
    add_offices(manager, market.market_id, [OfficePlan("West", Group.CONTROL, None)], "to compare with")
    assert report(store, market).offices == ("South",)
    for _ in range(2):
        take_back_change(manager, market.market_id, "set up by mistake")
    assert report_lines(report(store, market)) == report_lines(stopped), "the stopped pilot's report is back"
    take_back_change(manager, market.market_id, "it goes on")
    assert report(store, market).ended is None


def test_the_command_line_starts_a_pilot_and_prints_its_report(
    store: Store, market: Market, problem: Problem, capsys: pytest.CaptureFixture[str]
) -> None:
    sell(store, market, SALES)
    home_of = ["--home", str(store.home), "--market", market.market_id]
    assert main(["pilot", *home_of, "--add", "North Side", "--start", "2026-03-02"]) == 2
    assert "--reason" in capsys.readouterr().err
    begun = ["pilot", *home_of, "--add", "North Side", "--start", "2026-03-02", "--reason", "first office"]
    # What hardly anybody means is asked about, and done with a word: days on which all had estimates show nothing.
    assert main(begun) == 2
    assert "Nothing was changed; to do it, add --anyway." in capsys.readouterr().err
    assert store.rollouts.current(market.market_id) is None
    assert main([*begun, "--anyway"]) == 0
    assert "One office has estimates: North Side." in capsys.readouterr().out
    assert main(["pilot", *home_of, "--report", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["offices"] == [{"office": "North Side", "group": "pilot", "starts": "2026-03-02", "in": True}]
    assert printed["report"]["listings"]["pilot_since"] == 2
    assert main(["pilot", *home_of, "--report"]) == 0
    assert "too few" in capsys.readouterr().out
    assert main(["pilot", *home_of, "--stop", "--reason", "to see it asked"]) == 2
    assert "No office and no agent would have estimates. Nothing was changed" in capsys.readouterr().err
    assert main(["pilot", *home_of, "--take-back", "--reason", "not yet ready"]) == 0
    assert "no pilot is set" in capsys.readouterr().out
