"""Typography of the seller's report: typeface, colors, styles, and substitutes for letters the typeface lacks."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from xml.sax.saxutils import escape

from anyascii import anyascii
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

from core.installation import ASSETS

REGULAR: Final = "SourceSansPro"
BOLD: Final = "SourceSansPro-Semibold"

INK: Final = HexColor("#1C2B30")
GREY: Final = HexColor("#5F6B70")
FAINT: Final = HexColor("#B4BEC1")
RULE: Final = HexColor("#D3DDDE")
TINT: Final = HexColor("#F1F5F5")
TEAL: Final = HexColor("#0B6670")
# After Okabe and Ito (2008), distinct with any color vision; the orange is darkened to be legible as text.
MORE: Final = HexColor("#0072B2")
LESS: Final = HexColor("#BF4F00")
WHITE: Final = HexColor("#FFFFFF")

_FONTS: Final = ASSETS / "fonts"
_LAST_OF_PLANE_0: Final = 0xFFFF
_NO_BREAK: Final = "\u00a0"
_HOLDING: Final = "\u00a0\u2007\u202f"
# A number stays with its unit.
_BEFORE_UNIT: Final = re.compile(r"(?<=\d) (?=(?:sq[ \u00a0]ft|m²|km|mi|ft|m)(?!\w))")


def _style(name: str, size: float, leading: float, colour: Color = INK, font: str = REGULAR) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=leading, textColor=colour)


BODY: Final = _style("body", 9, 12.5)
SMALL: Final = _style("small", 8, 10.5, GREY)
LABEL: Final = _style("label", 8, 10, GREY)
VALUE: Final = _style("value", 10, 12.5)
CELL: Final = _style("cell", 8.5, 10.5)
NUMBER: Final = ParagraphStyle("number", parent=CELL, alignment=TA_RIGHT)
EYEBROW: Final = _style("eyebrow", 9, 12, TEAL, BOLD)
TITLE: Final = _style("title", 21, 25, INK, BOLD)
HEADING: Final = ParagraphStyle("heading", parent=_style("h", 12.5, 16, INK, BOLD), spaceBefore=11, spaceAfter=3)
LEAD: Final = _style("lead", 11, 15.5)
BULLET: Final = ParagraphStyle("bullet", parent=BODY, leftIndent=9, bulletIndent=0, spaceAfter=2)

# reportlab has one font registry per process; registering at import keeps two threads from registering a font twice.
_FACES: Final = (
    TTFont(REGULAR, str(_FONTS / "SourceSansPro-Regular.ttf")),
    TTFont(BOLD, str(_FONTS / "SourceSansPro-Semibold.ttf")),
)
for _face in _FACES:
    registerFont(_face)
registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
_DRAWABLE: Final = frozenset.intersection(*(frozenset(face.face.charWidths) for face in _FACES))


def plain(text: str, limit: int = 200) -> str:
    """Return text that the typeface can draw, on one line, with at most ``limit`` characters.

    Control and direction characters are removed; letters the typeface lacks become Latin ("中山" is "ZhongShan").
    """
    drawn = "".join(_drawable(letter) for letter in unicodedata.normalize("NFC", text[: 4 * limit]))
    line = _BEFORE_UNIT.sub(_NO_BREAK, re.sub(r"[ \t]+", " ", drawn).strip(" ")).replace("sq ft", f"sq{_NO_BREAK}ft")
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def markup(text: str, limit: int = 200) -> str:
    """Escape text for a Paragraph, so that none of it is read as markup."""
    return escape(plain(text, limit))


def width(text: str, size: float, font: str = REGULAR) -> float:
    """Return the width of a line, in points."""
    return float(stringWidth(text, font, size))


def fitted(text: str, size: float, room: float, font: str = REGULAR) -> str:
    """Return the line, shortened with an ellipsis if it is wider than ``room`` points."""
    if width(text, size, font) <= room:
        return text
    while text and width(f"{text}…", size, font) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def size_for(text: str, largest: float, room: float, font: str = REGULAR) -> float:
    """Return the size, at most ``largest``, at which the line is at most ``room`` points wide."""
    return min(largest, largest * room / max(width(text, largest, font), 1.0))


def _drawable(letter: str) -> str:
    category = unicodedata.category(letter)
    if category.startswith("C"):
        return " " if letter.isspace() else ""
    if letter in _HOLDING:
        # No line breaks within an amount: reportlab breaks lines at all but this one.
        return _NO_BREAK
    if ord(letter) <= _LAST_OF_PLANE_0 and ord(letter) in _DRAWABLE:
        return letter
    if category.startswith("Z"):
        return " "
    latin = "".join(sign for sign in anyascii(letter) if sign.isprintable())
    # Marks and silent letters have no Latin equivalent.
    return latin if latin or category[0] in "LM" else "?"
