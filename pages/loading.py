"""Everything the pages and the API work with, imported in one go: an import of this waits until all of it is there.

The server answers before that. Two threads that import the same libraries at once could see half of a module, so the
first page and the first request of the API both come here first.
"""

from __future__ import annotations

import importlib
from typing import Final

from api.app import create_api
from api.deps import Service
from api.server import local_actor, settings
from pages import frame
from pages.kit import cached_desk

__all__ = ["LOADED", "Service", "cached_desk", "create_api", "frame", "local_actor", "settings"]

WARM: Final = ("pandas", "pyarrow.parquet", "plotly.graph_objects", "sklearn.ensemble", "scipy.stats", "crepes")
"""Modules that the first visitor would otherwise wait for."""

for name in WARM:
    importlib.import_module(name)

LOADED: Final = True
"""The last name of this module: it is here once all the others are."""
