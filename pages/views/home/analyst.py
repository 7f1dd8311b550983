"""What an analyst sees first: the last upload, what waits, and how many sales each month has."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.accounting import Outcome
from core.errors import DoorstepError
from core.store import Market
from core.wording import count, market_day
from core.workflows.intake_overview import IntakeOverview, Step, intake_overview, sales_by_month
from core.workflows.overview import Overview
from core.workspace import Workspace
from pages.kit import doubtful, errors, figures, navigation
from pages.kit.charts import months_chart, plot
from pages.kit.palette import GOOD, WATCH, palette
from pages.kit.text import plain

_HEIGHT: Final = 220

_STEPS: Final[dict[Step, tuple[str, str, dict[str, str]]]] = {
    Step.COMMIT: ("sales_data", "Go on with your files", {}),
    Step.WAIT: ("models", "Open Models to follow it", {}),
    Step.COMPARE: ("models", "Open Models to compare", {}),
    Step.TRAIN: ("models", "Open Models to train", {}),
    Step.DECIDE: ("sales_data", "Decide the doubtful sales", {"view": "Doubtful sales"}),
    Step.UPLOAD: ("sales_data", "Bring in sales", {}),
}


def draw(workspace: Workspace, market: Market, of_market: Overview) -> None:
    """Draw what waits with the button that leads on, the last upload, and the months."""
    seen = intake_overview(workspace, market, doubtful.waiting(workspace, market), of_market)
    _waiting(seen)
    _upload(seen)
    if seen.version is None:
        return
    st.header("Sales by month", anchor=False)
    first, last = (market_day(one, market.currency) for one in (seen.version.first_sale, seen.version.last_sale))
    st.caption(plain(f"{count(seen.version.rows, 'sale')} in use, {first} to {last}."))
    try:
        months = _months(str(workspace.store.home), seen.version.version_id, workspace)
    except DoorstepError as error:
        errors.show(error)
        return
    chart = months_chart(months["start"].tolist(), months["sales"].tolist(), _HEIGHT, palette())
    plot(chart, key="months", alt="Bar chart: sales in each month")


def _upload(seen: IntakeOverview) -> None:
    st.header("Last upload", anchor=False)
    st.markdown(plain(seen.words))
    if seen.files:
        with figures.boxes("upload"):
            for outcome in Outcome:
                with figures.box():
                    number = sum(getattr(file, outcome.value) for file in seen.files)
                    st.metric(outcome.value.replace("_", " ").capitalize(), f"{number:,}")
        if seen.corrections:
            st.caption(plain(f"{count(seen.corrections, 'row')} of these correct stored sales."))


def _waiting(seen: IntakeOverview) -> None:
    st.header("What waits", anchor=False)
    path, label, query = _STEPS[seen.waiting.step]
    with st.container(border=True):
        for sentence in seen.waiting.words:
            st.markdown(f":{WATCH}[:material/pending_actions:] {plain(sentence)}")
        if not seen.waiting.words:
            st.markdown(f":{GOOD}[:material/check_circle:] Nothing waits for you.")
        if st.button(label, key="next_step", type="primary", icon=":material/arrow_forward:"):
            navigation.go_to(path, **query)


@st.cache_data(max_entries=32, show_spinner="Counting the sales")
def _months(home: str, version_id: str, _workspace: Workspace) -> pd.DataFrame:
    return sales_by_month(_workspace, version_id)
