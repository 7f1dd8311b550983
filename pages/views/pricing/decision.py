"""The agent's decision on an estimate: accepted with one tap, adjusted, or overridden with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.access import Action, Actor, Role, may
from core.errors import InvalidDecision, StoreError
from core.problem import Problem
from core.serve.estimate import Estimate
from core.store import DecisionRecord
from core.store.ledger.decisions import DecisionKind
from core.train.ranges import round_for_display
from core.wording import either, instant, money, percent, signed_percent
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.decisions import DecisionInput, decide, departure, history, usual_listing
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace
from pages.kit.text import plain

_KINDS: Final[Mapping[DecisionKind, str]] = {"adjust": "Adjust within the range", "override": "Override the estimate"}
_DONE: Final[Mapping[DecisionKind, str]] = {"accept": "Accepted", "adjust": "Adjusted", "override": "Overridden"}
_ICONS: Final[Mapping[DecisionKind, str]] = {
    "accept": ":material/check_circle:",
    "adjust": ":material/tune:",
    "override": ":material/edit:",
}
# A thumb needs 44 px (WCAG 2.2, target size enhanced).
_STYLE: Final = """<style>
@media (max-width: 640px) {
  .st-key-decision button, .st-key-decision input, .st-key-decision label[data-baseweb="radio"],
  .st-key-decision [data-baseweb="select"] > div, .st-key-decision summary { min-height: 2.75rem; }
}
</style>"""


@st.fragment
def draw(
    workspace: Workspace,
    answered: RecordedAnswer,
    desk: Desk,
    reconciled: float | None,
    weights: Mapping[str, float],
) -> None:
    """Draw the decision on an answer, or the form to make one; ``reconciled`` prefills an adjusted price.

    ``weights`` of the comparables in use, by sale, are recorded with the decision.

    Only a priced estimate that is in the ledger can be decided on. Raises StoreUnavailable.
    """
    estimate, estimate_id = answered.result, answered.estimate_id
    if not isinstance(estimate, Estimate):
        return
    st.html(_STYLE)
    with st.container(border=True, key="decision"):
        st.markdown("**Your decision**")
        if estimate_id is None:
            st.caption("This estimate was not recorded, so it cannot be decided on. Price the home again.")
            return
        made = st.container()
        if may(workspace.actor, Action.DECIDE):
            record = _Recorder(workspace, estimate_id, weights)
            _accept(estimate, estimate_id, desk, record)
            _otherwise(estimate, estimate_id, desk, record, reconciled)
        else:
            able = either(f"{role}s" for role in Role if may(Actor("", role), Action.DECIDE))
            st.caption(f"Only {able} can make decisions.")
        with made:
            _draw_history(history(workspace, estimate_id), estimate, desk.problem)


class _Recorder:
    """Records a decision on one estimate and shows errors next to their field."""

    def __init__(self, workspace: Workspace, estimate_id: str, weights: Mapping[str, float]) -> None:
        self._workspace, self._estimate_id, self._weights = workspace, estimate_id, weights

    def __call__(self, decision: DecisionInput, slots: Mapping[str, DeltaGenerator], otherwise: str) -> None:
        """Record it; an error goes to the slot of its field, or to the one named ``otherwise``."""
        try:
            whole = replace(decision, comparables=self._weights)
            decide(self._workspace, self._estimate_id, whole)
        except InvalidDecision as error:
            slots.get(error.field, slots[otherwise]).error(plain(str(error)), icon=":material/error:")
        except StoreError as error:
            slots[otherwise].error(f"The decision was not recorded: {plain(str(error))}", icon=":material/error:")


def _accept(estimate: Estimate, estimate_id: str, desk: Desk, record: _Recorder) -> None:
    with st.form(f"accept-{estimate_id}", border=False):
        usual = _listing(estimate.point, desk.problem)
        listing, slot = _amount("Listing price", f"accept-listing-{estimate_id}", usual, estimate, desk.problem)
        pressed = st.form_submit_button(
            f"Accept {plain(money(estimate.point, estimate.currency))}",
            type="primary",
            icon=_ICONS["accept"],
            width="stretch",
        )
    if pressed:
        record(DecisionInput("accept", estimate.point, listing), {"listing_price": slot}, "listing_price")


def _otherwise(estimate: Estimate, estimate_id: str, desk: Desk, record: _Recorder, reconciled: float | None) -> None:
    start = float(round_for_display(reconciled)) if reconciled else estimate.point
    with st.expander("Adjust or override", icon=_ICONS["adjust"]):
        if reconciled:
            _take(start, estimate, estimate_id, desk.problem)
        _form(start, estimate, estimate_id, desk, record)


def _take(reconciled: float, estimate: Estimate, estimate_id: str, problem: Problem) -> None:
    """Offer the value of the current comparables; it replaces what the agent typed only if taken."""

    def take() -> None:
        st.session_state[f"price-{estimate_id}"] = int(reconciled)
        st.session_state[f"listing-{estimate_id}"] = int(_listing(reconciled, problem))

    if st.session_state.get(f"price-{estimate_id}", reconciled) != int(reconciled):
        st.button(
            f"Use the value with comparables: {plain(money(reconciled, estimate.currency))}",
            on_click=take,
            key=f"take-{estimate_id}",
            width="stretch",
        )


def _form(start: float, estimate: Estimate, estimate_id: str, desk: Desk, record: _Recorder) -> None:
    rules, currency = desk.problem.decisions, estimate.currency
    with st.form(f"otherwise-{estimate_id}", border=False):
        kind: DecisionKind = st.radio(
            "Decision",
            list(_KINDS),
            format_func=lambda code: _KINDS[code],
            key=f"kind-{estimate_id}",
            horizontal=True,
            captions=[
                f"{plain(money(estimate.low, currency))} to {plain(money(estimate.high, currency))}",
                "any price, based on what the model does not know",
            ],
        )
        price, price_slot = _amount("Your price", f"price-{estimate_id}", start, estimate, desk.problem)
        reason = st.selectbox(
            "Reason",
            list(rules.reasons),
            index=None,
            format_func=lambda code: rules.reasons[code],
            placeholder="Choose a reason",
            key=f"reason-{estimate_id}",
            help=f"Needed beyond {percent(rules.explain_over)} from the estimate.",
        )
        reason_slot = st.empty()
        note = st.text_area(
            "Note",
            max_chars=rules.note_chars,
            key=f"note-{estimate_id}",
            height=80,
            help=f"Needed beyond {percent(rules.note_over)} from the estimate, and if no other reason fits.",
        )
        note_slot = st.empty()
        usual = _listing(start, desk.problem)
        listing, listing_slot = _amount("Listing price", f"listing-{estimate_id}", usual, estimate, desk.problem)
        pressed = st.form_submit_button("Record this decision", icon=_ICONS["override"], width="stretch")
    if pressed and price is None:
        price_slot.error("Enter your price.", icon=":material/error:")
    elif pressed and price is not None:
        slots = {"price": price_slot, "reason_code": reason_slot, "note": note_slot, "listing_price": listing_slot}
        record(DecisionInput(kind, price, listing, reason, note), slots, "price")


def _amount(
    label: str, key: str, start: float, estimate: Estimate, problem: Problem
) -> tuple[float | None, DeltaGenerator]:
    """Draw a field for an amount, initially ``start``, and the place for its errors."""
    if key not in st.session_state:
        st.session_state[key] = int(start)
    value = st.number_input(
        f"{label} ({plain(estimate.currency)})", min_value=0, step=1_000, key=key, help=_help(label, problem)
    )
    return (None if value is None else float(value)), st.empty()


def _help(label: str, problem: Problem) -> str | None:
    if label != "Listing price":
        return None
    markup = percent(problem.decisions.listing_markup)
    return f"Prefilled {markup} above the price: homes usually sell a little below what they are listed at."


def _listing(price: float, problem: Problem) -> float:
    return float(round_for_display(usual_listing(price, problem)))


def _draw_history(decisions: Sequence[DecisionRecord], estimate: Estimate, problem: Problem) -> None:
    if not decisions:
        return
    counting, *earlier = decisions
    st.success(_sentence(counting, estimate, problem), icon=_ICONS[counting.kind])
    if earlier:
        with st.expander(f"Earlier decisions ({len(earlier)})", icon=":material/history:"):
            for one in earlier:
                st.markdown(_sentence(one, estimate, problem))


def _sentence(one: DecisionRecord, estimate: Estimate, problem: Problem) -> str:
    """Write a decision as a sentence: what, how far from the estimate, why, by whom and when."""
    share = departure(one.price, estimate.point)
    parts = [f"**{_DONE[one.kind]}: {plain(money(one.price, estimate.currency))}**"]
    if one.kind != "accept":
        parts.append(f"{signed_percent(share, 1)} from the estimate")
    if one.listing_price is not None:
        parts.append(f"listed at {plain(money(one.listing_price, estimate.currency))}")
    why = [plain(problem.decisions.reasons.get(one.reason_code, one.reason_code))] if one.reason_code else []
    why += [f"“{plain(one.note)}”"] if one.note else []
    office = f", {plain(one.office)}" if one.office else ""
    by = f"{plain(one.actor)} ({plain(one.role)}{office}), {instant(one.at)}"
    return "  \n".join([" · ".join(parts), *([" ".join(why)] if why else []), f":gray[{by}]"])
