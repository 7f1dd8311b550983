"""Access: the whole actor x action matrix, denied by default."""

from __future__ import annotations

import pytest

from core.access import ALLOWED, Action, Actor, Role, least_role, may, require, require_office
from core.errors import AccessDenied

AGENT, LEAD, ANALYST, MANAGER, ADMIN = Role.AGENT, Role.OFFICE_LEAD, Role.ANALYST, Role.MANAGER, Role.ADMIN

MATRIX = {
    Action.PRICE: {AGENT, LEAD, ANALYST, MANAGER, ADMIN},
    Action.DECIDE: {AGENT, LEAD, MANAGER},
    Action.FEEDBACK: {AGENT, LEAD, ANALYST, MANAGER},
    Action.EDIT_PROFILE: {AGENT, LEAD, ANALYST, MANAGER, ADMIN},
    Action.EDIT_OFFICE: {LEAD, MANAGER, ADMIN},
    Action.EDIT_ALL_PROFILES: {MANAGER, ADMIN},
    Action.CHOOSE_FIGURES: {MANAGER, ADMIN},
    Action.VIEW_OFFICE: {LEAD, MANAGER, ADMIN},
    Action.VIEW_DATA: {ANALYST, MANAGER, ADMIN},
    Action.INGEST: {ANALYST, MANAGER},
    Action.TRAIN: {ANALYST, MANAGER},
    Action.VIEW_MODELS: {ANALYST, MANAGER, ADMIN},
    Action.PROMOTE: {MANAGER},
    Action.REJECT: {MANAGER},
    Action.WATCH: {ANALYST, MANAGER, ADMIN},
    Action.ACT_ON_ALERTS: {MANAGER},
    Action.MANAGE_PILOT: {MANAGER, ADMIN},
    Action.MANAGE_KEYS: {ADMIN},
    Action.OPERATE: {MANAGER, ADMIN},
}


def test_the_matrix_names_every_action() -> None:
    assert set(MATRIX) == set(Action)
    assert set(ALLOWED) == set(Role)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", list(Action))
def test_each_role_may_do_what_the_matrix_says_and_nothing_else(role: Role, action: Action) -> None:
    actor = Actor("Kim", role, "North")
    allowed = role in MATRIX[action]
    assert may(actor, action) == allowed
    if allowed:
        require(actor, action)
    else:
        with pytest.raises(AccessDenied, match=rf"Kim \({role}\) may not {action}; these roles may: .*(manager|admin)"):
            require(actor, action)


def test_a_role_nobody_defined_may_do_nothing() -> None:
    stranger = Actor("Sam", "visitor")  # type: ignore[arg-type]
    assert not any(may(stranger, action) for action in Action)
    with pytest.raises(AccessDenied, match="Sam"):
        require(stranger, Action.PRICE)


def test_the_least_role_is_the_first_from_agent_to_admin_that_may_do_it() -> None:
    assert least_role(Action.PRICE) is Role.AGENT
    assert least_role(Action.VIEW_OFFICE) is Role.OFFICE_LEAD
    assert least_role(Action.INGEST, Action.TRAIN) is Role.ANALYST
    assert least_role(Action.PROMOTE) is least_role(Action.MANAGE_PILOT) is least_role(Action.OPERATE) is Role.MANAGER
    assert least_role(Action.MANAGE_KEYS) is Role.ADMIN
    with pytest.raises(ValueError, match="No role may promote or roll back a model and create and revoke API keys"):
        least_role(Action.PROMOTE, Action.MANAGE_KEYS)


def test_an_actor_without_an_id_has_that_of_the_user_of_this_computer() -> None:
    assert Actor("Kim", Role.AGENT).actor_id == "local:Kim"
    assert Actor("Kim", Role.AGENT, actor_id="oidc:1") != Actor("Kim", Role.AGENT, actor_id="oidc:2")


def test_a_scope_narrows_what_the_role_allows_and_adds_nothing() -> None:
    feed = Actor("feed", Role.AGENT, "North", frozenset({Action.PRICE, Action.TRAIN}))
    assert [action for action in Action if may(feed, action)] == [Action.PRICE]
    with pytest.raises(AccessDenied, match="its key does not cover that"):
        require(feed, Action.DECIDE)


def test_an_office_sees_its_own_work_and_who_has_no_office_sees_all() -> None:
    require_office(Actor("Kim", Role.AGENT, "North"), "North", "Estimate 1")
    require_office(Actor("Kim", Role.AGENT), "North", "Estimate 1")
    require_office(Actor("Kim", Role.AGENT, " north-side "), "Northside", "Estimate 1")
    for mine, other in (("★", ""), ("★", "☆"), ("North", "North 2")):
        with pytest.raises(AccessDenied, match="belongs to another office"):
            require_office(Actor("Kim", Role.AGENT, mine), other, "Estimate 1")
    for other in ("South", ""):
        with pytest.raises(AccessDenied, match="belongs to another office"):
            require_office(Actor("Kim", Role.AGENT, "North"), other, "Estimate 1")
