"""Checks on estimates and decisions before they enter the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from core.access import Actor
from core.errors import InvalidRecord
from core.store.base.tables import now
from core.store.base.values import plain_text

ID_BYTES: Final = 8


def signature(actor: Actor, at: datetime) -> dict[str, Any]:
    """Return who signs the entry and when, as columns of the ledger."""
    return {
        "at": at,
        "actor": plain_text(actor.name),
        "role": plain_text(actor.role),
        "office": plain_text(actor.office),
    }


def number_or_none(value: Any, where: str) -> float | None:
    """Return a number as a float; raises InvalidRecord if the value is neither a number nor None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidRecord(f"{where} is {value!r}, which is not a number; give a number, or None if it is unknown.")
    return float(value)


def check_choice(value: str, choices: Sequence[str], what: str) -> None:
    """Raise InvalidRecord unless the value is one of the choices."""
    if value not in choices:
        raise InvalidRecord(f"The {what} {value!r} is unknown; use one of {', '.join(map(repr, choices))}.")


def check_price(value: float | None, what: str) -> None:
    """Raise InvalidRecord for a price of zero or less; None passes."""
    if value is not None and value <= 0:
        raise InvalidRecord(f"The {what} {value} is not above zero; correct it, or leave it out.")


def past_instant(at: datetime) -> datetime:
    """Return the instant; raises InvalidRecord if it is in the future or has no time zone."""
    if at.tzinfo is None or at > now():
        raise InvalidRecord(f"{at} is in the future or has no time zone; give one such as 2024-02-29 13:00 UTC.")
    return at
