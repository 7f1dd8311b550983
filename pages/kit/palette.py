"""Chart colors for the reader's theme, distinct with any color vision (after Okabe and Ito, 2008)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import streamlit as st


@dataclass(frozen=True)
class Palette:
    """Colors by meaning: what adds, takes away, is whole or faint; text, the page, the selected, lines behind.

    ``scale`` leads from little to much and ends where the theme's text is still legible on it.
    """

    more: str
    less: str
    whole: str
    faint: str
    text: str
    page: str
    selected: str
    grid: str
    scale: tuple[str, ...]


LIGHT: Final = Palette(
    more="#0072B2",
    less="#D55E00",
    whole="#5F6B70",
    faint="#B9C4C7",
    text="#1C2B30",
    page="#FFFFFF",
    selected="#0B6670",
    grid="#E3E9EA",
    scale=("#EAF4F4", "#B3D6D8", "#72B1B6"),
)
DARK: Final = Palette(
    more="#56B4E9",
    less="#F0803C",
    whole="#AEB9BE",
    faint="#4B5B62",
    text="#E4EBEC",
    page="#11181B",
    selected="#7CC5CB",
    grid="#2A363C",
    scale=("#10343A", "#165964", "#25737D"),
)

# What badges and icons call their colors: one for each meaning, on every page.
GOOD: Final = "green"
BAD: Final = "red"
WATCH: Final = "orange"
NEUTRAL: Final = "gray"
NOTED: Final = "blue"
Tone = Literal["green", "red", "orange", "gray", "blue"]


def palette() -> Palette:
    """Return the colors of the page's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT
