"""Markets and models as the OpenAPI document describes them."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict


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
