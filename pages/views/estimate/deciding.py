"""What a decision on an estimate is made on, and the amounts typed for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final, NamedTuple

import streamlit as st

from core.problem import Problem
from core.serve.estimate import Estimate
from core.serve.words import typed_amount
from core.train.ranges import round_for_display
from core.wording import marked, money, percent
from core.workflows.pricing.decisions import usual_listing
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace
from pages.kit.text import plain
from pages.views.estimate import undecided

_NOT_LISTED: Final = "none"
AMOUNTS: Final[Mapping[str, str]] = {"price": "Your price", "listing": "List at"}


class Amounts(NamedTuple):
    """An own price and a list price; None where a field holds none."""

    price: float | None
    listing: float | None


@dataclass(frozen=True)
class Deciding:
    """What a decision is made on: the estimate and its id, its desk, and the comparables in use with their value.

    ``form_changed`` tells whether the form on the page shows another home by now; ``day_at`` gives the market's day.
    """

    workspace: Workspace
    estimate: Estimate
    estimate_id: str
    desk: Desk
    reconciled: float | None
    weights: Mapping[str, float]
    form_changed: Callable[[], bool]
    day_at: Callable[[datetime], date]

    def key(self, name: str) -> str:
        """The key of a field of this decision."""
        return f"{name}-{self.estimate_id}"

    def amount(self, name: str) -> float | None:
        """The amount in a field, None if it holds none or one that no home is sold for."""
        number = typed_amount(self.text(name))
        return number if math.isfinite(number) and self.problem.limits["sale_price"].holds(number) else None

    def text(self, name: str) -> str:
        """What a field holds, as it was typed."""
        return str(st.session_state.get(self.key(name)) or "").strip()

    def put(self, name: str, amount: float) -> None:
        """Write an amount into a field, with thousands marks; for callbacks, or before the field is drawn."""
        if (before := self.amount(name)) != amount:
            st.session_state[self.key(f"{name}_before")] = before
        st.session_state[self.key(name)] = marked(amount, self.estimate.currency)

    def amounts(self) -> Amounts:
        """The amounts in the fields."""
        return Amounts(self.amount("price"), self.amount("listing"))

    def settle(self, named: Amounts) -> None:
        """Write an amount that the pressed button named where the field holds the one before it.

        A browser that has not yet heard of the newer amount sends the older one with the press.
        """
        for name, newer in self._behind(named):
            self.put(name, newer)
        price, listing = self.amount("price"), self.amount("listing")
        st.session_state[self.key("touched")] = price is None or listing != self.listing(price)

    def is_behind(self, named: Amounts) -> bool:
        """Tell whether a field holds the amount before the one that the pressed button named."""
        return any(True for _ in self._behind(named))

    def _behind(self, named: Amounts) -> list[tuple[str, float]]:
        """Return the fields that hold the amount before the one ``named``, each with the latter."""
        return [
            (name, newer)
            for name, newer in (("price", named.price), ("listing", named.listing))
            if newer is not None
            and self.key(f"{name}_before") in st.session_state
            and (older := st.session_state.get(self.key(f"{name}_before"))) != newer
            and self.amount(name) == older
        ]

    def begin(self) -> None:
        """Write into fields that are drawn anew what was kept for this estimate, else its usual amounts."""
        state, currency, kept = st.session_state, self.estimate.currency, partial(undecided.held, self.estimate_id)
        own = self._kept_amount(undecided.OWN) or float(int(self.estimate.point))
        listed = self._kept_amount(undecided.LISTED)
        if self.key("listing") not in state:
            state[self.key("touched")] = listed is not None or kept(undecided.LISTED) == _NOT_LISTED
        state.setdefault(self.key("price"), marked(own, currency))
        usual = "" if kept(undecided.LISTED) == _NOT_LISTED else marked(self.listing(own), currency)
        state.setdefault(self.key("listing"), usual if listed is None else marked(listed, currency))
        if (reason := kept(undecided.REASON)) in self.problem.decisions.reasons:
            state.setdefault(self.key("reason"), reason)
        if note := kept(undecided.NOTE):
            state.setdefault(self.key("note"), note)

    def hold(self) -> None:
        """Keep what is in the fields, where it is not what they begin with, while nothing is decided."""
        price, listing = self.amounts()
        if price is None or (listing is None and self.text("listing")):
            return
        own = "" if price == int(self.estimate.point) else f"{price:.15g}"
        listed = _NOT_LISTED if listing is None else "" if listing == self.listing(price) else f"{listing:.15g}"
        reason, note = (st.session_state.get(self.key(name)) or "" for name in ("reason", "note"))
        undecided.hold(self.estimate_id, own=own, listed=listed, reason=reason, note=note)

    def _kept_amount(self, name: str) -> float | None:
        number = typed_amount(undecided.held(self.estimate_id, name))
        return number if math.isfinite(number) and self.problem.limits["sale_price"].holds(number) else None

    def note(self, deed: str) -> None:
        """Note, for the next run, what was done here."""
        st.session_state[self.key("deed")] = deed

    def unread(self) -> str:
        """Say which field holds a text that is no amount, or that the own price is missing; "" if nothing is."""
        limit, currency = self.problem.limits["sale_price"], self.estimate.currency
        for name, label in AMOUNTS.items():
            if self.text(name) and self.amount(name) is None:
                return (
                    f"{label} “{self.text(name)[:40]}” is no price of a home. Enter an amount from "
                    f"{money(limit.low, currency)} to {money(limit.high, currency)}."
                )
        return "" if self.text("price") else "Your price is empty. Enter what you expect the home to sell for."

    def listing(self, price: float) -> int:
        """The usual listing price of a home expected to sell for ``price``."""
        return int(round_for_display(usual_listing(price, self.problem)))

    @property
    def problem(self) -> Problem:
        """The rules of a decision."""
        return self.desk.problem

    @property
    def listing_label(self) -> str:
        """The label of the list price, with what fills it before anybody types one."""
        return f"{AMOUNTS['listing']} (usual: +{percent(self.problem.decisions.listing_markup)})"

    def words(self, amount: float) -> str:
        """An amount as Markdown."""
        return plain(money(amount, self.estimate.currency))
