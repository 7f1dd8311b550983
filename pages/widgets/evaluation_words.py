"""How the evaluation page writes figures, targets and verdicts, and offers what it shows as a file."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Literal

import pandas as pd
import streamlit as st

from core.evaluate.accuracy import Figure
from core.evaluate.verdict import Target, Verdict
from core.wording import MISSING, percent, signed_percent
from pages.widgets import safe_csv
from pages.widgets.evaluation_source import Seen, source
from pages.widgets.markdown import plain

Write = Callable[[float], str]
Colour = Literal["blue", "orange", "gray"]

CONFIG: Final = {"displayModeBar": False, "scrollZoom": False, "responsive": True}
FEW: Final = "few sales"
# Two stand side by side on a phone.
CARD_WIDTH: Final = 155
_WHOLE_ROWS: Final = 14
# Blue and orange are told apart with any colour vision; icon and word say the same.
_BADGES: Final[dict[Verdict, tuple[str, str, Colour]]] = {
    Verdict.PASS: ("Pass", ":material/check_circle:", "blue"),
    Verdict.FAIL: ("Fail", ":material/cancel:", "orange"),
    Verdict.INCONCLUSIVE: ("Inconclusive", ":material/help:", "gray"),
}


def share(value: float) -> str:
    """Write a share with one digit: "8.4%"."""
    return percent(value, 1)


def lean(value: float) -> str:
    """Write a signed share with one digit: "+3.1%"."""
    return signed_percent(value, 1)


def number(digits: int) -> Write:
    """Return how to write a plain number with so many digits, with a true minus."""
    return lambda value: MISSING if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def between(low: float, high: float, write: Write) -> str:
    """Write an interval, "8.0% to 8.6%", or that there are too few sales for one."""
    return f"{write(low)} to {write(high)}" if math.isfinite(low) and math.isfinite(high) else "too few for an interval"


def ends(table: pd.DataFrame, name: str, digits: int = 1, scale: float = 100.0) -> list[str]:
    """Write the intervals of a column, which stand in ``<name>_low`` and ``<name>_high``; shares become percent."""
    pairs = zip(scale * table[f"{name}_low"], scale * table[f"{name}_high"], strict=True)
    write = number(digits)
    return [f"{write(low)} to {write(high)}" if math.isfinite(low) else MISSING for low, high in pairs]


def wanted(target: Target, write: Write) -> str:
    """Write a target: "at most 10%", "0.98 to 1.03"."""
    if math.isinf(target.low):
        return f"at most {write(target.high)}"
    if math.isinf(target.high):
        return f"at least {write(target.low)}"
    return f"{write(target.low)} to {write(target.high)}"


def verdict(of: Verdict) -> None:
    """Draw a verdict as word, icon and colour; nothing where there is no target."""
    if of in _BADGES:
        word, icon, colour = _BADGES[of]
        st.badge(word, icon=icon, color=colour)


def card(label: str, figure: Figure, write: Write, target: str = "", judged: Verdict = Verdict.NO_TARGET) -> None:
    """Draw one figure in a box: its value, interval, number of sales, and what it should be with the verdict."""
    with st.container(border=True, width=CARD_WIDTH, gap="xxsmall"):
        st.markdown(plain(label))
        st.markdown(f"### {plain(write(figure.value))}")
        interval = between(figure.low, figure.high, write)
        st.caption(f"{plain(interval)}  \n{plain(f'n = {figure.n:,}')}")
        if target:
            st.caption(f"Target:  \n{plain(target)}")
        verdict(judged)


def origin(of: Seen) -> None:
    """Draw which model, data version and split the part's figures come from."""
    st.caption(source(of))


def missing(sentence: str) -> None:
    """Say what cannot be shown and why, in place of an empty chart; ``sentence`` is plain text."""
    st.info(plain(sentence), icon=":material/info:")


def frame(table: pd.DataFrame, key: str, digits: int = 1) -> None:
    """Draw a table that can be sorted, its fractions with so many digits and what is not known as a dash."""
    fractions = [str(name) for name in table if pd.api.types.is_float_dtype(table[name])]
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) < _WHOLE_ROWS else "auto",
        column_config={name: st.column_config.NumberColumn(format=f"%.{digits}f") for name in fractions},
        placeholder=MISSING,
        key=key,
    )


def csv(table: pd.DataFrame, name: str, of: Seen, label: str = "Download as CSV") -> None:
    """Offer a table as CSV; ``name`` tells the file from others of the model."""
    st.download_button(
        label,
        lambda: safe_csv.to_csv(table),
        f"{of.file_stem}-{name}.csv",
        "text/csv",
        key=f"csv_{name}",
        icon=":material/download:",
        on_click="ignore",
    )
