"""Drafts of an intake: one for each person, there again after a restart, and their uploads safe from the sweep."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.access import Actor, Role
from core.errors import InvalidRecord
from core.store import Store, open_store
from tests.store.conftest import Address
from tests.store.samples import ANALYST, MANAGER


def test_a_draft_is_there_again_after_a_restart(address: Address) -> None:
    document = {"uploads": ["a" * 32], "step": "map", "files": [{"mapping": '{"source": "sales"}'}]}
    with open_store(address.home, address.url) as store:
        store.drafts.keep(ANALYST, document)
    with open_store(address.home, address.url) as store:
        assert store.drafts.load(ANALYST) == document


def test_each_person_has_one_draft_whatever_the_role(store: Store) -> None:
    store.drafts.keep(ANALYST, {"step": "map"})
    store.drafts.keep(MANAGER, {"step": "check"})
    store.drafts.keep(ANALYST, {"step": "commit"})
    assert store.drafts.load(Actor(ANALYST.name, Role.MANAGER)) == {"step": "commit"}
    assert store.drafts.load(MANAGER) == {"step": "check"}
    store.drafts.discard(ANALYST)
    store.drafts.discard(ANALYST)
    assert store.drafts.load(ANALYST) is None
    assert store.drafts.load(MANAGER) == {"step": "check"}


def test_two_people_of_one_name_keep_drafts_of_their_own(store: Store) -> None:
    one, other = (Actor("Kim Lee", Role.ANALYST, actor_id=f"oidc:{number}") for number in "12")
    store.drafts.keep(one, {"step": "map"})
    assert store.drafts.load(other) is None
    assert store.drafts.load(Actor("Kim Lee-Fox", Role.ANALYST, actor_id="oidc:1")) == {"step": "map"}


def test_a_draft_that_json_cannot_hold_leaves_the_one_there(store: Store) -> None:
    store.drafts.keep(ANALYST, {"step": "map"})
    with pytest.raises(InvalidRecord):
        store.drafts.keep(ANALYST, {"step": float("inf")})
    assert store.drafts.load(ANALYST) == {"step": "map"}


def test_uploads_of_a_draft_are_not_swept_until_the_draft_is_forgotten(store: Store) -> None:
    kept, left = (store.uploads.save(name, b"a,b\n1,2\n", 100) for name in ("kept.csv", "left.csv"))
    store.drafts.keep(ANALYST, {"uploads": [kept.upload_id]})
    assert store.drafts.uploads() == {kept.upload_id}
    assert store.uploads.sweep(timedelta(0), store.drafts.uploads()) == 1
    assert store.uploads.get(kept.upload_id).path.read_bytes() == b"a,b\n1,2\n"
    assert not left.path.exists()
    assert store.drafts.forget(timedelta(days=14)) == 0
    assert store.drafts.forget(timedelta(0)) == 1
    assert store.uploads.sweep(timedelta(0), store.drafts.uploads()) == 1
