"""The style of every page: large touch targets, text dark enough to read, no framework text over a field."""

from __future__ import annotations

from typing import Final

import streamlit as st

from pages.kit.palette import palette

# 44 px (WCAG 2.2, 2.5.5), except for small helpers inside a field or beside a label, which have an alternative.
_TARGETS: Final = """
@media (max-width: 640px) {
  :is([data-testid="stMain"], [data-testid="stPopoverBody"]) :is(
    button:not([tabindex="-1"], [data-testid="stTooltipIcon"] *), summary, [role="tab"], [role="radio"],
    input:not([type="checkbox"], [type="radio"], [type="file"]), [data-testid="stCheckbox"] label,
    [data-testid="stDateInputField"]
  ) { min-height: 2.75rem; }
  [data-testid="stMain"] [data-testid="stButtonGroup"] button { min-width: 2.75rem; }
}
"""

# Streamlit writes "Press Enter to submit form" over the field, where it blocks clicks. The character count that follows
# it in a field with a limit stays.
_INSTRUCTIONS: Final = """
[data-testid="InputInstructions"] { pointer-events: none; }
[data-testid="InputInstructions"] > span:first-child { display: none; }
[data-testid="InputInstructions"] > span::before { content: none !important; }
"""


# Streamlit's captions are fainter than WCAG 2.2 (1.4.3) allows, and so is the main color as text in the dark theme.
_SELECTED: Final = '[data-testid="stButtonGroup"] [aria-checked="true"], [role="tab"][aria-selected="true"]'


def style() -> None:
    """Add the rules to the page."""
    colours = palette()
    contrast = (
        f'[data-testid="stApp"] [data-testid="stCaptionContainer"] {{ color: {colours.whole}; opacity: 1; }} '
        f'[data-testid="stApp"] :is({_SELECTED}), [data-testid="stApp"] :is({_SELECTED}) p '
        f"{{ color: {colours.selected}; }}"
    )
    st.html(f"<style>{_TARGETS}{_INSTRUCTIONS}{contrast}</style>")
