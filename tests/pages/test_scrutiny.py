"""The view of doubtful sales without a browser: evidence, decisions one by one and at once, applied and taken back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from core.access import Actor, Role
from core.progress import silent
from core.states import SaleDecision
from core.store import open_store
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from tests.acting import acting
from tests.doubtful_market import doubtful_sales
from tests.pages.made_stores import sales_csv
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    path = tmp_path / "sales.csv"
    path.write_bytes(doubtful_sales().csv())
    with open_store(tmp_path / "home") as store:
        workspace = acting(store, Actor("Ana", Role.ANALYST), today=date(2025, 1, 1))
        ingest(workspace, NewMarket("Harbour", "USD", "sqft"), [SourceFile(path, "sales.csv")], silent)
    return tmp_path / "home"


def opened(role: str = "analyst") -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = role
    app.run()
    app = app.switch_page(page_at("sales_data").script.name).run()
    app.session_state["view"] = "Doubtful sales"
    return app.run()


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.main.metric}


def words(app: AppTest) -> str:
    parts = [*app.main.markdown, *app.main.caption, *app.main.info, *app.main.success]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


def in_use(home: Path) -> tuple[int, int]:
    with open_store(home) as store:
        version = store.versions.latest("harbour")
        assert version is not None
        return version.rows, version.set_aside


def doubt(app: AppTest) -> Selectbox[str]:
    return next(one for one in app.selectbox if one.label == "Doubt")


def test_the_address_keeps_what_the_list_is_narrowed_to() -> None:
    app = opened()
    kind = doubt(app).options.index(next(one for one in doubt(app).options if not one.startswith("All")))
    app = doubt(app).select_index(kind).run()
    chosen = doubt(app).value
    assert app.query_params["doubt"] == chosen
    app.text_input("scrutiny_where").input("st").run()
    cards = [str(one.key) for one in app.main.button if str(one.key).startswith("keep_")]
    linked = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    linked.session_state[session.ROLE_KEY] = "analyst"
    linked.run()
    for name, value in {"view": "Doubtful sales", "doubt": str(chosen), "scrutiny_where": "st"}.items():
        linked.query_params[name] = value
    linked = linked.switch_page(page_at("sales_data").script.name).run()
    assert doubt(linked).value == chosen
    assert linked.text_input("scrutiny_where").value == "st"
    assert [str(one.key) for one in linked.main.button if str(one.key).startswith("keep_")] == cards
    assert "doubt" not in doubt(linked).select_index(0).run().query_params


def press(app: AppTest, begins: str) -> AppTest:
    return next(button for button in app.main.button if str(button.key).startswith(begins)).click().run()


def with_open(app: AppTest, pop_up: str) -> AppTest:
    """Keep a pop-up open for the next run, as a browser does."""
    app.session_state[pop_up] = True
    return app


def test_each_card_shows_the_evidence_and_a_decision_counts_once_it_is_applied(home: Path) -> None:
    app = opened()
    assert not app.exception
    assert figures(app) == {"To decide": "15", "Set aside": "15", "Decided": "0"}
    doubt(app).select("price_digit").run()
    for evidence in ("Digit too many or too few", "usual there and then: $", "list price $", "set aside"):
        assert evidence in words(app)
    press(app, "correct_")
    assert "1 sale corrected." in words(app)
    assert doubt(app).value == "price_digit"
    assert "Digit too many or too few (4)" in doubt(app).options
    assert figures(app)["To decide"] == "14"
    rows, waiting = in_use(home)
    app.button("scrutiny_apply").click().run()
    assert f"has {rows + 1} sales in use and" in words(app)
    assert "Train again" not in words(app), "there is no model that could follow"
    assert in_use(home) == (rows + 1, waiting - 1)
    before = doubt(app).key
    app.segmented_control("scrutiny_state").set_value("Decided").run()
    # A browser keeps the words of a selector that stays the same: another number in them needs another selector.
    assert doubt(app).key != before
    assert "Corrected from $" in words(app)
    assert "the correction" not in words(app), "what was suggested does not stand beside what was decided"
    press(app, "back_")
    app.button("scrutiny_apply").click().run()
    assert in_use(home) == (rows, waiting)
    assert figures(app)["To decide"] == "15"


def test_another_value_is_typed_for_the_sale_that_its_pop_up_names(home: Path) -> None:
    app = press(opened(), "keep_")
    assert "1 sale kept." in words(app)
    second = next(str(one.key) for one in app.main.button if str(one.key).startswith("keep_")).removeprefix("keep_")
    app = with_open(app, f"other_{second}").run()
    # By its key, a browser knows the card again at its new place: an open pop-up does not pass on to the next sale.
    card = app.main.container(f"sale_{second}")
    [title] = card.markdown
    named = str(title.value).partition(": ")[2]
    assert "sold for" in named
    assert named in [one.value for one in card.caption], "the pop-up names its sale"
    field = app.text_input(f"value_{second}")
    assert field.value, "it begins with the value in the data"
    field.input("1950")
    with_open(app, f"other_{second}").run()
    assert "1 sale kept." in words(app), "the line stays until the next deed: cards that move lose a click"
    assert app.text_input(f"value_{second}").value == "1,950"
    app.text_input(f"value_{second}").input("")
    app.button(f"correct_other_{second}").click()
    with_open(app, f"other_{second}").run()
    assert "enter one first" in app.text_input(f"value_{second}").label
    assert "corrected" not in words(app)
    app.text_input(f"value_{second}").input("abc")
    with_open(app, f"other_{second}").run()
    assert "“abc” is no area in sq ft. Enter one such as 1,940." in words(app)
    app.text_input(f"value_{second}").input("1950")
    app.text_input(f"why_{second}").input("The deed says so")
    app.button(f"correct_other_{second}").click()
    with_open(app, f"other_{second}").run()
    assert "1 sale corrected." in words(app)
    with open_store(home) as store:
        [correction] = [one for one in store.sale_decisions.history("harbour") if one.kind is SaleDecision.CORRECT]
    assert (correction.sale_key, correction.value, correction.note) == (second, 1_950, "The deed says so")


def test_all_of_a_kind_are_decided_at_once(home: Path) -> None:
    app = opened()
    doubt(app).select("package_sale").run()
    app.text_input("scrutiny_note").input("One deed each").run()
    app.button("all_keep").click().run()
    assert "5 sales kept." in words(app)
    app.button("scrutiny_apply").click().run()
    assert in_use(home)[1] == 10
    assert figures(app) == {"To decide": "10", "Set aside": "10", "Decided": "5"}
    app.segmented_control("scrutiny_state").set_value("Decided").run()
    assert words(app).count(": One deed each") == 5, "each card says why"
    app.session_state["view"] = "Data versions"
    app.run()
    listed = next(table.value for table in app.table if "Version" in table.value)
    assert listed["Note"].tolist() == ["One deed each", ""]


def test_the_effect_on_error_and_prices_is_measured_when_asked_for(home: Path) -> None:
    app = opened()
    assert "What the decisions do" in words(app)
    app.button("scrutiny_effect").click().run()
    assert "three-fold cross-validation" in words(app)
    assert float(figures(app)["Error as decided"].rstrip("%")) < float(figures(app)["Error as brought"].rstrip("%"))


def test_the_open_markets_doubtful_sales_do_not_stand_beside_files_for_a_new_market() -> None:
    app = opened()
    app.session_state["view"] = "Bring in sales"
    app = app.run()
    assert "to decide" in words(app)
    [uploader] = app.main.file_uploader
    uploader.upload("mine.csv", sales_csv())
    app = app.run()
    app.selectbox("destination").set_value("").run()
    app.text_input("market_name").input("Elsewhere").run()
    app = app.button("onward").click().run()
    assert "to decide" not in words(app)
