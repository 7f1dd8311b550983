"""Use cases of display names: what a market's own columns are called on every screen; data and models keep theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from core.access import Action
from core.accounting import FileIntake
from core.collect.mapping import ColumnMapping, check_mapping
from core.errors import MappingError
from core.schema import check_names, is_extra, label_of, readable_name, use_names
from core.store import Store
from core.workspace import Workspace

_NO_COLUMN: Final = "Its own columns are"


def use_names_of(store: Store, market_id: str | None, mappings: Iterable[ColumnMapping] = ()) -> None:
    """Show areas by the market's words and its own columns by their names from here on, those of its files first."""
    known = store.column_names.shown(market_id) if market_id else {}
    given = {rule.field: rule.label for one in mappings for rule in one.rules if rule.label}
    use_names({**known, **given})


def own_columns(store: Store, market_id: str) -> tuple[str, ...]:
    """Return the fields of the market's own columns in the data in use; raises NotFound, StoreUnavailable."""
    latest = store.versions.latest(market_id)
    if latest is None:
        return ()
    return tuple(name for name in store.versions.column_names(latest.version_id) if is_extra(name))


def name_column(workspace: Workspace, market_id: str, field: str, name: str) -> str:
    """Name one of a market's own columns, and return what it was called; naming it that again takes this back.

    An empty name gives the readable form of the column's name. Prices, models and stored sales do not change. Raises
    AccessDenied, NotFound, MappingError for a column the market lacks or a name that is taken, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.INGEST)
    columns = own_columns(store, market_id)
    if field not in columns:
        raise MappingError(
            f"Market {market_id} has no column {field!r} of its own. {_NO_COLUMN} {', '.join(columns) or 'none yet'}."
        )
    held = store.column_names.of(market_id)
    tidy = _tidy(field, name)
    check_names({**{column: held.get(column, "") for column in columns}, field: tidy})
    if tidy != held.get(field, ""):
        store.column_names.give(market_id, {field: tidy}, workspace.actor)
    return held.get(field, "")


def names_to_give(store: Store, market_id: str, intake: Iterable[FileIntake]) -> dict[str, str]:
    """Return the names that the mappings of files bring and the market does not have yet, by field.

    Raises MappingError for a name that another column of the market has, StoreUnavailable.
    """
    held = store.column_names.of(market_id)
    brought = {
        str(rule["field"]): str(rule["label"])
        for one in intake
        for rule in _rules(one.mapping)
        if rule.get("label") and rule["label"] != readable_name(str(rule["field"]))
    }
    check_names(held | brought)
    return {field: name for field, name in brought.items() if name != held.get(field, "")}


def with_names(mapping: ColumnMapping, names: Mapping[str, str]) -> ColumnMapping:
    """Return the mapping with these display names for columns of its own, by field; raises MappingError."""
    rules = tuple(
        replace(rule, label=_tidy(rule.field, names[rule.field])) if rule.field in names else rule
        for rule in mapping.rules
    )
    changed = replace(mapping, rules=rules)
    check_mapping(changed)
    return changed


def named_as_shown(mapping: ColumnMapping, names: Mapping[str, str]) -> ColumnMapping:
    """Return the mapping with the name of each column of its own as it is shown, for a person to change in a file."""
    rules = (
        replace(rule, label=rule.label or names.get(rule.field) or readable_name(rule.field))
        if is_extra(rule.field)
        else rule
        for rule in mapping.rules
    )
    return replace(mapping, rules=tuple(rules))


def names_of(mapping: ColumnMapping) -> dict[str, str]:
    """Return what each column of the market's own is called, by field, in the mapping's order."""
    return {rule.field: rule.label or label_of(rule.field) for rule in mapping.rules if is_extra(rule.field)}


def _tidy(field: str, name: str) -> str:
    """Return a name without needless blanks, empty where it says what the column is called anyway."""
    tidy = " ".join(name.split())
    return "" if tidy == readable_name(field) else tidy


def _rules(document: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    rules: Iterable[Mapping[str, Any]] = document.get("rules", ())
    return rules
