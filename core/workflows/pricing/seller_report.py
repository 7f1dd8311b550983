"""The seller's report of a recorded answer: who made it, what was decided, what a seller is shown; its file name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from core.access import Action
from core.schema import is_extra, local_names
from core.serve.agent.away import away, place_of
from core.serve.agent.seller_view import without_figures
from core.serve.agent.sold_around import sold_around
from core.serve.comparables import reconcile
from core.serve.estimate import Estimate
from core.serve.report.build import NUMBER_LENGTH, report_without_price, seller_report
from core.serve.report.frame import AgentOnReport, Decided, OfficeOnReport, ReportFrame
from core.serve.report.parts import outside
from core.serve.words import readable_address
from core.store import DecisionRecord, Market
from core.wording import money
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.decisions import comparables_added, comparables_decided, history
from core.workflows.pricing.desk import Desk
from core.workflows.profiles.profiles import on_report, picture
from core.workflows.profiles.seller_figures import figures_choice
from core.workspace import Workspace, market_days

_SUBURB: Final = "Suburb"
# The map of the report reaches a little farther than the comparables, most to the sides.
_WIDE: Final = 2.5
POINT: Final = "Estimate"
"""The label of the point estimate where the report shows it."""


@dataclass(frozen=True)
class ReportRequest:
    """What a report is asked for with: the seller's name, and whether it shows single prices beside the range.

    ``estimate`` holds the comparables in use on a screen; without it, those of the decision count, else the usual ones.
    """

    prepared_for: str = ""
    shows_point: bool = True
    estimate: Estimate | None = None


def report_pdf(workspace: Workspace, answered: RecordedAnswer, desk: Desk, request: ReportRequest) -> bytes:
    """Return the report of an answer, also of one without a price, with the actor's profile and the latest decision.

    Figures of the neighborhood are left out unless the company chose to show them. Raises AccessDenied, NotFound,
    StoreUnavailable.
    """
    workspace.require(Action.PRICE)
    shown = figures_choice(workspace).shown
    if not isinstance(answered.result, Estimate):
        given = answered.question.facts
        figures = frozenset[str]() if shown else _figures(desk, given)
        facts = {
            name: value for name, value in given.items() if isinstance(value, int | float | str) and name not in figures
        }
        return report_without_price(facts, _frame(workspace, answered, desk.market, request, None))
    decisions = history(workspace, answered.estimate_id) if answered.estimate_id else []
    decision = decisions[0] if decisions else None
    estimate = request.estimate or _as_decided(workspace, answered.result, decision)
    frame = _frame(workspace, answered, desk.market, request, decision)
    frame = replace(frame, sold_around=_sold_around(estimate, desk), in_use=desk.in_use_of(answered.model_id))
    return seller_report(estimate if shown else without_figures(estimate, _figures(desk, _names(estimate))), frame)


def warning(workspace: Workspace, answered: RecordedAnswer, desk: Desk, request: ReportRequest) -> str:
    """Tell the agent, before the seller reads it, that the report says the list price lies outside the range; else "".

    Raises StoreUnavailable.
    """
    decisions = history(workspace, answered.estimate_id) if answered.estimate_id else []
    frame = _frame(workspace, answered, desk.market, request, decisions[0] if decisions else None)
    result, listed = answered.result, frame.list_price
    if not isinstance(result, Estimate) or listed is None or not outside(listed, result):
        return ""
    side = "above" if listed > result.high else "below"
    return (
        f"Your list price of {money(listed, frame.currency)} lies {side} the range. The report says so and tells the "
        "seller to ask you why: have your reason ready."
    )


def file_name(answered: RecordedAnswer, market: Market) -> str:
    """Return the report's file name: market, the address's plain characters, valuation date, and the report's number.

    Without its number, homes without an address, or of addresses that begin alike, would overwrite each other.
    """
    address = answered.question.facts.get("address")
    words = re.findall(r"[a-z0-9]+", address.lower()) if isinstance(address, str) else []
    number = (answered.estimate_id or answered.pending_id or "").lower()[:NUMBER_LENGTH]
    day = f"{answered.question.as_of:%Y-%m-%d}"
    return "-".join(filter(None, ["report", market.market_id, *words[:6], day, number])) + ".pdf"


def _frame(
    workspace: Workspace,
    answered: RecordedAnswer,
    market: Market,
    request: ReportRequest,
    decision: DecisionRecord | None,
) -> ReportFrame:
    agent, office = on_report(workspace)
    day_at, now = market_days(workspace.store, market), workspace.clock()
    return ReportFrame(
        market_name=market.name,
        simulated=market.simulated,
        currency=market.currency,
        area_unit=market.area_unit,
        address_line=_address(answered, market.currency),
        prepared_for=request.prepared_for.strip(),
        prepared_at=datetime.combine(day_at(now), now.timetz()),
        estimate_id=answered.estimate_id or answered.pending_id or None,
        tolerance=workspace.problem.success.tolerance,
        agent=AgentOnReport(
            name=agent.name,
            phone=agent.phone,
            license_number=agent.license_number,
            photo=picture(workspace, agent.photo),
        ),
        office=OfficeOnReport(
            name=office.name, address=office.address, phone=office.phone, logo=picture(workspace, office.logo)
        ),
        decided=Decided(decision.price, decision.listing_price, day_at(decision.at)) if decision else None,
        point_label=POINT if request.shows_point else None,
    )


def _address(answered: RecordedAnswer, currency: str) -> str:
    """Return the address with its area's code, "2 Bell St, Glen Iris 3146" where suburbs are part of it; "" without."""
    facts = answered.question.facts
    address = facts.get("address")
    if not isinstance(address, str) or not address.strip():
        return ""
    line = readable_address(address.strip())
    names = ("neighbourhood", "zipcode") if local_names(currency)["neighbourhood"] == _SUBURB else ("zipcode",)
    area = [code for name in names if isinstance(code := facts.get(name), str) and code.lower() not in line.lower()]
    return ", ".join(filter(None, (line, " ".join(area))))


def _as_decided(workspace: Workspace, estimate: Estimate, decision: DecisionRecord | None) -> Estimate:
    """Return the estimate with the comparables that were in use when it was decided on."""
    if decision is None:
        return estimate
    estimate = replace(estimate, comparables=(*estimate.comparables, *comparables_added(workspace, decision)))
    used = comparables_decided(workspace, decision, estimate.comparables)
    if used is None:
        return estimate
    value = reconcile(estimate.comparables, used, estimate.exact, estimate.fsd, estimate.low, estimate.high)
    return replace(estimate, comparable_value=value)


def _sold_around(estimate: Estimate, desk: Desk) -> tuple[tuple[float, float], ...]:
    """Return the places of homes sold as far from the home as its comparables, empty where its own is not known."""
    home = place_of(estimate.subject.facts)
    if home is None or desk.live_model is None:
        return ()
    sales = desk.live_model.sales
    reach = max((far for one in estimate.comparables if (far := away(one, estimate)) is not None), default=0.0)
    _, _, rows = sold_around(sales, home, _WIDE * reach, _WIDE * reach)
    return tuple(zip(sales["latitude"][rows].tolist(), sales["longitude"][rows].tolist(), strict=True))


def _figures(desk: Desk, names: Iterable[str]) -> frozenset[str]:
    """Return which facts are figures of a neighborhood; a column that the live model does not know counts as one."""
    known = frozenset(desk.live_model.model.facts.all) if desk.live_model else frozenset[str]()
    return desk.neighborhood_facts | {name for name in names if is_extra(name) and name not in known}


def _names(estimate: Estimate) -> Iterator[str]:
    yield from estimate.subject.facts
    yield from estimate.imputed
    for driver in estimate.drivers.items:
        yield from (fact.name for fact in driver.facts)
