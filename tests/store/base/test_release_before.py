"""The database of the release before, built from its own tables, is opened by this one with all it held."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from core.access import Actor, Role
from core.monitor.rules import AlertKind
from core.states import AlertState, Period, Stage
from core.store import NewDecision, Store, open_store
from core.store.base.audit import Wanted
from core.store.base.migrate import MIGRATIONS
from core.store.base.tables import METADATA, SCHEMA_REVISION
from core.store.ledger.figures import Slice
from core.store.operations.alerts import UNRESOLVED
from core.workflows.monitoring.alerts import acknowledge
from core.workflows.monitoring.ledger_export import export_ledger
from core.workflows.monitoring.limits import limits_of
from core.workflows.promotion import promote, rollback
from tests.acting import acting
from tests.store.conftest import Address
from tests.store.samples import AGENT, MANAGER, estimate

BEFORE = "0003"
AT = datetime(2024, 5, 31, 23, 30, tzinfo=UTC)
OLD, LIVE, NEXT = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"
VERSION = "dddddddddddd"
PRICED, REFUSED = "0" * 16, "1" * 16
OPEN, TAKEN, CLOSED = "2" * 16, "3" * 16, "4" * 16
BY = {"actor": "Kim", "role": "agent", "office": "North"}


def insert(connection: sa.Connection, table: str, **values: object) -> None:
    """Write a row in plain SQL, past the tables of this release; instants as each database keeps them."""
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    plain = {name: written(connection, value) for name, value in values.items()}
    connection.execute(sa.text(f"insert into {table} ({names}) values ({places})"), plain)


def written(connection: sa.Connection, value: object) -> object:
    if isinstance(value, datetime) and connection.dialect.name == "sqlite":
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def fill(connection: sa.Connection) -> None:
    """A market in use: sales, three models, two estimates, a sale, a shadow, three alerts, two limits, the trail."""
    created = {"created_at": AT, "created_by": "Ana"}
    insert(
        connection,
        "market",
        **{"market_id": "m", "name": "M", "currency": "USD", "area_unit": "sqft", "simulated": False},
        **{"latest_version_id": VERSION, "champion_model_id": LIVE, **created},
    )
    insert(
        connection,
        "data_version",
        **{"version_id": VERSION, "market_id": "m", "sha256": "a" * 64, "ledger_sha256": "b" * 64, "rows": 3},
        **{"rows_seen": 4, "first_sale": date(2024, 1, 2), "last_sale": date(2024, 5, 30), "note": "first", **created},
    )
    insert(
        connection,
        "data_file",
        **{"version_id": VERSION, "file": "s.csv", "source": "sales", "sha256": "c" * 64, "rows_in": 4},
        **{"accepted": 3, "repaired": 0, "duplicate": 0, "rejected": 1, "reasons": {"no_price": 1}},
    )
    for model_id, stage in ((OLD, "retired"), (LIVE, "champion"), (NEXT, "challenger")):
        card = {"family": "forest", "metrics": {"mape": {"value": 0.08}}}
        whose = {"market_id": "m", "version_id": VERSION, "sha256": hashlib.sha256(model_id.encode()).hexdigest()}
        insert(connection, "model", model_id=model_id, stage=stage, card=card, size_bytes=6, **whose, **created)
    for model_id, replaced in ((OLD, None), (LIVE, OLD)):
        insert(
            connection,
            "promotion",
            **{"market_id": "m", "kind": "promote", "model_id": model_id, "replaced_model_id": replaced},
            **{"reason": "better", "at": AT, "actor": "Max"},
        )
    level = {"market_id": "m", "model_id": LIVE, "version_id": VERSION, "as_of": date(2024, 5, 31)}
    insert(connection, "market_level", level_id="eeeeeeeeeeee", document={"level": 1.02}, **level, **created)
    fill_ledger(connection)
    fill_alerts(connection)
    insert(connection, "draft", actor="Ana", document={"uploads": ["u1"]}, updated_at=AT)
    insert(connection, "preset", name="county", mapping_json="{}", updated_at=AT, updated_by="Ana")
    pair = {"market_id": "m", "sales_key": "12 N MAIN", "tax_key": "12 NORTH MAIN"}
    insert(connection, "address_match", same=True, at=AT, actor="Ana", **pair)


def fill_ledger(connection: sa.Connection) -> None:
    given = {"at": AT, **BY, "market_id": "m", "as_of": date(2024, 5, 31), "channel": "page", "currency": "USD"}
    given |= {"flags": ["thin_market"], "latency_ms": 12.5, "latency_bin": 100, "day": date(2024, 5, 31)}
    figures = {"point": 250_000.0, "low": 240_000.0, "high": 265_000.0, "level": 0.8, "confidence": 71.0}
    home = {"property_key": "12 N MAIN ST", "property_type": "house", "area": "98103", "facts": {"bedrooms": 3}}
    made = {"model_id": LIVE, "version_id": VERSION, "level_id": "eeeeeeeeeeee", "flagged": True}
    insert(
        connection,
        "estimate",
        **{"estimate_id": PRICED, "status": "priced", "reason": "", "answer": {"range": "$240K - $265K"}, "fsd": 0.05},
        **{**given, **figures, **home, **made},
    )
    insert(
        connection,
        "estimate",
        **{"estimate_id": REFUSED, "status": "refused", "reason": "1,000 bedrooms", "answer": {}, "flagged": False},
        **{**given, **home, "flags": []},
    )
    insert(
        connection,
        "decision",
        **{"decision_id": "5" * 16, "estimate_id": PRICED, "market_id": "m", "at": AT, **BY},
        **{"kind": "adjust", "price": 255_000.0, "listing_price": 259_000.0, "reason_code": "condition", "note": "new"},
    )
    # A home that sold for 200,000: the estimate of 250,000 is 25 % too high and its range did not hold.
    sold = {"sale_key": "7", "sale_date": date(2024, 6, 20), "sale_price": 200_000.0, "version_id": VERSION}
    judged = {"error": 0.25, "error_bin": 250, "inside": False, "current": True, "counted": True, "blind": True}
    insert(
        connection,
        "outcome",
        **{"market_id": "m", "estimate_id": PRICED, "recorded_at": AT, "estimated_at": AT, "model_id": LIVE},
        **{"office": "North", "channel": "page", "property_type": "house", "area": "98103"},
        **{**sold, **figures, **judged},
    )
    insert(connection, "matching", version_id=VERSION, market_id="m", at=AT)
    shadow = {"point": 244_000.0, "low": 235_000.0, "high": 260_000.0, "confidence": 69.0}
    insert(connection, "shadow", estimate_id=PRICED, model_id=NEXT, at=AT, **shadow)


def fill_alerts(connection: sa.Connection) -> None:
    for alert_id, kind, states in (
        (OPEN, "error_high", ("open",)),
        (TAKEN, "slow", ("open", "acknowledged")),
        (CLOSED, "coverage_off", ("open", "resolved")),
    ):
        history = [
            {"state": state, "at": AT.isoformat(), "by": "Max", "why": f"{kind}: {state}", "next_action": "Look."}
            for state in states
        ]
        reading = {"value": 0.13, "n": 120, "period": "2024-05", "model_id": LIVE}
        document = {"reading": reading, "why": f"{kind}: {states[-1]}", "next_action": "Look.", "history": history}
        insert(
            connection,
            "alert",
            **{"alert_id": alert_id, "market_id": "m", "kind": kind, "segment": "", "state": states[-1]},
            **{"opened_at": AT, "changed_at": AT, "changed_by": "Max", "document": document},
        )
        for state in states:
            action = "alert.opened" if state == "open" else f"alert.{state}"
            record(connection, action, alert_id, {"kind": kind, "why": f"{kind}: {state}"})
    record(connection, "alert.judged", CLOSED, {"period": "2024-05"})
    for value in (0.15, 0.14):
        named = {"market_id": "m", "name": "error_high", "reason": "thin market"}
        insert(connection, "threshold", value=value, at=AT, actor="Max", **named)
    record(connection, "threshold.changed", "error_high", {"before": 0.15, "after": 0.14, "reason": "thin market"})
    record(connection, "model.promoted", LIVE, {"replaced": OLD, "reason": "better"})


def record(connection: sa.Connection, action: str, subject: str, detail: dict[str, object]) -> None:
    who = {"at": AT, "actor": "Max", "role": "manager", "market_id": "m"}
    insert(connection, "event", action=action, subject=subject, detail=detail, **who)


@pytest.fixture
def before(address: Address) -> Address:
    """The store of the release before, in use."""
    address.home.mkdir()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = address.engine()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
        fill(connection)
    engine.dispose()
    (address.home / "models").mkdir()
    for model_id in (OLD, LIVE, NEXT):
        bundle = model_id.encode()
        (address.home / "models" / f"{hashlib.sha256(bundle).hexdigest()}.joblib").write_bytes(bundle)
    return address


@pytest.fixture
def store(before: Address) -> Iterator[Store]:
    """The same, opened by this release, with its models vouched for: those before had no signatures."""
    with open_store(before.home, before.url) as opened:
        for model_id in (OLD, LIVE, NEXT):
            opened.models.sign(model_id, vouch=True)
        yield opened


def test_every_row_of_every_table_is_there_after_the_upgrade(before: Address) -> None:
    engine = before.engine()

    def rows() -> dict[str, list[dict[str, object]]]:
        with engine.connect() as connection:
            known = [name for name in METADATA.tables if sa.inspect(connection).has_table(name)]
            found = {name: connection.execute(sa.text(f"select * from {name}")).mappings() for name in known}
            return {name: [dict(row) for row in some] for name, some in found.items()}

    held = rows()
    # Drafts are kept by the ids of their authors since 0009; so far these were users of this computer.
    held["draft"] = [{"actor_id": f"local:{row.pop('actor')}", **row} for row in held["draft"]]
    with open_store(before.home, before.url):
        pass
    now = rows()
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select version_num from alembic_version")) == SCHEMA_REVISION
    engine.dispose()
    filled = {name for name, some in held.items() if some}
    assert {"estimate", "decision", "outcome", "alert", "threshold", "event", "model", "promotion", "market"} <= filled
    for name, some in held.items():
        columns = list(some[0]) if some else []
        assert [{column: row[column] for column in columns} for row in now[name]] == some, name


def test_the_ledger_is_read_decided_on_and_counted_as_before(store: Store) -> None:
    assert store.ledger.count("m") == 2
    priced = store.ledger.get(PRICED)
    assert (priced.at, priced.point, priced.flags) == (AT, 250_000.0, ("thin_market",))
    assert (priced.facts, priced.answer) == ({"bedrooms": 3}, {"range": "$240K - $265K"})
    assert store.ledger.get(REFUSED).reason == "1,000 bedrooms"
    [decision] = store.ledger.decisions_on(PRICED)
    assert (decision.price, decision.listing_price, decision.reason_code) == (255_000.0, 259_000.0, "condition")
    [outcome] = store.outcomes.of_sale("m", "7")
    assert (outcome.error, outcome.current, outcome.sale_date) == (0.25, True, date(2024, 6, 20))
    total = store.figures.traffic("m", Slice(), Period.MONTH).total
    assert (total["n"], total["priced"], total["refused"]) == (2, 1, 1)
    assert store.figures.accuracy("m", Slice(), Period.MONTH).total["n"] == 1
    assert store.shadows.frame("m", NEXT)["shadow_point"].tolist() == [244_000.0]

    made = store.ledger.append(estimate("m", model_id=LIVE), AGENT)
    store.ledger.decide(NewDecision(made.estimate_id, "accept", 250_000.0), AGENT)
    store.ledger.decide(NewDecision(PRICED, "override", 251_000.0, 255_000.0, "condition", "seen again"), AGENT)
    assert store.ledger.list("m", 10)[0].estimate_id == made.estimate_id
    assert len(store.ledger.decisions_on(PRICED)) == 2
    exported = b"".join(export_ledger(acting(store, MANAGER), "m", Slice())).decode("utf-8")
    assert all(one in exported for one in (PRICED, REFUSED, made.estimate_id))


def test_alerts_are_taken_on_given_back_and_follow_the_live_model(store: Store) -> None:
    assert {one.alert_id: one.state for one in store.alerts.list("m")} == {
        OPEN: AlertState.OPEN,
        TAKEN: AlertState.ACKNOWLEDGED,
        CLOSED: AlertState.RESOLVED,
    }
    assert store.alerts.get(TAKEN).why == "slow: acknowledged"
    acknowledge(acting(store, MANAGER), OPEN, "Looking at it.", "Retrain.")
    store.alerts.unacknowledge(OPEN, "On leave.", MANAGER)
    store.alerts.unacknowledge(TAKEN, "On leave.", MANAGER)
    assert [store.alerts.get(one).why for one in (OPEN, TAKEN)] == ["error_high: open", "slow: open"]
    again = store.alerts.open("m", "coverage_off", "", {"period": "2024-06"}, "Off again.", "Look.", MANAGER)
    assert again.alert_id != CLOSED
    assert limits_of(acting(store, MANAGER), "m")[AlertKind.ERROR_HIGH].value == 0.14

    rollback(acting(store, MANAGER), "m", "worse in the north")
    assert [one.alert_id for one in store.alerts.list("m", UNRESOLVED)] == [again.alert_id, TAKEN]
    promote(acting(store, MANAGER), LIVE, "better after all")
    assert {one.alert_id for one in store.alerts.list("m", UNRESOLVED)} == {OPEN, TAKEN, again.alert_id}


def test_the_audit_trail_is_searched_and_goes_on(store: Store) -> None:
    assert store.events.matching("m", Wanted()) == 8
    [promoted] = store.events.of(LIVE, "model.promoted")
    assert (promoted.at, promoted.actor, promoted.detail) == (AT, "Max", {"replaced": OLD, "reason": "better"})
    [judged] = store.events.of(CLOSED, "alert.judged")
    assert judged.detail == {"period": "2024-05"}
    store.alerts.resolve(TAKEN, "fast again", "2024-06", MANAGER)
    names = store.events.names("m")
    assert {"alert.acknowledged", "alert.resolved", "threshold.changed"} <= set(names.actions)
    assert [one.subject for one in store.events.list("m")][:2] == [TAKEN, TAKEN]


def test_models_keep_their_stages_and_the_limits_of_the_release_before_can_be_reset(store: Store) -> None:
    stages = {one.model_id: one.stage for one in store.models.list("m")}
    assert stages == {OLD: Stage.RETIRED, LIVE: Stage.CHAMPION, NEXT: Stage.CHALLENGER}
    challenger = store.models.challenger("m")
    assert challenger is not None
    store.models.reject(NEXT, "worse in the north", MANAGER)
    assert store.models.challenger("m") is None
    assert store.models.reinstate(NEXT, "a mistake", MANAGER) == challenger
    store.thresholds.reset("m", "error_high", "the market grew", MANAGER)
    assert store.thresholds.values("m") == {}
    assert [one.value for one in store.thresholds.history("m")] == [None, 0.14, 0.15]
    assert store.drafts.load(Actor("Ana", Role.ANALYST)) == {"uploads": ["u1"]}
    assert store.presets.load("county") == "{}"
    assert store.matches.of("m") == {("12 N MAIN", "12 NORTH MAIN"): True}


def test_files_of_the_release_before_keep_their_counts_and_have_no_record_of_their_mapping(store: Store) -> None:
    version = store.versions.get(VERSION)
    assert [(one.file, one.accepted, one.reasons) for one in version.files] == [("s.csv", 3, {"no_price": 1})]
    assert store.versions.intake(VERSION) == ()
