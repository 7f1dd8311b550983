"""What a route works with: the service of this process, and the context of one request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.metrics import ApiMetrics
from api.rate_limit import RateLimiter
from api.responses import request_id_of
from core.access import Actor
from core.problem import Problem
from core.store import Store
from core.workflows.api_keys import KnownKeys
from core.workflows.columns.names import use_names_of
from core.workflows.operations.api_settings import ApiSettings
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.known_homes import AddressBooks
from core.workflows.pricing.open_desks import OpenDesks
from core.workspace import Workspace


@dataclass(frozen=True)
class Service:
    """What the launcher gives the API: its store, problem statement and desks, opened when a request needs them."""

    open_store: Callable[[], Store]
    open_problem: Callable[[], Problem]
    open_desks: Callable[[], OpenDesks]
    local_actor: Actor
    settings: ApiSettings = field(default_factory=ApiSettings)
    limiter: RateLimiter = field(default_factory=RateLimiter)
    metrics: ApiMetrics = field(default_factory=ApiMetrics)
    keys: KnownKeys = field(default_factory=KnownKeys)
    open_books: Callable[[], AddressBooks] = field(default_factory=lambda: cache(AddressBooks))


@dataclass(frozen=True)
class Caller:
    """Who makes a request; ``caller_id`` is the id of the key, or "local"."""

    caller_id: str
    actor: Actor


@dataclass(frozen=True)
class Context:
    """One request: its id, and the workspace of its caller."""

    request_id: str
    workspace: Workspace
    settings: ApiSettings
    desks: OpenDesks
    books: AddressBooks

    def desk(self, market_id: str) -> Desk:
        """Return a market's desk, and show its columns by their names; raises NotFound, ArtifactCorrupt, StoreError."""
        use_names_of(self.workspace.store, market_id)
        return self.desks.desk(self.workspace, market_id)


def service_of(request: Request) -> Service:
    """Return the service of the app that answers a request."""
    service: Service = request.app.state.service
    return service


def context_of(request: Request) -> Context:
    """Return the context of a request that was admitted; raises StoreUnavailable, ProblemStatementError."""
    service, caller = service_of(request), request.state.caller
    workspace = Workspace(service.open_store(), service.open_problem(), caller.actor)
    return Context(request_id_of(request), workspace, service.settings, service.open_desks(), service.open_books())


InContext = Annotated[Context, Depends(context_of)]
"""The context, as a route's parameter."""
