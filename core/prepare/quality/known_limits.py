"""Known limits of a market's data: what is missing, sparse, old or never captured, and what it means for the model."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from core.accounting import OF_CELLS, FileAccounting, is_rejection, reason_words
from core.prepare.signals.dated import DatedFigure
from core.problem import Problem
from core.schema import FIELD_BY_NAME, FIELDS, INDICATOR_FIELDS, Source, is_extra, label_of
from core.wording import area, band_names, count, market_day, money_short, percent, significant

PRICE, TYPE, ZIPCODE, NEIGHBOURHOOD, SIZE = "price", "property type", "zipcode", "neighborhood", "living area"

_BOOKKEEPING: Final = frozenset({"intake_row", "source_row"})
# A field that hardly any sale has counts as not captured.
_CAPTURED_SHARE: Final = 0.01
_SHOWN: Final = 12
_REASONS_SHOWN: Final = 8
_REJECTING_SHOWN: Final = 2
_SIZE_QUANTILES: Final = (0.01, 0.99)
# What a missing field means for an estimate, beyond making homes that differ in it look equal.
_MEANING: Final[Mapping[str, str]] = {
    "latitude": "Without coordinates, comparables and nearby prices rely only on zipcode or neighborhood.",
    "living_area_sqft": "Without living area, only rooms and lot indicate size, and ranges are wide.",
    "property_type": "Without a property type, houses and condos are priced alike.",
    "list_date": "Without list dates, days on market cannot be studied.",
    "list_price": "Without list prices, the effect of listing at the estimate cannot be measured.",
    "first_list_price": "Without first list prices, price cuts cannot be compared.",
    "listing_office": "Without listing offices, a pilot's offices cannot be compared with the others.",
    "assessed_value": "Without assessed values, assessments cannot serve as a second opinion.",
    "assessed_on": "Without assessment dates, a jump in assessed value cannot show a renovation.",
    "validity": "Without sale validity, foreclosures and sales between relatives look like market sales.",
    "property_id": "Without a property id, resales of a home and matches to the tax roll rely on the address.",
}
_UNSEEN: Final = ("condition", "grade", "view", "waterfront", "year_renovated", "year_built", "garage_spaces", "floors")


@dataclass(frozen=True)
class MissingField:
    """A field that some sales lack: how many, and their share of all."""

    field: str
    missing: int
    share: float

    @property
    def label(self) -> str:
        """What the field is called."""
        return label_of(self.field)


@dataclass(frozen=True)
class ThinSegment:
    """A group of fewer sales than estimate.segment_min: it borrows its range from a wider group.

    ``kind`` is the grouping (PRICE, TYPE, ZIPCODE ...), ``share`` is of all sales; ``thin`` marks fewer than
    estimate.small_sample_n sales.
    """

    kind: str
    name: str
    n: int
    share: float
    thin: bool


@dataclass(frozen=True)
class TimeCoverage:
    """First and last sale, sales by month (first day of the month, ISO), and the months without sales in between."""

    first: date | None
    last: date | None
    months: tuple[tuple[str, int], ...]
    empty: tuple[str, ...]
    thin: tuple[str, ...]


@dataclass(frozen=True)
class IntakeShares:
    """The outcomes of the sales files' rows: shares of ``rows_in``, and the most frequent reasons with counts.

    ``rejecting`` are the two most frequent reasons of rejected rows.
    """

    rows_in: int
    accepted: float
    repaired: float
    duplicate: float
    rejected: float
    set_aside: float
    reasons: tuple[tuple[str, int], ...]
    rejecting: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownLimits:
    """The deliverable of data collection: what this market's data cannot show.

    ``missing`` is sorted by share, without fields that every sale has; ``not_captured`` are labels of canonical fields
    that (almost) no sale has; ``intake`` is None if there is no accounting; ``consequences`` are sentences on what it
    means for the model. ``dated`` are the figures by date that the market holds beside its sales. Days are written as
    a market with this ``currency`` does.
    """

    sales: int
    missing: tuple[MissingField, ...]
    thin: tuple[ThinSegment, ...]
    time: TimeCoverage
    not_captured: tuple[str, ...]
    intake: IntakeShares | None
    consequences: tuple[str, ...]
    dated: tuple[DatedFigure, ...]
    currency: str


def known_limits(
    sales: pd.DataFrame,
    currency: str,
    area_unit: str,
    problem: Problem,
    files: Sequence[FileAccounting] = (),
    dated: Sequence[DatedFigure] = (),
) -> KnownLimits:
    """Describe the limits of a market's canonical sales table; ``files`` is the accounting of the files behind it,
    ``dated`` the figures by date that the market holds.

    ``area_unit`` is "sqft" or "sqm"; raises ValueError for any other.
    """
    missing = _missing(sales)
    thin = tuple(_thin(sales, currency, area_unit, problem))
    time = _coverage(sales, problem)
    # Indicators are facts of the market: no sale has them.
    of_sales = [field.name for field in FIELDS if field not in INDICATOR_FIELDS]
    absent = tuple(name for name in of_sales if not _captured(sales, name))
    intake = _intake(files)
    return KnownLimits(
        sales=len(sales),
        missing=tuple(one for one in missing if one.field not in absent),
        thin=thin,
        time=time,
        not_captured=tuple(label_of(name) for name in absent),
        intake=intake,
        consequences=tuple(_consequences(missing, thin, time, absent, intake, problem, currency)),
        dated=tuple(dated),
        currency=currency,
    )


def limits_markdown(limits: KnownLimits, market: str) -> str:
    """Return the report as Markdown, one heading per kind of limit; ``market`` is the market's display name."""
    span = " to ".join(market_day(one, limits.currency) for one in (limits.time.first, limits.time.last))
    parts = [
        f"# Known limits of the data: {_cell(market)}",
        f"{count(limits.sales, 'sale')}, {span}.",
        "## What this means for the model",
        "\n".join(f"- {words}" for words in limits.consequences) or "Nothing stands out.",
        "## Missing facts",
        _table(
            ("Field", "Missing", "Share"),
            [(one.label, f"{one.missing:,}", _share(one.share)) for one in limits.missing],
        ),
        "## Not captured at all",
        ", ".join(limits.not_captured) or "Every field of the record is captured.",
        "## Small segments",
        _thin_words(limits.thin),
        "## Coverage in time",
        _time_words(limits.time, limits.currency),
        "## Dated figures that the market holds",
        _dated_words(limits.dated, limits.currency),
        "## Rows in the files",
        _intake_words(limits.intake),
    ]
    return "\n\n".join(parts) + "\n"


# Figures


def _missing(sales: pd.DataFrame) -> tuple[MissingField, ...]:
    names = [str(name) for name in sales if str(name) in FIELD_BY_NAME or is_extra(str(name))]
    counts = {name: int(sales[name].isna().sum()) for name in names if name not in _BOOKKEEPING}
    found = [MissingField(name, n, n / len(sales)) for name, n in counts.items() if n]
    return tuple(sorted(found, key=lambda one: (-one.share, one.field)))


def _captured(sales: pd.DataFrame, name: str) -> bool:
    return name in sales and float(sales[name].notna().mean()) >= _CAPTURED_SHARE


def _thin(sales: pd.DataFrame, currency: str, area_unit: str, problem: Problem) -> Iterator[ThinSegment]:
    if sales.empty:
        return
    price_edges = _price_edges(sales, currency, problem)
    names = band_names([money_short(edge, currency) for edge in price_edges])
    yield from _below(PRICE, _banded(sales["sale_price"], price_edges, names), len(sales), problem)
    if _captured(sales, "living_area_sqft"):
        size_edges = [float(edge) for edge in sales["living_area_sqft"].quantile(list(_SIZE_QUANTILES))]
        sizes = band_names([area(edge, area_unit, currency) for edge in size_edges])
        yield from _below(SIZE, _banded(sales["living_area_sqft"], size_edges, sizes), len(sales), problem)
    for kind, name in ((TYPE, "property_type"), (ZIPCODE, "zipcode"), (NEIGHBOURHOOD, "neighbourhood")):
        if _captured(sales, name):
            yield from _below(kind, sales[name].value_counts(), len(sales), problem)


def _price_edges(sales: pd.DataFrame, currency: str, problem: Problem) -> list[float]:
    fixed = problem.scope.price.get(currency)
    if fixed:
        edges = [fixed.standard_low, fixed.standard_high]
    else:
        quantiles = problem.scope.elsewhere
        edges = [float(sales["sale_price"].quantile(at)) for at in (quantiles.low_quantile, quantiles.high_quantile)]
    # Luxury is not one segment: twice and four times the standard limit are worlds apart.
    return [*edges, 2 * edges[1], 4 * edges[1]]


def _banded(values: pd.Series, edges: list[float], names: list[str]) -> pd.Series:
    known = values.dropna()
    places = np.searchsorted(edges, known.to_numpy(dtype="float64"), side="right")
    return pd.Series(np.asarray(names, dtype=object)[places], dtype="str").value_counts()


def _below(kind: str, counts: pd.Series, sales: int, problem: Problem) -> Iterator[ThinSegment]:
    rules = problem.estimate
    few = sorted((int(n), str(name)) for name, n in counts.items() if 0 < n < rules.segment_min)
    if kind == TYPE:
        few = [(n, name.replace("_", " ")) for n, name in few]
    for n, name in few:
        yield ThinSegment(kind, name, n, n / sales, n < rules.small_sample_n)


def _coverage(sales: pd.DataFrame, problem: Problem) -> TimeCoverage:
    dates = sales["sale_date"].dropna()
    if dates.empty:
        return TimeCoverage(None, None, (), (), ())
    months = dates.dt.to_period("M")
    counts = months.value_counts().reindex(pd.period_range(months.min(), months.max(), freq="M"), fill_value=0)
    named = [(str(month.start_time.date()), int(n)) for month, n in counts.items()]
    return TimeCoverage(
        first=dates.min().date(),
        last=dates.max().date(),
        months=tuple(named),
        empty=tuple(month for month, n in named if n == 0),
        thin=tuple(month for month, n in named if 0 < n < problem.estimate.small_sample_n),
    )


def _intake(files: Sequence[FileAccounting]) -> IntakeShares | None:
    sales = [one for one in files if one.source == Source.SALES]
    rows = sum(one.rows_in for one in sales)
    if not rows:
        return None
    reasons: Counter[str] = Counter()
    for one in sales:
        reasons.update({code: n for code, n in one.reasons.items() if not code.startswith(OF_CELLS)})
    often = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return IntakeShares(
        rows_in=rows,
        accepted=sum(one.accepted for one in sales) / rows,
        repaired=sum(one.repaired for one in sales) / rows,
        duplicate=sum(one.duplicate for one in sales) / rows,
        rejected=sum(one.rejected for one in sales) / rows,
        set_aside=sum(one.set_aside for one in sales) / rows,
        reasons=tuple(often[:_REASONS_SHOWN]),
        rejecting=tuple(code for code, _ in often if is_rejection(code))[:_REJECTING_SHOWN],
    )


# Words


def _consequences(
    missing: tuple[MissingField, ...],
    thin: tuple[ThinSegment, ...],
    time: TimeCoverage,
    absent: tuple[str, ...],
    intake: IntakeShares | None,
    problem: Problem,
    currency: str,
) -> Iterator[str]:
    yield from (_MEANING[name] for name in _MEANING if name in absent)
    unseen = [label_of(name).lower() for name in _UNSEEN if name in absent]
    if unseen:
        yield f"The model never sees {_listed(unseen)}: homes that differ only there get the same estimate."
    limit = problem.estimate.critical_missing_share
    # Homes never renovated have no renovation year: that gap is itself a fact.
    passed = {*absent, "year_renovated"}
    often = [one.label.lower() for one in missing if one.share > limit and one.field not in passed]
    if often:
        yield (
            f"More than {percent(limit)} of the sales lack {_listed(often)}: the model treats the gap itself as a "
            "fact and gives these fields little weight."
        )
    yield from _thin_consequences(thin, problem)
    yield from _time_consequences(time, currency)
    if intake and intake.rejected > 0.05:
        yield (
            f"{percent(intake.rejected)} of the rows were rejected, most often for "
            f"{_listed([reason_words(code) for code in intake.rejecting])}: if these rows differ from the others, "
            "the remaining sales do not represent the market fairly."
        )


def _thin_consequences(thin: tuple[ThinSegment, ...], problem: Problem) -> Iterator[str]:
    rules = problem.estimate
    for kind in (PRICE, SIZE, TYPE, ZIPCODE, NEIGHBOURHOOD):
        few = [one for one in thin if one.kind == kind]
        if not few:
            continue
        names = _listed([f"{one.name} ({one.n})" for one in few[:4]])
        more = f" and {len(few) - 4} more" if len(few) > 4 else ""
        share = percent(sum(one.share for one in few), 1)
        yield (
            f"By {kind}, {count(len(few), 'segment')} with fewer than {rules.segment_min} sales ({share} of all): "
            f"{names}{more}. Their ranges come from wider groups"
            + (
                "."
                if not any(one.thin for one in few)
                else f"; below {rules.small_sample_n} sales, their errors are unknown."
            )
        )


def _time_consequences(time: TimeCoverage, currency: str) -> Iterator[str]:
    if time.last is not None:
        last = market_day(time.last, currency)
        yield f"Prices after {last} are projected with the market's trend, and grow less certain every month."
    if time.empty:
        empty = count(len(time.empty), "month")
        yield f"{empty} without a sale: the price level there is interpolated."
    if time.months and len(time.thin) * 2 > len(time.months):
        yield "Most months have few sales: the price level follows the market only slowly."


def _thin_words(thin: tuple[ThinSegment, ...]) -> str:
    if not thin:
        return "Every price band, size, type and area has enough sales for its own range."
    tables = []
    for kind, group in itertools.groupby(thin, key=lambda one: one.kind):
        few = list(group)
        rows = [(one.name, f"{one.n:,}", percent(one.share, 2)) for one in few[:_SHOWN]]
        more = f"\n\n… and {len(few) - _SHOWN} more." if len(few) > _SHOWN else ""
        tables.append(_table((f"By {kind}", "Sales", "Share"), rows) + more)
    return "\n\n".join(tables)


def _dated_words(dated: tuple[DatedFigure, ...], currency: str) -> str:
    rows = [
        (
            one.name,
            one.of,
            f"{one.days:,}",
            market_day(one.first, currency),
            market_day(one.last, currency),
            significant(one.value, 4),
        )
        for one in dated
    ]
    return _table(("Figure", "Of", "Days", "First", "Last", "Last value"), rows)


def _time_words(time: TimeCoverage, currency: str) -> str:
    if time.first is None:
        return "No sale has a date."
    empty = f"Months without a sale: {', '.join(month[:7] for month in time.empty) or 'none'}."
    thin = f"Months with few sales: {', '.join(month[:7] for month in time.thin) or 'none'}."
    span = " to ".join(market_day(one, currency) for one in (time.first, time.last))
    return f"{count(len(time.months), 'month')}, {span}.\n\n{empty}\n\n{thin}"


def _intake_words(intake: IntakeShares | None) -> str:
    if intake is None:
        return "There is no accounting."
    rows = [
        (name, percent(share, 2))
        for name, share in (
            ("Accepted", intake.accepted),
            ("Repaired", intake.repaired),
            ("Duplicate", intake.duplicate),
            ("Rejected", intake.rejected),
            ("Set aside", intake.set_aside),
        )
    ]
    reasons = [(reason_words(code), f"{n:,}") for code, n in intake.reasons]
    summary = f"{count(intake.rows_in, 'row')} read.\n\n" + _table(("Outcome", "Share"), rows)
    return f"{summary}\n\n{_table(('Reason', 'Rows'), reasons)}" if reasons else summary


def _share(share: float) -> str:
    return percent(share, 1) if share >= 0.001 else "under 0.1%"


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return "None."
    lines = [header, ("---",) + ("---:",) * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    # Names of areas and markets come from files: they may contain Markdown characters.
    plain = "".join(f"\\{mark}" if mark in r"\|`*_<>[]#" else mark for mark in text)
    return " ".join(plain.split())


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
