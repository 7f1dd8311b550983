"""Reasons and details by row, gathered rule by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from core.arrays import Bools


@dataclass
class Findings:
    """Reasons and details by row, gathered rule by rule."""

    size: int
    found: Bools = field(init=False)
    reasons: list[str] = field(init=False)
    details: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.found = np.zeros(self.size, dtype=bool)
        self.reasons = [""] * self.size
        self.details = [""] * self.size

    def add(self, mask: Bools, code: str, detail: str | Sequence[str]) -> None:
        """Record a code for the rows of the mask; ``detail`` is one text, or one text per row of the mask."""
        positions = np.flatnonzero(mask).tolist()
        texts = [detail] * len(positions) if isinstance(detail, str) else detail
        for position, text in zip(positions, texts, strict=True):
            if code not in self.reasons[position].split(";"):
                self.reasons[position] = _joined(self.reasons[position], code, ";")
            self.details[position] = _joined(self.details[position], text, "; ")
        self.found |= mask


def _joined(before: str, more: str, mark: str) -> str:
    return f"{before}{mark}{more}" if before else more
