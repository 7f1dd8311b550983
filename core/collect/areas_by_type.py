"""A column of areas that is the land of houses and the floor of flats, as Japan's ministry publishes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd

AREA_BY_TYPE: Final = "area_by_type"
"""The parser of such a column: its figure is the lot area of a house or a lot, the living area of other homes."""

WITH_LAND: Final = frozenset({"single_family", "townhouse", "duplex", "land"})
"""Types of property sold with their land."""


def divide_by_type(columns: dict[str, pd.Series], figures: Iterable[pd.Series]) -> None:
    """Fill lot and living areas, both in square feet, from columns that are either by the type of the row."""
    for values in figures:
        missing = pd.Series(np.nan, index=values.index)
        types = columns.get("property_type", missing.astype("str"))
        has_land = types.isin(list(WITH_LAND))
        columns["lot_area_sqft"] = columns.get("lot_area_sqft", missing).fillna(values.where(has_land))
        columns["living_area_sqft"] = columns.get("living_area_sqft", missing).fillna(values.mask(has_land))
