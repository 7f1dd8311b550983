"""The documented views: README's columns, the use cases' figures, and the same after a migration."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from core.access import Actor, Role
from core.states import FeedbackVerdict, Period
from core.store import EstimateRecord, Market, NewDecision, Store, open_store
from core.store.base.tables import METADATA
from core.store.base.views import VIEWS
from core.store.ledger.figures import Slice
from core.store.ledger.outcomes import NewOutcome
from tests.store.conftest import Address
from tests.store.samples import AGENT, ANALYST, MANAGER, estimate, no_estimate

README = Path(__file__).resolve().parents[3] / "README.md"
OTHER = Actor("Lee Agent", Role.AGENT, "South")


def documented() -> dict[str, list[str]]:
    """The columns that README names of each view, in any order."""
    found: dict[str, list[str]] = {}
    for view, columns in re.findall(r"^\| `(v_\w+)` \|([^|]*)\|", README.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(view, []).extend(re.findall(r"`(\w+)`", columns))
    return found


def view(address: Address, name: str) -> pd.DataFrame:
    engine = address.engine()
    with engine.connect() as connection:
        result = connection.execute(sa.text(f"select * from {name}"))
        table = pd.DataFrame([tuple(row) for row in result], columns=list(result.keys()))
    engine.dispose()
    return table


def outcome(given: EstimateRecord, number: int, price: float, blind: bool = True) -> NewOutcome:
    sold = date(2024, 3, 1) + timedelta(days=number)
    assert given.point is not None
    return NewOutcome(
        estimate_id=given.estimate_id,
        sale_key=str(number),
        sale_date=sold,
        sale_price=price,
        list_date=sold - timedelta(days=9),
        list_price=price,
        first_list_price=1.05 * price,
        counted=True,
        blind=blind,
        estimated_at=given.at,
        model_id=given.model_id or "",
        office=given.office,
        channel=given.channel,
        property_type=given.property_type,
        area=given.area,
        point=given.point,
        low=given.low or 0.0,
        high=given.high or 0.0,
        level=0.8,
        confidence=71.0,
    )


@pytest.fixture
def filled(store: Store, market: Market) -> list[EstimateRecord]:
    """Four priced estimates and one without a price, two decisions on one, three sales, feedback and two alerts."""
    market_id = market.market_id
    given = [store.ledger.append(estimate(market_id, flags=("far_from_usual",) * (n % 2)), AGENT) for n in range(4)]
    store.ledger.append(no_estimate(market_id), OTHER)
    store.ledger.decide(NewDecision(given[0].estimate_id, "accept", 250_000.0), AGENT)
    store.ledger.decide(NewDecision(given[0].estimate_id, "override", 300_000.0, 310_000.0, "view_or_noise"), AGENT)
    rows = [outcome(given[0], 0, 200_000.0), outcome(given[1], 1, 260_000.0), outcome(given[2], 2, 255_000.0, False)]
    for corrected in (rows, [outcome(given[0], 0, 240_000.0), *rows[1:]]):
        store.outcomes.record(market_id, ["v"], "v", {row.sale_key: [row] for row in corrected}, ANALYST)
    store.feedback.give(given[0].estimate_id, FeedbackVerdict.TOO_HIGH, "", AGENT)
    store.feedback.give(given[0].estimate_id, FeedbackVerdict.USEFUL, "new roof", AGENT)
    store.feedback.give(given[0].estimate_id, FeedbackVerdict.TOO_LOW, "", MANAGER)
    alert = store.alerts.open(market_id, "slow", "", {"period": "2024-05"}, "Slow.", "Look.", ANALYST)
    store.alerts.open(market_id, "volume", "", {"period": "2024-05"}, "Few.", "Look.", ANALYST)
    store.alerts.resolve(alert.alert_id, "Quick.", "2024-06", ANALYST)
    return given


def test_readme_names_the_columns_of_every_view(address: Address, store: Store) -> None:
    assert documented().keys() == VIEWS.keys()
    for name, columns in documented().items():
        assert sorted(view(address, name).columns) == sorted(columns), name


def test_estimates_and_decisions_are_those_of_the_figures(
    address: Address, store: Store, market: Market, filled: list[EstimateRecord]
) -> None:
    table = view(address, "v_estimates")
    total = store.figures.traffic(market.market_id, Slice(), Period.MONTH).total
    priced = table[table["status"] == "priced"]
    assert (len(table), len(priced)) == (total["n"], total["priced"]) == (5, 4)
    assert priced["confidence"].mean() == pytest.approx(total["confidence"])
    assert priced["flagged"].mean() == pytest.approx(total["flagged_share"]) == 0.5
    [decided] = table[table["decision"].notna()].to_dict("records")
    [counting] = store.ledger.decisions(market.market_id, 10)
    assert (decided["estimate_id"], decided["decision"]) == (filled[0].estimate_id, "override")
    assert (decided["decided_price"], decided["listing_price"]) == (counting.price, counting.listing_price)
    assert set(table["simulated"]) == {1}
    assert [str(one)[:10] for one in table["made_on"]] == [f"{filled[0].at:%Y-%m-%d}"] * 5
    store.ledger.take_back(filled[0].estimate_id, counting.decision_id, AGENT)
    [earlier] = view(address, "v_estimates")["decision"].dropna()
    assert earlier == store.ledger.decisions(market.market_id, 10)[0].kind


def test_outcomes_are_those_that_the_accuracy_is_made_of(
    address: Address, store: Store, market: Market, filled: list[EstimateRecord]
) -> None:
    table = view(address, "v_outcomes")
    assert len(table) == 3, "a corrected price replaces the earlier one"
    headline = table[(table["counted"] == 1) & (table["blind"] == 1)]
    total = store.figures.accuracy(market.market_id, Slice(), Period.MONTH).total
    assert len(headline) == total["n"] == 2
    assert headline["abs_error"].mean() == pytest.approx(total["mape"])
    assert headline["inside"].mean() == pytest.approx(total["coverage"])
    assert sorted(table["error"]) == pytest.approx(sorted([250 / 240 - 1, 250 / 260 - 1, 250 / 255 - 1]))


def test_alerts_and_feedback_are_those_of_the_store(
    address: Address, store: Store, market: Market, filled: list[EstimateRecord]
) -> None:
    alerts = view(address, "v_alerts").set_index("alert_id")
    held = store.alerts.list(market.market_id, None, 10)
    assert alerts["state"].to_dict() == {one.alert_id: one.state.value for one in held}
    feedback = view(address, "v_feedback")
    given = sorted(zip(feedback["actor"], feedback["verdict"], feedback["note"], strict=True))
    assert given == [("Kim Agent", "useful", "new roof"), ("Max Manager", "too_low", "")]


def test_a_migrated_database_has_the_views_of_a_new_one(address: Address, store: Store) -> None:
    made = {name: list(view(address, name).columns) for name in VIEWS}
    store.close()
    engine = address.engine()
    with engine.begin() as connection:
        # To alembic, a version table without a row means that no revision has been applied yet.
        METADATA.drop_all(connection)
        connection.execute(sa.text("delete from alembic_version"))
    open_store(address.home, address.url).close()
    assert {name: list(view(address, name).columns) for name in VIEWS} == made
    engine.dispose()
