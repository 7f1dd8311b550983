"""The answer to an agent: the range first, then its confidence, what to check, and what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.schema import label_of, unit_of
from core.serve import words
from core.serve.agent.assumed import assumed_words, placed_words
from core.serve.estimate import Estimate, Refused
from core.serve.review.unavailable import Unavailable
from core.store import Market
from core.wording import count, market_day, money_range, money_short, percent
from core.workflows.pricing.answers import RecordedAnswer, at_level
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace, market_days
from pages.kit import session
from pages.kit.text import plain
from pages.views.estimate import flags
from pages.views.pricing import stored_estimate
from pages.views.pricing.decided import glance

LEVEL_KEY: Final = "range_level"
_LEVEL_OF: Final = "range_level_of"
_MISSING: Final = "Not priced yet: something is missing"
_ANCHOR: Final = "price-range"
# What stays in view as one scrolls; api/static/dashboard.css lays out the page. PLAIN is the theme's background.
_STYLE: Final = """<style>
.st-key-price_range h2 { font-size: clamp(2rem, 1.3rem + 2.6vw, 2.75rem); line-height: 1.15; padding: 0; }
/* The axis comes with the evidence, and has its height before. */
.st-key-money_axis { min-height: 8.1rem; }
#price-range { scroll-margin-top: 8rem; }
#price-range [data-testid="stHeaderActionElements"] { display: none; }
/* Only the answer's announcement moves the focus here; no key does. */
#price-range:focus { outline: none; }
@media (min-width: 961px) {
  .st-key-desk > :has(.st-key-decision) { grid-column: 1 / -1; position: sticky; bottom: 0; z-index: 10;
    margin-top: 1rem; background: PLAIN; }
}
@media (min-width: 961px) and (min-height: 600px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-answer_head) { position: sticky; top: 3.75rem; z-index: 9; }
  .st-key-answer_head { background: PLAIN; }
}
@media (max-width: 640px) {
  [data-testid="stApp"] .st-key-glance { display: flex; position: fixed; left: 0; right: 0; bottom: 0; z-index: 90;
    width: 100%;
    padding: 0.75rem 1rem calc(1rem + env(safe-area-inset-bottom)); background: PLAIN;
    border-top: 1px solid GrayText; }
  .st-key-glance [data-testid="stMarkdownContainer"] { margin-bottom: 0; }
  .st-key-glance p { margin: 0; }
  .st-key-glance p { display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.5rem; }
  .st-key-glance [data-testid="stMarkdown"] { width: 100%; }
  .st-key-glance a { margin-left: auto; padding: 0.65rem 1rem; border: 1px solid currentColor; border-radius: 0.5rem;
    font-weight: 600; text-decoration: none; }
  /* Whoever types a decision needs no way to it, and a message above its fields is not to lie under the bar. */
  [data-testid="stApp"]:has(.st-key-decision_fields :focus) .st-key-glance { display: none; }
}
</style>"""


def draw(answered: RecordedAnswer, desk: Desk, seen: Estimate | None) -> DeltaGenerator | None:
    """Draw the answer; ``seen`` is a price with its range at the level chosen.

    Return the place of its money axis, an st.empty, which shows the comparables in use; None without a price.
    """
    market = desk.market
    match answered.result:
        case Estimate() as estimate:
            return _estimate(seen or estimate, answered, desk)
        case Unavailable() as unavailable:
            _unavailable(unavailable, answered, market)
        case Refused() as refused:
            _refused(refused, answered, market)
    return None


def seen_at_level(workspace: Workspace, answered: RecordedAnswer, desk: Desk) -> Estimate | None:
    """Return the priced answer with its range at the level chosen for it, its own until another is chosen; else None.

    The answer, its address and its decision stay those of the level it was recorded at.
    """
    estimate, state = answered.result, st.session_state
    if not isinstance(estimate, Estimate):
        return None
    shown = answered.estimate_id or answered.at.isoformat()
    if state.get(_LEVEL_OF) != shown or LEVEL_KEY not in state:
        state[_LEVEL_OF], state[LEVEL_KEY] = shown, estimate.level
    found = at_level(desk, answered, state[LEVEL_KEY], workspace.actor)
    if found is None:
        state[LEVEL_KEY] = estimate.level
    return found or estimate


def style() -> None:
    """Lay out form, answer and evidence; call it before any of them is drawn, so that none moves."""
    st.html(_STYLE.replace("PLAIN", _background()))


def _background() -> str:
    """Return the page's background in CSS, according to the reader's theme."""
    light, dark = (st.get_option(f"theme.{theme}.backgroundColor") for theme in ("light", "dark"))
    return f"light-dark({light}, {dark})" if light and dark else "Canvas"


def announce(answered: RecordedAnswer | None, seen: Estimate | None) -> None:
    """Write the answer, ``seen`` at the chosen level where it has a price, where a screen reader reads it out.

    api/static/dashboard.js moves the focus to the heading of an answer that is new on the screen.
    """
    words_of = _announced(seen or answered.result) if answered is not None else ""
    named = f" data-answer='{escape(stored_estimate.lead())}' data-heading='{_ANCHOR}'" if answered is not None else ""
    with st.container(key="announced"):
        st.html(f"<div role='status' aria-live='polite'{named}>{escape(words_of)}</div>")


def _announced(result: Estimate | Unavailable | Refused) -> str:
    match result:
        case Estimate() as one:
            span = money_range(one.low, one.high, one.currency)
            return f"{percent(one.level)} range: {span}, confidence {one.confidence_word}"
        case Unavailable() as one:
            return f"{_MISSING if one.missing else 'No price range'}. {one.reason}"
        case Refused() as one:
            return f"Not priced. {words.refused_words(one)}"


def empty(desk: Desk, note: str) -> None:
    """Draw the placeholder for the answer, with what to know before filling in the form."""
    with st.container(border=True, gap="small"):
        st.header("The price range appears here", anchor=False)
        st.write("Enter what you know. The range allows for what you leave blank, and names what is usual here.")
        st.caption(plain(note))
        if desk.bundle is not None:
            profile, currency = desk.bundle.model.profile, desk.market.currency
            st.caption(
                f"The model learned from {count(profile.sales, 'sale', currency=currency)} of "
                f"{market_day(profile.first_sale, currency)} to {market_day(profile.last_sale, currency)}; "
                "later sales keep its prices up to date."
            )


def range_words(estimate: Estimate) -> str:
    """Write a range with its level as Markdown, for the foot of a phone."""
    return f"**{plain(_range(estimate))}** · {percent(estimate.level)} range"


def _range(estimate: Estimate) -> str:
    return money_range(estimate.low, estimate.high, estimate.currency)


def _estimate(estimate: Estimate, answered: RecordedAnswer, desk: Desk) -> DeltaGenerator:
    market = desk.market
    with st.container(border=True, key="answer_head", gap="small"):
        _subject(answered, market)
        with st.container(key="price_range"):
            st.header(plain(_range(estimate)), anchor=_ANCHOR)
        st.markdown(plain(words.record_words(estimate)))
    with st.container(border=True, gap="small"):
        with st.container(key="money_axis"):
            axis = st.empty()
        if wider := words.widening_words(estimate):
            st.caption(f"The range is {plain(wider)}.")
        if back := words.look_back_words(estimate):
            st.caption(f"{plain(words.words(back))}.")
        _confidence(estimate, desk)
        if of_late := desk.in_use_of(answered.model_id).agent_words(
            percent(desk.problem.success.tolerance), estimate.currency
        ):
            st.caption(plain(of_late))
        _level(estimate, answered, desk)
    flags.draw(estimate.flags, market.area_unit)
    _assumed(estimate, desk)
    return axis


def _subject(answered: RecordedAnswer, market: Market) -> None:
    asked = answered.question
    wrong = {fault.field for fault in answered.result.faults} if isinstance(answered.result, Refused) else set()
    possible = {name: value for name, value in asked.facts.items() if name not in wrong}
    valued = f"valued {market_day(asked.as_of, market.currency)}"
    # Where every fact that names a home is wrong, the form still has them: it is no home without facts.
    named = words.headline(possible, market) if possible or not wrong else ""
    st.caption(plain(" · ".join(filter(None, [named, valued]))))
    if stored_estimate.was_opened(answered):
        made = market_days(session.store(), market)(answered.at)
        st.badge(
            f"Earlier estimate by {plain(answered.actor)}, {market_day(made, market.currency)}",
            icon=":material/history:",
            color="blue",
        )


def draw_origin(answered: RecordedAnswer, missed: str, scope: str) -> None:
    """Draw the answer's origin and address, or a warning if it could not be recorded.

    ``missed`` says that the model misses its target, ``scope`` where it is used; both may be "".
    """
    if answered.pending_id:
        st.warning(
            "The ledger cannot be written at the moment. This answer waits and is added automatically; it then has a "
            f"link and can be decided on under the id {answered.pending_id}. The price itself is valid.",
            icon=":material/cloud_off:",
        )
    elif answered.estimate_id is None:
        st.warning(
            "This answer is not recorded: neither the ledger nor the disk took it. It has no link and cannot be "
            "decided on; the price itself is valid. Price the home again later to record it.",
            icon=":material/cloud_off:",
        )
    if missed:
        st.caption(f":material/priority_high: {plain(missed)}")
    with st.container(horizontal=True, gap="small"):
        if answered.estimate_id is not None:
            with st.popover("Link", icon=":material/link:", type="tertiary"):
                st.caption(
                    "Send this link to a colleague: it opens this estimate as it is. The sign at its end copies it."
                )
                st.code(stored_estimate.url(answered.estimate_id), language=None, wrap_lines=True)
        if isinstance(answered.result, Estimate):
            with st.popover("About this estimate", icon=":material/info:", type="tertiary"):
                st.caption(origin(answered.result, answered))
                if scope:
                    st.caption(plain(scope))


def _level(estimate: Estimate, answered: RecordedAnswer, desk: Desk) -> None:
    """Draw the choice of the level; another one is another way to show the same estimate."""
    given = answered.result
    assert isinstance(given, Estimate)
    same = desk.record is not None and desk.record.model_id == answered.model_id
    st.segmented_control(
        "Share of sales in the range",
        desk.problem.estimate.levels if same else (given.level,),
        required=True,
        format_func=percent,
        key=LEVEL_KEY,
        help="The more sales the range should hold, the wider it is. The estimate and its decision stay the same."
        if same
        else "Another model is live by now: price the home again to see other levels.",
    )
    if estimate.level != given.level:
        st.caption(plain(f"Recorded, and decided on, with its {percent(given.level)} range: {_range(given)}."))


def _confidence(estimate: Estimate, desk: Desk) -> None:
    tolerance = percent(desk.problem.success.tolerance)
    st.markdown(
        f"Point estimate **{plain(money_short(estimate.point, estimate.currency))}** · confidence "
        f"**{estimate.confidence_word}**: {plain(words.confidence_words(estimate, tolerance))}",
        help=f"Chance that the sale price falls within {tolerance} of the point estimate, out of 100. High is "
        f"{desk.problem.estimate.confidence_high:.0f} or more, medium {desk.problem.estimate.confidence_medium:.0f} or "
        "more.",
    )


def _assumed(estimate: Estimate, desk: Desk) -> None:
    """Draw what to ask next and what was assumed."""
    lines = []
    if asked := words.ask_next_words(estimate.ask_next):
        lines.append(f"**To narrow the range, find out:** {plain('; '.join(asked))}.")
    if placed := placed_words(estimate, desk.market):
        lines.append(f"**By the coordinates:** {plain(placed)}.")
    assumed = assumed_words(estimate, desk.untold, desk.market)
    if assumed:
        lines.append(f"**Not given, usual here:** {plain(', '.join(assumed))}. The range allows for others.")
    if lines:
        with st.container(border=True, gap="small", key="assumed"):
            for line in lines:
                st.markdown(line)


def origin(estimate: Estimate, answered: RecordedAnswer) -> str:
    """Write the answer's origin as Markdown; its number leads those who run Doorstep to model, data and level."""
    valued = f"Valued on {market_day(answered.question.as_of, estimate.currency)}."
    number = f"To ask those who run Doorstep about it, name estimate {answered.estimate_id}."
    lines = (words.sales_through(estimate), valued, number if answered.estimate_id else "")
    return "  \n".join(plain(line) for line in lines if line)


def _unavailable(result: Unavailable, answered: RecordedAnswer, market: Market) -> None:
    with st.container(border=True, key="answer_head"):
        _subject(answered, market)
        if result.missing:
            # Nothing was refused: what a price needs is not entered yet.
            st.header(_MISSING, anchor=_ANCHOR)
            st.markdown(plain(f"{result.reason} {result.remedy}"))
            glance(f"**{_MISSING}** [What](#{_ANCHOR})")
            return
        st.header("No price range", anchor=_ANCHOR)
        # The general advice is shown literally, so it is not escaped.
        st.info(result.message, icon=":material/info:")
        st.markdown(f"**Why:** {plain(result.reason)}")
        st.markdown(f"**What helps:** {plain(result.remedy)}")
    glance(f"**No price range** [Why](#{_ANCHOR})")


def _refused(result: Refused, answered: RecordedAnswer, market: Market) -> None:
    with st.container(border=True, key="answer_head"):
        _subject(answered, market)
        st.header("Not priced: the facts cannot be right", anchor=_ANCHOR)
        st.error(plain(words.refused_words(result)), icon=":material/error:")
        if len(result.faults) > 1:
            with st.expander("Why each of them"):
                for fault in result.faults:
                    st.markdown(plain(f"{fault.reason} {fault.remedy}".strip()))
        _note_areas_in_sqft(answered.question.facts, market)
        st.caption("The form still has what you entered.")
    glance(f"**Not priced: the facts cannot be right** [Why](#{_ANCHOR})")


def _note_areas_in_sqft(facts: Mapping[str, object], market: Market) -> None:
    """Show the entered areas in square feet, the unit of core's limits, if the market uses another unit."""
    areas = {name: value for name, value in facts.items() if unit_of(name) == "sqft" and isinstance(value, int | float)}
    if market.area_unit == "sqft" or not areas:
        return
    area_limits = ", ".join(
        f"{label_of(name).lower()} {words.fact_value(name, value, market)} = {value:,.0f} sq ft"
        for name, value in areas.items()
    )
    st.caption(f"Limits are in square feet: {plain(area_limits)}.")
