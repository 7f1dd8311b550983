"""The form in which an agent enters a home: the facts the market's model knows; blank means unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import streamlit as st

from core.prepare.features.profile import MarketProfile
from core.problem import Problem
from core.schema import label_of
from core.serve import words
from core.serve.estimate import critical_facts
from core.serve.typical_home import typical_home
from core.store import Market
from core.train.model import Model
from core.wording import day
from core.workflows.pricing.answers import Question
from core.workflows.pricing.desk import Desk
from pages.kit.text import plain

_MAIN: Final = (
    "property_type",
    "living_area_sqft",
    "lot_area_sqft",
    "bedrooms",
    "bathrooms",
    "year_built",
    "condition",
)
# Facts no model uses, but which show that a home is outside the model's scope.
_ALWAYS: Final = ("property_type", "units", "zoning")
_COORDINATES: Final = ("latitude", "longitude")
_AS_OF: Final = "valuation_date"
_LIST_PRICE: Final = "list_price"
_FREE_TEXT: Final = ("address", "zoning")
_LARGE: Final = 100.0
_SMALL: Final = 20.0

# Without their − and + buttons, the fields have room for typical values; nobody steps to 1,680.
_STYLE: Final = """<style>
.st-key-subject :is([data-testid="stNumberInputStepDown"], [data-testid="stNumberInputStepUp"]) { display: none; }
</style>"""

Typical = Mapping[str, float | str]


@dataclass(frozen=True)
class _Entry:
    """What drawing a fact needs: the market and its model, the area's typical home, required facts, the date."""

    market: Market
    model: Model
    problem: Problem
    typical: Typical
    critical: frozenset[str]
    valuation_date: date
    date_note: str

    @property
    def profile(self) -> MarketProfile:
        """The market's usual values."""
        return self.model.profile

    def label(self, name: str) -> str:
        """The fact's label with its unit, and a star if a price requires it."""
        return words.labelled(name, self.market) + (" *" if name in self.critical else "")


def draw(desk: Desk, model: Model, today: date, level: float, on_clear: Callable[[], None]) -> Question | None:
    """Draw the form and, if it was just submitted, return the question, to be answered at ``level``; else None.

    Changing the area code redraws the form with that area's typical values; everything else waits for the button.
    """
    market = desk.market
    st.html(_STYLE)
    with st.container(border=True, key="subject"):
        _head(desk, model, on_clear)
        codes = _place_codes(market, model)
        critical = frozenset(critical_facts(model, desk.problem))
        usual_date = desk.valuation_date(today)
        entry = _Entry(
            market, model, desk.problem, typical_home(model, codes).facts, critical, usual_date, desk.date_note(today)
        )
        with st.form(f"subject-{market.market_id}", border=False):
            _place(entry)
            _facts(entry, (*main_facts(model), _AS_OF))
            with st.expander("More facts", icon=":material/add_home:"):
                _facts(entry, more_facts(model))
                _list_price(market)
            ways = " or ".join(location_ways(model))
            st.caption(f"\\* required for a price, with {ways}. Leave blank what you do not know.")
            submitted = st.form_submit_button(
                "Price this home", type="primary", icon=":material/sell:", width="stretch"
            )
    return _question(entry, level) if submitted else None


def key(market: Market, name: str) -> str:
    """Return the key of a fact's widget; each market has its own, since 156 m² is not 156 sq ft."""
    return f"{name}-{market.market_id}"


def main_facts(model: Model) -> tuple[str, ...]:
    """Return the facts shown first, if this market knows them."""
    used = {*model.facts.numeric, *model.facts.categorical, "property_type"}
    return tuple(name for name in _MAIN if name in used)


def more_facts(model: Model) -> tuple[str, ...]:
    """Return the other facts: those the market's model also uses, and those that mark unusual homes."""
    renovation = ("year_renovated",) if model.facts.renovation else ()
    names = dict.fromkeys((*model.facts.numeric, *model.facts.categorical, *renovation, *_ALWAYS))
    return tuple(name for name in names if name not in _MAIN)


def location_ways(model: Model) -> list[str]:
    """Return the ways to locate a home, in words."""
    return [*(label_of(code).lower() for code in model.facts.area_codes), *_exact(model)]


def fill(market: Market, model: Model) -> None:
    """Enter a typical home of the chosen area, or of the busiest one, without an exact location."""
    for code in model.facts.area_codes[:1]:
        if not st.session_state.get(key(market, code)):
            st.session_state[key(market, code)] = next(iter(model.profile.area_codes[code]))
    home = typical_home(model, chosen_codes(market, model)).facts
    for name in (*main_facts(model), *more_facts(model)):
        if name in home:
            st.session_state[key(market, name)] = _entered(name, home[name], market, model)


def clear(market: Market, model: Model, on_clear: Callable[[], None]) -> None:
    """Clear the form and its answer for the next home."""
    _empty(market, model)
    on_clear()


def put(desk: Desk, model: Model, question: Question) -> None:
    """Enter a question's facts and nothing else; call it before the form is drawn.

    Facts without a field or an option in this model's form are left out.
    """
    market = desk.market
    _empty(market, model)
    for code in model.facts.area_codes:
        if question.facts.get(code):
            st.session_state[key(market, code)] = str(question.facts[code])
    for name in _fields(model):
        st.session_state[key(market, name)] = _held(name, question.facts.get(name), desk, model)
    st.session_state[key(market, _AS_OF)] = question.as_of
    st.session_state[key(market, _LIST_PRICE)] = question.list_price


def _empty(market: Market, model: Model) -> None:
    for name in (*model.facts.area_codes, *_fields(model), _LIST_PRICE):
        st.session_state[key(market, name)] = "" if _is_free_text(name, model) else None


def _fields(model: Model) -> tuple[str, ...]:
    return ("address", *_COORDINATES, *main_facts(model), *more_facts(model))


def _held(name: str, value: object, desk: Desk, model: Model) -> str | float | None:
    """Return a fact in its widget's form, blank if the widget cannot hold it."""
    if _is_free_text(name, model):
        return value if isinstance(value, str) else ""
    if name == "property_type":
        return str(value) if value in levels(name, model, desk.problem) else None
    if name in model.facts.categorical:
        return value if isinstance(value, str) else None
    return _entered(name, value, desk.market, model) if isinstance(value, int | float) else None


def chosen_codes(market: Market, model: Model) -> dict[str, str]:
    """Return the area codes entered so far."""
    entered = {code: st.session_state.get(key(market, code)) for code in model.facts.area_codes}
    return {code: str(value).strip() for code, value in entered.items() if value}


def _head(desk: Desk, model: Model, on_clear: Callable[[], None]) -> None:
    market = desk.market
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        st.subheader("The home", anchor=False, width="content")
        with st.container(horizontal=True, width="content", gap="small"):
            st.button(
                "Fill with a typical home",
                type="tertiary",
                icon=":material/auto_fix_high:",
                on_click=fill,
                args=(market, model),
                help="Enters the usual facts of homes in the area, to explore. Change what you know.",
            )
            st.button(
                "Clear", type="tertiary", icon=":material/backspace:", on_click=clear, args=(market, model, on_clear)
            )


def _place_codes(market: Market, model: Model) -> dict[str, str]:
    # Outside the form, so that choosing an area shows its typical values before anything else is entered.
    places = st.columns(len(model.facts.area_codes)) if model.facts.area_codes else []
    for place, code in zip(places, model.facts.area_codes, strict=True):
        counts = model.profile.area_codes[code]
        place.selectbox(
            label_of(code) + ("" if len(places) > 1 or model.facts.located else " *"),
            sorted(counts),
            index=None,
            key=key(market, code),
            placeholder="Type to search",
            accept_new_options=True,
            bind="query-params",
            help=f"The model knows sales in {len(counts):,} of them.",
        )
    return chosen_codes(market, model)


def _place(entry: _Entry) -> None:
    st.text_input(
        "Address",
        key=key(entry.market, "address"),
        placeholder="For your records; it does not affect the price",
        persist_state="session",
    )
    if not entry.model.facts.located:
        return
    with st.expander("Exact location", icon=":material/location_on:"):
        st.caption("The street matters a lot. Without a location, the middle of the area is assumed.")
        _facts(entry, _COORDINATES)


def _facts(entry: _Entry, names: Sequence[str]) -> None:
    """Draw widgets in two columns, row by row, so that they keep their order where columns stack."""
    for start in range(0, len(names), 2):
        for place, name in zip(st.columns(2), names[start : start + 2], strict=False):
            with place:
                _fact(entry, name)


def _fact(entry: _Entry, name: str) -> None:
    if name == _AS_OF:
        _date(entry)
    elif name == "property_type" or name in entry.model.facts.categorical:
        _choice(entry, name)
    elif _is_free_text(name, entry.model):
        st.text_input(label_of(name), key=key(entry.market, name), placeholder="Unknown", persist_state="session")
    elif _is_flag(name, entry.model):
        st.segmented_control(entry.label(name), words.FLAG_WORDS, key=key(entry.market, name), persist_state="session")
    else:
        _number(entry, name)


def _date(entry: _Entry) -> None:
    widget = key(entry.market, _AS_OF)
    st.session_state.setdefault(widget, entry.valuation_date)
    st.date_input(
        "Valuation date",
        key=widget,
        format="YYYY-MM-DD",
        persist_state="session",
        help=f"The day the price is for. The model’s latest sale is from {day(entry.profile.last_sale)}.",
    )
    if entry.date_note:
        st.caption(plain(entry.date_note))


def _list_price(market: Market) -> None:
    st.number_input(
        f"Asking price ({market.currency})",
        value=None,
        step=1_000.0,
        format="%g",
        key=key(market, _LIST_PRICE),
        placeholder="If it is listed",
        persist_state="session",
        help="Stored with the estimate; it does not affect the price.",
    )


def _choice(entry: _Entry, name: str) -> None:
    modelled = name in entry.model.facts.categorical
    st.selectbox(
        entry.label(name),
        levels(name, entry.model, entry.problem),
        index=None,
        format_func=words.words if name == "property_type" else str,
        key=key(entry.market, name),
        placeholder=_placeholder(entry, name) or "Choose",
        accept_new_options=name != "property_type",
        persist_state="session",
        help=None if modelled else "Unusual types are flagged for review; this market’s model ignores the type.",
    )


def levels(name: str, model: Model, problem: Problem) -> list[str]:
    """Return the options: the market's own categories, most frequent first, then the problem statement's types."""
    profile = model.profile.category(name) if name in model.facts.categorical else None
    own = list(profile.levels) if profile else []
    known = (*problem.scope.residential_types, *problem.scope.unusual_types) if name == "property_type" else ()
    return [*own, *(level for level in known if level not in own)]


def _number(entry: _Entry, name: str) -> None:
    # No minimum or maximum: core refuses impossible values with an explanation.
    st.number_input(
        entry.label(name),
        value=None,
        step=_step(name, entry.profile),
        format="%g",
        key=key(entry.market, name),
        placeholder=_placeholder(entry, name) or "Unknown",
        persist_state="session",
        help="Blank: never renovated." if name == "year_renovated" else None,
    )


def _placeholder(entry: _Entry, name: str) -> str:
    value = entry.typical.get(name)
    if value is None or name in _COORDINATES:
        return ""
    if isinstance(value, str):
        return f"typical {words.words(value) if name == 'property_type' else value}"
    number = words.shown(name, value, entry.market)
    return f"typical {number:.0f}" if words.unit_of(name) == "year" else f"typical {number:,g}"


def _step(name: str, profile: MarketProfile) -> float:
    fact = profile.numeric_fact(name)
    if name in _COORDINATES:
        return 0.001
    if fact is None or fact.unit == "year":
        return 1.0
    if fact.median >= _LARGE:
        return 10.0
    return 1.0 if fact.whole or fact.high > _SMALL else 0.5


def _is_flag(name: str, model: Model) -> bool:
    profile = model.profile.numeric_fact(name)
    return profile is not None and profile.flag


def _is_free_text(name: str, model: Model) -> bool:
    return name in _FREE_TEXT and name not in model.facts.categorical


def _exact(model: Model) -> list[str]:
    return ["exact location"] if model.facts.located else []


def _entered(name: str, value: float | str, market: Market, model: Model) -> float | str:
    """Convert a canonical value to its widget's form."""
    if isinstance(value, str):
        return value
    if _is_flag(name, model):
        return words.FLAG_WORDS[value > 0]
    fact = model.profile.numeric_fact(name)
    number = words.shown(name, value, market)
    return float(round(number)) if fact is not None and fact.whole else number


def _question(entry: _Entry, level: float) -> Question:
    market, model = entry.market, entry.model
    facts: dict[str, object] = dict(chosen_codes(market, model))
    for name in _fields(model):
        value = st.session_state.get(key(market, name))
        if value is not None and value != "":
            facts[name] = canonical(name, value, market, model)
    as_of = st.session_state.get(key(market, _AS_OF)) or entry.valuation_date
    return Question(facts, as_of, level, st.session_state.get(key(market, _LIST_PRICE)))


def canonical(name: str, value: str | float, market: Market, model: Model) -> str | float:
    """Convert a widget's value to core's form: in canonical units, yes as 1, no as 0."""
    if _is_flag(name, model):
        return float(value == words.YES)
    return value if isinstance(value, str) else words.canonical(name, value, market)


def draw_value(name: str, desk: Desk, model: Model, widget: str, value: object) -> None:
    """Draw one fact's widget alone under the key ``widget``, starting with the known value."""
    market = desk.market
    if widget not in st.session_state:
        st.session_state[widget] = _held(name, value, desk, model)
    label = words.labelled(name, market)
    if name == "property_type" or name in model.facts.categorical:
        format_func = words.words if name == "property_type" else str
        st.selectbox(
            label,
            levels(name, model, desk.problem),
            index=None,
            format_func=format_func,
            key=widget,
            accept_new_options=name != "property_type",
        )
    elif _is_free_text(name, model):
        st.text_input(label, key=widget)
    elif _is_flag(name, model):
        st.segmented_control(label, words.FLAG_WORDS, key=widget)
    else:
        st.number_input(label, value=None, step=_step(name, model.profile), format="%g", key=widget)
