"""Profiles of people and offices, each version kept, and the pictures in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from core.access import Actor
from core.errors import InvalidRecord
from core.states import AuditAction, ProfileKind
from core.store.base.access_tables import PICTURE, PROFILE
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.tables import now
from core.store.base.values import plain_document, plain_text

OWNER_MAX: Final = 200
_NO_VERSION: Final = 0


@dataclass(frozen=True)
class ProfileRecord:
    """A version of a profile; ``same_as`` is the version it brought back, 0 for none at all; ``at`` is UTC."""

    seq: int
    kind: ProfileKind
    owner: str
    document: dict[str, Any]
    same_as: int | None
    at: datetime
    actor: str


@dataclass(frozen=True)
class NewProfile:
    """A version to write; a picture among ``pictures`` is named in the document by its SHA-256.

    ``detail`` is what the audit trail says of the change beside the names of the fields that changed.
    """

    kind: ProfileKind
    owner: str
    document: Mapping[str, Any]
    pictures: tuple[bytes, ...] = ()
    action: AuditAction = AuditAction.PROFILE_CHANGED
    detail: Mapping[str, Any] = field(default_factory=dict)


class Profiles:
    """Write, bring back and read profiles; earlier versions stay on record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, kind: ProfileKind, owner: str) -> ProfileRecord | None:
        """Return the version that counts, None without one; raises StoreUnavailable."""
        with self._database.read() as connection:
            return _latest(connection, kind, owner)

    def history(self, kind: ProfileKind, owner: str) -> list[ProfileRecord]:
        """Return all versions, newest first; raises StoreUnavailable."""
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(_versions(kind, owner)).mappings()]

    def all(self, kind: ProfileKind) -> list[ProfileRecord]:
        """Return the version that counts of every owner, in the order of the owners; raises StoreUnavailable."""
        newest = sa.select(sa.func.max(PROFILE.c.seq)).where(PROFILE.c.kind == kind.value).group_by(PROFILE.c.owner)
        query = sa.select(PROFILE).where(PROFILE.c.seq.in_(newest)).order_by(PROFILE.c.owner)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def picture(self, sha256: str) -> bytes | None:
        """Return a picture, None for one that is not here or was altered; raises StoreUnavailable."""
        query = sa.select(PICTURE.c.content).where(PICTURE.c.sha256 == sha256)
        with self._database.read() as connection:
            content = connection.scalar(query)
        return content if content is not None and hashlib.sha256(content).hexdigest() == sha256 else None

    def save(self, new: NewProfile, actor: Actor) -> ProfileRecord:
        """Write a version with its pictures and an audit entry, which names the changed fields and not their values.

        A version equal to the one that counts is not written again. Raises InvalidRecord for an overlong owner,
        StoreUnavailable.
        """
        if len(new.owner) > OWNER_MAX:
            raise InvalidRecord(f"The owner of a profile has {len(new.owner)} characters; the limit is {OWNER_MAX}.")
        document = plain_document(new.document, "profile")
        with self._database.write() as connection:
            before = _latest(connection, new.kind, new.owner)
            if before is not None and before.document == document:
                return before
            for content in new.pictures:
                _keep_picture(connection, content)
            record = _insert(connection, new.kind, new.owner, document, None, actor)
            detail = {"fields": _changed(before, document), "version": record.seq, **new.detail}
            append_event(connection, actor, new.action, None, _subject(record), detail=detail)
            return record

    def restore(self, kind: ProfileKind, owner: str, version: int, actor: Actor) -> ProfileRecord:
        """Let an earlier version count again, 0 for the time before the first, with an audit entry.

        Raises InvalidRecord for a version that is not this owner's, StoreUnavailable.
        """
        with self._database.write() as connection:
            query = _versions(kind, owner).where(PROFILE.c.seq == version)
            found = connection.execute(query).mappings().first()
            before = _latest(connection, kind, owner)
            if (found is None and version != _NO_VERSION) or before is None:
                raise InvalidRecord(f"Version {version} is none of this profile; choose one of its list.")
            document = _record(found).document if found is not None else {}
            record = _insert(connection, kind, owner, document, version, actor)
            detail = {"fields": _changed(before, document), "version": record.seq, "same_as": version}
            append_event(connection, actor, AuditAction.PROFILE_RESTORED, None, _subject(record), detail=detail)
            return record


def _versions(kind: ProfileKind, owner: str) -> sa.Select[Any]:
    of_owner = (PROFILE.c.kind == kind.value, PROFILE.c.owner == owner)
    return sa.select(PROFILE).where(*of_owner).order_by(PROFILE.c.seq.desc())


def _latest(connection: sa.Connection, kind: ProfileKind, owner: str) -> ProfileRecord | None:
    row = connection.execute(_versions(kind, owner).limit(1)).mappings().first()
    return None if row is None else _record(row)


def _insert(
    connection: sa.Connection,
    kind: ProfileKind,
    owner: str,
    document: Mapping[str, Any],
    same_as: int | None,
    actor: Actor,
) -> ProfileRecord:
    values = {"kind": kind.value, "owner": plain_text(owner), "document": document, "same_as": same_as}
    done = connection.execute(PROFILE.insert().values(**values, at=now(), actor=plain_text(actor.name)))
    query = sa.select(PROFILE).where(PROFILE.c.seq == done.inserted_primary_key[0])  # type: ignore[index]
    return _record(connection.execute(query).mappings().one())


def _keep_picture(connection: sa.Connection, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    if connection.scalar(sa.select(PICTURE.c.sha256).where(PICTURE.c.sha256 == sha256)) is None:
        connection.execute(PICTURE.insert().values(sha256=sha256, content=content))


def _changed(before: ProfileRecord | None, after: Mapping[str, Any]) -> str:
    held = before.document if before else {}
    names = sorted(name for name in held.keys() | after.keys() if held.get(name) != after.get(name))
    return ", ".join(name.replace("_", " ") for name in names)


def _subject(record: ProfileRecord) -> str:
    return f"{record.kind} {record.owner}".strip()


def _record(row: sa.RowMapping) -> ProfileRecord:
    return ProfileRecord(**{**row, "kind": ProfileKind(row["kind"])})
