"""Feedback on an estimate: useful, too high, too low or on wrong facts, with a note without persons."""

from __future__ import annotations

from typing import Any, Final

from core.access import Action, require_office
from core.collect.privacy.cutting import without_persons_in_note
from core.errors import InvalidFeedback
from core.states import FeedbackVerdict
from core.store import EstimateRecord
from core.store.base.values import plain_document
from core.store.ledger.feedback import FeedbackRecord, counting, person_of
from core.workspace import Workspace

LABELS: Final = {
    FeedbackVerdict.USEFUL: "Useful",
    FeedbackVerdict.TOO_HIGH: "Too high",
    FeedbackVerdict.TOO_LOW: "Too low",
    FeedbackVerdict.WRONG_FACTS: "Wrong facts",
}
"""The verdicts in words."""

_OF_A_PRICE: Final = frozenset({FeedbackVerdict.TOO_HIGH, FeedbackVerdict.TOO_LOW})


def verdicts_on(priced: bool) -> tuple[FeedbackVerdict, ...]:
    """Return the verdicts that fit an estimate: without a price, it cannot be too high or too low."""
    return tuple(one for one in FeedbackVerdict if priced or one not in _OF_A_PRICE)


def give_feedback(workspace: Workspace, estimate_id: str, verdict: FeedbackVerdict, note: str = "") -> FeedbackRecord:
    """Record the actor's feedback on an estimate; it replaces their earlier feedback, which is kept.

    Names, phones, e-mail addresses and the like are cut out of the note before it is stored. Raises AccessDenied, also
    for another office's estimate, NotFound, InvalidFeedback for too long a note or a price that there is none of,
    StoreUnavailable.
    """
    workspace.require(Action.FEEDBACK)
    estimate = _estimate(workspace, estimate_id)
    limit, text = workspace.problem.decisions.note_chars, " ".join(note.split())
    if len(text) > limit:
        raise InvalidFeedback(f"The note has {len(text):,} characters; at most {limit:,} are allowed.", "note")
    if verdict not in verdicts_on(estimate.status == "priced"):
        raise InvalidFeedback(
            f"Estimate {estimate_id} has no price that could be {LABELS[verdict].lower()}; choose another verdict.",
            "verdict",
        )
    return workspace.store.feedback.give(estimate_id, verdict, without_persons_in_note(text), workspace.actor)


def feedback_on(workspace: Workspace, estimate_id: str) -> list[FeedbackRecord]:
    """Return all feedback on an estimate, newest first; raises AccessDenied, also for another office's, NotFound."""
    workspace.require(Action.PRICE)
    _estimate(workspace, estimate_id)
    return workspace.store.feedback.of(estimate_id)


def own_feedback(workspace: Workspace, estimate_id: str) -> FeedbackRecord | None:
    """Return what the actor says about an estimate, None if nothing; raises as feedback_on does."""
    person = person_of(workspace.actor)
    return next((one for one in feedback_on(workspace, estimate_id) if one.actor_id == person), None)


def feedback_forms(records: list[FeedbackRecord]) -> list[dict[str, Any]]:
    """Return feedback, newest first, as JSON values; ``counts`` is false for what its giver has replaced."""
    counted = {one.feedback_id for one in counting(records)}
    return [
        plain_document(
            {
                "feedback_id": one.feedback_id,
                "estimate_id": one.estimate_id,
                "verdict": one.verdict,
                "note": one.note,
                "at": one.at,
                "actor": one.actor,
                "office": one.office or None,
                "counts": one.feedback_id in counted,
            },
            "feedback",
        )
        for one in records
    ]


def _estimate(workspace: Workspace, estimate_id: str) -> EstimateRecord:
    estimate = workspace.store.ledger.get(estimate_id)
    require_office(workspace.actor, estimate.office, f"Estimate {estimate_id}")
    return estimate
