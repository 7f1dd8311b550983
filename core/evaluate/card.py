"""The model card: the evaluation of a model as one Markdown document to download, print and sign."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from core.evaluate.accuracy import Figure
from core.evaluate.appraisal import Appraisal
from core.evaluate.fit_check import FitCheck
from core.evaluate.segmentation import Segmentation
from core.evaluate.verdict import Target
from core.wording import MISSING, count, percent, signed_percent

_SPLITS: Final = {
    "random": "sealed test sales drawn at random",
    "time": "the latest sales, priced month by month with nothing but the sales before",
    "later": "sales made after the model was trained, priced month by month with nothing but the sales before",
}
_CARD_SEGMENTS: Final = (Segmentation.PRICE_BAND, Segmentation.PROPERTY_TYPE, Segmentation.CONFIDENCE)
_WORST_SHOWN: Final = 10
_IMPORTANT_SHOWN: Final = 10
# Characters by which a name taken from a file could become a link, a table cell or markup of its own.
_MARKUP: Final = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|<>~$"} | {"\n": " ", "\r": " "})


@dataclass(frozen=True)
class CardSubject:
    """Which model the card is of: market name, model id, stage, and the registry's card (``Bundle.card``).

    ``decision`` is the signed scope in words, "" where none was signed.
    """

    market: str
    model_id: str
    stage: str
    card: Mapping[str, Any]
    decision: str


def model_card(subject: CardSubject, appraisal: Appraisal, fit: FitCheck | None) -> str:
    """Return the card as Markdown; every table says what it is of, names from files are escaped."""
    parts = (
        _identity(subject, appraisal),
        _decision(subject, appraisal),
        _headline(appraisal),
        _segments(appraisal),
        _ratio(appraisal),
        _bias(appraisal),
        _confidence(appraisal),
        _edge_cases(appraisal),
        _candidates(subject, fit),
        _importance(subject),
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _identity(subject: CardSubject, appraisal: Appraisal) -> Iterator[str]:
    card, terms = subject.card, appraisal.terms
    yield f"# Model card: {_safe(subject.market)}, model {_safe(subject.model_id)}"
    yield ""
    yield f"- Stage: {_safe(subject.stage)}"
    yield f"- Kind: {_safe(str(card['family']))} ({_safe(str(card['settings']))})"
    yield (
        f"- Trained on {count(int(card['sales']), 'sale')} of {card['first_sale']} to {card['last_sale']}, data "
        f"version {_safe(str(card['data_version']))}, seed {card['seed']}"
    )
    yield (
        f"- Evaluated on {count(appraisal.sales, 'sale')} of data version {_safe(terms.data_version)}: "
        f"{_SPLITS.get(terms.split, terms.split)}"
    )
    yield f"- Code {_safe(str(card['code_version']))}; prices in {_safe(terms.currency)}"
    yield "- Every figure stands with its 95% interval and the number of sales (n) behind it."


def _decision(subject: CardSubject, appraisal: Appraisal) -> Iterator[str]:
    yield "## Scope"
    yield ""
    yield f"Proposed by the evidence: {_safe(appraisal.scope.words)}"
    yield ""
    yield f"Signed: {_safe(subject.decision)}" if subject.decision else "Not signed yet."


def _headline(appraisal: Appraisal) -> Iterator[str]:
    yield "## Headline"
    yield ""
    rows = [
        (
            one.label,
            _signed(one.figure) if one.name == "bias" else _share(one.figure),
            f"{one.figure.n:,}",
            _target(one.target, percent),
            one.verdict,
        )
        for one in appraisal.headline.lines
    ]
    yield from _table(("Figure", "Value", "n", "Target", "Verdict"), rows)
    for rival in appraisal.headline.rivals:
        yield ""
        yield (
            f"Against the {rival.name}, on the same {count(rival.saved.n, 'sale')}: mean error "
            f"{percent(rival.ours, 1)} against {percent(rival.theirs, 1)}, nearer by {_signed(rival.saved)} of the "
            f"price ({rival.verdict})."
        )


def _segments(appraisal: Appraisal) -> Iterator[str]:
    yield "## Error by segment"
    for by in _CARD_SEGMENTS:
        if by in appraisal.segments:
            yield from _segment_table(f"By {by}", by, appraisal.segments[by])
    for by in (Segmentation.NEIGHBOURHOOD, Segmentation.ZIPCODE):
        if by in appraisal.segments:
            table = appraisal.segments[by]
            known = table[~table["thin"]].sort_values("mape", ascending=False, kind="stable").head(_WORST_SHOWN)
            yield from _segment_table(f"Worst by {by} (segments that are not thin)", by, known)
            break


def _segment_table(title: str, by: Segmentation, table: pd.DataFrame) -> Iterator[str]:
    rows = [
        (
            f"{row[by.value]}{' (thin)' if row['thin'] else ''}",
            f"{row['n']:,}",
            _share(_cell(row, "mape")),
            _share(_cell(row, "ppe10")),
            _signed(_cell(row, "bias")),
            _share(_cell(row, "coverage")),
        )
        for row in table.to_dict("records")
    ]
    yield ""
    yield f"### {title}"
    yield ""
    yield from _table(("Segment", "n", "MAPE", "Within 10%", "Bias", "Inside the range"), rows)


def _cell(row: Mapping[Any, Any], name: str) -> Figure:
    return Figure(float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"]), int(row["n"]))


def _ratio(appraisal: Appraisal) -> Iterator[str]:
    yield "## Ratio study (IAAO Standard on Ratio Studies, 2013; untrimmed)"
    yield ""
    rows = [
        (
            one.label,
            _plain(one.figure, 1 if one.name == "cod" else 3),
            f"{one.figure.n:,}",
            _target(one.target, _limit),
            one.verdict,
        )
        for one in appraisal.ratio_judged
    ]
    yield from _table(("Statistic", "Value", "n", "Standard", "Verdict"), rows)


def _bias(appraisal: Appraisal) -> Iterator[str]:
    yield "## Bias"
    yield ""
    trend = appraisal.trend
    if trend is None:
        yield "There are too few areas with a known price trend to hold the error against it."
    else:
        yield f"{trend.finding} (slope {_plain(trend.slope, 2)} over {count(trend.slope.n, 'area')})"
    if appraisal.fairness:
        yield ""
        rows = [
            (one.label, _plain(one.correlation, 2), one.areas, "leans" if one.found else "no lean shows")
            for one in appraisal.fairness
        ]
        yield from _table(("Neighbourhood column", "Rank correlation with the error", "Areas", "Finding"), rows)


def _confidence(appraisal: Appraisal) -> Iterator[str]:
    yield "## Confidence"
    yield ""
    yield f"Expected calibration error {percent(appraisal.calibration.error, 1)}."
    yield ""
    rows = [(percent(one.promised), _share(one.observed), f"{one.observed.n:,}") for one in appraisal.calibration.bins]
    yield from _table(("Promised", "Came true", "n"), rows)


def _edge_cases(appraisal: Appraisal) -> Iterator[str]:
    flags = appraisal.flags
    yield "## Edge cases and review flags"
    yield ""
    rows = [
        (
            f"{one.name}{' (thin)' if one.thin else ''}",
            one.meaning,
            f"{one.n:,}",
            _share(one.mape),
            _share(one.reviewed),
            _share(one.withheld),
        )
        for one in appraisal.edge_cases
        if one.n
    ]
    yield from _table(("Set", "Meaning", "n", "MAPE", "Sent to review", "Not priced"), rows)
    yield ""
    yield (
        f"Of {count(flags.misses, 'miss', 'misses')} over {percent(flags.over)}, {_share(flags.recall)} carried a "
        f"review flag (recall). Of {count(flags.flagged, 'flagged estimate')}, {_share(flags.precision)} were such "
        f"misses (precision), against {_share(flags.base)} of all."
    )


def _candidates(subject: CardSubject, fit: FitCheck | None) -> Iterator[str]:
    yield "## Candidates"
    yield ""
    rows = [
        (
            line["family"],
            line["settings"],
            f"{int(line['trained_rows']):,}",
            percent(line["train_mape"], 1),
            percent(line["mape"], 1),
            f"{float(line['latency_ms']):.0f} ms",
            f"{float(line['size_bytes']) / 1e6:.1f} MB",
        )
        for line in subject.card["leaderboard"]
    ]
    head = ("Family", "Settings", "Sales", "MAPE, training", "MAPE, validation", "One estimate", "Size")
    yield from _table(head, rows)
    if fit is not None:
        yield ""
        yield (
            f"MAPE {percent(fit.train, 1)} on training, {percent(fit.validation, 1)} on validation and "
            f"{_share(fit.test)} on test sales; test sets of this market were opened "
            f"{count(fit.opened, 'time')}. {fit.finding}"
        )


def _importance(subject: CardSubject) -> Iterator[str]:
    yield "## What moves the estimate"
    yield ""
    rows = [(one["label"], signed_percent(one["rise"], 1)) for one in subject.card["importance"][:_IMPORTANT_SHOWN]]
    yield from _table(("Fact", "Rise of the mean error when shuffled"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_safe(str(cell)) for cell in row)} |"


def _safe(text: str) -> str:
    return text.translate(_MARKUP)


def _share(figure: Figure) -> str:
    if math.isnan(figure.value):
        return MISSING
    return percent(figure.value, 1) + _between(percent(figure.low, 1), percent(figure.high, 1), figure)


def _signed(figure: Figure) -> str:
    if math.isnan(figure.value):
        return MISSING
    return signed_percent(figure.value, 1) + _between(
        signed_percent(figure.low, 1), signed_percent(figure.high, 1), figure
    )


def _plain(figure: Figure, digits: int) -> str:
    if math.isnan(figure.value):
        return MISSING
    return _as_number(figure.value, digits) + _between(
        _as_number(figure.low, digits), _as_number(figure.high, digits), figure
    )


def _between(low: str, high: str, figure: Figure) -> str:
    return f" ({low} to {high})" if math.isfinite(figure.low) and math.isfinite(figure.high) else ""


def _as_number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _limit(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _target(target: Target | None, write: Callable[[float], str]) -> str:
    if target is None:
        return MISSING
    if math.isinf(target.low):
        return f"at most {write(target.high)}"
    return f"{write(target.low)} to {write(target.high)}"
