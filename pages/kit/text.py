"""Text made safe for Streamlit's Markdown, and fields whose text stays while another page is open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:])")


def plain(text: str) -> str:
    """Escape text for Streamlit's Markdown, so that "$245K to $265K" is not set as a formula and names stay literal."""
    return _MARKDOWN.sub(r"\\\1", text)


def kept_text(label: str, key: str, **more: Any) -> str:
    """Draw a field for text and return what it holds; Streamlit would empty it once it is off the screen."""
    st.session_state.setdefault(key, st.session_state.get(f"_kept_{key}", ""))
    return str(st.text_input(label, key=key, on_change=_keep, args=(key,), **more) or "").strip()


def _keep(key: str) -> None:
    st.session_state[f"_kept_{key}"] = st.session_state.get(key, "")


def forget(key: str) -> None:
    """Empty such a field; only a callback may, as it runs before the field is drawn again."""
    st.session_state.pop(f"_kept_{key}", None)
    st.session_state[key] = ""


def asks(key: str, doubts: Sequence[str]) -> bool:
    """Ask once about what a change would do; tell whether the answer is still to come."""
    words = " ".join(filter(None, doubts))
    if not words or st.session_state.get(key) == words:
        st.session_state.pop(key, None)
        return False
    st.session_state[key] = words
    st.warning(plain(f"{words} If it is right, press again."), icon=":material/help:")
    return True


def one_line(text: str) -> str:
    """Let no line end within the text."""
    return text.replace(" ", "\u00a0")
