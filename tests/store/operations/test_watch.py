"""Alerts, thresholds, shadow estimates and workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import InvalidRecord, NotFound
from core.states import AlertState, AuditAction
from core.store import Market, Store
from core.store.models.shadows import Shadow
from tests.store.samples import AGENT, ANALYST, MANAGER, estimate

READING = {"value": 0.13, "n": 120}


def test_an_alert_is_opened_acknowledged_and_resolved_with_who_why_and_what_next(store: Store, market: Market) -> None:
    opened = store.alerts.open(market.market_id, "error_high", "98103", READING, "MAPE is 13 %", "Retrain", ANALYST)
    assert (opened.state, opened.why, opened.next_action, opened.segment) == (
        "open",
        "MAPE is 13 %",
        "Retrain",
        "98103",
    )
    taken = store.alerts.acknowledge(opened.alert_id, "looking at it", "Retrain by Friday", MANAGER)
    assert (taken.state, taken.changed_by, taken.opened_at) == ("acknowledged", MANAGER.name, opened.opened_at)
    closed = store.alerts.resolve(opened.alert_id, "model x promoted", "2024-05", MANAGER)
    assert store.alerts.get(opened.alert_id) == closed
    with pytest.raises(InvalidRecord, match="has been resolved since"):
        store.alerts.resolve(opened.alert_id, "once more", "2024-06", MANAGER)
    assert [one.detail["period"] for one in store.events.of(opened.alert_id, AuditAction.ALERT_JUDGED)] == ["2024-05"]
    assert [(one["state"], one["by"], one["why"]) for one in closed.document["history"]] == [
        ("open", ANALYST.name, "MAPE is 13 %"),
        ("acknowledged", MANAGER.name, "looking at it"),
        ("resolved", MANAGER.name, "model x promoted"),
    ]
    assert closed.document["reading"] == READING
    actions = [event.action for event in store.events.list(market.market_id)]
    assert actions[:4] == ["alert.resolved", AuditAction.ALERT_JUDGED, "alert.acknowledged", "alert.opened"]


def test_of_a_kind_and_segment_one_alert_is_open_at_a_time(store: Store, market: Market) -> None:
    first = store.alerts.open(market.market_id, "slow", "", READING, "p95 is 2 s", "Look at the server", ANALYST)
    assert store.alerts.open(market.market_id, "slow", "", {}, "again", "again", ANALYST) == first
    other = store.alerts.open(market.market_id, "slow", "98103", READING, "p95 is 2 s", "Look", ANALYST)
    store.alerts.resolve(first.alert_id, "fast again", "2024-05", ANALYST)
    second = store.alerts.open(market.market_id, "slow", "", READING, "p95 is 3 s", "Look", ANALYST)
    assert second.alert_id != first.alert_id
    assert [one.alert_id for one in store.alerts.list(market.market_id, (AlertState.OPEN,))] == [
        second.alert_id,
        other.alert_id,
    ]
    assert len(store.alerts.list(market.market_id)) == 3


def test_what_makes_no_sense_of_an_alert_is_refused(store: Store, market: Market) -> None:
    made = store.alerts.open(market.market_id, "slow", "", READING, "p95 is 2 s", "Look", ANALYST)
    store.alerts.resolve(made.alert_id, "fast again", "2024-05", ANALYST)
    with pytest.raises(InvalidRecord, match="has been resolved since"):
        store.alerts.acknowledge(made.alert_id, "late", "", ANALYST)
    with pytest.raises(InvalidRecord, match="needs a reason"):
        store.alerts.open(market.market_id, "slow", "", READING, " ", "Look", ANALYST)
    with pytest.raises(InvalidRecord, match="kind of alert"):
        store.alerts.open(market.market_id, " ", "", READING, "why", "Look", ANALYST)
    with pytest.raises(NotFound):
        store.alerts.resolve("never", "why", "2024-05", ANALYST)
    with pytest.raises(NotFound):
        store.alerts.open("nowhere", "slow", "", READING, "why", "Look", ANALYST)
    assert len(store.alerts.list(market.market_id)) == 1


def test_the_latest_threshold_counts_and_all_stay_on_record(store: Store, market: Market) -> None:
    store.thresholds.set(market.market_id, "alert_mape", 0.15, "thin market", MANAGER)
    store.thresholds.set(market.market_id, "alert_mape", 0.14, "still too lax", MANAGER)
    store.thresholds.set(market.market_id, "alert_p95_ms", 800, "agents complain", MANAGER)
    assert store.thresholds.values(market.market_id) == {"alert_mape": 0.14, "alert_p95_ms": 800}
    assert [one.value for one in store.thresholds.history(market.market_id, "alert_mape")] == [0.14, 0.15]
    assert len(store.thresholds.history(market.market_id)) == 3
    event = store.events.of("alert_mape", "threshold.changed")[0]
    assert (event.actor, event.detail) == (
        MANAGER.name,
        {"before": 0.15, "after": 0.14, "reason": "still too lax"},
    )


@pytest.mark.parametrize(
    ("name", "value", "reason"), [("", 0.1, "why"), ("alert_mape", float("nan"), "why"), ("alert_mape", 0.1, " ")]
)
def test_a_threshold_without_name_number_or_reason_is_refused(
    store: Store, market: Market, name: str, value: float, reason: str
) -> None:
    with pytest.raises(InvalidRecord):
        store.thresholds.set(market.market_id, name, value, reason, MANAGER)
    assert store.thresholds.history(market.market_id) == []


def test_shadows_stand_beside_the_estimates_they_belong_to(store: Store, market: Market) -> None:
    ids = store.ledger.append_many([estimate(market.market_id, area="98103")] * 2, AGENT)
    at = datetime(2024, 3, 1, tzinfo=UTC)
    shadows = [Shadow(one, "ffffffffffff", at, 255_000.0, 250_000.0, 260_000.0, 66.0) for one in ids]
    assert store.shadows.append_many(shadows) == 2
    assert store.shadows.append_many([*shadows, shadows[0]]) == 0
    assert store.shadows.count("ffffffffffff") == 2
    table = store.shadows.frame(market.market_id, "ffffffffffff")
    assert table["estimate_id"].tolist() == ids
    assert (table["point"][0], table["shadow_point"][0], table["area"][0]) == (250_000, 255_000, "98103")
    assert table["sale_price"].isna().all()
    assert store.shadows.frame(market.market_id, "eeeeeeeeeeee").empty
    with pytest.raises(NotFound):
        store.shadows.append_many([Shadow("never", "ffffffffffff", at, 1.0, 1.0, 1.0, 1.0)])
    assert store.shadows.append_many([]) == 0


def test_workers_are_alive_while_they_beat(store: Store) -> None:
    first = store.workers.beat("host/1", {"next": "2024-03-01"})
    again = store.workers.beat("host/1", {"next": "2024-06-01"})
    assert again.started_at == first.started_at
    assert again.beat_at >= first.beat_at
    store.workers.beat("host/2", {})
    assert [one.worker_id for one in store.workers.list()] == ["host/2", "host/1"]
    assert len(store.workers.alive(timedelta(minutes=1))) == 2
    assert store.workers.alive(timedelta(seconds=-1)) == []
    store.workers.leave("host/2")
    assert [one.document for one in store.workers.list()] == [{"next": "2024-06-01"}]
