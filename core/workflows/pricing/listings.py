"""Listings of another system: priced when created, decided on, and reported as sold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from core.access import Action, require_office
from core.errors import InvalidDecision, InvalidSale, StoreUnavailable
from core.problem import Problem
from core.serve.estimate import Refused
from core.store.base.values import plain_document
from core.store.ledger.listings import ListingRecord
from core.wording import half_up, market_day, money
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.decisions import DecisionInput, decide, take_back, usual_listing
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.questions import Asked, price_home
from core.workspace import Workspace


@dataclass(frozen=True)
class PricedListing:
    """A listing with the answer it was created on; ``listing`` is None if the home's facts were refused."""

    listing: ListingRecord | None
    answered: RecordedAnswer


@dataclass(frozen=True)
class Sold:
    """What a listing sold for: money in the market's currency, and the days it was sold and first listed."""

    price: float
    day: date
    list_date: date | None = None


def create_listing(workspace: Workspace, desk: Desk, asked: Asked) -> PricedListing:
    """Price a home and list it, also if there is no price for it; raises AccessDenied, StoreUnavailable.

    A home whose facts are impossible is not listed.
    """
    answered = price_home(workspace, desk, asked, "api")
    if isinstance(answered.result, Refused):
        return PricedListing(None, answered)
    if answered.estimate_id is None:
        raise StoreUnavailable("The ledger could not take the estimate, so the home was not listed. Try again.")
    listing = workspace.store.listings.create(answered.estimate_id, asked.reference, workspace.actor)
    return PricedListing(listing, answered)


def open_listing(workspace: Workspace, listing_id: str) -> ListingRecord:
    """Return a listing; raises AccessDenied, also for another office's, NotFound, StoreUnavailable."""
    workspace.require(Action.PRICE)
    listing = workspace.store.listings.get(listing_id)
    require_office(workspace.actor, listing.office, f"Listing {listing_id}")
    return listing


def list_listings(
    workspace: Workspace, market_id: str, limit: int, before: int | None = None, reference: str = ""
) -> list[ListingRecord]:
    """Return a market's listings that the actor may see, newest first; raises AccessDenied, NotFound."""
    workspace.require(Action.PRICE)
    return workspace.store.listings.list(market_id, limit, workspace.actor.office, before, reference)


def decide_listing(workspace: Workspace, listing_id: str, decision: DecisionInput) -> ListingRecord:
    """Record a decision on a listing's estimate and return the listing.

    Raises AccessDenied, NotFound, InvalidDecision, also once its sale is reported, StoreUnavailable.
    """
    listing = open_listing(workspace, listing_id)
    _refuse_hindsight(listing)
    decide(workspace, listing.estimate_id, decision)
    return workspace.store.listings.get(listing_id)


def take_back_listing(workspace: Workspace, listing_id: str) -> ListingRecord:
    """Take back the decision on a listing's estimate and return the listing; the one before it, if any, counts again.

    Raises AccessDenied, NotFound, InvalidDecision where there is none and once its sale is reported, StoreUnavailable.
    """
    listing = open_listing(workspace, listing_id)
    _refuse_hindsight(listing)
    made = workspace.store.ledger.decision(listing.estimate_id)
    if made is None:
        raise InvalidDecision(f"Nobody has decided on listing {listing_id}, so there is nothing to take back.")
    take_back(workspace, listing.estimate_id, made.decision_id)
    return workspace.store.listings.get(listing_id)


def mark_sold(workspace: Workspace, listing_id: str, sold: Sold) -> ListingRecord:
    """Record what a listing sold for; it becomes an outcome of its estimate, and a later report replaces it.

    Raises AccessDenied, NotFound, InvalidSale, StoreUnavailable.
    """
    workspace.require(Action.DECIDE)
    listing = open_listing(workspace, listing_id)
    _check_sold(workspace, listing, sold)
    return workspace.store.listings.sell(listing_id, sold.price, sold.day, sold.list_date, workspace.actor)


def listing_form(listing: ListingRecord, problem: Problem) -> dict[str, Any]:
    """Return a listing as JSON values: where it stands, what was suggested and decided, and what it sold for."""
    point, sale = listing.point, listing.sale
    suggested = decision = sold = None
    if point is not None:
        usual = int(half_up(usual_listing(point, problem)))
        suggested = {"price": point, "low": listing.low, "high": listing.high, "listing_price": usual}
    if listing.decision is not None:
        decision = {"kind": listing.decision, "price": listing.price, "listing_price": listing.listing_price}
    if sale is not None:
        sold = {
            "price": sale.sale_price,
            "date": sale.sale_date,
            "list_date": sale.list_date,
            "reported_by": sale.actor,
        }
    form = {
        "listing_id": listing.listing_id,
        "reference": listing.reference or None,
        "state": listing.state.value,
        "market": listing.market_id,
        "currency": listing.currency,
        "estimate_id": listing.estimate_id,
        "created_at": listing.at,
        "created_by": listing.actor,
        "office": listing.office or None,
        "suggested": suggested,
        "decision": decision,
        "sold": sold,
    }
    return plain_document(form, "listing")


def _refuse_hindsight(listing: ListingRecord) -> None:
    if listing.sale is not None:
        raise InvalidDecision(
            f"Listing {listing.listing_id} is reported as sold, so a decision on its price comes too late: it would be "
            "made in hindsight. What was decided before counts."
        )


def _check_sold(workspace: Workspace, listing: ListingRecord, sold: Sold) -> None:
    limit, currency = workspace.problem.limits["sale_price"], listing.currency
    if not (math.isfinite(sold.price) and limit.holds(sold.price)):
        raise InvalidSale(
            f"Sale price = {money(sold.price, currency)} is impossible: it must lie between "
            f"{money(limit.low, currency)} and {money(limit.high, currency)}. Correct it.",
            "sale_price",
        )
    market = workspace.store.markets.get(listing.market_id)
    today = workspace.today(market)
    if market.simulated:
        # Its clock stands still, and what is listed today sells within the time an estimate is compared with a sale.
        today += timedelta(days=workspace.problem.monitoring.match_days)
    if sold.day > today:
        raise InvalidSale(
            f"Sale date = {market_day(sold.day, currency)} is in the future; today is {market_day(today, currency)}.",
            "sale_date",
        )
    estimate = workspace.store.ledger.get(listing.estimate_id)
    priced = estimate.as_of if market.simulated else estimate.at.astimezone(UTC).date()
    if sold.day < priced:
        raise InvalidSale(
            f"Sale date = {market_day(sold.day, currency)} is before the listing was priced, on "
            f"{market_day(priced, currency)}. Correct it, or bring the sale in with the sales data.",
            "sale_date",
        )
    if sold.list_date is not None and sold.list_date > sold.day:
        raise InvalidSale(
            f"List date = {market_day(sold.list_date, currency)} is after the sale on "
            f"{market_day(sold.day, currency)}.",
            "list_date",
        )
