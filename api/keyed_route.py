"""A route for admitted callers, whose answers are repeated under an idempotency key."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.admission import admit
from api.deps import Caller, service_of
from api.responses import problem
from core.errors import StoreError, StoreUnavailable
from core.store.operations.repeatable import Claim, RepeatableAnswers

LOG: Final = logging.getLogger("doorstep.api")

Answer = Callable[[Request], Awaitable[Response]]

_PRICING: Final = ("/estimates", "/estimates/batch")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


class KeyedRoute(APIRoute):
    """Admits the caller before anything of the request is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of a request."""
        answer, known = super().get_route_handler(), frozenset(_query_names(self.dependant))

        async def handle(request: Request) -> Response:
            caller = request.state.caller = await run_in_threadpool(admit, request)
            _refuse_unknown(request, known)
            key = request.headers.get("idempotency-key")
            if request.method != "POST" or key is None:
                return await answer(request)
            return await _answer_once(request, caller, key, answer)

        return handle


def _query_names(dependant: Dependant) -> Iterator[str]:
    """Yield the names in the query that a route or what it depends on reads."""
    yield from (one.alias for one in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query_names(inner)


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    """Raise RequestValidationError for a name in the query that the route does not know: it would be ignored."""
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        expected = f"there is {', '.join(sorted(known))}" if known else "there is none"
        faults = [{"loc": ("query", name), "msg": f"Unknown in the query; {expected}", "type": ""} for name in unknown]
        raise RequestValidationError(faults)


async def _answer_once(request: Request, caller: Caller, key: str, answer: Answer) -> Response:
    """Answer a request unless it was answered before under its key; then repeat that answer."""
    if not _KEY.fullmatch(key):
        raise HTTPException(400, "The Idempotency-Key must have 1 to 200 characters, without spaces.")
    store = await run_in_threadpool(service_of(request).open_store)
    digest = await _digest(request)
    try:
        claim = await run_in_threadpool(store.repeatable.claim, caller.caller_id, key, digest)
    except StoreUnavailable as error:
        if not request.url.path.endswith(_PRICING):
            raise
        # A price does no harm when it is given twice, and it can be given without the database.
        LOG.warning("a request is answered without its key, which cannot be kept: %s", error)
        return await answer(request)
    if claim.state != "new":
        return _answer_again(request, claim)
    try:
        response = await answer(request)
        if 200 <= response.status_code < 300:
            await run_in_threadpool(_keep, store.repeatable, caller, key, response)
            return response
    except BaseException:
        await run_in_threadpool(_let_go, store.repeatable, caller, key)
        raise
    await run_in_threadpool(_let_go, store.repeatable, caller, key)
    return response


def _answer_again(request: Request, claim: Claim) -> Response:
    if claim.state == "done":
        headers = {"Idempotency-Replayed": "true"}
        return Response(claim.body, claim.status, headers, "application/json")
    if claim.state == "clash":
        detail = "This Idempotency-Key was used for another request. Use a new key for a new request."
        return problem(request, 409, "idempotency-clash", detail)
    detail = "A request with this Idempotency-Key is being answered. Try again in a second."
    return problem(request, 409, "idempotency-busy", detail, headers={"Retry-After": "1"})


def _keep(answers: RepeatableAnswers, caller: Caller, key: str, response: Response) -> None:
    try:
        answers.keep(caller.caller_id, key, response.status_code, bytes(response.body))
    except StoreError as error:
        # What was asked for is done; only a repetition of it would not be recognized.
        LOG.error("an answer cannot be repeated: %s", error)


def _let_go(answers: RepeatableAnswers, caller: Caller, key: str) -> None:
    try:
        answers.let_go(caller.caller_id, key)
    except StoreError as error:
        LOG.error("an idempotency key stays taken for minutes: %s", error)


async def _digest(request: Request) -> str:
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return digest.hexdigest()
