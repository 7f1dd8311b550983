"""The review queue: each doubtful sale as a card with its evidence, and keep, set aside or correct beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from core.access import Action, may
from core.errors import DoorstepError
from core.states import Doubt, SaleDecision
from core.store import Market
from core.wording import area, area_label, count, from_sqft, market_day, money, to_sqft
from core.workflows.data.scrutiny import (
    Choice,
    Queue,
    apply_decisions,
    decide,
    queue_revision,
    review_queue,
    take_back,
)
from core.workspace import Workspace
from pages.kit import errors, session
from pages.kit.choice import asked_for, marked_amount, pressed
from pages.kit.text import plain
from pages.views.scrutiny import effect

KINDS: Final = {
    Doubt.PRICE_DIGIT.value: "Digit too many or too few",
    Doubt.AREA_UNIT.value: "Area in another unit",
    Doubt.AREAS_SWAPPED.value: "Living and lot area swapped",
    Doubt.PACKAGE.value: "One price for several homes",
    Doubt.PART_SHARE.value: "Share of a home",
    Doubt.NON_MARKET.value: "Maybe not an open sale",
    Doubt.FAR.value: "Far from the usual price",
}
DECISIONS: Final = {
    SaleDecision.KEEP.value: "kept",
    SaleDecision.SET_ASIDE.value: "set aside",
    SaleDecision.CORRECT.value: "corrected",
}
UNDECIDED: Final = "To decide"
DECIDED: Final = "Decided"

_OF_AREAS: Final = (Doubt.AREA_UNIT, Doubt.AREAS_SWAPPED)
_WHY: Final = "Why (for the record)"
_CARDS: Final = 8
_PRICES: Final = {
    "usual_price": "usual there and then:",
    "list_price": "list price",
    "model_estimate": "live model, without this sale:",
}
_DONE: Final = "_scrutiny_done"
"""The market, what was done to its queue, and the queue's revision right after it; "" until the page knows it."""
_PAGE: Final = "_scrutiny_page"
_KIND: Final = "doubt"
"""Where the page's address keeps the kind of doubt, without the numbers that the choice shows with it."""


def draw(workspace: Workspace, market: Market) -> None:
    """Draw the queue of the market with its filters, the actions on one and on all, and the effect."""
    st.header(f"Doubtful sales of {plain(session.title_of(market))}", anchor=False)
    done = st.container()
    try:
        revision = queue_revision(workspace, market.market_id)
        with done:
            _say_done(market, revision)
        queue = _queue(str(workspace.store.home), market.market_id, revision, workspace)
    except DoorstepError as error:
        errors.show(error)
        return
    can_decide = may(workspace.actor, Action.INGEST)
    _figures(queue)
    if queue.rows.empty:
        st.caption("No sale is in doubt.")
        return
    st.caption(
        "Sales with strong evidence against them wait: no model learns from them until somebody decides. The others "
        "are in use, and only asked about. A decision is remembered for later files."
    )
    if queue.unpriced:
        st.caption(plain(queue.unpriced))
    # Each part has its own place: one that comes or goes would close the pop-up that is open in another.
    change, filters, at_once, cards, measured = (st.container() for _ in range(5))
    if queue.pending and can_decide:
        with change:
            _apply(workspace, market, queue)
    with filters:
        rows = _filtered(queue.rows)
    if can_decide:
        with at_once:
            _decide_all(workspace, market, rows)
    with cards:
        _cards(workspace, market, rows, can_decide)
    with measured:
        effect.draw(workspace, market, revision)


def _say_done(market: Market, revision: str) -> None:
    """Draw what the last deed did until the queue changes again: a line that went at once would move the cards."""
    market_id, words, since = st.session_state.get(_DONE, ("", "", ""))
    if market_id != market.market_id or since not in ("", revision):
        st.session_state.pop(_DONE, None)
        return
    st.session_state[_DONE] = (market_id, words, revision)
    st.success(plain(words), icon=":material/check:")


@st.cache_resource(max_entries=4, show_spinner="Looking through the sales…")
def _queue(home: str, market_id: str, revision: str, _workspace: Workspace) -> Queue:
    # The arguments are the key; the page has asked who may look.
    return review_queue(_workspace, market_id)


def _figures(queue: Queue) -> None:
    figures = {
        "To decide": queue.undecided,
        "Set aside": queue.version.set_aside,
        "Decided": len(queue.rows) - queue.undecided,
    }
    with st.container(horizontal=True, gap="small"):
        for name, number in figures.items():
            st.metric(name, f"{number:,}", border=True, width="content")
    if queue.pending:
        st.caption("“Set aside” counts what is in the data now; the changes below count once they are applied.")


def _apply(workspace: Workspace, market: Market, queue: Queue) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.info(f"{count(queue.pending, 'change')} not yet in the data that models learn from.", icon=":material/sync:")
        if st.button("Apply as a new data version", key="scrutiny_apply", type="primary", icon=":material/done_all:"):
            try:
                applied = apply_decisions(workspace, market.market_id)
            except DoorstepError as error:
                errors.show(error)
                return
            trained = workspace.store.models.champion(market.market_id) is not None
            follows = " Train again so that the model follows." if trained else ""
            _finish(
                market,
                f"Data version {applied.version.version_id} has {count(applied.version.rows, 'sale')} in use and "
                f"{applied.version.set_aside:,} set aside.{follows}",
            )


# Filters


def _filtered(rows: pd.DataFrame) -> pd.DataFrame:
    is_decided = rows["decision"] != ""
    # Aligned at the top, the labels are in one line: buttons are less tall than fields.
    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        state = st.segmented_control(
            "State", [UNDECIDED, DECIDED], default=UNDECIDED, required=True, key="scrutiny_state", bind="query-params"
        )
        rows = rows[is_decided if state == DECIDED else ~is_decided]
        kind = _kind(rows, str(state))
        where = st.text_input("Address, id or zipcode", key="scrutiny_where", width=240, bind="query-params")
    if kind:
        rows = rows[rows["kind"] == kind]
    if where.strip():
        cells = rows[["address", "property_id", "zipcode"]].astype("str").fillna("")
        text = cells.agg(" ".join, axis=1).str.casefold()
        rows = rows[text.str.contains(where.strip().casefold(), regex=False)]
    return rows


def _kind(rows: pd.DataFrame, state: str) -> str:
    """Draw the choice of a kind of doubt, with how many of the rows each has; return the one chosen, "" for all."""
    counts = rows["kind"].value_counts()
    options, before = ["", *map(str, counts.index)], st.query_params.get(_KIND, "")
    # Under the same key, a browser would show the option that is chosen with the number it had before.
    key = f"scrutiny_kind_{state}_{before}_{'_'.join(f'{one}{n}' for one, n in counts.items())}"
    return st.selectbox(
        "Doubt",
        options,
        options.index(before) if before in options else 0,
        format_func=lambda one: f"{_title(one)} ({counts[one]:,})" if one else f"All ({len(rows):,})",
        key=key,
        width=320,
        on_change=_keep_kind,
        args=(key,),
    )


def _keep_kind(key: str) -> None:
    chosen = st.session_state[key]
    if chosen:
        st.query_params[_KIND] = chosen
    else:
        st.query_params.pop(_KIND, None)


def _decide_all(workspace: Workspace, market: Market, rows: pd.DataFrame) -> None:
    kinds = set(rows["kind"])
    if len(rows) < 2 or len(kinds) != 1:
        return
    keys, decided = rows["key"].tolist(), bool((rows["decision"] != "").all())
    with st.expander(f"All {len(rows):,} of this kind at once", icon=":material/checklist:"):
        note = st.text_input(_WHY, key="scrutiny_note", max_chars=500)
        with st.container(horizontal=True, gap="small"):
            if decided:
                if st.button(f"Take all {len(keys):,} back", key="all_back", icon=":material/undo:"):
                    _take_back(workspace, market, keys, note)
                return
            if st.button(f"Keep all {len(keys):,}", key="all_keep", icon=":material/check:"):
                _decide(workspace, market, [Choice(key, SaleDecision.KEEP) for key in keys], note)
            if st.button(f"Set all {len(keys):,} aside", key="all_aside", icon=":material/block:"):
                _decide(workspace, market, [Choice(key, SaleDecision.SET_ASIDE) for key in keys], note)
            fitting = rows.loc[rows["suggested"].notna(), "key"].tolist()
            if fitting and st.button(
                f"Correct {len(fitting):,} as suggested", key="all_correct", icon=":material/edit:"
            ):
                _decide(workspace, market, [Choice(key, SaleDecision.CORRECT) for key in fitting], note)


# Cards


def _cards(workspace: Workspace, market: Market, rows: pd.DataFrame, can_decide: bool) -> None:
    if rows.empty:
        st.caption("No sale fits.")
        return
    pages = -(-len(rows) // _CARDS)
    page = min(int(st.session_state.get(_PAGE, 1)), pages)
    for row in rows.iloc[(page - 1) * _CARDS : page * _CARDS].to_dict("records"):
        _card(workspace, market, row, can_decide)
    if pages > 1:
        _turn(page, pages)


def _turn(page: int, pages: int) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if st.button("Previous", key="scrutiny_previous", disabled=page == 1, icon=":material/chevron_left:"):
            st.session_state[_PAGE] = page - 1
            st.rerun()
        st.caption(f"Page {page:,} of {pages:,}")
        if st.button("Next", key="scrutiny_next", disabled=page == pages, icon=":material/chevron_right:"):
            st.session_state[_PAGE] = page + 1
            st.rerun()


def _card(workspace: Workspace, market: Market, row: dict[Any, Any], can_decide: bool) -> None:
    # The key makes the card its sale's: as cards move up, an open pop-up must not pass on to the next sale.
    with st.container(border=True, key=f"sale_{row['key']}"):
        st.markdown(plain(f"{_title(row['kind'])}: {_sale(row, market)}"))
        st.caption(" · ".join(plain(one) for one in _evidence(row, market)))
        if row["decision"]:
            _decided(workspace, market, row, can_decide)
        elif can_decide:
            _actions(workspace, market, row)


def _sale(row: dict[Any, Any], market: Market) -> str:
    """Name the sale: "1201 Pine St, sold for $450,000"."""
    home = next((row[name] for name in ("address", "property_id", "zipcode") if isinstance(row[name], str)), "home")
    return f"{home}, sold for {money(row['sale_price'], market.currency)}"


def _evidence(row: dict[Any, Any], market: Market) -> list[str]:
    """Return what is beside the price: the home's facts, what is usual, list price, last sale, homes of a package."""
    facts = [market_day(row["sale_date"], market.currency)]
    if not np.isnan(row["living_area_sqft"]):
        facts.append(area(row["living_area_sqft"], market.area_unit, market.currency))
    if row["kind"] in _OF_AREAS:
        lot, parts = (area(row[name], market.area_unit, market.currency) for name in ("lot_area_sqft", "parts_area"))
        facts += [f"lot {lot}"] if not np.isnan(row["lot_area_sqft"]) else []
        facts += [f"the parts of the living area add up to {parts}"] if not np.isnan(row["parts_area"]) else []
    if not np.isnan(row["bedrooms"]):
        facts.append(count(int(row["bedrooms"]), "bedroom"))
    for name, label in _PRICES.items():
        # What is usual for a home of the doubted area says nothing about its price.
        if not np.isnan(row[name]) and not (name == "usual_price" and row["kind"] in _OF_AREAS):
            facts.append(f"{label} {money(row[name], market.currency)}")
    if row["kind"] in _OF_AREAS and not np.isnan(row["usual_area"]):
        usual = area(row["usual_area"], market.area_unit, market.currency)
        facts.append(f"homes with such rooms there have about {usual}")
    if not np.isnan(row["last_price"]):
        before = market_day(row["last_date"], market.currency)
        facts.append(f"sold before for {money(row['last_price'], market.currency)} on {before}")
    if row["homes"] > 1:
        facts.append(f"one price and date for {count(int(row['homes']), 'home')}")
    if isinstance(row["validity"], str) and row["kind"] == Doubt.NON_MARKET:
        facts.append(f"recorded as {row['validity']!r}")
    if not np.isnan(row["suggested"]) and not row["decision"]:
        swaps = row["kind"] == Doubt.AREAS_SWAPPED
        facts.append("the correction swaps them" if swaps else _factor(row["suggested"] / row[row["field"]]))
    facts.append("set aside" if row["waiting"] else "in use")
    return facts


def _factor(ratio: float) -> str:
    """Say what a correction does: "the correction divides it by 10.76"."""
    return f"the correction {'multiplies' if ratio > 1 else 'divides'} it by {max(ratio, 1 / ratio):.4g}"


def _actions(workspace: Workspace, market: Market, row: dict[Any, Any]) -> None:
    key = str(row["key"])
    with st.container(horizontal=True, gap="xsmall"):
        if st.button("Keep", key=f"keep_{key}", icon=":material/check:", help="Models learn from this sale"):
            _decide(workspace, market, [Choice(key, SaleDecision.KEEP)])
        if st.button("Set aside", key=f"aside_{key}", icon=":material/block:", help="No model learns from this sale"):
            _decide(workspace, market, [Choice(key, SaleDecision.SET_ASIDE)])
        if not np.isnan(row["suggested"]):
            right = _value(row["field"], row["suggested"], market)
            label = f"Correct to {right}"
            if row["kind"] == Doubt.AREAS_SWAPPED:
                label = f"Swap: living {right}, lot {_value(row['field'], row['suggested_lot'], market)}"
            if st.button(label, key=f"correct_{key}", type="primary", icon=":material/edit:"):
                _decide(workspace, market, [Choice(key, SaleDecision.CORRECT)])
        # The field is drawn once the pop-up is open: drawn before, it would come up empty.
        other = st.popover("Other value or reason", key=f"other_{key}", on_change="rerun")
        if other.open:
            with other:
                _other_value(workspace, market, row)


def _other_value(workspace: Workspace, market: Market, row: dict[Any, Any]) -> None:
    key, is_area = str(row["key"]), row["field"] == "living_area_sqft"
    field = "living_area_sqft" if is_area else "sale_price"
    now = from_sqft(row[field], market.area_unit) if is_area else row[field]
    label = f"Living area ({area_label(market.area_unit)})" if is_area else f"Sale price ({market.currency})"
    st.caption(plain(_sale(row, market)))
    widget, button = f"value_{key}", f"correct_other_{key}"
    lacking = "" if str(st.session_state.get(widget, now) or "").strip() else "enter one first"
    unit = market.area_unit if is_area else ""
    value = marked_amount(asked_for(label, button, lacking), widget, float(now), market.currency, unit)
    note = st.text_input(_WHY, key=f"why_{key}", max_chars=500)
    with st.container(horizontal=True, gap="xsmall"):
        # Of a text that is no amount, the field says so.
        if pressed("Correct", button, value is None, icon=":material/edit:") and value is not None:
            right = to_sqft(value, market.area_unit) if is_area else value
            _decide(workspace, market, [Choice(key, SaleDecision.CORRECT, field, right)], note)
        if st.button("Keep", key=f"keep_why_{key}", icon=":material/check:"):
            _decide(workspace, market, [Choice(key, SaleDecision.KEEP)], note)
        if st.button("Set aside", key=f"aside_why_{key}", icon=":material/block:"):
            _decide(workspace, market, [Choice(key, SaleDecision.SET_ASIDE)], note)


def _decided(workspace: Workspace, market: Market, row: dict[Any, Any], can_decide: bool) -> None:
    field, to = row["decided_field"], ""
    if field:
        to = f" from {_value(field, row[field], market)} to {_value(field, row['decided_value'], market)}"
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        why = f": {row['decided_note']}" if row["decided_note"] else ""
        st.markdown(plain(f"{DECISIONS[row['decision']].capitalize()}{to} by {row['decided_by']}{why}"))
        if can_decide and st.button("Take back", key=f"back_{row['key']}", icon=":material/undo:"):
            _take_back(workspace, market, [str(row["key"])])


def _value(field: str, value: float, market: Market) -> str:
    return (
        area(value, market.area_unit, market.currency) if field == "living_area_sqft" else money(value, market.currency)
    )


def _title(kind: str) -> str:
    return KINDS.get(kind, "Set aside by a person")


# Deeds


def _decide(workspace: Workspace, market: Market, choices: Sequence[Choice], note: str = "") -> None:
    try:
        made = decide(workspace, market.market_id, choices, note)
    except DoorstepError as error:
        errors.show(error)
        return
    _finish(market, f"{count(made, 'sale')} {DECISIONS[choices[0].kind.value]}.")


def _take_back(workspace: Workspace, market: Market, keys: Sequence[str], note: str = "") -> None:
    try:
        made = take_back(workspace, market.market_id, keys, note)
    except DoorstepError as error:
        errors.show(error)
        return
    _finish(market, f"{count(made, 'decision')} taken back.")


def _finish(market: Market, message: str) -> None:
    st.session_state[_DONE] = (market.market_id, message, "")
    st.rerun()
