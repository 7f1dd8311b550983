"""What every request passes first: it gets an id and a line in the log, and what no page may send is refused."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import ApiMetrics
from api.responses import Json, problem
from core.workflows.operations.logs import REQUEST_ID

LOG: Final = logging.getLogger("doorstep.api")

_WRITES: Final = frozenset({"POST", "PUT", "PATCH"})
_METHODS: Final = _WRITES | {"GET", "HEAD", "OPTIONS", "DELETE"}
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_JSON: Final = re.compile(r"application/(?:[\w.-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)


class Guard:
    """Middleware of the API alone; ``body_max`` is in bytes."""

    def __init__(self, app: ASGIApp, body_max: int, metrics: ApiMetrics) -> None:
        self._app = app
        self._body_max = body_max
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, started = Headers(scope=scope), time.perf_counter()
        added = {"X-Request-Id": request_id(headers), "Cache-Control": "no-store"}
        scope["state"] = {**scope.get("state", {}), "request_id": added["X-Request-Id"], "headers": added}
        status, outer = 500, REQUEST_ID.set(added["X-Request-Id"])

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                for name, value in added.items():
                    MutableHeaders(scope=message).setdefault(name, value)
            await send(message)

        try:
            await (self.refusal(scope, headers) or self._app)(scope, self._counted(receive), send_marked)
        finally:
            # The template of the path: what stands in its place may name a home.
            path = getattr(scope.get("route"), "path", "unknown")
            self._note(scope["method"], path, status, time.perf_counter() - started)
            REQUEST_ID.reset(outer)

    def _note(self, method: str, path: str, status: int, seconds: float) -> None:
        # Any word can stand for a method; as a label it would be kept for good.
        known = method if method in _METHODS else "other"
        self._metrics.note(known, path, status, seconds)
        fields = {"method": known, "path": path, "status": status, "milliseconds": round(1000 * seconds, 1)}
        LOG.info("%s %s %d %.0f ms", known, path, status, 1000 * seconds, extra=fields)

    def _counted(self, receive: Receive) -> Receive:
        """Return ``receive`` for a body that does not say its length, which ends at the limit."""
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._body_max:
                raise HTTPException(413, f"The body is longer than {self._body_max:,} bytes. Send less at a time.")
            return message

        return receive_counted

    def refusal(self, scope: Scope, headers: Headers) -> Json | None:
        """Return the answer to a request that is refused unread, None for any other."""
        request = HTTPConnection(scope)
        if is_foreign(headers):
            return problem(request, 403, "foreign-origin", "Pages of other sites may not use this API.")
        if scope["method"] not in _WRITES:
            return None
        if not _JSON.fullmatch(headers.get("content-type", "")):
            detail = "The body must be JSON: send the header Content-Type: application/json."
            return problem(request, 415, "not-json", detail)
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:18]) > self._body_max:
            detail = f"The body has {int(length[:18]):,} bytes; the limit is {self._body_max:,}. Send less at a time."
            return problem(request, 413, "too-large", detail)
        return None


def request_id(headers: Headers) -> str:
    """Return the caller's id of a request if it can stand in a log, else a new one."""
    given = headers.get("x-request-id", "")
    return given if _ID.fullmatch(given) else secrets.token_hex(8)


def is_foreign(headers: Headers) -> bool:
    """Tell whether a page of another site sends the request; programs send no Origin."""
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.casefold() != headers.get("host", "").casefold()
    except ValueError:
        return True
