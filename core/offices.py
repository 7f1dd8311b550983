"""How the names of offices compare, whoever wrote them: an account, a rollout or a sales file."""

from __future__ import annotations

import unicodedata


def office_key(name: str) -> str:
    """Return what equal names of an office share: "North-Side  Realty, Inc." and "northside realty inc" are the same.

    Case, blanks and punctuation do not count. It is "" for a name without letters and digits.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    kept = "".join(one for one in folded if one.isalnum() or unicodedata.category(one).startswith("M"))
    return unicodedata.normalize("NFC", kept)


def same_office(name: str, other: str) -> bool:
    """Tell whether two names are one office's; names without letters and digits are only if they are equal."""
    key = office_key(name)
    return name == other or (key != "" and key == office_key(other))
