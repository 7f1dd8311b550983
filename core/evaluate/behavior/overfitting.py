"""The overfitting check: the model's error on its training, validation and sealed test sales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.evaluate.accuracy import Figure

# A test error a third above validation's is more than chance explains with a few hundred sales.
_GAP: Final = 1 / 3
_FAR: Final = 1 / 2
_NEAR: Final = 3 / 4


@dataclass(frozen=True)
class FitCheck:
    """MAPE of the chosen candidate on training and validation sales, and of the final model on the sealed test.

    ``opened`` counts how often a sealed test set of the market was opened, once per trained model: the more often, the
    more the chosen model owes to chance.
    """

    train: float
    validation: float
    test: Figure
    opened: int

    @property
    def finding(self) -> str:
        """What the three errors show, in a sentence."""
        return f"{self._of_training}; {self._of_the_test}."

    @property
    def _of_training(self) -> str:
        if self.train < _FAR * self.validation:
            return "Training sales are fitted far more closely than new ones, as flexible models do"
        if self.train < _NEAR * self.validation:
            return "Training sales are fitted more closely than new ones"
        return "Training sales are fitted about as closely as new ones"

    @property
    def _of_the_test(self) -> str:
        beyond = self.validation * (1 + _GAP)
        if self.test.low > beyond:
            return "the test error is significantly higher than validation promised: the model overfits"
        if self.test.low > self.validation:
            higher = "the test error is higher than validation promised"
            if self.test.high <= beyond:
                return f"{higher}, by less than a third"
            return f"{higher}; the test has too few sales to say whether by a third or more, the mark of overfitting"
        if self.test.high > beyond:
            return f"the test has too few sales to confirm what validation promised ({self.test.n:,})"
        return "the test confirms what validation promised"


def check_overfitting(card: Mapping[str, Any], opened: int) -> FitCheck | None:
    """Read the check from a model's card; None if the card has no leaderboard line for the chosen candidate."""
    lines = [line for line in card["leaderboard"] if (line["family"], line["settings"]) == _chosen(card)]
    if not lines:
        return None
    test = card["metrics"]["mape"]
    figure = Figure(float(test["value"]), float(test["low"]), float(test["high"]), int(test["n"]))
    return FitCheck(float(lines[0]["train_mape"]), float(lines[0]["mape"]), figure, opened)


def _chosen(card: Mapping[str, Any]) -> tuple[str, str]:
    return str(card["family"]), str(card["settings"])
