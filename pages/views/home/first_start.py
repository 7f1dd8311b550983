"""What an empty store offers: two ways to begin, with the company's own sales or the simulated demo city."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import streamlit as st

from core.access import Action, Actor, Role, least_role, may
from core.demo.opening import DEMO_MARKET, DemoTask
from core.states import JobState
from core.store import Job
from core.wording import either
from core.workspace import Workspace
from pages.kit import job_progress, login, navigation, session
from pages.kit.text import plain

KIND: Final = "demo"
_OWN_ROLE: Final = "_role_before_demo"
_TO_BEGIN: Final = (Action.INGEST, Action.TRAIN)
_ROLE: Final = least_role(*_TO_BEGIN)
SALES_VARIABLE: Final = "DOORSTEP_DEMO_SALES"
"""Environment variable that makes the demo city smaller, so that tests need not wait for it."""


def demo_task() -> DemoTask:
    """Return the task that opens the demo city, at the size set in the environment."""
    wanted = os.environ.get(SALES_VARIABLE, "")
    return DemoTask(sales=int(wanted)) if wanted.isdecimal() else DemoTask()


def has_sales(workspace: Workspace) -> bool:
    """Tell whether any market holds sales."""
    return any(
        workspace.store.versions.latest(market.market_id) is not None for market in workspace.store.markets.list()
    )


def demo_under_way() -> Job | None:
    """Return the job that is opening the demo city, if any."""
    return job_progress.open_job(KIND, None)


def go_in_when_ready() -> None:
    """Once the demo city is open, take whoever waited for it to its pricing page."""
    closed = job_progress.take_closed(KIND, None)
    if closed is None:
        return
    if closed.state is JobState.DONE:
        own = st.session_state.pop(_OWN_ROLE, None)
        if isinstance(own, Role):
            session.act_next_as(own)
        session.open_market(str(closed.result["market_id"]))
        session.offer_tour(str(closed.result["market_id"]))
        navigation.go_to("pricing")
    if closed.state is JobState.CANCELLED:
        st.info("Opening the demo city was cancelled. Finished steps are kept, and the next start resumes from them.")


def doors(workspace: Workspace, job: Job | None) -> None:
    """Draw both ways to begin; ``job`` is the open job of the demo city."""
    st.title("Welcome to Doorstep")
    st.markdown("Price homes from your own sales, as a range with its reasons. **Choose how to start.**")
    # A phone shows one below the other: the running one first.
    places = st.columns(2, gap="medium")
    own, demo = places if job is None else reversed(places)
    with own.container(border=True, height="stretch"):
        _own_sales(workspace)
    with demo.container(border=True, height="stretch"):
        demo_door(workspace, job)


def demo_door(workspace: Workspace, job: Job | None, label: str = "Open the demo city") -> None:
    """Draw the way into the demo city, or the progress of its opening; ``label`` is the button's text."""
    st.header(":material/science: Open the demo city", anchor=False)
    st.markdown(
        f"**{DEMO_MARKET}** is a **simulated** city for trying out Doorstep: its homes, sales and prices are invented "
        "and labeled as such."
    )
    if job is not None:
        job_progress.draw(job)
        _say_open_already(workspace)
        return
    task = demo_task()
    st.caption(
        f"About {task.sales:,} sales from 2019 to 2024, cleaned from three files with the usual faults, and a first "
        "model trained on them. It takes 1 to 5 minutes, depending on how busy this computer is."
    )
    failure = job_progress.last_failure(KIND, None)
    if failure:
        st.error(plain(f"The demo city could not be opened: {failure}"), icon=":material/error:")
    if _is_closed(workspace, f"You act as {_ROLE} until the city is open, and then as before."):
        return
    label = "Try again" if failure else label
    if st.button(label, key="open_demo", icon=":material/play_arrow:", width="stretch", on_click=_lend_role(workspace)):
        job_progress.begin(task)


def _say_open_already(workspace: Workspace) -> None:
    """Say that homes can be priced before the opening has ended, once the city has its model."""
    store = workspace.store
    city = next((one for one in store.markets.list() if one.simulated and one.name == DEMO_MARKET), None)
    if city is not None and store.models.champion(city.market_id) is not None:
        st.caption(f"Homes of {DEMO_MARKET} can be priced already; half a year of its history follows.")
        navigation.link_to("pricing", "Price a home")


def _own_sales(workspace: Workspace) -> None:
    st.header(":material/upload_file: Upload your own sales", anchor=False)
    st.markdown("Upload the sales you have as **CSV files or workbooks**, with whatever column names they have.")
    st.caption(
        "Doorstep guesses what each column means and shows why; you correct it. Every row is accounted for, and "
        "nothing is saved until you say so. You can add tax and neighborhood files."
    )
    if _is_closed(workspace, f"You act as {_ROLE} from there on. Change that in the sidebar at any time."):
        return
    if st.button(
        "Upload your own sales",
        key="open_upload",
        type="primary",
        icon=":material/upload:",
        width="stretch",
        on_click=_take_role(workspace),
    ):
        navigation.go_to("sales_data")


def _is_closed(workspace: Workspace, lent: str) -> bool:
    """Tell whether this person cannot go through a door, and say what it takes; ``lent`` says how local mode helps."""
    if _may_begin(workspace.actor):
        return False
    if not login.is_configured():
        st.caption(f":material/badge: {lent}")
        return False
    able = either(role.value for role in Role if _may_begin(Actor("", role)))
    st.caption(f":material/lock: This needs the role {able}. Ask somebody with that role.")
    return True


def _take_role(workspace: Workspace) -> Callable[[], None] | None:
    """Return what gives this person the role a door needs, None if their own role is enough."""
    return None if _may_begin(workspace.actor) else lambda: session.act_as(_ROLE)


def _lend_role(workspace: Workspace) -> Callable[[], None] | None:
    """Return what lends this person the role to open the demo city; they get their own back once it is open."""
    if _may_begin(workspace.actor):
        return None
    own = workspace.actor.role

    def lend() -> None:
        st.session_state[_OWN_ROLE] = own
        session.act_as(_ROLE)

    return lend


def _may_begin(actor: Actor) -> bool:
    return all(may(actor, action) for action in _TO_BEGIN)
