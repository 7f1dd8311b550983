"""Parts of a living area that do not add up to it are asked about; those of true homes are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.prepare.features.columns import Columns
from core.prepare.features.facts import FactColumns
from core.schema import SQFT_PER_SQM
from core.serve.agent.advice import advice, to_review
from core.serve.review.size_parts import NO_PARTS, SizeParts, size_parts, size_parts_flags

NUMERIC = ("living_area_sqft", "x_above", "x_basement", "x_living15")
FACTS = FactColumns(numeric=NUMERIC, categorical=(), area_codes=(), located=False, renovation=False)
ABOVE_AND_BELOW = ("x_above", "x_basement")


@pytest.fixture(scope="module")
def sales(sales_data: Path) -> Columns:
    table = pd.read_csv(sales_data / "king_county/kc_house_data_2014_2015.csv")
    names = ("sqft_living", "sqft_above", "sqft_basement", "sqft_living15")
    return {new: table[old].to_numpy(float) for new, old in zip(NUMERIC, names, strict=True)}


def sentences(facts: dict[str, float | str], parts: SizeParts, unit: str = "sqft") -> tuple[str, ...]:
    found = [*size_parts_flags(facts, parts, unit, "USD")]
    assert to_review(found) == len(found)
    return advice(found)


def test_the_parts_are_found_in_either_unit_and_no_true_home_is_flagged(sales: Columns) -> None:
    assert size_parts(FACTS, sales) == SizeParts(ABOVE_AND_BELOW, 1.0)
    metric = {**sales, **{name: (sales[name] / SQFT_PER_SQM).round(1) for name in ABOVE_AND_BELOW}}
    assert size_parts(FACTS, metric) == SizeParts(ABOVE_AND_BELOW, SQFT_PER_SQM)
    parts = size_parts(FACTS, sales)
    homes = [dict(zip(NUMERIC, home, strict=True)) for home in zip(*(sales[name] for name in NUMERIC), strict=True)]
    assert not any(sentences({k: float(v) for k, v in home.items()}, parts) for home in homes[:3_000])


def test_what_does_not_add_up_is_said_with_its_sum() -> None:
    parts = SizeParts(ABOVE_AND_BELOW, 1.0)
    [said] = sentences({"living_area_sqft": 1680.0, "x_above": 1500.0, "x_basement": 1000.0}, parts)
    assert said.startswith("Living area 1,680 sq ft, with ")
    assert "1,500 sq ft and " in said
    assert said.endswith("together 2,500 sq ft: check them, they cannot all be right.")
    [alone] = sentences({"living_area_sqft": 1680.0, "x_above": 2000.0}, parts)
    assert "2,000 sq ft: check" in alone
    assert sentences({"living_area_sqft": 1680.0, "x_above": 600.0, "x_basement": 0.0}, parts)
    assert not sentences({"living_area_sqft": 1680.0, "x_above": 1000.0}, parts), "the rest may be the basement"
    assert not sentences({"living_area_sqft": 1680.0}, parts)
    [metric] = sentences(
        {"living_area_sqft": 1000.0, "x_above": 150.0}, SizeParts(ABOVE_AND_BELOW, SQFT_PER_SQM), "sqm"
    )
    assert "93 m², with " in metric
    assert "150 m²" in metric


def test_facts_that_are_no_parts_are_none(sales: Columns) -> None:
    rng = np.random.default_rng(0)
    total = sales["living_area_sqft"]
    assert size_parts(FACTS, {**sales, "x_basement": rng.permutation(sales["x_basement"])}) == NO_PARTS
    alone = {**sales, "x_above": total, "x_basement": np.zeros(len(total))}
    assert size_parts(FACTS, alone) == NO_PARTS
    assert size_parts(FACTS, {name: values[:100] for name, values in sales.items()}) == NO_PARTS
