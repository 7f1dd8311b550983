"""The page “Estimates” without a browser: what is listed, narrowed and opened."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Actor, Role
from core.progress import silent
from core.store import NewDecision, open_store
from core.wording import market_day
from core.workflows.pricing.answers import (
    Question,
    earlier_of_home,
    every_recent,
    price_and_record,
    time_words,
)
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.many_homes import price_file, record_file
from pages.kit import navigation, session
from pages.kit.navigation import PAGES_FOLDER, page_at
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS

NORTH, SOUTH = Actor("Ann", Role.AGENT, "North"), Actor("Bo", Role.AGENT, "South")


@pytest.fixture
def estimates(own_small_store: Path, small_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page as a manager sees it: a home each of two agents, of which the first is decided on."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(own_small_store))
    assert small_desk.bundle is not None
    profile = small_desk.bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    with open_store(own_small_store) as store:
        for actor, address in ((NORTH, "12 North Elm Street"), (SOUTH, "9 Oak Ave")):
            facts = {"address": address, "zipcode": code, "living_area_sqft": 1_680.0}
            given = price_and_record(acting(store, actor), small_desk, Question(facts, profile.last_sale, 0.8), "page")
            assert given.estimate_id is not None
            if actor is NORTH:
                point = store.ledger.get(given.estimate_id).point
                assert point is not None
                store.ledger.decide(NewDecision(given.estimate_id, "accept", point), actor)
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "manager"
    return app.run().switch_page(page_at("estimates").script.name).run()


def homes(app: AppTest) -> list[str]:
    assert not app.exception
    return [str(one).partition(",")[0] for one in app.dataframe[0].value["Home"]] if app.dataframe else []


def choose(app: AppTest, label: str, option: str | None) -> AppTest:
    [box] = [one for one in app.selectbox if one.label == label]
    return box.set_value(option).run() if option is None else box.select(option).run()


def test_estimates_are_narrowed_by_address_decision_and_office(estimates: AppTest) -> None:
    assert homes(estimates) == ["9 Oak Ave", "12 N Elm St"]
    estimates.text_input("home").set_value("elm street").run()
    assert homes(estimates) == ["12 N Elm St"]
    estimates.text_input("home").set_value("").run()
    assert homes(choose(estimates, "Decision", "Open")) == ["9 Oak Ave"]
    assert homes(choose(estimates, "Office", "North")) == []
    assert "No estimate fits" in estimates.info[0].value
    assert homes(choose(estimates, "Decision", "Accepted")) == ["12 N Elm St"]
    # Who opens one and comes back finds the list as it was.
    estimates.switch_page(page_at("pricing").script.name).run()
    assert homes(estimates.switch_page(page_at("estimates").script.name).run()) == ["12 N Elm St"]


def test_the_newest_of_a_home_stands_for_the_earlier_ones_which_a_switch_lists(
    estimates: AppTest, own_small_store: Path, small_desk: Desk
) -> None:
    assert small_desk.bundle is not None
    profile = small_desk.bundle.model.profile
    path, code = own_small_store / "homes.csv", next(iter(profile.area_codes["zipcode"]))
    path.write_text(f"ref,zip,living area\nA1,{code},1680\n", encoding="utf-8")
    with open_store(own_small_store) as store:
        for _ in range(3):
            priced = price_file(small_desk, path, "homes.csv", profile.last_sale, silent, NORTH)
            record_file(acting(store, NORTH), priced, "command line")
    table = estimates.run().dataframe[0].value
    [folded, *others] = table["Earlier"]
    assert folded == "2"
    assert len(others) == 2
    # A decision keeps its line, however often its home is priced again.
    path.write_text(f"address,zip,living area\n12 North Elm Street,{code},1700\n", encoding="utf-8")
    with open_store(own_small_store) as store:
        for _ in range(2):
            priced = price_file(small_desk, path, "homes.csv", profile.last_sale, silent, NORTH)
            record_file(acting(store, NORTH), priced, "command line")
    table = estimates.run().dataframe[0].value
    of_elm = table[table["Home"].str.startswith("12 N Elm St")]
    assert of_elm["Earlier"].tolist() == ["1", ""]
    assert of_elm["Decision"].tolist()[1].startswith("Accepted $")
    [switch] = estimates.toggle
    assert len(switch.set_value(True).run().dataframe[0].value) == 7
    # One home's earlier ones stand beside its estimate, those decided on and those of rows without address too.
    with open_store(own_small_store) as store:
        everything = every_recent(acting(store, NORTH), "larkhaven", 9)
        for one in (everything[0], everything[2]):
            others = earlier_of_home(acting(store, NORTH), "larkhaven", one.estimate.estimate_id, 9)
            assert len(others) == 2
            assert {other.home for other in others} == {one.home}
        assert earlier_of_home(acting(store, SOUTH), "larkhaven", everything[0].estimate.estimate_id, 9) == []
    estimates.query_params["estimate"] = everything[0].estimate.estimate_id
    estimates.switch_page(page_at("pricing").script.name).run()
    assert "2 earlier of this home" in [one.label for one in estimates.expander]
    before = [one for one in estimates.button if (one.key or "").startswith("earlier-")]
    before[-1].click().run()
    assert estimates.query_params["estimate"] in str(before[-1].key)
    assert "Accepted" in estimates.success[0].value
    assert not [one.label for one in estimates.expander if "earlier of this home" in one.label], "it is the first"


def test_lines_say_when_by_the_clock_of_the_simulated_market_and_that_a_decision_is_open(
    estimates: AppTest, own_small_store: Path
) -> None:
    table = estimates.dataframe[0].value
    assert table["Decision"].tolist()[0] == "open"
    assert table["Decision"].tolist()[1].startswith("Accepted $")
    with open_store(own_small_store) as store:
        [market] = store.markets.list()
        workspace = acting(store, NORTH)
        today, now = workspace.today(market), workspace.clock()
        real = time_words(workspace, replace(market, simulated=False))(now)
    for when in table["When"]:
        assert re.fullmatch(re.escape(market_day(today, market.currency)) + r", \d\d:\d\d UTC", when)
    # In a market that is real, to the minute.
    assert re.fullmatch(r"[A-Z][a-z]{2} \d+, \d{4}, \d\d:\d\d UTC", real)
    assert "decision open" in next(one.label for one in estimates.button if (one.key or "").startswith("card-"))


@pytest.mark.parametrize("chosen", [{"rows": [1], "cells": []}, {"rows": [], "cells": [[1, "Answer"]]}])
def test_a_click_on_the_box_or_on_a_cell_of_an_estimate_opens_it(
    estimates: AppTest, own_small_store: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any]
) -> None:
    went: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(navigation, "go_to", lambda page, **query: went.append((page, query)))
    key, _ = estimates.session_state["estimates_drawn"]
    estimates.session_state[key] = {"selection": {"columns": [], **chosen}}
    assert not estimates.run().exception
    with open_store(own_small_store) as store:
        [of_north] = [one for one in store.ledger.list("larkhaven", 2) if one.actor == "Ann"]
    assert went == [("pricing", {"estimate": of_north.estimate_id})]


def test_an_office_written_in_two_ways_is_one_choice(
    estimates: AppTest, own_small_store: Path, small_desk: Desk
) -> None:
    assert small_desk.bundle is not None
    profile = small_desk.bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    facts = {"address": "11 Oak Ave", "zipcode": code, "living_area_sqft": 1_500.0}
    with open_store(own_small_store) as store:
        workspace = acting(store, Actor("Cy", Role.AGENT, "SOUTH"))
        price_and_record(workspace, small_desk, Question(facts, profile.last_sale, 0.8), "page")
    [box] = [one for one in estimates.run().selectbox if one.label == "Office"]
    assert [one.casefold() for one in box.options] == ["north", "south"]
    assert homes(choose(estimates, "Office", box.options[1])) == ["11 Oak Ave", "9 Oak Ave"]


def test_each_estimate_is_a_card_too_which_a_phone_shows(estimates: AppTest) -> None:
    cards = [one.label for one in estimates.button if (one.key or "").startswith("card-")]
    assert [card.partition(",")[0] for card in cards] == ["**9 Oak Ave", "**12 N Elm St"]
    assert "Accepted" in cards[1]
    assert cards[1].endswith("Ann")


def test_a_press_that_found_no_price_is_no_line_until_it_is_asked_for(
    estimates: AppTest, own_small_store: Path, small_desk: Desk
) -> None:
    with open_store(own_small_store) as store:
        question = Question({"address": "7 Failed Press Ln"}, date(2025, 7, 1), 0.8)
        price_and_record(acting(store, NORTH), small_desk, question, "page")
    assert homes(estimates.run()) == ["9 Oak Ave", "12 N Elm St"]
    assert homes(choose(estimates, "Decision", "No price")) == ["7 Failed Press Ln"]
