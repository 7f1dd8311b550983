"""Alerts to Slack, Teams, SMS and other services, each named by an address of apprise's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from core.errors import MessageNotSent

if TYPE_CHECKING:
    from apprise import NotifyBase

SETTING: Final = "DOORSTEP_NOTIFY_URLS"

_NAME_DIGITS: Final = 6


@dataclass(frozen=True)
class MessageService:
    """A service that takes messages; its address holds its secrets, so that no log and no page may show it."""

    name: str
    address: str = field(repr=False)


def services_of(environment: Mapping[str, str]) -> tuple[tuple[MessageService, ...], tuple[str, ...]]:
    """Return the services of DOORSTEP_NOTIFY_URLS (addresses with blanks between them), and what is wrong with it.

    An address that cannot be used is left out and counted among the problems by its place.
    """
    addresses = environment.get(SETTING, "").split()
    if not addresses:
        return (), ()
    if find_spec("apprise") is None:
        return (), (f"{SETTING} needs apprise, which is not installed; run: pip install apprise. No service is used.",)
    services, problems = [], []
    for place, address in enumerate(addresses, 1):
        made = _service(address)
        if made is None:
            problems.append(f"Address {place} in {SETTING} is of no service that apprise knows; correct it.")
        else:
            services.append(MessageService(_name(address), address))
    return tuple(services), tuple(problems)


def send_by(service: MessageService, subject: str, text: str) -> None:
    """Send a message; raises MessageNotSent, without the service's address."""
    sender = _service(service.address)
    # apprise itself catches what goes wrong on the way and answers false.
    if sender is None or not sender.notify(title=subject, body=text):
        raise MessageNotSent(f"The service {service.name} did not accept it. It will be retried.")


def _service(address: str) -> NotifyBase | None:
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - only where a service is set

    # A redirect could lead a message, and what its address authorizes, somewhere else.
    asset = AppriseAsset(app_id="Doorstep", http_redirects=False, secure_logging=True)
    return Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


def _name(address: str) -> str:
    """Return a name that stays the same while the address does, such as slack-3fa2b1."""
    kind = address.partition("://")[0].casefold()
    return f"{kind}-{hashlib.sha256(address.encode()).hexdigest()[:_NAME_DIGITS]}"
