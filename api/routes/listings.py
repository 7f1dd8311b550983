"""The life of a listing: created with a suggested price, decided on, sold."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from api.deps import Context, InContext
from api.keyed_route import KeyedRoute
from api.responses import Json
from api.routes.estimates import answer_response, asked_of
from api.schemas.common import MarketId, ShortText, problems
from api.schemas.listings import (
    AcceptRequest,
    CreatedListing,
    DecideRequest,
    Listing,
    ListingPage,
    ListingRequest,
    SoldRequest,
    TakeBackRequest,
)
from core.store.ledger.decisions import DecisionKind
from core.store.ledger.listings import ListingRecord
from core.workflows.pricing.answer_form import answer_form
from core.workflows.pricing.decisions import DecisionInput
from core.workflows.pricing.listings import (
    Sold,
    create_listing,
    decide_listing,
    list_listings,
    listing_form,
    mark_sold,
    open_listing,
    take_back_listing,
)

router = APIRouter(route_class=KeyedRoute, tags=["listings"])

ListingId = Annotated[ShortText, Path(examples=["3fa94c010b7d2e55"])]


@router.post(
    "/listings",
    status_code=201,
    responses={201: {"model": CreatedListing}, **problems(404, 409, 413, 415, 422)},
)
def post_listing(home: ListingRequest, request: Request, context: InContext) -> Json:
    """List a home and return the suggested price and range; a home without a price is listed, too."""
    desk = context.desk(home.market)
    made = create_listing(context.workspace, desk, asked_of(home, context))
    if made.listing is None:
        return answer_response(request, made.answered, desk.market)
    form = listing_form(made.listing, context.workspace.problem)
    where = {"Location": f"{request.scope.get('root_path', '')}/listings/{made.listing.listing_id}"}
    return Json(form | {"estimate": answer_form(made.answered, desk.market)}, 201, where)


@router.get("/listings", responses={200: {"model": ListingPage}, **problems(404, 422)})
def get_listings(
    context: InContext,
    market: Annotated[MarketId, Query()],
    reference: Annotated[ShortText, Query(description="Only those with this reference of yours")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=1, le=2**31, description="The next of the page before")] = None,
) -> Json:
    """List a market's listings, newest first; a key of an office sees that office's."""
    found = list_listings(context.workspace, market, limit + 1, before, reference)
    page = found[:limit]
    forms = [listing_form(one, context.workspace.problem) for one in page]
    return Json({"listings": forms, "next": page[-1].seq if len(found) > limit else None})


@router.get("/listings/{listing_id}", responses={200: {"model": Listing}, **problems(404)})
def get_listing(listing_id: ListingId, context: InContext) -> Json:
    """Return a listing."""
    return _listing(context, open_listing(context.workspace, listing_id))


@router.post("/listings/{listing_id}/accept", responses={200: {"model": Listing}, **problems(404, 409, 413, 415, 422)})
def accept(listing_id: ListingId, decision: AcceptRequest, context: InContext) -> Response:
    """Accept the suggested price."""
    listing = open_listing(context.workspace, listing_id)
    taken = DecisionInput("accept", listing.point or 0.0, decision.listing_price)
    return _listing(context, decide_listing(context.workspace, listing_id, taken))


@router.post("/listings/{listing_id}/adjust", responses={200: {"model": Listing}, **problems(404, 409, 413, 415, 422)})
def adjust(listing_id: ListingId, decision: DecideRequest, context: InContext) -> Response:
    """Set another price inside the range."""
    return _decide(context, listing_id, "adjust", decision)


@router.post(
    "/listings/{listing_id}/override", responses={200: {"model": Listing}, **problems(404, 409, 413, 415, 422)}
)
def override(listing_id: ListingId, decision: DecideRequest, context: InContext) -> Response:
    """Set any price, with a reason if it is far from the suggested one."""
    return _decide(context, listing_id, "override", decision)


@router.post(
    "/listings/{listing_id}/take-back", responses={200: {"model": Listing}, **problems(404, 409, 413, 415, 422)}
)
def take_back(listing_id: ListingId, _: TakeBackRequest, context: InContext) -> Json:
    """Take back the decision that counts; the one before it, if there is one, counts again."""
    return _listing(context, take_back_listing(context.workspace, listing_id))


@router.post("/listings/{listing_id}/sold", responses={200: {"model": Listing}, **problems(404, 409, 413, 415, 422)})
def sold(listing_id: ListingId, sale: SoldRequest, context: InContext) -> Json:
    """Report what the home sold for: an outcome to judge the estimate by. A later report replaces an earlier one."""
    made = Sold(sale.sale_price, sale.sale_date, sale.list_date)
    return _listing(context, mark_sold(context.workspace, listing_id, made))


def _decide(context: Context, listing_id: str, kind: DecisionKind, asked: DecideRequest) -> Json:
    decision = DecisionInput(kind, asked.price, asked.listing_price, asked.reason, asked.note)
    return _listing(context, decide_listing(context.workspace, listing_id, decision))


def _listing(context: Context, listing: ListingRecord) -> Json:
    return Json(listing_form(listing, context.workspace.problem))
