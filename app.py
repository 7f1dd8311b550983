"""The launcher: `streamlit run app.py` serves the dashboard and its own routes in one process."""

from __future__ import annotations

import base64
import gc
import hashlib
import importlib
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

# A single estimate is faster on one thread, and many sessions share the cores. Training runs in processes of its own,
# which choose for themselves. The numeric libraries read both when they load, so this stands before their imports.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import StoreUnavailable
from pages.kit import errors, session

ROOT: Final = Path(__file__).resolve().parent

WARM: Final = ("pandas", "pyarrow.parquet", "plotly.graph_objects", "sklearn.ensemble", "scipy.stats", "crepes")
"""What the first visitor would otherwise wait for."""


class SecurityHeaders:
    """Middleware that adds the same headers to every HTTP response."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def security_headers() -> dict[str, str]:
    """Return the headers; the content policy admits this server only, and Streamlit's own inline script by its hash.

    It admits no eval, so Plotly's WebGL scatters do not draw: charts use the SVG ones (``render_mode="svg"``).
    """
    scripts = " ".join(f"'sha256-{digest}'" for digest in inline_script_digests(streamlit_page()))
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' 'wasm-unsafe-eval' {scripts}".strip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


def streamlit_page() -> str:
    """Return the HTML page in which Streamlit serves every app."""
    return (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")


def inline_script_digests(html: str) -> list[str]:
    """Return the base64 SHA-256 of each inline script, as a content policy names it."""
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    return [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]


def allowed_hosts() -> list[str]:
    """Return the host names this server answers to: Streamlit checks its socket only, the routes need it as much."""
    return list(st.get_option("server.allowedHosts")) or ["*"]


def health(request: Request) -> JSONResponse:
    """Answer whether the store can be read, with status 503 if not."""
    try:
        markets = len(session.store().markets.list())
    except StoreUnavailable as error:
        errors.LOG.warning("The store is unavailable: %s", error)
        return JSONResponse({"status": "store unavailable"}, status_code=503)
    return JSONResponse({"status": "ok", "markets": markets})


def warm_up() -> None:
    """Load what pages need, then keep it out of the garbage collection that ends every rerun."""
    for name in WARM:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(served: st.App) -> AsyncIterator[None]:
    """Warm up before the first visitor is let in."""
    await run_in_threadpool(warm_up)
    yield


app = st.App(
    ROOT / "pages" / "shell.py",
    lifespan=lifespan,
    middleware=[
        Middleware(SecurityHeaders, headers=security_headers()),
        Middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(), www_redirect=False),
        Middleware(GZipMiddleware, compresslevel=5),
    ],
    routes=[Route("/api/v1/health", health)],
    on_script_error=errors.show,
)
