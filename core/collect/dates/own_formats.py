"""Date formats of one's own, as people type them: "DD~MM~YYYY" or "%d~%m~%Y"."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import pandas as pd

from core.collect.cells.dates import NAMED_FORMATS
from core.collect.dates.formats import OR
from core.errors import MappingError

NO_SUCH_DAY: Final = "a day of the calendar"
"""What a cell should be that names a day which the calendar does not have."""

EXAMPLES: Final = "'DD.MM.YYYY' or '%d.%m.%Y'"

# A day whose parts differ in every reading, so that a part that is lost shows.
_PROBE: Final = datetime(2024, 11, 25)
_NUMBERED_DAY: Final = re.compile(r"\s*([0-9]{1,4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,4})(?![0-9]).*")
_DIRECTIVE: Final = re.compile(r"%.")
_ALLOWED: Final = frozenset({"%d", "%m", "%Y", "%y", "%b", "%B", "%j", "%H", "%I", "%M", "%S", "%p", "%a", "%A"})
_PARTS: Final = re.compile(r"h{1,2}:mm(?::ss)?|y{4}|y{2}|m{1,4}|d{1,2}", re.IGNORECASE)
_DIRECTIVES: Final = {
    **{"hh:mm:ss": "%H:%M:%S", "h:mm:ss": "%H:%M:%S", "hh:mm": "%H:%M", "h:mm": "%H:%M"},
    **{"yyyy": "%Y", "yy": "%y", "mmmm": "%B", "mmm": "%b", "mm": "%m", "m": "%m", "dd": "%d", "d": "%d"},
}


def date_format_of(text: str) -> str:
    """Return a date format as typed in the form that reads dates, strftime's; "" and named formats stay as they are.

    "DD", "MM" and "YYYY" (also "D", "M", "MMM", "MMMM", "YY", and "hh:mm:ss") stand for the parts of a date. Raises
    MappingError for what is no text, has no year, or reads another day than it writes. A column that is written in
    several formats has them all, joined by "or".
    """
    if not isinstance(text, str):
        raise MappingError(f"The date format {text!r} must be a text such as {EXAMPLES}.")
    text = text.strip()
    if OR in text:
        return OR.join(map(date_format_of, text.split(OR)))
    if not text or text in NAMED_FORMATS:
        return text
    found = text if "%" in text else _PARTS.sub(_directive, text)
    foreign = sorted(set(_DIRECTIVE.findall(found)) - _ALLOWED)
    if foreign:
        raise MappingError(
            f"The date format {text!r} has {', '.join(foreign)}, which Doorstep does not read. Use "
            f"{', '.join(sorted(_ALLOWED))}, as in {EXAMPLES}."
        )
    try:
        read = datetime.strptime(pd.Timestamp(_PROBE).strftime(found), found)
    except ValueError as error:
        raise MappingError(
            f"The date format {text!r} cannot be used ({error}). Write the parts of a date as in {EXAMPLES}."
        ) from error
    if read.year != _PROBE.year or (read.month, read.day) not in {(11, 25), (11, 1), (1, 1)}:
        raise MappingError(
            f"The date format {text!r} does not give a date: it needs the year, and the month where it has the day. "
            f"Write the parts of a date as in {EXAMPLES}."
        )
    return found


def _directive(found: re.Match[str]) -> str:
    return _DIRECTIVES[found.group().casefold()]


def names_no_day(cell: str) -> bool:
    """Tell whether a cell is written like a date, and is no day in any order of its parts: "31/02/2015"."""
    found = _NUMBERED_DAY.fullmatch(cell)
    if found is None:
        return False
    one, two, three = (int(part) for part in found.groups())
    orders = ((one, two, three),) if len(found.group(1)) == 4 else ((three, two, one), (three, one, two))
    # A month from 1 to 12 and a day from 1 to 31 look like a date, whichever comes first.
    looks = any(1 <= month <= 12 and 1 <= day <= 31 for _, month, day in orders)
    return looks and not any(_is_day(*order) for order in orders)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        datetime(max(year, 1), month, day)
    except ValueError:
        return False
    return True
