"""Text made safe for Streamlit's Markdown."""

from __future__ import annotations

import re
from typing import Final

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:])")


def plain(text: str) -> str:
    """Escape text for Streamlit's Markdown, so that "$245K to $265K" is not set as a formula and names stay literal."""
    return _MARKDOWN.sub(r"\\\1", text)
