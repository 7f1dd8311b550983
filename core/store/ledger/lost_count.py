"""How many answers could be written neither to the ledger nor to disk, in a file that a full disk does not stop."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

_LOG: Final = logging.getLogger(__name__)
_FILE: Final = "lost"
_WIDTH: Final = 20


class LostCount:
    """Counts the lost answers of all processes of a folder, restarts included, as far as the disk allows.

    The file has its full length from the start: overwriting it needs no space. What it cannot take stays in memory.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._guard = threading.Lock()
        self._in_memory = 0
        with suppress(OSError):
            self._change(0)

    def value(self) -> int:
        """Return the count."""
        try:
            return _number(self._path.read_bytes()) + self._in_memory
        except OSError:
            return self._in_memory

    def add(self, change: int) -> None:
        """Count more lost answers or, with a negative change, those noted elsewhere; never raises."""
        with self._guard:
            self._in_memory += change
            try:
                self._change(self._in_memory)
                self._in_memory = 0
            except OSError as error:
                _LOG.error("the count of lost answers cannot be written: %s", error.strerror)

    def _change(self, change: int) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            count = _number(os.pread(handle, _WIDTH, 0)) + change
            os.pwrite(handle, f"{count:0{_WIDTH}d}".encode(), 0)
            os.fsync(handle)
        finally:
            os.close(handle)


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() else 0
