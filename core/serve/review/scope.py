"""Whether the scope of a model leaves a home out, by what is given of it or by what that tells."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from core.evaluate.scope import GoverningScope, left_out_words
from core.prepare.features.facts import AREA_CODES
from core.schema import label_of
from core.serve.review.flag import Flag, FlagKind, Severity
from core.serve.review.places import NEAREST, Facts, near_area
from core.serve.review.whereabouts import Whereabouts
from core.train.model import Model
from core.wording import percent

_TYPE: Final = "property_type"
# Of fewer sales, the area beside is a slip in the records.
_SHARE: Final = 0.05
_NEARLY_ALL: Final = 0.95


@dataclass(frozen=True)
class LeftOut:
    """The type or area by which a scope leaves a home out: ``how`` says why it is taken for one where it is not given.

    ``remedy`` is what the agent can do about it, "" for nothing.
    """

    field: str
    value: str
    how: str = ""
    remedy: str = ""

    @property
    def words(self) -> str:
        """The value with what it rests on: "Reservoir, where homes in zipcode 3073 lie"."""
        return ", ".join(filter(None, (self.value, self.how)))

    @property
    def clause(self) -> str:
        """The same with its name, as the beginning of a sentence: "Zipcode 98103, where its coordinates lie,"."""
        return f"{label_of(self.field)} {self.words}{',' if self.how else ''}"


def left_out(facts: Facts, scope: GoverningScope, where: Whereabouts, types: Collection[str]) -> LeftOut | None:
    """Return the type or area by which a scope leaves a home out, None if it does not.

    A fact that is not given passes no scope: without a type, a home may be of one left out, and its area is where its
    coordinates lie, or homes of its other area, or what a misspelled one stands for. ``types`` are those that the model
    knows; without any, nobody can tell it the type.
    """
    return next(_types_left_out(facts, scope, types), None) or next(_areas_left_out(facts, scope, where), None)


def known_types(model: Model) -> frozenset[str]:
    """Return the types of home that a model tells apart; none where it learned no type."""
    return frozenset(level for one in model.profile.categories if one.name == _TYPE for level in one.levels)


def scope_flags(found: LeftOut | None, scope: GoverningScope) -> Iterator[Flag]:
    """Yield a flag for a home that a scope leaves out."""
    if found is not None:
        yield Flag(
            FlagKind.LEFT_OUT_OF_SCOPE,
            Severity.REVIEW,
            found.field,
            found.words,
            f"not in {scope.name}",
            " ".join(filter(None, ("Manual review: the model misses its target for such homes.", found.remedy))),
        )


def _types_left_out(facts: Facts, scope: GoverningScope, types: Collection[str]) -> Iterator[LeftOut]:
    kind = facts.get(_TYPE)
    if kind in scope.types_left_out:
        yield LeftOut(_TYPE, str(kind).replace("_", " "))
    elif kind is None and {*scope.types_left_out} & {*types}:
        names = left_out_words(scope.types_left_out, ())
        yield LeftOut(_TYPE, names, "which it may be, as none is given", "Enter the property type.")


def _areas_left_out(facts: Facts, scope: GoverningScope, where: Whereabouts) -> Iterator[LeftOut]:
    if not scope.areas_left_out:
        return
    for code in AREA_CODES:
        given = facts.get(code)
        if isinstance(given, str):
            yield from _given_area(code, given, scope, where)
        around = where.around(code, facts)
        [(area, count)] = around.most_common(1) or [("", 0)]
        # An area that is given is believed near its edge, where homes of the next one lie among those around.
        if area in scope.areas_left_out and (given is None or count == NEAREST):
            yield LeftOut(code, area, "where its coordinates lie")
        if given is None and not around:
            yield from _beside(code, facts, scope, where)


def _given_area(code: str, area: str, scope: GoverningScope, where: Whereabouts) -> Iterator[LeftOut]:
    if area in scope.areas_left_out:
        yield LeftOut(code, area)
    elif (near := near_area(area, where.known(code))) in scope.areas_left_out:
        yield LeftOut(code, near, f"for which “{area}” may stand", f"Check the {label_of(code).lower()}.")


def _beside(code: str, facts: Facts, scope: GoverningScope, where: Whereabouts) -> Iterator[LeftOut]:
    for given, area, share in where.beside(code, facts):
        if area in scope.areas_left_out and share >= _SHARE:
            some = "" if share >= _NEARLY_ALL else f"{percent(share)} of the "
            how = f"where {some}homes in {label_of(given).lower()} {facts[given]} lie"
            yield LeftOut(code, area, how, "" if share >= _NEARLY_ALL else f"Enter the {label_of(code).lower()}.")
