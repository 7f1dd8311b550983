"""The mapping on the page Sales data: brought as a file, its dates written by a person, on record with the version."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from core.collect.columns.guess import guess_file
from core.collect.mapping_file import mapping_document
from core.collect.reading.reader import parse_table
from core.schema import use_names
from core.store import open_store
from tests.pages.made_stores import sales_csv
from tests.pages.test_sales_data import committed, fields, mapped, market_ids, messages, onward, opened, pick

OWN = sales_csv().replace(b"Sale date", b"When").replace(b"2024-0", b"2024~0")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def document_of(content: bytes, **changed: object) -> dict[str, object]:
    return {**mapping_document(guess_file(parse_table(content, "mine.csv")).mapping), **changed}


def brought(app: AppTest, document: dict[str, object], name: str = "mapping.json") -> AppTest:
    uploader = next(one for one in app.file_uploader if str(one.key).startswith("preset_file"))
    uploader.upload(name, json.dumps(document).encode())
    return app.run().button("use_preset_file_0").click().run()


def own_dates(app: AppTest, text: str) -> AppTest:
    field = next(one for one in app.text_input if str(one.key).startswith("own_dates_0"))
    return field.input(text).run()


def naming_editors(app: AppTest) -> list[tuple[str, pd.DataFrame]]:
    """The tables of names, of which each file with columns of its own has one."""
    return [(str(one.key), one.value) for one in app.data_editor if "Shown as" in one.value]


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.get("download_button") if isinstance(button, Element)]


def test_a_date_format_of_ones_own_is_typed_checked_against_the_file_and_used(home: Path) -> None:
    content = OWN.replace(b"-1", b"~1").replace(b"-0", b"~0")
    assert b"2024~05~05" in content
    app = pick(mapped(opened(), content=content), "When", field="sale_date")
    app = own_dates(app, "DD.MM")
    assert "'DD.MM' does not give a date" in messages(app)
    app = own_dates(app, "DD~MM~YYYY")
    assert "Column 'When': the date format '%d~%m~%Y' reads none of its" in messages(app)
    app = own_dates(app, "YYYY~MM~DD")
    assert "date format" not in messages(app)
    committed(onward(app))
    with open_store(home) as store:
        version = store.versions.latest("harbour")
        assert version is not None
        assert store.versions.load(version.version_id)["sale_date"].dt.year.eq(2024).all()
        [file] = store.versions.intake(version.version_id)
    assert file.mapping["date_format"] == "%Y~%m~%d"


def test_a_mapping_file_of_the_command_line_is_brought_to_the_page() -> None:
    document = document_of(sales_csv())
    rules = [rule for rule in document["rules"] if rule["column"] != "Beds"]  # type: ignore[attr-defined]
    app = mapped(opened())
    assert fields(app)["Beds"] == "bedrooms"
    app = brought(app, {"files": {"mine.csv": {**document, "rules": rules}}})
    assert not app.error
    assert fields(app)["Beds"] == "ignore"


UNFIT: tuple[tuple[dict[str, object], str], ...] = (
    ({"date_format": "DD.MM"}, "'DD.MM' does not give a date"),
    ({"date_format": "%d~%m~%Y"}, "reads none of its"),
    ({"encoding": "klingon"}, "encoding = 'klingon'"),
    ({"colour": "red"}, "unknown settings: colour"),
    ({"address_columns": ["Street"]}, "mine.csv lacks 'Street', which this preset names"),
    ({"files": {"other.csv": {}}}, "no file 'mine.csv'; it has 'other.csv'"),
)


def test_a_mapping_file_that_does_not_fit_is_refused_in_a_line_and_changes_nothing() -> None:
    app = mapped(opened())
    before = fields(app)
    for number, (changed, words) in enumerate(UNFIT):
        app = brought(app, document_of(sales_csv(), **changed), f"{number}.json")
        assert words in messages(app)
        assert fields(app) == before


def test_a_mapping_for_another_encoding_than_was_read_is_refused_with_what_to_do() -> None:
    content = sales_csv().replace(b"Remarks", "Straße".encode("cp1252"))
    app = mapped(opened(), content=content)
    document = document_of(content, encoding="cp1250")
    app = brought(app, document)
    assert "was read with encoding 'cp1252', but the mapping is for encoding 'cp1250'" in messages(app)
    app = brought(app, {**document, "encoding": "cp1252"}, "again.json")
    assert messages(app) == ""


def test_what_was_inferred_is_shown_with_its_evidence_and_kept_in_the_version_history(home: Path) -> None:
    content = sales_csv().replace(b"Sold for", b"Sold for in thousands").replace(b"Remarks", "Straße".encode("cp1252"))
    app = mapped(opened(), content=content)
    assert any(one.label.startswith("Concluded from the values") for one in app.expander)
    app = committed(onward(app))
    assert market_ids(home) == ["harbour"]
    with open_store(home) as store:
        version = store.versions.latest("harbour")
        assert version is not None
        [file] = store.versions.intake(version.version_id)
    assert "cp1252" in file.reading
    assert (file.mapping["encoding"], file.mapping["separator"]) == ("cp1252", ",")
    assert any("in units of 1,000" in one["claim"] for one in file.mapping["inferences"])
    app = opened()
    app.session_state["view"] = "Data versions"
    app = app.run()
    assert "How the files were read and mapped" in [one.label for one in app.expander]
    assert any("cp1252" in str(one.value) for one in app.caption)
    shown = [one.value for one in app.table if "Evidence" in one.value]
    assert any("its header says so" in table["Evidence"].tolist() for table in shown)
    assert "Download its mapping" in labels(app)


def test_an_inference_about_a_column_that_a_person_overrules_is_gone(home: Path) -> None:
    # The remark of a gift would be an inference as well.
    content = sales_csv().replace(b"Sold for", b"Sold for in thousands").replace(b"a gift", b"a note")
    app = pick(mapped(opened(), content=content), "Sold for in thousands", field="ignore")
    assert not any(one.label.startswith("Concluded from the values") for one in app.expander)


def test_a_column_of_ones_own_is_named_while_mapping_and_renamed_later(home: Path) -> None:
    lines = sales_csv().decode().splitlines()
    values = [f"{line},{n * 37 % 101}" for n, line in enumerate(lines[1:])]
    content = "\n".join([f"{lines[0]},ppltn_qty", *values]).encode()
    app = mapped(opened(), content=content)
    [(key, table)] = naming_editors(app)
    row = table["Column"].tolist().index("ppltn_qty")
    assert table["Shown as"].tolist()[row] == "Ppltn qty"
    app.session_state[key] = {"edited_rows": {row: {"Shown as": "Population"}}, "added_rows": [], "deleted_rows": []}
    app = app.run()
    [(_, table)] = naming_editors(app)
    assert "Population" in table["Shown as"].tolist()
    committed(onward(app))
    with open_store(home) as store:
        assert store.column_names.of("harbour") == {"x_ppltn_qty": "Population"}
    app = opened()
    app.session_state["view"] = "Data versions"
    app = app.run()
    column = next(one for one in app.selectbox if one.key == "named_column")
    assert "Population (ppltn_qty)" in column.options
    # The test's own thread writes the options as the page does.
    use_names({"x_ppltn_qty": "Population"})
    app = column.select("x_ppltn_qty").run()
    name = next(one for one in app.text_input if str(one.key).startswith("name_x_ppltn_qty"))
    app = app.button("name_it_x_ppltn_qty").click().run()
    name = next(one for one in app.text_input if str(one.key).startswith("name_x_ppltn_qty"))
    assert "type another name first" in name.label
    name.input("Bedrooms")
    app = app.button("name_it_x_ppltn_qty").click().run()
    assert "is also that of 'bedrooms'" in messages(app)
    name = next(one for one in app.text_input if str(one.key).startswith("name_x_ppltn_qty"))
    name.input("People in the area")
    app = app.button("name_it_x_ppltn_qty").click().run()
    assert "Population is now People in the area" in str(app.success[0].value)
    with open_store(home) as store:
        assert store.column_names.of("harbour") == {"x_ppltn_qty": "People in the area"}


def test_prices_in_thousands_are_said_so_on_the_columns_step(home: Path) -> None:
    lines = [line.split(",") for line in sales_csv().decode().splitlines()]
    shortened = [[*line[:2], f"{float(line[2]) / 1_000:.2f}", *line[3:]] for line in lines[1:]]
    app = mapped(opened(), content="\n".join(",".join(line) for line in [lines[0], *shortened]).encode())
    scale = next(box for box in app.selectbox if box.label == "Prices are written in")
    scale.select(1.0).run()
    scale = next(box for box in app.selectbox if box.label == "Prices are written in")
    committed(onward(scale.select(1_000.0).run()))
    with open_store(home) as store:
        version = store.versions.latest("harbour")
        assert version is not None
        assert store.versions.load(version.version_id)["sale_price"].median() > 200_000
