"""The seller's report: what a seller can read in it, on which pages, whatever the home, its sales and its texts are."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO
from math import hypot

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from reportlab.graphics.shapes import Circle, Line, Polygon, String

from core.access import Actor, Role
from core.schema import use_names
from core.serve.agent.sale_weights import multipliers
from core.serve.comparables import Comparable, reconcile
from core.serve.drivers import Difference, Driver
from core.serve.estimate import Estimate
from core.serve.fact_groups import FactGroup
from core.serve.report.around import beside_typical
from core.serve.report.build import ReportFrame, report_without_price, seller_report
from core.serve.report.frame import AgentOnReport, Decided, OfficeOnReport
from core.serve.report.map import comparables_map
from core.serve.report.typography import FAINT, LESS, RULE, plain
from core.serve.report.words import to_look_at
from core.serve.review.flag import Flag, FlagKind, Severity
from core.serve.subject import Subject
from core.serve.words import FellShort, InUse
from core.train.bundle import ABOVE
from core.wording import amounts_of, money
from core.workflows.pricing.desk import Desk
from tests.serve.report.report_samples import HOME, estimate, frame, picture

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


def test_seller_reads_who_made_it_the_range_with_its_level_and_the_list_price_first(usual: list[str]) -> None:
    first = usual[0]
    for words in (
        "Ana Lindqvist 206-555-0142 License WA-88217",
        "Harbour Street Realty 12 Harbour Street, Seattle 206-555-0100",
        "Price report for Maria and Tom Keller · Nov 4, 2024",
        "4217 Wallingford Avenue North, Seattle, WA 98103",
        "$715,000 to $810,000",
        "80% range: it aims to hold the sale price of 8 in 10 homes",
        "List price $779,000 Set on Nov 3, 2024, 2% above your agent’s price",
        "Estimate $760,000 · Your agent’s price $765,000",
    ):
        assert words in first


def test_report_of_a_usual_home_has_three_numbered_pages(usual: list[str]) -> None:
    assert [f"Page {number} of 3" in page for number, page in enumerate(usual, start=1)] == [True] * 3


def test_before_a_decision_the_range_leads_and_no_list_price_is_printed() -> None:
    undecided = replace(frame(), decided=None)
    for beside in (undecided, replace(undecided, point_label=None)):
        text = text_of(estimate(), beside)
        assert "Likely sale price $715,000 to $810,000" in text
        assert "list price" not in text.lower()
        assert "agent’s price" not in text


@pytest.mark.parametrize(("list_price", "side"), [(1_900_000.0, "above"), (90_000.0, "below")])
def test_a_list_price_outside_the_range_says_so_to_the_seller(list_price: float, side: str) -> None:
    far = replace(frame(), decided=Decided(765_000.0, list_price, date(2024, 11, 3)))
    assert f"It lies {side} the range: ask your agent why" in text_of(estimate(), far)
    assert "the range: ask" not in text_of(estimate(), frame())


def test_an_estimate_accepted_is_no_price_of_the_agents_own() -> None:
    accepted = replace(frame(), decided=Decided(760_000.0, None, date(2024, 11, 3)))
    first = pages(estimate(), accepted)[0]
    assert "agent’s price" not in first
    assert "List price" not in first
    listed = replace(frame(), decided=Decided(760_000.0, 775_000.0, date(2024, 11, 3)))
    assert ", 2% above the estimate" in pages(estimate(), listed)[0]


def test_without_a_profile_the_report_names_nobody() -> None:
    bare = replace(frame(), agent=AgentOnReport(), office=OfficeOnReport())
    reader = PdfReader(BytesIO(seller_report(estimate(), bare)))
    assert reader.metadata is not None
    assert reader.metadata.author == "Doorstep"
    text = text_of(estimate(), bare)
    assert "Page 1 of 3 Price report for Maria and Tom Keller" in text
    for words in ("License", "Prepared by", "Lindqvist", "Harbour Street Realty"):
        assert words not in text


def test_photo_and_logo_are_drawn_on_the_first_page_only() -> None:
    framed = replace(
        frame(),
        agent=replace(frame().agent, photo=picture(200, 200)),
        office=replace(frame().office, logo=picture(300, 90, "PNG")),
    )
    reader = PdfReader(BytesIO(seller_report(estimate(), framed)))
    assert [len(page.images) for page in reader.pages] == [2, 0, 0]


def test_facts_given_and_facts_assumed_are_told_apart(usual: list[str]) -> None:
    assert "Living area 2,140 sq ft" in usual[0]
    assert "Bedrooms 4 " in usual[0]
    usual_words = "usual here, and tell your agent what is different: garage spaces 1, no view."
    assert f"Not known, so the range allows for it; {usual_words}" in usual[2]


def test_facts_for_which_the_first_page_has_no_room_follow_on_the_last() -> None:
    extra = {f"x_fact_{number:02}": float(number) for number in range(12)}
    answer = replace(estimate(), subject=Subject({**HOME, **extra}, estimate().subject.as_of))
    found = pages(answer, frame())
    assert "Fact 11 11" not in found[0]
    assert "More facts of the home:" in found[2]
    assert "Fact 11 11" in found[2]


def test_reasons_add_up_in_the_form_of_all_other_amounts(usual: list[str]) -> None:
    text = usual[2]
    for words in ("Typical home in zipcode 98103", "$641,000", "+$96,000", "−$23,000", "All the rest", "$760,000"):
        assert words in text
    assert "Living area 2,140 sq ft (typical 1,680 sq ft)" in text
    changes = [
        int(sign.replace("−", "-") + amount.replace(",", "")) for sign, amount in re.findall(r"([+−])\$([\d,]+)", text)
    ]
    assert 641_000 + sum(changes) == 760_000


def test_comparables_in_use_add_up_from_price_over_market_and_facts_to_the_adjusted_price(usual: list[str]) -> None:
    assert "4102 Densmore Ave N 0.2 mi · 1,980 sq ft · 3 bd · 2 ba" in usual[1]
    assert "Sep 12, 2024 $742,000 +$16,000 +$20,000 $778,000 +5% / 7%" in usual[1]
    rows = re.findall(r"\$([\d,]+) ([+−])\$([\d,]+) ([+−])\$([\d,]+) \$([\d,]+) [+−]?\d", usual[1])
    assert [price for price, *_ in rows] == [f"{one.sale_price:,.0f}" for one in estimate().comparables[:6]]
    for price, sign, market, other, facts, adjusted in rows:
        parts = (f"{sign}{market}", f"{other}{facts}")
        moved = sum(int(part.replace("−", "-").replace(",", "")) for part in parts)
        exact, printed = int(price.replace(",", "")) + moved, int(adjusted.replace(",", ""))
        assert printed - 500 <= exact < printed + 500, "half up from the printed parts"
    assert "market and facts add up to the adjusted price, rounded to $1,000." in usual[1]
    assert "4530 Stone Way N, Unit B" in usual[1]
    assert "5012 Kirkwood Pl N" not in usual[1], "the seventh has no weight"
    assert "$778,000 to $821,000, with an average of $798,000" in usual[1]


def test_a_sale_adjusted_by_more_than_is_customary_is_marked(usual: list[str]) -> None:
    assert "*" not in usual[1]
    first, *others = estimate().comparables
    weak = replace(first, adjusted=first.sale_price * 1.2, adjustments={FactGroup.SIZE: first.sale_price * 0.2})
    marked = pages(replace(estimate(), comparables=(weak, *others)), frame())[1]
    assert "+20% / 22%*" in marked
    assert "adjusted mostly for living area, +$148,000" in marked
    assert "adjusted mostly" not in usual[1]
    assert "* Adjusted by more than 15% net or 25% gross" in marked


def test_map_shows_the_home_north_and_a_scale_in_the_markets_units(usual: list[str]) -> None:
    assert re.search(r"0\.\d mi N This home", usual[1])
    assert " N " in usual[1]
    metric = pages(estimate(), replace(frame(), currency="EUR", area_unit="sqm"))[1]
    assert re.search(r"500 m N This home", metric)


def test_how_sure_it_is_stands_in_three_sentences_in_a_sellers_words(usual: list[str]) -> None:
    last = usual[2]
    for words in (
        "1 Of 412 similar homes that were sold, 79% sold inside a range made like this one.",
        "2 Our confidence is medium: the chance that the home sells within 10% of the estimate, from $684,000 to",
        "$836,000, is 72 in 100. Of 388 past sales with such a confidence, 57% sold that close.",
        "3 It is a statistical estimate from past sales and not an appraisal",
        "A price like this one is not quoted without a second look: ask for a second opinion.",
        "Made from the market's past sales, the latest of Oct 30, 2024; 812 of them are in zipcode 98103.",
    ):
        assert words in last


def test_promises_that_fell_short_with_homes_sold_since_are_said_where_they_are_read() -> None:
    short = InUse(FellShort(0.8, 0.64, 242), FellShort(0.65, 0.48, 240))
    last = pages(estimate(), replace(frame(), in_use=short))[2]
    for words in (
        "like this one. Lately it was less: of 242 homes sold since, 64% sold inside its range, not the 80% promised.",
        "57% sold that close. Lately it was less: of 240 homes sold since, 48% sold that close, not the 65% promised.",
    ):
        assert words in last


def test_no_word_of_the_operators_and_no_hash_reaches_the_seller() -> None:
    kinds = [
        Flag(kind, Severity.REVIEW, "living_area_sqft", "9f31c2d4a7be", "limit 3", "Retrain.") for kind in FlagKind
    ]
    answer = replace(estimate(), segment="single_family in price band 3", flags=tuple(kinds))
    text = text_of(answer, frame())
    for words in (
        "drift",
        "stale",
        "alert",
        "band",
        "segment",
        "odel",
        "9f31",
        "7c1e",
        "5d2f",
        "UTC",
        "Group of",
        "flag",
    ):
        assert words not in text
    assert "No. A1B2C3D4 " in text
    assert "a1b2c3d4e5" not in text
    assert not re.search(r"\$\d+(\.\d+)?[KM]\b", text), "amounts of two forms"


@pytest.mark.parametrize("kind", list(FlagKind))
def test_every_flag_has_a_sentence_for_the_seller_or_is_the_operators_business(kind: FlagKind) -> None:
    silent = {FlagKind.IMPUTED_FACT, FlagKind.MODEL_UNVERIFIED, FlagKind.MODEL_OUTDATED}
    found = to_look_at([Flag(kind, Severity.REVIEW, "f", "v", "l", "a")])
    assert bool(found) == (kind not in silent)
    assert to_look_at([Flag(kind, Severity.NOTE, "f", "v", "l", "a")]) == ()


def test_all_facts_that_are_unusual_are_named_to_the_seller() -> None:
    unusual = FlagKind.OUT_OF_DISTRIBUTION
    flags = [
        Flag(unusual, Severity.REVIEW, "living_area_sqft", "9,000", "l", "a"),
        Flag(unusual, Severity.NOTE, "lot_area_sqft", "90,000", "l", "a"),
        Flag(unusual, Severity.REVIEW, "bathrooms", "9", "l", "a"),
    ]
    assert to_look_at(flags) == (
        "The living area, lot area and bathrooms are unusual here: please check them with your agent.",
    )
    [one] = to_look_at(flags[:1])
    assert one == "The living area is unusual here: please check it with your agent."


def test_without_a_map_what_follows_begins_on_the_page_of_sales() -> None:
    placeless = replace(estimate(), subject=replace(estimate().subject, facts={"zipcode": "98103"}))
    second = pages(placeless, frame())[1]
    assert "Comparable sales" in second
    assert "How sure is this?" in second


def test_what_is_worth_a_look_comes_before_a_list_price_only_until_one_is_set() -> None:
    before, after = "Before you set a price", "Worth a second look"
    decided = Decided(760_000.0, 779_000.0, date(2024, 11, 3))
    for decision, heading in ((None, before), (replace(decided, list_price=None), before), (decided, after)):
        text = text_of(estimate(), replace(frame(), decided=decision))
        assert [one for one in (before, after) if one in text] == [heading]


def test_a_report_of_the_range_alone_says_nothing_of_our_confidence_nor_of_an_average() -> None:
    """Both are about the estimate, which it does not show: beside the record of the range, they would contradict it."""
    alone, value = replace(frame(), point_label=None), estimate().comparable_value
    assert value is not None
    text = text_of(estimate(), alone)
    for words in ("confidence", "average", "counts twice", "less a sale is adjusted"):
        assert words not in text
    assert "79% sold inside a range made like this one. 2 It is a statistical estimate" in text
    assert "4 of them lie inside the range of this home, 2 outside." in text
    beside = replace(estimate(), low=estimate().low, high=2e6)
    assert "All of them lie inside the range of this home." in text_of(beside, alone)


def test_a_scale_says_which_end_is_good(usual: list[str]) -> None:
    assert re.search(r"Condition \d of 5 \(5 is best\)", usual[0])


@pytest.mark.parametrize(
    ("trained", "level", "latest"),
    [
        (date(2015, 2, 28), "7c1e", "May 12, 2015"),
        (date(2015, 2, 28), None, "Feb 28, 2015"),
        (None, None, "May 12, 2015"),
    ],
)
def test_one_latest_sale_is_named(trained: date | None, level: str | None, latest: str) -> None:
    answer = replace(estimate(), trained_through=trained, last_sale=date(2015, 5, 12), level_id=level)
    assert f"the latest of {latest};" in text_of(answer, frame())


def test_an_agents_own_choice_of_comparables_is_what_is_printed() -> None:
    answer = estimate()
    assert answer.comparable_value is not None
    chosen = replace(answer.comparable_value, weights={"s1": 0.5, "s6": 0.5, "s0": 0.0})
    text = text_of(replace(answer, comparable_value=chosen), frame())
    assert re.search(r"\b2 1815 N 45th St", text), "numbered as on the agent's screen, whatever is left out"
    assert re.search(r"\b7 5012 Kirkwood Pl N", text)
    assert "Numbered as in your agent’s list of 7 sales." in text
    assert "5012 Kirkwood Pl N" in text
    assert "Sales chosen by your agent" in text
    assert "2 sales chosen by your agent. Each price" in text
    assert "most like this home." not in text
    [named] = re.findall(r"left out by your agent: (.*?\))\.", text, re.S)
    assert "4102 Densmore" in named
    assert "1815 N 45th St" not in named
    assert text.count("4102 Densmore") == 1
    usual = text_of(answer, frame())
    assert "Sales most like this home" in usual
    assert "your agent: " not in usual
    assert "Numbered as" not in usual


def test_a_single_sale_has_no_average() -> None:
    answer = estimate()
    alone = reconcile(answer.comparables, {"s0": 1.0}, answer.exact, 0.08, 7e5, 8e5)
    page = pages(replace(answer, comparable_value=alone), frame())[1]
    assert "This sale points to $778,000, which lies inside the range of this home." in page
    assert "average" not in page


@pytest.mark.parametrize("sales", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("currency", ["USD", "AUD"])
def test_the_last_page_has_more_than_whom_to_ask(sales: int, currency: str) -> None:
    """Without a map, all that follows the sales begins on their page, and may not quite fit on it."""
    answer, shown = estimate(), replace(frame(), currency=currency, simulated=sales % 2 == 0)
    home = {name: value for name, value in HOME.items() if name not in ("latitude", "longitude")}
    chosen = reconcile(answer.comparables[:sales], {f"s{n}": 1.0 for n in range(7)}, answer.exact, 0.08, 7e5, 8e5)
    answer = replace(answer, subject=Subject(home, answer.subject.as_of), comparable_value=chosen)
    *_, last = pages(answer, shown)
    assert "Questions about this price?" in last
    assert "What makes the price" in last
    assert len(pages(answer, shown)) <= 3


def test_a_fact_of_the_markets_own_reads_as_on_the_form_with_its_unit_where_its_name_has_one() -> None:
    facts = {"x_distance": 7.3, "living_area_sqft": 1_680.0}
    answer = replace(estimate(), subject=Subject(facts, estimate().subject.as_of))
    far = Driver(FactGroup.OTHER, 90_000.0, (Difference("x_distance", 7.3, 7.5),))
    answer = replace(answer, drivers=replace(answer.drivers, items=(far,)))
    text = text_of(answer, frame())
    assert text.count("Distance 7.3") == 2
    assert "Column" not in text
    use_names({"x_distance": "Distance to center (km)"})
    text = text_of(answer, frame())
    assert "Distance to center 7.3 km (typical 7.5 km)" in text


def test_a_sale_that_counts_twice_is_marked_and_what_counts_most_is_said_truly() -> None:
    answer = estimate()
    usual = pages(answer, frame())[1]
    assert "counts twice" not in usual
    assert "The less a sale is adjusted, the more it counts." in usual
    doubled = reconcile(answer.comparables, {"s0": 1.0, "s2": 2.0, "s4": 1.0}, answer.exact, 0.08, 7e5, 8e5)
    page = pages(replace(answer, comparable_value=doubled), frame())[1]
    table, _, said = page.partition("Together these sales point to ")
    assert table.count("counts twice") == 1
    assert re.search(r"3926 Burke Ave N [^$]*counts twice", table)
    assert "the more it counts; by your agent’s choice, no. 3 counts twice." in said
    alike = {one.sale_id: one.similarity for one in answer.comparables}
    assert multipliers(answer.comparables, alike) == dict.fromkeys(alike, 1.0)


def test_the_sales_point_to_the_lowest_and_highest_adjusted_price_in_their_table_also_in_an_older_answer() -> None:
    answer = estimate()
    assert answer.comparable_value is not None
    older = replace(answer, comparable_value=replace(answer.comparable_value, low=760_000.0, high=770_000.0))
    weights = answer.comparable_value.weights
    prices = [1_000 * round(one.adjusted / 1_000) for one in answer.comparables if one.sale_id in weights]
    page = pages(older, frame())[1]
    table, _, said = page.partition("Together these sales point to ")
    assert said.startswith(f"${min(prices):,} to ${max(prices):,}, ")
    assert all(f"${price:,}" in table for price in prices)


def test_sales_too_unlike_the_home_are_said_to_confirm_nothing() -> None:
    answer = estimate()
    assert answer.comparable_value is not None
    unlike = replace(answer.comparable_value, confirms=False, adjusted_by=1.27)
    page = pages(replace(answer, comparable_value=unlike), frame())[1]
    assert "None of these sales is enough like this home to confirm its price" in page
    assert "adjusted by 127% on average" in page
    assert "point to" not in page


def test_a_reason_of_several_facts_is_written_whole_in_lines() -> None:
    answer = estimate()
    facts = (
        Difference("lot_area_sqft", 6_120.0, 5_000.0),
        Difference("bathrooms", 2.5, 1.75),
        Difference("garage_spaces", 0.0, 0.5),
        Difference("view", 1.0, 0.0),
        Difference("condition", 4.0, 3.0),
    )
    several = replace(answer.drivers, items=(Driver(FactGroup.PLOT, 50_000.0, facts), *answer.drivers.items[1:]))
    last = pages(replace(answer, drivers=several), frame())[2]
    assert "view 1 of 4 (typical none)" in last
    for words in (
        "2.5 bathrooms (typical 1.75 bathrooms)",
        "arage spaces 0 (typical 0.5)",
        "ondition 4 of 5 (typical 3)",
    ):
        assert words in last


def test_point_that_is_not_to_be_shown_stands_nowhere() -> None:
    decided = Decided(760_000.0, 779_000.0, date(2024, 11, 3))
    text = text_of(estimate(), replace(frame(), point_label=None, decided=decided))
    assert "$715,000 to $810,000" in text
    assert "$779,000" in text, "the list price decided is the seller's to know"
    for words in ("Estimate $", "768,000", "684,000", "765,000", "agent’s price"):
        assert words not in text


@settings(max_examples=8, deadline=None)
@given(point=st.integers(300, 900), typical=st.integers(300, 900))
def test_no_amount_and_no_sum_of_amounts_gives_a_point_that_is_not_to_be_shown(point: int, typical: int) -> None:
    usual_home = estimate()
    drivers = replace(usual_home.drivers, point=1_000.0 * point, typical=1_000.0 * typical)
    answer = replace(usual_home, point=1_000.0 * point, low=930.0 * point, high=1_090.0 * point, drivers=drivers)
    first, sales, last = pages(answer, replace(frame(), point_label=None, decided=None))
    span = re.findall(r"\$[\d,]+ to \$[\d,]+", first)[0]
    assert f"Likely sale price of this home {span}" in last
    assert re.findall(r"\$[\d,.]+", last) == span.split(" to "), "the range and no other amount"
    assert not re.search(r"[+−]\$", first + last), "no step to add"
    assert "of the estimate" not in first + sales + last
    assert f"Typical home in {drivers.area} $" not in first + sales + last
    assert ("adds" in last) or ("takes off" in last)


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
    assert "₹715,000 to ₹810,000" in text
    assert "380 m" in text
    assert "4 Nov 2024" in text
    assert "Living area 199 m²" in text
    assert "$" not in text


def test_no_comparables_is_said_and_leaves_no_empty_page() -> None:
    answer = replace(estimate(), comparables=(), comparable_value=None)
    found = pages(answer, frame())
    assert len(found) == 2
    assert "No comparable sale was used" in found[1]
    assert "How sure is this?" in found[1]
    assert "This home" not in found[1]
    assert "page 2" not in found[0]


def test_home_without_a_price_gets_the_standing_sentence_and_nothing_promised() -> None:
    [page] = [
        re.sub(r"\s+", " ", one.extract_text()) for one in PdfReader(BytesIO(report_without_price(HOME, frame()))).pages
    ]
    assert "Price estimate unavailable. Use comparative market analysis instead." in page
    assert "Ana Lindqvist" in page
    assert "$" not in page
    assert "range" not in page


def test_without_the_homes_coordinates_there_is_a_table_but_no_map() -> None:
    facts = {name: value for name, value in HOME.items() if name not in ("latitude", "longitude")}
    answer = replace(estimate(), subject=Subject(facts, estimate().subject.as_of))
    text = text_of(answer, frame())
    assert "4102 Densmore Ave N" in text
    assert "This home" not in text
    assert " mi " not in text, "nor are there distances"
    assumed = replace(answer, imputed={**answer.imputed, "latitude": 47.66, "longitude": -122.34})
    text = text_of(assumed, frame())
    assert "The exact place of this home is not known, only its area" in text
    assert "would place it" not in text, "a seller cannot"
    assert " mi " not in text


def test_the_homes_own_sale_is_not_adjusted_for_facts_without_a_word() -> None:
    first, *others = estimate().comparables
    around = {FactGroup.PLACE: -8_000.0}
    own = replace(first, own=True, adjustments=around, adjusted=first.time_adjusted - 8_000.0, around=-8_000.0)
    text = text_of(replace(estimate(), comparables=(own, *others)), frame())
    assert "This home’s own sale had the same facts. Its amount under “Facts” is what homes around it sold for" in text
    changed = replace(own, adjustments={**around, FactGroup.SIZE: 5_000.0}, adjusted=own.adjusted + 5_000.0)
    text = text_of(replace(estimate(), comparables=(changed, *others)), frame())
    assert "“Facts” is what is known to have changed, and what homes around it sold for since" in text
    assert "own sale had the same facts" not in text_of(estimate(), frame())


def test_comparables_without_coordinates_are_counted_beside_the_map() -> None:
    first, second, *others = estimate().comparables
    nowhere = [replace(one, latitude=None, longitude=None, distance_km=None) for one in (first, second)]
    text = text_of(replace(estimate(), comparables=(*nowhere, *others)), frame())
    assert "2 sales without known place: not on the map" in text
    assert text.count("place not known ·") == 2
    assert "This home" in text


def test_home_without_facts_address_or_people_still_gets_its_report() -> None:
    bare = replace(frame(), address_line=" ", prepared_for="", estimate_id=None, decided=None)
    bare = replace(bare, agent=AgentOnReport(), office=OfficeOnReport())
    answer = replace(estimate(), subject=Subject({}, estimate().subject.as_of), imputed={}, flags=(), level_id=None)
    found = pages(answer, bare)
    assert "Page 1 of 3 Price report · Nov 4, 2024 Home without facts" in found[0]
    assert "No. " not in found[0]
    assert "The home" not in found[0]


def test_typical_home_has_no_reasons() -> None:
    answer = estimate()
    plainly = replace(answer.drivers, items=(), rounding=0.0, typical=answer.point)
    text = text_of(replace(answer, drivers=plainly), frame())
    assert "All the rest" not in text
    assert "Typical home in zipcode 98103" in text


def test_very_long_names_stay_within_the_page() -> None:
    long = "Maria-Magdalena Konstantinopoulou von und zu Hohenstein " * 2
    beside = replace(
        frame(), agent=replace(frame().agent, name=long), office=OfficeOnReport(name=long, address=long, phone=long)
    )
    found = pages(estimate(), beside)
    assert len(found) == 3
    assert found[0].count("Konstantinopoulou") >= 4


def test_names_in_other_scripts_are_printed_or_transliterated() -> None:
    beside = replace(
        frame(), agent=AgentOnReport(name="Žofia Łódź Ελένη Мария"), office=OfficeOnReport(name="王小明 不動産")
    )
    first = pages(estimate(), beside)[0]
    assert "Žofia Łódź Ελένη Мария" in first
    assert "WangXiaoMing" in first


def test_a_seller_reads_of_assumed_facts_only_those_an_owner_knows() -> None:
    own = {f"x_fact_{number}": float(number) for number in range(40)}
    of_the_agent = {"units": 1.0, "latitude": 47.6, "longitude": -122.3, "crime_index": 59.0}
    imputed = {**own, **of_the_agent, "bedrooms": 3.0, "year_built": 1989.0}
    text = text_of(replace(estimate(), imputed=imputed), frame())
    assert "tell your agent what is different: 3 bedrooms, year built 1989." in text
    for word in ("fact 7", "dwelling units", "as its place", "figures of", "crime", "property type"):
        assert word not in text.partition("The facts behind it")[2].lower()


def huge(one: Comparable) -> Comparable:
    adjustments = dict.fromkeys(FactGroup, 1000000000.0)
    return replace(one, sale_price=9.9e11, time_adjusted=9.9e11, adjustments=adjustments, adjusted=9.98e11)


def test_huge_prices_stay_within_the_page() -> None:
    answer = estimate()
    answer = replace(answer, low=9.1e11, point=1e12, high=1.2e12, comparables=tuple(map(huge, answer.comparables)))
    text = text_of(answer, replace(frame(), currency="IDR", decided=None))
    assert "IDR 910.0B to IDR 1 200.0B" in text
    assert "IDR 998.0B" in text


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
        agent=AgentOnReport(name=words, phone=words, license_number=words),
        office=OfficeOnReport(name=words, address=words, phone=words),
        market_name=words,
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
        ("Zürich, Łódź €5 £6 ₹7 −3 m²", "Zürich, Łódź €5 £6 ₹7 −3\u00a0m²"),
        ("€501\u202f000, 85 m², 1,680 sq ft", "€501\u00a0000, 85\u00a0m², 1,680\u00a0sq\u00a0ft"),
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
    numbered = dict(enumerate(sales, 1))
    left, bottom, right, top = comparables_map(home, numbered, 250.0, 164.0).getBounds()
    assert left >= -1
    assert bottom >= -1
    assert right <= 251
    assert top <= 165


def test_the_map_has_gray_dots_for_other_homes_sold_and_no_stray_arc_in_a_corner() -> None:
    [near, *_] = estimate().comparables
    home = (47.6587, -122.3421)
    numbered = {1: replace(near, latitude=home[0], longitude=home[1] + 0.02)}
    beyond = (48.9, -122.3)
    drawn = comparables_map(home, numbered, 500.0, 164.0, "sqm", [(47.66, -122.34), (47.657, -122.33), beyond])
    dots = [one for one in drawn.contents if isinstance(one, Circle) and one.fillColor == FAINT]
    assert len(dots) == 3, "two on the map, and one in its legend"
    words = [one.text for one in drawn.contents if isinstance(one, String)]
    assert "Other homes sold" in words
    assert "Other homes sold" not in [
        one.text for one in comparables_map(home, numbered, 500.0, 164.0).contents if isinstance(one, String)
    ]
    # Of a circle there is a good part on the map, or nothing.
    [(star_x, star_y)] = [
        (one.points[0], one.points[1] - 8.5)
        for one in drawn.contents
        if isinstance(one, Polygon) and one.fillColor == LESS and one.points[1] > 25
    ]
    arcs = Counter(
        round(hypot(one.x1 - star_x, one.y1 - star_y))
        for one in drawn.contents
        if isinstance(one, Line) and one.strokeColor == RULE
    )
    assert len(arcs) >= 1
    assert min(arcs.values()) >= 35


def test_estimate_of_a_real_model_makes_a_report(small_desk: Desk) -> None:
    assert small_desk.bundle is not None
    profile = small_desk.bundle.model.profile
    code, typical = next(iter(profile.typical["zipcode"].items()))
    answer = small_desk.price({**typical, "zipcode": code}, profile.last_sale + timedelta(days=1), 0.8, AGENT)
    assert isinstance(answer, Estimate)
    text = text_of(answer, replace(frame(), simulated=True))
    assert f"{money(answer.low, answer.currency)} to {money(answer.high, answer.currency)}" in text
    assert money(round(answer.drivers.typical, -3), answer.currency) in text
    assert answer.data_version not in text


def test_local_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        seller_report(estimate(), replace(frame(), prepared_at=datetime(2024, 11, 4, 9, 30)))


def test_a_home_priced_beyond_the_tests_has_no_record_in_the_report() -> None:
    beyond = text_of(replace(estimate(), held=None, kept=None, segment=ABOVE), frame())
    assert "No past sale was priced like this one in our tests" in beyond
    assert "sold inside a range made like this one" not in beyond
    assert "The bar is what came true" not in beyond
    assert "Nor do our tests tell how likely such a home sells near its estimate." in beyond
    assert "the chance that the home sells" not in beyond


def test_what_only_a_tax_roll_has_is_never_listed_to_a_seller() -> None:
    usual = estimate()
    facts = {**usual.subject.facts, "assessed_rise": 22.0}
    age = Driver(FactGroup.AGE, 91_000.0, (Difference("assessed_rise", 22.0, 0.3),))
    answer = replace(
        usual,
        subject=replace(usual.subject, facts=facts),
        imputed={**usual.imputed, "assessed_rise": 0.1},
        drivers=replace(usual.drivers, items=(age, *usual.drivers.items)),
    )
    assert "assessed" not in text_of(answer, frame()).lower()
    both = replace(age, facts=(Difference("year_built", 1910.0, 1973.0), *age.facts))
    told = text_of(replace(answer, drivers=replace(answer.drivers, items=(both, *usual.drivers.items))), frame())
    assert "Year built 1910 (typical 1973), what the tax roll says" in told
    assert "assessed" not in told.lower()


def test_reasons_that_cancel_out_are_no_reason_why_a_home_is_near_a_typical_one() -> None:
    amounts, usual = amounts_of("USD", 760_000), estimate().drivers
    assert ", mostly for its living area" in beside_typical(usual, amounts, True)
    level = replace(usual, point=usual.typical + 1_000)
    assert beside_typical(level, amounts, True).endswith("what adds to its price and what takes off nearly cancel out.")
