"""Error measures of an AVM as the field defines them, one function each: ``(estimate, sale_price) -> float``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from core.arrays import Floats


def _pair(estimate: ArrayLike, sale_price: ArrayLike) -> tuple[Floats, Floats]:
    est, price = np.asarray(estimate, dtype=float), np.asarray(sale_price, dtype=float)
    if est.shape != price.shape or est.ndim != 1 or est.size == 0:
        raise ValueError(f"estimate {est.shape} and sale_price {price.shape} must be equal, non-empty and flat")
    if not (np.isfinite(est).all() and np.isfinite(price).all() and (price > 0).all()):
        raise ValueError("estimates must be finite and sale prices finite and positive; drop missing pairs first")
    return est, price


def relative_error(estimate: ArrayLike, sale_price: ArrayLike) -> Floats:
    """Return (estimate - price) / price of each pair, shape (n,)."""
    est, price = _pair(estimate, sale_price)
    return (est - price) / price


def mape(estimate: ArrayLike, sale_price: ArrayLike) -> float:
    """Mean absolute percentage error, as a fraction of the sale price."""
    return float(np.mean(np.abs(relative_error(estimate, sale_price))))


def mdape(estimate: ArrayLike, sale_price: ArrayLike) -> float:
    """Median absolute percentage error, as a fraction of the sale price."""
    return float(np.median(np.abs(relative_error(estimate, sale_price))))


def ppe(estimate: ArrayLike, sale_price: ArrayLike, tolerance: float) -> float:
    """Share of estimates within ``tolerance`` (0.10 for PPE10) of the sale price, inclusive."""
    return float(np.mean(np.abs(relative_error(estimate, sale_price)) <= tolerance + 1e-12))


def ppe10(estimate: ArrayLike, sale_price: ArrayLike) -> float:
    """Share of estimates within 10% of the sale price: the success metric."""
    return ppe(estimate, sale_price, 0.10)


def median_bias(estimate: ArrayLike, sale_price: ArrayLike) -> float:
    """Median signed percentage error; positive means over-predicted."""
    return float(np.median(relative_error(estimate, sale_price)))


def r_squared(estimate: ArrayLike, sale_price: ArrayLike) -> float:
    """Coefficient of determination of prices (not logs); 0 for constant prices unless all estimates are exact."""
    est, price = _pair(estimate, sale_price)
    spread = float(np.sum((price - price.mean()) ** 2))
    missed = float(np.sum((price - est) ** 2))
    if spread == 0:
        return 1.0 if missed == 0 else 0.0
    return 1.0 - missed / spread
