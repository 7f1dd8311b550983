"""What if the home were different: the effect of changed facts, compared with the current range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from core.access import Actor
from core.errors import ImpossibleProperty
from core.schema import label_of
from core.serve import words
from core.serve.estimate import Estimate
from core.serve.subject import Value
from core.serve.what_if import WhatIf, against_expectation, beyond_the_sales
from core.train.model import Model
from core.wording import MISSING, Conventions, count, money_range, money_short
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace
from pages.kit.palette import WATCH
from pages.kit.text import plain
from pages.views.estimate.comparables_choice import Home, home_of
from pages.views.estimate.drivers import signed
from pages.views.pricing import fact_fields

_KEPT: Final = "what_if_tried"
_FAULT: Final = "what_if_fault"
_MOST: Final = 12

Changes = Mapping[str, Value]


@dataclass(frozen=True)
class _Tried:
    """A change in words, the facts it sets and its result."""

    label: str
    changes: Changes
    result: WhatIf


@dataclass(frozen=True)
class _Asker:
    """Who changes which question, at which desk, and its answer."""

    answered: RecordedAnswer
    estimate: Estimate
    desk: Desk
    actor: Actor


@dataclass(frozen=True)
class _Attempts:
    """The changes tried on one home, at one level of the range, newest first."""

    home: Home
    level: float
    tried: tuple[_Tried, ...]


def draw(workspace: Workspace, answered: RecordedAnswer, estimate: Estimate, desk: Desk, model: Model) -> None:
    """Draw usual changes, a free one, and the effects of those tried so far; nothing goes into the ledger.

    Raises AccessDenied.
    """
    asker = _Asker(answered, estimate, desk, workspace.actor)
    st.markdown("**Change something** and see how the model would price it")
    _usual(asker)
    _free(asker, model)
    fault = st.session_state.pop(_FAULT, None)
    if fault:
        st.error(plain(fault), icon=":material/error:")
    tried = _tried(asker)
    if tried:
        _show(tried, desk.market)


def _usual(asker: _Asker) -> None:
    with st.container(horizontal=True, gap="small"):
        for usual in asker.desk.usual_changes(asker.estimate.subject):
            key = f"what-if-{usual.words}"
            st.button(plain(usual.words), key=key, on_click=_try, args=(usual.words, usual.changes, asker))


def _free(asker: _Asker, model: Model) -> None:
    facts = asker.answered.question.facts
    names = [*asker.desk.asked_first, *asker.desk.asked_further]
    fact, value, button = st.columns([4, 4, 2], vertical_alignment="bottom")
    name = fact.selectbox("Another fact", names, format_func=label_of, key="what_if_fact", persist_state="session")
    key = f"what-if-value-{name}-{asker.answered.estimate_id}"
    with value:
        fact_fields.draw_value(name, asker.desk, model, key, facts.get(name))
    button.button("Try it", width="stretch", icon=":material/science:", on_click=_try_free, args=(name, key, asker))


def _try_free(name: str, key: str, asker: _Asker) -> None:
    desk, entered = asker.desk, st.session_state.get(key)
    if desk.bundle is None or entered is None or entered == "":
        st.session_state[_FAULT] = f"{label_of(name)} is blank. Enter what it would be, then try it."
        return
    value = fact_fields.canonical(name, entered, desk.market, desk.bundle.model)
    label = words.assumed(name, value, desk.market)
    _try(label[:1].upper() + label[1:], {name: value}, asker)


def _try(label: str, changes: Changes, asker: _Asker) -> None:
    try:
        result = asker.desk.what_if(asker.estimate, changes, asker.actor)
    except ImpossibleProperty as error:
        st.session_state[_FAULT] = str(error)
        return
    others = [old for old in _tried(asker) if old.label != label]
    # The table of what was tried may be out of sight, as it is on a phone.
    st.toast(glance(_Tried(label, changes, result), asker.desk.market), icon=":material/science:")
    _keep(asker, (_Tried(label, changes, result), *others)[:_MOST])


def _tried(asker: _Asker) -> tuple[_Tried, ...]:
    """Return the changes tried on this home, repriced if the level of the range has changed."""
    kept = st.session_state.get(_KEPT)
    if not isinstance(kept, _Attempts) or kept.home != home_of(asker.answered):
        return ()
    if kept.level == asker.estimate.level:
        return kept.tried
    again = tuple(
        _Tried(old.label, old.changes, asker.desk.what_if(asker.estimate, old.changes, asker.actor))
        for old in kept.tried
    )
    _keep(asker, again)
    return again


def _keep(asker: _Asker, tried: tuple[_Tried, ...]) -> None:
    st.session_state[_KEPT] = _Attempts(home_of(asker.answered), asker.estimate.level, tried)


def _clear() -> None:
    st.session_state.pop(_KEPT, None)


def _show(tried: tuple[_Tried, ...], market: Conventions) -> None:
    st.markdown(describe_effect(tried[0], market))
    st.table(table(tried, market), border="horizontal", hide_index=True)
    if homes := max(one.result.homes for one in tried):
        st.caption(similar_homes_words(homes, market))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("A change is priced at what the market pays for it here, regardless of what it costs.")
        st.button("Clear these", type="tertiary", icon=":material/backspace:", on_click=_clear)


def similar_homes_words(homes: int, market: Conventions) -> str:
    """Say what the column of similar homes holds."""
    alike = count(homes, "home", currency=market.currency)
    return (
        f"Similar homes: what the same change is worth to the model on the {alike} sold that are most like this one. "
        f"On 8 in 10 of them it lies between these amounts; “{MISSING}”: a change that cannot be made to each "
        "of them, such as another type. ▲ marks an amount of this home that is unlike theirs, or against expectation: "
        "go by theirs."
    )


def glance(tried: _Tried, market: Conventions) -> str:
    """Write a change and its effect in a few words of Markdown: "3 bathrooms: +$9K to +$19K on similar homes"."""
    if tried.result.homes:
        return f"**{plain(tried.label)}**: {plain(span(tried.result, market))} on similar homes"
    _, effect, now = _describe(tried, market)
    return f"**{plain(tried.label)}**: {plain(', '.join(filter(None, [effect, now])))}"


def describe_effect(tried: _Tried, market: Conventions) -> str:
    """Describe the change's effect in Markdown: what similar homes say leads, and a warning where this one differs."""
    result, currency = tried.result, market.currency
    if not isinstance(result.after, Estimate):
        return f"**{plain(tried.label)}**: no price. {plain(result.after.reason)}"
    new, old = (money_range(each.low, each.high, currency) for each in (result.after, result.before))
    moved = moves(result.effect, market)
    effect = f"**{plain(tried.label)}** {plain(moved)}."
    if result.homes:
        alike = count(result.homes, "similar home", currency=currency)
        effect = (
            f"**{plain(tried.label)}**: on the {alike} sold, mostly worth **{plain(span(result, market))}**. On this "
            f"home it {plain(moved)}"
        )
        effect += f". :{WATCH}[▲ {warned}]" if (warned := warning(tried, market)) else "."
    effect += f" The range would be **{plain(new)}** instead of {plain(old)}."
    for name in beyond_the_sales(result, tried.changes):
        unusual = plain(words.assumed(name, tried.changes[name], market))
        effect += f" Hardly a home with {unusual} was sold here, so the model can hardly tell what that is worth."
    return effect


def warning(tried: _Tried, market: Conventions) -> str:
    """Say that the effect on this home is not to be relied on: unlike that on similar homes, or of the wrong sign."""
    result = tried.result
    if result.is_unlike and amount(result.effect, market) not in (
        amount(result.effect_low, market),
        amount(result.effect_high, market),
    ):
        return "That is unlike similar homes: go by what it is worth on theirs."
    if against_expectation(result, tried.changes):
        return "Nobody pays less for more: the model cannot tell what this is worth here."
    return ""


def table(tried: Sequence[_Tried], market: Conventions) -> pd.DataFrame:
    """Return the current home and each change tried on it as rows of text, as Markdown."""
    first = tried[0].result.before
    lines = [("As it is", "", "", money_range(first.low, first.high, market.currency))]
    lines += [(one.label, *_describe(one, market)) for one in tried]
    columns = ("Change", "Similar homes", "This home", "Range")
    return pd.DataFrame([[plain(text) for text in line] for line in lines], columns=columns, dtype="str")


def _describe(tried: _Tried, market: Conventions) -> tuple[str, str, str]:
    """Return the effect on similar homes, on this one, and the range then."""
    result = tried.result
    if not isinstance(result.after, Estimate):
        return "", "no price", ""
    new, effect = money_range(result.after.low, result.after.high, market.currency), amount(result.effect, market)
    return span(result, market) if result.homes else MISSING, f"{effect} ▲" if warning(tried, market) else effect, new


def moves(effect: float, market: Conventions) -> str:
    """Say how an effect moves the estimate: "raises the estimate by about $14K"."""
    size = money_short(abs(effect), market.currency)
    if size == money_short(0.0, market.currency):
        return "leaves the estimate as it is"
    return f"{'raises' if effect > 0 else 'lowers'} the estimate by about {size}"


def amount(effect: float, market: Conventions) -> str:
    """Write an effect with its sign: "+$14K", "−$3.2K"."""
    return signed(money_short(effect, market.currency), effect)


def span(result: WhatIf, market: Conventions) -> str:
    """Write what the change is worth for similar homes: "+$9K to +$19K"."""
    low, high = amount(result.effect_low, market), amount(result.effect_high, market)
    return low if low == high else f"{low} to {high}"
