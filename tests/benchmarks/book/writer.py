"""Writes the book: targets first, then each chapter with its ratios and growth, the machine, and how each run went."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.book.chapters import CHAPTERS, Chapter
from tests.benchmarks.book.measurement import DONE, RESULTS, Measurement, Results, read, text_of
from tests.benchmarks.book.plots import Line, growth_plot
from tests.benchmarks.book.targets import TARGETS, Target, Verdict

BOOK: Final = "BENCHMARKS.md"
PLOTS: Final = "docs/benchmarks"
_TIMES: Final = ("s", "ms")
_BUSY: Final = 1.3
_OF_ONE_PROCESS: Final = """A profile is of a chapter's own process: fits and pricing that run in others show as waiting
(`acquire`, `waitpid`), and profiling makes small functions look dearer than they are.
"""
"""A load before a chapter above this many times the cores is no quiet machine."""

_INTRODUCTION: Final = """# Benchmarks

`python -m tests.benchmarks book` measured this and wrote this file: nothing in it is typed. Seconds orient, ratios
count: each is a multiple of the baseline named beside it, measured in the same run on the same machine. "Growth" gives
the sales and the time as multiples of those at the smallest size, and the exponent: 1.0 where twice the sales take
twice the time; n log n is about 1.1. The sales are those of the simulated city, so that anyone can measure the same.
The results are kept in `docs/benchmarks/results.jsonl`: a chapter that is run again takes the place of what was kept of
it, and the others stand. The runs below say on which machine, when and on which commit.
"""


def write(root: Path, fresh: Results, machine: Mapping[str, str]) -> Path:
    """Write the book, its plots and its results under ``root``; return the book's path.

    Chapters that were not run again stand as they were kept there.
    """
    results = fresh.over(read(root / PLOTS))
    folder = root / PLOTS
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in CHAPTERS:
        (folder / f"{chapter.name}.svg").unlink(missing_ok=True)
    plots = {name: drawn for chapter in CHAPTERS for name, drawn in _plots(chapter, results)}
    for name, drawn in plots.items():
        (folder / name).write_text(drawn, encoding="utf-8")
    draft = folder / f"{RESULTS}.part"
    draft.write_text(text_of(results), encoding="utf-8")
    draft.replace(folder / RESULTS)
    path = root / BOOK
    path.write_text(book(results, machine, tuple(plots)), encoding="utf-8")
    return path


def book(results: Results, machine: Mapping[str, str], plots: Sequence[str] = ()) -> str:
    """Return the text of the book."""
    sections = [_INTRODUCTION, _machine(machine, results), _one_size(results), _targets(results)]
    sections += [_chapter(chapter, results, plots) for chapter in CHAPTERS]
    sections += [_runs(results), _limits(results)]
    return "\n".join(section for section in sections if section)


def _machine(machine: Mapping[str, str], results: Results) -> str:
    """Name the machine that wrote the book with its versions, and each machine on which chapters were run."""
    chapters: dict[str, dict[str, None]] = {}
    for (chapter, _), run in results.runs.items():
        chapters.setdefault(run.machine, {})[chapter] = None
    lines = [f"- {name}: {words}" for name, words in machine.items()]
    if len(chapters) > 1:
        lines += [f"- measured on {name or 'a machine not named'}: {', '.join(ran)}" for name, ran in chapters.items()]
    return "\n".join(lines) + "\n"


def _one_size(results: Results) -> str:
    if len(results.sizes) > 1:
        return ""
    return "One number of sales was measured: growth and plots need a second.\n"


def _targets(results: Results) -> str:
    lines = ["## Targets\n", "| target | at most | measured | verdict | what limits it |", "|---|--:|--:|---|---|"]
    for target in TARGETS:
        verdict, figure = target.verdict(results), target.figure(results)
        shown = "" if figure is None else f"{number(figure)} {target.unit}"
        words = f"**{verdict}**" if verdict is Verdict.NOT_MET else str(verdict)
        limited = "; ".join(filter(None, (target.breakdown(results), _limited(target, verdict, results))))
        lines.append(f"| {target.what} | {number(target.limit)} {target.unit} | {shown} | {words} | {limited} |")
    return "\n".join(lines) + "\n"


def _limited(target: Target, verdict: Verdict, results: Results) -> str:
    if verdict is Verdict.MET:
        return ""
    if verdict is Verdict.NOT_MEASURED:
        return "not run at its size, or failed: see the runs below"
    if target.profiled is None:
        return "see its chapter"
    profile = results.profiles.get(target.profiled)
    if profile is None:
        return "see its chapter"
    name, share, _ = profile.functions[0]
    return f"most time of its own: `{name}`, {share:.0%}; see the profile below"


def _chapter(chapter: Chapter, results: Results, plots: Sequence[str]) -> str:
    sizes = [size for size in results.sizes if any(key[:2] == (chapter.name, size) for key in results.measurements)]
    if not sizes:
        return f"## {chapter.title}\n\nNot measured.\n"
    lines = [f"## {chapter.title}\n"]
    lines += [f"![{chapter.title} by number of sales]({PLOTS}/{name})\n" for name in plots if _is_of(name, chapter)]
    left_out = [size for size in results.sizes if chapter.most is not None and size > chapter.most]
    if left_out:
        lines.append(f"Not above {chapter.most:,} sales: {chapter.why}.\n")
    lines.append(f"| what | {' | '.join(f'{size:,}' for size in sizes)} | growth | baseline |")
    lines.append(f"|---|{'--:|' * len(sizes)}--:|---|")
    notes: list[str] = []
    for name in names(chapter, results):
        found = {size: results.find(chapter.name, size, name) for size in sizes}
        cells = [_cell(one, notes) for one in found.values()]
        known = [one for one in found.values() if one is not None]
        beside = next((one.baseline for one in known if one.baseline), "")
        lines.append(f"| {name} | {' | '.join(cells)} | {growth_words(known)} | {beside} |")
    lines += ["", *(f"{mark}. {note}" for mark, note in enumerate(notes, start=1))]
    return "\n".join(lines) + ("\n" if notes else "")


def _is_of(plot: str, chapter: Chapter) -> bool:
    return plot == f"{chapter.name}.svg"


def names(chapter: Chapter, results: Results) -> list[str]:
    """Return the names of a chapter's measurements in the order in which they were taken."""
    return list(dict.fromkeys(name for one, _, name in results.measurements if one == chapter.name))


def _cell(one: Measurement | None, notes: list[str]) -> str:
    if one is None:
        return ""
    text = f"{number(one.value)} {one.unit}"
    if one.ratio is not None:
        text += f" ({number(one.ratio)} x)"
    if one.note:
        if one.note not in notes:
            notes.append(one.note)
        text += f" [{notes.index(one.note) + 1}]"
    return text


def growth_words(known: Sequence[Measurement]) -> str:
    """Return how a time or a size grew from the smallest to the largest number of sales, empty with one size."""
    if len(known) < 2 or known[0].unit not in (*_TIMES, "MB") or known[0].value <= 0 or known[-1].value <= 0:
        return ""
    rows, grown = known[-1].size / known[0].size, known[-1].value / known[0].value
    return f"x{number(rows)} sales, x{number(grown)} ({math.log(grown) / math.log(rows):.2f})"


def number(value: float) -> str:
    """Return a number with three figures that count."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def _plots(chapter: Chapter, results: Results) -> Iterator[tuple[str, str]]:
    """Yield the plot of a chapter's times against its baselines, where there are two sizes."""
    series = [_series(chapter, results, name) for name in names(chapter, results)]
    known = [one for one in series if len(one) > 1 and one[0].unit in _TIMES]
    with_baseline = [one for one in known if one[0].baseline_value]
    units = [one[0].unit for one in with_baseline or known]
    if not units:
        return
    chosen = [one for one in (with_baseline or known) if one[0].unit == units[0]][:4]
    lines = [Line(one[0].name, [(m.size, m.value) for m in one]) for one in chosen]
    beside = {one[0].baseline: [(m.size, m.baseline_value) for m in one if m.baseline_value] for one in chosen}
    lines += [Line(name, points, True) for name, points in beside.items() if name and len(points) > 1]
    yield f"{chapter.name}.svg", growth_plot(chapter.title, units[0], lines)


def _series(chapter: Chapter, results: Results, name: str) -> list[Measurement]:
    found = [results.find(chapter.name, size, name) for size in results.sizes]
    return [one for one in found if one is not None and one.value > 0]


def _runs(results: Results) -> str:
    lines = ["## Runs\n", "| chapter | sales | outcome | seconds | load before | load after | at | commit | machine |"]
    lines.append("|---|--:|---|--:|--:|--:|---|---|---|")
    order = [chapter.name for chapter in CHAPTERS]
    for run in sorted(results.runs.values(), key=lambda run: (run.size, order.index(run.chapter))):
        outcome = run.outcome if run.outcome == DONE else f"**{run.outcome.replace('|', '/')}**"
        loads = f"{run.load_before:.1f} | {run.load_after:.1f}" if run.at else " | "
        what = f"| {run.chapter} | {run.size:,} | {outcome} | {run.seconds:,.0f}"
        lines.append(f"{what} | {loads} | {run.at} | {run.commit} | {run.machine} |")
    total = sum(run.seconds for run in results.runs.values())
    lines.append(f"\nTogether {total / 60:,.0f} minutes.\n")
    return "\n".join(lines)


def _limits(results: Results) -> str:
    """Return the top of the profile of each target that is not met."""
    missed = [one.profiled for one in TARGETS if one.profiled and one.verdict(results) is Verdict.NOT_MET]
    sections = []
    for name, size in dict.fromkeys(missed):
        profile = results.profiles.get((name, size))
        if profile is None:
            continue
        rows = [f"| `{where}` | {share:.0%} | {calls:,} |" for where, share, calls in profile.functions]
        taken = f"Taken at {profile.commit} on {profile.machine}.\n" if profile.commit else ""
        head = [
            f"### Profile of the chapter {name} at {size:,} sales\n",
            *filter(None, [taken]),
            "| function | own time | calls |",
            "|---|--:|--:|",
        ]
        sections.append("\n".join([*head, *rows]) + "\n")
    return "\n".join(["## What limits the targets not met\n", _OF_ONE_PROCESS, *sections]) if sections else ""
