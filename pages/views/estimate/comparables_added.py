"""Sales that an agent adds to the comparables of a home, found by address; kept for the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from core.errors import DoorstepError
from core.serve.agent.added_sales import ADDED_MAX
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.wording import Conventions
from core.workflows.pricing.answers import RecordedAnswer
from pages.kit.text import plain
from pages.views.estimate import comparables_choice
from pages.views.estimate.comparables_choice import Home, home_of
from pages.views.estimate.comparables_map import name_of

Find = Callable[[str], Sequence[Comparable]]
"""Finds the sales that an address may mean, adjusted to the home."""

Describe = Callable[[Comparable], str]
"""Writes a sale as a card does, as Markdown."""

_KEPT: Final = "comparables_added"
_KEPT_MOST: Final = 50
_FIELD: Final = "add_sale"


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


def draw(answered: RecordedAnswer, estimate: Estimate, market: Conventions, find: Find, describe: Describe) -> None:
    """Draw the field for the address of a further sale and, once one is typed, the sales that it may mean."""
    if sum(one.added for one in estimate.comparables) >= ADDED_MAX:
        st.caption(f"{ADDED_MAX} sales are added: no more fit into the report.")
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
        found = find(typed)
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
        with st.container(border=True, gap=None):
            st.markdown(f"**{plain(name_of(sale, market))}**  \n{describe(sale)}")
            st.button(
                "Use this sale",
                key=f"{_FIELD}-{answered.estimate_id}-{sale.sale_id}",
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
