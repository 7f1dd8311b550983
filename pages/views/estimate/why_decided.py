"""The reason of a decision on an estimate and its note: their fields, and why they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.store.ledger.decisions import DecisionKind
from core.wording import percent, signed_percent
from core.workflows.pricing.decisions import departure, fitting_reasons
from pages.kit.palette import BAD
from pages.kit.text import plain
from pages.views.estimate.deciding import Deciding


def draw(deciding: Deciding, price: float) -> None:
    """Draw the fields for the reason of this price and for a note."""
    rules, chosen = deciding.problem.decisions, deciding.key("reason")
    fitting = fitting_reasons(departure(price, deciding.estimate.point), deciding.problem)
    _drop_unfit(deciding, fitting)
    missing, note = st.session_state.get(deciding.key("missing")), deciding.key("note")
    first = missing == "reason_code" and not st.session_state.get(chosen)
    st.selectbox(
        f"Reason :{BAD}[· choose a reason first]" if first else "Reason",
        fitting,
        index=None,
        format_func=lambda code: rules.reasons[code],
        placeholder="Choose a reason",
        key=chosen,
        width=300,
    )
    needed = missing == "note" and not st.session_state.get(note)
    label = f"Note :{BAD}[· write one first]" if needed else "Note"
    cut = "Names, phones and e-mail addresses are cut out."
    st.text_input(label, max_chars=rules.note_chars, key=note, width=220, help=cut)


def draw_why(deciding: Deciding, price: float, kind: DecisionKind) -> None:
    """Say how far this price is from the estimate, what that asks for, and which reason was dropped as it changed."""
    rules, place = deciding.problem.decisions, "inside" if kind == "adjust" else "outside"
    if dropped := st.session_state.get(deciding.key("dropped")):
        side = "lower" if price > deciding.estimate.point else "higher"
        st.caption(
            f":{BAD}[:material/error: The reason “{plain(rules.reasons[dropped])}” explains a {side} price than the "
            "estimate. Choose another.]"
        )
    st.caption(
        f"{signed_percent(departure(price, deciding.estimate.point), 1)} from the estimate, {place} the range. Beyond "
        f"{percent(rules.explain_over)} a reason is needed, beyond {percent(rules.note_over)} a note too."
    )


def explanation(deciding: Deciding) -> tuple[str | None, str]:
    """Return the code of the reason chosen, None for none, and the note.

    A browser that has not yet heard that the field was emptied sends the text of a reason that is no longer offered.
    """
    reason, note = (st.session_state.get(deciding.key(name)) for name in ("reason", "note"))
    return reason if reason in deciding.problem.decisions.reasons else None, note or ""


def _drop_unfit(deciding: Deciding, fitting: Sequence[str]) -> None:
    """Empty the field of a reason chosen for a lower price, which does not explain a higher one, or the reverse."""
    state, chosen, dropped = st.session_state, deciding.key("reason"), deciding.key("dropped")
    reason = state.get(chosen)
    if reason is not None and reason not in fitting:
        # Without a value of its own the browser would go on showing, and sending, the old one.
        state[chosen] = None
        if reason in deciding.problem.decisions.reasons:
            state[dropped] = reason
    elif reason is not None or state.get(dropped) in fitting:
        state.pop(dropped, None)
