from __future__ import annotations

import math
import threading
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import InvalidRecord, NotFound, StoreUnavailable
from core.store import LevelRecord, Market, NewLevel, NewModel, Store
from core.store.models.levels import Levels
from tests.store.samples import ANALYST, MANAGER, commit


@pytest.fixture
def level(store: Store, market: Market) -> NewLevel:
    version = commit(store, market.market_id)
    model = store.models.add(NewModel(market.market_id, version.version_id, b"bundle", {}), ANALYST)
    return NewLevel(market.market_id, model.model_id, version.version_id, date(2024, 6, 30), {"level": 0.01})


def test_a_level_is_kept_under_a_name_made_of_its_content(store: Store, level: NewLevel) -> None:
    new = replace(level, document={"level": np.float64(-0.02), "segments": {"condo": [1, math.nan]}})
    made = store.levels.add(new, ANALYST)
    assert store.levels.get(made.level_id) == made
    assert (made.market_id, made.model_id, made.version_id) == (level.market_id, level.model_id, level.version_id)
    assert (made.as_of, made.created_by) == (date(2024, 6, 30), "Ana Lyst")
    assert made.document == {"level": -0.02, "segments": {"condo": [1, None]}}
    assert len(made.level_id) == 12
    event = store.events.list(level.market_id)[0]
    assert (event.action, event.subject) == ("level.added", made.level_id)
    assert event.detail == {"model_id": level.model_id, "version_id": level.version_id, "as_of": "2024-06-30"}


def test_the_same_level_again_is_the_same_record(store: Store, level: NewLevel) -> None:
    first = store.levels.add(replace(level, document={"a": 1.5, "b": math.nan}), ANALYST)
    same = replace(level, as_of=pd.Timestamp("2024-06-30"), document={"b": None, "a": np.float64(1.5)})
    assert store.levels.add(same, MANAGER) == first
    assert [event.action for event in store.events.list()].count("level.added") == 1


@pytest.mark.parametrize("changes", [{"as_of": date(2024, 7, 1)}, {"document": {"level": 0.02}}, {"document": {}}])
def test_another_content_is_another_level(store: Store, level: NewLevel, changes: dict[str, Any]) -> None:
    first, second = store.levels.add(level, ANALYST), store.levels.add(replace(level, **changes), ANALYST)
    assert first.level_id != second.level_id
    assert store.levels.get(first.level_id) == first


def test_the_latest_level_is_that_of_the_latest_day(store: Store, level: NewLevel) -> None:
    assert store.levels.latest(level.market_id, level.model_id) is None
    june = store.levels.add(level, ANALYST)
    july = store.levels.add(replace(level, as_of=date(2024, 7, 31)), ANALYST)
    store.levels.add(replace(level, as_of=date(2024, 5, 31)), ANALYST)
    assert store.levels.latest(level.market_id, level.model_id) == july
    better = store.levels.add(replace(level, as_of=date(2024, 7, 31), document={"level": 0.5}), ANALYST)
    assert store.levels.latest(level.market_id, level.model_id) == better
    assert store.levels.latest(level.market_id, "another") is None
    assert store.levels.get(june.level_id) == june


def test_threads_that_add_the_same_level_get_one_record(store: Store, level: NewLevel) -> None:
    made: list[LevelRecord] = []
    threads = [threading.Thread(target=lambda: made.append(store.levels.add(level, ANALYST))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 6
    assert {record.level_id for record in made} == {store.levels.get(made[0].level_id).level_id}
    assert [event.action for event in store.events.list()].count("level.added") == 1


def test_levels_of_what_is_not_there_are_refused(store: Store, level: NewLevel) -> None:
    other = store.markets.create("Other", "USD", "sqft", False, ANALYST)
    foreign = commit(store, other.market_id, seed=9)
    for changes, error, named in (
        ({"market_id": "nowhere"}, NotFound, "nowhere"),
        ({"model_id": "never"}, NotFound, "model 'never'"),
        ({"version_id": "never"}, NotFound, "data version 'never'"),
        ({"market_id": other.market_id}, InvalidRecord, "belongs to market"),
        ({"version_id": foreign.version_id}, InvalidRecord, "belongs to market"),
        ({"as_of": "2024-06-30"}, InvalidRecord, "not a date"),
        ({"document": {"level": math.inf}}, InvalidRecord, r"document\.level is inf"),
    ):
        with pytest.raises(error, match=named):
            store.levels.add(replace(level, **changes), ANALYST)
    assert store.levels.latest(level.market_id, level.model_id) is None
    with pytest.raises(NotFound, match="'never'"):
        store.levels.get("never")
    with pytest.raises(NotFound, match="nowhere"):
        store.levels.latest("nowhere", level.model_id)


def test_levels_offer_no_way_to_change_or_remove() -> None:
    assert {name for name in vars(Levels) if not name.startswith("_")} == {"add", "get", "latest"}


def test_a_level_that_is_stored_is_found_without_the_right_to_write(
    store: Store, level: NewLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store.levels.add(level, ANALYST)

    def locked(*_: object) -> None:
        raise StoreUnavailable("The database is locked.")

    monkeypatch.setattr("core.store.base.database.Database.write", locked)
    assert store.levels.add(level, ANALYST) == made
    with pytest.raises(StoreUnavailable):
        store.levels.add(replace(level, document={"other": 1}), ANALYST)
