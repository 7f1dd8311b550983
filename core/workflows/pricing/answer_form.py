"""An answer as JSON values: the one form that the API, the command line and messages to other systems share."""

from __future__ import annotations

from typing import Any, Final

from core.serve.agent.advice import advice
from core.serve.document import to_document
from core.serve.estimate import Estimate, Refused
from core.serve.review.unavailable import UNAVAILABLE, Unavailable
from core.store import Market
from core.store.base.values import plain_document
from core.workflows.pricing.answers import RecordedAnswer

DISCLAIMER: Final = "A statistical estimate, not an appraisal."
IMPOSSIBLE: Final = "impossible_facts"
"""The code of an answer that was refused."""


def answer_form(answered: RecordedAnswer, market: Market) -> dict[str, Any]:
    """Return an answer with its ``status``: priced, unavailable or refused.

    All have the question, the ids of what answered it, and the disclaimer. A priced one has the parts of ``Estimate``,
    and as ``advice`` what its ``flags``, which have codes for programs, say to an agent on the page; its ``confidence``
    is None where the page shows none;
    the others a ``code`` for programs, the exact ``message``, and the ``reason`` and ``remedy`` of this home.
    """
    question = answered.question
    asked = {
        "status": _status(answered),
        "estimate_id": answered.estimate_id,
        "pending_id": answered.pending_id or None,
        "ledger": _fate(answered),
        "reference": question.reference or None,
        "request_id": question.request_id or None,
        "market": market.market_id,
        "simulated": market.simulated,
        "currency": market.currency,
        "at": answered.at,
        "as_of": question.as_of,
        "level": question.level,
        "list_price": question.list_price,
        "facts": question.facts,
        "model_id": answered.model_id or None,
        "latency_ms": answered.milliseconds,
        "actor": answered.actor,
        "disclaimer": DISCLAIMER,
    }
    return plain_document(asked | _result_form(answered), "answer")


def _fate(answered: RecordedAnswer) -> str:
    """Return where an answer is kept: written to the ledger, waiting on disk to be, or nowhere."""
    if answered.estimate_id:
        return "written"
    return "waiting" if answered.pending_id else "not kept"


def _status(answered: RecordedAnswer) -> str:
    match answered.result:
        case Estimate():
            return "priced"
        case Unavailable():
            return "unavailable"
        case Refused():
            return "refused"


def _result_form(answered: RecordedAnswer) -> dict[str, Any]:
    result = answered.result
    match result:
        case Estimate():
            parts: dict[str, Any] = to_document(result)["result"]
            return parts | {"confidence": result.promised, "advice": list(advice(result.flags))}
        case Unavailable():
            return {
                "code": result.kind.name.lower(),
                "message": result.message,
                "reason": result.reason,
                "remedy": result.remedy,
                "missing": list(result.missing),
            }
        case Refused():
            faults = [{"field": one.field, "reason": one.reason, "remedy": one.remedy} for one in result.faults]
            return {
                "code": IMPOSSIBLE,
                "message": UNAVAILABLE,
                "reason": " ".join(one.reason for one in result.faults) or result.message,
                "remedy": " ".join(dict.fromkeys(one.remedy for one in result.faults)),
                "errors": faults,
                "missing": list(result.missing),
            }
