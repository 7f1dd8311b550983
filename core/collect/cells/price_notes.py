"""Words behind an amount: who pays what, that it is an asking price, or that it is a rent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pandas as pd

ASKING: Final = "asking prices"
RENT: Final = "rents"
_TERMS: Final = "terms"

_WORDS: Final[Mapping[str, str]] = {
    RENT: r"(?:/|per|a|p\.?|pro|al|par|por|na)\s*(?:months?|mo|mth|m|monat|mese|mois|mes|m[eê]s|maand|m[åa]nad"
    r"|miesi[aą]c|week|wk|w)|pcm|p\.\s?[cm]\.\s?m?\.?|monthly|weekly|mtl|mensuel(?:le)?|mensual|mensili|kalt|warm|kaltmiete"
    r"|warmmiete|rent|/\s*(?:мес|月)|в\s+месяц",
    ASKING: r"vb|vhb|vhs|fp|festpreis|verhandlungsbasis|verhandelbar|firm|obo|o\.?n\.?o|o\.?i\.?r\.?o|neg|negotiable"
    r"|asking(?:\s+price)?|utg[åa]ngspris|prisantydning|vraagprijs|negociable|n[ée]gociable|trattabil[ei]|negoci[áa]vel"
    r"|do\s+negocjacji|торг|guide(?:\s+price)?|list(?:ed)?|start(?:ing)?\s+price|onwards|offers(?:\s+(?:over|above))?",
    _TERMS: r"k\.?\s?k|v\.?\s?o\.?\s?n|brutto|netto|gross|nett?|ttc|ht|hors\s+taxes|fai|hai|(?:incl?|excl?|plus)\.?"
    r"\s*(?:vat|gst|mwst|btw|iva|tva|moms)|\+\s*(?:vat|gst|iva)|cash|approx|ca|circa|total|all\s*in|slutpris|sold",
}
_BEHIND: Final = {
    kind: re.compile(rf"(?<=[\d\s\-–).,€$£¥₹])\s*\(?(?:{words})\.?\)?\s*$", re.IGNORECASE)
    for kind, words in _WORDS.items()
}
# Marks of footnotes, and words in brackets behind the figure: "412,500*", "$412,500 (cash)".
_FOOTNOTE: Final = re.compile(r"(?<=[^\s(])\s*(?:[*†‡§]+|\([^\W\d_][^()0-9]*\))\s*$|(?<=\d)\s*\([^()0-9]+\)\s*$")
_SAMPLE: Final = 500


def without_note(text: str) -> str:
    """Return an amount without the words, footnote marks or bracketed remark behind it."""
    if text[-1:].isdigit():
        return text
    text = _FOOTNOTE.sub("", text)
    for pattern in _BEHIND.values():
        text = pattern.sub("", text) if re.search(r"\d", pattern.sub("", text)) else text
    return _FOOTNOTE.sub("", text).strip()


def notes_against_sales(cells: pd.Series) -> Mapping[str, tuple[str, int, int]]:
    """Return which kinds of amounts that no sale brought the words behind them tell of, in a sample of cells.

    For each of ASKING and RENT that is found: a cell, the number of such cells, and of cells looked at.
    """
    sample = cells.dropna().astype(str).head(_SAMPLE)
    found = {kind: sample[sample.str.strip().str.contains(_BEHIND[kind], na=False)] for kind in (RENT, ASKING)}
    return {kind: (str(some.iloc[0]), len(some), len(sample)) for kind, some in found.items() if len(some)}
