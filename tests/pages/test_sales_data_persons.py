"""Persons on the page Sales data: none reaches disk, each column says so, and text of no field is kept when named."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.collect.privacy import read_file
from core.collect.reading.reader import Extracted, table_of
from core.store import open_store
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from tests.collect.test_person_headers import SOME, as_csv, homes, leaked, persons, shown
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def opened() -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "analyst"
    app.run()
    return app.switch_page(page_at("sales_data").script.name).run()


def brought(app: AppTest, content: bytes) -> AppTest:
    app.main.file_uploader[0].upload("sales.csv", content)
    return app.run()


def to_commit(app: AppTest) -> AppTest:
    app.text_input("market_name").input("Harbour").run()
    for _ in range(4):
        app.button("onward").click().run()
    return app.button("commit").click().run()


def text_on_disk(home: Path) -> str:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file()).decode("utf-8", errors="ignore")


def test_no_person_below_any_header_reaches_disk_by_the_page_and_each_column_says_why(home: Path) -> None:
    app = brought(opened(), as_csv(homes() | {header: persons(header) for header in SOME}))
    table = next(frame.value for frame in app.main.table if "What was done" in frame.value)
    assert set(table["Column"]) == set(shown(SOME))
    assert table["Why"].str.len().min() > 10
    assert leaked(table.to_csv()) == []
    assert leaked(text_on_disk(home)) == []
    to_commit(app)
    assert leaked(text_on_disk(home)) == []
    with open_store(home) as store:
        version = store.versions.latest("harbour")
        assert version is not None
        assert leaked(store.versions.ledger(version.version_id).to_csv()) == []


def test_text_of_no_field_is_kept_once_it_is_named_and_the_file_brought_again(home: Path) -> None:
    content = as_csv(homes() | {"Story": [f"tale {place} b" for place in range(120)]})
    app = brought(opened(), content)
    assert "tale 7 b" not in text_on_disk(home)
    app.multiselect("text_to_keep").select("Story").run()
    brought(app, content)
    assert "tale 7 b" in text_on_disk(home)
    assert app.multiselect("text_to_keep").value == ["Story"]
    [button] = [one for one in app.button if str(one.key).startswith("remove_")]
    assert button.key == "remove_0"


def test_a_file_is_parsed_once_on_its_way_from_the_page_to_the_market(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []

    def counted(extracted: Extracted, sha256: str, name: str) -> object:
        parsed.append(name)
        return table_of(extracted, sha256, name)

    monkeypatch.setattr(read_file, "table_of", counted)
    monkeypatch.setattr(read_file, "read_table", None)
    to_commit(brought(opened(), as_csv(homes() | {"Owner": persons("Owner")})))
    assert parsed == ["sales.csv"]
    with open_store(home) as store:
        assert store.versions.latest("harbour") is not None
