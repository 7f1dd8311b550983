"""Login: whose word counts for a role, when a sign-in ends, and that anything unclear keeps somebody out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access import Actor, Role
from core.errors import AccessDenied, SignInEnded, StoreUnavailable, WrongUsage
from core.store import Store, open_store
from core.store.operations.sign_ins import SignIns
from core.workflows.login.identity import actor_of
from core.workflows.login.people import People
from core.workflows.login.sessions import TRUSTED_FOR, Sessions, sign_in_id_of
from core.workflows.login.settings import LoginSettings, check_provider, providers, read_login_settings

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
KIM = {"iss": "https://id.example", "sub": "kim", "name": "Kim Lee", "email": "Kim@Example.com", "iat": NOW.timestamp()}
BY_CLAIM: dict[str, Any] = {"role_claim": "roles", "office_claim": "office", "contact": "Ada"}
NOBODY = People(None)
AUTH = {
    "redirect_uri": "https://prices.example/oauth2callback",
    "cookie_secret": "c" * 32,
    "client_id": "doorstep",
    "client_secret": "s",
    "server_metadata_url": "https://id.example/.well-known/openid-configuration",
}


def settings(environment: dict[str, str] | None = None, **table: Any) -> LoginSettings:
    return read_login_settings(table or BY_CLAIM, environment or {})


def listed(folder: Path, text: str) -> People:
    path = folder / "people.toml"
    path.write_text(text, encoding="utf-8")
    return People(path)


@pytest.mark.parametrize(
    ("claim", "role"),
    [
        ("manager", Role.MANAGER),
        ("Office Lead", Role.OFFICE_LEAD),
        (["staff", "agent"], Role.AGENT),
        (["analyst", "agent"], Role.ANALYST),
        (["admin", "manager"], Role.ADMIN),
    ],
)
def test_a_claim_names_the_role_in_any_case_and_the_last_of_several_counts(claim: object, role: Role) -> None:
    assert actor_of(KIM | {"roles": claim, "office": "North"}, settings(), NOBODY).role is role


@given(claim=st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text() | st.none()))
def test_any_other_claim_gives_no_role(claim: object) -> None:
    words = {one.strip().casefold() for one in (claim if isinstance(claim, list) else [claim]) if isinstance(one, str)}
    if not words & {role.value for role in Role}:
        with pytest.raises(AccessDenied, match="Kim Lee is signed in but has no role in Doorstep; ask Ada for one"):
            actor_of(KIM | {"roles": claim}, settings(), NOBODY)


def test_groups_of_the_company_are_turned_into_roles_and_then_the_roles_own_names_mean_nothing() -> None:
    known = settings(**BY_CLAIM, roles={"Sales-Leads": "Manager"})
    assert actor_of(KIM | {"roles": ["sales-leads"]}, known, NOBODY).role is Role.MANAGER
    with pytest.raises(AccessDenied):
        actor_of(KIM | {"roles": ["admin"]}, known, NOBODY)


def test_a_claim_inside_another_is_named_with_dots() -> None:
    known = settings(role_claim="realm_access.roles")
    assert actor_of(KIM | {"realm_access": {"roles": ["analyst"]}}, known, NOBODY).role is Role.ANALYST
    whole = settings(role_claim="https://prices.example/role")
    assert actor_of(KIM | {"https://prices.example/role": "admin"}, whole, NOBODY).role is Role.ADMIN


def test_an_agent_without_an_office_stays_out_and_whoever_works_for_all_offices_has_none() -> None:
    for office in ("", None, ["North", "South"], 7):
        with pytest.raises(AccessDenied, match="signed in as agent but belongs to no office; ask Ada"):
            actor_of(KIM | {"roles": "agent", "office": office}, settings(), NOBODY)
    assert actor_of(KIM | {"roles": "agent", "office": "North"}, settings(), NOBODY).office == "North"
    assert actor_of(KIM | {"roles": "manager", "office": "North"}, settings(), NOBODY).office == ""


def test_the_list_precedes_the_claims_and_a_change_of_it_counts_at_once(tmp_path: Path) -> None:
    people = listed(tmp_path, '"kim@example.com" = { role = "office lead", office = "Harbor" }')
    asked = KIM | {"roles": "admin", "office": "North"}
    actor = actor_of(asked, settings(), people)
    assert (actor.role, actor.office) == (Role.OFFICE_LEAD, "Harbor")
    assert actor_of(asked | {"email": "else@example.com"}, settings(), people).role is Role.ADMIN
    known = settings(people=str(tmp_path / "people.toml"))
    listed(tmp_path, '"other@example.com" = { role = "agent", office = "Harbor" }')
    with pytest.raises(AccessDenied, match="no role"):
        actor_of(asked, known, people)


def test_an_address_that_was_not_verified_finds_nobody_on_the_list(tmp_path: Path) -> None:
    people = listed(tmp_path, '"kim@example.com" = { role = "manager" }')
    known = settings(people=str(tmp_path / "people.toml"))
    assert actor_of(KIM | {"email_verified": True}, known, people).role is Role.MANAGER
    for word in (False, "false", None, 0):
        with pytest.raises(AccessDenied):
            actor_of(KIM | {"email_verified": word}, known, people)


@pytest.mark.parametrize(
    "text",
    ["not toml", '"kim@example.com" = "manager"', '"kim" = { role = "agent" }', '"k@x.com" = { role = "boss" }',
     '"k@x.com" = { rolle = "agent" }'],
)  # fmt: skip
def test_a_list_with_something_wrong_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(WrongUsage, match=r"people\.toml"):
        listed(tmp_path, text).check()
    with pytest.raises(WrongUsage, match="cannot be read"):
        People(tmp_path / "nowhere.toml").check()


def test_the_id_is_the_providers_and_outlives_a_new_name_and_address() -> None:
    known = settings()
    as_manager = KIM | {"roles": "manager"}
    one = actor_of(as_manager, known, NOBODY)
    assert (
        actor_of(as_manager | {"name": "Kim Fox", "email": "fox@example.com"}, known, NOBODY).actor_id == one.actor_id
    )
    for other in ({"sub": "kim2"}, {"iss": "https://elsewhere.example"}):
        assert actor_of(as_manager | other, known, NOBODY).actor_id != one.actor_id
    # Parts that run into each other are not the same person.
    assert actor_of(as_manager | {"iss": "https://id.examplek", "sub": "im"}, known, NOBODY).actor_id != one.actor_id
    for missing in ("iss", "sub"):
        with pytest.raises(AccessDenied, match="does not name who signed in"):
            actor_of({**as_manager, missing: ""}, known, NOBODY)


@pytest.mark.parametrize(
    ("table", "environment", "message"),
    [
        ({}, {}, "nobody could get a role"),
        ({"role_clam": "roles"}, {}, "role_clam in the secrets file is unknown"),
        ({"role_claim": 3}, {}, "role_claim = 3 must be text"),
        (BY_CLAIM | {"idle_minutes": 0}, {}, "idle_minutes = 0 is not a number above 0"),
        (BY_CLAIM, {"DOORSTEP_SESSION_HOURS": "eight"}, "session_hours = 'eight' is not a number above 0"),
        (BY_CLAIM, {"DOORSTEP_SESSION_HOURS": "nan"}, "session_hours"),
        (BY_CLAIM | {"roles": {"x": "boss"}}, {}, "'boss' is not a role; the roles are agent, office lead"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(
    table: dict[str, Any], environment: dict[str, str], message: str
) -> None:
    with pytest.raises(WrongUsage, match=message):
        read_login_settings(table, environment)


def test_the_environment_wins_over_the_file() -> None:
    known = read_login_settings(BY_CLAIM, {"DOORSTEP_ROLE_CLAIM": "groups", "DOORSTEP_IDLE_MINUTES": "15"})
    assert (known.role_claim, known.office_claim, known.idle) == ("groups", "office", timedelta(minutes=15))
    assert known.absolute == timedelta(hours=8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"redirect_uri": "https://prices.example/"}, "followed by /oauth2callback"),
        ({"redirect_uri": "http://prices.example/oauth2callback"}, "in the clear"),
        ({"redirect_uri": "http://localhost.example/oauth2callback"}, "in the clear"),
        ({"cookie_secret": "short"}, "at least 32 random characters"),
        ({"client_secret": ""}, r"\[auth\] client_secret is missing"),
        ({"client_id": "", "okta": {"client_id": "a"}}, r"\[auth\.okta\] client_secret is missing"),
    ],
)
def test_half_a_provider_is_refused(change: dict[str, Any], message: str) -> None:
    check_provider(AUTH)
    auth = {key: value for key, value in {**AUTH, **change}.items() if value != ""}
    with pytest.raises(WrongUsage, match=message):
        check_provider(auth)


def test_named_providers_are_offered_by_name() -> None:
    assert providers(AUTH) == [None]
    assert providers({"redirect_uri": "x", "okta": {"client_id": "a"}, "google": {"client_id": "b"}}) == [
        "okta",
        "google",
    ]


Enter = Callable[[datetime], None]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "home", f"sqlite:///{tmp_path / 'doorstep.sqlite'}") as store:
        yield store


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(settings())


@pytest.fixture
def enter(empty: Store, sessions: Sessions) -> Enter:
    actor = Actor("Kim Lee", Role.MANAGER, actor_id="oidc:kim")
    return lambda at: sessions.enter(empty, KIM, actor, at)


def test_a_sign_in_lasts_while_it_is_used_and_no_longer_than_the_whole(enter: Enter) -> None:
    for minutes in range(0, 8 * 60, 59):
        enter(NOW + timedelta(minutes=minutes))
    with pytest.raises(SignInEnded, match="more than 8 hours ago"):
        enter(NOW + timedelta(hours=8))


def test_an_hour_without_use_ends_a_sign_in_also_where_it_was_never_used(enter: Enter) -> None:
    with pytest.raises(SignInEnded, match="away for 60 minutes"):
        enter(NOW + timedelta(minutes=60))
    enter(NOW + timedelta(minutes=59))
    enter(NOW + timedelta(minutes=118))
    with pytest.raises(SignInEnded, match="away for 60 minutes"):
        enter(NOW + timedelta(minutes=178))


def test_looking_whether_it_lasts_is_no_use(enter: Enter, empty: Store, sessions: Sessions) -> None:
    actor = Actor("Kim Lee", Role.MANAGER)
    enter(NOW)
    assert sessions.lasts(empty, KIM, actor, NOW + timedelta(minutes=59))
    assert not sessions.lasts(empty, KIM, actor, NOW + timedelta(minutes=60))


def test_who_signs_out_is_out_on_every_server_and_it_is_in_the_audit_trail(
    enter: Enter, empty: Store, sessions: Sessions
) -> None:
    actor = Actor("Kim Lee", Role.MANAGER, actor_id="oidc:kim")
    enter(NOW)
    sessions.end(empty, KIM, actor, NOW)
    for server in (sessions, Sessions(settings())):
        with pytest.raises(SignInEnded, match="You signed out"):
            server.enter(empty, KIM, actor, NOW + timedelta(minutes=1))
    assert [(one.action, one.actor_id) for one in empty.events.list()] == [
        ("signed.out", "oidc:kim"),
        ("signed.in", "oidc:kim"),
    ]
    again = KIM | {"iat": (NOW + timedelta(minutes=2)).timestamp(), "nonce": "n"}
    sessions.enter(empty, again, actor, NOW + timedelta(minutes=2))


@pytest.mark.parametrize("issued", [None, "now", True])
def test_a_token_that_does_not_say_when_lets_nobody_in(empty: Store, sessions: Sessions, issued: object) -> None:
    with pytest.raises(AccessDenied, match="claim iat"):
        sessions.enter(empty, KIM | {"iat": issued}, Actor("Kim", Role.AGENT), NOW)


def test_while_the_database_is_away_a_known_sign_in_goes_on_and_an_unknown_one_waits(
    enter: Enter, empty: Store, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the database is away")

    enter(NOW)
    for name in ("find", "note_use"):
        monkeypatch.setattr(SignIns, name, away)
    enter(NOW + timedelta(minutes=50))
    enter(NOW + timedelta(minutes=100))
    with pytest.raises(SignInEnded):
        enter(NOW + timedelta(minutes=170))
    stranger = KIM | {"sub": "stranger"}
    assert sign_in_id_of(stranger) != sign_in_id_of(KIM)
    with pytest.raises(StoreUnavailable):
        sessions.enter(empty, stranger, Actor("Sam", Role.AGENT), NOW)


def test_what_the_database_said_counts_for_two_hours_and_no_longer(
    enter: Enter, empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the database is away")

    enter(NOW)
    with monkeypatch.context() as failing:
        for name in ("find", "note_use"):
            failing.setattr(SignIns, name, away)
        for minutes in (50, 100, 120):
            enter(NOW + timedelta(minutes=minutes))
        with pytest.raises(StoreUnavailable):
            enter(NOW + TRUSTED_FOR + timedelta(seconds=1))
    enter(NOW + TRUSTED_FOR + timedelta(seconds=2))
