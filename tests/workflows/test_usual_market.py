"""Which market opens where nobody names one."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.store import NewModel, open_store
from core.workflows.data.versions import undo_version
from core.workflows.usual_market import usual_market
from tests.acting import acting
from tests.store.samples import AGENT, ANALYST, MANAGER, commit, estimate


def test_a_bare_link_opens_a_market_that_can_price_the_one_used_last(small_home: Path, tmp_path: Path) -> None:
    with open_store(shutil.copytree(small_home, tmp_path / "home")) as store:
        [priced] = store.markets.list()
        store.markets.create("A new one", "USD", "sqft", False, ANALYST)
        assert usual_market(acting(store), store.markets.list()) == priced.market_id
        again = store.markets.create("An older one", "USD", "sqft", False, ANALYST)
        version = commit(store, again.market_id)
        model = store.models.add(NewModel(again.market_id, version.version_id, b"model", {}), MANAGER)
        store.models.promote(model.model_id, MANAGER, "first")
        work, markets = acting(store, AGENT), store.markets.list()
        assert usual_market(work, markets) == again.market_id
        store.ledger.append(estimate(priced.market_id), AGENT)
        assert usual_market(work, markets) == priced.market_id
        undo_version(acting(store, MANAGER), version.version_id, "the wrong file")
        assert usual_market(acting(store, MANAGER), markets) == priced.market_id
