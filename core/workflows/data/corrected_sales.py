"""Earlier states of corrected sales, stored in the row ledger of the version that corrected them."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from core.arrays import Ints
from core.collect.join_keys import column_or_missing
from core.prepare.quality.cleaning import Cleaned
from core.prepare.quality.corrections import CORRECTS
from core.schema import FIELD_BY_NAME, FieldKind, conform
from core.store import Store
from core.wording import MISSING, IdDigits, area, degrees, market_day, money, with_id_words
from core.workflows.data.sale_pool import replaced

BEFORE: Final = "before"
CORRECTED_ROW: Final = "corrected_row"
CORRECTION_COLUMNS: Final = ("intake_row", "home", "field", "before", "after", "file", "source_row")


def corrected_sales(store: Store, market_id: str) -> pd.DataFrame:
    """Return every earlier state of a sale that the market's chain of versions corrected, canonical, oldest first.

    Corrections of an undone version do not count. Raises NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    documents: list[str] = []
    for version in reversed(store.versions.chain(market_id)):
        if any(CORRECTS in file.reasons for file in version.files):
            ledger = store.versions.ledger(version.version_id)
            documents += ledger.loc[ledger[CORRECTED_ROW] >= 0, BEFORE].tolist()
    return sales_of(documents)


def sales_of(documents: Sequence[str]) -> pd.DataFrame:
    """Return the sales that document_of wrote, canonical, without ``intake_row``."""
    frame = pd.DataFrame([json.loads(document) for document in documents])
    for name in frame:
        if name in FIELD_BY_NAME and FIELD_BY_NAME[name].kind is FieldKind.DATE:
            frame[name] = pd.to_datetime(frame[name])
    return conform(frame)


def document_of(sale: Mapping[Hashable, Any]) -> str:
    """Write one sale of a canonical table as JSON, without missing values."""
    known = {name: _plain(value) for name, value in sale.items() if name != "intake_row" and not pd.isna(value)}
    return json.dumps(known, ensure_ascii=False)


@dataclass(frozen=True)
class Corrected:
    """The market's sales ``held`` after a file's corrections, what they were before, and what changed in each.

    ``superseded`` has the earlier states as sales, ``listed`` what changed (see CORRECTION_COLUMNS), ``rows`` the
    ``intake_row`` of each corrected sale; ``ledger`` records its earlier state in the row that corrects it.
    """

    held: pd.DataFrame
    superseded: pd.DataFrame
    listed: pd.DataFrame
    rows: Ints
    ledger: pd.DataFrame


def with_corrections(
    held: pd.DataFrame, cleaned: Cleaned, ledger: pd.DataFrame, file: str, digits: IdDigits
) -> Corrected:
    """Replace the sales that one file corrects, and record their earlier state in its ledger.

    A corrected sale keeps its ``intake_row``, so that a test sale stays a test sale. ``digits`` are those of the ids in
    the list for people.
    """
    rows = cleaned.corrects >= 0
    places, corrected = cleaned.corrects[rows], cleaned.sales.loc[rows].reset_index(drop=True)
    source_rows = corrected["source_row"].to_numpy(dtype="int64")
    before = held.iloc[places].reset_index(drop=True)
    documents = [document_of(sale) for sale in before.to_dict("records")]
    now = replaced(held, places, corrected.drop(columns="source_row"))
    numbers = before["intake_row"].to_numpy()
    earlier = pd.DataFrame({CORRECTED_ROW: numbers, BEFORE: documents}, index=source_rows)
    corrects = ledger["reasons"].str.split(";").map(lambda codes: CORRECTS in codes).to_numpy(dtype=bool)
    for name in earlier:
        ledger[name] = ledger[name].mask(corrects, ledger["source_row"].map(earlier[name]))
    after = with_id_words(now.iloc[places].reset_index(drop=True), digits)
    listed = corrections_of(with_id_words(before, digits), after, file, source_rows)
    return Corrected(now, sales_of(documents), listed, numbers, ledger.astype({CORRECTED_ROW: "int64"}))


def no_corrections() -> pd.DataFrame:
    """Return an empty list of corrections."""
    frame = pd.DataFrame(columns=list(CORRECTION_COLUMNS), dtype="str")
    return frame.astype({"intake_row": "int64", "source_row": "int64"})


def corrections_of(before: pd.DataFrame, after: pd.DataFrame, file: str, source_rows: Ints) -> pd.DataFrame:
    """List a file's corrections: one row per sale and field, with values as text; see CORRECTION_COLUMNS.

    ``before`` and ``after`` hold the corrected sales, canonical with ``intake_row``, in the same order.
    """
    parts = [no_corrections()]
    homes = column_or_missing(after, "address").fillna(column_or_missing(after, "property_id")).fillna("").to_numpy()
    for name in after:
        if name == "intake_row":
            continue
        now = after[name].reset_index(drop=True)
        then = before[name].reset_index(drop=True) if name in before else now.iloc[:0].reindex(now.index)
        changed = np.flatnonzero(((now != then) & ~(now.isna() & then.isna())).fillna(True))
        parts.append(
            pd.DataFrame(
                {
                    "intake_row": after["intake_row"].to_numpy()[changed],
                    "home": homes[changed],
                    "field": name,
                    "before": [_text(value) for value in then.iloc[changed]],
                    "after": [_text(value) for value in now.iloc[changed]],
                    "file": file,
                    "source_row": source_rows[changed],
                }
            )
        )
    listed = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    listed = listed.astype(no_corrections().dtypes)
    return listed.sort_values(["source_row", "intake_row"], kind="stable", ignore_index=True)


def fact_words(name: str, text: str, currency: str, area_unit: str) -> str:
    """Write a fact that is kept as text, as corrections and changes are, as people of the market read it."""
    field = FIELD_BY_NAME.get(name)
    if not text or field is None:
        return text or MISSING
    if field.unit == "money":
        return money(float(text), currency)
    if field.unit == "sqft":
        return area(float(text), area_unit, currency)
    if field.unit == "degrees":
        return degrees(float(text))
    return market_day(date.fromisoformat(text), currency) if field.kind is FieldKind.DATE else text


def _plain(value: Any) -> str | float:
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return float(value) if isinstance(value, int | float | np.number) else str(value)


def _text(value: Any) -> str:
    if pd.isna(value):
        return ""
    plain = _plain(value)
    return plain if isinstance(plain, str) else f"{plain:.12g}"
