"""Near matches of addresses as a queue: is this the same home? The answer is remembered for the market."""

from __future__ import annotations

import difflib
from typing import Final

import streamlit as st

from core.collect.near_matches import NearMatch
from core.wording import count
from core.workflows.data.inspection import answer_match
from core.workflows.data.intake import IntakePreview
from core.workspace import Workspace
from pages.kit import session
from pages.kit.text import plain
from pages.views.sales_data import draft
from pages.views.sales_data.draft import Destination, Draft

_LATER: Final = "_matches_later"
_LAST: Final = "_match_last"

Pair = tuple[str, str]


def draw(workspace: Workspace, held: Draft, found: IntakePreview) -> None:
    """Draw the first unanswered near match, and how many follow."""
    market_id = draft.market_id(held)
    answers = session.store().matches.of(market_id)
    open_ones = [near for near in found.near_matches if _pair(near) not in answers]
    if not found.near_matches and not answers:
        return
    with st.container(border=True):
        st.markdown(f"**Addresses that may be the same ({len(open_ones):,} to answer)**")
        st.caption("Nothing is joined without your answer, which is remembered for every later file.")
        if open_ones:
            later: list[Pair] = st.session_state.setdefault(_LATER, [])
            queue = sorted(open_ones, key=lambda near: _pair(near) in later)
            _ask(workspace, queue[0], held)
        else:
            st.markdown("All have been answered.")
        _last(workspace, held)
        waiting = len(set(draft.same(market_id)) ^ set(held.same))
        if waiting:
            st.info(
                f"{count(waiting, 'answer')} not yet applied: the Preview step applies them, or check again now.",
                icon=":material/sync:",
            )
            if st.button("Check again", key="apply_answers", icon=":material/fact_check:"):
                draft.apply_answers()
                st.rerun()


def _ask(workspace: Workspace, near: NearMatch, held: Draft) -> None:
    ours, theirs = marked(near.sales_address, near.tax_address)
    sales, tax = st.columns(2, gap="small")
    with sales.container(border=True):
        st.caption(f"Listing, row {near.sales_row:,}")
        st.markdown(ours)
    with tax.container(border=True):
        st.caption(f"Tax roll, row {near.tax_row:,}")
        st.markdown(theirs)
    st.caption(plain(f"What differs: {near.why}. Spelling similarity: {near.score:.0f} of 100."))
    with st.container(horizontal=True, gap="small"):
        if st.button("Yes, the same home", key="match_yes", icon=":material/check:"):
            _answer(workspace, near, held, True)
        if st.button("No, two homes", key="match_no", icon=":material/close:"):
            _answer(workspace, near, held, False)
        if st.button("Later", key="match_later", icon=":material/skip_next:"):
            later: list[Pair] = st.session_state[_LATER]
            st.session_state[_LATER] = [*(one for one in later if one != _pair(near)), _pair(near)]
            st.rerun()


def _answer(workspace: Workspace, near: NearMatch, held: Draft, is_same: bool) -> None:
    destination = held.destination or Destination()
    answer_match(workspace, destination.market(), near, is_same)
    st.session_state[_LAST] = (near, is_same)
    st.rerun()


def _last(workspace: Workspace, held: Draft) -> None:
    """Draw this session's last answer and a button to reverse it."""
    last: tuple[NearMatch, bool] | None = st.session_state.get(_LAST)
    if last is None:
        return
    near, is_same = last
    answer = "the same home" if is_same else "two homes"
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(plain(f"Last answer: {near.sales_address} and {near.tax_address} are {answer}."))
        if st.button("Change it", key="match_change", type="tertiary", icon=":material/undo:"):
            _answer(workspace, near, held, not is_same)


def marked(ours: str, theirs: str) -> tuple[str, str]:
    """Return both addresses as Markdown, with the words that only one of them has marked."""
    left, right = ours.split(), theirs.split()
    matcher = difflib.SequenceMatcher(
        None, [word.casefold() for word in left], [word.casefold() for word in right], autojunk=False
    )
    shown: tuple[list[str], list[str]] = ([], [])
    for kind, *spans in matcher.get_opcodes():
        for words, out, (start, end) in zip((left, right), shown, (spans[:2], spans[2:]), strict=True):
            text = plain(" ".join(words[start:end]))
            if text:
                out.append(text if kind == "equal" else f":orange-background[**{text}**]")
    return " ".join(shown[0]), " ".join(shown[1])


def _pair(near: NearMatch) -> Pair:
    return near.sales_key, near.tax_key
