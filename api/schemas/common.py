"""Parts of requests and responses that several routes share."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool


def encodable(text: str) -> str:
    """Return the text; raises ValueError for halves of surrogate pairs, which no database can hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("the text is not valid Unicode") from error
    return text


Text = Annotated[str, AfterValidator(encodable), Field(max_length=2_000)]
ShortText = Annotated[str, AfterValidator(encodable), Field(max_length=200)]
MarketId = Annotated[str, AfterValidator(encodable), Field(min_length=1, max_length=80, examples=["larkhaven"])]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1e15, le=1e15)]
FactValue = StrictBool | Number | Text | None


class Request(BaseModel):
    """A request's body; an unknown name is refused, since it would have no effect."""

    model_config = ConfigDict(extra="forbid")


class FieldError(BaseModel):
    """What is wrong with one field, and what helps."""

    field: str
    reason: str
    remedy: str


class Problem(BaseModel):
    """An error (RFC 9457); ``code`` is for programs, ``detail`` for people."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:doorstep:problem:not-found"])
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] = []


_MEANINGS: Final = {
    401: "No valid key",
    403: "Not allowed",
    404: "No such thing",
    409: "The Idempotency-Key belongs to another request",
    410: "Only the figures of this answer were kept",
    413: "Too large",
    415: "The body is not JSON",
    422: "A value is impossible or unknown; one entry a field",
    429: "Too many requests; Retry-After says when to try again",
    503: "The store or the live model cannot be used",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the descriptions of a route's errors for the OpenAPI document."""
    return {
        status: {"model": Problem, "description": _MEANINGS[status], "content": {"application/problem+json": {}}}
        for status in (401, 403, *statuses, 429, 503)
    }
