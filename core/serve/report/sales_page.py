"""The page of comparable sales: each as a sum that leads to its adjusted price, and a map where places are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from core.serve.agent.away import HOME_UNPLACED, NO_PLACE, away_words, is_other_kind, is_unplaced, place_of
from core.serve.agent.sale_sum import SaleSum, market_since, sale_sum, unchanged
from core.serve.agent.sale_weights import multipliers, often_words
from core.serve.comparables import GROSS_HIGH, NET_HIGH, Comparable
from core.serve.estimate import Estimate
from core.serve.report.fit import height_of
from core.serve.report.frame import ReportFrame
from core.serve.report.map import comparables_map
from core.serve.report.typography import (
    BODY,
    BOLD,
    CELL,
    GREY,
    HEADING,
    LABEL,
    LESS,
    NUMBER,
    RULE,
    SMALL,
    markup,
    plain,
    width,
)
from core.serve.report.words import OWN_SALE, comparables_say, is_picked, left_out, numbers, sale_name, used
from core.serve.words import short_line
from core.wording import Amounts, count, market_day, percent, signed_percent

_MAP_LEAST: Final = 200.0
_MAP_MOST: Final = 420.0
_PLACE: Final = frozenset({"address", "zipcode", "neighbourhood"})
_HEAD: Final = ParagraphStyle("head", parent=NUMBER, fontSize=8, leading=10, textColor=GREY)
_NOTE: Final = ParagraphStyle("note", parent=SMALL, fontSize=8, leading=10)
_PAD: Final = 8.0
_UNCHANGED: Final = "no change"
_GRID: Final = [
    ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
    ("VALIGN", (0, 1), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, 0), 0.8, GREY),
    ("LINEBELOW", (0, 1), (-1, -1), 0.5, RULE),
    ("TOPPADDING", (0, 0), (-1, -1), 4),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ("LEFTPADDING", (0, 0), (-1, -1), _PAD / 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), _PAD / 2),
    ("LEFTPADDING", (0, 0), (0, -1), 0),
    ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
]


def sales_page(
    estimate: Estimate, frame: ReportFrame, amounts: Amounts, wide: float, room: float = 0.0
) -> list[Flowable]:
    """Return the comparables in use as a table that adds up, what they show together, and their map.

    The map grows into ``room``, the height there is for all of it.
    """
    chosen, value = used(estimate), estimate.comparable_value
    heading = Paragraph("Comparable sales", HEADING)
    if value is None or not chosen:
        sentence = "No comparable sale was used: none is near, recent and like this home, or all were dropped."
        return [heading, Paragraph(f"{sentence} The price comes from the market as a whole.", BODY)]
    valued = market_day(estimate.subject.as_of, frame.currency)
    which = "chosen by your agent" if is_picked(estimate) else _most_like(estimate, chosen)
    intro = (
        f"{count(len(chosen), 'sale')} {which}. Each price is first brought to {valued} by how the market "
        "moved, then to the facts of this home: what it sold for, market and facts add up to the adjusted price"
        f"{_rounded(chosen, amounts)}."
    )
    parts = [
        heading,
        Paragraph(markup(intro, 400), SMALL),
        Spacer(0, 6),
        _table(estimate, chosen, frame, amounts, wide),
        *_footnotes(estimate, chosen, frame),
        Spacer(0, 7),
        Paragraph(markup(comparables_say(estimate, value, amounts, frame.point_label), 500), BODY),
    ]
    return [*parts, *_map(estimate, chosen, frame, wide, room - height_of(parts, wide))]


def _rounded(chosen: Sequence[Comparable], amounts: Amounts) -> str:
    """Say to what the sums are rounded, "" where all add up as they are printed."""
    exact = all(sale_sum(one, amounts).is_exact for one in chosen)
    return "" if exact else f", rounded to {amounts.write(amounts.unit)}"


def _most_like(estimate: Estimate, chosen: Sequence[Comparable]) -> str:
    """Say of the sales in use that they are most like the home, and how many are of another kind or hardly like it."""
    other = sum(is_other_kind(one, estimate.subject.facts) for one in chosen)
    weak = sum(one.weak for one in chosen)
    if other:
        return f"of those in the records most like this home, {other} of another kind of home"
    return "least unlike this home, most of them adjusted much" if 2 * weak > len(chosen) else "most like this home"


def has_map(estimate: Estimate) -> bool:
    """Tell whether the page has a map: the places of the home and of a comparable in use are known."""
    placed = any(map(_is_placed, used(estimate)))
    return placed and place_of(estimate.subject.facts) is not None


def _table(
    estimate: Estimate, chosen: Sequence[Comparable], frame: ReportFrame, amounts: Amounts, wide: float
) -> Table:
    titles = ("Sold on", "Sold for", "Market", "Facts", "Adjusted", "Net / gross")
    sums = [sale_sum(one, amounts) for one in chosen]
    rows: list[list[Any]] = [["", Paragraph("Home", LABEL), *(Paragraph(title, _HEAD) for title in titles)]]
    rows += [_row(estimate, one, total, frame, amounts) for one, total in zip(chosen, sums, strict=True)]
    texts = [
        [market_day(one.sale_date, frame.currency) for one in chosen],
        *([_cells(total, amounts)[place] for total in sums] for place in range(4)),
        [f"{_rates(one)}*" for one in chosen],
    ]
    columns = [
        max(width(plain(text), CELL.fontSize, BOLD) for text in (*column, title)) + _PAD + 1
        for column, title in zip(texts, titles, strict=True)
    ]
    return Table(rows, [14.0, wide - 14.0 - sum(columns), *columns], style=_GRID, repeatRows=1)


def _row(estimate: Estimate, one: Comparable, total: SaleSum, frame: ReportFrame, amounts: Amounts) -> list[Any]:
    price, market, facts, adjusted = _cells(total, amounts)
    name = sale_name(one, OWN_SALE.capitalize())
    known = {name: value for name, value in one.facts.items() if name not in _PLACE}
    far, value = away_words(one, estimate, frame), estimate.comparable_value
    often = multipliers(used(estimate), value.weights).get(one.sale_id, 1.0) if value is not None else 1.0
    # One sentence below the table says that the home's own place is not known.
    kind = "another kind of home" if is_other_kind(one, estimate.subject.facts) else ""
    placed = "" if far == HOME_UNPLACED else far
    parts = [placed, short_line(known, frame) if known else "", kind, often_words(often), _mostly(one, total, amounts)]
    rates = f"{_rates(one)}*" if one.weak else _rates(one)
    weak = f'<font color="{LESS.hexval().replace("0x", "#")}">{markup(rates)}</font>' if one.weak else rates
    return [
        Paragraph(_bold(str(numbers(estimate)[one.sale_id])), CELL),
        [
            Paragraph(_bold(markup(name, 70)), CELL),
            Paragraph(markup(" · ".join(part for part in parts if part), 180), _NOTE),
        ],
        Paragraph(markup(market_day(one.sale_date, frame.currency)), NUMBER),
        *(Paragraph(markup(text), NUMBER) for text in (price, market, facts)),
        Paragraph(_bold(markup(adjusted)), NUMBER),
        Paragraph(weak, NUMBER),
    ]


def _mostly(one: Comparable, total: SaleSum, amounts: Amounts) -> str:
    """Name what most of a large sum of facts is for: "adjusted mostly for location, −$165,000"; "" of no large one."""
    if one.own or not one.adjustments or abs(total.facts) <= NET_HIGH * one.sale_price:
        return ""
    side = 1.0 if total.facts > 0 else -1.0
    group, amount = max(one.adjustments.items(), key=lambda item: side * item[1])
    return f"adjusted mostly for {group}, {amounts.change(amounts.rounded(amount))}"


def _cells(total: SaleSum, amounts: Amounts) -> tuple[str, str, str, str]:
    return (
        amounts.write(total.price),
        amounts.change(total.market) if total.market else _UNCHANGED,
        amounts.change(total.facts) if total.facts else _UNCHANGED,
        amounts.write(total.adjusted),
    )


def _rates(one: Comparable) -> str:
    return f"{signed_percent(one.net)} / {percent(one.gross)}"


# The columns alone do not give it: "Facts" adds up several with their signs, and what sold around the home since.
_GROSS: Final = (
    "Net: all of the adjustment, with its signs. Gross: each kind of fact and the market without signs, where what "
    "homes around the sale sold for since counts with the market, though it stands under “Facts”."
)


def _footnotes(estimate: Estimate, chosen: Sequence[Comparable], frame: ReportFrame) -> list[Flowable]:
    others = any(one.weak and not one.own for one in chosen)
    weak = f"* Adjusted by more than {percent(NET_HIGH)} net or {percent(GROSS_HIGH)} gross" + (
        ": less like this home than the others." if others else "."
    )
    # Where sales in between are left out, the numbers have gaps.
    kept = [numbers(estimate)[one.sale_id] for one in chosen]
    gaps = kept != [*range(1, len(kept) + 1)]
    notes = [
        _GROSS,
        weak if any(one.weak for one in chosen) else "",
        f"Numbered as in your agent’s list of {count(len(estimate.comparables), 'sale')}." if gaps else "",
        _own_words(chosen),
        left_out(estimate, frame.currency),
        NO_PLACE if is_unplaced(estimate) else "",
    ]
    return [part for note in filter(None, notes) for part in (Spacer(0, 3), Paragraph(markup(note, 400), _NOTE))]


def _own_words(chosen: Sequence[Comparable]) -> str:
    """Say what the home's own sale is adjusted for, though it was a sale of this very home; "" without one."""
    own = next((one for one in chosen if one.own), None)
    if own is None:
        return ""
    since = "what homes around it sold for since, compared with the market"
    # It is this very home: only the time since, and what was changed, can set it apart.
    moved = f"Its net and gross count the {market_since(own)} since, as those of every sale do."
    if unchanged(own):
        return f"This home’s own sale had the same facts. Its amount under “Facts” is {since}. {moved}"
    return f"Of this home’s own sale, “Facts” is what is known to have changed, and {since}. {moved}"


def _map(
    estimate: Estimate, chosen: Sequence[Comparable], frame: ReportFrame, wide: float, room: float
) -> list[Flowable]:
    """Return the map; nothing where the home's place or those of all sales are unknown."""
    home = place_of(estimate.subject.facts)
    if home is None or not has_map(estimate):
        return []
    unplaced = sum(not _is_placed(one) and not one.own for one in chosen)
    left_out = []
    if unplaced:
        words = f"{count(unplaced, 'sale')} without known place: not on the map."
        left_out = [Spacer(0, 3), Paragraph(words, _NOTE)]
    above = [Paragraph("Where they are", HEADING), Spacer(0, 2)]
    numbered = {numbers(estimate)[one.sale_id]: one for one in chosen}
    high = min(max(room - height_of([*above, *left_out], wide) - 4, _MAP_LEAST), _MAP_MOST)
    return [*above, comparables_map(home, numbered, wide, high, frame.area_unit, frame.sold_around), *left_out]


def _is_placed(one: Comparable) -> bool:
    """Tell whether a sale has a mark of its own on the map: the home's own sale lies under the star."""
    return one.latitude is not None and one.longitude is not None and not one.own


def _bold(text: str) -> str:
    return f'<font name="{BOLD}">{text}</font>'
