"""Many homes at once: prices a file of listings and shows a table of ranges and one of rows not priced."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.collect.columns.leftovers import NO_VALUES
from core.errors import CollectError, StoreError
from core.installation import program
from core.progress import part
from core.schema import keeping_names, label_of
from core.serve.agent.advice import in_short
from core.serve.review.unavailable import UNAVAILABLE
from core.serve.words import UNPROVEN
from core.spreadsheet import to_csv, to_xlsx
from core.store import Upload
from core.wording import MISSING, area_label, count, day_form, market_day, money, money_range, percent, signed_percent
from core.workflows.pricing import asking_prices
from core.workflows.pricing.asking_prices import TO_CORRECT, WITHOUT_PRICE, Place, beside_asking, template
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.many_homes import COMPARED_MOST, PricedFile, filled_names, price_file, record_file
from core.workspace import Workspace
from pages.kit import cached_desk, figures
from pages.kit.choice import FIRST_DAY, LAST_DAY
from pages.kit.text import plain
from pages.views.pricing import stored_estimate

ROWS_MAX: Final = 20_000
"""This many are priced within seconds in the page's own thread; the command line prices any number."""

HOW_MANY: Final = "how_many"
"""The key of the tabs of the page, whose names are these."""
ONE: Final = "One home"
MANY: Final = "Many at once"

_ANSWER: Final = "priced_file"
_CHOSEN: Final = "chosen_home"
_UNRECORDED: Final = "priced_file_unrecorded"
_FILE: Final = "listings"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PLACES: Final = {Place.BELOW.value: "blue", Place.INSIDE.value: "green", Place.ABOVE.value: "orange"}
_BLOCK: Final = 1 << 20
_CARDS: Final = 50
_LAST_FILES: Final = 20
_UNUSED_SHOWN: Final = 6
# A phone would cut the table, and shows a card for each home instead.
_STYLE: Final = """<style>
@media (min-width: 641px) { [data-testid="stApp"] :has(> .st-key-home_cards) { display: none; } }
@media (max-width: 640px) {
  [data-testid="stApp"] :has(> .st-key-home_table) { display: none; }
  .st-key-home_cards button { min-height: 2.75rem; padding: 0.5rem 0.75rem; }
  .st-key-home_cards button, .st-key-home_cards button div { justify-content: flex-start; text-align: left; }
  .st-key-home_cards button strong { display: block; }
}
</style>"""
_SHOWN_NAMES: Final = ("address", "unit", "property_id", "zipcode", "neighbourhood")
_PLACE: Final = "It is"
# The narrowest widths at which the columns can be read, in pixels; the one that names the home has what is left.
_WIDTHS: Final = {
    "Reference": 78,
    "Range": 158,
    "Asking price": 98,
    _PLACE: 72,
    "Difference": 80,
    "Point estimate": 106,
    "Confidence": 84,
    "To look at": 78,
    "Row": 50,
}


def draw(workspace: Workspace, desk: Desk, today: date) -> None:
    """Draw upload, counts, tables and downloads; raises AccessDenied, StoreUnavailable."""
    st.write(
        "Upload a list of homes as a CSV file or workbook, one row each. Columns are recognized by their names; areas "
        f"without a unit are read as {area_label(desk.market.area_unit)}."
    )
    st.download_button(
        "Template with this market’s facts",
        keeping_names(lambda: to_xlsx(template(desk))),
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
        shape = day_form(desk.market.currency)
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
    _offer_last(workspace, desk)
    answer = st.session_state.get(_ANSWER)
    live = desk.record.model_id if desk.record else None
    if isinstance(answer, PricedFile) and (answer.by.market_id, answer.by.model_id) == (desk.market.market_id, live):
        _show(answer, desk)


@st.cache_resource(show_spinner=False)
def _last_files() -> OrderedDict[tuple[str, ...], tuple[PricedFile, str]]:
    """Return the last priced file of each person and market, and why it was not recorded; the latest come last."""
    return OrderedDict()


def _person(workspace: Workspace, market_id: str) -> tuple[str, ...]:
    actor = workspace.actor
    return (str(workspace.store.home), actor.actor_id, actor.name, actor.office, market_id)


def _keep_last(workspace: Workspace, answer: PricedFile, unrecorded: str) -> None:
    kept, person = _last_files(), _person(workspace, answer.by.market_id)
    kept.pop(person, None)
    kept[person] = (answer, unrecorded)
    while len(kept) > _LAST_FILES:
        kept.popitem(last=False)


def _offer_last(workspace: Workspace, desk: Desk) -> None:
    """Offer this person's last priced file where none is shown: a page loaded anew begins empty."""
    last = _last_files().get(_person(workspace, desk.market.market_id))
    live = desk.record.model_id if desk.record else None
    if last is None or _ANSWER in st.session_state or last[0].by.model_id != live:
        return
    rows = count(last[0].rows, "row", currency=desk.market.currency)
    label = f"Open the last file again: {plain(last[0].name)}, {rows}"
    if st.button(label, key="last_file", icon=":material/history:", type="tertiary"):
        st.session_state[_ANSWER], st.session_state[_UNRECORDED] = last
        st.rerun()


def _price(workspace: Workspace, desk: Desk, upload: Upload, as_of: date) -> None:
    try:
        rows = lines(upload.path) - 1
        if rows > ROWS_MAX:
            st.error(
                f"{plain(upload.name)} has about {rows:,} rows; at most {ROWS_MAX:,} are priced here. Split it, or "
                f"price it from the command line: `{program()} price --csv FILE`.",
                icon=":material/error:",
            )
            return
        bar = st.progress(0.0, "Reading the file")
        progress = part(lambda done, what: _tell(bar, done, what), 0.0, 0.8)
        book = cached_desk.address_books().book(workspace, desk)
        priced = price_file(desk, upload.path, upload.name, as_of, progress, workspace.actor, book=book)
        bar.progress(0.8, "Recording the estimates")
        st.session_state[_ANSWER], st.session_state[_UNRECORDED] = recorded = _recorded(workspace, priced)
        _keep_last(workspace, *recorded)
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
        st.metric("Priced", f"{answer.counts['priced']:,}", width="content")
        correct = int(answer.to_correct.sum())
        for words, number in ((TO_CORRECT, correct), (WITHOUT_PRICE, len(answer.errors) - correct)):
            if number:
                st.metric(words.capitalize(), f"{number:,}", width="content")
    st.caption(
        f"{percent(answer.level)} ranges in {answer.by.currency} · valued "
        f"{market_day(answer.as_of, answer.by.currency)} · a row’s number counts the homes, not the heading"
    )
    if repeated := asking_prices.repeats_words(answer):
        st.warning(plain(repeated), icon=":material/content_copy:")
    stem = f"{answer.by.market_id}-{answer.as_of:%Y-%m-%d}"
    if len(answer.table):
        if unused := unused_columns(answer):
            st.warning(plain(unused), icon=":material/warning:")
        if words := words_not_understood(beside_asking(answer)):
            st.warning(plain(words), icon=":material/warning:")
        _prices(answer, desk, stem)
    if len(answer.errors):
        _not_priced(answer)
        _download("Download the rows not priced", asking_prices.rows_not_priced(answer), f"not-priced-{stem}.csv")
        st.caption("It has the columns of your file and why: correct it, and upload it here again.")
    with st.expander("How the columns were read", icon=":material/table_chart:"):
        figures.frame(columns_on_screen(answer), "columns_read")


def _not_priced(answer: PricedFile) -> None:
    """Draw the rows not priced: those to correct, then those for which there is no price, under the general advice."""
    shown = errors_on_screen(answer)
    if (to_correct := shown[answer.to_correct]).size:
        st.markdown(f"**{count(len(to_correct), 'row')} {TO_CORRECT}**")
        figures.frame(to_correct, "rows_to_correct")
    if (without := shown[~answer.to_correct]).size:
        st.markdown(f"**{count(len(without), 'row')} {WITHOUT_PRICE}**")
        # The general advice is shown literally, so it is not escaped.
        st.info(UNAVAILABLE, icon=":material/info:")
        figures.frame(without, "rows_without_price")


def _download(label: str, table: pd.DataFrame, name: str) -> None:
    st.download_button(label, to_csv(table), name, "text/csv", icon=":material/download:", on_click="ignore")


def _prices(answer: PricedFile, desk: Desk, stem: str) -> None:
    table = beside_asking(answer)
    if answer.filled:
        names = dict.fromkeys(label_of(name).partition(" (")[0].lower() for name in filled_names(answer))
        st.caption(
            f"{count(len(answer.filled), 'home')} known by address: what the file leaves blank is taken from the "
            f"latest sale and the tax roll, as on the first tab ({plain(', '.join(names))})."
        )
    if "asking_price" in table:
        st.caption("The asking price that differs most from the estimate comes first.")
    st.html(_STYLE)
    with st.container(key="home_table"):
        shown = on_screen(table, answer.by.currency)
        chosen = st.dataframe(
            shown,
            hide_index=True,
            column_config=_columns(desk, shown),
            placeholder=MISSING,
            on_select="rerun",
            selection_mode="single-cell",
            key=_CHOSEN,
        )
        if len(answer.homes) > COMPARED_MOST:
            st.caption(
                f"Beyond {COMPARED_MOST} homes a file is priced without comparing each with sales: opened in the form, "
                "a home may have more to look at."
            )
        _opened_row(table, [row for row, _ in chosen["selection"]["cells"]])
    with st.container(key="home_cards", gap="small"):
        _cards(table.head(_CARDS), answer.by.currency)
        if len(table) > _CARDS:
            st.caption(f"The first {_CARDS} of {count(len(table), 'home')} are listed; the download has all.")
    with st.container(horizontal=True, gap="small"):
        taken = asking_prices.to_take_along(table)
        _download("Download the prices", taken, f"prices-{stem}.csv")
        st.download_button(
            "As a workbook",
            keeping_names(lambda: to_xlsx(taken)),
            f"prices-{stem}.xlsx",
            _XLSX,
            icon=":material/table:",
            on_click="ignore",
        )


def _opened_row(table: pd.DataFrame, chosen: Sequence[int]) -> None:
    """Draw beneath the table what to look at in the row that was clicked; that column would not fit beside the rest."""
    st.caption("Click a row to see what to look at.")
    for place in [row for row in chosen if row < len(table)][:1]:
        row = table.iloc[place]
        with st.container(border=True, gap="small", key="opened_row"):
            points = "\n".join(f"- {plain(line)}" for line in advised(row)) or "Nothing to look at."
            st.markdown(f"**{plain(_row_name(row))}**\n\n{points}")
            if row.get("estimate_id"):
                st.button(
                    "Open it in the form",
                    key="open_in_form",
                    icon=":material/edit:",
                    on_click=_open_in_form,
                    args=(str(row["estimate_id"]),),
                    help="Priced alone, a home also has its comparables, reasons and report.",
                )


def _cards(table: pd.DataFrame, currency: str) -> None:
    """Draw the homes as a phone shows them, each a button that opens it in the form."""
    for _, row in table.iterrows():
        parts = [money_range(row["low"], row["high"], currency)]
        if row.get("place"):
            difference = signed_percent(row["difference"], 1)
            parts.append(f"asks {money(row['asking_price'], currency)}, {row['place']} ({difference})")
        words = f"**{plain(_row_name(row))}** {plain(' · '.join([*parts, *filter(None, [looked_at(row)])]))}"
        found = str(row.get("estimate_id") or "")
        key = f"home-{row['row']}"
        st.button(words, key=key, width="stretch", disabled=not found, on_click=_open_in_form, args=(found,))


def _open_in_form(estimate_id: str) -> None:
    st.session_state[HOW_MANY] = ONE
    stored_estimate.go_to(estimate_id)


def _row_name(row: pd.Series) -> str:
    """Return how a row of the table is called: its reference and address, else its number in the file."""
    names = [str(row[name]) for name in ("reference", "address") if isinstance(row.get(name), str) and row[name]]
    return ", ".join(names) or f"Row {row['row']}"


def looked_at(row: pd.Series) -> str:
    """Return what to look at in a priced row, "" for nothing."""
    digit = "check the asking price: a digit may be wrong" if row.get("check_asking_price") else ""
    return "; ".join(part for part in (digit, _to_look_at(row["flags"])) if part)


def advised(row: pd.Series) -> list[str]:
    """Return what to look at in a priced row and what to do, in the sentences of a home priced alone."""
    return [*([asking_prices.DIGIT] if row.get("check_asking_price") else []), *str(row["advice"] or "").splitlines()]


def on_screen(table: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the prices for display: which home, the range and the asking price before the rest, money as text."""
    low, high, point = (table[name].map(lambda amount: money(amount, currency)) for name in ("low", "high", "point"))
    shown = {"Reference": table["reference"]} if "reference" in table else {}
    shown |= _homes(table)
    shown["Range"] = low + " to " + high
    if "asking_price" in table:
        shown["Asking price"] = table["asking_price"].map(lambda amount: money(amount, currency))
        shown[_PLACE] = table["place"].map(lambda place: [place] if place else [])
        shown["Difference"] = table["difference"].map(lambda share: signed_percent(share, 1))
    shown |= {"Point estimate": point, "Confidence": table["confidence"]}
    things = pd.Series([len(advised(row)) for _, row in table.iterrows()], index=table.index, dtype="int64")
    shown["To look at"] = things.where(things > 0)
    return pd.DataFrame(shown if "reference" in table else {**shown, "Row": table["row"]})


def _homes(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return what tells the homes apart: address, else property id, with the area where that alone does not.

    An area of its own beside the addresses would take the room that they need.
    """
    home = next((name for name in ("address", "property_id") if name in table), "")
    area = next((name for name in ("zipcode", "neighbourhood") if name in table), "")
    areas = table[area].fillna("").astype(str) if area else None
    if not home:
        return {label_of(area): areas} if areas is not None else {}
    named = table[home].fillna("").astype(str)
    if home == "address" and "unit" in table:
        unit = table["unit"].fillna("").astype(str)
        named += (" " + unit).where(unit != "", "")
    if areas is not None:
        several = areas.groupby(named).transform("nunique") > 1
        named = named.where(~several & (named != ""), (named + ", " + areas).str.strip(", "))
    return {label_of(home): named}


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
            "Why": errors["reason"].str.removeprefix(UNAVAILABLE).str.strip(),
            "What helps": errors["remedy"],
        }
    )


def unused_columns(answer: PricedFile) -> str:
    """Return which columns gave no fact and why, "" where each did."""
    unused = [f"“{one.column}” ({one.why})" for one in answer.columns if not one.field and one.why != NO_VALUES]
    return f"{count(len(unused), 'column')} not used: {_first(unused)}." if unused else ""


def words_not_understood(table: pd.DataFrame) -> str:
    """Return which priced rows have words that were not understood, "" where each was."""
    named = [f"{_row_name(row)}: {row['not_understood']}" for _, row in table.iterrows() if row["not_understood"]]
    return f"{count(len(named), 'home')} with words not understood. {_first(named)}." if named else ""


def _first(named: Sequence[str]) -> str:
    more = len(named) - _UNUSED_SHOWN
    return "; ".join(named[:_UNUSED_SHOWN]) + (f"; and {more:,} more, listed below" if more > 0 else "")


def columns_on_screen(answer: PricedFile) -> pd.DataFrame:
    """Return how each column of the file was read."""
    return pd.DataFrame(
        [{"Column": one.column, "Read as": _read_as(one.field), "Note": one.why} for one in answer.columns]
    )


def _read_as(field: str) -> str:
    return asking_prices.NAMES.get(field) or label_of(field) if field else "not used"


def _columns(desk: Desk, shown: pd.DataFrame) -> Mapping[str, Any]:
    tolerance, column = percent(desk.problem.success.tolerance), st.column_config
    wide = figures.widths(shown, {label_of("zipcode"): 78, label_of("neighbourhood"): 104, **_WIDTHS})
    chance = (
        f"Of 100: chance that the sale price falls within {tolerance} of the point estimate; “{MISSING}”: {UNPROVEN}"
    )
    found = {name: column.Column(width=width) for name, width in wide.items()}
    found["Confidence"] = column.NumberColumn(format="%d of 100", help=chance, width=wide["Confidence"])
    if _PLACE in wide:
        colors = [*_PLACES.values()]
        found[_PLACE] = column.MultiselectColumn(options=[*_PLACES], color=colors, width=wide[_PLACE])
    return found
