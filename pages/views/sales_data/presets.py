"""Presets of a file's mapping: save under a name, reuse, download as a file and load from one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from core.collect.mapping_file import mapping_to_json
from core.errors import DoorstepError, MappingError
from core.workflows.data.source_preview import SourcePreview, bring_mapping
from core.workspace import Workspace
from pages.kit import errors, session
from pages.kit.choice import asked_for, pressed
from pages.kit.text import plain
from pages.views.sales_data import draft
from pages.views.sales_data.draft import Staged

_LARGEST: Final = 1


def draw(workspace: Workspace, file: Staged, seen: SourcePreview, number: int) -> None:
    """Draw the forms to save the mapping under a name, use a saved one, and share one as a file."""
    with st.expander("Presets: use, save or share a mapping", icon=":material/bookmark:"):
        use, save, share = st.columns(3, gap="medium")
        with use:
            _use(file, seen, number)
        with save:
            _save(workspace, file, number)
        with share:
            _share(file, seen, number)


def _use(file: Staged, seen: SourcePreview, number: int) -> None:
    store = session.store()
    key, button = f"preset_{number}", f"use_preset_{number}"
    label = asked_for("Saved mappings", button, "" if st.session_state.get(key) else "choose one first")
    saved = store.presets.list()
    chosen = st.selectbox(label, saved, None, key=key, placeholder="Choose one")
    if pressed("Use it", button, chosen is None, disabled=not saved):
        _succeeds(lambda: _take(file, seen, store.presets.load(str(chosen))))


def _save(workspace: Workspace, file: Staged, number: int) -> None:
    presets = session.store().presets
    key, button = f"preset_name_{number}", f"save_preset_{number}"
    lacking = "" if str(st.session_state.get(key) or "").strip() else "type a name first"
    name = st.text_input(asked_for("Save this mapping as", button, lacking), key=key, max_chars=80).strip()
    there = name in presets.list()
    write = presets.replace if there else presets.save
    if pressed("Replace it" if there else "Save it", button, not name) and _succeeds(
        lambda: write(name, mapping_to_json(file.mapping), workspace.actor)
    ):
        st.toast(f"Saved as “{plain(name)}”.", icon=":material/bookmark_added:")


def _share(file: Staged, seen: SourcePreview, number: int) -> None:
    brought = st.file_uploader("A mapping somebody shared", max_upload_size=_LARGEST, key=f"preset_file_{number}")
    if brought is not None and st.button("Use this file", key=f"use_preset_file_{number}"):
        _succeeds(lambda: _take(file, seen, _text(brought.getvalue(), brought.name)))
    st.download_button(
        "Download this mapping",
        mapping_to_json(file.mapping),
        f"{seen.name.partition('.')[0]}-mapping.json",
        "application/json",
        key=f"download_preset_{number}",
        icon=":material/download:",
        on_click="ignore",
    )


def _text(content: bytes, name: str) -> str:
    text = content.decode("utf-8-sig", errors="replace")
    if not text.lstrip().startswith("{"):
        raise MappingError(
            f"{name} is not a mapping saved by Doorstep, which is a JSON file. Choose one downloaded from Doorstep."
        )
    return text


def _take(file: Staged, seen: SourcePreview, text: str) -> None:
    mapping = bring_mapping(text, seen, file.mapping)
    draft.keep(file._replace(source=mapping.source, mapping=mapping))
    st.rerun()


def _succeeds(action: Callable[[], None]) -> bool:
    try:
        action()
    except DoorstepError as error:
        errors.show(error)
        return False
    return True
