"""An office's profile: its lead, a manager or an admin edits it, and its agents see it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from core.access import Action, Actor, Role, may
from core.errors import InvalidRecord
from core.states import ProfileKind
from core.wording import either
from core.workflows.profiles.profiles import (
    LIMITS,
    OfficeProfile,
    may_edit_office,
    office_profile,
    offices,
    own_office,
    picture,
    save_office,
)
from core.workspace import Workspace
from pages.kit.text import plain
from pages.views.profile import fields

_NO_OFFICE: Final = "No office is named yet. Enter yours under “Me”."
_NONE_CHOSEN: Final = "Choose an office above, or type its name."


def draw(workspace: Workspace) -> None:
    """Draw the office's profile, as a form for those who may edit it."""
    st.caption("A seller’s report shows the office at the top right, for every agent of it.")
    fields.draw_done()
    office = _which(workspace)
    if not office.strip():
        all_of_them = not workspace.actor.office and may(workspace.actor, Action.EDIT_OFFICE)
        st.info(_NONE_CHOSEN if all_of_them else _NO_OFFICE, icon=":material/info:")
        return
    profile = office_profile(workspace, office)
    if not may_edit_office(workspace, office):
        _show(workspace, profile)
        return
    key = f"office-{office}-{fields.turn()}"
    with st.form(key, border=True):
        text_column, picture_column = st.columns([3, 2], gap="large")
        with text_column:
            entered = OfficeProfile(
                fields.text("Name of the office", "name", profile.name, key),
                fields.text("Address", "address", profile.address, key),
                fields.text("Phone", "phone", profile.phone, key),
            )
        with picture_column:
            new, removed = fields.picture_field(workspace, "logo", profile.logo, key)
        pressed = st.form_submit_button("Save the office", type="primary", icon=":material/save:")
    fields.printed_note([profile.name, profile.address])
    if pressed:
        _save(workspace, office, replace(entered, logo="" if removed else profile.logo), new)
    fields.versions(workspace, ProfileKind.OFFICE, office, key)


def _which(workspace: Workspace) -> str:
    """Return the office to draw: one's own, or the one chosen by somebody who sees all offices."""
    own = own_office(workspace)
    if workspace.actor.office or not may(workspace.actor, Action.EDIT_OFFICE):
        return own
    known = list(dict.fromkeys([*([own] if own else []), *offices(workspace)]))
    chosen = st.selectbox(
        "Office",
        known,
        # Nobody edits an office that they did not choose.
        index=0 if own else None,
        key="profile_office",
        placeholder="Choose an office, or type its name",
        accept_new_options=True,
        help="As the offices’ accounts and keys name it; other spellings of the name are the same office.",
    )
    return (chosen or "")[: LIMITS["office"]]


def _show(workspace: Workspace, profile: OfficeProfile) -> None:
    with st.container(border=True):
        logo = picture(workspace, profile.logo)
        if logo is not None:
            st.image(logo, width=180)
        st.markdown(f"**{plain(profile.name)}**")
        for line in (profile.address, profile.phone):
            if line:
                st.markdown(plain(line))
    able = either(f"{role}s" for role in Role if may(Actor("", role), Action.EDIT_OFFICE))
    st.caption(f"Only {able} can change it.")


def _save(workspace: Workspace, office: str, profile: OfficeProfile, new_logo: bytes | None) -> None:
    try:
        save_office(workspace, office, profile, new_logo)
    except InvalidRecord as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    fields.done("The office’s profile is saved. The next report has it.")
