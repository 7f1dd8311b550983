"""What the book was measured on and with: processor, memory, system, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[3]
_PACKAGES: Final = (
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "lightgbm",
    "joblib",
    "streamlit",
    "fastapi",
    "SQLAlchemy",
    "catboost",
)


def machine() -> dict[str, str]:
    """Return the machine and the versions, in words."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{memory:.0f} GB",
        "system": f"{platform.system()} {platform.release()}, Python {sys.version.split()[0]}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in _PACKAGES),
        "commit": commit(),
    }


def machine_name() -> str:
    """Return the machine in a few words: "AMD EPYC, 2 cores, 24 GB"."""
    return ", ".join(machine()[part] for part in ("processor", "memory"))


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def commit() -> str:
    """Return the commit measured, marked where files differ from it; "unknown" outside a clone."""
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
