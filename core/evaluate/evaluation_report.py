"""All figures of an evaluation, computed together: pages cache them by model id, and the card prints them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.evaluate.bias import Fairness, TrendBias, area_bias, fairness, trend_bias
from core.evaluate.edge_cases import EdgeCase, FlagQuality, edge_cases, flag_quality
from core.evaluate.headline import Headline, headline
from core.evaluate.ratio import Judged, RatioStudy, Uniformity, judged, ratio_study
from core.evaluate.reliability import Calibration, calibration
from core.evaluate.scope import ProposedScope, propose_scope
from core.evaluate.scored_sales import ScoredSales, Terms
from core.evaluate.segmentation import Segmentation
from core.evaluate.segments import by_every_segmentation
from core.problem import Problem

MARKET_WIDE: Final = Uniformity.OLDER
"""The standard's limit for all single-family homes and condominiums of a market, old and new."""


@dataclass(frozen=True)
class EvaluationReport:
    """The evaluation of one set of scored sales: ``sales`` in all; ``priced``, on which all but edge cases are based.

    ``segments`` holds the result of ``by_segment`` for every segmentation the data has.
    """

    terms: Terms
    sales: int
    priced: int
    headline: Headline
    segments: dict[Segmentation, pd.DataFrame]
    ratio: RatioStudy
    ratio_judged: tuple[Judged, ...]
    areas: pd.DataFrame
    trend: TrendBias | None
    fairness: tuple[Fairness, ...]
    calibration: Calibration
    edge_cases: tuple[EdgeCase, ...]
    flags: FlagQuality
    scope: ProposedScope


def build_evaluation_report(scored: ScoredSales, problem: Problem) -> EvaluationReport | None:
    """Compute every figure of scored sales; None if none of them was priced."""
    first, reliable = headline(scored, problem), calibration(scored)
    if first is None or reliable is None:
        return None
    table = scored.priced
    study = ratio_study(table["estimate"].to_numpy(), table["sale_price"].to_numpy(), scored.terms.seed)
    return EvaluationReport(
        terms=scored.terms,
        sales=len(scored.table),
        priced=len(table),
        headline=first,
        segments=by_every_segmentation(scored, problem),
        ratio=study,
        ratio_judged=judged(study, MARKET_WIDE, problem.estimate.small_sample_n),
        areas=area_bias(scored, problem),
        trend=trend_bias(scored, problem),
        fairness=fairness(scored),
        calibration=reliable,
        edge_cases=edge_cases(scored, problem),
        flags=flag_quality(scored),
        scope=propose_scope(scored, problem),
    )
