"""Values that stand one column beside their headers: one sentence says so, with where it begins and what helps."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.collect.columns.guess import guess_file
from core.collect.columns.parts import SHIFTED
from core.collect.reading.reader import read_table
from core.errors import MappingError, NoUsableRows
from core.progress import silent
from core.store import Store
from core.workflows.data.intake import prepare_intake
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting

MARKET = NewMarket("Springfield", "USD", "sqft")


def sales(rows: int = 60) -> pd.DataFrame:
    number = pd.Series(range(rows))
    columns = {
        "id": 7_000_000_001 + 37 * number,
        "date": [f"2024-{1 + n % 12:02}-{1 + n % 28:02}" for n in number],
        "price": 400_000 + 1_000 * number,
        "bedrooms": 2 + number % 3,
        "bathrooms": 2.25,
        "sqft_living": 1_500 + 13 * number,
        "floors": 1.5,
        "yr_built": 1950 + number,
        "zipcode": 98_100 + number % 5,
        "lat": 47.5 + number / 10_000,
        "long": -122.3 - number / 10_000,
    }
    return pd.DataFrame(columns, index=number).astype("str")


def shifted(table: pd.DataFrame, first: str, step: int, last: str = "long") -> pd.DataFrame:
    """Move the cells of the columns from one to another by a step, as a deleted or an added cell does."""
    moved = table.copy()
    names = list(table)
    places = range(names.index(first), names.index(last) + 1)
    for at in places:
        moved.iloc[:, at] = table.iloc[:, at - step] if at - step in places else ""
    return moved


def doubts(tmp_path: Path, table: pd.DataFrame) -> list[tuple[str, str]]:
    path = tmp_path / "sales.csv"
    table.to_csv(path, index=False)
    found = guess_file(read_table(path, path.name)).mapping.inferences
    return [(one.column, one.claim) for one in found if not one.sure]


@pytest.mark.parametrize(
    ("first", "step", "said"),
    [
        ("bedrooms", -1, "to the left of their headers from 'bathrooms' on at the latest:"),
        ("bedrooms", 1, "to the right of their headers from 'bedrooms' on at the latest:"),
        ("date", -1, "to the left of their headers from 'date' on at the latest:"),
        ("floors", -1, "to the left of their headers from 'floors' on at the latest:"),
    ],
)
def test_a_shift_is_said_once_with_its_side_and_its_beginning(tmp_path: Path, first: str, step: int, said: str) -> None:
    [(column, claim)] = doubts(tmp_path, shifted(sales(), first, step))
    assert column == SHIFTED
    assert claim.startswith(f"the values seem to stand one column {said}")
    assert claim.endswith("move the headers or the cells in the file, and upload it again")


def test_a_shift_that_ends_before_the_last_column_says_where(tmp_path: Path) -> None:
    table = shifted(sales(), "bathrooms", -1, "zipcode")
    [(_, claim)] = doubts(tmp_path, table)
    assert "from 'bathrooms' to 'zipcode':" in claim


def test_columns_in_their_places_or_two_that_are_swapped_are_no_shift(tmp_path: Path) -> None:
    assert doubts(tmp_path, sales()) == []
    swapped = sales().rename(columns={"lat": "long", "long": "lat"})
    assert SHIFTED not in {column for column, _ in doubts(tmp_path, swapped)}


@pytest.mark.parametrize(("first", "error"), [("date", MappingError), ("bedrooms", NoUsableRows)])
def test_a_refusal_of_shifted_values_says_that_and_nothing_misleading(
    store: Store, tmp_path: Path, first: str, error: type[Exception]
) -> None:
    path = tmp_path / "sales.csv"
    shifted(sales(), first, -1).to_csv(path, index=False)
    with pytest.raises(error) as refused:
        prepare_intake(acting(store), MARKET, [SourceFile(path, path.name)], silent)
    assert "values seem to stand one column to the left of their headers" in str(refused.value)
    assert "parcel number only" not in str(refused.value)
    assert "looks like the sale date" not in str(refused.value)


def test_each_pair_of_swapped_columns_is_read_by_its_values(tmp_path: Path) -> None:
    swapped = sales().rename(
        columns={"lat": "long", "long": "lat", "bedrooms": "sqft_living", "sqft_living": "bedrooms"}
    )
    path = tmp_path / "sales.csv"
    swapped.to_csv(path, index=False)
    mapping = guess_file(read_table(path, path.name)).mapping
    fields = {rule.column: rule.field for rule in mapping.rules}
    assert (fields["lat"], fields["long"]) == ("longitude", "latitude")
    assert (fields["bedrooms"], fields["sqft_living"]) == ("living_area_sqft", "bedrooms")
    assert {one.column for one in mapping.inferences if not one.sure} >= {"lat", "long", "bedrooms", "sqft_living"}
