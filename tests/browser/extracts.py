"""Extracts of real files: the whole files go in below the page, in tests that need no browser."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path


def every_nth_line(source: Path, folder: Path, step: int) -> Path:
    """Write the header and every ``step``-th line after it to a file of the same name, unpacked; return its path."""
    packed = source.suffix == ".gz"
    extract = folder / (source.stem if packed else source.name)
    with gzip.open(source, "rb") if packed else source.open("rb") as lines:
        extract.write_bytes(next(iter(lines)) + b"".join(itertools.islice(lines, 0, None, step)))
    return extract
