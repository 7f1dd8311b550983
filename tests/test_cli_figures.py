"""What the command line writes of a test: each figure by the name it has on the page."""

from __future__ import annotations

from core.cli.models import _figure_lines
from core.evaluate.accuracy import Figure


def test_the_bias_is_named_as_on_the_page() -> None:
    figures = dict.fromkeys(("mape", "mdape", "ppe10", "bias"), Figure(0.05, 0.04, 0.06, 200))
    assert _figure_lines(figures)[-1] == "Bias (median signed error): +5.0% (95% interval +4.0% to +6.0%)"
