"""A home in one line, its size, rooms and type as far as they are known; and its areas as they are typed."""

from __future__ import annotations

import pytest

from core.schema import SQFT_PER_SQM
from core.serve.words import short_line, typed
from core.store.base.markets import new_market

USD = new_market("Larkhaven", "USD", "sqft", True)
AUD = new_market("Melbourne", "AUD", "sqm", False)


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (
            {"living_area_sqft": 1_680.0, "bedrooms": 3.0, "property_type": "single_family"},
            "1,680 sq ft · 3 bd · single family",
        ),
        ({"living_area_sqft": 1_680.0, "bedrooms": 3.0, "bathrooms": 2.0}, "1,680 sq ft · 3 bd · 2 ba"),
        ({"living_area_sqft": 900.0, "property_type": "condo"}, "900 sq ft · condo"),
    ],
)
def test_a_home_is_named_by_size_rooms_and_type(facts: dict[str, object], line: str) -> None:
    assert short_line(facts, USD) == line


@pytest.mark.parametrize(
    ("name", "text", "sqft", "from_sqm"),
    [
        ("lot_area_sqft", "0.25 acre", 10_890.0, 10_890.0),
        ("lot_area_sqft", "0.25ac", 10_890.0, 10_890.0),
        ("lot_area_sqft", "1,200 m²", 1_200 * SQFT_PER_SQM, 1_200 * SQFT_PER_SQM),
        ("living_area_sqft", "1,680 sq ft", 1_680.0, 1_680.0),
        ("living_area_sqft", "1,680", 1_680.0, 1_680 * SQFT_PER_SQM),
    ],
)
def test_an_area_typed_with_its_unit_is_read_in_it(name: str, text: str, sqft: float, from_sqm: float) -> None:
    assert typed(name, text, USD) == pytest.approx(sqft, rel=1e-4)
    assert typed(name, text, AUD) == pytest.approx(from_sqm, rel=1e-4)


@pytest.mark.parametrize("text", ["about 1700", "0.04 acre", "a lot"])
def test_what_is_no_living_area_stays_as_typed(text: str) -> None:
    assert typed("living_area_sqft", text, USD) == text
