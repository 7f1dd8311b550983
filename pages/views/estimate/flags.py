"""What an agent should look at before quoting an estimate: two points at most in sight, the others folded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from core.serve.agent.advice import advice, to_review
from core.serve.review.flag import Flag
from core.wording import count
from pages.kit.text import plain

_IN_SIGHT: Final = 2
_REVIEW: Final = ":orange[:material/flag:]"
_NOTE: Final = ":gray[:material/info:]"


def draw(flags: Sequence[Flag], area_unit: str) -> None:
    """Draw the points to review, at most two in sight; the others and the notes are folded. Nothing for none."""
    sentences, review = advice(flags, area_unit), to_review(flags)
    in_sight = min(review, _IN_SIGHT)
    lines = [f"{_REVIEW if at < review else _NOTE} {plain(line)}" for at, line in enumerate(sentences)]
    if not lines:
        return
    with st.container(border=True, gap="small", key="flags"):
        for line in lines[:in_sight]:
            st.markdown(line)
        if rest := lines[in_sight:]:
            with st.expander(count(len(rest), "more note" if in_sight else "note"), icon=":material/info:"):
                st.markdown("  \n".join(rest))
