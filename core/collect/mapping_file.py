"""A column mapping as a file: the JSON that the command line writes and reads, and that presets hold."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from core.accounting import ID_DIGITS
from core.collect.cells.currencies import CURRENCIES
from core.collect.dates.own_formats import date_format_of
from core.collect.inference import Inference
from core.collect.mapping import ColumnMapping, ColumnRule, check_mapping
from core.collect.reading.encodings import is_text_encoding
from core.collect.reading.table import Reading, ReadingChoice
from core.errors import MappingError
from core.schema import Source

FILES: Final = "files"
"""The key under which a document holds the mappings of several files by name."""

_ALWAYS: Final = ("column", "field", "parse", "unit", "scale", "date_format")
_SAVE_AGAIN: Final = "Save it again from the mapping page, or with ingest --write-mapping."


def mapping_document(mapping: ColumnMapping) -> dict[str, Any]:
    """Return the mapping as plain values, ready for JSON."""
    rules = [_rule_document(rule) for rule in mapping.rules]
    inferences = [dataclasses.asdict(one) for one in mapping.inferences]
    return {**_fields_of(mapping), "source": mapping.source.value, "rules": rules, "inferences": inferences}


def mappings_document(mappings: Mapping[str, ColumnMapping]) -> dict[str, Any]:
    """Return the mappings of files by name as plain values: that of one file as it is, those of several in FILES."""
    documents = {name: mapping_document(mapping) for name, mapping in mappings.items()}
    return next(iter(documents.values())) if len(documents) == 1 else {FILES: documents}


def mapping_to_json(mapping: ColumnMapping) -> str:
    """Return the mapping as JSON text that mapping_from_json reads back to an equal mapping."""
    return document_to_json(mapping_document(mapping))


def document_to_json(document: Mapping[str, Any]) -> str:
    """Return a document of one mapping or several as text for a file."""
    return json.dumps(document, indent=1, ensure_ascii=False)


def inferences_of(document: Mapping[str, Any]) -> tuple[Inference, ...]:
    """Return what a mapping's document says was inferred."""
    return tuple(Inference(**one) for one in document.get("inferences", ()))


def mapping_from_json(text: str) -> ColumnMapping:
    """Read a mapping; raises MappingError if the text is not one or names an unknown setting, field or unit."""
    return mapping_of(_document(text))


def mapping_for(text: str, name: str) -> ColumnMapping:
    """Read the mapping of the file called ``name``: the only one of the document, or the one under that name.

    Raises MappingError as mapping_from_json does, and where a document of several files has none of that name.
    """
    return mappings_for(text, [name])[name]


def mappings_for(text: str, names: Sequence[str]) -> dict[str, ColumnMapping]:
    """Read the mappings of files by name; raises MappingError as mapping_for does, or for one mapping of many files."""
    document = _document(text)
    if not isinstance(document, dict) or FILES not in document:
        if len(names) > 1:
            raise MappingError(
                f"The column mapping is that of one file, but there are {len(names)}: {', '.join(names)}. Import them "
                "one by one, or write the mapping of all with ingest --write-mapping."
            )
        return {name: mapping_of(document) for name in names}
    held = document[FILES]
    if not isinstance(held, dict):
        raise MappingError(f"files = {held!r} must be a table of mappings by file name. {_SAVE_AGAIN}")
    for name in names:
        if name not in held:
            raise MappingError(
                f"The column mapping has no file {name!r}; it has {', '.join(map(repr, held))}. Rename one of them."
            )
    return {name: mapping_of(held[name]) for name in names}


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MappingError(f"The column mapping is not JSON: {error}. {_SAVE_AGAIN}") from error


def mapping_of(document: Any) -> ColumnMapping:
    """Return the mapping of a document as mapping_document makes one; raises MappingError as mapping_from_json does."""
    if isinstance(document, dict):
        # One file tells it: another tells it anew.
        document = {name: setting for name, setting in document.items() if name != ID_DIGITS}
    settings = _settings(document, ColumnMapping, "The column mapping")
    if settings.get("source") not in set(Source):
        raise MappingError(f"source = {settings.get('source')!r} must be one of {', '.join(Source)}.")
    if not isinstance(settings.get("rules"), list):
        raise MappingError(f"rules = {settings.get('rules')!r} must be a list with one rule for each column kept.")
    rules = tuple(_rule(one) for one in settings["rules"])
    try:
        mapping = ColumnMapping(
            **{
                **settings,
                "source": Source(settings["source"]),
                "rules": rules,
                "date_format": date_format_of(settings.get("date_format", "")),
                "address_columns": tuple(map(str, settings.get("address_columns", ()))),
                "ignored": tuple((str(column), str(why)) for column, why in settings.get("ignored", ())),
                "keep": tuple(map(str, settings.get("keep", ()))),
                "inferences": inferences_of(settings),
            }
        )
    except (TypeError, ValueError) as error:
        raise MappingError(f"The column mapping has a setting of the wrong kind: {error}.") from error
    _check_reading(mapping)
    check_mapping(mapping)
    return mapping


def _check_reading(mapping: ColumnMapping) -> None:
    """Raise MappingError for an encoding or currency nobody knows, or a separator that is not one character."""
    for what in ("encoding", "sheet", "separator", "currency"):
        if not isinstance(getattr(mapping, what), str):
            raise MappingError(f"{what} = {getattr(mapping, what)!r} of the column mapping must be a text.")
    if mapping.encoding and not is_text_encoding(mapping.encoding):
        raise MappingError(
            f"encoding = {mapping.encoding!r} of the column mapping is no encoding Doorstep knows. Name one such as "
            "'cp1252', or leave it empty to have it found from the file."
        )
    if mapping.currency and mapping.currency not in CURRENCIES:
        raise MappingError(
            f"currency = {mapping.currency!r} of the column mapping is no code of a currency. Name one such as 'USD', "
            "or leave it empty."
        )
    if len(mapping.separator) > 1:
        raise MappingError(f"separator = {mapping.separator!r} of the column mapping must be one character or empty.")


def _rule(document: Any) -> ColumnRule:
    settings = _settings(document, ColumnRule, "A rule of the column mapping")
    if not {"column", "field"} <= set(settings):
        raise MappingError(f"A rule of the column mapping needs 'column' and 'field'; it has {sorted(settings)}.")
    recode = settings.get("recode", {})
    if not isinstance(recode, dict):
        raise MappingError(f"Column {settings['column']!r}: recode must be a table of words.")
    further = {
        "with_columns": tuple(map(str, settings.get("with_columns", ()))),
        "date_format": date_format_of(settings.get("date_format", "")),
    }
    words = MappingProxyType({str(word): str(to) for word, to in recode.items()})
    return ColumnRule(**{**settings, **further, "recode": words})


def _rule_document(rule: ColumnRule) -> dict[str, Any]:
    """Return a rule as plain values; the rarer settings only where they say something."""
    values = {**_fields_of(rule), "recode": dict(rule.recode)}
    usual = {**_fields_of(ColumnRule("", "")), "recode": {}}
    return {name: value for name, value in values.items() if name in _ALWAYS or value != usual[name]}


def _settings(document: Any, kind: type[ColumnMapping] | type[ColumnRule], what: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise MappingError(f"{what} must be a table of settings, not {type(document).__name__}.")
    unknown = sorted(set(document) - {each.name for each in dataclasses.fields(kind)})
    if unknown:
        raise MappingError(f"{what} has unknown settings: {', '.join(unknown)}. Remove them.")
    return dict(document)


def _fields_of(one: ColumnMapping | ColumnRule) -> dict[str, Any]:
    return {each.name: getattr(one, each.name) for each in dataclasses.fields(one)}


# How the file of a mapping is read


def with_reading(mapping: ColumnMapping, reading: Reading) -> ColumnMapping:
    """Return the mapping with how its file was read; the only sheet of a workbook needs no naming."""
    sheet = reading.sheet if len(reading.sheets) > 1 else ""
    return dataclasses.replace(mapping, encoding=reading.encoding, sheet=sheet, separator=reading.separator)


def read_like(mapping: ColumnMapping, other: ColumnMapping) -> ColumnMapping:
    """Return the mapping with another's encoding, sheet and separator: both are of the same file."""
    return dataclasses.replace(mapping, encoding=other.encoding, sheet=other.sheet, separator=other.separator)


def reading_choice(mapping: ColumnMapping | None, chosen: ReadingChoice | None) -> ReadingChoice | None:
    """Return how to read a file: as a person chooses, and where they do not, as its mapping says."""
    if mapping is None:
        return chosen
    first = chosen or ReadingChoice()
    return ReadingChoice(
        encoding=first.encoding,
        sheet=first.sheet or mapping.sheet,
        separator=first.separator or mapping.separator,
        usual_encoding=mapping.encoding,
    )
