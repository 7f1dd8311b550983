"""Encoding and sheet on the page Sales data: shown for each file, chosen by hand, and a file brought again replaces."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Actor, Role
from core.collect.mapping import ColumnMapping
from core.collect.mapping_file import mapping_from_json
from core.store import open_store
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from tests.collect.table_files import as_text, as_xlsx
from tests.pages.made_stores import sales_csv
from tests.patience import PATIENCE_SECONDS

ROWS = [
    ["sale_date", "sale_price", "living_area_sqft", "address", "neighborhood"],
    *(
        [f"2023-0{n % 9 + 1}-1{n % 9}", str(300_000 + 1_713 * n), str(900 + 7 * n), f"{n + 1} Oak St", "Erdő"]
        for n in range(40)
    ),
]


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


def brought(app: AppTest, name: str, content: bytes) -> AppTest:
    app.main.file_uploader[0].upload(name, content)
    return app.run()


def draft_files(app: AppTest) -> list[ColumnMapping]:
    """Return the mappings of the staged files, as they were kept."""
    with open_store() as store:
        document = store.drafts.load(Actor(getpass.getuser(), Role.ANALYST))
        assert document is not None
        return [mapping_from_json(one["mapping"]) for one in document["files"]]


def captions(app: AppTest) -> list[str]:
    return [one.value for one in app.main.caption]


def test_a_file_read_in_a_wrong_encoding_is_read_in_the_chosen_one_when_it_is_brought_again() -> None:
    content = as_text(ROWS).encode("cp1250")
    app = brought(opened(), "sales.csv", content)
    # One letter says nothing of the language: the page says what it was read as.
    assert any("cp1252, separated by comma" in text for text in captions(app))
    app.selectbox("encoding").select("cp1250").run()
    brought(app, "sales.csv", content)
    assert not app.exception
    assert any("cp1250, separated by comma" in text for text in captions(app))
    assert not any("cp1252" in text for text in captions(app))
    assert [one.key for one in app.button if str(one.key).startswith("remove_")] == ["remove_0"]
    app.text_input("market_name").input("Harbour").run()
    app.button("onward").click().run()
    assert any("Erdő" in table.value.to_csv() for table in app.main.dataframe)


LISTINGS = [
    ["PRICE", "BEDS", "SQUARE FEET", "ADDRESS", "ZIP", "STATUS", "SOLD DATE"],
    *([str(300_000 + 1_713 * n), "3", str(900 + 7 * n), f"{n + 1} Oak St", f"6061{n % 4}", "Active", ""]
      for n in range(40)),
]  # fmt: skip
ASKED = [
    ["Precio de salida", "Habitaciones", "Superficie construida", "Dirección", "Código postal"],
    *([str(300_000 + 1_713 * n), "3", str(60 + n), f"Calle Mayor {n + 1}", f"2800{n % 4}"] for n in range(40)),
]


@pytest.mark.parametrize(("rows", "has_price"), [(LISTINGS, True), (ASKED, False)])
def test_listings_without_a_sale_offer_to_price_them_instead(rows: list[list[str]], has_price: bool) -> None:
    app = brought(opened(), "listings.csv", as_text(rows).encode())
    assert not app.exception
    assert any("listings without a sale: price them instead" in one.value for one in app.warning)
    assert "Price them instead" in [one.proto.label for one in app.get("page_link")]
    app.text_input("market_name").input("Harbour").run()
    app.selectbox("market_currency").select("EUR").run()
    app.button("onward").click().run()
    # Where a price is mapped, the step Columns waits for a sale date: the way out was shown before it.
    assert app.button("onward").disabled == has_price
    if has_price:
        return
    app.button("onward").click().run()
    assert any("price them instead" in one.value for one in app.error)
    assert "Price them instead" in [one.proto.label for one in app.get("page_link")]


def test_homes_without_any_price_get_one_answer_in_a_market_that_has_sales() -> None:
    app = brought(opened(), "sales.csv", sales_csv(120))
    app.text_input("market_name").input("Harbour").run()
    for _ in range(4):
        app.button("onward").click().run()
    app.button("commit").click().run()
    app.button("more").click().run()
    lines = [line.split(",") for line in sales_csv(60).decode().splitlines()]
    unpriced = "\n".join(",".join(cells[:2] + cells[3:6]) for cells in lines)
    app = brought(app, "unpriced.csv", unpriced.encode())
    told = " ".join(one.value for one in [*app.main.info, *app.main.warning])
    assert "homes without a price" in told
    assert "filled in" not in told
    assert "Price them instead" in [one.proto.label for one in app.get("page_link")]
    app.button("onward").click().run()
    app.button("onward").click().run()
    assert any("holds sales" in one.value for one in app.error)
    assert "Price them instead" in [one.proto.label for one in app.get("page_link")]


def test_the_unit_of_a_new_market_is_that_of_areas_without_one() -> None:
    rows = [
        ["sale_date", "sale_price", "living area", "zip"],
        *([f"2023-0{n % 9 + 1}-1{n % 9}", str(900_000 + 17_130 * n), str(360 + 5 * n), f"6061{n % 4}"]
          for n in range(40)),
    ]  # fmt: skip
    app = brought(opened(), "sales.csv", as_text(rows).encode())
    app.text_input("market_name").input("Harbour").run()
    for unit in ("sqm", "sqft"):
        app.selectbox("market_unit").select(unit).run()
        [file] = draft_files(app)
        assert [rule.unit for rule in file.rules if rule.field == "living_area_sqft"] == [unit]


def test_the_sheet_typed_is_read_and_an_unknown_one_names_those_there_are() -> None:
    content = as_xlsx(ROWS, names=("Notes", "Sold"))
    app = opened()
    app.text_input("sheet").input("Sould").run()
    brought(app, "sales.xlsx", content)
    assert any("no sheet 'Sould'" in one.value and "'Notes', 'Sold'" in one.value for one in app.error)
    app.text_input("sheet").input("Sold").run()
    brought(app, "sales.xlsx", content)
    assert not app.error
    assert any("sheet 'Sold' of 'Notes', 'Sold'" in text for text in captions(app))
    assert any("40 rows" in text for text in captions(app))


def test_a_new_market_is_offered_in_the_currency_and_unit_of_the_file() -> None:
    rows = [["Kaufdatum", "Kaufpreis", "Wohnfläche m²", "PLZ"]]
    rows += [[f"{1 + n % 27:02}.03.2024", f"{250_000 + 1_377 * n} zł", str(60 + n), "00-950"] for n in range(40)]
    app = brought(opened(), "sales.csv", as_text(rows).encode())
    assert not app.exception
    assert (app.selectbox("market_currency").value, app.selectbox("market_unit").value) == ("PLN", "sqm")
    assert "KRW" in app.selectbox("market_currency").options


def test_a_currency_that_no_file_states_is_offered_with_what_it_is_concluded_from() -> None:
    rows = [["Date", "Price", "Living sqft", "Zip code"]]
    rows += [[f"2024-03-{1 + n % 27:02}", str(350_000 + 1_377 * n), str(1_600 + n), "98103"] for n in range(40)]
    app = brought(opened(), "sales.csv", as_text(rows).encode())
    assert app.selectbox("market_currency").value == "USD"
    assert "USD is offered as their areas are in square feet" in " ".join(one.value for one in app.caption)
    app.selectbox("market_currency").select("CAD").run()
    assert "square feet. Choose" not in " ".join(one.value for one in app.caption)


@pytest.mark.parametrize("areas", ["Building area m2", "Rooms"])
def test_prices_in_no_stated_currency_beside_no_square_feet_wait_for_a_person_to_name_it(areas: str) -> None:
    rows = [["Date", "Price", areas, "Postcode"]]
    size = [2 + n % 4 if areas == "Rooms" else 60 + n for n in range(40)]
    rows += [[f"{1 + n % 27:02}/03/2017", str(850_000 + 1_377 * n), str(size[n]), "3067"] for n in range(40)]
    app = brought(opened(), "sales.csv", as_text(rows).encode())
    assert app.selectbox("market_currency").value is None
    assert "To continue, name the market and choose the currency of its prices." in captions(app)
    app.text_input("market_name").input("Melbourne")
    app.button("onward").click().run()
    assert "To continue, choose the currency of its prices." in captions(app)
    assert "choose it first" in app.selectbox("market_currency").label
    app.selectbox("market_currency").select("AUD")
    app.button("onward").click().run()
    assert "market_currency" not in [one.key for one in app.selectbox], "the columns follow"
