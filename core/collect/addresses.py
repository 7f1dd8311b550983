"""Address keys: one spelling for each address, so that records of the same home from different files meet."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

import numpy as np
import pandas as pd

from core.collect.parsers import NULL_WORDS

# Full and variant spellings by USPS standard abbreviation: Publication 28, appendix C1 (suffixes in common use),
# and the forms of other English-speaking countries that it lacks.
_SUFFIXES: Final = """
ALY ALLEY ALLEE ALLY; ANX ANNEX ANEX; ARC ARCADE; AVE AVENUE AV AVEN AVENU AVN AVNUE; BCH BEACH; BND BEND; BLF
BLUFF; BLVD BOULEVARD BOUL BOULV; BR BRANCH BRNCH; BRG BRIDGE BRDGE; BRK BROOK; BYP BYPASS BYPA; CYN CANYON CANYN;
CPE CAPE; CSWY CAUSEWAY CAUSWA; CTR CENTER CENTRE CENT CNTR; CIR CIRCLE CIRC CRCL; CLF CLIFF; CLB CLUB; CMN COMMON;
COR CORNER; CT COURT CRT; CTS COURTS; CV COVE; CRK CREEK; CRES CRESCENT CRSENT CRSNT CR; CRST CREST; XING CROSSING
CRSSNG; XRD CROSSROAD; CURV CURVE; DL DALE; DM DAM; DV DIVIDE; DR DRIVE DRIV DRV; EST ESTATE; ESTS ESTATES; EXPY
EXPRESSWAY EXPRESS EXPW; EXT EXTENSION EXTN; FLS FALLS; FRY FERRY; FLD FIELD; FLDS FIELDS; FLT FLAT; FRD FORD; FRST
FOREST; FRG FORGE; FRK FORK; FT FORT; FWY FREEWAY FREEWY; GDN GARDEN; GDNS GARDENS; GTWY GATEWAY; GLN GLEN; GRN
GREEN; GRV GROVE GROV; HBR HARBOR HARBOUR; HVN HAVEN; HTS HEIGHTS; HWY HIGHWAY HIWAY HIGHWY; HL HILL; HLS HILLS;
HOLW HOLLOW; INLT INLET; IS ISLAND; ISLE ISLES; JCT JUNCTION; KY KEY; KNL KNOLL; KNLS KNOLLS; LK LAKE; LKS LAKES;
LNDG LANDING; LN LANE; LGT LIGHT; LOR LORONG; LDG LODGE; LOOP LOOPS; MALL; MNR MANOR; MDW MEADOW; MDWS MEADOWS;
MEWS; ML MILL; MLS MILLS; MSN MISSION; MT MOUNT; MTN MOUNTAIN; NCK NECK; ORCH ORCHARD; OVAL OVL; PARK PRK; PKWY
PARKWAY PARKWY PKY; PASS; PATH PATHS; PIKE PIKES; PNE PINE; PNES PINES; PL PLACE PLCE; PLN PLAIN; PLNS PLAINS; PLZ
PLAZA; PT POINT; PRT PORT; PR PRAIRIE; PDE PARADE; RADL RADIAL; RNCH RANCH; RPD RAPID; RST REST; RDG RIDGE; RIV
RIVER; RD ROAD; RDS ROADS; RTE ROUTE; ROW; RUN; SHL SHOAL; SHR SHORE; SHRS SHORES; SPG SPRING; SPGS SPRINGS; SPUR;
SQ SQUARE; STA STATION; STRA STRAVENUE; STRM STREAM; ST STREET STRT STR SAINT; SMT SUMMIT; TER TERRACE TERR TCE;
TRCE TRACE; TRAK TRACK; TRL TRAIL; TUNL TUNNEL; TPKE TURNPIKE TRNPK; UN UNION; VLY VALLEY; VIA VIADUCT; VW VIEW; VLG
VILLAGE; VL VILLE; VIS VISTA; WALK; WALL; WAY WY; WL WELL; WLS WELLS; QUAY QY; ESP ESPLANADE; CL CLOSE; GR GROUND;
TG TANJONG; JLN JALAN; BT BUKIT
"""
_DIRECTIONS: Final = {
    "NORTH": "N",
    "SOUTH": "S",
    "EAST": "E",
    "WEST": "W",
    "NORTHEAST": "NE",
    "NORTHWEST": "NW",
    "SOUTHEAST": "SE",
    "SOUTHWEST": "SW",
}
_ORDINALS: Final = [
    "FIRST",
    "SECOND",
    "THIRD",
    "FOURTH",
    "FIFTH",
    "SIXTH",
    "SEVENTH",
    "EIGHTH",
    "NINTH",
    "TENTH",
    "ELEVENTH",
    "TWELFTH",
    "THIRTEENTH",
    "FOURTEENTH",
    "FIFTEENTH",
    "SIXTEENTH",
    "SEVENTEENTH",
    "EIGHTEENTH",
    "NINETEENTH",
    "TWENTIETH",
]
_TENS: Final = dict(
    zip(["TWENTY", "THIRTY", "FORTY", "FIFTY", "SIXTY", "SEVENTY", "EIGHTY", "NINETY"], range(20, 100, 10), strict=True)
)
_DESIGNATORS: Final = frozenset(
    [
        "#",
        "APT",
        "APARTMENT",
        "APMT",
        "UNIT",
        "SUITE",
        "STE",
        "RM",
        "ROOM",
        "SPC",
        "SPACE",
        "TRLR",
        "TRAILER",
        "FLAT",
        "CONDO",
        "TOWNHOUSE",
    ]
)


def _abbreviations() -> dict[str, str]:
    groups = (group.split() for group in _SUFFIXES.replace("\n", " ").split(";"))
    return {spelling: group[0] for group in groups for spelling in group}


def _ordinal(number: int) -> str:
    ending = "TH" if number % 100 in (11, 12, 13) else {1: "ST", 2: "ND", 3: "RD"}.get(number % 10, "TH")
    return f"{number}{ending}"


_ABBREVIATIONS: Final = _abbreviations()
_ORDINAL_WORDS: Final = {word: _ordinal(number) for number, word in enumerate(_ORDINALS, start=1)}
_UNITS_OF_TENS: Final = {word: number for number, word in enumerate(_ORDINALS[:9], start=1)}

_SLASHED_UNIT: Final = re.compile(r"^(?:UNIT |FLAT |APT )?([A-Z]?\d+[A-Z]?)\s*/\s*(\d+[A-Z]?(?:-\d+[A-Z]?)?)(?= [A-Z])")


def address_keys(addresses: pd.Series, units: pd.Series) -> pd.Series:
    """Return the standardised spelling of each address with its unit, NaN where there is no address.

    Case, spaces, punctuation and accents do not matter; directions, street suffixes and ordinals take their USPS short
    form (Publication 28); any unit designator becomes ``#``; the unit column counts where the address holds no unit.
    "12 N. Main St., Apt 4" and "12 North Main Street" with unit "4" both give ``12 N MAIN ST #4``.
    Both inputs are ``str`` of one index; keys are equal for equal homes but are not meant to be mailed to.
    """
    pairs = pd.MultiIndex.from_arrays([addresses.fillna("").astype("str"), units.fillna("").astype("str")])
    codes, uniques = pd.factorize(pairs)
    keys = np.array([address_key(address, unit) or np.nan for address, unit in uniques], dtype=object)
    if not len(keys):
        return pd.Series(index=addresses.index, dtype="str")
    return pd.Series(keys[codes], index=addresses.index).astype("str")


@functools.lru_cache(maxsize=1 << 17)
def address_key(address: str, unit: str = "") -> str:
    """Return the standardised spelling of one address, empty where there is none."""
    if address.strip().casefold() in NULL_WORDS:
        return ""
    text, found = _take_slashed_unit(_plain(address))
    words, designated = _take_unit(_join_ordinals([_without_zeros(word) for word in text.split()]))
    if not any(character.isalnum() for word in words for character in word):
        return ""
    words = _short_forms(words)
    number = _without_zeros(found or designated or _unit_value(unit))
    return " ".join([*words, f"#{number}"] if number else words)


def _plain(text: str) -> str:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    text = text.upper().replace("#", " # ").replace("&", " AND ")
    text = re.sub(r"['’.]", "", text)
    text = re.sub(r"(?<=\d)-(?=[A-Z]\b)|(?<=\b[A-Z])-(?=\d)", "", text)
    text = re.sub(r"(?<!\d)-|-(?!\d)", " ", text)
    return re.sub(r"[^\w#/-]+|_", " ", text).strip()


def _take_slashed_unit(text: str) -> tuple[str, str]:
    # Australia, New Zealand and Singapore write the unit first: 18/659 Victoria St.
    found = _SLASHED_UNIT.match(text)
    if not found:
        return text, ""
    return text[found.start(2) :], _without_zeros(found.group(1))


def _take_unit(words: list[str]) -> tuple[list[str], str]:
    kept: list[str] = []
    unit, at = "", 0
    while at < len(words):
        if words[at] not in _DESIGNATORS or (words[at] != "#" and not _opens_unit(words, at)):
            kept.append(words[at])
            at += 1
            continue
        while at < len(words) and words[at] in _DESIGNATORS:
            at += 1
        if at < len(words):
            unit += _without_zeros(_short(words[at]).replace("-", ""))
            at += 1
    return kept, unit


def _opens_unit(words: list[str], at: int) -> bool:
    """Tell a designator from a street of that name: a unit has a digit, or is a letter or two at the end.

    A designator with nothing after it names no unit and says nothing.
    """
    after = [word for word in words[at + 1 :] if word not in _DESIGNATORS]
    if not after:
        return True
    value = _short(after[0])
    return any(character.isdigit() for character in value) or (len(after) == 1 and len(value) <= 2 and at > 1)


def _short(word: str) -> str:
    return _DIRECTIONS.get(word) or _ABBREVIATIONS.get(word, word)


def _unit_value(unit: str) -> str:
    if unit.strip().casefold() in NULL_WORDS:
        return ""
    words = [word for word in _join_ordinals(_plain(unit).split()) if word not in _DESIGNATORS]
    return "".join(_without_zeros(_short(word).replace("-", "")) for word in words)


def _without_zeros(word: str) -> str:
    return word.lstrip("0") or "0" if word[:1] == "0" else word


def _join_ordinals(words: list[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        if word in _UNITS_OF_TENS and joined and joined[-1] in _TENS:
            joined[-1] = _ordinal(_TENS[joined[-1]] + _UNITS_OF_TENS[word])
        else:
            joined.append(_ORDINAL_WORDS.get(word, word))
    return joined


def _short_forms(words: list[str]) -> list[str]:
    short = [_ABBREVIATIONS.get(word, word) for word in words]
    body = 1 if short and short[0][:1].isdigit() else 0
    for at in range(body, len(short)):
        is_name = at == body and at + 1 < len(short) and short[at + 1] in _ABBREVIATIONS and len(short) == at + 2
        # "12 East St" keeps its East, as that is the street's name and E St is another street.
        if short[at] in _DIRECTIONS and not is_name:
            short[at] = _DIRECTIONS[short[at]]
    return _join_directions(short)


def _join_directions(words: list[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        if word in {"E", "W"} and joined and joined[-1] in {"N", "S"}:
            joined[-1] += word
        else:
            joined.append(word)
    return joined
