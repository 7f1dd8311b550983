"""Open alerts of drift flag the homes they concern, and no others."""

from __future__ import annotations

from datetime import date

import pytest

from core.serve.flags import drift_flags
from core.serve.review.flag import DriftNotice, FlagKind, Severity
from core.serve.subject import Subject

ALL = DriftNotice("", Severity.REVIEW, "price level", "8.0% below", "5.0%", "Check it.")
CONDOS = DriftNotice("condo", Severity.REVIEW, "price level", "9.0% below", "5.0%", "Check it.")


@pytest.mark.parametrize(("kind", "values"), [("condo", ["8.0% below", "9.0% below"]), ("townhouse", ["8.0% below"])])
def test_an_alert_on_one_property_type_flags_that_type_only(kind: str, values: list[str]) -> None:
    flags = list(drift_flags(Subject({"property_type": kind}, date(2025, 6, 1)), (ALL, CONDOS)))
    assert [one.value for one in flags] == values
    assert {(one.kind, one.severity, one.limit, one.action) for one in flags} == {
        (FlagKind.DRIFT_ALERT, Severity.REVIEW, "5.0%", "Check it.")
    }


def test_a_home_of_unknown_type_is_flagged_by_alerts_on_all_homes_only() -> None:
    assert [one.value for one in drift_flags(Subject({}, date(2025, 6, 1)), (ALL, CONDOS))] == ["8.0% below"]
