"""Where a market stands: what the one sentence says, and which step it leads to."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.evaluate.accuracy import Figure
from core.evaluate.scope import ScopeBasis
from core.monitor.expected import came_true
from core.monitor.gate import Gate, GateVerdict
from core.monitor.rules import AlertKind
from core.problem import Problem
from core.states import AlertState, JobState
from core.store import Job, ModelRecord, Store, open_store
from core.store.operations.alerts import AlertRecord
from core.workflows import standing
from core.workflows.models.gate import GateRecord, SameSales
from core.workflows.overview import NOTHING_WATCHED, Month, Overview, attention, overview
from core.workflows.standing import (
    Decided,
    Step,
    decided,
    in_use_words,
    is_next_step,
    next_for,
    standing_for,
    standing_of,
    worst_homes,
)
from tests.acting import acting

NEWER = "bring newer sales, or more facts of the homes, as it was already trained on those there are."
NOW = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def fresh(small_home: Path) -> Overview:
    """A live model of the day, on the latest sales, that meets its target."""
    with open_store(small_home) as store:
        [market] = store.markets.list()
        seen = overview(acting(store, today=date(2025, 1, 1)), market)
    assert seen.version is not None
    assert seen.champion is not None
    assert seen.scope is not None
    live = replace(seen.champion, version_id=seen.version.version_id)
    signed = replace(seen.scope, basis=ScopeBasis.SIGNED)
    return replace(seen, champion=live, scope=signed, age=1, retrain_after=91)


@pytest.fixture(autouse=True)
def _meets_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = {"mape": Figure(0.08, 0.07, 0.09, 500)}
    monkeypatch.setattr(standing, "headline_of", lambda card: fine)


def alert(kind: AlertKind, since: str = "2025-04", segment: str = "") -> AlertRecord:
    document = {"reading": {"since": since}, "why": "", "next_action": "", "history": []}
    return AlertRecord("a", "m", kind.value, segment, AlertState.OPEN, NOW, NOW, "worker", document)


def advised(one: AlertRecord, step: str) -> AlertRecord:
    """The alert as it opened with that step as its advice."""
    return replace(one, document={**one.document, "history": [{"next_action": step}], "next_action": step})


def with_alerts(seen: Overview, *alerts: AlertRecord) -> Overview:
    return replace(seen, watched=replace(seen.watched, alerts=alerts))


def with_challenger(seen: Overview, verdict: GateVerdict, monkeypatch: pytest.MonkeyPatch) -> Overview:
    assert seen.champion is not None
    days = date(2025, 5, 1), date(2025, 5, 31)
    gated = GateRecord(
        seen.champion.model_id, *days, 0, Gate(verdict=verdict, n=200, checks=(), segments=(), words="Words.")
    )
    monkeypatch.setattr(standing, "gate_on", lambda record: gated)
    return replace(seen, challenger=replace(seen.champion, model_id="challenger"))


@pytest.mark.parametrize(
    ("sales", "since"),
    [
        ((12, 25, 54), "since Apr 2025, the first month with at least 50 sales"),
        ((54, 25, 54), "since Apr 2025"),
        ((54,), "since Apr 2025"),
        ((12, 25), "since Apr 2025"),
    ],
)
def test_a_miss_since_the_first_month_that_could_be_judged_says_so(
    fresh: Overview, problem: Problem, sales: tuple[int, ...], since: str
) -> None:
    labels = ("Feb 2025", "Mar 2025", "Apr 2025")[-len(sales) :] if len(sales) != 2 else ("Feb 2025", "Mar 2025")
    months = tuple(Month(label, 0.11, 0.6, n) for label, n in zip(labels, sales, strict=True))
    missed = with_alerts(fresh, alert(AlertKind.TARGET_MISSED))
    found = standing_of(replace(missed, watched=replace(missed.watched, months=months)), problem)
    assert found.sentence.split(";")[0] == f"The live model has missed its target of 10% {since}"


def a_job(kind: str, state: JobState, fraction: float) -> Job:
    return Job("j", kind, "m", state, fraction, "", {}, "", False, NOW, NOW)


BACK = "was rolled back on Jun 30, 2025"
DECIDE = "decide on challenger challenger, which "
RUNS = a_job("retrain", JobState.RUNNING, 0.42)


# Whether the target is missed, the challenger's gate, what was decided against the newest model and the challenger, the
# training; then the step, what the sentence says to do, and whom it sends an admin to.
STATES = [
    (True, None, "", "", None, Step.UPLOAD, "facts of the homes, as it was already trained on those", "an analyst"),
    (True, None, BACK, "", None, Step.UPLOAD, f"bring newer sales, as the model trained last {BACK}", "an analyst"),
    (True, GateVerdict.PASS, "", "", None, Step.COMPARE, f"{DECIDE}is better and meets the target", "a manager"),
    (True, GateVerdict.PASS, BACK, BACK, None, Step.COMPARE, f"{DECIDE}{BACK}: promote it again, or", "a manager"),
    (True, GateVerdict.INCONCLUSIVE, "", "", None, Step.COMPARE, f"{DECIDE}has not been shown to be", "a manager"),
    (True, GateVerdict.INCONCLUSIVE, BACK, BACK, None, Step.COMPARE, f"{DECIDE}{BACK}: promote it", "a manager"),
    (True, GateVerdict.FAIL, "", "", None, Step.UPLOAD, "trained on those there are, is no better", "an analyst"),
    (True, None, "", "", RUNS, Step.WAIT, "a challenger is being trained (42%)", ""),
    (True, GateVerdict.PASS, BACK, BACK, RUNS, Step.WAIT, "a challenger is being trained (42%)", ""),
    (True, None, BACK, "", a_job("retrain", JobState.WAITING, 0.0), Step.WAIT, "a challenger waits to be trained", ""),
    (False, None, "", "", a_job("train", JobState.RUNNING, 0.5), Step.WAIT, "a model is being trained (50%)", ""),
    (False, GateVerdict.PASS, "", "", None, Step.COMPARE, f"in order; {DECIDE}is better", "a manager"),
    (False, GateVerdict.INCONCLUSIVE, BACK, BACK, None, Step.COMPARE, f"in order; {DECIDE}{BACK}", "a manager"),
    (False, GateVerdict.FAIL, "", "", None, Step.WATCH, "there is nothing to do", ""),
    (False, None, "", "", None, Step.WATCH, "there is nothing to do", ""),
]


@pytest.mark.parametrize(("missed", "verdict", "against", "back", "training", "step", "words", "ask"), STATES)
def test_every_state_has_one_next_step_and_says_who_may_take_it(
    fresh: Overview,
    problem: Problem,
    monkeypatch: pytest.MonkeyPatch,
    missed: bool,
    verdict: GateVerdict | None,
    against: str,
    back: str,
    training: Job | None,
    step: Step,
    words: str,
    ask: str,
) -> None:
    seen = with_alerts(fresh, *([alert(AlertKind.TARGET_MISSED)] if missed else []))
    if verdict is not None:
        seen = with_challenger(seen, verdict, monkeypatch)
    seen = replace(seen, against=against, back=back, training=training)
    found = standing_for(Actor("mia", Role.MANAGER), seen, problem)
    assert (found.step, found.mine) == (step, True)
    assert words in found.sentence
    assert found.sentence == f"{found.matter[:-1]}; {found.next}" if found.matter else not found.next
    admin = standing_for(Actor("root", Role.ADMIN), seen, problem)
    assert admin.mine == (ask == "")
    assert (f"Ask {ask}" in admin.sentence) == (ask != "")
    assert ("Ask " in admin.next) == (ask != "")


def test_a_first_model_in_training_is_waited_for(fresh: Overview, problem: Problem) -> None:
    none: ModelRecord | None = None
    seen = replace(fresh, champion=none, training=a_job("train", JobState.RUNNING, 0.1))
    found = standing_of(seen, problem)
    assert (found.step, found.sentence) == (Step.WAIT, "No model is live; a model is being trained (10%).")


def test_a_closer_challenger_that_misses_the_target_is_not_called_better(
    fresh: Overview, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = with_alerts(with_challenger(fresh, GateVerdict.PASS, monkeypatch), alert(AlertKind.TARGET_MISSED))
    assert standing_of(seen, problem).sentence.endswith(
        "; decide on challenger challenger, which is better and meets the target of 10%."
    )
    for low, words in ((0.103, "it misses the target of 10%"), (0.095, "not proven to meet 10%")):
        measured = {"mape": Figure(0.127, low, 0.159, 138)}
        monkeypatch.setattr(standing, "headline_of", lambda card, found=measured: found)
        assert standing_of(seen, problem).sentence.endswith(
            f"; decide on challenger challenger, which is closer, though {words}."
        )


def test_a_market_in_order_leaves_nothing_to_do(fresh: Overview, problem: Problem) -> None:
    found = standing_of(with_alerts(fresh), problem)
    assert (found.good, found.step) == (True, Step.WATCH)
    assert found.sentence == "The live model is in order; there is nothing to do."


def test_a_model_that_is_unsigned_or_that_no_sale_has_proven_is_not_simply_in_order(
    fresh: Overview, problem: Problem
) -> None:
    assert fresh.scope is not None
    unsigned = replace(with_alerts(fresh), scope=replace(fresh.scope, basis=ScopeBasis.PROPOSED))
    found = standing_of(unsigned, problem)
    assert (found.step, found.good) == (Step.SIGN, False)
    assert "nobody has signed its scope" in found.sentence
    against = standing_of(replace(with_alerts(fresh), although="signed although it misses its target of 10%"), problem)
    assert (against.step, against.good) == (Step.SIGN, False)
    assert against.sentence.endswith("its scope is signed although it misses its target of 10%.")
    for alerts in (AlertKind.TARGET_MISSED, AlertKind.SLOW):
        both = replace(with_alerts(fresh, alert(alerts)), although="signed although it misses its target of 10%")
        assert "scope is signed although it misses its target of 10%" in standing_of(both, problem).sentence
    none = "no price range has a proven mean error of at most 10%"
    nothing = replace(with_alerts(fresh), scope=None)
    assert none in standing_of(nothing, problem).sentence
    assert not standing_of(nothing, problem).good
    for alerts in (AlertKind.TARGET_MISSED, AlertKind.SLOW):
        assert none in standing_of(with_alerts(nothing, alert(alerts)), problem).sentence.lower()
    unproven = replace(unsigned, models=2, watched=NOTHING_WATCHED)
    assert "new, and no home it priced has a known sale yet" in standing_of(unproven, problem).sentence
    assert standing_of(replace(unproven, scope=fresh.scope), problem).step is Step.WATCH


def test_in_use_has_one_word_for_a_target_missed_and_names_it_beside_its_interval(
    fresh: Overview, problem: Problem
) -> None:
    error, held = Figure(0.101, 0.096, 0.106, 2_363), Figure(0.61, 0.59, 0.63, 2_363)
    watched = replace(fresh.watched, error=error, held=held, level=0.8, alerts=())
    assert "target 10%: its sales cannot tell whether it is met" in in_use_words(watched, problem)
    months = (
        Month("May 2025", 0.13, 0.6, 56),
        Month("Jun 2025", 0.13, 0.6, 48),
        Month("Jul 2025", 0.2, 0.5, 58, False),
    )
    sure = in_use_words(replace(watched, error=replace(error, low=0.1005), months=months), problem)
    assert "target 10%: missed. The 80% range held 61%: missed. No alert on the error or the range is open, " in sure
    assert sure.endswith("because only May 2025 has the 50 sales that a month is judged by.")
    missed = replace(watched, alerts=(alert(AlertKind.TARGET_MISSED), alert(AlertKind.COVERAGE_OFF, "2025-02")))
    words = in_use_words(missed, problem)
    assert "mean error 10.1% (9.6% to 10.6%, 2,363 sales priced before listing), target 10%: missed" in words
    assert "target 10%: missed since Apr 2025." in words
    assert "The 80% range held 61%: missed since Feb 2025" in words
    assert "only the test speaks for it" in in_use_words(NOTHING_WATCHED, problem)


def test_the_homes_hit_hardest_are_those_of_an_open_alert_s_cause() -> None:
    bare = alert(AlertKind.TARGET_MISSED)
    cause = "The mean error rose. Hit hardest for its share of the sales: living area 2,470 sq ft and over, 65%."
    explained = replace(bare, document={**bare.document, "reading": {"cause": cause}})
    assert worst_homes([bare, explained]) == "Living area 2,470 sq ft and over, 65%."
    assert worst_homes([bare]) == ""


def test_a_missed_target_is_named_with_its_month_and_the_earliest_counts(fresh: Overview, problem: Problem) -> None:
    both = alert(AlertKind.ERROR_HIGH, "2025-05"), alert(AlertKind.TARGET_MISSED, "2025-04")
    found = standing_of(with_alerts(fresh, *both), problem)
    assert found.sentence == f"The live model has missed its target of 10% since Apr 2025; {NEWER}"
    assert (found.good, found.step) == (False, Step.UPLOAD)
    assert fresh.champion is not None
    behind = replace(with_alerts(fresh, *both), champion=replace(fresh.champion, version_id="before"))
    found = standing_of(behind, problem)
    assert found.sentence.endswith(" since Apr 2025; retrain, as a newer model may do better.")
    assert (found.good, found.step) == (False, Step.RETRAIN)


def test_a_model_retrained_on_the_latest_sales_is_not_to_be_retrained_again(
    fresh: Overview, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fresh.champion is not None
    assert fresh.scope is not None
    retrained = replace(fresh.champion, card={**fresh.champion.card, "gate": {}})
    seen = with_alerts(replace(fresh, champion=retrained), alert(AlertKind.TARGET_MISSED))
    found = standing_of(seen, problem)
    assert "bring newer sales, or more facts of the homes, as it was already retrained on those" in found.sentence
    assert found.step is Step.UPLOAD
    unsigned = replace(seen, scope=replace(fresh.scope, basis=ScopeBasis.CARRIED))
    assert standing_of(unsigned, problem).step is Step.SIGN
    worse = with_challenger(seen, GateVerdict.FAIL, monkeypatch)
    assert standing_of(worse, problem).step is Step.UPLOAD
    newer = replace(seen, champion=replace(retrained, version_id="before"))
    assert standing_of(newer, problem).step is Step.RETRAIN


def test_every_broken_promise_is_named_not_only_the_age(fresh: Overview, problem: Problem) -> None:
    error, held = Figure(0.123, 0.108, 0.138, 185), Figure(0.69, 0.62, 0.76, 185)
    watched = replace(fresh.watched, error=error, held=held, level=0.8, alerts=())
    found = standing_of(replace(fresh, watched=watched, age=181), problem)
    assert found.sentence == (
        "The live model’s mean error in use, 12.3%, is above the target of 10%. Its 80% range held 69% of 185 sales "
        f"in use. It was trained 181 days ago, past the limit of 91 days; {NEWER}"
    )
    assert found.next == NEWER


def test_what_is_the_matter_never_chains_more_than_two_things_in_a_sentence(fresh: Overview, problem: Problem) -> None:
    scope = "signed although it misses its target of 10%"
    missed = replace(with_alerts(fresh, alert(AlertKind.TARGET_MISSED)), although=scope)
    assert standing_of(missed, problem).matter == (
        f"The live model has missed its target of 10% since Apr 2025, and its scope is {scope}."
    )
    assert standing_of(replace(missed, age=181), problem).matter == (
        "The live model has missed its target of 10% since Apr 2025. It was trained 181 days ago, past the limit of "
        f"91 days. Its scope is {scope}."
    )
    assert standing_of(replace(missed, age=181, scope=None), problem).matter.endswith(
        "91 days. No price range has a proven mean error of at most 10%."
    )


def test_confidences_that_do_not_come_true_are_a_broken_promise_too(fresh: Overview, problem: Problem) -> None:
    held = replace(fresh.watched, confidence=came_true(0.50, Figure(0.514, 0.44, 0.59, 185), 30))
    assert standing_of(replace(fresh, watched=held), problem).good
    missed = replace(fresh.watched, confidence=came_true(0.644, Figure(0.514, 0.44, 0.59, 185), 30))
    found = standing_of(replace(fresh, watched=missed), problem)
    assert found.sentence == (f"The live model’s confidences came true for 51% of 185 sales instead of 64%; {NEWER}")
    assert (found.good, found.step) == (False, Step.UPLOAD)


def test_every_open_alert_on_the_model_has_the_one_next_step_and_others_keep_their_own(
    fresh: Overview, problem: Problem
) -> None:
    overdue = alert(AlertKind.RETRAINING_OVERDUE)
    overdue = advised(overdue, "start a retraining.")
    slow = alert(AlertKind.SLOW)
    slow = advised(slow, "see which office is slow.")
    tried = standing_of(replace(with_alerts(fresh, overdue, slow), against="was rolled back on Jul 1, 2025"), problem)
    assert next_for(overdue, tried) == tried.next
    assert tried.next == "bring newer sales, as the model trained last was rolled back on Jul 1, 2025."
    assert next_for(slow, tried) == slow.next_action
    # What a person wrote stands and leads to no step of somebody else's; who wrote nothing follows the advice of today.
    own, none = (
        replace(overdue, state=AlertState.ACKNOWLEDGED, document={**overdue.document, "next_action": words})
        for words in ("retrain with July sales", "")
    )
    assert [is_next_step(one, tried) for one in (overdue, own, none, slow)] == [True, False, True, False]
    assert (next_for(own, tried), next_for(none, tried)) == ("retrain with July sales", tried.next)
    assert fresh.champion is not None
    behind = replace(with_alerts(fresh, overdue), champion=replace(fresh.champion, version_id="before"))
    not_tried = standing_of(behind, problem)
    assert next_for(overdue, not_tried) == overdue.next_action


def test_a_live_model_that_cannot_be_verified_comes_before_all_else(fresh: Overview, problem: Problem) -> None:
    seen = with_alerts(fresh, alert(AlertKind.TARGET_MISSED), alert(AlertKind.MODEL_UNVERIFIED))
    found = standing_of(seen, problem)
    assert found.sentence.startswith("The file of the live model cannot be verified: run doorstep doctor")
    assert found.step is Step.ALERTS


def test_a_challenger_whose_range_fell_short_is_said_to(
    fresh: Overview, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = with_alerts(with_challenger(fresh, GateVerdict.PASS, monkeypatch), alert(AlertKind.TARGET_MISSED))
    monkeypatch.setattr(standing, "short_range", lambda card, problem: "its 80% range held 66.2% of 136 test sales")
    assert "; its 80% range held 66.2% of 136 test sales." in standing_of(seen, problem).sentence


def test_a_gate_against_another_live_model_makes_no_challenger_better(
    fresh: Overview, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = with_challenger(with_alerts(fresh, alert(AlertKind.TARGET_MISSED)), GateVerdict.PASS, monkeypatch)
    assert seen.champion is not None
    seen = replace(seen, champion=replace(seen.champion, model_id="another"))
    assert "which is better" not in standing_of(seen, problem).sentence


def test_an_alert_on_one_segment_does_not_say_that_the_model_misses_its_target(
    fresh: Overview, problem: Problem
) -> None:
    found = standing_of(with_alerts(fresh, alert(AlertKind.ERROR_HIGH, segment="property type condo")), problem)
    assert "has missed its target" not in found.sentence
    assert not found.good


def test_an_alert_that_no_model_mends_leads_to_the_alerts(fresh: Overview, problem: Problem) -> None:
    found = standing_of(with_alerts(fresh, alert(AlertKind.SLOW)), problem)
    assert found.step is Step.ALERTS
    assert found.sentence.startswith("1 alert not resolved")


def test_new_sales_call_for_retraining_and_an_old_model_without_them_for_sales(
    fresh: Overview, problem: Problem
) -> None:
    calm = with_alerts(fresh)
    old = standing_of(replace(calm, age=100), problem)
    assert "was trained 100 days ago, past the limit of 91 days" in old.sentence
    assert calm.champion is not None
    behind = standing_of(replace(calm, champion=replace(calm.champion, version_id="earlier")), problem)
    assert behind.sentence.startswith("New sales have arrived")
    assert (old.step, behind.step) == (Step.UPLOAD, Step.RETRAIN), "on the same sales, a model would only be repeated"


def test_only_other_sales_put_a_model_behind_and_facts_are_not_called_new_sales(
    fresh: Overview, problem: Problem
) -> None:
    calm = with_alerts(fresh)
    assert calm.champion is not None
    assert calm.version is not None
    earlier = replace(calm.version, version_id="earlier")
    behind = replace(calm, champion=replace(calm.champion, version_id="earlier"), chain=(calm.version, earlier))
    # A tax roll or indicators alone make a version with the same sales.
    assert standing_of(behind, problem).sentence == standing_of(calm, problem).sentence
    assert attention(behind, problem) == attention(calm, problem)
    completed = replace(behind, chain=(calm.version, replace(earlier, sha256="other")))
    assert standing_of(completed, problem).sentence.startswith("The stored sales have changed since the live model")
    more = replace(behind, chain=(calm.version, replace(earlier, sha256="other", rows=calm.version.rows - 1)))
    assert standing_of(more, problem).sentence.startswith("New sales have arrived since the live model")


def test_a_first_model_that_misses_its_target_says_so(
    fresh: Overview, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "headline_of", lambda card: {"mape": Figure(0.12, 0.11, 0.13, 500)})
    assert "misses its target of 10% on its test sales" in standing_of(with_alerts(fresh), problem).sentence


def test_a_later_gate_that_found_the_live_model_worse_than_its_test_is_named(
    fresh: Overview, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = {"mape": Figure(0.08, 0.07, 0.09, 500), "coverage": Figure(0.80, 0.76, 0.84, 500)}
    monkeypatch.setattr(standing, "headline_of", lambda card: tested)
    turned = SameSales(304, 0.21, 0.42, date(2025, 6, 30), (0.19, 0.23))
    calm = with_alerts(fresh)
    found = standing_of(replace(calm, beside=turned), problem)
    assert found.matter == (
        "The live model’s mean error was 21.0% for 304 sales up to Jun 30, 2025, above the target of 10%, and its 80% "
        "range held 42% of 304 sales up to Jun 30, 2025."
    )
    assert not found.good
    tested["mape"] = Figure(0.129, 0.116, 0.146, 600)
    of_before = replace(turned, ends=(math.nan, math.nan))
    assert "mean error was 21.0%" in standing_of(replace(calm, beside=of_before), problem).matter, "worse than its test"
    tested["mape"] = Figure(0.08, 0.07, 0.09, 500)
    better = SameSales(304, 0.07, 0.81, date(2025, 6, 30), (0.06, 0.08))
    unsure = replace(turned, error=0.105, held=0.79, ends=(0.09, 0.12))
    for one in (better, unsure):
        assert standing_of(replace(calm, beside=one), problem).good


def test_without_sales_or_a_model_the_step_is_to_bring_or_train(fresh: Overview, problem: Problem) -> None:
    assert standing_of(replace(fresh, version=None), problem).step is Step.UPLOAD
    none: ModelRecord | None = None
    assert fresh.version is not None
    assert standing_of(replace(fresh, champion=none, newest=none), problem).step is Step.TRAIN
    few = replace(fresh.version, rows=10)
    assert standing_of(replace(fresh, champion=none, version=few), problem).step is Step.UPLOAD


def test_decisions_that_count_are_counted_once(own_store: Store) -> None:
    [market] = own_store.markets.list()
    found = decided(acting(own_store), market.market_id)
    counted = own_store.agent_decisions.of(market.market_id)
    assert found == Decided(sum(one.kind == "accept" for one in counted), len(counted))
    assert Decided(0, 0).share is None
    assert Decided(1, 4).share == 0.25
