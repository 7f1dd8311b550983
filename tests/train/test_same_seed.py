"""Every family of models fits the same from the same seed, to the last bit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from core.arrays import Floats
from core.states import Family
from core.train.candidates import Candidate, make_estimator

COLUMNS: Final = ("living_area_sqft", "alike_level", "near_level", "east_km", "age")
SETTINGS: Final[dict[Family, dict[str, Any]]] = {
    Family.LINEAR: {},
    Family.TREE: {"max_features": 2, "min_samples_leaf": 15},
    Family.FOREST: {"n_estimators": 5},
    Family.BOOSTING: {"max_iter": 20, "max_features": 0.5},
    Family.BLEND: {"n_estimators": 20},
}


def predicted(family: Family, seed: int, weighted: bool = False) -> Floats:
    random = np.random.default_rng(0)
    features = random.uniform(1.0, 9.0, (400, len(COLUMNS)))
    log_price = np.log(features[:, 0]) + 0.1 * features[:, 2] + random.normal(0.0, 0.1, 400)
    weight = random.uniform(0.1, 2.0, 400) if weighted else None
    estimator = make_estimator(Candidate(family, SETTINGS[family]), COLUMNS, seed)
    return np.asarray(estimator.fit(features, log_price, sample_weight=weight).predict(features))


@pytest.mark.parametrize("family", list(Family))
def test_a_family_fits_the_same_from_the_same_seed_to_the_bit(family: Family) -> None:
    assert predicted(family, 3).tobytes() == predicted(family, 3).tobytes()
    weighted = predicted(family, 3, weighted=True)
    assert weighted.tobytes() == predicted(family, 3, weighted=True).tobytes()
    assert weighted.tobytes() != predicted(family, 3).tobytes(), "the weights are used"
    if family is not Family.LINEAR:
        assert predicted(family, 3).tobytes() != predicted(family, 4).tobytes(), "the seed is used"
