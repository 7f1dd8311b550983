"""An encoding that is guessed with little margin is said with a word as it was read; one that is proven is not."""

from __future__ import annotations

import pytest

from core.collect.columns.guess import guess_file
from core.collect.inference import Inference
from core.collect.reading.reader import parse_table
from core.collect.reading.table import ReadingChoice
from tests.collect.table_files import as_text


def _notes(places: list[str], encoding: str, choice: ReadingChoice | None = None) -> tuple[str, list[Inference]]:
    rows = [
        ["Address", "City", "Sale Date", "Sale Price"],
        *(
            [f"{n} Main St", places[n % len(places)], f"2023-0{1 + n % 9}-11", str(301_000 + 700 * n)]
            for n in range(80)
        ),
    ]
    table = parse_table(as_text(rows).encode(encoding), "sales", choice=choice)
    found = guess_file(table).mapping.inferences
    return table.reading.encoding, [one for one in found if one.column == "(encoding)"]


BALTIC = ["Kuldīga", "Rēzekne", "Jūrmala", "Ogre", "Ādaži", "Līvāni"]
ONE_LETTER = ["Nørre", "Aalborg", "Odense"]


@pytest.mark.parametrize(
    ("places", "encoding"), [(BALTIC, "cp1257"), (ONE_LETTER, "cp1252"), (["Łódź", "Radość"], "iso8859-2")]
)
def test_a_guess_of_little_margin_is_asked_about_with_a_word_and_the_remedy(places: list[str], encoding: str) -> None:
    _, [note] = _notes(places, encoding)
    assert not note.sure
    assert "--encoding" in note.claim
    assert "a word reads" in note.evidence
    assert _notes(places, encoding, ReadingChoice(encoding=encoding)) == (encoding, [])


PROVEN = {
    "cp1252": ["Köln", "Fürth", "Gießen", "Bäumenheim"],
    "latin-1": ["Besançon", "Évreux", "Nîmes", "Forêt", "Sèvres", "Orléans", "Bégles à Où"],
    "cp1250": ["Łódź", "Kraków", "Gdańsk", "Częstochowa", "Wałbrzych", "Żary", "Śrem"],
    "cp1251": ["Москва", "Санкт-Петербург", "Нижний Новгород", "Екатеринбург", "Казань"],
    "cp1253": ["Αθήνα", "Θεσσαλονίκη", "Πάτρα", "Ηράκλειο", "Λάρισα"],
    "utf-8": BALTIC,
    "utf-16": BALTIC,
    "ascii": ["Ogre", "Salem"],
}


@pytest.mark.parametrize("encoding", PROVEN)
def test_an_encoding_that_is_proven_or_makes_no_difference_is_not_asked_about(encoding: str) -> None:
    assert _notes(PROVEN[encoding], encoding)[1] == []
