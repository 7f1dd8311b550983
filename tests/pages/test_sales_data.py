"""The page Sales data without a browser: from files to a data version, and what it refuses."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.collect.guess import guess_mapping
from core.collect.reader import read_table
from core.errors import MappingError
from core.schema import Source
from core.store import open_store
from pages.widgets import mapping_table, session
from pages.widgets.registry import PAGES_FOLDER, page_at
from pages.widgets.safe_csv import to_csv
from tests.pages.made_stores import MANAGER, sales_csv

ROWS_IN = 62


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def opened(role: str = "analyst") -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=60)
    app.session_state[session.ROLE_KEY] = role
    app.run()
    return app.switch_page(page_at("sales_data").script.name).run()


def brought(app: AppTest, name: str, content: bytes) -> AppTest:
    [uploader] = app.main.file_uploader
    uploader.upload(name, content)
    return app.run()


def checked(app: AppTest, market: str = "Harbour") -> AppTest:
    app.text_input("market_name").input(market).run()
    return app.button("check").click().run()


def messages(app: AppTest) -> str:
    return " ".join(str(part.value) for part in [*app.main.error, *app.main.warning]).replace("\\", "")


def mapping_editor(app: AppTest) -> tuple[str, pd.DataFrame]:
    [editor] = app.data_editor
    return str(editor.key), editor.value


def pick(app: AppTest, column: str, **cells: str) -> AppTest:
    key, table = mapping_editor(app)
    row = int(table.index[table["Column"] == column][0])
    edits = {{"read_as": "Read as"}.get(name, name.capitalize()): value for name, value in cells.items()}
    app.session_state[key] = {"edited_rows": {row: edits}, "added_rows": [], "deleted_rows": []}
    return app.run()


def fields(app: AppTest) -> dict[str, str]:
    _, table = mapping_editor(app)
    return dict(zip(table["Column"], table["Field"], strict=True))


def market_ids(home: Path) -> list[str]:
    with open_store(home) as store:
        return [market.market_id for market in store.markets.list()]


def test_a_file_goes_through_mapping_and_check_to_a_version_that_accounts_for_every_row(home: Path) -> None:
    app = brought(opened(), "mine.csv", sales_csv())
    assert fields(app)["Sold for"] == "sale_price"
    assert fields(app)["Finished sq ft"] == "living_area_sqft"
    app = checked(app)
    counts = next(table.value for table in app.dataframe if "Rows in" in table.value)
    assert counts["Rows in"].tolist() == [ROWS_IN]
    assert counts[["Accepted", "Repaired", "Duplicate", "Rejected"]].sum(axis=1).tolist() == [ROWS_IN]
    assert (counts["Duplicate"].item(), counts["Rejected"].item()) == (1, 1)
    assert market_ids(home) == [], "a check must not make the market"
    assert {button.label for button in app.get("download_button")} == {"Rejected (1)", "Duplicate (1)"}
    app.button("commit").click().run()
    assert not app.exception
    assert "60 new sales" in str(app.success[0].value)
    with open_store(home) as store:
        [market] = store.markets.list()
        version = store.versions.latest(market.market_id)
        assert version is not None
        assert (market.name, version.rows, version.rows_seen) == ("Harbour", 60, ROWS_IN)
        assert list(home.glob("uploads/*")) == [], "a committed upload is removed"
    assert "Train a model" in [button.label for button in app.button]
    assert any("Version" in table.value for table in app.dataframe)


def test_the_same_file_again_changes_nothing_and_says_so(home: Path) -> None:
    app = checked(brought(opened(), "mine.csv", sales_csv()))
    app.button("commit").click().run()
    app.button("more").click().run()
    app = brought(app, "again.csv", sales_csv())
    app.button("check").click().run()
    assert "taken in before" in " ".join(str(one.value) for one in app.info)
    app.button("commit").click().run()
    assert "Nothing changed" in str(app.info[0].value)
    with open_store(home) as store:
        assert len(store.versions.list("harbour")) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("header.csv", b"price,date,zipcode\n", "has a header and no rows"),
        ("binary.csv", bytes(range(256)) * 4, "not a text file"),
        ("twice.csv", b"price,price,date\n1,2,3\n", "more than one column named 'price'"),
        ("broken.csv.gz", gzip.compress(b"price,date\n1,2\n", mtime=0)[:-4], "gzip"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_line_and_leaves_nothing(
    home: Path, name: str, content: bytes, message: str
) -> None:
    app = brought(opened(), name, content)
    assert not app.exception
    assert message in messages(app)
    assert "check" not in [button.key for button in app.button]
    assert market_ids(home) == []
    assert list(home.glob("uploads/*")) == []


def test_sales_without_a_price_column_cannot_be_checked(home: Path) -> None:
    app = brought(opened(), "mine.csv", sales_csv())
    pick(app, "Sold for", field=mapping_table.IGNORE)
    assert "Sales need a sale price" in messages(app)
    app.text_input("market_name").input("Harbour").run()
    assert app.button("check").disabled
    assert market_ids(home) == []


def test_a_check_that_rejects_every_row_makes_no_market(home: Path) -> None:
    content = b"id,sale price,sale date,zipcode,living area\n1,1,2024-01-01,98101,1500\n2,1,2024-01-02,98101,1500\n"
    app = checked(brought(opened(), "gifts.csv", content))
    assert "No row of gifts.csv can be used" in messages(app)
    assert "commit" not in [button.key for button in app.button]
    assert market_ids(home) == []


def test_a_wrong_guess_is_corrected_by_picking(home: Path) -> None:
    app = brought(opened(), "mine.csv", sales_csv())
    assert fields(app)["Beds"] == "bedrooms"
    app = pick(app, "Beds", field="bathrooms")
    assert fields(app)["Beds"] == "bathrooms"
    checked(app).button("commit").click().run()
    with open_store(home) as store:
        version = store.versions.latest("harbour")
        assert version is not None
        sales = store.versions.load(version.version_id)
    assert sales["bathrooms"].between(1, 4).all()
    assert "bedrooms" not in sales or sales["bedrooms"].isna().all()


def test_a_date_under_an_unknown_header_is_picked_and_its_format_is_seen(home: Path) -> None:
    app = brought(opened(), "mine.csv", sales_csv().replace(b"Sale date", b"When"))
    assert fields(app)["When"] == mapping_table.IGNORE
    assert "Sales need a sale date" in messages(app)
    app = pick(app, "When", field="sale_date")
    assert messages(app) == ""
    checked(app).button("commit").click().run()
    assert market_ids(home) == ["harbour"]


def test_a_field_picked_for_a_second_column_is_refused_not_added_up() -> None:
    app = brought(opened(), "mine.csv", sales_csv())
    app = pick(app, "Finished sq ft", field="sale_price")
    assert "are both taken for Sale price" in messages(app)


def test_a_mapping_is_saved_under_a_name_and_used_again(home: Path) -> None:
    app = brought(opened(), "mine.csv", sales_csv())
    app = pick(app, "Beds", field=mapping_table.IGNORE)
    app.text_input("preset_name_0").input("County export").run()
    app.button("save_preset_0").click().run()
    with open_store(home) as store:
        assert store.presets.list() == ["County export"]
    again = brought(opened(), "next.csv", sales_csv(30))
    assert fields(again)["Beds"] == "bedrooms"
    again.selectbox("preset_0").select("County export").run()
    again.button("use_preset_0").click().run()
    assert fields(again)["Beds"] == mapping_table.IGNORE


def test_a_preset_of_other_columns_is_refused_by_their_names(home: Path) -> None:
    app = brought(opened(), "mine.csv", sales_csv())
    app.text_input("preset_name_0").input("Other").run()
    app.button("save_preset_0").click().run()
    other = sales_csv().replace(b"Sold for", b"Price paid")
    app = brought(opened(), "other.csv", other)
    app.selectbox("preset_0").select("Other").run()
    app.button("use_preset_0").click().run()
    assert "other.csv lacks 'Sold for'" in messages(app)


def test_a_name_that_is_taken_is_refused_before_anything_is_kept(home: Path) -> None:
    with open_store(home) as store:
        store.markets.create("Harbour", "USD", "sqft", False, MANAGER)
    app = brought(opened(), "mine.csv", sales_csv())
    app.selectbox("destination").select("").run()
    checked(app, "harbour!")
    assert "already there" in messages(app)


def test_real_sales_are_not_offered_to_a_simulated_market(home: Path) -> None:
    with open_store(home) as store:
        store.markets.create("Made up", "USD", "sqft", True, MANAGER)
    app = brought(opened(), "mine.csv", sales_csv())
    assert "destination" not in [box.key for box in app.selectbox]


def test_an_upload_over_the_limit_is_refused_by_its_size(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    from core.store.uploads import Uploads

    save = Uploads.save
    monkeypatch.setattr(Uploads, "save", lambda self, name, content, limit: save(self, name, content, 100))
    app = brought(opened(), "mine.csv", sales_csv())
    assert "larger than the limit" in messages(app)
    assert list(home.glob("uploads/*")) == []


def test_cells_that_begin_like_a_formula_are_neutralised_and_numbers_are_not() -> None:
    table = pd.DataFrame({"raw": ["=1+1", "+x", "-5", "@cmd", "plain", "-2.5e3"], "n": [-1.0, 2, 3, 4, 5, 6]})
    lines = to_csv(table).decode("utf-8-sig").splitlines()
    assert lines[1:] == ["'=1+1,-1.0", "'+x,2.0", "-5,3.0", "'@cmd,4.0", "plain,5.0", "-2.5e3,6.0"]


def test_the_table_of_a_guess_says_the_guess_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(sales_csv())
    guess = guess_mapping(read_table(path), Source.SALES)
    table = mapping_table.table_of(guess.mapping, guess)
    assert mapping_table.mapping_of(table, guess.mapping) == guess.mapping


def test_a_field_of_another_kind_brings_its_own_reading_and_areas_their_unit(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(sales_csv())
    guess = guess_mapping(read_table(path), Source.SALES)
    table = mapping_table.table_of(guess.mapping, guess)
    table.loc[table["Column"] == "Remarks", "Field"] = "lot_area_sqft"
    rule = next(rule for rule in mapping_table.mapping_of(table, guess.mapping).rules if rule.column == "Remarks")
    assert (rule.parse in {"number", "dimensions", "leading_number"}, rule.unit) == (True, "sqft")


def test_a_preset_is_fitted_only_to_a_file_with_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(sales_csv())
    mapping = guess_mapping(read_table(path), Source.SALES).mapping
    with pytest.raises(MappingError, match="lacks 'Zip'"):
        mapping_table.fitted(mapping, ("Parcel", "Sale date", "Sold for", "Finished sq ft", "Beds", "Remarks"), "x.csv")
