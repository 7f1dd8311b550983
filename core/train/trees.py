"""Predictions of LightGBM trees, with as many threads as the number of homes is worth."""

from __future__ import annotations

from typing import Final

import lightgbm
import numpy as np

from core.arrays import Floats

# Below this starting threads costs more than they save, and an answer for one agent does not hold up another's.
_MANY: Final = 500
# As many as the process may use: one inside a training run, where every processor has a model of its own to fit.
_ALL_ALLOWED: Final = 0


def predict(booster: lightgbm.Booster, features: Floats) -> Floats:
    """Return the prediction of each row of a feature matrix (n, p), shape (n,)."""
    threads = 1 if len(features) < _MANY else _ALL_ALLOWED
    return np.asarray(booster.predict(features, num_threads=threads), dtype=float)
