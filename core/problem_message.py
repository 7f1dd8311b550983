"""Errors in the problem statement in one line: pydantic's errors as key, value, limit and remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_Path = tuple[str | int, ...]

_SHOWN_KEYS: Final = 3
_SHOWN_CHARS: Final = 80
_BOUNDS: Final = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_TYPES: Final = {
    "integer": "must be a whole number",
    "number": "must be a number",
    "string": "must be text in quotes",
    "array": "must be a non-empty list",
    "boolean": "must be true or false",
}


def describe(error: ValidationError, document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return one line: the first wrong setting in full, then the keys of the rest.

    ``document`` is the parsed file and ``schema`` its JSON schema with the allowed keys and bounds. A rule that relates
    two fields has an error of type "relation": its context holds the ``path`` of the field to correct, relative to the
    checked section, and the ``rule``.
    """
    first, *others = error.errors(include_url=False)
    return _sentence(first, document, schema) + _also_wrong([_key(_path(other)) for other in others])


def plain(number: float) -> str:
    """Write a number as the file does: with at most 12 digits, and no exponent below a trillion."""
    return f"{number:.12g}"


def _sentence(error: ErrorDetails, document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    path = _path(error)
    match error["type"]:
        case "missing":
            keys = _keys_allowed(schema, path)
            return f"Key {_key(path)} is missing from the problem statement: add it{f' with {keys}' if keys else ''}."
        case "unexpected_keyword_argument":
            allowed = _keys_allowed(schema, path[:-1])
            return f"Key {_key(path)} is unknown; allowed here: {allowed}. Remove or rename it."
    return f"Key {_key(path)} = {_shown(document, path)} {_rule(error, schema)}. Correct it in the problem statement."


def _also_wrong(keys: list[str]) -> str:
    if not keys:
        return ""
    more = f" and {len(keys) - _SHOWN_KEYS} more" if len(keys) > _SHOWN_KEYS else ""
    return f" Also wrong: {', '.join(keys[:_SHOWN_KEYS])}{more}."


def _path(error: ErrorDetails) -> _Path:
    return (*error["loc"], *error.get("ctx", {}).get("path", ()))


def _key(path: _Path) -> str:
    """Write a path as TOML does: ``limits.bedrooms.low``; a list item is ``estimate.levels[0]``."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{_bare_or_quoted(step)}" for step in path]
    return "".join(steps).removeprefix(".")


def _bare_or_quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _shown(document: Any, path: _Path) -> str:
    value = document
    for step in path:
        value = value[step]
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _rule(error: ErrorDetails, schema: Mapping[str, Any]) -> str:
    if error["type"] == "relation":
        return str(error["ctx"]["rule"])
    if error["type"] == "finite_number":
        return "must be a finite number"
    node = _node(schema, _path(error))
    if error["type"] in _BOUNDS:
        return _bounds(node)
    entries = "with at least one entry" if node.get("additionalProperties") else "of settings"
    return _TYPES.get(node["type"], f"must be a table {entries}")


def _bounds(node: Mapping[str, Any]) -> str:
    match node:
        case {"exclusiveMinimum": low, "exclusiveMaximum": high}:
            return f"must lie between {plain(low)} and {plain(high)}, exclusive"
        case {"minimum": low, "maximum": high}:
            return f"must lie between {plain(low)} and {plain(high)}, inclusive"
        case {"exclusiveMinimum": low}:
            return f"must be above {plain(low)}"
    return f"must be {plain(node['minimum'])} or more"


def _keys_allowed(schema: Mapping[str, Any], path: _Path) -> str:
    return ", ".join(sorted(_node(schema, path).get("properties", {})))


def _node(schema: Mapping[str, Any], path: _Path) -> Mapping[str, Any]:
    """Return the part of the schema that describes the setting at a path."""
    node = schema
    for step in path:
        inside = node["items"] if isinstance(step, int) else node.get("properties", {}).get(step)
        node = inside or node["additionalProperties"]
        node = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    return node
