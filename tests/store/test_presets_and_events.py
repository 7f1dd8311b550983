from __future__ import annotations

import pytest

from core.errors import AlreadyExists, InvalidRecord, NotFound
from core.store import Store
from tests.store.samples import ANALYST, MANAGER


def test_presets_are_saved_replaced_and_loaded(store: Store) -> None:
    store.presets.save(" County MLS ", '{"a": 1}', ANALYST)
    store.presets.save("County MLS", '{"a": 1}', MANAGER)
    with pytest.raises(AlreadyExists, match="County MLS"):
        store.presets.save("County MLS", '{"a": 2}', ANALYST)
    assert store.presets.load("County MLS") == '{"a": 1}'
    store.presets.replace("County MLS", '{"a": 2}', ANALYST)
    assert store.presets.load("County MLS") == '{"a": 2}'
    store.presets.save("A", "{}", ANALYST)
    assert store.presets.list() == ["A", "County MLS"]
    assert [event.action for event in store.events.list()] == ["preset.saved", "preset.replaced", "preset.saved"]


def test_presets_that_cannot_be_are_refused(store: Store) -> None:
    for name in ("", "  ", "x" * 81):
        with pytest.raises(InvalidRecord, match="characters"):
            store.presets.save(name, "{}", ANALYST)
    with pytest.raises(NotFound, match="never"):
        store.presets.load("never")
    with pytest.raises(NotFound, match="never"):
        store.presets.replace("never", "{}", ANALYST)
    assert store.presets.list() == []
    assert store.events.list() == []


def test_events_are_listed_newest_first_by_market(store: Store) -> None:
    for number, market_id in enumerate(["a", "b", None, "a"]):
        store.events.record(ANALYST, "test.done", market_id, str(number), {"number": number})
    assert [event.subject for event in store.events.list()] == ["3", "2", "1", "0"]
    assert [event.subject for event in store.events.list("a")] == ["3", "0"]
    [event] = store.events.list("a", limit=1)
    assert (event.actor, event.role, event.detail) == ("Ana Lyst", "analyst", {"number": 3})
    assert event.at.utcoffset() is not None


def test_events_of_a_subject_are_those_of_one_action_newest_first(store: Store) -> None:
    for subject, action, number in (("a", "done", 1), ("b", "done", 2), ("a", "undone", 3), ("a", "done", 4)):
        store.events.record(ANALYST, action, None, subject, {"number": number})
    assert [event.detail["number"] for event in store.events.of("a", "done")] == [4, 1]
    assert store.events.of("c", "done") == []


def test_events_are_counted_by_market_and_action(store: Store) -> None:
    for market_id, action in (("a", "done"), ("b", "done"), ("a", "undone"), (None, "done"), ("a", "done")):
        store.events.record(ANALYST, action, market_id, "subject", {})
    assert store.events.count("a", "done") == 2
    assert store.events.count("c", "done") == 0
