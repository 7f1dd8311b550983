"""Feedback on an estimate: what people say about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.deps import InContext
from api.keyed_route import KeyedRoute
from api.responses import Json
from api.schemas.common import ShortText, problems
from api.schemas.feedback import Feedback, FeedbackList, FeedbackRequest
from core.workflows.pilot.feedback import feedback_forms, feedback_on, give_feedback

router = APIRouter(route_class=KeyedRoute, tags=["estimates"])

EstimateId = Annotated[ShortText, Path(examples=["b0bd53b67414af69"])]


@router.post(
    "/estimates/{estimate_id}/feedback",
    status_code=201,
    responses={201: {"model": Feedback}, **problems(404, 409, 413, 415, 422)},
)
def post_feedback(estimate_id: EstimateId, feedback: FeedbackRequest, context: InContext) -> Json:
    """Give feedback on an estimate; it replaces your earlier feedback."""
    record = give_feedback(context.workspace, estimate_id, feedback.verdict, feedback.note)
    return Json(feedback_forms([record])[0], 201)


@router.get("/estimates/{estimate_id}/feedback", responses={200: {"model": FeedbackList}, **problems(404)})
def get_feedback(estimate_id: EstimateId, context: InContext) -> Json:
    """List the feedback on an estimate, newest first, with what was replaced."""
    return Json({"feedback": feedback_forms(feedback_on(context.workspace, estimate_id))})
