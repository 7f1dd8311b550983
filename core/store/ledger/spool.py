"""The spool: files of estimates that the ledger could not take, counted, and written to it once it works again."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from core.access import Actor, Role
from core.errors import AlreadyExists, InvalidRecord, NotFound, StoreError, StoreUnavailable, in_full
from core.states import AuditAction
from core.store.base.artifacts import remove_abandoned, write_atomically
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.tables import now
from core.store.base.values import plain_document
from core.store.ledger.estimates import Ledger
from core.store.ledger.records import EstimateRecord, NewEstimate, sign

_LOG: Final = logging.getLogger(__name__)
_SUFFIX: Final = ".json"
_SPOILT: Final = ".unreadable"
_LOST_FILE: Final = "lost"
_LOST_WIDTH: Final = 20
# After a successful append, retry at most 20 waiting files: the agent who asked for the estimate waits meanwhile.
_AFTER_EACH: Final = 20
_CLERK: Final = Actor("Doorstep", Role.MANAGER)


Fate = Literal["written", "aside", "lost"]
"""What happened to an estimate: written to the ledger, spooled for later ("aside"), or lost to both."""


@dataclass(frozen=True)
class Appended:
    """An estimate and what happened to it."""

    record: EstimateRecord
    state: Fate

    @property
    def written(self) -> bool:
        """Tell whether it is in the ledger."""
        return self.state == "written"


@dataclass(frozen=True)
class AppendedMany:
    """The ids of estimates, what happened to them all, and why they are not in the ledger ("" if they are)."""

    estimate_ids: tuple[str, ...]
    state: Fate
    why: str


@dataclass(frozen=True)
class SpoolState:
    """Spooled estimates: how many are ``waiting``, since when (``oldest``, UTC), and what cannot be recovered.

    ``spoilt`` counts unreadable files, ``lost`` the estimates that could not be written to disk either and are not in
    the audit trail yet.
    """

    waiting: int
    oldest: datetime | None
    spoilt: int
    lost: int


class LostCount:
    """Counts the lost answers of all processes of a folder, restarts included, as far as the disk allows.

    The file has its full length from the start: overwriting it needs no space. What it cannot take stays in memory.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _LOST_FILE
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
            count = _number(os.pread(handle, _LOST_WIDTH, 0)) + change
            os.pwrite(handle, f"{count:0{_LOST_WIDTH}d}".encode(), 0)
            os.fsync(handle)
        finally:
            os.close(handle)


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() else 0


class Spool:
    """Writes estimates to the ledger or, while that fails, to files under the estimates' own ids."""

    def __init__(self, folder: Path, ledger: Ledger, database: Database) -> None:
        self._folder = folder
        self._ledger = ledger
        self._database = database
        self._lost = LostCount(folder)
        self._some_wait = bool(self._files() or self._lost.value())

    def append(self, new: NewEstimate, actor: Actor) -> Appended:
        """Write an estimate to the ledger, else spool it with its id, instant and actor; "lost" if both fail.

        Raises what sign() raises, and NotFound for an unknown market: retrying would never succeed.
        """
        estimate = sign(new, actor)
        try:
            self._ledger.append_signed(estimate)
        except StoreUnavailable as error:
            return Appended(estimate, self._aside([estimate], error))
        if self._some_wait:
            with suppress(StoreError):
                self.retry(_AFTER_EACH)
        return Appended(estimate, "written")

    def append_many(self, new: Sequence[NewEstimate], actor: Actor) -> AppendedMany:
        """Write estimates to the ledger, all or none, else spool them together; raises what sign() raises."""
        at = now()
        signed = [sign(one, actor, at) for one in new]
        ids = tuple(one.estimate_id for one in signed)
        try:
            self._ledger.append_signed_many(signed)
        except StoreUnavailable as error:
            return AppendedMany(ids, self._aside(signed, error), str(error))
        return AppendedMany(ids, "written", "")

    def retry(self, limit: int | None = None) -> int:
        """Write at most ``limit`` waiting files to the ledger, oldest first; return the number of estimates written.

        An estimate that is already in the ledger (the confirmation was lost, or another process was faster) is not
        written again. Raises StoreUnavailable if the ledger still cannot be written; the rest keeps waiting.
        """
        files = self._files()
        self._some_wait = len(files) > (limit or len(files))
        written = 0
        try:
            for path in files[:limit]:
                written += self._write(path)
        except StoreUnavailable:
            self._some_wait = True
            raise
        finally:
            if written or self._lost.value():
                self._note(written)
        return written

    def state(self) -> SpoolState:
        """Return the state of the spool, all processes included; an unreadable folder counts as empty."""
        waiting = [estimate for path in self._files() for estimate in _instants(path)]
        spoilt = len(list(self._folder.glob(f"*{_SPOILT}")))
        return SpoolState(len(waiting), min(waiting, default=None), spoilt, self._lost.value())

    def _aside(self, estimates: Sequence[EstimateRecord], why: StoreError) -> Fate:
        path = self._folder / f"{estimates[0].estimate_id}{_SUFFIX}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove_abandoned(self._folder)
            write_atomically(path, json.dumps([_document(one) for one in estimates]).encode())
        except OSError as error:
            self._lost.add(len(estimates))
            self._some_wait = True
            _LOG.error(
                "%d estimates lost: neither ledger (%s) nor disk (%s) took them", len(estimates), in_full(why), error
            )
            return "lost"
        self._some_wait = True
        _LOG.error("%d estimates wait in %s to be written to the ledger: %s", len(estimates), path, in_full(why))
        return "aside"

    def _write(self, path: Path) -> int:
        try:
            estimates = [_estimate(one) for one in json.loads(path.read_bytes())]
        except FileNotFoundError:
            return 0
        except (ValueError, KeyError, TypeError) as error:
            _LOG.error("spooled estimates in %s cannot be read: %s", path, error)
            _set_aside(path)
            return 0
        written = 0
        for estimate in estimates:
            try:
                self._ledger.append_signed(estimate)
                written += 1
            except AlreadyExists:
                continue
            except (NotFound, InvalidRecord) as error:
                _LOG.error("the ledger will never take a spooled estimate in %s: %s", path, error)
                _set_aside(path)
                return written
        path.unlink(missing_ok=True)
        return written

    def _note(self, written: int) -> None:
        lost = self._lost.value()
        detail = {"estimates": written} | ({"lost": lost} if lost else {})
        with suppress(StoreError):
            with self._database.write() as connection:
                append_event(connection, _CLERK, AuditAction.LEDGER_CAUGHT_UP, None, "ledger", detail=detail)
            if lost:
                self._lost.add(-lost)

    def _files(self) -> list[Path]:
        try:
            entries = [(entry.stat().st_mtime_ns, Path(entry.path)) for entry in os.scandir(self._folder)]
        except OSError:
            return []
        return [path for _, path in sorted(entries) if path.suffix == _SUFFIX]


def _document(estimate: EstimateRecord) -> dict[str, Any]:
    return plain_document(vars(estimate), "estimate")


def _estimate(document: dict[str, Any]) -> EstimateRecord:
    turned = {
        "at": datetime.fromisoformat(document["at"]),
        "as_of": date.fromisoformat(document["as_of"]),
        "flags": tuple(document["flags"]),
    }
    return EstimateRecord(**{**document, **turned})


def _instants(path: Path) -> list[datetime]:
    try:
        return [datetime.fromisoformat(one["at"]) for one in json.loads(path.read_bytes())]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _set_aside(path: Path) -> None:
    with suppress(OSError):
        path.rename(path.with_suffix(_SPOILT))
