"""Markets and models as the OpenAPI document describes them."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Market(BaseModel):
    """A market; ``model_id`` is its live model, null if it has none."""

    market: str
    name: str
    currency: str
    area_unit: str
    simulated: bool
    model_id: str | None


class Markets(BaseModel):
    """All markets."""

    markets: list[Market]


class Fact(BaseModel):
    """A fact that the live model uses."""

    name: str
    label: str
    kind: str
    unit: str | None


class MarketDescription(Market):
    """A market with what can be asked in it."""

    valuation_date: date
    levels: list[float]
    level: float
    facts: list[Fact]
    critical_facts: list[str]
    reasons: dict[str, str]


class KnownHome(BaseModel):
    """A home with its recorded facts, as ``POST /estimates`` takes them.

    ``sale_date`` is the day of its latest sale, ``tax_record_date`` that of its tax record where the facts named in
    ``facts_of_tax_record`` are from there.
    """

    address: str
    facts: dict[str, float | str]
    sale_date: date | None
    tax_record_date: date | None
    facts_of_tax_record: list[str]


class KnownHomes(BaseModel):
    """The homes that fit best, the likeliest first, and how many ``more`` fit as well as the first."""

    homes: list[KnownHome]
    more: int


class PilotOffice(BaseModel):
    """An office's place in the pilot; without a name, that of all offices not named."""

    model_config = ConfigDict(serialize_by_alias=True)

    office: str | None
    group: Literal["pilot", "control", "everyone"]
    starts: date | None
    is_in: bool = Field(alias="in")


class Pilot(BaseModel):
    """Which offices have estimates on a day; where no pilot is ``set``, all of them.

    ``as_of`` is the market's day, by which start dates count, and ``whose_day`` says which one that is.
    """

    market: str
    simulated: bool
    as_of: date
    whose_day: str
    set: bool
    words: str
    offices: list[PilotOffice]


class Model(BaseModel):
    """A registered model with its stage and card."""

    model_config = ConfigDict(extra="allow")

    model: str
    market: str
    stage: str


class Models(BaseModel):
    """The models of a market, newest first."""

    models: list[Model]


class Status(BaseModel):
    """Whether this server works; ``live`` names the markets with a live model."""

    status: str
    markets: int | None = None
    live: list[str] | None = None
    detail: Any = None
