"""The review flags of an estimate: first what a person must review, then what is good to know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import streamlit as st

from core.serve import words
from core.serve.flags import Flag, FlagKind, Severity
from core.serve.words import Conventions
from core.wording import count
from pages.kit.text import plain

_FOLDED_FROM: Final = 3
_LOOKS: Final = {
    Severity.REVIEW: ("Review", ":material/flag:", "orange"),
    Severity.NOTE: ("Note", ":material/info:", "gray"),
}


def draw(flags: Sequence[Flag], market: Conventions) -> None:
    """Draw the points to review in a box, then the notes, collapsed if there are three or more; nothing for none."""
    review = [flag for flag in flags if flag.severity is Severity.REVIEW]
    notes = [flag for flag in flags if flag.severity is not Severity.REVIEW]
    if review:
        with st.container(border=True, gap="small"):
            st.markdown(f"**{count(len(review), 'point')} to review**")
            _list(review, market)
    if len(notes) >= _FOLDED_FROM:
        with st.expander(count(len(notes), "note"), icon=_LOOKS[Severity.NOTE][1]):
            _list(notes, market)
    else:
        _list(notes, market)


def _list(flags: Iterable[Flag], market: Conventions) -> None:
    for flag in flags:
        word, icon, colour = _LOOKS[flag.severity]
        link = "; " if flag.kind is FlagKind.IMPUTED_FACT else "; limit "
        st.markdown(
            f":{colour}-badge[{icon} {word}] **{plain(flag.kind.value.capitalize())}**  \n"
            f"{plain(words.flag_field(flag.field, market))}: {plain(flag.value)}{link}{plain(flag.limit)}.  \n"
            f":gray[{plain(flag.action)}]"
        )
