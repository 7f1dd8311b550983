"""The decision on an estimate, without a browser: one tap to accept, reasons where they are due, nothing typed lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from core.access import Actor, Role
from core.errors import InvalidDecision
from core.problem import Problem
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.serve.review.flag import Flag, FlagKind, Severity
from core.store import NewDecision, Store, open_store
from core.train.ranges import round_for_display
from core.workflows.pricing.answers import Question, RecordedAnswer, price_and_record
from core.workflows.pricing.decisions import DecisionInput, decide, history
from core.workflows.pricing.desk import Desk, open_desk
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS

AGENT = Actor("Ann *A*", Role.AGENT, "North")
Draw = Callable[..., AppTest]


@pytest.fixture
def store(own_small_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with open_store(own_small_store) as opened:
        yield opened


@pytest.fixture
def desk(store: Store, problem: Problem) -> Desk:
    return open_desk(store, store.markets.list()[0].market_id, problem)


@pytest.fixture
def answered(store: Store, desk: Desk) -> RecordedAnswer:
    assert desk.bundle is not None
    code = next(iter(desk.bundle.model.profile.area_codes["zipcode"]))
    facts = {"zipcode": code, "living_area_sqft": 1_680.0, "bedrooms": 3.0}
    return price_and_record(
        acting(store, AGENT), desk, Question(facts, desk.bundle.model.profile.last_sale, 0.8), "page"
    )


@pytest.fixture
def draw(store: Store, desk: Desk, answered: RecordedAnswer) -> Draw:
    def drawn(what: RecordedAnswer = answered, actor: Actor = AGENT, reconciled: float | None = None) -> AppTest:
        def page() -> None:
            import streamlit as st

            from pages.views.pricing import decision

            decision.draw(*st.session_state["given"])

        app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS)
        weights = {"7": 0.6, "9": 0.4}
        app.session_state["given"] = (acting(store, actor), what, desk, reconciled, weights, lambda: False, "**$1**")
        return app.run()

    return drawn


def estimate_of(answered: RecordedAnswer) -> Estimate:
    assert isinstance(answered.result, Estimate)
    return answered.result


def press(app: AppTest, label: str) -> AppTest:
    [button] = [button for button in app.button if button.label.startswith(label)]
    return button.click().run()


def field(app: AppTest, name: str, answered: RecordedAnswer) -> str:
    return f"{name}-{answered.estimate_id}"


def test_one_tap_accepts_with_the_usual_listing_price(draw: Draw, store: Store, answered: RecordedAnswer) -> None:
    app = press(draw(), "Accept ")
    assert answered.estimate_id is not None
    made = store.ledger.decision(answered.estimate_id)
    assert made is not None
    point = estimate_of(answered).point
    assert (made.kind, made.price, made.actor) == ("accept", point, "Ann *A*")
    assert made.listing_price == pytest.approx(1.02 * point, rel=0.01)
    [shown] = app.success
    assert "Accepted" in shown.value
    assert "Ann \\*A\\* (agent, North)" in shown.value
    assert not any(one.label.startswith("Accept ") for one in app.button), "decided: the fields are folded"
    assert not app.exception


def set_price(app: AppTest, answered: RecordedAnswer, price: float) -> AppTest:
    return app.text_input(field(app, "price", answered)).set_value(f"{price:,.0f}").run()


def amount(app: AppTest, widget: str) -> float:
    """Return the amount a field shows."""
    return float(str(app.text_input(widget).value).replace(",", ""))


def usual(price: float) -> float:
    """Return the usual list price, rounded as every price is shown."""
    return float(round_for_display(1.02 * price))


def test_the_list_price_follows_the_own_price_until_it_is_touched(draw: Draw, answered: RecordedAnswer) -> None:
    app, point = draw(), estimate_of(answered).point
    own, listing = field(app, "price", answered), field(app, "listing", answered)
    assert amount(app, own) == point
    app = set_price(app, answered, point + 20_000)
    assert amount(app, listing) == usual(point + 20_000)
    app.text_input(listing).set_value(str(int(point) + 50_000)).run()
    app = set_price(app, answered, point + 10_000)
    assert amount(app, listing) == int(point) + 50_000


def test_a_list_price_below_the_own_price_is_asked_about(draw: Draw, store: Store, answered: RecordedAnswer) -> None:
    app, point = draw(), estimate_of(answered).point
    app.text_input(field(app, "listing", answered)).set_value(str(int(point) - 9_000)).run()
    assert "below your own price" in app.warning[0].value
    assert not [one for one in app.button if one.label.startswith("Accept ") and "all the same" not in one.label]
    app = press(app, "List at ")
    assert not app.warning
    own, listing = field(app, "price", answered), field(app, "listing", answered)
    app = set_price(app, answered, point + 20_000)
    assert amount(app, listing) == usual(point + 20_000), "it follows the price again"
    app.text_input(own).set_value(str(int(point))).run()
    app = press(app, "Accept ")
    assert answered.estimate_id is not None
    made = store.ledger.decision(answered.estimate_id)
    assert made is not None
    assert made.listing_price == usual(point)
    app = press(app, "Change the decision")
    app.text_input(field(app, "listing", answered)).set_value(str(int(point) - 9_000)).run()
    press(app, "Accept ")
    made = store.ledger.decision(answered.estimate_id)
    assert made is not None
    assert made.listing_price == int(point) - 9_000


def test_a_list_price_far_above_the_own_price_is_asked_about(draw: Draw, answered: RecordedAnswer) -> None:
    app, point = draw(), estimate_of(answered).point
    app.text_input(field(app, "listing", answered)).set_value(str(int(point) * 10)).run()
    assert "900% above your own price" in app.warning[0].value
    assert not [one for one in app.button if one.label.startswith("Accept ") and "all the same" not in one.label]
    app.text_input(field(app, "listing", answered)).set_value(str(int(1.2 * point))).run()
    assert not app.warning


def test_a_decision_taken_back_gives_way_to_the_one_before_it(
    draw: Draw, store: Store, answered: RecordedAnswer
) -> None:
    assert answered.estimate_id is not None
    point = estimate_of(answered).point
    app = press(press(draw(), "Accept "), "Change the decision")
    app = press(set_price(app, answered, point + 1_000), "Adjust to ")
    assert "Adjusted" in app.success[0].value
    app = press(app, "Take it back")
    assert "Accepted" in app.success[0].value
    assert not app.error
    assert "The decision before it counts again." in app.info[0].value
    app = press(app, "Take it back")
    assert not app.success
    assert "The price is open again." in app.info[0].value
    assert store.ledger.decision(answered.estimate_id) is None
    press(app, "Accept ")
    assert store.ledger.decision(answered.estimate_id) is not None


def test_a_decision_replaced_by_a_colleague_is_not_taken_back_unseen(
    draw: Draw, store: Store, answered: RecordedAnswer
) -> None:
    assert answered.estimate_id is not None
    point = estimate_of(answered).point
    app = press(draw(), "Accept ")
    theirs = store.ledger.decide(NewDecision(answered.estimate_id, "adjust", point + 1_000), Actor("Bo", Role.AGENT))
    app = press(app, "Take it back")
    assert "no longer counts" in app.error[0].value
    assert "Open the estimate" not in app.error[0].value, "the decision that counts stands beside it"
    assert "Adjusted" in app.success[0].value
    assert store.ledger.decision(answered.estimate_id) == theirs


@pytest.mark.parametrize("label", ["Accept ", "Use "])
def test_a_press_in_a_window_that_did_not_show_the_decision_made_meanwhile_decides_nothing_and_says_so(
    draw: Draw, store: Store, answered: RecordedAnswer, label: str
) -> None:
    assert answered.estimate_id is not None
    point = estimate_of(answered).point
    app = draw(reconciled=point + 2_000)
    theirs = store.ledger.decide(NewDecision(answered.estimate_id, "adjust", point + 1_000), Actor("Bo", Role.AGENT))
    app = press(app, label)
    [warning] = app.warning
    said = warning.value.replace("\\", "")
    assert said.startswith(f"Decided meanwhile in another window: Adjusted ${point + 1_000:,.0f}")
    assert said.endswith("; what you pressed was not recorded.")
    assert store.ledger.decision(answered.estimate_id) == theirs
    # What is on screen now can be changed.
    app = press(press(app, "Change the decision"), "Adjust to ")
    assert not app.warning
    assert len(store.ledger.decisions_on(answered.estimate_id)) == 2


def test_what_was_typed_beside_a_decision_made_meanwhile_is_not_lost_without_a_word(
    draw: Draw, store: Store, answered: RecordedAnswer
) -> None:
    assert answered.estimate_id is not None
    point = estimate_of(answered).point
    app = draw()
    made = store.ledger.decide(NewDecision(answered.estimate_id, "accept", point), AGENT)
    app = set_price(app, answered, point + 9_000)
    assert "what you typed was not recorded" in app.warning[0].value
    app = press(app, "Change the decision")
    store.ledger.take_back(answered.estimate_id, made.decision_id, AGENT)
    app = press(app, "Accept ")
    assert "taken back meanwhile in another window" in app.warning[0].value
    assert store.ledger.decision(answered.estimate_id) is None


def test_the_value_with_the_comparables_is_taken_with_a_press(
    draw: Draw, store: Store, answered: RecordedAnswer
) -> None:
    point = estimate_of(answered).point
    app = draw(reconciled=point + 2_000)
    assert amount(app, field(app, "price", answered)) == point
    app = press(app, "Use ")
    own, listing = field(app, "price", answered), field(app, "listing", answered)
    assert amount(app, own) == point + 2_000
    # A browser that has not heard of the new amounts yet sends the old ones with the press: nothing is recorded.
    app.text_input(own).set_value(f"{point:,.0f}")
    app.text_input(listing).set_value(f"{usual(point):,.0f}")
    app = press(app, "Adjust to ")
    assert "The amounts changed as you pressed" in app.error[0].value
    assert not app.success
    assert (amount(app, own), amount(app, listing)) == (point + 2_000, usual(point + 2_000))
    app = press(app, "Adjust to ")
    assert answered.estimate_id is not None
    made = store.ledger.decision(answered.estimate_id)
    assert made is not None
    assert (made.kind, made.price) == ("adjust", point + 2_000)
    assert made.listing_price == pytest.approx(1.02 * made.price, rel=0.01)


def test_an_amount_typed_and_pressed_at_once_is_recorded_with_one_press(
    draw: Draw, store: Store, answered: RecordedAnswer
) -> None:
    assert answered.estimate_id is not None
    point = estimate_of(answered).point
    app = draw()
    # Leaving the field and the press reach the server before it has drawn the button anew.
    app.text_input(field(app, "price", answered)).set_value(f"{point + 2_000:.0f}")
    app = press(app, "Accept ")
    made = store.ledger.decision(answered.estimate_id)
    assert made is not None
    assert (made.kind, made.price, made.listing_price) == ("adjust", point + 2_000, usual(point + 2_000))
    # What it makes of a list price is asked about first.
    app = press(app, "Change the decision")
    app.text_input(field(app, "listing", answered)).set_value(f"{point - 9_000:.0f}")
    app = press(app, "Adjust to ")
    assert "below your own price" in app.warning[0].value
    assert len(store.ledger.decisions_on(answered.estimate_id)) == 1
    press(app, "Adjust to ")
    assert len(store.ledger.decisions_on(answered.estimate_id)) == 2


def test_what_is_missing_is_asked_for_and_nothing_typed_is_lost(draw: Draw, answered: RecordedAnswer) -> None:
    price = int(1.8 * estimate_of(answered).point)
    app = set_price(draw(), answered, price)
    app.text_input(field(app, "note", answered)).set_value("Rebuilt in 2023.")
    app = press(app, "Override with ")
    [error] = app.error
    assert "beyond 5% a reason is needed" in error.value
    assert "choose a reason first" in app.selectbox(field(app, "reason", answered)).label
    assert not app.success
    assert amount(app, field(app, "price", answered)) == price
    assert app.text_input(field(app, "note", answered)).value == "Rebuilt in 2023."
    app.selectbox(field(app, "reason", answered)).set_value("renovation_unknown").run()
    assert app.selectbox(field(app, "reason", answered)).label == "Reason"
    app = press(app, "Override with ")
    assert not app.error
    [shown] = app.success
    assert "Overridden" in shown.value
    assert "Renovation the records do not show" in shown.value
    assert "+80.0% from the estimate" in shown.value


def test_a_decision_is_changed_from_all_it_says_its_reason_and_note_and_that_it_is_not_listed(
    draw: Draw, store: Store, answered: RecordedAnswer
) -> None:
    assert answered.estimate_id is not None
    price = float(int(1.8 * estimate_of(answered).point))
    said = DecisionInput("override", price, None, "renovation_unknown", "Rebuilt in 2023.")
    decide(acting(store, AGENT), answered.estimate_id, said)
    app = press(draw(), "Change the decision")
    assert app.selectbox(field(app, "reason", answered)).value == "renovation_unknown"
    assert app.text_input(field(app, "note", answered)).value == "Rebuilt in 2023."
    assert app.text_input(field(app, "listing", answered)).value == ""
    app = press(set_price(app, answered, price + 1_000), "Override with ")
    assert not app.error
    changed = history(acting(store), answered.estimate_id)[0]
    assert (changed.price, changed.listing_price) == (price + 1_000, None)
    assert (changed.reason_code, changed.note) == (said.reason_code, said.note)


@pytest.mark.parametrize("typed", ["-5", "0", "1e99", "abc", ""])
def test_an_amount_that_is_no_price_of_a_home_cannot_be_decided_on(
    draw: Draw, answered: RecordedAnswer, typed: str
) -> None:
    app = draw()
    app.text_input(field(app, "price", answered)).set_value(typed).run()
    said = "is no price of a home" if typed else "Your price is empty"
    assert any(said in one.value for one in app.caption)
    app = press(app, "Record")
    assert [one.value for one in app.error if said in one.value], "pressed at once, it says what is missing"
    assert not app.success
    app.text_input(field(app, "price", answered)).set_value(f"{int(estimate_of(answered).point)}")
    app = press(app, "Record")
    assert app.success, "what is typed and pressed at once counts"


@pytest.mark.parametrize("typed", ["430.000", "430 000", "$430k"])
def test_an_amount_is_read_as_people_write_it(draw: Draw, answered: RecordedAnswer, typed: str) -> None:
    app = draw()
    app.text_input(field(app, "price", answered)).set_value(typed).run()
    assert amount(app, field(app, "price", answered)) == 430_000


def test_a_price_outside_the_range_is_an_override_and_the_button_names_it(draw: Draw, answered: RecordedAnswer) -> None:
    estimate = estimate_of(answered)
    app = set_price(draw(), answered, estimate.high + 1_000)
    assert "outside the range" in "".join(caption.value for caption in app.caption)
    [button] = [one for one in app.button if one.label.startswith("Override with ")]
    assert f"{int(estimate.high) + 1_000:,}" in button.label
    assert ", list at " in button.label


def test_a_later_decision_supersedes_and_the_earlier_is_still_shown(
    draw: Draw, store: Store, answered: RecordedAnswer
) -> None:
    app = press(press(draw(), "Accept "), "Change the decision")
    assert amount(app, field(app, "price", answered)) == estimate_of(answered).point, "the decision's own amounts"
    app = press(set_price(app, answered, estimate_of(answered).point + 2_000), "Adjust to ")
    [shown] = app.success
    assert "Adjusted" in shown.value
    assert [part.label for part in app.expander if "Earlier" in part.label] == ["Earlier decisions (1)"]
    assert answered.estimate_id is not None
    assert [one.kind for one in history(acting(store), answered.estimate_id)] == ["adjust", "accept"]


def test_who_may_not_decide_sees_what_was_decided_and_who_may(draw: Draw) -> None:
    press(draw(), "Accept ")
    app = draw(actor=Actor("Bo", Role.ANALYST))
    assert "Accepted" in app.success[0].value
    assert not app.button
    assert "Only agents, office leads or managers can make decisions." in [caption.value for caption in app.caption]


def test_only_a_recorded_price_can_be_decided_on(
    draw: Draw, store: Store, desk: Desk, answered: RecordedAnswer
) -> None:
    unrecorded = draw(what=dataclasses.replace(answered, estimate_id=None))
    assert not unrecorded.button
    assert "was not recorded" in unrecorded.caption[0].value
    nothing = price_and_record(
        acting(store, AGENT), desk, Question({"bedrooms": 3.0}, answered.question.as_of, 0.8), "page"
    )
    assert not draw(what=nothing).button


def test_a_reason_fits_the_side_of_the_price_and_one_of_the_other_side_is_dropped_and_refused(
    draw: Draw, store: Store, answered: RecordedAnswer
) -> None:
    point, reason = estimate_of(answered).point, field(draw(), "reason", answered)
    beyond = 1.05 * estimate_of(answered).high
    app = set_price(draw(), answered, 0.9 * point)
    assert "Condition is worse than the facts say" in app.selectbox(reason).options
    assert "Condition is better than the facts say" not in app.selectbox(reason).options
    app.selectbox(reason).set_value("condition_worse").run()
    app = set_price(app, answered, beyond)
    assert app.selectbox(reason).value is None
    assert "Condition is worse than the facts say" not in app.selectbox(reason).options
    assert any("“Condition is worse than the facts say” explains a lower price" in one.value for one in app.caption)
    app = press(app, "Override with ")
    assert "a reason is needed" in app.error[0].value
    assert app.selectbox(reason).value is None
    app.selectbox(reason).set_value("condition_better").run()
    assert not any("explains a lower price" in one.value for one in app.caption)
    assert answered.estimate_id is not None
    wrong = DecisionInput("override", beyond, None, "condition_worse", "Needs a roof.")
    with pytest.raises(InvalidDecision, match="explains one on the other side"):
        decide(acting(store, AGENT), answered.estimate_id, wrong)


def test_fields_come_in_the_order_of_the_keyboard_price_first_and_button_last(
    draw: Draw, answered: RecordedAnswer
) -> None:
    app = set_price(draw(), answered, 1.3 * estimate_of(answered).point)
    kinds = [one.type for one in app.main if isinstance(one, Element)]
    inputs = [kind for kind in kinds if kind in ("text_input", "selectbox", "button")]
    assert inputs[:5] == ["text_input", "text_input", "selectbox", "text_input", "button"]


def test_a_decision_that_is_being_changed_can_be_kept(draw: Draw, store: Store, answered: RecordedAnswer) -> None:
    app = press(press(draw(), "Accept "), "Change the decision")
    app = press(set_price(app, answered, 1.3 * estimate_of(answered).point), "Keep it as it is")
    assert "Accepted" in app.success[0].value
    assert not app.text_input, "the fields are folded again"
    app = press(app, "Change the decision")
    assert amount(app, field(app, "price", answered)) == estimate_of(answered).point, "what was typed is dropped"


def test_after_deciding_the_foot_of_a_phone_says_so_and_the_next_home_can_be_begun(
    draw: Draw, answered: RecordedAnswer
) -> None:
    def glance(app: AppTest) -> str:
        [line] = [one.value for one in app.markdown if one.value.startswith("**$1**")]
        return str(line)

    app = draw()
    assert glance(app) == "**$1** [Decide](#your-decision)"
    assert "Next home" not in [one.label for one in app.button]
    app = press(app, "Accept ")
    assert glance(app) == "**$1** [Decided](#your-decision)"
    assert "Next home" in [one.label for one in app.button]


def test_a_price_that_a_senior_agent_should_confirm_is_no_primary_button(draw: Draw, answered: RecordedAnswer) -> None:
    flag = Flag(FlagKind.PRICE_OUT_OF_SCOPE, Severity.REVIEW, "estimate", "1", "2", "Manual review")
    beyond = dataclasses.replace(estimate_of(answered), flags=(flag,))
    for result, kind, asked in ((estimate_of(answered), "primary", False), (beyond, "secondary", True)):
        app = draw(dataclasses.replace(answered, result=result))
        [accept] = [one for one in app.button if one.label.startswith("Accept ")]
        assert accept.proto.type == kind
        assert any("Have a senior agent confirm" in one.value for one in app.caption) == asked


def test_where_few_such_homes_sell_the_price_from_sales_of_its_type_is_the_primary_button(
    draw: Draw, answered: RecordedAnswer
) -> None:
    estimate = estimate_of(answered)
    flag = Flag(FlagKind.UNUSUAL_TYPE, Severity.REVIEW, "property_type", "houseboat", "standard", "Manual review")
    used, offer = {"7", "9"}, float(round(1.2 * estimate.point, -3))

    def sales(kind: str) -> tuple[Comparable, ...]:
        one = estimate.comparables[0]
        return tuple(dataclasses.replace(one, sale_id=name, facts={"property_type": kind}) for name in used)

    facts = {**estimate.subject.facts, "property_type": "houseboat"}
    boat = dataclasses.replace(estimate, flags=(flag,), subject=dataclasses.replace(estimate.subject, facts=facts))
    for kind, taken in (("houseboat", "primary"), ("condo", "tertiary")):
        result = dataclasses.replace(boat, comparables=sales(kind))
        app = draw(dataclasses.replace(answered, result=result), reconciled=offer)
        types = {one.label.split()[0]: one.proto.type for one in app.button}
        assert (types["Accept"], types["Use"]) == ("secondary", taken)
        assert any("Few such homes sell" in one.value for one in app.caption)
        app = press(app, "Use ")
        [adjusted] = [one for one in app.button if one.label.startswith(("Adjust to", "Override with"))]
        assert adjusted.proto.type == "primary"
