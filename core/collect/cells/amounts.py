"""Amounts as people write them: currencies, thousands marks, lakh and crore, 万 and 억, and units behind the figure."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Final

from core.collect.cells.price_notes import without_note

_CURRENCY: Final = re.compile(
    r"[$€£¥₹₩₽₺₪฿₴₫₱₦]|(?:R|US|A|S|C|NZ|HK|NT|N|Mex|MX)\s*\$"
    r"|\b(?:USD|AUD|SGD|CAD|NZD|GBP|EUR|HKD|CHF|SEK|DKK|NOK|PLN|CZK|HUF|RON|INR|AED|SAR|QAR|THB|MYR|IDR|PHP|BRL|MXN|ARS"
    r"|CLP|COP|ZAR|KES|NGN|TRY|RUB|UAH|JPY|KRW|CNY|RMB|TWD|NTD|ILS|VND|Rs|Rp|RM|Fr|kr|zł|zl|Kč|lei|руб|TL|SFr|Euro|euros?|dollars?)"
    r"(?![^\W\d_])\.?|(?:元|円|圓|圆|원)",
    re.IGNORECASE,
)
_UNIT_AFTER: Final = re.compile(
    r"(?<=[0-9\s])(?:sq\.?\s*(?:ft|feet|m|metres?|meters?|yds?|yards?)\.?|sqft|sqm|sf|ft2|ft²|m2|m²|м2|м²|qm|mq|kvm|坪|평"
    r"|平方米|平方公尺|平米|acres?|ac|ha|hectares?|га|公顷|公頃|ares?|ar|сот(?:ка|ки|ок)?|dunams?|dunums?|dönüm|דונם|دونم"
    r"|rai|ไร่|(?:sq\.?\s*)?wah|ตร\.?\s?ว\.?|ตารางวา|marlas?|kanals?|gunt(?:ha|a)s?|亩|畝|%)\s*$",
    re.IGNORECASE,
)
_SCALES: Final = {
    **dict.fromkeys(("k", "thousand", "tsd", "tys", "тыс"), 1e3),
    **dict.fromkeys(("万", "萬", "만"), 1e4),
    **dict.fromkeys(("lac", "lacs", "lakh", "lakhs"), 1e5),
    **dict.fromkeys(("m", "mn", "mm", "mio", "mln", "mil", "million", "millions", "млн", "juta", "jt"), 1e6),
    **dict.fromkeys(("cr", "crore", "crores"), 1e7),
    **dict.fromkeys(("億", "亿", "억"), 1e8),
    **dict.fromkeys(("bn", "billion", "miliar", "milyar"), 1e9),
}
_WORDS: Final = "|".join(sorted(map(re.escape, _SCALES), key=len, reverse=True))
_SCALED: Final = re.compile(rf"^(.*[0-9])\s*({_WORDS})\.?$", re.IGNORECASE)
_PART: Final = re.compile(r"\s*([0-9][0-9.,]*)\s*(億|亿|억|万|萬|만|crores?|cr|lakhs?|lacs?)\.?", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
# A mark that stands before two groups of three digits, or more, can be no decimal mark.
_GROUPED: Final = re.compile(r"[-+]?[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})+(?:[.,][0-9]{1,2})?")
_CENTS_LEFT_OUT: Final = re.compile(r"(?<=[0-9])[.,]\s*(?:-{1,2}|–|—)\s*$")


def read_amount(text: str, decimal: str, thousands: str) -> float:
    """Read one amount, ``decimal`` and ``thousands`` being the marks the file uses; NaN where it is none.

    "₹ 2.05 Cr" is 20,500,000, "3억 5,000" is 350,000,000 (ten thousands go without saying after 억), "1.250.000,-" is
    1,250,000, "(1,200)" is -1,200, "85%" is 85 and "€ 425.000 k.k." is 425,000.
    """
    body = without_currency(without_note(usual_signs(text)))
    negative = body.startswith("(") and body.endswith(")")
    body = _CENTS_LEFT_OUT.sub("", body.strip("()") if negative else body)
    body = _UNIT_AFTER.sub("", body).strip()
    value = _in_parts(body, decimal, thousands)
    if math.isnan(value):
        scaled = _SCALED.match(body)
        scale = _SCALES[scaled.group(2).casefold()] if scaled else 1.0
        value = _plain_value(scaled.group(1).strip() if scaled else body, decimal, thousands) * scale
    if not math.isfinite(value):
        return math.nan
    return -value if negative else value


def without_currency(text: str) -> str:
    """Return a text without signs and codes of currencies."""
    return _CURRENCY.sub("", text).strip()


def usual_signs(text: str) -> str:
    """Return a text with digits and signs of any script (full-width, Arabic) in their usual form."""
    if text.isascii():
        return text.strip()
    usual = "".join(
        str(unicodedata.decimal(letter)) if unicodedata.decimal(letter, None) is not None else letter
        for letter in unicodedata.normalize("NFKC", text)
    )
    return usual.translate(_SIGNS).strip()


_SIGNS: Final = str.maketrans({"٫": ".", "٬": ",", "−": "-", "，": ",", "．": ".", "\u00a0": " ", "\u202f": " "})


def _in_parts(body: str, decimal: str, thousands: str) -> float:
    """Read an amount in parts, each with its scale: "1億2,000万", "3억 5,000", "2 Cr 5 Lac"; NaN where it is none."""
    total, at, last = 0.0, 0, math.inf
    while found := _PART.match(body, at):
        scale = _SCALES[found.group(2).casefold()]
        value = _plain_value(found.group(1), decimal, thousands)
        if scale >= last or math.isnan(value):
            return math.nan
        total, at, last = total + value * scale, found.end(), scale
    rest = body[at:].strip()
    if not at or not rest:
        return total if at else math.nan
    left = _plain_value(rest, decimal, thousands)
    # After 억 and 億 a bare figure counts ten thousands, unless it is too large for that.
    return total + (left * 1e4 if last == _SCALES["億"] and left < 1e4 else left)


def _plain_value(body: str, decimal: str, thousands: str) -> float:
    if grouped := _GROUPED.fullmatch(body):
        thousands = grouped.group(1)
        decimal = "." if thousands == "," else ","
    plain = _plain(body, decimal, thousands)
    return float(plain) if _PLAIN.fullmatch(plain) else math.nan


def _plain(body: str, decimal: str, thousands: str) -> str:
    """Return the digits with a point as the decimal mark and no thousands marks; unchanged if malformed."""
    body = re.sub(r"(?<=[0-9])[\s'’](?=[0-9]{3}(?:[^0-9]|$))", "", re.sub(r"^([-+])\s+", r"\1", body))
    whole, mark, fraction = body.partition(decimal)
    if thousands and thousands in whole:
        # Groups of two before the last three are Indian lakhs and crores.
        mark_again = re.escape(thousands)
        if not re.fullmatch(rf"[-+]?[0-9]{{1,3}}(?:{mark_again}[0-9]{{2,3}})*{mark_again}[0-9]{{3}}", whole):
            return "malformed"
        whole = whole.replace(thousands, "")
    if decimal != "." and "." in whole + fraction:
        return "malformed"
    return whole + ("." if mark else "") + fraction
