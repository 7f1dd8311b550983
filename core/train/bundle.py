"""The model bundle: one immutable object with the model and the record of its training and test."""

from __future__ import annotations

import hashlib
import io
import pickle
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import joblib

from core.errors import ArtifactCorrupt, ModelOutdated
from core.train.curve import CurvePoint
from core.train.importance import Importance
from core.train.leaderboard import ForestScore, Score
from core.train.model import Model, for_production
from core.train.ranges import EVERYWHERE
from core.train.trainer import Trained, TrainingPlan

_LIBRARIES: Final = ("scikit-learn", "pandas", "numpy", "scipy", "crepes", "joblib", "lightgbm")
FORMAT: Final = 11
"""Incremented whenever the bundle's structure changes, so that an older bundle is refused instead of misread."""

ABOVE: Final = "above the prices tested"
BELOW: Final = "below the prices tested"
"""The groups of a home priced beyond all test sales, for which no range was ever tested."""

_REMEDY: Final = "Train a new model."
_CORE: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class RangeCoverage:
    """A promise's record: the ``share`` of a group's ``n`` test sales for which it came true."""

    share: float
    n: int


@dataclass(frozen=True)
class Bundle:
    """A trained model with its origin (data version, code, libraries, seed) and its test figures.

    ``held`` gives, by level and segment, the coverage of live ranges on the sealed test sales, and ``came_true`` how
    often live confidences of each tenth (0 to 9) did there; None for a model older than this field. ``metrics`` are the
    test's figures, as JSON values.
    """

    market_id: str
    currency: str
    version_id: str
    plan: TrainingPlan
    model: Model
    chosen: Score
    leaderboard: tuple[Score, ...]
    forest_search: tuple[ForestScore, ...]
    importance: tuple[Importance, ...]
    held: Mapping[float, Mapping[str, RangeCoverage]]
    metrics: Mapping[str, Any]
    code_version: str
    libraries: Mapping[str, str]
    curve: tuple[CurvePoint, ...] = ()
    format: int = FORMAT
    came_true: Mapping[int, RangeCoverage] | None = None

    @property
    def tested(self) -> tuple[float, float] | None:
        """The lowest and highest estimate of a test sale; None in a bundle that did not keep them."""
        found = self.metrics.get("tested")
        return None if found is None else (float(found[0]), float(found[1]))

    def range_record(
        self, level: float, segment: str, point: float, tested: tuple[float, float], smallest: int
    ) -> tuple[str, RangeCoverage | None]:
        """Return the group of test sales like a home and how often ranges at ``level`` held them.

        There is no record beyond the ``tested`` prices, nor one of fewer than ``smallest`` sales: a group that small
        takes that of all homes.
        """
        if point > tested[1] or point < tested[0]:
            return (ABOVE if point > tested[1] else BELOW), None
        held = self.held[level]
        for name in (segment, EVERYWHERE):
            if name in held and held[name].n >= smallest:
                return name, held[name]
        return EVERYWHERE, None

    def confidence_record(self, confidence: int, smallest: int) -> RangeCoverage | None:
        """Return how often confidences in the same tenth (0 to 100) came true, None for under ``smallest`` sales."""
        tenth = min(confidence // 10, 9)
        if self.came_true is not None:
            found = self.came_true.get(tenth)
            return found if found is not None and found.n >= smallest else None
        for one in self.metrics["reliability"]:
            if min(int(10 * one["promised"]), 9) == tenth and one["n"] >= smallest:
                return RangeCoverage(one["observed"], one["n"])
        return None

    def card(self) -> dict[str, Any]:
        """Return, as JSON values, what the registry shows without loading the model."""
        profile = self.model.profile
        return {
            "family": self.chosen.family,
            "settings": self.chosen.settings,
            "split": self.plan.split,
            "seed": self.plan.seed,
            "window_months": self.plan.window_months,
            "half_life_days": self.plan.half_life_days,
            "currency": self.currency,
            "data_version": self.version_id,
            "sales": profile.sales,
            "first_sale": profile.first_sale.isoformat(),
            "last_sale": profile.last_sale.isoformat(),
            "metrics": dict(self.metrics),
            "leaderboard": [asdict(score) for score in self.leaderboard],
            "forest_search": [asdict(score) for score in self.forest_search],
            "curve": [asdict(point) for point in self.curve],
            "importance": [asdict(one) for one in self.importance],
            "code_version": self.code_version,
            "libraries": dict(self.libraries),
        }


def seal(
    trained: Trained,
    *,
    market_id: str,
    currency: str,
    version_id: str,
    held: Mapping[float, Mapping[str, RangeCoverage]],
    metrics: Mapping[str, Any],
    came_true: Mapping[int, RangeCoverage] | None = None,
) -> Bundle:
    """Combine a training run and its test figures in a bundle whose evidence is limited to earlier sales.

    Without ``came_true``, the confidences are those of ``metrics``.
    """
    return Bundle(
        market_id=market_id,
        currency=currency,
        version_id=version_id,
        plan=trained.plan,
        model=for_production(trained.model),
        chosen=trained.chosen,
        leaderboard=trained.leaderboard,
        forest_search=trained.forest_search,
        importance=trained.importance,
        held=held,
        metrics=metrics,
        code_version=code_version(),
        curve=trained.curve,
        came_true=came_true,
        libraries={"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES},
    )


def code_version() -> str:
    """Return the first 12 digits of the SHA-256 of the package's source, which are the same on every machine."""
    digest = hashlib.sha256()
    for path in sorted(_CORE.rglob("*.py")):
        digest.update(path.relative_to(_CORE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def to_bytes(bundle: Bundle) -> bytes:
    """Return the bundle as compressed joblib bytes."""
    buffer = io.BytesIO()
    # joblib's own pickler, in Python, takes four times as long for the many small objects of a bundle.
    joblib.dump(pickle.dumps(bundle, protocol=5), buffer, compress=3)
    return buffer.getvalue()


def from_bytes(payload: bytes) -> Bundle:
    """Load a bundle; only pass bytes whose hash and signature the store has verified.

    Raises ArtifactCorrupt if the bytes hold something else, ModelOutdated if another release made them.
    """
    try:
        bundle = joblib.load(io.BytesIO(payload))
        if isinstance(bundle, bytes):
            bundle = pickle.loads(bundle)  # noqa: S301 - verified by the store
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        # A class that moved or changed its fields, or a library whose objects no longer read their own state.
        raise ModelOutdated(_outdated(" ".join(str(error).split()))) from error
    except (EOFError, KeyError, pickle.UnpicklingError) as error:
        raise ArtifactCorrupt(f"The model file cannot be read as a model bundle. {_REMEDY}") from error
    if not isinstance(bundle, Bundle):
        raise ArtifactCorrupt(f"The model file holds a {type(bundle).__name__}, not a model bundle. {_REMEDY}")
    # Read from the instance: a bundle older than the format field would return the class's default.
    found = vars(bundle).get("format", 1)
    if found != FORMAT:
        raise ModelOutdated(_outdated(f"format {found}; this release reads {FORMAT}"))
    return bundle


def _outdated(why: str) -> str:
    return f"The model was trained by another release of Doorstep ({why}). {_REMEDY}"
