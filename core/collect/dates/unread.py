"""What becomes of a cell that cannot be read, and what helps, in words."""

from __future__ import annotations

from typing import Final

from core.collect.cells.dates import excel_day

_UNREAD: Final = "{fate}. Correct it in the file, or recode the word in the mapping."
_NO_DAY: Final = "{fate}: the calendar has no such day. Correct it in the file."
_DAY_NUMBER: Final = "{fate}. It looks like an Excel day number, of {day}: write it as a date in the file."


def remedy_of(field: str, parse: str, text: str, *, no_day: bool) -> str:
    """Say what becomes of a cell of a field that ``parse`` cannot read; ``no_day`` if it is a day that never was."""
    # Without its price or its day a row is no sale.
    fate = "The row is left out" if field in ("sale_price", "sale_date") else "The cell was left empty"
    if no_day:
        return _NO_DAY.format(fate=fate)
    day = excel_day(text) if parse == "date" else None
    return _UNREAD.format(fate=fate) if day is None else _DAY_NUMBER.format(fate=fate, day=day.isoformat())
