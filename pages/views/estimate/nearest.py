"""The sales most like a home without a price, as a start for a comparative market analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.serve.agent.away import SALE_UNPLACED, TO_PLACE, place_of
from core.serve.comparables import Comparable
from core.serve.words import short_line
from core.wording import Conventions, distance, market_day, money
from pages.kit.text import plain
from pages.views.estimate.comparables_map import name_of


def draw(sales: Sequence[Comparable], facts: Mapping[str, object], market: Conventions) -> None:
    """Draw each sale with the price it brought; nothing without sales. ``facts`` are those of the home."""
    if not sales:
        return
    st.header("The most similar sales", anchor=False)
    st.write("A start for your comparative market analysis: as they sold, not adjusted to this home.")
    if place_of(facts) is None and any(one.latitude is not None for one in sales):
        st.caption(TO_PLACE)
    for number, sale in enumerate(sales, 1):
        with st.container(border=True, gap=None):
            st.markdown(
                f"**{number} · {plain(name_of(sale, market))}** · {plain(money(sale.sale_price, market.currency))}"
            )
            st.caption(plain(" · ".join(_parts(sale, market))))


def _parts(sale: Comparable, market: Conventions) -> list[str]:
    away = [f"{distance(sale.distance_km, market.area_unit)} away"] if sale.distance_km is not None else []
    unplaced = [SALE_UNPLACED] if sale.latitude is None else []
    return [f"sold {market_day(sale.sale_date, market.currency)}", *away, *unplaced, short_line(sale.facts, market)]
