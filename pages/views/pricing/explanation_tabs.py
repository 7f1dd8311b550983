"""The explanation of an estimate in tabs (comparables, drivers, what if, report), and the decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.serve.agent.sale_weights import offered
from core.serve.estimate import Estimate
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.decisions import comparables_added as added_when_decided
from core.workflows.pricing.decisions import comparables_decided, history
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.known_homes import sales_like
from core.workspace import Workspace
from pages.kit import cached_desk, session
from pages.views.estimate import comparables as comparables_view
from pages.views.estimate import comparables_added, comparables_choice, undecided
from pages.views.estimate import drivers as drivers_view
from pages.views.estimate.comparables_added import Finds
from pages.views.pricing import answer, decision, money_axis, stored_estimate, subject_form
from pages.views.pricing import report as report_view
from pages.views.pricing import what_if as what_if_view

PARTS: Final = ("Comparables", "Why this price", "What if", "Report")


@dataclass(frozen=True)
class Places:
    """Where the evidence shows what it says elsewhere, each an st.empty: the money axis and the decision."""

    axis: DeltaGenerator
    decision: DeltaGenerator


# A fragment, so that checking a comparable or trying a change redraws neither the form nor the answer. Axis
# and decision are shown near the answer but drawn here, because they stand on the comparables in use.
@st.fragment
def draw(workspace: Workspace, answered: RecordedAnswer, seen: Estimate, desk: Desk, places: Places) -> None:
    """Draw the selected tab, and in their ``places`` the money axis and the agent's decision.

    ``seen`` is the estimate with its range at the level chosen; everything else stands on the answer as recorded.
    Raises AccessDenied, StoreUnavailable.
    """
    estimate = answered.result
    if not isinstance(estimate, Estimate):
        return
    session.use_names()
    _begin_as_before(workspace, answered, estimate, desk)
    estimate = comparables_added.with_added(answered, estimate)
    answered = replace(answered, result=estimate)
    value = comparables_choice.value(answered, estimate)
    used = comparables_choice.choice(answered, estimate).used
    with places.axis.container():
        adjusted = [one.adjusted for one in estimate.comparables if one.sale_id in used]
        money_axis.draw(seen, answered.question.list_price, adjusted)
    with places.decision.container():
        reconciled, weights = (offered(estimate, value), value.weights) if value is not None else (None, {})
        changed, words = (lambda: form_changed(answered, desk)), answer.range_words(seen)
        decision.draw(workspace, answered, desk, reconciled, weights, changed, words)
    comparables, drivers, what_if, report = st.tabs(PARTS, key="explained", on_change="rerun", bind="query-params")
    if comparables.open:
        with comparables:
            sales = desk.live_model.sales if desk.live_model is not None else None
            comparables_view.draw(answered, estimate, desk.market, sales, _finds(workspace, desk, answered, estimate))
    if drivers.open:
        with drivers:
            drivers_view.draw(estimate.drivers, desk.market)
    if what_if.open:
        with what_if:
            _what_if(workspace, answered, estimate, desk)
    if report.open:
        with report:
            report_view.draw(workspace, answered, comparables_choice.as_chosen(answered, estimate), desk)


def _finds(workspace: Workspace, desk: Desk, answered: RecordedAnswer, estimate: Estimate) -> Finds | None:
    """Return what finds further sales for an estimate; None where this desk does not price as the one that answered."""
    if desk.record is None or desk.record.model_id != answered.model_id:
        return None
    return Finds(
        lambda typed: sales_like(workspace, desk, cached_desk.address_books(), typed, estimate),
        lambda sale_id: desk.further_sales(estimate, [sale_id]),
    )


def _begin_as_before(workspace: Workspace, answered: RecordedAnswer, estimate: Estimate, desk: Desk) -> None:
    """Begin an estimate that was opened again with the comparables its decision stands on, or those chosen for it."""
    if answered.estimate_id is None or not stored_estimate.was_opened(answered) or comparables_choice.is_kept(answered):
        return
    made, held = history(workspace, answered.estimate_id), partial(undecided.held, answered.estimate_id)
    ids = comparables_added.read(held(undecided.ADDED))
    comparables_added.keep(
        answered, added_when_decided(workspace, made[0]) if made else desk.further_sales(estimate, ids)
    )
    estimate = comparables_added.with_added(answered, estimate)
    used = comparables_decided(workspace, made[0], estimate.comparables) if made else None
    if used is not None:
        comparables_choice.begin(answered, used)
    chosen = comparables_choice.read(held(undecided.CHOSEN), estimate.comparables)
    if not made and chosen is not None:
        comparables_choice.keep(answered, chosen)


def form_changed(answered: RecordedAnswer, desk: Desk) -> bool:
    """Tell whether the form shows other facts than were priced; without a model there is no form."""
    return desk.bundle is not None and subject_form.has_changed(desk, desk.bundle.model, answered.question)


def _what_if(workspace: Workspace, answered: RecordedAnswer, estimate: Estimate, desk: Desk) -> None:
    if desk.bundle is None or desk.record is None or desk.record.model_id != answered.model_id:
        st.info(
            "This estimate was made by a model that is no longer live. Price the home again to change its facts.",
            icon=":material/info:",
        )
        return
    what_if_view.draw(workspace, answered, estimate, desk, desk.bundle.model)
