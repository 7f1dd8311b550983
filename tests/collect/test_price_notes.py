"""Words behind an amount do not hide it, and those of an asking price or a rent make a sale price doubtful."""

from __future__ import annotations

import math

import pytest

from core.collect.cells.amounts import read_amount
from core.collect.columns.guess import guess_file
from core.collect.inference import Inference
from core.collect.reading.reader import parse_table
from tests.collect.table_files import as_text


@pytest.mark.parametrize(
    ("text", "decimal", "amount"),
    [
        ("€ 425.000 k.k.", ",", 425_000),
        ("425.000 € VB", ",", 425_000),
        ("$425,000 firm", ".", 425_000),
        ("SEK 4 250 000 utgångspris", ",", 4_250_000),
        ("425 000 zł brutto", ",", 425_000),
        ("£310,000 ono", ".", 310_000),
        ("€ 1.450 per maand", ",", 1_450),
        ("$2,100/mo", ".", 2_100),
        ("312 500 € TTC", ",", 312_500),
        ("$412,500 (cash)", ".", 412_500),
        ("412,500*", ".", 412_500),
        ("1.2 million", ".", 1_200_000),
        ("$1.2M", ".", 1_200_000),
        ("640 m²", ".", 640),
        ("85%", ".", 85),
    ],
)
def test_an_amount_is_read_past_the_words_behind_it(text: str, decimal: str, amount: float) -> None:
    assert read_amount(text, decimal, "." if decimal == "," else ",") == amount


@pytest.mark.parametrize("text", ["firm", "VB", "k.k.", "(cash)", "", "price on request", "425,000 sold to Ann"])
def test_words_without_an_amount_are_none(text: str) -> None:
    assert math.isnan(read_amount(text, ".", ","))


def _doubts(header: str, ending: str, every: int = 1) -> tuple[str, list[Inference]]:
    rows = [
        [f"{n} Elm St", "50309", f"2023-0{1 + n % 9}-11", f"{301_000 + 700 * n:,}{ending if n % every == 0 else ''}"]
        for n in range(80)
    ]
    table = parse_table(as_text([["Address", "ZIP", "Sale Date", header], *rows]).encode(), "sales")
    mapping = guess_file(table).mapping
    column = next((rule.column for rule in mapping.rules if rule.field == "sale_price"), "")
    return column, [one for one in mapping.inferences if one.column == header and not one.sure]


@pytest.mark.parametrize(
    ("ending", "what"), [(" VB", "asking prices"), (" firm", "asking prices"), (" pcm", "rents"), ("/month", "rents")]
)
@pytest.mark.parametrize("every", [1, 4])
def test_a_sale_price_whose_cells_speak_of_asking_or_rent_is_doubtful(ending: str, what: str, every: int) -> None:
    column, doubts = _doubts("Price", ending, every)
    assert column == "Price"
    assert [what in one.claim for one in doubts] == [True]
    assert f"{80 // every} of 80 cells" in doubts[0].evidence


@pytest.mark.parametrize("ending", [" k.k.", " brutto", "*", ""])
def test_terms_behind_a_sale_price_are_no_doubt(ending: str) -> None:
    assert _doubts("Sale Price", ending) == ("Sale Price", [])
