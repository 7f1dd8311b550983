"""States that are stored, shown and compared, and the names of audited actions, each defined once as stored."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class AlertState(StrEnum):
    """The state of an alert; acknowledged means that a person has seen it and is handling it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class JobState(StrEnum):
    """The state of a job; done, failed and cancelled are final."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """What a registered model is to its market; the champion is the live model.

    A rejected model is not offered for promotion. The database keeps the stage it had before beside its rejection.
    """

    CANDIDATE = "candidate"
    CHALLENGER = "challenger"
    CHAMPION = "champion"
    RETIRED = "retired"
    REJECTED = "rejected"


class Undecided(StrEnum):
    """What becomes of a challenger that nobody has decided on when a newer one is trained.

    It is replaced where a person trains and knows it; where no person looks on, it is kept, and the newer one stands
    beside it.
    """

    REPLACED = "replaced"
    KEPT = "kept"


class Family(StrEnum):
    """The families of models a training run compares."""

    LINEAR = "linear baseline"
    TREE = "decision tree"
    FOREST = "random forest"
    BOOSTING = "gradient boosting"
    BLEND = "blended boosting"


class Period(StrEnum):
    """The length of a window of monitoring figures."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Doubt(StrEnum):
    """What may be wrong with a sale."""

    PRICE_DIGIT = "price_digit"
    AREA_UNIT = "area_unit"
    AREAS_SWAPPED = "areas_swapped"
    PACKAGE = "package_sale"
    PART_SHARE = "part_share"
    NON_MARKET = "maybe_non_market"
    FAR = "far_from_usual"


class SaleDecision(StrEnum):
    """What a person decides on a doubtful sale; taken back, the sale is as it was before anybody decided."""

    KEEP = "keep"
    SET_ASIDE = "set_aside"
    CORRECT = "correct"
    TAKEN_BACK = "taken_back"


class ListingState(StrEnum):
    """Where a listing stands: what its estimate, the latest decision and the sale make of it."""

    UNPRICED = "unpriced"
    SUGGESTED = "suggested"
    ACCEPTED = "accepted"
    ADJUSTED = "adjusted"
    OVERRIDDEN = "overridden"
    SOLD = "sold"


class EstimateState(StrEnum):
    """What became of an estimate: its decision that counts, a decision to come, or no price to decide on.

    Open is the latest price on the page that its actor has of a home, while it has no decision. Rows of files, answers
    to programs and prices that were followed by another of the same home wait for none.
    """

    OPEN = "open"
    ACCEPTED = "accept"
    ADJUSTED = "adjust"
    OVERRIDDEN = "override"
    NO_PRICE = "no price"


class Group(StrEnum):
    """What an office is to a pilot; "everyone" stands for all offices that a rollout does not name."""

    PILOT = "pilot"
    CONTROL = "control"
    EVERYONE = "everyone"


class RolloutChange(StrEnum):
    """What a change did to a market's rollout; taken back, it is as it was before the change."""

    STARTED = "started"
    WIDENED = "widened"
    STOPPED = "stopped"
    TAKEN_BACK = "taken_back"


class ProfileKind(StrEnum):
    """Whose profile it is; that of the company holds what sellers are shown."""

    PERSON = "person"
    OFFICE = "office"
    COMPANY = "company"


class FeedbackVerdict(StrEnum):
    """What a person says about an estimate."""

    USEFUL = "useful"
    TOO_HIGH = "too_high"
    TOO_LOW = "too_low"
    WRONG_FACTS = "wrong_facts"


class AuditAction(StrEnum):
    """What was done, according to an audit trail entry."""

    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    ALERT_JUDGED = "alert.judged"
    ALERT_OPENED = "alert.opened"
    ALERT_REOPENED = "alert.reopened"
    ALERT_RESOLVED = "alert.resolved"
    ALERT_UNACKNOWLEDGED = "alert.unacknowledged"
    COLUMN_NAMED = "column.named"
    DECISION_MADE = "decision.made"
    DECISION_TAKEN_BACK = "decision.taken_back"
    DECISIONS_SIMULATED = "decisions.simulated"
    FEEDBACK_GIVEN = "feedback.given"
    GATE_JUDGED = "gate.judged"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    LEDGER_CAUGHT_UP = "ledger.caught_up"
    LEDGER_EXPORTED = "ledger.exported"
    LEVEL_ADDED = "level.added"
    LISTING_CREATED = "listing.created"
    LISTING_SOLD = "listing.sold"
    MARKET_CREATED = "market.created"
    MARKET_TERMS_CHANGED = "market.terms_changed"
    MATCH_ANSWERED = "match.answered"
    MODEL_ADDED = "model.added"
    MODEL_CHALLENGED = "model.challenged"
    MODEL_PROMOTED = "model.promoted"
    MODEL_REINSTATED = "model.reinstated"
    MODEL_REJECTED = "model.rejected"
    MODEL_ROLLED_BACK = "model.rolled_back"
    MODEL_SET_BESIDE = "model.set_beside"
    MODEL_SIGNED = "model.signed"
    OUTCOME_CORRECTED = "outcome.corrected"
    OUTCOMES_RECORDED = "outcomes.recorded"
    PRESET_REPLACED = "preset.replaced"
    PRESET_SAVED = "preset.saved"
    PROFILE_CHANGED = "profile.changed"
    PROFILE_RESTORED = "profile.restored"
    RETRAINING_STARTED = "retraining.started"
    ROLLOUT_ENDED = "rollout.ended"
    ROLLOUT_STARTED = "rollout.started"
    ROLLOUT_STOPPED = "rollout.stopped"
    ROLLOUT_TAKEN_BACK = "rollout.taken_back"
    ROLLOUT_WIDENED = "rollout.widened"
    SALE_DECIDED = "sale.decided"
    SALE_DECISION_TAKEN_BACK = "sale.decision_taken_back"
    SCOPE_SIGNED = "scope.signed"
    SCOPE_WITHDRAWN = "scope.withdrawn"
    SELLER_FIGURES_CHANGED = "seller_figures.changed"
    SIGNED_IN = "signed.in"
    SIGNED_OUT = "signed.out"
    TEST_OPENED = "test.opened"
    THRESHOLD_CHANGED = "threshold.changed"
    THRESHOLD_RESET = "threshold.reset"
    TRAIL_EXPORTED = "trail.exported"
    VERSION_COMMITTED = "version.committed"
    VERSION_RESTORED = "version.restored"
    VERSION_UNDONE = "version.undone"


SIGNING: Final = (AuditAction.SCOPE_SIGNED, AuditAction.SCOPE_WITHDRAWN)
"""The deeds that decide which signature of a scope is in force."""
