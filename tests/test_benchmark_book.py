"""The benchmark book: what it writes of given results, and how a run fails, goes on and is taken up again."""

from __future__ import annotations

import argparse
import cProfile
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.benchmarks.book import runner, writer
from tests.benchmarks.book.chapters import CHAPTERS, Chapter
from tests.benchmarks.book.measurement import (
    RESULTS,
    ChapterRun,
    Measurement,
    Results,
    TopOfProfile,
    append,
    begin,
    read,
)
from tests.benchmarks.book.targets import TARGETS, Verdict
from tests.benchmarks.book.verb import sizes
from tests.benchmarks.processes import processor_time

_MACHINE = {"processor": "two cores", "commit": "abc"}
_PRICE_ALONE = "price alone, from its facts, p95"
_REASONS = "with range, confidence, comparables, drivers, flags, p95"
# A chapter named "fails" measures something and then fails; any other measures its size.
_PROGRAM = """
import sys
from pathlib import Path
from tests.benchmarks.book.measurement import Measurement, append
chapter, size, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
append(out, Measurement(chapter, size, "time", "s", float(size)))
if chapter == "waits":
    import time
    time.sleep(60)
if chapter == "fails":
    raise RuntimeError("no such luck")
"""


def test_a_ratio_a_growth_and_a_note_are_written(tmp_path: Path) -> None:
    for size, seconds in ((10_000, 2.0), (200_000, 38.0)):
        note = "baseline fitted on 50,000 of 200,000 sales" if size > 50_000 else ""
        append(tmp_path, Measurement("ingest", size, "ingest", "s", seconds, "pandas merge", seconds / 4, note))
    text = writer.book(read(tmp_path), _MACHINE)
    [line] = [line for line in text.splitlines() if line.startswith("| ingest | 2.00")]
    assert line == "| ingest | 2.00 s (4.00 x) | 38.0 s (4.00 x) [1] | x20.0 sales, x19.0 (0.98) | pandas merge |"
    assert "1. baseline fitted on 50,000 of 200,000 sales" in text
    assert "- processor: two cores" in text


def test_each_target_is_met_not_met_or_not_measured(tmp_path: Path) -> None:
    append(tmp_path, Measurement("estimate", 50_000, _PRICE_ALONE, "ms", 1.0, "forest", 20.0))
    append(tmp_path, Measurement("estimate", 1_000_000, _REASONS, "ms", 40.0))
    profile = cProfile.Profile()
    profile.runcall(sorted, range(1_000))
    path = tmp_path / "estimate.prof"
    profile.dump_stats(path)
    append(tmp_path, TopOfProfile("estimate", 1_000_000, runner.top_of_profile(path)))
    results = read(tmp_path)
    text = writer.book(results, _MACHINE)
    lines = text.splitlines()
    [met] = [line for line in lines if line.startswith("| One estimate without reasons")]
    [missed] = [line for line in lines if line.startswith("| One estimate with its reasons")]
    assert "| 0.100 x | 0.0500 x | met |  |" in met
    assert "| 15.0 ms | 40.0 ms | **not met** | most time of its own: `" in missed
    assert "### Profile of the chapter estimate at 1,000,000 sales" in text
    verdicts = [target.verdict(results) for target in TARGETS]
    assert verdicts.count(Verdict.NOT_MEASURED) == len(TARGETS) - 2


def test_a_sum_is_measured_only_with_all_its_parts_and_says_what_they_are(tmp_path: Path) -> None:
    [target] = [one for one in TARGETS if one.what.startswith("1,000,000 sales: ingest")]
    parts = {("ingest", "ingest"): 70.0, ("train", "training, evaluation and registration"): 380.0}
    for (chapter, name), seconds in parts.items():
        append(tmp_path, Measurement(chapter, 1_000_000, name, "s", seconds))
    assert target.verdict(read(tmp_path)) is Verdict.NOT_MEASURED
    append(tmp_path, Measurement("batch", 1_000_000, "price all sales", "s", 20.0))
    assert target.verdict(read(tmp_path)) is Verdict.MET
    assert target.breakdown(read(tmp_path)) == "train 380 s, ingest 70 s, batch 20 s"


def test_growth_beyond_n_log_n_is_not_met(tmp_path: Path) -> None:
    [target] = [one for one in TARGETS if "n log n" in one.what]
    for size, seconds in ((50_000, 1.0), (1_000_000, 25.0)):
        for chapter, name in target.parts:
            append(tmp_path, Measurement(chapter, size, name, "s", seconds))
    assert target.verdict(read(tmp_path)) is Verdict.MET
    step = ("train", "step: Preparing the facts of the homes")
    append(tmp_path, Measurement(step[0], 1_000_000, step[1], "s", 400.0))
    assert target.verdict(read(tmp_path)) is Verdict.NOT_MET, "one step is enough"
    assert target.breakdown(read(tmp_path)).startswith("train, Preparing the facts of the homes x400.0; ")


def test_what_explains_a_missed_target_can_be_profiled_at_its_size() -> None:
    chapters = {chapter.name: chapter for chapter in CHAPTERS}
    for target in TARGETS:
        if target.profiled is not None:
            name, size = target.profiled
            assert callable(chapters[name].profile)
            assert chapters[name].most is None or size <= (chapters[name].most or 0)


def test_plots_are_pictures_that_name_their_lines(tmp_path: Path) -> None:
    for size in (10_000, 50_000):
        append(tmp_path, Measurement("ingest", size, "ingest", "s", size / 1_000, "a < b", size / 4_000))
    path = writer.write(tmp_path / "into", read(tmp_path), _MACHINE)
    picture = path.parent / writer.PLOTS / "ingest.svg"
    assert f"({writer.PLOTS}/ingest.svg)" in path.read_text(encoding="utf-8")
    assert {"ingest", "a < b", "10,000"} <= set(ElementTree.parse(picture).getroot().itertext())


def test_a_failing_chapter_is_written_as_such_and_the_rest_goes_on(tmp_path: Path) -> None:
    chapters = (Chapter("fails", "Fails"), Chapter("follows", "Follows", ("fails",)), Chapter("works", "Works"))
    _run(tmp_path, chapters)
    outcomes = {name: run.outcome for (name, _), run in read(tmp_path).runs.items()}
    assert outcomes["fails"] == "failed: RuntimeError: no such luck"
    assert outcomes["follows"] == "not run: it needs the chapter fails, which did not come to its end"
    assert outcomes["works"] == "done"


def test_a_chapter_over_its_limit_is_ended(tmp_path: Path) -> None:
    _run(tmp_path, (Chapter("waits", "Waits", minutes=0.03),))
    assert read(tmp_path).runs[("waits", 7)].outcome.startswith("ended at its limit")
    assert read(tmp_path).find("waits", 7, "time") is not None


def test_a_run_taken_up_again_repeats_only_what_did_not_come_to_its_end(tmp_path: Path) -> None:
    done = ChapterRun("works", 7, "done", 1.0, 0.1, 0.2, "before", "abc")
    append(tmp_path, done)
    append(tmp_path, ChapterRun("other", 7, "failed: killed", 1.0, 0.1, 0.2, "before", "abc"))
    with (tmp_path / RESULTS).open("a") as file:
        file.write('{"kind": "measurement", "chapter": "oth')
    _run(tmp_path, (Chapter("works", "Works"), Chapter("other", "Other")))
    results = read(tmp_path)
    assert results.runs[("works", 7)] == done
    assert results.runs[("other", 7)].outcome == "done"


def test_a_chapter_begun_again_forgets_what_it_measured_before(tmp_path: Path) -> None:
    append(tmp_path, Measurement("ingest", 7, "of before", "s", 1.0))
    append(tmp_path, Measurement("train", 7, "of another", "s", 1.0))
    begin(tmp_path, "ingest", 7)
    assert [name for _, _, name in read(tmp_path).measurements] == ["of another"]


def test_a_chapter_that_was_killed_is_told_in_the_book(tmp_path: Path) -> None:
    append(tmp_path, ChapterRun("ingest", 7, "done", 1.0, 0.1, 0.2, "before", "abc"))
    begin(tmp_path, "ingest", 7)
    results = read(tmp_path)
    assert not results.is_done("ingest", 7)
    assert "| ingest | 7 | **cut off: the run ended in the middle of it** |" in writer.book(results, _MACHINE)


def test_a_book_of_one_size_says_why_it_has_no_plots(tmp_path: Path) -> None:
    append(tmp_path, Measurement("ingest", 7, "ingest", "s", 1.0))
    assert "growth and plots need a second" in writer.book(read(tmp_path), _MACHINE)
    append(tmp_path, Measurement("ingest", 9, "ingest", "s", 1.0))
    assert "growth and plots need a second" not in writer.book(read(tmp_path), _MACHINE)


def test_the_suites_target_says_which_folders_take_its_time(tmp_path: Path) -> None:
    [target] = [one for one in TARGETS if one.what.startswith("Test suite")]
    append(tmp_path, Measurement("suite", 10_000, "the whole suite", "s", 700.0))
    for name, seconds in (("pages", 300.0), ("browser", 900.0)):
        append(tmp_path, Measurement("suite", 10_000, name, "s", seconds))
    assert target.verdict(read(tmp_path)) is Verdict.NOT_MET
    assert target.breakdown(read(tmp_path)) == "browser 900 s, pages 300 s"


def test_processor_time_counts_what_a_child_spends() -> None:
    with processor_time(every_seconds=0.05) as spent:
        subprocess.run([sys.executable, "-c", "x = 0\nfor i in range(6_000_000): x += i"], check=True)
    assert sum(spent.by_kind.values()) > 0.1


def test_what_is_not_run_again_stands_as_kept_but_no_size_of_another_machine(tmp_path: Path) -> None:
    def run(chapter: str, seconds: float, size: int = 7, machine: str = "two cores") -> Results:
        one, at = Measurement(chapter, size, f"time of {chapter}", "s", seconds), (chapter, size)
        top = {at: TopOfProfile(chapter, size, ((f"the loop of {chapter}", 0.5, 3),))}
        ran = ChapterRun(*at, "done", 1.0, 0.1, 0.2, "2026-01-01", "abc", machine)
        return Results({(*at, one.name): one}, {at: ran}, top)

    for results in (run("ingest", 11.0), run("ingest", 55.0, 9), run("train", 22.0), run("ingest", 33.0)):
        path = writer.write(tmp_path, results, _MACHINE)
    text = path.read_text(encoding="utf-8")
    assert "| time of ingest | 33.0 s | 55.0 s |" in text
    assert "| time of train | 22.0 s |" in text
    assert "11.0 s" not in text
    assert "- measured on" not in text
    text = writer.write(tmp_path, run("ingest", 44.0, machine="eight cores"), _MACHINE).read_text(encoding="utf-8")
    assert "| time of ingest | 44.0 s |" in text
    assert "| time of train | 22.0 s |" in text
    assert "55.0 s" not in text
    assert "- measured on eight cores: ingest" in text
    assert "| 2026-01-01 | abc | eight cores |" in text


def test_a_sum_over_machines_is_not_measured(tmp_path: Path) -> None:
    [target] = [one for one in TARGETS if one.what.startswith("1,000,000 sales: ingest")]
    for chapter, name in target.parts:
        append(tmp_path, Measurement(chapter, 1_000_000, name, "s", 10.0))
        append(tmp_path, ChapterRun(chapter, 1_000_000, "done", 1.0, 0.1, 0.2, "", "", "one machine"))
    assert target.figure(read(tmp_path)) == 30.0
    append(tmp_path, ChapterRun("batch", 1_000_000, "done", 1.0, 0.1, 0.2, "", "", "another"))
    assert target.figure(read(tmp_path)) is None


def test_failures_are_in_the_book() -> None:
    run = ChapterRun("ingest", 10_000, "failed: no | room", 3.0, 0.1, 0.2, "2026-01-01", "abc")
    text = writer.book(Results({}, {("ingest", 10_000): run}), _MACHINE)
    assert "| ingest | 10,000 | **failed: no / room** | 3 | 0.1 | 0.2 | 2026-01-01 | abc |  |" in text


def _run(out: Path, chapters: tuple[Chapter, ...]) -> None:
    runner.run(out, (7,), chapters=chapters, command=(sys.executable, "-c", _PROGRAM))
    assert all(json.loads(line) for line in (out / RESULTS).read_text().splitlines() if line.endswith("}"))


def test_what_lies_beside_the_plots_is_left_alone(tmp_path: Path) -> None:
    note = tmp_path / writer.PLOTS / "note.txt"
    note.parent.mkdir(parents=True)
    note.write_text("mine")
    (note.parent / "ingest.svg").write_text("of before")
    writer.write(tmp_path, Results(), _MACHINE)
    assert note.read_text() == "mine"
    assert not (note.parent / "ingest.svg").exists()


@pytest.mark.parametrize("text", ["0", "abc", "50", "10000,", "-1"])
def test_a_size_that_no_model_could_be_trained_on_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="must be numbers of sales"):
        sizes(text)
    assert sizes("10_000,50000") == (10_000, 50_000)
