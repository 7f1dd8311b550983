"""The form in which an agent enters a home: what matters most to the market's model first; blank means unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final

import streamlit as st

from core.errors import ImpossibleProperty
from core.schema import label_of
from core.serve import words
from core.serve.agent.form_facts import area_named, unknown_area_words
from core.serve.estimate import Estimate, Refused
from core.serve.fact_groups import LOCATION, critical_facts, missing_beside, never_of_its_type
from core.serve.review.unavailable import Unavailable
from core.serve.subject import FactFault, fact_faults
from core.serve.typical_home import typical_home
from core.store import Market
from core.train.model import Model
from core.wording import either, marked
from core.workflows.pricing.answers import Question, RecordedAnswer
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.questions import list_price
from pages.kit.choice import amount
from pages.kit.text import plain
from pages.views.pricing import fact_fields
from pages.views.pricing.fact_fields import (
    AS_OF,
    COORDINATES,
    FACTS_OF,
    LIST_PRICE,
    PROPERTY_ID,
    PUT_AWAY,
    Fields,
    filling,
    held,
    key,
)

_PRESSED: Final = "price_pressed"
_OPEN: Final = "form_open"
_FAULTS: Final = "form_faults"
_FILLED: Final = "area_filled"


def pressed(desk: Desk, model: Model, today: date, level: float) -> Question | None:
    """Return, once, the question of a press of the button, to be answered at ``level``; else None.

    It is asked before the form is drawn, so that the form can show what is wrong with its facts.
    """
    market, state = desk.market, st.session_state
    if state.pop(_PRESSED, None) != market.market_id:
        return None
    state[key(market, FACTS_OF)] = str(state.get(key(market, "address")) or "").strip()
    state[_OPEN] = False
    try:
        return asked(desk, model, today, level)
    except ImpossibleProperty as error:
        state[_OPEN], entered = True, _entered(desk, model)
        as_of = state.get(key(market, AS_OF)) or desk.valuation_date(today)
        faults = fact_faults(entered, as_of, model.facts, desk.problem)
        missing = {name: _missing(name, model) for name in missing_beside(model, desk.problem, entered)}
        state[_FAULTS] = missing | fact_fields.by_field([*faults, FactFault(error.field, error.reason, error.remedy)])
        return None


def draw(
    desk: Desk,
    model: Model,
    today: date,
    answered: RecordedAnswer | None,
    draw_address: Callable[[], None],
    on_clear: Callable[[], None],
) -> None:
    """Draw the form, the address first; one line in its place once the home has a price, so that the evidence is seen.

    What is typed is sent at once, so that the page knows when its answer is no longer that of the form; it is priced
    when the button is pressed.
    """
    market = desk.market
    critical, faults = frozenset(critical_facts(model, desk.problem)), _faults(answered, desk, model)
    fields = Fields(market, model, desk.problem, desk.usual_facts(_given(desk, model), today), critical, faults)
    # The line's place is always there: a form that moves among its neighbors would be drawn anew, its fold closed.
    with st.container(key="fold_place"):
        if answered is not None and isinstance(answered.result, Estimate):
            _fold(answered, desk, model, on_clear)
    with st.container(border=True, key="subject"):
        draw_address()
        _place_codes(fields, desk)
        # api/static/dashboard.js presses the button for the Enter key in a field.
        with st.container(key=f"fields_{market.market_id}"):
            fact_fields.draw_all(fields, desk.asked_first)
            _further(fields, desk, today)
            st.button(
                "Price this home",
                type="primary",
                key="price_home",
                icon=":material/sell:",
                width="stretch",
                on_click=press,
                args=(desk,),
                shortcut="Mod+Enter",
            )
        _below(desk, model, on_clear)
        if late := desk.date_note(today):
            st.caption(plain(late))
    fact_fields.draw_round(market)


def fill(desk: Desk, model: Model) -> None:
    """Fill the blank fields as in a typical home of the chosen area, or of the busiest one, without an exact location.

    What is entered stays: the facts of a home must not become those of another under its address.
    """
    market = desk.market
    with filling(market, _all(desk, model)):
        for code in model.facts.area_codes[:1]:
            if not st.session_state.get(key(market, code)):
                st.session_state[key(market, code)] = area = next(iter(model.profile.area_codes[code]))
                st.session_state[key(market, _FILLED)] = f"{label_of(code)} {area}, with the most sales, is filled in."
        typical, given = typical_home(model, chosen_codes(market, model)).facts, _given(desk, model)
        never = never_of_its_type(model, {**typical, **given})
        for name in (*desk.asked_first, *desk.asked_further):
            if name in typical and name not in never and st.session_state.get(key(market, name)) in (None, ""):
                st.session_state[key(market, name)] = fact_fields.entered(name, typical[name], market, model)


def clear(desk: Desk, model: Model, on_clear: Callable[[], None]) -> None:
    """Clear the form and its answer for the next home, which is valued on the usual day."""
    put_facts(desk, model, {})
    fact_fields.take_usual_date(desk.market)
    on_clear()


def put(desk: Desk, model: Model, question: Question) -> None:
    """Enter a question's facts and nothing else; call it before the form is drawn.

    Facts without a field in this model's form are left out.
    """
    st.session_state[_OPEN] = False
    put_facts(desk, model, question.facts)
    with filling(desk.market, (AS_OF, LIST_PRICE)):
        st.session_state[key(desk.market, AS_OF)] = question.as_of
        st.session_state[key(desk.market, LIST_PRICE)] = _asking_text(question.list_price, desk.market)


def put_facts(desk: Desk, model: Model, facts: Mapping[str, object]) -> None:
    """Enter a home's facts in place of those in the form; a valuation date chosen for it stays."""
    market = desk.market
    with filling(market, _all(desk, model)):
        _empty(desk, model)
        for code in model.facts.area_codes:
            if facts.get(code):
                st.session_state[key(market, code)] = str(facts[code])
        for name in _names(desk):
            st.session_state[key(market, name)] = held(name, facts.get(name), desk, model)
    st.session_state[key(market, FACTS_OF)] = str(facts.get("address") or "").strip()
    st.session_state.pop(key(market, PUT_AWAY), None)


def not_chosen(market: Market) -> str:
    """Return the address of a home about to be priced whose facts nobody took from the records, "" for none."""
    state = st.session_state
    typed = str(state.get(key(market, "address")) or "").strip()
    return typed if state.get(_PRESSED) == market.market_id and typed != state.get(key(market, FACTS_OF)) else ""


def complete(desk: Desk, model: Model, address: str, facts: Mapping[str, object]) -> None:
    """Enter a known home's facts where the form is blank, under its address as recorded; what is entered stays."""
    market, state = desk.market, st.session_state
    with filling(market, _all(desk, model)):
        for name in (*model.facts.area_codes, *_names(desk)):
            if name in facts and state.get(key(market, name)) in (None, ""):
                area = name in model.facts.area_codes
                state[key(market, name)] = str(facts[name]) if area else held(name, facts[name], desk, model)
        state[key(market, "address")] = address


def holds_facts_of(desk: Desk, address: str) -> bool:
    """Tell whether the form holds facts that were entered or priced as those of this address."""
    market, state = desk.market, st.session_state
    entered = [state.get(key(market, name)) for name in (*desk.asked_first, *desk.asked_further)]
    return state.get(key(market, FACTS_OF)) == address.strip() and any(one not in (None, "") for one in entered)


def shows(desk: Desk, model: Model, facts: Mapping[str, object]) -> bool:
    """Tell whether the form shows these facts, as far as it has fields for them."""
    names = [name for name in _names(desk) if name in facts and name != "address"]
    return all(_shows(desk, model, name, facts[name]) for name in names)


def address_changed(desk: Desk, model: Model) -> None:
    """Put the facts of the home before away once another address is typed; for callbacks.

    Facts that were typed before any address stay: they are of the home whose address came last.
    """
    market, state = desk.market, st.session_state
    fact_fields.take_again(market)
    typed, of = str(state.get(key(market, "address")) or "").strip(), state.get(key(market, FACTS_OF))
    if not of or not typed or typed == of:
        return
    before = {name: state.get(key(market, name)) for name in (*_all(desk, model), AS_OF)}
    with filling(market, _all(desk, model)):
        _empty(desk, model)
        state[key(market, "address")], state[key(market, FACTS_OF)] = typed, ""
    fact_fields.take_usual_date(market)
    state[key(market, PUT_AWAY)] = before | {FACTS_OF: of}


def _given(desk: Desk, model: Model) -> dict[str, float | str]:
    """Return the facts of the model that are entered and readable."""
    names = [name for name in model.facts.all if name not in model.facts.area_codes]
    given: dict[str, float | str] = dict(chosen_codes(desk.market, model))
    for name in names:
        entered = st.session_state.get(key(desk.market, name))
        if entered is None or entered == "":
            continue
        value = fact_fields.canonical(name, entered, desk.market, model)
        if isinstance(value, str) == (name in model.facts.categorical):
            given[name] = value
    return given


def is_another(desk: Desk, model: Model, question: Question) -> bool:
    """Tell whether the form's address or area is no longer that of a question: its answer is of another home."""
    names = ("address", *model.facts.area_codes)
    now = {name: str(st.session_state.get(key(desk.market, name)) or "").strip() for name in names}
    return any(now[name] != str(question.facts.get(name) or "").strip() for name in names)


def has_changed(desk: Desk, model: Model, question: Question) -> bool:
    """Tell whether the form no longer shows what a question asked: facts, asking price or valuation date."""
    try:
        now = asked(desk, model, question.as_of, question.level)
    except ImpossibleProperty:
        return True
    asking = [_asking_text(each.list_price, desk.market) for each in (now, question)]
    if now.as_of != question.as_of or asking[0] != asking[1] or is_another(desk, model, question):
        return True
    return not all(_shows(desk, model, name, question.facts.get(name)) for name in _names(desk))


def _shows(desk: Desk, model: Model, name: str, asked: object) -> bool:
    """Tell whether a field shows this fact, as precisely as it can; None for a fact that is not known."""
    now, put = st.session_state.get(key(desk.market, name)), held(name, asked, desk, model)
    if now is None or now == "":
        return put is None or put == ""
    fact = fact_fields.canonical(name, now, desk.market, model)
    return fact == asked or (put is not None and put != "" and put == held(name, fact, desk, model))


def _asking_text(asking: float | None, market: Market) -> str:
    """Write an asking price as its field does, "" for none."""
    return "" if asking is None else marked(asking, market.currency)


def chosen_codes(market: Market, model: Model) -> dict[str, str]:
    """Return the area codes entered so far."""
    chosen = {code: st.session_state.get(key(market, code)) for code in model.facts.area_codes}
    return {code: str(value).strip() for code, value in chosen.items() if value}


def location_ways(model: Model) -> list[str]:
    """Return the ways to locate a home, in words."""
    exact = ["exact location"] if model.facts.located else []
    return [*(label_of(code).lower() for code in model.facts.area_codes), *exact]


def press(desk: Desk) -> None:
    """Ask for a price of the home in the form; for callbacks, or before the form is drawn."""
    market, state = desk.market, st.session_state
    fact_fields.tidy((*_names(desk), LIST_PRICE), market)
    state[_PRESSED] = market.market_id
    state.pop(key(market, PUT_AWAY), None)


def _edit() -> None:
    st.session_state[_OPEN] = True


def _fold(answered: RecordedAnswer, desk: Desk, model: Model, on_clear: Callable[[], None]) -> None:
    """Draw the line that stands for the form of a home with a price: it opens the form, or begins the next home."""
    if not st.session_state.get(_OPEN):
        # api/static/dashboard.css hides the form beside this line, from the first paint on.
        with st.container(key="folded", horizontal=True, gap="small"):
            line = words.short_line(answered.question.facts, desk.market)
            st.button(f"{plain(line)} · edit", key="edit_home", on_click=_edit, width="stretch", icon=":material/edit:")
            st.button(
                "Next home", key="begin_next", on_click=clear, args=(desk, model, on_clear), icon=":material/add_home:"
            )


def _faults(answered: RecordedAnswer | None, desk: Desk, model: Model) -> dict[str, str]:
    """Return what is wrong with the facts of the answer shown, or missing among them still, by fact."""
    unread: dict[str, str] = st.session_state.pop(_FAULTS, {})
    if unread or answered is None:
        return unread
    match answered.result:
        case Refused() as refused:
            return _still_missing(refused.missing, desk, model) | fact_fields.by_field(refused.faults)
        case Unavailable() as unavailable:
            return _still_missing(unavailable.missing, desk, model)
        case _:
            return {}


def _still_missing(missing: Iterable[str], desk: Desk, model: Model) -> dict[str, str]:
    given = {*_given(desk, model), *([LOCATION] if chosen_codes(desk.market, model) else [])}
    return {name: _missing(name, model) for name in missing if name not in given}


def _missing(name: str, model: Model) -> str:
    """Say at its field that a price needs a fact that is blank."""
    what = either(location_ways(model)) if name == LOCATION else label_of(name).lower()
    return f"Needed for a price: enter the {what}."


def _empty(desk: Desk, model: Model) -> None:
    for name in _all(desk, model):
        st.session_state[key(desk.market, name)] = fact_fields.blank(name, model)


def _all(desk: Desk, model: Model) -> tuple[str, ...]:
    """Return all that is emptied for another home; its valuation date is the usual one again."""
    return (*model.facts.area_codes, *_names(desk), LIST_PRICE)


def _names(desk: Desk) -> tuple[str, ...]:
    """Return what the form holds: its fields, and what came with a home of the tax roll and has none."""
    return ("address", *_numbers(desk), *COORDINATES, *desk.asked_first, *desk.asked_further, *desk.from_roll)


def _numbers(desk: Desk) -> tuple[str, ...]:
    """Return the field of the property id where the market's sales have one."""
    return (PROPERTY_ID,) if desk.numbered else ()


def _place_codes(fields: Fields, desk: Desk) -> None:
    market, model = desk.market, fields.model
    # Outside the form, so that choosing an area shows its typical values before anything else is entered.
    places = st.columns(len(model.facts.area_codes)) if model.facts.area_codes else []
    for place, code in zip(places, model.facts.area_codes, strict=True):
        _read_area(market, code)
        known, given = model.profile.area_codes[code], chosen_codes(market, model).get(code)
        place.selectbox(
            label_of(code) + ("" if len(places) > 1 or model.facts.located else " *"),
            # A code of a stored answer, the tax roll or the page's address may have no sale.
            sorted({*known, *([given] if given else [])}),
            index=None,
            key=key(market, code),
            placeholder="Type to search",
            # What was typed stays, and is answered at the field: a code without sales must not vanish.
            accept_new_options=True,
            persist_state="session",
            on_change=_choose_area,
            args=(market, model, code),
        )
        if meaning := unknown_area_words(model, code, _given(desk, model)):
            place.caption(f":material/info: {plain(meaning)}")
    fact_fields.draw_fault(fields, LOCATION)


def _read_area(market: Market, code: str) -> None:
    """Take the area of the page's address, "?zipcode-larkhaven=86907", before anything else is entered."""
    widget = key(market, code)
    if widget not in st.session_state and (wanted := st.query_params.get(widget)):
        st.session_state[widget] = wanted


def _choose_area(market: Market, model: Model, code: str) -> None:
    """Take the area that was typed, and name it in the page's address; a stored answer there goes before it."""
    fact_fields.take_again(market)
    widget = key(market, code)
    if chosen := st.session_state.get(widget):
        st.session_state[widget] = st.query_params[widget] = area_named(chosen, model.profile.area_codes[code])
    else:
        st.query_params.pop(widget, None)


def _further(fields: Fields, desk: Desk, today: date) -> None:
    """Draw the folded facts; open if something is wrong with one of them."""
    market = desk.market
    further = (*_numbers(desk), *desk.asked_further, *(COORDINATES if fields.model.facts.located else ()))
    wrong = any(name in fields.faults for name in (*further, LIST_PRICE))
    with st.expander("More facts", icon=":material/add_home:", expanded=wrong):
        fact_fields.draw_all(fields, further)
        asking, valued = st.columns(2)
        with asking:
            label, widget = f"Asking price ({market.currency})", key(market, LIST_PRICE)
            amount(label, widget, "If it is listed", persist_state="session")
            fact_fields.draw_fault(fields, LIST_PRICE)
        with valued:
            fact_fields.valuation_date(market, desk.valuation_date(today))
        st.caption(
            "The asking price is kept with the estimate and does not move it. Without an exact location, the middle of "
            "the area is assumed."
        )


def _below(desk: Desk, model: Model, on_clear: Callable[[], None]) -> None:
    """Draw what else can be done with the form, and once which area was filled in because none was chosen."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            "Fill with a typical home",
            type="tertiary",
            icon=":material/auto_fix_high:",
            help="Fills the blank fields, the area too; what is entered stays.",
            on_click=fill,
            args=(desk, model),
        )
        # api/static/dashboard.js presses it for the menu.
        st.button(
            "Clear",
            type="tertiary",
            key="clear_form",
            icon=":material/backspace:",
            on_click=clear,
            args=(desk, model, on_clear),
        )
    if filled := st.session_state.pop(key(desk.market, _FILLED), None):
        st.caption(plain(str(filled)))


def note(desk: Desk, model: Model) -> str:
    """Return what to know before filling in the form, plain text; the star is named only where a field has one."""
    ways, starred = " or ".join(location_ways(model)), {*critical_facts(model, desk.problem)} - {LOCATION}
    needed = f"* required for a price, with {ways}" if starred else f"Required for a price: {ways}"
    return f"{needed}. Leave blank what you do not know."


def asked(desk: Desk, model: Model, today: date, level: float) -> Question:
    """Return the question that the form asks as it stands; raises ImpossibleProperty."""
    asking = list_price(st.session_state.get(key(desk.market, LIST_PRICE)), desk.problem)
    as_of = st.session_state.get(key(desk.market, AS_OF)) or desk.valuation_date(today)
    return Question(_entered(desk, model), as_of, level, asking)


def _entered(desk: Desk, model: Model) -> dict[str, object]:
    facts: dict[str, object] = dict(chosen_codes(desk.market, model))
    for name in _names(desk):
        value = st.session_state.get(key(desk.market, name))
        if value is not None and value != "":
            facts[name] = fact_fields.canonical(name, value, desk.market, model)
    return facts
