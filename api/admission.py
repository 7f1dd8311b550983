"""Who calls, and whether the call is admitted: by an API key or, on this computer, without one."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.deps import Caller, Service, service_of
from api.local import is_local
from api.rate_limit import Allowance
from core.workspace import utc_now

LOCAL: Final = "local"


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
