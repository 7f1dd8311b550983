"""Why a home has no price."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNAVAILABLE: Final = "Price estimate unavailable. Use comparative market analysis instead."


class UnavailableKind(StrEnum):
    """Which condition of a price is not met, as the ledger records it."""

    NOT_KNOWN = "not known"
    NO_MODEL = "no model"
    FACTS = "facts or place"
    UNLIKE = "unlike all homes sold"
    DATE = "valuation date"
    SCOPE = "outside the signed scope"
    RANGE = "range too wide"


@dataclass(frozen=True)
class Unavailable:
    """No estimate: ``message`` is the general advice, ``reason`` the cause, ``remedy`` what would help.

    ``missing`` names the facts not given without which there is no price, LOCATION for the place; ``field`` is the fact
    by which the home is unlike all homes sold, or outside the signed scope. ``kind`` is NOT_KNOWN in an answer stored
    by an earlier release.
    """

    reason: str
    remedy: str
    message: str = UNAVAILABLE
    kind: UnavailableKind = UnavailableKind.NOT_KNOWN
    missing: tuple[str, ...] = ()
    field: str = ""
