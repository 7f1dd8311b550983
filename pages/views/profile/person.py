"""A person's own profile; a manager or admin can open those of others."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.access import Action, may
from core.errors import InvalidRecord
from core.states import ProfileKind
from core.workflows.profiles.profiles import AgentProfile, agent_profile, agents, save_agent
from core.workspace import Workspace
from pages.kit.text import plain
from pages.views.profile import fields


def draw(workspace: Workspace) -> None:
    """Draw the profile as a form, and its earlier versions."""
    st.caption("A seller’s report names the agent as you enter it here. What you leave blank is left off the report.")
    fields.draw_done()
    whose = _whose(workspace)
    profile = agent_profile(workspace, whose)
    key = f"person-{whose}-{fields.turn()}"
    with st.form(key, border=True):
        text_column, picture_column = st.columns([3, 2], gap="large")
        with text_column:
            entered = _entered(workspace, profile, whose, key)
        with picture_column:
            new, removed = fields.picture_field(workspace, "photo", profile.photo, key)
        pressed = st.form_submit_button("Save the profile", type="primary", icon=":material/save:")
    fields.printed_note([profile.name, profile.office])
    if pressed:
        _save(workspace, replace(entered, photo="" if removed else profile.photo), new, whose)
    fields.versions(workspace, ProfileKind.PERSON, whose, key)


def _whose(workspace: Workspace) -> str:
    """Return whose profile is open: one's own, or one that a manager or admin chose."""
    own = workspace.actor.actor_id
    if not may(workspace.actor, Action.EDIT_ALL_PROFILES):
        return own
    others = {owner: one for owner, one in agents(workspace).items() if owner != own}
    if not others:
        return own

    def label(owner: str) -> str:
        return "My own" if owner == own else " · ".join(x for x in (others[owner].name, others[owner].office) if x)

    return st.selectbox("Profile", [own, *others], format_func=label, key="profile_whose") or own


def _entered(workspace: Workspace, profile: AgentProfile, whose: str, key: str) -> AgentProfile:
    fixed = whose == workspace.actor.actor_id and bool(workspace.actor.office)
    name = fields.text("Name", "name", profile.name, key)
    note = "Your sign-in says which office you belong to." if fixed else ""
    office = fields.text("Office", "office", profile.office, key, disabled=fixed, note=note)
    phone = fields.text("Phone", "phone", profile.phone, key)
    license_number = fields.text("License number", "license_number", profile.license_number, key)
    return AgentProfile(name, office, phone, license_number)


def _save(workspace: Workspace, profile: AgentProfile, new_photo: bytes | None, whose: str) -> None:
    try:
        save_agent(workspace, profile, new_photo, whose)
    except InvalidRecord as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    fields.done("The profile is saved. The next report has it.")
