"""On a phone everything that is pressed or typed into is as high as a thumb needs."""

from __future__ import annotations

from typing import Final

import streamlit as st

# 44 px (WCAG 2.2, 2.5.5). Left as they are: the small aids inside a field or beside a label, which have another way.
_STYLE: Final = """<style>
@media (max-width: 640px) {
  [data-testid="stMain"] :is(
    button:not([tabindex="-1"], [data-testid="stTooltipIcon"] *), summary, [role="tab"], [role="radio"],
    input:not([type="checkbox"], [type="radio"], [type="file"]), [data-testid="stCheckbox"] label,
    [data-testid="stDateInputField"]
  ) { min-height: 2.75rem; }
  [data-testid="stMain"] [data-testid="stButtonGroup"] button { min-width: 2.75rem; }
}
</style>"""


def style() -> None:
    """Add the rule to the page."""
    st.html(_STYLE)
