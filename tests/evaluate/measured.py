"""The figures of a model on a table of test sales, priced and measured in one go."""

from __future__ import annotations

import pandas as pd

from core.evaluate.accuracy import Evaluation, measure
from core.train.model import Model


def evaluated(
    model: Model, test: pd.DataFrame, level: float, levels: tuple[float, ...], tolerance: float, seed: int
) -> Evaluation:
    """Price test sales, each as of its own sale date, and hold the answers against what they sold for."""
    priced = model.price_filled(model.fill(test), levels, tolerance)
    return measure(priced, test["sale_price"].to_numpy(dtype=float), level, seed)
