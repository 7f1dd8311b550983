"""The page “Sales data”: upload files, map their columns, check every row, and commit a data version."""

from __future__ import annotations

from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.access import Action, may
from core.store import Market
from core.wording import count
from core.workflows.columns.names import use_names_of
from core.workflows.data.intake import IntakeReport
from core.workspace import Workspace
from pages.kit import choice, doubtful, session
from pages.kit.palette import WATCH
from pages.kit.text import plain
from pages.views.sales_data import check, columns, commit, draft, files, known_limits, preview, steps, versions
from pages.views.sales_data.draft import Step
from pages.views.scrutiny import queue, repairs

BRING: Final = "Bring in sales"
DOUBTFUL: Final = "Doubtful sales"
VERSIONS: Final = "Data versions"
LIMITS: Final = "Known limits"


def main(workspace: Workspace) -> None:
    """Draw the selected view: the steps from a file to a data version, or the open market's data."""
    market = session.market()
    views = [BRING] if may(workspace.actor, Action.INGEST) else []
    views += [DOUBTFUL, VERSIONS, LIMITS] if market is not None else []
    # A title in a row has no space of its own above it: the bar at the top would cover it.
    st.space("small")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.title("Sales data", anchor=False, width="content")
        header = st.container(horizontal=True, gap="small", vertical_alignment="center", width="content")
    view = choose(workspace, views)
    if view == BRING:
        intake(workspace, header)
    elif view == DOUBTFUL and market is not None:
        repairs.draw(workspace, market)
        queue.draw(workspace, market)
    elif view == VERSIONS and market is not None:
        repairs.draw(workspace, market)
        versions.draw(workspace, market)
    elif view == LIMITS and market is not None:
        known_limits.draw(market)


def choose(workspace: Workspace, views: list[str]) -> str:
    """Draw the choice of views if there is more than one, and how many doubtful sales wait in theirs."""
    if len(views) < 2:
        return "".join(views)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        view = choice.view(views)
        market = session.market()
        if market is None or view == DOUBTFUL or (view == BRING and _is_for_another(market)):
            return view
        if (waiting := doubtful.waiting(workspace, market)).total:
            st.badge(f"{count(waiting.total, 'doubtful sale')} to decide", icon=":material/rule:", color=WATCH)
    return view


def _is_for_another(market: Market) -> bool:
    """Tell whether the files staged go into another market: the doubtful sales of the open one do not matter then."""
    held = draft.draft()
    return bool(held.files) and held.destination is not None and held.destination.market_id != market.market_id


def intake(workspace: Workspace, header: DeltaGenerator) -> None:
    """Draw the current step of the intake with its market in the header, or what the last commit changed."""
    report = st.session_state.get(commit.REPORT)
    if isinstance(report, IntakeReport):
        commit.draw_committed(report)
        return
    held = draft.draft()
    aim = held.destination.market_id if held.destination is not None else ""
    use_names_of(workspace.store, aim or None, [file.mapping for file in held.files])
    step = steps.present(held)
    with header:
        say_market(held)
    commit.say_taken_away(workspace, held)
    steps.draw(held, step)
    draw_step(workspace, held, step)
    steps.leave()


def draw_step(workspace: Workspace, held: draft.Draft, step: Step) -> None:
    """Draw the fields and findings of a step."""
    if step is Step.FILES:
        files.draw(held)
        return
    if step is Step.COLUMNS:
        columns.draw(workspace, held)
        return
    found = check.checked(held)
    if found is None:
        steps.draw_ways(held, step)
    elif step is Step.CHECK:
        check.draw(workspace, held, found)
    elif step is Step.PREVIEW:
        preview.draw(held, found)
    else:
        commit.draw(workspace, held, found)


def say_market(held: draft.Draft) -> None:
    """Say which market the sales go into, once it is chosen; the one open in the sidebar may be another."""
    if not held.files:
        if (opened := session.market()) is not None and not opened.simulated:
            st.markdown(f"into **{plain(opened.name)}**, unless you choose another market", width="content")
        return
    if held.destination is None or not held.destination.is_complete():
        return
    known = next((one for one in session.store().markets.list() if one.market_id == held.destination.market_id), None)
    name = plain(known.name if known else held.destination.name)
    st.markdown(f"into **{name}**", width="content")
    if (market := session.market()) is not None and market != known:
        st.sidebar.caption(f"The files on this page go into {name}.")
    if known is None:
        st.badge("New market", icon=":material/add_location_alt:", color="blue")
    elif known.simulated:
        st.badge(session.SIMULATED, icon=":material/science:", color="orange")


main(session.guard("sales_data"))
