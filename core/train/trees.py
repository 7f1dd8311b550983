"""Predictions of LightGBM trees, with a number of threads that suits the number of homes."""

from __future__ import annotations

from typing import Final

import lightgbm
import numpy as np

from core.arrays import Floats

# Below this, starting threads costs more than it saves; one thread also keeps one agent's answer from delaying others.
_MANY: Final = 500
# As many as the process may use: one inside a training run, where every processor already fits a model.
_ALL_ALLOWED: Final = 0


def predict(booster: lightgbm.Booster, features: Floats) -> Floats:
    """Return the prediction of each row of a feature matrix (n, p), shape (n,)."""
    threads = 1 if len(features) < _MANY else _ALL_ALLOWED
    return np.asarray(booster.predict(features, num_threads=threads), dtype=float)
