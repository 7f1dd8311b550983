"""The contents of a model card, part by part, before it is written as Markdown or HTML."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from core.evaluate.accuracy import Figure
from core.evaluate.agent_decisions import AgentDecisions
from core.evaluate.behavior.overfitting import FitCheck
from core.evaluate.behavior.trade_off import forest_sizes_of, trade_off
from core.evaluate.card.blocks import Bar, Block, Curve, Section, Signature, Table, Words
from core.evaluate.card.words import limit, plain, settings_words, share, signed, target
from core.evaluate.edge_cases import flagged_by
from core.evaluate.evaluation_report import EvaluationReport
from core.evaluate.headline import Rival
from core.evaluate.segmentation import Segmentation
from core.evaluate.targets import Verdict
from core.train.curve import CurvePoint, more_data_helps
from core.wording import MISSING, count, market_day, percent, signed_percent

_SPLITS: Final = {
    "random": "sealed test sales drawn at random",
    "time": "the latest sales, priced month by month using only earlier sales",
    "later": "sales made after the model was trained, priced month by month using only earlier sales",
}
_SEGMENTS: Final = (Segmentation.PRICE_BAND, Segmentation.PROPERTY_TYPE, Segmentation.CONFIDENCE)
_AREAS: Final = (Segmentation.NEIGHBOURHOOD, Segmentation.ZIPCODE)
_WORST_SHOWN: Final = 10
_MANY: Final = 60
_IMPORTANT_SHOWN: Final = 10
_REASONS_SHOWN: Final = 8


@dataclass(frozen=True)
class CardSubject:
    """The model the card describes: market name, model id, stage, and the registry's card (``Bundle.card``).

    ``decision`` is the signed scope in words, "" if none was signed; ``proposal`` names the scope its test proposes.
    """

    market: str
    model_id: str
    stage: str
    card: Mapping[str, Any]
    decision: str
    proposal: str = "The evidence proposes"


@dataclass(frozen=True)
class Extent:
    """How many figures a card holds: all segmentations or only a short card's, and areas by bias."""

    segmentations: tuple[Segmentation, ...] = field(default=_SEGMENTS)
    areas: int = 0


SHORT: Final = Extent()
FULL: Final = Extent(tuple(one for one in Segmentation if one not in _AREAS), 20)


def title_of(subject: CardSubject) -> str:
    """Return the heading of the card."""
    return f"Model card: {subject.market}, model {subject.model_id}"


def identity(subject: CardSubject, report: EvaluationReport) -> tuple[str, ...]:
    """Return what the card describes, as statements: kind, data, split, code."""
    card, terms = subject.card, report.terms
    first, last = (_sold(card, end) for end in ("first_sale", "last_sale"))
    return (
        f"Stage: {subject.stage}",
        f"Kind: {card['family']} ({settings_words(card['settings'])})",
        f"Trained on {count(int(card['sales']), 'sale')} from {first} to {last}, "
        f"data version {card['data_version']}, seed {card['seed']}",
        f"Evaluated on {count(report.sales, 'sale')} from data version {terms.data_version}: "
        f"{_SPLITS.get(terms.split, terms.split)}",
        f"Code {card['code_version']}; prices in {terms.currency}",
        "Every figure has its 95% interval and the number of sales (n) behind it.",
    )


def _sold(card: Mapping[str, Any], end: str) -> str:
    return market_day(date.fromisoformat(str(card[end])), str(card.get("currency", "")))


def sections(
    subject: CardSubject,
    report: EvaluationReport,
    fit: FitCheck | None,
    agent_decisions: AgentDecisions | None,
    extent: Extent,
) -> tuple[Section, ...]:
    """Return the parts of the card in order; ``agent_decisions`` are left out if None."""
    parts = {
        "Scope": _scope(subject, report),
        "Headline": _headline(report),
        "Error by segment": _segments(report, extent),
        "Ratio study (IAAO Standard on Ratio Studies, 2013; untrimmed)": _ratio(report),
        "Bias": _bias(report, extent),
        "Confidence": _confidence(report),
        "Edge cases and review flags": _edge_cases(report),
        "Candidates": _candidates(subject, fit),
        "Learning curve": _curve(subject),
        "Forest size": _forest(subject),
        "What moves the estimate": _importance(subject),
        "What agents decided": _agent_decisions(agent_decisions),
    }
    found = (Section(title, tuple(blocks)) for title, blocks in parts.items())
    return tuple(one for one in found if one.blocks)


def _scope(subject: CardSubject, report: EvaluationReport) -> Iterator[Block]:
    yield Words(f"{subject.proposal}: {report.scope.words}")
    yield Signature(subject.decision)


def _headline(report: EvaluationReport) -> Iterator[Block]:
    yield Table(
        "",
        ("Figure", "Value", "n", "Target", "Verdict"),
        tuple(
            (
                one.label,
                _figure_words(one.name, one.figure),
                f"{one.figure.n:,}",
                target(one.target, percent),
                one.verdict,
            )
            for one in report.headline.lines
        ),
        texts=frozenset({"Figure", "Target", "Verdict"}),
    )
    for rival in report.headline.rivals:
        yield Words(
            f"Compared with the {rival.name} on the same {count(rival.saved.n, 'sale')}: mean error "
            f"{percent(rival.ours, 1)} versus {percent(rival.theirs, 1)}, {rival.apart}{_closer(rival)}."
        )


def _closer(rival: Rival) -> str:
    """Say who is closer, as the page does; a rival is no target, so there is nothing to fail."""
    words = {
        Verdict.PASS: ": the model is closer",
        Verdict.FAIL: f": the {rival.name} is still closer",
        Verdict.INCONCLUSIVE: ": no clear difference",
    }
    return words.get(rival.verdict, "")


def _figure_words(name: str, figure: Figure) -> str:
    """Write a headline figure as the page does: R² is a coefficient, a bias has a sign."""
    if name == "r_squared":
        return plain(figure, 3)
    return signed(figure) if name == "bias" else share(figure)


def _segments(report: EvaluationReport, extent: Extent) -> Iterator[Block]:
    for by in extent.segmentations:
        if by in report.segments:
            yield _whole_segmentation(by, report.segments[by])
    for by in _AREAS:
        if by in report.segments:
            table = report.segments[by]
            most = max(extent.areas, _WORST_SHOWN)
            known = table[~table["thin"]].sort_values("mape", ascending=False, kind="stable").head(most)
            if known.empty:
                yield Words(f"No {by} has enough sales to name the worst.")
            else:
                yield _segment_table(f"Worst by {by} (without small samples)", by, known)
            break


def _whole_segmentation(by: Segmentation, table: pd.DataFrame) -> Table:
    if len(table) <= _MANY:
        return _segment_table(f"By {by}", by, table)
    largest = np.sort(np.argsort(-table["n"].to_numpy(), kind="stable")[:_MANY])
    return _segment_table(f"By {by} (the {_MANY} largest of {len(table):,})", by, table.iloc[largest])


def _segment_table(title: str, by: Segmentation, table: pd.DataFrame) -> Table:
    lines = table.to_dict("records")
    return Table(
        title,
        ("Segment", "n", "MAPE", "Within 10%", "Bias", "Inside the range"),
        tuple(
            (
                f"{str(row[by.value]).replace('_', ' ')}{' (few sales)' if row['thin'] else ''}",
                f"{row['n']:,}",
                share(_cell(row, "mape")),
                share(_cell(row, "ppe10")),
                signed(_cell(row, "bias")),
                share(_cell(row, "coverage")),
            )
            for row in lines
        ),
        texts=frozenset({"Segment"}),
        bars=tuple(_bar(_cell(row, "mape")) for row in lines),
        bars_of="MAPE",
    )


def _cell(row: Mapping[Any, Any], name: str) -> Figure:
    return Figure(float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"]), int(row["n"]))


def _bar(figure: Figure) -> Bar:
    return Bar(figure.value, figure.low, figure.high)


def _ratio(report: EvaluationReport) -> Iterator[Block]:
    yield Table(
        "",
        ("Statistic", "Value", "n", "Standard", "Verdict"),
        tuple(
            (
                one.label,
                plain(one.figure, 1 if one.name == "cod" else 3),
                f"{one.figure.n:,}",
                target(one.target, limit),
                one.verdict,
            )
            for one in report.ratio_judged
        ),
        texts=frozenset({"Statistic", "Standard", "Verdict"}),
    )


def _bias(report: EvaluationReport, extent: Extent) -> Iterator[Block]:
    trend = report.trend
    if trend is None:
        yield Words("Too few areas have a known price trend to compare the error with it.")
    else:
        yield Words(f"{trend.finding} (slope {plain(trend.slope, 2)} over {count(trend.slope.n, 'area')})")
    if report.fairness:
        yield Table(
            "",
            ("Neighborhood column", "Rank correlation with the error", "Areas", "Finding"),
            tuple(
                (
                    one.label,
                    plain(one.correlation, 2),
                    f"{one.areas:,}",
                    "correlated" if one.found else "no correlation",
                )
                for one in report.fairness
            ),
            texts=frozenset({"Neighborhood column", "Finding"}),
        )
    known = report.areas[~report.areas["thin"].astype(bool)]
    if extent.areas and not known.empty:
        yield _area_table(known, extent.areas)


def _area_table(known: pd.DataFrame, most: int) -> Table:
    order = np.argsort(-known["bias"].abs().to_numpy(), kind="stable")[:most]
    lines = known.iloc[order].to_dict("records")
    return Table(
        "Areas with the most bias (without small samples; above zero is over-predicted)",
        ("Area", "n", "Bias", "Yearly price trend"),
        tuple(
            (str(row["area"]), f"{row['n']:,}", signed(_cell(row, "bias")), _trend(float(row["trend"])))
            for row in lines
        ),
        texts=frozenset({"Area"}),
        bars=tuple(_bar(_cell(row, "bias")) for row in lines),
        bars_of="Bias",
    )


def _trend(value: float) -> str:
    return signed_percent(value, 1) if math.isfinite(value) else MISSING


def _confidence(report: EvaluationReport) -> Iterator[Block]:
    yield Words(f"Expected calibration error {percent(report.calibration.error, 1)}.")
    bins = report.calibration.bins
    yield Table(
        "",
        ("Promised", "Came true", "n"),
        tuple((percent(one.promised), share(one.observed), f"{one.observed.n:,}") for one in bins),
        bars=tuple(_bar(one.observed) for one in bins),
        bars_of="Came true",
    )


def _edge_cases(report: EvaluationReport) -> Iterator[Block]:
    flags = report.flags
    shown = [one for one in report.edge_cases if one.n]
    yield Table(
        "",
        ("Set", "Meaning", "n", "MAPE", "Sent to review", "Not priced"),
        tuple(
            (
                f"{one.name}{' (few sales)' if one.thin else ''}",
                one.meaning,
                f"{one.n:,}",
                f"{share(one.mape)}{f', of {one.priced:,} priced' if one.priced < one.n else ''}",
                share(one.reviewed),
                share(one.withheld),
            )
            for one in shown
        ),
        texts=frozenset({"Set", "Meaning"}),
        bars=tuple(_bar(one.mape) for one in shown),
        bars_of="MAPE",
    )
    yield Words(
        f"Of {count(flags.misses, 'miss', 'misses')} over {percent(flags.over)}, {share(flags.recall)} had a "
        f"review flag. Of {count(flags.flagged, 'flagged estimate')}, {share(flags.precision)} were such "
        f"misses, compared with {share(flags.base)} of all. {flagged_by(report.terms)}"
    )


def _candidates(subject: CardSubject, fit: FitCheck | None) -> Iterator[Block]:
    yield Table(
        "",
        ("Family", "Settings", "Sales", "MAPE, training", "MAPE, validation", "One estimate", "Size"),
        tuple(
            (
                str(line["family"]),
                settings_words(str(line["settings"])),
                f"{int(line['trained_rows']):,}",
                percent(line["train_mape"], 1),
                percent(line["mape"], 1),
                f"{float(line['latency_ms']):.0f} ms",
                _megabytes(line["size_bytes"]),
            )
            for line in subject.card["leaderboard"]
        ),
        texts=frozenset({"Family", "Settings"}),
    )
    if fit is not None:
        yield Words(
            f"MAPE {percent(fit.train, 1)} on training, {percent(fit.validation, 1)} on validation and "
            f"{share(fit.test)} on test sales; test sets of this market were opened "
            f"{count(fit.opened, 'time')}. {fit.finding}"
        )


def _curve(subject: CardSubject) -> Iterator[Block]:
    points = tuple(CurvePoint(**point) for point in subject.card.get("curve", ()))
    gain = more_data_helps(points)
    if gain is None:
        return
    yield Words(
        f"When its sales last doubled, the validation error of the chosen candidate fell by {percent(gain, 2)} of the "
        "price."
        if gain > 0
        else "When its sales last doubled, the validation error of the chosen candidate did not fall."
    )
    yield Curve(points)
    yield Table(
        "",
        ("Share of the sales", "Sales", "MAPE, training", "MAPE, validation"),
        tuple(
            (percent(one.share), f"{one.rows:,}", percent(one.train_mape, 1), percent(one.mape, 1)) for one in points
        ),
    )


def _forest(subject: CardSubject) -> Iterator[Block]:
    sizes = forest_sizes_of(subject.card)
    if not sizes:
        return
    sentence = trade_off(sizes)
    if sentence:
        yield Words(sentence)
    yield Table(
        f"Depth {sizes[0].depth}, at least {count(sizes[0].leaf, 'sale')} per leaf; fitted on "
        f"{count(sizes[0].trained_rows, 'sale')}",
        ("Trees", "MAPE, validation", "One estimate", "Size", "Fit"),
        tuple(
            (
                f"{one.trees:,}",
                percent(one.mape, 2),
                f"{one.latency_ms:.0f} ms",
                _megabytes(one.size_bytes),
                f"{one.fit_seconds:.1f} s",
            )
            for one in sizes
        ),
        bars=tuple(Bar(one.size_bytes, math.nan, math.nan) for one in sizes),
        bars_of="Size",
    )


def _importance(subject: CardSubject) -> Iterator[Block]:
    lines = subject.card["importance"][:_IMPORTANT_SHOWN]
    yield Table(
        "",
        ("Fact", "Increase in mean error when shuffled"),
        tuple((str(one["label"]), signed_percent(one["rise"], 1)) for one in lines),
        texts=frozenset({"Fact"}),
        bars=tuple(Bar(float(one["rise"]), math.nan, math.nan) for one in lines),
        bars_of="Increase in mean error when shuffled",
    )


def _agent_decisions(agent_decisions: AgentDecisions | None) -> Iterator[Block]:
    if agent_decisions is None:
        return
    yield Words(agent_decisions.finding)
    if not agent_decisions.decided:
        return
    yield Table(
        "",
        ("Decision", "n", "Share of those decided on"),
        tuple((one.label, f"{one.n:,}", share(one.share)) for one in agent_decisions.kinds),
        texts=frozenset({"Decision"}),
        bars=tuple(_bar(one.share) for one in agent_decisions.kinds),
        bars_of="Share of those decided on",
    )
    if agent_decisions.reasons:
        yield Table(
            "Why agents changed the price",
            ("Reason", "n", "Share of those changed"),
            tuple((one.label, f"{one.n:,}", share(one.share)) for one in agent_decisions.reasons[:_REASONS_SHOWN]),
            texts=frozenset({"Reason"}),
            bars=tuple(_bar(one.share) for one in agent_decisions.reasons[:_REASONS_SHOWN]),
            bars_of="Share of those changed",
        )
    if agent_decisions.departure.n:
        yield Words(
            f"Changed prices differed from the estimate by {signed(agent_decisions.departure)} on average; the average "
            f"difference in either direction was {share(agent_decisions.size)}."
        )


def _megabytes(size: float) -> str:
    return f"{float(size) / 1e6:.1f} MB"
