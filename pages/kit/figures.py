"""How the evaluation page writes figures, targets and verdicts, and offers its tables as files."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import spreadsheet
from core.evaluate.accuracy import Figure
from core.evaluate.targets import Target, Verdict
from core.schema import keeping_names
from core.states import Stage
from core.wording import MISSING, percent, signed_percent
from pages.kit.palette import BAD, GOOD, NEUTRAL, Tone
from pages.kit.text import plain

STAGES: Final = {
    Stage.CHAMPION: "live",
    Stage.CANDIDATE: "candidate",
    Stage.CHALLENGER: "challenger",
    Stage.RETIRED: "retired",
    Stage.REJECTED: "rejected",
}
"""A model's stage in words."""

Write = Callable[[float], str]
Badge = tuple[str, str, Tone]
"""A word with its icon and color."""

FEW: Final = "few sales"
# Rows with a checkbox are tall enough for a thumb (WCAG 2.2, 2.5.5).
TICKED_ROW: Final = 44
PAGE: Final = 970
"""The width of a table at a desk of 1440 pixels, in pixels."""
TICKS: Final = 48
"""The width of the boxes before its rows, and of the bar that scrolls them."""
READ_MAX: Final = 60
"""A table with more rows can be sorted and searched, and cuts long texts."""
_WHOLE_ROWS: Final = 20
_SHORT: Final = 22
# Spaces and hyphens at which no line ends; one may end after a comma and before an interval.
_JOINT: Final = re.compile(r"(?<!,) (?!\()|-")
_JOINED: Final = {" ": "\u00a0", "-": "\u2011"}
# The height of a longer table in pixels, in which its rows scroll.
_TALL: Final = 560
_NOTE_WIDTH: Final = 92
# What a cell keeps free on both sides, and what a digit takes, in pixels.
_PADDING: Final = 20
_LETTER: Final = 6.6
_NAME_LEAST: Final = 120
# api/static/dashboard.css lays them out.
_BOXES: Final = "boxes_"
_FIELDS: Final = "fields_"
_TABLE: Final = "table_"
_LONG_TABLE: Final = "longtable_"
# A phone is filled by this many rows.
_LONG: Final = 4
# Icon and word repeat the meaning of the color.
_BADGES: Final[dict[Verdict, tuple[str, str, Tone]]] = {
    Verdict.PASS: ("Pass", ":material/check_circle:", GOOD),
    Verdict.FAIL: ("Fail", ":material/cancel:", BAD),
    Verdict.INCONCLUSIVE: ("Inconclusive", ":material/help:", NEUTRAL),
}


def share(value: float) -> str:
    """Write a share with one digit: "8.4%"."""
    return percent(value, 1)


def lean(value: float) -> str:
    """Write a signed share with one digit: "+3.1%"."""
    return signed_percent(value, 1)


def number(digits: int) -> Write:
    """Return a writer of plain numbers with that many digits and a true minus sign."""
    return lambda value: MISSING if math.isnan(value) else f"{value:z.{digits}f}".replace("-", "−")


def between(low: float, high: float, write: Write) -> str:
    """Write an interval, "8.0% to 8.6%", or "too few for an interval"."""
    return f"{write(low)} to {write(high)}" if math.isfinite(low) and math.isfinite(high) else "too few for an interval"


def with_ends(table: pd.DataFrame, name: str, digits: int = 1, scale: float = 100.0) -> list[str]:
    """Write a column with its intervals from ``<name>_low`` and ``<name>_high``; shares become percent."""
    columns = (scale * table[one] for one in (name, f"{name}_low", f"{name}_high"))
    return [in_cell(value, low, high, digits) for value, low, high in zip(*columns, strict=True)]


def in_cell(value: float, low: float, high: float, digits: int = 1) -> str:
    """Write a figure with its interval in one cell: "6.5 (6.2-6.9)", or "to" between ends below 0."""
    write = number(digits)
    if math.isnan(value) or not math.isfinite(low + high):
        return write(value)
    dash = " to " if low < 0 else "-"
    return f"{write(value)} ({write(low)}{dash}{write(high)})"


def wanted(target: Target, write: Write) -> str:
    """Write a target: "at most 10%", "0.98 to 1.03"."""
    if math.isinf(target.low):
        return f"at most {write(target.high)}"
    if math.isinf(target.high):
        return f"at least {write(target.low)}"
    return f"{write(target.low)} to {write(target.high)}"


def verdict(selection: Verdict) -> None:
    """Draw a verdict as word, icon and color, or nothing if there is no target."""
    if selection in _BADGES:
        word, icon, colour = _BADGES[selection]
        st.badge(word, icon=icon, color=colour)


def boxes(name: str) -> DeltaGenerator:
    """Return a container of equally tall boxes that fill each line of the page, two per line on a phone."""
    return st.container(key=f"{_BOXES}{name}", gap="small")


def fields(name: str) -> DeltaGenerator:
    """Return a container of labeled fields in a line, which keeps their place until they have come."""
    return st.container(key=f"{_FIELDS}{name}", horizontal=True, gap="small", vertical_alignment="bottom")


def box() -> DeltaGenerator:
    """Return one box among ``boxes``."""
    return st.container(border=True, gap="xxsmall")


def card(
    label: str,
    figure: Figure,
    write: Write,
    target: str = "",
    judged: Verdict = Verdict.NO_TARGET,
    state: Badge | None = None,
) -> None:
    """Draw one figure in a box: its value, interval, number of sales, target and verdict.

    ``state``, a word with its icon and color, stands in place of a verdict.
    """
    with box():
        st.metric(label, write(figure.value))
        interval = between(figure.low, figure.high, write)
        st.caption(f"{plain(interval)}  \n{plain(f'n = {figure.n:,}')}")
        if target:
            st.caption(f"Target:  \n{plain(target)}")
        verdict(judged)
        if state is not None:
            word, icon, tone = state
            st.badge(word, icon=icon, color=tone)


def missing(sentence: str) -> None:
    """Say what cannot be shown and why, instead of an empty chart; ``sentence`` is plain text."""
    st.info(plain(sentence), icon=":material/info:")


def frame(table: pd.DataFrame, key: str, digits: int = 1, write: Mapping[str, Write] = MappingProxyType({})) -> None:
    """Draw a table for reading, whose cells wrap; on a phone each row is a card (api/static/dashboard.css).

    Fractions have ``digits`` digits unless the column has its own ``write``, and unknown values are a dash.
    """
    shown = without_blank(table).reset_index(drop=True)
    if len(shown) > READ_MAX:
        _sortable(shown, key, digits)
        return
    written: dict[Any, Callable[[Any], str]] = {
        str(name): write.get(str(name)) or _writer(shown[name], digits) for name in shown
    }
    with st.container(key=f"{_TABLE if len(shown) < _LONG else _LONG_TABLE}{key}"):
        st.table(
            shown.style.format(written),  # type: ignore[arg-type]
            hide_index=True,
            border="horizontal",
            height="content" if len(shown) <= _WHOLE_ROWS else _TALL,
        )


def _sortable(shown: pd.DataFrame, key: str, digits: int) -> None:
    """Draw a table too long to read as a whole, which can be sorted and searched; its first column stays in sight."""
    first = str(shown.columns[0])
    st.dataframe(
        shown,
        hide_index=True,
        column_config={first: st.column_config.Column(pinned=True), **formats(shown, digits)},
        placeholder=MISSING,
        key=key,
    )


def _writer(column: pd.Series, digits: int) -> Callable[[Any], str]:
    kinds = pd.api.types
    if kinds.is_float_dtype(column):
        return number(digits)
    if kinds.is_integer_dtype(column):
        return lambda value: MISSING if pd.isna(value) else f"{value:,}".replace("-", "−")
    return lambda value: MISSING if pd.isna(value) else plain(_unbroken(str(value)))


def _unbroken(text: str) -> str:
    """Keep what is read as one in one line: a figure, its interval, a day, a time."""
    return _JOINT.sub(lambda joint: _JOINED[joint.group()], text) if len(text) <= _SHORT else text


def widths(table: pd.DataFrame, least: Mapping[str, int], page: int = PAGE) -> dict[str, int]:
    """Return the width in pixels of each column of a table that is ``page`` wide at a desk.

    Those in ``least`` show each of their texts whole, and are at least so wide; the others share what is left, or get
    ``_NAME_LEAST`` each, and the table then scrolls.
    """
    names = [*map(str, table.columns)]
    found = {name: max(least[name], _fitting(table[name])) for name in names if name in least}
    rest = (page - sum(found.values())) // max(len(names) - len(found), 1)
    return {name: found.get(name, max(rest, _NAME_LEAST)) for name in names}


def _fitting(column: pd.Series) -> int:
    longest = max((len(one) for one in column if isinstance(one, str)), default=0)
    return _PADDING + math.ceil(longest * _LETTER)


def formats(table: pd.DataFrame, digits: int = 1) -> dict[str, Any]:
    """Return the column formats: fractions with ``digits`` digits, whole numbers with thousands separators."""
    column, kinds = st.column_config.NumberColumn, pd.api.types
    fractions = {str(name): column(format=f"%.{digits}f") for name in table if kinds.is_float_dtype(table[name])}
    note = {"Note": st.column_config.TextColumn(width=_NOTE_WIDTH)}
    return (
        note
        | fractions
        | {str(name): column(format="localized") for name in table if kinds.is_integer_dtype(table[name])}
    )


def without_blank(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table without the notes column if all notes are blank."""
    return table.drop(columns="Note") if "Note" in table and not table["Note"].ne("").any() else table


class FileNamer(Protocol):
    """A page's selection: names of files with its figures begin with ``file_stem``."""

    @property
    def file_stem(self) -> str:
        """The beginning of a file's name."""
        ...


def csv(
    table: pd.DataFrame | Callable[[], pd.DataFrame], name: str, selection: FileNamer, label: str = "Download as CSV"
) -> None:
    """Offer a table, or a function that makes it on request, as CSV; ``name`` distinguishes the model's files."""
    st.download_button(
        label,
        keeping_names(lambda: spreadsheet.to_csv(table() if callable(table) else table)),
        f"{selection.file_stem}-{name}.csv",
        "text/csv",
        key=f"csv_{name}",
        icon=":material/download:",
        on_click="ignore",
    )
