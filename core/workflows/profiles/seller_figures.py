"""Whether sellers are shown figures of a neighborhood: the company's choice, off until a manager turns it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.access import Action, reason_for
from core.errors import InvalidRecord
from core.states import AuditAction, ProfileKind
from core.store.operations.profiles import NewProfile
from core.workspace import Workspace

_RISK: Final = (
    "Crime, schools, walkability, income and who lives nearby can steer people toward or away from an area. In the "
    "United States that is a risk under the Fair Housing Act, for the agent and the company."
)
_LEFT_OUT: Final = "The estimate still counts the location; the report names it as “Location”, without these figures."
_SHOWN_WHERE: Final = (
    "The estimate counts the location either way; the report now writes these figures out where they move the price."
)

REASON_MAX: Final = 300
_OWNER: Final = ""
_SHOWN: Final = "figures_shown"


@dataclass(frozen=True)
class FiguresChoice:
    """What was chosen, why, when (UTC) and by whom; never chosen, they are not shown."""

    shown: bool = False
    reason: str = ""
    at: datetime | None = None
    actor: str = ""


def what_it_means(choice: FiguresChoice) -> str:
    """Say why a report is without such figures unless the company decides otherwise, and what it has now."""
    return f"{_RISK} {_SHOWN_WHERE if choice.shown else _LEFT_OUT}"


def figures_choice(workspace: Workspace) -> FiguresChoice:
    """Return the choice in force; raises StoreUnavailable."""
    record = workspace.store.profiles.current(ProfileKind.COMPANY, _OWNER)
    if record is None:
        return FiguresChoice()
    document = record.document
    return FiguresChoice(document.get(_SHOWN) is True, str(document.get("reason", "")), record.at, record.actor)


def choose_figures(workspace: Workspace, shown: bool, reason: str) -> FiguresChoice:
    """Show such figures to sellers, or leave them out again.

    Raises AccessDenied, ReasonNeeded, InvalidRecord for a long reason or the choice in force, StoreUnavailable.
    """
    workspace.require(Action.CHOOSE_FIGURES)
    words = reason_for("To choose what sellers see", reason)
    if len(words) > REASON_MAX:
        raise InvalidRecord(f"The reason has {len(words)} characters; use at most {REASON_MAX}.")
    if figures_choice(workspace).shown is shown:
        raise InvalidRecord(f"Figures of the neighborhood are {'shown' if shown else 'left out'} already.")
    document = {_SHOWN: shown, "reason": words}
    detail = {"shown": "yes" if shown else "no", "reason": words}
    new = NewProfile(ProfileKind.COMPANY, _OWNER, document, (), AuditAction.SELLER_FIGURES_CHANGED, detail)
    workspace.store.profiles.save(new, workspace.actor)
    return figures_choice(workspace)
