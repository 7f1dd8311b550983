"""The API served alone, without the dashboard: `doorstep serve` starts it by the name of ``create``."""

from __future__ import annotations

import getpass
import os
from functools import cache

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from api.app import routes
from api.deps import Service
from api.security import protection
from api.settings import ApiSettings, read_settings
from core.access import Actor, Role
from core.problem import Problem, load_problem
from core.store import Store, open_store
from core.workflows.pricing.open_desks import OpenDesks


def create() -> Starlette:
    """Return the application; store and models open with the first request that needs them.

    Raises WrongUsage for a setting that makes no sense.
    """
    service = Service(_store, _problem, cache(OpenDesks), local_actor(), settings())
    hosts = [host for host in os.environ.get("DOORSTEP_API_HOSTS", "").split(",") if host]
    middleware = [*protection("", hosts), Middleware(GZipMiddleware, compresslevel=5)]
    return Starlette(routes=routes(service), middleware=middleware)


def local_actor() -> Actor:
    """Return who calls from this computer without a key: its user, as on the command line."""
    try:
        return Actor(getpass.getuser(), Role.MANAGER)
    except (OSError, KeyError):  # a container may run under a user id without a name
        return Actor("local user", Role.MANAGER)


def settings() -> ApiSettings:
    """Return the settings of this process's environment; raises WrongUsage."""
    return read_settings(os.environ)


@cache
def _store() -> Store:
    return open_store()


@cache
def _problem() -> Problem:
    return load_problem()
