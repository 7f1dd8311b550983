"""Who may do what: the matrix of roles and actions, denied by default and enforced in core."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.errors import AccessDenied


class Role(StrEnum):
    """A person's role in the company; each page and action is open to some roles."""

    AGENT = "agent"
    ANALYST = "analyst"
    MANAGER = "manager"


class Action(StrEnum):
    """What can be done to the shared state."""

    PRICE = "price a property"
    DECIDE = "decide on an estimate"
    VIEW_DATA = "view sales data"
    INGEST = "commit sales data"
    TRAIN = "train a model"
    VIEW_MODELS = "view models"
    PROMOTE = "promote or roll back a model"
    REJECT = "reject a model or reinstate it"
    WATCH = "view monitoring"
    ACT_ON_ALERTS = "act on alerts and change their limits"
    MANAGE_KEYS = "create and revoke API keys"


@dataclass(frozen=True)
class Actor:
    """A person or process that acts; the audit trail shows ``name``.

    An actor of an ``office`` sees that office's estimates only; one without an office sees all. ``scope`` narrows what
    the role allows, as an API key's does; None leaves it whole.
    """

    name: str
    role: Role
    office: str = ""
    scope: frozenset[Action] | None = None


ALLOWED: Final[dict[Role, frozenset[Action]]] = {
    Role.AGENT: frozenset({Action.PRICE, Action.DECIDE}),
    Role.ANALYST: frozenset(
        {Action.PRICE, Action.VIEW_DATA, Action.INGEST, Action.TRAIN, Action.VIEW_MODELS, Action.WATCH}
    ),
    Role.MANAGER: frozenset(Action),
}


def may(actor: Actor, action: Action) -> bool:
    """Tell whether the actor's role and scope allow the action."""
    return _in_scope(actor, action) and action in ALLOWED.get(actor.role, frozenset())


def require(actor: Actor, action: Action) -> None:
    """Raise AccessDenied unless the actor's role and scope allow the action."""
    if may(actor, action):
        return
    if not _in_scope(actor, action):
        raise AccessDenied(f"{actor.name} may not {action}: its key does not cover that. Use a key that does.")
    able = ", ".join(role for role in Role if action in ALLOWED[role]) or "nobody"
    raise AccessDenied(
        f"{actor.name} ({actor.role}) may not {action}; these roles may: {able}. Ask one of them, or switch role."
    )


def sees_office(actor: Actor, office: str) -> bool:
    """Tell whether the actor may see what an office did."""
    return actor.office in ("", office)


def require_office(actor: Actor, office: str, what: str) -> None:
    """Raise AccessDenied if ``what``, such as an estimate, belongs to an office whose work the actor may not see."""
    if not sees_office(actor, office):
        raise AccessDenied(
            f"{what} belongs to another office; {actor.name} sees only those of {actor.office}. Ask that office for it."
        )


def _in_scope(actor: Actor, action: Action) -> bool:
    return actor.scope is None or action in actor.scope
