"""The settings of login, from the table [doorstep] of the secrets file or from the environment, which wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from core.access import Role
from core.errors import WrongUsage

DEMANDED: Final = "DOORSTEP_LOGIN"
"""Environment variable: "on" demands login, and the server sets it where it started with login."""

ENVIRONMENT: Final = {
    "role_claim": "DOORSTEP_ROLE_CLAIM",
    "office_claim": "DOORSTEP_OFFICE_CLAIM",
    "people": "DOORSTEP_PEOPLE",
    "contact": "DOORSTEP_CONTACT",
    "idle_minutes": "DOORSTEP_IDLE_MINUTES",
    "session_hours": "DOORSTEP_SESSION_HOURS",
}
"""The settings and the environment variables that set them; ``roles`` is set in the file only."""

# The identity provider's cookie lasts as long.
_HOURS_MAX: Final = 30 * 24.0
_MINUTES_MAX: Final = 60 * _HOURS_MAX
_SECRET_MIN: Final = 32
_CALLBACK: Final = "/oauth2callback"
# What stays on this computer needs no TLS.
_SAFE: Final = ("https://", "http://localhost:", "http://127.0.0.1:", "http://localhost/", "http://127.0.0.1/")
_OF_PROVIDER: Final = ("client_id", "client_secret", "server_metadata_url")


@dataclass(frozen=True)
class LoginSettings:
    """Where roles and offices come from, and when a sign-in ends.

    ``role_claim`` and ``office_claim`` name claims of the identity token, "" for none; ``roles`` turns a claim's value
    into a role. ``people`` is the list of persons, which precedes the claims. ``contact`` says whom to ask for a role.
    """

    role_claim: str
    office_claim: str
    people: Path | None
    roles: Mapping[str, Role]
    contact: str
    idle: timedelta
    absolute: timedelta


def read_login_settings(table: Mapping[str, Any], environment: Mapping[str, str]) -> LoginSettings:
    """Return the settings; raises WrongUsage as ``parse_login_settings`` does, or if nobody could get a role."""
    found = parse_login_settings(table, environment)
    if not found.role_claim and found.people is None:
        raise WrongUsage(
            "Login is configured, but nobody could get a role: set role_claim or people under [doorstep] in the "
            f"secrets file, or {ENVIRONMENT['role_claim']} or {ENVIRONMENT['people']}."
        )
    return found


def parse_login_settings(table: Mapping[str, Any], environment: Mapping[str, str]) -> LoginSettings:
    """Return the settings; raises WrongUsage for one that is unknown or makes no sense.

    A relative path of the list of persons starts at the working directory.
    """
    unknown = sorted(set(table) - set(ENVIRONMENT) - {"roles"})
    if unknown:
        known = ", ".join((*ENVIRONMENT, "roles"))
        raise WrongUsage(f"[doorstep] {unknown[0]} in the secrets file is unknown; the settings are {known}.")
    given = {name: environment.get(variable) or table.get(name, "") for name, variable in ENVIRONMENT.items()}
    people = _text(given, "people")
    return LoginSettings(
        role_claim=_text(given, "role_claim"),
        office_claim=_text(given, "office_claim"),
        people=Path(people) if people else None,
        roles=_roles(table.get("roles", {})),
        contact=_text(given, "contact") or "your Doorstep administrator",
        idle=timedelta(minutes=_amount(given, "idle_minutes", 60.0, _MINUTES_MAX)),
        absolute=timedelta(hours=_amount(given, "session_hours", 8.0, _HOURS_MAX)),
    )


def require_provider(found: bool) -> None:
    """Raise WrongUsage where login is demanded and no table [auth] was found."""
    if not found:
        raise WrongUsage("Login is demanded, but no secrets file with the table [auth] can be read. Restore the file.")


def check_provider(auth: Mapping[str, Any]) -> None:
    """Raise WrongUsage unless the table [auth] of the secrets file is enough to sign in with, and its secret strong."""
    address = str(auth.get("redirect_uri", ""))
    if not address.endswith(_CALLBACK):
        raise WrongUsage(f"[auth] redirect_uri in the secrets file must be Doorstep's address followed by {_CALLBACK}.")
    if not address.startswith(_SAFE):
        raise WrongUsage(
            f"[auth] redirect_uri = {address!r} sends what signs people in over the network in the clear. Use https "
            "(README, “Open it to the office”)."
        )
    if len(str(auth.get("cookie_secret", ""))) < _SECRET_MIN:
        raise WrongUsage(
            f"[auth] cookie_secret in the secrets file needs at least {_SECRET_MIN} random characters. Make one with: "
            'python -c "import secrets; print(secrets.token_hex(32))"'
        )
    for name in providers(auth):
        section = auth if name is None else auth[name]
        for key in _OF_PROVIDER:
            if not section.get(key):
                where = "[auth]" if name is None else f"[auth.{name}]"
                raise WrongUsage(f"{where} {key} is missing from the secrets file: copy it from the identity provider.")


def providers(auth: Mapping[str, Any]) -> list[str | None]:
    """Return the names of the identity providers of [auth]; None is the one without a name."""
    named: list[str | None] = [name for name, one in auth.items() if isinstance(one, Mapping) and "client_id" in one]
    return named if named and "client_id" not in auth else [None, *named]


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given[name]
    if not isinstance(value, str):
        raise WrongUsage(f"[doorstep] {name} = {value!r} must be text in quotes.")
    return value.strip()


def _amount(given: Mapping[str, Any], name: str, default: float, largest: float) -> float:
    value = given[name]
    if value == "":
        return default
    try:
        amount = float(value)
    except (TypeError, ValueError):
        amount = 0.0
    if not 0 < amount <= largest:
        raise WrongUsage(
            f"{name} = {value!r} is not a number above 0 and up to {largest:,.0f}; correct it under [doorstep] in the "
            f"secrets file, or in {ENVIRONMENT[name]}."
        )
    return amount


def _roles(table: object) -> dict[str, Role]:
    if not isinstance(table, Mapping):
        raise WrongUsage("[doorstep] roles must be a table of claim values and the roles they stand for.")
    return {str(value).casefold(): role_named(role, f"[doorstep.roles] {value}") for value, role in table.items()}


def role_named(text: object, where: str) -> Role:
    """Return the role of that name, whatever its letters' case; raises WrongUsage naming ``where`` it stands."""
    found = next((role for role in Role if role.value == str(text).casefold()), None)
    if found is None:
        raise WrongUsage(f"{where} = {text!r} is not a role; the roles are {', '.join(Role)}.")
    return found
