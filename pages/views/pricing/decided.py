"""The decisions made on an estimate in words, and the bar of a phone that leads to deciding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final

import streamlit as st

from core.problem import Problem
from core.serve.estimate import Estimate
from core.store import DecisionRecord
from core.wording import market_day, money, signed_percent
from core.workflows.pricing.decisions import DECIDED, departure
from core.workflows.pricing.desk import Desk
from pages.kit.text import plain
from pages.views.pricing import stored_estimate, subject_form

ANCHOR: Final = "your-decision"
_LEFT: Final = "home_left"


def sentence(one: DecisionRecord, estimate: Estimate, problem: Problem, day_at: Callable[[datetime], date]) -> str:
    """Write a decision as a sentence in Markdown: what, how far from the estimate, why, by whom and when."""
    share = departure(one.price, estimate.point)
    parts = [f"**{DECIDED[one.kind]}: {plain(money(one.price, estimate.currency))}**"]
    if one.kind != "accept":
        parts.append(f"{signed_percent(share, 1)} from the estimate")
    if one.listing_price is not None:
        parts.append(f"list at {plain(money(one.listing_price, estimate.currency))}")
    why = [plain(problem.decisions.reasons.get(one.reason_code, one.reason_code))] if one.reason_code else []
    why += [f"“{plain(one.note)}”"] if one.note else []
    office = f", {plain(one.office)}" if one.office else ""
    by = f"{plain(one.actor)} ({plain(one.role)}{office}), {market_day(day_at(one.at), estimate.currency)}"
    return "  \n".join([" · ".join(parts), *([" ".join(why)] if why else []), f":gray[{by}]"])


def draw_earlier(sentences: Sequence[str]) -> None:
    """Draw the decisions before the one that counts, folded; nothing for none."""
    if not sentences:
        return
    with st.expander(f"Earlier decisions ({len(sentences)})", icon=":material/history:"):
        for one in sentences:
            st.markdown(one)


def next_home(desk: Desk) -> None:
    """Draw the button that leaves a home that is done and empties the form for the next."""
    st.button("Next home", key="next_home", icon=":material/add_home:", on_click=_leave, args=(desk,))


def _leave(desk: Desk) -> None:
    st.session_state[_LEFT] = True
    if desk.bundle is None:
        stored_estimate.forget()
    else:
        subject_form.clear(desk, desk.bundle.model, stored_estimate.forget)


def is_left() -> bool:
    """Tell, once, that the home shown was left."""
    return bool(st.session_state.pop(_LEFT, False))


def glance(text: str) -> None:
    """Draw the bar at the foot of a phone."""
    with st.container(key="glance"):
        st.markdown(text)


def decide_glance(range_words: str, is_decided: bool) -> None:
    """Draw the bar of a priced home: its range, and the way to the decision, made or not."""
    glance(f"{range_words} [{'Decided' if is_decided else 'Decide'}](#{ANCHOR})")
