"""What free remarks say of a sale. A remark is prose, so only words that cannot be about the home count."""

from __future__ import annotations

import re
from typing import Final

from core.collect.cells.market import ASKED, DOUBTFUL, NON_MARKET, SET_ASIDE, market_verdict, without_denied

# A remark this short is a note on the sale; a longer one describes the home, and "gift" may be a gift shop.
_NOTE_WORDS_MAX: Final = 4
_NOTE_REASONS: Final = frozenset(
    {"foreclosure", "auction", "gift", "quit claim", "mortgage", "part interest", "expropriation"}
    | {"not at a full price", "several parcels", "not at arm's length"}
)
_RELATIVE: Final = (
    r"(?:family(?: member)?s?|relatives?|relations?|sons?|daughters?|brothers?|sisters?|siblings?|mother|father"
    r"|parents?|spouse|husband|wife|ex[- ]?(?:wife|husband|spouse)|heirs?|nephew|niece|cousin|grand\w+)\b"
)
_BETWEEN: Final = r"(?:to|from|between|among|within)(?: (?:an?|the|his|her|their|own|seller'?s?|owner'?s?|two))*"

# In this order: the first that fits decides. Remarks are compared in lower case.
_PATTERNS: Final = tuple(
    (verdict, re.compile(pattern))
    for verdict, pattern in (
        (f"{NON_MARKET}: between relatives",
         r"特殊關係|親友|親族間|関係者間|between (?:family|relatives|related)|related part(?:y|ies)"
         r"|family (?:transfer|sale|deal|transaction|member (?:sale|transfer|purchase))|intra[- ]?family"
         rf"|\b(?:sale|sold|transfer\w*|deed\w*|conveyed|conveyance|transaction) {_BETWEEN} {_RELATIVE}"
         r"|entre (?:proches|parents|parientes|familiares|parenti|parentes)|unter verwandten|tra parenti"
         r"|между родственниками"),
        (f"{NON_MARKET}: not at arm's length",
         r"\bnon[- ]?arm'?s|not (?:an? |at )?arm'?s|court[- ](?:ordered|approved) sale|not (?:a )?valid sale"),
        (f"{NON_MARKET}: not on the open market",
         r"\b(?:not|never|non)[- ](?:\w+ ){0,3}(?:open|free|full)[- ]market|\bnot (?:an? )?market (?:sale|transaction)"
         r"|\b(?:non|not)[- ]market\b|\bnot (?:exposed|offered|put|placed) (?:\w+ ){0,2}market"),
        (f"{NON_MARKET}: gift",
         r"\bgift(?:ed)? (?:deed|of equity|to|from|transfer)\b|\b(?:as|by|is|was|part) an? gift\b"
         r"|贈與|贈与|schenkung|donación|donazione|doação|darowizn|дарение"),
        (f"{NON_MARKET}: foreclosure",
         r"\bforeclos(?:ure|ed)\b(?! law)|\bshort[- ]?sale\b|sheriff'?s?'? (?:sale|deed)|\bdeed in lieu\b|\brepossess"
         r"|\bnotice of default\b|\bbankruptcy\b|\bdistressed? sale\b"),
        (f"{NON_MARKET}: auction",
         r"\b(?:sold|sale|bought|purchased|acquired) (?:\w+ )?(?:at|by|in|via|through) (?:an? |the )?(?:\w+ )?auction"
         r"|\bauction(?:ed| sale| deed)\b|\btax (?:sale|deed)\b|zwangsversteigerung|tvangsauktion|subasta|法拍|競売"
         r"|asta giudiziaria|vente aux enchères|licytacj"),
        (f"{NON_MARKET}: part interest",
         r"\bpart(?:ial)? interest|\bpart share|\bundivided (?:\w+ )?(?:interest|share)|\bfractional interest"
         r"|\b(?:half|third|quarter|[0-9]+/[0-9]+(?:ths?|rds?|nd)?|[0-9.]{1,5} ?%) (?:\w+ )?"
         r"(?:interest|share|ownership)\b"),
        (f"{DOUBTFUL}: quit claim", r"\bquit[- ]?claim"),
        (f"{ASKED}: bank owned",
         r"\b(?:bank|lender|corporate)[- ]owned|\breo\b|\breal estate owned\b|sold by (?:the |a )?bank"),
        (f"{ASKED}: an exchange, a transfer or a sale to the tenant",
         r"\b1031\b|\bsale to (?:the |a )?(?:tenant|neighbou?r|employee)"
         r"|\btransfer (?:in)?to (?:an? |the )?(?:\w+ )?trust|\b(?:to|between) (?:an? )?affiliat"
         r"|\bincludes? personal property|\bcorrection deed|\bestate sale"),
    )
)  # fmt: skip


def remark_verdict(text: str) -> str:
    """Return the verdict of free remarks, "" for nearly all. A verdict never quotes a remark, which may name persons.

    What is denied ("not a short sale") says nothing against a sale.
    """
    folded = without_denied(" ".join(text.casefold().replace("’", "'").split()))
    found = next((verdict for verdict, pattern in _PATTERNS if pattern.search(folded)), "")
    if found or not folded or len(folded.split()) > _NOTE_WORDS_MAX:
        return found
    verdict = market_verdict(folded)
    reason = verdict.partition(": ")[2]
    return verdict if verdict.startswith((*SET_ASIDE, DOUBTFUL)) and reason in _NOTE_REASONS else ""
