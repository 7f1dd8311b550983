"""The reference of a live model: its training homes and the test sales on which it was accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.errors import StoreError, TrainError
from core.evaluate.scored_sales import from_bytes
from core.monitor.drift import Reference, reference_of
from core.schema import FIELD_BY_NAME, PROPERTY_FIELDS, FieldKind
from core.store import ModelRecord, Store
from core.workflows.models.test_scores import SCORES

FACTS: Final = tuple(
    field.name
    for field in PROPERTY_FIELDS
    if field.kind in (FieldKind.NUMBER, FieldKind.FLAG, FieldKind.CATEGORY) and field.unit != "money"
)
"""The facts checked for drift: everything a form may ask for, except prices."""

# Agents do not usually enter a fact typed for fewer homes than this, so its values say nothing about the homes priced.
_SELDOM: Final = 0.5


@dataclass(frozen=True)
class ModelReference:
    """A model's reference; a part is missing if its file is, and ``notes`` say so in sentences.

    ``facts`` describe its training homes, fact by fact; ``tested`` has its sealed test sales with sale_date,
    sale_price, estimate, living_area_sqft, year_built, property_type and area, and ``log_ratio`` their log(sale /
    estimate); ``estimates`` is the reference of its estimates for them.
    """

    model_id: str
    facts: tuple[Reference, ...]
    tested: pd.DataFrame
    log_ratio: Floats
    estimates: Reference | None
    notes: tuple[str, ...]


def model_reference_of(store: Store, record: ModelRecord) -> ModelReference:
    """Return a model's reference, read once per process; parts that cannot be read are missing and noted."""
    found = _model_reference(store, record.model_id, record.version_id, str(record.card.get(SCORES) or ""))
    if found.notes:
        # Try again next time: the disk may have been full, or a file may be restored from a backup.
        _model_reference.cache_clear()
    return found


def typed(facts: pd.Series, names: tuple[str, ...] = FACTS) -> pd.DataFrame:
    """Convert typed facts (a dict each) to a table of canonical columns; an invalid number counts as missing."""
    documents = facts.tolist()
    return pd.DataFrame({name: _typed(documents, name) for name in names}, index=facts.index)


def as_typed(references: tuple[Reference, ...], habit: Mapping[str, float]) -> tuple[Reference, ...]:
    """Return the references with the share of missing values that agents leave out, by fact.

    Records have facts that agents never enter, and vice versa: that is not drift, but a change of habit is. Facts that
    agents seldom enter are left out.
    """
    return tuple(_with_missing(one, habit[one.field]) for one in references if habit.get(one.field, 1.0) <= _SELDOM)


def _typed(documents: list[dict[str, Any]], name: str) -> Any:
    values = [one.get(name) for one in documents]
    if FIELD_BY_NAME[name].kind is FieldKind.CATEGORY:
        return pd.array([str(value) if value not in (None, "") else None for value in values], dtype="str")
    return pd.to_numeric(np.array(values, dtype=object), errors="coerce").astype(np.float64)


def _with_missing(reference: Reference, share: float) -> Reference:
    known = sum(reference.counts[:-1])
    return replace(reference, counts=(*reference.counts[:-1], round(known * share / (1 - share))))


@lru_cache(maxsize=8)
def _model_reference(store: Store, model_id: str, version_id: str, scores: str) -> ModelReference:
    notes: list[str] = []
    facts = _facts(store, version_id, notes)
    tested = _tested(store, scores, notes)
    price, estimate = (tested[name].to_numpy(dtype=float) for name in ("sale_price", "estimate"))
    estimates = reference_of(tested["estimate"], "estimate") if len(tested) else None
    return ModelReference(model_id, facts, tested, np.log(price / estimate), estimates, tuple(notes))


def _facts(store: Store, version_id: str, notes: list[str]) -> tuple[Reference, ...]:
    try:
        sales = store.versions.load(version_id)
    except StoreError as error:
        notes.append(f"The live model's training homes cannot be read, so drift of facts is not judged. {error}")
        return ()
    known = [name for name in FACTS if name in sales and sales[name].notna().any()]
    return tuple(reference_of(sales[name], name) for name in known)


def _tested(store: Store, scores: str, notes: list[str]) -> pd.DataFrame:
    columns = ["sale_date", "sale_price", "estimate", "living_area_sqft", "year_built", "property_type", "area"]
    if not scores:
        notes.append("The live model was trained before test scores were kept, so the cause of errors is unknown.")
        return pd.DataFrame(columns=columns, dtype="float64")
    try:
        table = from_bytes(store.scores.read(scores)).priced
    except (StoreError, TrainError) as error:
        notes.append(f"The live model's test sales cannot be read, so the cause of errors is unknown. {error}")
        return pd.DataFrame(columns=columns, dtype="float64")
    area: Any = table["zipcode"].where(table["zipcode"].notna(), table["neighbourhood"])
    return table.assign(area=area)[columns].reset_index(drop=True)
