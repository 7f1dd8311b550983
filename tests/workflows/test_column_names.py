"""Display names of a market's own columns: brought by a mapping, changed later, and no part of any price."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.collect.mapping import ColumnMapping
from core.collect.mapping_file import mapping_from_json, mapping_to_json
from core.errors import AccessDenied, MappingError
from core.progress import silent
from core.schema import label_of
from core.store import Store
from core.workflows.columns.names import name_column, named_as_shown, names_of, use_names_of, with_names
from core.workflows.data.intake import IntakeReport, ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.mapped_files import map_files
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.store.samples import AGENT, ANALYST

FIELD = "x_ppltn_qty"


def sales_file(folder: Path, extra: int = 0) -> Path:
    """A small file of sales with a column that Doorstep has no field for."""
    days = pd.date_range("2024-01-01", periods=30 + extra)
    table = pd.DataFrame(
        {
            "Address": [f"{number} Oak St" for number in range(len(days))],
            "Zipcode": "98103",
            "Sale date": days.strftime("%Y-%m-%d"),
            "Sale price": [400_000 + 7_919 * number % 90_011 for number in range(len(days))],
            "Living area sqft": [1_500 + 10 * number for number in range(len(days))],
            "ppltn_qty": [1_000 + number * 37 % 101 for number in range(len(days))],
        }
    )
    path = folder / f"sales{extra}.csv"
    table.to_csv(path, index=False)
    return path


def mapped(path: Path) -> ColumnMapping:
    [file] = map_files([SourceFile(path, path.name)], [], silent)
    assert file.mapping is not None
    return file.mapping


def bring(store: Store, path: Path, mapping: ColumnMapping) -> IntakeReport:
    exists = any(one.market_id == "springfield" for one in store.markets.list())
    market = "springfield" if exists else NewMarket("Springfield", "USD", "sqft")
    return ingest(acting(store, ANALYST), market, [SourceFile(path, path.name, mapping)], silent)


def test_a_name_in_the_mapping_comes_with_the_version_and_is_offered_for_the_next_file(
    store: Store, tmp_path: Path
) -> None:
    path = sales_file(tmp_path)
    named = with_names(mapped(path), {FIELD: "Population"})
    report = bring(store, path, mapping_from_json(mapping_to_json(named)))
    assert store.column_names.of("springfield") == {FIELD: "Population"}
    [intake] = store.versions.intake(report.version.version_id)
    assert [rule["label"] for rule in intake.mapping["rules"] if rule["field"] == FIELD] == ["Population"]
    use_names_of(store, "springfield")
    later = mapped(sales_file(tmp_path, 5))
    assert names_of(later)[FIELD] == "Population"
    # Without names in the next file's mapping, the market's stay.
    bring(store, sales_file(tmp_path, 5), later)
    assert store.column_names.of("springfield") == {FIELD: "Population"}


def test_a_name_changes_neither_the_stored_sales_nor_the_version(store: Store, tmp_path: Path) -> None:
    path = sales_file(tmp_path)
    plain = mapped(path)
    first = bring(store, path, plain).version
    again = bring(store, path, with_names(plain, {FIELD: "Population"}))
    assert not again.changed
    assert again.version.version_id == first.version_id
    assert FIELD in store.versions.load(first.version_id)
    assert store.column_names.of("springfield") == {FIELD: "Population"}


def test_renaming_is_for_those_who_bring_sales_and_the_name_before_takes_it_back(store: Store, tmp_path: Path) -> None:
    path = sales_file(tmp_path)
    bring(store, path, mapped(path))
    analyst = acting(store, ANALYST)
    with pytest.raises(AccessDenied):
        name_column(acting(store, AGENT), "springfield", FIELD, "Population")
    before = name_column(analyst, "springfield", FIELD, "  Population ")
    use_names_of(store, "springfield")
    assert label_of(FIELD) == "Population"
    assert name_column(analyst, "springfield", FIELD, before) == "Population"
    use_names_of(store, "springfield")
    assert label_of(FIELD) == "Ppltn qty"
    assert store.column_names.of("springfield") == {}
    assert [one.action for one in store.events.list("springfield", 2)] == ["column.named", "column.named"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("Bedrooms", "also that of 'bedrooms'"), ("x" * 41, "use 1 to 40"), ("two\nlines", "on one line")],
)
def test_a_name_that_is_taken_or_no_name_is_refused(tmp_path: Path, name: str, why: str) -> None:
    mapping = mapped(sales_file(tmp_path))
    rules = tuple(replace(rule, label=name) if rule.field == FIELD else rule for rule in mapping.rules)
    with pytest.raises(MappingError, match=why):
        mapping_from_json(mapping_to_json(replace(mapping, rules=rules)))


def test_a_field_of_doorsteps_own_cannot_be_named(tmp_path: Path) -> None:
    mapping = mapped(sales_file(tmp_path))
    with pytest.raises(MappingError, match="Only a column of your own can be named"):
        with_names(mapping, {"sale_price": "What it went for"})


def test_a_written_mapping_shows_every_name_and_bringing_it_back_unchanged_names_nothing(
    store: Store, tmp_path: Path
) -> None:
    path = sales_file(tmp_path)
    shown = named_as_shown(mapped(path), {})
    assert '"label": "Ppltn qty"' in mapping_to_json(shown)
    bring(store, path, shown)
    assert store.column_names.of("springfield") == {}


def test_two_markets_may_name_one_column_differently(store: Store) -> None:
    store.column_names.give("one", {FIELD: "Population"}, ANALYST)
    store.column_names.give("two", {FIELD: "People"}, ANALYST)
    for market, name in (("one", "Population"), ("two", "People")):
        use_names_of(store, market)
        assert label_of(FIELD) == name
