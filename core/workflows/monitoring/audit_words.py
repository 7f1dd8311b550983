"""The audit trail in words: what was done, to what, and with what result, without codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from core.monitor.rules import RULE_OF, RULES, AlertKind
from core.monitor.windows import window_named
from core.problem import Problem
from core.states import AuditAction, FeedbackVerdict, SaleDecision
from core.store.operations.alerts import AlertRecord
from core.wording import market_day, marks, money, percent

_PARTS: Final = 6
_LONG: Final = 300
_ENDS: Final = ("before", "after")
# What the code alone would not say; every other action reads as it is written.
_ACTIONS: Final[dict[str, str]] = {
    AuditAction.ALERT_UNACKNOWLEDGED: "Alert given back",
    AuditAction.COLUMN_NAMED: "Column named",
    AuditAction.DECISION_TAKEN_BACK: "Decision taken back",
    AuditAction.GATE_JUDGED: "Challenger compared with the live model",
    AuditAction.LEDGER_CAUGHT_UP: "Waiting estimates written to the ledger",
    AuditAction.LEVEL_ADDED: "Market level set",
    AuditAction.MARKET_TERMS_CHANGED: "Currency or unit of a market changed",
    AuditAction.MATCH_ANSWERED: "Question about an address answered",
    AuditAction.MODEL_ADDED: "Model trained",
    AuditAction.MODEL_CHALLENGED: "Model made challenger",
    AuditAction.MODEL_SET_BESIDE: "Model left beside the challenger that waits for a decision",
    AuditAction.PRESET_REPLACED: "Column mapping replaced",
    AuditAction.PRESET_SAVED: "Column mapping saved",
    AuditAction.PROFILE_CHANGED: "Profile changed",
    AuditAction.PROFILE_RESTORED: "Earlier profile in use again",
    AuditAction.ROLLOUT_ENDED: "Pilot ended: every office has estimates",
    AuditAction.ROLLOUT_STARTED: "Pilot started",
    AuditAction.ROLLOUT_STOPPED: "Pilot stopped",
    AuditAction.ROLLOUT_TAKEN_BACK: "Change of the pilot taken back",
    AuditAction.ROLLOUT_WIDENED: "Offices added to the pilot",
    AuditAction.SALE_DECIDED: "Doubtful sale decided",
    AuditAction.SELLER_FIGURES_CHANGED: "Figures in sellers' reports changed",
    AuditAction.SIGNED_IN: "Signed in",
    AuditAction.SIGNED_OUT: "Signed out",
    AuditAction.TEST_OPENED: "Sealed test opened",
    AuditAction.THRESHOLD_CHANGED: "Alert limit changed",
    AuditAction.THRESHOLD_RESET: "Alert limit reset",
    AuditAction.TRAIL_EXPORTED: "Audit trail exported",
    AuditAction.VERSION_COMMITTED: "Sales committed",
    AuditAction.VERSION_RESTORED: "Earlier sales in use again",
    AuditAction.VERSION_UNDONE: "Latest sales undone",
}
# Details that are sentences or names: they stand first, without a label.
_PROSE: Final = ("why", "reason", "words", "note", "name")
# Details that repeat others, or that only a program needs; the file has them.
_LEFT_OUT: Final = frozenset(
    {"kind", "segment", "next_action", "reading", "parent_id", "files", "token", "sha256", "statement", "state"}
    | {"size_bytes", "stage", "job_id", "decision_id", "version", "same_as", "keys"}
    # The words of a scope that was signed have them.
    | {"low", "high", "mape", "mape_high", "share"}
)
_LABELS: Final[dict[str, str]] = {
    "added": "sale prices added",
    "actor_id": "by",
    "after": "now",
    "before": "before",
    "estimate_id": "estimate",
    "fields": "changed:",
    "lost": "lost",
    "out_of_use": "out of use: model",
    "restored": "in use again: data version",
    "sales_key": "in the sales:",
    "same": "the same home",
    "shown": "figures of the neighborhood shown:",
    "signed_by": "signed by",
    "tax_key": "in the tax roll:",
    "trained_by": "trained by",
    "vouched": "vouched for",
    "champion": "live model",
    "listing_price": "list price",
    "point": "estimate",
    "n": "sales",
    "rejected_why": "it was rejected because:",
    "verdict": "verdict:",
    "window": "trained on",
    "as_of": "as of",
    "beside": "challenger",
    "area_unit": "areas in",
    "model_id": "model",
    "promoter_id": "by",
    "replaced": "instead of model",
    "rows": "sales in use",
    "rows_seen": "rows read",
    "sales": "sales",
    "set_aside": "set aside",
    "superseded": "replaced",
    "version_id": "data version",
    "window_months": "months of sales",
}
# Details that are amounts in the market's currency.
_SHARES: Final = frozenset({"target"})
_MONEY: Final = frozenset({"price", "listing_price", "point", "list_price", "sale_price", "before", "after"})
# Values as a program writes them.
_VALUES: Final[dict[tuple[str, str], str]] = {
    ("area_unit", "sqft"): "sq ft",
    ("area_unit", "sqm"): "m²",
    ("verdict", "pass"): "passed",
    ("verdict", "fail"): "not passed",
    ("verdict", "inconclusive"): "the sales cannot tell",
    ("why", "schedule"): "By schedule",
    ("why", "alert"): "As an alert asks for it",
}
_KINDS: Final[dict[str, str]] = {
    SaleDecision.KEEP: "kept",
    SaleDecision.SET_ASIDE: "set aside",
    SaleDecision.CORRECT: "corrected",
    SaleDecision.TAKEN_BACK: "taken back",
}
_SUBJECTS: Final = {
    "alert": "alert",
    "column": "column",
    "decision": "estimate",
    "decisions": "market",
    "feedback": "estimate",
    "gate": "model",
    "key": "API key",
    "level": "level",
    "ledger": "market",
    "listing": "listing",
    "market": "market",
    "match": "address in",
    "model": "model",
    "outcome": "sale",
    "outcomes": "data version",
    "preset": "mapping",
    "retraining": "job",
    "rollout": "market",
    "sale": "doubtful sales",
    "scope": "model",
    "seller_figures": "all reports",
    "signed": "Doorstep",
    "test": "model",
    "trail": "market",
    "version": "data version",
}
# Their ids are hashes that nobody looks up by.
_WITHOUT_ID: Final = frozenset({"sale", "signed", "seller_figures"})
# Doorstep's own deeds: it acts with a manager's rights, but is none.
_OWN: Final = ("doorstep", "demo set-up")
_TITLES: Final = {rule.kind.value: rule.title for rule in RULES}


def action_words(action: str) -> str:
    """Write an entry's action for people, such as "Alert opened"."""
    return _ACTIONS.get(action) or action.replace(".", " ").replace("_", " ").capitalize()


def by_words(actor: str, role: str) -> str:
    """Write who did something: with their role, unless Doorstep itself did it on a schedule or in a simulation."""
    own = actor.casefold().startswith(_OWN) or actor.endswith("(simulated)")
    return actor if own else f"{actor} ({role})"


def alert_title(alert: AlertRecord) -> str:
    """Name an alert for people: "Prices moved: property type condo"."""
    return _titled(alert.kind, alert.segment)


def subject_words(action: str, subject: str, detail: Mapping[str, Any]) -> str:
    """Write what was acted on: an alert by its title, anything else by its kind and id."""
    kind = str(detail.get("kind", ""))
    if action.startswith("alert.") and kind in _TITLES:
        return _titled(kind, str(detail.get("segment") or ""))
    if action == AuditAction.LEDGER_CAUGHT_UP:
        return "the ledger"
    name = _SUBJECTS.get(action.partition(".")[0], "")
    if action.partition(".")[0] in _WITHOUT_ID:
        return name
    return f"{name} {subject}" if name else _TITLES.get(subject, subject)


def with_units(subject: str, detail: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    """Return a detail with the problem statement's words for what it holds: of a decision's reason, and of a limit.

    What a limit was and is stands in the limit's unit: "From 12% to 13%".
    """
    if code := detail.get("reason_code"):
        given = {name: value for name, value in detail.items() if name != "reason_code"}
        return {**given, "reason": problem.decisions.reasons.get(str(code), str(code))}
    if subject not in _TITLES or not set(_ENDS) & set(detail):
        return dict(detail)
    limit = RULE_OF[AlertKind(subject)].threshold(problem)

    def written(name: str) -> str:
        # Nothing set before, or after a reset, is the problem statement's own limit.
        value = detail.get(name)
        return limit.bound(float(value) if isinstance(value, (int, float)) else limit.value)

    rest = {name: value for name, value in detail.items() if name not in _ENDS}
    return {**rest, "words": f"From {written('before')} to {written('after')}"}


def _offices(document: object, currency: str) -> dict[str, str]:
    """Return each office of a rollout's document with its group and start in words."""
    found = {}
    for one in document if isinstance(document, list) else ():
        starts = (
            f"from {market_day(date.fromisoformat(one['starts']), currency)}" if one.get("starts") else "no start date"
        )
        found[one["office"] or "everyone else"] = f"{one['group']}, {starts}"
    return found


def _rollout_words(detail: Mapping[str, Any], currency: str) -> str:
    """Write which offices a change of the pilot gave or took estimates: "Harbour: pilot, from 1 Jul 2025"."""
    before, after = _offices(detail.get("before"), currency), _offices(detail.get("after"), currency)
    changed = [f"{office}: {words}" for office, words in after.items() if before.get(office) != words]
    gone = [f"{office}: taken out" for office in before if office not in after]
    return "; ".join([*changed, *gone])


def detail_words(detail: Mapping[str, Any], currency: str) -> str:
    """Write an entry's detail for people: its sentence first, then its plain parts, then "n more" for the rest.

    Amounts, numbers and days are written as people write them where ``currency`` is the money.
    """
    detail = _without_repeats(detail)
    sentences = [_first_sentence(_value(name, str(detail[name]))) for name in _PROSE if detail.get(name)]
    if any(isinstance(detail.get(name), list) for name in _ENDS):
        offices = _rollout_words(detail, currency)
        sentences.append(f"{offices[:1].upper()}{offices[1:]}")
    plain = {
        name: value
        for name, value in detail.items()
        if name not in _PROSE and name not in _LEFT_OUT and isinstance(value, (str, int, float)) and value != ""
    }
    shown = [_part(name, value, currency) for name, value in list(plain.items())[:_PARTS]]
    left = len(plain) - len(shown)
    parts = "; ".join([*shown, f"{left} more"] if left else shown)
    return " ".join([*(_ended(one) for one in sentences), f"{parts[:1].upper()}{parts[1:]}." if parts else ""]).strip()


def _without_repeats(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return a detail whose parts say each thing once, and whose lists and pairs are text."""
    found = dict(detail)
    if "shown" in found:
        # What sellers are shown is kept as a profile, whose fields say nothing to people.
        found.pop("fields", None)
    ends = [found.get(name) for name in _ENDS]
    if all(isinstance(one, Mapping) for one in ends):
        before, after = (found.pop(name) for name in _ENDS)
        found |= {name: f"{_value(name, str(old))} → {_value(name, str(after[name]))}" for name, old in before.items()}
    if kinds := found.pop("kinds", None):
        found["decided"] = ", ".join(_KINDS.get(str(one), str(one)) for one in kinds)
    if actions := found.pop("actions", None):
        found["may"] = ", ".join(str(one).replace("_", " ").replace(".", " ") for one in actions)
    return found


def _value(name: str, text: str) -> str:
    """Write a value for people that a program wrote for itself; any other text stays."""
    if name in ("verdict", "before") and text in _FEEDBACK:
        return text.replace("_", " ")
    return _VALUES.get((name, text), text)


_FEEDBACK: Final = frozenset(one.value for one in FeedbackVerdict)


def _titled(kind: str, segment: str) -> str:
    title = _TITLES.get(kind, kind)
    return f"{title}: {segment}" if segment else title


def _part(name: str, value: str | int | float, currency: str) -> str:
    label = _LABELS.get(name, name.replace("_", " "))
    if isinstance(value, str):
        return f"{label} {_text(_value(name, value), currency)}"
    is_money = name in _MONEY and not isinstance(value, bool)
    if is_money:
        return f"{label}: {money(value, currency)}"
    return f"{label}: {percent(value, 1) if name in _SHARES else _number(value, currency)}"


def _number(value: int | float, currency: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return marks(f"{value:,}" if isinstance(value, int) else f"{value:,.6g}", currency)


def _text(value: str, currency: str) -> str:
    try:
        return market_day(date.fromisoformat(value), currency)
    except ValueError:
        return _cut(_period(value))


def _period(text: str) -> str:
    """Write the key of a month or week as people do: "2025-06" is "Jun 2025"; any other text stays."""
    try:
        return window_named(text).label
    except ValueError:
        return text


def _first_sentence(text: str) -> str:
    return _cut(text.split(". ", 1)[0])


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
