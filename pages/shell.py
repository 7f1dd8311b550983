"""The first thing a browser shows: the app's name at once, then the frame as soon as its modules are loaded."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Final

import streamlit as st

from core.installation import ASSETS

ABOUT: Final = "**Doorstep** prices homes from your own sales, as a range with its reasons."
STARTING: Final = "Doorstep is starting. Your page opens in a few seconds."
_ALL: Final = "pages.loading"


def main() -> None:
    """Draw the name and, where the server has only just started, a line that says so; then frame and page."""
    # The icon is a file, because a named icon would be fetched from the web.
    st.set_page_config("Doorstep", str(ASSETS / "icon.png"), layout="wide", menu_items={"About": ABOUT})
    st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "icon.png"))
    frame().main()


def frame() -> ModuleType:
    """Return the module that draws the frame; while the server is still loading, say so and wait."""
    if not hasattr(sys.modules.get(_ALL), "LOADED"):
        waiting = st.empty()
        waiting.caption(STARTING)
        importlib.import_module(_ALL)
        waiting.empty()
    drawn: ModuleType = sys.modules[_ALL].frame
    return drawn


# A job's process imports this script again under another name: it must not draw.
if __name__ == "__main__":
    main()
