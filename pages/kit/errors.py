"""How a failed page shows its error: Doorstep's own errors by their message, all others by a log reference."""

from __future__ import annotations

import logging
import secrets
from typing import Final

import streamlit as st

from core.errors import AccessDenied, DoorstepError, StoreUnavailable, in_full
from pages.kit.text import plain

LOG: Final = logging.getLogger("doorstep.pages")


def show(error: Exception) -> bool:
    """Draw the error where the page stopped; return True, which tells Streamlit not to draw it again."""
    match error:
        case AccessDenied():
            st.warning(plain(str(error)), icon=":material/lock:")
        case DoorstepError():
            if isinstance(error, StoreUnavailable):
                LOG.error("%s", in_full(error))
            st.error(plain(str(error)), icon=":material/error:")
        case _:
            _show_unforeseen(error)
    return True


def _show_unforeseen(error: Exception) -> None:
    reference = secrets.token_hex(4)
    LOG.error("Reference %s: a page failed", reference, exc_info=error)
    st.error(
        "Something went wrong, and it is not your fault. Everything saved before is safe. "
        f"Try again; if it happens again, give your Doorstep administrator the reference **{reference}**.",
        icon=":material/error:",
    )
