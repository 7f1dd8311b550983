"""What follows from the evidence: candidates and over-fitting, the scope a manager signs, and the model card."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.access import Action, Actor, may
from core.errors import DoorstepError
from core.evaluate.appraisal import appraise
from core.evaluate.card import CardSubject, model_card
from core.evaluate.fit_check import FitCheck
from core.evaluate.scope import ProposedScope, propose_scope, supports
from core.evaluate.verdict import Verdict, at_most, judge
from core.lifecycle.evaluation import SignedScope, fit_of, sign_scope, signed_scope
from core.store import Store
from core.wording import count, instant, percent, symbol
from pages.widgets import faults
from pages.widgets import model_card as cards
from pages.widgets.evaluation_source import Seen, worked
from pages.widgets.evaluation_words import CARD_WIDTH, CONFIG, card, csv, missing, origin, share, verdict
from pages.widgets.markdown import plain

_SAID: Final = "_evaluation_said"


def draw_candidates(of: Seen, store: Store, who: Actor) -> None:
    """Draw the over-fitting check, the candidates of the training run, the forest search and the importances."""
    record, light = of.record, st.context.theme.type != "dark"
    with st.container(border=True):
        st.subheader("Over-fitting check", anchor=False)
        origin(of)
        _fit(fit_of(store, record.model_id, who))
    board = cards.scores(record.card["leaderboard"])
    with st.container(border=True):
        st.subheader("Candidates", anchor=False)
        st.caption(
            f"Compared on validation sales of data version {record.card['data_version']}; "
            "the test sales had no say in the choice."
        )
        _board(board, "candidates", of)
    facts, search = st.columns(2, gap="medium")
    with facts, st.container(border=True):
        st.subheader("What moves the estimate", anchor=False)
        st.caption("How much the error rises when the fact is shuffled, on sales its model had not seen.")
        lines = record.card["importance"]
        if any(line["rise"] > 0 for line in lines):
            st.plotly_chart(
                cards.importance_chart(lines, light),
                config=CONFIG,
                key="importance",
                alt="Bar chart: rise of the error when each fact is shuffled; figures in the file below",
            )
            csv(pd.DataFrame(lines), "importance", of)
        else:
            missing("Shuffling no fact raises the error: the model has learned nothing from its facts.")
    with search, st.container(border=True):
        st.subheader("Forest size against error", anchor=False)
        found = record.card["forest_search"]
        if found:
            st.caption("One mark for each setting tried, on validation sales; lower and further left is better.")
            st.plotly_chart(
                cards.search_chart(found, light),
                config=CONFIG,
                key="search",
                alt="Scatter chart: validation error of each forest setting against its size; figures in the file",
            )
            csv(cards.scores(found), "forest-search", of)
        else:
            missing("No forest settings were searched in this run. Train with a budget to see size against error.")


def draw_scope(of: Seen, store: Store, who: Actor) -> None:
    """Draw the scope the evidence supports, its signature, and the model card to download."""
    said = st.session_state.pop(_SAID, "")
    if said:
        st.success(plain(said), icon=":material/check_circle:")
    signed = signed_scope(store, of.record.model_id)
    if of.scored.priced.empty:
        missing("The desk would have priced none of these sales: no scope can be proposed.")
        return
    with st.container(border=True):
        st.subheader("Where to use it", anchor=False)
        origin(of)
        _signature(signed)
        _sign(of, store, who)
    with st.container(border=True):
        st.subheader("Model card", anchor=False)
        origin(of)
        st.caption("All of this evaluation as one document in Markdown, with the scope as signed.")
        _download(of, store, signed, who)


def _fit(found: FitCheck | None) -> None:
    if found is None:
        missing("The model's card has no line of the chosen candidate, so there is nothing to compare the test with.")
        return
    st.markdown(f"**{plain(found.finding)}**")
    with st.container(horizontal=True, gap="small"):
        for label, value in (("Error on training sales", found.train), ("Error on validation sales", found.validation)):
            with st.container(border=True, width=CARD_WIDTH, gap="xxsmall"):
                st.markdown(label)
                st.markdown(f"### {plain(share(value))}")
                st.caption("of the chosen candidate")
        card("Error on the sealed test", found.test, share)
    st.caption(
        "Of all test sales, also those the desk would give no price; the headline is of the priced ones. "
        f"Sealed tests of this market were opened {count(found.opened, 'time')}, once for each model trained: the more "
        "often, the more a champion chosen among them owes to chance."
    )


def _board(board: pd.DataFrame, name: str, of: Seen) -> None:
    if board.empty:
        missing("The model's card lists no candidates.")
        return
    column = st.column_config.NumberColumn
    st.dataframe(
        board,
        hide_index=True,
        height="content" if len(board) < 14 else "auto",
        key=f"board_{name}",
        column_config={
            **{head: column(format="%.2f%%") for head in ("Validation MAPE", "Training MAPE", "Within 10%")},
            **{head: column(format="%.1f") for head in ("Fit, s", "One estimate, ms", "Size, MB")},
            "Trained on": column(format="localized"),
        },
    )
    csv(board, name, of)


def _signature(signed: SignedScope | None) -> None:
    if signed is None:
        st.badge("Not signed yet", icon=":material/edit:", color="gray")
        return
    st.badge("Signed", icon=":material/verified:", color="blue")
    note = f" “{signed.note}”" if signed.note else ""
    st.markdown(plain(f"{signed.words}{note} Signed by {signed.signed_by}, {instant(signed.signed_at)}."))


def _sign(of: Seen, store: Store, who: Actor) -> None:
    proposed = worked(of, "scope", propose_scope)
    st.markdown(f"**The evidence proposes:** {plain(proposed.words)}")
    if not may(who, Action.PROMOTE):
        st.caption("A manager signs the scope.")
        return
    scope = _bounds(of, proposed)
    if scope is None:
        return
    note = st.text_input("Note, for the record", key=f"note_{of.record.model_id}", max_chars=300)
    pressed = st.button("Sign this scope", key="sign", type="primary", icon=":material/signature:")
    st.caption(plain(f"Your name ({who.name}) and the time go into the audit trail and onto the model card."))
    if pressed:
        try:
            sign_scope(store, of.record.model_id, scope, note.strip(), who)
        except DoorstepError as error:
            faults.show(error)
            return
        st.session_state[_SAID] = "The scope is signed; it stays with the model."
        st.rerun()


def _bounds(of: Seen, proposed: ProposedScope) -> ProposedScope | None:
    """Draw the two bounds to sign for, the proposed ones at first; None until they make a range with sales in it."""
    money = symbol(of.record.card.get("currency", of.scored.terms.currency)).strip()
    ends = (proposed.low, proposed.high) if proposed.found else (None, None)
    key = f"{of.record.model_id}_{of.period}"
    with st.container(horizontal=True, gap="small"):
        low, high = (
            st.number_input(
                f"{label} ({money})",
                min_value=0.0,
                value=None if end is None else float(end),
                step=10_000.0,
                format="%.0f",
                key=f"{label}_{key}",
                width=200,
            )
            for label, end in zip(("From", "To"), ends, strict=True)
        )
    if low is None or high is None:
        st.caption("To sign another scope than the proposal, give both bounds.")
        return None
    if low >= high:
        st.error("The upper bound must be above the lower one.", icon=":material/error:")
        return None
    scope = proposed if (low, high) == ends else supports(of.scored, low, high, of.problem)
    if not scope.inside.n:
        missing("No test sale was estimated in this range, so there is no evidence for it. Choose wider bounds.")
        return None
    if scope is not proposed:
        st.markdown(f"**Your bounds:** {plain(scope.words)}")
    target = at_most(scope.target, "problem statement")
    judgement = judge(scope.inside, target, of.problem.estimate.thin_n)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        verdict(judgement)
        st.caption(
            f"Mean error within at most {percent(scope.target)}"
            + ("" if judgement is Verdict.PASS else ": not proved. You may sign it, and answer for it.")
        )
    return scope


def _download(of: Seen, store: Store, signed: SignedScope | None, who: Actor) -> None:
    record, fit = of.record, fit_of(store, of.record.model_id, who)
    decision = ""
    if signed is not None:
        note = f" {signed.note}" if signed.note else ""
        decision = f"{signed.words}{note} ({signed.signed_by}, {instant(signed.signed_at)})"
    subject = CardSubject(of.market.name, record.model_id, cards.STAGES[record.stage], record.card, decision)

    def written() -> str:
        found = worked(of, "appraisal", appraise)
        # Some sale was priced, or the page would have said so and offered no card.
        return model_card(subject, found, fit) if found is not None else ""

    st.download_button(
        "Download the model card",
        written,
        f"model-card-{of.file_stem}.md",
        "text/markdown",
        key="card",
        icon=":material/download:",
        on_click="ignore",
    )
