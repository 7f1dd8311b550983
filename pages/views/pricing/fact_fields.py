"""One field for each fact of a home: its widget by the kind of fact, and its value in the form core reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Final

import streamlit as st

from core.prepare.features.profile import MarketProfile
from core.problem import Problem
from core.schema import label_of, unit_of
from core.serve import words
from core.serve.subject import FactFault
from core.store import Market
from core.train.model import Model
from core.wording import day_form, id_words, marked
from core.workflows.pricing.desk import Desk
from pages.kit.choice import FIRST_DAY, LAST_DAY, amount
from pages.kit.text import plain

COORDINATES: Final = ("latitude", "longitude")
PROPERTY_ID: Final = "property_id"
_FREE_TEXT: Final = ("address", "zoning", PROPERTY_ID)
_LARGE: Final = 100.0
_SMALL: Final = 20.0
LIST_PRICE: Final = "list_price"
AS_OF: Final = "valuation_date"
FACTS_OF: Final = "facts_of"
PUT_AWAY: Final = "facts_before"
_USUAL_DATE: Final = "valuation_date_usual"
_EARLIER: Final = "facts_earlier"
_ROUND: Final = "facts_round"
_SEEN: Final = "facts_seen"

Typical = Mapping[str, float | str]


@dataclass(frozen=True)
class Fields:
    """What drawing a fact needs: market and model, the area's typical home, required facts, faults by fact."""

    market: Market
    model: Model
    problem: Problem
    typical: Typical
    critical: frozenset[str]
    faults: Mapping[str, str]

    @property
    def profile(self) -> MarketProfile:
        """The market's usual values."""
        return self.model.profile

    def label(self, name: str) -> str:
        """The fact's label with its unit, and a star if a price requires it."""
        return words.labelled(name, self.market) + (" *" if name in self.critical else "")


def key(market: Market, name: str) -> str:
    """Return the key of a fact's widget; each market has its own, since 156 m² is not 156 sq ft."""
    return f"{name}-{market.market_id}"


@contextmanager
def filling(market: Market, names: Iterable[str]) -> Iterator[None]:
    """Remember what the fields of these facts held before the block fills them, for ``take_again``."""
    state, keys = st.session_state, [key(market, name) for name in names]
    before = {widget: state.get(widget) for widget in keys}
    yield
    earlier: dict[str, tuple[tuple[object, ...], object]] = dict(state.get(key(market, _EARLIER)) or {})
    for widget in keys:
        known, _ = earlier.get(widget, ((), None))
        earlier[widget] = ((*known, before[widget] or None), state.get(widget))
    state[key(market, _EARLIER)] = earlier
    state[key(market, _ROUND)] = int(state.get(key(market, _ROUND)) or 0) + 1


def take_again(market: Market) -> None:
    """Fill the fields again whose earlier values came from a browser that had not drawn the form as last filled.

    A key pressed right after a home was opened would price it without some of its facts. What was typed since stays.
    Call it before anything reads the fields.
    """
    state = st.session_state
    earlier = state.get(key(market, _EARLIER)) or {}
    if state.get(key(market, _SEEN)) == _round(market):
        state.pop(key(market, _EARLIER), None)
        return
    for widget, (known, filled) in earlier.items():
        if (state.get(widget) or None) in known:
            state[widget] = filled


def draw_round(market: Market) -> None:
    """Draw, out of sight and last of all fields, what the browser sends back once it has drawn them as filled."""
    widget = key(market, _SEEN)
    st.session_state[widget] = _round(market)
    # api/static/dashboard.css hides it.
    with st.container(key="form_round"):
        st.text_input("Round", key=widget, label_visibility="collapsed", persist_state="session")


def by_field(faults: Iterable[FactFault]) -> dict[str, str]:
    """Return what is wrong with facts, and what to do, as it stands at their fields."""
    return {one.field: f"{one.reason} {one.remedy}".strip() for one in faults}


def taken_for(market: Market) -> str:
    """Return the address that the form's facts were entered or priced for, "" for none."""
    return str(st.session_state.get(key(market, FACTS_OF)) or "")


def take_for(market: Market, address: str) -> None:
    """Say which address the form's facts are of, "" for none; call it before the form is drawn."""
    st.session_state[key(market, FACTS_OF)] = address


def take_usual_date(market: Market) -> None:
    """Value the next home on the usual day, whatever day the home before was valued on."""
    with filling(market, (AS_OF,)):
        if usual := st.session_state.get(key(market, _USUAL_DATE)):
            st.session_state[key(market, AS_OF)] = usual


def put_away(market: Market) -> str:
    """Return the address of the home whose facts were put away for another address, "" if none were."""
    before = st.session_state.get(key(market, PUT_AWAY))
    of = key(market, FACTS_OF)
    return str(before[FACTS_OF]) if isinstance(before, dict) and not st.session_state.get(of) else ""


def bring_back(market: Market) -> None:
    """Enter the facts that were put away again, under the address typed since; for callbacks."""
    before = st.session_state.pop(key(market, PUT_AWAY), None) or {}
    back = {name: value for name, value in before.items() if name not in ("address", FACTS_OF)}
    with filling(market, back):
        for name, value in back.items():
            st.session_state[key(market, name)] = value


def _round(market: Market) -> str:
    return str(st.session_state.get(key(market, _ROUND)) or 0)


def draw_all(fields: Fields, names: Sequence[str]) -> None:
    """Draw fields in two columns, row by row, so that they keep their order where columns stack."""
    for start in range(0, len(names), 2):
        for place, name in zip(st.columns(2), names[start : start + 2], strict=False):
            with place:
                draw(fields, name)


def valuation_date(market: Market, usual: date) -> None:
    """Draw the field of the valuation date, ``usual`` until another is chosen."""
    widget = key(market, AS_OF)
    st.session_state[key(market, _USUAL_DATE)] = usual
    st.session_state.setdefault(widget, usual)
    st.date_input(
        "Valuation date",
        min_value=FIRST_DAY,
        max_value=LAST_DAY,
        key=widget,
        format=day_form(market.currency),
        persist_state="session",
    )


def draw(fields: Fields, name: str) -> None:
    """Draw a fact's field, with what is wrong with it below."""
    if name == "property_type" or name in fields.model.facts.categorical:
        _choice(fields, name)
    elif is_free_text(name, fields.model):
        st.text_input(
            label_of(name),
            key=key(fields.market, name),
            placeholder="Unknown",
            persist_state="session",
            help=words.scale_of(name),
        )
    elif _is_flag(name, fields.model):
        st.segmented_control(
            fields.label(name), words.FLAG_WORDS, key=key(fields.market, name), persist_state="session"
        )
    elif words.has_marks(name):
        blank = _placeholder(fields, name) or "Unknown"
        amount(fields.label(name), key(fields.market, name), blank, persist_state="session")
    else:
        _number(fields, name)
    draw_fault(fields, name)


def draw_fault(fields: Fields, name: str) -> None:
    """Draw what is wrong with a fact, if anything is."""
    if name in fields.faults:
        st.markdown(f":small[:red[:material/error: {plain(fields.faults[name])}]]")


def blank(name: str, model: Model) -> str | None:
    """Return what an empty field holds."""
    return "" if is_free_text(name, model) or words.has_marks(name) or name == LIST_PRICE else None


def tidy(names: Iterable[str], market: Market) -> None:
    """Write what was typed for areas and amounts with thousands marks; for callbacks, before the fields are drawn.

    An area typed in another unit is written in the market's, which the field's label names.
    """
    for name in filter(words.has_marks, names):
        typed = st.session_state.get(key(market, name))
        number = words.typed_number(name, typed, market) if isinstance(typed, str) else math.nan
        if math.isfinite(number):
            st.session_state[key(market, name)] = marked(number, market.currency)


def levels(name: str, model: Model, problem: Problem) -> list[str]:
    """Return the options: the market's own categories, most frequent first, then the problem statement's types."""
    profile = model.profile.category(name) if name in model.facts.categorical else None
    own = list(profile.levels) if profile else []
    known = (*problem.scope.residential_types, *problem.scope.unusual_types) if name == "property_type" else ()
    return [*own, *(level for level in known if level not in own)]


def is_free_text(name: str, model: Model) -> bool:
    """Tell whether a fact is entered as text that no list offers."""
    return name in _FREE_TEXT and name not in model.facts.categorical


def held(name: str, value: object, desk: Desk, model: Model) -> str | float | None:
    """Return a fact in its widget's form, blank if the widget cannot hold it."""
    if is_free_text(name, model):
        return id_words(name, value, desk.id_digits) if isinstance(value, str) else ""
    if words.has_marks(name):
        return entered(name, value, desk.market, model) if isinstance(value, int | float) else ""
    if name == "property_type" or name in model.facts.categorical:
        return value if isinstance(value, str) else None
    return entered(name, value, desk.market, model) if isinstance(value, int | float) else None


def entered(name: str, value: float | str, market: Market, model: Model) -> float | str:
    """Convert a canonical value to its widget's form."""
    if isinstance(value, str):
        return value
    if _is_flag(name, model):
        return words.FLAG_WORDS[value > 0]
    fact = model.profile.numeric_fact(name)
    number = words.shown(name, value, market)
    if words.has_marks(name):
        return marked(number, market.currency)
    return float(round(number)) if fact is not None and fact.whole else number


def canonical(name: str, value: str | float, market: Market, model: Model) -> str | float:
    """Convert a widget's value to core's form: in canonical units, yes as 1, no as 0."""
    if words.has_marks(name) and isinstance(value, str):
        return words.typed(name, value, market)
    if _is_flag(name, model):
        return float(value == words.YES)
    return value if isinstance(value, str) else words.canonical(name, value, market)


def draw_value(name: str, desk: Desk, model: Model, widget: str, value: object) -> None:
    """Draw one fact's widget alone under the key ``widget``, starting with the known value."""
    market = desk.market
    if widget not in st.session_state:
        st.session_state[widget] = held(name, value, desk, model)
    label = words.labelled(name, market)
    if name == "property_type" or name in model.facts.categorical:
        format_func = words.words if name == "property_type" else str
        st.selectbox(
            label,
            _offered(levels(name, model, desk.problem), widget),
            index=None,
            format_func=format_func,
            key=widget,
            accept_new_options=name != "property_type",
        )
    elif is_free_text(name, model):
        st.text_input(label, key=widget)
    elif _is_flag(name, model):
        st.segmented_control(label, words.FLAG_WORDS, key=widget)
    elif words.has_marks(name):
        amount(label, widget)
    else:
        st.number_input(label, value=None, step=_step(name, model.profile), format="%g", key=widget)


def _choice(fields: Fields, name: str) -> None:
    known, widget = levels(name, fields.model, fields.problem), key(fields.market, name)
    chosen = st.selectbox(
        fields.label(name),
        _offered(known, widget),
        index=None,
        format_func=words.words if name == "property_type" else str,
        key=widget,
        # A kind that is not given is left open: nothing is filled in for it.
        placeholder="Unknown",
        accept_new_options=name != "property_type",
        persist_state="session",
        help=words.scale_of(name),
    )
    if chosen and chosen not in known and name not in fields.faults:
        st.caption(f":material/info: No sale here has “{plain(str(chosen))}”: check the word.")


def _offered(known: list[str], widget: str) -> list[str]:
    """Return the options with the word that a field holds already: a file's own word must not vanish from the form."""
    held_now = st.session_state.get(widget)
    return [*known, held_now] if isinstance(held_now, str) and held_now and held_now not in known else known


def _number(fields: Fields, name: str) -> None:
    # No minimum or maximum: core refuses impossible values with an explanation.
    blank = "never" if name == "year_renovated" else "Unknown"
    st.number_input(
        fields.label(name),
        value=None,
        step=_step(name, fields.profile),
        format="%g",
        key=key(fields.market, name),
        placeholder=_placeholder(fields, name) or blank,
        persist_state="session",
        help=words.scale_of(name),
    )


def _placeholder(fields: Fields, name: str) -> str:
    value = fields.typical.get(name)
    if value is None or name in COORDINATES or isinstance(value, str):
        return ""
    number = words.shown(name, value, fields.market)
    return f"typical {number:.0f}" if unit_of(name) == "year" else f"typical {marked(number, fields.market.currency)}"


def _step(name: str, profile: MarketProfile) -> float:
    fact = profile.numeric_fact(name)
    if name in COORDINATES:
        return 0.001
    if fact is None or fact.unit == "year":
        return 1.0
    if fact.median >= _LARGE:
        return 10.0
    return 1.0 if fact.whole or fact.high > _SMALL else 0.5


def _is_flag(name: str, model: Model) -> bool:
    profile = model.profile.numeric_fact(name)
    return profile is not None and profile.flag
