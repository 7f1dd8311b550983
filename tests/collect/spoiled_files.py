"""Files of sales spoiled at random, as they are by exports, spreadsheets, transfers and people."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from tests.collect.table_files import FORMS, as_text

SALES: Final = (
    ("sale_date", "sale_price", "living_area_sqft", "address", "zipcode"),
    *(
        (f"2023-0{n % 9 + 1}-1{n % 9}", str(300_000 + 7_919 * n), str(900 + 37 * n), f"{n + 1} Oak St", f"9800{n % 5}")
        for n in range(14)
    ),
)
"""The header and fourteen sales from which the files are made."""

_Table = list[list[str]]

_CELLS: Final = (
    *(
        "",
        " ",
        "３０００００",
        "٣٠٠٠٠٠",
        "३०००००",
        "三十万",
        "-1",
        "1e309",
        "nan",
        "NULL",
        "0",
        "1,234,567.89",
        "1.234.567,89",
    ),
    *(
        "$1.2M",
        "=1+1",
        "'",
        '"',
        '""',
        "\\",
        "a\nb",
        "a\r\nb",
        "\ufeff",
        "\u200b",
        "x" * 5_000,
        "2023-02-30",
        "13/13/2023",
    ),
    *(
        "45½ Elm",
        "²³",
        "Ⅻ",
        "𝟛𝟘𝟘",
        "NaT",
        "inf",
        "true",
        "#REF!",
        "6.2228E+11",
        "now",
        "9999999999999999999999",
        "(5)",
        "[1]",
    ),
    *(
        '["Two"]',
        "{}",
        "٪٥",
        "1 2 3",
        "--",
        "%",
        "+",
        ".",
        ",",
        "0x1F",
        "1_000",
        "١٢/٠٣/٢٠٢٣",
        "令和5年1月2日",
        "Ann Miller",
    ),
)
_TITLES: Final = (
    "",
    " ",
    "column_1",
    "column_2",
    "column_3",
    "sale_price",
    "Unnamed: 0",
    "#",
    "a,b",
    "a\nb",
    "日付",
    "١",
    "x" * 300,
)
_ENCODINGS: Final = ("utf-16-le", "utf-16-be", "utf-7", "cp1252", "gb18030", "cp037", "mac_roman", "utf-8-sig", "cp932")
_BYTES: Final = (
    b"\x00",
    b'"',
    b"\\",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\xff",
    b"\xc3",
    b"\x1a",
    b"PK\x03\x04",
    b"{",
    b"#",
    b"sep=;\n",
)


def spoiled_files(count: int, seed: int) -> Iterator[bytes]:
    """Yield that many files, the same ones for the same seed."""
    source = random.Random(seed)
    forms = list(FORMS)
    for place in range(count):
        yield _spoiled_file(source, forms[place % len(forms)])


def _spoiled_file(source: random.Random, form: str) -> bytes:
    table = [list(row) for row in SALES]
    for _ in range(source.randrange(4)):
        source.choice((_spoil_cell, _spoil_cell, _spoil_title, _make_ragged, _add_line, _change_column))(source, table)
    try:
        content = FORMS[form](table)
    except (ValueError, TypeError):
        # What a writer refuses, such as two columns of one name in Parquet, comes as text.
        content = as_text(table).encode("utf-8", "replace")
    for _ in range(source.choice((0, 0, 1, 1, 2, 5))):
        content = _spoil_bytes(source, content)
    return content


def _spoil_cell(source: random.Random, table: _Table) -> None:
    row = source.choice(table)
    if row:
        row[source.randrange(len(row))] = source.choice(_CELLS)


def _spoil_title(source: random.Random, table: _Table) -> None:
    if table[0]:
        table[0][source.randrange(len(table[0]))] = source.choice(_TITLES)


def _make_ragged(source: random.Random, table: _Table) -> None:
    row = source.choice(table)
    if source.random() < 0.5:
        row.append(source.choice(_CELLS))
    else:
        del row[source.randrange(len(row) + 1) :]


def _add_line(source: random.Random, table: _Table) -> None:
    line = source.choice(([], [""], ["# a comment"], ["A title"], [""] * 5, list(table[0]), list(table[-1]), ["sep=;"]))
    table.insert(source.randrange(len(table) + 1), list(line))


def _change_column(source: random.Random, table: _Table) -> None:
    at, cell = source.randrange(6), source.choice(_CELLS)
    kind = source.randrange(3)
    for number, row in enumerate(table):
        if kind == 0:
            row.insert(min(at, len(row)), cell if number else source.choice(_TITLES))
        elif kind == 1:
            del row[at : at + 1]
        elif number and at < len(row):
            row[at] = cell


def _spoil_bytes(source: random.Random, content: bytes) -> bytes:
    data, at, kind = bytearray(content), source.randrange(len(content) + 1), source.randrange(7)
    if kind == 0:
        data[at:at] = source.choice(_BYTES)
    elif kind == 1:
        del data[at : at + source.randint(1, 40)]
    elif kind == 2:
        data[at : at + 1] = bytes([source.randrange(256)])
    elif kind == 3:
        data[at:at] = data[at : at + source.randint(1, 60)]
    elif kind == 4:
        del data[at:]
    elif kind == 5:
        return content.replace(
            *source.choice(((b",", b";"), (b"\n", b"\r\n"), (b"\n", b"\r"), (b'"', b"'"), (b",", b", ")))
        )
    else:
        text = content.decode("utf-8", "replace")
        return text.encode(source.choice(_ENCODINGS), "replace")
    return bytes(data)
