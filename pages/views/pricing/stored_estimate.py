"""The answer shown on the page “Price a home”, and its address, ?estimate=<id>."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.errors import AnswerUnreadable, NotFound
from core.serve.estimate import Estimate
from core.workflows.pricing.answers import RecordedAnswer, StoredQuestion, load_answer, load_question
from core.workspace import Workspace
from pages.views.estimate import undecided

PARAMETER: Final = undecided.PARAMETER
_SHOWN: Final = "answered"
_FOLLOWED: Final = "estimate_followed"
_OPENED: Final = "estimate_opened"
_UNREAD: Final = "estimate_unread"
_FAULT: Final = "estimate_fault"
_FAULT_IN: Final = "estimate_fault_in"
_LEAD: Final = "estimate_lead"


def follow(workspace: Workspace) -> None:
    """Open the stored answer in the address, unless it is already shown.

    ``fault`` reports an unknown or unreadable answer until another answer replaces it. Raises AccessDenied,
    StoreUnavailable.
    """
    wanted = st.query_params.get(PARAMETER)
    if not wanted or wanted == st.session_state.get(_FOLLOWED):
        return
    forget()
    st.session_state[_FOLLOWED] = wanted
    try:
        found = load_answer(workspace, wanted)
    except NotFound:
        st.session_state[_FAULT] = f"No estimate is recorded under “{wanted}”. Price the home, or ask for a new link."
        return
    except AnswerUnreadable as error:
        st.session_state[_FAULT] = f"{error} What was asked is in the form."
        asked = st.session_state[_UNREAD] = load_question(workspace, wanted)
        st.session_state[_FAULT_IN] = asked.market_id
        return
    st.session_state[_SHOWN] = found
    st.session_state[_UNREAD] = StoredQuestion(found.market_id, found.question)
    st.session_state[_OPENED] = st.session_state[_LEAD] = wanted


def go_to(estimate_id: str) -> None:
    """Open a stored answer at the next run; for callbacks."""
    undecided.leave_address()
    st.query_params[PARAMETER] = estimate_id


def unread() -> StoredQuestion | None:
    """Return the question of an estimate just opened by its address that is not in the form yet, or None."""
    opened: StoredQuestion | None = st.session_state.get(_UNREAD)
    return opened


def mark_read() -> None:
    """Note that the form holds the question of the estimate just opened."""
    st.session_state.pop(_UNREAD, None)


def fault() -> str | None:
    """Return why the address led to no estimate, or None."""
    message: str | None = st.session_state.get(_FAULT)
    return message


def drop_fault_elsewhere(market_id: str) -> None:
    """Forget why an estimate of another market could not be shown: that market was left."""
    if st.session_state.get(_FAULT_IN, market_id) != market_id:
        forget()


def keep(answered: RecordedAnswer) -> None:
    """Make this the shown answer, which takes the focus."""
    forget()
    st.session_state[_SHOWN] = answered
    st.session_state[_LEAD] = answered.estimate_id or answered.at.isoformat()


def lead() -> str:
    """Return what names the answer that took the focus last, "" before the first."""
    named: str = st.session_state.get(_LEAD, "")
    return named


def forget() -> None:
    """Show no answer."""
    for key in (_SHOWN, _OPENED, _UNREAD, _FAULT, _FAULT_IN):
        st.session_state.pop(key, None)


def shown(market_id: str) -> RecordedAnswer | None:
    """Return the shown answer, None if there is none for this market."""
    kept = st.session_state.get(_SHOWN)
    return kept if isinstance(kept, RecordedAnswer) and kept.market_id == market_id else None


def came_back(market_id: str) -> RecordedAnswer | None:
    """Return the price shown before if the page was opened without it, as the menu does; else None.

    A price that is not in the ledger is none: it could not be opened again.
    """
    answered = shown(market_id)
    if answered is None or answered.estimate_id is None or not isinstance(answered.result, Estimate):
        return None
    is_left = answered.estimate_id == st.session_state.get(_FOLLOWED) and PARAMETER not in st.query_params
    return answered if is_left else None


def was_opened(answered: RecordedAnswer) -> bool:
    """Tell whether the answer was opened by its address and not requested in this session."""
    return answered.estimate_id is not None and answered.estimate_id == st.session_state.get(_OPENED)


def point_to(answered: RecordedAnswer | None) -> None:
    """Make the address point to the shown answer, or to none; the rest of the address stays."""
    wanted = answered.estimate_id if answered is not None else None
    if wanted is not None:
        st.session_state[_FOLLOWED] = wanted
        if st.query_params.get(PARAMETER) != wanted:
            undecided.leave_address()
            st.query_params[PARAMETER] = wanted
    elif fault() is None:
        if _SHOWN not in st.session_state:
            # An estimate left for the next home can be opened again.
            st.session_state.pop(_FOLLOWED, None)
        if PARAMETER in st.query_params:
            st.session_state.pop(_FOLLOWED, None)
            undecided.leave_address()
            del st.query_params[PARAMETER]


def url(estimate_id: str) -> str:
    """Return the full address of an estimate, for sharing."""
    page = (st.context.url or "").partition("?")[0]
    return f"{page}?{PARAMETER}={estimate_id}"
