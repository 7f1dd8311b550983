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


@dataclass(frozen=True)
class Actor:
    """A person or process that acts; the audit trail shows ``name``."""

    name: str
    role: Role
    office: str = ""


ALLOWED: Final[dict[Role, frozenset[Action]]] = {
    Role.AGENT: frozenset({Action.PRICE, Action.DECIDE}),
    Role.ANALYST: frozenset(
        {Action.PRICE, Action.VIEW_DATA, Action.INGEST, Action.TRAIN, Action.VIEW_MODELS, Action.WATCH}
    ),
    Role.MANAGER: frozenset(Action),
}


def may(actor: Actor, action: Action) -> bool:
    """Tell whether the actor's role allows the action."""
    return action in ALLOWED.get(actor.role, frozenset())


def require(actor: Actor, action: Action) -> None:
    """Raise AccessDenied unless the actor's role allows the action."""
    if not may(actor, action):
        able = ", ".join(role for role in Role if action in ALLOWED[role]) or "nobody"
        raise AccessDenied(
            f"{actor.name} ({actor.role}) may not {action}; these roles may: {able}. Ask one of them, or switch role."
        )
