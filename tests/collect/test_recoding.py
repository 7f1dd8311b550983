"""Words of categories recoded by a person: shown with what they are read as, and read as they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.collect.columns.guess import guess_mapping
from core.collect.mapping import ColumnMapping, ColumnRule, apply_mapping
from core.collect.mapping_file import mapping_from_json, mapping_to_json
from core.collect.reading.reader import read_table
from core.collect.reading.table import RawTable
from core.collect.recoding import has_words, recoded, words_of, words_of_columns
from core.errors import MappingError
from core.schema import Source

ROWS = ["SFR Deluxe,Good,y", "Condo,Bad,n", "sfr  deluxe,Good,n", "Barn,Fair,?"]


@pytest.fixture
def table(tmp_path: Path) -> RawTable:
    path = tmp_path / "sales.csv"
    lines = [f"{n},9810{n},2024-01-0{n + 1},{300_000 + n},{row}" for n, row in enumerate(ROWS)]
    path.write_text("id,zip,sale date,sale price,type,condition,pool\n" + "\n".join(lines), encoding="utf-8")
    return read_table(path)


@pytest.fixture
def mapping(table: RawTable) -> ColumnMapping:
    guessed = guess_mapping(table, Source.SALES).mapping
    kept = [rule for rule in guessed.rules if rule.column in {"zip", "sale date", "sale price"}]
    added = [
        ColumnRule("type", "property_type", "property_word"),
        ColumnRule("condition", "condition", "number"),
        ColumnRule("pool", "waterfront", "flag"),
    ]
    return ColumnMapping(Source.SALES, (*kept, *added), date_format=guessed.date_format)


def rule_of(mapping: ColumnMapping, column: str) -> ColumnRule:
    return next(rule for rule in mapping.rules if rule.column == column)


def test_each_word_is_shown_with_what_it_is_read_as(table: RawTable, mapping: ColumnMapping) -> None:
    words = words_of_columns(table)
    types = words_of(words["type"], rule_of(mapping, "type"), mapping).set_index("value")["reads_as"]
    assert (types["Condo"], types["SFR Deluxe"]) == ("condo", "sfr_deluxe")
    condition = words_of(words["condition"], rule_of(mapping, "condition"), mapping).set_index("value")
    assert condition["reads_as"].to_dict() == {"Good": "4", "Bad": "", "Fair": "2"}
    assert condition.loc["Good", "rows"] == 2
    shown = [rule.column for rule in mapping.rules if has_words(rule, words.get(rule.column, {}))]
    assert shown == ["type", "condition", "pool"]


def test_a_recoded_word_is_read_as_said_and_one_made_missing_is_no_problem(
    table: RawTable, mapping: ColumnMapping
) -> None:
    wanted = {"SFR Deluxe": "single_family", "Condo": "condo", "sfr  deluxe": "single_family", "Barn": ""}
    changed = recoded(recoded(mapping, "type", wanted), "condition", {"Good": "4", "Bad": "1", "Fair": "2"})
    assert dict(rule_of(changed, "type").recode) == {"sfr deluxe": "single_family", "barn": ""}
    assert dict(rule_of(changed, "condition").recode) == {"bad": "1"}
    assert mapping_from_json(mapping_to_json(changed)) == changed
    mapped = apply_mapping(table, changed)
    assert mapped.frame["property_type"].fillna("none").tolist() == ["single_family", "condo", "single_family", "none"]
    assert mapped.frame["condition"].tolist() == [4, 1, 4, 2]
    assert mapped.problems.empty


def test_a_recoding_taken_back_leaves_the_mapping_as_it_was(mapping: ColumnMapping) -> None:
    changed = recoded(mapping, "type", {"Condo": "apartment"})
    assert recoded(changed, "type", {"Condo": "condo"}) == mapping


def test_a_word_that_cannot_be_read_is_refused(mapping: ColumnMapping) -> None:
    with pytest.raises(MappingError, match="'Bad' cannot be read as 'awful'"):
        recoded(mapping, "condition", {"Bad": "awful"})
    with pytest.raises(MappingError, match="left out"):
        recoded(mapping, "remarks", {"a": "b"})
