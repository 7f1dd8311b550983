"""Selectors between a few views or options, kept in the page's address, fields for amounts, and what a button needs."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final

import streamlit as st

from core.serve.words import typed_amount
from core.wording import area_label, from_sqft, marked
from pages.kit.palette import BAD
from pages.kit.text import plain

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""Streamlit drops a typed day beyond a field's bounds without a word, and its own are ten years to either side: these
are beyond any day a person means, and what a day is for says whether it is possible."""

_AMOUNT: Final = 400_000
_AREA: Final = 1_940
DIGITS: Final = "off"
"""The autocomplete of fields for areas and amounts."""


def on_offer(chosen: str | None, options: Collection[str], usual: str) -> str:
    """Return what was chosen, or the usual option where it is not on offer.

    A selector kept in the address gives any word found there: another model or market may not have that option.
    """
    return chosen if chosen is not None and chosen in options else usual


def view(views: Sequence[str]) -> str:
    """Draw the selector of a page's views, the first by default; return the selected view."""
    chosen = st.pills(
        "View",
        views,
        default=views[0],
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
        wrap=True,
    )
    return on_offer(chosen, views, views[0])


def one_of(label: str, options: Sequence[str], key: str, usual: str) -> str:
    """Draw a selector with a label only for screen readers; return the selected option, ``usual`` by default."""
    chosen = st.segmented_control(
        label,
        options,
        default=usual,
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
        wrap=True,
    )
    return on_offer(chosen, options, usual)


def asked_for(label: str, button: str, lacking: str) -> str:
    """Return the label of a field, with what is ``lacking`` in it once its ``button`` was pressed without that."""
    is_asked = lacking and (st.session_state.get(button) or st.session_state.get(f"_asked_by_{button}"))
    return f"{label} :{BAD}[· {lacking}]" if is_asked else label


def pressed(label: str, button: str, lacks: bool, **more: Any) -> bool:
    """Draw a button that is not gray while something is lacking; tell whether it was pressed with all it needs.

    A browser sends a text as its field is left, so the press that leaves the field would meet a gray button. Pressed
    without what it needs it does nothing, and ``asked_for`` says at the field what that is.
    """
    is_pressed = st.button(label, key=button, **more)
    if not lacks:
        st.session_state.pop(f"_asked_by_{button}", None)
    elif is_pressed:
        st.session_state[f"_asked_by_{button}"] = True
    return is_pressed and not lacks


def amount(label: str, widget: str, placeholder: str | None = None, **more: Any) -> str:
    """Draw a field for an area or an amount of money, in which thousands marks may be typed; return its text.

    Streamlit's field for numbers shows no marks. ``autocomplete`` is where api/static/dashboard.js knows the field
    by, to ask a phone for its keys of digits.
    """
    return str(st.text_input(label, key=widget, placeholder=placeholder, autocomplete=DIGITS, **more) or "")


def marked_amount(
    label: str, widget: str, start: float | None, currency: str, unit: str = "", **more: Any
) -> float | None:
    """Draw such a field, which begins with ``start`` and writes what was typed with thousands marks.

    ``unit`` is that of an area ("sqft" or "sqm"), "" for an amount of money. Return its number, None where it is blank,
    negative or no number; the field then says so.
    """
    st.session_state.setdefault(widget, "" if start is None else marked(start, currency))
    typed = amount(label, widget, on_change=_mark, args=(widget, currency), **more).strip()
    number = typed_amount(typed)
    if math.isfinite(number) and number >= 0:
        return number
    if typed:
        what = f"area in {area_label(unit)}" if unit else "amount"
        such = marked(round(from_sqft(_AREA, unit)) if unit else _AMOUNT, currency)
        fault = f"“{typed[:40]}” is no {what}. Enter one such as {such}."
        st.markdown(f":small[:{BAD}[:material/error: {plain(fault)}]]")
    return None


def _mark(widget: str, currency: str) -> None:
    number = typed_amount(str(st.session_state.get(widget) or ""))
    if math.isfinite(number):
        st.session_state[widget] = marked(number, currency)
