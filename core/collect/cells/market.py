"""What a deed's words say of its sale: a market sale, or not one and why."""

from __future__ import annotations

import re
from typing import Final

MARKET: Final = "market"
NON_MARKET: Final = "non-market"
NOT_SOLD: Final = "not sold"
NOT_A_HOME: Final = "not a home"
PACKAGE: Final = "package"

ASKED: Final = "asked"
"""The prefix of the label for a sale that is kept but needs review: some such sales are market sales."""

DOUBTFUL: Final = "doubtful"
"""The prefix of the label for a sale that waits until a person decides: few such sales are market sales."""

SET_ASIDE: Final = (NON_MARKET, NOT_SOLD, NOT_A_HOME, PACKAGE)
"""The prefixes of the labels that keep a row out of the sales a model learns from."""

_VERDICTS: Final = (*(f"{start}: " for start in SET_ASIDE), f"{DOUBTFUL}: ", f"{ASKED}: ")
# In this order: the first that fits decides. Words are compared in lower case, marks and underscores as spaces.
_REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("foreclosure", r"forec(?!ast)|\bforcl|shorts?t? ?sale|\bshrt ?sa?le?\b|\bssale\b|sheriff|in lieu"
                    r"|\bhud ?own|^hud(?: home)?$|notice ?of ?def|^nod$|repossess|ba?nkr?u?pt|distress"),
    ("auction", r"auction|adjudication|tax sale|tax deed|zwangsversteigerung|tvangsauktion|subasta|法拍|競売"),
    ("family", r"(?<!single[ -])(?<!multi[ -])(?<!one[ -])(?<!two[ -])family"
               r"|relative|related part|spouse|divorce|特殊關係|親友|親族"
               r"|verwandt|familie|famille|parentela|parentesco|entre parents|rodzin|родств"),
    ("gift", r"\bgift(?!s? (?:shop|card|store|wrap))|donation|love and affection|贈與|schenkung"),
    ("quit claim", r"quit ?claim|^qcd?$|^qd$"),
    ("mortgage", r"^(?:delayed )?mortgage"),
    ("part interest", r"part(?:ial)? interest|part share|undivided|fractional"),
    ("exchange", r"\bechange\b|\béchange\b|exchange|\bswap\b"),
    ("expropriation", r"expropriation|eminent domain|condemnation"),
    ("not at a full price", r"not full market|nominal|no consideration|love &"),
    ("several parcels", r"multi(?:ple)?[ -]?(?:parcel|sale|propert)|portfolio"),
    ("abnormal", r"abnorm|adj ?land|alloca|allocation"),
    ("not at arm's length", r"^(?:non|not|un|dis|in)[ -]?(?:market|arm|qualif|valid|usable)"
                            r"|corporate affiliat|court ?(?:order|app|conf)|correction deed"
                            r"|(?:third|3rd) ?p(?:ar)?ty ?app|conservator"),
)  # fmt: skip
_MARKET: Final = re.compile(
    r"^(?:(?:ordinary |regular |normal |standard |open )?(?:market )?(?:sales?|standard|normal|regular|market|vente)"
    r"|(?:special |general |limited |statutory |stat )?warranty(?: deeds?)?|wd|cwd|vwd|new|q|u?qualified|valid"
    r"|trustee(?:s| s)?|trust|std"
    r"|arm ?s ?length(?: sale| transaction)?|past sale|sell|cash sale"
    r"|land and buildings?|building|residence|dwelling|房地.*|建物"
    r"|vente en l ?état futur d ?achèvement)(?: deed)?$"
)
# A bank sells what it took in the open market, at a lower price as a rule.
_BANK_OWNED: Final = re.compile(r"\breo(?!p)|real ?estate ?owned|(?:bank|lender|corporate) ?owned|sellers? ?reo")
# An estate sells in the open market as a rule, often in a hurry.
_PROBATE: Final = re.compile(r"^(?:probate|estate)(?: ?(?:listing|sale|approval required))?$")
_ASKED: Final = (("bank owned", _BANK_OWNED), ("probate", _PROBATE))
# "Not REO, not a short sale": what is denied says nothing against the sale.
_DENIED: Final = re.compile(
    r"\b(?:not|no|non|never)\b[ -]*(?:in |an? )?(?:pre ?-?)?"
    r"(?:short ?sale|foreclos\w*|reo|distress\w*|bank[ -]?owned|auction)\b(?: (?:or|nor) (?:an? )?"
    r"(?:short ?sale|foreclos\w*|reo|distress\w*|bank[ -]?owned|auction)\b)*"
)
# Values of columns that say what was sold, in lower case: land or a parking space alone is no home.
_NO_HOME: Final = re.compile(
    r"^(?:(?:vacant|unimproved|bare|raw) )?(?:land|lot|plot)s?(?: only)?$|^(?:土地|車位|车位|地块)$"
    r"|^(?:garage|parking|parking space|car park|car space)s?(?: only)?$"
)
_WAITS: Final = frozenset({"quit claim"})
_UNSURE: Final = frozenset({"quit claim", "not at arm's length", "abnormal", "several parcels", "part interest"})


def market_verdict(text: str) -> str:
    """Return MARKET, "non-market: reason", or "" where the words do not say.

    A text that is a verdict already is returned as it is.
    """
    if text.startswith(_VERDICTS):
        return text
    folded = _folded(text)
    if _DENIED.search(folded):
        folded = without_denied(folded)
        if not folded:
            return MARKET
    for reason, pattern in _REASONS:
        if re.search(pattern, folded):
            return f"{DOUBTFUL if reason in _WAITS else NON_MARKET}: {reason}"
    if _NO_HOME.match(folded):
        return f"{NOT_A_HOME}: {text.strip()}"
    asked = next((reason for reason, pattern in _ASKED if pattern.search(folded)), "")
    if asked:
        return f"{ASKED}: {asked}"
    # A cell may list several conditions: "Standard, Trust".
    parts = [_folded(part) for part in re.split(r"[,;|]", text)]
    return MARKET if _MARKET.match(folded) or all(map(_MARKET.match, parts)) else ""


def _folded(text: str) -> str:
    """Return words in lower case, "ShortSale" as two, without marks and the number of a code."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).casefold()
    return re.sub(r"[\s_/,;|.'’()]+", " ", re.sub(r"^[0-9]+\s*-\s*", "", apart)).strip()


def without_denied(text: str) -> str:
    """Return lower-case words without those that deny something of the sale, such as "not a short sale"."""
    return _DENIED.sub(" ", text).strip(" -")


def gravity(verdict: str) -> int:
    """Return how much a verdict says against a sale: of several columns the gravest decides."""
    grave = (SET_ASIDE, (DOUBTFUL,), (ASKED,))
    rank = next((place for place, starts in enumerate(grave) if verdict.startswith(starts)), len(grave))
    return len(grave) - rank


def is_unsure(verdict: str) -> bool:
    """Tell whether a verdict is one that a person should look at: such deeds are market sales now and then."""
    return verdict.partition(": ")[2] in _UNSURE
