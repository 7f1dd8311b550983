"""The audit trail on screen, with filters by action, actor, subject and day, and a download."""

from __future__ import annotations

from datetime import date
from typing import Final

import pandas as pd
import streamlit as st

from core import spreadsheet
from core.store.base.audit import Wanted
from core.wording import count, day_form
from core.workflows.monitoring.audit import WORDS, export_trail, trail_names, trail_of
from core.workflows.monitoring.audit_words import action_words, by_words
from pages.kit.choice import FIRST_DAY, LAST_DAY
from pages.kit.figures import fields, frame, missing
from pages.kit.text import plain
from pages.views.monitoring.selection import Selection
from pages.views.monitoring.words import when

_SHOWN: Final = 50


def draw(selection: Selection) -> None:
    """Draw the filters, the entries and their download."""
    with st.container(border=True):
        st.header("Audit trail", anchor=False)
        wanted = _wanted(selection)
        found = trail_of(selection.workspace, selection.market.market_id, wanted, _SHOWN)
        if not found.n:
            missing("No entry matches. Widen the filters: if all are empty, every entry is shown.")
            return
        shown = len(found.entries)
        newest = f"; the newest {shown} are shown, the file has all" if shown < found.n else ""
        st.markdown(f"**{plain(count(found.n, 'entry', 'entries'))}**{plain(newest)}.")
        entries = found.entries
        table = pd.DataFrame(
            {
                "When": [when(selection, one) for one in entries["at"]],
                "By": [by_words(str(one.actor), str(one.role)) for one in entries.itertuples()],
                "What": [action_words(str(one)) for one in entries["action"]],
                "Of": entries["of"],
                "Details": entries["words"],
            }
        )
        frame(table, "trail")
        st.download_button(
            "Download as CSV",
            lambda: spreadsheet.to_csv(
                export_trail(selection.workspace, selection.market.market_id, wanted).drop(columns=list(WORDS))
            ),
            f"{selection.market.market_id}-audit-trail.csv",
            "text/csv",
            key="csv_trail",
            icon=":material/download:",
            on_click="ignore",
        )


def _wanted(selection: Selection) -> Wanted:
    form = day_form(selection.market.currency)
    names = trail_names(selection.workspace, selection.market.market_id)
    with fields("trail"):
        actions = st.multiselect(
            "What", names.actions, format_func=action_words, key="action", bind="query-params", width=320
        )
        actors = st.multiselect("By", names.actors, key="actor", bind="query-params", width=260)
        subject = st.text_input("Of, contains", key="subject", bind="query-params", width=200)
        since = _day("From", "from_day", form)
        until = _day("To", "to_day", form)
    return Wanted(tuple(actions), tuple(actors), subject.strip(), since, until)


def _day(label: str, key: str, form: str) -> date | None:
    chosen = st.date_input(label, None, FIRST_DAY, LAST_DAY, key=key, bind="query-params", width=160, format=form)
    return chosen if isinstance(chosen, date) else None
