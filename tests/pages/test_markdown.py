"""Text shown in pages stays text."""

from __future__ import annotations

from pages.kit.text import plain


def test_plain_text_keeps_markdown_from_reading_it() -> None:
    assert plain("$245K to $265K") == r"\$245K to \$265K"
    assert plain("*Bay* [x](y)") == r"\*Bay\* \[x\]\(y\)"
    assert plain(":red[alarm]") == r"\:red\[alarm\]"
    assert plain("King County") == "King County"
