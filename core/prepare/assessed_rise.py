"""How much more the assessed value of a home rose than is usual in its area: what an assessor saw of a renovation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.collect.leaks import leak_by_name
from core.collect.merge import Merged
from core.collect.vocabulary import load_vocabulary
from core.schema import ASSESSED_RISE, EXTRA_PREFIX, Source, is_extra

_VALUES: Final = ("assessed_value", "prior_assessed_value")
_DAY: Final = "assessed_on"
VALUATIONS: Final = frozenset({*_VALUES, _DAY, ASSESSED_RISE})
_AREA: Final = "zipcode"
# A median of fewer homes follows single renovations; the whole roll is the yardstick there.
_AREA_HOMES_MIN: Final = 20


def valuations_among(names: Iterable[str]) -> list[str]:
    """Return the columns of a tax roll that value a home or are worked out from such: they may follow from its price.

    A market's own columns are among them where their name says so, such as the value of the land.
    """
    vocabulary = load_vocabulary()

    def values(name: str) -> bool:
        if not is_extra(name):
            return name in VALUATIONS
        return leak_by_name(name.removeprefix(EXTRA_PREFIX), Source.SALES, vocabulary).startswith("a valuation")

    return [name for name in names if values(name)]


def known_before(sales: pd.DataFrame, brought: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Blank the values ``names`` of homes that sales got of a tax roll, unless the home was assessed before the sale.

    An assessor of that day or later may have known the price, and so may one of an unknown day. ``brought`` has the
    same sales, row for row, as they were before: what they had themselves stays.
    """
    day = sales[_DAY] if _DAY in sales else pd.Series(pd.NaT, index=sales.index)
    before = day < sales["sale_date"]
    own = brought.set_axis(sales.index)
    return sales.assign(
        **{name: sales[name].where(before | (own[name].notna() if name in own else False)) for name in names}
    )


def without_unproven_values(merged: Merged, brought: pd.DataFrame) -> Merged:
    """Return merged sales without a market's own values of a home that the roll does not date before the sale.

    ``brought`` has the sales before the merge; ``withheld`` of the result names the columns that lost a value so.
    """
    own = [name for name in valuations_among(map(str, merged.frame)) if is_extra(name)]
    if not own or merged.roll is None or "sale_date" not in merged.frame:
        return merged
    frame = known_before(merged.frame, brought, own)
    lost = tuple(name for name in own if frame[name].count() < merged.frame[name].count())
    return replace(merged, frame=frame, withheld=lost) if lost else merged


def without_later_values(sales: pd.DataFrame) -> pd.DataFrame:
    """Return sales without a market's own values of a home that was assessed on the day of its sale or later.

    An assessor of that day may have known the price. Where no day is known, nothing is changed: what a sales file
    has itself, a person kept as known before the sale.
    """
    own = [name for name in valuations_among(map(str, sales)) if is_extra(name)]
    if not own or _DAY not in sales or "sale_date" not in sales:
        return sales
    later = sales[_DAY] >= sales["sale_date"]
    return sales.assign(**{name: sales[name].mask(later) for name in own})


def with_assessed_rise(merged: Merged) -> Merged:
    """Return merged sales and tax roll with ``assessed_rise``, in percent, where both values and their day are known.

    The usual rise is the median of the roll's homes with the same zip code (of at least 20), else of all. No price is
    looked at, and a sale has a rise only if its home was assessed before the day of the sale, so that the assessor
    cannot have known the price; nor does it have a value of the market's own columns otherwise. Without assessment
    dates nothing is added.
    """
    earlier = without_later_values(merged.frame)
    merged = merged if earlier is merged.frame else replace(merged, frame=earlier)
    if not _is_assessed(merged.frame):
        return merged
    roll = None if merged.roll is None else roll_with_rise(merged.roll)
    whole = merged.roll if merged.roll is not None and _is_assessed(merged.roll) else merged.frame
    sales = _with_rise(merged.frame, _usual_ratios(whole))
    before = (sales[_DAY] < sales["sale_date"]).to_numpy()
    sales[ASSESSED_RISE] = sales[ASSESSED_RISE].where(before)
    return replace(merged, frame=sales, roll=roll)


def roll_with_rise(roll: pd.DataFrame) -> pd.DataFrame:
    """Return the homes of a tax roll with their ``assessed_rise``; unchanged where the roll has no days."""
    return _with_rise(roll, _usual_ratios(roll)) if _is_assessed(roll) else roll


def _is_assessed(homes: pd.DataFrame) -> bool:
    return {*_VALUES, _DAY} <= set(homes.columns)


def _usual_ratios(roll: pd.DataFrame) -> pd.Series:
    """Return the median ratio of value to prior value by zip code, and of all homes under ""."""
    ratios = pd.Series(_ratios(roll), index=roll.index).dropna()
    groups = ratios.groupby(_areas(roll).reindex(ratios.index))
    usual = groups.median()[groups.size() >= _AREA_HOMES_MIN]
    usual[""] = ratios.median()
    return usual


def _with_rise(homes: pd.DataFrame, usual: pd.Series) -> pd.DataFrame:
    expected = _areas(homes).map(usual).fillna(usual[""]).to_numpy(dtype=float)
    rise = 100.0 * (_ratios(homes) / expected - 1.0)
    assessed = homes[_DAY].notna().to_numpy()
    return homes.assign(**{ASSESSED_RISE: np.where(assessed, np.round(rise, 1), np.nan)})


def _ratios(homes: pd.DataFrame) -> Floats:
    """Return value by prior value of each home, shape (n,), NaN unless both are above zero."""
    value, prior = (homes[name].to_numpy(dtype=float) for name in _VALUES)
    known = (value > 0) & (prior > 0)
    return np.divide(value, prior, out=np.full(len(homes), np.nan), where=known)


def _areas(homes: pd.DataFrame) -> pd.Series:
    return homes[_AREA].fillna("") if _AREA in homes else pd.Series("", index=homes.index)
