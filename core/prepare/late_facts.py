"""Facts that a tax or neighborhood file brings later: what stored sales lack is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools
from core.collect.mapping import MappedTable
from core.collect.merge import ROW, Merged, merge_into
from core.prepare.assessed_rise import roll_with_rise
from core.prepare.quality.cleaning import clean_sales
from core.problem import Problem
from core.schema import ASSESSED_RISE

# A roll that came after a sale may have been assessed by its price.
_NOT_LATER: Final = ("assessed_value", "prior_assessed_value", "assessed_on", ASSESSED_RISE)


@dataclass(frozen=True)
class LateFacts:
    """Stored sales with what they gained: ``gains`` tells which sales, shape (n,), ``gained`` how many by fact."""

    sales: pd.DataFrame
    gains: Bools
    gained: Mapping[str, int]
    merged: Merged


def with_late_facts(
    held: pd.DataFrame,
    tax: MappedTable | None,
    neighbourhood: MappedTable | None,
    same: frozenset[tuple[str, str]],
    left_alone: Bools,
    problem: Problem,
    today: date,
) -> LateFacts:
    """Fill what stored sales lack from files that came later; no value that is stored changes.

    ``held`` is canonical, in the order of intake; the files join it as they join new sales (core.collect.merge), and
    what they bring is cleaned as theirs is. Sales that are ``left_alone``, shape (n,), gain nothing, and no sale gains
    an assessed value, which may have been made after it. Raises MappingError for a column that is numbers in one table
    and words in another.
    """
    rows = np.arange(1, len(held) + 1, dtype="int64")
    facts = held.drop(columns="intake_row").reset_index(drop=True)
    earlier = None if tax is None else replace(tax, frame=tax.frame.drop(columns=list(_NOT_LATER), errors="ignore"))
    merged = merge_into(facts.assign(**{ROW: rows}), earlier, neighbourhood, same)
    if tax is not None and merged.roll is not None:
        # A home priced from now on is valued after the roll: its record keeps what no earlier sale may know.
        merged = replace(merged, roll=roll_with_rise(tax.frame.reset_index(drop=True).loc[merged.roll.index]))
    # A row that is not clean with the new facts is not there, and gains nothing.
    clean = clean_sales(merged.frame, problem, today).sales.set_index(ROW).reindex(rows).reset_index(drop=True)
    filled, gained, gains = held.reset_index(drop=True), dict[str, int](), np.zeros(len(held), dtype=bool)
    for name in merged.frame.columns.drop(ROW):
        lacking = filled[name].isna().to_numpy() if name in filled else np.ones(len(held), dtype=bool)
        gaining = lacking & clean[name].notna().to_numpy() & ~left_alone
        if not gaining.any():
            continue
        filled[name] = filled[name].mask(gaining, clean[name]) if name in filled else clean[name].where(gaining)
        gained[str(name)], gains = int(gaining.sum()), gains | gaining
    return LateFacts(filled, gains, gained, merged)
