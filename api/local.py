"""Whether a request comes from this computer; light, so that a server can check it before the API is loaded."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection, Request

from core.workflows.login.reach import is_loopback

_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_OF_PROXIES: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


def is_local(request: Request) -> bool:
    """Tell whether a request comes from a program on this computer, addressed to this computer by name."""
    host = request.headers.get("host", "").casefold()
    # A name of somebody else's that leads here would be asked for by a page of theirs.
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return comes_from_here(request) and name in _LOCAL_NAMES


def comes_from_here(request: HTTPConnection) -> bool:
    """Tell whether a request comes from this computer; a proxy on it calls for the whole world."""
    passed_a_proxy = any(name in request.headers for name in _OF_PROXIES)
    return request.client is not None and is_loopback(request.client.host) and not passed_a_proxy
