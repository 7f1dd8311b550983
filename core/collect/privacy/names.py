"""Whether texts name persons: by known names beside unknown ones, and against the words of homes and places."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from core.installation import ASSETS

_UNFOLDED: Final = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "ß": "ss"})
# Letters with the vowel signs of India's scripts and Thai, which the module re takes for no part of a word.
_LETTER: Final = r"(?:[^\W\d_]|[\u0300-\u036f\u0900-\u0dff\u0e00-\u0eff])"
_WORD: Final = re.compile(rf"{_LETTER}+(?:['’-]{_LETTER}+)*\.?")
_PUNCTUATION: Final = re.compile(r"[\s,;&+/.'’()-]*")
# A run of capitalized words, as names stand in prose.
_CAPITALIZED: Final = r"[^\W\d_a-z][\w'’-]*\.?"
_RUN: Final = re.compile(
    rf"(?:(?<=\s)|(?<=^)|(?<=[(\"':,.;/-])){_CAPITALIZED}"
    rf"(?: +(?:(?:de|der|van|von|da|di|la|le|du|and|&) +)*{_CAPITALIZED})*"
)
_CUE: Final = re.compile(
    r"(?i)\b(?:ask for|call|contact|text|phone|ring|agent|seller|owner|buyer|tenant|realtor|(?:listed|sold|shown) by|"
    r"sold to|speak (?:to|with)|name is|thanks|regards)\b[:,]?\s+$"
)
# Given names that begin a sentence of another meaning, all the more where prose is in capitals.
_AMBIGUOUS: Final = frozenset(["will", "max", "dawn", "crystal", "guy", "mark", "grace", "dean", "jack", "bill"])
_WORDS_MAX: Final = 5
_ASIAN: Final = re.compile(r"[\u4e00-\u9fff\uac00-\ud7af]{2,4}")
_ASIAN_PLACE: Final = re.compile(r"[區区市县縣町村里路街道段巷號号層层樓楼房廳厅室宅築造型式類类用地下上有無无]$")
_PARTICLES: Final = frozenset(["de", "der", "van", "von", "da", "di", "la", "le", "du", "del", "al", "bin", "and"])


@dataclass(frozen=True)
class Lexicon:
    """All of names.toml, each word without accents and in lower case."""

    given: frozenset[str]
    family: frozenset[str]
    east_asian: frozenset[str]
    endings: tuple[str, ...]
    facts: frozenset[str]
    places: frozenset[str]
    titles: frozenset[str]


@cache
def lexicon() -> Lexicon:
    """Read the shipped names."""
    document: dict[str, str] = tomllib.loads((ASSETS / "names.toml").read_text(encoding="utf-8"))
    words = {name: [folded(word) for word in text.split()] for name, text in document.items()}
    sets = {name: frozenset(words[name]) for name in ("given", "family", "facts", "places", "titles")}
    return Lexicon(**sets, east_asian=frozenset(document["east_asian"]), endings=tuple(words["endings"]))


def folded(text: str) -> str:
    """Return a text in lower case without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_UNFOLDED))
    return unicodedata.normalize("NFC", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def share_of_persons(texts: Iterable[str]) -> float:
    """Return the share of texts that are a person's full name, going by a name that is known."""
    return _share(texts, is_person)


def share_of_single_names(texts: Iterable[str]) -> float:
    """Return the share of texts that are one given or family name and no more."""
    return _share(texts, _is_single_name)


def share_of_name_shapes(texts: Iterable[str]) -> float:
    """Return the share of texts that may be names, known or not: a few capitalized words, none of homes or places."""
    return _share(texts, _is_name_shaped)


def is_person(text: str) -> bool:
    """Tell whether a text is a person's full name, in Latin or another script, going by a name that is known."""
    if _ASIAN.fullmatch(text.strip()):
        return text.strip()[0] in lexicon().east_asian and not _ASIAN_PLACE.search(text.strip())
    words = _words_of(text)
    if not words:
        return False
    known, plain = lexicon(), [folded(word).rstrip(".") for word in words]
    if known.facts & set(plain) or not 1 < len(plain) <= _WORDS_MAX:
        return False
    if plain[0] in known.titles:
        return True
    slavic = sum(word.endswith(known.endings) and len(word) > 4 for word in plain)
    if slavic >= 2 or (slavic and any(len(word) == 1 for word in plain)):
        return True
    full = sum(len(word) > 1 for word in plain)
    family_first = "," in text or any(len(word) == 1 for word in plain)
    return bool((known.given & set(plain) and full > 1) or (family_first and known.family & set(plain)))


def is_east_asian(text: str) -> bool:
    """Tell whether a text is as long as a name in Chinese characters or Hangul, and nothing but these."""
    return bool(_ASIAN.fullmatch(text.strip()))


def cut_names(text: str, removed: str) -> str:
    """Return prose with ``removed`` in the place of each person's name found in it."""

    def without_name(found: re.Match[str]) -> str:
        run = found.group()
        name = _name_in(run, text[: found.start()])
        return run.replace(name, removed, 1) if name else run

    return _RUN.sub(without_name, text)


def holds_name(text: str) -> bool:
    """Tell whether prose holds a person's name."""
    return cut_names(text, "") != text


def _name_in(run: str, before: str) -> str:
    """Return the part of a run of capitalized words that is a person's name; empty where none is.

    A known given name or a title begins one if a word follows that is none of homes and places; after words such as
    "ask for" a given name alone is one, and so are two words nobody knows.
    """
    words, known = run.split(" "), lexicon()
    plain = [folded(word).strip(".'’") for word in words]
    for place, word in enumerate(plain):
        end = place
        while end < len(plain) and plain[end] not in known.facts:
            end += 1
        length = end - place
        after_cue = bool(_CUE.search(f"{before}{' '.join(words[:place])} "))
        begins = word in known.titles or (word in known.given and word not in _AMBIGUOUS)
        if (length > 1 and (begins or after_cue)) or (length == 1 and begins and after_cue):
            return " ".join(words[place:end])
    return ""


def _share(texts: Iterable[str], names: Callable[[str], bool]) -> float:
    answers = [names(text) for text in texts]
    return sum(answers) / len(answers) if answers else 0.0


def _words_of(text: str) -> list[str]:
    """Return the words of a text that is words, initials and commas only; none of any other."""
    words = _WORD.findall(text)
    rest = _WORD.sub("", text)
    return words if _PUNCTUATION.fullmatch(rest) else []


def _is_single_name(text: str) -> bool:
    word = folded(text.strip())
    known = lexicon()
    return word not in known.facts and len(word) > 2 and (word in known.given or word in known.family)


def _is_name_shaped(text: str) -> bool:
    words = _words_of(text)
    if not 1 < len(words) <= _WORDS_MAX:
        return False
    plain = [folded(word).rstrip(".") for word in words]
    capital = all(word[0].isupper() or word in _PARTICLES or not word[0].islower() for word in words)
    return capital and not lexicon().facts & set(plain) and sum(len(word) > 1 for word in plain) > 1
