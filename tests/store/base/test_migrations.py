from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from core.states import Period
from core.store import NewDecision, open_store
from core.store.base.migrate import MIGRATIONS
from core.store.ledger.figures import Slice
from tests.store.conftest import Address
from tests.store.samples import AGENT, estimate

FIRST_ROWS = (
    """insert into market (market_id, name, currency, area_unit, simulated, latest_version_id, champion_model_id,
       created_at, created_by) values ('m', 'M', 'USD', 'sqft', :no, 'v', 'x', :at, 'Ana')""",
    """insert into data_version (version_id, market_id, sha256, ledger_sha256, rows, rows_seen, note, created_at,
       created_by) values ('v', 'm', 'a', 'b', 3, 4, '', :at, 'Ana')""",
    """insert into model (model_id, market_id, version_id, sha256, stage, card, size_bytes, created_at, created_by)
       values ('x', 'm', 'v', 'c', 'champion', '{"mape": 0.08}', 6, :at, 'Ana')""",
    """insert into event (at, actor, role, action, market_id, subject, detail)
       values (:at, 'Ana', 'analyst', 'test.done', 'm', 's', '{}')""",
)


@pytest.fixture
def first_release(address: Address) -> Address:
    """A store as the first release left it, with a market, its sales and its champion."""
    address.home.mkdir()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = address.engine()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert not sa.inspect(connection).has_table("estimate")
        for statement in FIRST_ROWS:
            connection.execute(sa.text(statement), {"at": "2024-01-01 00:00:00.000000", "no": False})
    engine.dispose()
    return address


def test_a_store_of_the_first_release_keeps_its_data_and_gains_the_ledger(first_release: Address) -> None:
    with open_store(first_release.home, first_release.url) as store:
        assert store.markets.get("m").name == "M"
        assert store.models.champion("m") == store.models.get("x")
        assert store.models.get("x").card == {"mape": 0.08}
        assert [event.subject for event in store.events.list("m")] == ["s"]
        assert store.ledger.count("m") == 0
        made = store.ledger.append(estimate("m", model_id="x"), AGENT)
        store.ledger.decide(NewDecision(made.estimate_id, "accept", 250_000.0), AGENT)
    with open_store(first_release.home, first_release.url) as again:
        assert again.ledger.get(made.estimate_id) == made
        assert [event.action for event in again.events.list("m")] == ["decision.made", "test.done"]


def test_a_ledger_of_an_earlier_release_gains_what_monitoring_counts_by(first_release: Address) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = first_release.engine()
    insert = """insert into estimate (estimate_id, at, actor, role, office, market_id, as_of, channel, status, reason,
        property_key, facts, answer, flags, latency_ms, currency) values (:id, :at, 'Kim', 'agent', 'North', 'm',
        '2024-01-01', 'page', 'refused', 'why', '', '{}', '{}', :flags, :latency, 'USD')"""
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for number, (at, flags, latency) in enumerate(
            [("2024-01-31 23:30", "[]", 0.0), ("2024-02-01 00:30", '["x"]', 50)]
        ):
            values = {"id": f"{number:016x}", "at": f"{at}:00.000000+00:00", "flags": flags, "latency": latency}
            values["at"] = values["at"] if connection.dialect.name == "postgresql" else f"{at}:00.000000"
            connection.execute(sa.text(insert), values)
    engine.dispose()
    with open_store(first_release.home, first_release.url) as store:
        periods = store.figures.traffic("m", Slice(), Period.MONTH).periods
        assert [(start.month, n) for start, n in zip(periods["start"], periods["n"], strict=True)] == [(1, 1), (2, 1)]
        assert periods["latency_p50_ms"].tolist() == [0.0, pytest.approx(50, rel=0.026)]
    engine = first_release.engine()
    with engine.connect() as connection:
        flagged = connection.scalars(sa.text("select flagged from estimate order by seq")).all()
    engine.dispose()
    assert [bool(one) for one in flagged] == [False, True]
