"""The page “Monitoring”: whether the estimates still hold, what moved, and what is being done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from core.errors import DoorstepError
from core.workspace import Workspace, clock_note
from pages.kit import choice, errors, navigation, session
from pages.views.monitoring import accuracy, alerts, drift, in_use, pilot, promises, scorecard, worker
from pages.views.monitoring.selection import Selection, choose_days, choose_span, pulse_of, without_span

Draw = Callable[[Selection], None]

VIEWS: Final[dict[str, Draw]] = {
    "Promises": promises.draw,
    "Figures": in_use.draw,
    "Accuracy": accuracy.draw,
    "Drift": drift.draw,
    "Alerts": alerts.draw,
    "Agents and the model": scorecard.draw,
    "Pilot": pilot.draw,
    "Operations": worker.draw,
}
# Only these views have days to choose; the others show the current state or have their own dates.
_CHOICES: Final = {
    "Figures": choose_span,
    "Accuracy": choose_span,
    "Drift": choose_days,
    "Agents and the model": choose_days,
}
_EVERY: Final = timedelta(seconds=15)
_PULSE: Final = "_monitoring_pulse"
_DRAWN: Final = "_monitoring_drawn"


def main(workspace: Workspace) -> None:
    """Draw the selected view, or what is missing and where to get it."""
    st.title("Monitoring", anchor=False)
    market = session.market()
    if market is None:
        st.info("There is no market to monitor yet. Upload sales and train a model.", icon=":material/info:")
        navigation.link_to("sales_data", "Bring in sales")
        return
    note = clock_note(market, workspace.today(market))
    if note:
        st.caption(note)
    view = choice.view(list(VIEWS))
    pulse = pulse_of(workspace)
    st.session_state[_PULSE] = pulse
    st.session_state[_DRAWN] = True
    try:
        selection = _CHOICES.get(view, without_span)(workspace, market, pulse)
        VIEWS[view](selection)
    except DoorstepError as error:
        errors.show(error)
    _refresh(workspace)


@st.fragment(run_every=_EVERY)
def _refresh(workspace: Workspace) -> None:
    """Rerun the whole page only if something was written, so that text being typed is not lost."""
    # During a full run there is nothing to check, and the message just shown must stay.
    of_the_page = st.session_state.pop(_DRAWN, False)
    try:
        changed = not of_the_page and pulse_of(workspace) != st.session_state.get(_PULSE)
    except DoorstepError as error:
        errors.show(error)
        return
    if changed:
        st.rerun()
    st.caption(f"As of {datetime.now(UTC):%H:%M:%S} UTC; checks for updates every {_EVERY.seconds} seconds.")


main(session.guard("monitoring"))
