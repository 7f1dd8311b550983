"""The routes of the REST API: a route is a handler in this module and its line in ``ROUTES``.

A handler takes the request and the store's opener. The store and the routes' base address both come from the launcher,
so nothing here depends on a page.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import StoreUnavailable
from core.store import Store

LOG: Final = logging.getLogger("doorstep.api")

OpenStore = Callable[[], Store]
Handler = Callable[[OpenStore, Request], Response]


def health(open_store: OpenStore, request: Request) -> Response:
    """Report whether the store can be read; the status is 503 if not."""
    try:
        markets = len(open_store().markets.list())
    except StoreUnavailable as error:
        LOG.warning("The store is unavailable: %s", error)
        return JSONResponse({"status": "store unavailable"}, status_code=503)
    return JSONResponse({"status": "ok", "markets": markets})


ROUTES: Final[Mapping[str, Handler]] = {
    "/api/v1/health": health,
}
"""The handler of each address; all of them accept only GET."""


def routes(open_store: OpenStore) -> list[Route]:
    """Return the routes to mount; ``open_store`` returns the store of this process, or raises StoreUnavailable."""
    return [Route(path, partial(handler, open_store), name=handler.__name__) for path, handler in ROUTES.items()]
