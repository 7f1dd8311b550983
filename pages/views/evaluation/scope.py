"""The conclusion of the evaluation: the scope a manager signs, and the model card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import streamlit as st

from core.access import REASON_ASKED, REASON_MAX, REASON_MIN, Action, may
from core.errors import DoorstepError
from core.evaluate.agent_decisions import AgentDecisions
from core.evaluate.behavior.overfitting import FitCheck
from core.evaluate.card.card import CardSubject, model_card
from core.evaluate.card.html import html_card
from core.evaluate.evaluation_report import EvaluationReport, build_evaluation_report
from core.evaluate.scope import GoverningScope, ProposedScope, ScopeBasis, propose_scope, supports
from core.evaluate.targets import Verdict
from core.schema import keeping_names, label_of
from core.wording import market_instant, percent, symbol
from core.workflows.models.explanations import agent_decisions_of
from core.workflows.models.scope import (
    SignedScope,
    governs_without_signature,
    proposal_words,
    scope_verdict,
    sign_scope,
    signed_scope,
    unproven_words,
    unsigned_scope,
    withdraw_signature,
)
from core.workflows.models.test_scores import fit_of
from pages.kit import errors
from pages.kit.choice import marked_amount
from pages.kit.figures import STAGES, missing, verdict
from pages.kit.palette import BAD, GOOD, NEUTRAL
from pages.kit.text import asks, kept_text, plain
from pages.views.evaluation.selection import Selection, compute_once

Write = Callable[[CardSubject, EvaluationReport, FitCheck | None, AgentDecisions | None], str]

_MESSAGE: Final = "_evaluation_said"
_ASKED: Final = "_signature_asked"
_FORMS: Final[tuple[tuple[str, Write, str, str], ...]] = (
    ("Download the model card", html_card, "html", "text/html"),
    ("As Markdown", model_card, "md", "text/markdown"),
)


def draw(selection: Selection) -> None:
    """Draw the scope the evidence supports, its signature, and the model card's download."""
    message = st.session_state.pop(_MESSAGE, "")
    if message:
        st.success(plain(message), icon=":material/check_circle:")
    record = selection.record
    signed = signed_scope(selection.workspace.store, record.model_id)
    if selection.scored.priced.empty:
        missing("The desk would have priced none of these sales, so no scope can be proposed.")
        return
    with st.container(border=True):
        st.header("Where to use it", anchor=False)
        unsigned = unsigned_scope(record)
        _signature(signed, unsigned, selection.market.currency)
        if signed is not None and may(selection.workspace.actor, Action.PROMOTE):
            _withdraw(selection, signed, unsigned)
        _sign(selection, signed, signed.scope if signed is not None else unsigned)
    with st.container(border=True):
        st.header("Model card", anchor=False)
        st.caption("This whole evaluation with the signed scope, as a page to read, print or send, or as text.")
        _download(selection, signed)


def _signature(signed: SignedScope | None, unsigned: GoverningScope | None, currency: str) -> None:
    if signed is None:
        st.badge("Not signed yet", icon=":material/edit:", color=NEUTRAL)
        st.caption(plain(_until_signed(unsigned, currency)))
        return
    if signed.although:
        st.badge(plain(signed.although.capitalize()), icon=":material/priority_high:", color=BAD)
    else:
        st.badge("Signed", icon=":material/verified:", color=GOOD)
    note = f" “{signed.note}”" if signed.note else ""
    st.markdown(
        plain(f"{signed.words}{note} Signed by {signed.signed_by}, {market_instant(signed.signed_at, currency)}.")
    )
    st.caption("Estimates outside these prices are flagged for review; homes left out get no price.")


def _withdraw(selection: Selection, signed: SignedScope, unsigned: GoverningScope | None) -> None:
    """Draw the way to withdraw the signature: name what follows, and ask for the reason first."""
    this = _signature_key(selection, signed)
    fold = st.popover(
        "Withdraw the signature",
        # A signature that is withdrawn takes its fold with it: the next one starts closed.
        key=f"withdraw_fold_{this}",
        icon=":material/undo:",
    )
    with fold:
        st.markdown("The signature before it governs again, or the scope proposed. The audit trail keeps both deeds.")
        reason = kept_text(REASON_ASKED, f"withdraw_reason_{this}", max_chars=REASON_MAX)
        if not st.button("Withdraw it", key="withdraw_signature", icon=":material/undo:"):
            return
        try:
            before = withdraw_signature(selection.workspace, selection.record.model_id, reason)
        except DoorstepError as error:
            errors.show(error)
            return
    again = f"The one before it governs again: {before.words}" if before is not None else ""
    governs = again or governs_without_signature(unsigned, selection.market.currency)
    st.session_state[_MESSAGE] = f"The signature is withdrawn. {governs}"
    st.rerun()


def _signature_key(selection: Selection, signed: SignedScope | None) -> str:
    """Name a model and its signature: once another is in force, folds are closed and fields begin anew."""
    return f"{selection.record.model_id}_{signed.signed_at.isoformat() if signed else 'unsigned'}"


def _until_signed(governing: GoverningScope | None, currency: str) -> str:
    if governing is None:
        return "Until a manager signs, the standard prices flag estimates for review."
    if governing.is_empty:
        return governing.agent_words(currency)
    if governing.basis is ScopeBasis.CARRIED:
        return (
            "This test is too small to draw a scope from. Until a manager signs, this scope flags estimates: "
            f"{governing.words(currency)}."
        )
    return "Until a manager signs, a note marks estimates outside the proposed scope, “unsigned”."


def _sign(selection: Selection, signed: SignedScope | None, governing: GoverningScope | None) -> None:
    """Draw the form to sign a scope, which begins with the one that governs."""
    proposed = compute_once(selection, "scope", propose_scope)
    st.markdown(f"**{proposal_words(selection.record)}:** {plain(proposed.words)}")
    if not may(selection.workspace.actor, Action.PROMOTE):
        st.caption("A manager signs the scope.")
        return
    this = _signature_key(selection, signed)
    scope = _bounds(selection, proposed, governing, f"{this}_{selection.period}")
    if scope is None:
        return
    if governing is not None and governing.basis is ScopeBasis.SIGNED and _is_the_same(scope, governing):
        st.caption("This is the scope signed. To sign another, change it.")
        return
    against = unproven_words(scope, selection.record, selection.problem)
    if against:
        st.warning(plain(f"{against} You may sign it all the same, with a reason."), icon=":material/priority_high:")
    label = REASON_ASKED if against else "Note, for the record"
    note = kept_text(label, f"note_{this}", max_chars=REASON_MAX)
    if not selection.record.is_live:
        st.warning(
            plain(
                f"Model {selection.record.model_id} is not live: its scope governs nothing while another model prices. "
                "To sign for the live model, choose it above under “Model”."
            ),
            icon=":material/info:",
        )
    label = "Sign it although it is not proven" if against else "Sign this scope"
    pressed = st.button(label, key="sign", type="primary", icon=":material/signature:")
    name = selection.workspace.actor.name
    st.caption(plain(f"Your name ({name}) and the time go into the audit trail and onto the model card."))
    if pressed and not asks(_ASKED, (against,) if len(note) >= REASON_MIN else ()):
        try:
            sign_scope(selection.workspace, selection.record.model_id, scope, note)
        except DoorstepError as error:
            errors.show(error)
            return
        st.session_state[_MESSAGE] = "The scope is signed; it stays with the model."
        st.rerun()


def _is_the_same(scope: ProposedScope, governing: GoverningScope) -> bool:
    return replace(governing, basis=ScopeBasis.PROPOSED) == scope.governing(ScopeBasis.PROPOSED)


def _bounds(
    selection: Selection, proposed: ProposedScope, governing: GoverningScope | None, key: str
) -> ProposedScope | None:
    """Draw the scope to sign, initially the one that governs; None until its bounds form a range with sales in it."""
    currency = str(selection.record.card.get("currency", selection.scored.terms.currency))
    unit = symbol(currency).strip()
    drawn = governing if governing is not None and not governing.is_empty else None
    start = drawn or (proposed.governing(ScopeBasis.PROPOSED) if proposed.found else None)
    ends = (start.low, start.high) if start is not None else (None, None)
    bounds = []
    with st.container(horizontal=True, gap="small"):
        for label, end in zip(("From", "To"), ends, strict=True):
            with st.container(gap=None, width=200):
                bounds.append(marked_amount(f"{label} ({unit})", f"{label}_{key}", end, currency))
    low, high = bounds
    types, areas = _left_out(selection, start, key)
    if low is None or high is None:
        st.caption("To sign a different scope, enter both bounds.")
        return None
    if low >= high:
        st.error("The upper bound must be above the lower one.", icon=":material/error:")
        return None
    as_proposed = (proposed.low, proposed.high, proposed.types_left_out, proposed.areas_left_out)
    if (low, high, types, areas) == as_proposed:
        scope = proposed
    else:
        scope = supports(selection.scored, low, high, selection.problem, types, areas)
    if not scope.inside.n:
        missing(
            "No test sale was estimated in this scope, so there is no evidence for it. "
            "Choose wider bounds, or leave out less."
        )
        return None
    if scope is not proposed:
        st.markdown(f"**Your bounds:** {plain(scope.words)}")
    _evidence(scope, selection)
    return scope


def _left_out(selection: Selection, start: GoverningScope | None, key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Draw what the scope leaves out, initially what ``start`` does; return property types and areas."""
    area = selection.scored.area
    kinds = sorted(selection.scored.table["property_type"].dropna().unique())
    areas = sorted(selection.scored.table[area].dropna().unique()) if area else []
    place = f"{label_of(area)}s" if area else ""
    return (
        _choose("Property types left out", kinds, start.types_left_out if start else (), key),
        _choose(f"{place} left out", areas, start.areas_left_out if start else (), key),
    )


def _choose(label: str, options: list[str], proposed: tuple[str, ...], key: str) -> tuple[str, ...]:
    if not options:
        return ()
    remark = "Homes left out get no price once the scope is signed."
    chosen = st.multiselect(
        label,
        options,
        list(proposed),
        format_func=lambda one: str(one).replace("_", " "),
        key=f"{label}_{key}",
        help=remark,
    )
    return tuple(sorted(chosen))


def _evidence(scope: ProposedScope, selection: Selection) -> None:
    judgement = scope_verdict(scope, selection.record, selection.problem)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        verdict(judgement)
        st.caption(
            f"Mean error at most {percent(scope.target)}"
            + {Verdict.PASS: "", Verdict.FAIL: ": missed"}.get(judgement, ": not proven")
        )


def _download(selection: Selection, signed: SignedScope | None) -> None:
    record = selection.record
    decision = ""
    if signed is not None:
        note = f" “{signed.note}”" if signed.note else ""
        at = market_instant(signed.signed_at, selection.market.currency)
        although = f" {signed.although.capitalize()}." if signed.although else ""
        decision = f"{signed.words}{although}{note} ({signed.signed_by}, {at})"
    subject = CardSubject(
        selection.market.name, record.model_id, STAGES[record.stage], record.card, decision, proposal_words(record)
    )

    def written(write: Write) -> str:
        found = compute_once(selection, "appraisal", build_evaluation_report)
        # Some sale was priced; otherwise the page offers no card.
        if found is None:
            return ""
        fit = fit_of(selection.workspace, record.model_id)
        return write(
            subject,
            found,
            fit,
            agent_decisions_of(selection.workspace, selection.market.market_id, record.model_id),
        )

    with st.container(horizontal=True, gap="small"):
        for label, write, ending, kind in _FORMS:
            st.download_button(
                label,
                keeping_names(partial(written, write)),
                f"model-card-{selection.file_stem}.{ending}",
                kind,
                key=f"card_{ending}",
                icon=":material/download:",
                on_click="ignore",
            )
