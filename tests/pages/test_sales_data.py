"""The page Sales data without a browser: from files to a data version, and what it refuses."""

from __future__ import annotations

import getpass
import gzip
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from core.access import Actor, Role
from core.accounting import FileAccounting
from core.collect.columns import picks
from core.collect.columns.guess import guess_mapping
from core.collect.reading.reader import read_table
from core.progress import silent
from core.schema import Source
from core.spreadsheet import to_csv
from core.store import open_store
from core.workflows.data.inspection import FILE
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from pages.kit.palette import LIGHT
from pages.views.sales_data import mapping_table
from pages.views.sales_data.charts import flow
from pages.views.sales_data.check import grouped
from pages.views.sales_data.near_matches import marked
from tests.acting import acting
from tests.pages.made_stores import MANAGER, sales_csv
from tests.patience import PATIENCE_SECONDS

ROWS_IN = 62
HARBOUR = NewMarket("Harbour", "USD", "sqft")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def opened(role: str = "analyst") -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = role
    app.run()
    return app.switch_page(page_at("sales_data").script.name).run()


def brought(app: AppTest, name: str, content: bytes) -> AppTest:
    [uploader] = app.main.file_uploader
    uploader.upload(name, content)
    return app.run()


def to_columns(app: AppTest, market: str = "Harbour") -> AppTest:
    """Name the market, where a new one is to be, and go on to the columns."""
    if "market_name" in [field.key for field in app.text_input]:
        app.text_input("market_name").input(market).run()
    return onward(app)


def session_actor() -> Actor:
    return Actor(getpass.getuser(), Role.ANALYST)


def onward(app: AppTest) -> AppTest:
    return app.button("onward").click().run()


def mapped(app: AppTest, name: str = "mine.csv", content: bytes | None = None) -> AppTest:
    return to_columns(brought(app, name, content or sales_csv()))


def checked(app: AppTest, market: str = "Harbour") -> AppTest:
    return onward(to_columns(app, market))


def started_over(app: AppTest) -> AppTest:
    app.button("step_files").click().run()
    assert app.button("start_over").label == "Drop 1 file", "the button Start over only asks"
    return app.button("start_over").click().run()


def committed(app: AppTest) -> AppTest:
    """From the check through the preview to the commit."""
    onward(onward(app))
    return app.button("commit").click().run()


def held(home: Path, *files: bytes) -> None:
    """Commit files one after the other, as the page does, to a market that they make."""
    with open_store(home) as store:
        workspace = acting(store, session_actor())
        for number, content in enumerate(files):
            path = home.with_name(f"held{number}.csv")
            path.write_bytes(content)
            made = [market.market_id for market in store.markets.list()]
            ingest(workspace, made[0] if made else HARBOUR, [SourceFile(path, path.name)], silent)


def messages(app: AppTest) -> str:
    return " ".join(str(part.value) for part in [*app.main.error, *app.main.warning]).replace("\\", "")


def said(app: AppTest) -> str:
    return " ".join(str(part.value) for part in [*app.main.info, *app.main.warning]).replace("\\", "")


def shown(app: AppTest) -> str:
    return " ".join(str(part.value) for part in app.main.markdown).replace("\\", "")


def mapping_editors(app: AppTest) -> list[tuple[str, pd.DataFrame]]:
    """The tables of columns: those to check first, then those that are sure."""
    return [(str(one.key), one.value) for one in app.data_editor if "Sure" in one.value]


def pick(app: AppTest, column: str, **cells: str) -> AppTest:
    key, table = next(one for one in mapping_editors(app) if column in one[1]["Column"].tolist())
    row = table["Column"].tolist().index(column)
    edits = {{"read_as": "Read as"}.get(name, name.capitalize()): value for name, value in cells.items()}
    app.session_state[key] = {"edited_rows": {row: edits}, "added_rows": [], "deleted_rows": []}
    return app.run()


def fields(app: AppTest) -> dict[str, str]:
    table = pd.concat([table for _, table in mapping_editors(app)])
    return dict(zip(table["Column"], table["Field"], strict=True))


def market_ids(home: Path) -> list[str]:
    with open_store(home) as store:
        return [market.market_id for market in store.markets.list()]


def test_a_file_goes_through_all_steps_to_a_version_that_accounts_for_every_row(home: Path) -> None:
    app = mapped(opened())
    assert fields(app)["Sold for"] == "sale_price"
    assert fields(app)["Finished sq ft"] == "living_area_sqft"
    app = onward(app)
    assert {metric.label: metric.value for metric in app.metric}["Rows in"] == str(ROWS_IN)
    app = onward(app)
    counts = next(table.value for table in app.table if "Rows in" in table.value)
    assert counts["Rows in"].tolist() == [ROWS_IN]
    assert counts[["Accepted", "Repaired", "Duplicate", "Rejected"]].sum(axis=1).tolist() == [ROWS_IN]
    assert (counts["Duplicate"].item(), counts["Rejected"].item()) == (1, 1)
    assert market_ids(home) == [], "a check must not make the market"
    labels = {button.label for button in app.get("download_button") if isinstance(button, Element)}
    assert {"Rejected (1)", "Duplicate (1)", "Accepted (60)"} <= labels
    first = next(table.value for table in app.dataframe if "Living area, sq ft" in table.value)
    assert len(first) == 50
    app = onward(app)
    assert "A new market, Harbour, is created with 60 sales" in " ".join(str(one.value) for one in app.markdown)
    app.button("commit").click().run()
    assert not app.exception
    assert "60 new sales" in str(app.success[0].value)
    with open_store(home) as store:
        [market] = store.markets.list()
        version = store.versions.latest(market.market_id)
        assert version is not None
        assert (market.name, version.rows, version.rows_seen) == ("Harbour", 60, ROWS_IN)
        assert version.note == "mine.csv"
        assert list(home.glob("uploads/*")) == [], "a committed upload is removed"
    assert "Train a model" in [button.label for button in app.button]


def test_a_reload_loses_nothing_staged_and_goes_on_at_the_same_step(home: Path) -> None:
    app = mapped(opened())
    app = pick(app, "Beds", field=picks.IGNORE)
    again = opened()
    assert fields(again)["Beds"] == picks.IGNORE
    again = onward(again)
    assert again.metric[0].value == str(ROWS_IN)
    third = opened("manager")
    assert next(button.label for button in third.button if button.proto.type == "primary") == "3 · Check"
    onward(onward(third)).text_input("note").input("from the county").run()
    fourth = opened()
    assert fourth.text_input("note").value == "from the county"
    fourth.button("commit").click().run()
    with open_store(home) as store:
        assert [market.name for market in store.markets.list()] == ["Harbour"]
        assert [version.note for version in store.versions.list("harbour")] == ["from the county"]
        assert store.drafts.uploads() == frozenset()
    assert "mine.csv" not in " ".join(str(one.value) for one in opened().markdown)


def test_steps_open_one_after_another_and_close_when_what_they_rest_on_changes() -> None:
    def open_steps(app: AppTest) -> list[str]:
        return [str(one.key) for one in app.button if str(one.key).startswith("step_") and not one.disabled]

    app = brought(opened(), "mine.csv", sales_csv())
    app = onward(app)
    assert "type it first" in app.text_input("market_name").label
    assert open_steps(app) == ["step_files", "step_columns"]
    app.text_input("market_name").input("Harbour")
    app = onward(app)
    assert open_steps(app) == ["step_files", "step_columns", "step_check"]
    app = onward(app)
    assert len(open_steps(app)) == 5
    app.button("step_columns").click().run()
    app = pick(app, "Beds", field=picks.IGNORE)
    assert open_steps(app) == ["step_files", "step_columns", "step_check"]


def test_the_same_file_again_changes_nothing_and_says_so_at_once(home: Path) -> None:
    content = sales_csv().replace(b",1,note 4", b",one,note 4")
    app = committed(checked(brought(opened(), "mine.csv", content)))
    app.button("more").click().run()
    app = brought(app, "again.csv", content)
    assert "This file was already imported" in said(app)
    app = checked(app)
    assert "61 are sales that the market has" in said(app)
    app = onward(app)
    # The preview offers no commit of nothing.
    assert "onward" not in {button.key for button in app.button}
    assert app.button("step_commit").disabled
    app.button("step_check").click().run()
    problems = next(table.value for table in app.table if "What helps" in table.value)
    remedies = dict(zip(problems["Value"], problems["What helps"], strict=True))
    # No cell is emptied in a row that goes nowhere.
    assert remedies["one"] == "The row repeats a sale and is left out: nothing is lost"
    with open_store(home) as store:
        assert len(store.versions.list("harbour")) == 1


def test_persons_are_dropped_before_anything_reaches_disk_and_it_is_said(home: Path) -> None:
    lines = sales_csv().decode().splitlines()
    rows = [f"{line},Ann Example,ann{n}@example.com" for n, line in enumerate(lines[1:])]
    content = "\n".join([f"{lines[0]},Owner name,Contact e-mail", *rows]).encode()
    app = brought(opened(), "owners.csv", content)
    assert "Owner name, Contact e-mail" in said(app)
    for path in home.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert b"Ann Example" not in held
            assert b"@example.com" not in held
    app = to_columns(app)
    assert "Owner name" not in fields(app)


def test_a_word_is_recoded_in_its_table(home: Path) -> None:
    lines = sales_csv().decode().splitlines()
    rows = [f"{line},{'SFR Special' if n % 2 else 'Condo'}" for n, line in enumerate(lines[1:])]
    app = mapped(opened(), content="\n".join([f"{lines[0]},Property type", *rows]).encode())
    app = pick(app, "Property type", field="property_type") if fields(app)["Property type"] != "property_type" else app
    editor = next(one for one in app.data_editor if "In the file" in one.value)
    table = editor.value
    place = int(table.index[table["In the file"] == "SFR Special"][0])
    app.session_state[str(editor.key)] = {
        "edited_rows": {place: {"Read as": "single_family"}},
        "added_rows": [],
        "deleted_rows": [],
    }
    app = app.run()
    committed(onward(app))
    with open_store(home) as store:
        version = store.versions.latest("harbour")
        assert version is not None
        assert set(store.versions.load(version.version_id)["property_type"]) == {"single_family", "condo"}


def test_a_column_left_out_is_taken_in_after_all() -> None:
    lines = sales_csv().decode().splitlines()
    rows = [f"{line},{float(line.split(',')[2]) * 1.02:.0f}" for line in lines[1:]]
    app = mapped(opened(), content="\n".join([f"{lines[0]},Adjusted sale price", *rows]).encode())
    assert fields(app)["Adjusted sale price"] == picks.IGNORE
    assert "would give the model the answer: Adjusted sale price" in messages(app)
    box = next(one for one in app.selectbox if str(one.key).startswith("back_"))
    box.select("Adjusted sale price").run()
    next(one for one in app.button if str(one.key).startswith("take_")).click().run()
    assert fields(app)["Adjusted sale price"] == picks.EXTRA


def test_versions_are_listed_compared_and_the_latest_undone_with_a_reason_and_brought_back(home: Path) -> None:
    held(home, sales_csv(30), sales_csv(60))
    with open_store(home) as store:
        [newest, oldest] = (one.version_id for one in store.versions.chain("harbour"))
    app = opened()
    app.session_state["view"] = "Data versions"
    app = app.run()
    listed = next(table.value for table in app.table if "Version" in table.value)
    assert listed["State"].tolist() == ["in use", "earlier"]
    figures = {metric.label: metric.value for metric in app.metric}
    assert (figures["Added"], figures["Removed"], figures["Corrected"]) == ("30", "0", "0")
    app.selectbox("before").select(newest)
    app.selectbox("after").select(oldest)
    # A browser names what was chosen in the address, and only the selectors may change it there.
    app.query_params["before"], app.query_params["after"] = app.selectbox("before").options
    app.run()
    assert {metric.label: metric.value for metric in app.metric}["Removed"] == "30"
    middles = next(one.value for one in app.table if "Middle after" in one.value).set_index("Column")["Middle after"]
    assert middles["Living area"].endswith(" sq ft")
    assert middles["Sale price"].startswith("$")
    sure = f"undo_sure_{listed['Version'][0]}"
    app.button("undo").click().run()
    assert "say why first" in app.text_input("undo_reason").label
    assert "tick this first" in app.checkbox(sure).label
    app.checkbox(sure).check().run()
    assert "say why first" in app.text_input("undo_reason").label, "it stays until it is mended"
    assert "first" not in app.checkbox(sure).label
    app.button("undo").click().run()
    with open_store(home) as store:
        assert [one.version_id for one in [store.versions.latest("harbour")] if one] == [listed["Version"][0]]
    app.text_input("undo_reason").input("the wrong year")
    app.button("undo").click().run()
    assert not app.exception
    assert "was undone" in str(app.success[0].value)
    assert (app.selectbox("before").value, app.selectbox("after").value) == (newest, oldest)
    with open_store(home) as store:
        latest = store.versions.latest("harbour")
        assert latest is not None
        assert latest.version_id == listed["Version"][1]
    assert any("undone by" in one.value and "the wrong year" in one.value for one in app.markdown)
    app.button(f"use_{listed['Version'][0]}").click().run()
    assert not app.exception
    assert "with 60 sales is in use again" in str(app.success[0].value)
    listed = next(table.value for table in app.table if "Version" in table.value)
    assert listed["State"].tolist() == ["in use", "earlier"]
    assert not any(str(one.key).startswith("use_") for one in app.button)


def test_a_tab_whose_files_another_tab_committed_or_dropped_says_so(home: Path) -> None:
    first = onward(checked(brought(opened(), "sales.csv", sales_csv(30))))
    second = opened()
    assert "Continue to commit" in [button.label for button in second.button]
    onward(first).button("commit").click().run()
    assert "tab" not in said(first)
    onward(second)
    assert not second.exception
    assert "sales.csv was committed in another tab or window on" in said(second)
    assert "Harbour now has 30 sales." in said(second)
    brought(second, "more.csv", sales_csv(60))
    assert "tab" not in said(second)
    first.button("more").click().run()
    started_over(first)
    second.run()
    assert "more.csv was dropped, or committed without a change, in another tab or window." in said(second)


def test_an_older_version_is_undone_with_the_later_one_it_names_and_both_come_back_at_once(home: Path) -> None:
    held(home, sales_csv(30), sales_csv(60))
    app = opened()
    app.session_state["view"] = "Data versions"
    app = app.run()
    latest, first = next(table.value for table in app.table if "Version" in table.value)["Version"]
    app.selectbox("undo_which").select(first).run()
    said = " ".join(str(one.value) for one in (*app.warning, *app.markdown)).replace("\\", "")
    assert f"it can only be undone together with them: {latest} (60 sales, held1.csv)" in said
    app.text_input("undo_reason").input("the wrong county").run()
    app.checkbox(f"undo_sure_{first}").check().run()
    app.button("undo").click().run()
    assert not app.exception
    assert str(app.success[0].value).startswith(f"Versions {latest}, {first} were undone; no data is in use")
    app.button(f"use_{latest}").click().run()
    assert not app.exception
    with open_store(home) as store:
        assert [one.version_id for one in store.versions.chain("harbour")] == [latest, first]


def test_a_comparison_opens_on_what_the_version_in_use_changed_not_on_an_undone_one(home: Path) -> None:
    held(home, sales_csv(30), sales_csv(40))
    with open_store(home) as store:
        undone = store.versions.latest("harbour")
        assert undone is not None
        store.versions.undo(undone.version_id, session_actor(), "the wrong year")
    held(home, sales_csv(60))
    app = opened()
    app.session_state["view"] = "Data versions"
    app = app.run()
    assert {metric.label: metric.value for metric in app.metric}["Added"] == "30"
    assert app.selectbox("before").value == undone.parent_id
    assert not any(str(one.key).startswith("use_") for one in app.button)
    told = " ".join(one.value for one in app.markdown).replace("\\", "")
    assert undone.version_id in told
    assert f"It was built on {undone.parent_id}" in told
    assert "first" in told


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("header.csv", b"price,date,zipcode\n", "has a header and no rows"),
        ("binary.csv", bytes(range(256)) * 4, "not a text file"),
        ("twice.csv", b"price,price,date\n1,2,3\n", "more than one column named 'price'"),
        ("broken.csv.gz", gzip.compress(b"price,date\n1,2\n", mtime=0)[:-4], "gzip"),
        ("photo.png", b"\x89PNG\r\n\x1a\n", "photo.png looks like a PNG picture. Doorstep reads CSV and TSV files"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_line_and_leaves_nothing(
    home: Path, name: str, content: bytes, message: str
) -> None:
    app = brought(opened(), name, content)
    assert not app.exception
    assert message in messages(app)
    assert "onward" not in [button.key for button in app.button]
    assert market_ids(home) == []
    assert list(home.glob("uploads/*")) == []


def test_sales_without_a_price_column_cannot_be_checked(home: Path) -> None:
    app = mapped(opened())
    pick(app, "Sold for", field=picks.IGNORE)
    assert "Sales need a sale price" in messages(app)
    assert app.button("onward").disabled
    assert market_ids(home) == []


def test_a_check_that_rejects_every_row_makes_no_market(home: Path) -> None:
    content = b"id,sale price,sale date,zipcode,living area\n1,1,2024-01-01,98101,1500\n2,1,2024-01-02,98101,1500\n"
    app = checked(brought(opened(), "gifts.csv", content))
    assert "No row of gifts.csv can be used" in messages(app)
    assert "commit" not in [button.key for button in app.button]
    assert market_ids(home) == []


def test_a_wrong_guess_is_corrected_by_picking(home: Path) -> None:
    app = mapped(opened())
    assert fields(app)["Beds"] == "bedrooms"
    app = pick(app, "Beds", field="bathrooms")
    assert fields(app)["Beds"] == "bathrooms"
    committed(onward(app))
    with open_store(home) as store:
        version = store.versions.latest("harbour")
        assert version is not None
        sales = store.versions.load(version.version_id)
    assert sales["bathrooms"].between(1, 4).all()
    assert "bedrooms" not in sales or sales["bedrooms"].isna().all()


def test_a_date_under_an_unknown_header_is_picked_and_its_format_is_seen(home: Path) -> None:
    app = mapped(opened(), content=sales_csv().replace(b"Sale date", b"When"))
    assert fields(app)["When"] == picks.IGNORE
    assert "Sales need a sale date" in messages(app)
    app = pick(app, "When", field="sale_date")
    assert "Sales need a sale date" not in messages(app)
    assert not app.error
    committed(onward(app))
    assert market_ids(home) == ["harbour"]


def test_a_field_picked_for_a_second_column_is_refused_not_added_up() -> None:
    app = mapped(opened())
    app = pick(app, "Finished sq ft", field="sale_price")
    assert "are both taken for Sale price" in messages(app)


def test_a_mapping_is_saved_under_a_name_and_used_again(home: Path) -> None:
    app = mapped(opened())
    app = pick(app, "Beds", field=picks.IGNORE)
    app.button("save_preset_0").click().run()
    assert "type a name first" in app.text_input("preset_name_0").label
    with open_store(home) as store:
        assert store.presets.list() == []
    app.text_input("preset_name_0").input("County export")
    app.button("save_preset_0").click().run()
    assert app.text_input("preset_name_0").label == "Save this mapping as"
    with open_store(home) as store:
        assert store.presets.list() == ["County export"]
    again = mapped(started_over(app), "next.csv", sales_csv(30))
    assert fields(again)["Beds"] == "bedrooms"
    again.button("use_preset_0").click().run()
    assert "choose one first" in again.selectbox("preset_0").label
    again.selectbox("preset_0").select("County export")
    again.button("use_preset_0").click().run()
    assert fields(again)["Beds"] == picks.IGNORE


def test_a_preset_of_other_columns_is_refused_by_their_names(home: Path) -> None:
    app = mapped(opened())
    app.text_input("preset_name_0").input("Other").run()
    app.button("save_preset_0").click().run()
    other = sales_csv().replace(b"Sold for", b"Price paid")
    app = mapped(started_over(app), "other.csv", other)
    app.selectbox("preset_0").select("Other").run()
    app.button("use_preset_0").click().run()
    assert "other.csv lacks 'Sold for'" in messages(app)


def test_a_name_that_is_taken_is_refused_before_anything_is_kept(home: Path) -> None:
    with open_store(home) as store:
        store.markets.create("Harbour", "USD", "sqft", False, MANAGER)
    app = brought(opened(), "mine.csv", sales_csv())
    app.selectbox("destination").select("").run()
    checked(app, "harbour!")
    assert "already exists" in messages(app)


def test_real_sales_are_not_offered_to_a_simulated_market(home: Path) -> None:
    with open_store(home) as store:
        store.markets.create("Made up", "USD", "sqft", True, MANAGER)
    app = brought(opened(), "mine.csv", sales_csv())
    assert "destination" not in [box.key for box in app.selectbox]


def test_an_upload_over_the_limit_is_refused_by_its_size(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    from core.store.sales.uploads import Uploads

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


def test_corrections_are_shown_before_and_after_and_take_the_place_of_the_earlier_sale(home: Path) -> None:
    held(home, sales_csv())
    lines = sales_csv().decode().splitlines()
    cells = lines[5].split(",")
    before, cells[2] = cells[2], "555000"
    app = checked(brought(opened(), "corrected.csv", "\n".join([lines[0], ",".join(cells)]).encode()))
    assert {metric.label: metric.value for metric in app.metric}["Corrections"] == "1"
    app = onward(app)
    told = next(table.value for table in app.dataframe if "Before" in table.value)
    assert told[["Fact", "Before", "After"]].to_numpy().tolist() == [["Sale price", f"${int(before):,}", "$555,000"]]
    app = onward(app)
    assert app.button("commit").label == "Commit 1 correction"
    assert any("keeps its 60 sales, 1 of them corrected" in one.value for one in app.markdown)
    app.button("commit").click().run()
    with open_store(home) as store:
        latest = store.versions.latest("harbour")
        assert latest is not None
        sales = store.versions.load(latest.version_id)
        assert (len(sales), int((sales["sale_price"] == 555_000).sum())) == (60, 1)


def test_other_facts_of_stored_sales_are_told_by_row_and_taken_on_a_tick(home: Path) -> None:
    held(home, sales_csv())
    header, *lines = sales_csv().decode().splitlines()
    rows = [line.split(",") for line in lines[4:7]]
    for cells in rows:
        cells[5] = "7"
    app = checked(brought(opened(), "beds.csv", "\n".join([header, *map(",".join, rows)]).encode()))
    told = next(table.value for table in app.dataframe if "Stored, and here" in table.value)
    assert told["Stored, and here"].tolist() == [f"bedrooms ({1 + row % 4}, here 7)" for row in range(4, 7)]
    assert told["Row"].tolist() == [1, 2, 3]
    assert app.button("step_commit").disabled
    app = app.checkbox("take_facts").check().run()
    assert {metric.label: metric.value for metric in app.metric}["Corrections"] == "3"
    app = onward(onward(app))
    assert app.button("commit").label == "Commit 3 corrections"
    app.button("commit").click().run()
    with open_store(home) as store:
        latest = store.versions.latest("harbour")
        assert latest is not None
        sales = store.versions.load(latest.version_id)
        assert (len(sales), int((sales["bedrooms"] == 7).sum())) == (60, 3)


def test_every_doubt_is_repeated_up_to_the_commit_and_nothing_is_called_ready() -> None:
    lines = sales_csv(200).decode().splitlines()
    dated = [line.split(",") for line in lines]
    place = lines[0].split(",").index("Sale date")
    for number, cells in enumerate(dated[1:]):
        day = pd.Timestamp("2024-01-01") + pd.Timedelta(days=number)
        cells[place] = day.strftime("%m/%d/%Y" if number % 12 == 0 else "%d/%m/%Y")
    app = checked(brought(opened(), "mixed.csv", "\n".join(map(",".join, dated)).encode()))
    # Where it is decided, it is said again, and its column is among those to check.
    app = app.button("decide_in_columns").click().run()
    assert "may be read wrongly" in messages(app)
    assert "Sale date" in [*mapping_editors(app)[0][1]["Column"]]
    app = onward(app)
    for step in ("check", "preview", "commit"):
        assert "may be read wrongly" in messages(app), step
        if step != "commit":
            assert any("Look first" in one.value for one in app.markdown), step
            app = onward(app)
    # Dates that may be read wrongly go in only once somebody says that they are right.
    assert app.button("commit").label.startswith("Commit ")
    assert app.button("commit").disabled
    assert app.checkbox("allow_misread").label.startswith("The file is read rightly: ")
    assert not app.checkbox("allow_misread").check().run().button("commit").disabled
    assert app.checkbox("allow_misread").uncheck().run().button("commit").disabled
    app.checkbox("allow_misread").check().run().button("commit").click().run()
    assert "Committed: " in " ".join(part.value for part in app.success)


def test_market_indicators_come_to_a_market_like_any_file_and_say_which_they_are(home: Path) -> None:
    held(home, sales_csv())
    days = [f"2024-{month:02}-01" for month in range(1, 13)]
    rates = "observation_date,mortgage_rate\n" + "".join(f"{day},{6 + n / 10}\n" for n, day in enumerate(days))
    app = to_columns(brought(opened(), "rates.csv", rates.encode()))
    assert fields(app) == {"observation_date": "indicator_day", "mortgage_rate": "extra"}
    onward(onward(app))
    new = "New market indicators: Mortgage rate (12 values from Jan 1, 2024 to Dec 1, 2024)"
    assert f"Ready: {new}." in shown(app)
    app.button("onward").click().run()
    assert f"sales. {new}." in shown(app)
    app.button("commit").click().run()
    assert not app.exception
    assert "Committed: new indicators" in " ".join(part.value for part in app.main.success)
    with open_store(home) as store:
        [market] = store.markets.list()
        version = store.versions.latest(market.market_id)
        assert version is not None
        assert store.versions.load_indicators(version.version_id) is not None
    # The same figures once more are nothing new.
    app = to_columns(brought(app.button("more").click().run(), "rates.csv", rates.encode()))
    onward(onward(app))
    assert not app.exception
    assert "Nothing to commit" in shown(app)
    assert any("already" in part.value for part in app.main.info)
    assert [one.key for one in app.button if one.key == "discard"]


def test_sales_of_elsewhere_are_still_doubted_where_they_are_committed(home: Path) -> None:
    held(home, sales_csv(120))
    elsewhere = sales_csv(60).decode().replace(",9810", ",3030").replace("P0", "Q0")
    app = checked(brought(opened(), "elsewhere.csv", elsewhere.encode()))
    assert any("Look first" in one.value for one in app.markdown)
    app = onward(onward(app))
    assert "make sure that the file belongs to this market" in messages(app)
    # As the command line does, the page takes them only on a word of one's own.
    assert app.button("commit").label.startswith("Commit ")
    assert app.button("commit").disabled
    app.checkbox("allow_elsewhere").check().run()
    app.button("commit").click().run()
    assert "Committed: " in " ".join(part.value for part in app.success)


def test_a_near_match_is_asked_about_joined_on_a_yes_and_remembered(home: Path) -> None:
    rows = [f",{n} Mapel St,9810{n % 5},2024-01-{n:02},{300_000 + n},1{n:03}" for n in range(10, 22)]
    sales = "parcel,address,zip code,sale date,sale price,living area\n" + "\n".join(rows)
    tax = "parcel,address,zip code,year built,sun hours\n" + "\n".join(
        f"P{n},{n} {'Maple' if n == 15 else 'Mapel'} Street,9810{n % 5},{1900 + n},{n % 7}" for n in range(10, 22)
    )
    app = brought(opened(), "sales.csv", sales.encode())
    app = to_columns(brought(app, "roll.csv", tax.encode()))
    assert "1 column of roll.csv" in " ".join(str(one.value) for one in app.caption).replace("\\", "")
    app = onward(app)
    assert "Addresses that may be the same (1 to answer)" in " ".join(str(one.value) for one in app.markdown)
    app.button("match_yes").click().run()
    assert "All have been answered" in " ".join(str(one.value) for one in app.markdown)
    committed(app)
    with open_store(home) as store:
        assert list(store.matches.of("harbour").values()) == [True]
        latest = store.versions.latest("harbour")
        assert latest is not None
        assert store.versions.load(latest.version_id)["year_built"].notna().all()


def test_words_that_one_address_alone_has_are_marked() -> None:
    assert marked("12 Mapel St", "12 MAPLE St") == (
        "12 :orange-background[**Mapel**] St",
        "12 :orange-background[**MAPLE**] St",
    )
    assert marked("1 A St", "1 A St") == ("1 A St", "1 A St")


def test_problems_come_by_column_and_a_value_in_capitals_is_the_same() -> None:
    lines = [("lot", "Irregular"), ("lot", "irregular"), ("lot", "See legal"), ("beds", "x"), ("lot", "IRREGULAR")]
    problems = pd.DataFrame(
        [
            {
                FILE: "a.csv",
                "row": n + 2_501,
                "column": column,
                "value": value,
                "limit": "a number",
                "remedy": "Correct it.",
            }
            for n, (column, value) in enumerate(lines)
        ]
    )
    table = grouped(problems)
    assert table[["Column", "Value", "Cells", "Row no."]].to_numpy().tolist() == [
        ["lot", "Irregular", 3, "2501, 2502, 2505"],
        ["lot", "See legal", 1, "2503"],
        ["beds", "x", 1, "2504"],
    ]


def test_a_link_names_a_market_by_id_or_name_in_any_letters(home: Path) -> None:
    with open_store(home) as store:
        store.markets.create("Inland", "USD", "sqft", False, MANAGER)
    # A market alone is named as well, so that a link stays with it once there is another.
    alone = opened()
    assert alone.query_params["market"] == "Inland"
    with open_store(home) as store:
        store.markets.create("Harbour", "USD", "sqft", False, MANAGER)
    assert alone.run().sidebar.selectbox("market").value == "inland"
    assert alone.query_params["market"] == "Inland"
    for named, market in (("inland", "Inland"), ("INLAND", "Inland"), ("harbour", "Harbour")):
        app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
        app.session_state[session.ROLE_KEY] = "analyst"
        app.query_params["market"] = named
        app.run()
        assert app.sidebar.selectbox("market").value == market.casefold()
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "analyst"
    app.query_params["market"] = "Nowhere"
    app.run()
    assert "no market “Nowhere”" in " ".join(str(part.value) for part in app.toast)


def test_the_flow_of_rows_sums_to_the_accounting() -> None:
    files = (
        FileAccounting("a.csv", "sales", "", 10, 5, 2, 1, 2, {}),
        FileAccounting("roll.csv", "tax", "", 4, 3, 0, 0, 1, {}),
    )
    reasons = [""] * 5 + ["area_implausible", "area_implausible;x", "duplicate_row", "date_missing", "price_missing"]
    outcomes = ["accepted"] * 5 + ["repaired"] * 2 + ["duplicate"] + ["rejected"] * 2
    ledgers = pd.DataFrame({"file": "a.csv", "outcome": outcomes, "reasons": reasons})
    figure = flow(files, ledgers, LIGHT)
    sankey = figure.data[0]
    out = dict.fromkeys(range(2), 0)
    for source, value in zip(sankey.link.source, sankey.link.value, strict=True):
        out[source] += value
    assert out == {0: 10, 1: 4}
    assert "Repaired, area implausible: 2" in sankey.node.label
    assert "Accepted: 8" in sankey.node.label
    # Labels stand where nothing flows: those of files above their bars, those of the ends beyond them.
    labels = {one.text.replace("<br>", " "): one for one in figure.layout.annotations}
    assert list(labels) == list(sankey.node.label)
    for name, x in zip(sankey.node.label, sankey.node.x, strict=True):
        is_file = name.startswith(("a.csv", "roll.csv"))
        assert (labels[name].xanchor, labels[name].yanchor) == ("left", "bottom" if is_file else "middle")
        assert labels[name].x >= (0.0 if is_file else x)


def test_a_mapping_is_shared_as_a_file() -> None:
    app = mapped(opened())
    changed = pick(app, "Beds", field=picks.IGNORE)
    labels = [button.label for button in changed.get("download_button") if isinstance(button, Element)]
    assert "Download this mapping" in labels
    with open_store() as store:
        [text] = [file["mapping"] for file in (store.drafts.load(session_actor()) or {})["files"]]
    app = mapped(started_over(changed), "next.csv", sales_csv(30))
    assert fields(app)["Beds"] == "bedrooms"
    uploader = next(one for one in app.file_uploader if str(one.key).startswith("preset_file"))
    uploader.upload("listings.csv", b"price,date\n1,2\n")
    app = app.run()
    app.button("use_preset_file_0").click().run()
    assert "listings.csv is not a mapping saved by Doorstep" in messages(app)
    uploader = next(one for one in app.file_uploader if str(one.key).startswith("preset_file"))
    uploader.upload("shared.json", text.encode())
    app = app.run()
    app.button("use_preset_file_0").click().run()
    assert fields(app)["Beds"] == picks.IGNORE
