"""The page “Estimates”: one's own latest estimates, or those of the office or of all, with the decisions on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import pandas as pd
import streamlit as st

from core.access import Action, may
from core.states import EstimateState, Period
from core.store import Market
from core.store.ledger.figures import Slice
from core.wording import count, marked
from core.workflows.monitoring.ledger_export import AT_ONCE, export_ledger
from core.workflows.pricing.answers import (
    ANY_ANSWER,
    AnswerFilter,
    LatestAnswer,
    every_recent,
    offices,
    recent,
    time_words,
)
from core.workspace import Workspace
from pages.kit import figures, navigation, session
from pages.kit.text import plain
from pages.views.pricing.stored_estimate import PARAMETER

# The file has all.
SHOWN: Final = 200
_STATES: Final = {
    EstimateState.OPEN: "Open",
    EstimateState.ACCEPTED: "Accepted",
    EstimateState.ADJUSTED: "Adjusted",
    EstimateState.OVERRIDDEN: "Overridden",
    EstimateState.NO_PRICE: "No price",
}
# Where the page's address keeps the choices; no other page has a choice of these names.
_KEYS: Final = ("home", "decision", "by_office")
_EVERY: Final = "earlier"
_MARKET: Final = "estimates_market"
_LIST: Final = "latest_estimates"
_DRAWN: Final = "estimates_drawn"
# A table would lose its last columns on a phone, which shows a card for each estimate instead.
_CARDS: Final = 50
# The narrowest widths of the columns, in pixels; "Home" has what is left.
_WIDTHS: Final = {
    "Earlier": 62,
    **dict.fromkeys(("Reference", "By", "Office"), 78),
    **dict.fromkeys(("Asking price", "Answer", "Decision", "When"), 98),
}
_STYLE: Final = """<style>
@media (min-width: 641px) { .st-key-estimate_cards { display: none; } }
@media (max-width: 640px) {
  .st-key-estimate_table { display: none; }
  .st-key-estimate_cards button { min-height: 2.75rem; padding: 0.5rem 0.75rem; }
  .st-key-estimate_cards button, .st-key-estimate_cards button div { justify-content: flex-start; text-align: left; }
  .st-key-estimate_cards button strong { display: block; }
}
</style>"""


def main(workspace: Workspace) -> None:
    """Draw the latest estimates of the open market; a click on one opens it."""
    st.title("Estimates", anchor=False)
    market = session.market()
    if market is None:
        st.info("There is no market yet. Upload sales, or open the demo city, to price homes.", icon=":material/info:")
        navigation.link_to("", "Go to the home page")
        return
    _open_chosen()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        wanted = _wanted(workspace, market)
        every = st.toggle("Earlier ones too", key=_EVERY, bind="query-params")
    # Above the table, where its toolbar would cover what can be pressed.
    st.caption(f"{plain(whose(workspace))}, newest first. Select one to open it.")
    found = (every_recent if every else recent)(workspace, market.market_id, SHOWN, wanted)
    if not found and wanted != ANY_ANSWER:
        st.info("No estimate fits. Clear a choice above to see more.", icon=":material/info:")
        return
    if not found:
        st.info("No estimates yet.", icon=":material/info:")
        navigation.link_to("pricing", "Price a home")
        return
    st.html(_STYLE)
    when = time_words(workspace, market)
    with st.container(key="estimate_table"):
        _table(found, market, when)
    with st.container(key="estimate_cards", gap="small"):
        _cards(found[:_CARDS], market, when)
    if may(workspace.actor, Action.VIEW_OFFICE):
        _download(workspace, market)


def _wanted(workspace: Workspace, market: Market) -> AnswerFilter:
    """Draw the choices that narrow the list, and return them.

    The page's address keeps them, for who opens an estimate and comes back; another market begins without any.
    """
    known = offices(workspace, market.market_id)
    if st.session_state.get(_MARKET, market.market_id) != market.market_id:
        st.session_state.update(dict(zip(_KEYS, ("", None, None), strict=True)))
    st.session_state[_MARKET] = market.market_id
    address_key, state_key, office_key = _KEYS
    address = st.text_input("Address or area", key=address_key, placeholder="A part is enough", bind="query-params")
    state = st.selectbox(
        "Decision",
        list(_STATES),
        index=None,
        format_func=_STATES.__getitem__,
        placeholder="All",
        key=state_key,
        bind="query-params",
    )
    office = None
    if len(known) > 1:
        office = st.selectbox("Office", known, index=None, placeholder="All", key=office_key, bind="query-params")
    return AnswerFilter(address.strip(), office or "", state)


def whose(workspace: Workspace) -> str:
    """Return whose estimates the actor sees."""
    if not may(workspace.actor, Action.VIEW_OFFICE):
        return "Your own estimates"
    return f"The estimates of {workspace.actor.office}" if workspace.actor.office else "The estimates of all offices"


def listing(found: Sequence[LatestAnswer], market: Market, when: Callable[[datetime], str]) -> pd.DataFrame:
    """Return the estimates as text, what matters most first; ``when`` writes when each was asked."""
    return pd.DataFrame(
        [
            {
                "Home": one.home,
                # A count at the end of a long name would be cut.
                "Earlier": f"{one.earlier:,}" if one.earlier else "",
                "Reference": one.reference,
                "Asking price": one.asking_words(market.currency),
                "Answer": one.answer_words(market.currency),
                "Decision": one.decision_words(market.currency),
                "When": when(one.estimate.at),
                "By": one.estimate.actor,
                "Office": one.estimate.office,
            }
            for one in found
        ]
    )


def _open_chosen() -> None:
    """Open the estimate chosen in the list as it was drawn: by now it may be another one."""
    key, listed = st.session_state.get(_DRAWN, (_LIST, ()))
    chosen = st.session_state.get(key)
    # A click on a cell chooses the cell, one on the box before it the row.
    for row in [*chosen["selection"]["rows"], *(row for row, _ in chosen["selection"]["cells"])] if chosen else []:
        del st.session_state[_DRAWN]
        navigation.go_to("pricing", **{PARAMETER: listed[row]})


def _table(found: Sequence[LatestAnswer], market: Market, when: Callable[[datetime], str]) -> None:
    table = listing(found, market, when)
    several = [name for name in ("By", "Office") if table[name].nunique() > 1]
    given = [name for name in ("Earlier", "Reference", "Asking price") if table[name].any()]
    shown = ["Home", *given, "Answer", "Decision", "When", *several]
    wide = figures.widths(table[shown], _WIDTHS, figures.PAGE - figures.TICKS)
    listed = tuple(one.estimate.estimate_id for one in found)
    # A list that has changed is another table: the first click on one with new rows would be lost.
    key = f"{_LIST}-{hash(listed)}"
    st.session_state[_DRAWN] = (key, listed)
    st.dataframe(
        table[shown],
        hide_index=True,
        column_config={name: st.column_config.Column(width=width) for name, width in wide.items()},
        height="content" if len(table) < 12 else "auto",
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        key=key,
    )
    if sum(1 + one.earlier for one in found) == SHOWN:
        st.caption(f"The latest {SHOWN} are listed.")


def _cards(found: Sequence[LatestAnswer], market: Market, when: Callable[[datetime], str]) -> None:
    several = len({one.estimate.actor for one in found}) > 1
    for one in found:
        estimate = one.estimate
        asking = one.asking_words(market.currency)
        parts = [one.reference, one.answer_words(market.currency), f"asking {asking}" if asking else ""]
        parts += [one.decision_line(market.currency)]
        parts += [when(estimate.at), estimate.actor if several else ""]
        words = f"**{plain(one.home_words)}** {plain(' · '.join(filter(None, parts)))}"
        if st.button(words, key=f"card-{estimate.estimate_id}", width="stretch"):
            navigation.go_to("pricing", **{PARAMETER: estimate.estimate_id})
    if len(found) == _CARDS:
        st.caption(f"The latest {_CARDS} are listed.")


def _download(workspace: Workspace, market: Market) -> None:
    where = Slice(office=workspace.actor.office or None)
    n = int(workspace.store.figures.traffic(market.market_id, where, Period.MONTH).total["n"])
    found = count(n, "estimate", currency=market.currency)
    if n > AT_ONCE:
        st.caption(plain(f"There are {found}, more than the {marked(AT_ONCE, market.currency)} of one download."))
        return
    st.download_button(
        f"Download {found} with decisions and sales",
        lambda: b"".join(export_ledger(workspace, market.market_id, where)),
        f"{market.market_id}-estimates.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


main(session.guard("estimates"))
