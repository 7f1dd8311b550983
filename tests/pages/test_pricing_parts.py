"""The parts behind an answer, as pure functions: the agent's choice of comparables, charts and tables that add up."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.serve.agent.away import place_of
from core.serve.agent.map_tiles import TILES, read_tiles
from core.serve.agent.sale_sum import sale_sum
from core.serve.agent.sale_weights import is_firm
from core.serve.agent.sold_around import SHOWN_MAX
from core.serve.comparables import Comparable, ComparableValue
from core.serve.driver_words import sentences
from core.serve.drivers import Driver, Drivers
from core.serve.estimate import Estimate
from core.serve.fact_groups import FactGroup
from core.serve.report.waterfall import Goal, report_steps
from core.serve.report.words import comparables_say
from core.train.ranges import round_for_display
from core.wording import amounts_of, half_up, money_short
from core.workflows.pricing.desk import Desk
from pages.kit.palette import LIGHT
from pages.views.estimate import comparables
from pages.views.estimate import drivers as drivers_view
from pages.views.estimate.comparables_choice import Choice, first_choice, value_of
from pages.views.estimate.comparables_map import draw_map, sale_chosen
from pages.views.pricing import money_axis
from tests.small_market import MANAGER

AMOUNT = st.integers(-10_000_000, 10_000_000).map(float)


@pytest.fixture(scope="module")
def estimate(small_desk: Desk) -> Estimate:
    assert small_desk.bundle is not None
    profile = small_desk.bundle.model.profile
    facts = {"zipcode": next(iter(profile.area_codes["zipcode"])), "living_area_sqft": 1_680.0, "bedrooms": 3.0}
    found = small_desk.price(facts, profile.last_sale + timedelta(days=1), 0.8, MANAGER)
    assert isinstance(found, Estimate)
    assert found.comparables
    return found


@pytest.fixture(scope="module")
def placed(estimate: Estimate) -> Estimate:
    """The estimate of a home whose place is given."""
    place = {name: estimate.imputed[name] for name in ("latitude", "longitude")}
    home = replace(estimate.subject, facts={**estimate.subject.facts, **place})
    left = {name: value for name, value in estimate.imputed.items() if name not in place}
    return replace(estimate, subject=home, imputed=left)


def number(shown: str) -> float:
    """Read an amount of US dollars, whole or in short form."""
    bare = re.sub(r"[\\$,*+]", "", shown).replace("−", "-")
    return round(float(bare.rstrip("KMB")) * {"K": 1e3, "M": 1e6, "B": 1e9}.get(bare[-1:], 1.0), 3)


@given(
    typical=st.integers(1, 10_000_000).map(float), amounts=st.lists(AMOUNT, max_size=8), rounding=st.integers(-500, 500)
)
def test_the_table_of_drivers_adds_up_to_the_estimate_as_it_is_shown(
    small_desk: Desk, typical: float, amounts: list[float], rounding: int
) -> None:
    items = tuple(Driver(group, amount, ()) for group, amount in zip(FactGroup, amounts, strict=False))
    point = typical + sum(item.amount for item in items) + rounding
    drivers = Drivers("the market", 1, typical, items, float(rounding), point)
    shown = [number(text) for text in drivers_view.table(drivers, small_desk.market)["Amount"]]
    assert sum(shown[:-1]) == pytest.approx(shown[-1], abs=1e-6)
    if point > 0:
        figure = drivers_view.waterfall(drivers, small_desk.market, LIGHT)
        [bars] = figure.data
        labels = [one for one in figure.layout.annotations if one.bgcolor == LIGHT.page]
        assert [one.text for one in labels] == list(bars.text), "no line crosses a label"
        assert labels[-1].x == point
        assert bars.base + sum(bars.x) == pytest.approx(point, abs=1e-6)
        assert bars.x[-1] == 0, "the estimate is a mark: a bar of its row would be read as its amount"
        [mark] = [one for one in figure.layout.shapes if one.yref != "paper"]
        assert (mark.x0, mark.x1) == (point, point)


def test_a_choice_counts_what_is_ticked_as_often_as_it_says(estimate: Estimate) -> None:
    first, second, *_ = (sale.sale_id for sale in estimate.comparables)
    chosen = Choice(frozenset({first, second}), {})
    assert chosen.with_weight(second, 0.0).used == {first}
    assert chosen.without_sale(first).with_sale(first) == chosen
    doubled = value_of(estimate, chosen.with_weight(first, 2.0))
    once = value_of(estimate, chosen)
    assert doubled is not None
    assert once is not None
    assert doubled.weights[first] / doubled.weights[second] == pytest.approx(
        2 * once.weights[first] / once.weights[second]
    )
    assert value_of(estimate, Choice(frozenset(), {})) is None
    assert chosen.with_weight(first, 2.0).with_weight(first, 1.0) == chosen


def test_the_first_choice_is_what_the_estimate_was_made_with(estimate: Estimate) -> None:
    assert value_of(estimate, first_choice(estimate.comparables)) == estimate.comparable_value


def test_the_adjustments_shown_lead_from_price_to_adjusted_price(estimate: Estimate, small_desk: Desk) -> None:
    chosen = first_choice(estimate.comparables)
    table = comparables.adjustments(estimate, chosen, small_desk.market)
    assert len(table) == len(chosen.used)
    for sale in estimate.comparables:
        told = sale.sale_price + (sale.time_adjusted - sale.sale_price) + sum(sale.adjustments.values())
        assert told == pytest.approx(sale.adjusted)
    editor = comparables.table(estimate, chosen, small_desk.market)
    assert editor["Use"].sum() == len(chosen.used)
    assert editor["No."].tolist() == list(range(1, len(estimate.comparables) + 1))


def test_the_map_numbers_the_sales_as_the_table_does_and_marks_those_in_use(
    estimate: Estimate, placed: Estimate, small_desk: Desk
) -> None:
    chosen = first_choice(estimate.comparables)
    value = value_of(estimate, chosen)
    assert value is not None
    figure = draw_map(placed, chosen.used, dict(value.weights), small_desk.market, LIGHT)
    assert figure is not None
    around, others, mine, home = figure.data
    assert not around.x
    assert not figure.layout.images
    assert [*mine.text] == [str(n) for n in range(1, len(chosen.used) + 1)]
    assert len(others.text) == len(estimate.comparables) - len(chosen.used)
    assert home.marker.symbol == "star"
    assert all(trace.type == "scatter" for trace in figure.data), "WebGL traces do not draw under the content policy"


def test_without_coordinates_there_is_no_map(estimate: Estimate, placed: Estimate, small_desk: Desk) -> None:
    placeless = replace(estimate, imputed={}, subject=replace(estimate.subject, facts={}))
    assert place_of(placeless.subject.facts) is None
    assert draw_map(placeless, frozenset(), {}, small_desk.market, LIGHT) is None
    unplaced = replace(placed, comparables=tuple(replace(sale, latitude=None) for sale in placed.comparables))
    assert draw_map(unplaced, frozenset(), {}, small_desk.market, LIGHT) is None


def test_of_a_home_whose_place_is_assumed_there_are_neither_distances_nor_a_map(
    estimate: Estimate, placed: Estimate, small_desk: Desk
) -> None:
    """An answer of an earlier release has distances from the middle of the home's area."""
    market, chosen = small_desk.market, first_choice(estimate.comparables)
    assert {one.distance_km for one in estimate.comparables} == {None}
    near = [replace(one, distance_km=0.0) for one in placed.comparables]
    before = replace(estimate, comparables=tuple(near))
    assert draw_map(before, frozenset(), {}, market, LIGHT) is None
    assert {*comparables.table(before, chosen, market)["Distance"]} == {"this home’s place not known"}
    for sale in near:
        said = comparables.describe(sale, chosen, before, market)
        assert "place" not in said, "one line above the cards says it"
        assert "away" not in said
        assert "0 ft away" in comparables.describe(sale, chosen, placed, market)
        unplaced = comparables.describe(replace(sale, latitude=None), chosen, placed, market)
        assert "· place not known" in unplaced
        assert "away" not in unplaced


def test_the_map_shows_homes_sold_around_as_dots_and_no_ring_label_over_another(
    placed: Estimate, small_desk: Desk
) -> None:
    assert small_desk.live_model is not None
    figure = draw_map(placed, frozenset(), {}, small_desk.market, LIGHT, small_desk.live_model.sales)
    assert figure is not None
    dots = figure.data[0]
    # A dot that is pressed names its sale, which can be added as one found by its address; a number names none.
    offered = {one.sale_id for one in placed.comparables}
    pressed = next(one for one in dots.customdata if one not in offered)
    assert sale_chosen([{"curve_number": 0, "customdata": pressed}]) == pressed
    assert sale_chosen([{"curve_number": 2, "customdata": ["1 Elm St", ""]}]) is None
    assert len(dots.customdata) == len(dots.x) == len(dots.text)
    assert 0 < len(figure.data[0].x) <= SHOWN_MAX
    *rings, north = figure.layout.annotations
    assert north.text == "N ↑"
    assert 1 <= len(rings) <= len(figure.layout.shapes)
    assert all(label.text.endswith((" mi", " ft")) for label in rings)


def test_streets_lie_below_the_map_where_the_office_has_a_tile_server(placed: Estimate, small_desk: Desk) -> None:
    server = read_tiles({TILES: "https://tiles.example.com/{z}/{x}/{y}.png"})
    figure = draw_map(placed, frozenset(), {}, small_desk.market, LIGHT, None, server)
    assert figure is not None
    assert figure.layout.images
    assert {image.layer for image in figure.layout.images} == {"below"}
    assert all(image.source.startswith("https://tiles.example.com/") for image in figure.layout.images)


@given(
    price=st.floats(500, 2e7),
    moved=st.floats(-0.4, 0.4),
    facts=st.floats(-0.6, 0.6),
    currency=st.sampled_from(["USD", "EUR"]),
)
def test_a_card_adds_up_as_it_is_written(
    estimate: Estimate, price: float, moved: float, facts: float, currency: str
) -> None:
    time_adjusted = price * (1 + moved)
    sale = replace(
        estimate.comparables[0],
        sale_price=price,
        time_adjusted=time_adjusted,
        adjustments={FactGroup.SIZE: price * facts},
        adjusted=time_adjusted + price * facts,
    )
    amounts = amounts_of(currency, price)
    written = sale_sum(sale, amounts).words(amounts)
    assert not re.search(r"[−+] \D?0[KM]? ", written), "what does not change is said in words"
    for part in ("market", "facts"):
        written = written.replace(f", no change for {part}", f" + 0 {part}")
    signs = [-1 if sign == "−" else 1 for sign in re.findall(r"[−+](?= )", written)]
    first, market, of_facts, total = map(number, re.findall(r"[\d,.]+[KM]?", written.replace("\u202f", ",")))
    summed = first + signs[0] * market + signs[1] * of_facts
    assert first == half_up(price), "a recorded price is written as recorded"
    assert ("about" in written) == (summed != total), "where the sum is rounded, it says so"
    assert total - amounts.unit / 2 <= summed < total + amounts.unit / 2, "rounded half up from what is printed"
    assert abs(total - sale.adjusted) <= amounts.unit / 2


def test_a_weak_comparable_is_marked(estimate: Estimate, small_desk: Desk) -> None:
    chosen, sale = first_choice(estimate.comparables), estimate.comparables[0]
    weak = replace(sale, adjusted=sale.sale_price * 1.2)
    assert ":orange[net \\+20% ▲]" in comparables.describe(weak, chosen, estimate, small_desk.market)
    plain_sale = replace(sale, time_adjusted=sale.sale_price, adjustments={}, adjusted=sale.sale_price)
    assert ":orange" not in comparables.describe(plain_sale, chosen, estimate, small_desk.market)


@given(net=st.floats(-0.3, 0.3), more=st.floats(0, 0.2))
def test_a_sale_is_marked_by_the_percentages_that_are_shown(estimate: Estimate, net: float, more: float) -> None:
    """ "above 25%": a shown 25% is never marked, a shown 26% always, nor is 15% net; the report has the same marks."""
    price = 400_000.0
    moved = price * (1 + net + more)
    sale = replace(
        estimate.comparables[0],
        sale_price=price,
        time_adjusted=moved,
        adjustments={FactGroup.SIZE: -price * more},
        adjusted=moved - price * more,
        around=0.0,
    )
    shown = [(comparables.net(sale), 15, sale.net_is_high), (comparables.gross(sale), 25, sale.gross_is_high)]
    for text, most, is_high in shown:
        percent = int(re.sub(r"[+−%▲ ]", "", text))
        assert ("▲" in text) == is_high == (percent > most)
    assert sale.weak == (sale.net_is_high or sale.gross_is_high)


@settings(max_examples=40)
@given(
    point=st.floats(20_000, 9e10),
    typical=st.floats(0.4, 2.5),
    shares=st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=8),
)
def test_one_amount_reads_the_same_wherever_it_stands(
    estimate: Estimate, small_desk: Desk, point: float, typical: float, shares: list[float]
) -> None:
    """In the chart, in words, in tables, on cards and in the report: one value, rounded once."""
    market, point = small_desk.market, float(round_for_display(point))
    amounts = amounts_of(market.currency, point)
    items = tuple(Driver(group, round(point * share), ()) for group, share in zip(FactGroup, shares, strict=False))
    typical = round(point * typical)
    drivers = Drivers("the market", 1, typical, items, point - typical - sum(one.amount for one in items), point)
    figure, shown = drivers_view.waterfall(drivers, market, LIGHT), drivers.main_steps(amounts.rounded)
    [line] = [one.text for one in figure.layout.annotations if one.text.startswith("Typical home")]
    rows: dict[str, str] = dict(drivers_view.table(drivers, market).itertuples(index=False))
    words = [one.rpartition("about ")[2].rstrip(".") for one in sentences(drivers, shown, market)]
    steps = {step.label: step.amount for step in report_steps(drivers, Goal(point, point, "Estimate"), market, amounts)}
    start = "Typical home in the market"
    found = [line.removeprefix("Typical home "), rows[start], words[0], steps[start]]
    assert {number(one) for one in found} == {amounts.rounded(typical)}
    ends = [rows["Estimate"], words[-1], steps["Estimate"], money_short(point, "USD")]
    assert {number(one) for one in ends} == {point}
    [bars] = figure.data
    for name, text in zip(bars.y[:-1], bars.text, strict=False):
        assert number(text) == number(steps[name]) == number(rows.get(name, text))


@settings(max_examples=40)
@given(point=st.floats(20_000, 9e10), mean=st.floats(0.8, 1.2))
def test_the_price_of_a_sale_reads_the_same_on_its_card_in_tables_in_words_and_in_the_report(
    estimate: Estimate, small_desk: Desk, point: float, mean: float
) -> None:
    market, adjusted = small_desk.market, point * mean
    amounts, sale = amounts_of(market.currency, point), estimate.comparables[0]
    sale = replace(sale, sale_price=point, time_adjusted=point, adjustments={}, adjusted=adjusted)
    weights = {sale.sale_id: 1.0}
    value = ComparableValue(adjusted, adjusted, adjusted, adjusted, agrees=True, weights=weights)
    answer = replace(estimate, point=point, comparables=(sale,), comparable_value=value)
    chosen = Choice(frozenset(weights), {})
    card = comparables.describe(sale, chosen, answer, market).partition("**")[2].partition("**")[0]
    row = comparables.adjustments(answer, chosen, market).iloc[0, -1]
    money_in = re.compile(r"\$[\d,]+(?:\.\d+)?[KMB]?")
    report = money_in.findall(comparables_say(answer, value, amounts, "Estimate"))
    told = money_in.findall(comparables.agreement(answer, value, market))[0]
    assert {number(one) for one in (card, row, told, *report)} == {amounts.rounded(adjusted)}


@given(amounts=st.lists(AMOUNT, min_size=6, max_size=8))
def test_the_reasons_beyond_the_five_largest_are_one_step_and_still_add_up(
    small_desk: Desk, amounts: list[float]
) -> None:
    items = tuple(Driver(group, amount, ()) for group, amount in zip(FactGroup, amounts, strict=False))
    drivers = Drivers("the market", 1, 1.0, items, 3.0, 1.0 + sum(amounts) + 3.0)
    shown = drivers_view.main_steps(drivers, small_desk.market)
    assert len(shown) <= 6
    assert [name for name, _ in shown[5:]] in ([], ["All the rest"])
    start = drivers.main_steps(amounts_of("USD", drivers.point).rounded).start
    assert start + sum(amount for _, amount in shown) == pytest.approx(drivers.point, abs=1e-6)
    # What is named is rounded as in the seller's report, and rounding itself is no reason.
    few = Drivers("the market", 1, 300_400.0, (Driver(FactGroup.SIZE, 9_300.0, ()),), 300.0, 310_000.0)
    assert drivers_view.main_steps(few, small_desk.market) == [("Living area", 10_000.0)]


def test_agreement_is_said_in_a_sentence(estimate: Estimate, small_desk: Desk) -> None:
    value = estimate.comparable_value
    assert value is not None
    market = small_desk.market
    value = replace(value, confirms=True)
    # Sales adjusted by nothing are no weak ones.
    alike = [
        replace(one, time_adjusted=one.sale_price, adjustments={}, adjusted=one.sale_price)
        for one in estimate.comparables
    ]
    estimate = replace(estimate, comparables=tuple(alike))
    agrees = replace(value, agrees=True)
    above = replace(value, mean=2 * estimate.high, agrees=False)
    below = replace(value, mean=estimate.low / 2, agrees=False)
    unlike = comparables.agreement(estimate, replace(agrees, confirms=False, adjusted_by=1.27), market)
    assert "No sale here is enough like this home to confirm its price" in unlike
    assert "adjusted by 127% on average" in unlike
    assert "agree" not in unlike
    assert "agree: " in comparables.agreement(estimate, agrees, market)
    assert "lies above the model’s 80% range" in comparables.agreement(estimate, above, market)
    assert "lies below the model’s 80% range" in comparables.agreement(estimate, below, market)
    assert "No comparable is in use" in comparables.agreement(estimate, None, market)
    # One sale agrees with nobody, wherever it lies.
    one = replace(agrees, weights={estimate.comparables[0].sale_id: 1.0}, mean=0.8 * estimate.point)
    told = comparables.agreement(estimate, one, market)
    assert told.startswith("The one sale in use points to ")
    assert "−20% from the estimate" in told
    assert "one sale confirms little" in told
    assert not is_firm(estimate.comparables, one)


def test_the_own_sale_is_adjusted_for_what_sold_around_it_and_not_for_facts(estimate: Estimate) -> None:
    sale = replace(
        estimate.comparables[0],
        own=True,
        sale_price=459_000.0,
        time_adjusted=462_000.0,
        adjustments={FactGroup.PLACE: -8_000.0},
        adjusted=454_000.0,
        around=-8_000.0,
    )
    amounts = amounts_of("USD", 459_000.0)
    assert sale_sum(sale, amounts).words(amounts) == "$459K + $3K market − $8K for what sold around it since = $454K"
    changed = replace(sale, adjustments={FactGroup.PLACE: -8_000.0, FactGroup.SIZE: 9_000.0}, adjusted=463_000.0)
    assert sale_sum(changed, amounts).words(amounts).endswith("+ $1K facts = $463K")


def test_an_asking_price_beyond_the_axis_is_an_arrow_with_its_amount_and_dots_are_the_sales_in_use(
    estimate: Estimate,
) -> None:
    used = [one.adjusted for one in estimate.comparables[:3]]
    inside = money_axis.axis(estimate, estimate.high, used)
    assert ("class='asking'" in inside, "→" in inside, inside.count("class='dot'")) == (True, False, 3)
    far = money_axis.axis(estimate, 5 * estimate.high, used)
    assert "class='asking'" not in far
    assert f"◆ {money_short(5 * estimate.high, 'USD')} →" in far
    assert f"← {money_short(estimate.low / 50, 'USD')} ◆" in money_axis.axis(estimate, estimate.low / 50, used)
    away = money_axis.legend(estimate, None, [*used, 9 * estimate.high])
    assert away == "○ comparable sales in use, adjusted (1 of them beyond this axis)"
    assert "○" not in money_axis.legend(estimate, None, [])
    # A sale beyond the axis leaves no empty half of it.
    assert money_axis.bounds(estimate, None, [*used, 9 * estimate.high]) == money_axis.bounds(estimate, None, used)


def test_old_sales_are_named_by_why_they_are_compared(estimate: Estimate) -> None:
    day = estimate.subject.as_of
    late = replace(estimate.comparables[0], sale_date=day, own=False)
    offered = replace(late, sale_date=day - timedelta(days=900))
    own, added = replace(offered, own=True), replace(offered, added=True)

    def told(*sales: Comparable) -> str:
        return comparables.old_words(replace(estimate, comparables=sales))

    assert told(late) == ""
    assert told(own, late) == "More than a year old: this home’s own sale."
    assert told(late, added) == "More than a year old: 1 that you added."
    everything = told(own, offered, late, added)
    assert "own sale; 1 that you added; 1 here because too few homes like this one sold since." in everything


def test_the_homes_own_sale_is_no_house_beside_it_on_the_map(placed: Estimate, small_desk: Desk) -> None:
    own = (replace(placed.comparables[0], own=True), *placed.comparables[1:])
    used = {one.sale_id for one in own}
    figure = draw_map(replace(placed, comparables=own), used, {}, small_desk.market, LIGHT)
    assert figure is not None
    assert "1" not in [text for trace in figure.data for text in (trace.text or ())]
    assert "2" in [text for trace in figure.data for text in (trace.text or ())]


def test_comparables_that_are_mostly_weak_confirm_little_whatever_their_mean(
    estimate: Estimate, small_desk: Desk
) -> None:
    used = estimate.comparables[:3]
    firm = [replace(one, time_adjusted=one.sale_price, adjustments={}, adjusted=one.sale_price) for one in used]
    weak = [replace(one, adjusted=1.2 * one.sale_price) for one in used]
    value = estimate.comparable_value
    assert value is not None
    value = replace(value, agrees=True, confirms=True, weights={one.sale_id: 1 / 3 for one in used})
    told = comparables.agreement(replace(estimate, comparables=tuple(weak)), value, small_desk.market)
    assert "but 3 of 3 in use are weak (▲): they confirm little." in told
    assert "agree: " in comparables.agreement(replace(estimate, comparables=tuple(firm)), value, small_desk.market)
