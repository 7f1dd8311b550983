"""Who calls, and whether the call is admitted: by an API key or, on this computer, without one."""

from __future__ import annotations

import ipaddress
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request

from api.deps import Caller, Service, service_of
from api.rate_limit import Allowance
from core.workspace import utc_now

LOCAL: Final = "local"
_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_OF_PROXIES: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


def admit(request: Request) -> Caller:
    """Return who makes a request, and count it.

    Raises HTTPException: 401 without a valid key, 429 for too many requests; StoreUnavailable.
    """
    service = service_of(request)
    caller = _identify(service, request)
    allowance = service.limiter.take(caller.caller_id, service.settings.rate)
    request.state.headers.update(allowance.headers)
    _refuse_excess(allowance)
    return caller


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


def is_loopback(address: str) -> bool:
    """Tell whether an address or name is this computer's own; "" stands for every address."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address.casefold() == "localhost"


def _identify(service: Service, request: Request) -> Caller:
    text = _key_sent(request)
    if text is None:
        if service.settings.local and is_local(request):
            return Caller(LOCAL, service.local_actor)
        raise _unknown("An API key is needed: send it as the header Authorization: Bearer KEY.")
    address = f"refused at {request.client.host if request.client else ''}"
    _refuse_excess(service.limiter.look(address, service.settings.refused_rate))
    found = service.keys.actor_of(service.open_store(), text, utc_now())
    if found is None:
        service.limiter.take(address, service.settings.refused_rate)
        raise _unknown("The API key is not valid: it is unknown, or it was revoked. Ask for another one.")
    key, actor = found
    return Caller(key.key_id, actor)


def _key_sent(request: Request) -> str | None:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return text.strip()
    return request.headers.get("x-api-key")


def _unknown(detail: str) -> HTTPException:
    return HTTPException(401, detail, {"WWW-Authenticate": "Bearer"})


def _refuse_excess(allowance: Allowance) -> None:
    if allowance.is_spent:
        headers = {**allowance.headers, "Retry-After": str(allowance.reset)}
        detail = f"More than {allowance.limit:,} requests a minute. Try again in {allowance.reset} seconds."
        raise HTTPException(429, detail, headers)
