"""The answer to an agent: the range first, then its confidence, what to check, and what was assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import streamlit as st

from core.schema import label_of
from core.serve import words
from core.serve.estimate import Estimate, Refused, Unavailable
from core.store import Market
from core.wording import count, day, instant, money_range, money_short, percent
from core.workflows.pricing.answers import RecordedAnswer
from core.workflows.pricing.desk import Desk
from pages.kit.text import plain
from pages.views.estimate import flags
from pages.views.pricing import stored_estimate

LEVEL_KEY: Final = "range_level"
_ANCHOR: Final = "price-range"
_COORDINATES: Final = ("latitude", "longitude")
# On a phone the answer is below the form: a bar at the bottom shows it at once and links to it. Beside the form, the
# range stays in view, since the button is at the form's end. PLAIN is the theme's background.
_STYLE: Final = """<style>
.st-key-price_range h2 { font-size: clamp(2rem, 1.3rem + 2.6vw, 2.75rem); line-height: 1.15; padding: 0; }
#price-range { scroll-margin-top: 8rem; }
.st-key-glance { display: none; }
@media (min-width: 641px) and (min-height: 600px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-answer_head) { position: sticky; top: 3.75rem; z-index: 9; }
  .st-key-answer_head { background: PLAIN; }
}
@media (max-width: 640px) {
  .st-key-glance { display: flex; position: fixed; left: 0; right: 0; bottom: 0; z-index: 90; width: 100%;
    padding: 0.75rem 1rem; background: PLAIN; border-top: 1px solid GrayText; }
  .st-key-glance p { margin: 0; }
}
</style>"""


def draw(answered: RecordedAnswer, desk: Desk, on_level: Callable[[], None]) -> None:
    """Draw the answer; ``on_level`` is called when another level of the range is chosen."""
    st.html(_STYLE.replace("PLAIN", _background()))
    market = desk.market
    match answered.result:
        case Estimate() as estimate:
            _estimate(estimate, answered, desk, on_level)
        case Unavailable() as unavailable:
            _unavailable(unavailable, answered, market)
        case Refused() as refused:
            _refused(refused, answered, market)


def _background() -> str:
    """Return the page's background in CSS, according to the reader's theme."""
    light, dark = (st.get_option(f"theme.{theme}.backgroundColor") for theme in ("light", "dark"))
    return f"light-dark({light}, {dark})" if light and dark else "Canvas"


def empty(desk: Desk) -> None:
    """Draw the placeholder for the answer."""
    with st.container(border=True):
        st.subheader("The price range appears here", anchor=False)
        st.write(
            "Enter what you know about the home and press **Price this home**. What you leave blank is filled with the "
            "usual values of the area and listed."
        )
        if desk.bundle is not None:
            profile = desk.bundle.model.profile
            st.caption(
                f"The model knows {count(profile.sales, 'sale')} from {day(profile.first_sale)} to "
                f"{day(profile.last_sale)}."
            )


def _estimate(estimate: Estimate, answered: RecordedAnswer, desk: Desk, on_level: Callable[[], None]) -> None:
    currency, market = estimate.currency, desk.market
    price_range = money_range(estimate.low, estimate.high, currency)
    with st.container(border=True, key="answer_head"):
        _subject(answered, market)
        with st.container(key="price_range"):
            st.header(plain(price_range), anchor=_ANCHOR)
        st.markdown(
            f"{percent(estimate.level)} range; held {percent(estimate.held.share)} of "
            f"{words.test_sales_words(estimate.segment, estimate.held.n)}",
            help=f"The share of sales in the group “{plain(estimate.segment)}”, which the model had not seen, that "
            "sold within its range.",
        )
        if wider := words.widening_words(estimate):
            st.caption(f"The range is {plain(wider)}.")
    with st.container(border=True):
        _level(estimate, desk, on_level)
        st.markdown(f"Point estimate **{plain(money_short(estimate.point, currency))}**")
        _confidence(estimate, desk)
    _ask_next(estimate)
    flags.draw(estimate.flags, market)
    _assumed(estimate.imputed, market)
    _glance(f"**{plain(price_range)}** · {percent(estimate.level)} range · [Details](#{_ANCHOR})")


def _subject(answered: RecordedAnswer, market: Market) -> None:
    asked = answered.question
    st.caption(f"{plain(words.headline(asked.facts, market))} · valued {day(asked.as_of)}")
    if stored_estimate.was_opened(answered):
        st.badge(
            f"Stored answer, priced by {plain(answered.actor)} on {instant(answered.at)}",
            icon=":material/history:",
            color="blue",
        )


def _ask_next(estimate: Estimate) -> None:
    if not estimate.ask_next:
        return
    with st.container(border=True, key="ask_next"):
        st.markdown("**Ask next**", help="What the range is expected to narrow to once this fact is known.")
        st.markdown("\n".join(f"- {plain(words.ask_next_words(one))}" for one in estimate.ask_next))


def draw_origin(answered: RecordedAnswer) -> None:
    """Draw the answer's origin and address, or a warning if it could not be recorded."""
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
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        if isinstance(answered.result, Estimate):
            st.caption(origin(answered.result, answered), width="stretch")
        if answered.estimate_id is not None:
            with st.popover("Link", icon=":material/link:", type="tertiary", help="The address of this answer"):
                st.caption("Opens this answer, not a new one:")
                st.code(stored_estimate.url(answered.estimate_id), language=None, wrap_lines=True)


def _level(estimate: Estimate, desk: Desk, on_level: Callable[[], None]) -> None:
    # An answer opened by its address keeps its level.
    st.session_state[LEVEL_KEY] = estimate.level
    st.segmented_control(
        "Share of sales in the range",
        desk.problem.estimate.levels,
        required=True,
        format_func=percent,
        key=LEVEL_KEY,
        on_change=on_level,
        help="The more sales the range should hold, the wider it is.",
    )


def _confidence(estimate: Estimate, desk: Desk) -> None:
    tolerance = percent(desk.problem.success.tolerance)
    st.progress(
        estimate.confidence / 100,
        text=f"Confidence **{estimate.confidence}** of 100, **{estimate.confidence_word}**",
    )
    came_true = (
        f"; came true for {percent(estimate.kept.share)} of {count(estimate.kept.n, 'test sale')} of similar confidence"
        if estimate.kept is not None
        else ""
    )
    st.caption(
        f"Chance that the sale price falls within {tolerance} of the point estimate{came_true}",
        help=f"Forecast standard deviation (FSD): {percent(estimate.fsd)} of the point estimate. High is "
        f"{desk.problem.estimate.confidence_high:.0f} or more, medium {desk.problem.estimate.confidence_medium:.0f} "
        "or more.",
    )


def _assumed(imputed: Mapping[str, float | str], market: Market) -> None:
    facts = [words.assumed(name, value, market) for name, value in imputed.items() if name not in _COORDINATES]
    if any(name in imputed for name in _COORDINATES):
        facts.append("position in the middle of the area")
    if facts:
        st.markdown(f"**Assumed, because not given:** {plain(', '.join(facts))}.")


def origin(estimate: Estimate, answered: RecordedAnswer) -> str:
    """Write the answer's origin as Markdown."""
    level = f"market level {estimate.level_id}" if estimate.level_id else "no market level"
    names = (
        f"Model {answered.model_id} · data version {estimate.data_version} · {level} · valued "
        f"{day(answered.question.as_of)} · answered in {answered.milliseconds:.0f} ms"
    )
    return "  \n".join(plain(line) for line in (words.sales_through(estimate), names) if line)


def _unavailable(result: Unavailable, answered: RecordedAnswer, market: Market) -> None:
    with st.container(border=True, key="answer_head"):
        _subject(answered, market)
        with st.container(key="price_range"):
            st.subheader("No price range", anchor=_ANCHOR)
        # The general advice is shown literally, so it is not escaped.
        st.info(result.message, icon=":material/info:")
        st.markdown(f"**Why:** {plain(result.reason)}")
        st.markdown(f"**What helps:** {plain(result.remedy)}")
    _glance(f"**No price range** · [Why](#{_ANCHOR})")


def _refused(result: Refused, answered: RecordedAnswer, market: Market) -> None:
    with st.container(border=True, key="answer_head"):
        _subject(answered, market)
        with st.container(key="price_range"):
            st.subheader("Not priced: the facts cannot be right", anchor=_ANCHOR)
        st.error(plain(result.message), icon=":material/error:")
        _note_areas_in_sqft(answered.question.facts, market)
        st.caption("The form still has what you entered.")
    _glance(f"**Not priced: the facts cannot be right** · [Why](#{_ANCHOR})")


def _note_areas_in_sqft(facts: Mapping[str, object], market: Market) -> None:
    """Show the entered areas in square feet, the unit of core's limits, if the market uses another unit."""
    areas = [name for name in facts if words.unit_of(name) == "sqft"]
    if market.area_unit == "sqft" or not areas:
        return
    area_limits = ", ".join(
        f"{label_of(name).lower()} {words.fact_value(name, facts[name], market)} = {facts[name]:,.0f} sq ft"
        for name in areas
    )
    st.caption(f"Limits are in square feet: {plain(area_limits)}.")


def _glance(text: str) -> None:
    with st.container(key="glance"):
        st.markdown(text)
