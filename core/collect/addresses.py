"""Address keys: one spelling for each address, so that records of the same home from different files meet.

Rules rather than an address library: on the labelled pairs of tests/collect/address_pairs.csv the rules join more of
the same homes, and no others (see tests/collect/test_address_pairs.py for the figures of both).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

import numpy as np
import pandas as pd

from core.collect.address_words import (
    ABBREVIATIONS,
    CARDINALS,
    DESIGNATORS,
    DIRECTION_VARIANTS,
    DIRECTIONS,
    LONG_FORMS,
    ORDINALS,
    PARTS,
    SHORT_DIRECTIONS,
    STATES,
    TENS,
    UNITS_OF_TENS,
    ordinal,
)
from core.collect.cells.missing import NULL_WORDS

_UNIT_WORD: Final = re.compile(r"^(?:unit |apt |#)*(?=\S)", re.IGNORECASE)

_FIVE_DIGITS: Final = re.compile(r"\d{5}")
_ZIP_TAIL: Final = re.compile(
    r",(?P<city>[^,]*?)[,\s]\s*(?P<state>[A-Za-z]{2})[,\s]\s*(?P<zip>\d{5}(?:-\d{4})?)"
    r"(?:[,\s]+(?:USA?|U\.S\.(?:A\.)?|United States))?\s*$"
)
# Unicode takes 45½ apart into 451/2; the post writes 45 1/2.
_FRACTION: Final = re.compile(r"(?<=\d)\s*(?=[¼½¾⅓⅔⅛⅜⅝⅞])")
_SILENT: Final = str.maketrans("", "", "'’.")
_NO_WORD: Final = re.compile(r"[^\w#/-]+|_")
_SLASHED_UNIT: Final = re.compile(
    r"^(?:UNIT |FLAT |APT |U(?=\d))?([A-Z]?\d+[A-Z]?)\s*/\s*(\d+[A-Z]?(?:-\d+[A-Z]?)?)(?= [A-Z])"
)
# "12 B Oak Ln" is 12B, but "12 B St" lies in B Street and "12 N Oak Ln" in North Oak Lane.
_LETTERED_NUMBER: Final = re.compile(r"^(\d+) ([A-Z])(?= [A-Z]{3,}\b)")
_BLOCK: Final = re.compile(r"^(?:BLK|BLOCK|NO|NUMBER|# (?=\d+[A-Z]? [A-Z]{2})) ?(?=\d)")
_BEFORE_ROAD: Final = r"^(\S+(?: (?:N|S|E|W|NORTH|SOUTH|EAST|WEST))?) "
# Numbered roads by the names of Publication 28, appendix E; a state numbers its own roads once, whatever it calls them.
_NUMBERED_ROADS: Final = (
    (re.compile(_BEFORE_ROAD + r"US (?:HWY |HIGHWAY |RTE |RT |ROUTE )?(?=\d)"), r"\1 US HWY "),
    (re.compile(_BEFORE_ROAD + r"(?:SR|STATE (?:RD|ROAD|RTE|RT|ROUTE|HWY|HIGHWAY)) (?=\d)"), r"\1 STATE RTE "),
    (re.compile(_BEFORE_ROAD + r"(?:ST|STREET) (?:RD|ROAD|RTE|RT|ROUTE|HWY|HIGHWAY) (?=\d)"), r"\1 STATE RTE "),
    (re.compile(_BEFORE_ROAD + r"(?:CR|(?:CO|CNTY|COUNTY) (?:RD|ROAD)) (?=\d)"), r"\1 COUNTY RD "),
    (re.compile(_BEFORE_ROAD + r"(?:FM|FARM TO MARKET|FARM MARKET)(?: RD| ROAD)? (\d+)(?: RD| ROAD)?\b"), r"\1 FM \2"),
    (re.compile(_BEFORE_ROAD + r"(?:I|INTERSTATE)(?: HWY| HIGHWAY)? ?(?=\d)"), r"\1 INTERSTATE "),
)
_ROAD_WITH_NUMBER: Final = re.compile(
    r" (?:US|[SC]R|ST|STREET|STATE|CO|CNTY|COUNTY|FM|FARM|I|INTERSTATE)(?: [A-Z]{2,9}){0,3} ?\d"
)
_STOREY: Final = re.compile(r"(?:FL|FLOOR) (\d{1,3})|(\d{1,3})(?:ST|ND|RD|TH) (?:FL|FLOOR)")


def address_keys(addresses: pd.Series, units: pd.Series) -> pd.Series:
    """Return the standardized spelling of each address with its unit, NaN where there is no address.

    Case, spaces, punctuation and accents do not matter; directions, street suffixes, ordinals and numbered roads take
    their USPS form (Publication 28); any unit designator becomes ``#``; the unit column counts where the address holds
    no unit; a city, state and zip code behind the street are left off (see zip_codes_in).
    "12 N. Main St., Apt 4" and "12 North Main Street" with unit "4" both give ``12 N MAIN ST #4``.
    Both inputs are ``str`` of one index; keys are equal for equal homes but are not meant to be mailed to.
    """
    pairs = pd.MultiIndex.from_arrays([addresses.fillna("").astype("str"), units.fillna("").astype("str")])
    codes, uniques = pd.factorize(pairs)
    keys = np.array([address_key(address, unit) or np.nan for address, unit in uniques], dtype=object)
    if not len(keys):
        return pd.Series(index=addresses.index, dtype="str")
    return pd.Series(keys[codes], index=addresses.index).astype("str")


def zip_codes_in(addresses: pd.Series) -> pd.Series:
    """Return the zip code that ends each address ("12 Main St, Seattle, WA 98103"), NaN where none does."""
    tails = [_zip_tail(address) for address in addresses.fillna("")]
    return pd.Series([tail["zip"] if tail else None for tail in tails], index=addresses.index, dtype="str")


@functools.lru_cache(maxsize=1 << 17)
def address_key(address: str, unit: str = "") -> str:
    """Return the standardized spelling of one address, empty where there is none."""
    if address.strip().casefold() in NULL_WORDS:
        return ""
    text, found = _take_slashed_unit(_plain(_without_city(address)))
    words, designated = _take_unit(_number_words([_without_zeros(word) for word in _roads(text).split()]))
    if not any(character.isalnum() for word in words for character in word):
        return ""
    words = _short_forms(words)
    number = _unit(found) or designated or _unit_value(unit)
    return " ".join([*words, f"#{number}"] if number else words)


def with_unit(address: str, unit: str) -> str:
    """Return an address with its unit, "12 Main St #4"; as it is where it names one, or there is none."""
    number = _UNIT_WORD.sub("", unit.strip())
    return f"{address} #{number}" if address and number and "#" not in address else address


def _without_city(address: str) -> str:
    tail = _zip_tail(address)
    if not tail:
        return address
    city = tail["city"].split()
    # "12 Main St, Apt 4 WA 98103": what follows the comma may be the unit.
    is_unit = city and (city[0].strip(".").upper() in {*DESIGNATORS, *PARTS, "FL", "FLOOR"} or "#" in tail["city"])
    names_city = city and not is_unit and not any(character.isdigit() for character in tail["city"])
    return address[: tail.start() if names_city or not city else tail.end("city")]


def _zip_tail(address: str) -> re.Match[str] | None:
    if "," not in address or not _FIVE_DIGITS.search(address):
        return None
    tail = _ZIP_TAIL.search(address)
    return tail if tail and tail["state"].upper() in STATES else None


def _plain(text: str) -> str:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", _FRACTION.sub(" ", text)).replace("\u2044", "/")
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    text = text.upper().replace("#", " # ").replace("&", " AND ")
    text = _plain_hyphens(text.translate(_SILENT))
    text = _NO_WORD.sub(" ", text).strip()
    return _LETTERED_NUMBER.sub(_joined_letter, _BLOCK.sub("", text))


def _plain_hyphens(text: str) -> str:
    if "-" not in text:
        return text
    text = re.sub(r"(?<=\d)\s+-\s+(?=\d)", "-", text)
    text = re.sub(r"(?<=\d)-(?=\d/\d)", " ", text)
    text = re.sub(r"(?<=\d)-(?=[A-Z]\b)|(?<=\b[A-Z])-(?=\d)", "", text)
    return re.sub(r"(?<!\d)-|-(?!\d)", " ", text)


def _joined_letter(found: re.Match[str]) -> str:
    after = found.string[found.end() + 1 :].split(" ", 1)[0]
    apart = found[2] in SHORT_DIRECTIONS or after in ABBREVIATIONS
    return found[0] if apart else found[1] + found[2]


def _roads(text: str) -> str:
    if not _ROAD_WITH_NUMBER.search(text):
        return text
    for road, name in _NUMBERED_ROADS:
        text = road.sub(name, text)
    return text


def _take_slashed_unit(text: str) -> tuple[str, str]:
    # Australia, New Zealand and Singapore write the unit first: 18/659 Victoria St.
    found = _SLASHED_UNIT.match(text)
    return (text[found.start(2) :], found[1]) if found else (text, "")


# Units


def _take_unit(words: list[str]) -> tuple[list[str], str]:
    words, part = _take_part(words)
    kept: list[str] = []
    unit, at = "", 0
    while at < len(words):
        if words[at] not in DESIGNATORS or (words[at] != "#" and not _opens_unit(words, at)):
            kept.append(words[at])
            at += 1
            continue
        while at < len(words) and words[at] in DESIGNATORS:
            at += 1
        if at < len(words):
            value = _unit(_short(words[at]))
            at += 1
            # "Apt 12 B" at the end is 12B.
            if value.isdigit() and at == len(words) - 1 and len(words[at]) == 1 and words[at].isalpha():
                value += words[at]
                at += 1
            unit += value
    return kept, unit + part


def _take_part(words: list[str]) -> tuple[list[str], str]:
    """Take a storey, a penthouse or a part of the house off the end: "Fl 3", "3rd Floor", "PH 2", "Rear"."""
    if len(words) > 2 and words[-1] in PARTS:
        return _without_designator(words[:-1]), PARTS[words[-1]]
    if len(words) > 3 and words[-1].isdigit() and words[-2] in PARTS:
        return _without_designator(words[:-2]), PARTS[words[-2]] + words[-1]
    if len(words) > 3 and words[-1].isdigit() and words[-2] == "NO":
        return words[:-2], words[-1]
    storey = _STOREY.fullmatch(" ".join(words[-2:]))
    if len(words) > 3 and storey:
        return _without_designator(words[:-2]), f"FL{storey[1] or storey[2]}"
    return words, ""


def _without_designator(words: list[str]) -> list[str]:
    return words[:-1] if words and words[-1] in DESIGNATORS else words


def _opens_unit(words: list[str], at: int) -> bool:
    """Tell a unit designator from a street with that name: a unit has a digit, or is a letter or two at the end.

    A designator with nothing after it names no unit and says nothing.
    """
    after = [word for word in words[at + 1 :] if word not in DESIGNATORS]
    if not after:
        return True
    value = _short(after[0])
    return any(character.isdigit() for character in value) or (len(after) == 1 and len(value) <= 2 and at > 1)


def _short(word: str) -> str:
    return DIRECTIONS.get(word) or ABBREVIATIONS.get(word, word)


def _unit_value(unit: str) -> str:
    if unit.strip().casefold() in NULL_WORDS:
        return ""
    words = [ORDINALS.get(word, word) for word in _plain(unit).split() if word not in DESIGNATORS]
    storey = _STOREY.fullmatch(" ".join(words))
    if storey:
        return f"FL{storey[1] or storey[2]}"
    return "".join(_unit(PARTS.get(word) or _short(word)) for word in words)


def _unit(value: str) -> str:
    # Storey and door stay apart (#12-345 is not #1-2345), while 12-B and 12B are one.
    parts = [_without_zeros(part) for part in value.split("-")]
    return "-".join(parts) if all(part.isdigit() for part in parts) else "".join(parts)


def _without_zeros(word: str) -> str:
    return word.lstrip("0") or "0" if word[:1] == "0" else word


# Streets


def _number_words(words: list[str]) -> list[str]:
    """Write in digits: ordinals (Twenty-First), and cardinals that are a house number or count miles (Eight Mile)."""
    joined: list[str] = []
    for at, word in enumerate(words):
        after = words[at + 1] if at + 1 < len(words) else ""
        if word in UNITS_OF_TENS and joined and joined[-1] in TENS:
            joined[-1] = ordinal(TENS[joined[-1]] + UNITS_OF_TENS[word])
        elif word in CARDINALS and (after == "MILE" or (at == 0 and after)):
            joined.append(CARDINALS[word])
        else:
            joined.append(ORDINALS.get(word, word))
    return joined


def _short_forms(words: list[str]) -> list[str]:
    body = 1 if words and words[0][:1].isdigit() else 0
    words = _spelt_directions(words, body)
    short = [ABBREVIATIONS.get(word, word) for word in words]
    if len(short) > body + 1 and short[-1] == "LA":
        short[-1] = "LN"
    name = _name_of_street(short, body)
    for at in range(body, len(short)):
        if at != name:
            short[at] = DIRECTIONS.get(short[at], short[at])
        elif short[at].isdigit():
            short[at] = ordinal(int(short[at]))
    return _join_directions(short, name)


def _spelt_directions(words: list[str], body: int) -> list[str]:
    spelt = [DIRECTION_VARIANTS.get(word, word) for word in words]
    # New Englanders write No. and So. before the name.
    if len(spelt) > body + 2 and spelt[body] in {"NO", "SO"}:
        spelt[body] = {"NO": "NORTH", "SO": "SOUTH"}[spelt[body]]
    return spelt


def _name_of_street(words: list[str], body: int) -> int:
    """Return the place of the one word that names the street if that word looks like something else, -1 if none does.

    "12 East St" keeps its East, as that is the street's name and E St is another street; so does "450 N East St". In
    "18 Avenue E" the letter is the name, in "641 W 5 St" the number.
    """
    at = body
    if at + 2 == len(words) and _is_type(words[at]) and _is_direction(words[at + 1]):
        return at + 1
    while at + 1 < len(words) and _is_direction(words[at]) and not _is_type(words[at + 1]):
        at += 1
    looks_else = at < len(words) and (_is_direction(words[at]) or (words[at].isdigit() and len(words[at]) <= 3))
    if not looks_else or at + 1 >= len(words) or not _is_type(words[at + 1]):
        return -1
    if not all(_is_direction(word) for word in words[at + 2 :]):
        return -1
    # Only a street in the northeast is called NE.
    return -1 if len(DIRECTIONS.get(words[at], words[at])) == 2 and not words[at].isdigit() else at


def _is_type(word: str) -> bool:
    return word in LONG_FORMS


def _is_direction(word: str) -> bool:
    return word in DIRECTIONS or word in SHORT_DIRECTIONS


def _join_directions(words: list[str], name: int) -> list[str]:
    joined: list[str] = []
    for at, word in enumerate(words):
        if at != name and word in {"E", "W"} and joined and joined[-1] in {"N", "S"}:
            joined[-1] += word
        else:
            joined.append(word)
    return joined
