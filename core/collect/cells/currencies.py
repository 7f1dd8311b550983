"""Currencies: the codes there are, and which one prices, or single cells of them, are written in by their signs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

_USUAL: Final = ("USD", "AUD", "CAD", "EUR", "GBP", "NZD", "SGD", "CHF", "HKD", "INR", "JPY", "ZAR")
_OTHERS: Final = (
    "AED AFN ALL AMD AOA ARS AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CDF CLP CNY COP CRC CUP"
    " CVE CZK DJF DKK DOP DZD EGP ERN ETB FJD FKP GEL GHS GIP GMD GNF GTQ GYD HNL HTG HUF IDR ILS IQD IRR ISK JMD JOD"
    " KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR"
    " MZN NAD NGN NIO NOK NPR OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SHP SLE SOS SRD"
    " SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZMW"
    " ZWG"
)
CURRENCIES: Final = (*_USUAL, *_OTHERS.split())
"""Codes of ISO 4217 in use, those of large property markets first."""

# Signs that stand for one currency. "$", "kr" and "Rs" alone stand for several; "RM" and "R" are words too.
_SIGNS: Final[Mapping[str, str]] = {
    r"€|\beuros?\b": "EUR",
    r"£": "GBP",
    r"₹": "INR",
    r"₩|원": "KRW",
    r"₽|руб": "RUB",
    r"₺|(?<![^\W\d_])TL(?![^\W_])": "TRY",
    r"₪|ש[\"״]ח": "ILS",
    r"฿|บาท": "THB",
    r"₸|тенге": "KZT",
    r"₾": "GEL",
    r"৳": "BDT",
    r"د\.?\s?إ": "AED",
    r"(?<![^\W_])Rp(?![^\W\d_])": "IDR",
    r"(?<![^\W_])RM\s?(?=[0-9])": "MYR",
    r"(?<![^\W_])KSh": "KES",
    r"(?<![^\W_])lei(?![^\W_])": "RON",
    r"(?<=[0-9])\s?(?:M\s?)?(?-i:Ft)(?![^\W_])|\((?:[ME]\s?)?(?-i:Ft)\)": "HUF",
    r"₫|đồng|(?<![^\W\d_])VNĐ": "VND",
    r"₱": "PHP",
    r"₦": "NGN",
    r"₴|грн": "UAH",
    r"zł|\bzl\b": "PLN",
    r"Kč": "CZK",
    r"円|日元": "JPY",
    # The mainland and Taiwan both write yuan; the characters around it are simplified in the one, not in the other.
    r"人民[币幣]|[价总万亿].*(?<![港日美欧])元": "CNY",
    r"新[臺台][幣币]|[價總萬億].*(?<![港日美歐])元": "TWD",
    r"港元|港幣|港币": "HKD",
    r"\bR\s?\$": "BRL",
    r"\bUS\s?\$": "USD",
    r"\b(?:A|AU)\s?\$": "AUD",
    r"\b(?:C|CA)\s?\$": "CAD",
    r"\bNZ\s?\$": "NZD",
    r"\bHK\s?\$": "HKD",
    r"\bNT\s?\$": "TWD",
    r"\bS\s?\$": "SGD",
    r"\b(?:MX|Mex)\s?\$": "MXN",
    r"\bSFr\b": "CHF",
}
# Codes that are also words of headers and cells ("ALL", "TOP", "CUP") are left out.
_CODES: Final = (
    "USD AUD CAD EUR GBP NZD SGD CHF HKD INR JPY ZAR AED ARS BRL CLP CNY COP CZK DKK EGP HUF IDR ILS"
    " KES KRW MXN MYR NGN NOK PHP PLN QAR RON RUB SAR SEK THB TRY TWD UAH VND"
    " PKR BDT LKR NPR BGN KZT GEL ISK JOD KWD BHD OMR TND DZD GHS UGX TZS UYU RSD"
)
# Words for large numbers that mostly one country's prices have; a currency that the header names goes before them.
_HINTS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(words, re.IGNORECASE), code)
    for words, code in (
        (r"\b(?:cr|crores?|lac|lacs|lakhs?)\b\.?", "INR"),
        (r"[억만]", "KRW"),
        (r"(?<![^\W\d_])(?:juta|miliar|milyar)(?![^\W_])", "IDR"),
    )
)
# Signs of several countries: the words of headers that point to one of them, and the largest where none does.
_SHARED: Final[tuple[tuple[re.Pattern[str], Mapping[str, str], str], ...]] = (
    (
        re.compile(r"(?<![^\W\d_])kr(?![^\W_])|(?<![^\W\d_])kron(?:er|or)(?![^\W_])", re.IGNORECASE),
        {
            "NOK": r"soverom|byggeår|fellesgjeld|boligtype|bruksareal|prisantydning|postnr|p-rom|kommune|eieform",
            "DKK": r"værelse|boligareal|opført|købesum|handelsdato|ejendom|kontantpris|grundareal|vej",
            "SEK": r"slutpris|boarea|byggår|köpesumma|utgångspris|antal rum|tomtarea|månadsavgift|gata",
        },
        "SEK",
    ),
    (
        re.compile(r"(?<![^\W\d_])Rs(?![^\W_])", re.IGNORECASE),
        {"PKR": r"marla|kanal", "LKR": r"perch", "NPR": r"ropani|aana", "INR": r"bhk|carpet|pin ?code|stamp"},
        "INR",
    ),
    (re.compile(r"^\s*R\s?(?=[0-9])"), {}, "ZAR"),
)
_WRITTEN: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    *((re.compile(sign, re.IGNORECASE), code) for sign, code in _SIGNS.items()),
    *((re.compile(rf"(?<![^\W_]){code}(?![^\W\d_])", re.IGNORECASE), code) for code in _CODES.split()),
)
# What a sign may stand for beside its usual currency, or where it has no usual one.
_POUNDS: Final = frozenset({"GBP", "EGP", "FKP", "GIP", "LBP", "SDG", "SHP", "SSP", "SYP"})
_DOLLARS: Final = (
    "USD AUD CAD NZD HKD TWD SGD MXN ARS CLP COP UYU BRL BBD BMD BND BSD BZD CUP DOP FJD GYD JMD KYD LRD NAD NIO SBD"
    " SRD TTD XCD CVE MOP TOP WST"
)
_CROWNS: Final = frozenset({"SEK", "NOK", "DKK", "ISK"})
_RUPEES: Final = frozenset({"INR", "PKR", "LKR", "NPR", "MUR", "SCR"})
_MEANINGS: Final[tuple[tuple[re.Pattern[str], str, frozenset[str]], ...]] = (
    (re.compile("£"), "GBP", _POUNDS),
    (re.compile(r"\$"), "$", frozenset(_DOLLARS.split())),
    (re.compile("[¥￥]"), "¥", frozenset({"JPY", "CNY"})),
    (re.compile(r"(?<![^\W\d_])kr(?![^\W_])", re.IGNORECASE), "kr", _CROWNS),
    (re.compile(r"(?<![^\W\d_])Rs(?![^\W_])", re.IGNORECASE), "Rs", _RUPEES),
    (re.compile(r"^\s*R\s?(?=[0-9])"), "R", frozenset({"ZAR"})),
)
_OWN_COLUMN: Final = re.compile(
    r"currenc|^\W*(?:ccy|curr?|cur\.?\s?code)\W*$|w(?:ä|ae)hrung|devise|moneda|moeda|valuta|waluta|валюта|币种|幣別|通貨",
    re.IGNORECASE,
)
_PLAIN: Final = r"\s*[-+]?[0-9][0-9.,\s]*"
_SHARE: Final = 0.9
_SAMPLE: Final = 200


@dataclass(frozen=True)
class WrittenCurrency:
    """The currency that prices are written in: its code, the evidence in words, and on how many cells it was seen."""

    code: str
    evidence: str
    n: int


def written_currency(cells: pd.Series, header: str) -> WrittenCurrency | None:
    """Return the currency that a column of prices states, by the signs in its cells or its header; None if neither.

    Signs of several countries, such as "$" and "kr", state none.
    """
    sample = _sample(cells)
    if stated := _in_most(sample, _WRITTEN):
        return stated
    for patterns in (_WRITTEN, _HINTS):
        named = {code for pattern, code in patterns if pattern.search(header)}
        if len(named) == 1:
            [code] = named
            return WrittenCurrency(code, f"its header {header!r} says {code}", len(cells))
        if patterns is _WRITTEN and (hinted := _in_most(sample, _HINTS)):
            return hinted
    return None


def likely_currency(cells: pd.Series, header: str, headers: Iterable[str]) -> WrittenCurrency | None:
    """Return the likeliest currency of a sign that several countries share ("kr", "Rs", "R"), None without one.

    The file's ``headers`` tell the language; where they do not, it is that of the largest country. A person should
    confirm it.
    """
    sample = _sample(cells)
    text = " ".join(headers).casefold()
    for sign, words, usual in _SHARED:
        seen = _in_most(sample, ((sign, usual),))
        if seen is None and not sign.search(header):
            continue
        code = max(words, key=lambda one: len(re.findall(words[one], text)), default=usual)
        code = code if code in words and re.search(words[code], text) else usual
        others = " or ".join(one for one in words if one != code)
        evidence = seen.evidence if seen else f"its header is {header!r}"
        return WrittenCurrency(code, evidence + (f", which could also be {others}" if others else ""), len(sample))
    return None


@dataclass(frozen=True)
class Money:
    """What a cell is written in: ``name`` as people read it ("GBP", "$"), and the currencies it may stand for."""

    name: str
    codes: Collection[str]


def currency_column(frame: pd.DataFrame, but: Collection[str] = ()) -> str:
    """Return the column of a file that states the currency of each row, by its header and cells; "" without one."""
    for column in frame.columns:
        if column in but or not _OWN_COLUMN.search(str(column)):
            continue
        cells = _sample(frame[column]).str.strip()
        if len(cells) and cells.map(lambda cell: _money(cell) is not None).mean() >= _SHARE:
            return str(column)
    return ""


def money_of_rows(prices: pd.Series, stated: pd.Series | None = None) -> list[Money | None]:
    """Return what each price is written in, by its sign, else by the cell beside it in ``stated``; None if neither."""
    own = _money_of_cells(prices)
    if stated is None:
        return own
    return [one or other for one, other in zip(own, _money_of_cells(stated), strict=True)]


def _money_of_cells(cells: pd.Series) -> list[Money | None]:
    found: list[Money | None] = [None] * len(cells)
    written = cells.notna() & ~cells.str.fullmatch(_PLAIN, na=False)
    # Prices differ in their figures and hardly in anything else: a million of them have a few signs.
    signs, texts = pd.factorize(cells[written].str.replace(r"[0-9][0-9.,]*", "1", regex=True))
    kinds = [_money(text) for text in texts]
    for place, sign in zip(written.to_numpy().nonzero()[0], signs, strict=True):
        found[place] = kinds[sign]
    return found


def _money(text: str) -> Money | None:
    """Return what a text is written in; of one with several signs, any may be meant."""
    if text.strip().upper() in CURRENCIES:
        return Money(text.strip().upper(), {text.strip().upper()})
    codes = {code for pattern, code in _WRITTEN if pattern.search(text)}
    meanings = [one for one in _MEANINGS if one[0].search(text)]
    if codes:
        wider = [more for _, usual, more in meanings if usual in codes]
        return Money(" or ".join(sorted(codes)), codes.union(*wider))
    return Money(meanings[0][1], meanings[0][2]) if meanings else None


def _sample(cells: pd.Series) -> pd.Series:
    sample = cells.dropna().astype(str)
    return sample[sample.str.strip() != ""].head(_SAMPLE)


def _in_most(sample: pd.Series, patterns: Iterable[tuple[re.Pattern[str], str]]) -> WrittenCurrency | None:
    """Return the first currency whose sign nearly all cells have."""
    for pattern, code in patterns:
        signs = sample.map(pattern.search).dropna() if len(sample) else sample
        if len(sample) and len(signs) >= _SHARE * len(sample):
            seen = f"{signs.iloc[0].group()!r} in {len(signs):,} of {len(sample):,} cells"
            return WrittenCurrency(code, seen, len(sample))
    return None
