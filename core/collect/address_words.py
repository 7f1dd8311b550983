"""The words of addresses: spellings of street types, directions, ordinals and units with the short form of each."""

from __future__ import annotations

from typing import Final

# Full and variant spellings by USPS standard abbreviation: Publication 28, appendix C1 (suffixes in common use),
# and the forms of other English-speaking countries that it lacks.
_SPELLINGS: Final = """
ALY ALLEY ALLEE ALLY; ANX ANNEX ANEX; ARC ARCADE; AVE AVENUE AV AVEN AVENU AVN AVNUE; BCH BEACH; BND BEND; BLF
BLUFF; BLVD BOULEVARD BOUL BOULV BVD; BR BRANCH BRNCH; BRG BRIDGE BRDGE; BRK BROOK; BYP BYPASS BYPA; CYN CANYON
CANYN; CPE CAPE; CSWY CAUSEWAY CAUSWA; CTR CENTER CENTRE CENT CNTR; CIR CIRCLE CIRC CRCL; CLF CLIFF; CLB CLUB; CMN
COMMON; COR CORNER; CT COURT CRT; CTS COURTS; CV COVE; CRK CREEK; CRES CRESCENT CRSENT CRSNT CR; CRST CREST; XING
CROSSING CRSSNG; XRD CROSSROAD; CURV CURVE; DL DALE; DM DAM; DV DIVIDE; DR DRIVE DRIV DRV; EST ESTATE; ESTS ESTATES;
EXPY EXPRESSWAY EXPRESS EXPW; EXT EXTENSION EXTN; FLS FALLS; FRY FERRY; FLD FIELD; FLDS FIELDS; FLT FLAT; FRD FORD;
FRST FOREST; FRG FORGE; FRK FORK; FT FORT; FWY FREEWAY FREEWY; GDN GARDEN; GDNS GARDENS; GTWY GATEWAY; GLN GLEN; GRN
GREEN; GRV GROVE GROV GR; HBR HARBOR HARBOUR; HVN HAVEN; HTS HEIGHTS; HWY HIGHWAY HIWAY HIGHWY; HL HILL; HLS HILLS;
HOLW HOLLOW; INLT INLET; IS ISLAND; ISLE ISLES; JCT JUNCTION; KY KEY; KNL KNOLL; KNLS KNOLLS; LK LAKE; LKS LAKES;
LNDG LANDING; LN LANE; LGT LIGHT; LOR LORONG; LDG LODGE; LOOP LOOPS; MALL; MNR MANOR; MDW MEADOW; MDWS MEADOWS; MEWS
MW; ML MILL; MLS MILLS; MSN MISSION; MT MOUNT; MTN MOUNTAIN; NCK NECK; ORCH ORCHARD; OVAL OVL; PARK PRK PK; PKWY
PARKWAY PARKWY PKY; PASS; PATH PATHS; PIKE PIKES; PNE PINE; PNES PINES; PL PLACE PLCE; PLN PLAIN; PLNS PLAINS; PLZ
PLAZA; PT POINT; PRT PORT; PR PRAIRIE; PDE PARADE; RADL RADIAL; RNCH RANCH; RPD RAPID; RST REST; RDG RIDGE; RIV
RIVER; RD ROAD; RDS ROADS; RTE ROUTE RT; ROW; RUN; SHL SHOAL; SHR SHORE; SHRS SHORES; SPG SPRING; SPGS SPRINGS;
SPUR; SQ SQUARE; STA STATION; STRA STRAVENUE; STRM STREAM; ST STREET STRT STR SAINT; SMT SUMMIT; TER TERRACE TERR
TCE; TRCE TRACE; TRAK TRACK; TRL TRAIL; TUNL TUNNEL; TPKE TURNPIKE TRNPK; UN UNION; VLY VALLEY; VIA VIADUCT; VW
VIEW; VLG VILLAGE; VL VILLE; VIS VISTA; WALK WK; WALL; WAY WY; WL WELL; WLS WELLS; QUAY QY; ESP ESPLANADE; CL CLOSE;
TG TANJONG; JLN JALAN; BT BUKIT; CCT CIRCUIT; RISE RI; QUAD QD QUADRANT; PROM PRM PROMENADE; CTRL CENTRAL; KG
KAMPONG; UPP UPPER; CWEALTH COMMONWEALTH; TMN TAMAN; MKT MARKET; STE SAINTE; BLDG BUILDING; RETR RETREAT
"""

_TEN_UNITS: Final = ("FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "SIXTH", "SEVENTH", "EIGHTH", "NINTH")
_TEENS: Final = (
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
)
_TENS_WORDS: Final = ("TWENTY", "THIRTY", "FORTY", "FIFTY", "SIXTY", "SEVENTY", "EIGHTY", "NINETY")


def ordinal(number: int) -> str:
    """Return a number as its ordinal is written: 1ST, 2ND, 11TH."""
    ending = "TH" if number % 100 in (11, 12, 13) else {1: "ST", 2: "ND", 3: "RD"}.get(number % 10, "TH")
    return f"{number}{ending}"


_GROUPS: Final = [group.split() for group in _SPELLINGS.replace("\n", " ").split(";")]

ABBREVIATIONS: Final = {spelling: group[0] for group in _GROUPS for spelling in group}
"""The short form of each spelling of a street type or of a common word of street names."""

LONG_FORMS: Final = {group[0]: max(group, key=len) for group in _GROUPS}
"""The short forms with the longest spelling of each."""

TENS: Final = {word: number for number, word in zip(range(20, 100, 10), _TENS_WORDS, strict=True)}
UNITS_OF_TENS: Final = {word: number for number, word in enumerate(_TEN_UNITS, start=1)}
ORDINALS: Final = {
    **{word: ordinal(number) for number, word in enumerate((*_TEN_UNITS, *_TEENS), start=1)},
    **{word[:-1] + "IETH": ordinal(number) for word, number in TENS.items()},
}
CARDINALS: Final = {
    word: str(number)
    for number, word in enumerate(
        ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN", "ELEVEN", "TWELVE"), start=1
    )
}

DIRECTIONS: Final = {
    "NORTH": "N",
    "SOUTH": "S",
    "EAST": "E",
    "WEST": "W",
    "NORTHEAST": "NE",
    "NORTHWEST": "NW",
    "SOUTHEAST": "SE",
    "SOUTHWEST": "SW",
}
"""Directions written out, with their letters."""

SHORT_DIRECTIONS: Final = frozenset(DIRECTIONS.values())

DIRECTION_VARIANTS: Final = {"NTH": "NORTH", "STH": "SOUTH"}
"""Short forms of more than one letter, which stand for nothing else."""

DESIGNATORS: Final = frozenset(
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
"""Words before the number of a dwelling that say nothing more than ``#``."""

PARTS: Final = {
    "REAR": "REAR",
    "FRONT": "FRNT",
    "FRNT": "FRNT",
    "UPPER": "UPPR",
    "UPPR": "UPPR",
    "LOWER": "LOWR",
    "LOWR": "LOWR",
    "BASEMENT": "BSMT",
    "BSMT": "BSMT",
    "PENTHOUSE": "PH",
    "PH": "PH",
}
"""Parts of a house that are dwellings without a number, where they end an address (Publication 28, appendix C2)."""

_STATES: Final = """
AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI
SC SD TN TX UT VT VA WA WV WI WY PR VI GU AS MP
"""
STATES: Final = frozenset(_STATES.split())
"""States, the federal district and territories of the United States."""
