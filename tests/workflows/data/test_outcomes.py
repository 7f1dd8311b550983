"""Sales meet earlier estimates of the same home, one of which counts; what changes later is followed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any, TypedDict

import pandas as pd
import pytest

from core.access import Actor, Role
from core.errors import AccessDenied, StoreUnavailable
from core.schema import conform
from core.states import AuditAction
from core.store import DataVersion, Market, NewDecision, NewEstimate, NewVersion, Store
from core.store.base.markets import open_again
from core.store.base.tables import MARKET
from core.store.ledger.figures import Slice
from core.store.ledger.outcomes import OutcomeRecord
from core.workflows.data.outcomes import (
    OutcomeReport,
    estimates_left_out,
    match_outcomes,
    sales_left_out,
    settle_outcomes,
    settle_quietly,
)
from core.workflows.data.versions import undo_version
from core.workflows.monitoring.ledger_export import export_ledger
from core.workflows.pricing.ledger_entry import property_key
from tests.acting import acting
from tests.postgresql import ON_BOTH

ANALYST = Actor("Ana", Role.ANALYST)
MANAGER = Actor("Mia", Role.MANAGER)
AGENT = Actor("Kim", Role.AGENT, "North")


class Home(TypedDict):
    """The facts that name a home."""

    address: str
    unit: str
    zipcode: str


HOME: Home = {"address": "12 N. Main St.", "unit": "4", "zipcode": "98103"}
# Matching is written and read by the database.
pytestmark = ON_BOTH


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.create("Larkhaven", "USD", "sqft", True, ANALYST)


def priced(store: Store, market: Market, day: str, list_price: float | None = None, **facts: Any) -> str:
    """Estimate a home at 250,000 (200,000 to 300,000) on a day."""
    facts = facts or dict(HOME)
    on = date.fromisoformat(day)
    new = NewEstimate(
        market_id=market.market_id,
        as_of=on,
        channel="page",
        status="priced",
        currency="USD",
        latency_ms=10.0,
        model_id="0123456789ab",
        property_key=property_key(facts),
        area=facts.get("zipcode"),
        facts=facts,
        answer={},
        point=250_000.0,
        low=200_000.0,
        high=300_000.0,
        level=0.8,
        confidence=70.0,
        list_price=list_price,
    )
    [made] = store.ledger.append_past([(datetime.combine(on, time(9), UTC), new, AGENT)])
    return made


def sale(row: int, day: str, price: float = 240_000.0, **facts: Any) -> dict[str, Any]:
    return {"intake_row": row, "sale_date": day, "sale_price": price, **(facts or HOME)}


def commit(store: Store, market: Market, *sales: dict[str, Any]) -> DataVersion:
    """Commit these as all the sales of the market."""
    table = pd.DataFrame(list(sales))
    for name in ("sale_date", "list_date"):
        if name in table:
            table[name] = pd.to_datetime(table[name])
    facts = conform(table.drop(columns="intake_row"))
    latest = store.versions.latest(market.market_id)
    parent = latest.version_id if latest else None
    ledgers = pd.DataFrame({"file": ["f.csv"], "source_row": [len(sales)]})
    sold = facts.assign(intake_row=table["intake_row"])
    return store.versions.commit(
        NewVersion(market.market_id, sold, parent, (), ledgers, int(table["intake_row"].max()) + 1, ""), ANALYST
    )


def settle(store: Store, market: Market) -> OutcomeReport:
    [report] = settle_outcomes(acting(store, ANALYST), market.market_id)
    return report


def current(store: Store, market: Market, row: int) -> list[OutcomeRecord]:
    return [one for one in store.outcomes.of_sale(market.market_id, str(row)) if one.current]


def test_a_home_estimated_five_times_counts_once(store: Store, market: Market) -> None:
    days = ("2024-01-10", "2024-02-10", "2024-03-10", "2024-04-10", "2024-05-10")
    ids = [priced(store, market, day) for day in days]
    version = commit(store, market, sale(0, "2024-06-01", list_date="2024-03-15", list_price=260_000.0, **HOME))
    report = settle(store, market)
    assert (report.sales, report.matched, report.outcomes, report.blind, report.added) == (1, 1, 5, 1, 5)
    outcomes = current(store, market, 0)
    assert [one.estimate_id for one in outcomes] == ids
    assert [one.counted for one in outcomes] == [False, False, True, False, False]
    assert [one.blind for one in outcomes] == [True, True, True, False, False]
    first = outcomes[0]
    assert first.error == pytest.approx(10 / 240)
    assert (first.inside, first.office, first.channel, first.version_id) == (True, "North", "page", version.version_id)
    assert (first.list_date, first.list_price) == (date(2024, 3, 15), 260_000.0)
    assert settle_outcomes(acting(store, ANALYST), market.market_id) == ()
    again = match_outcomes(acting(store, ANALYST), version.version_id)
    assert (again.outcomes, again.added, again.superseded) == (5, 0, 0)


def test_estimates_of_before_the_currency_changed_are_compared_with_no_sale(store: Store, market: Market) -> None:
    priced(store, market, "2024-04-10")
    first = commit(store, market, sale(0, "2024-04-20"))
    analyst = acting(store, ANALYST)
    assert settle(store, market).matched == 1
    undo_version(analyst, first.version_id, "in the wrong currency")
    assert current(store, market, 0) == []
    with store._database.write() as connection:
        assert open_again(connection, replace(market, currency="EUR"), ANALYST)
    commit(store, market, sale(0, "2024-04-20", 220_000.0))
    report = settle(store, market)
    assert (report.matched, report.outcomes, report.other_currency) == (0, 0, 1)
    assert current(store, market, 0) == []
    words = estimates_left_out(acting(store, MANAGER), market.market_id)
    assert words == "1 estimate was made in another currency than EUR and is compared with no sale."


def test_an_outcome_in_two_currencies_that_an_earlier_release_made_is_retired(store: Store, market: Market) -> None:
    priced(store, market, "2024-04-10")
    commit(store, market, sale(0, "2024-06-01"))
    settle(store, market)
    analyst = acting(store, ANALYST)
    with store._database.write() as connection:
        connection.execute(MARKET.update().values(currency="EUR"))
    detail = {"before": {"currency": "USD"}, "after": {"currency": "EUR"}}
    store.events.record(ANALYST, AuditAction.MARKET_TERMS_CHANGED, market.market_id, market.market_id, detail)
    [report] = settle_outcomes(analyst, market.market_id)
    assert (report.superseded, report.other_currency) == (1, 1)
    assert current(store, market, 0) == []
    assert settle_outcomes(analyst, market.market_id) == ()


def test_an_estimate_after_listing_counts_where_there_is_no_earlier_one(store: Store, market: Market) -> None:
    ids = [priced(store, market, day) for day in ("2024-04-10", "2024-05-10")]
    commit(store, market, sale(0, "2024-06-01", list_date="2024-03-15", **HOME))
    assert settle(store, market).blind == 0
    assert [(one.estimate_id, one.counted, one.blind) for one in current(store, market, 0)] == [
        (ids[0], False, False),
        (ids[1], True, False),
    ]


def test_without_a_list_date_the_last_before_the_sale_counts_and_a_known_price_is_not_blind(
    store: Store, market: Market
) -> None:
    priced(store, market, "2024-04-10")
    priced(store, market, "2024-05-10", list_price=255_000.0)
    commit(store, market, sale(0, "2024-06-01"))
    settle(store, market)
    assert [(one.counted, one.blind) for one in current(store, market, 0)] == [(False, True), (True, False)]


def test_the_price_the_agent_listed_at_is_the_first_list_price(store: Store, market: Market) -> None:
    made = priced(store, market, "2024-05-10")
    at = datetime(2024, 5, 11, tzinfo=UTC)
    store.ledger.decide_past([(at, NewDecision(made, "adjust", 255_000.0, 259_000.0), AGENT)])
    commit(store, market, sale(0, "2024-06-01", list_price=249_000.0, **HOME))
    settle(store, market)
    [one] = current(store, market, 0)
    assert (one.first_list_price, one.list_price) == (259_000.0, 249_000.0)


def test_a_home_sold_twice_gives_each_sale_the_estimates_since_the_one_before(store: Store, market: Market) -> None:
    before, between, after = (priced(store, market, day) for day in ("2024-01-10", "2024-04-10", "2024-09-10"))
    commit(store, market, sale(0, "2024-02-01"), sale(1, "2024-06-01"))
    report = settle(store, market)
    assert [one.estimate_id for row in (0, 1) for one in current(store, market, row)] == [before, between]
    assert report.late == 1
    found = store.outcomes.frame(market.market_id, Slice(), "every")
    assert after not in set(found["estimate_id"])


def test_an_estimate_on_the_day_of_the_sale_or_over_a_year_before_is_not_matched(store: Store, market: Market) -> None:
    priced(store, market, "2024-06-01")
    priced(store, market, "2023-05-01")
    commit(store, market, sale(0, "2024-06-01"))
    report = settle(store, market)
    assert (report.matched, report.late) == (0, 1)
    manager = acting(store, MANAGER)
    assert sales_left_out(manager, market.market_id).startswith("1 sale of a priced home is compared with no estimate")
    # One made in time takes the sale in, whatever was priced later.
    priced(store, market, "2024-05-01")
    commit(store, market, sale(0, "2024-06-01", 245_000.0))
    settle(store, market)
    assert sales_left_out(manager, market.market_id) == ""


def test_a_price_corrected_later_replaces_the_outcome(store: Store, market: Market) -> None:
    made = priced(store, market, "2024-05-10")
    commit(store, market, sale(0, "2024-06-01", 240_000.0))
    settle(store, market)
    second = commit(store, market, sale(0, "2024-06-01", 245_000.0))
    report = settle(store, market)
    assert (report.sales, report.added, report.superseded) == (1, 1, 1)
    earlier, later = store.outcomes.of_sale(market.market_id, "0")
    assert (earlier.sale_price, earlier.current) == (240_000.0, False)
    assert (later.sale_price, later.current, later.version_id) == (245_000.0, True, second.version_id)
    assert later.estimate_id == made
    event = store.events.of("0", "outcome.corrected")[0]
    assert (event.detail["before"], event.detail["after"]) == (240_000.0, 245_000.0)


def test_outcomes_of_an_undone_version_are_current_no_longer(store: Store, market: Market) -> None:
    priced(store, market, "2024-05-10")
    first = commit(store, market, sale(0, "2024-06-01", 240_000.0), sale(7, "2024-01-01", zipcode="98103"))
    settle(store, market)
    second = commit(store, market, sale(0, "2024-06-01", 245_000.0))
    settle(store, market)
    store.versions.undo(second.version_id, ANALYST, "wrong file")
    settle(store, market)
    [one] = current(store, market, 0)
    assert (one.sale_price, one.version_id) == (240_000.0, first.version_id)
    assert settle_outcomes(acting(store, ANALYST), market.market_id) == ()

    commit(store, market, sale(0, "2024-06-01", 245_000.0))  # brought again
    settle(store, market)
    assert [one.sale_price for one in current(store, market, 0)] == [245_000.0]


def test_with_every_version_undone_no_outcome_is_current(store: Store, market: Market) -> None:
    priced(store, market, "2024-05-10")
    version = commit(store, market, sale(0, "2024-06-01"))
    settle(store, market)
    store.versions.undo(version.version_id, ANALYST, "wrong file")
    settle_outcomes(acting(store, ANALYST), market.market_id)
    assert current(store, market, 0) == []


def test_an_earlier_sale_taken_in_late_takes_its_estimates(store: Store, market: Market) -> None:
    early, late = priced(store, market, "2024-01-10"), priced(store, market, "2024-05-10")
    commit(store, market, sale(0, "2024-06-01"))
    settle(store, market)
    assert [one.estimate_id for one in current(store, market, 0)] == [early, late]
    commit(store, market, sale(0, "2024-06-01"), sale(1, "2024-02-01"))
    settle(store, market)
    assert [one.estimate_id for row in (1, 0) for one in current(store, market, row)] == [early, late]


def test_homes_meet_by_id_and_unlike_ids_or_zipcodes_keep_them_apart(store: Store, market: Market) -> None:
    by_id = priced(store, market, "2024-05-01", property_id="77", zipcode="98103")
    other_flat = priced(store, market, "2024-05-02", property_id="78", **HOME)
    other_town = priced(store, market, "2024-05-03", **(HOME | {"zipcode": "10001"}))
    same = priced(store, market, "2024-05-04", **HOME)
    # As people write an id; that of a sale has no leading zeros.
    written = priced(store, market, "2024-05-05", property_id="0077", zipcode="98103")
    both = priced(store, market, "2024-05-06", property_id="0077", **HOME)
    commit(store, market, sale(0, "2024-06-01", property_id="77", **HOME))
    settle(store, market)
    matched = {one.estimate_id for one in current(store, market, 0)}
    assert matched == {by_id, same, written, both}
    assert not matched & {other_flat, other_town}


def test_an_estimate_that_fits_two_sales_of_a_day_is_left_out(store: Store, market: Market) -> None:
    priced(store, market, "2024-05-10")
    commit(store, market, sale(0, "2024-06-01"), sale(1, "2024-06-01", 900_000.0))
    report = settle(store, market)
    assert (report.matched, report.ambiguous) == (0, 1)


def test_versions_committed_without_being_matched_are_made_up_for(store: Store, market: Market) -> None:
    priced(store, market, "2024-05-10")
    commit(store, market, sale(0, "2024-03-01"))
    commit(store, market, sale(0, "2024-03-01"), sale(1, "2024-06-01"))
    reports = settle_outcomes(acting(store, ANALYST), market.market_id)
    assert [report.matched for report in reports] == [0, 1]


def test_a_failure_after_the_commit_is_logged_and_made_up_for(
    store: Store, market: Market, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    priced(store, market, "2024-05-10")
    commit(store, market, sale(0, "2024-06-01"))
    with monkeypatch.context() as failing:
        failing.setattr(store.outcomes, "record", fails)
        assert settle_quietly(acting(store, ANALYST), market.market_id) == ()
    assert "The disk is full." in caplog.text
    assert settle(store, market).matched == 1


def test_in_a_market_of_real_sales_the_clock_is_the_ledgers(store: Store) -> None:
    real = store.markets.create("Real", "USD", "sqft", False, ANALYST)
    today = datetime.now(UTC).date()
    made = store.ledger.append(
        NewEstimate(
            market_id=real.market_id,
            as_of=today - timedelta(days=60),
            channel="page",
            status="priced",
            currency="USD",
            latency_ms=1.0,
            model_id="0123456789ab",
            property_key=property_key(HOME),
            facts=HOME,
            answer={},
            point=250_000.0,
            low=200_000.0,
            high=300_000.0,
            level=0.8,
            confidence=70.0,
        ),
        AGENT,
    )
    commit(store, real, sale(0, str(today - timedelta(days=30))), sale(1, str(today + timedelta(days=1))))
    report = settle(store, real)
    assert [one.estimate_id for one in current(store, real, 1)] == [made.estimate_id]
    assert (report.matched, current(store, real, 0)) == (1, [])


def test_the_export_has_decision_and_sale_beside_the_estimate(store: Store, market: Market) -> None:
    ids = [priced(store, market, day) for day in ("2024-04-10", "2024-05-10")]
    at = datetime(2024, 5, 11, tzinfo=UTC)
    decisions = [NewDecision(ids[1], "accept", 250_000.0), NewDecision(ids[1], "adjust", 255_000.0, note="=1+1")]
    store.ledger.decide_past([(at, one, AGENT) for one in decisions])
    commit(store, market, sale(0, "2024-06-01"))
    settle(store, market)
    with pytest.raises(AccessDenied):
        export_ledger(acting(store, AGENT), market.market_id, Slice())
    content = (
        b"".join(export_ledger(acting(store, ANALYST), market.market_id, Slice())).decode("utf-8-sig").splitlines()
    )
    table = pd.read_csv(StringIO("\n".join(content)))
    assert table["estimate_id"].tolist() == ids
    assert table["decision"].tolist()[1] == "adjust"
    assert table["note"][1] == "'=1+1"
    assert table["sale_price"].tolist() == [240_000.0, 240_000.0]
    assert table["counted"].tolist() == [False, True]
    narrow = b"".join(export_ledger(acting(store, ANALYST), market.market_id, Slice(since=date(2024, 5, 1))))
    assert narrow.count(b"\n") == 2
    assert store.events.count(market.market_id, "ledger.exported") == 2


def test_an_undo_brings_back_the_outcome_of_a_sale_that_the_undone_version_moved_to_another_home(
    store: Store, market: Market
) -> None:
    priced(store, market, "2024-05-10")
    commit(store, market, sale(0, "2024-06-01"))
    settle(store, market)
    before = current(store, market, 0)
    moved = commit(store, market, sale(0, "2024-06-01", address="9 Oak St.", zipcode="98103"))
    settle(store, market)
    assert current(store, market, 0) == []
    undo_version(acting(store, ANALYST), moved.version_id, "the wrong home")
    assert [(one.estimate_id, one.error) for one in current(store, market, 0)] == [
        (one.estimate_id, one.error) for one in before
    ]
    assert settle_outcomes(acting(store, ANALYST), market.market_id) == ()


def test_an_undo_gives_a_sale_back_the_estimates_that_a_sale_before_it_had_taken(store: Store, market: Market) -> None:
    ids = [priced(store, market, day) for day in ("2024-01-10", "2024-05-10")]
    commit(store, market, sale(0, "2024-06-01"))
    settle(store, market)
    late = commit(store, market, sale(0, "2024-06-01"), sale(1, "2024-02-01"))
    settle(store, market)
    assert [one.estimate_id for one in current(store, market, 0)] == ids[1:]
    undo_version(acting(store, ANALYST), late.version_id, "another town")
    assert sorted(one.estimate_id for one in current(store, market, 0)) == sorted(ids)
    assert current(store, market, 1) == []
