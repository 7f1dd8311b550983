"""The encoding of a text file is found from its bytes, and text spoiled by a wrong one is refused."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import numpy as np
from charset_normalizer import from_bytes

from core.collect.reading.table import ReadingNote
from core.errors import FileUnreadable

SAVE_AS_CSV: Final = "Open it in the program that made it, save it as CSV (UTF-8), and upload that file."
SAMPLE_CHARS: Final = 262_144

ENCODINGS: Final = (
    "utf-8", "cp1252", "cp932", "euc_jp", "cp949", "gb18030", "big5", "cp1251", "koi8_r", "cp1253", "cp1250", "cp1254",
    "cp1255", "cp1256", "cp874", "utf-16", "latin-1",
)  # fmt: skip
"""Encodings offered to the analyst, the most usual first."""

# Asked about only where most letters of the words with foreign letters are foreign: alone the package takes three
# Western files in a hundred wrongly.
_BEYOND_WESTERN: Final = (
    "cp932", "euc_jp", "cp949", "gb18030", "big5", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874",
)  # fmt: skip
_FOREIGN_SHARE: Final = 0.45
# The letters beyond English of each language: what is Czech in one encoding is no language in another.
_ALPHABETS: Final = {
    "cp1252": (
        "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúüïç", "áâãàçéêíóôõú", "àèéìíòóùú", "åäöé", "æøåéäö", "éëïöüáèê",
        "àçèéíïòóúü", "áéíóúýþæöð", "äõöüšž",
    ),
    "cp1250": (
        "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž",
    ),
    "cp1254": ("çğıöşüiâîû",),
}  # fmt: skip
_WESTERN: Final = frozenset("".join(_ALPHABETS["cp1252"]))
_HEBREW_LEAST: Final = 60
_SPOKEN_SHARE: Final = 0.8
_SAMPLE_BYTES: Final = 100_000
# The Hungarian ő and ű are the õ and û of Western Europe: one in "ões" is Portuguese, one beside "utca" Hungarian.
_LONG_VOWEL: Final = re.compile(rb"[\xf5\xd5](?![eE])|[\xfb\xdb]")
_HUNGARIAN: Final = re.compile(rb"(?i)\b(?:utca|krt|korut|kerulet|budapest|megye)\b|gy|sz|zs|cs|ny")
_OTHERS: Final = re.compile(
    rb"(?i)\b(?:rue|avenue|place|rua|avenida|maantee|mnt|tn|tee|linn|vald)\b|a[ao]|e[eu]|ii|o[ou]|uu|lh|nh|th|ch"
)
_FEW_LETTERS: Final = 2
_FOREIGN_WORD: Final = re.compile(rb"[A-Za-z\x80-\xff]{3,}")
_ZLOTY: Final = re.compile(rb"[0-9] ?z\xb3(?![A-Za-z])")
# Signs of UTF-8 read as Western and saved once more: "CafÃ©", "donâ€™t".
_MOJIBAKE: Final = re.compile(r"Ã[\x80-\xbfŠ-Ÿ€-™]|Â[\xa0-\xbf]|â€[\x80-\xbf™œ“”˜]|\ufffd")
_MOJIBAKE_LEAST: Final = 3
_MOJIBAKE_SHARE: Final = 0.3
_CLOSE: Final = 0.05
_KNOWN_LETTERS: Final = 0.8
# Where two encodings of one script give texts that hardly differ in oddity, the better one may be chance.
_ODDITY: Final = 0.02
_SPEAKS: Final = 0.1
_SINGLE_BYTE: Final = frozenset({"cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874"})
# Longest first: the mark of UTF-16 is the beginning of the mark of UTF-32.
_BYTE_ORDER_MARKS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def decode(data: bytes, shown: str, encoding: str = "", usual: str = "") -> tuple[str, str]:
    """Return bytes as text, and their encoding, found from the bytes unless given.

    ``usual`` is tried where the bytes prove no encoding, that is where no byte order mark and no UTF-8 beyond ASCII
    tells. Raises FileUnreadable for what is no text, does not fit the encoding, or was spoiled before.
    """
    text, found = (_decode_as(data, encoding, shown), encoding) if encoding else _detect(data, shown, usual)
    at = text.find("\x00")
    if at >= 0:
        raise FileUnreadable(f"{shown} is not a text file: it has a NUL byte at position {at}. {SAVE_AS_CSV}")
    _refuse_control_characters(text, shown)
    _refuse_mojibake(text, shown, found)
    return text, found


def doubt_of_encoding(data: bytes, encoding: str) -> ReadingNote | None:
    """Return the doubt that a code page found from the bytes is another one; None where all likely ones read the same.

    UTF-8 and UTF-16 prove themselves, and the encodings of East Asia by their pairs of bytes.
    """
    foreign = _foreign_lines(data)
    letters = _foreign_letters(foreign)
    if not letters:
        return None
    other = ""
    if encoding in _ALPHABETS or encoding == "latin-1":
        other = _close_latin(letters, "cp1252" if encoding == "latin-1" else encoding)
    elif encoding in _SINGLE_BYTE:
        other = _close_foreign(foreign, encoding)
    if not other:
        return None
    words = re.findall(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*", foreign.decode(encoding, "replace"))
    shown = max(words[:200], key=len, default="")
    claim = (
        f"read as {encoding}, a guess that may be wrong: if its words look odd, choose another encoding (--encoding, "
        "or under Encoding on the page)"
    )
    evidence = f"a word reads {shown!r}" + (
        "" if other == encoding else f", in {other} {_as_in(shown, encoding, other)!r}"
    )
    return ReadingNote("encoding", claim, evidence, sure=False)


def _as_in(word: str, encoding: str, other: str) -> str:
    return word.encode(encoding, "replace").decode(other, "replace")


def _close_latin(letters: bytes, encoding: str) -> str:
    """Return an encoding that fits the letters about as well and reads them otherwise; ``encoding`` if it fits badly.

    Only letters that both read differently count: the others say nothing.
    """
    for other in _ALPHABETS:
        apart = bytes(one for one in letters if _differs(one, encoding, other))
        if apart and _spoken_share(apart, other) >= _spoken_share(apart, encoding) - _CLOSE:
            return other
    return encoding if _spoken_share(letters, encoding) < _KNOWN_LETTERS else ""


def _differs(byte: int, one: str, other: str) -> bool:
    letter = bytes([byte])
    return letter.decode(one, "replace") != letter.decode(other, "replace")


def _close_foreign(foreign: bytes, encoding: str) -> str:
    """Return another code page in which the text is hardly odder and about as much of a language.

    It is ``encoding`` itself where the text is of no language in it either, and "" where there is none.
    """
    if encoding == "cp1255" and _is_hebrew(_foreign_letters(foreign)):
        return ""
    found = {one.encoding: one for one in from_bytes(foreign, cp_isolation=sorted(_SINGLE_BYTE))}
    ours = found.pop(encoding, None)
    if ours is None or ours.coherence < _SPEAKS:
        return encoding
    for name, one in found.items():
        if one.chaos <= ours.chaos + _ODDITY and one.coherence >= ours.coherence - _SPEAKS and str(one) != str(ours):
            return name
    return ""


def is_text_encoding(name: str) -> bool:
    """Tell whether a name is that of an encoding of text."""
    try:
        b"text".decode(name)
    except LookupError:
        return False
    except ValueError:  # known, but these bytes are none of its text
        return True
    return True


def _detect(data: bytes, shown: str, usual: str) -> tuple[str, str]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_as(data, encoding, shown), encoding
    unmarked = _utf16_without_mark(data)
    if unmarked:
        return _decode_as(data, unmarked, shown), unmarked
    # Latin-1 reads any byte; it comes last for the five bytes that cp1252 leaves undefined.
    # UTF-16 and UTF-32 read any pair of bytes, and were found above where they are; UTF-8 beyond ASCII is no chance.
    expected = () if not usual or usual.casefold().startswith(("utf-16", "utf_16", "utf-32", "utf_32")) else (usual,)
    first = (*expected, "utf-8") if data.isascii() else ("utf-8", *expected)
    for encoding in (*first, *_by_letters(data), *_by_currency(data), "cp1252", "latin-1"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 decodes every byte")


def _by_letters(data: bytes) -> tuple[str, ...]:
    """Return the likeliest encoding by the foreign letters of words, or nothing where the bytes look Western."""
    foreign = _foreign_lines(data)
    words = b"".join(word for word in _FOREIGN_WORD.findall(foreign) if not word.isascii())
    if not words:
        return ()
    letters = bytes(byte for byte in words if byte > 0x7F)
    if len(letters) / len(words) < _FOREIGN_SHARE:
        return _latin(letters) or _hungarian(data[:_SAMPLE_BYTES], letters)
    if _is_hebrew(letters):
        return ("cp1255",)
    best = from_bytes(foreign, cp_isolation=list(_BEYOND_WESTERN)).best()
    return (best.encoding,) if best is not None else _latin(letters)


def _foreign_lines(data: bytes) -> bytes:
    foreign = b"\n".join(line for line in data.split(b"\n", 20_000)[:20_000] if not line.isascii())[:_SAMPLE_BYTES]
    return foreign[: foreign.rfind(b"\n")] if len(foreign) == _SAMPLE_BYTES else foreign


def _foreign_letters(foreign: bytes) -> bytes:
    """Return the bytes beyond ASCII inside words."""
    return bytes(byte for word in _FOREIGN_WORD.findall(foreign) for byte in word if byte > 0x7F)


def _is_hebrew(letters: bytes) -> bool:
    """Tell whether letters are the 27 of Hebrew: Greek, Cyrillic and Arabic have capitals or accents beyond them."""
    return len(letters) >= _HEBREW_LEAST and min(letters) >= 0xE0 and max(letters) <= 0xFA


def _by_currency(data: bytes) -> tuple[str, ...]:
    """Return cp1250 where amounts end in the sign of the zloty, whose last letter is a superscript three in cp1252."""
    return ("cp1250",) if len(_ZLOTY.findall(data[:_SAMPLE_BYTES])) >= _MOJIBAKE_LEAST else ()


def _latin(letters: bytes) -> tuple[str, ...]:
    """Return the encoding in which most letters belong to one language, nothing where Western does as well."""
    shares = {encoding: _spoken_share(letters, encoding) for encoding in _ALPHABETS}
    best = max(shares, key=lambda one: shares[one])
    return (best,) if shares[best] > shares["cp1252"] else ()


def _hungarian(data: bytes, letters: bytes) -> tuple[str, ...]:
    """Return cp1250 where the foreign letters fit both and only the plain words around them tell Hungarian."""
    if _spoken_share(letters, "cp1250") < 1.0 or not _LONG_VOWEL.search(data):
        return ()
    ours, others = len(_HUNGARIAN.findall(data)), len(_OTHERS.findall(data))
    return ("cp1250",) if ours >= _FEW_LETTERS and ours > others else ()


def _spoken_share(letters: bytes, encoding: str) -> float:
    """Return the share of letters in the alphabet of the one language that has most of them.

    0 where that language lacks the very letters that Western has not: it has the rest from a mix of languages.
    """
    # In lower case Python makes two letters of the Turkish İ.
    counts = Counter(letters.decode(encoding, "replace").replace("İ", "i").lower())
    language = max(_ALPHABETS[encoding], key=lambda one: sum(counts[letter] for letter in one))
    own = Counter({letter: times for letter, times in counts.items() if letter not in _WESTERN})
    if sum(own[letter] for letter in language) < _SPOKEN_SHARE * own.total():
        return 0.0
    return sum(counts[letter] for letter in language) / counts.total()


def _decode_as(data: bytes, encoding: str, shown: str) -> str:
    try:
        return data.decode(encoding)
    except (LookupError, ValueError) as error:
        if not isinstance(error, UnicodeDecodeError):
            raise FileUnreadable(
                f"{encoding!r} is no encoding Doorstep knows. Choose one of {', '.join(ENCODINGS)}."
            ) from error
        raise FileUnreadable(
            f"{shown} begins like {encoding} text, but byte {error.start} does not fit. {SAVE_AS_CSV}"
        ) from error


def _utf16_without_mark(data: bytes) -> str:
    head = np.frombuffer(data[:4096][: len(data[:4096]) // 2 * 2], dtype=np.uint8)
    if len(head) < 4:
        return ""
    even, odd = float((head[::2] == 0).mean()), float((head[1::2] == 0).mean())
    if odd > 0.8 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.8 and odd < 0.05 else ""


def _refuse_control_characters(text: str, shown: str) -> None:
    head = text[:SAMPLE_CHARS]
    controls = sum(1 for character in head if character < " " and character not in "\t\n\r\f")
    if controls > 0.01 * len(head):
        raise FileUnreadable(
            f"{shown} is not a text file: {controls} of its first {len(head)} characters are control codes. "
            f"{SAVE_AS_CSV}"
        )


def _refuse_mojibake(text: str, shown: str, encoding: str) -> None:
    if text.isascii():
        return
    spoiled = _MOJIBAKE.findall(text)
    foreign = len(re.findall(r"[^\x00-\x7f]", text))
    if len(spoiled) >= _MOJIBAKE_LEAST and sum(map(len, spoiled)) >= _MOJIBAKE_SHARE * foreign:
        raise FileUnreadable(
            f"{shown}, read as {encoding}, has {len(spoiled)} spoiled letters such as {spoiled[0]!r}: it was saved "
            "once in a wrong encoding. Name the right one (--encoding), or export it again as UTF-8."
        )
