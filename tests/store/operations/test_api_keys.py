"""API keys and repeatable answers, as the store keeps them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.access import Action, Role
from core.errors import InvalidRecord, NotFound
from core.store import Store
from core.store.base.api_tables import API_KEY, REPEATABLE
from core.store.base.tables import now
from tests.store.conftest import Address
from tests.store.samples import MANAGER


def test_a_key_is_found_by_the_text_shown_once_and_by_nothing_else(store: Store, address: Address) -> None:
    key, text = store.api_keys.create("MLS feed", Role.AGENT, "North", [Action.PRICE], MANAGER)
    found = store.api_keys.find(text)
    assert found == key
    actor = found.actor
    assert (actor.name, actor.office, actor.scope) == ("MLS feed", "North", frozenset({Action.PRICE}))
    for wrong in ("", "dsk", text[:-1], text + "x", text.replace(key.key_id, "00000000"), "ä" + text, "x" * 5_000):
        assert store.api_keys.find(wrong) is None
    with address.engine().connect() as connection:
        stored = str(connection.execute(sa.select(API_KEY)).mappings().one())
    assert text.split("_", 2)[2] not in stored


def test_a_revoked_key_is_listed_but_opens_nothing(store: Store) -> None:
    key, text = store.api_keys.create("MLS feed", Role.AGENT, "", [Action.PRICE], MANAGER)
    revoked = store.api_keys.revoke(key.key_id, MANAGER)
    assert store.api_keys.find(text) is None
    assert store.api_keys.revoke(key.key_id, MANAGER) == revoked
    assert [(one.key_id, one.revoked_by) for one in store.api_keys.list()] == [(key.key_id, MANAGER.name)]
    assert [event.action for event in store.events.list()] == ["key.revoked", "key.created"]
    with pytest.raises(NotFound, match="list the keys"):
        store.api_keys.revoke("nothing", MANAGER)


def test_the_last_use_is_noted_at_most_once_a_minute(store: Store, address: Address) -> None:
    key, text = store.api_keys.create("MLS feed", Role.AGENT, "", [Action.PRICE], MANAGER)
    assert key.last_used_at is None
    store.api_keys.note_use(key)
    used = store.api_keys.find(text)
    assert used is not None
    assert used.last_used_at is not None
    store.api_keys.note_use(used)
    assert store.api_keys.find(text) == used
    earlier = used.last_used_at - timedelta(minutes=2)
    with address.engine().begin() as connection:
        connection.execute(API_KEY.update().values(last_used_at=earlier))
    again = store.api_keys.find(text)
    assert again is not None
    store.api_keys.note_use(again)
    [listed] = store.api_keys.list()
    assert listed.last_used_at is not None
    assert listed.last_used_at > earlier


@pytest.mark.parametrize(("name", "office", "actions"), [("", "", [Action.PRICE]), ("x" * 81, "", [Action.PRICE])])
def test_a_key_without_a_fit_name_is_refused(store: Store, name: str, office: str, actions: list[Action]) -> None:
    with pytest.raises(InvalidRecord):
        store.api_keys.create(name, Role.AGENT, office, actions, MANAGER)


def test_a_key_that_allows_nothing_is_refused(store: Store) -> None:
    with pytest.raises(InvalidRecord, match="allow nothing"):
        store.api_keys.create("idle", Role.AGENT, "", [], MANAGER)


def test_a_request_repeated_under_its_key_meets_its_own_answer(store: Store) -> None:
    answers = store.repeatable
    assert answers.claim("feed", "k1", "aa").state == "new"
    assert answers.claim("feed", "k1", "aa").state == "busy"
    assert answers.claim("feed", "k1", "bb").state == "clash"
    assert answers.claim("other", "k1", "bb").state == "new"
    answers.keep("feed", "k1", 201, b'{"a": 1}')
    done = answers.claim("feed", "k1", "aa")
    assert (done.state, done.status, done.body) == ("done", 201, b'{"a": 1}')


def test_a_request_that_failed_can_be_made_again(store: Store) -> None:
    store.repeatable.claim("feed", "k1", "aa")
    store.repeatable.let_go("feed", "k1")
    assert store.repeatable.claim("feed", "k1", "bb").state == "new"


def test_answers_are_forgotten_after_a_day_and_unfinished_requests_after_minutes(
    store: Store, address: Address
) -> None:
    answers = store.repeatable
    for key in ("done", "dead"):
        answers.claim("feed", key, "aa")
    answers.keep("feed", "done", 200, b"{}")
    with address.engine().begin() as connection:
        connection.execute(REPEATABLE.update().values(at=now() - timedelta(minutes=5)))
    assert answers.claim("feed", "dead", "bb").state == "new"
    assert answers.claim("feed", "done", "aa").state == "done"
    with address.engine().begin() as connection:
        connection.execute(REPEATABLE.update().values(at=now() - timedelta(hours=25)))
    assert answers.claim("feed", "done", "bb").state == "new"
