"""Bundles as another release of Doorstep wrote them, for tests of what becomes of a desk whose live model is one."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from core.access import Actor, Role
from core.store import NewModel, Store
from core.train.bundle import FORMAT, Bundle, from_bytes, to_bytes
from core.train.curve import CurvePoint

MANAGER = Actor("Mia", Role.MANAGER)


class OtherTrees:
    """Stands for the trees of another library version, which refuse their own state when they are read."""

    def __reduce__(self) -> tuple[Callable[[str], float], tuple[str]]:
        """Be read by a call that raises ValueError, as scikit-learn's trees of another layout do."""
        return float, ("node array of an incompatible layout",)


def lower_format(bundle: Bundle) -> bytes:
    """A bundle with the number of the format before."""
    return to_bytes(replace(bundle, format=FORMAT - 1))


def without_format(bundle: Bundle) -> bytes:
    """A bundle from before bundles had a format."""
    old = replace(bundle)
    del vars(old)["format"]
    return to_bytes(old)


def module_gone(bundle: Bundle) -> bytes:
    """A bundle that names a module which has moved since."""
    return _with_class_of(bundle, types.ModuleType("core.prepare.facts"))


def class_gone(bundle: Bundle) -> bytes:
    """A bundle that names a class which its module no longer has."""
    return _with_class_of(bundle, sys.modules[CurvePoint.__module__])


def other_library(bundle: Bundle) -> bytes:
    """A bundle with trees that the library of today refuses to read."""
    return to_bytes(replace(bundle, metrics={"trees": OtherTrees()}))


OUTDATED: Final[tuple[Callable[[Bundle], bytes], ...]] = (
    lower_format,
    without_format,
    module_gone,
    class_gone,
    other_library,
)


def make_live(store: Store, market_id: str, write: Callable[[Bundle], bytes]) -> str:
    """Make a model live whose bundle is an outdated copy of the champion's; returns the id of the champion before."""
    champion = store.models.champion(market_id)
    assert champion is not None
    payload = write(from_bytes(store.models.load_bytes(champion.model_id)))
    record = store.models.add(NewModel(market_id, champion.version_id, payload, champion.card), MANAGER)
    store.models.promote(record.model_id, MANAGER, "before the update")
    return champion.model_id


def _with_class_of(bundle: Bundle, module: types.ModuleType) -> bytes:
    facts: Any = type("FactTable", (), {"__module__": module.__name__})
    held = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    module.FactTable = facts  # type: ignore[attr-defined]
    try:
        return to_bytes(replace(bundle, metrics={"facts": facts()}))
    finally:
        del module.FactTable
        if held is None:
            del sys.modules[module.__name__]
