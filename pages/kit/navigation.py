"""The pages: their addresses in navigation order, who may open them, and links between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn

import streamlit as st

from core.access import ALLOWED, Action, Role
from core.workflows.standing import Standing, Step
from pages.kit.palette import GOOD, WATCH
from pages.kit.text import plain

PAGES_FOLDER: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Page:
    """A page: its address ("" for the first), title, Material icon, script in pages/ and allowed roles."""

    path: str
    title: str
    icon: str
    script: Path
    roles: frozenset[Role]


def roles_that_may(action: Action) -> frozenset[Role]:
    """Return the roles that core's access matrix allows to do the action."""
    return frozenset(role for role in Role if action in ALLOWED[role])


PAGES: Final = (
    Page("", "Home", ":material/home:", PAGES_FOLDER / "home.py", frozenset(Role)),
    Page("pricing", "Price a home", ":material/sell:", PAGES_FOLDER / "pricing.py", roles_that_may(Action.PRICE)),
    Page(
        "estimates", "Estimates", ":material/receipt_long:", PAGES_FOLDER / "estimates.py", roles_that_may(Action.PRICE)
    ),
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
    Page("profile", "My profile", ":material/badge:", PAGES_FOLDER / "profile.py", roles_that_may(Action.EDIT_PROFILE)),
)


LANDING: Final[Mapping[Role, str]] = MappingProxyType({Role.AGENT: "pricing"})
"""Where a role begins if not on the first page, which its menu then leaves out: agents came to price a home."""

NO_QUERY: Final[Mapping[str, str]] = MappingProxyType({})

SIGNATURE: Final[Mapping[str, str]] = MappingProxyType({"verdict_and_signature": "Signature"})
"""The parameters of the page Evaluation that open the signature."""


def landing(path: str, role: Role) -> str | None:
    """Return where a visitor who opened this page begins instead; None if here."""
    return LANDING.get(role) if path == "" else None


def page_at(path: str) -> Page:
    """Return the page at an address; raises KeyError for an unknown one."""
    return {page.path: page for page in PAGES}[path]


def go_to(path: str, **query: str) -> NoReturn:
    """Switch to the page at the address, with parameters of that page."""
    # Without this mapping, Streamlit would clear all parameters, which it refuses while role or market are bound.
    st.switch_page(page_at(path).script, query_params=query)


def link_to(path: str, label: str, query: Mapping[str, str] = NO_QUERY) -> None:
    """Draw a link to the page at the address, with its icon and parameters of that page."""
    page = page_at(path)
    st.page_link(page.script, label=label, icon=page.icon, query_params=dict(query) or None)


def sign_here(model_id: str, label: str = "Sign its scope") -> None:
    """Draw the way to where the scope of a model is signed."""
    if st.button(label, key=f"to_sign_{model_id}", type="tertiary", icon=":material/signature:"):
        go_to("evaluation", evaluated=model_id, **SIGNATURE)


STEPS: Final[dict[Step, tuple[str, str]]] = {
    Step.UPLOAD: ("sales_data", "Open Sales data"),
    Step.TRAIN: ("models", "Open Models to train"),
    Step.RETRAIN: ("models", "Open Models to retrain"),
    Step.WAIT: ("models", "Open Models to follow it"),
    Step.COMPARE: ("models", "Open Models to decide"),
    Step.ALERTS: ("monitoring", "See the alerts"),
    Step.SIGN: ("evaluation", "Open the signature"),
    Step.WATCH: ("monitoring", "See how it does"),
}
"""The page of each step and the words of its button."""


def query_of(step: Step) -> Mapping[str, str]:
    """Return the parameters with which the page of a step opens where the step is done."""
    return SIGNATURE if step is Step.SIGN else NO_QUERY


def link_next(standing: Standing) -> None:
    """Draw the link to where the one next step is done, unless somebody else has to do it."""
    if not standing.mine:
        return
    path, label = STEPS[standing.step]
    link_to(path, label, query_of(standing.step))


def say_standing(standing: Standing, page: str) -> None:
    """Draw where the market stands on a page, with the link to the next step unless it is done on this page."""
    path, label = STEPS[standing.step]
    mark = f":{GOOD}[:material/check_circle:]" if standing.good else f":{WATCH}[:material/priority_high:]"
    # The page's own bar moves on while this stands.
    say_in_parts(mark, standing.still if path == page else standing)
    if path != page and not standing.good and standing.mine:
        link_to(path, label, query_of(standing.step))


def say_in_parts(mark: str, standing: Standing) -> None:
    """Draw what is the matter and, on a line of its own, what to do next."""
    if not standing.matter:
        st.markdown(f"{mark} **{plain(standing.sentence)}**")
        return
    st.markdown(f"{mark} **{plain(standing.matter)}**  \n**Next:** {plain(standing.next)}")
