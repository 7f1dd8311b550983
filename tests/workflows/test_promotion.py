"""Changes of the live model and their inverses: a rollback restores the alerts that a promotion settled."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access import Actor, Role
from core.errors import AccessDenied, InvalidRecord
from core.evaluate.accuracy import Figure
from core.evaluate.card.headline import short_range_words
from core.monitor.gate import gate_rule
from core.monitor.rules import AlertKind
from core.problem import PromotionRules, load_problem
from core.store import Market, NewModel, Store, open_store
from core.store.operations.alerts import UNRESOLVED, AlertRecord
from core.workflows.models.scope import PROPOSED
from core.workflows.monitoring.alerts import follow_champion, reopen
from core.workflows.promotion import (
    promote,
    promote_challenger,
    promote_first,
    promoter_of,
    promotion_effect,
    rollback,
    rollback_effect,
)
from tests.acting import acting
from tests.store.samples import AGENT, ANALYST, MANAGER, commit

TRAINER = Actor("Tom", Role.MANAGER)
PERIOD = "2024-05"
ADMIN = Actor("Ada", Role.MANAGER)
OF_THE_MODEL = (AlertKind.ERROR_HIGH, AlertKind.COVERAGE_OFF, AlertKind.LEVEL_DRIFT, AlertKind.RETRAINING_OVERDUE)
OF_THE_SERVICE = (AlertKind.SLOW, AlertKind.VOLUME_DOWN)


@contextmanager
def fresh_store() -> Iterator[tuple[Store, Market, list[str]]]:
    """A store with a market and three models, the first of them live."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "home", "") as store:
        market = store.markets.create("Springfield", "USD", "sqft", False, MANAGER)
        version = commit(store, market.market_id).version_id
        models = [
            store.models.add(NewModel(market.market_id, version, name, {}), ANALYST).model_id
            for name in (b"first", b"second", b"third")
        ]
        promote(acting(store, MANAGER), models[0], "the first")
        yield store, market, models


def open_alert(store: Store, market: Market, kind: AlertKind, segment: str, model_id: str) -> AlertRecord:
    reading = {"value": 0.13, "n": 120, "period": PERIOD, "model_id": model_id}
    return store.alerts.open(market.market_id, kind.value, segment, reading, "It is too high.", "Retrain.", ANALYST)


def standing(store: Store, market: Market) -> dict[str, tuple[str, str, str, str]]:
    """What a person sees of the alerts that are not resolved, by id: state, who changed it, why and what next."""
    return {
        one.alert_id: (one.state, one.changed_by, one.why, one.next_action)
        for one in store.alerts.list(market.market_id, UNRESOLVED)
    }


def test_whoever_trained_a_model_cannot_promote_it_where_the_problem_statement_demands_another() -> None:
    strict = replace(load_problem(), promotion=PromotionRules(by_another=True))
    with fresh_store() as (store, market, _):
        version = commit(store, market.market_id).version_id
        made = store.models.add(NewModel(market.market_id, version, b"by Tom", {}), TRAINER).model_id
        namesake = Actor(TRAINER.name, Role.MANAGER, actor_id="oidc:another")
        for way in (promote, promote_challenger):
            with pytest.raises(AccessDenied, match=r"trained by Tom, so somebody else has to promote it"):
                way(acting(store, TRAINER, strict), made, "it is better by far")
        with pytest.raises(AccessDenied, match="somebody else"):
            promote_first(acting(store, TRAINER, strict), made)
        for spelling in (TRAINER.name.lower(), f" {TRAINER.name} "):
            with pytest.raises(AccessDenied, match="somebody else"):
                promote(acting(store, Actor(spelling, Role.MANAGER), strict), made, "")
        # Somebody with the same name is somebody else.
        assert promote_challenger(acting(store, namesake, strict), made, "it is better by far").is_live
        [event] = store.events.of(made, "model.promoted")
        assert (event.actor_id, event.detail["trained_by"]) == ("oidc:another", "Tom")
        assert promoter_of(store, made) == event


def test_by_default_one_person_may_do_both() -> None:
    with fresh_store() as (store, market, _):
        version = commit(store, market.market_id).version_id
        made = store.models.add(NewModel(market.market_id, version, b"by Tom", {}), TRAINER).model_id
        assert promote(acting(store, TRAINER), made, "").is_live


alerts = st.lists(
    st.tuples(st.sampled_from(OF_THE_MODEL + OF_THE_SERVICE), st.sampled_from(["", "98103"]), st.booleans()),
    max_size=6,
    unique_by=lambda one: one[:2],
)


@settings(max_examples=15)
@given(before=alerts, meanwhile=alerts)
def test_a_promotion_and_its_rollback_leave_the_alerts_as_they_were(
    before: list[tuple[AlertKind, str, bool]], meanwhile: list[tuple[AlertKind, str, bool]]
) -> None:
    with fresh_store() as (store, market, (first, second, _)):
        for kind, segment, taken in before:
            made = open_alert(store, market, kind, segment, first)
            if taken:
                store.alerts.acknowledge(made.alert_id, "Looking at it.", "Retrain by Friday.", MANAGER)
        state = standing(store, market)
        # Twice: a reopened alert is as it was, and so is one reopened again.
        promote(acting(store, MANAGER), second, "a first try")
        rollback(acting(store, ADMIN), market.market_id, "it was worse")
        assert standing(store, market) == state
        promote(acting(store, MANAGER), second, "looks better")
        kept = {one.kind for one in store.alerts.list(market.market_id, UNRESOLVED)}
        assert kept <= {kind.value for kind in OF_THE_SERVICE}
        for kind, segment, _ in meanwhile:
            if kind in OF_THE_MODEL:
                open_alert(store, market, kind, segment, second)
        rollback(acting(store, ADMIN), market.market_id, "it was worse")
        assert standing(store, market) == state


def test_the_same_alert_is_reopened_with_an_entry_of_who_and_why() -> None:
    with fresh_store() as (store, market, (first, second, _)):
        alert = open_alert(store, market, AlertKind.ERROR_HIGH, "", first)
        promote(acting(store, MANAGER), second, "looks better")
        assert store.alerts.get(alert.alert_id).is_settled
        rollback(acting(store, MANAGER), market.market_id, "bias in the north")
        entry = store.events.of(alert.alert_id, "alert.reopened")[0]
        assert entry.actor == MANAGER.name
        assert "prices again" in entry.detail["why"]
        assert "bias in the north" in entry.detail["why"]
        assert store.alerts.get(alert.alert_id).document["history"][-1]["state"] == "open"


def test_a_promotion_names_beforehand_the_alerts_it_resolves_and_the_scope_it_changes() -> None:
    with fresh_store() as (store, market, (first, _, _)):
        open_alert(store, market, AlertKind.LEVEL_DRIFT, "98103", first)
        open_alert(store, market, AlertKind.SLOW, "", first)
        version = commit(store, market.market_id).version_id
        card = {
            PROPOSED: {"low": 110_000.0, "high": 720_000.0, "types_left_out": ["condo"], "areas_left_out": []},
            "metrics": {"level": 0.8},
            "headline": {"sales": 138, "figures": {"mape": asdict(Figure(0.127, 0.103, 0.159, 138))}},
        }
        second = store.models.add(NewModel(market.market_id, version, b"scoped", card), ANALYST).model_id
        with pytest.raises(AccessDenied):
            promotion_effect(acting(store, AGENT), second)
        effect = promotion_effect(acting(store, MANAGER), second)
        assert effect.words == (
            f"Model {second} will price instead of {first}, at once and everywhere. "
            "It misses its target of 10%: mean error 12.7% (95% interval 10.3% to 15.9%). "
            "It resolves 1 alert on the model it replaces: Prices moved: 98103. "
            "It opens again if this model misses, too. To take it back, roll back."
        )
        assert effect.scope is not None
        assert effect.scope.words == (
            "Prices in scope: the market's standard prices now, $110K to $720K after the change.",
            "Condo: in scope now, a price for review only after the change.",
        )
        assert len(store.alerts.list(market.market_id, UNRESOLVED)) == 2
        promote(acting(store, MANAGER), second, "looks better")
        assert [one.kind for one in store.alerts.list(market.market_id, UNRESOLVED)] == [AlertKind.SLOW]
        back = rollback_effect(acting(store, MANAGER), market.market_id)
        assert back is not None
        assert "in scope after the change" in back.scope.words[1]


def test_two_rollbacks_restore_what_two_promotions_settled() -> None:
    with fresh_store() as (store, market, (first, second, third)):
        open_alert(store, market, AlertKind.ERROR_HIGH, "", first)
        on_first = standing(store, market)
        promote(acting(store, MANAGER), second, "better")
        open_alert(store, market, AlertKind.ERROR_HIGH, "", second)
        on_second = standing(store, market)
        promote(acting(store, MANAGER), third, "better still")
        assert standing(store, market) == {}
        rollback(acting(store, MANAGER), market.market_id, "worse in use")
        assert standing(store, market) == on_second
        rollback(acting(store, MANAGER), market.market_id, "worse in use, too")
        assert standing(store, market) == on_first


def test_what_a_person_or_the_figures_resolved_stays_resolved() -> None:
    with fresh_store() as (store, market, (first, second, _)):
        alert = open_alert(store, market, AlertKind.ERROR_HIGH, "", first)
        store.alerts.resolve(alert.alert_id, "a known error of one file", PERIOD, MANAGER)
        promote(acting(store, MANAGER), second, "better")
        rollback(acting(store, MANAGER), market.market_id, "worse in use")
        assert standing(store, market) == {}
        assert reopen(acting(store, MANAGER), alert.alert_id, "much too soon").state == "open"
        with pytest.raises(InvalidRecord, match="No person resolved"):
            reopen(acting(store, MANAGER), alert.alert_id, "once again")


def test_following_the_champion_once_more_changes_nothing() -> None:
    with fresh_store() as (store, market, (first, second, _)):
        open_alert(store, market, AlertKind.ERROR_HIGH, "", first)
        promote(acting(store, MANAGER), second, "better")
        rollback(acting(store, MANAGER), market.market_id, "worse in use")
        state, events = standing(store, market), len(store.events.list(market.market_id))
        again = follow_champion(acting(store, MANAGER, today=date(2024, 7, 1)), market, "")
        assert (again.settled, again.reopened) == ((), ())
        assert (standing(store, market), len(store.events.list(market.market_id))) == (state, events)


def test_a_watch_makes_up_for_a_move_of_the_champion_that_broke_off_before_its_alerts() -> None:
    with fresh_store() as (store, market, (first, second, _)):
        alert = open_alert(store, market, AlertKind.ERROR_HIGH, "", first)
        store.models.promote(second, MANAGER, "the process died right after this")
        followed = follow_champion(acting(store, MANAGER, today=date(2024, 7, 1)), market, "")
        assert [one.alert_id for one in followed.settled] == [alert.alert_id]
        store.models.rollback(market.market_id, MANAGER, "and after this")
        followed = follow_champion(acting(store, MANAGER, today=date(2024, 7, 1)), market, "")
        assert [one.alert_id for one in followed.reopened] == [alert.alert_id]


def test_only_a_manager_moves_the_champion() -> None:
    with fresh_store() as (store, market, (_, second, _)):
        with pytest.raises(AccessDenied):
            promote(acting(store, ANALYST), second, "better")
        with pytest.raises(AccessDenied):
            rollback(acting(store, AGENT), market.market_id, "worse in use")


def test_a_range_that_holds_fewer_test_sales_than_it_states_is_named_beside_the_gate() -> None:
    def card(held: Figure) -> dict[str, object]:
        figures = {name: asdict(one) for name, one in (("mape", held), ("coverage", held))}
        return {"metrics": {"level": 0.8}, "headline": {"sales": 805, "figures": figures}}

    problem = load_problem()
    words = short_range_words(card(Figure(0.748, 0.717, 0.777, 805)), problem)
    assert words == "Its 80% range held 74.8% of 805 test sales, fewer than it states."
    assert short_range_words(card(Figure(0.79, 0.76, 0.82, 805)), problem) == ""
    assert "1 points" not in gate_rule(problem)
