"""Whether the model is good enough: the headline figures with their verdicts, and the ratio study."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.evaluate.accuracy import Figure
from core.evaluate.evaluation_report import MARKET_WIDE
from core.evaluate.headline import Headline, Line, Rival, headline, unpriced_words
from core.evaluate.ratio import Judged, RatioStudy, judged, ratio_by_segment, ratio_study
from core.evaluate.scored_sales import ScoredSales
from core.evaluate.segmentation import Segmentation, available
from core.evaluate.targets import Verdict
from core.problem import Problem
from core.wording import bound, count
from pages.kit.figures import (
    FEW,
    Write,
    boxes,
    card,
    csv,
    frame,
    lean,
    missing,
    number,
    share,
    wanted,
    with_ends,
)
from pages.kit.palette import GOOD, NEUTRAL
from pages.kit.text import plain
from pages.views.evaluation.selection import SALES_OF, Selection, compute_once

_RATIO_DIGITS: Final = {"median": 3, "cod": 1, "prd": 3, "prb": 3}
_NOBODY: Final = (
    "The desk would have priced none of these sales, so there is nothing to measure. Choose all test sales."
)


def draw(selection: Selection) -> None:
    """Draw the headline: each figure with its target, and the model compared with its rivals."""
    found = compute_once(selection, "headline", headline)
    if found is None:
        missing(_NOBODY)
        return
    with st.container(border=True):
        st.header("Is it good enough?", anchor=False)
        _sum_up(found, SALES_OF[selection.period])
        with boxes("headline"):
            for line in found.lines:
                write = _writing(line)
                target = wanted(line.target, _set(line)) if line.target else ""
                card(line.label, line.figure, write, target, line.verdict)
        unpriced = compute_once(selection, "unpriced", lambda scored, _: unpriced_words(scored))
        if unpriced:
            st.caption(plain(unpriced))
        csv(_table(found), "headline", selection)
    _rivals(selection, found)


def draw_ratio(selection: Selection) -> None:
    """Draw the ratio study of all sales and, on request, by segment."""
    if selection.scored.priced.empty:
        missing(_NOBODY)
        return
    study = compute_once(selection, "ratio", _study)
    with st.container(border=True):
        st.header("Ratio study", anchor=False)
        st.caption(
            "Untrimmed ratios of estimate to sale price, judged by the limits of the IAAO Standard on Ratio Studies "
            "(2013) for a whole market of old and new homes. A COD of 10 means that ratios are 10% off their median on "
            "average. A PRD over 1.03, or a PRB below −0.05, means that expensive homes are under-predicted compared "
            "with cheap ones."
        )
        with boxes("ratio"):
            lines = judged(study, MARKET_WIDE, selection.problem.estimate.small_sample_n)
            for one in lines:
                write = number(_RATIO_DIGITS[one.name])
                card(one.label, one.figure, write, wanted(one.target, write), one.verdict)
        csv(_ratio_table(lines), "ratio-study", selection)
    _ratio_segments(selection)


def _study(scored: ScoredSales, _: Problem) -> RatioStudy:
    table = scored.priced
    return ratio_study(table["estimate"].to_numpy(), table["sale_price"].to_numpy(), scored.terms.seed)


def _sum_up(found: Headline, sales: str) -> None:
    judgements = [line.verdict for line in found.lines if line.verdict is not Verdict.NO_TARGET]
    failed, unsure = judgements.count(Verdict.FAIL), judgements.count(Verdict.INCONCLUSIVE)
    met = len(judgements) - failed - unsure
    words = f"{met} of {count(len(judgements), 'target')} met"
    words += f", {failed} missed" if failed else ""
    words += f", {unsure} inconclusive with too few sales" if unsure else ""
    st.markdown(f"**On {sales}: {plain(words)}.** The 95% interval is below each figure; n is the number of sales.")


def _writing(line: Line) -> Write:
    if line.name == "bias":
        return lean
    return number(3) if line.name == "r_squared" else share


def _set(line: Line) -> Write:
    """Return how a target is written: a share with no more digits than it has."""
    written = _writing(line)
    if written is lean:
        return lambda value: f"+{bound(value)}" if value > 0 else bound(value)
    return bound if written is share else written


def _rivals(selection: Selection, found: Headline) -> None:
    with st.container(border=True):
        st.header("Closer than others?", anchor=False)
        st.caption("Mean error on the same sales, with the 95% interval of the difference in parentheses.")
        if not found.rivals:
            missing("Neither a linear baseline nor a list price is known for these sales.")
            return
        with st.container(horizontal=True, gap="small"):
            for rival in found.rivals:
                _rival(rival)
        if all(rival.name != "list price" for rival in found.rivals):
            st.caption("No list price is on record for these sales; map one at upload to compare with it.")
        csv(_rival_table(found), "rivals", selection)


def _rival(rival: Rival) -> None:
    with st.container(border=True, width=340, gap="xxsmall"):
        st.markdown(f"Compared with the {plain(rival.name)}")
        st.markdown(f"**{plain(share(rival.ours))}** versus {plain(share(rival.theirs))}")
        apart = f"{rival.apart[:1].upper()}{rival.apart[1:]}"
        st.caption(plain(f"{apart}; n\u00a0=\u00a0{rival.saved.n:,}"))
        _closer(rival)


def _closer(rival: Rival) -> None:
    """Say who is closer; a rival is no target, so there is nothing to fail."""
    words = {
        Verdict.PASS: ("The model is closer", ":material/check_circle:", GOOD),
        Verdict.FAIL: (f"The {rival.name} is still closer", ":material/info:", NEUTRAL),
        Verdict.INCONCLUSIVE: ("No clear difference", ":material/help:", NEUTRAL),
    }
    if rival.verdict in words:
        word, icon, colour = words[rival.verdict]
        st.badge(plain(word), icon=icon, color=colour)  # type: ignore[arg-type]


def _ratio_segments(selection: Selection) -> None:
    with st.container(border=True):
        st.header("By segment", anchor=False)
        ways = compute_once(selection, "available", available)
        if not ways:
            missing("The data has no fact that divides these sales into two segments or more.")
            return
        by = st.selectbox(
            "Divide the study by",
            [way.value for way in ways],
            None,
            format_func=str.capitalize,
            key="ratio_by",
            placeholder="Choose what to divide by",
            bind="query-params",
            width=340,
        )
        if by is None or by not in ways:
            return
        way = Segmentation(by)
        table = compute_once(
            selection, f"ratio by {way}", lambda scored, problem: ratio_by_segment(scored, way, MARKET_WIDE, problem)
        )
        _draw_ratio_table(table, way)
        csv(table, f"ratio-by-{way.value.replace(' ', '-')}", selection)


def _draw_ratio_table(table: pd.DataFrame, by: Segmentation) -> None:
    shown = pd.DataFrame({"Segment": table[by.value].astype("str"), "Sales": table["n"]})
    shown["Note"] = table["thin"].map({True: FEW, False: ""})
    for name, digits in _RATIO_DIGITS.items():
        head = "Median ratio" if name == "median" else name.upper()
        shown[head] = with_ends(table, name, digits, 1.0)
        shown[f"{head} is"] = table[f"{name}_verdict"]
    frame(shown, "ratio_segments", 3)


def _row(label: str, figure: Figure, target: str, judgement: str) -> dict[str, object]:
    return {
        "figure": label,
        "value": figure.value,
        "low_95": figure.low,
        "high_95": figure.high,
        "n": figure.n,
        "target": target,
        "verdict": judgement,
    }


def _table(found: Headline) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row(line.label, line.figure, wanted(line.target, bound) if line.target else "", line.verdict.value)
            for line in found.lines
        ]
    )


def _rival_table(found: Headline) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"ours": rival.ours, "theirs": rival.theirs, **_row(rival.name, rival.saved, "above 0", rival.verdict)}
            for rival in found.rivals
        ]
    )


def _ratio_table(lines: tuple[Judged, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row(one.label, one.figure, wanted(one.target, number(_RATIO_DIGITS[one.name])), one.verdict.value)
            for one in lines
        ]
    )
