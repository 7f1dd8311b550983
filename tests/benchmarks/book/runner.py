"""Runs the chapters at each size, each in a process of its own, and goes on where a run before was ended."""

from __future__ import annotations

import contextlib
import os
import pstats
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.benchmarks.book.chapters import CHAPTERS, Chapter
from tests.benchmarks.book.machine import commit, load, machine_name
from tests.benchmarks.book.measurement import DONE, ChapterRun, TopOfProfile, append, begin, read
from tests.benchmarks.book.targets import TARGETS, Verdict

SIZES: Final = (10_000, 50_000, 200_000, 1_000_000)
COMMAND: Final = (sys.executable, "-m", "tests.benchmarks.book")
_ROOT: Final = Path(__file__).resolve().parents[3]
_ERROR: Final = re.compile(r"[\w.]+(Error|Exception|Interrupt)\b|[a-z_]+(\.\w+)+: ")
_LAST_WORDS: Final = 300
_PROFILE_LINES: Final = 8


def run(
    out: Path,
    sizes: Sequence[int] = SIZES,
    only: Iterable[str] = (),
    again: bool = False,
    chapters: Sequence[Chapter] = CHAPTERS,
    command: Sequence[str] = COMMAND,
) -> None:
    """Run the chapters that have not come to their end, with those they need; ``again`` repeats the ones named."""
    out.mkdir(parents=True, exist_ok=True)
    wanted = set(only) or {chapter.name for chapter in chapters}
    needed = wanted | {need for chapter in chapters if chapter.name in wanted for need in _all_needs(chapter, chapters)}
    for size in sizes:
        for chapter in chapters:
            if chapter.name not in needed or (chapter.most is not None and size > chapter.most):
                continue
            if read(out).is_done(chapter.name, size) and not (again and chapter.name in wanted):
                print(f"{size:>9,}  {chapter.name:<10} is there from a run before", flush=True)
                continue
            append(out, _run_one(out, size, chapter, command))


def _all_needs(chapter: Chapter, chapters: Sequence[Chapter]) -> set[str]:
    direct = {one.name: one for one in chapters if one.name in chapter.needs}
    return set(direct) | {need for one in direct.values() for need in _all_needs(one, chapters)}


def _run_one(out: Path, size: int, chapter: Chapter, command: Sequence[str]) -> ChapterRun:
    begin(out, chapter.name, size)
    before, started, at = load(), time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    missing = [need for need in chapter.needs if not read(out).is_done(need, size)]
    if missing:
        outcome = f"not run: it needs the chapter {missing[0]}, which did not come to its end"
    else:
        log = out / "logs" / f"{chapter.name}-{size}.log"
        words = [*command, chapter.name, str(size), str(out)]
        outcome = _outcome(words, log, chapter.limit_seconds(size))
    took = time.perf_counter() - started
    print(f"{size:>9,}  {chapter.name:<10} {outcome}, {took:,.0f} s", flush=True)
    return ChapterRun(chapter.name, size, outcome, round(took, 1), before, load(), at, commit(), machine_name())


def _outcome(words: Sequence[str], log: Path, seconds: float) -> str:
    """Run a process to its end or to its limit; return "done", or what went wrong with its last words."""
    log.parent.mkdir(exist_ok=True)
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(words, cwd=_ROOT, stderr=errors, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return f"ended at its limit of {seconds / 60:.1f} min"
        finally:
            # Servers, browsers and workers that it started end with it.
            _end_group(process)
    if code == 0:
        return DONE
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    # The error itself: what a browser adds below it is indented or a list.
    named = [line for line in said if _ERROR.match(line)]
    return f"failed: {(named or said or [f'exit code {code}'])[-1][:_LAST_WORDS]}"


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def profile_missed(out: Path, command: Sequence[str] = COMMAND) -> None:
    """Profile the chapters whose targets are not met, unless that was done since they ran; keep the top of each."""
    results = read(out)
    missed = {one.profiled for one in TARGETS if one.profiled and one.verdict(results) is Verdict.NOT_MET}
    limits = {chapter.name: chapter for chapter in CHAPTERS}
    for name, size in sorted(missed):
        if (name, size) in results.profiles or not results.is_done(name, size):
            continue
        path = out / "profiles" / f"{name}-{size}.prof"
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        print(f"{size:>9,}  {name:<10} is profiled, as a target is not met", flush=True)
        words = [*command, name, str(size), str(out), "--profile", str(path)]
        # A profiled call takes about twice its time.
        _outcome(words, out / "logs" / f"{name}-{size}-profile.log", 2 * limits[name].limit_seconds(size))
        if path.is_file():
            append(out, TopOfProfile(name, size, top_of_profile(path), commit(), machine_name()))


def top_of_profile(path: Path) -> tuple[tuple[str, float, int], ...]:
    """Return the functions with most time of their own: name, share of the whole and calls."""
    stats = pstats.Stats(str(path))
    every = getattr(stats, "stats")  # noqa: B009 - not in the stubs
    whole = sum(own for _, _, own, _, _ in every.values()) or 1.0
    top = sorted(every.items(), key=lambda one: -one[1][2])[:_PROFILE_LINES]
    return tuple((_function(key), figures[2] / whole, int(figures[1])) for key, figures in top)


def _function(key: tuple[str, int, str]) -> str:
    file, _, name = key
    parts = Path(file).parts[-2:]
    return name.strip("<>") if file == "~" else f"{'/'.join(parts)}: {name}"
