"""Profiles of agents and offices: who may edit which, what is kept, and what sellers are shown."""

from __future__ import annotations

import pytest

from core.access import Actor, Role
from core.errors import AccessDenied, InvalidRecord, ReasonNeeded
from core.states import Group, ProfileKind
from core.store import Store
from core.store.operations.rollouts import OfficePlan
from core.workflows.pilot.rollout import add_offices
from core.workflows.profiles import profiles
from core.workflows.profiles.profiles import AgentProfile, OfficeProfile
from core.workflows.profiles.seller_figures import FiguresChoice, choose_figures, figures_choice, what_it_means
from tests.acting import acting
from tests.serve.report.report_samples import picture

ANA = Actor("ana", Role.AGENT, "North", actor_id="oidc:ana")
BEN = Actor("ben", Role.AGENT, "South", actor_id="oidc:ben")
LEAD = Actor("lea", Role.OFFICE_LEAD, "north ", actor_id="oidc:lea")
MANAGER = Actor("max", Role.MANAGER, actor_id="oidc:max")
ADMIN = Actor("ada", Role.ADMIN, actor_id="oidc:ada")
ANALYST = Actor("noa", Role.ANALYST, actor_id="oidc:noa")
EVERYBODY = (ANA, BEN, LEAD, MANAGER, ADMIN, ANALYST)
NORTH = OfficeProfile("North Realty, Inc.", "1 Main St.", "555-0100")


@pytest.mark.parametrize("actor", EVERYBODY, ids=lambda one: one.name)
def test_everybody_edits_their_own_profile_and_managers_and_admins_those_of_others(store: Store, actor: Actor) -> None:
    profiles.save_agent(acting(store, actor), AgentProfile("Kim", phone="555-0100"))
    assert profiles.own_profile(acting(store, actor)).name == "Kim"
    other = BEN if actor is ANA else ANA
    if actor in (MANAGER, ADMIN):
        profiles.save_agent(acting(store, actor), AgentProfile("Other"), actor_id=other.actor_id)
        assert profiles.agents(acting(store, actor))[other.actor_id].name == "Other"
        return
    for deed in (
        lambda: profiles.save_agent(acting(store, actor), AgentProfile("Other"), actor_id=other.actor_id),
        lambda: profiles.agent_profile(acting(store, actor), other.actor_id),
        lambda: profiles.history(acting(store, actor), ProfileKind.PERSON, other.actor_id),
        lambda: profiles.restore(acting(store, actor), ProfileKind.PERSON, other.actor_id, 0),
        lambda: profiles.agents(acting(store, actor)),
    ):
        with pytest.raises(AccessDenied):
            deed()


@pytest.mark.parametrize("actor", EVERYBODY, ids=lambda one: one.name)
@pytest.mark.parametrize("office", ["North", "South"])
def test_an_offices_lead_managers_and_admins_edit_its_profile(store: Store, actor: Actor, office: str) -> None:
    able = actor in (MANAGER, ADMIN) or (actor is LEAD and office == "North")
    assert profiles.may_edit_office(acting(store, actor), office) == able
    if able:
        profiles.save_office(acting(store, actor), office, NORTH)
        assert profiles.office_profile(acting(store, actor), office) == NORTH
        return
    for deed in (
        lambda: profiles.save_office(acting(store, actor), office, NORTH),
        lambda: profiles.restore(acting(store, actor), ProfileKind.OFFICE, office, 0),
    ):
        with pytest.raises(AccessDenied):
            deed()


@pytest.mark.parametrize("actor", EVERYBODY, ids=lambda one: one.name)
def test_only_managers_and_admins_choose_what_sellers_are_shown_and_nothing_is_by_default(
    store: Store, actor: Actor
) -> None:
    assert not figures_choice(acting(store, actor)).shown
    if actor not in (MANAGER, ADMIN):
        with pytest.raises(AccessDenied):
            choose_figures(acting(store, actor), True, "why it is so")
        return
    with pytest.raises(ReasonNeeded, match="at least 10 characters"):
        choose_figures(acting(store, actor), True, "ok")
    with pytest.raises(InvalidRecord, match="left out already"):
        choose_figures(acting(store, actor), False, "why it is so")
    assert "without these figures" in what_it_means(FiguresChoice())
    chosen = choose_figures(acting(store, actor), True, "Our lawyers agreed.")
    assert "without these figures" not in what_it_means(chosen)
    assert (chosen.shown, chosen.reason, chosen.actor) == (True, "Our lawyers agreed.", actor.name)
    [entry] = store.events.of("company", "seller_figures.changed")
    assert (entry.detail["shown"], entry.detail["reason"]) == ("yes", "Our lawyers agreed.")
    assert not choose_figures(acting(store, actor), False, "They changed their minds.").shown


def test_spellings_of_an_offices_name_share_its_profile(store: Store) -> None:
    profiles.save_office(acting(store, MANAGER), "North-Side  Realty", NORTH)
    for name in ("northside realty", "NORTH SIDE REALTY."):
        assert profiles.office_profile(acting(store, MANAGER), name) == NORTH
    assert profiles.office_profile(acting(store, MANAGER), "North").name == "North"
    assert profiles.office_profile(acting(store, MANAGER), "★").name == "★"
    assert profiles.offices(acting(store, MANAGER)) == [NORTH.name]
    # An office that has had estimates or is in a pilot can be chosen before it has a profile.
    market = store.markets.create("Larkhaven", "USD", "sqft", True, MANAGER)
    plans = [OfficePlan(name, Group.CONTROL, None) for name in ("Harbour", "NORTHSIDE REALTY")]
    add_offices(acting(store, MANAGER), market.market_id, plans, "They wait.")
    assert profiles.offices(acting(store, MANAGER)) == [NORTH.name, "Harbour"]


def test_without_login_the_profile_is_the_local_users_in_every_role_and_names_their_office(store: Store) -> None:
    agent, lead = (Actor("root", role) for role in (Role.AGENT, Role.OFFICE_LEAD))
    profiles.save_agent(acting(store, agent), AgentProfile("Ana", "Harbour"))
    assert profiles.own_profile(acting(store, lead)).name == "Ana"
    assert profiles.own_office(acting(store, lead)) == "Harbour"
    profiles.save_office(acting(store, lead), "harbour", OfficeProfile("Harbour Street Realty"))
    named, office = profiles.on_report(acting(store, agent))
    assert (named.name, office.name) == ("Ana", "Harbour Street Realty")


def test_with_login_the_office_is_what_the_sign_in_says(store: Store) -> None:
    profiles.save_agent(acting(store, ANA), AgentProfile("Ana", "South"))
    assert profiles.own_profile(acting(store, ANA)).office == "North"
    assert profiles.on_report(acting(store, ANA))[1].name == "North"


def test_who_has_no_profile_is_not_named_on_a_report(store: Store) -> None:
    assert profiles.on_report(acting(store, Actor("root", Role.AGENT))) == (AgentProfile(), OfficeProfile())


def test_texts_are_kept_on_one_line_and_within_their_limits(store: Store) -> None:
    kept = profiles.save_agent(acting(store, ANA), AgentProfile("  Ana\n\x00 \u202eLindqvist "))
    assert kept.name == "Ana Lindqvist"
    with pytest.raises(InvalidRecord, match="The license number has 41 characters; the limit is 40"):
        profiles.save_agent(acting(store, ANA), AgentProfile(license_number="1" * 41))


def test_a_photo_is_kept_replaced_and_taken_away_and_a_bad_one_changes_nothing(store: Store) -> None:
    workspace = acting(store, ANA)
    first = profiles.save_agent(workspace, AgentProfile("Ana"), picture(300, 300))
    content = profiles.picture(workspace, first.photo)
    assert content is not None
    assert content.startswith(b"\xff\xd8")
    with pytest.raises(InvalidRecord):
        profiles.save_agent(workspace, AgentProfile("Bea"), b"no picture")
    assert profiles.own_profile(workspace).name == "Ana"
    with pytest.raises(InvalidRecord, match="Upload it again"):
        profiles.save_agent(workspace, AgentProfile("Ana", photo="0" * 64))
    assert profiles.save_agent(workspace, AgentProfile("Ana")).photo == ""
    assert profiles.picture(workspace, "") is None


def test_the_audit_trail_names_the_fields_that_changed_and_not_what_is_in_them(store: Store) -> None:
    workspace = acting(store, ANA)
    profiles.save_agent(workspace, AgentProfile("Ana", phone="555-0142"))
    profiles.save_agent(workspace, AgentProfile("Ana", phone="555-0142"))
    first = profiles.history(workspace, ProfileKind.PERSON, ANA.actor_id)[-1]
    profiles.restore(workspace, ProfileKind.PERSON, ANA.actor_id, 0)
    trail = [(one.action, str(one.detail["fields"])) for one in reversed(store.events.list())]
    assert trail[0][0] == "profile.changed"
    assert "name" in trail[0][1]
    assert "phone" in trail[0][1]
    assert trail[1][0] == "profile.restored"
    assert len(trail) == 2, "the same profile again is no change"
    assert "555-0142" not in str(store.events.list())
    assert first.actor == "ana"


def test_an_empty_profile_that_nobody_gave_before_is_nothing_to_save(store: Store) -> None:
    workspace = acting(store, MANAGER)
    with pytest.raises(InvalidRecord, match="there is nothing to save"):
        profiles.save_office(workspace, "Harbour", OfficeProfile())
    assert profiles.history(workspace, ProfileKind.OFFICE, "Harbour") == []
    # One that was given can be emptied.
    profiles.save_office(workspace, "Harbour", OfficeProfile("Harbour Realty"))
    assert profiles.save_office(workspace, "Harbour", OfficeProfile()) == OfficeProfile()


@pytest.mark.parametrize("phone", ["not a phone", "555", "1-2-3-4 ext"])
def test_a_phone_without_the_digits_of_one_is_refused_and_nothing_is_saved(store: Store, phone: str) -> None:
    workspace = acting(store, ANA)
    save = profiles.save_agent
    save(workspace, AgentProfile("Ana", phone="+49 (0)30 555-0142"))
    with pytest.raises(InvalidRecord, match=f"The phone “{phone}” has . digits?; .* at least 5. Enter the whole"):
        save(workspace, AgentProfile("Ana", phone=phone))
    assert profiles.own_profile(workspace).phone == "+49 (0)30 555-0142"
    assert save(workspace, AgentProfile("Ana", phone=" ")).phone == ""
