"""Feedback on an estimate, as the OpenAPI document describes it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.common import Request, Text
from core.states import FeedbackVerdict


class FeedbackRequest(Request):
    """What the caller says about an estimate."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"verdict": "too_high", "note": "needs a new roof"}]})

    verdict: FeedbackVerdict
    note: Text = Field("", description="Why. Names, phones and e-mail addresses are cut out before it is stored.")


class Feedback(BaseModel):
    """What somebody says about an estimate; it ``counts`` unless they have replaced it."""

    feedback_id: str
    estimate_id: str
    verdict: FeedbackVerdict
    note: str
    at: datetime
    actor: str
    office: str | None
    counts: bool


class FeedbackList(BaseModel):
    """All feedback on an estimate, newest first."""

    feedback: list[Feedback]
