"""The pricing desk of one market: its live model, ready to answer."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from core.access import Action, Actor, Role, require
from core.errors import NotFound, StoreUnavailable, in_full
from core.prepare.features.columns import size
from core.problem import Problem
from core.serve.agent.added_sales import adjusted_sales
from core.serve.agent.form_facts import asked_first, facts_asked, facts_from_roll
from core.serve.agent.nearest_sales import nearest_sales
from core.serve.agent.seller_view import neighborhood_facts
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate, LiveMarket, days_ahead_max, estimate
from core.serve.fact_groups import area_figures
from core.serve.review.flag import DriftNotice, FlagKind, Severity
from core.serve.review.size_parts import size_parts
from core.serve.review.surroundings import figures_around
from core.serve.review.unavailable import Unavailable, UnavailableKind
from core.serve.review.unused import unused_facts
from core.serve.review.whereabouts import whereabouts
from core.serve.subject import Subject, Value
from core.serve.typical_home import usual_facts
from core.serve.what_if import UsualChange, WhatIf, usual_changes, what_if
from core.serve.words import InUse
from core.store import Market, ModelRecord, NewLevel, Store
from core.train.bundle import Bundle
from core.train.live_model import LiveModel
from core.wording import IdDigits, market_day
from core.workflows.models.scope import governing_scope
from core.workflows.monitoring.in_use import record_in_use
from core.workflows.monitoring.live_model import report_live_model
from core.workflows.opening.evidence import FaultKind, Figures, load_champion
from core.workflows.opening.kept import is_large
from core.workflows.pricing.drift_notices import drift_notices
from core.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)
_CLERK: Final = Actor("Doorstep", Role.MANAGER)


@dataclass(frozen=True)
class Desk:
    """A market with its live model, up to date with all known sales; without a model, every answer is Unavailable.

    ``fault`` says why the live model cannot be verified or read, "" if it can: then the model before it answers, if
    there is one, and ``record`` is the model that answers. ``numbered`` tells whether its sales have property ids,
    ``id_digits`` how many digits people know them by; ``figures`` are known in advance in a large market. ``in_use`` is
    what of the answering model's promises fell short.
    """

    market: Market
    record: ModelRecord | None
    live_market: LiveMarket | None
    problem: Problem
    fault: str = ""
    fault_kind: FaultKind | None = None
    numbered: bool = False
    figures: Figures | None = None
    id_digits: IdDigits = field(default_factory=dict)
    in_use: InUse = field(default_factory=InUse)

    def in_use_of(self, model_id: str | None) -> InUse:
        """Return what of the promises behind an answer of a model fell short; nothing for one that no longer prices."""
        return self.in_use if self.record is not None and self.record.model_id == model_id else InUse()

    @property
    def bundle(self) -> Bundle | None:
        """The live model's bundle as trained, None if no model is live."""
        return self.live_market.bundle if self.live_market else None

    @property
    def live_model(self) -> LiveModel | None:
        """The live model with all known sales, None if no model is live."""
        return self.live_market.live_model if self.live_market else None

    @property
    def is_large(self) -> bool:
        """Tell whether bringing a model up to all the sales of the market takes long."""
        return self.live_model is not None and is_large(size(self.live_model.sales))

    @cached_property
    def area_figures(self) -> frozenset[str]:
        """The facts that describe an area and not a home, which no agent enters; empty without a live model."""
        return self.live_market.area_figures if self.live_market else frozenset()

    @cached_property
    def untold(self) -> frozenset[str]:
        """The area figures and those of the homes around, which no agent finds out; empty without a live model."""
        return self.live_market.untold if self.live_market else frozenset()

    def usual_facts(self, given: Mapping[str, Value], today: date) -> Mapping[str, Value]:
        """Return what is taken for the facts not given of a home to be valued today; empty without a live model."""
        if self.live_market is None:
            return {}
        where, model = self.live_market.where, self.live_market.live_model.model
        return usual_facts(model, given, self.valuation_date(today), where)

    @cached_property
    def neighborhood_facts(self) -> frozenset[str]:
        """The figures of a neighborhood among the live model's facts, which a seller may not be shown."""
        if self.figures is not None:
            return self.figures.neighborhood
        if self.live_model is None:
            return neighborhood_facts((), None, None)
        return neighborhood_facts(self.live_model.model.facts.all, self.area_figures, self.live_model.sales)

    @cached_property
    def asked_first(self) -> tuple[str, ...]:
        """The few facts an agent is asked for first, by what they matter to the live model; empty without one."""
        if self.bundle is None:
            return ()
        return asked_first(self.bundle.model, self.bundle.importance, self.untold, self.problem)

    @cached_property
    def asked_further(self) -> tuple[str, ...]:
        """The other facts an agent can enter, with those that only records tell; empty without a live model."""
        if self.bundle is None:
            return ()
        facts = facts_asked(self.bundle.model, self.area_figures)
        return tuple(name for name in facts if name not in self.asked_first)

    @property
    def from_roll(self) -> tuple[str, ...]:
        """The facts that come with a home known by its address and that nobody enters; empty without a live model."""
        return facts_from_roll(self.bundle.model) if self.bundle is not None else ()

    def price(self, facts: Mapping[str, object], as_of: date, level: float, actor: Actor) -> Estimate | Unavailable:
        """Price one property; raises AccessDenied, ImpossibleProperty."""
        require(actor, Action.PRICE)
        if self.live_market is None:
            return self.no_model()
        return estimate(self.live_market, facts, as_of, self.problem, level)

    def no_model(self) -> Unavailable:
        """Return the answer to every question while no model can answer."""
        reason, remedy = _NO_MODEL[self.fault_kind]
        return Unavailable(reason, remedy, kind=UnavailableKind.NO_MODEL)

    def what_if(self, before: Estimate, changes: Mapping[str, Value], actor: Actor) -> WhatIf:
        """Return how changed facts would move an estimate of this desk; nothing goes into the ledger.

        Raises AccessDenied, ImpossibleProperty, NotFound if no model is live anymore.
        """
        require(actor, Action.PRICE)
        if self.live_market is None:
            raise NotFound("No model is live for this market anymore. Ask a manager to train or promote one.")
        return what_if(self.live_market, before, changes, self.problem)

    def usual_changes(self, subject: Subject) -> tuple[UsualChange, ...]:
        """Return the usual changes that make sense for a home; empty without a live model."""
        return usual_changes(self.live_market, subject, self.problem) if self.live_market else ()

    def nearest_sales(self, facts: Mapping[str, object], as_of: date) -> tuple[Comparable, ...]:
        """Return the sales most like a home that has no estimate, unadjusted; empty without a live model."""
        return nearest_sales(self.live_market, facts, as_of, self.problem) if self.live_market else ()

    def further_sales(self, estimate: Estimate, sale_ids: Iterable[str]) -> tuple[Comparable, ...]:
        """Return sales to add to the comparables of an estimate of this desk, adjusted as those are."""
        return adjusted_sales(self.live_market, estimate, sale_ids) if self.live_market else ()

    def unused(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return which facts the live model does not use; texts that name a home, such as its address, do not count."""
        return unused_facts(names, self.live_model.model.facts) if self.live_model is not None else ()

    def valuation_date(self, today: date) -> date:
        """Return the default valuation date.

        This is today, but the day after the latest sale in a market whose sales are old or simulated.
        """
        if self.live_model is None or not (self.market.simulated or self._sales_are_old(today)):
            return today
        return self.live_model.level.as_of

    def date_note(self, today: date) -> str:
        """Say why the valuation date is not today by default, and how far it may be moved; "" if it is today."""
        if self.live_model is None or self.valuation_date(today) == today or self.market.simulated:
            return ""
        last = self.live_model.level.as_of - timedelta(days=1)
        farthest = last + timedelta(days=days_ahead_max(self.live_model.model, self.problem))
        latest, valued, end = (
            market_day(one, self.market.currency) for one in (last, last + timedelta(days=1), farthest)
        )
        return (
            f"The latest sale is from {latest}, so homes are valued on {valued}. On a later day the range is wider, "
            f"and after {end} there is no price."
        )

    def _sales_are_old(self, today: date) -> bool:
        """Tell whether the latest sale is older than monitoring.retrain_days."""
        if self.live_model is None:
            return False
        return (today - self.live_model.level.as_of).days >= self.problem.monitoring.retrain_days


def open_desk(store: Store, market_id: str, problem: Problem) -> Desk:
    """Load the market's champion and bring it up to the sales of the latest data version.

    The resulting market level is stored, so that the ledger can name it. Open drift alerts flag the estimates they
    concern, and the scope signed or proposed governs. If the champion's file cannot be verified, or another release
    made it, the latest champion before it that can be loaded answers, and its estimates are flagged. An alert
    is open, too, while a file cannot be verified. Raises NotFound, ArtifactCorrupt for lost sales, StoreUnavailable.
    """
    market, champion = store.markets.get(market_id), store.models.champion(market_id)
    if champion is None:
        return Desk(market, None, None, problem)
    found = load_champion(store, champion)
    verified = found.fault_kind is not FaultKind.UNVERIFIED
    report_live_model(Workspace(store, problem, _CLERK), market_id, readable=verified)
    desk = Desk(market, found.record, None, problem, found.fault, found.fault_kind)
    if found.record is None or found.evidence is None:
        return desk
    known = found.evidence
    # Here, as what a desk of later notices or another scope is copied from keeps them.
    figures = known.figures.area if known.figures else area_figures(known.live_model.model, known.live_model.sales)
    live_market = LiveMarket(
        known.bundle,
        known.live_model,
        known.version_id,
        None,
        learned=known.likeness,
        known_figures=figures,
        area_unit=market.area_unit,
        known_where=whereabouts(known.live_model.model, known.live_model.sales),
        known_parts=size_parts(known.live_model.model.facts, known.live_model.sales),
        known_around=figures_around(known.live_model.model.facts, known.live_model.sales),
    )
    digits = store.versions.id_digits(known.version_id)
    opened = replace(desk, live_market=live_market, numbered=known.numbered, figures=known.figures, id_digits=digits)
    return name_level(store, with_notices(store, opened))


def with_notices(store: Store, desk: Desk) -> Desk:
    """Return the desk with the drift alerts that are open now, and the scope that governs; raises StoreUnavailable."""
    if desk.live_market is None or desk.record is None:
        return desk
    notices = drift_notices(store, desk.market.market_id)
    if desk.fault_kind:
        notices = (_STANDS_IN[desk.fault_kind], *notices)
    scope = governing_scope(store, desk.record)
    in_use = record_in_use(Workspace(store, desk.problem, _CLERK), desk.market, desk.record)
    return replace(desk, live_market=replace(desk.live_market, notices=notices, scope=scope), in_use=in_use)


def name_level(store: Store, desk: Desk) -> Desk:
    """Return the desk with its market level stored; a store that only reads leaves the level without a name.

    It prices all the same: the level is the same, and only the ledger cannot say which one it was.
    """
    live, record = desk.live_market, desk.record
    if live is None or record is None or live.level_id is not None:
        return desk
    level = live.live_model.level
    new = NewLevel(record.market_id, record.model_id, live.version_id, level.as_of, asdict(level))
    try:
        level_id = store.levels.add(new, _CLERK).level_id
    except StoreUnavailable as error:
        _LOG.warning("the market level has no name yet: %s", in_full(error))
        return desk
    return replace(desk, live_market=replace(live, level_id=level_id))


_NO_MODEL: Final[Mapping[FaultKind | None, tuple[str, str]]] = {
    None: ("No model is live for this market.", "Ask a manager to train or promote one."),
    FaultKind.UNVERIFIED: (
        "The live model's file cannot be verified, and no model before it can.",
        "Ask a manager to restore the file from a backup, or to train or promote another model.",
    ),
    FaultKind.OUTDATED: (
        "The live model was trained by another release of Doorstep, and no model before it can be read.",
        "Ask a manager to train a new model.",
    ),
    FaultKind.NO_SALES: (
        "All sales of this market were undone, so there is nothing to price with.",
        "Ask an analyst to import its sales, or to use the undone ones again.",
    ),
}
"""Why nothing is priced and what helps, by what is wrong with the live model; None where there is none."""

_STANDS_IN: Final = {
    FaultKind.UNVERIFIED: DriftNotice(
        "",
        Severity.REVIEW,
        "live model",
        "The live model's file cannot be verified; the model before it answers",
        "a verified file",
        "Check the price with a comparative market analysis, and ask a manager to restore the live model.",
        FlagKind.MODEL_UNVERIFIED,
    ),
    FaultKind.OUTDATED: DriftNotice(
        "",
        Severity.REVIEW,
        "live model",
        "The live model was trained by another release of Doorstep; the model before it answers",
        "a model of this release",
        "Check the price with a comparative market analysis, and ask a manager to train a new model.",
        FlagKind.MODEL_OUTDATED,
    ),
}
