"""The verb `book`: runs what is not measured yet, then writes the book from all that is there."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from tests.benchmarks.book import runner, writer
from tests.benchmarks.book.chapters import CHAPTERS
from tests.benchmarks.book.machine import machine
from tests.benchmarks.book.measurement import read

ROOT: Final = Path(__file__).resolve().parents[3]


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    verb.add_argument("--sizes", type=_numbers, default=runner.SIZES, help="numbers of sales: 10000,50000")
    verb.add_argument("--chapters", type=_chapters, default=(), help=", ".join(chapter.name for chapter in CHAPTERS))
    verb.add_argument("--out", type=Path, default=ROOT / "test-results" / "book", help="a folder to keep results in")
    verb.add_argument("--again", action="store_true", help="measure once more what is there already")
    verb.add_argument("--write", action="store_true", help="only write the book from what is there")
    verb.add_argument("--into", type=Path, default=ROOT, help="where to write BENCHMARKS.md and its plots")


def make_book(options: argparse.Namespace) -> None:
    """Every part over four sizes, each beside a baseline of the same run: writes BENCHMARKS.md and its plots."""
    out = options.out.resolve()
    if not options.write:
        runner.run(out, options.sizes, options.chapters, options.again)
        runner.profile_missed(out)
    print(writer.write(options.into.resolve(), read(out), machine()))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.replace("_", "").split(","))


def _chapters(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = set(names) - {chapter.name for chapter in CHAPTERS}
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no chapter {sorted(unknown)[0]!r}")
    return names
