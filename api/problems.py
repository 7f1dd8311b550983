"""Which error becomes which response; no traceback and no address of a database reaches a caller."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.deps import context_of
from api.responses import Json, problem
from core.errors import (
    AccessDenied,
    AlreadyExists,
    AnswerUnreadable,
    ArtifactCorrupt,
    ArtifactStoreAway,
    DoorstepError,
    ImpossibleProperty,
    InvalidDecision,
    InvalidFeedback,
    InvalidRecord,
    InvalidSale,
    ModelOutdated,
    NotFound,
    NotInPilot,
    StoreUnavailable,
    in_full,
)
from core.serve.reading.facts import shortened
from core.serve.review.unavailable import UNAVAILABLE
from core.serve.subject import FactFault
from core.workflows.pricing.questions import Asked, refuse_home

LOG: Final = logging.getLogger("doorstep.api")
RETRY_SECONDS: Final = 5

_CODES: Final[Sequence[tuple[type[DoorstepError], int, str]]] = (
    (NotInPilot, 403, "not-in-pilot"),
    (AccessDenied, 403, "not-allowed"),
    (NotFound, 404, "not-found"),
    (AlreadyExists, 409, "already-exists"),
    (AnswerUnreadable, 410, "answer-not-kept"),
    (ImpossibleProperty, 422, "impossible-facts"),
    (InvalidDecision, 422, "invalid-decision"),
    (InvalidFeedback, 422, "invalid-feedback"),
    (InvalidSale, 422, "invalid-sale"),
    (InvalidRecord, 422, "invalid-value"),
)
# Their messages name files and hosts, which are nobody's business outside.
_HIDDEN: Final[Mapping[type[DoorstepError], tuple[str, str]]] = {
    ArtifactStoreAway: (
        "artifacts-away",
        "The place where models and sales are kept cannot be reached right now. Try again in a moment.",
    ),
    StoreUnavailable: ("store-unavailable", "The store cannot be used right now. Try again in a moment."),
    ArtifactCorrupt: ("model-unreadable", "The market's live model cannot be read. Tell whoever runs Doorstep."),
    ModelOutdated: ("model-unreadable", "The market's live model was made by another release. Train it again."),
}
_STATUS_CODES: Final[Mapping[int, str]] = {
    400: "unreadable",
    401: "key-needed",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "not-json",
    429: "too-many-requests",
}


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem."""
    app.add_exception_handler(DoorstepError, _of_doorstep)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_fault)


def _of_doorstep(request: Request, error: Exception) -> Response:
    for kind, (code, detail) in _HIDDEN.items():
        if isinstance(error, kind):
            LOG.error("%s", in_full(error))
            retry = {"Retry-After": str(RETRY_SECONDS)}
            return problem(request, 503, code, detail, more={"message": UNAVAILABLE}, headers=retry)
    for kind, status, code in _CODES:
        if isinstance(error, kind):
            return problem(request, status, code, str(error), errors=_field_errors(error))
    LOG.error("%s", error)
    return problem(request, 409, "refused", str(error))


def _field_errors(error: DoorstepError) -> list[dict[str, str]]:
    field = getattr(error, "field", "")
    if isinstance(error, InvalidDecision):
        field = _OF_DECISIONS.get(field, field)
    if not field:
        return []
    reason = error.reason if isinstance(error, ImpossibleProperty) else str(error)
    remedy = error.remedy if isinstance(error, ImpossibleProperty) else ""
    return [{"field": field, "reason": reason, "remedy": remedy}]


def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found: dict[str, dict[str, str]] = {}
    for one in error.errors():
        field = _place(one, error.body) or str(one["loc"][0])
        remedy = _GIVE if one["type"] == "missing" else _REMEDY
        found.setdefault(field[:200], {"field": field[:200], "reason": _reason(one), "remedy": remedy})
    detail = f"The request does not fit: {'; '.join(list(found)[:5])}. Correct it, as described in the API's documents."
    errors = list(found.values())[:50]
    return problem(request, 422, "invalid-request", detail, errors=errors, more=_recorded(request, error.body, errors))


def _reason(fault: Mapping[str, Any]) -> str:
    """Say what is wrong with a part of a request in our own words, else in pydantic's."""
    wrong, limits = _WRONG.get(fault["type"]), fault.get("ctx", {})
    if wrong is None:
        return f"{str(fault['msg'])[:300]}."
    given = fault.get("input")
    shown = f": {shortened(str(given))!r}" if isinstance(given, (str, int, float)) else ""
    return f"{wrong.format_map(limits)}{shown}."


def _recorded(request: Request, body: Any, errors: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:
    """Record a home that was refused before its facts were read; return what its answer says beside the errors."""
    if request.method != "POST" or not request.url.path.endswith("/estimates") or not isinstance(body, Mapping):
        return {}
    market, facts, reference = (body.get(name) for name in ("market", "facts", "reference"))
    if not _is_name(market) or not isinstance(facts, Mapping):
        return {}
    named = reference if _is_name(reference) else ""
    faults = [FactFault(one["field"], one["reason"], one["remedy"]) for one in errors]
    try:
        context = context_of(request)
        asked = Asked(facts, reference=named, request_id=context.request_id)
        answered = refuse_home(context.workspace, context.desk(market), asked, faults, "api")
    except DoorstepError as error:
        # The caller learns what is wrong with the request either way.
        LOG.info("a refused home is not recorded: %s", error)
        return {}
    more = {"message": UNAVAILABLE, "estimate_id": answered.estimate_id, "reference": named or None, "market": market}
    return more | {"answer": "refused"}


def _is_name(value: Any) -> TypeGuard[str]:
    """Tell whether a value is a text that a store can look up: short, and without halves of surrogate pairs."""
    return isinstance(value, str) and len(value) <= _NAME_MAX and value == value.encode(errors="replace").decode()


_NAME_MAX: Final = 200
# What pydantic calls a fault, and what people do; the words in braces are its limits.
_WRONG: Final[Mapping[str, str]] = {
    "missing": "It is missing",
    "value_error": "It cannot be used, because {error}",
    "extra_forbidden": "No such name is known here",
    "float_type": "It must be a number",
    "int_type": "It must be a whole number",
    "finite_number": "It must be a number, not infinite",
    "greater_than_equal": "It must be at least {ge:,.0f}",
    "less_than_equal": "It must be at most {le:,.0f}",
    # The first of the kinds of value that a fact may have.
    "bool_type": "It must be a number, a text, true, false or null",
    "string_type": "It must be a text",
    "string_too_short": "It must have at least {min_length} characters",
    "string_too_long": "It must have at most {max_length} characters",
    "too_short": "It must have at least {min_length} entries",
    "too_long": "It must have at most {max_length} entries",
    "dict_type": "It must be names with their values",
    "list_type": "It must be a list",
    "model_attributes_type": "It must be names with their values",
    "date_type": "It must be a day such as 2026-01-31",
    "date_parsing": "It must be a day such as 2026-01-31",
    "date_from_datetime_parsing": "It must be a day such as 2026-01-31",
    "date_from_datetime_inexact": "It must be a day such as 2026-01-31, without a time",
}


_REMEDY: Final = "Correct it, or leave it out."
# What a request needs cannot be left out.
_GIVE: Final = "Give it."
# How a request names the parts of a decision that the core calls otherwise.
_OF_DECISIONS: Final = {"reason_code": "reason", "kind": "price"}


def _place(fault: Mapping[str, Any], body: Any) -> str:
    """Return where in a request a fault is, without the names that pydantic gives to its own checks on the way."""
    where, *parts = fault["loc"]
    if where != "body":
        return ".".join(map(str, parts))
    found, inside = [], body
    for part in parts:
        try:
            inside = inside[part]
        except (KeyError, IndexError, TypeError):
            continue
        found.append(str(part))
    if fault["type"] == "missing" and parts:
        found.append(str(parts[-1]))
    return ".".join(found)


def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _STATUS_CODES.get(error.status_code, "refused")
    return problem(request, error.status_code, code, str(error.detail), headers=error.headers)


def _of_fault(request: Request, error: Exception) -> Json:
    LOG.error("an unexpected error", exc_info=error)
    detail = "Something went wrong on the server, and nothing was answered. Give its people the request id."
    more: Mapping[str, Any] = {"message": UNAVAILABLE}
    return problem(request, 500, "unexpected", detail, more=more)
