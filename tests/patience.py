"""How long tests wait for what is sure to come, however busy the machine: none of them asserts how fast it does."""

from __future__ import annotations

from typing import Final

PATIENCE_SECONDS: Final = 600
"""Work of a worker, a page or a server under test; a wait this long only ever ends a test that fails."""
