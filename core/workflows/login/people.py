"""The list of persons: a TOML file of e-mail addresses with their roles and offices, read again when it changes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.access import Role
from core.errors import WrongUsage
from core.workflows.login.settings import ENVIRONMENT, role_named

_KEYS: Final = {"role", "office"}


@dataclass(frozen=True)
class Person:
    """What the list says of somebody; "" and None leave it to the claims."""

    role: Role | None
    office: str


class People:
    """The list in use; without a file, nobody is on it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], Mapping[str, Person]] | None = None

    def find(self, email: str) -> Person | None:
        """Return the person with an e-mail address, whatever its letters' case; raises WrongUsage.

        Whoever was taken off the list is not found from then on.
        """
        return self._people().get(email.casefold())

    def check(self) -> None:
        """Raise WrongUsage if the list cannot be read or holds something wrong."""
        self._people()

    def _people(self) -> Mapping[str, Person]:
        if self._path is None:
            return {}
        try:
            stat = self._path.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            if self._read is None or self._read[0] != mark:
                self._read = mark, _parsed(self._path.read_text(encoding="utf-8"), self._path)
        except (OSError, UnicodeDecodeError) as error:
            raise WrongUsage(
                f"The list of persons {self._path} cannot be read: {error}. Restore it, or correct people under "
                f"[doorstep] in the secrets file, or {ENVIRONMENT['people']}."
            ) from error
        return self._read[1]


def _parsed(text: str, path: Path) -> dict[str, Person]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongUsage(f"The list of persons {path} is not valid TOML: {error}. Correct it.") from error
    return {email.casefold(): _person(email, entry, path) for email, entry in document.items()}


def _person(email: str, entry: Any, path: Path) -> Person:
    if not isinstance(entry, Mapping) or not entry.keys() <= _KEYS or "@" not in email:
        raise WrongUsage(
            f"In the list of persons {path}, {email!r} = {entry!r} is not an entry such as "
            '"kim@example.com" = { role = "agent", office = "North" }. Correct it.'
        )
    role = role_named(entry["role"], f"The role of {email} in {path}") if "role" in entry else None
    return Person(role, str(entry.get("office", "")).strip())
