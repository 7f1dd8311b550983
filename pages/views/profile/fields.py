"""What both kinds of profiles draw alike: text fields, the picture with its upload, what was done, and versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from core.errors import InvalidRecord
from core.states import ProfileKind
from core.store.operations.profiles import ProfileRecord
from core.wording import market_instant
from core.workflows.profiles.pictures import UPLOAD_MAX
from core.workflows.profiles.profiles import LIMITS, as_printed, history, picture, restore
from core.workspace import Workspace
from pages.kit.text import plain

_DONE: Final = "profile_done"
_VERSIONS_SHOWN: Final = 10
_MEGABYTE: Final = 1_000_000


def text(label: str, name: str, value: str, key: str, *, disabled: bool = False, note: str = "") -> str:
    """Draw a field of a profile and return what is in it."""
    return st.text_input(
        label, value, max_chars=LIMITS[name], key=f"{key}-{name}", disabled=disabled, help=note or None
    )


def picture_field(workspace: Workspace, label: str, sha256: str, key: str) -> tuple[bytes | None, bool]:
    """Draw a picture and its upload; return the new picture, if any, and whether to take the old one away."""
    held = picture(workspace, sha256)
    removed = False
    if held is not None:
        st.image(held, width=120)
        removed = st.checkbox(f"Take this {label} away", key=f"{key}-remove")
    brought = st.file_uploader(
        f"New {label}" if held is not None else label.capitalize(),
        max_upload_size=UPLOAD_MAX // _MEGABYTE,
        key=f"{key}-{label}",
        help="A PNG or JPEG picture. It is made small and written anew, so that nothing else of the file is kept.",
    )
    return (brought.getvalue() if brought is not None else None), removed


def printed_note(values: Sequence[str]) -> None:
    """Say how the report prints texts whose letters its typeface lacks."""
    for value in values:
        if (printed := as_printed(value)) != value.strip():
            st.caption(
                plain(f"The report prints {value.strip()} as {printed}: its typeface lacks some of the letters.")
            )


def done(words: str) -> None:
    """Keep what was done until it is shown, and draw the page anew."""
    st.session_state[_DONE] = words
    st.session_state["profile_turn"] = turn() + 1
    st.rerun()


def turn() -> int:
    """Return a number that changes with each save, so that fields and uploads begin anew."""
    return int(st.session_state.get("profile_turn", 0))


def draw_done() -> None:
    """Show, once, what was done."""
    words = st.session_state.pop(_DONE, "")
    if words:
        st.success(plain(words), icon=":material/check_circle:")


def versions(workspace: Workspace, kind: ProfileKind, whose: str, key: str) -> None:
    """Draw the earlier versions, each with a button that uses it again; nothing before the first change."""
    found = history(workspace, kind, whose)
    if not found:
        return
    with st.expander("Earlier versions", icon=":material/history:"):
        for record in found[1 : _VERSIONS_SHOWN + 1]:
            _version(workspace, kind, whose, record, key)
        if len(found) > _VERSIONS_SHOWN + 1:
            st.caption(f"The latest {_VERSIONS_SHOWN} are listed.")
        words, again = st.columns([3, 1], vertical_alignment="center")
        words.markdown(
            f"**Empty**, as it was before {market_instant(found[-1].at, workspace.store.markets.common_currency())}"
        )
        if again.button("Use again", key=f"{key}-version-0", width="stretch"):
            _use(workspace, kind, whose, 0)


def _version(workspace: Workspace, kind: ProfileKind, whose: str, record: ProfileRecord, key: str) -> None:
    words, again = st.columns([3, 1], vertical_alignment="center")
    texts = [value for name, value in record.document.items() if value and name not in ("photo", "logo")]
    pictures = [name for name in ("photo", "logo") if record.document.get(name)]
    shown = " · ".join([*texts, *(f"with a {name}" for name in pictures)]) or "Empty"
    at = market_instant(record.at, workspace.store.markets.common_currency())
    words.markdown(f"{plain(shown)}  \n:gray[{plain(record.actor)}, {at}]")
    if again.button("Use again", key=f"{key}-version-{record.seq}", width="stretch"):
        _use(workspace, kind, whose, record.seq)


def _use(workspace: Workspace, kind: ProfileKind, whose: str, version: int) -> None:
    try:
        restore(workspace, kind, whose, version)
    except InvalidRecord as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    done("The earlier version is in use again.")
