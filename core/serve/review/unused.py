"""Facts given of a home that a market's model does not use, each of which an answer names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from core.prepare.features.facts import NEVER_USED, FactColumns
from core.schema import NEIGHBOURHOOD_FIELDS, ONLY_ON_ROLL, PROPERTY_FIELDS, FieldKind
from core.serve.review.flag import Flag, FlagKind, Severity

# A text names the home or finds it, such as its address; what only a tax roll has, nobody gave.
_HOME: Final = frozenset(
    field.name for field in (*PROPERTY_FIELDS, *NEIGHBOURHOOD_FIELDS) if field.kind is not FieldKind.TEXT
)


def unused_facts(names: Iterable[str], columns: FactColumns) -> tuple[str, ...]:
    """Return which facts of a home do not count in its price; texts that name it, such as its address, are left out."""
    used = frozenset(columns.all) | ONLY_ON_ROLL
    return tuple(name for name in names if name in _HOME and name not in used)


def unused_flags(facts: Mapping[str, float | str], columns: FactColumns) -> Iterator[Flag]:
    """Yield a note for each fact given that the market's model does not use."""
    for name in unused_facts(facts, columns):
        value = facts[name]
        yield Flag(
            FlagKind.FACT_NOT_USED,
            Severity.NOTE,
            name,
            value.replace("_", " ") if isinstance(value, str) else f"{value:.15g}",
            _NEVER if name in NEVER_USED else _NOT_RECORDED,
            "The price does not depend on it: judge yourself what it is worth.",
        )


_NEVER: Final = "no estimate uses it"
_NOT_RECORDED: Final = "the sales of this market do not record it, or hardly differ in it"
