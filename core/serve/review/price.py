"""Whether an estimate lies outside the prices of the scope in force, and what that means for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.evaluate.scope import NO_PRICES, GoverningScope, ScopeBasis
from core.serve.review.flag import Flag, FlagKind, Severity

_CONFIRM: Final = "Manual review: have a senior agent confirm the price with a comparative market analysis."
_COMPARE: Final = (
    "The model is not yet shown to be accurate enough at this price, and nobody has signed these limits: compare it "
    "with sales you know."
)
_OF_MANAGERS: Final = frozenset({ScopeBasis.SIGNED, ScopeBasis.DEFAULT})


def price_flags(point: float, scope: GoverningScope, tested: bool) -> Iterator[Flag]:
    """Yield a flag of an estimate outside a scope's prices; ``tested`` tells whether enough test sales had such prices.

    A signed scope and the standard prices say what a person reviews. A scope that nobody signed ends where the test
    proves no error within the target: there a note says so, and only beyond the tests a person must review the price.
    Where the test proposes no prices at all, a person reviews every estimate.
    """
    if scope.low <= point <= scope.high:
        return
    if scope.is_empty:
        value = f"{point:,.0f}"
        yield Flag(FlagKind.NOTHING_PROPOSED, Severity.REVIEW, "estimate", value, NO_PRICES, _CONFIRM)
        return
    limits = f"{scope.low:,.0f} to {scope.high:,.0f}, {scope.name}"
    if scope.basis in _OF_MANAGERS:
        kind, severity, action = FlagKind.PRICE_OUT_OF_SCOPE, Severity.REVIEW, _CONFIRM
    elif tested:
        kind, severity, action = FlagKind.PRICE_UNPROVEN, Severity.NOTE, _COMPARE
    else:
        kind, severity, action = FlagKind.PRICE_UNTESTED, Severity.REVIEW, _CONFIRM
    yield Flag(kind, severity, "estimate", f"{point:,.0f}", limits, action)
