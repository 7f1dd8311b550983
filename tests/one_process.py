"""The variable by which programs that tests start fit in their own process."""

from __future__ import annotations

from typing import Final

ONE_PROCESS: Final = "LOKY_MAX_CPU_COUNT"
