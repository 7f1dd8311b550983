"""The seller's report of a recorded answer: what it shows besides the estimate, and its file name."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from core.serve.report.frame import ReportFrame
from core.store import Market
from core.workflows.pricing.answers import RecordedAnswer
from core.workspace import Workspace

POINT: Final = "Point estimate"
"""The label of the point estimate where the report shows it."""


def report_frame(
    workspace: Workspace,
    answered: RecordedAnswer,
    market: Market,
    prepared_for: str,
    point_label: str | None,
    at: datetime,
) -> ReportFrame:
    """Return what the report shows besides the estimate; ``point_label`` None leaves the point estimate out."""
    address = answered.question.facts.get("address")
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
        tolerance=workspace.problem.success.tolerance,
        point_label=point_label,
    )


def file_name(answered: RecordedAnswer, market: Market) -> str:
    """Return the report's file name: market, the address's plain characters, and valuation date."""
    address = answered.question.facts.get("address")
    words = re.findall(r"[a-z0-9]+", address.lower()) if isinstance(address, str) else []
    return "-".join(["report", market.market_id, *words[:6], f"{answered.question.as_of:%Y-%m-%d}"]) + ".pdf"
