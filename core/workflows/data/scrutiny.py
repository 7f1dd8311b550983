"""The review queue of doubtful sales: keep, set aside or correct, remembered across data versions, and taken back.

A decision is on record at once and counts from the next data version on: the one ``apply_decisions`` makes, or that of
the next files. Taken back, a sale is exactly as it was before anybody decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from core.access import Action
from core.accounting import FileAccounting, Outcome
from core.arrays import Floats, Ints
from core.errors import ArtifactCorrupt, InvalidRecord, ModelOutdated, NotFound
from core.prepare.quality.scrutiny import scrutinise
from core.problem import Problem
from core.schema import conform, label_of
from core.states import SaleDecision
from core.store import DataVersion, NewVersion, Store
from core.store.sales.scrutiny import NewSaleDecision, StoredSaleDecision
from core.train.bundle import from_bytes
from core.wording import count, with_id_words
from core.workflows.data.outcomes import settle_quietly
from core.workflows.data.sale_pool import (
    DECIDED,
    ROW,
    Pool,
    as_brought,
    by_sale,
    changed_rows,
    document,
    load_pool,
    places_of,
    sale_keys,
    settle,
)
from core.workspace import Workspace

REVIEW: Final = "review"
"""The kind of the one account a version of decisions has: rows in are the sales whose state changed."""

KEY: Final = "key"
WAITING: Final = "waiting"
CORRECTABLE: Final = ("sale_price", "living_area_sqft")

_REVIEW_FILE: Final = "Review of doubtful sales"
_NOTE_LIMIT: Final = 500
_REASONS: Final = 3
_SHOWN: Final = (
    *("address", "unit", "property_id", "zipcode", "neighbourhood", "property_type", "sale_date", "sale_price"),
    *("living_area_sqft", "lot_area_sqft", "bedrooms", "validity"),
)


@dataclass(frozen=True)
class Choice:
    """What a person chooses for one sale of the queue; ``value`` corrects ``field``, None takes what is suggested.

    Without a ``field`` it is the one that the doubt suggests, else the price.
    """

    key: str
    kind: SaleDecision
    field: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Queue:
    """The sales of a market to look at: those in doubt, those set aside, and those decided on.

    ``rows`` has one row per sale: ``key``; ``kind`` (a Doubt, or "decided" where no rule doubts it);
    ``waiting``, whether it is outside the sales in use; ``decision`` (a SaleDecision, empty while there is none) with
    ``decided_by``, ``decided_field`` and ``decided_value`` of a correction, and ``decided_note``, why; ``pending``,
    whether the decision counts only from the next version on;
    the evidence of core.prepare.quality.scrutiny (field, suggested, usual_price, usual_area, list_price, last_price,
    last_date, homes, parts_area, suggested_lot) and the facts of the sale, both as it was brought, ids as their source
    writes them; ``model_estimate``, the price the live model gives a sale it has not learned from, NaN for all others.
    Undecided ones first, strong doubts first.
    ``unpriced`` says why the live model prices none of them: it cannot be read. Empty if it can, or where none is live.
    """

    version: DataVersion
    rows: pd.DataFrame
    unpriced: str = ""

    @property
    def undecided(self) -> int:
        """How many sales nobody has decided on."""
        return int((self.rows["decision"] == "").sum())

    @property
    def pending(self) -> int:
        """How many decisions, or take-backs, are not yet in the version in use."""
        return int(self.rows["pending"].sum())


def review_queue(workspace: Workspace, market_id: str) -> Queue:
    """Return the review queue of the market's latest version.

    Raises AccessDenied, NotFound where the market has no sales, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    version = latest_version(workspace, market_id)
    pool = load_pool(workspace.store, version)
    rows = _queue_rows(pool, workspace.store.sale_decisions.history(market_id))
    # Whoever decides on a sale needs no model: one that cannot be read takes away its column alone.
    try:
        estimates, unpriced = _model_estimates(workspace.store, market_id, pool, rows), ""
    except (ModelOutdated, ArtifactCorrupt) as error:
        estimates, unpriced = np.full(len(rows), np.nan), f"The live model prices none of these sales. {error}"
    shown = with_id_words(rows, workspace.store.versions.id_digits(version.version_id))
    return Queue(version, shown.assign(model_estimate=estimates), unpriced)


@dataclass(frozen=True)
class ToDecide:
    """How many doubtful sales nobody has decided on: those that are set aside until then, and those in use.

    ``pending`` counts the decisions that are not yet in the version in use.
    """

    set_aside: int = 0
    in_use: int = 0
    pending: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.set_aside + self.in_use

    @property
    def words(self) -> str:
        """What is to be done about doubtful sales, in sentences; empty for nothing."""
        parts = [f"{self.set_aside:,} set aside until then"] if self.set_aside else []
        parts += [f"{self.in_use:,} in use meanwhile"] if self.in_use else []
        asked = f"{count(self.total, 'doubtful sale')} to decide: {', '.join(parts)}." if parts else ""
        are = "is" if self.pending == 1 else "are"
        decided = f"{count(self.pending, 'decision')} on doubtful sales {are} not yet in the data: apply them."
        return " ".join(filter(None, (asked, decided if self.pending else "")))


def to_decide(workspace: Workspace, market_id: str) -> ToDecide:
    """Count the doubtful sales of a market's latest version that wait for somebody; raises as review_queue does."""
    workspace.require(Action.VIEW_DATA)
    pool = load_pool(workspace.store, latest_version(workspace, market_id))
    rows = _queue_rows(pool, workspace.store.sale_decisions.history(market_id))
    waiting = rows.loc[rows["decision"] == "", "waiting"]
    return ToDecide(int(waiting.sum()), int((~waiting).sum()), int(rows["pending"].sum()))


def queue_revision(workspace: Workspace, market_id: str) -> str:
    """Return a word that changes whenever the review queue may have; raises NotFound, StoreUnavailable."""
    history = workspace.store.sale_decisions.history(market_id)
    champion = workspace.store.models.champion(market_id)
    parts = (latest_version(workspace, market_id).version_id, history[-1].seq if history else 0)
    return "-".join(str(part) for part in (*parts, champion.model_id if champion else "none"))


def decide(workspace: Workspace, market_id: str, choices: Sequence[Choice], note: str = "") -> int:
    """Record what a person decides on sales of the queue, all or none; returns how many decisions were recorded.

    Raises AccessDenied, NotFound for a sale that is not in the queue, InvalidRecord for a correction without a value,
    of a field that cannot be corrected here, or outside the limits of the problem statement, and for a note beyond
    500 characters; StoreUnavailable.
    """
    workspace.require(Action.INGEST)
    store, history = workspace.store, workspace.store.sale_decisions.history(market_id)
    pool = load_pool(store, latest_version(workspace, market_id))
    rows = _queue_rows(pool, history).set_index(KEY)
    earlier = by_sale(history)
    places = {row: place for place, row in enumerate(pool.sales[ROW])}
    new = []
    for choice in choices:
        if choice.key not in rows.index:
            raise NotFound(f"There is no sale {choice.key[:12]!r} in the review queue; reload the queue.")
        row: Mapping[Any, Any] = rows.loc[choice.key].to_dict()
        first = earlier[choice.key][0] if choice.key in earlier else None
        sale = first.sale if first else document(pool.sales.iloc[places[row[ROW]]].to_dict())
        field, value = _correction(choice, row, workspace.problem)
        new.append(
            NewSaleDecision(
                sale_key=choice.key,
                kind=choice.kind,
                field=field,
                value=value,
                doubt=first.doubt if first else str(row["kind"]),
                waited=first.waited if first else bool(row[WAITING]),
                sale=sale,
                note=_tidy(note),
            )
        )
    store.sale_decisions.record(market_id, new, workspace.actor)
    return len(new)


def take_back(workspace: Workspace, market_id: str, keys: Sequence[str], note: str = "") -> int:
    """Take decisions back: the sales are as they were before anybody decided; returns how many were taken back.

    Raises AccessDenied, NotFound for a sale without a decision, InvalidRecord for a long note, StoreUnavailable.
    """
    workspace.require(Action.INGEST)
    store = workspace.store
    decisions = by_sale(store.sale_decisions.history(market_id))
    new = []
    for key in keys:
        first, latest = (decisions[key][0], decisions[key][-1]) if key in decisions else (None, None)
        if first is None or latest is None or latest.kind is SaleDecision.TAKEN_BACK:
            raise NotFound(f"Nothing is decided on the sale {key[:12]!r}, so nothing can be taken back.")
        new.append(
            NewSaleDecision(key, SaleDecision.TAKEN_BACK, "", None, first.doubt, first.waited, first.sale, _tidy(note))
        )
    store.sale_decisions.record(market_id, new, workspace.actor)
    return len(new)


@dataclass(frozen=True)
class Applied:
    """The version in use after decisions were applied, and how many sales changed; none, and no version was made."""

    version: DataVersion
    changed: int


def apply_decisions(workspace: Workspace, market_id: str) -> Applied:
    """Make a data version of what has been decided since the latest; where nothing differs that one stays.

    Raises AccessDenied, NotFound, InvalidRecord where no sale would be left in use, StaleVersion, StoreUnavailable.
    """
    workspace.require(Action.INGEST)
    store, version = workspace.store, latest_version(workspace, market_id)
    before, history = load_pool(store, version), store.sale_decisions.history(market_id)
    after = settle(before, history)
    changed = changed_rows(before, after)
    if not len(changed):
        return Applied(version, 0)
    if after.waits.all():
        raise InvalidRecord("These decisions would set every sale of the market aside; keep some. Nothing was changed.")
    account, ledger = _account(after, changed), _ledger(before, after, changed)
    return put_in_use(workspace, version, after, account, ledger, _reasons(after, changed, history))


def put_in_use(
    workspace: Workspace,
    version: DataVersion,
    after: Pool,
    account: FileAccounting,
    ledger: pd.DataFrame,
    why: str = "",
) -> Applied:
    """Make a pool the version after ``version``, named as its account, whose rows are the sales that changed.

    ``why`` is what persons noted, for the version's note.
    Raises StaleVersion if another commit came first, StoreUnavailable.
    """
    new = NewVersion(
        market_id=version.market_id,
        sales=after.in_use(),
        parent_id=version.version_id,
        files=(account,),
        ledgers=ledger,
        rows_seen=version.rows_seen,
        note=" · ".join(filter(None, (account.file, why))),
        set_aside=after.set_aside(),
    )
    made = workspace.store.versions.follow(new, workspace.actor)
    settle_quietly(workspace, version.market_id)
    return Applied(made, account.rows_in)


def ledger_of_changes(file: str, after: Pool, changed: Ints, in_use: Outcome, details: Sequence[str]) -> pd.DataFrame:
    """Return the ledger of the sales that changed in a pool: ``in_use`` is the outcome of those that do not wait."""
    ledger = pd.DataFrame(
        {
            "file": file,
            "source_row": after.sales[ROW].to_numpy()[changed],
            "outcome": np.where(after.waits[changed], Outcome.SET_ASIDE.value, in_use.value),
            "reasons": after.doubt[changed],
            "detail": list(details),
            "raw": "",
            "corrected_row": -1,
            "before": "",
        }
    )
    return ledger.astype(dict.fromkeys(("file", "outcome", "reasons", "detail", "raw", "before"), "str"))


def latest_version(workspace: Workspace, market_id: str) -> DataVersion:
    """Return a market's latest version; raises NotFound where it has no sales."""
    version = workspace.store.versions.latest(market_id)
    if version is None:
        raise NotFound(f"Market {market_id!r} has no sales yet. Take in a sales file first.")
    return version


# Queue


def _queue_rows(pool: Pool, history: Sequence[StoredSaleDecision]) -> pd.DataFrame:
    brought, decisions = as_brought(pool, history), by_sale(history)
    doubts = scrutinise(brought.sales, np.ones(len(brought.sales), dtype=bool)).doubts
    pending = changed_rows(pool, settle(pool, history))
    in_force = {key: found[-1] for key, found in decisions.items() if found[-1].kind is not SaleDecision.TAKEN_BACK}
    decided = {place: key for key, place in places_of(pool.sales, history).items()}
    standing = [place for place, key in decided.items() if key in in_force]
    places = np.unique([*doubts["position"], *np.flatnonzero(brought.waits), *standing, *pending]).astype("int64")
    rows = _evidence(doubts, places).join(_facts(brought, places))
    keys = sale_keys(brought.sales.iloc[places])
    rows[KEY] = [decided.get(place, key) for place, key in zip(places.tolist(), keys, strict=True)]
    rows["kind"] = [kind or doubt or DECIDED for kind, doubt in zip(rows["kind"], brought.doubt[places], strict=True)]
    rows[WAITING] = pool.waits[places]
    latest = [in_force.get(key) for key in rows[KEY]]
    rows["decision"] = [one.kind.value if one else "" for one in latest]
    rows["decided_by"] = [one.actor if one else "" for one in latest]
    rows["decided_field"] = [one.field if one else "" for one in latest]
    rows["decided_value"] = [one.value if one and one.value is not None else np.nan for one in latest]
    rows["decided_note"] = [one.note if one else "" for one in latest]
    rows["pending"] = np.isin(places, pending)
    order = ["is_decided", "strong", "kind", "sale_date"]
    ordered = rows.assign(is_decided=rows["decision"] != "").sort_values(
        order, ascending=[True, False, True, False], kind="stable"
    )
    return ordered.drop(columns="is_decided").drop_duplicates(KEY).reset_index(drop=True)


def _evidence(doubts: pd.DataFrame, places: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return the evidence of the sales at those places, nothing but empty cells where none is in doubt."""
    found = doubts.drop_duplicates("position").set_index("position").reindex(places)
    found["kind"], found["field"] = found["kind"].fillna("").astype("str"), found["field"].fillna("").astype("str")
    found["strong"] = found["strong"].eq(True)
    found["homes"] = found["homes"].fillna(1).astype("int64")
    return found.reset_index(drop=True)


def _facts(pool: Pool, places: np.ndarray[Any, Any]) -> pd.DataFrame:
    # The list price is among the evidence.
    facts = pool.sales.iloc[places].reset_index(drop=True)
    return conform(facts, list(_SHOWN)).assign(**{ROW: facts[ROW].to_numpy()})


def _model_estimates(store: Store, market_id: str, pool: Pool, rows: pd.DataFrame) -> Floats:
    """Return what the live model makes of the sales it has not learned from, shape (n,); NaN for all others."""
    estimates = np.full(len(rows), np.nan)
    champion = store.models.champion(market_id)
    if champion is None:
        return estimates
    learned = store.versions.load(champion.version_id, [ROW])[ROW].to_numpy()
    unseen = np.flatnonzero(~np.isin(rows[ROW].to_numpy(), learned))
    if len(unseen):
        model = from_bytes(store.models.load_bytes(champion.model_id)).model
        homes = pool.sales.set_index(ROW).loc[rows[ROW].to_numpy()[unseen]].reset_index()
        estimates[unseen] = model.estimate(conform(homes, list(dict.fromkeys([*model.facts.all, *homes.columns[1:]]))))
    return estimates


# Decisions


def _correction(choice: Choice, row: Mapping[Any, Any], problem: Problem) -> tuple[str, float | None]:
    if choice.kind is not SaleDecision.CORRECT:
        return "", None
    field = choice.field or str(row["field"]) or CORRECTABLE[0]
    value = choice.value if choice.value is not None else float(row["suggested"])
    if field not in CORRECTABLE:
        raise InvalidRecord(f"A correction of {field!r} is not possible here; name one of {', '.join(CORRECTABLE)}.")
    limit, label = problem.limits[field], label_of(field).lower()
    if not np.isfinite(value):
        raise InvalidRecord(f"No value suggests itself for this sale; give the right {label}.")
    if not limit.low <= value <= limit.high:
        raise InvalidRecord(f"A {label} of {value:,.12g} is outside {limit.low:,.12g} to {limit.high:,.12g}.")
    return field, float(value)


def _tidy(note: str) -> str:
    tidy = " ".join(note.split())
    if len(tidy) > _NOTE_LIMIT:
        raise InvalidRecord(f"The note has {len(tidy)} characters; the limit is {_NOTE_LIMIT}.")
    return tidy


# Version


def _account(after: Pool, changed: Ints) -> FileAccounting:
    waits = int(after.waits[changed].sum())
    return FileAccounting(
        file=_REVIEW_FILE,
        source=REVIEW,
        sha256="",
        rows_in=len(changed),
        accepted=len(changed) - waits,
        repaired=0,
        duplicate=0,
        rejected=0,
        reasons=_counted(after.doubt[changed]),
        set_aside=waits,
    )


def _reasons(after: Pool, changed: Ints, history: Sequence[StoredSaleDecision]) -> str:
    """Return the reasons for the decisions on the sales that changed, the most frequent first; "" for none."""
    keys, decisions = {place: key for key, place in places_of(after.sales, history).items()}, by_sale(history)
    notes = Counter(decisions[keys[place]][-1].note for place in changed.tolist() if place in keys)
    named = [note for note, _ in notes.most_common() if note]
    more = [f"{count(len(named) - _REASONS, 'other reason')}"] if len(named) > _REASONS else []
    return "; ".join([*named[:_REASONS], *more])


def _counted(doubts: np.ndarray[Any, Any]) -> Mapping[str, int]:
    names, counts = np.unique(doubts[doubts != ""].astype("str"), return_counts=True)
    return {str(name): int(n) for name, n in zip(names, counts, strict=True)}


def _ledger(before: Pool, after: Pool, changed: Ints) -> pd.DataFrame:
    # With a swapped living area, the lot area is corrected too.
    names = [name for name in (*CORRECTABLE, "lot_area_sqft") if name in after.sales]
    details = [""] * len(changed)
    for name in names:
        old, new = (pool.sales[name].to_numpy(dtype="float64")[changed] for pool in (before, after))
        for row in np.flatnonzero((old != new) & ~np.isnan(new)):
            details[row] += f"{label_of(name).lower()} {old[row]:.12g} -> {new[row]:.12g} "
    return ledger_of_changes(_REVIEW_FILE, after, changed, Outcome.ACCEPTED, [detail.strip() for detail in details])
