"""An estimate, as written to and read from the ledger."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa

from core.access import Actor
from core.errors import InvalidRecord
from core.states import EstimateState
from core.store.base.tables import ESTIMATE, now
from core.store.base.values import plain_document, plain_text
from core.store.ledger.checks import ID_BYTES, check_choice, check_price, number_or_none, signature
from core.store.models.levels import plain_day

Channel = Literal["page", "file", "command line", "api"]
Status = Literal["priced", "unavailable", "refused"]

_FIGURES: Final = ("point", "low", "high", "level", "confidence", "fsd")
_NUMBERS: Final = (*_FIGURES, "latency_ms", "list_price")
_NAMES: Final = ("model_id", "version_id", "level_id", "property_type", "area")
_TEXTS: Final = ("reason", "property_key", "currency", "home_id")


@dataclass(frozen=True)
class WantedEstimates:
    """Which estimates to list; what is empty leaves all.

    ``words`` must all stand in a home's standardized address or in its area; ``priced`` leaves those with a price,
    ``latest`` of one actor's prices of a home on the page the last one; without an address, one ``home_id`` or the same
    facts and day are the same home. ``home_of`` is an estimate's id: it leaves what the same actor was given for that
    address and area.
    """

    words: tuple[str, ...] = ()
    office: str = ""
    state: EstimateState | None = None
    priced: bool = False
    latest: bool = False
    home_of: str = ""

    def same_home(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on ESTIMATE of the asker and the home of ``home_of``; none without it."""
        one = ESTIMATE.alias()
        for name in ("property_key", "area", "actor_id", "actor", "office") if self.home_of else ():
            own = sa.select(one.c[name]).where(one.c.estimate_id == self.home_of).scalar_subquery()
            yield ESTIMATE.c[name].is_not_distinct_from(own) if name == "area" else ESTIMATE.c[name] == own


ALL_ESTIMATES: Final = WantedEstimates()


@dataclass(frozen=True, kw_only=True)
class NewEstimate:
    """An answer about to be shown: money in ``currency``, ``level`` from 0 to 1, ``confidence`` from 0 to 100.

    ``level_id`` names the market level applied, ``property_key`` the home (normalized address key or property id, ""
    if neither is known), ``home_id`` what all prices of one home have in common on the page, where facts are corrected
    until another home is begun ("" elsewhere), ``area`` its zipcode or neighborhood. ``facts`` are the canonical facts
    as typed, ``answer`` everything needed to show the answer again ({} for none). ``fsd`` is a share of the point,
    ``list_price`` the asking price known at the time, ``flags`` the kinds of the review flags. Unless the status is
    "priced", the figures are None and ``reason`` says why. NaN counts as None.
    """

    market_id: str
    as_of: date
    channel: Channel
    status: Status
    currency: str
    latency_ms: float
    model_id: str | None = None
    version_id: str | None = None
    level_id: str | None = None
    reason: str = ""
    property_key: str = ""
    property_type: str | None = None
    area: str | None = None
    facts: Mapping[str, Any]
    answer: Mapping[str, Any]
    point: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    confidence: float | None = None
    fsd: float | None = None
    flags: Sequence[str] = ()
    list_price: float | None = None
    home_id: str = ""


@dataclass(frozen=True, kw_only=True)
class EstimateSummary:
    """A row of the ledger without its documents; fields as in NewEstimate, ``at`` in UTC.

    ``actor_id`` and ``home_id`` are "" in rows of releases that had none.
    """

    estimate_id: str
    at: datetime
    actor: str
    role: str
    office: str
    market_id: str
    model_id: str | None
    version_id: str | None
    level_id: str | None
    as_of: date
    channel: Channel
    status: Status
    reason: str
    property_key: str
    property_type: str | None
    area: str | None
    point: float | None
    low: float | None
    high: float | None
    level: float | None
    confidence: float | None
    fsd: float | None
    flags: tuple[str, ...]
    latency_ms: float
    list_price: float | None
    currency: str
    actor_id: str = ""
    home_id: str = ""


@dataclass(frozen=True, kw_only=True)
class EstimateRecord(EstimateSummary):
    """A complete row of the ledger."""

    facts: dict[str, Any]
    answer: dict[str, Any]


def sign(new: NewEstimate, actor: Actor, at: datetime | None = None) -> EstimateRecord:
    """Return an estimate as the ledger stores it, with its own id, made by the actor at ``at`` (default now).

    Raises InvalidRecord for a record that contradicts itself or cannot be stored.
    """
    given = {**vars(new)}
    as_of = plain_day(given.pop("as_of"), "estimate.as_of")
    row = plain_document(given, "estimate")
    for name in _NUMBERS:
        row[name] = number_or_none(row[name], f"estimate.{name}")
    for name in _NAMES:
        row[name] = None if row[name] in (None, "") else str(row[name])
    for name in _TEXTS:
        row[name] = "" if row[name] is None else str(row[name])
    _check_estimate(row)
    row["flags"] = tuple(row["flags"])
    signed = signature(actor, at or now())
    return EstimateRecord(
        estimate_id=secrets.token_hex(ID_BYTES), as_of=as_of, actor_id=plain_text(actor.actor_id), **signed, **row
    )


def _check_estimate(row: Mapping[str, Any]) -> None:
    check_choice(row["channel"], get_args(Channel), "channel")
    check_choice(row["status"], get_args(Status), "status")
    if not re.fullmatch(r"[A-Z]{3}", row["currency"]):
        raise InvalidRecord(f"The currency {row['currency']!r} is not three capital letters; give one such as USD.")
    if row["latency_ms"] is None or row["latency_ms"] < 0:
        raise InvalidRecord(f"The latency {row['latency_ms']} ms is unknown or negative; give the time it took.")
    check_price(row["list_price"], "list price")
    if row["status"] == "priced":
        _check_priced(row)
    else:
        _check_unpriced(row)


def _check_priced(row: Mapping[str, Any]) -> None:
    missing = [name for name in ("model_id", *_FIGURES[:-1]) if row[name] is None]
    if missing:
        raise InvalidRecord(
            f"A priced estimate has no {', '.join(missing)}; give them, or record it as 'unavailable' with its reason."
        )
    if not (0 <= row["low"] <= row["point"] <= row["high"] and row["point"] > 0):
        raise InvalidRecord(
            f"The point {row['point']} is not above zero and inside the range from {row['low']} to {row['high']}; "
            "correct the figures."
        )
    for name, low, high in (("level", 0, 1), ("confidence", 0, 100)):
        if not low <= row[name] <= high:
            raise InvalidRecord(f"The {name} {row[name]} is not between {low} and {high}; give it on that scale.")
    if row["fsd"] is not None and row["fsd"] < 0:
        raise InvalidRecord(f"The FSD {row['fsd']} is negative; give a share of the point, or None.")


def _check_unpriced(row: Mapping[str, Any]) -> None:
    figures = [name for name in _FIGURES if row[name] is not None]
    if figures:
        raise InvalidRecord(
            f"An estimate that is {row['status']} has {', '.join(figures)}; leave the figures None, or record it as "
            "'priced'."
        )
    if not row["reason"].strip():
        raise InvalidRecord(f"An estimate that is {row['status']} has no reason; explain why there is no price.")
