"""A model's card on screen: test figures, leaderboard, importance of facts, origin."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.evaluate.accuracy import Figure
from core.evaluate.card.headline import headline_of
from core.evaluate.card.words import settings_words
from core.schema import is_extra, label_of
from core.store import Market, ModelRecord, Store
from core.wording import count, market_day, market_instant, percent, signed_percent
from core.workflows.models.retraining import refitted_words, window_words
from core.workflows.models.waiting import stage_word
from core.workflows.promotion import became
from pages.kit.charts import layout, plot
from pages.kit.figures import Write, frame, number
from pages.kit.palette import Palette
from pages.kit.text import plain

_FACTS_SHOWN: Final = 12
_BIAS: Final = "Bias"
_WRITTEN: Final[dict[str, Write]] = {
    **dict.fromkeys(("Validation MAPE", "Training MAPE", "Within 10%"), lambda value: f"{value:.2f}%"),
    **dict.fromkeys(("Fit, s", "One estimate, ms", "Size, MB"), number(1)),
}


def listing(store: Store, market: Market, records: list[ModelRecord], waits: tuple[ModelRecord, ...]) -> pd.DataFrame:
    """Return one row per model with its test figures as text, and what became of a challenger nobody decided on."""
    return pd.DataFrame(
        [
            {
                "Model": record.model_id,
                "Stage": ", ".join(filter(None, (stage_word(record, waits), became(store, market, record)))),
                "Family": record.card["family"],
                "Test error (MAPE)": with_interval(headline_of(record.card)["mape"]),
                "Within 10%": with_interval(headline_of(record.card)["ppe10"], 0),
                "Range held": with_interval(headline_of(record.card)["coverage"], 0),
                "Test sales priced": headline_of(record.card)["mape"].n,
                "Split": record.card["split"],
                "Created": market_instant(record.created_at, market.currency),
            }
            for record in records
        ]
    )


def with_interval(figure: Figure, digits: int = 1) -> str:
    """Write a figure with its 95% interval: "8.3% (8.0% to 8.6%)"."""
    low, high = percent(figure.low, digits), percent(figure.high, digits)
    return f"{percent(figure.value, digits)} ({low} to {high})"


def scores(lines: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the lines of a leaderboard or search as a table of numbers in the headers' units."""
    return pd.DataFrame(
        [
            {
                "Family": line["family"],
                "Validation MAPE": line["mape"] * 100,
                "Training MAPE": line["train_mape"] * 100,
                "Within 10%": line["ppe10"] * 100,
                "Fit, s": line["fit_seconds"],
                "One estimate, ms": line["latency_ms"],
                "Size, MB": line["size_bytes"] / 1e6,
                "Fitted on": line["trained_rows"],
                "Settings": settings_words(line["settings"]),
            }
            for line in lines
        ]
    )


def draw(record: ModelRecord, colours: Palette, currency: str) -> None:
    """Draw the card; the search of forests is on the page Evaluation, under the hood."""
    card = record.card
    _figures(card)
    st.markdown("**Leaderboard**")
    st.caption(plain(refitted_words(record)))
    draw_scores(scores(card["leaderboard"]), "leaderboard")
    st.markdown("**What each fact contributes**")
    st.caption("How much the error rises when the fact is shuffled, on sales the model had not seen.")
    plot(
        importance_chart(card["importance"], colours),
        key=f"importance_{record.model_id}",
        alt="Bar chart: rise of the error when each fact is shuffled among sales the model had not seen",
    )
    st.markdown("**How it was made**")
    frame(origin(record, currency), "origin")


def origin(record: ModelRecord, currency: str) -> pd.DataFrame:
    """Return the model's origin as pairs of text, enough to reproduce it."""
    card = record.card
    libraries = ", ".join(f"{name} {version}" for name, version in card["libraries"].items())
    first, last = (market_day(pd.Timestamp(card[end]), currency) for end in ("first_sale", "last_sale"))
    rows = [
        ("Model", f"{card['family']}, {settings_words(card['settings'])}"),
        ("Data version", card["data_version"]),
        ("Training sales", f"{count(card['sales'], 'sale')}, {first} to {last}"),
        ("Training window", window_words(card.get("window_months"), card.get("half_life_days"))),
        ("Split", f"{card['split']}, seed {card['seed']}"),
        ("Code version", card["code_version"]),
        ("Libraries", libraries),
        ("Bundle", f"{record.size_bytes / 1e6:,.1f} MB, SHA-256 {record.sha256}"),
        ("Trained by", f"{record.created_by}, {market_instant(record.created_at, currency)}"),
    ]
    return pd.DataFrame(rows, columns=["What", "Value"])


def importance_chart(lines: list[dict[str, Any]], colours: Palette) -> go.Figure:
    """Return a bar for each of the most important facts, largest on top."""
    shown = [line for line in lines if line["rise"] > 0][:_FACTS_SHOWN][::-1]
    rises = [line["rise"] * 100 for line in shown]
    bars = go.Bar(
        x=rises,
        y=[label_of(str(line["fact"])) if is_extra(str(line["fact"])) else line["label"] for line in shown],
        orientation="h",
        marker_color=colours.more,
        text=[f"+{rise:.1f}" for rise in rises],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: error +%{x:.2f} points<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_layout(**layout(60 + 28 * max(len(shown), 3), right=36))
    figure.update_xaxes(title="Rise of the error, points")
    figure.update_yaxes(showgrid=False)
    return figure


def _figures(card: dict[str, Any]) -> None:
    test = headline_of(card)
    shown = {
        "Mean error (MAPE)": test["mape"],
        "Median error": test["mdape"],
        "Within 10%": test["ppe10"],
        _BIAS: test["bias"],
        f"{percent(test.level)} range held": test["coverage"],
        "Width of the range": test["width"],
    }
    st.caption(f"Sealed test, opened once: {test.words}. The 95% interval is below each figure.")
    with st.container(horizontal=True, gap="small"):
        for name, figure in shown.items():
            with st.container(width=116, gap=None):
                written = signed_percent if name == _BIAS else percent
                st.metric(name, written(figure.value, 1))
                st.caption(f"{written(figure.low, 1)} to {written(figure.high, 1)}")


def draw_scores(table: pd.DataFrame, name: str) -> None:
    """Draw the lines of a leaderboard or search; ``name`` is no other table's on the page."""
    frame(table, name, write=_WRITTEN)
    if table["Fitted on"].nunique() > 1:
        st.caption(
            "Those fitted on fewer sales save time and memory; on all of them their error would be somewhat lower."
        )
