"""One measurement of the book, one run of a chapter, the top of its profile, and the file of all, as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

RESULTS: Final = "results.jsonl"
DONE: Final = "done"
CUT_OFF: Final = "cut off: the run ended in the middle of it"


@dataclass(frozen=True)
class Measurement:
    """What was measured in a chapter at a number of sales, beside the baseline of the same run where there is one.

    ``note`` says where a value was measured on another part than all the sales.
    """

    chapter: str
    size: int
    name: str
    unit: str
    value: float
    baseline: str = ""
    baseline_value: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the baseline's; None without one."""
        return self.value / self.baseline_value if self.baseline_value else None


@dataclass(frozen=True)
class ChapterRun:
    """How one run of a chapter went: "done", or what went wrong, with the machine and its load at both ends."""

    chapter: str
    size: int
    outcome: str
    seconds: float
    load_before: float
    load_after: float
    at: str
    commit: str
    machine: str = ""


@dataclass(frozen=True)
class TopOfProfile:
    """The functions in which a chapter spent most time of its own: name, share of the whole and calls, most first.

    ``commit`` and ``machine`` say of what and where; "" in a profile taken before they were noted.
    """

    chapter: str
    size: int
    functions: tuple[tuple[str, float, int], ...]
    commit: str = ""
    machine: str = ""


@dataclass(frozen=True)
class Results:
    """All that is known: the latest measurements by chapter, size and name, and the latest run of each chapter.

    ``profiles`` has the top of the profile of some of them.
    """

    measurements: dict[tuple[str, int, str], Measurement] = field(default_factory=dict)
    runs: dict[tuple[str, int], ChapterRun] = field(default_factory=dict)
    profiles: dict[tuple[str, int], TopOfProfile] = field(default_factory=dict)

    def find(self, chapter: str, size: int, name: str) -> Measurement | None:
        """Return a measurement, or None if it is not there."""
        return self.measurements.get((chapter, size, name))

    def is_done(self, chapter: str, size: int) -> bool:
        """Tell whether the latest run of a chapter at a size came to its end."""
        run = self.runs.get((chapter, size))
        return run is not None and run.outcome == DONE

    @property
    def sizes(self) -> list[int]:
        """The numbers of sales, in order."""
        return sorted({size for _, size, _ in self.measurements} | {size for _, size in self.runs})

    @property
    def lines(self) -> Iterator[Line]:
        """All that is known, run by run in the order of sizes and chapters."""
        for key, run in self.runs.items():
            yield from (one for named, one in self.measurements.items() if named[:2] == key)
            if key in self.profiles:
                yield self.profiles[key]
            yield run

    def over(self, kept: Results) -> Results:
        """Return these results, with what was kept of the chapters and sizes that were not run again.

        The sizes of a chapter are of one machine, so that its growth is: of a chapter run on another one, none is kept.
        """
        again = {(chapter, run.machine) for (chapter, _), run in self.runs.items()}
        named = {chapter for chapter, _ in again}
        stands = {
            key
            for key, run in kept.runs.items()
            if key not in self.runs and (key[0] not in named or (key[0], run.machine) in again)
        }
        return Results(
            {key: one for key, one in kept.measurements.items() if key[:2] in stands} | self.measurements,
            {key: run for key, run in kept.runs.items() if key in stands} | self.runs,
            {key: one for key, one in kept.profiles.items() if key in stands} | self.profiles,
        )

    def machines(self, runs: Iterable[tuple[str, int]]) -> set[str]:
        """Return the machines on which some chapters and sizes were run."""
        return {self.runs[key].machine for key in runs if key in self.runs}


Line = Measurement | ChapterRun | TopOfProfile
_KINDS: Final[dict[str, type[Line]]] = {"measurement": Measurement, "run": ChapterRun, "profile": TopOfProfile}


def append(out: Path, line: Line) -> None:
    """Add a line to the results of a folder."""
    _write(out, _document(line))


def text_of(results: Results) -> str:
    """Return results as the lines of a file."""
    return "".join(json.dumps(_document(line)) + "\n" for line in results.lines)


def _document(line: Line) -> dict[str, Any]:
    [kind] = [name for name, one in _KINDS.items() if isinstance(line, one)]
    return {"kind": kind, **asdict(line)}


def begin(out: Path, chapter: str, size: int) -> None:
    """Note that a chapter begins: what it measured before counts no longer."""
    _write(out, {"kind": "begun", "chapter": chapter, "size": size})


def read(out: Path) -> Results:
    """Return the results of a folder; a line cut short by the end of a run is passed over."""
    results = Results()
    for line in _lines(out / RESULTS):
        kind = line.pop("kind")
        if kind == "measurement":
            one = Measurement(**line)
            results.measurements[(one.chapter, one.size, one.name)] = one
        elif kind == "run":
            run = ChapterRun(**line)
            results.runs[(run.chapter, run.size)] = run
        elif kind == "profile":
            functions = tuple((str(name), float(share), int(calls)) for name, share, calls in line["functions"])
            top = TopOfProfile(**{**line, "functions": functions})
            results.profiles[(top.chapter, top.size)] = top
        elif kind == "begun":
            begun = (line["chapter"], line["size"])
            results.runs[begun] = ChapterRun(*begun, CUT_OFF, 0.0, 0.0, 0.0, "", "")
            results.profiles.pop(begun, None)
            for key in [key for key in results.measurements if key[:2] == begun]:
                del results.measurements[key]
    return results


def _write(out: Path, line: dict[str, Any]) -> None:
    path = out / RESULTS
    # A line cut short must not spoil the one after it.
    torn = path.is_file() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if torn else "") + json.dumps(line) + "\n")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(text)
        except json.JSONDecodeError:
            continue
