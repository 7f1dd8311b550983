"""The seller's report of an estimate: its options, and its download as a PDF."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.schema import keeping_names
from core.serve.estimate import Estimate
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.seller_report import ReportRequest, file_name, report_pdf, warning
from core.workflows.profiles.profiles import on_report
from core.workflows.profiles.seller_figures import figures_choice
from core.workspace import Workspace
from pages.kit import navigation
from pages.kit.text import plain

_WITH_POINT: Final = "All prices"
_RANGE_ONLY: Final = "Range only"


def draw(workspace: Workspace, answered: RecordedAnswer, estimate: Estimate, desk: Desk) -> None:
    """Draw the report's few options and its download; ``estimate`` has the comparables in use.

    The options are those of one home: the name of its seller must not stand on the report of the next.
    """
    home = answered.question.home_id or answered.estimate_id or answered.pending_id
    name_column, got = st.columns([1, 1], gap="medium")
    with name_column:
        seller = st.text_input(
            "Prepared for", key=f"report_for-{home}", placeholder="Name of the seller", persist_state="session"
        )
        shows = st.segmented_control(
            "Shows",
            (_WITH_POINT, _RANGE_ONLY),
            default=_WITH_POINT,
            required=True,
            key=f"report_shows-{home}",
            persist_state="session",
        )
    request = ReportRequest(seller or "", shows == _WITH_POINT, estimate)
    with got:
        st.caption(
            "The range, the comparables in use (with a map where their places are known), how sure it is, and why this "
            "price. Your list price is in it once you have decided on one."
        )
        if warned := warning(workspace, answered, desk, request):
            st.warning(plain(warned), icon=":material/warning:")
        # Made on request, so that nobody waits for an unwanted report.
        st.download_button(
            "Download the report",
            keeping_names(lambda: report_pdf(workspace, answered, desk, request)),
            file_name(answered, desk.market),
            "application/pdf",
            icon=":material/picture_as_pdf:",
            on_click="ignore",
            width="stretch",
        )
        if desk.market.simulated:
            st.caption(f"{plain(desk.market.name)} is simulated, and every page of the report says so.")
    _whom(workspace)
    if not figures_choice(workspace).shown:
        st.caption(
            "Crime, school, income and other figures of the neighborhood are left out of it, because of fair-housing "
            "rules. They still count in the price, as location."
        )


def _whom(workspace: Workspace) -> None:
    """Say whom the report names, and how to add a name where it names nobody."""
    agent, office = on_report(workspace)
    if agent.name:
        names = ", ".join(one for one in (agent.name, office.name) if one)
        st.caption(plain(f"The report names {names.removesuffix('.')}."))
        return
    st.info(
        "The report names no agent yet. Add your name, phone and photo, once for all reports.",
        icon=":material/badge:",
    )
    navigation.link_to("profile", "Fill in my profile")
