"""What the seller's report shows besides the estimate: market, people, ids, and whether it shows a single price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class ReportFrame:
    """Who prepared the report for whom, for which market, with which model; texts are free-form and may be "".

    ``currency`` (ISO 4217) and ``area_unit`` ("sqft" or "sqm") are the market's; ``simulated`` puts a banner on every
    page. ``prepared_at`` is timezone-aware. ``estimate_id`` names the ledger entry, None if there is none.
    ``tolerance`` is the share of the point that the confidence refers to (problem.success.tolerance).
    ``point_label`` precedes the point value; with None, the report shows only ranges.
    """

    market_name: str
    simulated: bool
    currency: str
    area_unit: str
    address_line: str
    prepared_for: str
    prepared_by: str
    office: str
    prepared_at: datetime
    model_id: str
    estimate_id: str | None
    tolerance: float
    point_label: str | None = "Point estimate"
