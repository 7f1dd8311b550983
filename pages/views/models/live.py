"""The live model beside its challenger: how each does, and the way back to the model before."""

from __future__ import annotations

import math

import streamlit as st

from core.access import Action, may
from core.evaluate.accuracy import Figure
from core.evaluate.card.headline import headline_of, short_range_words
from core.evaluate.scope import nothing_proven
from core.evaluate.targets import Verdict
from core.problem import Problem
from core.store import Market, ModelRecord
from core.wording import count, percent
from core.workflows.models.floor import broken_words, target_verdict
from core.workflows.models.gate import SameSales
from core.workflows.models.retraining import trained_words
from core.workflows.models.scope import governing_scope, is_unsigned, reviewed_without_scope, signed_although
from core.workflows.overview import error_in_use
from core.workspace import Workspace
from pages.kit import navigation
from pages.kit.palette import BAD
from pages.kit.text import plain
from pages.views.models import promotion


def draw(workspace: Workspace, market: Market, live: ModelRecord | None, same: SameSales | None) -> None:
    """Draw the live model's figures, those on the challenger's sales first, its signature and the rollback."""
    st.markdown("**Live model**")
    if live is None:
        st.markdown("None. Nothing can be priced.")
        return
    head(live)
    if same is not None:
        on_same_sales("live", same, workspace.problem)
    in_use = error_in_use(workspace.store, market, live.model_id)
    _figures(workspace, live, in_use)
    if same is not None or in_use is not None:
        st.caption("These errors are of different sales, so they differ; compare models by the same sales only.")
    # A failed target stands under the error itself.
    failed = target_verdict(headline_of(live.card)["mape"], workspace.problem) is Verdict.FAIL
    missed = short_range_words(live.card, workspace.problem) if failed else broken_words(live.card, workspace.problem)
    if missed:
        st.warning(plain(missed), icon=":material/priority_high:")
    scope, against = governing_scope(workspace.store, live), signed_although(workspace.store, live)
    none = f"none, as {nothing_proven(workspace.problem.success.target_mape)}; {reviewed_without_scope(scope)}"
    words = none if scope is None or scope.is_empty else scope.words(market.currency)
    st.markdown(f"**Scope:** {plain(words)}")
    if against:
        st.warning(plain(f"The scope is {against}."), icon=":material/priority_high:")
    if may(workspace.actor, Action.PROMOTE):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            promotion.rollback_button(workspace, market, live)
            if scope is None or against or is_unsigned(workspace.store, live):
                navigation.sign_here(live.model_id)


def head(record: ModelRecord) -> None:
    """Name a model, and what it was trained on."""
    st.markdown(plain(f"{record.model_id} · {record.card['family']}"))
    st.caption(plain(trained_words(record)))


def on_same_sales(which: str, found: SameSales, problem: Problem) -> None:
    """Draw a model's error and range on the sales on which both models were measured; ``which`` is its box."""
    with st.container(horizontal=True, gap="medium", key=f"same_sales_{which}"):
        with st.container(width="content", gap=None):
            st.metric("Error, same sales", percent(found.error, 1))
            _beside_target(found.mape, problem, count(found.n, "sale"))
        if not math.isnan(found.held):
            with st.container(width="content", gap=None):
                st.metric("Range held, same sales", percent(found.held))
                st.caption(f"{percent(problem.estimate.level)} promised, {plain(count(found.n, 'sale'))}")


def _figures(workspace: Workspace, record: ModelRecord, in_use: Figure | None) -> None:
    """Draw the live model's error on its test sales and in use."""
    test = headline_of(record.card)["mape"]
    # api/static/dashboard.css keeps its place.
    with st.container(horizontal=True, gap="medium", key="live_figures"):
        with st.container(width="content", gap=None):
            st.metric("Error on test sales", percent(test.value, 1))
            interval = f"95% interval {percent(test.low, 1)} to {percent(test.high, 1)}"
            _beside_target(test, workspace.problem, f"{interval}, {count(test.n, 'test sale')}")
        if in_use is not None:
            with st.container(width="content", gap=None):
                st.metric("Error in use", percent(in_use.value, 1))
                _beside_target(in_use, workspace.problem, f"{count(in_use.n, 'sale')} in use")


def _beside_target(error: Figure, problem: Problem, sales: str) -> None:
    """Say under a mean error whether it is surely above the target, as Evaluation says, and of which sales it is."""
    target = percent(problem.success.target_mape)
    if target_verdict(error, problem) is Verdict.FAIL:
        st.caption(f":{BAD}[above the target of {target}], {sales}")
    else:
        st.caption(f"target {target}, {sales}")
