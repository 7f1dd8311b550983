"""The seller's report: what a seller can read in it, on which pages, whatever the home, its sales and its texts are."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from core.access import Actor, Role
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.serve.fact_groups import FactGroup
from core.serve.report.build import ReportFrame, seller_report
from core.serve.report.map import comparables_map
from core.serve.report.typography import plain
from core.serve.subject import Subject
from core.serve.words import sales_through
from core.wording import money, money_range
from core.workflows.pricing.desk import Desk
from tests.serve.report.report_samples import HOME, estimate, frame

AGENT = Actor("Ana Lindqvist", Role.AGENT, "Harbour Street Realty")
NASTY = '<b>Bold</b> & "q" <para> \x00\x07\u202eRTL שלום عمان 中山路 12 😀 &#x41; </font>'


def pages(answer: Estimate, beside: ReportFrame) -> list[str]:
    """Return each page's text on one line, ligatures and non-breaking spaces as people type them."""
    reader = PdfReader(BytesIO(seller_report(answer, beside)))
    return [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]


def text_of(answer: Estimate, beside: ReportFrame) -> str:
    return " ".join(pages(answer, beside))


@pytest.fixture(scope="module")
def usual() -> list[str]:
    return pages(estimate(), frame())


def test_seller_reads_the_range_what_it_held_and_the_confidence_first(usual: list[str]) -> None:
    first = usual[0]
    for words in (
        "4217 Wallingford Avenue North, Seattle, WA 98103",
        "Prepared for Maria and Tom Keller by Ana Lindqvist, Harbour Street Realty on 4 Nov 2024",
        "valued as of 4 Nov 2024",
        "$715K to $810K",
        "80% range; held 79% of 412 similar test sales",
        "72 of 100, medium",
        "within 10% of the estimate",
        "Point estimate $760,000",
    ):
        assert words in first


def test_report_of_a_usual_home_has_two_numbered_pages(usual: list[str]) -> None:
    assert len(usual) == 2
    assert [f"Page {number} of 2" in page for number, page in enumerate(usual, start=1)] == [True, True]


def test_facts_given_and_facts_assumed_are_told_apart(usual: list[str]) -> None:
    assert "Living area 2,140 sq ft" in usual[0]
    assert "Bedrooms 4 " in usual[0]
    assert "Assumed, because not given: garage spaces 1, view 0." in usual[0]


def test_drivers_go_from_the_typical_home_to_the_point_with_signs(usual: list[str]) -> None:
    for words in ("Typical home in zipcode 98103", "$641,200", "+$96,400", "−$22,700", "Rounding", "−$2,200"):
        assert words in usual[0]
    assert "living area 2,140 sq ft (typical 1,680 sq ft)" in usual[0]


def test_comparables_in_use_are_listed_with_their_way_to_the_adjusted_price(usual: list[str]) -> None:
    assert "4102 Densmore Avenue North 380 m 12 Sep 2024 $742,000 $757,582 +$20,050 $777,632" in usual[1]
    assert "adjusted for living area +$24K, quality and condition −$8.2K, age and renovation +$3.9K" in usual[1]
    assert "4530 Stone Way North, Unit B" in usual[1]
    assert "5012 Kirkwood Place North" not in usual[1], "the seventh has no weight"
    assert "$741K to $812K" in usual[1]
    assert "it is $763K" in usual[1]


def test_map_shows_the_home_scale_and_north(usual: list[str]) -> None:
    assert re.search(r"This home.*1 km|1 km.*This home", usual[1])
    assert " N " in usual[1]


def test_report_says_what_it_is_not_what_it_stands_on_and_where_it_comes_from(usual: list[str]) -> None:
    for words in (
        "not an appraisal",
        "812 past sales in zipcode 98103 and 6 comparable sales",
        "21% sold outside the range",
        "To review: price out of scope. Estimate (USD): 760,000; limit: 100,000 to 750,000.",
        "Note: wide range. Range: 34% of the estimate; limit: 30%.",
        "kc-20241101-5d2f",
        "9f31c2d4a7be",
        "7c1e90ab44d2, +2.2%",
        "4 Nov 2024, 09:30 UTC",
        "a1b2c3d4e5f60718",
    ):
        assert words in usual[1]
    assert usual[1].index("To review") < usual[1].index("Note:")


def test_the_latest_sales_of_model_and_market_level_are_told_apart() -> None:
    answer = estimate()
    printed = text_of(answer, frame())
    assert "Model trained on sales through 31 Aug 2024; market level through 30 Oct 2024." in printed
    assert "atest sale" not in printed
    without = text_of(replace(answer, level_id=None), frame())
    assert "Model trained on sales through 31 Aug 2024." in without
    assert "30 Oct 2024" not in without


@pytest.mark.parametrize(
    ("trained", "level", "sentence"),
    [
        (date(2015, 2, 28), "7c1e", "Model trained on sales through 28 Feb 2015; market level through 12 May 2015."),
        (date(2015, 2, 28), None, "Model trained on sales through 28 Feb 2015."),
        (None, "7c1e", "Market level through 12 May 2015."),
        (None, None, ""),
    ],
)
def test_the_latest_sales_are_named_as_far_as_the_answer_knows_them(
    trained: date | None, level: str | None, sentence: str
) -> None:
    answer = replace(estimate(), trained_through=trained, last_sale=date(2015, 5, 12), level_id=level)
    assert sales_through(answer) == sentence


def test_an_agents_own_choice_of_comparables_is_what_is_printed() -> None:
    answer = estimate()
    assert answer.comparable_value is not None
    chosen = replace(answer.comparable_value, weights={"s1": 0.5, "s6": 0.5, "s0": 0.0})
    text = text_of(replace(answer, comparable_value=chosen), frame())
    assert "1815 North 45th Street" in text
    assert "5012 Kirkwood Place North" in text
    assert "4102 Densmore" not in text


def test_point_that_is_not_to_be_shown_stands_nowhere() -> None:
    text = text_of(estimate(), replace(frame(), point_label=None))
    assert "$715K to $810K" in text
    for amount in ("760,000", "$760K", "$763K", "Point estimate", "Rounding"):
        assert amount not in text
    assert "To review: price out of scope. The limit is USD 100,000 to 750,000." in text


def test_every_page_of_a_simulated_market_says_so_and_others_never() -> None:
    simulated = pages(estimate(), replace(frame(), simulated=True))
    assert len(simulated) >= 2
    assert all("SIMULATED DATA" in page for page in simulated)
    assert "SIMULATED" not in text_of(estimate(), frame()).upper()


def test_title_author_and_language_are_in_the_files_properties() -> None:
    reader = PdfReader(BytesIO(seller_report(estimate(), replace(frame(), simulated=True))))
    assert reader.metadata is not None
    assert reader.metadata.title == ("Price report: 4217 Wallingford Avenue North, Seattle, WA 98103 (simulated data)")
    assert reader.metadata.author == "Ana Lindqvist, Harbour Street Realty"


def test_same_input_gives_the_same_bytes_also_at_the_same_time() -> None:
    once = seller_report(estimate(), frame())
    with ThreadPoolExecutor(4) as threads:
        again = list(threads.map(lambda _: seller_report(estimate(), frame()), range(4)))
    assert set(again) == {once}


@pytest.mark.parametrize(("currency", "wide"), [("USD", 612), ("CAD", 612), ("EUR", 595), ("INR", 595)])
def test_paper_is_what_the_country_prints_on(currency: str, wide: int) -> None:
    reader = PdfReader(BytesIO(seller_report(estimate(), replace(frame(), currency=currency))))
    assert int(reader.pages[0].mediabox.width) == wide


def test_metric_market_is_written_in_its_units_and_currency() -> None:
    text = text_of(estimate(), replace(frame(), currency="INR", area_unit="sqm"))
    assert "₹715K to ₹810K" in text
    assert "Living area 199 m²" in text
    assert "$" not in text


def test_no_comparables_is_said() -> None:
    answer = replace(estimate(), comparables=(), comparable_value=None)
    text = text_of(answer, frame())
    assert "No comparable sale was used" in text
    assert "and no comparable sales" in text
    assert "This home" not in text


def test_without_the_homes_coordinates_there_is_a_table_but_no_map() -> None:
    facts = {name: value for name, value in HOME.items() if name not in ("latitude", "longitude")}
    answer = replace(estimate(), subject=Subject(facts, estimate().subject.as_of))
    text = text_of(answer, frame())
    assert "4102 Densmore Avenue North" in text
    assert "This home" not in text


def test_comparables_without_coordinates_are_counted_beside_the_map() -> None:
    first, second, *others = estimate().comparables
    nowhere = [replace(one, latitude=None, longitude=None, distance_km=None) for one in (first, second)]
    text = text_of(replace(estimate(), comparables=(*nowhere, *others)), frame())
    assert "2 of them without coordinates are not on the map" in text
    assert "This home" in text


def test_home_without_facts_address_or_people_still_gets_its_report() -> None:
    bare = replace(frame(), address_line=" ", prepared_for="", prepared_by="", office="", estimate_id=None)
    answer = replace(estimate(), subject=Subject({}, estimate().subject.as_of), imputed={}, flags=(), level_id=None)
    text = text_of(answer, bare)
    assert "Prepared on 4 Nov 2024" in text
    assert "not in the ledger" in text
    assert "none in use" in text
    assert "The home" not in text


def test_typical_home_has_no_drivers_and_no_rounding() -> None:
    answer = estimate()
    plainly = replace(answer.drivers, items=(), rounding=0.0, typical=answer.point)
    text = text_of(replace(answer, drivers=plainly), frame())
    assert "Rounding" not in text
    assert "Typical home in zipcode 98103" in text


def test_many_assumed_facts_are_all_named() -> None:
    imputed = {f"x_fact_{number}": float(number) for number in range(40)}
    text = text_of(replace(estimate(), imputed=imputed), frame())
    assert all(f"fact {number} {number}" in text for number in range(40))


def huge(one: Comparable) -> Comparable:
    adjustments = dict.fromkeys(FactGroup, 1000000000.0)
    return replace(one, sale_price=9.9e11, time_adjusted=9.9e11, adjustments=adjustments, adjusted=9.98e11)


def test_huge_prices_stay_within_the_page() -> None:
    answer = estimate()
    answer = replace(answer, low=9.1e11, high=1.2e12, comparables=tuple(huge(one) for one in answer.comparables))
    text = text_of(answer, replace(frame(), currency="IDR"))
    assert "IDR 910B to IDR 1,200B" in text
    assert "IDR 998B" in text


def hostile(answer: Estimate, words: str) -> tuple[Estimate, ReportFrame]:
    """Put the words wherever an estimate or a frame holds a text of a person or a file."""
    comparables = [replace(one, address=words, facts={"property_type": words}) for one in answer.comparables]
    mean = replace(
        answer,
        subject=Subject({**answer.subject.facts, "zoning": words, f"x_{words}": words}, answer.subject.as_of),
        comparables=tuple(comparables),
        flags=tuple(replace(flag, field=words, value=words, limit=words) for flag in answer.flags),
        drivers=replace(answer.drivers, area=words),
        imputed={f"x_{words}": 1.0},
        segment=words,
    )
    return mean, replace(
        frame(),
        point_label=words,
        address_line=words,
        prepared_for=words,
        prepared_by=words,
        office=words,
        market_name=words,
        model_id=words,
        estimate_id=words,
    )


def test_hostile_text_is_printed_as_text() -> None:
    reading = text_of(*hostile(estimate(), NASTY))
    assert '<b>Bold</b> & "q" <para> RTL' in reading
    assert "ZhongShanLu 12" in reading
    assert "&#x41;" in reading
    assert not re.search("[\x00-\x08\u202e\ufffd]", reading)


@settings(max_examples=6)
@given(words=st.text(max_size=60) | st.text("W<&/>b", min_size=300, max_size=500))
def test_any_text_gives_a_report(words: str) -> None:
    assert seller_report(*hostile(estimate(), words)).rstrip().endswith(b"%%EOF")


@given(words=st.text())
def test_plain_text_is_one_line_within_its_limit(words: str) -> None:
    told = plain(words, 20)
    assert len(told) <= 20
    assert told.isprintable() or "\u00a0" in told or "\u202f" in told
    assert plain(told, 20) == told


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Zürich, Łódź €5 £6 ₹7 −3 m²", "Zürich, Łódź €5 £6 ₹7 −3 m²"),
        ("中山路 12", "ZhongShanLu 12"),
        ("Zu\u0308rich\n\tWest", "Zürich West"),
        ("a\x00b\u202ec", "abc"),
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrs…"),
    ],
)
def test_text_the_typeface_lacks_is_transliterated(typed: str, printed: str) -> None:
    assert plain(typed, 20 if len(printed) == 20 else 40) == printed


@given(
    places=st.lists(st.tuples(st.floats(-89, 89), st.floats(-180, 180)), min_size=1, max_size=7),
    home=st.tuples(st.floats(-89, 89), st.floats(-180, 180)),
)
def test_every_mark_lies_on_the_map(places: list[tuple[float, float]], home: tuple[float, float]) -> None:
    sales = [
        replace(one, latitude=place[0], longitude=place[1])
        for one, place in zip(estimate().comparables, places, strict=False)
    ]
    left, bottom, right, top = comparables_map(home, sales, 250.0, 164.0).getBounds()
    assert left >= -1
    assert bottom >= -1
    assert right <= 251
    assert top <= 165


def test_estimate_of_a_real_model_makes_a_report(small_desk: Desk) -> None:
    assert small_desk.bundle is not None
    profile = small_desk.bundle.model.profile
    code, typical = next(iter(profile.typical["zipcode"].items()))
    answer = small_desk.price({**typical, "zipcode": code}, profile.last_sale + timedelta(days=1), 0.8, AGENT)
    assert isinstance(answer, Estimate)
    text = text_of(answer, replace(frame(), simulated=True))
    assert money_range(answer.low, answer.high, answer.currency) in text
    assert money(answer.drivers.typical, answer.currency) in text
    assert answer.data_version in text


def test_local_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        seller_report(estimate(), replace(frame(), prepared_at=datetime(2024, 11, 4, 9, 30)))
