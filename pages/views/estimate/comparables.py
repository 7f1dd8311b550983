"""Comparable sales next to the model: a map, a table to select and weight them, and their combined value."""

from __future__ import annotations

import os
from html import escape
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.prepare.features.columns import Columns
from core.serve.agent.away import HOME_UNPLACED, TO_PLACE, away, away_words, is_other_kind, is_unplaced
from core.serve.agent.map_tiles import read_tiles
from core.serve.agent.sale_sum import AROUND, market_since, parts_of, sale_sum
from core.serve.agent.sale_weights import is_firm, its_type_leads, offered, often_words
from core.serve.comparables import (
    GROSS_HIGH,
    GROSS_MOST,
    NET_HIGH,
    Comparable,
    ComparableValue,
    weak_in_use,
)
from core.serve.estimate import Estimate
from core.serve.fact_groups import FactGroup
from core.serve.likeness import LATELY_DAYS
from core.serve.words import short_line
from core.wording import (
    MISSING,
    Amounts,
    Conventions,
    amounts_of,
    market_day,
    money,
    money_range,
    percent,
    signed_percent,
)
from core.workflows.pricing.answers import RecordedAnswer
from pages.kit.charts import plot
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.estimate import comparables_added, comparables_choice
from pages.views.estimate.comparables_added import Finds
from pages.views.estimate.comparables_choice import DOUBLE, USUAL, Choice
from pages.views.estimate.comparables_map import draw_map, name_of, sale_chosen

_OWN_LEFT_OUT: Final = (
    "This home’s own sale is left out: the value with the comparables no longer counts it, and the seller’s report "
    "says that you left it out. The model’s estimate stays as it is."
)
_ROOM: Final = 0.06
_MARKS: Final = frozenset("*_[]`<$:~\\&")
_STYLE: Final = """<style>
.span { display: grid; grid-template-columns: 6.5rem 1fr; gap: 0.4rem 0.75rem; align-items: center; margin: 0.25rem 0; }
.span > div { position: relative; height: 1.1rem; }
.span i { position: absolute; top: 0.2rem; bottom: 0.2rem; border-radius: 0.35rem; }
.span b { position: absolute; top: -0.05rem; bottom: -0.05rem; width: 3px; margin-left: -1.5px; border-radius: 2px; }
.st-key-comparable_cards [data-testid="stVerticalBlock"] { padding: 0.25rem 0.75rem 0.5rem; }
.st-key-comparable_cards [data-testid="stCheckbox"] label { align-items: center; }
.st-key-comparable_cards [data-testid="stCheckbox"] label p { font-weight: 600; }
.st-key-by_fact_table :is(td, td *) { white-space: nowrap; }
.st-key-by_fact_table :is(td, th) { padding-inline: 0.3rem; }
</style>"""


def draw(
    answered: RecordedAnswer, estimate: Estimate, market: Conventions, sales: Columns | None, finds: Finds | None
) -> None:
    """Draw the comparables of an estimate; the selection is kept in comparables_choice, sales added apart.

    ``sales`` are the market's, for the map, and ``finds`` looks for a further one; None where they are not at hand.
    """
    if not estimate.comparables:
        st.info(
            "There is no comparable sale: no earlier sale is like this home. The price is based on the model alone.",
            icon=":material/info:",
        )
        if finds is not None:
            none = comparables_choice.choice(answered, estimate)
            comparables_added.draw(answered, estimate, finds, lambda sale: card(sale, none, estimate, market))
        return
    st.html(_STYLE)
    chosen = comparables_choice.choice(answered, estimate)
    value = comparables_choice.value(answered, estimate)
    _together(estimate, value, market)
    if chosen != comparables_choice.first_choice(estimate.comparables) or comparables_added.text(estimate):
        st.button(
            "Reset to the original sales",
            key="reset_sales",
            icon=":material/undo:",
            type="tertiary",
            on_click=_reset,
            args=(answered, estimate),
        )
    _old(estimate)
    pressed = _map(estimate, chosen, value, market, sales)

    def words(sale: Comparable) -> str:
        return card(sale, chosen, estimate, market)

    if pressed is not None and finds is not None:
        comparables_added.draw_pressed(answered, estimate, pressed, finds, words)
    with st.container(key="comparable_cards", gap="small"):
        _cards(answered, estimate, chosen, market)
        if finds is not None:
            comparables_added.draw(answered, estimate, finds, words)
    by_fact = st.expander("Adjustments by fact", icon=":material/table_rows:", key="by_fact", on_change="rerun")
    if by_fact.open and chosen.used:
        with by_fact, st.container(key="by_fact_table"):
            st.table(by_sale(adjustments(estimate, chosen, market)), border="horizontal", hide_index=True)
    with st.expander("What the amounts mean", icon=":material/help:"):
        st.caption(_meaning(estimate))


def _meaning(estimate: Estimate) -> str:
    """Say what the parts of a comparable's sum are."""
    own = any(FactGroup.OWN_SALE in sale.adjustments for sale in estimate.comparables)
    beyond = f" and, as “{FactGroup.OWN_SALE.label}”, what that says beyond its facts," if own else ""
    since = " Its own sale is adjusted for no fact but those changed since." if own else ""
    return (
        "Market: how prices moved here as a whole between the day of sale and the valuation date, the same for all "
        f"sales of a day. Facts: what the differences from this home{beyond} are worth to the model, and, as "
        f"“{AROUND}”, how homes around it sold since, beside the market. “Adjustments by fact” lists them by kind."
        f"{since} Net: all of it, with signs. Gross: each kind of fact, and the market together with what sold around "
        f"the home since, none against another. ▲ marks a weak comparable: net "
        f"above {NET_HIGH:.0%} or gross above {GROSS_HIGH:.0%} of its price; no sale is offered whose gross is above "
        f"{GROSS_MOST:.0%}."
    )


def _old(estimate: Estimate) -> None:
    """Say how many sales are of long ago, and why they are among the comparables."""
    if words := old_words(estimate):
        st.caption(words)


def old_words(estimate: Estimate) -> str:
    """Name the sales of long ago by why they are there: "More than a year old: this home’s own sale."; "" for none."""
    old = [one for one in estimate.comparables if (estimate.subject.as_of - one.sale_date).days > LATELY_DAYS]
    added = sum(one.added for one in old)
    others = sum(not one.own and not one.added for one in old)
    parts = ["this home’s own sale"] if any(one.own for one in old) else []
    parts += [f"{added} that you added"] if added else []
    parts += [f"{others} here because too few homes like this one sold since"] if others else []
    return f"More than a year old: {'; '.join(parts)}." if parts else ""


def agreement(estimate: Estimate, value: ComparableValue | None, market: Conventions) -> str:
    """State in a sentence whether the comparables in use and the model agree; plain text."""
    if value is None:
        return "No comparable is in use. Check at least one to compare sales with the model’s range."
    if not value.confirms:
        return (
            "No sale here is enough like this home to confirm its price: the sales in use are adjusted by "
            f"{percent(value.adjusted_by)} on average."
        )
    amounts = amounts_of(market.currency, estimate.point)
    mean, span = amounts.short(value.mean), amounts.short_span(estimate.low, estimate.high)
    level = percent(estimate.level)
    if value.sales_in_use == 1:
        place = f"inside the model’s {level} range" if value.agrees else f"outside the model’s {level} range of {span}"
        apart = signed_percent(value.mean / estimate.point - 1)
        return f"The one sale in use points to {mean}, {apart} from the estimate and {place}: one sale confirms little."
    if value.agrees and not is_firm(estimate.comparables, value):
        weak, used = weak_in_use(estimate.comparables, value), value.sales_in_use
        return (
            f"The comparables’ weighted mean, {mean}, lies inside the model’s {level} range, but {weak} of {used} in "
            "use are weak (▲): they confirm little."
        )
    if value.agrees:
        return (
            f"Comparables and model agree: the comparables’ weighted mean, {mean}, lies inside the model’s {level} "
            "range."
        )
    side = "above" if value.mean > estimate.high else "below"
    return (
        f"Comparables and model disagree: the comparables’ weighted mean, {mean}, lies {side} the model’s {level} "
        f"range of {span}. Find out what one of them misses before you quote a price."
    )


def _together(estimate: Estimate, value: ComparableValue | None, market: Conventions) -> None:
    with st.container(border=True, gap="small"):
        st.html(spans(estimate, value, market))
        if value is not None:
            amounts = amounts_of(market.currency, estimate.point)
            mean = plain(amounts.short(value.mean))
            together = (
                f"One sale in use, adjusted to **{mean}**"
                if value.sales_in_use == 1
                else f"Comparables **{plain(amounts.short_span(value.low, value.high))}**, weighted mean **{mean}**"
            )
            if (price := offered(estimate, value)) is not None:
                leads = its_type_leads(estimate, value.weights)
                what = "Few such homes sell, so sales of its type lead" if leads else "Model and comparables reconciled"
                together += f"  \n{what}: **{plain(money(price, market.currency))}**"
            st.markdown(
                together,
                help="The comparables’ span reaches from the lowest to the highest adjusted price of those in use. In "
                "their mean, those adjusted least count most. "
                "The reconciled value weights model and comparables by their reliability, so that sales adjusted much "
                "pull it little, and stays inside the model’s range.",
            )
        confirmed = value is not None and is_firm(estimate.comparables, value)
        icon = ":material/check_circle:" if confirmed else ":material/warning:"
        st.markdown(f"{icon} {plain(agreement(estimate, value, market))}")


def spans(estimate: Estimate, value: ComparableValue | None, market: Conventions) -> str:
    """Return the two ranges as bars on one scale, in HTML; the figures are in the text next to them."""
    colours = palette()
    rows = [("Model", estimate.low, estimate.point, estimate.high, colours.whole)]
    if value is not None:
        rows.append(("Comparables", value.low, value.mean, value.high, colours.more))
    least, most = min(row[1] for row in rows), max(row[3] for row in rows)
    # A bar that ended at the edge would seem to be cut there.
    room = _ROOM * (most - least)
    least, most = least - room, most + room
    scale = 100 / ((most - least) or 1)
    bars = "".join(
        f"<span>{escape(name)}</span><div title='{escape(money_range(low, high, market.currency))}'>"
        f"<i style='left:{(low - least) * scale:.1f}%;width:{max((high - low) * scale, 1):.1f}%;background:{colour};"
        f"opacity:.45'></i><b style='left:{(middle - least) * scale:.1f}%;background:{colour}'></b></div>"
        for name, low, middle, high, colour in rows
    )
    return f"<div class='span' aria-hidden='true'>{bars}</div>"


def _map(
    estimate: Estimate, chosen: Choice, value: ComparableValue | None, market: Conventions, sales: Columns | None
) -> str | None:
    """Draw the map; return the id of the sale whose gray dot is chosen on it, None for none."""
    weights = dict(value.weights) if value is not None else {}
    tiles = read_tiles(os.environ)
    figure = draw_map(estimate, chosen.used, weights, market, palette(), sales, tiles)
    if figure is None:
        if is_unplaced(estimate):
            st.caption(plain(TO_PLACE))
        return None
    picked = plot(
        figure,
        key="comparables_map",
        alt="Map of the comparable sales around the home, numbered as in the cards, which have their distances",
        on_select="rerun",
        selection_mode="points",
    )
    own = [number for number, sale in enumerate(estimate.comparables, 1) if sale.own]
    itself = f" ({own[0]} is its own sale)" if own else ""
    shown = "numbers: the sales below, filled if in use, larger the more it counts"
    legend = f"★ this home{itself} · {shown} · gray: other homes sold, press one to compare it"
    credit = f" · map: {plain(tiles.attribution)}" if tiles is not None and tiles.attribution else ""
    st.caption(f"{legend}{credit}")
    return sale_chosen(picked["selection"]["points"])


def table(estimate: Estimate, chosen: Choice, market: Conventions) -> pd.DataFrame:
    """Return the sales as rows to check and weight, most similar first, with money as text.

    The adjusted price is the sale price adjusted to the valuation date and then to the home's facts.
    """
    currency, amounts = market.currency, amounts_of(market.currency, estimate.point)
    lines: list[dict[str, Any]] = [
        {
            "Use": sale.sale_id in chosen.ticked,
            "Weight": chosen.weight(sale.sale_id),
            "No.": number,
            "Home": name_of(sale, market),
            "Distance": away_words(sale, estimate, market) or MISSING,
            "Sold": market_day(sale.sale_date, currency),
            "Price": amounts.recorded(total.price),
            "Market-adjusted": amounts.short(total.price + total.market),
            "Facts": amounts.short_change(total.facts),
            "Net": net(sale),
            "Gross": gross(sale),
            "Adjusted": amounts.short(total.adjusted),
        }
        for number, sale in enumerate(estimate.comparables, 1)
        for total in [sale_sum(sale, amounts)]
    ]
    return pd.DataFrame(lines)


def adjustments(estimate: Estimate, chosen: Choice, market: Conventions) -> pd.DataFrame:
    """Return the adjustments of each sale in use, by group of facts, as Markdown; they add up as on its card.

    Only the adjusted price is rounded, and says so.
    """
    used = [(number, sale) for number, sale in enumerate(estimate.comparables, 1) if sale.sale_id in chosen.used]
    amounts = amounts_of(market.currency, estimate.point)
    sums = [(number, sale_sum(sale, amounts), _by_group(sale, amounts)) for number, sale in used]
    result = "Adjusted" if all(total.is_exact for _, total, _ in sums) else "Adjusted (rounded)"
    names = [name for name in (AROUND, *(one.label for one in FactGroup)) if any(parts.get(name) for *_, parts in sums)]
    lines = [
        {
            "No.": str(number),
            "Price": amounts.recorded(total.price),
            "Market": amounts.short_change(total.market),
            **{name: amounts.short_change(parts.get(name, 0.0)) for name in names},
            result: f"**{amounts.short(total.adjusted)}**",
        }
        for number, total, parts in sums
    ]
    return pd.DataFrame([{name: text.replace("$", "\\$") for name, text in line.items()} for line in lines])


def _by_group(sale: Comparable, amounts: Amounts) -> dict[str, float]:
    """Return a sale's rounded adjustments by name; the largest takes what rounding leaves, so that they add up."""
    parts = {name: amounts.rounded(amount) for name, amount in parts_of(sale).items()}
    left = sale_sum(sale, amounts).facts - sum(parts.values())
    if parts and left:
        parts[max(parts, key=lambda name: abs(parts[name]))] += left
    return parts


def by_sale(lines: pd.DataFrame) -> pd.DataFrame:
    """Return adjustments with a column for each sale: at most seven fit beside the answer, the groups would not."""
    return lines.set_index("No.").T.rename_axis(index="Sale", columns=None).reset_index()


def net(sale: Comparable) -> str:
    """Write the net adjustment of a sale as a share of its price, marked where it is high."""
    return _marked(signed_percent(sale.net), sale.net_is_high)


def gross(sale: Comparable) -> str:
    """Write the gross adjustment of a sale as a share of its price, marked where it is high."""
    return _marked(percent(sale.gross), sale.gross_is_high)


def _marked(text: str, high: bool) -> str:
    return f"{text} ▲" if high else text


def _cards(answered: RecordedAnswer, estimate: Estimate, chosen: Choice, market: Conventions) -> None:
    for number, sale in enumerate(estimate.comparables, 1):
        key = f"comparable-{number}"
        st.session_state[key] = sale.sale_id in chosen.ticked
        with st.container(border=True, gap=None):
            st.checkbox(
                # The whole label is the name a screen reader reads: its weight is the style's, not a mark's.
                f"{number} · {_literal(name_of(sale, market))}",
                key=key,
                on_change=_ticked,
                args=(key, sale.sale_id, answered, estimate),
            )
            st.markdown(describe(sale, chosen, estimate, market))
            if sale.own and sale.sale_id not in chosen.used:
                st.caption(f":material/info: {_OWN_LEFT_OUT}")
    numbers = {sale.sale_id: number for number, sale in enumerate(estimate.comparables, 1)}
    used = [sale_id for sale_id in numbers if sale_id in chosen.ticked]
    if used:
        key = f"double-{answered.estimate_id}-{'-'.join(used)}"
        st.session_state[key] = [sale_id for sale_id in used if chosen.weight(sale_id) >= DOUBLE]
        st.pills(
            "Count twice",
            used,
            selection_mode="multi",
            format_func=lambda sale_id: str(numbers[sale_id]),
            key=key,
            on_change=_doubled,
            args=(key, answered, estimate),
        )


def _literal(name: str) -> str:
    """Return a name for a label that screen readers read as written: escaped only if Markdown would change it."""
    return plain(name) if _MARKS & {*name} else name


def describe(sale: Comparable, chosen: Choice, estimate: Estimate, market: Conventions) -> str:
    """Return a card's text as Markdown: the sum that leads to the adjusted price, then how like the home it is."""
    amounts = amounts_of(market.currency, estimate.point)
    total = sale_sum(sale, amounts)
    steps, adjusted = total.steps(amounts), amounts.short(total.adjusted)
    parts = [f"sold {market_day(sale.sale_date, market.currency)}"]
    if sale.added and sale.sale_id in chosen.ticked:
        parts.append("added by you")
    far = away_words(sale, estimate, market)
    # A line above the cards says once that the home's own place is not known.
    if far and far != HOME_UNPLACED:
        parts.append(far if away(sale, estimate) is None else f"{far} away")
    parts.append(short_line(sale.facts, market))
    if (weight := chosen.weight(sale.sale_id)) != USUAL and sale.sale_id in chosen.ticked:
        parts.append(often_words(weight) or f"counts {weight:g} times")
    shares = [
        *([_colored(market_since(sale), False)] if sale.own else []),
        *([_colored("another kind of home", True)] if is_other_kind(sale, estimate.subject.facts) else []),
        _colored(f"net {net(sale)}", sale.net_is_high),
        _colored(f"gross {gross(sale)}", sale.gross_is_high),
    ]
    return f"{plain(steps)}**{plain(adjusted)}**  \n:gray[{plain(' · '.join(parts))} ·] {' · '.join(shares)}"


def card(sale: Comparable, chosen: Choice, estimate: Estimate, market: Conventions) -> str:
    """Return a sale's name and the text of its card, as Markdown."""
    return f"**{plain(name_of(sale, market))}**  \n{describe(sale, chosen, estimate, market)}"


def _colored(text: str, high: bool) -> str:
    return f":{'orange' if high else 'gray'}[{plain(text)}]"


def _ticked(key: str, sale_id: str, answered: RecordedAnswer, estimate: Estimate) -> None:
    chosen = comparables_choice.choice(answered, estimate)
    comparables_choice.keep(answered, _with_tick(chosen, sale_id, st.session_state[key]))


def _with_tick(chosen: Choice, sale_id: str, ticked: object) -> Choice:
    return chosen.with_sale(sale_id) if ticked else chosen.without_sale(sale_id)


def _doubled(key: str, answered: RecordedAnswer, estimate: Estimate) -> None:
    chosen, doubled = comparables_choice.choice(answered, estimate), set(st.session_state[key] or [])
    for sale_id in chosen.ticked:
        if (sale_id in doubled) != (chosen.weight(sale_id) >= DOUBLE):
            chosen = chosen.with_weight(sale_id, DOUBLE if sale_id in doubled else USUAL)
    comparables_choice.keep(answered, chosen)


def _reset(answered: RecordedAnswer, estimate: Estimate) -> None:
    comparables_choice.keep(answered, comparables_choice.first_choice(estimate.comparables))
    comparables_added.keep(answered, ())
