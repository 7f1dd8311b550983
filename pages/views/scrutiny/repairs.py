"""What newer rules of quality would repair in the stored sales, with the one button that does it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.access import Action, may
from core.errors import DoorstepError
from core.store import Market
from core.wording import count
from core.workflows.data.stored_repairs import StoredRepairs, repair_stored, stored_repairs
from core.workspace import Workspace
from pages.kit import errors
from pages.kit.text import plain

_DONE: Final = "_stored_repairs_done"


def draw(workspace: Workspace, market: Market) -> None:
    """Say how many stored sales newer rules would repair, and offer it to whoever may; nothing where none are."""
    if done := st.session_state.pop(_DONE, ""):
        st.success(plain(done), icon=":material/check:")
    version = workspace.store.versions.latest(market.market_id)
    if version is None:
        return
    try:
        found = _found(str(workspace.store.home), market.market_id, version.version_id, workspace)
    except DoorstepError as error:
        errors.show(error)
        return
    if not found.n:
        return
    with st.container(border=True):
        st.markdown(plain(found.words))
        if may(workspace.actor, Action.INGEST):
            label = f"Repair {count(found.n, 'sale')}"
            if st.button(label, key="repair_stored", icon=":material/build:"):
                _repair(workspace, market)


@st.cache_resource(max_entries=16, show_spinner="Looking through the sales…")
def _found(home: str, market_id: str, version_id: str, _workspace: Workspace) -> StoredRepairs:
    # The first three arguments are the cache key.
    return stored_repairs(_workspace, market_id)


def _repair(workspace: Workspace, market: Market) -> None:
    try:
        done = repair_stored(workspace, market.market_id)
    except DoorstepError as error:
        errors.show(error)
        return
    st.session_state[_DONE] = (
        f"{count(done.changed, 'sale')} repaired: version {done.version.version_id} is in use. To take it back, undo "
        "it under Data versions."
    )
    st.rerun()
