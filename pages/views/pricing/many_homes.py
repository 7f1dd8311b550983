"""Many homes at once: prices a file of listings and shows a table of ranges and one of rows not priced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import CollectError, StoreError
from core.progress import part
from core.schema import label_of
from core.serve.agent.advice import in_short
from core.serve.estimate import UNAVAILABLE
from core.spreadsheet import to_csv, to_xlsx
from core.store import Upload
from core.wording import area_label, count, market_day, money, percent, signed_percent
from core.workflows.pricing import asking_prices
from core.workflows.pricing.asking_prices import Place, beside_asking, template
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.many_homes import PricedFile, price_file, record_file
from core.workspace import Workspace
from pages.kit import cached_desk, figures
from pages.kit.choice import FIRST_DAY, LAST_DAY
from pages.kit.text import plain
from pages.views.pricing import fact_fields

ROWS_MAX: Final = 20_000
"""This many are priced within seconds in the page's own thread; the command line prices any number."""

_ANSWER: Final = "priced_file"
_UNRECORDED: Final = "priced_file_unrecorded"
_FILE: Final = "listings"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PLACES: Final = {Place.BELOW.value: "blue", Place.INSIDE.value: "green", Place.ABOVE.value: "orange"}
_BLOCK: Final = 1 << 20
_SHOWN_NAMES: Final = ("address", "unit", "property_id", "zipcode", "neighbourhood")


def draw(workspace: Workspace, desk: Desk, today: date) -> None:
    """Draw upload, counts, tables and downloads; raises AccessDenied, StoreUnavailable."""
    st.write(
        "Upload a list of homes as a CSV file or workbook, one row each. Columns are recognized by their names; areas "
        f"without a unit are read as {area_label(desk.market.area_unit)}."
    )
    st.download_button(
        "Template with this market’s facts",
        lambda: to_xlsx(template(desk)),
        f"{desk.market.market_id}-template.xlsx",
        _XLSX,
        icon=":material/table:",
        type="tertiary",
        on_click="ignore",
    )
    with st.form("price-file", border=True):
        # Accept any file type: the reader names the file and a remedy, while the widget would only name a MIME type.
        uploaded = st.file_uploader(
            "Listings",
            key=_FILE,
            max_upload_size=desk.problem.intake.upload_mb,
            help=f"CSV or TSV (also gzipped or zipped), xlsx, xls, ods, Parquet or RESO OData JSON, "
            f"at most {ROWS_MAX:,} rows.",
        )
        shape = fact_fields.date_format(desk.market)
        as_of = st.date_input(
            "Valuation date", desk.valuation_date(today), FIRST_DAY, LAST_DAY, format=shape, key="file_date"
        )
        if note := desk.date_note(today):
            st.caption(plain(note))
        submitted = st.form_submit_button("Price the file", type="primary", icon=":material/sell:")
    if submitted:
        st.session_state.pop(_ANSWER, None)
        if uploaded is None:
            st.info("Choose a file first.", icon=":material/upload_file:")
        else:
            limit = desk.problem.intake.upload_mb * 1024 * 1024
            _price(workspace, desk, workspace.store.uploads.save(uploaded.name, uploaded, limit), as_of)
    answer = st.session_state.get(_ANSWER)
    live = desk.record.model_id if desk.record else None
    if isinstance(answer, PricedFile) and (answer.by.market_id, answer.by.model_id) == (desk.market.market_id, live):
        _show(answer, desk)


def _price(workspace: Workspace, desk: Desk, upload: Upload, as_of: date) -> None:
    try:
        rows = lines(upload.path) - 1
        if rows > ROWS_MAX:
            st.error(
                f"{plain(upload.name)} has about {rows:,} rows; at most {ROWS_MAX:,} are priced here. Split it, or "
                "price it from the command line: `python -m core price --csv FILE`.",
                icon=":material/error:",
            )
            return
        bar = st.progress(0.0, "Reading the file")
        progress = part(lambda done, what: _tell(bar, done, what), 0.0, 0.8)
        book = cached_desk.address_books().book(workspace, desk)
        priced = price_file(desk, upload.path, upload.name, as_of, progress, workspace.actor, book=book)
        bar.progress(0.8, "Recording the estimates")
        st.session_state[_ANSWER], st.session_state[_UNRECORDED] = _recorded(workspace, priced)
        bar.empty()
    except CollectError as error:
        st.error(plain(str(error)), icon=":material/error:")
    finally:
        workspace.store.uploads.discard(upload.upload_id)


def _tell(bar: DeltaGenerator, done: float, what: str) -> None:
    bar.progress(done, what)


def _recorded(workspace: Workspace, priced: PricedFile) -> tuple[PricedFile, str]:
    """Write the answers to the ledger before showing them; if that fails, return why: they are shown anyway."""
    try:
        return record_file(workspace, priced, "file"), ""
    except StoreError as error:
        return priced, str(error)


def lines(path: Path) -> int:
    """Count the lines of a file, including a last line without a line break."""
    total, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total, last = total + block.count(b"\n"), block[-1:]
    return total + (last != b"\n")


def _show(answer: PricedFile, desk: Desk) -> None:
    st.header(plain(answer.name), anchor=False)
    unrecorded = st.session_state.get(_UNRECORDED)
    if unrecorded:
        st.warning(f"These estimates were not recorded: {plain(unrecorded)}", icon=":material/warning:")
    with st.container(horizontal=True, gap="medium"):
        st.metric("Rows", f"{answer.rows:,}", width="content")
        for status, number in answer.counts.items():
            if number or status == "priced":
                st.metric(status.capitalize(), f"{number:,}", width="content")
    st.caption(
        f"{percent(answer.level)} ranges in {answer.by.currency} · valued "
        f"{market_day(answer.as_of, answer.by.currency)} · a row’s number counts the homes, not the heading"
    )
    stem = f"{answer.by.market_id}-{answer.as_of:%Y-%m-%d}"
    if len(answer.table):
        _prices(answer, desk, stem)
    if len(answer.errors):
        st.markdown(f"**{count(len(answer.errors), 'row')} not priced**")
        if answer.counts["unavailable"]:
            # The general advice is shown literally, so it is not escaped.
            st.info(UNAVAILABLE, icon=":material/info:")
        figures.frame(errors_on_screen(answer), "rows_not_priced")
        _download(
            "Download the rows not priced",
            asking_prices.to_take_along(asking_prices.not_priced(answer)),
            f"not-priced-{stem}.csv",
        )
    with st.expander("How the columns were read", icon=":material/table_chart:"):
        figures.frame(columns_on_screen(answer), "columns_read")


def _download(label: str, table: pd.DataFrame, name: str) -> None:
    st.download_button(label, to_csv(table), name, "text/csv", icon=":material/download:", on_click="ignore")


def _prices(answer: PricedFile, desk: Desk, stem: str) -> None:
    table = beside_asking(answer)
    if answer.filled:
        names = dict.fromkeys(
            label_of(name).partition(" (")[0].lower() for row in answer.filled.values() for name in row
        )
        st.caption(
            f"{count(len(answer.filled), 'home')} known by address: what the file leaves blank is taken from the "
            f"latest sale and the tax roll, as on the first tab ({plain(', '.join(names))})."
        )
    st.dataframe(on_screen(table, answer.by.currency), hide_index=True, column_config=_columns(desk))
    if "asking_price" in table:
        st.caption("The asking price that differs most from the estimate comes first.")
    with st.container(horizontal=True, gap="small"):
        taken = to_take_along(table)
        _download("Download the prices", taken, f"prices-{stem}.csv")
        st.download_button(
            "As a workbook",
            lambda: to_xlsx(taken),
            f"prices-{stem}.xlsx",
            _XLSX,
            icon=":material/table:",
            on_click="ignore",
        )


def on_screen(table: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the prices for display: which home, the range and the asking price before the rest, money as text."""
    low, high, point = (table[name].map(lambda amount: money(amount, currency)) for name in ("low", "high", "point"))
    shown = {"Reference": table["reference"]} if "reference" in table else {}
    shown |= {label_of(name): table[name].fillna("") for name in _SHOWN_NAMES if name in table.columns}
    shown["Range"] = low + " to " + high
    if "asking_price" in table:
        shown["Asking price"] = table["asking_price"].map(lambda amount: money(amount, currency))
        shown["Asking price is"] = table["place"].map(lambda place: [place] if place else [])
        shown["Difference"] = table["difference"].map(lambda share: signed_percent(share, 1))
    to_look_at = table["flags"].map(_to_look_at)
    if "check_asking_price" in table:
        mark = table["check_asking_price"].map({True: "check the asking price: a digit may be wrong; ", False: ""})
        to_look_at = (mark + to_look_at).str.removesuffix("; ")
    return pd.DataFrame(
        {
            **shown,
            "Point estimate": point,
            "Confidence": table["confidence"],
            "To look at": to_look_at,
            "Row": table["row"],
        }
    )


def to_take_along(table: pd.DataFrame) -> pd.DataFrame:
    """Return the prices for a file, with what to look at in the words of the screen."""
    worded = table.assign(flags=table["flags"].map(_to_look_at)).rename(columns={"flags": "to_look_at"})
    return asking_prices.to_take_along(worded)


def _to_look_at(flags: str) -> str:
    return in_short(flag for flag in flags.split("; ") if flag)


def errors_on_screen(answer: PricedFile) -> pd.DataFrame:
    """Return the rows not priced for display: which home, why, and what helps, without the general advice."""
    errors, homes = answer.errors, answer.homes.set_index("source_row")
    named = [name for name in _SHOWN_NAMES if name in homes and homes[name].notna().any()]
    shown = {"Row": errors["row"]}
    if answer.references:
        shown["Reference"] = errors["row"].map(answer.references).fillna("")
    shown |= {label_of(name): errors["row"].map(homes[name]).fillna("") for name in named}
    return pd.DataFrame(
        {
            **shown,
            "Status": errors["status"].str.capitalize(),
            "Why": errors["reason"].str.removeprefix(UNAVAILABLE).str.strip(),
            "What helps": errors["remedy"],
        }
    )


def columns_on_screen(answer: PricedFile) -> pd.DataFrame:
    """Return how each column of the file was read."""
    return pd.DataFrame(
        [
            {"Column": one.column, "Read as": label_of(one.field) if one.field else "not used", "Why": one.why}
            for one in answer.columns
        ]
    )


def _columns(desk: Desk) -> Mapping[str, Any]:
    tolerance = percent(desk.problem.success.tolerance)
    return {
        "Confidence": st.column_config.NumberColumn(
            format="%d", help=f"Of 100: chance that the sale price falls within {tolerance} of the point estimate"
        ),
        "Asking price is": st.column_config.MultiselectColumn(options=[*_PLACES], color=[*_PLACES.values()], width=110),
        "To look at": st.column_config.TextColumn(width="large"),
    }
