"""Metrics for Prometheus."""

from __future__ import annotations

import logging
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.deps import InContext, service_of
from api.keyed_route import KeyedRoute
from api.metrics import CONTENT_TYPE
from api.schemas.common import problems
from core.errors import StoreUnavailable
from core.workflows.operations.metrics import Metrics, read_metrics
from core.workspace import Workspace

LOG: Final = logging.getLogger("doorstep.api")

router = APIRouter(route_class=KeyedRoute, tags=["service"])

_TEXT: Final = {"content": {"text/plain": {}}, "description": "Metrics in Prometheus' text form"}


@router.get("/metrics", response_class=Response, responses={200: _TEXT, **problems()})
def metrics(request: Request, context: InContext) -> Response:
    """Return the metrics of this server and its store; a key needs the action watch."""
    text = service_of(request).metrics.text(_read(context.workspace))
    return Response(text, media_type=CONTENT_TYPE)


def _read(workspace: Workspace) -> Metrics | None:
    try:
        return read_metrics(workspace)
    except StoreUnavailable as error:
        LOG.warning("The store is unavailable: %s", error)
        return None
