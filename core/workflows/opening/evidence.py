"""What a desk prices with: the live model with all known sales, worked out anew or read from the server's disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from core.errors import ArtifactCorrupt, ArtifactStoreAway, ModelOutdated
from core.installation import code_fingerprint
from core.serve.agent.seller_view import neighborhood_facts
from core.serve.estimate import LiveMarket
from core.serve.fact_groups import area_figures
from core.serve.likeness import Likeness
from core.store import ModelRecord, Store
from core.train.bundle import Bundle, from_bytes
from core.train.live_model import LiveModel, bring_up_to_date
from core.workflows.opening.kept import is_large, keep, read_kept


class FaultKind(StrEnum):
    """What is wrong with a live model: its file cannot be verified or read by this release, or no sales are in use."""

    UNVERIFIED = "unverified"
    OUTDATED = "outdated"
    NO_SALES = "no sales"


@dataclass(frozen=True)
class Figures:
    """The facts that describe an area and not a home, and those of a neighborhood, which a seller may not be shown."""

    area: frozenset[str]
    neighborhood: frozenset[str]


@dataclass(frozen=True)
class Evidence:
    """A model with the sales of a data version, and all that is learned from them before the first question.

    The bundle's model is the live one, so that only one has its sales in memory. ``figures`` and ``likeness`` are what
    the first questions would wait for, None where they wait; ``numbered`` tells whether the sales have property ids.
    """

    bundle: Bundle
    live_model: LiveModel
    version_id: str
    numbered: bool
    likeness: Likeness | None = None
    figures: Figures | None = None


@dataclass(frozen=True)
class Loaded:
    """The model that answers, if there is one, and what is wrong with the champion."""

    record: ModelRecord | None = None
    evidence: Evidence | None = None
    fault: str = ""
    fault_kind: FaultKind | None = None


def load_champion(store: Store, champion: ModelRecord) -> Loaded:
    """Return the champion, or the latest one before it that can be verified and read, with all known sales.

    None answers where no sales are in use. Raises ArtifactCorrupt for lost sales, StoreUnavailable.
    """
    if store.versions.latest(champion.market_id) is None:
        return Loaded(fault="All sales of this market were undone.", fault_kind=FaultKind.NO_SALES)
    found = Loaded()
    for record in (champion, *store.models.champions_before(champion.market_id)):
        try:
            payload = store.models.load_bytes(record.model_id)
        except ArtifactCorrupt as error:
            found = found if found.fault else Loaded(fault=str(error), fault_kind=FaultKind.UNVERIFIED)
            continue
        except ArtifactStoreAway:
            # One before the champion is not worth an error that hides what is wrong with the champion.
            if not found.fault:
                raise
            continue
        version_id = version_known(store, record)
        kept: Evidence | None = read_kept(store, record.market_id, _key(record, version_id))
        if kept is not None:
            return replace(found, record=record, evidence=kept)
        try:
            bundle = from_bytes(payload)
        except (ModelOutdated, ArtifactCorrupt) as error:
            found = found if found.fault else Loaded(fault=str(error), fault_kind=FaultKind.OUTDATED)
            continue
        return replace(found, record=record, evidence=_work_out(store, record, bundle, version_id))
    return found


def is_kept(store: Store, record: ModelRecord) -> bool:
    """Tell whether a model's evidence with all known sales lies on this server's disk; raises StoreUnavailable."""
    return store.opened.holds(record.market_id, _key(record, version_known(store, record)))


def version_known(store: Store, record: ModelRecord) -> str:
    """Return the market's latest data version: the sales a model is brought up to."""
    latest = store.versions.latest(record.market_id)
    # If every version was undone, nothing is priced; what is worked out ahead serves once they are in use again.
    return latest.version_id if latest else record.version_id


def _work_out(store: Store, record: ModelRecord, bundle: Bundle, version_id: str) -> Evidence:
    """Bring a model up to a version's sales; what is large is learned to the end, kept, and read back mapped."""
    sales = store.versions.load(version_id)
    live_model = bring_up_to_date(bundle.model, sales)
    numbered = "property_id" in sales and bool(sales["property_id"].notna().any())
    evidence = Evidence(replace(bundle, model=live_model.model), live_model, version_id, numbered)
    if not is_large(len(sales)):
        return evidence
    return keep(store, record.market_id, _key(record, version_id), _complete(evidence))


def _complete(evidence: Evidence) -> Evidence:
    """Return the evidence with all that is learned from it at the first questions."""
    live_model = evidence.live_model
    model = live_model.model
    area = area_figures(model, live_model.sales)
    figures = Figures(area, neighborhood_facts(model.facts.all, area, live_model.sales))
    likeness = LiveMarket(evidence.bundle, live_model, evidence.version_id, None).likeness
    if model.own_sales is not None:
        # Needed only where a model is brought up to other sales, which begins with the model's own file.
        own_sales = replace(model.own_sales, residuals={})
        _ = own_sales.by_address
        model = replace(model, own_sales=own_sales)
    return replace(
        evidence,
        bundle=replace(evidence.bundle, model=model),
        live_model=replace(live_model, model=model),
        likeness=likeness,
        figures=figures,
    )


def _key(record: ModelRecord, version_id: str) -> str:
    """Name all that the evidence is made of; the code, too, as another release may read it otherwise."""
    return f"{record.model_id}-{version_id}-{code_fingerprint()}"
