"""The secrets file of the dashboard, which configures login, as Streamlit finds and reads it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from core.errors import WrongUsage

_FILE: Final = Path(".streamlit", "secrets.toml")


def usual_secrets_files() -> tuple[Path, ...]:
    """Return where the file may be: in the account's own folder, and in the working directory, which wins."""
    folders = [Path.cwd()]
    with suppress(RuntimeError):  # an account may have no folder of its own
        folders.insert(0, Path.home())
    return tuple(folder / _FILE for folder in folders)


def read_secrets(files: Sequence[Path]) -> dict[str, Any]:
    """Return the tables of the files that exist, a later file's before an earlier one's; raises WrongUsage."""
    found: dict[str, Any] = {}
    for path in files:
        try:
            found |= tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise WrongUsage(f"The secrets file {path} cannot be read: {error}. Correct or remove it.") from error
    return found
