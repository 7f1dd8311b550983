"""The sales behind a figure, worst misses first; selecting one explains its estimate."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from core.errors import DoorstepError, NotFound
from core.schema import label_of
from core.serve import words
from core.wording import area_label, count, from_sqft, market_day_format, point_number
from pages.kit import errors
from pages.kit.figures import TICKED_ROW, csv, missing
from pages.views.evaluation import one_sale
from pages.views.evaluation.selection import Selection, explainer

_ERROR: Final = "Error, %"

PARAMETER: Final = "sale"
"""The page's address holds the selected sale by its intake row: ?sale=17290."""

# With its columns, some thousand cells: browsers are slow to draw more, and nobody reads them.
_MOST: Final = 250
_MONEY: Final = ("Sold for", "Estimate", "Range from", "Range to", "List price")
# A desk is wide enough for the other columns; a selected sale and the file have these too.
_ONLY_IN_FILE: Final = ("List price", "Neighborhood", "Flags", "Not recorded", "Why no price", "Intake row")
_TIMES_CLOSED: Final = "_evaluation_sales_closed"


def sales_table(sales: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Return sales in readable form, under headers with units, without unrecorded columns."""
    unit = selection.scored.terms.area_unit
    shown = pd.DataFrame(
        {
            _ERROR: (100 * sales["error"]).round(1),
            "Sold for": sales["sale_price"],
            "Estimate": sales["point"].where(sales["priced"]),
            "Range from": sales["low"].where(sales["priced"]),
            "Range to": sales["high"].where(sales["priced"]),
            "List price": sales["list_price"],
            "Confidence": (100 * sales["confidence"]).round(),
            "Sold on": sales["sale_date"],
            "Type": sales["property_type"].map(words.words, na_action="ignore"),
            label_of("neighbourhood"): sales["neighbourhood"],
            label_of("zipcode"): sales["zipcode"],
            f"Living area, {area_label(unit)}": sales["living_area_sqft"].map(lambda sqft: from_sqft(sqft, unit)),
            "Built": sales["year_built"],
            "Flags": sales["flags"].str.replace(";", ", "),
            "Not recorded": sales["missing"].str.replace(";", ", "),
            "Why no price": sales["withheld"],
            "Intake row": sales["intake_row"],
        }
    )
    return shown[[name for name in shown if shown[name].replace("", pd.NA).notna().any()]]


@st.fragment
def draw_sales(sales: pd.DataFrame, name: str, key: str, selection: Selection) -> None:
    """Draw sales, worst misses first, with their file ``name``, and the explanation of the selected one.

    ``key`` identifies this list of sales, so that a selection does not carry over to another list.
    """
    listed = sales.head(_MOST)
    shown = sales_table(listed, selection).drop(columns=list(_ONLY_IN_FILE), errors="ignore")
    part = f" In the table: the {_MOST} worst; in the file: all {count(len(sales), 'sale')}."
    more = " The file also has flags, missing facts and list prices."
    st.caption(f"Amounts are in {selection.market.currency}.{part if len(listed) < len(sales) else ''}{more}")
    key = f"sales_{name}_{key}_{'_'.join(selection.key[1:])}_{st.session_state.get(_TIMES_CLOSED, 0)}"
    st.dataframe(
        # Written by a style, a number keeps its place in the order when the table is sorted.
        shown.style.format({_ERROR: _signed}),  # type: ignore[dict-item]
        hide_index=True,
        height="content" if len(shown) < 10 else "auto",
        column_config=_columns(shown, selection.market.currency),
        row_height=TICKED_ROW,
        key=key,
        on_select=lambda: _choose(key, listed["intake_row"].tolist()),
        selection_mode="single-row",
    )
    csv(lambda: sales_table(sales, selection), name, selection, "Download these sales as CSV")
    _explained(sales, selection)


def _signed(error: float) -> str:
    return point_number(error / 100)


def forget_sale() -> None:
    """Clear the selected sale, because other sales are listed."""
    if PARAMETER in st.query_params:
        del st.query_params[PARAMETER]


def _columns(shown: pd.DataFrame, currency: str) -> dict[str, Any]:
    column = st.column_config.NumberColumn
    heads = [str(name) for name in shown]
    numbers = {head: column(format="localized") for head in heads if head in _MONEY or head.startswith("Living area")}
    return numbers | {
        "Sold on": st.column_config.DateColumn(format=market_day_format(currency)),
        "Built": column(format="%d"),
        _ERROR: st.column_config.Column(pinned=True),
    }


def _choose(key: str, listed: list[int]) -> None:
    rows = st.session_state[key].selection.rows
    if rows:
        st.query_params[PARAMETER] = str(listed[rows[0]])
    else:
        forget_sale()


def _close() -> None:
    forget_sale()
    # A new table key clears the checkmark in the table.
    st.session_state[_TIMES_CLOSED] = st.session_state.get(_TIMES_CLOSED, 0) + 1


def _explained(sales: pd.DataFrame, selection: Selection) -> None:
    wanted = st.query_params.get(PARAMETER, "")
    if not wanted:
        st.caption("Check a sale to see how its estimate was made.")
        return
    row = int(wanted) if wanted.isdecimal() else -1
    if row not in set(sales["intake_row"]):
        missing(f"The sale in row {wanted} is not in this list. Check a sale to see its estimate explained.")
        return
    try:
        with st.spinner("Explaining the estimate"):
            miss = explainer(selection).miss(row)
    except NotFound as error:
        missing(str(error))
        return
    except DoorstepError as error:
        errors.show(error)
        return
    one_sale.draw(miss, selection)
    st.button("Close this sale", icon=":material/close:", key="close_sale", type="tertiary", on_click=_close)
