"""The log: its form, its level, and what never stands in it."""

from __future__ import annotations

import json
import logging

import pytest

from core.errors import WrongUsage
from core.workflows.operations.logs import (
    REQUEST_ID,
    Form,
    LogSettings,
    formatter_of,
    masked,
    read_log_settings,
    start_logging,
)


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("doorstep.api", logging.INFO, __file__, 1, message, (), None)
    made.request_id = "r-1"
    vars(made).update(fields)
    return made


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("key dsk_4f2a_9QhZ-x_y7 was sent", "key dsk_4f2a_*** was sent"),
        ("Authorization: Bearer eyJhbGciOi.abc", "Authorization: Bearer ***"),
        ("postgresql://desk:s3cret@db.internal:5432/x", "postgresql://desk:***@db.internal:5432/x"),
        ("row 7: owner ann.lee@example.com", "row 7: owner ***@***"),
        ("nothing to hide: 98103, 1,680 sq ft", "nothing to hide: 98103, 1,680 sq ft"),
    ],
)
def test_keys_passwords_and_addresses_never_stand_in_the_log(text: str, left: str) -> None:
    assert masked(text) == left
    for form in Form:
        assert masked(text) in formatter_of(form).format(record(text))


def test_what_an_error_carries_is_masked_too() -> None:
    try:
        raise ValueError("postgresql://desk:s3cret@db/x")
    except ValueError as error:
        made = record("failed")
        made.exc_info = (ValueError, error, error.__traceback__)
    for form in Form:
        line = formatter_of(form).format(made)
        assert "s3cret" not in line
        assert "ValueError" in line


def test_a_line_of_json_has_the_request_and_its_figures() -> None:
    line = json.loads(formatter_of(Form.JSON).format(record("GET /ready", status=200, milliseconds=1.5)))
    assert line["at"]
    assert {name: line[name] for name in ("level", "logger", "request_id", "message", "status", "milliseconds")} == {
        "level": "INFO",
        "logger": "doorstep.api",
        "request_id": "r-1",
        "message": "GET /ready",
        "status": 200,
        "milliseconds": 1.5,
    }


def test_level_and_form_come_from_the_environment() -> None:
    assert read_log_settings({}) == LogSettings("INFO", Form.TEXT)
    assert read_log_settings({}, "warning") == LogSettings("WARNING", Form.TEXT)
    given = {"DOORSTEP_LOG_LEVEL": "Debug", "DOORSTEP_LOG_FORMAT": "json"}
    assert read_log_settings(given, "warning") == LogSettings("DEBUG", Form.JSON)


@pytest.mark.parametrize("wrong", [{"DOORSTEP_LOG_LEVEL": "loud"}, {"DOORSTEP_LOG_FORMAT": "xml"}])
def test_a_setting_that_makes_no_sense_is_refused_by_name(wrong: dict[str, str]) -> None:
    with pytest.raises(WrongUsage, match=next(iter(wrong))):
        read_log_settings(wrong)


def test_a_line_names_the_request_that_is_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "level", logging.INFO)
    start_logging()
    outer = REQUEST_ID.set("mls-77")
    logging.getLogger("doorstep.test").info("priced")
    REQUEST_ID.reset(outer)
    logging.getLogger("doorstep.test").info("idle")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("INFO doorstep.test mls-77 priced")
    assert second.endswith("INFO doorstep.test - idle")
