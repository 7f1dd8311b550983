"""Chart colors for the reader's theme, distinct with any color vision (after Okabe and Ito, 2008)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st


@dataclass(frozen=True)
class Palette:
    """Colors by meaning: what adds, takes away, is whole or faint; text, the page, the selected, lines behind."""

    more: str
    less: str
    whole: str
    faint: str
    text: str
    page: str
    selected: str
    grid: str


LIGHT: Final = Palette("#0072B2", "#D55E00", "#5F6B70", "#B9C4C7", "#1C2B30", "#FFFFFF", "#0B6670", "#E3E9EA")
DARK: Final = Palette("#56B4E9", "#F0803C", "#AEB9BE", "#4B5B62", "#E4EBEC", "#11181B", "#7CC5CB", "#2A363C")


def palette() -> Palette:
    """Return the colors of the page's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT
