"""Requests for estimates, and the answers as the OpenAPI document describes them."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.schemas.common import FactValue, FieldError, MarketId, Number, Request, ShortText
from core.serve.estimate import Estimate
from core.serve.review.unavailable import UNAVAILABLE

Facts = Annotated[
    dict[ShortText, FactValue],
    Field(
        max_length=200,
        description="Known facts, under Doorstep's names (see GET /markets/{market}) or those of the RESO Data "
        "Dictionary. Leave out what is unknown.",
        examples=[{"zipcode": "86934", "living_area_sqft": 1500, "bedrooms": 3}],
    ),
]

_OURS: Final[dict[str, Any]] = {
    "market": "larkhaven",
    "reference": "MLS-1001",
    "facts": {"zipcode": "86934", "living_area_sqft": 1500, "bedrooms": 3, "bathrooms": 2, "year_built": 1987},
}
_RESO: Final[dict[str, Any]] = {
    "market": "larkhaven",
    "facts": {"PostalCode": "86934", "LivingArea": 1500, "BedroomsTotal": 3, "PropertySubType": "Condominium"},
}


class HomeRequest(Request):
    """A home to price."""

    facts: Facts
    as_of: date | None = Field(None, description="Valuation date; by default today, or what the market allows.")
    level: Number | None = Field(None, description="Level of the range, such as 0.8; the market names those on offer.")
    list_price: Number | None = Field(None, description="Asking price, if known; recorded, but not used.")
    reference: ShortText = Field("", description="Your own name for the home; it is echoed.")


class EstimateRequest(HomeRequest):
    """A home to price in a market."""

    model_config = ConfigDict(json_schema_extra={"examples": [_OURS, _RESO]})

    market: MarketId


class BatchRequest(Request):
    """Homes of one market to price, each on its own."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"market": "larkhaven", "items": [{"reference": "1", "facts": _OURS["facts"]}]}]
        }
    )

    market: MarketId
    items: Annotated[list[HomeRequest], Field(min_length=1)]


class Answer(BaseModel):
    """What every answer has: the question, and what answered it."""

    estimate_id: str | None = Field(description="Its permanent id; null if it is not in the ledger.")
    pending_id: str | None = Field(None, description="The id that it will have once the ledger has taken it.")
    ledger: Literal["written", "waiting", "not kept"] = Field(
        "written", description="Where it is kept: in the ledger, on disk until the ledger takes it, or nowhere."
    )
    reference: str | None
    request_id: str | None
    market: str
    simulated: bool
    currency: str
    at: datetime
    as_of: date
    level: float
    list_price: float | None
    facts: dict[str, Any]
    model_id: str | None
    latency_ms: float
    actor: str
    disclaimer: str


class UnavailableAnswer(Answer):
    """No price for this home: why, and what helps."""

    status: Literal["unavailable"]
    code: str = Field(examples=["no_model"])
    message: str = Field(examples=[UNAVAILABLE])
    reason: str
    remedy: str
    missing: list[str] = Field(
        [],
        description="The facts a price needs that were not given; location is an area's code or coordinates.",
    )


class RefusedAnswer(Answer):
    """No price, since facts are impossible or unknown."""

    status: Literal["refused"]
    code: Literal["impossible_facts"]
    message: str = Field(examples=[UNAVAILABLE])
    reason: str
    remedy: str
    errors: list[FieldError]


_HINTS: Final = get_type_hints(Estimate)
_PARTS: Final[dict[str, Any]] = {
    one.name: (_HINTS[one.name], ...) for one in fields(Estimate) if one.name not in Answer.model_fields
}

# Through a variable: mypy takes the word for the name of a type.
_PRICED: Final[Any] = Literal["priced"]

PricedAnswer = create_model(
    "PricedAnswer",
    __base__=Answer,
    __doc__="A price: the range from low to high, the point in it, and the reasons.",
    status=(_PRICED, ...),
    advice=(list[str], Field(description="What the flags say to an agent, the gravest first; flags have the codes.")),
    **_PARTS,
)

AnyAnswer = Annotated[PricedAnswer | UnavailableAnswer | RefusedAnswer, Field(discriminator="status")]  # type: ignore[valid-type]


class BatchAnswer(BaseModel):
    """One answer for each home, in the order given."""

    market: str
    counts: dict[str, int] = Field(examples=[{"priced": 2, "unavailable": 0, "refused": 1}])
    items: list[AnyAnswer]


class ComparablesAnswer(BaseModel):
    """The comparable sales behind an estimate, most similar first and weak ones last; none without a price."""

    estimate_id: str
    currency: str
    comparables: list[dict[str, Any]]
    comparable_value: dict[str, Any] | None
