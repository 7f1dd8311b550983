"""How the API answers: JSON that any client can read, and errors as problem+json (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

PROBLEM: Final = "application/problem+json"


class Json(Response):
    """A JSON response in ASCII: what a caller wrote can be echoed even if it is no valid Unicode."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the content as JSON; raises ValueError for a number JSON lacks."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def problem(
    request: HTTPConnection,
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Json:
    """Return an error: ``code`` is for programs, ``detail`` for people; ``errors`` has one entry a field."""
    document = {
        "type": f"urn:doorstep:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id_of(request),
        **({"errors": list(errors)} if errors else {}),
        **(more or {}),
    }
    # The header again: an unexpected error is answered outside of what adds it to all others.
    own = {"X-Request-Id": request_id_of(request), "Cache-Control": "no-store", **(headers or {})}
    return Json(document, status, own, PROBLEM)


def request_id_of(request: HTTPConnection) -> str:
    """Return the id of a request, "" before it has one."""
    return str(request.scope.get("state", {}).get("request_id", ""))
