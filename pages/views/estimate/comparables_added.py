"""Sales that an agent adds to the comparables of a home, found by address; kept for the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from core.errors import DoorstepError
from core.serve.agent.added_sales import ADDED_MAX
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.workflows.pricing.answers import RecordedAnswer
from pages.views.estimate import comparables_choice
from pages.views.estimate.comparables_choice import Home, home_of

Find = Callable[[str], Sequence[Comparable]]


@dataclass(frozen=True)
class Finds:
    """What finds further sales, adjusted to the home: those an address may mean, and the one of an id."""

    by_address: Find
    by_id: Find


Words = Callable[[Comparable], str]
"""Writes a sale as a card does, with its name, as Markdown."""

_KEPT: Final = "comparables_added"
_KEPT_MOST: Final = 50
_FIELD: Final = "add_sale"
_DOT: Final = "add_dot"
_FULL: Final = f"{ADDED_MAX} sales are added: no more fit into the report."


def with_added(answered: RecordedAnswer, estimate: Estimate) -> Estimate:
    """Return the estimate with the sales added to its home among the comparables, after those offered."""
    return replace(estimate, comparables=(*estimate.comparables, *_kept().get(home_of(answered), ())))


def keep(answered: RecordedAnswer, added: Sequence[Comparable]) -> None:
    """Keep these sales, and no others, as those added to a home."""
    kept = {home: old for home, old in _kept().items() if home != home_of(answered)}
    kept |= {home_of(answered): tuple(added)} if added else {}
    st.session_state[_KEPT] = dict(list(kept.items())[-_KEPT_MOST:])


def text(estimate: Estimate) -> str:
    """Write which sales were added, as ``read`` reads it; "" for none."""
    return "-".join(one.sale_id for one in estimate.comparables if one.added)


def read(written: str) -> tuple[str, ...]:
    """Return the ids of the sales added, from their text."""
    return tuple(filter(None, written.split("-")))


def draw(answered: RecordedAnswer, estimate: Estimate, finds: Finds, words: Words) -> None:
    """Draw the field for the address of a further sale and, once one is typed, the sales that it may mean."""
    if sum(one.added for one in estimate.comparables) >= ADDED_MAX:
        st.caption(_FULL)
        return
    typed = st.text_input(
        "Use another sale",
        key=f"{_FIELD}-{answered.estimate_id}",
        placeholder="Its address, then Enter",
        help="Any sale of this market from before the valuation date. It is adjusted by the model as the others are.",
    )
    if not typed:
        return
    try:
        found = finds.by_address(typed)
    except DoorstepError:
        st.caption("Sales cannot be looked up at the moment.")
        return
    if not found:
        st.caption(
            "No further sale was found at this address: it is compared already, it is this home’s own, or the market "
            "has none before the valuation date."
        )
        return
    for sale in found:
        _offer(answered, estimate, sale, words(sale), _FIELD)


def draw_pressed(answered: RecordedAnswer, estimate: Estimate, sale_id: str, finds: Finds, words: Words) -> None:
    """Draw the sale whose dot on the map was pressed, to be added; why it cannot be, where it cannot."""
    if any(one.sale_id == sale_id for one in estimate.comparables):
        return
    if sum(one.added for one in estimate.comparables) >= ADDED_MAX:
        st.caption(_FULL)
        return
    found = finds.by_id(sale_id)
    # api/static/dashboard.js brings it into view.
    with st.container(key="dot_sale"):
        if not found:
            st.caption(
                "This sale cannot be added: it is this home’s own, of a home compared already, or not from before the "
                "valuation date."
            )
        for sale in found:
            _offer(answered, estimate, sale, words(sale), _DOT)


def _offer(answered: RecordedAnswer, estimate: Estimate, sale: Comparable, words: str, place: str) -> None:
    with st.container(border=True, gap=None):
        st.markdown(words)
        st.button(
            "Use this sale",
            key=f"{place}-{answered.estimate_id}-{sale.sale_id}",
            icon=":material/add:",
            type="tertiary",
            on_click=_add,
            args=(answered, estimate, sale),
        )


def _add(answered: RecordedAnswer, estimate: Estimate, sale: Comparable) -> None:
    keep(answered, [*(one for one in estimate.comparables if one.added), sale])
    comparables_choice.keep(answered, comparables_choice.choice(answered, estimate).with_sale(sale.sale_id))
    st.session_state[f"{_FIELD}-{answered.estimate_id}"] = ""


def _kept() -> dict[Home, tuple[Comparable, ...]]:
    kept: dict[Home, tuple[Comparable, ...]] = st.session_state.get(_KEPT, {})
    return kept
