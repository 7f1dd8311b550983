"""The audit trail in words: every kind of entry reads as people write, without what only a program needs."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from core.problem import Problem
from core.states import AuditAction
from core.workflows.monitoring.audit_words import action_words, detail_words, subject_words, with_units

HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
READING: Final = {"value": 0.13, "n": 120, "period": "2024-05"}
ALERT: Final = {"kind": "error_high", "segment": "", "why": "It is too high.", "next_action": "Retrain."}
VERSION: Final = {
    "rows": 400,
    "set_aside": 3,
    "rows_seen": 410,
    "parent_id": "1bfe",
    "note": "a.csv",
    "files": ["a.csv"],
}
PILOT: Final = [{"office": "Harbour", "group": "pilot", "starts": "2025-06-01"}]
ROLLOUT: Final = {"before": None, "after": PILOT, "reason": "to compare offices"}
PROFILE: Final = {"fields": "license number, name, photo", "version": 1}

# What the code records with each deed: subject, detail, and words the entry must have.
ENTRIES: Final[dict[AuditAction, tuple[str, dict[str, Any], str]]] = {
    AuditAction.ALERT_ACKNOWLEDGED: ("91ab", {**ALERT, "reading": READING}, "It is too high."),
    AuditAction.ALERT_JUDGED: ("91ab", {"period": "2025-06"}, "Jun 2025"),
    AuditAction.ALERT_OPENED: ("91ab", {**ALERT, "reading": READING}, "It is too high."),
    AuditAction.ALERT_REOPENED: ("91ab", {**ALERT, "reading": READING}, "It is too high."),
    AuditAction.ALERT_RESOLVED: ("91ab", {**ALERT, "reading": READING}, "It is too high."),
    AuditAction.ALERT_UNACKNOWLEDGED: ("91ab", {**ALERT, "reading": READING}, "It is too high."),
    AuditAction.COLUMN_NAMED: ("x_roof", {"name": "Roof"}, "Roof"),
    AuditAction.DECISION_MADE: (
        "e1",
        {"kind": "adjust", "price": 367e3, "listing_price": 374e3, "reason_code": "condition", "note": ""}
        | {"decision_id": HASH, "point": 360e3, "comparables": {"7": 1.0}},
        "Price: $367,000; list price: $374,000; estimate: $360,000",
    ),
    AuditAction.DECISION_TAKEN_BACK: (
        "e1",
        {"decision_id": HASH, "kind": "adjust", "price": 367e3, "listing_price": None},
        "Price: $367,000",
    ),
    AuditAction.DECISIONS_SIMULATED: ("m", {"decisions": 12}, "Decisions: 12"),
    AuditAction.FEEDBACK_GIVEN: (
        "e1",
        {"verdict": "too_high", "note": "no view", "before": "wrong_facts"},
        "Verdict: too high; before wrong facts",
    ),
    AuditAction.GATE_JUDGED: (
        "ff6a",
        {"champion": "631e", "verdict": "fail", "n": 804, "words": "It is worse.", "window": "all sales"},
        "Live model 631e; verdict: not passed; sales: 804; trained on all sales",
    ),
    AuditAction.KEY_CREATED: (
        "k1",
        {"name": "crm", "role": "agent", "office": "North", "actions": ["price", "view_office"]},
        "may price, view office",
    ),
    AuditAction.KEY_REVOKED: ("k1", {"name": "crm"}, "crm"),
    AuditAction.LEDGER_CAUGHT_UP: ("ledger", {"estimates": 3, "lost": 1}, "Estimates: 3; lost: 1"),
    AuditAction.LEDGER_EXPORTED: ("m", {"since": "2025-03-01", "office": "North"}, "Since Mar 1, 2025; office North"),
    AuditAction.LEVEL_ADDED: ("297a", {"model_id": "ff6a", "version_id": "1bfe", "as_of": "2025-01-01"}, "Model ff6a"),
    AuditAction.LISTING_CREATED: ("l1", {"estimate_id": "e1", "reference": "A-7"}, "Estimate e1; reference A-7"),
    AuditAction.LISTING_SOLD: (
        "l1",
        {"price": 410e3, "date": "2025-03-01", "before": 400e3},
        "Price: $410,000; date Mar 1, 2025; before: $400,000",
    ),
    AuditAction.MARKET_CREATED: (
        "m",
        {"name": "Larkhaven", "currency": "USD", "area_unit": "sqft", "simulated": False},
        "Currency USD; areas in sq ft; simulated: no",
    ),
    AuditAction.MARKET_TERMS_CHANGED: (
        "m",
        {"before": {"currency": "USD", "area_unit": "sqft"}, "after": {"currency": "EUR", "area_unit": "sqm"}}
        | {"out_of_use": "631e"},
        "Out of use: model 631e; currency USD → EUR; areas in sq ft → m²",
    ),
    AuditAction.MATCH_ANSWERED: (
        "12 main st",
        {"sales_key": "12 main st", "tax_key": "12 main street", "same": True},
        "In the sales: 12 main st; in the tax roll: 12 main street; the same home: yes",
    ),
    AuditAction.MODEL_ADDED: ("ff6a", {"version_id": "1bfe", "size_bytes": 1_000}, "Data version 1bfe"),
    AuditAction.MODEL_CHALLENGED: ("ff6a", {"replaced": "631e", "reason": "the newer one"}, "Instead of model 631e"),
    AuditAction.MODEL_PROMOTED: (
        "ff6a",
        {"replaced": "631e", "reason": "it is better", "trained_by": "Ana"},
        "it is better. Instead of model 631e; trained by Ana",
    ),
    AuditAction.MODEL_REINSTATED: (
        "ff6a",
        {"reason": "a mistake", "stage": "challenger", "rejected_why": "not now"},
        "It was rejected because: not now",
    ),
    AuditAction.MODEL_REJECTED: ("ff6a", {"stage": "challenger", "reason": "worse on condos"}, "worse on condos"),
    AuditAction.MODEL_ROLLED_BACK: (
        "631e",
        {"replaced": "ff6a", "reason": "worse in use", "trained_by": "Ana"},
        "worse in use. Instead of model ff6a",
    ),
    AuditAction.MODEL_SET_BESIDE: ("ff6a", {"beside": "631e"}, "Challenger 631e"),
    AuditAction.MODEL_SIGNED: ("ff6a", {"sha256": HASH, "vouched": True}, "Vouched for: yes"),
    AuditAction.OUTCOME_CORRECTED: (
        "12",
        {"before": 400e3, "after": 410e3, "version_id": "1bfe"},
        "Before: $400,000; now: $410,000; data version 1bfe",
    ),
    AuditAction.OUTCOMES_RECORDED: (
        "1bfe",
        {"added": 5, "superseded": 1, "unchanged": 0},
        "Sale prices added: 5; replaced: 1; unchanged: 0",
    ),
    AuditAction.PRESET_REPLACED: ("King County", {}, ""),
    AuditAction.PRESET_SAVED: ("King County", {}, ""),
    AuditAction.PROFILE_CHANGED: ("person Ana", PROFILE, "Changed: license number, name, photo"),
    AuditAction.PROFILE_RESTORED: ("person Ana", {**PROFILE, "same_as": 2}, "Changed: license number, name, photo"),
    AuditAction.RETRAINING_STARTED: ("j1", {"why": "schedule", "job_id": "j1"}, "By schedule"),
    AuditAction.ROLLOUT_ENDED: ("m", ROLLOUT, "Harbour: pilot, from Jun 1, 2025"),
    AuditAction.ROLLOUT_STARTED: ("m", ROLLOUT, "to compare offices"),
    AuditAction.ROLLOUT_STOPPED: ("m", {**ROLLOUT, "before": PILOT, "after": []}, "Harbour: taken out"),
    AuditAction.ROLLOUT_TAKEN_BACK: ("m", {**ROLLOUT, "before": PILOT, "after": None}, "Harbour: taken out"),
    AuditAction.ROLLOUT_WIDENED: ("m", ROLLOUT, "Harbour: pilot, from Jun 1, 2025"),
    AuditAction.SALE_DECIDED: (
        HASH,
        {"sales": 5, "kinds": ["correct", "set_aside"], "keys": [HASH], "note": ""},
        "Sales: 5; decided corrected, set aside",
    ),
    AuditAction.SALE_DECISION_TAKEN_BACK: (
        HASH,
        {"sales": 1, "kinds": ["taken_back"], "keys": [HASH], "note": "a mistake"},
        "a mistake. Sales: 1; decided taken back",
    ),
    AuditAction.SCOPE_SIGNED: (
        "ff6a",
        {"low": 150e3, "high": 830e3, "types_left_out": ["houseboat"], "areas_left_out": [], "words": "To $830K."}
        | {"note": "agreed", "mape": 0.07, "mape_high": 0.08, "share": 0.9, "verdict": "inconclusive", "target": 0.1},
        "Verdict: the sales cannot tell; target: 10.0%",
    ),
    AuditAction.SCOPE_WITHDRAWN: (
        "ff6a",
        {"reason": "too wide for us", "words": "To $830K.", "signed_by": "Mia"},
        "Signed by Mia",
    ),
    AuditAction.SELLER_FIGURES_CHANGED: (
        "company",
        {"fields": "figures shown, reason", "version": 1, "shown": "yes", "reason": "lawyers agree"},
        "lawyers agree. Figures of the neighborhood shown: yes",
    ),
    AuditAction.SIGNED_IN: (HASH[:12], {"office": "North"}, "Office North"),
    AuditAction.SIGNED_OUT: (HASH[:12], {"office": ""}, ""),
    AuditAction.TEST_OPENED: ("ff6a", {"sales": 800, "split": "random"}, "Sales: 800; split random"),
    AuditAction.THRESHOLD_CHANGED: (
        "error_high",
        {"before": 0.12, "after": 0.13, "reason": "small"},
        "From 12% to 13%",
    ),
    AuditAction.THRESHOLD_RESET: ("error_high", {"before": 0.09, "after": None, "reason": "back"}, "From 9% to 12%"),
    AuditAction.TRAIL_EXPORTED: ("m", {"entries": 40}, "Entries: 40"),
    AuditAction.VERSION_COMMITTED: ("1bfe", VERSION, "a.csv. Sales in use: 400; set aside: 3; rows read: 410"),
    AuditAction.VERSION_RESTORED: ("1bfe", {**VERSION, "reason": "it was right"}, "it was right. a.csv. Sales in use"),
    AuditAction.VERSION_UNDONE: (
        "1bfe",
        {"reason": "the wrong county", "restored": "0a0a"},
        "the wrong county. In use again: data version 0a0a",
    ),
}


def test_every_kind_of_entry_is_looked_at() -> None:
    assert ENTRIES.keys() == set(AuditAction)


@pytest.mark.parametrize("action", list(AuditAction), ids=lambda one: str(one.value))
def test_an_entry_reads_without_names_of_fields_hashes_or_numbers_of_versions(
    action: AuditAction, problem: Problem
) -> None:
    subject, detail, said = ENTRIES[action]
    words = detail_words(with_units(subject, detail, problem), "USD")
    of = subject_words(action.value, subject, detail)
    shown = f"{action_words(action.value)} | {of} | {words}"
    assert said in words
    own = set(re.findall(r"\w*_\w*", subject))
    assert set(re.findall(r"\w*_\w*", shown)) <= own, "a raw name"
    assert not re.search(r"[0-9a-f]{12}|\bversion:? \d+\b|\{|\[|\bNone\b|\bnan\b|→ None", shown), shown
    assert not re.search(r"\b(id|key|seq|sha256|sqft|sqm)\b", words), words
