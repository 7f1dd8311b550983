"""What an agent chose and typed for an estimate that is open to decide on, kept beside it until it is decided on."""

from __future__ import annotations

from typing import Final

import streamlit as st

PARAMETER: Final = "estimate"
"""The parameter of the page's address that names the estimate shown."""

CHOSEN, ADDED, OWN, LISTED, REASON, NOTE = "chosen", "added", "own", "listed", "reason", "note"
# A note may name persons, so it is no part of an address: it is kept for the session only.
_IN_ADDRESS: Final = (CHOSEN, ADDED, OWN, LISTED, REASON)
_HELD: Final = "undecided"
_HELD_MOST: Final = 50


def hold(estimate_id: str, **texts: str) -> None:
    """Keep these texts by name, "" for none: for the session, and in the estimate's address for a reload."""
    mine = {name: text for name, text in {**_of(estimate_id), **texts}.items() if text}
    others = {one: old for one, old in _session().items() if one != estimate_id}
    st.session_state[_HELD] = dict(list({**others, **({estimate_id: mine} if mine else {})}.items())[-_HELD_MOST:])
    if st.query_params.get(PARAMETER) != estimate_id:
        return
    for name in _IN_ADDRESS:
        if name in mine and st.query_params.get(name) != mine[name]:
            st.query_params[name] = mine[name]
        elif name not in mine and name in st.query_params:
            del st.query_params[name]


def held(estimate_id: str, name: str) -> str:
    """Return the text kept by this name, "" for none."""
    return _of(estimate_id).get(name, "")


def drop(estimate_id: str) -> None:
    """Keep nothing of an estimate, such as one that was decided on."""
    hold(estimate_id, **dict.fromkeys((*_IN_ADDRESS, NOTE), ""))


def leave_address() -> None:
    """Take out of the address what belongs to the estimate that it no longer names."""
    for name in _IN_ADDRESS:
        if name in st.query_params:
            del st.query_params[name]


def _of(estimate_id: str) -> dict[str, str]:
    """Return what is kept of an estimate; the session knows it better than an address, which may be an older one."""
    if (known := _session().get(estimate_id)) is not None:
        return known
    if st.query_params.get(PARAMETER) != estimate_id:
        return {}
    return {name: st.query_params[name] for name in _IN_ADDRESS if name in st.query_params}


def _session() -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = st.session_state.get(_HELD, {})
    return kept
