"""Who may do what, denied by default and enforced in core; which deeds need a reason; whose office is whose."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.errors import AccessDenied, ReasonNeeded


class Role(StrEnum):
    """A person's role in the company; each page and action is open to some roles. They rise from agent to admin."""

    AGENT = "agent"
    OFFICE_LEAD = "office lead"
    ANALYST = "analyst"
    MANAGER = "manager"
    ADMIN = "admin"


class Action(StrEnum):
    """What can be done to the shared state."""

    PRICE = "price a property"
    DECIDE = "decide on an estimate"
    FEEDBACK = "give feedback on an estimate"
    EDIT_PROFILE = "edit one's own profile"
    EDIT_OFFICE = "edit an office's profile"
    EDIT_ALL_PROFILES = "edit the profiles of others"
    CHOOSE_FIGURES = "choose what sellers are shown"
    VIEW_OFFICE = "view the work of a whole office"
    VIEW_DATA = "view sales data"
    INGEST = "commit sales data"
    TRAIN = "train a model"
    VIEW_MODELS = "view models"
    PROMOTE = "promote or roll back a model"
    REJECT = "reject a model or reinstate it"
    WATCH = "view monitoring"
    ACT_ON_ALERTS = "act on alerts and change their limits"
    MANAGE_PILOT = "start, widen or stop the pilot"
    MANAGE_KEYS = "create and revoke API keys"
    OPERATE = "operate the service"


LOCAL_ID: Final = "local:"
"""How the ids of this computer's users begin; a name follows."""


@dataclass(frozen=True)
class Actor:
    """A person or process that acts; the audit trail shows ``name``.

    An actor of an ``office`` sees that office's estimates only; one without an office sees all. ``scope`` narrows what
    the role allows, as an API key's does; None leaves it whole. ``actor_id`` tells two people of one name apart, and
    stays the same when a name changes; without one, it is that of the user of this computer with that name.
    """

    name: str
    role: Role
    office: str = ""
    scope: frozenset[Action] | None = None
    actor_id: str = ""

    def __post_init__(self) -> None:
        if not self.actor_id:
            object.__setattr__(self, "actor_id", f"{LOCAL_ID}{self.name}")


_EVERYBODY: Final = frozenset({Action.PRICE, Action.EDIT_PROFILE})
_AT_WORK: Final = _EVERYBODY | {Action.DECIDE, Action.FEEDBACK}
_INSIGHT: Final = _EVERYBODY | {Action.VIEW_DATA, Action.VIEW_MODELS, Action.WATCH}
_PROFILES: Final = frozenset({Action.EDIT_OFFICE, Action.EDIT_ALL_PROFILES, Action.CHOOSE_FIGURES})

ALLOWED: Final[dict[Role, frozenset[Action]]] = {
    Role.AGENT: _AT_WORK,
    Role.OFFICE_LEAD: _AT_WORK | {Action.VIEW_OFFICE, Action.EDIT_OFFICE},
    Role.ANALYST: _INSIGHT | {Action.FEEDBACK, Action.INGEST, Action.TRAIN},
    Role.MANAGER: _AT_WORK
    | _INSIGHT
    | _PROFILES
    | {
        Action.VIEW_OFFICE,
        Action.INGEST,
        Action.TRAIN,
        Action.PROMOTE,
        Action.REJECT,
        Action.ACT_ON_ALERTS,
        Action.MANAGE_PILOT,
        Action.OPERATE,
    },
    # An admin runs the service; which model is live is not the admin's to say.
    Role.ADMIN: _INSIGHT | _PROFILES | {Action.VIEW_OFFICE, Action.MANAGE_PILOT, Action.MANAGE_KEYS, Action.OPERATE},
}


REASON_MIN: Final = 10
"""The fewest characters of a reason: a few words, so that a way back is not held up."""

REASON_MAX: Final = 300
"""The most characters of a reason that a page takes."""

REASON_ASKED: Final = f"Reason, at least {REASON_MIN} characters"
"""The label of a field for a reason that is needed."""


def reason_for(what: str, reason: str) -> str:
    """Return the reason for a deed without blanks at its ends; raises ReasonNeeded if it is too short.

    Whoever changes which model answers or may answer, or which homes get a price, says why. Only what its own test
    supports needs no reason: to promote a model that its gate passes, to sign a scope proven to meet its target.
    ``what`` is the deed, such as "To roll back".
    """
    given = reason.strip()
    if len(given) < REASON_MIN:
        raise ReasonNeeded(f"{what}, give a reason of at least {REASON_MIN} characters ({len(given)} so far).")
    return given


def least_role(*actions: Action) -> Role:
    """Return the first of the roles, from agent to admin, that may do all these actions; raises ValueError if none may.

    So whatever a manager may do is never done as an admin, whose part is what nobody else may.
    """
    able = [role for role in Role if ALLOWED[role].issuperset(actions)]
    if not able:
        raise ValueError(f"No role may {' and '.join(actions)}.")
    return able[0]


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
    raise AccessDenied(f"{actor.name} ({actor.role}) may not {action}; these roles may: {able}. Ask one of them.")


def sees_office(actor: Actor, office: str) -> bool:
    """Tell whether the actor may see what an office did."""
    return not actor.office or same_office(actor.office, office)


def require_office(actor: Actor, office: str, what: str) -> None:
    """Raise AccessDenied if ``what``, such as an estimate, belongs to an office whose work the actor may not see."""
    if not sees_office(actor, office):
        raise AccessDenied(
            f"{what} belongs to another office; {actor.name} sees only those of {actor.office}. Ask that office for it."
        )


def office_key(name: str) -> str:
    """Return what equal names of an office share: "North-Side  Realty, Inc." and "northside realty inc" are the same.

    Case, blanks and punctuation do not count. It is "" for a name without letters and digits.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    kept = "".join(one for one in folded if one.isalnum() or unicodedata.category(one).startswith("M"))
    return unicodedata.normalize("NFC", kept)


def shown_spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """Return under which spelling each name of an office is shown: the one with the largest count, then the first."""
    by_key: dict[str, str] = {}
    for name in sorted(counts, key=lambda one: (-counts[one], one)):
        by_key.setdefault(office_key(name) or name, name)
    return {name: by_key[office_key(name) or name] for name in counts}


def same_office(name: str, other: str) -> bool:
    """Tell whether two names are one office's; names without letters and digits are only if they are equal."""
    key = office_key(name)
    return name == other or (key != "" and key == office_key(other))


def _in_scope(actor: Actor, action: Action) -> bool:
    return actor.scope is None or action in actor.scope
