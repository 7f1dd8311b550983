"""Everything the pages work with, imported in one go: an import of this waits until all of it is there.

The server answers before that. Two threads that import the same libraries at once could see half of a module, so the
first page comes here first, and so does what loads the API after it.
"""

from __future__ import annotations

import importlib
from typing import Final

from pages import frame
from pages.kit import cached_desk

__all__ = ["LOADED", "cached_desk", "frame"]

WARM: Final = ("pandas", "pyarrow.parquet", "plotly.graph_objects", "sklearn.ensemble", "scipy.stats", "crepes")
"""Modules that the first visitor would otherwise wait for."""

for name in WARM:
    importlib.import_module(name)

LOADED: Final = True
"""The last name of this module: it is here once all the others are."""
