"""A review flag: its kinds, the gravest first, and what it says of a home or its estimate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """Whether a person must review the estimate or only needs to know."""

    REVIEW = "review"
    NOTE = "note"


class FlagKind(StrEnum):
    """The reasons for a flag: what is the matter with this home and its price first, then with the market's model."""

    PLACES_DISAGREE = "area and coordinates disagree"
    HALF_PLACE = "half of the coordinates"
    PARTS_DISAGREE = "parts of the area do not add up"
    OWN_SALE_FAR = "own sale far from the estimate"
    PRICE_OUT_OF_SCOPE = "price out of scope"
    PRICE_UNTESTED = "price beyond the tests"
    LEFT_OUT_OF_SCOPE = "left out of the scope"
    UNUSUAL_TYPE = "unusual type"
    UNUSUAL_ZONING = "unusual zoning"
    MULTI_UNIT = "multi-unit"
    IMPUTED_FACT = "imputed fact"
    UNKNOWN_CATEGORY = "unknown category"
    OUT_OF_DISTRIBUTION = "out of distribution"
    FEW_COMPARABLES = "few comparables"
    PRICE_UNPROVEN = "accuracy at this price not shown"
    WIDE_RANGE = "wide range"
    LOW_CONFIDENCE = "low confidence"
    COMPARABLES_DISAGREE = "comparables disagree"
    FACT_NOT_USED = "fact not used"
    NOTHING_PROPOSED = "no prices proposed"
    STALE_MODEL = "stale model"
    RANGE_HELD_LESS = "range held less than promised"
    TARGET_MISSED = "error above the target"
    DRIFT_ALERT = "drift alert open"
    MODEL_UNVERIFIED = "live model not verified"
    MODEL_OUTDATED = "live model of another release"
    SOLD_SOON = "sold within 18 months"


@dataclass(frozen=True)
class Flag:
    """One thing to check: the field, its value, the limit it crosses and what to do, in words."""

    kind: FlagKind
    severity: Severity
    field: str
    value: str
    limit: str
    action: str


@dataclass(frozen=True)
class DriftNotice:
    """An open alert that concerns estimates, such as that the market has moved away from the model.

    ``property_type`` is the type it is about, "" for all homes; ``severity`` is its flag's. The other fields are the
    flag's text.
    """

    property_type: str
    severity: Severity
    field: str
    value: str
    limit: str
    action: str
    kind: FlagKind = FlagKind.DRIFT_ALERT


GRAVITY: Final = {kind: place for place, kind in enumerate(FlagKind)}
"""The place of each kind where only a few flags are shown, the gravest first."""
