"""The same sales give the same data version, whatever form and encoding their file has."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.progress import silent
from core.store import DataVersion, Store, open_store
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.collect.table_files import FORMS, as_text

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)
HEADER = ["sale_date", "sale_price", "living_area_sqft", "address", "neighborhood", "roof"]
IN_ENCODINGS = {
    "cp1252": ["Nîmes Allée", "Orléans Forêt", "Mâcon près"],
    "cp1250": ["Łódź Śródmieście", "Gdańsk Świętojańska", "Kraków Łokietka"],
    "cp932": ["東京都新宿区西新宿", "東京都港区芝公園", "大阪府大阪市北区"],
    "gb18030": ["上海市浦东新区", "北京市朝阳区住宅", "广州市天河区成交"],
    "cp949": ["서울특별시 강남구", "부산광역시 해운대구", "대구광역시 수성구"],
    "cp1251": ["Москва Тверская", "Казань Баумана", "Самара Ленинская"],
    "utf-8-sig": ["Sjö", "Çeşme", "東京"],
    "utf-16": ["Sjö", "Çeşme", "東京"],
}


def sales(numbers: list[tuple[int, int]], places: list[str]) -> list[list[str]]:
    """A table with a sale for each day and size, in the places in turn."""
    rows = [
        [
            f"2024-{1 + day % 12:02}-{1 + day % 28:02}",
            str(200_000 + 150 * area + 977 * day),
            str(area),
            f"{n + 1} Oak St",
            places[n % len(places)],
            ("Slate", "Metal", "")[n % 3],
        ]
        for n, (day, area) in enumerate(numbers)
    ]
    return [HEADER, *rows]


def version_of(store: Store, folder: Path, content: bytes, market: str) -> DataVersion:
    """Take a file into a market of its own."""
    path = folder / "sales.dat"
    path.write_bytes(content)
    files = [SourceFile(path, "sales.dat")]
    return ingest(acting(store, ANALYST, today=TODAY), NewMarket(market, "USD", "sqft"), files, silent).version


def test_every_form_of_a_table_gives_the_same_version(tmp_path: Path) -> None:
    # Tables drawn at random are read alike in every form: tests/collect/test_reader.py.
    table = sales([(173 * n % 401, 500 + 1_171 * n % 3_500) for n in range(20)], ["Harbour", "Hill"])
    with open_store(tmp_path / "home") as store:
        found = {form: version_of(store, tmp_path, write(table), form) for form, write in FORMS.items()}
    assert {one.rows for one in found.values()} == {found["utf-8"].rows}
    assert {form: one.sha256 for form, one in found.items()} == dict.fromkeys(FORMS, found["utf-8"].sha256)


@pytest.mark.parametrize("encoding", IN_ENCODINGS)
def test_every_encoding_of_a_table_gives_the_same_version(encoding: str, tmp_path: Path) -> None:
    text = as_text(sales([(7 * n, 900 + 41 * n) for n in range(30)], IN_ENCODINGS[encoding]))
    with open_store(tmp_path / "home") as store:
        plain = version_of(store, tmp_path, text.encode(), "plain")
        encoded = version_of(store, tmp_path, text.encode(encoding), "encoded")
        packed = version_of(store, tmp_path, gzip.compress(text.encode(encoding)), "packed")
        assert store.versions.load(plain.version_id)["neighbourhood"].iloc[0] == IN_ENCODINGS[encoding][0]
    assert plain.sha256 == encoded.sha256 == packed.sha256
    assert plain.rows == 30
