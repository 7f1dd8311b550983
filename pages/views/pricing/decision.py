"""The agent's decision on an estimate, a bar at the foot of the page: own price, list price and one button."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import streamlit as st

from core.access import Action, Actor, Role, may
from core.errors import InvalidDecision, StoreError
from core.serve.agent.advice import senior_first
from core.serve.agent.sale_weights import few_of_its_type, its_type_leads
from core.serve.comparables import in_use
from core.serve.estimate import Estimate
from core.store import DecisionRecord
from core.store.ledger.decisions import DecisionKind
from core.wording import either, money
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.decisions import (
    DECIDED,
    DecisionInput,
    decide,
    history,
    kind_of,
    listing_doubt,
    take_back,
)
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace, market_days
from pages.kit.choice import amount
from pages.kit.palette import BAD
from pages.kit.text import plain
from pages.views.estimate import comparables_added, comparables_choice, undecided, why_decided
from pages.views.estimate.deciding import AMOUNTS, Amounts, Deciding
from pages.views.pricing import decided
from pages.views.pricing.decided import ANCHOR

_PRESSED: Final = "what you pressed"
_TYPED: Final = "what you typed"
FORM_CHANGED: Final = "The form has changed: price again."
_DO: Final[Mapping[DecisionKind, str]] = {"accept": "Accept", "adjust": "Adjust to", "override": "Override with"}
_ICONS: Final[Mapping[DecisionKind, str]] = {
    "accept": ":material/check_circle:",
    "adjust": ":material/tune:",
    "override": ":material/edit:",
}
# A thumb needs 44 px (WCAG 2.2, target size enhanced). At a desk the bar is always in sight, so it needs no heading.
_STYLE: Final = """<style>
@media (min-width: 641px) {
  .st-key-decision > :has(> [data-testid="stHeading"]) { display: none; }
  .st-key-decision { padding: 0.5rem 1rem; }
}
@media (max-width: 640px) {
  .st-key-decision button, .st-key-decision input, .st-key-decision [data-baseweb="select"] > div,
  .st-key-decision summary { min-height: 2.75rem; }
  .st-key-decision_made > :has([data-testid="stAlert"]) { flex-basis: 100% !important; }
  .st-key-decision_fields > * { flex: 1 1 calc(50% - 1rem) !important; width: auto !important; }
  .st-key-decision_fields > :has(button) { flex-basis: 100% !important; }
  .st-key-decision_fields :is(.stButton, .stButton button) { width: 100%; }
}
</style>"""


@st.fragment
def draw(
    workspace: Workspace,
    answered: RecordedAnswer,
    desk: Desk,
    reconciled: float | None,
    weights: Mapping[str, float],
    form_changed: Callable[[], bool],
    range_words: str,
) -> None:
    """Draw the decision on an answer and the fields to make one; ``reconciled`` is offered as the agent's own price.

    ``weights`` of the comparables in use, by sale, are recorded with the decision. While ``form_changed`` says that
    the form shows other facts than were priced, nothing can be decided. ``range_words`` are shown with the way to the
    decision at the foot of a phone.

    Only a priced estimate that is in the ledger can be decided on. Raises StoreUnavailable.
    """
    estimate, estimate_id = answered.result, answered.estimate_id
    if not isinstance(estimate, Estimate):
        return
    # Another home is begun outside this fragment.
    if decided.is_left():
        st.rerun()
    st.html(_STYLE)
    with st.container(border=True, key="decision", gap="small"):
        st.header("Your decision", anchor=ANCHOR)
        if estimate_id is None:
            st.caption("This estimate was not recorded, so it cannot be decided on. Price the home again.")
            made = False
        else:
            days = market_days(workspace.store, desk.market)
            deciding = Deciding(workspace, estimate, estimate_id, desk, reconciled, weights, form_changed, days)
            made = _bar(deciding)
            if made:
                undecided.drop(estimate_id)
            else:
                undecided.hold(
                    estimate_id,
                    chosen=comparables_choice.choice(answered, estimate).text(estimate.comparables),
                    added=comparables_added.text(estimate),
                )
    decided.decide_glance(range_words, made)


def _bar(deciding: Deciding) -> bool:
    """Draw the decision made, then the fields for one; return whether one was made."""
    allowed = may(deciding.workspace.actor, Action.DECIDE)
    pressed, taken_back = (st.session_state.pop(deciding.key(name), None) for name in ("pressed", "taken_back"))
    if deciding.form_changed():
        return _without_decision(deciding)
    meanwhile = _decided_meanwhile(deciding)
    fault = _record(deciding) if allowed and pressed and not meanwhile else ""
    fault = _take_back(deciding, taken_back) if allowed and taken_back else fault
    made = history(deciding.workspace, deciding.estimate_id)
    st.session_state[deciding.key("seen")] = _counting(made)
    changing = bool(made and st.session_state.get(deciding.key("changing")))
    if made:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="decision_made"):
            st.success(_sentence(deciding, made[0]), icon=_ICONS[made[0].kind])
            if allowed:
                _reconsider(deciding, made, changing)
            if allowed and not changing:
                decided.next_home(deciding.desk)
        decided.draw_earlier([_sentence(deciding, one) for one in made[1:]])
    if not allowed:
        able = either(f"{role}s" for role in Role if may(Actor("", role), Action.DECIDE))
        st.caption(f"Only {able} can make decisions.")
        return bool(made)
    if fault:
        st.error(plain(fault), icon=":material/error:")
    elif meanwhile and not taken_back:
        st.warning(meanwhile, icon=":material/sync_problem:")
    elif taken_back:
        now = "The decision before it counts again." if made else "The price is open again."
        st.info(f"The decision was taken back. {now}", icon=":material/undo:")
    if changing or not made:
        _fields(deciding, fault)
    if not made:
        deciding.hold()
    return bool(made)


def _without_decision(deciding: Deciding) -> bool:
    """Say why nothing can be decided, beside the decision made before; return whether one was made."""
    st.warning(FORM_CHANGED, icon=":material/sync_problem:")
    if made := history(deciding.workspace, deciding.estimate_id):
        st.markdown(_sentence(deciding, made[0]))
    return bool(made)


def _sentence(deciding: Deciding, one: DecisionRecord) -> str:
    return decided.sentence(one, deciding.estimate, deciding.problem, deciding.day_at)


def _counting(made: Sequence[DecisionRecord]) -> str:
    """Return the id of the decision that counts, "" for none."""
    return made[0].decision_id if made else ""


def _decided_meanwhile(deciding: Deciding) -> str:
    """Say, once, that what was done here met a decision that this window had not shown; "" if it did not."""
    deed = st.session_state.pop(deciding.key("deed"), None)
    if deed is None:
        return ""
    made = history(deciding.workspace, deciding.estimate_id)
    if st.session_state.get(deciding.key("seen"), _counting(made)) == _counting(made):
        return ""
    if not made:
        return f"The decision was taken back meanwhile in another window; {deed} was not recorded."
    now = f"{DECIDED[made[0].kind]} {deciding.words(made[0].price)}"
    return f"Decided meanwhile in another window: {now}; {deed} was not recorded."


def _record(deciding: Deciding) -> str:
    """Record the decision in the fields; return why that failed, "" if it did not."""
    asked = st.session_state.pop(deciding.key("asked"), False)
    if fault := deciding.unread():
        return fault
    price, listing = deciding.amounts()
    if price is None:
        return ""
    if fault := _changed_as_pressed(deciding):
        return fault
    estimate = deciding.estimate
    if listing is not None and not asked and listing_doubt(price, listing, estimate.currency):
        # The price typed as the button was pressed makes the list price odd: that is asked about first.
        return ""
    kind = kind_of(price, estimate.point, estimate.low, estimate.high)
    reason, note = (None, "") if kind == "accept" else why_decided.explanation(deciding)
    added = tuple(one for one in in_use(estimate.comparables, deciding.weights) if one.added)
    decision = DecisionInput(kind, price, listing, reason, note, deciding.weights, added)
    undone = "The decision was not recorded"
    fault = _fault_of(deciding, lambda: decide(deciding.workspace, deciding.estimate_id, decision), undone)
    if not fault:
        st.session_state.pop(deciding.key("changing"), None)
    return fault


def _changed_as_pressed(deciding: Deciding) -> str:
    """Say that the fields hold other amounts than the agent saw, and now what counts; "" if they do not.

    An amount typed and sent with the press itself was seen in its field, though the button did not name it yet.
    """
    named: Amounts | None = st.session_state.pop(deciding.key("named"), None)
    typed = st.session_state.pop(deciding.key("typed"), False)
    if named is None or named == deciding.amounts() or (typed and not deciding.is_behind(named)):
        return ""
    deciding.settle(named)
    price, listing = deciding.amounts()
    now = [f"your price is {money(price, deciding.estimate.currency)}"] if price is not None else []
    now += [f"the list price {money(listing, deciding.estimate.currency)}"] if listing is not None else []
    return f"The amounts changed as you pressed, so nothing was recorded: now {', '.join(now)}. Press again."


def _take_back(deciding: Deciding, decision_id: str) -> str:
    """Take back the decision that was on screen; return why that failed, "" if it did not."""
    undone = "The decision was not taken back"
    return _fault_of(deciding, lambda: take_back(deciding.workspace, deciding.estimate_id, decision_id), undone)


def _fault_of(deciding: Deciding, deed: Callable[[], object], undone: str) -> str:
    """Do a deed; return why it failed, "" if it did not. ``undone`` says what did not happen if the store fails."""
    missing = deciding.key("missing")
    st.session_state.pop(missing, None)
    try:
        deed()
    except InvalidDecision as error:
        st.session_state[missing] = error.field
        return str(error)
    except StoreError as error:
        return f"{undone}: {error}"
    return ""


def _fields(deciding: Deciding, shown: str) -> None:
    """Draw both amounts and the button; the reason appears once the price is the agent's own.

    ``shown`` is the fault shown already.
    """
    estimate = deciding.estimate
    deciding.begin()
    price, listing = deciding.amounts()
    kind: DecisionKind = "accept"
    if price is not None:
        kind = kind_of(price, estimate.point, estimate.low, estimate.high)
    doubt = "" if price is None or listing is None else listing_doubt(price, listing, estimate.currency)
    # Above the fields: at the foot of a phone's screen it would lie under the bar.
    if (fault := deciding.unread()) and fault != shown:
        st.caption(f":{BAD}[:material/error: {plain(fault)}]")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="decision_fields"):
        for name, then in (("price", _follow), ("listing", _touch)):
            label = f"{AMOUNTS[name]} ({plain(estimate.currency)})" if name == "price" else deciding.listing_label
            amount(label, deciding.key(name), on_change=then, args=(deciding,), width=155)
        # In the order of the keyboard: the price, why it is another one, then the button.
        if price is not None and kind != "accept":
            why_decided.draw(deciding, price)
        _buttons(deciding, kind, price, listing, bool(doubt))
    if price is not None and kind != "accept":
        why_decided.draw_why(deciding, price, kind)
    if senior_first(estimate.flags):
        st.caption(":material/supervisor_account: Have a senior agent confirm this price before you decide.")
    elif kind == "accept" and few_of_its_type(estimate.flags):
        st.caption(":material/flag: Few such homes sell: see what sales of its type say before you accept it.")
    if doubt:
        st.warning(plain(doubt), icon=":material/warning:")


def _buttons(deciding: Deciding, kind: DecisionKind, price: float | None, listing: float | None, asks: bool) -> None:
    named = Amounts(price, listing)
    # From here on the buttons name what was typed.
    st.session_state.pop(deciding.key("typed"), None)
    what = f"{_DO[kind]} {deciding.words(price)}" if price is not None else "Record"
    listed = f", list at {deciding.words(listing)}" if listing is not None else ", not listed"
    if asks and price is not None:
        raised = deciding.listing(price)
        st.button(
            f"List at {deciding.words(raised)} instead",
            type="primary",
            key=deciding.key("raise"),
            on_click=_list_at,
            args=(deciding, raised),
        )
        st.button(
            f"{what}{listed} all the same",
            key=deciding.key("below"),
            on_click=_press_all_the_same,
            args=(deciding, named),
        )
        return
    estimate = deciding.estimate
    senior, few = senior_first(estimate.flags), kind == "accept" and few_of_its_type(estimate.flags)
    st.button(
        f"{what}{listed}",
        type="secondary" if senior or few else "primary",
        icon=_ICONS[kind],
        key=deciding.key("decide"),
        on_click=_press,
        args=(deciding, named),
        shortcut="Mod+Shift+Enter",
    )
    leads = few and its_type_leads(estimate, deciding.weights)
    if deciding.reconciled and price != (offered := int(deciding.reconciled)):
        st.button(
            f"Use {deciding.words(offered)}, with the comparables",
            type="primary" if leads and not senior else "tertiary",
            key=deciding.key("take"),
            on_click=_take,
            args=(deciding, offered),
        )


def _press(deciding: Deciding, named: Amounts) -> None:
    """Decide, at the next run, on the amounts that the button ``named``.

    A click sends what was being typed in the form first, so the form counts as it is now.
    """
    st.session_state[deciding.key("pressed")] = not deciding.form_changed()
    st.session_state[deciding.key("named")] = named
    deciding.note(_PRESSED)


def _press_all_the_same(deciding: Deciding, named: Amounts) -> None:
    """Decide, at the next run, on the amounts that the button ``named``, whose doubt it answers."""
    st.session_state[deciding.key("asked")] = True
    _press(deciding, named)


def _reconsider(deciding: Deciding, made: Sequence[DecisionRecord], changing: bool) -> None:
    """Draw the ways to another decision, and back to the one before it; while it changes, the way to keep it."""
    counting, *earlier = made
    if changing:
        st.button(
            "Keep it as it is", key=deciding.key("keep"), icon=":material/close:", on_click=_keep, args=(deciding,)
        )
        return
    then = "the decision before it counts again" if earlier else "the price is open again"
    st.button("Change the decision", key=deciding.key("change"), on_click=_change, args=(deciding, counting))
    st.button(
        "Take it back",
        type="tertiary",
        icon=":material/undo:",
        key=deciding.key("undo"),
        on_click=_press_take_back,
        args=(deciding, counting),
        help=f"The decision no longer counts: {then}. The audit trail keeps both deeds.",
    )


def _press_take_back(deciding: Deciding, made: DecisionRecord) -> None:
    st.session_state[deciding.key("taken_back")] = made.decision_id


def _change(deciding: Deciding, made: DecisionRecord) -> None:
    """Open the fields again with what the decision that counts says: amounts, or no list price, reason and note."""
    state = st.session_state
    state[deciding.key("changing")] = True
    deciding.note(_PRESSED)
    deciding.put("price", made.price)
    if made.listing_price is None:
        state[deciding.key("listing")] = ""
    else:
        deciding.put("listing", made.listing_price)
    state[deciding.key("touched")] = made.listing_price != deciding.listing(made.price)
    state[deciding.key("reason")], state[deciding.key("note")] = made.reason_code, made.note


def _keep(deciding: Deciding) -> None:
    """Leave the decision as it stands; what was typed for another is dropped."""
    for name in ("changing", "price", "listing", "reason", "dropped", "note", "touched"):
        st.session_state.pop(deciding.key(name), None)


def _touch(deciding: Deciding) -> None:
    """Keep the list price the agent typed."""
    st.session_state[deciding.key("touched")] = st.session_state[deciding.key("typed")] = True
    deciding.note(_TYPED)
    listing = deciding.amount("listing")
    if listing is not None:
        deciding.put("listing", listing)


def _follow(deciding: Deciding) -> None:
    """Let the list price follow the agent's price until the agent has typed one."""
    deciding.note(_TYPED)
    st.session_state[deciding.key("typed")] = True
    price = deciding.amount("price")
    if price is None:
        return
    deciding.put("price", price)
    if not st.session_state.get(deciding.key("touched")):
        deciding.put("listing", deciding.listing(price))


def _list_at(deciding: Deciding, listing: int) -> None:
    """Take the usual list price, which follows the agent's price again."""
    deciding.put("listing", listing)
    deciding.note(_PRESSED)
    st.session_state[deciding.key("touched")] = False


def _take(deciding: Deciding, price: int) -> None:
    """Take the value of the comparables in use as the agent's own price."""
    deciding.put("price", price)
    _follow(deciding)
    st.session_state.pop(deciding.key("typed"), None)
    deciding.note(_PRESSED)
