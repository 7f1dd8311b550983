"""The market around a home on the seller's report: a typical home, and what homes like this one sold for."""

from __future__ import annotations

from typing import Final

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from core.serve.driver_words import what_moves
from core.serve.drivers import Drivers
from core.serve.estimate import Estimate
from core.serve.fact_groups import FactGroup
from core.serve.report.frame import ReportFrame
from core.serve.report.typography import BODY, BOLD, HEADING, INK, LABEL, RULE, SMALL, markup, plain, size_for
from core.serve.report.words import is_picked, used
from core.wording import Amounts, count, market_day

_FIGURE: Final = 14.0
_PAD: Final = 12.0
_TILES: Final = 3
# Where a home is nearer to a typical one than this share of its largest reason, other reasons made up for that one.
_CANCELED: Final = 0.5
_STYLE: Final = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("BOX", (0, 0), (-1, -1), 0.8, RULE),
    ("INNERGRID", (0, 0), (-1, -1), 0.8, RULE),
    ("LEFTPADDING", (0, 0), (-1, -1), _PAD),
    ("RIGHTPADDING", (0, 0), (-1, -1), _PAD / 2),
    ("TOPPADDING", (0, 0), (-1, -1), 7),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
]


def around(estimate: Estimate, frame: ReportFrame, amounts: Amounts, wide: float) -> list[Flowable]:
    """Return the part: a sentence that places the home beside a typical one, and the figures behind it."""
    drivers, sales = estimate.drivers, used(estimate)
    sold = count(drivers.sales, "past sale", currency=frame.currency)
    shows_point = frame.point_label is not None
    typical = (
        f"Typical home in {drivers.area}",
        amounts.about(drivers.typical),
        f"usual facts of {sold} there, unknown ones as here",
    )
    tiles = [typical] if shows_point else []
    if sales:
        prices = [one.sale_price for one in sales]
        days = [market_day(when(one.sale_date for one in sales), frame.currency) for when in (min, max)]
        which = "Sales chosen by your agent" if is_picked(estimate) else "Sales most like this home"
        tiles += [
            (which, count(len(sales), "sale"), " to ".join(dict.fromkeys(days))),
            ("What they sold for", amounts.span(min(prices), max(prices)), "before they are adjusted to this home"),
        ]
    column = wide / _TILES
    cells = [_tile(*tile, column - 1.5 * _PAD) for tile in tiles]
    found: list[Flowable] = [
        Paragraph("The market around it", HEADING),
        Paragraph(markup(beside_typical(drivers, amounts, shows_point), 300), BODY),
    ]
    if tiles:
        table = Table([cells], [column] * len(tiles), style=_STYLE, cornerRadii=[6, 6, 6, 6], hAlign="LEFT")
        found += [Spacer(0, 5), table]
    return found


def beside_typical(drivers: Drivers, amounts: Amounts, shows_point: bool) -> str:
    """Say where the home stands beside a typical one and what moves it most.

    "It is estimated $119,000 above a typical home in zipcode 98103, mostly for its living area."
    """
    apart = amounts.rounded(drivers.point) - amounts.rounded(drivers.typical)
    if not apart:
        return f"It is priced as a typical home in {drivers.area}."
    side = "above" if apart > 0 else "below"
    by = f"{amounts.write(abs(apart))} {side}" if shows_point else side
    same_way = [item for item in drivers.items if item.amount * apart > 0 and item.group is not FactGroup.OTHER]
    most = max(same_way, key=lambda item: abs(item.amount), default=None)
    why = f", mostly for its {what_moves(most)}" if most is not None else ""
    if most is not None and abs(apart) < _CANCELED * abs(most.amount):
        why = ": what adds to its price and what takes off nearly cancel out"
    return f"It is estimated {by} a typical home in {drivers.area}{why}."


def _tile(label: str, figure: str, words: str, room: float) -> list[Flowable]:
    size = size_for(plain(figure), _FIGURE, room, BOLD)
    style = ParagraphStyle("tile", fontName=BOLD, fontSize=size, leading=1.3 * _FIGURE, textColor=INK)
    return [
        Paragraph(markup(label, 60), LABEL),
        Paragraph(markup(figure), style),
        Paragraph(markup(words, 80), SMALL),
    ]
