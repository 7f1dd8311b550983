"""The verbs of whoever runs Doorstep: signing models, checking, backup and restore."""

from __future__ import annotations

import argparse
import sys
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.session import FAILED, OK, AddVerb, Session

if TYPE_CHECKING:
    from core.workflows.operations.signing import Signed


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    sign = verb("sign", "sign models with the first signing key, all of them if none is named", _sign)
    sign.add_argument("models", nargs="*", metavar="MODEL", help="ids of models, as `models` lists them")
    sign.add_argument(
        "--vouch",
        action="store_true",
        help="also sign models without a valid signature: only if you trust everybody who could write to the store",
    )
    verb("doctor", "check the store, its database, artifacts, live models, workers and clock", _doctor)
    backup = verb("backup", "write everything in the store to one file, while it is in use", _backup)
    backup.add_argument("file", type=Path, help="file to write; it must not exist yet")
    restore = verb("restore", "restore a backup into an empty store", _restore)
    restore.add_argument("file", type=Path, help="file that `backup` wrote")
    restore.set_defaults(around=_target)


def _doctor(session: Session) -> int:
    from core.workflows.operations.doctor import Health, examine

    found = examine(session.workspace)
    session.print_result(
        {"checks": [vars(one) for one in found]},
        lambda: "\n".join(f"{one.health:8} {one.name}: {one.found} {one.remedy}".rstrip() for one in found),
    )
    return FAILED if any(one.health is Health.FAILED for one in found) else OK


def _backup(session: Session) -> int:
    from core.wording import count
    from core.workflows.operations.backup import back_up

    done = back_up(session.workspace, session.options.file)
    session.print_result(
        {**vars(done), "complete": not done.left_out},
        lambda: "\n".join(
            [
                f"wrote {done.path}: {done.rows:,} rows and {done.files:,} files, {done.size_bytes / 1e6:,.1f} MB",
                *(f"left out: {one}" for one in done.left_out),
                "The signing key is not in it. Keep a copy of the key elsewhere.",
            ]
        ),
    )
    if not done.left_out:
        return OK
    # Whoever runs it at night reads the exit code and standard error only.
    print(
        f"error: the backup {done.path} is written but not complete: {count(len(done.left_out), 'file')} lost or "
        f"altered, {done.left_out[0].partition(':')[0]} first. Run `doctor`, mend the store, and back up again.",
        file=sys.stderr,
    )
    return FAILED


def _target(options: argparse.Namespace) -> AbstractContextManager[None]:
    from core.store import default_home
    from core.workflows.operations.restore_target import restore_target

    return restore_target((options.home or default_home()).resolve())


def _restore(session: Session) -> int:
    from core.wording import market_instant
    from core.workflows.operations.restore import restore

    done = restore(session.workspace, session.options.file)
    written = market_instant(datetime.fromisoformat(done.created_at), "USD")
    session.print_result(
        vars(done),
        lambda: "\n".join(
            [
                f"restored {done.rows:,} rows and {done.files:,} files as of {written}",
                *(f"left out when the backup was written: {one}" for one in done.left_out),
            ]
        ),
    )
    return OK


def _sign(session: Session) -> int:
    from core.workflows.operations.signing import sign_models

    options = session.options
    found = sign_models(session.workspace, options.models, vouch=options.vouch)
    session.print_result(
        {"models": [_signed_form(one) for one in found]},
        lambda: "\n".join(map(_signed_text, found)) or "no models",
    )
    return FAILED if any(one.refused for one in found) else OK


def _signed_form(one: Signed) -> dict[str, object]:
    return {"model": one.record.model_id, "signed": one.changed, "refused": one.refused or None}


def _signed_text(one: Signed) -> str:
    if one.refused:
        return f"{one.record.model_id}  not signed: {one.refused}"
    made = f"trained {one.record.created_at:%Y-%m-%d} by {one.record.created_by}"
    return f"{one.record.model_id}  {'signed' if one.changed else 'signed already'}, {made}"
