"""Whether a dashboard without login stays on this computer, by the options its server is to start with."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.errors import WrongUsage

_FILE: Final = Path(".streamlit", "config.toml")
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# As the file beside app.py sets them: it counts wherever the dashboard is started from.
_ADDRESS: Final = "127.0.0.1"
_HOSTS: Final = ("127.0.0.1", "localhost")


def is_loopback(address: str) -> bool:
    """Tell whether an address or name is this computer's own; "" stands for every address."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address.casefold() == "localhost"


def network_fault(address: str, hosts: Sequence[str]) -> str:
    """Return why a server without login must not start at this address or under these names, "" if it may."""
    beyond = [name for name in hosts if name.strip("[]") not in _LOOPBACK_NAMES]
    if not is_loopback(address):
        where = f"server.address = {address!r}" if address else "server.address is not set, which"
        what = f"{where} opens Doorstep to the network"
    elif beyond or not hosts:
        what = f"server.allowedHosts = {list(hosts)!r} opens Doorstep to other computers"
    else:
        return ""
    return (
        f"{what}, but login is not configured, so anyone could do anything. Configure login (README, “Open it to the "
        "office”), or keep to 127.0.0.1."
    )


def server_options(environment: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return the address and the host names that a dashboard started here would serve, without options of its command.

    The environment wins over the file of the working directory, that one over the account's. Raises WrongUsage for a
    file that cannot be read.
    """
    folders = [Path.cwd()]
    with suppress(RuntimeError):  # an account may have no folder of its own
        folders.insert(0, Path.home())
    server: dict[str, object] = {}
    for path in (folder / _FILE for folder in folders):
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8")).get("server", {})
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise WrongUsage(f"The options file {path} cannot be read: {error}. Correct or remove it.") from error
        server |= table if isinstance(table, Mapping) else {}
    address = environment.get("STREAMLIT_SERVER_ADDRESS", str(server.get("address", _ADDRESS)))
    listed = server.get("allowedHosts", _HOSTS)
    given = environment.get("STREAMLIT_SERVER_ALLOWED_HOSTS")
    if given is not None:
        return address, tuple(given.split())
    return address, tuple(map(str, listed)) if isinstance(listed, list | tuple) else (str(listed),)
