"""Which files are market indicators, and how their columns are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.collect.columns.guess import guess_file
from core.collect.mapping import apply_mapping, check_required
from core.collect.privacy.read_file import read_file
from core.collect.reading.table import RawTable
from core.errors import MappingError
from core.schema import Source

LIMIT = 10_000_000
DAYS = [f"2024-0{month}-01" for month in range(1, 10)]


def table(folder: Path, text: str) -> RawTable:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return read_file(path, path.name, LIMIT).table


def wide(header: str, *columns: list[str]) -> str:
    return header + "\n" + "".join(",".join(cells) + "\n" for cells in zip(DAYS, *columns, strict=True))


RATES = [f"{6 + n / 10:.2f}" for n in range(9)]
COUNTS = [str(900 + 17 * n) for n in range(9)]


@pytest.mark.parametrize(
    "header", ["observation_date,MORTGAGE30US", "DATE,rate", "Month,Index value", "day,price index"]
)
def test_one_day_a_row_and_figures_beside_it_are_indicators(tmp_path: Path, header: str) -> None:
    raw = table(tmp_path, wide(header, RATES))
    guess = guess_file(raw)
    assert guess.mapping.source is Source.INDICATORS
    mapped = apply_mapping(raw, guess.mapping)
    assert mapped.frame["indicator_day"].dt.month.tolist() == [*range(1, 10)]
    assert mapped.frame.filter(like="x_").iloc[:, 0].tolist() == [float(one) for one in RATES]


def test_a_column_of_words_names_the_indicators(tmp_path: Path) -> None:
    text = "Date,Series,Value\n" + "".join(
        f"{day},{name},{value}\n"
        for day, rate, count in zip(DAYS, RATES, COUNTS, strict=True)
        for name, value in (("Mortgage rate", rate), ("Listings", count))
    )
    raw = table(tmp_path, text)
    mapped = apply_mapping(raw, guess_file(raw).mapping)
    assert mapped.source is Source.INDICATORS
    assert mapped.frame["indicator"].nunique() == 2
    assert mapped.frame["indicator_value"].notna().all()


def test_european_figures_are_read(tmp_path: Path) -> None:
    text = "Datum;Zins\n" + "".join(f"0{n + 1}.03.2024;{3 + n / 10:.1f}\n".replace(".1", ",1") for n in range(9))
    text = "Datum;Zins\n" + "".join(f"0{n + 1}.03.2024;3,{n}5\n" for n in range(9))
    raw = table(tmp_path, text)
    mapped = apply_mapping(raw, guess_file(raw).mapping)
    assert mapped.source is Source.INDICATORS
    assert mapped.frame["x_zins"].tolist() == [pytest.approx(3 + n / 10 + 0.05) for n in range(9)]


@pytest.mark.parametrize(
    ("header", "source"),
    [
        ("sale date,sale price", Source.SALES),
        ("sale date,zip code,sale price,living area", Source.SALES),
        ("list date,address,living area,bedrooms", Source.TAX),
        ("zip code,median income,walk score", Source.NEIGHBOURHOOD),
    ],
)
def test_homes_sales_and_areas_are_none(tmp_path: Path, header: str, source: Source) -> None:
    cells = {"sale date": DAYS, "list date": DAYS, "zip code": [f"0010{n}" for n in range(9)]}
    cells |= {"address": [f"{n} Oak Street" for n in range(9)], "sale price": [f"{200_000 + n}" for n in range(9)]}
    cells |= {"living area": COUNTS, "bedrooms": [str(2 + n % 3) for n in range(9)]}
    cells |= {"median income": COUNTS, "walk score": [str(40 + n) for n in range(9)]}
    rows = zip(*(cells[name] for name in header.split(",")), strict=True)
    raw = table(tmp_path, header + "\n" + "".join(",".join(row) + "\n" for row in rows))
    assert guess_file(raw).mapping.source is source


def test_many_rows_of_one_day_are_of_homes(tmp_path: Path) -> None:
    raw = table(tmp_path, "date,size\n" + "".join(f"{DAYS[n % 2]},{900 + n}\n" for n in range(20)))
    assert guess_file(raw).mapping.source is not Source.INDICATORS


def test_indicators_need_a_day_and_a_figure(tmp_path: Path) -> None:
    mapping = guess_file(table(tmp_path, wide("date,rate", RATES))).mapping
    for kept in mapping.rules:
        alone = type(mapping)(**{**vars(mapping), "rules": (kept,)})
        with pytest.raises(MappingError, match="need the day of the figures and at least one column of figures"):
            check_required(alone)
