"""Estimates: one, many, and one that was given before, with its comparables and its report."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.deps import Context, InContext
from api.keyed_route import KeyedRoute
from api.responses import Json, problem
from api.schemas.common import ShortText, problems
from api.schemas.estimates import AnyAnswer, BatchAnswer, BatchRequest, ComparablesAnswer, EstimateRequest, HomeRequest
from core.store import Market
from core.workflows.pricing.answer_form import answer_form
from core.workflows.pricing.answers import RecordedAnswer, load_answer
from core.workflows.pricing.questions import Asked, price_home
from core.workflows.pricing.seller_report import ReportRequest, file_name, report_pdf

router = APIRouter(route_class=KeyedRoute, tags=["estimates"])

EstimateId = Annotated[ShortText, Path(examples=["b0bd53b67414af69"])]


@router.post("/estimates", responses={200: {"model": AnyAnswer}, **problems(404, 409, 413, 415, 422)})
def create_estimate(home: EstimateRequest, request: Request, context: InContext) -> Json:
    """Price a home. No price is an answer, too: its status is unavailable, with the reason and what helps."""
    desk = context.desk(home.market)
    answered = price_home(context.workspace, desk, asked_of(home, context), "api")
    return answer_response(request, answered, desk.market)


@router.post("/estimates/batch", responses={200: {"model": BatchAnswer}, **problems(404, 409, 413, 415, 422)})
def create_estimates(homes: BatchRequest, context: InContext) -> Json:
    """Price homes of one market; each has its own answer, in the order given, and a refused one stops no other."""
    limit = context.settings.batch_max
    if len(homes.items) > limit:
        raise HTTPException(413, f"The batch has {len(homes.items):,} homes; the limit is {limit}. Send fewer.")
    desk = context.desk(homes.market)
    answers = (price_home(context.workspace, desk, asked_of(home, context), "api") for home in homes.items)
    forms = [answer_form(one, desk.market) for one in answers]
    found = Counter(form["status"] for form in forms)
    counts = {name: found[name] for name in ("priced", "unavailable", "refused")}
    return Json({"market": desk.market.market_id, "counts": counts, "items": forms})


@router.get(
    "/estimates/{estimate_id}",
    responses={200: {"model": AnyAnswer}, 304: {"description": "As you have it"}, **problems(404, 410)},
)
def get_estimate(estimate_id: EstimateId, request: Request, context: InContext) -> Response:
    """Return an answer as it was given; it never changes."""
    answered, market = _stored(context, estimate_id)
    return _tagged(request, Json(answer_form(answered, market)))


@router.get("/estimates/{estimate_id}/comparables", responses={200: {"model": ComparablesAnswer}, **problems(404, 410)})
def get_comparables(estimate_id: EstimateId, request: Request, context: InContext) -> Response:
    """Return the comparable sales behind an estimate, most similar first and weak ones last."""
    form = answer_form(*_stored(context, estimate_id))
    wanted = {"comparables": form.get("comparables", []), "comparable_value": form.get("comparable_value")}
    return _tagged(request, Json({"estimate_id": estimate_id, "currency": form["currency"], **wanted}))


@router.get(
    "/estimates/{estimate_id}/report.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The report"}, **problems(404, 410)},
)
def get_report(
    estimate_id: EstimateId,
    context: InContext,
    prepared_for: Annotated[ShortText, Query(description="Name of the seller")] = "",
) -> Response:
    """Return the seller's report of an estimate as a PDF, with the latest decision; without a price, it says so."""
    answered, market = _stored(context, estimate_id)
    desk = context.desk(answered.market_id)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(answered, market)}"'}
    report = report_pdf(context.workspace, answered, desk, ReportRequest(prepared_for))
    return Response(report, 200, headers, "application/pdf")


def asked_of(home: HomeRequest, context: Context) -> Asked:
    """Return the question that a request asks."""
    return Asked(home.facts, home.as_of, home.level, home.list_price, home.reference, context.request_id)


def answer_response(request: Request, answered: RecordedAnswer, market: Market, status: int = 200) -> Json:
    """Return an answer; refused facts are a problem with one entry a field."""
    form = answer_form(answered, market)
    if form["status"] != "refused":
        return Json(form, status)
    more: dict[str, Any] = {name: form[name] for name in ("message", "estimate_id", "reference", "market")}
    detail = f"{form['reason']} {form['remedy']}".strip()
    return problem(request, 422, "impossible-facts", detail, errors=form["errors"], more=more | {"answer": "refused"})


def _stored(context: Context, estimate_id: str) -> tuple[RecordedAnswer, Market]:
    answered = load_answer(context.workspace, estimate_id)
    return answered, context.workspace.store.markets.get(answered.market_id)


def _tagged(request: Request, response: Json) -> Response:
    """Return the response with its ETag, or 304 if the caller has the same one."""
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    given = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response
