"""An estimate with everything in it, made by hand, so that reports can be tested without a model."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO

from PIL import Image, ImageDraw

from core.serve.comparables import Comparable, ComparableValue
from core.serve.drivers import Difference, Driver, Drivers
from core.serve.estimate import Estimate
from core.serve.fact_groups import FactGroup
from core.serve.report.frame import AgentOnReport, Decided, OfficeOnReport, ReportFrame
from core.serve.review.flag import Flag, FlagKind, Severity
from core.serve.subject import Subject, Value
from core.train.bundle import RangeCoverage

HOME: dict[str, Value] = {
    "address": "4217 Wallingford Avenue North",
    "zipcode": "98103",
    "latitude": 47.6587,
    "longitude": -122.3362,
    "property_type": "single_family",
    "living_area_sqft": 2140.0,
    "lot_area_sqft": 4000.0,
    "bedrooms": 4.0,
    "bathrooms": 2.5,
    "floors": 2.0,
    "year_built": 1939.0,
    "year_renovated": 2018.0,
    "condition": 4.0,
    "grade": 8.0,
    "waterfront": 0.0,
    "school_rating": 4.0,
    "walk_score": 83.0,
}
STREETS = (
    ("4102 Densmore Avenue North", 0.0031, -0.0020),
    ("1815 North 45th Street", 0.0020, 0.0046),
    ("3926 Burke Avenue North", -0.0049, 0.0029),
    ("4408 Meridian Avenue North", 0.0021, 0.0024),
    ("3618 Corliss Avenue North", -0.0092, 0.0058),
    ("4530 Stone Way North, Unit B", 0.0041, -0.0081),
    ("5012 Kirkwood Place North", 0.0100, 0.0030),
)


def comparable(number: int) -> Comparable:
    street, north, east = STREETS[number]
    price = 742_000.0 + 17_350 * number
    adjustments = {FactGroup.SIZE: 24_300.0 - 9_000 * number, FactGroup.QUALITY: -8_150.0, FactGroup.AGE: 3_900.0}
    time_adjusted = price * 1.021
    return Comparable(
        sale_id=f"s{number}",
        address=street,
        facts={"living_area_sqft": 1_980.0 + 60 * number, "bedrooms": 3.0, "bathrooms": 2.0, "zipcode": "98103"},
        latitude=47.6587 + north,
        longitude=-122.3362 + east,
        distance_km=0.38 + 0.17 * number,
        similarity=0.93 - 0.04 * number,
        sale_date=date(2024, 9 - number, 12),
        sale_price=price,
        time_adjusted=time_adjusted,
        adjustments=adjustments,
        adjusted=time_adjusted + sum(adjustments.values()),
    )


def drivers() -> Drivers:
    def driver(group: FactGroup, amount: float, name: str, typical: Value) -> Driver:
        return Driver(group, amount, (Difference(name, HOME[name], typical),))

    items = (
        driver(FactGroup.SIZE, 96_400, "living_area_sqft", 1680.0),
        driver(FactGroup.PLACE, 31_250, "walk_score", 71.0),
        driver(FactGroup.AGE, -22_700, "year_built", 1962.0),
        driver(FactGroup.QUALITY, 18_900, "condition", 3.0),
        driver(FactGroup.PLOT, -9_150, "lot_area_sqft", 5100.0),
        driver(FactGroup.ROOMS, 6_300, "bathrooms", 2.0),
    )
    return Drivers("zipcode 98103", 812, 641_200, items, -2_200, 760_000)


def flags() -> tuple[Flag, ...]:
    wide = "Complete the facts, or narrow the range with sales you know."
    return (
        Flag(FlagKind.IMPUTED_FACT, Severity.NOTE, "garage_spaces", "not given", "filled", "Enter it."),
        Flag(FlagKind.WIDE_RANGE, Severity.NOTE, "range", "34% of the estimate", "30%", wide),
        Flag(FlagKind.PRICE_OUT_OF_SCOPE, Severity.REVIEW, "estimate", "760,000", "100,000 to 750,000", "Review it."),
    )


def estimate() -> Estimate:
    sales = tuple(comparable(number) for number in range(len(STREETS)))
    weights = {one.sale_id: one.similarity / sum(other.similarity for other in sales[:6]) for one in sales[:6]}
    return Estimate(
        subject=Subject(HOME, date(2024, 11, 4)),
        currency="USD",
        low=715_000.0,
        high=810_000.0,
        point=760_000.0,
        exact=759_812.4,
        level=0.8,
        held=RangeCoverage(0.79, 412),
        segment="single family, 98103",
        confidence=72,
        confidence_word="medium",
        kept=RangeCoverage(0.57, 388),
        fsd=0.083,
        flags=flags(),
        imputed={"garage_spaces": 1.0, "view": 0.0},
        data_version="9f31c2d4a7be",
        last_sale=date(2024, 10, 30),
        market_shift=0.0214,
        level_id="7c1e90ab44d2",
        drivers=drivers(),
        comparables=sales,
        comparable_value=ComparableValue(777_632.0, 798_400.0, 821_204.0, 776_000.0, True, weights),
        trained_through=date(2024, 8, 31),
    )


def frame() -> ReportFrame:
    return ReportFrame(
        market_name="King County",
        simulated=False,
        currency="USD",
        area_unit="sqft",
        address_line="4217 Wallingford Avenue North, Seattle, WA 98103",
        prepared_for="Maria and Tom Keller",
        prepared_at=datetime(2024, 11, 4, 9, 30, tzinfo=UTC),
        estimate_id="a1b2c3d4e5f60718",
        tolerance=0.1,
        agent=AgentOnReport(name="Ana Lindqvist", phone="206-555-0142", license_number="WA-88217"),
        office=OfficeOnReport(name="Harbour Street Realty", address="12 Harbour Street, Seattle", phone="206-555-0100"),
        decided=Decided(765_000.0, 779_000.0, date(2024, 11, 3)),
    )


def picture(wide: int, high: int, kind: str = "JPEG") -> bytes:
    """A picture with a pattern: a disk on a colored ground, see-through around it in a PNG."""
    ground = (0, 0, 0, 0) if kind == "PNG" else (11, 102, 112)
    made = Image.new("RGBA" if kind == "PNG" else "RGB", (wide, high), ground)
    ImageDraw.Draw(made).ellipse((wide // 8, high // 8, wide * 7 // 8, high * 7 // 8), fill=(191, 79, 0))
    written = BytesIO()
    made.save(written, kind)
    return written.getvalue()
