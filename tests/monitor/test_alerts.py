"""Alerts open on a row of bad periods, are resolved by a row of good ones, and do not flap in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidThreshold
from core.monitor.alerts import (
    Alert,
    Transition,
    judge_alerts,
    opening_words,
    settled_by_promotion,
    thresholds_of,
    with_cause,
)
from core.monitor.rules import AlertKind, Reading, Threshold
from core.monitor.windows import Window, later, window_of
from core.problem import Problem
from core.states import AlertState, Period

NOW = datetime(2030, 1, 1, tzinfo=UTC)
NAN = float("nan")
JANUARY = window_of(date(2024, 1, 1), Period.MONTH)


@pytest.fixture(scope="module")
def thresholds(problem: Problem) -> dict[AlertKind, Threshold]:
    return thresholds_of(problem, {})


def months(values: list[float], kind: AlertKind = AlertKind.ERROR_HIGH, n: int = 120) -> list[Reading]:
    found, window = [], JANUARY
    for value in values:
        found.append(Reading(kind, "", window, value, value - 0.01, value + 0.01, n))
        window = later(window)
    return found


def judged(
    readings: list[Reading],
    thresholds: dict[AlertKind, Threshold],
    alerts: tuple[Alert, ...] = (),
    now: datetime = NOW,
    cause: str = "",
) -> tuple[Transition, ...]:
    found = judge_alerts(readings, thresholds, alerts, now)
    return tuple(with_cause(one, {AlertKind.ERROR_HIGH: cause}) for one in found)


def replayed(readings: list[Reading], thresholds: dict[AlertKind, Threshold]) -> list[Transition]:
    """What happens when every period is judged as it ends, as the worker does."""
    alert: Alert | None = None
    history = []
    for place, reading in enumerate(readings):
        for one in judged(readings[: place + 1], thresholds, (alert,) if alert else ()):
            alert = Alert(f"a{place}", one.kind, one.segment, one.state, reading.period.key)
            history.append(one)
    return history


def standing(state: AlertState, period: str = "2024-02", kind: AlertKind = AlertKind.ERROR_HIGH) -> Alert:
    return Alert("alert-1", kind, "", state, period)


def test_two_bad_months_in_a_row_open_an_alert(thresholds: dict[AlertKind, Threshold]) -> None:
    assert judged(months([0.09, 0.13]), thresholds) == ()
    opened = judged(months([0.09, 0.13, 0.131]), thresholds, cause="Price level: 2.5 points.")
    assert [one.state for one in opened] == [AlertState.OPEN]
    one = opened[0]
    assert (one.since, one.period, one.value, one.limit, one.n) == ("2024-02", "2024-03", 0.131, 0.12, 120)
    figures = {"since": "2024-02", "period": "2024-03", "n": 120, "value": 0.131, "measure": 0.131, "limit": 0.12}
    assert one.reading == pytest.approx({**figures, "low": 0.121, "high": 0.141})
    assert one.words == (
        "The mean error (MAPE) was 13.1% in Mar 2024 (12.1% to 14.1%, 120 sales), beyond the alert limit of 12%, "
        "2 periods in a row since Feb 2024. Cause: Price level: 2.5 points. Next: see the root cause, retrain with the "
        "latest sales and compare the challenger."
    )


def test_the_same_periods_again_change_nothing(thresholds: dict[AlertKind, Threshold]) -> None:
    readings = months([0.13, 0.13])
    assert judged(readings, thresholds) == judged(readings, thresholds)
    assert judged(readings, thresholds, (standing(AlertState.OPEN),)) == ()


@pytest.mark.parametrize("state", [AlertState.OPEN, AlertState.ACKNOWLEDGED])
def test_two_good_months_below_the_band_resolve_it(thresholds: dict[AlertKind, Threshold], state: AlertState) -> None:
    alert = (standing(state),)
    for after in ([0.107], [0.107, 0.11], [0.11, 0.107], [0.119, 0.119, 0.119], [0.107, 0.13], [0.13, 0.13]):
        assert judged(months([0.13, 0.13, *after]), thresholds, alert) == ()
    resolved = judged(months([0.13, 0.13, 0.13, 0.107, 0.1]), thresholds, alert)
    assert [(one.alert_id, one.state) for one in resolved] == [("alert-1", AlertState.RESOLVED)]
    assert resolved[0].words == (
        "Resolved: The mean error (MAPE) was 10.0% in May 2024 (9.0% to 11.0%, 120 sales), within the alert limit of "
        "12%, the 2 periods since Apr 2024 are all within it."
    )


def test_what_a_person_resolved_opens_on_new_periods_alone(thresholds: dict[AlertKind, Threshold]) -> None:
    alert = (standing(AlertState.RESOLVED, "2024-03"),)
    assert judged(months([0.13, 0.13, 0.13]), thresholds, alert) == ()
    assert judged(months([0.13, 0.13, 0.13, 0.14]), thresholds, alert) == ()
    [opened] = judged(months([0.1, *[0.13] * 4]), thresholds, alert)
    # It opens on new months alone, and says since when all of them in a row missed.
    assert (opened.since, opened.period) == ("2024-02", "2024-05")
    assert opened.summary.endswith("4 periods in a row since Feb 2024.")


def test_thin_months_neither_open_nor_break_a_row(thresholds: dict[AlertKind, Threshold]) -> None:
    thin = months([0.5, 0.5, 0.5], n=49)
    assert judged(thin, thresholds) == ()
    readings = months([0.13, 0.02, 0.13])
    readings[1] = replace(readings[1], n=10)
    assert [one.state for one in judged(readings, thresholds)] == [AlertState.OPEN]


def test_months_in_the_future_and_the_present_one_do_not_count(thresholds: dict[AlertKind, Threshold]) -> None:
    readings = months([0.13, 0.13])
    assert judged(readings, thresholds, now=datetime(2024, 1, 20, tzinfo=UTC)) == ()
    assert judged(readings, thresholds, now=datetime(2024, 2, 20, tzinfo=UTC)) == ()
    assert len(judged(readings, thresholds, now=datetime(2024, 3, 1, tzinfo=UTC))) == 1


def test_readings_come_in_any_order_and_figures_that_are_missing_are_none(
    thresholds: dict[AlertKind, Threshold],
) -> None:
    readings = months([0.09, NAN, 0.13, 0.13])
    assert judged(readings[::-1], thresholds) == judged(readings, thresholds)
    assert judged(months([0.13, NAN]), thresholds) == ()


@given(
    st.lists(st.floats(0.13, 0.5), min_size=1, max_size=20), st.lists(st.floats(0.0, 0.12), min_size=20, max_size=20)
)
@settings(max_examples=50)
def test_good_and_bad_in_turns_never_open(
    thresholds: dict[AlertKind, Threshold], bad: list[float], good: list[float]
) -> None:
    readings = months([value for pair in zip(bad, good, strict=False) for value in pair])
    assert replayed(readings, thresholds) == []


@given(st.lists(st.floats(0.1081, 0.30), min_size=2, max_size=40))
@settings(max_examples=50)
def test_noise_within_the_band_or_above_never_closes_what_opened(
    thresholds: dict[AlertKind, Threshold], values: list[float]
) -> None:
    assert len(replayed(months(values), thresholds)) <= 1


def test_noise_around_the_limit_hardly_changes_anything(thresholds: dict[AlertKind, Threshold]) -> None:
    rng = np.random.default_rng(1)
    changes = [len(replayed(months(list(rng.normal(0.12, 0.01, 48))), thresholds)) for _ in range(30)]
    # Four years of months at the very limit; a plain limit would change state 24 times.
    assert np.mean(changes) <= 4
    assert max(changes) <= 10


def test_volume_is_held_against_the_median_of_earlier_periods(thresholds: dict[AlertKind, Threshold]) -> None:
    kind = AlertKind.VOLUME_DOWN
    assert judged(months([200, 210, 190, 205, 90, 80], kind), thresholds)[0].words.startswith(
        "80 estimates in Jun 2024 are 60% below the usual 200, beyond a drop of 50%, 2 periods in a row since May"
    )
    assert judged(months([200, 210, 190, 205, 90, 120], kind), thresholds) == ()
    # Nothing at all is a reading too; a few estimates, or a short past, have no usual volume.
    assert len(judged(months([200, 210, 190, 0, 0], kind), thresholds)) == 1
    assert judged(months([40, 40, 40, 40, 0, 0], kind), thresholds) == ()
    assert judged(months([200, 210, 0, 0], kind), thresholds) == ()


@pytest.mark.parametrize(
    ("kind", "bad", "good"),
    [
        (AlertKind.COVERAGE_OFF, 0.70, 0.79),
        (AlertKind.COVERAGE_OFF, 0.90, 0.80),
        (AlertKind.LEVEL_DRIFT, -0.08, -0.03),
        (AlertKind.LEVEL_DRIFT, 0.08, 0.0),
        (AlertKind.FEATURE_DRIFT, 2.0, 0.0),
        (AlertKind.SLOW, 1_200.0, 400.0),
        (AlertKind.TARGET_MISSED, 0.105, 0.08),
        (AlertKind.LEDGER_FAILURES, 1.0, 0.0),
        (AlertKind.RETRAINING_OVERDUE, 92.0, 3.0),
    ],
)
def test_every_kind_opens_and_is_resolved(
    thresholds: dict[AlertKind, Threshold], kind: AlertKind, bad: float, good: float
) -> None:
    history = replayed(months([good, good, good, bad, bad, bad, good, good, good], kind), thresholds)
    assert [one.state for one in history] == [AlertState.OPEN, AlertState.RESOLVED]
    assert "Next: " in history[0].words
    assert history[0].action in history[0].words
    assert "beyond" in history[0].words
    assert "within" in history[1].words


@pytest.mark.parametrize("kind", [AlertKind.LEDGER_FAILURES, AlertKind.RETRAINING_OVERDUE])
def test_where_one_period_is_enough_it_speaks_before_it_is_over(
    thresholds: dict[AlertKind, Threshold], kind: AlertKind
) -> None:
    now = datetime(2024, 1, 20, tzinfo=UTC)
    assert len(judged(months([100.0], kind, n=0), thresholds, now=now)) == 1
    # And clears within it, but is not opened again in it after a person resolved it.
    there = (standing(AlertState.OPEN, "2024-01", kind),)
    assert len(judged(months([0.0], kind, n=0), thresholds, there, now)) == 1
    gone = (standing(AlertState.RESOLVED, "2024-01", kind),)
    assert judged(months([100.0], kind, n=0), thresholds, gone, now) == ()


@pytest.mark.parametrize(("kind", "value"), [(AlertKind.COVERAGE_OFF, 0.70), (AlertKind.LEVEL_DRIFT, -0.08)])
def test_a_figure_whose_interval_holds_the_expected_value_is_no_evidence(
    thresholds: dict[AlertKind, Threshold], kind: AlertKind, value: float
) -> None:
    unsure = [replace(one, low=value - 0.12, high=value + 0.12) for one in months([value] * 3, kind)]
    assert judged(unsure, thresholds) == ()
    assert judged([replace(one, low=NAN, high=NAN) for one in unsure], thresholds) == ()
    sure = months([value] * 4, kind)
    closed = replayed([*sure[:2], *(replace(one, low=value - 0.12, high=value + 0.12) for one in sure[2:])], thresholds)
    assert "though chance may explain it; none of the" in closed[1].words
    assert "within" not in closed[1].words


def test_segments_have_alerts_of_their_own(thresholds: dict[AlertKind, Threshold]) -> None:
    whole, part = months([0.09, 0.09]), [replace(one, segment="condo") for one in months([0.14, 0.14])]
    assert [one.segment for one in judged([*whole, *part], thresholds)] == ["condo"]
    assert "The mean error (MAPE) of condo was 14.0%" in judged(part, thresholds)[0].words


def test_a_promotion_settles_what_was_of_the_old_model(thresholds: dict[AlertKind, Threshold]) -> None:
    alerts = [standing(AlertState.ACKNOWLEDGED), standing(AlertState.OPEN, kind=AlertKind.SLOW)]
    alerts.append(standing(AlertState.RESOLVED, kind=AlertKind.LEVEL_DRIFT))
    window: Window = later(JANUARY)
    settled = settled_by_promotion(alerts, "abc123", window)
    assert [(one.kind, one.state) for one in settled] == [(AlertKind.ERROR_HIGH, AlertState.RESOLVED)]
    assert "abc123" in settled[0].words
    assert settled[0].reading["value"] is None


def test_every_kind_has_a_threshold_of_the_problem_statement(problem: Problem) -> None:
    found = thresholds_of(problem, {})
    assert set(found) == set(AlertKind)
    assert found[AlertKind.ERROR_HIGH].value == 0.12
    assert found[AlertKind.TARGET_MISSED].value == 0.10
    assert found[AlertKind.VOLUME_DOWN].value == 0.50
    assert found[AlertKind.SLOW].value == 1_000
    assert all(one.why for one in found.values())


def test_a_manager_may_change_a_threshold_within_its_bounds(problem: Problem) -> None:
    changed = thresholds_of(problem, {"error_high": 0.15})
    assert changed[AlertKind.ERROR_HIGH].value == 0.15
    assert judged(months([0.13, 0.13]), changed) == ()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("error_high", 12.0, r"The limit of “Error too high” = 1,200% must lie between 2% and 50%"),
        ("error_high", NAN, "must lie between"),
        ("slow", 1.0, r"The limit of “Slow answers” = 1 ms must lie between 50 ms and 60,000 ms"),
        ("ledger_failures", 0.5, "must be a whole number"),
        ("retraining_overdue", -1.0, "must lie between 7 days"),
        ("mood", 1.0, "Threshold 'mood' is unknown; choose one of error_high"),
    ],
)
def test_a_threshold_out_of_bounds_is_refused(problem: Problem, name: str, value: float, message: str) -> None:
    with pytest.raises(InvalidThreshold, match=message):
        thresholds_of(problem, {name: value})


def test_a_threshold_that_could_never_be_met_is_refused(thresholds: dict[AlertKind, Threshold]) -> None:
    with pytest.raises(InvalidThreshold, match="periods = 0"):
        replace(thresholds[AlertKind.SLOW], periods=0)


def test_when_an_alert_opens_is_said_of_each_kind(problem: Problem) -> None:
    words = opening_words(problem)
    assert words.startswith("An alert opens after 2 months in a row beyond its limit")
    assert words.endswith("at once: Ledger failures, Retraining overdue, Live model not verified.")


def test_an_alert_writes_days_as_the_market_does(problem: Problem) -> None:
    today = window_of(date(2025, 7, 1), Period.DAY)
    old = Reading(AlertKind.RETRAINING_OVERDUE, "", today, 181.0, NAN, NAN, 1)
    for currency, day in (("USD", "Jul 1, 2025"), ("EUR", "1 Jul 2025")):
        [opened] = judge_alerts([old], thresholds_of(problem, {}, currency), [], datetime(2025, 7, 1, 9, tzinfo=UTC))
        assert f"181 days old (on {day})" in opened.summary
