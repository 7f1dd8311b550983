"""Who an agent and an office are on a seller's report: their profiles, earlier versions of which can be used again."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from core.access import Action, may, office_key, require_office, same_office
from core.errors import InvalidRecord
from core.serve.report.typography import plain
from core.states import ProfileKind
from core.store.operations.profiles import NewProfile, ProfileRecord
from core.wording import count
from core.workflows.profiles import pictures
from core.workspace import Workspace


@dataclass(frozen=True)
class AgentProfile:
    """An agent as a report names them, each part "" where it is not given; ``photo`` is a picture's SHA-256."""

    name: str = ""
    office: str = ""
    phone: str = ""
    license_number: str = ""
    photo: str = ""


@dataclass(frozen=True)
class OfficeProfile:
    """An office as a report names it, each part "" where it is not given; ``logo`` is a picture's SHA-256."""

    name: str = ""
    address: str = ""
    phone: str = ""
    logo: str = ""


LIMITS: Final[Mapping[str, int]] = {"name": 80, "office": 80, "phone": 40, "license_number": 40, "address": 160}
"""The most characters of each field."""

PHONE_DIGITS_MIN: Final = 5
"""The fewest digits of a phone number; it may have letters and marks besides."""

_WORDS: Final = {"license_number": "license number"}


def own_profile(workspace: Workspace) -> AgentProfile:
    """Return the actor's own profile, empty before they gave one; raises AccessDenied, StoreUnavailable."""
    return agent_profile(workspace, workspace.actor.actor_id)


def agent_profile(workspace: Workspace, actor_id: str) -> AgentProfile:
    """Return a person's profile; raises AccessDenied for another's, StoreUnavailable."""
    _require_person(workspace, actor_id)
    profile = _as_agent(workspace.store.profiles.current(ProfileKind.PERSON, actor_id))
    # Whose office somebody is in is the identity provider's to say where there is one.
    mine = actor_id == workspace.actor.actor_id and workspace.actor.office
    return replace(profile, office=workspace.actor.office) if mine else profile


def save_agent(
    workspace: Workspace, profile: AgentProfile, new_photo: bytes | None = None, actor_id: str = ""
) -> AgentProfile:
    """Write a profile, one's own without ``actor_id``; a new photo replaces the one named in the profile.

    Raises AccessDenied for another's profile, InvalidRecord naming the field, its value and limit, StoreUnavailable.
    """
    owner = actor_id or workspace.actor.actor_id
    _require_person(workspace, owner)
    content = pictures.photo(new_photo) if new_photo is not None else None
    record = _save(workspace, ProfileKind.PERSON, owner, asdict(profile), "photo", content)
    return _as_agent(record)


def agents(workspace: Workspace) -> dict[str, AgentProfile]:
    """Return the profiles given, by actor id; raises AccessDenied, StoreUnavailable."""
    workspace.require(Action.EDIT_ALL_PROFILES)
    found = {one.owner: _as_agent(one) for one in workspace.store.profiles.all(ProfileKind.PERSON)}
    return {owner: one for owner, one in found.items() if one != AgentProfile()}


def own_office(workspace: Workspace) -> str:
    """Return the name of the actor's office: that of their sign-in or key, else the one in their profile."""
    return workspace.actor.office or own_profile(workspace).office


def office_profile(workspace: Workspace, office: str) -> OfficeProfile:
    """Return an office's profile, with its name if none was given; raises AccessDenied for another office's."""
    _require_office(workspace, office)
    return _office(workspace, office)


def may_edit_office(workspace: Workspace, office: str) -> bool:
    """Tell whether the actor may edit an office's profile: its lead, a manager or an admin."""
    return bool(office.strip()) and may(workspace.actor, Action.EDIT_OFFICE) and _is_theirs(workspace, office)


def save_office(
    workspace: Workspace, office: str, profile: OfficeProfile, new_logo: bytes | None = None
) -> OfficeProfile:
    """Write an office's profile; a new logo replaces the one named in the profile.

    Names of an office in other spellings have the same profile. Raises AccessDenied, also for another office's,
    InvalidRecord, StoreUnavailable.
    """
    workspace.require(Action.EDIT_OFFICE)
    _require_office(workspace, office)
    if not office.strip():
        raise InvalidRecord("The office has no name. Enter one in the profile first.")
    content = pictures.logo(new_logo) if new_logo is not None else None
    record = _save(workspace, ProfileKind.OFFICE, _owner_of(office), asdict(profile), "logo", content)
    return _as_office(record)


def offices(workspace: Workspace) -> list[str]:
    """Return the names of offices that the actor may edit: those with a profile, then those known from elsewhere.

    These are the offices of estimates and of pilots, in all markets. Raises AccessDenied, StoreUnavailable.
    """
    workspace.require(Action.EDIT_OFFICE)
    store = workspace.store
    found = {one.owner: _as_office(one).name for one in store.profiles.all(ProfileKind.OFFICE)}
    for market in store.markets.list():
        rollout = store.rollouts.current(market.market_id)
        named = [one.office for one in rollout.offices] if rollout else []
        for name in (*named, *store.ledger.offices(market.market_id)):
            found.setdefault(_owner_of(name), name)
    return [name for name in found.values() if name and _is_theirs(workspace, name)]


def history(workspace: Workspace, kind: ProfileKind, whose: str) -> list[ProfileRecord]:
    """Return all versions of a person's (by actor id) or office's (by name) profile, newest first.

    Raises AccessDenied, StoreUnavailable.
    """
    return workspace.store.profiles.history(kind, _editable(workspace, kind, whose))


def restore(workspace: Workspace, kind: ProfileKind, whose: str, version: int) -> ProfileRecord:
    """Use an earlier version of a profile again, 0 for the time before the first.

    Raises AccessDenied, InvalidRecord for a version that is not this profile's, StoreUnavailable.
    """
    owner = _editable(workspace, kind, whose)
    return workspace.store.profiles.restore(kind, owner, version, workspace.actor)


def on_report(workspace: Workspace) -> tuple[AgentProfile, OfficeProfile]:
    """Return who a report of the actor names: the agent and the office; raises AccessDenied, StoreUnavailable.

    A key that may read estimates may print these, too, so no right to edit is asked for.
    """
    workspace.require(Action.PRICE)
    actor = workspace.actor
    agent = _as_agent(workspace.store.profiles.current(ProfileKind.PERSON, actor.actor_id))
    return agent, _office(workspace, actor.office or agent.office)


def picture(workspace: Workspace, sha256: str) -> bytes | None:
    """Return a photo or logo, None without one; raises StoreUnavailable."""
    return workspace.store.profiles.picture(sha256) if sha256 else None


def as_printed(text: str) -> str:
    """Return a text as a report prints it: letters that its typeface lacks become Latin ("中山" is "ZhongShan")."""
    return plain(text)


def _editable(workspace: Workspace, kind: ProfileKind, whose: str) -> str:
    if kind is ProfileKind.PERSON:
        _require_person(workspace, whose)
        return whose
    workspace.require(Action.EDIT_OFFICE)
    _require_office(workspace, whose)
    return _owner_of(whose)


def _require_person(workspace: Workspace, actor_id: str) -> None:
    own = actor_id == workspace.actor.actor_id
    workspace.require(Action.EDIT_PROFILE if own else Action.EDIT_ALL_PROFILES)


def _require_office(workspace: Workspace, office: str) -> None:
    if not _is_theirs(workspace, office):
        require_office(workspace.actor, office, f"The profile of {office}")


def _is_theirs(workspace: Workspace, office: str) -> bool:
    """Tell whether an office is the actor's, or they see all of them."""
    actor = workspace.actor
    return not actor.office or same_office(actor.office, office)


def _office(workspace: Workspace, office: str) -> OfficeProfile:
    """Return an office's profile, with its name if none was given; empty for no office."""
    if not office.strip():
        return OfficeProfile()
    found = _as_office(workspace.store.profiles.current(ProfileKind.OFFICE, _owner_of(office)))
    return found if found.name else replace(found, name=office.strip())


def _owner_of(office: str) -> str:
    return office_key(office) or office.strip()


def _save(
    workspace: Workspace,
    kind: ProfileKind,
    owner: str,
    given: dict[str, str],
    picture_field: str,
    content: bytes | None,
) -> ProfileRecord:
    document: dict[str, str] = {}
    for name, value in given.items():
        document[name] = value if name == picture_field else _checked(name, value)
    held = document[picture_field]
    if content is not None:
        document[picture_field] = pictures.name_of(content)
    elif held and workspace.store.profiles.picture(held) is None:
        raise InvalidRecord(f"The {picture_field} {held[:12]} is not in the store. Upload it again.")
    if not any(document.values()) and workspace.store.profiles.current(kind, owner) is None:
        raise InvalidRecord("Every field is empty, so there is nothing to save. Enter something first.")
    new = NewProfile(kind, owner, document, (content,) if content is not None else ())
    return workspace.store.profiles.save(new, workspace.actor)


def _checked(name: str, value: str) -> str:
    """Return a text on one line without anything unprintable; raises InvalidRecord if it is too long or no phone."""
    text = " ".join("".join(one if _is_plain(one) else " " for one in value).split())
    word = _WORDS.get(name, name)
    if len(text) > LIMITS[name]:
        raise InvalidRecord(f"The {word} has {len(text)} characters; the limit is {LIMITS[name]}. Shorten it.")
    digits = sum(map(str.isdecimal, text))
    if name == "phone" and text and digits < PHONE_DIGITS_MIN:
        raise InvalidRecord(
            f"The phone “{text}” has {count(digits, 'digit')}; a phone number has at least {PHONE_DIGITS_MIN}. "
            "Enter the whole number, or leave the field blank."
        )
    return text


def _is_plain(letter: str) -> bool:
    # Zero-width joiners belong to the spelling of names in several scripts.
    return letter in "\u200c\u200d" or not unicodedata.category(letter).startswith("C")


def _as_agent(record: ProfileRecord | None) -> AgentProfile:
    return AgentProfile(**_texts(record, AgentProfile))


def _as_office(record: ProfileRecord | None) -> OfficeProfile:
    return OfficeProfile(**_texts(record, OfficeProfile))


def _texts(record: ProfileRecord | None, kind: type[AgentProfile | OfficeProfile]) -> dict[str, Any]:
    held = record.document if record else {}
    return {field.name: str(held.get(field.name, "")) for field in fields(kind)}
