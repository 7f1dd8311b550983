"""Who somebody is: an actor made of the claims of the identity provider and the list of persons, denied by default."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from core.access import Actor, Role
from core.errors import AccessDenied
from core.workflows.login.people import People
from core.workflows.login.settings import LoginSettings

OF_AN_OFFICE: Final = frozenset({Role.AGENT, Role.OFFICE_LEAD})
"""The roles that see the work of their own office only; the others see that of all."""

_NAME_MAX: Final = 200
_OFFICE_MAX: Final = 80
_ID_LENGTH: Final = 32


def actor_of(claims: Mapping[str, Any], settings: LoginSettings, people: People) -> Actor:
    """Return the actor that somebody signed in as.

    The list of persons precedes the claims; of several roles in a claim, the last in the order of ``Role`` counts.
    Raises AccessDenied, in one sentence that names whom to ask, for somebody without a role, or without an office
    where the role needs one; WrongUsage if the list cannot be read.
    """
    issuer, subject, name = _text(claims.get("iss")), _text(claims.get("sub")), _name(claims)
    if not (issuer and subject):
        raise AccessDenied(f"The identity provider does not name who signed in; ask {settings.contact}.")
    person = people.find(_email(claims)) if _email(claims) else None
    claimed = _roles(claims, settings)
    role = (person.role if person else None) or (claimed[-1] if claimed else None)
    if role is None:
        raise AccessDenied(f"{name} is signed in but has no role in Doorstep; ask {settings.contact} for one.")
    office = ""
    if role in OF_AN_OFFICE:
        office = (person.office if person else "") or _office(claims, settings)
        if not office:
            raise AccessDenied(
                f"{name} is signed in as {role} but belongs to no office; ask {settings.contact} for the right one."
            )
    return Actor(name, role, office, actor_id=actor_id(issuer, subject))


def actor_id(issuer: str, subject: str) -> str:
    """Return the id of an identity provider's person: theirs for good, unlike a name or an e-mail address."""
    digest = hashlib.sha256("\0".join((issuer, subject)).encode()).hexdigest()
    return f"oidc:{digest[:_ID_LENGTH]}"


def _name(claims: Mapping[str, Any]) -> str:
    texts = (_text(claims.get(key)) for key in ("name", "preferred_username", "email", "sub"))
    return next((text for text in texts if text), "Somebody")[:_NAME_MAX]


def _email(claims: Mapping[str, Any]) -> str:
    """Return the e-mail address, "" if the identity provider says that it was not verified."""
    return _text(claims.get("email")) if claims.get("email_verified", True) in (True, "true") else ""


def _roles(claims: Mapping[str, Any], settings: LoginSettings) -> list[Role]:
    """Return the roles in the claim, the most important last."""
    values = {value.casefold() for value in _values(claims, settings.role_claim)}
    named = {role for role in Role if role.value in values and not settings.roles}
    mapped = {role for value, role in settings.roles.items() if value in values}
    return sorted(named | mapped, key=list(Role).index)


def _office(claims: Mapping[str, Any], settings: LoginSettings) -> str:
    """Return the office in the claim, "" if there is none or more than one."""
    values = _values(claims, settings.office_claim)
    return values[0][:_OFFICE_MAX] if len(values) == 1 else ""


def _values(claims: Mapping[str, Any], claim: str) -> list[str]:
    """Return a claim's texts; a claim inside another is named with dots, as realm_access.roles."""
    found: Any = claims.get(claim) if claim else None
    if found is None and "." in claim:
        found = claims
        for step in claim.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    listed = found if isinstance(found, (list, tuple)) else [found]
    return [text for text in map(_text, listed) if text]


def _text(value: object) -> str:
    """Return a claim as text without anything unprintable, "" if it is none."""
    if not isinstance(value, str):
        return ""
    return "".join(character for character in value if character.isprintable()).strip()
