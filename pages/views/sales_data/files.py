"""Step 1 of the intake: upload files, see how each was recognized, and choose their market."""

from __future__ import annotations

from functools import partial
from typing import Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.collect.cells.currencies import CURRENCIES
from core.collect.mapping_file import read_like
from core.collect.privacy.findings import BLANKED, of_persons, reason
from core.collect.reading.encodings import ENCODINGS
from core.collect.reading.table import ReadingChoice
from core.errors import DoorstepError
from core.schema import Source, keeping_names
from core.store import Market
from core.store.base.markets import AreaUnit
from core.wording import count
from core.workflows.columns.templates import FORMATS, NAMES, file_name, template
from core.workflows.source_files.mapped_files import stated_currency, stated_unit, usual_currency
from pages.kit import figures, navigation, session
from pages.kit.choice import asked_for, pressed
from pages.kit.text import plain
from pages.views.sales_data import draft, mapping_table, steps
from pages.views.sales_data.draft import Destination, Draft, Staged, Step

_UNITS: Final[dict[AreaUnit, str]] = {"sqft": "Square feet", "sqm": "Square meters"}
_NEW: Final = ""
_REFUSED: Final = "_refused_files"
_ROUND: Final = "_upload_round"


def draw(held: Draft) -> None:
    """Draw the uploader, the files staged so far and their destination."""
    _uploader()
    if not held.files:
        return
    # Each part has its own place, so that a message that comes or goes does not move the buttons below it.
    listed, market, ways = st.container(), st.container(), st.container()
    with listed:
        for number, file in enumerate(held.files):
            _file(file, number, held)
        _say_no_sales(held)
    with market:
        _destination(held)
    now = draft.draft()
    with ways:
        _ways(now)
    if now.destination != held.destination:
        # What is drawn above, such as that a file is known, depends on it. A button pressed in the same run was heard.
        st.rerun()


def _ways(held: Draft) -> None:
    """Draw the buttons that leave the step."""
    aim = held.destination or Destination()
    lacks = [] if aim.market_id or aim.name else ["name the market"]
    lacks += [] if aim.currency else ["choose the currency of its prices"]
    with st.container(horizontal=True, gap="small"):
        if pressed("Continue to columns", "onward", bool(lacks), type="primary", icon=":material/arrow_forward:"):
            steps.go(Step.COLUMNS)
        with st.popover("Start over", icon=":material/restart_alt:"):
            st.caption("The staged files and all that was set for their columns are dropped.")
            if st.button(f"Drop {count(len(held.files), 'file')}", key="start_over", icon=":material/delete:"):
                draft.drop_all()
                st.rerun()
    if lacks:
        st.caption(f"To continue, {' and '.join(lacks)}.")


def dropped_table(file: Staged) -> pd.DataFrame:
    """Return the personal data removed from a file, one row per column."""
    return pd.DataFrame(
        [
            {
                "Column": one.column,
                "Holds": one.kind,
                "What was done": "removed from its texts" if one.action == BLANKED else "dropped",
                "Why": reason(one),
            }
            for one in of_persons(file.dropped)
        ]
    )


def _uploader() -> None:
    limit = session.problem().intake.upload_mb
    # A new key after each upload clears the widget, so that the bytes are only on disk. It accepts any file type: the
    # widget's own error would name a MIME type, while the reader's names the file, its type and the remedy.
    key = f"upload_{st.session_state.get(_ROUND, 0)}"
    kept = _text_to_keep()
    # The choice is needed first, and stands below what is done far more often.
    place = st.container()
    choice = _reading_choice()
    _templates()
    brought = place.file_uploader(
        "Files (CSV, xlsx, xls, ods, Parquet, RESO JSON): sales and, if you have them, one tax roll, one neighborhood "
        "file and one file of market indicators",
        accept_multiple_files=True,
        max_upload_size=limit,
        key=key,
        help="CSV or TSV (also gzipped or zipped), xlsx, xls, ods, Parquet or RESO OData JSON, "
        f"up to {limit} MB each. Columns may have any names. Columns with names of "
        "people, phones and emails, and long text that is no fact of a home, are dropped before anything is written. "
        f"Staged files are kept for {draft.KEPT.days} days.",
    )
    if brought:
        st.session_state[_REFUSED] = refused = []
        for file in brought:
            try:
                draft.bring(file.name, file.getvalue(), kept, choice)
            except DoorstepError as error:
                refused.append(str(error))
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
        st.rerun()
    for message in st.session_state.get(_REFUSED, []):
        st.error(plain(message), icon=":material/error:")


def _templates() -> None:
    """Draw the downloads of an empty file of each kind, in the units and currency of the market it is for."""
    aim = draft.draft().destination
    opened = session.market()
    usual = aim if aim is not None else Destination()
    unit, currency = (usual.area_unit, usual.currency) if aim or not opened else (opened.area_unit, opened.currency)
    with st.expander("Start from a template", icon=":material/table:"):
        st.caption("A heading for each field; the workbook's second sheet explains them. Leave out what you lack.")
        for file_format, kind in zip(FORMATS, ("workbook", "CSV"), strict=True):
            with st.container(horizontal=True, gap="small"):
                for source, name in NAMES.items():
                    st.download_button(
                        f"{name}, {kind}",
                        keeping_names(partial(template, source, file_format, unit, currency)),
                        file_name(source, file_format),
                        key=f"template_{source}_{file_format}",
                        icon=":material/download:",
                        on_click="ignore",
                    )


def _text_to_keep() -> list[str]:
    """Draw, once a file had text dropped that no field takes, where to name what is to be kept of it."""
    files = draft.staged()
    doubtful = {one.column for file in files for one in file.dropped if one.keepable}
    named = {column for file in files for column in file.kept}
    if not doubtful | named:
        return []
    return st.multiselect(
        "Text columns to keep",
        sorted(doubtful | named),
        sorted(named),
        key="text_to_keep",
        help="Their text is written to disk, but for phones, e-mails, accounts, codes and names found in it. Name "
        "them, then bring the file again.",
    )


def _reading_choice() -> ReadingChoice | None:
    """Return how the analyst wants the next files read; None where all is found from each file."""
    with st.expander("Encoding and sheet of the next files"):
        encoding = st.selectbox(
            "Encoding", ["", *ENCODINGS], format_func=lambda one: one or "As found from the file", key="encoding"
        )
        sheet = st.text_input("Sheet of a workbook", key="sheet", placeholder="The one with the most rows").strip()
        st.caption("Was a file below read wrongly? Choose here and bring it again: it replaces the one of its name.")
    return ReadingChoice(encoding, sheet) if encoding or sheet else None


def _file(file: Staged, number: int, held: Draft) -> None:
    seen = draft.preview(file.upload_id, file.source, file.kept)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            with st.container(width="stretch", gap=None):
                st.markdown(f"**{plain(seen.name)}**")
                bad = f", {count(seen.bad_lines, 'unreadable line')}" if seen.bad_lines else ""
                st.caption(f"{count(seen.rows_in, 'row')}, {count(len(seen.columns), 'column')}{bad}")
                st.caption(plain(file.reading))
            kinds = mapping_table.sources()
            kind = st.selectbox(
                "Recognized as",
                list(kinds),
                list(kinds).index(file.source.value),
                format_func=kinds.__getitem__,
                key=f"kind_{file.upload_id}_{file.source}",
                width=260,
            )
            if st.button("Remove", key=f"remove_{number}", icon=":material/delete:"):
                draft.drop(file.upload_id)
                st.rerun()
        if Source(kind) is not file.source:
            guessed = draft.guessed(draft.preview(file.upload_id, Source(kind), file.kept), held.destination)
            draft.keep(file._replace(source=Source(kind), mapping=read_like(guessed, file.mapping)))
            st.rerun()
        _say_known(file, held)
        if of_persons(file.dropped):
            _say_removed(file)


def _say_removed(file: Staged) -> None:
    """Say by column what was removed from a file before it was saved, and how to keep what is nobody's."""
    names = ", ".join(one.column for one in of_persons(file.dropped))
    st.info(
        plain(f"Personal data, or text that may hold it, was removed before the file was saved: {names}."),
        icon=":material/person_off:",
    )
    with st.expander("What was removed, and why"):
        figures.frame(dropped_table(file), f"dropped_{file.upload_id}")
        if any(one.keepable for one in file.dropped):
            st.caption("Is one a fact of the home? Name it above as text to keep, and bring the file again.")


def _say_known(file: Staged, held: Draft) -> None:
    """Say at once if the market already has this file."""
    market_id = held.destination.market_id if held.destination else ""
    if market_id and session.store().versions.has_file(market_id, draft.upload_of(file).sha256):
        st.info("This file was already imported: committing it again changes nothing.", icon=":material/content_copy:")


def _has_sales(held: Draft) -> bool:
    return any(file.source is Source.SALES for file in held.files)


def _say_no_sales(held: Draft) -> None:
    """Say at once if no staged file has sales, and where to price homes without a price."""
    one = len(held.files) == 1
    if draft.are_listings(held):
        st.warning(
            f"{'This file holds' if one else 'These files hold'} listings without a sale: price them instead, under "
            "Many at once. For a market, add a file of sales.",
            icon=":material/sell:",
        )
        navigation.link_to("pricing", "Price them instead")
        return
    if _has_sales(held):
        return
    holds = "This file holds" if one else "These files hold"
    if draft.lack_prices(held):
        st.warning(
            f"{holds} homes without a price: no column is taken for the sale price, so no market learns from "
            f"{'it' if one else 'them'}. Price them instead, under Many at once; for a market, bring the prices they "
            "sold for, or correct the kind above.",
            icon=":material/sell:",
        )
        navigation.link_to("pricing", "Price them instead")
        return
    chosen = held.destination.market_id if held.destination else ""
    kinds = {file.source for file in held.files}
    if chosen and session.store().versions.latest(chosen) is not None:
        words = f"{holds} no sales. {_effects(kinds, session.store().markets.get(chosen).name)}"
        st.info(plain(words), icon=":material/add_circle:")
    else:
        st.warning(
            f"{holds} no sales, as the kind above says. Add a file of sales, correct the kind, "
            f"or choose the market that {'it is' if one else 'they are'} for.",
            icon=":material/sell:",
        )
    if Source.TAX in kinds:
        st.caption("To price homes, use Price a home, Many at once.")
        navigation.link_to("pricing", "Price a home")


def _effects(kinds: set[Source], market: str) -> str:
    """Say what files of these kinds do to a market that has sales."""
    effects = []
    if kinds & {Source.TAX, Source.NEIGHBOURHOOD}:
        effects.append(f"What the stored sales of {market} lack is filled in.")
    if Source.TAX in kinds:
        effects.append("The homes of the tax roll are kept for the look-up and for later sales.")
    if Source.INDICATORS in kinds:
        effects.append(f"{market} keeps the market indicators, and no sale changes.")
    return " ".join(effects)


def _destination(held: Draft) -> None:
    """Draw where the sales go: an existing market or a new one."""
    markets = {market.market_id: market for market in session.store().markets.list() if not market.simulated}
    before = held.destination
    with st.container(border=True):
        chosen = _NEW
        if markets:
            options = [*markets, _NEW]
            chosen = st.selectbox(
                "Add them to",
                options,
                options.index(_usual(before, markets)),
                format_func=lambda one: markets[one].name if one else "A new market…",
                key="destination",
                width=320,
            )
        if chosen:
            market = markets[chosen]
        if chosen and session.store().versions.latest(chosen) is None:
            st.caption("It has no sales in use, so the currency of its prices can still be changed.")
            held_terms = Destination(chosen, market.name, market.currency, market.area_unit)
            same = before is not None and before.market_id == chosen and before.name
            destination = _terms(before if same and before else held_terms, *st.columns(2, gap="small", width=320))
        elif chosen:
            st.caption(f"Prices in {market.currency}, areas shown in {_UNITS[market.area_unit].lower()}.")
            destination = Destination(chosen, "", market.currency, market.area_unit)
        else:
            destination = _new_market(before if before is not None and not before.market_id else _as_written(held))
            _say_currency(held, destination)
    if before != destination:
        draft.aim(destination)


def _usual(before: Destination | None, markets: dict[str, Market]) -> str:
    if before is not None and (not before.market_id or before.market_id in markets):
        return before.market_id
    opened = session.market()
    return opened.market_id if opened is not None and opened.market_id in markets else next(iter(markets))


def _as_written(held: Draft) -> Destination:
    """Return a new market in the currency and the unit that the files state."""
    mappings = [file.mapping for file in held.files]
    usual = Destination()
    return usual._replace(currency=usual_currency(mappings), area_unit=stated_unit(mappings) or usual.area_unit)


def _say_currency(held: Draft, destination: Destination) -> None:
    """Say what a currency that no file states is concluded from."""
    mappings = [file.mapping for file in held.files]
    if not stated_currency(mappings) and destination.currency == usual_currency(mappings):
        st.caption(
            f"The files do not say the currency of their prices: {destination.currency} is offered as their areas are "
            "in square feet. Choose another if the prices are in another."
        )


def _new_market(before: Destination) -> Destination:
    name, currency, unit = st.columns([2, 1, 1], gap="small")
    lacking = "" if str(st.session_state.get("market_name", before.name) or "").strip() else "type it first"
    named = name.text_input(
        asked_for("Name of the market", "onward", lacking),
        before.name,
        key="market_name",
        placeholder="City or region",
        max_chars=80,
        on_change=_keep_name,
    )
    return _terms(before._replace(market_id=_NEW, name=named.strip()), currency, unit)


def _keep_name() -> None:
    """Keep a name as it is typed: whatever was pressed next may draw a page without this field."""
    held = draft.draft()
    before = held.destination if held.destination is not None and not held.destination.market_id else _as_written(held)
    draft.aim(before._replace(market_id=_NEW, name=str(st.session_state["market_name"] or "").strip()))


def _terms(before: Destination, currency: DeltaGenerator, unit: DeltaGenerator) -> Destination:
    """Draw the currency and the unit of a market that has no sales yet, and return it with them."""
    units = list(_UNITS)
    usual = before.currency if before.currency in CURRENCIES else None
    lacking = "" if st.session_state.get("market_currency", usual) else "choose it first"
    return Destination(
        before.market_id,
        before.name,
        currency.selectbox(
            asked_for("Currency of its prices", "onward", lacking),
            CURRENCIES,
            CURRENCIES.index(usual) if usual else None,
            key="market_currency",
            placeholder="The files do not say: choose",
            help="As the prices are written, where they say so. Type a code to find it.",
        )
        or "",
        unit.selectbox(
            "Areas shown in", units, units.index(before.area_unit), format_func=_UNITS.__getitem__, key="market_unit"
        ),
    )
