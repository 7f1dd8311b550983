"""Many homes at once: a file of listings in, a table of ranges out, on screen and as a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.access import Actor
from core.errors import CollectError
from core.lifecycle import Desk, price_table
from core.store import Store, Upload
from core.wording import count, day, money, percent
from pages.widgets.asking import model_id
from pages.widgets.markdown import plain
from pages.widgets.safe_csv import to_csv

ROWS_MAX: Final = 1_000
"""More would keep the visitor waiting for more than half a minute; the command line prices any number."""

_ANSWER: Final = "priced_file"
_FILE: Final = "listings"
_BLOCK: Final = 1 << 20
_TYPES: Final = ("csv", "tsv", "txt")
_COUNTED: Final = ("priced", "unavailable", "refused")


@dataclass(frozen=True)
class _Priced:
    """A file's answers, with what they came from."""

    market_id: str
    model_id: str
    name: str
    as_of: date
    table: pd.DataFrame


def draw(desk: Desk, store: Store, who: Actor, today: date) -> None:
    """Draw upload, counts, table and download; raises AccessDenied, StoreUnavailable."""
    st.write("Upload a list of homes as a CSV file, one row each. Columns are recognised by their names.")
    with st.form("price-file", border=True):
        uploaded = st.file_uploader(
            "Listings",
            _TYPES,
            key=_FILE,
            max_upload_size=desk.problem.intake.upload_mb,
            help=f"At most {ROWS_MAX:,} rows.",
        )
        as_of = st.date_input("Valuation date", desk.valuation_date(today), format="YYYY-MM-DD", key="file_date")
        submitted = st.form_submit_button("Price the file", type="primary", icon=":material/sell:")
    if submitted:
        st.session_state.pop(_ANSWER, None)
        if uploaded is None:
            st.info("Choose a file first.", icon=":material/upload_file:")
        else:
            limit = desk.problem.intake.upload_mb * 1024 * 1024
            _price(desk, store.uploads.save(uploaded.name, uploaded, limit), store, as_of, who)
    answer = st.session_state.get(_ANSWER)
    if isinstance(answer, _Priced) and (answer.market_id, answer.model_id) == (desk.market.market_id, model_id(desk)):
        _show(answer, desk)


def _price(desk: Desk, upload: Upload, store: Store, as_of: date, who: Actor) -> None:
    try:
        rows = lines(upload.path) - 1
        if rows > ROWS_MAX:
            st.error(
                f"{plain(upload.name)} has about {rows:,} rows; at most {ROWS_MAX:,} are priced here. Split it, or "
                "price it from the command line: `python -m core price --csv FILE`.",
                icon=":material/error:",
            )
            return
        with st.spinner(f"Pricing {count(max(rows, 0), 'row')}"):
            table = price_table(desk, upload.path, upload.name, as_of, who)
        st.session_state[_ANSWER] = _Priced(desk.market.market_id, model_id(desk), upload.name, as_of, table)
    except CollectError as error:
        st.error(plain(str(error)), icon=":material/error:")
    finally:
        store.uploads.discard(upload.upload_id)


def lines(path: Path) -> int:
    """Count the lines of a file; a line without an end counts too."""
    total, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total, last = total + block.count(b"\n"), block[-1:]
    return total + (last != b"\n")


def _show(answer: _Priced, desk: Desk) -> None:
    st.subheader(plain(answer.name), anchor=False)
    counts = answer.table["status"].value_counts()
    with st.container(horizontal=True, gap="large"):
        for status in _COUNTED:
            st.metric(status.capitalize(), f"{int(counts.get(status, 0)):,}", width="content")
    currency = desk.market.currency
    st.caption(
        f"{percent(desk.problem.estimate.level)} ranges in {currency} · valued {day(answer.as_of)} · "
        f"model {answer.model_id}"
    )
    st.dataframe(on_screen(answer.table, currency), hide_index=True, column_config=_columns(desk))
    st.download_button(
        "Download as CSV",
        to_csv(answer.table),
        f"prices-{desk.market.market_id}-{answer.as_of:%Y-%m-%d}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def on_screen(table: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the answers as they are shown: the range before the point, money in words."""
    blank = pd.Series("", index=table.index, dtype="str")
    priced = table["status"] == "priced"
    low, high, point = (table[name].map(lambda value: money(value, currency)) for name in ("low", "high", "point"))
    return pd.DataFrame(
        {
            "Row": table["row"],
            "Status": table["status"].str.capitalize(),
            "Range": (low + " to " + high).where(priced, blank),
            "Confidence": table["confidence"].astype("float64"),
            "Point estimate": point.where(priced, blank),
            "To look at": table["flags"].map(counted),
            "Why not": table["reason"],
        }
    )


def counted(flags: str) -> str:
    """Write a list of flags with repeated ones counted: "imputed fact ×3; wide range"."""
    times = Counter(flag for flag in flags.split("; ") if flag)
    return "; ".join(flag if number == 1 else f"{flag} ×{number}" for flag, number in times.items())


def _columns(desk: Desk) -> Mapping[str, Any]:
    within = percent(desk.problem.success.within)
    return {
        "Confidence": st.column_config.NumberColumn(
            format="%d", help=f"Of 100: chance that the sale price falls within {within} of the point estimate"
        ),
        "To look at": st.column_config.TextColumn(width="medium"),
        "Why not": st.column_config.TextColumn(width="large"),
    }
