"""Security of every response: its headers, and the host names the server answers to."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_YEAR: Final = 365 * 24 * 60 * 60


def protection(page: str, hosts: Sequence[str], https: bool = False, pictures: str = "") -> list[Middleware]:
    """Return the middleware that protects a server.

    ``page`` is the HTML of the dashboard, whose inline scripts may run; ``hosts`` are the host names the server
    answers to (empty: any); ``https`` tells whether browsers reach it over TLS, and no other way. ``pictures`` is the
    one origin beside this server that pictures may come from, "" for none.
    """
    strict = {"Strict-Transport-Security": f"max-age={_YEAR}"} if https else {}
    return [
        Middleware(SecurityHeaders, headers=security_headers(page, pictures) | strict),
        Middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(hosts), www_redirect=False),
    ]


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


def security_headers(page: str, pictures: str = "") -> dict[str, str]:
    """Return the headers; the content policy allows only this server, and the page's inline scripts by their hash.

    Pictures may come from one origin more, ``pictures``, where the office has a server of map tiles.

    It forbids eval, so Plotly's WebGL scatter plots do not draw: charts use SVG (``render_mode="svg"``).
    """
    scripts = " ".join(f"'sha256-{digest}'" for digest in inline_script_digests(page))
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' 'wasm-unsafe-eval' {scripts}".strip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": f"'self' data: blob: {pictures}".strip(),
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
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def inline_script_digests(html: str) -> list[str]:
    """Return the base64 SHA-256 of each inline script, as used in a content policy."""
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    return [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]


def allowed_hosts(configured: Sequence[str]) -> list[str]:
    """Return the allowed host names for the middleware, since Streamlit checks hosts only on its socket."""
    return list(configured) or ["*"]
