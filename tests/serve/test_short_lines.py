"""A home in one line: its size, rooms and type, as far as they are known."""

from __future__ import annotations

import pytest

from core.serve.words import short_line
from core.store.base.markets import new_market

USD = new_market("Larkhaven", "USD", "sqft", True)


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
