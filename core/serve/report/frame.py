"""What the seller's report shows besides the estimate: the market, who made it, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from core.serve.words import InUse


@dataclass(frozen=True, kw_only=True)
class AgentOnReport:
    """The agent as the report names them; parts not given are "", and ``photo`` is the content of a PNG or JPEG."""

    name: str = ""
    phone: str = ""
    license_number: str = ""
    photo: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class OfficeOnReport:
    """The office as the report names it; parts not given are "", and ``logo`` is the content of a PNG or JPEG."""

    name: str = ""
    address: str = ""
    phone: str = ""
    logo: bytes | None = None


@dataclass(frozen=True)
class Decided:
    """The agent's decision that counts: their price, the list price if one was taken, and the day (UTC)."""

    price: float
    list_price: float | None
    on: date


@dataclass(frozen=True, kw_only=True)
class ReportFrame:
    """For whom the report is, by whom, for which market, with which decision; texts are free-form and may be "".

    ``currency`` (ISO 4217) and ``area_unit`` ("sqft" or "sqm") are the market's; ``simulated`` puts a banner on every
    page. ``prepared_at`` is timezone-aware. ``estimate_id`` names the ledger entry, None if there is none.
    ``tolerance`` is the share of the point that the confidence refers to (problem.success.tolerance).
    ``point_label`` precedes the point value; with None, the report shows no single price but a list price decided.
    ``sold_around`` are latitude and longitude of homes sold around it, for the map. ``in_use`` is what of the model's
    promises fell short with homes sold since.
    """

    market_name: str
    simulated: bool
    currency: str
    area_unit: str
    address_line: str
    prepared_for: str
    prepared_at: datetime
    estimate_id: str | None
    tolerance: float
    agent: AgentOnReport = AgentOnReport()
    office: OfficeOnReport = OfficeOnReport()
    decided: Decided | None = None
    point_label: str | None = "Estimate"
    sold_around: tuple[tuple[float, float], ...] = ()
    in_use: InUse = field(default_factory=InUse)

    @property
    def list_price(self) -> float | None:
        """The list price that the agent decided on; before, None: a seller reads none that nobody stands for."""
        return None if self.decided is None else self.decided.list_price
