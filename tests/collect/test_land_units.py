"""Units of land of many countries, in cells and headers; a unit that is not known makes its column doubtful."""

from __future__ import annotations

import numpy as np
import pytest

from tests.collect.made_sales import ROWS, SQFT, fields_of, guess_of, mapped, to_check

SQFT_PER_SQM = 10.7639104167
FIGURES = np.round(np.linspace(2.5, 21.0, ROWS), 1)


@pytest.mark.parametrize(
    ("word", "factor"),
    [
        ("ares", 100 * SQFT_PER_SQM),
        ("Marla", 225.0),
        ("rai", 1_600 * SQFT_PER_SQM),
        ("ไร่", 1_600 * SQFT_PER_SQM),
        ("dunam", 1_000 * SQFT_PER_SQM),
        ("соток", 100 * SQFT_PER_SQM),
        ("tsubo", 400 / 121 * SQFT_PER_SQM),
        ("ha", 10_000 * SQFT_PER_SQM),
    ],
)
def test_lots_are_in_the_unit_that_their_cells_end_in(word: str, factor: float) -> None:
    table = mapped({"Lot Size": [f"{figure} {word}" for figure in FIGURES]})
    assert np.allclose(table.frame["lot_area_sqft"], FIGURES * factor)


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("Land Area (ha)", "hectare"),
        ("lot_ha", "hectare"),
        ("Plot Size (Marla)", "marla"),
        ("Lot Size, ares", "are"),
        ("Lot Size (rai)", "rai"),
        ("Land Size [dunam]", "dunam"),
    ],
)
def test_lots_are_in_the_unit_that_the_header_ends_in(header: str, unit: str) -> None:
    rules = {rule.column: rule for rule in guess_of({header: FIGURES}).mapping.rules}
    assert (rules[header].field, rules[header].unit) == ("lot_area_sqft", unit)


def test_rows_of_two_units_are_each_read_in_their_own() -> None:
    cells = [f"{n % 3 + 1} Kanal" if n % 4 == 0 else f"{n % 15 + 3} Marla" for n in range(ROWS)]
    areas = mapped({"Plot Size": cells}).frame["lot_area_sqft"]
    assert (areas[0], areas[1]) == (4_500.0, 900.0)


@pytest.mark.parametrize(("word", "size"), [("Marla", "225"), ("dunam", "1,000 m2")])
def test_a_unit_that_has_several_sizes_is_to_check(word: str, size: str) -> None:
    assert size in to_check(guess_of({"Lot Size": [f"{figure} {word}" for figure in FIGURES]}))["Lot Size"]


@pytest.mark.parametrize("word", ["bigha", "feddan", "Katha"])
def test_a_unit_that_is_not_known_is_to_check(word: str) -> None:
    doubt = to_check(guess_of({"Lot Size": [f"{figure} {word}" for figure in FIGURES]}))["Lot Size"]
    assert word in doubt
    assert "no unit that is known" in doubt


@pytest.mark.parametrize("cells", ["{} sq ft", "{} SF", "{}", "{} approx", "{} sqft"])
def test_usual_units_are_not_doubted(cells: str) -> None:
    guess = guess_of({"Living Area": [cells.format(area) for area in SQFT]}, "SqFt")
    assert fields_of(guess)["Living Area"] == "living_area_sqft"
    assert "Living Area" not in to_check(guess)


@pytest.mark.parametrize(("header", "words"), [("Unit", ("SF", "SM")), ("Area Unit", ("sqft", "sqm"))])
def test_the_unit_of_an_area_is_no_apartment(header: str, words: tuple[str, str]) -> None:
    units = [words[n % 2] for n in range(ROWS)]
    areas = [
        area if unit == words[0] else round(area / SQFT_PER_SQM, 1) for area, unit in zip(SQFT, units, strict=True)
    ]
    guess = guess_of({"Area": areas, header: units}, "SqFt")
    assert header not in fields_of(guess)
    assert [rule.unit_column for rule in guess.mapping.rules if rule.column == "Area"] == [header]
