"""`python -m tests.benchmarks.book CHAPTER SIZE FOLDER`: one chapter at one size, in this process."""

from __future__ import annotations

import argparse
import cProfile
import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from joblib import parallel_config

from core.progress import end_with_starter
from tests.benchmarks.book.chapters import CHAPTERS
from tests.benchmarks.book.measurement import Measurement, append
from tests.benchmarks.book.place import Place
from tests.benchmarks.processes import peak_memory


def main() -> None:
    """Measure, keep each measurement and print it; or keep a profile instead."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.book", description=__doc__)
    parser.add_argument("chapter", choices=[chapter.name for chapter in CHAPTERS])
    parser.add_argument("size", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--profile", type=Path, help="a file for the profile; nothing is measured then")
    options = parser.parse_args()
    # A runner that is killed must not leave its chapter measuring beside the next.
    end_with_starter(os.getppid())
    [chapter] = [one for one in CHAPTERS if one.name == options.chapter]
    place = Place(chapter.name, options.size, options.out)
    if options.profile is not None:
        profile = cProfile.Profile()
        # In this process, or the profile would only see it wait.
        with parallel_config(backend="sequential"):
            chapter.profile(place, profile)
        profile.dump_stats(options.profile)
        return
    with peak_memory() as peak:
        for one in chapter.run(place):
            _keep(place, one)
    # A chapter that ends before memory is looked at has no peak.
    if peak.bytes:
        _keep(place, place.measured("memory: peak of all processes, baselines included", "MB", peak.bytes / 1e6))


def _keep(place: Place, one: Measurement) -> None:
    append(place.out, one)
    beside = f"  ({one.ratio:.2f} x {one.baseline})" if one.ratio is not None else ""
    print(f"{one.size:>9,}  {one.chapter:<10} {one.name}: {one.value:,.4g} {one.unit}{beside}", flush=True)


if __name__ == "__main__":
    main()
