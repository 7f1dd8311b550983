"""The settings of the API's server, read from the environment where it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import WrongUsage
from core.workflows.login.settings import DEMANDED

RATE: Final = "DOORSTEP_API_RATE"
LOCAL: Final = "DOORSTEP_API_LOCAL"


@dataclass(frozen=True)
class ApiSettings:
    """Limits per caller and request, and whether a caller on this computer needs a key.

    ``rate`` is in requests a minute, ``refused_rate`` in wrong keys a minute from one address, ``body_max`` in bytes.
    """

    rate: int = 3_000
    refused_rate: int = 60
    body_max: int = 1_000_000
    batch_max: int = 100
    page_max: int = 200
    local: bool = True


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
    return ApiSettings(rate=int(rate) if rate else ApiSettings.rate, local=local == "on")
