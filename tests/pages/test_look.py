"""One look on every page: colors and fonts have one place, one meaning has one color, and no figure reads -0.0."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pandas as pd
import plotly.io as pio
import pytest

from core.states import Period
from pages.kit import charts
from pages.kit.figures import number
from pages.kit.palette import DARK, LIGHT, Palette
from pages.views.monitoring.charts import Rule, over_time
from tests.browser.conftest import ROOT

OWNERS = {"palette.py", "charts.py"}
PAGES = [path for path in sorted((ROOT / "pages").rglob("*.py")) if path.name not in OWNERS]
COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b|rgba?\(|\bsans-serif\b|:(?:green|red|orange|blue)\[")
NAMES = {"green", "red", "orange", "blue", "violet", "yellow", "primary"}
# The agent's pages and the label of a simulated market; Streamlit's own words for a market's state.
NAMED = {"session.py", "frame.py", "sales_data.py", "answer.py", "flags.py", "fact_fields.py"}


def own_looks(source: str, names_allowed: bool = False) -> list[str]:
    """Return the colors and fonts that a page sets of its own."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and COLOUR.search(node.value):
            found.append(node.value)
        if isinstance(node, ast.keyword) and node.arg == "color" and isinstance(node.value, ast.Constant):
            found += [str(node.value.value)] if node.value.value in NAMES else []
    return [] if names_allowed and not any(one.startswith(("#", "rgb")) for one in found) else found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_sets_no_color_and_no_font_of_its_own(path: Path) -> None:
    assert own_looks(path.read_text(encoding="utf-8"), path.name in NAMED) == []


@pytest.mark.parametrize(
    "source", ['x = "#AA00FF"', 'x = "rgba(0,0,0,1)"', 'st.badge("Good", color="green")', 'st.markdown(":red[No]")']
)
def test_a_color_of_its_own_would_be_found(source: str) -> None:
    assert own_looks(source)


@pytest.mark.parametrize(("colours", "name"), [(LIGHT, "doorstep_light"), (DARK, "doorstep_dark")])
def test_every_chart_has_the_font_and_the_colors_of_its_theme(colours: Palette, name: str) -> None:
    look = pio.templates[name].layout
    assert look.colorway == (colours.more, colours.less, colours.whole)
    assert look.font.color == colours.whole
    assert "Source Sans" in look.font.family
    assert look.xaxis.tickangle == look.yaxis.tickangle == 0


def test_the_names_of_two_equal_limits_do_not_overprint() -> None:
    table = pd.DataFrame({"start": [pd.Timestamp("2025-01-01")], "mape": [0.1], "n": [60]})
    rules = [Rule("target", 0.1), Rule("limit", 0.1, "dot")]
    figure = over_time(table, "mape", "Error", rules, Period.MONTH, LIGHT)
    assert {one.yanchor for one in figure.layout.annotations} == {"top", "bottom"}


def test_an_interval_that_is_not_known_is_not_drawn() -> None:
    table = pd.DataFrame(
        {"mape": [0.1, 0.2], "mape_low": [0.08, None], "mape_high": [0.13, None], "n": [40, 2], "thin": [False, True]}
    )
    bars = charts.intervals(["a", "b"], table, "mape", "Error", None, LIGHT).data[0].error_x
    assert list(bars.array) == pytest.approx([3.0, 0.0])
    assert list(bars.arrayminus) == pytest.approx([2.0, 0.0])


@pytest.mark.parametrize(("value", "written"), [(-0.04, "0.0"), (-0.06, "−0.1"), (float("nan"), "–")])
def test_no_figure_reads_minus_zero(value: float, written: str) -> None:
    assert number(1)(value) == written


def test_the_marks_of_a_logarithmic_axis_are_round() -> None:
    assert charts.round_marks(1_850, 29_598) == [2_000, 5_000, 10_000, 20_000]


def test_a_chart_of_few_months_names_each_and_draws_no_bar_as_wide_as_the_page() -> None:
    two = charts.months_chart(["2014-05-01", "2014-06-01"], [1_700, 1_500], 240, LIGHT).layout
    assert (two.xaxis.tickvals, two.xaxis.tickformat) == (("2014-05-01", "2014-06-01"), "%b %Y")
    assert two.bargap == pytest.approx(0.75)
    year = charts.months_chart([f"2014-{month:02}-01" for month in range(1, 13)], [9] * 12, 240, LIGHT).layout
    assert (year.xaxis.tickvals, year.bargap) == (None, pytest.approx(0.12))
