"""Requests about listings, and listings as the OpenAPI document describes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.common import Number, Request, ShortText, Text
from api.schemas.estimates import AnyAnswer, EstimateRequest
from core.states import ListingState


class ListingRequest(EstimateRequest):
    """A home to list and price."""


class AcceptRequest(Request):
    """The estimate's price is accepted."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"listing_price": 449_000}]})

    listing_price: Number | None = None


class TakeBackRequest(Request):
    """The decision that counts is taken back."""


class DecideRequest(Request):
    """Another price is set: inside the range to adjust, any to override; far from the estimate it needs a reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"price": 455_000, "reason": "market_moved", "note": "Two sales on the street since May."}]
        }
    )

    price: Number
    listing_price: Number | None = None
    reason: ShortText | None = Field(None, description="A reason's code, as GET /markets/{market} lists them.")
    note: Text = ""


class SoldRequest(Request):
    """What the home sold for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sale_price": 452_500, "sale_date": "2025-02-14"}]})

    sale_price: Number
    sale_date: date
    list_date: date | None = Field(None, description="The first day on the market.")


class Listing(BaseModel):
    """A listing: where it stands, what was suggested and decided, and what it sold for."""

    listing_id: str
    reference: str | None
    state: ListingState
    market: str
    currency: str
    estimate_id: str
    created_at: datetime
    created_by: str
    office: str | None
    suggested: dict[str, Any] | None = Field(
        examples=[{"price": 441_000, "low": 343_000, "high": 560_000, "listing_price": 449_820}]
    )
    decision: dict[str, Any] | None
    sold: dict[str, Any] | None


class CreatedListing(Listing):
    """A new listing with the answer it was created on."""

    estimate: AnyAnswer


class ListingPage(BaseModel):
    """Listings, newest first; ``next`` is the ``before`` of the next page, null on the last."""

    listings: list[Listing]
    next: int | None
