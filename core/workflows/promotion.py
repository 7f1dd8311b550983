"""Which model is live, and which may be: the one place where the champion changes, and where alerts follow it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from core.access import LOCAL_ID, Action, reason_for
from core.errors import AccessDenied, InvalidRecord, StoreError
from core.states import AuditAction, Stage
from core.store import Market, ModelRecord, Store
from core.store.base.audit import Event
from core.store.patience import patiently
from core.wording import count, market_day, market_instant
from core.workflows.models.floor import broken_words
from core.workflows.models.gate import gate_of, gate_on, gate_result, reason_needed
from core.workflows.models.scope import ScopeChange, scope_change
from core.workflows.models.waiting import give_place, rolled_back_to, set_beside
from core.workflows.monitoring.alerts import follow_champion, reopening, settling
from core.workflows.monitoring.audit_words import alert_title
from core.workspace import Workspace


def promote_challenger(workspace: Workspace, model_id: str, reason: str) -> ModelRecord:
    """Make a model the champion, subject to its gate, and resolve the alerts on the previous champion's accuracy.

    Unless the gate passes it against the model that is live, a reason is required (``reason_for``). Called again for
    the live model, it resolves what an interrupted call left. Raises AccessDenied, ReasonNeeded, NotFound,
    InvalidRecord for a rejected model, ArtifactCorrupt, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.PROMOTE)
    record, gated = store.models.get(model_id), gate_of(store, model_id)
    require_another(workspace, record)
    live = _live_id(store, record.market_id)
    # A rejected model is refused below, whatever the reason.
    asked = live != model_id and record.stage is not Stage.REJECTED
    # Who gave no reason reads why one is needed; who gave a short one knows.
    why = (gate_result if reason.strip() else reason_needed)(gated, live) if asked else ""
    given = reason_for(f"{why} To promote model {model_id} anyway", reason) if why else reason.strip()
    promoted = store.models.promote(model_id, workspace.actor, given or "the gate passed it")
    figures = gated.gate.words if gated and gated.champion_id == live else ""
    _follow(workspace, promoted, " ".join(filter(None, (figures, f"Reason: {given}" if given else ""))))
    return promoted


def promote(workspace: Workspace, model_id: str, reason: str) -> ModelRecord:
    """Make a model its market's champion, whatever its gate says (see ``promote_challenger``), and update the alerts.

    Raises AccessDenied, NotFound, InvalidRecord for a rejected model, ArtifactCorrupt, StoreUnavailable.
    """
    workspace.require(Action.PROMOTE)
    require_another(workspace, workspace.store.models.get(model_id))
    promoted = workspace.store.models.promote(model_id, workspace.actor, reason)
    _follow(workspace, promoted, f"Reason: {reason}" if reason else "")
    return promoted


def promote_first(workspace: Workspace, model_id: str) -> ModelRecord:
    """Make a market's first model its champion, as whoever may train may do where no model is live.

    Raises AccessDenied where somebody else must do it, NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    require_another(workspace, workspace.store.models.get(model_id))
    models, why = workspace.store.models, "the market's first model"
    promoted = patiently(lambda: models.promote(model_id, workspace.actor, why))
    _follow(workspace, promoted, "")
    return promoted


def needs_another(workspace: Workspace, record: ModelRecord) -> bool:
    """Tell whether the problem statement leaves a model's promotion to somebody else, as this actor trained it.

    Simulated markets are for trying out, so one person may do both there. Raises NotFound, StoreUnavailable.
    """
    if not workspace.problem.promotion.by_another:
        return False
    store = workspace.store
    added = store.events.of(record.model_id, AuditAction.MODEL_ADDED)
    trainer = next((event.actor_id for event in added if event.actor_id), f"{LOCAL_ID}{record.created_by}")
    same = _person(trainer) == _person(workspace.actor.actor_id)
    return same and not store.markets.get(record.market_id).simulated


def _person(actor_id: str) -> str:
    """Return what two spellings of one person's id share; only names of this computer's users are typed by hand."""
    name = actor_id.removeprefix(LOCAL_ID)
    return actor_id if name == actor_id else f"{LOCAL_ID}{' '.join(name.casefold().split())}"


def promoter_of(store: Store, model_id: str) -> Event | None:
    """Return the audit entry of a model's latest promotion, None if it was never live; raises StoreUnavailable."""
    return next(iter(store.events.of(model_id, AuditAction.MODEL_PROMOTED)), None)


def decided_against(store: Store, market: Market, live: ModelRecord | None, record: ModelRecord) -> str:
    """Say when a person rejected a model or rolled it back to the live one, "" if nobody did; raises StoreUnavailable.

    To be read after a name of the model: "was rolled back on Mar 3, 2026", by the day in UTC.
    """
    if record.rejected_at is not None:
        return f"was rejected on {_on(market, record.rejected_at)}"
    if live is None:
        return ""
    back = rolled_back_to(store, live.model_id, record.model_id)
    return f"was rolled back on {_on(market, back.at)}" if back is not None else ""


def is_supported(store: Store, market: Market, live: ModelRecord | None, record: ModelRecord) -> bool:
    """Tell whether the evidence is for promoting a model: its gate passes it over the live one, and nobody undid it.

    Raises StoreUnavailable.
    """
    live_id = live.model_id if live is not None else None
    return not reason_needed(gate_on(record), live_id) and not decided_against(store, market, live, record)


def displaced(store: Store, market: Market, record: ModelRecord) -> str:
    """Say which challenger took a candidate's place, and whether somebody had decided on it; "" if none did.

    To be read after a name of the model: "was replaced by a1b2c3 on Mar 3, 2026, undecided". Raises StoreUnavailable.
    """
    if record.stage is not Stage.CANDIDATE:
        return ""
    found = store.events.replaced_by(record.market_id, record.model_id)
    aside = set_beside(store, record)
    if found is None or (aside is not None and aside.event_id > found.event_id):
        return ""
    against = decided_against(store, market, store.models.champion(record.market_id), record)
    replaced = f"replaced by {found.subject} on {_on(market, found.at)}"
    return f"{against}, then {replaced}" if against else f"was {replaced}, undecided"


def beside(store: Store, market: Market, record: ModelRecord) -> str:
    """Say which undecided challenger a candidate stands beside; "" if none.

    To be read after a name of the model: "was trained while challenger a1b2c3 waited for a decision, on Mar 3, 2026",
    or "waits for a decision, beside challenger a1b2c3 since …". Raises StoreUnavailable.
    """
    found = set_beside(store, record)
    if found is None or displaced(store, market, record):
        return ""
    if found.detail.get("moved"):
        return f"waits for a decision, beside challenger {found.detail['beside']} since {_on(market, found.at)}"
    return f"was trained while challenger {found.detail['beside']} waited for a decision, on {_on(market, found.at)}"


def became(store: Store, market: Market, record: ModelRecord) -> str:
    """Say what became of a candidate that nobody decided on, to be read after a name of it; "" if nothing."""
    return displaced(store, market, record) or beside(store, market, record)


def would_displace(store: Store, market_id: str) -> str:
    """Say, before a training, which challenger it would replace undecided; "" if none waits for a decision.

    Raises NotFound, StoreUnavailable.
    """
    waiting = store.models.challenger(market_id)
    if waiting is None:
        return ""
    return (
        f"Challenger {waiting.model_id} waits for a decision. A new one takes its place; the card of "
        f"{waiting.model_id} can bring it back."
    )


def require_unmoved(workspace: Workspace, market_id: str, live_id: str | None) -> None:
    """Raise InvalidRecord if another model is live than ``live_id``, which somebody saw before a deed.

    Raises NotFound, StoreUnavailable.
    """
    store = workspace.store
    now_live = _live_id(store, market_id)
    if now_live == live_id:
        return
    deeds = (AuditAction.MODEL_PROMOTED, AuditAction.MODEL_ROLLED_BACK)
    found = [one for deed in deeds for one in store.events.of(now_live or "", deed)]
    last = max(found, key=lambda one: one.event_id, default=None)
    by = (
        f"{last.actor} made model {now_live} live at {market_instant(last.at, store.markets.get(market_id).currency)}"
        if last
        else f"{now_live or 'No model'} is live"
    )
    raise InvalidRecord(f"{by}, while this page showed {live_id or 'none'} as live. Look at what is live now.")


def _on(market: Market, when: datetime) -> str:
    """Write the day of a deed as the card and the audit trail do: in UTC, in a simulated market, too."""
    return market_day(when.astimezone(UTC), market.currency)


def require_another(workspace: Workspace, record: ModelRecord) -> None:
    """Raise AccessDenied if somebody else than this actor must promote a model; raises StoreUnavailable."""
    if needs_another(workspace, record):
        raise AccessDenied(
            f"Model {record.model_id} was trained by {record.created_by}, so somebody else has to promote it "
            "(promotion.by_another in the problem statement). Ask another manager."
        )


def ways_out(target: ModelRecord | None) -> str:
    """Return what a manager can do about a live model that is not fit for use, to be read after "You can".

    ``target`` is the model that a rollback would restore, None where none is left that may be live again.
    """
    back = f"roll back to model {target.model_id}, " if target else ""
    return f"{back}train a new model or promote another one"


@dataclass(frozen=True)
class PromotionEffect:
    """What a promotion would do: ``model`` prices instead of ``replaced``, None where no model is live.

    It settles the ``alerts`` named, on the model replaced; ``scope`` says what changes in scope, ``misses`` which
    promises its test breaks, "" if none.
    """

    model: ModelRecord
    replaced: str | None
    alerts: tuple[str, ...]
    scope: ScopeChange | None
    misses: str

    @property
    def words(self) -> str:
        """The effect in words, without the scope."""
        instead = f" instead of {self.replaced}" if self.replaced else ""
        ends = ""
        if self.alerts:
            again = "It opens" if len(self.alerts) == 1 else "Each opens"
            ends = (
                f" It resolves {count(len(self.alerts), 'alert')} on the model it replaces: {'; '.join(self.alerts)}. "
                f"{again} again if this model misses, too."
            )
        back = " To take it back, roll back." if self.replaced else ""
        missed = f" {self.misses}" if self.misses else ""
        return f"Model {self.model.model_id} will price{instead}, at once and everywhere.{missed}{ends}{back}"


def promotion_effect(workspace: Workspace, model_id: str) -> PromotionEffect:
    """Say what a promotion would change; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.PROMOTE)
    store = workspace.store
    record = store.models.get(model_id)
    live_id = _live_id(store, record.market_id)
    alerts = tuple(map(alert_title, settling(store, record.market_id, model_id)))
    scope = scope_change(workspace, store.models.get(live_id), record) if live_id else None
    return PromotionEffect(record, live_id, alerts, scope, broken_words(record.card, workspace.problem, "It"))


@dataclass(frozen=True)
class RollbackEffect:
    """What a rollback would do: ``model`` prices again instead of ``replaced``, and ``alerts`` reopen.

    ``scope`` says what changes in scope.
    """

    model: ModelRecord
    replaced: str
    alerts: int
    scope: ScopeChange

    @property
    def words(self) -> str:
        """The effect in one sentence."""
        more = f" {count(self.alerts, 'alert')} on it will reopen." if self.alerts else ""
        model_id = self.model.model_id
        return f"Model {model_id} will price again instead of {self.replaced}, at once and everywhere.{more}"


def rollback_effect(workspace: Workspace, market_id: str) -> RollbackEffect | None:
    """Say what a rollback would change, None where there is nothing to go back to.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.PROMOTE)
    live, target = _live_id(workspace.store, market_id), workspace.store.models.rollback_target(market_id)
    if live is None or target is None:
        return None
    store = workspace.store
    scope = scope_change(workspace, store.models.get(live), target)
    return RollbackEffect(target, live, reopening(store, market_id, target.model_id), scope)


def rollback(workspace: Workspace, market_id: str, reason: str) -> ModelRecord:
    """Restore the previous champion, and reopen the alerts on it that its replacement settled.

    Raises AccessDenied, ReasonNeeded, NotFound where there is no earlier champion, InvalidRecord where it was rejected
    since, ArtifactCorrupt, StoreUnavailable.
    """
    workspace.require(Action.PROMOTE)
    given = reason_for("To roll back", reason)
    restored = workspace.store.models.rollback(market_id, workspace.actor, given)
    _follow(workspace, restored, f"Rolled back: {given}")
    return restored


def reject(workspace: Workspace, model_id: str, reason: str) -> ModelRecord:
    """Reject a challenger or candidate: it is no longer offered for promotion, and prices nothing in the shadow.

    ``reinstate`` takes it back. Raises AccessDenied, ReasonNeeded, NotFound, InvalidRecord for a model that is or was
    live or is rejected already, StoreUnavailable.
    """
    workspace.require(Action.REJECT)
    given = reason_for(f"To reject model {model_id}", reason)
    return workspace.store.models.reject(model_id, given, workspace.actor)


def reinstate(workspace: Workspace, model_id: str, reason: str) -> ModelRecord:
    """Take the rejection of a model back: it is the challenger again, unless another took its place, or a candidate.

    A challenger that another replaced undecided takes its place back, and one that stands beside the challenger takes
    its place; the other, if nobody has decided on it, waits beside it. Raises AccessDenied, ReasonNeeded,
    NotFound, InvalidRecord for a model that is neither, StoreUnavailable.
    """
    workspace.require(Action.REJECT)
    given, models = reason_for(f"To reinstate model {model_id}", reason), workspace.store.models
    record = models.get(model_id)
    taken = workspace.store.events.replaced_by(record.market_id, model_id)
    if record.stage is Stage.CANDIDATE and (taken is not None or set_beside(workspace.store, record) is not None):
        return give_place(workspace, record, given)
    return models.reinstate(model_id, given, workspace.actor)


def _follow(workspace: Workspace, champion: ModelRecord, more: str) -> None:
    """Settle and reopen alerts; the pointer has already moved, and the next check makes up for any failure here."""
    market = workspace.store.markets.get(champion.market_id)
    follow_champion(workspace, market, more)


def _live_id(store: Store, market_id: str) -> str | None:
    try:
        champion = store.models.champion(market_id)
    except StoreError:
        return None
    return champion.model_id if champion else None
