"""Flags in an agent's words: a sentence for every kind, the same remedy once, and no code or limit of an operator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.serve.agent.advice import advice, in_short, to_review
from core.serve.flags import COMPLETE
from core.serve.report.words import to_look_at
from core.serve.review.flag import Flag, FlagKind, Severity


def flag(kind: FlagKind, severity: Severity = Severity.REVIEW, value: str = "3") -> Flag:
    return Flag(kind, severity, "living_area_sqft", value, "45", "Do something.")


@pytest.mark.parametrize("kind", [kind for kind in FlagKind if kind is not FlagKind.IMPUTED_FACT])
def test_every_kind_has_a_sentence_with_what_to_do(kind: FlagKind) -> None:
    [sentence] = advice([flag(kind)])
    assert sentence.endswith(".")
    assert not any(word in sentence for word in ("alert", "drift", "stale", "imputed", "; limit"))


def test_more_facts_are_asked_for_only_where_some_are_not_given() -> None:
    wide = flag(FlagKind.WIDE_RANGE)
    assert "enter more facts" in advice([replace(wide, action=COMPLETE)])[0]
    assert advice([wide]) == ("The range is wide: compare it with sales you know.",)


def test_flags_with_one_remedy_are_said_once_and_what_needs_review_comes_first() -> None:
    flags = [
        flag(FlagKind.WIDE_RANGE, Severity.NOTE),
        flag(FlagKind.STALE_MODEL),
        flag(FlagKind.DRIFT_ALERT),
        flag(FlagKind.IMPUTED_FACT, Severity.NOTE),
    ]
    sentences = advice(flags)
    assert len(sentences) == 2
    assert sentences[0].startswith("Prices moved since the last training")
    assert to_review(flags) == 1
    assert in_short(one.kind for one in flags) == "wide range; prices moved"


def test_old_sales_alone_do_not_say_that_prices_moved() -> None:
    [old] = advice([flag(FlagKind.STALE_MODEL)])
    assert old.startswith("The latest sale learned from is some time ago")


def test_what_is_the_matter_with_the_price_comes_before_what_is_the_matter_with_the_market() -> None:
    flags = [flag(FlagKind.DRIFT_ALERT), flag(FlagKind.LOW_CONFIDENCE), flag(FlagKind.PRICE_OUT_OF_SCOPE)]
    assert [sentence.split()[1] for sentence in advice(flags)] == ["price", "is", "moved"]
    assert "ask for a second opinion" in to_look_at(flags)[0]


def test_an_unusual_area_has_its_unit_and_an_unusual_year_has_none() -> None:
    def said_of(field: str, value: str) -> str:
        [sentence] = advice([Flag(FlagKind.OUT_OF_DISTRIBUTION, Severity.REVIEW, field, value, "x to y", "")])
        return sentence

    assert said_of("living_area_sqft", "9,000").startswith("Living area 9,000 sq ft is unusual here")
    assert said_of("year_built", "1700").startswith("Year built 1700 is unusual here")


def test_an_area_beside_its_limits_is_in_the_markets_unit() -> None:
    limit = "409 to 5,454.5 in 99 of 100 sales"
    tiny = Flag(FlagKind.OUT_OF_DISTRIBUTION, Severity.NOTE, "living_area_sqft", "377", limit, "")
    [said] = advice([tiny], "sqm")
    assert said.startswith("Living area 35 m² is unusual here (38 to 507 m² in 99 of 100 sales): check it")


def test_a_fact_that_may_be_a_slip_comes_before_what_concerns_the_whole_market() -> None:
    rooms = Flag(FlagKind.OUT_OF_DISTRIBUTION, Severity.NOTE, "bathrooms", "7", "1 to 5 in 99 of 100 sales", "")
    flags = [flag(FlagKind.STALE_MODEL), flag(FlagKind.LOW_CONFIDENCE), rooms]
    assert [sentence.split()[0] for sentence in advice(flags)] == ["Bathrooms", "Confidence", "The"]
    assert to_review(flags) == 3
