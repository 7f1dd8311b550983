"""The launcher: `streamlit run app.py` serves the dashboard and the REST API in one process."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

# A single estimate is faster on one thread, and many sessions share the cores. Training runs in its own processes,
# which set their own threads. The numeric libraries read both settings when they load, so this precedes their imports.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp

from api import PREFIX
from api.dashboard import Served, dashboard_protection
from api.interpreter import LoadedLater, keep_collections_short, limit_threads
from core.errors import WrongUsage
from core.serve.agent.map_tiles import read_tiles
from core.store import default_home
from core.workflows.login.reach import network_fault
from core.workflows.login.settings import DEMANDED
from core.workflows.operations.logs import start_logging
from core.workflows.operations.settings import check_settings
from pages.kit import errors, login, session
from pages.kit.navigation import PAGES

ROOT: Final = Path(__file__).resolve().parent

_ANY_ADDRESS: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


def load_api() -> ASGIApp:
    """Load the modules of the pages, then the API, exempt them from collections, and return the API."""
    loading = importlib.import_module("pages.loading")
    # The first page need not wait for these.
    from api.app import create_api
    from api.deps import Service
    from api.server import local_actor, settings

    kept, limits = loading.cached_desk, settings(login.is_configured())
    given = Service(
        session.store, session.problem, kept.open_desks, local_actor(), limits, open_books=kept.address_books
    )
    api = create_api(given)
    gc.collect()
    gc.freeze()
    return api


rest = LoadedLater(load_api)


def streamlit_page() -> str:
    """Return the HTML page with which Streamlit serves every app."""
    return (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")


def server_url() -> str:
    """Return the dashboard's address for a browser on this computer.

    It is known once the server listens, when Streamlit sets the actual port.
    """
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    address = st.get_option("server.address") or "localhost"
    host = "localhost" if address in _ANY_ADDRESS else f"[{address}]" if ":" in address else address
    parts = (f"{host}:{st.get_option('server.port')}", st.get_option("server.baseUrlPath").strip("/"))
    return f"{scheme}://{'/'.join(part for part in parts if part)}"


@asynccontextmanager
async def lifespan(served: st.App) -> AsyncIterator[None]:
    """Begin to load what pages and API work with, and print the address."""
    start_logging("warning")
    limit_threads()
    rest.begin()
    # Streamlit's own line is off together with its ad (.streamlit/config.toml). A pipe would buffer this one.
    print(f"Doorstep is running at {server_url()}", flush=True)
    keeper = asyncio.create_task(keep_collections_short())
    yield
    keeper.cancel()


def served() -> Served:
    """Return how the dashboard is served; ends the process, with a sentence, where that would not be safe."""
    hosts: list[str] = st.get_option("server.allowedHosts")
    origins, login_seconds = set(st.get_option("server.corsAllowedOrigins")), None
    try:
        check_settings(default_home().resolve(), [Path(name) for name in st.get_option("secrets.files")])
        tiles = read_tiles(os.environ)
        has_login = login.is_configured()
        if has_login:
            login.check()
            os.environ[DEMANDED] = "on"
            origins.add(login.address())
            login_seconds = int(login.settings().absolute.total_seconds())
        elif fault := network_fault(st.get_option("server.address") or "", hosts):
            raise WrongUsage(fault)
    except WrongUsage as error:
        sys.exit(f"error: {error}")
    base = st.get_option("server.baseUrlPath").strip("/")
    return Served(
        hosts=hosts,
        origins=frozenset(origins),
        base=f"/{base}" if base else "",
        pages=frozenset(page.path for page in PAGES),
        https=bool(st.get_option("server.sslCertFile")) or (has_login and login.address().startswith("https://")),
        login_seconds=login_seconds,
        pictures=tiles.origin if tiles is not None else "",
    )


app = st.App(
    ROOT / "pages" / "shell.py",
    lifespan=lifespan,
    middleware=[
        *dashboard_protection(streamlit_page(), served(), lambda cookies: login.is_signed_in(session.store(), cookies)),
        Middleware(GZipMiddleware, compresslevel=5),
    ],
    routes=[Mount(PREFIX, rest, name="api")],
    on_script_error=errors.show,
)
