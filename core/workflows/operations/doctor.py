"""Checks a store from its folder to the price of a typical home, and says of each fault what helps."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from core.access import Action, Actor, Role
from core.errors import ArtifactCorrupt, DoorstepError
from core.parallel.cluster import workers_of_cluster
from core.serve.review.unavailable import Unavailable
from core.serve.typical_home import typical_home
from core.store import Market
from core.store.operations.workers import ALIVE_WITHIN
from core.wording import count
from core.workflows.operations.settings import dashboard_faults
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.promotion import ways_out
from core.workflows.worker import worker_command
from core.workspace import Workspace

_CLERK: Final = Actor("Doorstep", Role.AGENT)
_LOW_BYTES: Final = 1_000_000_000
_FULL_BYTES: Final = 100_000_000
_CLOCK_TOLERANCE: Final = timedelta(seconds=60)


class Health(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """What was checked and found, with what helps ("" if nothing is wrong)."""

    name: str
    health: Health
    found: str
    remedy: str = ""


def examine(workspace: Workspace) -> tuple[Check, ...]:
    """Run every check; one that cannot be run has failed, and the others still run. Raises AccessDenied."""
    workspace.require(Action.OPERATE)
    found: list[Check] = []
    for name, run in _CHECKS.items():
        found += [one for one in _run(name, run, workspace) if not _is_known(one, found)]
    return tuple(found)


def _is_known(check: Check, found: Sequence[Check]) -> bool:
    """Tell whether a failure has the cause of one before it, in whose words its own are: one cause is one line."""
    failed = [one.found for one in found if one.health is Health.FAILED]
    return check.health is Health.FAILED and any(check.found in one or one in check.found for one in failed)


def _run(name: str, run: Callable[[Workspace], Iterator[Check]], workspace: Workspace) -> Iterator[Check]:
    try:
        yield from run(workspace)
    except DoorstepError as error:
        yield Check(name, Health.FAILED, str(error))
    except OSError as error:
        yield Check(name, Health.FAILED, f"{error.filename or 'The system'}: {error.strerror or error}")


def _settings(workspace: Workspace) -> Iterator[Check]:
    faults = dashboard_faults(workspace.store.home)
    yield from (Check("settings", Health.FAILED, fault) for fault in faults)
    if not faults:
        yield Check("settings", Health.OK, "Every setting of the environment makes sense.")


def _folder(workspace: Workspace) -> Iterator[Check]:
    home = workspace.store.home
    mode = stat.S_IMODE(home.stat().st_mode)
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        remedy = "Give the account Doorstep runs under the right to write there."
        yield Check("folder", Health.FAILED, f"{home} cannot be written to.", remedy)
    elif os.name == "posix" and mode & 0o077:
        remedy = f"Run: chmod 700 {home}"
        yield Check("folder", Health.WARNING, f"{home} is open to other accounts (mode {mode:o}).", remedy)
    else:
        yield Check("folder", Health.OK, f"{home} can be written to.")


def _disk(workspace: Workspace) -> Iterator[Check]:
    free = shutil.disk_usage(workspace.store.home).free
    found = f"{free / 1e9:,.1f} GB are free."
    health = Health.FAILED if free < _FULL_BYTES else Health.WARNING if free < _LOW_BYTES else Health.OK
    yield Check("disk", health, found, "" if health is Health.OK else "Free some disk space.")


def _database(workspace: Workspace) -> Iterator[Check]:
    faults = workspace.store.dump.faults()
    if faults:
        yield Check("database", Health.FAILED, f"It is damaged: {faults[0]}.", "Restore it from a backup.")
    else:
        yield Check("database", Health.OK, f"It is intact, at schema {workspace.store.dump.revision}.")


def _shared(workspace: Workspace) -> Iterator[Check]:
    shared = workspace.store.shared
    if shared is None:
        yield Check("artifact store", Health.OK, "The folder of this server alone has the artifacts.")
        return
    shared.check()
    yield Check("artifact store", Health.OK, f"{shared.label} can be reached.")


def _artifacts(workspace: Workspace) -> Iterator[Check]:
    number, faults = 0, []
    for artifact in workspace.store.artifacts:
        number += 1
        try:
            artifact.read()
        except ArtifactCorrupt as error:
            faults.append(str(error))
    yield from (Check("artifact", Health.FAILED, fault) for fault in faults)
    if not faults:
        yield Check("artifacts", Health.OK, f"{count(number, 'file has its', 'files have their')} recorded hash.")


def _signatures(workspace: Workspace) -> Iterator[Check]:
    store, faults = workspace.store, []
    records = [one for market in store.markets.list() for one in store.models.list(market.market_id)]
    for record in records:
        try:
            store.models.load_bytes(record.model_id)
        except ArtifactCorrupt as error:
            faults.append(Check(f"model {record.model_id}", Health.FAILED, str(error)))
    yield from faults
    if not faults:
        yield Check("signatures", Health.OK, f"{count(len(records), 'model has a', 'models have a')} valid signature.")


def _champions(workspace: Workspace) -> Iterator[Check]:
    for market in workspace.store.markets.list():
        try:
            yield _champion(workspace, market)
        except DoorstepError as error:
            yield Check(f"live model of {market.name}", Health.FAILED, str(error))


def _champion(workspace: Workspace, market: Market) -> Check:
    name = f"live model of {market.name}"
    desk = open_desk(workspace.store, market.market_id, workspace.problem)
    if desk.fault:
        before = f"Model {desk.record.model_id} before it answers." if desk.record else "No model before it can answer."
        target = workspace.store.models.rollback_target(market.market_id)
        # One that cannot be verified either is no way back.
        ways = ways_out(target if target == desk.record else None)
        return Check(name, Health.FAILED, f"{desk.fault} {before}", f"A manager can {ways}.")
    if desk.live_model is None:
        return Check(name, Health.WARNING, "No model is live.", "Train or promote one.")
    answer = desk.price(
        _typical(desk), desk.valuation_date(workspace.today(market)), workspace.problem.estimate.level, _CLERK
    )
    if isinstance(answer, Unavailable):
        return Check(name, Health.WARNING, f"A typical home has no price: {answer.reason}", answer.remedy)
    return Check(name, Health.OK, f"A typical home is priced at {answer.point:,.0f} {market.currency}.")


def _typical(desk: Desk) -> dict[str, object]:
    """Return a typical home of the first known area, and where that is."""
    assert desk.live_model is not None
    model = desk.live_model.model
    codes = {code: next(iter(areas)) for code, areas in model.profile.typical.items() if areas}
    code = dict(list(codes.items())[:1])
    return {**typical_home(model, code).facts, **code}


def _workers(workspace: Workspace) -> Iterator[Check]:
    living = len(workspace.store.workers.alive(ALIVE_WITHIN))
    if living:
        yield Check("workers", Health.OK, f"{count(living, 'worker')} at work.")
    else:
        remedy = f"Run: {worker_command()}. The app starts a worker only for the jobs of its pages."
        found = "No worker is alive, so no market is watched, and none is retrained on schedule."
        yield Check("workers", Health.WARNING, found, remedy)


def _cluster(_: Workspace) -> Iterator[Check]:
    workers = workers_of_cluster(os.environ)
    if workers is None:
        yield Check("cluster", Health.OK, "None is set, so long work runs on this machine.")
    else:
        yield Check("cluster", Health.OK, f"{count(workers, 'worker')} of it can be reached, with this very code.")


def _spool(workspace: Workspace) -> Iterator[Check]:
    state = workspace.store.spool.state()
    if state.spoilt:
        remedy = f"See the files in {workspace.store.home / 'unwritten'}; keep them before you remove them."
        yield Check("ledger", Health.FAILED, f"{count(state.spoilt, 'waiting estimate')} cannot be read.", remedy)
    if state.waiting:
        remedy = "They are written as soon as the database can be written to."
        found = f"{count(state.waiting, 'estimate waits', 'estimates wait')} on disk."
        yield Check("ledger", Health.WARNING, found, remedy)
    if not state.spoilt and not state.waiting:
        yield Check("ledger", Health.OK, "No estimate waits on disk.")


def _clock(workspace: Workspace) -> Iterator[Check]:
    latest, now = workspace.store.events.list(limit=1), workspace.clock()
    if latest and latest[0].at > now + _CLOCK_TOLERANCE:
        found = (
            f"The latest event is of {latest[0].at:%Y-%m-%d %H:%M} UTC, and the clock says {now:%Y-%m-%d %H:%M} UTC."
        )
        yield Check("clock", Health.FAILED, found, "Set the computer's clock right.")
    else:
        yield Check("clock", Health.OK, f"It says {now:%Y-%m-%d %H:%M} UTC, after every event.")


_CHECKS: Final[dict[str, Callable[[Workspace], Iterator[Check]]]] = {
    "settings": _settings,
    "folder": _folder,
    "disk": _disk,
    "database": _database,
    "artifact store": _shared,
    # What it costs the market comes first; the files behind it are not named again.
    "live models": _champions,
    "signatures": _signatures,
    "artifacts": _artifacts,
    "workers": _workers,
    "cluster": _cluster,
    "ledger": _spool,
    "clock": _clock,
}
