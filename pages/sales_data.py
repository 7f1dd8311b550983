"""The page “Sales data”: bring files, say what their columns are, check every row, and commit a data version."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.access import Action, Actor, may
from core.lifecycle import IntakeReport
from pages.widgets import (
    choice,
    intake_check,
    intake_columns,
    intake_commit,
    intake_files,
    intake_preview,
    intake_steps,
    limits_view,
    session,
    staging,
    versions_view,
)
from pages.widgets.staging import Step

BRING: Final = "Bring in sales"
VERSIONS: Final = "Data versions"
LIMITS: Final = "Known limits"


def main(who: Actor) -> None:
    """Draw the chosen view: the steps from a file to a data version, or the data the open market has."""
    st.title("Sales data", anchor=False)
    market = session.market()
    views = [BRING] if may(who, Action.INGEST) else []
    views += [VERSIONS, LIMITS] if market is not None else []
    view = choose(views)
    if view == BRING:
        intake(who)
    elif view == VERSIONS and market is not None:
        versions_view.draw(market, who)
    elif view == LIMITS and market is not None:
        limits_view.draw(market)


def choose(views: list[str]) -> str:
    """Draw the choice of the view where there is one."""
    if len(views) < 2:
        return views[0] if views else ""
    return choice.view(views)


def intake(who: Actor) -> None:
    """Draw the present step of the intake, or what the last commit changed."""
    report = st.session_state.get(intake_commit.REPORT)
    if isinstance(report, IntakeReport):
        intake_commit.draw_committed(report)
        return
    held = staging.draft()
    step = intake_steps.present(held)
    intake_steps.draw(held, step)
    if step is Step.FILES:
        intake_files.draw(held)
        return
    if step is Step.COLUMNS:
        intake_columns.draw(held, who)
        return
    found = intake_check.checked(held)
    if found is None:
        intake_steps.draw_ways(held, step)
    elif step is Step.CHECK:
        intake_check.draw(held, found, who)
    elif step is Step.PREVIEW:
        intake_preview.draw(held, found)
    else:
        intake_commit.draw(held, found, who)


main(session.guard("sales_data"))
