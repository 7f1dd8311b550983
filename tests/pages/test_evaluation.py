"""The page Evaluation without a browser: its views, choices, signature, and what it says when something is missing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from core.access import Actor, Role
from core.evaluate.headline import headline
from core.evaluate.scored_sales import FACTS, ScoredSales
from core.evaluate.segmentation import Segmentation, available
from core.evaluate.segments import by_segment, sales_of, worst
from core.problem import Problem
from core.store import NewDecision, NewEstimate, NewVersion, open_store
from core.wording import money, percent, signed_percent
from core.workflows.models.scope import signed_scope
from core.workflows.models.test_scores import SCORES, keep_scores, scores_of
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from tests.acting import acting
from tests.evaluate.scored_sales import scored_sales
from tests.patience import PATIENCE_SECONDS

MANAGER = Actor("Max", Role.MANAGER)
AGENT = Actor("Ann", Role.AGENT, "North")
VERDICTS = "Agents’ decisions"
PARTS = {
    "Verdict": "Verdict and signature",
    "Signature": "Verdict and signature",
    VERDICTS: "Verdict and signature",
    "Segments": "Where it fails",
    "Hard cases": "Where it fails",
    "Bias": "Where it fails",
    "Ranges": "Can ranges be trusted",
    "Candidates": "Under the hood",
    "Importance": "Under the hood",
    "Ratio study": "Under the hood",
}
_ELSEWHERE = "A word of another model"
NAMES_ITS_SOURCE = "sealed test sales drawn at random"


@pytest.fixture
def home(small_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small market's store, to be looked at only."""
    return as_home(small_store, monkeypatch)


@pytest.fixture
def own_home(own_small_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to change."""
    return as_home(own_small_store, monkeypatch)


@pytest.fixture
def scored(home: Path) -> ScoredSales:
    with open_store(home) as store:
        return scores_of(acting(store, MANAGER), live_model(home))


def as_home(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(path))
    return path


def live_model(home: Path) -> str:
    with open_store(home) as store:
        record = store.models.champion(store.markets.list()[0].market_id)
        assert record is not None
        return record.model_id


def opened(part: str = "Verdict", role: str = "manager", **chosen: str) -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = role
    app.run()
    app = app.switch_page(page_at("evaluation").script.name).run()
    turn_to(app, part)
    for key, value in chosen.items():
        app.session_state[key] = value
    return app.run()


def turn_to(app: AppTest, part: str) -> None:
    """Choose a part's view, and its tab in it, for the next run."""
    view = PARTS[part]
    app.session_state["view"] = view
    if view != part:
        app.session_state[view.lower().replace(" ", "_")] = part


def text(app: AppTest) -> str:
    """All the words on the page but tables, as a reader sees them."""
    written = [*app.markdown, *app.caption, *app.info, *app.warning, *app.success, *app.header]
    figures = [f"{one.label} {one.value}" for one in app.metric]
    return "\n".join([*(str(one.value) for one in written), *figures]).replace("\\", "")


@pytest.mark.parametrize("part", list(PARTS))
def test_every_part_says_once_what_it_is_of_and_shows_no_error(home: Path, part: str) -> None:
    app = opened(part)
    assert not app.exception
    assert not app.error
    assert text(app).count("In this simulated market, it is ") == 1
    assert text(app).count(NAMES_ITS_SOURCE) == 1
    assert text(app).count(f"Model {live_model(home)} (live), data version") == 1


@pytest.mark.parametrize(
    ("part", "key", "word"),
    [
        # Streamlit's select box gives the label of an option, too, if that is what it finds under its key.
        ("Segments", "by", "Property type"),
        ("Segments", "cross", "Property type"),
        ("Ranges", "ranges_by", "Property type"),
        ("Ratio study", "ratio_by", "Property type"),
        ("Importance", "fact", "Living area"),
        ("Segments", "by", _ELSEWHERE),
        ("Hard cases", "case", _ELSEWHERE),
        ("Verdict", "evaluated", _ELSEWHERE),
        ("Verdict", "sales", _ELSEWHERE),
        ("Verdict", session.MARKET_KEY, _ELSEWHERE),
    ],
)
def test_a_choice_that_is_not_on_offer_shows_the_usual_one_instead(home: Path, part: str, key: str, word: str) -> None:
    """An address keeps a choice; promoted or switched to another market, the page may no longer have it."""
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "manager"
    if word == _ELSEWHERE:
        app.query_params[key] = word
    app = app.run().switch_page(page_at("evaluation").script.name)
    turn_to(app, part)
    app.session_state[key] = word
    app.run()
    assert not app.exception
    assert not app.error
    assert text(app).count(NAMES_ITS_SOURCE) == 1


def test_the_headline_shows_the_figures_of_the_core_with_target_and_verdict(
    home: Path, scored: ScoredSales, problem: Problem
) -> None:
    said, found = text(opened()), headline(scored, problem)
    assert found is not None
    mape = found.line("mape").figure
    assert f"{found.line('mape').label} {percent(mape.value, 1)}" in said
    assert f"{percent(mape.low, 1)} to {percent(mape.high, 1)}  \nn = {mape.n:,}" in said
    assert "Target:  \nat most 10%" in said
    assert "Compared with the linear baseline" in said


def test_the_latest_months_have_figures_of_their_own(home: Path, scored: ScoredSales) -> None:
    app = opened(sales="Latest 6 months")
    assert "only the latest 6 months" in text(app)
    assert f"{len(scored.latest(6).table):,} sales from" in text(app)


def test_a_manager_finds_the_worst_segment_and_its_misses(home: Path, scored: ScoredSales, problem: Problem) -> None:
    by = Segmentation.ESTIMATE_BAND
    table = by_segment(scored, (by,), problem)
    name = str(worst(table)[by.value].iloc[0])
    app = opened("Segments")
    assert f"**Worst: {name}**" in text(app)
    assert app.dataframe[0].value["Sales"].tolist() == table["n"].tolist()
    # A phone shows the same as cards.
    assert len(app.table[0].value) == len(table)
    app.selectbox("segment").select(name).run()
    misses = app.dataframe[1].value
    expected = 100 * sales_of(scored, {by: name}, problem)["error"]
    assert misses["Error, %"].tolist() == pytest.approx(expected.round(1).tolist())
    assert misses["Error, %"].abs().is_monotonic_decreasing


def test_two_segmentations_are_crossed_and_a_cell_has_its_sales(
    home: Path, scored: ScoredSales, problem: Problem
) -> None:
    by = (Segmentation.PROPERTY_TYPE, Segmentation.CONFIDENCE)
    cells = by_segment(scored, by, problem)
    largest = cells.iloc[int(cells["n"].to_numpy().argmax())]
    app = opened("Segments", by=by[0].value, cross=by[1].value)
    assert len(app.get("plotly_chart")) == 1
    app.selectbox("segment").select(str(largest[by[0].value])).run()
    app.selectbox("and_segment").select(str(largest[by[1].value])).run()
    # The page shows the 250 worst; the file has all.
    assert len(app.dataframe[0].value) == min(largest["n"], 250)


def test_another_segmentation_forgets_the_segment_of_the_one_before(home: Path, scored: ScoredSales) -> None:
    app = opened("Segments")
    app.selectbox("segment").select_index(0).run()
    app.selectbox("by").select(Segmentation.PROPERTY_TYPE.value).run()
    assert not app.exception
    assert app.selectbox("segment").value is None


def test_every_segmentation_of_the_data_is_offered(home: Path, scored: ScoredSales, problem: Problem) -> None:
    assert opened("Segments").selectbox("by").options == [one.capitalize() for one in available(scored, problem)]


def test_the_ratio_study_is_divided_on_demand(home: Path) -> None:
    app = opened("Ratio study")
    assert not app.table
    app.selectbox("ratio_by").select(Segmentation.PROPERTY_TYPE.value).run()
    [table] = [frame.value for frame in app.table]
    assert {"COD", "PRD", "PRB"} <= set(table)
    assert set(table.loc[table["Note"] == "few sales", "COD is"]) == {"inconclusive"}


def test_hard_cases_lead_to_their_sales(home: Path) -> None:
    app = opened("Hard cases")
    sets = app.table[0].value
    app.selectbox("case").select("luxury").run()
    assert len(app.dataframe[-1].value) == sets.loc[sets["Set"] == "luxury", "Sales"].item()


def test_a_manager_signs_the_proposed_scope(own_home: Path) -> None:
    app = opened("Signature")
    assert "Not signed yet" in text(app)
    next(field for field in app.text_input if str(field.key).startswith("note_")).input("For the north office")
    app.button("sign").click().run()
    assert not app.exception
    assert "The scope is signed" in text(app)
    assert "For the north office" in text(app)
    with open_store(own_home) as store:
        signed = signed_scope(store, live_model(own_home))
    assert signed is not None
    assert signed.note == "For the north office"
    assert signed.scope.low < signed.scope.high


def bounds(app: AppTest) -> list[TextInput]:
    """The two fields of the scope's prices."""
    return [field for field in app.text_input if str(field.key).startswith(("From_", "To_"))]


def test_own_bounds_are_signed_with_their_own_evidence(own_home: Path) -> None:
    app = opened("Signature")
    low, high = bounds(app)
    # As people write amounts; the fields answer with the market's marks.
    low.set_value("250000")
    high.set_value("$400k").run()
    assert [one.value for one in bounds(app)] == ["250,000", "400,000"]
    assert "Your bounds: Use it for estimates from $250K to $400K" in text(app).replace("**", "")
    sign(app)
    with open_store(own_home) as store:
        signed = signed_scope(store, live_model(own_home))
    assert signed is not None
    assert (signed.scope.low, signed.scope.high) == (250_000.0, 400_000.0)


def sign(app: AppTest) -> None:
    """Sign the scope on the page, with a reason and once more where its test does not prove it."""
    app.button("sign").click().run()
    if app.error:
        note = next(field for field in app.text_input if str(field.key).startswith("note_"))
        note.input("until the spring sales").run()
        app.button("sign").click().run()
        app.button("sign").click().run()
    assert not app.exception


def test_a_scope_that_misses_its_target_needs_a_reason_and_a_second_press_and_stays_named_so(
    trained_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its model, the baseline, misses the target.
    own_home = as_home(Path(shutil.copytree(trained_home, tmp_path / "own-store")), monkeypatch)
    app = opened("Signature")
    low, high = bounds(app)
    low.set_value("10,000")
    high.set_value("9,000,000").run()
    app.button("sign").click().run()
    assert "at least 10 characters (0 so far)" in str([one.value for one in app.error]).replace("\\", "")
    note = next(field for field in app.text_input if str(field.key).startswith("note_"))
    note.input("until the spring sales")
    high = bounds(app)[1]
    high.set_value("1").run()
    assert not [field for field in app.text_input if str(field.key).startswith("note_")]
    bounds(app)[1].set_value("9,000,000").run()
    note = next(field for field in app.text_input if str(field.key).startswith("note_"))
    assert note.value == "until the spring sales", "what was typed outlives a bound typed wrongly"
    app.button("sign").click().run()
    assert "If it is right, press again" in text(app) + str([one.value for one in app.warning])
    with open_store(own_home) as store:
        assert signed_scope(store, live_model(own_home)) is None
    app.button("sign").click().run()
    assert "Signed although" in text(app)
    [reason] = [field for field in app.text_input if str(field.key).startswith("withdraw_reason_")]
    reason.input("signed by mistake").run()
    app.button("withdraw_signature").click().run()
    assert not app.exception
    assert not [field for field in app.text_input if str(field.key).startswith("withdraw_reason_")]
    assert bounds(app)[1].value != "9,000,000", "the bounds are those that govern again"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("400,000", "250,000", "must be above"),
        ("900 000 000", "910000000", "no evidence for it"),
        ("about 300", "400,000", "“about 300” is no amount"),
    ],
)
def test_bounds_without_evidence_cannot_be_signed(home: Path, low: str, high: str, said: str) -> None:
    app = opened("Signature")
    for field, value in zip(bounds(app), (low, high), strict=True):
        field.set_value(value)
    app.run()
    assert said in text(app) + str([one.value for one in app.error])
    assert "sign" not in [button.key for button in app.button]


def test_an_analyst_sees_the_evidence_and_cannot_sign(home: Path) -> None:
    app = opened("Signature", role="analyst")
    assert "The evidence proposes" in text(app)
    assert "sign" not in [button.key for button in app.button]


def test_an_agent_is_told_whose_page_it_is(home: Path) -> None:
    app = opened(role="agent")
    assert "is not open to the role agent" in text(app)
    assert NAMES_ITS_SOURCE not in text(app)


def worst_segment(scored: ScoredSales, problem: Problem) -> str:
    by = Segmentation.ESTIMATE_BAND
    return str(worst(by_segment(scored, (by,), problem))[by.value].iloc[0])


def chosen_sale(app: AppTest, row: int) -> AppTest:
    app.query_params["sale"] = str(row)
    return app.run()


def test_a_miss_is_explained_as_it_was_scored(home: Path, scored: ScoredSales, problem: Problem) -> None:
    name = worst_segment(scored, problem)
    miss = sales_of(scored, {Segmentation.ESTIMATE_BAND: name}, problem).iloc[0]
    app = opened("Segments", segment=name)
    assert "Check a sale" in text(app)
    app = chosen_sale(app, int(miss["intake_row"]))
    assert not app.exception
    said = text(app)
    assert f"Row {miss['intake_row']} of the intake" in said
    assert f"**{signed_percent(miss['error'], 1)}**" in said
    assert f"**{money(miss['sale_price'], 'USD')}**" in said
    assert "So this home is estimated at about" in said
    assert "Comparable sales" in said
    assert "differs by" not in said


def test_a_miss_shows_its_flags_as_the_pricing_page_does(home: Path, scored: ScoredSales, problem: Problem) -> None:
    by = Segmentation.ESTIMATE_BAND
    segments = [(name, sales_of(scored, {by: name}, problem)) for name in by_segment(scored, (by,), problem)[by.value]]
    unsure = [(name, sales) for name, sales in segments if sales["review"].str.contains("low confidence").any()]
    name, sales = next((name, sales) for name, sales in unsure if (sales["flags"] == "").any())
    miss = sales[sales["review"].str.contains("low confidence")].iloc[0]
    said = text(chosen_sale(opened("Segments", segment=name), int(miss["intake_row"])))
    assert "**Flags**" in said
    low = "Confidence is low: compare with sales of similar homes before you quote a price."
    assert f":orange[:material/flag:] {low}" in said
    assert "No flag" not in said
    unflagged = sales[sales["flags"] == ""].iloc[0]
    said = text(chosen_sale(opened("Segments", segment=name), int(unflagged["intake_row"])))
    assert "No flag" in said
    assert "**Flags**" not in said


def test_the_explained_sale_is_closed_again(home: Path, scored: ScoredSales, problem: Problem) -> None:
    name = worst_segment(scored, problem)
    miss = sales_of(scored, {Segmentation.ESTIMATE_BAND: name}, problem).iloc[0]
    app = chosen_sale(opened("Segments", segment=name), int(miss["intake_row"]))
    app.button("close_sale").click().run()
    assert "sale" not in app.query_params
    assert "Check a sale" in text(app)


@pytest.mark.parametrize("sale", ["999999", "none", "-1"])
def test_a_sale_of_another_segment_is_not_explained(
    home: Path, scored: ScoredSales, problem: Problem, sale: str
) -> None:
    app = opened("Segments", segment=worst_segment(scored, problem))
    app.query_params["sale"] = sale
    app.run()
    assert not app.exception
    assert f"The sale in row {sale} is not in this list" in text(app)


def test_another_segment_forgets_the_sale_chosen(home: Path, scored: ScoredSales, problem: Problem) -> None:
    name = worst_segment(scored, problem)
    miss = sales_of(scored, {Segmentation.ESTIMATE_BAND: name}, problem).iloc[0]
    app = chosen_sale(opened("Segments", segment=name), int(miss["intake_row"]))
    others = [option for option in app.selectbox("segment").options if option != name]
    app.selectbox("segment").select(others[0]).run()
    assert "sale" not in app.query_params


def test_importance_and_the_effect_of_a_chosen_fact(home: Path) -> None:
    app = opened("Importance", fact="bathrooms")
    assert not app.exception
    said = text(app)
    assert "priced again with each value, compared with bathrooms" in said
    assert len(app.get("plotly_chart")) == 2
    summary = app.table[-1].value
    assert summary["Moves it by, %"].is_monotonic_decreasing
    assert "Living area" in summary["Facts"].tolist()


def test_a_card_without_curve_or_forests_says_what_to_do(home: Path) -> None:
    app = opened("Candidates")
    said = text(app)
    assert "without a learning curve" in said
    assert "This run did not compare forests" in said
    assert not app.get("plotly_chart")


def test_curve_and_forest_sizes_come_with_the_card(trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = as_home(trained_home, monkeypatch)
    with open_store(home) as store:
        records = store.models.list(store.markets.list()[0].market_id)
    forest = next(one for one in records if one.card["forest_search"])
    app = opened("Candidates", evaluated=forest.model_id)
    assert not app.exception
    said = text(app)
    assert "A forest of 75 trees instead of 150" in said
    last = forest.card["curve"][-1]
    assert f"{percent(last['mape'], 1)}" in said
    # The curve, and error, size and latency of the forests.
    assert len(app.get("plotly_chart")) == 4
    sizes = next(one.value for one in app.table if "Trees" in one.value)
    assert sizes["Trees"].is_monotonic_increasing
    assert {75, 150} <= set(sizes["Trees"])


def test_without_decisions_the_verdicts_say_where_they_are_made(home: Path) -> None:
    app = opened(VERDICTS)
    assert "Agents decide on an estimate below its price range" in text(app)
    assert "What the test says about the same model" in text(app)
    assert not app.get("plotly_chart")


def test_decisions_of_agents_stand_beside_the_test(own_home: Path, problem: Problem) -> None:
    with open_store(own_home) as store:
        model_id = live_model(own_home)
        market = store.models.get(model_id).market_id
        for number in range(8):
            estimate = store.ledger.append(an_estimate(market, model_id), AGENT)
            accepted = NewDecision(estimate.estimate_id, "accept", 500_000.0)
            adjusted = NewDecision(estimate.estimate_id, "adjust", 550_000.0, reason_code="layout")
            store.ledger.decide(accepted if number < 6 else adjusted, AGENT)
    app = opened(VERDICTS)
    assert not app.exception
    said = text(app)
    assert "Agents accepted 75% of 8 estimates" in said
    assert " 75.0%" in said
    assert "Mean change where changed +10.0%" in said
    assert "fewer than 30 decisions" in said
    assert len(app.get("plotly_chart")) == 1


def an_estimate(market_id: str, model_id: str) -> NewEstimate:
    """An estimate of 500,000 as the desk records it."""
    return NewEstimate(
        market_id=market_id,
        as_of=date(2025, 1, 1),
        channel="page",
        status="priced",
        currency="USD",
        latency_ms=9.0,
        model_id=model_id,
        facts={},
        answer={},
        point=500_000.0,
        low=430_000.0,
        high=590_000.0,
        level=0.8,
        confidence=70.0,
    )


def take_in_later_sales(home: Path, count: int) -> None:
    """Add sales after the latest, alike to known ones."""
    with open_store(home) as store:
        version = store.versions.latest(store.markets.list()[0].market_id)
        assert version is not None
        sales = store.versions.load(version.version_id)
        later = sales.tail(count).copy()
        later["sale_date"] = sales["sale_date"].max() + pd.to_timedelta(np.arange(1, count + 1), unit="D")
        later["intake_row"] = sales["intake_row"].max() + np.arange(1, count + 1)
        both, ledger = pd.concat([sales, later], ignore_index=True), pd.DataFrame({"source_row": [1]})
        new = NewVersion(version.market_id, both, version.version_id, (), ledger, count, "later sales")
        store.versions.commit(new, MANAGER)


def test_sales_since_training_are_offered_once_there_are_some(own_home: Path) -> None:
    assert "Since training" not in periods_of(opened())
    take_in_later_sales(own_home, 60)
    app = opened(sales="Since training")
    assert not app.exception
    assert "Since training" in periods_of(app)
    assert "sales since training, priced month-ahead: 60 sales from" in text(app)
    app = opened("Segments", sales="Since training", segment="$200K to $500K")
    listed = app.dataframe[-1].value
    assert {"Flags", "Intake row"}.isdisjoint(listed)
    with open_store(own_home) as store:
        [market] = store.markets.list()
        latest = store.versions.latest(market.market_id)
        assert latest is not None
        sales = store.versions.load(latest.version_id)
    row = int(sales.loc[sales["sale_price"] == listed["Sold for"].iloc[0], "intake_row"].max())
    said = text(chosen_sale(app, row))
    assert "based only on the sales before" in said
    assert "differs by" not in said


def periods_of(app: AppTest) -> list[str]:
    return list(app.selectbox("sales").options)


def put_scores(home: Path, sha256: str | None) -> None:
    """Write other scores, or none, on the live model's card."""
    with sqlite3.connect(home / "doorstep.sqlite") as database:
        [(model, card)] = database.execute("SELECT model_id, card FROM model").fetchall()
        changed = json.loads(card) | {SCORES: sha256}
        database.execute("UPDATE model SET card = ? WHERE model_id = ?", (json.dumps(changed), model))
    database.close()


def bare(scored: ScoredSales) -> ScoredSales:
    """Sales of a market that records prices and dates only."""
    known = [
        name for name in (*FACTS, "age", "trend", "list_price", "baseline", "school_rating") if name in scored.table
    ]
    extra = [name for name in scored.table if str(name).startswith("x_")]
    table = scored.table.drop(columns=extra).copy()
    for name in known:
        table[name] = pd.Series(np.nan, index=table.index).astype(table[name].dtype)
    return ScoredSales(scored.terms, table)


def never_priced(scored: ScoredSales) -> ScoredSales:
    """Sales the desk would have priced none of."""
    table = scored.table.assign(priced=False, withheld="Living area is missing.", review="", flags="")
    return ScoredSales(scored.terms, table)


def one_kind(scored: ScoredSales) -> ScoredSales:
    """Sales that share one value of every fact, in one quarter."""
    alike = {name: scored.table[name].iloc[0] for name in (*FACTS, "age", "trend", "quarter", "school_rating")}
    return ScoredSales(scored.terms, scored.table.assign(**alike))


@pytest.mark.parametrize(
    "made",
    [bare(scored_sales(300)), never_priced(scored_sales(40)), one_kind(scored_sales(300)), scored_sales(2)],
    ids=["no facts", "none priced", "constant facts", "two sales"],
)
def test_what_cannot_be_shown_is_said_and_nothing_breaks(own_home: Path, made: ScoredSales) -> None:
    with open_store(own_home) as store:
        sha256 = keep_scores(store, made)
    put_scores(own_home, sha256)
    app = opened()
    for part in PARTS:
        turn_to(app, part)
        app.run()
        assert not app.exception, part
        assert not app.error, part
        assert len(text(app)) > 100, part


def test_a_market_without_areas_has_no_chart_of_them(own_home: Path) -> None:
    with open_store(own_home) as store:
        sha256 = keep_scores(store, bare(scored_sales(300)))
    put_scores(own_home, sha256)
    app = opened("Bias")
    assert not app.get("plotly_chart")
    assert "Map one of them at upload" in text(app)


def test_a_model_without_scores_says_what_to_do(own_home: Path) -> None:
    put_scores(own_home, None)
    app = opened()
    assert not app.exception
    assert "Train a new model to evaluate one" in text(app)


def test_damaged_scores_are_refused_in_a_line(own_home: Path) -> None:
    with open_store(own_home) as store:
        sha256 = str(store.models.get(live_model(own_home)).card[SCORES])
    [stored] = [path for path in own_home.rglob(f"*{sha256}*") if path.is_file()]
    stored.chmod(0o600)
    stored.write_bytes(b"not what was stored")
    app = opened()
    assert not app.exception
    assert len(app.error) == 1


def test_without_a_model_the_page_points_to_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_home(tmp_path / "empty", monkeypatch)
    app = opened()
    assert not app.exception
    assert "no model to evaluate" in text(app)


def test_the_live_model_is_shown_first(trained_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = as_home(Path(shutil.copytree(trained_home, tmp_path / "two")), monkeypatch)
    app = opened()
    chooser = app.selectbox("evaluated")
    assert len(chooser.options) == 2
    assert chooser.value == live_model(home)
    other = next(option for option in chooser.options if live_model(home) not in option)
    chooser.select_index(chooser.options.index(other)).run()
    assert "(candidate), data version" in text(app)
    assert f"is not live: agents are answered by {live_model(home)}." in text(app)
    app.button("show_live").click().run()
    assert app.selectbox("evaluated").value == live_model(home)
    assert "is not live" not in text(app)
