"""Facts that a tax or neighborhood file brings later: what stored sales lack is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from core.arrays import Bools
from core.collect.mapping import MappedTable
from core.collect.merge import ROW, Merged, merge_into
from core.prepare.assessed_rise import known_before, roll_with_rise, valuations_among
from core.prepare.quality.cleaning import clean_sales
from core.problem import Problem
from core.schema import FIELD_BY_NAME, Source, is_extra


@dataclass(frozen=True)
class LateFacts:
    """Sales with what they gained: ``by_fact`` tells for each fact which of the n sales gain it, shape (n,).

    ``withheld`` names the columns of the tax file whose values some sale does not get as an assessor may have known its
    price, ``implausible`` counts by fact the values that were left out because they are not plausible.
    """

    sales: pd.DataFrame
    by_fact: Mapping[str, Bools]
    merged: Merged
    withheld: tuple[str, ...] = ()
    implausible: Mapping[str, int] = field(default_factory=dict)

    @property
    def gains(self) -> Bools:
        """Which sales gain any fact, shape (n,)."""
        return np.any([np.zeros(len(self.sales), dtype=bool), *self.by_fact.values()], axis=0)

    @property
    def gained(self) -> Mapping[str, int]:
        """How many sales gain each fact."""
        return {name: int(gaining.sum()) for name, gaining in self.by_fact.items()}


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
    what they bring is cleaned as theirs is. Sales that are ``left_alone``, shape (n,), gain nothing: the files have
    joined them already. No sale gains a value that an assessor may have set after it. Raises MappingError for a column
    that is numbers in one table and words in another.
    """
    withheld = valuations_among(map(str, tax.frame)) if tax is not None else []
    earlier = None if tax is None else replace(tax, frame=tax.frame.drop(columns=withheld))
    merged = merge_into(_with_rows(held), earlier, neighbourhood, same)
    if tax is not None and merged.roll is not None:
        # A home priced from now on is valued after the roll: its record keeps what no earlier sale may know.
        merged = replace(merged, roll=roll_with_rise(tax.frame.reset_index(drop=True).loc[merged.roll.index]))
    return replace(_filled(held, merged, left_alone, problem, today), withheld=tuple(withheld))


def with_held_roll(new: pd.DataFrame, roll: pd.DataFrame, problem: Problem, today: date) -> LateFacts:
    """Fill what new sales lack from the homes of the tax roll that a market holds; no value that they have changes.

    ``new`` is canonical with ``intake_row``, ``roll`` as core.serve.agent.tax_roll keeps it. The assessor's values come
    only to a sale whose home was assessed before its day. Raises MappingError as with_late_facts does.
    """
    homes = roll[[name for name in roll if name in FIELD_BY_NAME or is_extra(str(name))]].reset_index(drop=True)
    homes = homes.assign(**{ROW: np.arange(1, len(homes) + 1, dtype="int64")})
    table = MappedTable("the tax roll", Source.TAX, "", homes, pd.DataFrame(), (), len(homes))
    merged = merge_into(_with_rows(new), table, None)
    offered = merged.frame
    values = valuations_among(map(str, offered))
    known = known_before(offered, new, values)
    withheld = tuple(name for name in values if known[name].count() < offered[name].count())
    return replace(_filled(new, replace(merged, frame=known), None, problem, today), withheld=withheld)


def _with_rows(sales: pd.DataFrame) -> pd.DataFrame:
    rows = np.arange(1, len(sales) + 1, dtype="int64")
    return sales.drop(columns="intake_row").reset_index(drop=True).assign(**{ROW: rows})


def _filled(held: pd.DataFrame, merged: Merged, left_alone: Bools | None, problem: Problem, today: date) -> LateFacts:
    """Fill what sales lack from the same sales as merged, with what is plausible."""
    rows = np.arange(1, len(held) + 1, dtype="int64")
    asking = np.ones(len(held), dtype=bool) if left_alone is None else ~left_alone
    # A row that is not clean with the new facts is not there, and gains nothing.
    clean = clean_sales(merged.frame, problem, today).sales.set_index(ROW).reindex(rows).reset_index(drop=True)
    is_there = clean["sale_price"].notna().to_numpy()
    filled, by_fact = held.reset_index(drop=True), dict[str, Bools]()
    implausible: dict[str, int] = {}
    for name in map(str, merged.frame.columns.drop(ROW)):
        lacking = filled[name].isna().to_numpy() if name in filled else np.ones(len(held), dtype=bool)
        lacking = lacking & asking
        lost = lacking & is_there & merged.frame[name].notna().to_numpy() & clean[name].isna().to_numpy()
        # Year 0 means never renovated: no value is lost with it.
        if name == "year_renovated":
            lost &= merged.frame[name].ne(0).to_numpy()
        if lost.any():
            implausible[name] = int(lost.sum())
        gaining = lacking & clean[name].notna().to_numpy()
        if not gaining.any():
            continue
        filled[name] = filled[name].mask(gaining, clean[name]) if name in filled else clean[name].where(gaining)
        by_fact[name] = gaining
    return LateFacts(filled, by_fact, merged, implausible=implausible)
