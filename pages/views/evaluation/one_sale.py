"""One test sale with its estimate explained: the miss, the flags, its drivers and comparables."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.serve import words
from core.serve.drivers import Drivers
from core.serve.estimate import Estimate
from core.wording import market_day, money, money_range, money_short, percent, signed_percent
from core.workflows.models.explanations import Miss
from pages.kit.figures import box, boxes, csv, frame
from pages.kit.text import plain
from pages.views.estimate import comparables, comparables_choice, flags
from pages.views.estimate import drivers as drivers_view
from pages.views.evaluation.selection import Selection, source

_CHOICES: Final = ["Use", "Weight"]


def draw(miss: Miss, selection: Selection) -> None:
    """Draw the sale, its estimate as scored, and the explanation."""
    st.header(plain(miss.address or f"The sale in row {miss.intake_row}"), anchor=False)
    st.caption(
        f"{source(selection)} {plain(f'Row {miss.intake_row} of the intake; the estimate was {miss.evidence}.')}"
    )
    if miss.explained is not None:
        st.markdown(plain(words.headline(miss.explained.subject.facts, selection.market)))
    _figures(miss)
    if miss.explained is None:
        st.info(plain(f"The desk gives no price for this home: {miss.withheld}"), icon=":material/info:")
        return
    if not miss.same_as_scored:
        st.warning(
            plain(
                f"Computed again, the estimate differs by {signed_percent(miss.difference, 2)} from the scored one, so "
                "the reasons are approximate."
            ),
            icon=":material/warning:",
        )
    _flags(miss.explained, selection)
    _drivers(miss.explained, selection)
    _comparables(miss.explained, selection)


def _figures(miss: Miss) -> None:
    currency = miss.currency
    held = "the price is inside" if miss.inside else "the price is outside"
    figures = (
        ("Sold for", money(miss.price, currency), f"on {market_day(miss.sale_date, currency)}"),
        ("Estimate", money_short(miss.estimate, currency), "as scored"),
        ("Error", signed_percent(miss.error, 1), "too high" if miss.error > 0 else "too low"),
        (f"{percent(miss.level)} range", money_range(miss.low, miss.high, currency), held),
        ("Confidence", f"{100 * miss.confidence:.0f} of 100", "before the price was known"),
    )
    with boxes("miss"):
        for label, value, remark in figures:
            with box():
                st.markdown(plain(label))
                st.markdown(f"**{plain(value)}**")
                st.caption(plain(remark))


def _flags(estimate: Estimate, selection: Selection) -> None:
    if not estimate.flags:
        st.markdown("**No flag:** nothing about this home or its estimate asked for a second look.")
        return
    st.markdown("**Flags**")
    flags.draw(estimate.flags, selection.market.area_unit)


def _drivers(estimate: Estimate, selection: Selection) -> None:
    st.markdown("**Drivers**")
    drivers_view.draw(estimate.drivers, selection.market)
    csv(_driver_lines(estimate.drivers), "drivers", selection)


def _driver_lines(drivers: Drivers) -> pd.DataFrame:
    """Return the steps unrounded, for a file."""
    lines = [
        (f"Typical home in {drivers.area}", drivers.typical),
        *((one.group.label, one.amount) for one in drivers.items),
        *([("Rounding", drivers.rounding)] if drivers.rounding else []),
        ("Estimate", drivers.point),
    ]
    return pd.DataFrame(lines, columns=["part", "amount"])


def _comparables(estimate: Estimate, selection: Selection) -> None:
    st.markdown("**Comparable sales**")
    if not estimate.comparables:
        st.caption("There are none: the market has no coordinates, or no usable sale is near this home.")
        return
    chosen = comparables_choice.first_choice(estimate.comparables)
    st.caption(plain(comparables.agreement(estimate, estimate.comparable_value, selection.market)))
    table = comparables.table(estimate, chosen, selection.market).drop(columns=_CHOICES)
    frame(table, "miss_comparables")
    csv(table, "comparables", selection)
