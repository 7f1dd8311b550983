"""The shipped synonyms, words and marks of columns, read once and folded for comparison.

They stand in assets/columns.toml, and the names that publishers and other languages use in assets/column_names.toml.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from core.installation import ASSETS
from core.schema import FIELD_BY_NAME, Source

DEFAULT_PATH: Final = ASSETS / "columns.toml"
NAMES_PATH: Final = ASSETS / "column_names.toml"

Tokens = tuple[str, ...]

_UNITS: Final[tuple[tuple[Tokens, str], ...]] = (
    (("square", "feet"), "sqft"),
    (("square", "foot"), "sqft"),
    (("square", "ft"), "sqft"),
    (("sq", "ft"), "sqft"),
    (("sq", "feet"), "sqft"),
    (("square", "meter"), "sqm"),
    (("square", "metre"), "sqm"),
    (("sq", "m"), "sqm"),
    (("sq", "mtr"), "sqm"),
    (("sqft",), "sqft"),
    (("sf",), "sqft"),
    (("sqm",), "sqm"),
    (("m2",), "sqm"),
    (("m", "2"), "sqm"),
    (("ft", "2"), "sqft"),
    (("ตร", "ม"), "sqm"),
    (("τ", "μ"), "sqm"),
    (("متر", "مربع"), "sqm"),
    (("بالمتر", "المربع"), "sqm"),
    (("م2",), "sqm"),
    (("במ", "ר"), "sqm"),
    (("מ", "ר"), "sqm"),
    (("square", "footage"), "sqft"),
    (("sq", "ftg"), "sqft"),
    (("sq", "meter"), "sqm"),
    (("sq", "metre"), "sqm"),
    (("qm",), "sqm"),
    (("mq",), "sqm"),
    (("mt", "2"), "sqm"),
    (("kvm",), "sqm"),
    (("кв", "м"), "sqm"),
    (("square", "yard"), "sqyd"),
    (("sq", "yd"), "sqyd"),
    (("sqyd",), "sqyd"),
    (("sqfoot",), "sqft"),
    (("tsubo",), "tsubo"),
    (("坪",), "tsubo"),
    (("평",), "tsubo"),
    (("pyeong",), "tsubo"),
    (("acre",), "acre"),
    (("hectare",), "hectare"),
    (("гектар",), "hectare"),
    (("ตร", "ว"), "wah"),
    (("square", "wah"), "wah"),
    (("sq", "wah"), "wah"),
    (("ไร",), "rai"),
    (("marla",), "marla"),
    (("kanal",), "kanal"),
    (("guntha",), "guntha"),
    (("dunam",), "dunam"),
    (("donum",), "dunam"),
    (("דונם",), "dunam"),
    (("亩",), "mu"),
)
# Short words that are a unit only where a header ends in them: "Land Area (ha)".
_LAST_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ha", "га"), "hectare"),
    **dict.fromkeys(("are", "сотка", "соток", "сот"), "are"),
    **{"rai": "rai", "wah": "wah", "dunum": "dunam"},
}

_SCALES: Final[Mapping[str, float]] = {
    **dict.fromkeys(("000", "thousand", "tausend", "tsd", "tys", "тыс", "teur", "tchf", "千元", "千円", "천원"), 1e3),
    **dict.fromkeys(("万", "萬", "万元", "萬元", "万円", "만원", "만"), 1e4),
    **dict.fromkeys(("lakh", "lac"), 1e5),
    **dict.fromkeys(
        ("million", "millionen", "millones", "milhoes", "milioni", "mio", "mln", "млн", "trieu", "百万円", "백만원"),
        1e6,
    ),
    **dict.fromkeys(("crore", "cr"), 1e7),
    **dict.fromkeys(("billion", "bn", "miliar", "mlrd"), 1e9),
    **dict.fromkeys(("億", "亿", "億円", "亿元", "억", "억원"), 1e8),
}

# A letter beside the sign of a currency is a scale: "HK$M", "$K", "k€", "€ m".
_SCALED_SIGN: Final = re.compile(
    r"(?:(?<=[$€£¥₹₩])\s?(?P<after>[mk]|mm|mn)|(?<![^\W_])(?P<before>[mk])\s?(?=[€£¥₹]))(?![^\W_])", re.I
)
# A sign that stands for the word: "Sold $", "List $".
_SIGN_FOR_PRICE: Final = re.compile(r"^\s*(sold|sale|list|asking|selling|close|closed|orig(?:inal)?)\s*[$€£]\s*$", re.I)
# Unspaced scripts write the unit behind the name.
_WRITTEN_TOGETHER: Final = re.compile(r"(?<=\w)(?:平方公尺|平方米|平方メートル|平米|제곱미터)")
_DATE_PATTERN: Final = re.compile(r"\b(?:d{1,2}|m{1,3}|y{2,4})(?:[-/. ]?(?:d{1,2}|m{1,3}|y{2,4})){1,2}\b", re.I)
# Letters that no accent makes: Unicode does not take them apart. Arabic letters of one sound are written in many ways.
_UNFOLDED: Final = str.maketrans(
    {
        **{"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "Ae", "œ": "oe", "ß": "ss"},
        **{"đ": "d", "Đ": "D", "ı": "i", "İ": "I"},
        **{"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ـ": ""},
    }
)
# A vowel sign of India's scripts or Thai is part of its word, which the module re does not know.
_WORD: Final = re.compile(r"(?:[^\W_]|[\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff])+")


@dataclass(frozen=True)
class Header:
    """A header as folded words, without the area unit and the scale (1000 for "thousands") it names."""

    words: Tokens
    unit: str
    scale: float = 1.0

    @cached_property
    def joined(self) -> str:
        """The words joined without separators."""
        return "".join(self.words)

    @cached_property
    def in_order(self) -> Tokens:
        """The words in alphabetical order, the same however they were arranged."""
        return tuple(sorted(self.words))


@dataclass(frozen=True, eq=False)
class FieldNames:
    """The usual names of a field's columns, how to read them, and what they plausibly hold; compared by identity."""

    field: str
    names: tuple[Header, ...]
    weak: tuple[Header, ...]
    parse: tuple[str, ...]
    low: float
    high: float


@dataclass(frozen=True)
class Summand:
    """Columns that add ``weight`` times their value to a field."""

    field: str
    names: tuple[Header, ...]
    weight: float
    sources: frozenset[Source]


@dataclass(frozen=True)
class PersonalWords:
    """How headers name persons, without accents.

    ``sure`` holds (kind, words of a header) in the order in which kinds are tried, ``whole`` headers of names that
    count only when they stand alone, ``maybe_phone`` words that leave it to the cells, ``unless`` words that make a
    header a fact of the home or sale.
    """

    sure: tuple[tuple[str, tuple[Tokens, ...]], ...]
    whole: tuple[Tokens, ...]
    maybe_phone: frozenset[str]
    unless: frozenset[str]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """All of columns.toml, folded; compared by identity."""

    path: Path
    fields: tuple[FieldNames, ...]
    sums: tuple[Summand, ...]
    address_parts: tuple[tuple[str, tuple[Header, ...]], ...]
    words: Mapping[str, Mapping[str, str]]
    leaks: tuple[tuple[str, tuple[Tokens, ...]], ...]
    leaks_whole: tuple[tuple[str, tuple[Tokens, ...]], ...]
    personal: PersonalWords
    identifiers: frozenset[str]
    fillers: frozenset[str]
    currencies: frozenset[str]
    contrary: frozenset[str]
    parcel_words: frozenset[str]
    aliases: Mapping[str, str]
    status: Mapping[str, str]
    zero_is_missing: frozenset[str]

    def words_of(self, field: str) -> dict[str, str]:
        """Return the words of a field and what each is read as; empty for most fields."""
        return dict(self.words.get(field, {}))

    def all_words(self, header: str) -> Tokens:
        """Fold a header into words, the area unit kept."""
        whole = self.fold(header)
        return whole.words + ((whole.unit,) if whole.unit else ())

    def fold(self, header: str) -> Header:
        """Fold a header into words: lower case, singular, spellings made one, the area unit taken out."""
        return _folded(self, header)


@lru_cache(maxsize=5_000)
def _folded(vocabulary: Vocabulary, header: str) -> Header:
    return fold_header(header, vocabulary.aliases)


@cache
def load_vocabulary(path: Path = DEFAULT_PATH) -> Vocabulary:
    """Read the shipped vocabulary."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    aliases: dict[str, str] = document["aliases"]
    further = tomllib.loads(NAMES_PATH.read_text(encoding="utf-8"))
    fields = tuple(_field(name, _extended(name, entry, further), aliases) for name, entry in document["fields"].items())
    return Vocabulary(
        path=path,
        fields=fields,
        sums=tuple(
            Summand(
                entry["field"],
                _headers(entry["names"], aliases),
                float(entry["weight"]),
                frozenset(map(Source, entry["sources"])),
            )
            for entry in document["sums"]
        ),
        address_parts=tuple((part, _headers(names, aliases)) for part, names in document["address_parts"].items()),
        words={
            field: {**document["words"].get(field, {}), **further["words"].get(field, {})}
            for field in {**document["words"], **further["words"]}
        },
        leaks=tuple((why, _words_of_all(names, aliases)) for why, names in document["leaks"].items()),
        leaks_whole=tuple((why, _words_of_all(names, aliases)) for why, names in document["leaks_whole"].items()),
        personal=_personal(document["personal"], aliases),
        identifiers=frozenset(document["identifiers"]["names"]),
        fillers=frozenset(document["fillers"]["names"] + document["currencies"]["names"]),
        currencies=frozenset(document["currencies"]["names"]),
        contrary=frozenset(document["contrary"]["names"]),
        parcel_words=frozenset(document["parcel_words"]["names"]),
        aliases=aliases,
        status={word: state for state, words in further["status"].items() for word in words},
        zero_is_missing=frozenset(
            name for name, entry in document["fields"].items() if entry.get("zero_is_missing", False)
        ),
    )


def fold_header(header: str, aliases: Mapping[str, str]) -> Header:
    """Fold a header into words as ``Vocabulary.fold`` does, with given aliases."""
    words = [_one_spelling(word, aliases) for word in split_words(_DATE_PATTERN.sub(" ", header))]
    unit, words = _without_unit(words)
    # A word of scale beside nothing else is a name: "Mille" alone is no thousand of anything.
    scales = [_SCALES[word] for word in words if word in _SCALES]
    if len(scales) == 1 and len(words) > 1:
        return Header(tuple(word for word in words if word not in _SCALES), unit, scales[0])
    return Header(tuple(words), unit)


def _without_unit(words: list[str]) -> tuple[str, list[str]]:
    for parts, unit in _UNITS:
        for at in range(len(words) - len(parts) + 1):
            if tuple(words[at : at + len(parts)]) == parts:
                return unit, words[:at] + words[at + len(parts) :]
    if len(words) > 1 and words[-1] in _LAST_UNITS:
        return _LAST_UNITS[words[-1]], words[:-1]
    return "", words


def split_words(header: str) -> list[str]:
    """Split a header at case changes, digits and punctuation: ``SqFtTotLiving15`` gives sq ft tot living 15."""
    text = re.sub(r"[$€£]\s*/", " price per ", header.replace("#", " number ").replace("%", " percent "))
    text = _SIGN_FOR_PRICE.sub(r"\1 price", text)
    text = _SCALED_SIGN.sub(_scale_word, text)
    text = _plain_letters(re.sub(r"\b[Tt]ỷ\b", " billion ", text))
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text).casefold()
    text = re.sub(r"\bm2\b|(?<=_)m2\b|(?<=[^\x00-\x7f])m2\b|\bм2\b", " sqm", text)
    text = _WRITTEN_TOGETHER.sub(" sqm ", text)
    text = re.sub(r"([a-z])(\d)", r"\1 \2", text)
    return _WORD.findall(text)


def _scale_word(sign: re.Match[str]) -> str:
    letters = str(sign["after"] or sign["before"]).casefold()
    return " thousand " if letters == "k" else " million "


def _plain_letters(text: str) -> str:
    """Return the text with Latin letters bare of accents, and full-width and squared signs in their usual form."""
    if text.isascii():
        return text
    plain = []
    for letter in text.translate(_UNFOLDED):
        apart = unicodedata.normalize("NFKD", letter)
        if apart and apart[0] < "\u0250":
            plain.append("".join(one for one in apart if not unicodedata.combining(one)))
        else:
            plain.append(letter)
    return unicodedata.normalize("NFKC", "".join(plain))


def snake(header: str) -> str:
    """Return a header as lower-case words joined by ``_``, digits kept with their word."""
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", header.replace("#", " number "))
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text).casefold()
    return re.sub(r"[\W_]+", "_", text).strip("_") or "column"


def _one_spelling(word: str, aliases: Mapping[str, str]) -> str:
    word = aliases.get(word, word)
    if len(word) > 3 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return aliases.get(word, word)


def _headers(names: Iterable[str], aliases: Mapping[str, str]) -> tuple[Header, ...]:
    return tuple(fold_header(name, aliases) for name in names)


def _words_of_all(names: Iterable[str], aliases: Mapping[str, str]) -> tuple[Tokens, ...]:
    return tuple(tuple(_one_spelling(word, aliases) for word in split_words(name)) for name in names)


def _personal(entry: Mapping[str, Any], aliases: Mapping[str, str]) -> PersonalWords:
    kinds = ("phone", "e-mail", "birth date", "account", "access code", "contact", "name")
    return PersonalWords(
        sure=tuple((kind, _words_of_all(entry[kind], aliases)) for kind in kinds),
        whole=_words_of_all(entry["whole"], aliases),
        maybe_phone=frozenset(entry["maybe_phone"]),
        unless=frozenset(entry["unless"]),
    )


def _field(name: str, entry: Mapping[str, Any], aliases: Mapping[str, str]) -> FieldNames:
    if name not in FIELD_BY_NAME:
        raise ValueError(f"columns.toml: {name!r} is not a field of the canonical record")
    return FieldNames(
        field=name,
        names=_headers(entry["names"], aliases),
        weak=_headers(entry.get("weak", ()), aliases),
        parse=tuple(entry["parse"]),
        low=float(entry.get("low", "-inf")),
        high=float(entry.get("high", "inf")),
    )


def _extended(name: str, entry: Mapping[str, Any], further: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a field's entry with the names that publishers and other languages use added to its own."""
    added = {
        kind: [one for table in further[table_of].values() for one in table.get(name, ())]
        for kind, table_of in (("names", "names"), ("weak", "weak"))
    }
    return {**entry, **{kind: [*entry.get(kind, ()), *names] for kind, names in added.items()}}
