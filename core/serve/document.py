"""An answer as a JSON document, so that a stored answer can be shown again exactly as given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from core.errors import AnswerUnreadable
from core.serve.estimate import Estimate, Refused
from core.serve.review.unavailable import Unavailable

Result = Estimate | Unavailable | Refused


@checked(frozen=True)
class _Priced:
    result: Estimate
    kind: Literal["priced"] = "priced"


@checked(frozen=True)
class _Unavailable:
    result: Unavailable
    kind: Literal["unavailable"] = "unavailable"


@checked(frozen=True)
class _Refused:
    result: Refused
    kind: Literal["refused"] = "refused"


_DOCUMENT: Final[TypeAdapter[_Priced | _Unavailable | _Refused]] = TypeAdapter(
    Annotated[_Priced | _Unavailable | _Refused, Field(discriminator="kind")]
)


def to_document(result: Result) -> dict[str, Any]:
    """Return an answer and its kind as JSON values."""
    match result:
        case Estimate():
            whole: _Priced | _Unavailable | _Refused = _Priced(result)
        case Unavailable():
            whole = _Unavailable(result)
        case Refused():
            whole = _Refused(result)
    document: dict[str, Any] = _DOCUMENT.dump_python(whole, mode="json")
    return document


def from_document(document: Mapping[str, Any]) -> Result:
    """Return the answer in a document; raises AnswerUnreadable if another release wrote it in another format."""
    try:
        return _DOCUMENT.validate_python(dict(document)).result
    except ValidationError as error:
        raise AnswerUnreadable(
            f"The stored answer cannot be shown again: {error.error_count()} of its parts have a different format from "
            "this release of Doorstep. Its figures are in the ledger; price the home again for the full answer."
        ) from error
