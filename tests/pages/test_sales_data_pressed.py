"""On the page Sales data, a button pressed before the page has taken in what was changed just before is heard."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.made_stores import sales_csv
from tests.pages.test_sales_data import brought, home, mapped, opened

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


def test_the_way_of_writing_numbers_is_chosen_and_the_step_left_in_one_go() -> None:
    app = mapped(opened())
    [marks] = [box for box in app.selectbox if box.label == "Numbers are written like"]
    marks.set_value(",")
    app.button("onward").click().run()
    assert step(app) == "step_check"
    app.button("step_columns").click().run()
    [marks] = [box for box in app.selectbox if box.label == "Numbers are written like"]
    assert marks.value == ","
