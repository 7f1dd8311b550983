"""Reads the values of options: each reader says what form it expects, and no check loads a modeling library."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from datetime import date
from typing import Final

from core.states import Family

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WEEK_IN_MINUTES: Final = 7 * 24 * 60
_QUOTED_MAX: Final = 60


def calendar_day(text: str) -> date:
    """Read a day written YYYY-MM-DD."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{quoted(text)} is not a day; write it as YYYY-MM-DD, such as 2025-01-31")


def minutes(text: str) -> float:
    """Read a length of time in minutes, above 0 and at most a week."""
    value = number(text)
    if not 0 < value <= _WEEK_IN_MINUTES:
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} minutes must be above 0 and at most a week ({_WEEK_IN_MINUTES:,})"
        )
    return value


def number(text: str) -> float:
    """Read a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a number; write digits, such as 90 or 0.5")
    return value


def whole_number(low: int | None = None, high: int | None = None) -> Callable[[str], int]:
    """Return a reader of whole numbers from ``low`` to ``high``, both inclusive; None means no bound."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
            raise argparse.ArgumentTypeError(f"{quoted(text)} is not a whole number; write digits only, such as 12")
        value = int(text)
        if (low is not None and value < low) or (high is not None and value > high):
            bounds = f"at least {low:,}" if high is None else f"from {low:,} to {high:,}"
            raise argparse.ArgumentTypeError(f"{value:,} is out of bounds; give a number {bounds}")
        return value

    return read


def family(text: str) -> str:
    """Read the name of a model family."""
    names = [one.value for one in Family]
    if text not in names:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a model family; choose one of: {', '.join(names)}")
    return text


def range_level(text: str) -> float:
    """Read one of the range levels of the problem statement."""
    from core.problem import load_problem

    levels = load_problem().estimate.levels
    level = {str(level): level for level in levels}.get(text.rstrip("0"))
    if level is None:
        names = ", ".join(map(str, levels))
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a range level; choose one of: {names}")
    return level


def fact(text: str) -> tuple[str, str]:
    """Read a fact written FIELD=VALUE."""
    name, mark, value = text.partition("=")
    if not mark or not name.strip():
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a fact; write it as field=value, such as bedrooms=3")
    return name.strip(), value


def quoted(text: str) -> str:
    """Quote what was typed, only its beginning if it is long."""
    return repr(text if len(text) <= _QUOTED_MAX else f"{text[: _QUOTED_MAX - 1]}…")
