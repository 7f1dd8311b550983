"""States and audited deeds stand once, as the database of earlier releases holds them."""

from __future__ import annotations

import re
from pathlib import Path

from core.states import AlertState, AuditAction, Family, JobState, Stage
from core.store import Market, NewModel, Store
from tests.store.samples import ANALYST, MANAGER, commit

ROOT = Path(__file__).resolve().parent.parent


def test_stored_values_stay_what_earlier_releases_wrote() -> None:
    assert [*map(str, AlertState)] == ["open", "acknowledged", "resolved"]
    assert [*map(str, JobState)] == ["waiting", "running", "done", "failed", "cancelled"]
    assert [*map(str, Stage)] == ["candidate", "challenger", "champion", "retired", "rejected"]
    families = ["linear baseline", "decision tree", "random forest", "gradient boosting", "blended boosting"]
    assert [*map(str, Family)] == families


def test_what_is_read_from_the_store_bears_its_state_and_not_a_mere_word(store: Store) -> None:
    market: Market = store.markets.create("Springfield", "USD", "sqft", False, MANAGER)
    alert = store.alerts.open(market.market_id, "slow", "", {"period": "2024-05"}, "Slow.", "Look.", ANALYST)
    assert store.alerts.get(alert.alert_id).state is AlertState.OPEN
    assert alert.is_open
    job = store.jobs.create("train", market.market_id, ANALYST)
    assert store.jobs.get(job.job_id).state is JobState.WAITING
    assert job.is_open
    version = commit(store, market.market_id)
    model = store.models.add(NewModel(market.market_id, version.version_id, b"bundle", {}), ANALYST)
    assert (model.stage, model.is_live) == (Stage.CANDIDATE, False)
    assert store.models.promote(model.model_id, MANAGER, "the first").is_live


def test_no_module_names_an_audited_deed_by_a_word_of_its_own() -> None:
    known = {action.value for action in AuditAction}
    found = [
        (path.name, word)
        for path in [*ROOT.glob("core/**/*.py"), *ROOT.glob("pages/**/*.py")]
        if path.name != "states.py" and "migrations" not in path.parts
        for word in re.findall(r'"([a-z]+\.[a-z_]+)"', path.read_text(encoding="utf-8"))
        if word in known
    ]
    assert found == []
