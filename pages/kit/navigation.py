"""Which pages there are, in the order of the navigation, and who may open them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.access import ALLOWED, Action, Role

PAGES_FOLDER: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Page:
    """A page: its address ("" for the first), title, Material icon, script in pages/ and the roles that may open it."""

    path: str
    title: str
    icon: str
    script: Path
    roles: frozenset[Role]


def roles_that_may(action: Action) -> frozenset[Role]:
    """Return the roles to which the access matrix of the core allows the action."""
    return frozenset(role for role in Role if action in ALLOWED[role])


PAGES: Final = (
    Page("", "Home", ":material/home:", PAGES_FOLDER / "home.py", frozenset(Role)),
    Page("pricing", "Price a home", ":material/sell:", PAGES_FOLDER / "pricing.py", roles_that_may(Action.PRICE)),
    Page(
        "sales_data",
        "Sales data",
        ":material/table_view:",
        PAGES_FOLDER / "sales_data.py",
        roles_that_may(Action.VIEW_DATA),
    ),
    Page(
        "models", "Models", ":material/model_training:", PAGES_FOLDER / "models.py", roles_that_may(Action.VIEW_MODELS)
    ),
    Page(
        "evaluation",
        "Evaluation",
        ":material/fact_check:",
        PAGES_FOLDER / "evaluation.py",
        roles_that_may(Action.VIEW_MODELS),
    ),
    Page(
        "monitoring",
        "Monitoring",
        ":material/monitoring:",
        PAGES_FOLDER / "monitoring.py",
        roles_that_may(Action.WATCH),
    ),
)


def page_at(path: str) -> Page:
    """Return the page of an address; raises KeyError for an unknown one."""
    return {page.path: page for page in PAGES}[path]
