"""Whether this server is up and ready."""

from __future__ import annotations

import logging
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request

from api.deps import service_of
from api.responses import Json
from api.schemas.markets import Status
from core.errors import StoreUnavailable

LOG: Final = logging.getLogger("doorstep.api")

router = APIRouter(tags=["service"])

_DOWN: Final = {"model": Status, "description": "The store cannot be read"}


@router.get("/health", responses={200: {"model": Status}, 503: _DOWN})
def health(request: Request) -> Json:
    """Tell whether the store can be read; no key is needed."""
    try:
        markets = len(service_of(request).open_store().markets.list())
    except StoreUnavailable as error:
        LOG.warning("The store is unavailable: %s", error)
        return Json({"status": "store unavailable"}, 503)
    return Json({"status": "ok", "markets": markets})


@router.get("/ready", responses={200: {"model": Status}, 503: _DOWN})
def ready(request: Request) -> Json:
    """Tell whether homes can be priced, and in which markets; no key is needed."""
    try:
        store, desks = service_of(request).open_store(), service_of(request).open_desks()
        live = [one.market_id for one in store.markets.list() if desks.can_price(store, one.market_id)]
    except StoreUnavailable as error:
        LOG.warning("The store is unavailable: %s", error)
        return Json({"status": "store unavailable"}, 503)
    if not live:
        return Json({"status": "no live model", "live": []}, 503)
    return Json({"status": "ready", "live": live})
