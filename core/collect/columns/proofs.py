"""Proof by arithmetic: check each guessed column against the others before proposing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from core.collect.cells.units import UNIT_FACTORS
from core.collect.columns.sheet import Candidate, Sheet, sampled_values
from core.collect.inference import Inference
from core.collect.leaks import leak_by_name
from core.collect.mapping import ColumnRule
from core.collect.parsers import as_flag, as_number
from core.schema import EXTRA_PREFIX

ROWS_MIN: Final = 20
"""Fewer rows than this prove nothing."""

_AGREE: Final = 0.02
_AGREE_SHARE: Final = 0.9
_HOME_PRICE_MIN: Final = 2_000.0
_PRICE_USUAL_MIN: Final = 20_000.0
_FIGURES_MIN: Final = 10
_ONE_FIGURE_MAX: Final = 0.5
_STUDIO_SHARE_MIN: Final = 0.003
_NOT_ALWAYS_PAID: Final = frozenset({"deed", "agreement", "value"})
_PAID: Final = frozenset({"sale", "sold", "selling", "paid", "purchase", "transaction"})
_SETTLED: Final = frozenset({"settlement", "settled", "completion", "completed", "registration", "recording"})
_AGREED: Final = (("contract", "date"), ("date", "of", "contract"), ("agreement", "date"), ("exchange", "date"))
_SETTLEMENT_MAX: Final = 730.0
_SPOILED: Final = r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2}"
_SPOILED_SHARE: Final = 0.01
# Rooms as Japan writes them: three and a living, dining and kitchen; "1R" is a single room and stays as it is.
_LIVING_APART: Final = r"(?i)^\s*[0-9]\s*\+?\s*S?L?D?KS?\b"
_LIVING_SHARE: Final = 0.8
_WITHOUT_VAT: Final = (frozenset({"vat", "exclusive"}), frozenset({"ex", "vat"}), frozenset({"gst", "exclusive"}))


@dataclass(frozen=True)
class Proven:
    """The columns chosen, as the arithmetic leaves them, and what was inferred on the way."""

    chosen: tuple[Candidate, ...]
    inferences: tuple[Inference, ...]


def prove(sheet: Sheet, chosen: list[Candidate]) -> Proven:
    """Check the chosen columns against the others: whole prices, their scale, half baths, studios."""
    by_field = {one.rule.field: one for one in chosen}
    inferences: list[Inference] = []
    for step in (
        _whole_price,
        _asked_price,
        _scaled_money,
        _half_baths,
        _studios,
        _total_rooms,
        _unsure_price,
        _later_day,
    ):
        changed = step(sheet, by_field)
        for field, one, inference in changed:
            by_field[field] = one
            inferences.append(inference)
    return Proven(tuple(by_field.values()), tuple(inferences))


_Changed = list[tuple[str, Candidate, Inference]]


def _whole_price(sheet: Sheet, by_field: Mapping[str, Candidate]) -> _Changed:
    """Find whether price = area x rate says that the price is the whole one, or is the rate and another the price."""
    if not {"sale_price", "living_area_sqft"} <= set(by_field):
        return []
    price, area = by_field["sale_price"], by_field["living_area_sqft"]
    prices, areas = (sampled_values(sheet, one.rule) for one in (price, area))
    for column, values in _figures(sheet, {price.rule.column, area.rule.column}):
        if (whole := _multiple(values, prices * areas)) and not leak_by_name(column, sheet.source, sheet.vocabulary):
            seen = f"{column} is {price.rule.column} times {area.rule.column} in {whole.share:.0%} of rows"
            inference = Inference(column, "sale_price", "the whole price", seen, whole.n)
            rule = replace(price.rule, column=column)
            return [("sale_price", replace(price, rule=rule, why=f"{price.why}; {inference}"), inference)]
        if rate := _multiple(prices, values * areas):
            seen = f"{price.rule.column} is {column} times {area.rule.column} in {rate.share:.0%} of rows"
            inference = Inference(price.rule.column, "sale_price", "the whole price, no price per area", seen, rate.n)
            return [("sale_price", replace(price, why=f"{price.why}; {inference}"), inference)]
    return []


def _asked_price(sheet: Sheet, by_field: Mapping[str, Candidate]) -> _Changed:
    """Take a bare "Price" beside the column of what was paid for the list price: near it, and not the same."""
    paid = by_field.get("sale_price")
    if paid is None or "list_price" in by_field:
        return []
    taken = {one.rule.column for one in by_field.values()}
    column = next((one for one in sheet.columns if one not in taken and sheet.header(one).words == ("price",)), "")
    if not column:
        return []
    rule = replace(paid.rule, column=column, field="list_price")
    ratio = (sampled_values(sheet, rule) / sampled_values(sheet, paid.rule)).dropna()
    near = float(ratio.between(0.5, 2.0).mean()) if len(ratio) else 0.0
    if len(ratio) < ROWS_MIN or near < _AGREE_SHARE or float(ratio.eq(1.0).mean()) >= _AGREE_SHARE:
        return []
    seen = f"{paid.rule.column} is what was paid; {near:.0%} of the two are within a factor of 2"
    inference = Inference(column, "list_price", "the asking price", seen, len(ratio), sure=False)
    return [("list_price", Candidate(rule, 0.8, str(inference), False), inference)]


@dataclass(frozen=True)
class _Multiple:
    share: float
    n: int


def _multiple(values: pd.Series, product: pd.Series) -> _Multiple | None:
    """Tell whether values are a product row by row, but for a factor between units of area."""
    both = (values > 0) & (product > 0)
    n = int(both.sum())
    if n < ROWS_MIN or values[both].nunique() < ROWS_MIN:
        return None
    ratio = values[both] / product[both]
    middle = float(ratio.median())
    factors = [one / other for one in UNIT_FACTORS.values() for other in UNIT_FACTORS.values()]
    if min(abs(middle / factor - 1) for factor in factors) > _AGREE:
        return None
    share = float((abs(ratio / middle - 1) <= _AGREE).mean())
    return _Multiple(share, n) if share >= _AGREE_SHARE else None


def _figures(sheet: Sheet, but: set[str]) -> Iterator[tuple[str, pd.Series]]:
    for column in sheet.columns:
        if column not in but:
            present = sheet.present(column)
            if len(present) >= ROWS_MIN and as_number(present.head(50), sheet.marks).notna().mean() >= _AGREE_SHARE:
                yield column, as_number(sheet.sample[column], sheet.marks)


def _scaled_money(sheet: Sheet, by_field: Mapping[str, Candidate]) -> _Changed:
    changed: _Changed = []
    for field in ("sale_price", "list_price"):
        one = by_field.get(field)
        header = sheet.header(one.rule.column) if one else None
        if one and header and header.scale != 1.0:
            n = len(sheet.present(one.rule.column))
            inference = Inference(one.rule.column, field, f"in units of {header.scale:,.0f}", "its header says so", n)
            changed.append((field, _scaled(one, header.scale, inference), inference))
    price = by_field.get("sale_price")
    if price and not changed and (inference_and_scale := _too_small(sheet, price, by_field.get("list_price"))):
        inference, scale = inference_and_scale
        changed.append(("sale_price", _scaled(price, scale, inference), inference))
    return changed


def _scaled(one: Candidate, scale: float, inference: Inference) -> Candidate:
    return replace(one, rule=replace(one.rule, scale=scale), why=f"{one.why}; {inference}")


def _too_small(sheet: Sheet, price: Candidate, listed: Candidate | None) -> tuple[Inference, float] | None:
    """Find the scale of prices that no home of any country sells at, from the list prices or the sale prices alone."""
    prices = sampled_values(sheet, price.rule)
    n, median = int(prices.gt(0).sum()), float(prices[prices > 0].median())
    column = price.rule.column
    if listed is not None:
        ratio = (sampled_values(sheet, listed.rule) / prices)[prices > 0].dropna()
        for scale in (1e3, 1e4, 1e5, 1e6):
            if len(ratio) >= ROWS_MIN and ratio.between(0.5 * scale, 2 * scale).mean() >= _AGREE_SHARE:
                seen = f"list prices are about {scale:,.0f} times it"
                return Inference(column, "sale_price", f"in units of {scale:,.0f}", seen, len(ratio)), scale
    is_named = price.exact and sheet.header(column).words not in (("price",), ("amount",), ("value",))
    if n < ROWS_MIN or not median < _HOME_PRICE_MIN / 2 or not is_named or not _vary(prices[prices > 0]):
        return None
    scale = 1e3 if median * 1e3 >= _PRICE_USUAL_MIN else 1e6
    seen = f"its median is {median:,.4g}, which is not a plausible price"
    return Inference(column, "sale_price", f"in units of {scale:,.0f}", seen, n, sure=False), scale


def _vary(prices: pd.Series) -> bool:
    """Tell whether prices differ as those of homes do: a lone figure, or a mark from 1 to 5, has no scale."""
    shares = prices.value_counts(normalize=True)
    return len(shares) >= _FIGURES_MIN and float(shares.iloc[0]) <= _ONE_FIGURE_MAX


def _half_baths(sheet: Sheet, by_field: Mapping[str, Candidate]) -> _Changed:
    """Find baths written full.half: behind the point stand 0, 1 or 2, and never a half, quarter or three quarters."""
    one = by_field.get("bathrooms")
    if one is None or one.rule.parse != "number":
        return []
    cells = sheet.present(one.rule.column)
    behind = cells.str.extract(r"^[0-9]{1,2}\.([0-9]+)$")[0].dropna().str.rstrip("0")
    ones = int(behind.eq("1").sum())
    if not ones or not behind.isin(["", "1", "2", "3"]).all() or len(cells) < ROWS_MIN:
        return []
    seen = f"{ones:,} cells end in .1, none in .5, .25 or .75"
    inference = Inference(
        one.rule.column, "bathrooms", "full baths, a point and half baths: 2.1 is 2.5", seen, len(cells)
    )
    rule = replace(one.rule, parse="full_dot_half")
    return [("bathrooms", replace(one, rule=rule, why=f"{one.why}; {inference}"), inference)]


def _studios(sheet: Sheet, by_field: Mapping[str, Candidate]) -> _Changed:
    """Find studios written as -1 rooms: they are the smallest homes."""
    one, area = by_field.get("bedrooms"), by_field.get("living_area_sqft")
    if one is None or area is None:
        return []
    rooms, areas = sampled_values(sheet, one.rule), sampled_values(sheet, area.rule)
    minus = rooms.eq(-1)
    if minus.mean() < _STUDIO_SHARE_MIN or not areas[minus].median() < areas[rooms.gt(0)].median():
        return []
    seen = (
        f"homes with -1 have a median area of {areas[minus].median():,.4g}, others {areas[rooms.gt(0)].median():,.4g}"
    )
    inference = Inference(one.rule.column, "bedrooms", "-1 is a studio, without a bedroom", seen, int(minus.sum()))
    rule = replace(one.rule, recode={**one.rule.recode, "-1": "0", "-1.0": "0"})
    return [("bedrooms", replace(one, rule=rule, why=f"{one.why}; {inference}"), inference)]


def _total_rooms(sheet: Sheet, by_field: Mapping[str, Candidate]) -> _Changed:
    """Doubt bedrooms whose header counts all rooms, as it does in many countries; in "3LDK" it does not."""
    one = by_field.get("bedrooms")
    names = next((names for names in sheet.vocabulary.fields if names.field == "bedrooms"), None)
    if one is None or one.exact or names is None:
        return []
    fillers = sheet.vocabulary.fillers
    plain = [set(name.words) - fillers for name in (sheet.header(one.rule.column), *names.weak)]
    if plain[0] not in plain[1:]:
        return []
    cells = sheet.present(one.rule.column)
    if float(cells.str.contains(_LIVING_APART).mean()) > _LIVING_SHARE:
        claim, seen = "the rooms beside living, dining and kitchen are the bedrooms", f"a cell is {cells.iloc[0]!r}"
        inference = Inference(one.rule.column, "bedrooms", claim, seen, len(cells))
    else:
        middle = sampled_values(sheet, one.rule).median()
        seen = f"no column counts bedrooms; the median is {middle:.3g}"
        claim = (
            "taken for the bedrooms, but its header may count all rooms: correct it to "
            f"{EXTRA_PREFIX}rooms to keep it as a fact of its own"
        )
        inference = Inference(one.rule.column, "bedrooms", claim, seen, len(cells), sure=False)
    return [("bedrooms", replace(one, why=f"{one.why}; {inference}"), inference)]


def _unsure_price(sheet: Sheet, by_field: Mapping[str, Candidate]) -> _Changed:
    """Doubt a price whose header names a deed, an agreement or a value, which may not be what was paid."""
    one = by_field.get("sale_price")
    words = set(sheet.header(one.rule.column).words) if one else set()
    if one is None or one.exact or not words & _NOT_ALWAYS_PAID or words & _PAID:
        return []
    n = len(sheet.present(one.rule.column))
    inference = Inference(one.rule.column, "sale_price", "taken for what was paid", "no better column", n, sure=False)
    return [("sale_price", replace(one, why=f"{one.why}; {inference}"), inference)]


def _later_day(sheet: Sheet, by_field: Mapping[str, Candidate]) -> _Changed:
    """Doubt the day of settlement where another column has the day of the contract, when the price was agreed."""
    one = by_field.get("sale_date")
    if one is None or not set(sheet.header(one.rule.column).words) & _SETTLED:
        return []
    column = next((name for name in sheet.columns if sheet.header(name).words in _AGREED), "")
    dates = sheet.dates(column).date_format if column else ""
    if not dates:
        return []
    agreed = sampled_values(sheet, replace(one.rule, column=column, date_format=dates, with_columns=()))
    days = (sampled_values(sheet, one.rule) - agreed).dt.days.dropna()
    if len(days) < ROWS_MIN or not 0 < float(days.median()) <= _SETTLEMENT_MAX:
        return []
    seen = f"{column} is {days.median():.0f} days earlier in the median row"
    claim = f"the day of settlement: the price may have been agreed on {column}"
    inference = Inference(one.rule.column, "sale_date", claim, seen, len(days), sure=False)
    return [("sale_date", replace(one, why=f"{one.why}; {inference}"), inference)]


def is_scale_too_long(values: pd.Series, top: float) -> bool:
    """Tell whether ratings exceed the field's scale and so belong to another scale."""
    known = values.dropna()
    return len(known) > 0 and float(np.mean(known > top)) > _AGREE


def measures_something(cells: pd.Series) -> bool:
    """Tell whether cells under a header such as "num" or "code" are measures: an identifier has no fractions."""
    figures = cells.str.extract(r"^-?[0-9]+\.([0-9]+)$")[0]
    return len(cells) > 0 and float(figures.str.strip("0").str.len().gt(0).mean()) >= 0.2


def price_of(sheet: Sheet, candidates: list[Candidate]) -> ColumnRule | None:
    """Return the rule of the likeliest sale price."""
    prices = [one for one in candidates if one.rule.field == "sale_price"]
    return max(prices, key=lambda one: one.confidence).rule if prices else None


def is_spoiled(cells: pd.Series) -> bool:
    """Tell whether a spreadsheet wrote numbers such as ids as 6.2228E+11, which loses the digits that differ."""
    return len(cells) > 0 and float(cells.str.fullmatch(_SPOILED).mean()) >= _SPOILED_SHARE


def warnings_of(sheet: Sheet) -> Iterator[Inference]:
    """Yield what a person should know about the file's columns."""
    for column in sheet.columns:
        cells = sheet.present(column)
        if is_spoiled(cells):
            spoiled = cells[cells.str.fullmatch(_SPOILED)]
            claim = "left out, as a spreadsheet spoiled its numbers: export the column as text"
            yield Inference(column, "", claim, f"{spoiled.iloc[0]!r} in {len(spoiled):,} cells", len(cells), sure=False)
        if frozenset(sheet.header(column).words) in _WITHOUT_VAT:
            n = int(as_flag(cells, sheet.marks).eq(1.0).sum())
            if n:
                claim = f"{n:,} prices are without VAT: the full price is higher"
                yield Inference(column, "sale_price", claim, "the column says yes", len(cells), sure=False)
