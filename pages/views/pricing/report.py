"""The seller's report of an estimate: its options, and its download as a PDF."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from core.serve.estimate import Estimate
from core.serve.report.build import ReportFrame, seller_report
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace
from pages.kit.text import plain

_WITH_POINT: Final = "Range and point estimate"
_RANGE_ONLY: Final = "Range only"
_POINT: Final = "Point estimate"


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
    label = _POINT if shows == _WITH_POINT else None
    frame = report_frame(workspace, answered, desk, seller or "", label, datetime.now(UTC))
    with got:
        st.caption(
            "One or two pages: the range and its coverage, the home’s facts, why this price, the comparables in use "
            "with a small map, what to review, and what the estimate is not."
        )
        # Made on request, so that nobody waits for an unwanted report.
        st.download_button(
            "Download the report",
            lambda: seller_report(estimate, frame),
            file_name(answered, desk),
            "application/pdf",
            icon=":material/picture_as_pdf:",
            on_click="ignore",
            width="stretch",
        )
        if desk.market.simulated:
            st.caption(f"{plain(desk.market.name)} is simulated, and every page of the report says so.")


def report_frame(
    workspace: Workspace, answered: RecordedAnswer, desk: Desk, prepared_for: str, point_label: str | None, at: datetime
) -> ReportFrame:
    """Return what the report shows besides the estimate."""
    market, address = desk.market, answered.question.facts.get("address")
    return ReportFrame(
        market_name=market.name,
        simulated=market.simulated,
        currency=market.currency,
        area_unit=market.area_unit,
        address_line=address if isinstance(address, str) else "",
        prepared_for=prepared_for.strip(),
        prepared_by=workspace.actor.name,
        office=workspace.actor.office,
        prepared_at=at,
        model_id=answered.model_id,
        estimate_id=answered.estimate_id,
        tolerance=desk.problem.success.tolerance,
        point_label=point_label,
    )


def file_name(answered: RecordedAnswer, desk: Desk) -> str:
    """Return the report's file name: market, the address's plain characters, and valuation date."""
    address = answered.question.facts.get("address")
    words = re.findall(r"[a-z0-9]+", address.lower()) if isinstance(address, str) else []
    return "-".join(["report", desk.market.market_id, *words[:6], f"{answered.question.as_of:%Y-%m-%d}"]) + ".pdf"
