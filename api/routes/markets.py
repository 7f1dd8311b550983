"""The markets, and the models of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import InContext
from api.keyed_route import KeyedRoute
from api.responses import Json
from api.schemas.common import MarketId, ShortText, problems
from api.schemas.markets import KnownHomes, MarketDescription, Markets, Models, Pilot
from core.store.base.values import plain_document
from core.workflows.models.model_form import list_models, model_form
from core.workflows.pilot.rollout import rollout_form, rollout_of
from core.workflows.pricing.known_homes import homes_like, matches_form
from core.workflows.pricing.market_form import describe_market, list_markets

router = APIRouter(route_class=KeyedRoute)


@router.get("/markets", tags=["markets"], responses={200: {"model": Markets}, **problems()})
def get_markets(context: InContext) -> Json:
    """List the markets and their live models."""
    return Json({"markets": list_markets(context.workspace)})


@router.get("/markets/{market}", tags=["markets"], responses={200: {"model": MarketDescription}, **problems(404)})
def get_market(market: MarketId, context: InContext) -> Json:
    """Describe a market: the facts its live model uses, range levels, and reasons for a price of one's own."""
    return Json(describe_market(context.workspace, context.desk(market)))


@router.get("/markets/{market}/homes", tags=["markets"], responses={200: {"model": KnownHomes}, **problems(404, 422)})
def get_homes(
    market: MarketId,
    context: InContext,
    address: Annotated[ShortText, Query(description="An address, a part of one, or a property id", min_length=1)],
) -> Json:
    """Find homes by address in the market's sales and tax roll, with the recorded facts to price them by."""
    found = homes_like(context.workspace, context.desk(market), context.books, address)
    return Json(matches_form(found))


@router.get("/markets/{market}/pilot", tags=["markets"], responses={200: {"model": Pilot}, **problems(404)})
def get_pilot(market: MarketId, context: InContext) -> Json:
    """Tell which offices have estimates: all of them, unless a pilot is set."""
    workspace = context.workspace
    found = workspace.store.markets.get(market)
    return Json(rollout_form(found, rollout_of(workspace, market), workspace.today(found)))


@router.get("/models", tags=["models"], responses={200: {"model": Models}, **problems(404, 422)})
def get_models(market: Annotated[MarketId, Query()], context: InContext) -> Json:
    """List a market's models with their stages and cards, newest first."""
    found = [plain_document(model_form(record), "model") for record in list_models(context.workspace, market)]
    return Json({"models": found})
