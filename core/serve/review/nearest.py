"""How far a home lies from the sales that a model knows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.arrays import Floats
from core.prepare.features.area_evidence import MarketEvidence
from core.train.model import Model


def evidence_of(model: Model) -> MarketEvidence | None:
    """Return the pipeline step that holds the market's sales as evidence, or None if the model has none."""
    return next((step for _, step in model.features.steps if isinstance(step, MarketEvidence)), None)


def nearest_sale_km(model: Model, facts: Mapping[str, float | str], near: float) -> float:
    """Return the distance to the nearest sale, or a quickly found larger one that is still below ``near``."""
    evidence = evidence_of(model)
    if evidence is None:
        return 0.0
    place = model.features.named_steps["derived"].projection_.point(float(facts["latitude"]), float(facts["longitude"]))
    together = float(nearest_lately_km(evidence, np.array([place]))[0])
    if together < near:
        return together
    sales = evidence.index_.tree.data
    return float(np.hypot(sales[:, 0] - place[0], sales[:, 1] - place[1]).min())


def nearest_lately_km(evidence: MarketEvidence, places: Floats) -> Floats:
    """Return the distance to the sale nearest in place and time combined, shape (n,), of places in km, (n, 2).

    It is never less than the distance to the nearest sale, and the evidence's index finds it at once.
    """
    tree = evidence.index_.tree
    distance: Floats = tree.query(np.column_stack([places, np.full(len(places), tree.maxes[2])]))[0]
    return distance
