"""What is said of a price outside the scope is true: what was tested, what was not, and what somebody signed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.evaluate.scope import NOTHING_PROPOSED, GoverningScope, ScopeBasis
from core.serve.agent.advice import advice, senior_first, to_review
from core.serve.report.words import how_sure, to_look_at
from core.serve.review.flag import Flag, FlagKind, Severity
from core.serve.review.price import price_flags
from core.train.bundle import ABOVE
from core.wording import amounts_of
from tests.serve.report.report_samples import estimate, frame

BEYOND_TESTS = "beyond those the {} was tested on"


def flags_at(point: float, basis: ScopeBasis, tested: bool) -> list[Flag]:
    return [*price_flags(point, GoverningScope(400_000, 900_000, basis), tested)]


@pytest.mark.parametrize("basis", [ScopeBasis.PROPOSED, ScopeBasis.CARRIED])
def test_an_unsigned_scope_notes_tested_prices_as_not_yet_shown_accurate_enough(basis: ScopeBasis) -> None:
    found = flags_at(300_000, basis, tested=True)
    [flag] = found
    assert (flag.kind, flag.severity) == (FlagKind.PRICE_UNPROVEN, Severity.NOTE)
    assert "unsigned" in flag.limit
    [sentence] = advice(found)
    assert sentence == (
        "At this price the model is not yet shown to be accurate enough, only at 400,000 to 900,000, limits that "
        "nobody has signed: compare it with sales you know."
    )
    assert (to_review(found), senior_first(found), to_look_at(found)) == (0, False, ())


def test_only_a_price_that_no_test_sale_had_is_beyond_the_tests() -> None:
    found = flags_at(3_000_000, ScopeBasis.PROPOSED, tested=False)
    [flag] = found
    assert (flag.kind, flag.severity) == (FlagKind.PRICE_UNTESTED, Severity.REVIEW)
    assert BEYOND_TESTS.format("model") in advice(found)[0]
    assert BEYOND_TESTS.format("estimate") in to_look_at(found)[0]
    assert senior_first(found)


@pytest.mark.parametrize("tested", [True, False])
@pytest.mark.parametrize(
    ("basis", "name"), [(ScopeBasis.SIGNED, "the signed scope"), (ScopeBasis.DEFAULT, "the standard prices")]
)
def test_a_price_outside_signed_or_standard_prices_is_reviewed_by_their_name(
    basis: ScopeBasis, name: str, tested: bool
) -> None:
    found = flags_at(300_000, basis, tested)
    assert [(one.kind, one.severity) for one in found] == [(FlagKind.PRICE_OUT_OF_SCOPE, Severity.REVIEW)]
    assert advice(found) == (f"The price is outside 400,000 to 900,000, {name}: have a senior agent confirm it.",)
    assert senior_first(found)


@pytest.mark.parametrize("tested", [True, False])
@pytest.mark.parametrize("point", [1.0, 300_000.0, 500_000.0, 9e9])
def test_where_the_evidence_proposes_no_prices_every_estimate_needs_review(point: float, tested: bool) -> None:
    found = [*price_flags(point, NOTHING_PROPOSED, tested)]
    assert [(one.kind, one.severity) for one in found] == [(FlagKind.NOTHING_PROPOSED, Severity.REVIEW)]
    assert advice(found) == (
        "The tests support no prices without review, and no manager has signed any: have a senior agent confirm this "
        "one.",
    )
    assert (to_review(found), senior_first(found)) == (1, True)
    assert to_look_at(found)


DRAWN = [one for one in ScopeBasis if one is not ScopeBasis.NOTHING]


@pytest.mark.parametrize("basis", DRAWN)
@pytest.mark.parametrize("tested", [True, False])
def test_a_price_inside_the_scope_has_no_flag(basis: ScopeBasis, tested: bool) -> None:
    assert flags_at(500_000, basis, tested) == []


@pytest.mark.parametrize("basis", DRAWN)
@pytest.mark.parametrize("tested", [True, False])
def test_a_report_never_says_both_that_such_homes_were_tested_and_that_they_were_not(
    basis: ScopeBasis, tested: bool
) -> None:
    answer = estimate() if tested else replace(estimate(), held=None, segment=ABOVE)
    sure = " ".join(how_sure(answer, amounts_of("USD", answer.point), frame()))
    look = " ".join(to_look_at(flags_at(300_000, basis, tested)))
    assert ("that were sold" in sure) == tested
    if tested:
        assert "tested" not in look
