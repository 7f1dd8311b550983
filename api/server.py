"""The API served alone, without the dashboard: `doorstep serve` starts it by the name of ``create``."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from api.app import routes
from api.deps import Service
from api.interpreter import keep_collections_short, limit_threads
from api.security import protection
from core.access import Action, Actor, Role
from core.errors import WrongUsage
from core.problem import Problem, load_problem
from core.store import Store, open_store
from core.workflows.login.secrets_file import read_secrets, usual_secrets_files
from core.workflows.operations.api_settings import ApiSettings, read_settings
from core.workflows.pricing.open_desks import OpenDesks

LOCAL_SCOPE: Final = frozenset(
    {
        Action.PRICE,
        Action.DECIDE,
        Action.FEEDBACK,
        Action.VIEW_OFFICE,
        Action.VIEW_DATA,
        Action.VIEW_MODELS,
        Action.WATCH,
        Action.OPERATE,
    }
)
"""What a program on this computer may do without a key; it changes no data, model, limit or key."""


def create() -> Starlette:
    """Return the application; store and models open with the first request that needs them.

    Raises WrongUsage for a setting that makes no sense.
    """
    service = Service(_store, _problem, cache(OpenDesks), local_actor(), settings())
    middleware = [*protection("", service.settings.hosts), Middleware(GZipMiddleware, compresslevel=5)]
    return Starlette(routes=routes(service), middleware=middleware, lifespan=_lifespan)


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    limit_threads()
    keeper = asyncio.create_task(keep_collections_short())
    yield
    keeper.cancel()


def local_actor() -> Actor:
    """Return who calls from this computer without a key: its user, for what a key would be made for."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container may run under a user id without a name
        name = "local user"
    return Actor(name, Role.MANAGER, scope=LOCAL_SCOPE)


def settings(login: bool | None = None) -> ApiSettings:
    """Return the settings of this process's environment; raises WrongUsage.

    ``login`` tells whether the dashboard has login; None looks for it where the dashboard would.
    """
    return read_settings(os.environ, _has_login() if login is None else login)


def _has_login() -> bool:
    """Tell whether a secrets file of the dashboard configures login; one that cannot be read counts as if it did."""
    try:
        return "auth" in read_secrets(usual_secrets_files())
    except WrongUsage:
        return True


@cache
def _store() -> Store:
    return open_store()


@cache
def _problem() -> Problem:
    return load_problem()
