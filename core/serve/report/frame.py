"""What the seller's report states beside the estimate: market, people, ids, and whether one price is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class ReportFrame:
    """Who prepared the report for whom, of which market, with which model; texts are free and may be "".

    ``currency`` (ISO 4217) and ``area_unit`` ("sqft" or "sqm") are the market's; ``simulated`` puts a banner on every
    page. ``prepared_at`` is aware. ``estimate_id`` names the entry in the ledger, None where there is none.
    ``tolerance`` is the share of the point the confidence speaks of (problem.success.tolerance).
    ``point_label`` stands before the point value; with None the report shows ranges only.
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
