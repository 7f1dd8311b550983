"""Inferences: conclusions about a column beyond its name, with the evidence, so that a person can overrule them."""

from __future__ import annotations

from dataclasses import dataclass

from core.wording import count


@dataclass(frozen=True)
class Inference:
    """A conclusion about one column and the evidence for it, each in words; ``n`` is the number of rows it was seen on.

    ``sure`` is False where a person should answer before the sales are trusted; ``grave`` where the file goes in only
    once one has: nobody finds later what was read wrongly. ``of_rows`` is True where no other choice of a column
    answers it: it is of what the rows do, and is confirmed or not when they go in.
    """

    column: str
    field: str
    claim: str
    evidence: str
    n: int
    sure: bool = True
    grave: bool = False
    of_rows: bool = False

    def __str__(self) -> str:
        """Return the inference as one sentence."""
        doubt = "" if self.sure else "; please check"
        return f"{self.claim} ({self.evidence}; seen in {count(self.n, 'row')}){doubt}"
