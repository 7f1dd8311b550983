"""The seller's report of an estimate: its options, and its download as a PDF."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import streamlit as st

from core.serve.estimate import Estimate
from core.serve.report.build import seller_report
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.seller_report import POINT, file_name, report_frame
from core.workspace import Workspace
from pages.kit.text import plain

_WITH_POINT: Final = "Range and point estimate"
_RANGE_ONLY: Final = "Range only"


def draw(workspace: Workspace, answered: RecordedAnswer, estimate: Estimate, desk: Desk) -> None:
    """Draw the report's few options and its download; ``estimate`` has the comparables in use."""
    name_column, got = st.columns([1, 1], gap="medium", vertical_alignment="bottom")
    with name_column:
        seller = st.text_input(
            "Prepared for", key="report_for", placeholder="Name of the seller", persist_state="session"
        )
        shows = st.segmented_control(
            "Shows", (_WITH_POINT, _RANGE_ONLY), default=_WITH_POINT, required=True, key="report_shows"
        )
    label = POINT if shows == _WITH_POINT else None
    frame = report_frame(workspace, answered, desk.market, seller or "", label, datetime.now(UTC))
    with got:
        st.caption(
            "One or two pages: the range and its coverage, the home’s facts, why this price, the comparables in use "
            "with a small map, what to review, and what the estimate is not."
        )
        # Made on request, so that nobody waits for an unwanted report.
        st.download_button(
            "Download the report",
            lambda: seller_report(estimate, frame),
            file_name(answered, desk.market),
            "application/pdf",
            icon=":material/picture_as_pdf:",
            on_click="ignore",
            width="stretch",
        )
        if desk.market.simulated:
            st.caption(f"{plain(desk.market.name)} is simulated, and every page of the report says so.")
