"""On the page Sales data, a button pressed before the page has taken in what was changed just before is heard."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pages.kit.navigation import page_at
from tests.pages.made_stores import sales_csv
from tests.pages.test_sales_data import brought, home, mapped, onward, opened

__all__ = ["home"]


def step(app: AppTest) -> str:
    """Return the key of the step the page is at."""
    [now] = [one.key for one in app.button if (one.key or "").startswith("step_") and one.proto.type == "primary"]
    return str(now)


def test_a_market_is_changed_and_the_step_left_in_one_go() -> None:
    app = brought(opened(), "mine.csv", sales_csv())
    app.text_input("market_name").input("Harbour").run()
    app.selectbox("market_unit").set_value("sqm")
    app.button("onward").click().run()
    assert step(app) == "step_columns"
    app.button("step_files").click().run()
    assert (app.text_input("market_name").value, app.selectbox("market_unit").value) == ("Harbour", "sqm")


def test_a_market_is_named_and_the_step_left_by_the_bar_in_one_go() -> None:
    app = brought(opened(), "mine.csv", sales_csv())
    app.text_input("market_name").input("Harbour")
    app.button("step_columns").click().run()
    assert step(app) == "step_columns"
    app.button("step_files").click().run()
    assert app.text_input("market_name").value == "Harbour"
    # The page it is left for has no such field.
    app.text_input("market_name").input("Oak County")
    app.switch_page(page_at("").script.name).run()
    app.switch_page(page_at("sales_data").script.name).run()
    assert app.text_input("market_name").value == "Oak County"


def test_a_note_is_typed_and_the_step_left_by_the_bar_in_one_go() -> None:
    app = onward(onward(mapped(opened())))
    assert step(app) == "step_preview"
    app = onward(app)
    app.text_input("note").input("from the county")
    app.button("step_files").click().run()
    assert step(app) == "step_files"
    app.button("step_commit").click().run()
    assert app.text_input("note").value == "from the county"


def test_the_way_of_writing_numbers_is_chosen_and_the_step_left_in_one_go() -> None:
    app = mapped(opened())
    [marks] = [box for box in app.selectbox if box.label == "Numbers are written like"]
    marks.set_value(",")
    app.button("onward").click().run()
    assert step(app) == "step_check"
    app.button("step_columns").click().run()
    [marks] = [box for box in app.selectbox if box.label == "Numbers are written like"]
    assert marks.value == ","
