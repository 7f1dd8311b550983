"""The settings of the API's server, read from the environment where it starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import WrongUsage
from core.workflows.login.settings import DEMANDED

RATE: Final = "DOORSTEP_API_RATE"
LOCAL: Final = "DOORSTEP_API_LOCAL"
HOSTS: Final = "DOORSTEP_API_HOSTS"

# A name, a star with a domain, or an address of IPv4; scheme, port and path are not part of it.
_HOST: Final = re.compile(r"\*|(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class ApiSettings:
    """Limits per caller and request, and whether a caller on this computer needs a key.

    ``rate`` is in requests a minute, ``refused_rate`` in wrong keys a minute from one address, ``body_max`` in bytes.
    ``hosts`` are the names that `serve` answers to, any if there are none.
    """

    rate: int = 3_000
    refused_rate: int = 60
    body_max: int = 1_000_000
    batch_max: int = 100
    page_max: int = 200
    local: bool = True
    hosts: tuple[str, ...] = ()


def read_settings(environment: Mapping[str, str], login: bool = False) -> ApiSettings:
    """Return the settings of the environment; raises WrongUsage for a value that makes no sense.

    With ``login``, or where the environment demands one, a caller on this computer needs a key, too, unless the
    environment says otherwise.
    """
    demanded = environment.get(DEMANDED) or "off"
    if demanded not in ("on", "off"):
        raise WrongUsage(f"{DEMANDED} = {demanded!r} is neither on nor off; correct it, or unset it.")
    keyless = not login and demanded == "off"
    rate, local = environment.get(RATE, ""), environment.get(LOCAL) or ("on" if keyless else "off")
    if rate and not (rate.isascii() and rate.isdigit() and int(rate) > 0):
        raise WrongUsage(f"{RATE} = {rate!r} is not a number of requests a minute above 0; correct it, or unset it.")
    if local not in ("on", "off"):
        raise WrongUsage(f"{LOCAL} = {local!r} is neither on nor off; correct it, or unset it.")
    hosts = _hosts(environment.get(HOSTS, ""))
    return ApiSettings(rate=int(rate) if rate else ApiSettings.rate, local=local == "on", hosts=hosts)


def _hosts(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    wrong = [name for name in names if not _HOST.fullmatch(name)]
    if wrong or (text.strip() and not names):
        raise WrongUsage(
            f"{HOSTS} has {(wrong or [text])[0]!r}, which is not a host name; write names such as desk.example.com, "
            "joined by commas, or unset it to answer to any."
        )
    return names
