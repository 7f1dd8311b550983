"""The log: one line per event on standard error, as text or JSON, with the request's id and without secrets."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pythonjsonlogger.json import JsonFormatter

from core.collect.privacy.patterns import EMAIL
from core.errors import WrongUsage

LEVEL: Final = "DOORSTEP_LOG_LEVEL"
FORM: Final = "DOORSTEP_LOG_FORMAT"

REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""The id of the request that is being answered, "" outside of requests."""

_LEVELS: Final = ("debug", "info", "warning", "error")
_TEXT: Final = "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"
_JSON: Final = "%(levelname)s %(name)s %(request_id)s %(message)s"
# Libraries that report every step at the level info.
_TALKATIVE: Final = ("apscheduler", "alembic", "asyncio", "matplotlib", "urllib3", "watchdog", "botocore", "s3fs")
_MASKED: Final = (
    # An API key keeps its id, which is no secret.
    (re.compile(r"\b(dsk_[A-Za-z0-9]+_)[A-Za-z0-9_-]+"), r"\1***"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)(?!dsk_)[A-Za-z0-9._~+/=-]{8,}"), r"\1***"),
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+@"), r"\1***@"),
)
# What was masked before is no address.
_ADDRESS: Final = re.compile(rf"(?!\*){EMAIL}")


class Form(StrEnum):
    """The form of a line."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class LogSettings:
    """Which events are written, and how; ``level`` is a name of ``logging``, in capitals."""

    level: str = "INFO"
    form: Form = Form.TEXT


def read_log_settings(environment: Mapping[str, str], level: str = "info") -> LogSettings:
    """Return the settings of the environment, with ``level`` where it names none; raises WrongUsage."""
    level, form = environment.get(LEVEL) or level, environment.get(FORM) or Form.TEXT.value
    if level.casefold() not in _LEVELS:
        raise WrongUsage(f"{LEVEL} = {level!r} is not a level; choose from {', '.join(_LEVELS)}, or unset it.")
    if form not in [one.value for one in Form]:
        raise WrongUsage(f"{FORM} = {form!r} is neither text nor json; correct it, or unset it.")
    return LogSettings(level.upper(), Form(form))


def start_logging(level: str = "info") -> None:
    """Write this process's log to standard error, as its environment asks; raises WrongUsage.

    ``level`` holds where the environment names none.
    """
    settings = read_log_settings(os.environ, level)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter_of(settings.form))
    handler.addFilter(_add_request_id)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def formatter_of(form: Form) -> logging.Formatter:
    """Return the formatter of a form."""
    if form is Form.TEXT:
        return _Text(_TEXT)
    return _Json(_JSON, rename_fields={"levelname": "level", "name": "logger"}, timestamp="at")


def masked(text: str) -> str:
    """Return the text without keys, passwords in addresses, and e-mail addresses."""
    for pattern, put in _MASKED:
        text = pattern.sub(put, text)
    return _ADDRESS.sub("***@***", text) if "@" in text else text


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class _Json(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = REQUEST_ID.get() or "-"
    return True
