"""This copy of Doorstep, a checkout or an installed package: the location of its shipped files, and its version."""

from __future__ import annotations

import hashlib
import platform
import shlex
import sys
import tomllib
from functools import cache
from pathlib import Path
from shutil import which
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent
_CHECKOUT: Final = _PACKAGE.parent
_INSTALLED: Final = (_PACKAGE / "assets").is_dir()

ASSETS: Final = (_PACKAGE if _INSTALLED else _CHECKOUT) / "assets"
"""Folder of the shipped files: inside the installed package, or beside ``core`` in a checkout."""


_COMPUTING: Final = ("numpy", "scipy", "pandas", "scikit-learn", "lightgbm", "crepes", "joblib")


def program() -> str:
    """Return what starts the command line of this copy, as README writes it: ".venv/bin/python -m core" or "doorstep".

    A bare ``python`` is often another Python, without the libraries: then the path is part of what one types.
    """
    if _INSTALLED:
        return "doorstep"
    python = Path(sys.executable)
    if python.is_relative_to(_CHECKOUT):
        return f"{shlex.quote(str(python.relative_to(_CHECKOUT)))} -m core"
    found = which(python.name)
    return f"{python.name if found is not None and Path(found) == python else shlex.quote(str(python))} -m core"


@cache
def code_fingerprint() -> str:
    """Return a short hash of what decides a result's last digit: this code, Python, and the libraries' versions."""
    from importlib import metadata  # noqa: PLC0415 - --help starts without it

    digest = hashlib.sha256(platform.python_version().encode())
    for name in _COMPUTING:
        digest.update(f"{name} {metadata.version(name)}\n".encode())
    for source in sorted(_PACKAGE.rglob("*.py")):
        digest.update(str(source.relative_to(_PACKAGE)).encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:12]


@cache
def version() -> str:
    """Return the version, such as "0.2.0"; "unknown" for files copied from a checkout without its pyproject.toml.

    The version is in pyproject.toml. A checkout reads that file directly, since another copy may also be installed.
    """
    project = _CHECKOUT / "pyproject.toml"
    if not _INSTALLED:
        if not project.is_file():
            return "unknown"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    from importlib import metadata  # noqa: PLC0415 - only an installed package needs it

    return metadata.version("doorstep")
