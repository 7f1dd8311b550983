"""What became of the live model's promises in use, for whoever reads a range or a confidence of it."""

from __future__ import annotations

import pandas as pd

from core.evaluate.card.headline import is_short
from core.problem import Problem
from core.serve.words import FellShort, InUse
from core.store import Market, ModelRecord
from core.workflows.monitoring.figures import came_true_of, confidence_in_use, figure_of, with_intervals
from core.workspace import Workspace


def record_in_use(workspace: Workspace, market: Market, model: ModelRecord) -> InUse:
    """Return which of a model's promises its blind sales of the latest year surely break, by the rules of Monitoring.

    Raises NotFound, StoreUnavailable.
    """
    figures = confidence_in_use(workspace.store, market.market_id, model.model_id, workspace.today(market)).total
    if not figures["n"]:
        return InUse()
    return InUse(_range_short(figures, workspace.problem), _confidence_short(figures, workspace.problem))


def _range_short(figures: pd.Series, problem: Problem) -> FellShort | None:
    held, level = figure_of(with_intervals(figures.to_frame().T).iloc[0], "coverage"), float(figures["level"])
    return FellShort(level, held.value, held.n) if is_short(held, level, problem) else None


def _confidence_short(figures: pd.Series, problem: Problem) -> FellShort | None:
    known = came_true_of(figures, problem)
    if known is None or known.holds is not False:
        return None
    return FellShort(known.promised, known.observed.value, known.observed.n)
