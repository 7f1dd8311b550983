"""The seller's report as it is asked for: whose it is, what was decided, and what sellers are not shown."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pytest
from pypdf import PdfReader

from core.access import Actor, Role
from core.problem import Problem
from core.serve.estimate import Estimate
from core.store import Store
from core.wording import market_day, money
from core.workflows.pricing.answers import Question, RecordedAnswer, price_and_record
from core.workflows.pricing.decisions import DecisionInput, decide, usual_listing
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.seller_report import ReportRequest, file_name, report_pdf, warning
from core.workflows.profiles import profiles
from core.workflows.profiles.profiles import AgentProfile
from core.workflows.profiles.seller_figures import choose_figures
from core.workspace import Workspace
from tests.acting import acting

AGENT = Actor("Ana", Role.AGENT, "North", actor_id="oidc:ana")
MANAGER = Actor("Max", Role.MANAGER, actor_id="oidc:max")
FIGURES = ("crime", "school", "walk score")


@pytest.fixture
def desk(own_store: Store, problem: Problem) -> Desk:
    return open_desk(own_store, own_store.markets.list()[0].market_id, problem)


def answered(workspace: Workspace, desk: Desk, **facts: object) -> RecordedAnswer:
    assert desk.bundle is not None
    code = next(iter(desk.bundle.model.profile.area_codes["zipcode"]))
    given = {"zipcode": code, "living_area_sqft": 1_500.0, "address": "12 Elm St", **facts}
    return price_and_record(workspace, desk, Question(given, desk.valuation_date(date(2026, 1, 1)), 0.8), "page")


def words(pdf: bytes) -> str:
    """The whole text of a PDF, in one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def test_figures_of_the_neighborhood_are_nowhere_unless_the_company_shows_them(own_store: Store, desk: Desk) -> None:
    workspace = acting(own_store, AGENT)
    asked = answered(workspace, desk, crime_index=37.0, school_rating=4.0, walk_score=71.0)
    left_out = words(report_pdf(workspace, asked, desk, ReportRequest())).lower()
    assert not [figure for figure in FIGURES if figure in left_out]
    choose_figures(acting(own_store, MANAGER), shown=True, reason="allowed here")
    shown = words(report_pdf(workspace, asked, desk, ReportRequest())).lower()
    assert [figure for figure in FIGURES if figure in shown]


def test_a_report_names_the_agent_and_what_was_decided_and_no_account(own_store: Store, desk: Desk) -> None:
    workspace = acting(own_store, AGENT)
    assert desk.live_model is not None
    place = {name: float(desk.live_model.sales[name][-1]) for name in ("latitude", "longitude")}
    asked = answered(workspace, desk, **place)
    assert isinstance(asked.result, Estimate)
    assert asked.estimate_id is not None
    live = own_store.models.champion(desk.market.market_id)
    assert live is not None
    nameless = words(report_pdf(workspace, asked, desk, ReportRequest()))
    assert "Other homes sold" in nameless, "its map shows where homes are, as on screen"
    assert "oidc:ana" not in nameless
    assert "Kim Lee" not in nameless
    assert "list price" not in nameless.lower(), "nobody has decided on one"
    profiles.save_agent(workspace, AgentProfile("Kim Lee", phone="555-0100", license_number="WA-1234"))
    listed = usual_listing(asked.result.point, workspace.problem)
    decide(workspace, asked.estimate_id, DecisionInput("accept", asked.result.point, listed))
    text = words(report_pdf(workspace, asked, desk, ReportRequest(prepared_for="Pat Doe")))
    for part in ("Kim Lee", "555-0100", "WA-1234", "Pat Doe", "12 Elm St"):
        assert part in text
    assert "List price" in text
    assert f"${listed / 1000:,.0f}K" in text or f"${listed:,.0f}" in text
    for inside in (live.model_id, "price band", "drift", "stale", "segment"):
        assert inside not in text.lower()


@pytest.mark.parametrize(
    ("currency", "title"),
    [("AUD", "12 Elm St, Glen Iris 3146"), ("USD", "12 Elm St, 3146"), ("GBP", "12 Elm St, 3146")],
)
def test_the_title_has_the_suburb_where_it_is_part_of_an_address(
    own_store: Store, desk: Desk, currency: str, title: str
) -> None:
    """A report without a price has the same title, and needs no home in such an area."""
    workspace, market = acting(own_store, AGENT), replace(desk.market, currency=currency)
    facts = {"zipcode": "3146", "neighbourhood": "Glen Iris", "address": "12 Elm St"}
    asked = price_and_record(workspace, desk, Question(facts, desk.valuation_date(date(2026, 1, 1)), 0.8), "page")
    pdf = report_pdf(workspace, asked, replace(desk, market=market), ReportRequest())
    assert title in words(pdf)
    assert f"{title}," not in words(pdf)


def test_reports_of_two_homes_have_two_file_names_also_without_addresses(own_store: Store, desk: Desk) -> None:
    workspace = acting(own_store, AGENT)
    homes = [answered(workspace, desk, address=address) for address in ("", "", "1 Elm St", "1 Elm St")]
    names = {file_name(one, desk.market) for one in homes}
    assert len(names) == len(homes)
    [first, *_] = homes
    assert first.estimate_id is not None
    assert file_name(first, desk.market).endswith(f"-{first.estimate_id[:8].lower()}.pdf"), "the number on its pages"


def test_an_agent_is_warned_before_a_seller_reads_that_the_list_price_lies_outside(
    own_store: Store, desk: Desk
) -> None:
    workspace = acting(own_store, AGENT)
    asked = answered(workspace, desk)
    assert isinstance(asked.result, Estimate)
    assert asked.estimate_id is not None
    assert warning(workspace, asked, desk, ReportRequest()) == ""
    far = 1.5 * asked.result.high
    decide(workspace, asked.estimate_id, DecisionInput("override", far, far, "renovation_unknown", "A new wing."))
    told = warning(workspace, asked, desk, ReportRequest())
    assert told.startswith(f"Your list price of {money(far, 'USD')} lies above the range.")
    assert "ask your agent why" in words(report_pdf(workspace, asked, desk, ReportRequest()))


def test_a_home_without_a_price_has_a_report_with_the_standing_sentence(own_store: Store, desk: Desk) -> None:
    workspace = acting(own_store, AGENT)
    asked = answered(workspace, desk, living_area_sqft=None)
    text = words(report_pdf(workspace, asked, desk, ReportRequest()))
    assert "Price estimate unavailable. Use comparative market analysis instead." in text


def test_a_simulated_market_has_one_clock_on_its_report(own_store: Store, desk: Desk) -> None:
    assert desk.market.simulated
    workspace = acting(own_store, AGENT)
    asked = answered(workspace, desk)
    assert isinstance(asked.result, Estimate)
    assert asked.estimate_id is not None
    decide(workspace, asked.estimate_id, DecisionInput("accept", asked.result.point, asked.result.point))
    text = words(report_pdf(workspace, asked, desk, ReportRequest()))
    today = market_day(workspace.today(desk.market), desk.market.currency)
    assert f"Price report · {today}" in text
    assert "prices as of" not in text
    assert str(workspace.utc_today().year) not in text
