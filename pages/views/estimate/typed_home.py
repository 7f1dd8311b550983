"""A home that was typed and not priced yet, kept in the page's address for a reload."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import streamlit as st

from core.workflows.pricing.answers import Question

PARAMETER: Final = "typed"
_READ: Final = "typed_read"


@dataclass(frozen=True)
class Typed:
    """What a form asks, and the address that its facts were taken for, "" for none."""

    question: Question
    facts_of: str


def hold(market_id: str, typed: Typed | None, area_codes: Collection[str], usual: date) -> None:
    """Keep what was typed, None for nothing; the area and the usual day of a valuation need no keeping."""
    text = ""
    if typed is not None and ({*typed.question.facts} - {*area_codes} or typed.question.list_price is not None):
        asked = typed.question
        day = asked.as_of.isoformat() if asked.as_of != usual else ""
        parts = [market_id, dict(asked.facts), day, asked.list_price, typed.facts_of]
        text = json.dumps(parts, separators=(",", ":"))
    if text and st.query_params.get(PARAMETER) != text:
        # api/static/dashboard.js makes no step to go back over of it.
        st.query_params[PARAMETER] = text
    elif not text and PARAMETER in st.query_params:
        del st.query_params[PARAMETER]


def take(market_id: str, usual: date, level: float) -> Typed | None:
    """Return, once as a page is loaded, what was typed for a home of this market; None for nothing readable."""
    if st.session_state.get(_READ):
        return None
    st.session_state[_READ] = True
    try:
        market, facts, day, asking, facts_of = json.loads(st.query_params.get(PARAMETER, ""))
        if market != market_id:
            return None
        known = {str(name): value for name, value in facts.items() if _is_fact(value)}
        as_of = date.fromisoformat(day) if day else usual
        return Typed(Question(known, as_of, level, asking if _is_number(asking) else None), str(facts_of))
    except (ValueError, TypeError, AttributeError):
        return None


def _is_fact(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
