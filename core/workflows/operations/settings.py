"""Every setting of the environment checked at once, before anything listens or says that it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from core.errors import DoorstepError, WrongUsage
from core.parallel.cluster import check_scheduler
from core.serve.agent.map_tiles import ATTRIBUTION, TILES, read_tiles
from core.store.base.database import Database, parse_url
from core.store.models.signing_keys import check_keys
from core.store.operations.shared_files import VARIABLE as ARTIFACTS
from core.store.operations.shared_files import shared_files
from core.workflows.embedded_worker import starts_none
from core.workflows.login.people import People
from core.workflows.login.reach import network_fault, server_options
from core.workflows.login.secrets_file import read_secrets, usual_secrets_files
from core.workflows.login.settings import (
    DEMANDED,
    check_provider,
    parse_login_settings,
    read_login_settings,
    require_provider,
)
from core.workflows.login.settings import ENVIRONMENT as LOGIN
from core.workflows.monitoring.notifications import channels_of
from core.workflows.operations.api_settings import HOSTS, LOCAL, RATE, read_settings
from core.workflows.operations.logs import FORM, LEVEL, read_log_settings

_DEMO_SALES: Final = "DOORSTEP_DEMO_SALES"


def check_settings(home: Path, secrets_files: Sequence[Path] | None = None) -> None:
    """Raise WrongUsage for every setting that makes no sense: each fault names the setting and what helps.

    ``home`` is the store's folder, ``secrets_files`` those of login (None for the usual ones). Connects to nothing.
    """
    faults = setting_faults(home, secrets_files)
    if len(faults) > 1:
        listed = " ".join(f"({number}) {fault}" for number, fault in enumerate(faults, 1))
        raise WrongUsage(f"{len(faults)} settings are wrong. {listed}")
    if faults:
        raise WrongUsage(faults[0])


def setting_faults(home: Path, secrets_files: Sequence[Path] | None = None) -> tuple[str, ...]:
    """Return what is wrong with the settings of environment and secrets file, in sentences without secrets."""
    environment, files = os.environ, usual_secrets_files() if secrets_files is None else secrets_files
    checks: tuple[Callable[[], object], ...] = (
        lambda: _check_home(home),
        lambda: _check_database(environment),
        lambda: shared_files(environment.get(ARTIFACTS, "")),
        lambda: check_keys(home),
        lambda: _check_login(environment, files),
        lambda: starts_none(environment),
        lambda: _check_demo(environment),
        lambda: check_scheduler(environment),
        *_alone(read_settings, (DEMANDED, RATE, LOCAL, HOSTS), environment),
        *_alone(read_tiles, (TILES, ATTRIBUTION), environment),
        *_alone(read_log_settings, (LEVEL, FORM), environment),
        *_alone(lambda one: parse_login_settings({}, one), LOGIN.values(), environment),
    )
    found = [*_faults(checks), *channels_of(environment).problems]
    return tuple(dict.fromkeys(found))


def dashboard_faults(home: Path) -> tuple[str, ...]:
    """Return what would keep a dashboard started here from starting: its settings, no login where it is demanded, and
    an address or name beyond this computer without login. What its command would set is not known.
    """
    checks = (lambda: _check_demand(os.environ), lambda: _check_reach(os.environ))
    return tuple(dict.fromkeys([*setting_faults(home), *_faults(checks)]))


def _alone(
    read: Callable[[Mapping[str, str]], object], names: Iterable[str], environment: Mapping[str, str]
) -> Iterator[Callable[[], object]]:
    """Yield a check of each setting on its own, so that the first one that is wrong does not hide the others."""
    for name in names:
        if name in environment:
            yield partial(read, {name: environment[name]})


def _faults(checks: Sequence[Callable[[], object]]) -> Iterator[str]:
    for check in checks:
        try:
            check()
        except DoorstepError as error:
            yield str(error)


def _check_home(home: Path) -> None:
    if home.exists() and not home.is_dir():
        raise WrongUsage(f"DOORSTEP_HOME = {str(home)!r} is a file; name a folder.")


def _check_database(environment: Mapping[str, str]) -> None:
    if address := environment.get("DATABASE_URL"):
        Database(parse_url(address)).close()


def _check_login(environment: Mapping[str, str], files: Sequence[Path]) -> None:
    """Check login as the dashboard does; without [auth], the settings of the environment still have to make sense."""
    secrets = read_secrets(files)
    table = _table(secrets, "doorstep")
    known = parse_login_settings(table, environment)
    if "auth" in secrets:
        check_provider(_table(secrets, "auth"))
        read_login_settings(table, environment)
    People(known.people).check()


def _check_demand(environment: Mapping[str, str]) -> None:
    if environment.get(DEMANDED) == "on":
        require_provider("auth" in read_secrets(usual_secrets_files()))


def _check_reach(environment: Mapping[str, str]) -> None:
    has_login = environment.get(DEMANDED) == "on" or "auth" in read_secrets(usual_secrets_files())
    if not has_login and (fault := network_fault(*server_options(environment))):
        raise WrongUsage(fault)


def _table(secrets: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = secrets.get(name, {})
    if not isinstance(table, Mapping):
        raise WrongUsage(f"{name} in the secrets file is not a table; write its settings below a line [{name}].")
    return table


def _check_demo(environment: Mapping[str, str]) -> None:
    value = environment.get(_DEMO_SALES, "")
    if value and not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise WrongUsage(f"{_DEMO_SALES} = {value!r} is not a number of sales above 0; correct it, or unset it.")
