"""How a market's earlier files decide what the columns of its next one are, where the file leaves it open."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.collect.columns.corrections import Correction
from core.collect.mapping import ColumnMapping
from core.progress import silent
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket, customs_of
from core.workflows.data.versions import undo_version
from core.workflows.source_files.mapped_files import map_files
from core.workflows.source_files.reading import SourceFile
from core.workspace import Workspace

HOMES = 60
MARKET = "springfield"
REASON = "the wrong file for this market"


def _sales(first: int = 0, **further: object) -> pd.DataFrame:
    """Sales of a market whose ``id`` numbers the home and whose ``km`` tells what is no field of Doorstep."""
    homes = [*range(first, first + HOMES)]
    return pd.DataFrame(
        {
            "id": [7_129_300_520 + 977 * home for home in homes],
            "Zipcode": "98103",
            "Sale date": pd.date_range("2024-01-01", periods=HOMES).strftime("%Y-%m-%d"),
            "Sale price": [400_000 + 7_919 * home % 90_011 for home in homes],
            "Living area sqft": [1_500 + 10 * (home % 97) for home in homes],
            "km": [3 + home * 37 % 11 for home in homes],
            "Grade": [5 + home % 6 for home in homes],
            **further,
        }
    )


def _bring(workspace: Workspace, path: Path, sales: pd.DataFrame, *picks: Correction) -> None:
    sales.to_csv(path, index=False)
    held = [one.market_id for one in workspace.store.markets.list()]
    market = MARKET if MARKET in held else NewMarket("Springfield", "USD", "sqft")
    customs = customs_of(workspace.store, market)
    ingest(workspace, market, map_files([SourceFile(path, path.name)], picks, silent, customs), silent)


def _next(workspace: Workspace, path: Path, sales: pd.DataFrame) -> ColumnMapping:
    sales.to_csv(path, index=False)
    [file] = map_files([SourceFile(path, path.name)], [], silent, customs_of(workspace.store, MARKET))
    assert file.mapping is not None
    return file.mapping


def _fields(mapping: ColumnMapping) -> dict[str, str]:
    return {rule.column: rule.field for rule in mapping.rules}


def _thrice(sales: pd.DataFrame) -> pd.DataFrame:
    """Rows that stand three times in a file, each a dollar dearer, with a fact that is one and the same in all."""
    return pd.concat([sales.assign(**{"Sale price": sales["Sale price"] + more}) for more in range(3)]).assign(km=3)


def test_a_column_stays_what_it_was_where_the_next_file_does_not_show_it(workspace: Workspace, tmp_path: Path) -> None:
    _bring(workspace, tmp_path / "march.csv", _sales())
    later = _next(workspace, tmp_path / "april.csv", _thrice(_sales(HOMES)))
    assert (_fields(later)["id"], _fields(later)["km"]) == ("property_id", "x_km")
    assert [str(one) for one in later.inferences if one.column == "id"] == [
        "read as before (so in march.csv of this market; seen in 180 rows)"
    ]
    [alone] = map_files([SourceFile(tmp_path / "april.csv", "april.csv")], [], silent)
    assert alone.mapping is not None
    # Alone, the file shows neither.
    assert (_fields(alone.mapping)["id"], _fields(alone.mapping).get("km")) == ("x_id", None)


def test_what_a_person_picked_for_a_column_holds_for_the_next_file(workspace: Workspace, tmp_path: Path) -> None:
    picks = (Correction("Grade", ""), Correction("km", "condition"))
    _bring(workspace, tmp_path / "march.csv", _sales(), *picks)
    later = _next(workspace, tmp_path / "april.csv", _sales(HOMES))
    assert (_fields(later).get("Grade"), _fields(later)["km"]) == (None, "condition")
    _bring(workspace, tmp_path / "april.csv", _sales(HOMES))
    # The latest file of the data in use decides, and one that was undone decides nothing.
    _bring(workspace, tmp_path / "may.csv", _sales(2 * HOMES), Correction("Grade", "grade"), Correction("km", "x_km"))
    assert _fields(_next(workspace, tmp_path / "june.csv", _sales(3 * HOMES)))["km"] == "x_km"
    latest = workspace.store.versions.latest(MARKET)
    assert latest is not None
    undo_version(workspace, latest.version_id, REASON)
    assert _fields(_next(workspace, tmp_path / "june.csv", _sales(3 * HOMES)))["km"] == "condition"


def test_what_the_next_file_shows_goes_before_what_a_column_was(workspace: Workspace, tmp_path: Path) -> None:
    _bring(workspace, tmp_path / "march.csv", _sales())
    sales = _sales(HOMES)
    spoiled = sales.assign(id="7.1293E+09")
    told = sales.assign(km=sales["Sale price"] / sales["Living area sqft"])
    emptied = sales.assign(km="")
    assert "id" not in _fields(_next(workspace, tmp_path / "april.csv", spoiled))
    assert "km" not in _fields(_next(workspace, tmp_path / "april.csv", told))
    assert "km" not in _fields(_next(workspace, tmp_path / "april.csv", emptied))
    swapped = sales.assign(**{"Sale price": sales["Living area sqft"], "Living area sqft": sales["Sale price"]})
    taken = _next(workspace, tmp_path / "april.csv", swapped)
    assert any("look swapped" in one.claim for one in taken.inferences)
