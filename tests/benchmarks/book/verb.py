"""The verb `book`: runs what is not measured yet, then writes the book from all that is there."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from tests.benchmarks.book import runner, writer
from tests.benchmarks.book.chapters import CHAPTERS
from tests.benchmarks.book.machine import machine
from tests.benchmarks.book.measurement import DONE, read

_SALES_MIN: Final = 1_000
"""With fewer, no model can be trained."""

ROOT: Final = Path(__file__).resolve().parents[3]


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    verb.add_argument("--sizes", type=sizes, default=runner.SIZES, help="numbers of sales: 10000,50000")
    verb.add_argument("--chapters", type=_chapters, default=(), help=", ".join(chapter.name for chapter in CHAPTERS))
    verb.add_argument("--out", type=Path, default=ROOT / "test-results" / "book", help="a folder to keep results in")
    verb.add_argument("--again", action="store_true", help="measure once more what is there already")
    verb.add_argument("--write", action="store_true", help="only write the book from what is there")
    verb.add_argument("--into", type=Path, default=ROOT, help="where to write BENCHMARKS.md and its plots")


def make_book(options: argparse.Namespace) -> None:
    """Every part over four sizes, each beside a baseline of the same run: writes BENCHMARKS.md and its plots."""
    out, into = (_made(one) for one in (options.out, options.into))
    if not options.write:
        runner.run(out, options.sizes, options.chapters, options.again)
        runner.profile_missed(out)
    elif options.again:
        raise SystemExit("--write measures nothing, so there is nothing to do again; leave one of them out.")
    results = read(out)
    print(writer.write(into, results, machine()))
    if failed := [f"{run.chapter} at {run.size:,}" for run in results.runs.values() if run.outcome != DONE]:
        raise SystemExit(f"not measured: {', '.join(failed)}; the book says why.")


def _made(folder: Path) -> Path:
    """Make a folder where there is none, before anything is measured for it; return its full path."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"the folder {str(folder)!r} cannot be made: {error.strerror}.") from error
    return folder.resolve()


def sizes(text: str) -> tuple[int, ...]:
    """Read numbers of sales, such as "10000,50000"; raises ArgumentTypeError for anything else."""
    parts = text.replace("_", "").split(",")
    if not all(part.isdecimal() and int(part) >= _SALES_MIN for part in parts):
        raise argparse.ArgumentTypeError(
            f"{text!r} must be numbers of sales, {_SALES_MIN:,} or more, such as 10000,50000"
        )
    return tuple(map(int, parts))


def _chapters(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = set(names) - {chapter.name for chapter in CHAPTERS}
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no chapter {sorted(unknown)[0]!r}")
    return names
