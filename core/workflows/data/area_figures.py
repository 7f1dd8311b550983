"""What a market holds of its homes and areas, the tax roll and neighborhood figures: later sales get them too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools
from core.collect.join_keys import DAY, area_keys, bare_ids, column_or_missing, full_keys
from core.prepare.late_facts import with_held_roll
from core.prepare.signals.dated import DatedFigure, area_figures, market_figures
from core.problem import Problem
from core.schema import NEIGHBOURHOOD_FIELDS, Source, is_extra
from core.serve.agent.tax_roll import KEY, RollNews, joined_roll, roll_news
from core.store import DataVersion, Store
from core.wording import count
from core.workflows.data.effect_words import listed_facts, unproven_words

_CODES: Final = ("zipcode", "neighbourhood")
_NAMES: Final = frozenset(field.name for field in NEIGHBOURHOOD_FIELDS)
# A column with several values in more of its areas is no figure of areas: homes differ, or files of several years.
_DIFFER_MAX: Final = 0.1
# Fewer areas with several sales in one month cannot tell a figure of the area from a fact of the home.
_MONTHS_MIN: Final = 5


@dataclass(frozen=True)
class Brought:
    """What a neighborhood file brought to a market: the area codes it has, and the fields of its figures.

    ``by_date``: each sale got the latest figures known before its day, so that an area may have several.
    """

    codes: tuple[str, ...]
    fields: tuple[str, ...]
    by_date: bool = False


@dataclass(frozen=True)
class AreaFill:
    """What new sales got of the figures that the market holds.

    ``sales`` of them got any, ``by_fact`` counts them by field; ``without`` of ``new`` have none of the figures still.
    """

    sales: int = 0
    by_fact: Counter[str] = field(default_factory=Counter)
    without: int = 0
    new: int = 0

    def __add__(self, other: AreaFill) -> AreaFill:
        """Return the counts of both."""
        return AreaFill(
            self.sales + other.sales, self.by_fact + other.by_fact, self.without + other.without, self.new + other.new
        )

    @property
    def words(self) -> str:
        """What was filled in and what is still missing, in sentences; "" where no figure is missing."""
        found = []
        if self.sales:
            get = "gets" if self.sales == 1 else "get"
            found.append(
                f"{count(self.sales, 'new sale')} {get} {count(len(self.by_fact), 'neighborhood figure')} that the "
                "market already holds for the area."
            )
        if self.without:
            have = "has" if self.without == 1 else "have"
            found.append(
                f"{self.without:,} of {count(self.new, 'new sale')} {have} none of the market's neighborhood figures: "
                "add a neighborhood file with their areas."
            )
        return " ".join(found)


@dataclass(frozen=True)
class RollFill:
    """What new sales got of the tax roll that the market holds: ``sales`` of them any, ``by_fact`` counts them.

    ``withheld`` names the values of the roll that some did not get, as an assessor may have known their prices.
    """

    sales: int = 0
    by_fact: Counter[str] = field(default_factory=Counter)
    withheld: tuple[str, ...] = ()

    def __add__(self, other: RollFill) -> RollFill:
        """Return the counts of both."""
        withheld = tuple(dict.fromkeys(self.withheld + other.withheld))
        return RollFill(self.sales + other.sales, self.by_fact + other.by_fact, withheld)

    @property
    def words(self) -> str:
        """What was filled in and what was not, in sentences; "" where nothing was."""
        if not self.sales:
            return unproven_words(self.withheld)
        get = "gets" if self.sales == 1 else "get"
        found = (
            f"{count(self.sales, 'new sale')} {get} {count(len(self.by_fact), 'fact')} of the tax roll that the market "
            f"already holds: {listed_facts(self.by_fact)}."
        )
        return f"{found} {unproven_words(self.withheld)}".rstrip()


@dataclass(frozen=True)
class HeldFacts:
    """What a market holds for later sales: figures of its neighborhood files, and the homes of its tax roll."""

    brought: Sequence[Brought] = ()
    roll: pd.DataFrame | None = None

    def complete(
        self, new: pd.DataFrame, held: pd.DataFrame | None, counted: Bools, problem: Problem, today: date
    ) -> tuple[pd.DataFrame, AreaFill, RollFill]:
        """Fill what new sales lack, canonical with ``intake_row``; ``counted`` as in with_area_figures."""
        filled, of_roll = new, RollFill()
        if self.roll is not None and not new.empty:
            late = with_held_roll(new, _records_near(self.roll, new), problem, today)
            filled = late.sales.set_axis(new.index)
            by_fact = Counter({name: n for name, gains in late.by_fact.items() if (n := int((gains & counted).sum()))})
            of_roll = RollFill(int((late.gains & counted).sum()), by_fact, late.withheld)
        filled, of_areas = with_area_figures(filled, held, self.brought, counted)
        return filled, of_areas, of_roll


def _records_near(roll: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return the records of a roll that share an id or an address, whatever its zip code, with a new sale.

    Only they can match one, and a roll of a large market has hundreds of times as many.
    """
    ids = bare_ids(column_or_missing(roll, "property_id"))
    wanted = bare_ids(column_or_missing(new, "property_id")).dropna()
    addresses = full_keys(new).dropna().str.split("|").str[0]
    return roll[ids.isin(wanted) | roll[KEY].str.split("|").str[0].isin(addresses)]


def held_facts(store: Store, version: DataVersion, with_roll: bool) -> HeldFacts:
    """Return what the market of a version holds; its roll only where one is to be used, as no new one comes.

    Raises NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    roll = store.versions.load_roll(version.version_id) if with_roll else None
    return HeldFacts(brought_figures(store, version.market_id), roll)


@dataclass(frozen=True)
class BroughtHomes:
    """The market's tax roll with the homes of a new file, None without news, and what is new of them."""

    roll: pd.DataFrame | None = None
    news: RollNews = field(default_factory=RollNews)

    @property
    def words(self) -> str:
        """What is kept of the tax roll, in a sentence; "" where it brings nothing new."""
        if not self.news.homes:
            return ""
        others = f", {self.news.changed:,} of them with other facts than before" if self.news.changed else ""
        are = "is" if self.news.homes == 1 else "are"
        return (
            f"{count(self.news.homes, 'home')} of the tax roll {are} kept for the look-up of homes and for later "
            f"sales{others}."
        )


def brought_homes(store: Store, parent: DataVersion | None, new: pd.DataFrame | None, day: date) -> BroughtHomes:
    """Join the homes of a new tax file to those of the version that it builds on; nothing where there is no file.

    Raises ArtifactCorrupt, StoreUnavailable.
    """
    if new is None:
        return BroughtHomes()
    held = store.versions.load_roll(parent.version_id) if parent else None
    roll = joined_roll(lambda: held, new, day)
    news = roll_news(held, roll)
    return BroughtHomes(roll if news.homes else None, news)


def dated_figures(store: Store, version: DataVersion, sales: pd.DataFrame) -> tuple[DatedFigure, ...]:
    """Return the figures by date that a version holds: its indicators, and those of areas that its sales have.

    Raises NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    by_date = [name for one in brought_figures(store, version.market_id) if one.by_date for name in one.fields]
    of_market = market_figures(store.versions.load_indicators(version.version_id))
    return (*of_market, *area_figures(sales, list(dict.fromkeys(by_date))))


def brought_figures(store: Store, market_id: str) -> tuple[Brought, ...]:
    """Return what neighborhood files brought to a market's data in use, the newest file first.

    Files of releases that kept no record of their columns are left out. Raises NotFound, StoreUnavailable.
    """
    versions = [
        version.version_id
        for version in store.versions.chain(market_id)
        if any(one.source == Source.NEIGHBOURHOOD for one in version.files)
    ]
    mappings = [one.mapping for version in versions for one in store.versions.intake(version)]
    named = [[str(rule["field"]) for rule in one["rules"]] for one in mappings if one["source"] == Source.NEIGHBOURHOOD]
    return tuple(
        Brought(
            tuple(code for code in _CODES if code in names),
            tuple(name for name in names if name in _NAMES or is_extra(name)),
            DAY in names,
        )
        for names in named
    )


def with_area_figures(
    new: pd.DataFrame, held: pd.DataFrame | None, brought: Sequence[Brought], counted: Bools | None = None
) -> tuple[pd.DataFrame, AreaFill]:
    """Give new sales the figures they lack, from the stored sales of their area; both tables are canonical.

    A figure is taken where all stored sales of the area have the same: it came from a neighborhood file, and says
    nothing of a single sale. Where an area has several, of files of several dates, a new sale gets that of the latest
    stored sale before its own day: never one that was known only later. No value that a new sale has changes.
    ``counted``, shape (n,), tells the new sales that count in the report (None: all), as those that wait are none yet.
    """
    counts = np.ones(len(new), dtype=bool) if counted is None else counted
    fields = sorted({name for one in brought for name in one.fields})
    if held is None or held.empty or new.empty or not fields:
        return new, AreaFill()
    filled, by_fact, gains = new.copy(), Counter[str](), pd.Series(False, index=new.index)
    for one in brought:
        # A figure by date that all stored sales of an area have may have become known only after a new sale.
        code, figures = (_CODES[0], pd.DataFrame()) if one.by_date else _figures(held, one)
        offered = figures.reindex(area_keys(new, code).to_numpy()).set_axis(new.index)
        dated = _as_of(held, new, one)
        offered = offered.assign(**{name: _first_of(offered, name, found) for name, found in dated.items()})
        for name in offered:
            ours = filled[name] if name in filled else offered[name].iloc[:0].reindex(new.index)
            if ours.isna().all():
                ours = ours.astype(offered[name].dtype)
            takes = ours.isna() & offered[name].notna()
            if takes.any() and ours.dtype == offered[name].dtype:
                filled[name] = ours.mask(takes, offered[name])
                by_fact[str(name)] += int((takes & counts).sum())
                gains |= takes
    without = filled.reindex(columns=fields).isna().all(axis=1)
    return filled, AreaFill(int((gains & counts).sum()), +by_fact, int((without & counts).sum()), int(counts.sum()))


def _figures(held: pd.DataFrame, brought: Brought) -> tuple[str, pd.DataFrame]:
    """Return the code by which stored sales have their figures, and the one value of each area and figure by it."""
    names = [name for name in brought.fields if name in held]
    if not names:
        return _CODES[0], pd.DataFrame()
    tables = {}
    for code in brought.codes:
        rows = held[names].assign(area=area_keys(held, code)).dropna(subset="area").drop_duplicates()
        tables[code] = rows.groupby("area")
    numbers = {code: table[names].nunique() for code, table in tables.items()}
    # Figures that were joined by the other code differ within an area. min keeps the first of equals: the zip code.
    code = min(numbers, key=lambda one: int((numbers[one] > 1).to_numpy().sum()))
    several, known = (numbers[code] > 1).sum(), (numbers[code] > 0).sum()
    of_areas = [name for name in names if several[name] <= _DIFFER_MAX * known[name]]
    return code, tables[code][of_areas].first().where(numbers[code][of_areas] == 1)


def _first_of(offered: pd.DataFrame, name: str, dated: pd.Series) -> pd.Series:
    """Return the one figure of the area, and where it has several that of the day."""
    return offered[name].where(offered[name].notna(), dated) if name in offered else dated


def _as_of(held: pd.DataFrame, new: pd.DataFrame, brought: Brought) -> dict[str, pd.Series]:
    """Return for each figure what the area's latest stored sale before the day of each new sale has.

    Of figures by date that sale got only what was known before its own day. A figure of a file without dates counts as
    known on the day of every sale that has it, old ones that a later file filled in too: nothing else is known of
    it, and a new sale of that time had got the same beside them.
    """
    if "sale_date" not in held or "sale_date" not in new:
        return {}
    found = {}
    for name in (name for name in brought.fields if name in held):
        tables = {code: _dated(held, name, code) for code in brought.codes}
        code = min(tables, key=lambda one: _differ(tables[one]))
        if not brought.by_date and _differ(tables[code]) > _DIFFER_MAX:
            continue
        asked = pd.DataFrame({"area": area_keys(new, code), "sale_date": new["sale_date"]}).dropna()
        joined = pd.merge_asof(
            asked.sort_values("sale_date", kind="stable").reset_index(names="place"),
            tables[code].sort_values("sale_date", kind="stable"),
            on="sale_date",
            by="area",
            allow_exact_matches=False,
        )
        found[name] = joined.set_index("place")[name].reindex(new.index)
    return found


def _dated(held: pd.DataFrame, name: str, code: str) -> pd.DataFrame:
    return pd.DataFrame({"area": area_keys(held, code), "sale_date": held["sale_date"], name: held[name]}).dropna()


def _differ(dated: pd.DataFrame) -> float:
    """Return the share of the areas with several sales in a month whose figure differs in it; 1 where too few tell.

    What a neighborhood file of some date brought is the same for all homes of an area then, and no fact of a home is.
    """
    months = dated.groupby([dated["area"], dated["sale_date"].dt.to_period("M")])[dated.columns[-1]]
    several = months.size() > 1
    return float((months.nunique()[several] > 1).mean()) if int(several.sum()) >= _MONTHS_MIN else 1.0
