"""Deeds and their inverses: after both, everything is as it was before, but for the audit trail."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access import REASON_MIN
from core.collect.near_matches import NearMatch
from core.errors import AccessDenied, InvalidRecord, InvalidThreshold, NotFound, ReasonNeeded
from core.monitor.rules import AlertKind, Unit
from core.schema import conform
from core.states import AlertState, ProfileKind, Stage, Undecided
from core.store import DataVersion, Market, ModelRecord, NewEstimate, NewModel, NewVersion, Store, open_store
from core.store.operations.alerts import UNRESOLVED
from core.workflows.data.corrected_sales import corrected_sales
from core.workflows.data.inspection import answer_match
from core.workflows.data.outcomes import settle_outcomes
from core.workflows.data.versions import redo_version, undo_version
from core.workflows.models.waiting import place, stage_word, waiting
from core.workflows.monitoring.alerts import acknowledge, reopen, resolve, unacknowledge
from core.workflows.monitoring.limits import limits_of, reset_threshold, set_threshold
from core.workflows.pricing.ledger_entry import property_key
from core.workflows.profiles.profiles import (
    AgentProfile,
    OfficeProfile,
    history,
    office_profile,
    own_profile,
    restore,
    save_agent,
    save_office,
)
from core.workflows.profiles.seller_figures import choose_figures, figures_choice
from core.workflows.promotion import (
    beside,
    displaced,
    promote,
    promote_challenger,
    reinstate,
    reject,
    rollback,
    would_displace,
)
from tests.acting import acting
from tests.store.samples import AGENT, ANALYST, MANAGER, commit

HOMES = [{"address": f"{number} Oak St.", "zipcode": "98103"} for number in range(4)]
TODAY = date(2024, 7, 1)

words = st.text("abc é", min_size=1, max_size=12).filter(str.strip)
reasons = st.text("abc é", min_size=10, max_size=20).filter(lambda one: len(one.strip()) >= REASON_MIN)


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.create("Springfield", "USD", "sqft", False, MANAGER)


@contextmanager
def fresh_store() -> Iterator[tuple[Store, Market]]:
    """A store of its own for each example."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "home", "") as store:
        yield store, store.markets.create("Springfield", "USD", "sqft", False, MANAGER)


def actions(store: Store, market: Market) -> list[str]:
    """What the audit trail says was done, oldest first."""
    return [one.action for one in reversed(store.events.list(market.market_id, 10_000))]


# A data version and its undo


class Sold(NamedTuple):
    """A sale of one of the homes: which, its day of 2024 and its price."""

    home: int
    day: int
    price: float


sold = st.builds(
    Sold, st.integers(0, 3), st.integers(60, 300), st.integers(200, 400).map(lambda thousands: 1_000.0 * thousands)
)
batches = st.lists(st.lists(sold, min_size=1, max_size=4), min_size=1, max_size=3)


def estimate_of(store: Store, market: Market, home: int, day: int) -> None:
    """Price a home at 250,000 on a day of 2024."""
    on = date(2023, 12, 31) + timedelta(days=day)
    new = NewEstimate(
        market_id=market.market_id,
        as_of=on,
        channel="page",
        status="priced",
        currency="USD",
        latency_ms=10.0,
        model_id="0123456789ab",
        property_key=property_key(HOMES[home]),
        facts=HOMES[home],
        answer={},
        point=250_000.0,
        low=200_000.0,
        high=300_000.0,
        level=0.8,
        confidence=70.0,
    )
    store.ledger.append_past([(datetime.combine(on, time(9), UTC), new, AGENT)])


def commit_sales(store: Store, market: Market, sales: list[Sold], name: str) -> DataVersion:
    """Make these all the sales of the market, row by row, and settle their outcomes."""
    facts = conform(
        pd.DataFrame(
            [
                {
                    "sale_date": pd.Timestamp("2023-12-31") + pd.Timedelta(days=one.day),
                    "sale_price": one.price,
                    **HOMES[one.home],
                }
                for one in sales
            ]
        )
    )
    table = facts.assign(intake_row=range(len(sales)))
    latest = store.versions.latest(market.market_id)
    ledgers = pd.DataFrame({"file": [name], "source_row": [len(sales)]})
    parent = latest.version_id if latest else None
    version = store.versions.commit(NewVersion(market.market_id, table, parent, (), ledgers, len(sales), name), ANALYST)
    settle_outcomes(acting(store, ANALYST), market.market_id)
    return version


def state_of_data(store: Store, market: Market) -> dict[str, Any]:
    """What the market's data come to: versions in use, sales, outcomes that count, earlier states of sales."""
    latest = store.versions.latest(market.market_id)
    # Which version a row was found in may differ: what an undo brings back is found again in the version now in use.
    outcomes = [
        {name: value for name, value in asdict(one).items() if name not in ("recorded_at", "version_id")}
        for key in store.outcomes.held_keys(market.market_id)
        for one in store.outcomes.of_sale(market.market_id, key)
        if one.current
    ]
    return {
        "chain": store.versions.chain(market.market_id),
        "latest": latest,
        "sales": store.versions.load(latest.version_id).to_json(date_format="iso") if latest else "",
        "outcomes": sorted(outcomes, key=lambda one: (one["sale_key"], one["estimate_id"])),
        "corrected": corrected_sales(store, market.market_id).to_json(date_format="iso"),
    }


@settings(max_examples=10)
@given(
    estimates=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 280)), max_size=6),
    earlier=st.lists(st.lists(sold, min_size=1, max_size=4), max_size=2),
    later=batches,
)
def test_undoing_versions_brings_back_sales_and_outcomes_and_committing_them_again_what_they_gave(
    estimates: list[tuple[int, int]], earlier: list[list[Sold]], later: list[list[Sold]]
) -> None:
    with fresh_store() as (store, _):
        simulated = store.markets.create("Simulated", "USD", "sqft", True, MANAGER)
        for home, day in estimates:
            estimate_of(store, simulated, home, day)
        for number, sales in enumerate(earlier):
            commit_sales(store, simulated, sales, f"earlier {number}")
        states, made = [state_of_data(store, simulated)], []
        for number, sales in enumerate(later):
            version = commit_sales(store, simulated, sales, f"later {number}")
            if version.version_id in {one.version_id for one in states[-1]["chain"]}:
                continue  # the same sales are the same version, and nothing was done
            made.append((version, sales, f"later {number}"))
            states.append(state_of_data(store, simulated))
        for version, _, _ in reversed(made):
            assert state_of_data(store, simulated) == states[-1]
            undo_version(acting(store, ANALYST), version.version_id, "sent by mistake")
            after = states.pop()
            assert state_of_data(store, simulated) == states[-1]
            redo_version(acting(store, ANALYST), version.version_id)
            assert state_of_data(store, simulated) == after
            undo_version(acting(store, ANALYST), version.version_id, "sent by mistake")
            assert state_of_data(store, simulated) == states[-1]
        if made:
            again = commit_sales(store, simulated, made[0][1], made[0][2])
            assert again == made[0][0]
            assert state_of_data(store, simulated) == after


# An alert taken on and given back


def open_alert(store: Store, market: Market, model_id: str | None = None) -> str:
    reading = {"value": 0.13, "n": 120, "period": "2024-05"} | ({"model_id": model_id} if model_id else {})
    return store.alerts.open(
        market.market_id, AlertKind.ERROR_HIGH, "", reading, "It is too high.", "Retrain.", ANALYST
    ).alert_id


def standing(store: Store, alert_id: str) -> tuple[str, str, str, str]:
    """What a person sees of an alert."""
    alert = store.alerts.get(alert_id)
    return alert.state, alert.changed_by, alert.why, alert.next_action


@settings(max_examples=20)
@given(turns=st.lists(st.tuples(reasons, words, reasons), min_size=1, max_size=4))
def test_an_alert_given_back_is_open_as_it_was(turns: list[tuple[str, str, str]]) -> None:
    with fresh_store() as (store, market):
        alert_id = open_alert(store, market)
        state = standing(store, alert_id)
        for why, following, back in turns:
            acknowledge(acting(store, MANAGER), alert_id, why, following)
            assert standing(store, alert_id) == ("acknowledged", MANAGER.name, why.strip(), following.strip())
            unacknowledge(acting(store, MANAGER), alert_id, back)
            assert standing(store, alert_id) == state
            [entry, *_] = store.events.of(alert_id, "alert.unacknowledged")
            assert (entry.actor, entry.detail["why"]) == (MANAGER.name, back.strip())
        assert len(store.alerts.get(alert_id).document["history"]) == 1 + 2 * len(turns)
        assert actions(store, market).count("alert.acknowledged") == len(turns)


@settings(max_examples=15)
@given(deeds=st.lists(st.sampled_from(["take on", "give back", "promote", "roll back"]), max_size=8))
def test_taking_on_and_changes_of_model_undo_one_another_in_any_order(deeds: list[str]) -> None:
    with fresh_store() as (store, market):
        first, second = models_of(store, market, 2)
        promote(acting(store, MANAGER), first, "the first")
        alert_id = open_alert(store, market, first)
        as_open, live = standing(store, alert_id), first
        taken = False
        for deed in deeds:
            if deed == "take on" and live == first and not taken:
                acknowledge(acting(store, MANAGER), alert_id, "Mine to see to.", "Look.")
                taken = True
            elif deed == "give back" and live == first and taken:
                unacknowledge(acting(store, MANAGER), alert_id, "On leave now.")
                taken = False
            elif deed == "promote" and live == first:
                promote(acting(store, MANAGER), second, "better")
                live = second
            elif deed == "roll back" and live == second:
                rollback(acting(store, MANAGER), market.market_id, "worse in use")
                live = first
            shown = standing(store, alert_id)
            if live == second:
                assert shown[0] is AlertState.RESOLVED
            else:
                assert shown == (("acknowledged", MANAGER.name, "Mine to see to.", "Look.") if taken else as_open)


def test_only_an_alert_taken_on_is_given_back_with_a_reason_by_whom_it_is_allowed(store: Store, market: Market) -> None:
    alert_id = open_alert(store, market)
    with pytest.raises(InvalidRecord, match=r"has been open since .* cannot become open"):
        unacknowledge(acting(store, MANAGER), alert_id, "why it is so")
    acknowledge(acting(store, MANAGER), alert_id, "Mine to see to.", "Look.")
    with pytest.raises(AccessDenied):
        unacknowledge(acting(store, ANALYST), alert_id, "why it is so")
    with pytest.raises(ReasonNeeded, match="at least 10 characters"):
        unacknowledge(acting(store, MANAGER), alert_id, "  ")
    assert store.alerts.get(alert_id).state is AlertState.ACKNOWLEDGED
    resolve(acting(store, MANAGER, today=TODAY), alert_id, "one bad file")
    with pytest.raises(InvalidRecord, match="has been resolved"):
        unacknowledge(acting(store, MANAGER), alert_id, "why it is so")
    with pytest.raises(NotFound):
        unacknowledge(acting(store, MANAGER), "none", "why it is so")


# A limit set and reset


@settings(max_examples=20)
@given(
    kind=st.sampled_from(list(AlertKind)),
    places=st.lists(st.floats(0, 1), min_size=1, max_size=2),
    other=st.sampled_from(list(AlertKind)),
)
def test_a_limit_that_was_reset_is_the_problem_statements_again(
    kind: AlertKind, places: list[float], other: AlertKind
) -> None:
    with fresh_store() as (store, market):
        default = limits_of(acting(store), market.market_id)
        if other is not kind:
            set_threshold(acting(store, MANAGER), market.market_id, other, default[other].high, "only a test")
        before = limits_of(acting(store), market.market_id)
        digits = 0 if default[kind].unit in (Unit.COUNT, Unit.DAYS) else 6
        for place in places:
            value = round(default[kind].low + place * (default[kind].high - default[kind].low), digits)
            set_threshold(acting(store, MANAGER), market.market_id, kind, value, "a thin market")
            held = limits_of(acting(store), market.market_id)
            assert held[kind].value == value
            # A value set before is brought back by setting it again.
            set_threshold(acting(store, MANAGER), market.market_id, kind, default[kind].high, "to try it out")
            set_threshold(acting(store, MANAGER), market.market_id, kind, value, "back as it was")
            assert limits_of(acting(store), market.market_id) == held
            record = reset_threshold(acting(store, MANAGER), market.market_id, kind, "the market grew")
            assert limits_of(acting(store), market.market_id) == before
            assert (record.value, record.actor) == (None, MANAGER.name)
        assert kind.value not in store.thresholds.values(market.market_id)
        assert len(store.thresholds.history(market.market_id, kind.value)) == 4 * len(places)
        [entry, *_] = store.events.of(kind.value, "threshold.reset")
        assert entry.detail == {"before": value, "after": None, "reason": "the market grew"}


def standing_alerts(store: Store, market: Market) -> dict[str, tuple[str, str, str, str]]:
    return {one.alert_id: standing(store, one.alert_id) for one in store.alerts.list(market.market_id, UNRESOLVED)}


def figure_of(store: Store, market: Market, kind: AlertKind, measure: float) -> None:
    """Open or resolve the alert of a kind as a check does that finds this figure, whatever the limit is."""
    limit = limits_of(acting(store), market.market_id)[kind]
    unresolved = next(iter(store.alerts.list(market.market_id, UNRESOLVED)), None)
    if unresolved is None and measure > limit.value:
        reading = {"period": "2024-05", "value": measure, "measure": measure, "limit": limit.value}
        store.alerts.open(market.market_id, kind.value, "", reading, "beyond the limit", "Look.", ANALYST)
    elif unresolved is not None and measure <= limit.resolves_at:
        by = {"limit": limit.value, "measure": measure}
        store.alerts.resolve(unresolved.alert_id, "within the limit", "2024-06", ANALYST, by)


@settings(max_examples=25)
@given(
    kind=st.sampled_from([AlertKind.ERROR_HIGH, AlertKind.RETRAINING_OVERDUE, AlertKind.COVERAGE_OFF]),
    figure=st.floats(0, 1),
    places=st.lists(st.floats(0, 1), min_size=1, max_size=3),
    taken=st.booleans(),
)
def test_alerts_are_as_they_were_once_a_limit_is_reset(
    kind: AlertKind, figure: float, places: list[float], taken: bool
) -> None:
    with fresh_store() as (store, market):
        limit = limits_of(acting(store), market.market_id)[kind]
        measure = limit.low + figure * (limit.high - limit.low)
        figure_of(store, market, kind, measure)
        for one in store.alerts.list(market.market_id, UNRESOLVED) if taken else ():
            acknowledge(acting(store, MANAGER), one.alert_id, "Mine to see to.", "Look.")
        before = {
            one.alert_id: standing(store, one.alert_id) for one in store.alerts.list(market.market_id, UNRESOLVED)
        }
        digits = 0 if limit.unit in (Unit.COUNT, Unit.DAYS) else 6
        for place in places:
            value = round(limit.low + place * (limit.high - limit.low), digits)
            set_threshold(acting(store, MANAGER), market.market_id, kind, value, "only a test")
            figure_of(store, market, kind, measure)
        reset_threshold(acting(store, MANAGER), market.market_id, kind, "the test is over")
        figure_of(store, market, kind, measure)
        assert standing_alerts(store, market) == before


@pytest.mark.parametrize("taken", [False, True])
def test_an_alert_resolved_by_hand_and_reopened_is_as_it_was(store: Store, market: Market, taken: bool) -> None:
    figure_of(store, market, AlertKind.ERROR_HIGH, 0.25)
    [alert] = store.alerts.list(market.market_id)
    if taken:
        acknowledge(acting(store, MANAGER), alert.alert_id, "Mine to see to.", "Look.")
    before = standing(store, alert.alert_id)
    resolve(acting(store, MANAGER), alert.alert_id, "a slip of the finger")
    with pytest.raises(ReasonNeeded):
        reopen(acting(store, MANAGER), alert.alert_id, " ")
    with pytest.raises(AccessDenied):
        reopen(acting(store, ANALYST), alert.alert_id, "why it is so")
    reopen(acting(store, MANAGER), alert.alert_id, "it still stands")
    assert standing(store, alert.alert_id) == before
    with pytest.raises(InvalidRecord, match="No person resolved"):
        reopen(acting(store, MANAGER), alert.alert_id, "once again")


def test_a_reset_needs_a_limit_that_is_set_a_reason_and_a_right(store: Store, market: Market) -> None:
    kind = AlertKind.ERROR_HIGH
    with pytest.raises(InvalidRecord, match="nothing to reset"):
        reset_threshold(acting(store, MANAGER), market.market_id, kind, "why it is so")
    set_threshold(acting(store, MANAGER), market.market_id, kind, 0.2, "a thin market")
    with pytest.raises(ReasonNeeded):
        reset_threshold(acting(store, MANAGER), market.market_id, kind, " ")
    with pytest.raises(AccessDenied):
        reset_threshold(acting(store, ANALYST), market.market_id, kind, "why it is so")
    with pytest.raises(InvalidThreshold):
        set_threshold(acting(store, MANAGER), market.market_id, kind, 7.0, "why it is so")
    assert limits_of(acting(store), market.market_id)[kind].value == 0.2
    reset_threshold(acting(store, MANAGER), market.market_id, kind, "why it is so")
    with pytest.raises(InvalidRecord, match="nothing to reset"):
        reset_threshold(acting(store, MANAGER), market.market_id, kind, "once again")


# A model rejected and reinstated


def models_of(store: Store, market: Market, count: int) -> list[str]:
    version = commit(store, market.market_id).version_id
    return [
        store.models.add(NewModel(market.market_id, version, f"model {number}".encode(), {}), ANALYST).model_id
        for number in range(count)
    ]


def state_of_models(store: Store, market: Market) -> tuple[object, ...]:
    return (
        store.models.list(market.market_id),
        store.models.champion(market.market_id),
        store.models.challenger(market.market_id),
    )


@settings(max_examples=20)
@given(live=st.booleans(), challenging=st.sampled_from([None, 1, 2]), rejected=st.lists(st.sampled_from([1, 2])))
def test_a_rejection_taken_back_leaves_models_champion_and_challenger_as_they_were(
    live: bool, challenging: int | None, rejected: list[int]
) -> None:
    with fresh_store() as (store, market):
        ids = models_of(store, market, 3)
        if live:
            promote(acting(store, MANAGER), ids[0], "the first")
        if challenging is not None:
            store.models.challenge(ids[challenging], ANALYST)
        state = state_of_models(store, market)
        for number in rejected:
            record = reject(acting(store, MANAGER), ids[number], "worse on condos")
            assert (record.stage, record.rejected_by, record.rejected_why) == (
                Stage.REJECTED,
                MANAGER.name,
                "worse on condos",
            )
            challenger = store.models.challenger(market.market_id)
            assert challenger is None or challenger.model_id != ids[number]
            assert store.models.champion(market.market_id) == state[1]
            reinstate(acting(store, MANAGER), ids[number], "a mistake by us")
            assert state_of_models(store, market) == state


def test_a_rejected_model_is_neither_promoted_nor_challenges_until_it_is_reinstated(
    store: Store, market: Market
) -> None:
    first, second, third = models_of(store, market, 3)
    promote(acting(store, MANAGER), first, "the first")
    store.models.challenge(second, ANALYST)
    reject(acting(store, MANAGER), second, "worse on condos.")
    state = state_of_models(store, market)
    deeds: tuple[Callable[[], object], ...] = (
        lambda: promote(acting(store, MANAGER), second, "all the same"),
        lambda: promote_challenger(acting(store, MANAGER), second, "all the same, I insist"),
        lambda: store.models.challenge(second, ANALYST),
        lambda: reject(acting(store, MANAGER), second, "once again"),
    )
    for deed in deeds:
        with pytest.raises(InvalidRecord, match=r"was rejected on .* by Max Manager: “worse on condos”\. Take"):
            deed()
    assert state_of_models(store, market) == state
    # Another took its place meanwhile: reinstated, it is a candidate.
    store.models.challenge(third, ANALYST)
    assert reinstate(acting(store, MANAGER), second, "a mistake by us").stage is Stage.CANDIDATE
    challenger = store.models.challenger(market.market_id)
    assert challenger is not None
    assert challenger.model_id == third
    assert promote(acting(store, MANAGER), second, "better after all").is_live
    rejections = [one for one in actions(store, market) if one in ("model.rejected", "model.reinstated")]
    assert rejections == ["model.rejected", "model.reinstated"]
    assert store.events.of(second, "model.rejected")[0].detail == {"stage": "challenger", "reason": "worse on condos."}


@settings(max_examples=15)
@given(challenger=st.sampled_from([None, 1, 2]), promoted=st.sampled_from([1, 2]))
def test_a_rollback_gives_every_model_the_stage_it_had(challenger: int | None, promoted: int) -> None:
    with fresh_store() as (store, market):
        ids = models_of(store, market, 3)
        promote(acting(store, MANAGER), ids[0], "the first")
        if challenger is not None:
            store.models.challenge(ids[challenger], MANAGER)
        before = store.models.list(market.market_id)
        promote(acting(store, MANAGER), ids[promoted], "better")
        rollback(acting(store, MANAGER), market.market_id, "worse in use")
        assert store.models.list(market.market_id) == before


def test_a_challenger_that_another_replaced_undecided_says_so_and_takes_its_place_back(
    store: Store, market: Market
) -> None:
    first, second, third = models_of(store, market, 3)
    manager = acting(store, MANAGER)
    promote(manager, first, "the first")
    assert would_displace(store, market.market_id) == ""
    store.models.challenge(second, ANALYST)
    assert f"Challenger {second} waits for a decision" in would_displace(store, market.market_id)
    store.models.challenge(third, ANALYST)
    gone = displaced(store, market, store.models.get(second))
    assert gone.startswith(f"was replaced by {third} on ")
    assert gone.endswith(", undecided")
    assert displaced(store, market, store.models.get(third)) == ""
    assert reinstate(manager, second, "nobody decided").stage is Stage.CHALLENGER
    # Who takes its place back leaves the other waiting, too: nobody has decided on it.
    assert displaced(store, market, store.models.get(third)) == ""
    assert beside(store, market, store.models.get(third)).startswith(
        f"waits for a decision, beside challenger {second} since "
    )
    assert reinstate(manager, third, "the newer one").stage is Stage.CHALLENGER
    with pytest.raises(AccessDenied):
        reinstate(acting(store, ANALYST), second, "nobody decided")


def test_a_retraining_nobody_watched_leaves_the_undecided_challenger_its_place_and_a_manager_decides_on_either(
    store: Store, market: Market
) -> None:
    first, second, third = models_of(store, market, 3)
    manager = acting(store, MANAGER)
    get = store.models.get

    def listed() -> list[ModelRecord]:
        return store.models.list(market.market_id)

    promote(manager, first, "the first")
    assert place(manager, get(second), Undecided.KEPT).stage is Stage.CHALLENGER  # none waited
    assert place(manager, get(third), Undecided.KEPT).stage is Stage.CANDIDATE
    assert [one.model_id for one in waiting(store, listed())] == [second, third]
    assert f"while challenger {second} waited for a decision" in beside(store, market, get(third))
    before = state_of_models(store, market)
    reject(manager, second, "worse on condos")
    assert [one.model_id for one in waiting(store, listed())] == [third]
    reinstate(manager, second, "a mistake by us")
    assert state_of_models(store, market) == before
    # Compared instead: the two change places, and back.
    assert reinstate(manager, third, "the newer one").stage is Stage.CHALLENGER
    assert [one.model_id for one in waiting(store, listed())] == [third, second]
    [words] = {stage_word(one, waiting(store, listed())) for one in listed() if one.model_id == second}
    assert words == "later challenger"
    reject(manager, third, "no better than it")
    assert [one.model_id for one in waiting(store, listed())] == [second], "the other is next"
    reinstate(manager, third, "a mistake by us")
    reinstate(manager, second, "nobody decided")
    assert state_of_models(store, market) == before
    promote(manager, second, "better in use")
    assert [one.model_id for one in waiting(store, listed())] == [third]
    rollback(manager, market.market_id, "worse in use")
    assert state_of_models(store, market) == before
    # Whoever rolled the challenger back decided on it: the next takes its place.
    [fourth] = models_of(store, market, 4)[3:]
    assert place(manager, get(fourth), Undecided.KEPT).stage is Stage.CHALLENGER


def test_only_a_candidate_or_challenger_is_rejected_with_a_reason_by_a_manager(store: Store, market: Market) -> None:
    first, second, third = models_of(store, market, 3)
    promote(acting(store, MANAGER), first, "the first")
    promote(acting(store, MANAGER), second, "the second")
    for model_id, word in ((first, "retired"), (second, "live")):
        with pytest.raises(InvalidRecord, match=f"is {word} and cannot be rejected"):
            reject(acting(store, MANAGER), model_id, "to see why")
    with pytest.raises(ReasonNeeded, match=r"at least 10 characters \(3 so far\)"):
        reject(acting(store, MANAGER), third, "bad")
    for actor in (ANALYST, AGENT):
        with pytest.raises(AccessDenied, match="may not reject a model"):
            reject(acting(store, actor), third, "why it is so")
    with pytest.raises(InvalidRecord, match="not rejected"):
        reinstate(acting(store, MANAGER), third, "to see why")
    with pytest.raises(NotFound):
        reject(acting(store, MANAGER), "none", "to see why")
    reject(acting(store, MANAGER), third, "to see why")
    with pytest.raises(AccessDenied):
        reinstate(acting(store, ANALYST), third, "why it is so")


def test_no_rollback_to_a_model_that_was_rejected_since(store: Store, market: Market) -> None:
    first, second, third = models_of(store, market, 3)
    promote(acting(store, MANAGER), first, "the first")
    promote(acting(store, MANAGER), second, "the second")
    store.models.challenge(first, ANALYST)
    reject(acting(store, MANAGER), first, "worse on condos")
    state = state_of_models(store, market)
    with pytest.raises(InvalidRecord, match="was rejected on"):
        rollback(acting(store, MANAGER), market.market_id, "to see why")
    assert state_of_models(store, market) == state
    reinstate(acting(store, MANAGER), first, "a mistake by us")
    assert rollback(acting(store, MANAGER), market.market_id, "to see why").model_id == first
    assert store.models.get(third).stage is Stage.CANDIDATE


# Answers, presets and drafts


@given(answers=st.lists(st.booleans(), min_size=1, max_size=5))
@settings(max_examples=10)
def test_an_answer_about_two_addresses_is_taken_back_by_the_answer_before(answers: list[bool]) -> None:
    near = NearMatch(0, "12 N Main", 0, "12 North Main", "12 N MAIN", "12 NORTH MAIN", 95.0, "spelling")
    with fresh_store() as (store, market):
        answer_match(acting(store, ANALYST), market.market_id, near, answers[0])
        before = store.matches.of(market.market_id)
        for same in answers[1:]:
            answer_match(acting(store, ANALYST), market.market_id, near, same)
        answer_match(acting(store, ANALYST), market.market_id, near, answers[0])
        assert store.matches.of(market.market_id) == before


@given(first=words, other=words)
@settings(max_examples=10)
def test_a_preset_replaced_and_replaced_back_and_a_draft_discarded_leave_what_was(first: str, other: str) -> None:
    with fresh_store() as (store, _):
        store.presets.save("county", first, ANALYST)
        store.drafts.keep(MANAGER, {"uploads": ["u1"]})
        before = store.presets.list(), store.presets.load("county"), store.drafts.uploads()
        store.presets.replace("county", other, ANALYST)
        store.presets.replace("county", first, ANALYST)
        store.drafts.keep(ANALYST, {"uploads": ["u2"], "words": other})
        store.drafts.discard(ANALYST)
        assert (store.presets.list(), store.presets.load("county"), store.drafts.uploads()) == before
        assert store.drafts.load(ANALYST) is None


# A profile changed and an earlier version used again

profile_texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=10)
phones = st.just("") | profile_texts.map(lambda text: f"{text}555-0142")


@settings(max_examples=20)
@given(
    # The first profile of anybody has something in it: an empty one is refused, as there is nothing to save.
    names=st.lists(st.tuples(profile_texts, phones), min_size=1, max_size=4).filter(lambda names: any(names[0])),
    back=st.integers(0, 4),
)
def test_an_earlier_version_of_a_profile_used_again_is_the_profile_it_was(
    names: list[tuple[str, str]], back: int
) -> None:
    with fresh_store() as (store, _):
        agent, manager = acting(store, AGENT), acting(store, MANAGER)
        states = [(0, own_profile(agent), office_profile(manager, "North"))]
        versions = {ProfileKind.PERSON: [0], ProfileKind.OFFICE: [0]}
        for name, phone in names:
            save_agent(agent, AgentProfile(name, phone=phone))
            save_office(manager, "North", OfficeProfile(name, phone=phone))
            for kind, whose in ((ProfileKind.PERSON, AGENT.actor_id), (ProfileKind.OFFICE, "north")):
                versions[kind].append(history(manager, kind, whose)[0].seq)
            states.append((len(states), own_profile(agent), office_profile(manager, "North")))
        number, mine, office = states[min(back, len(states) - 1)]
        restore(agent, ProfileKind.PERSON, AGENT.actor_id, versions[ProfileKind.PERSON][number])
        restore(manager, ProfileKind.OFFICE, "NORTH", versions[ProfileKind.OFFICE][number])
        assert (own_profile(agent), office_profile(manager, "North")) == (mine, office)
        with pytest.raises(InvalidRecord, match="none of this profile"):
            restore(agent, ProfileKind.PERSON, AGENT.actor_id, versions[ProfileKind.OFFICE][-1] + 1_000)
        with pytest.raises(InvalidRecord, match="none of this profile"):
            restore(manager, ProfileKind.OFFICE, "South", 0)


def test_figures_shown_to_sellers_and_left_out_again_are_as_they_were(store: Store) -> None:
    choose_figures(acting(store, MANAGER), True, "they asked for it")
    assert figures_choice(acting(store, MANAGER)).shown
    choose_figures(acting(store, MANAGER), False, "a risk to us")
    assert not figures_choice(acting(store, MANAGER)).shown
    trail = [one.action for one in store.events.list() if one.subject == "company"]
    assert trail == ["seller_figures.changed"] * 2
