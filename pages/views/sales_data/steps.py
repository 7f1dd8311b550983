"""The steps of the intake: the current one, which ones are open, and the buttons back and forward."""

from __future__ import annotations

from typing import Final, NoReturn

import streamlit as st

from core.collect.mapping import ColumnMapping, check_required
from core.errors import MappingError
from pages.views.sales_data import draft
from pages.views.sales_data.draft import Draft, Step

LABELS: Final = {
    Step.FILES: "Files",
    Step.COLUMNS: "Columns",
    Step.CHECK: "Check",
    Step.PREVIEW: "Preview",
    Step.COMMIT: "Commit",
}

_ROW: Final = "steps"
_ASKED: Final = "_step_asked"
_TYPED_IN: Final = (Step.FILES, Step.COLUMNS, Step.COMMIT)
"""The steps with fields to type in, which are read before the step is left."""

_ONE_LINE_ON_PHONES: Final = f"""<style>@media (max-width: 640px) {{
.st-key-{_ROW} {{ flex-wrap: nowrap; justify-content: space-between; }}
.st-key-{_ROW} button {{ padding: 0.25rem 0.3rem; }}
.st-key-{_ROW} button p {{ font-size: 0.75rem; }}
.st-key-{_ROW} button *:has(> [data-testid=stIconMaterial]):not(:has(p)) {{ display: none; }}
.st-key-{_ROW} [data-testid=stIconMaterial] {{ display: none; }}
}}</style>"""


def open_steps(held: Draft) -> tuple[Step, ...]:
    """Return the steps that are open, in order."""
    steps = list(Step)
    if not held.files:
        return tuple(steps[:1])
    if not ready(held):
        return tuple(steps[:2])
    if not held.passed:
        return tuple(steps[:3])
    return tuple(steps[:4]) if held.idle else tuple(steps)


def ready(held: Draft) -> bool:
    """Tell whether the files can be checked: each mapping is complete, and the market is named."""
    named = held.destination is not None and held.destination.is_complete()
    return named and all(is_complete(file.mapping) for file in held.files)


def is_complete(mapping: ColumnMapping) -> bool:
    """Tell whether the mapping has what its kind of file needs."""
    try:
        check_required(mapping)
    except MappingError:
        return False
    return True


def present(held: Draft) -> Step:
    """Return the step to draw: the current one, or the last open one if it has closed."""
    reachable = open_steps(held)
    return held.step if held.step in reachable else reachable[-1]


def draw(held: Draft, step: Step) -> None:
    """Draw all steps in a row, with the current one marked; pressing an open one goes there on ``leave``."""
    reachable = open_steps(held)
    st.html(_ONE_LINE_ON_PHONES)
    with st.container(horizontal=True, gap="xsmall", key=_ROW):
        for number, one in enumerate(Step, start=1):
            done = one in reachable and number <= list(Step).index(step)
            if st.button(
                f"{number} · {LABELS[one]}",
                key=f"step_{one}",
                type="primary" if one is step else "secondary",
                icon=":material/check:" if done else None,
                disabled=one not in reachable,
            ):
                st.session_state[_ASKED] = one
    if step not in _TYPED_IN:
        leave()


def leave() -> None:
    """Go to the step that was pressed, once the current one is drawn and what was typed in it is kept."""
    asked = st.session_state.pop(_ASKED, None)
    if asked is not None:
        go(asked)


def draw_ways(held: Draft, step: Step, onward: str = "", closed: bool = False) -> None:
    """Draw the buttons back and forward; ``onward`` labels the latter, and ``closed`` disables it."""
    order = list(Step)
    place = order.index(step)
    with st.container(horizontal=True, gap="small"):
        if place and st.button("Back", key="back", icon=":material/arrow_back:"):
            go(order[place - 1])
        if onward and st.button(onward, key="onward", type="primary", icon=":material/arrow_forward:", disabled=closed):
            go(order[place + 1])


def go(step: Step) -> NoReturn:
    """Go to a step; answers given so far apply there."""
    st.session_state.pop(_ASKED, None)
    draft.apply_answers()
    draft.go(step)
    st.rerun()
