"""The rules of alerts: one for each kind, and what follows from them."""

from __future__ import annotations

import pytest

from core.monitor.alerts import thresholds_of
from core.monitor.rules import RULE_OF, RULES, AlertKind, AlertRule
from core.problem import Problem
from core.workflows import worker
from core.workflows.monitoring import alerts as workflow
from pages.views.monitoring import words


def test_each_kind_has_exactly_one_rule() -> None:
    assert sorted(rule.kind for rule in RULES) == sorted(AlertKind)
    assert {*RULE_OF} == {*AlertKind}


def test_every_kind_has_a_threshold_from_the_problem_statement(problem: Problem) -> None:
    limits = thresholds_of(problem, {})
    assert {*limits} == {*AlertKind}
    assert limits[AlertKind.ERROR_HIGH].value == problem.monitoring.alert_mape
    assert limits[AlertKind.COVERAGE_OFF].centre == problem.estimate.level
    assert limits[AlertKind.LEDGER_FAILURES].periods == 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind.value)
def test_a_rule_says_what_an_agent_or_manager_reads(rule: AlertRule) -> None:
    assert rule.title
    assert rule.title[0].isupper()
    assert rule.action.endswith(".")
    assert rule.why
    assert rule.low < rule.high
    assert "{}" in rule.beyond


def test_training_is_called_for_by_alerts_on_the_model_that_are_no_matter_of_the_calendar_or_of_its_file() -> None:
    expected = {"error_high", "target_missed", "coverage_off", "level_drift", "feature_drift"}
    assert expected == worker._CALLS_FOR_TRAINING == words.CAUSED
    assert expected | {"retraining_overdue", "model_unverified"} == {
        rule.kind.value for rule in RULES if rule.of_the_model
    }
    assert {kind.value for kind in workflow._EXPLAINED} == expected - {"feature_drift", "coverage_off"}


def test_pages_name_the_kinds_in_the_order_in_which_they_are_dealt_with() -> None:
    assert list(words.KINDS) == [kind.value for kind in AlertKind]
