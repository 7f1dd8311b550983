"""Yes and no as cells write them, in several languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FLAGS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "1.0", "oui", "ja", "si", "sí", "sim", "tak", "да", "evet"), 1.0),
    **dict.fromkeys(("no", "n", "false", "f", "0", "0.0", "non", "nein", "nee", "nej", "nie", "não", "нет"), 0.0),
}
"""1.0 for each word of yes and 0.0 for each word of no, in lower case."""
