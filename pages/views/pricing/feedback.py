"""The row under an answer where a person says what they think of the estimate, with one click."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from core.access import Action, may
from core.errors import InvalidFeedback, StoreError
from core.serve.estimate import Estimate
from core.states import FeedbackVerdict
from core.store.ledger.feedback import FeedbackRecord
from core.workflows.pilot.feedback import LABELS, give_feedback, own_feedback, verdicts_on
from core.workflows.pricing.answers import RecordedAnswer
from core.workspace import Workspace
from pages.kit.text import plain

# A thumb needs 44 px (WCAG 2.2, target size enhanced).
_STYLE: Final = """<style>
@media (max-width: 640px) { .st-key-feedback button { min-height: 2.75rem; } }
</style>"""


@st.fragment
def draw(workspace: Workspace, answered: RecordedAnswer) -> None:
    """Draw the row if the answer is in the ledger and the actor may give feedback; raises StoreUnavailable."""
    estimate_id = answered.estimate_id
    if estimate_id is None or not may(workspace.actor, Action.FEEDBACK):
        return
    st.html(_STYLE)
    own = own_feedback(workspace, estimate_id)
    with st.container(key="feedback", horizontal=True, gap="small", vertical_alignment="bottom"):
        chosen = st.pills(
            "What do you think of this estimate?",
            verdicts_on(isinstance(answered.result, Estimate)),
            default=own.verdict if own else None,
            required=own is not None,
            format_func=LABELS.__getitem__,
            key=f"verdict-{estimate_id}",
        )
        if chosen is not None:
            note = own.note if own else ""
            if own is None or chosen != own.verdict:
                own = _give(lambda: give_feedback(workspace, estimate_id, chosen, note)) or own
            own = _note(workspace, estimate_id, chosen, note) or own
    if own is not None:
        note = f" “{plain(own.note)}”" if own.note else ""
        st.caption(f"Recorded: {LABELS[own.verdict].lower()}.{note} You can change it.")


def _note(workspace: Workspace, estimate_id: str, verdict: FeedbackVerdict, note: str) -> FeedbackRecord | None:
    with (
        st.popover("Note", icon=":material/edit_note:", type="tertiary"),
        st.form(f"feedback-{estimate_id}", border=False),
    ):
        text = st.text_area(
            "What is wrong, or what helped?",
            note,
            max_chars=workspace.problem.decisions.note_chars,
            key=f"feedback-note-{estimate_id}",
            help="Do not name persons: names, phones and e-mail addresses are cut out.",
        )
        pressed = st.form_submit_button("Keep the note")
        return _give(lambda: give_feedback(workspace, estimate_id, verdict, text)) if pressed else None


def _give(give: Callable[[], FeedbackRecord]) -> FeedbackRecord | None:
    try:
        return give()
    except (InvalidFeedback, StoreError) as error:
        st.error(f"Your feedback was not recorded: {plain(str(error))}", icon=":material/error:")
        return None
