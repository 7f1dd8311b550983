"""The command line beside other programs: one that stops reading, a full disk, and agents who price meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from core.cli.session import report
from core.progress import NICENESS
from core.store import open_store

ROOT = Path(__file__).resolve().parent.parent


def run(arguments: list[str], home: Path, stdout: int | IO[bytes]) -> tuple[int, str]:
    environment = {**os.environ, "DOORSTEP_HOME": str(home)}
    command = [sys.executable, "-m", "core", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE, env=environment, check=False)
    return done.returncode, done.stderr.decode()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an empty store, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        with open_store(tmp_path_factory.mktemp("empty")) as store:
            return store.home


def test_a_reader_that_has_gone_is_no_error(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert run(["jobs"], home, writing) == (141, "")
    finally:
        os.close(writing)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_result_that_cannot_be_written_is_one_sentence(home: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        code, shown = run(["jobs"], home, full)
    assert (code, shown) == (
        1,
        "error: the result cannot be written (No space left on device); print it elsewhere.\n",
    )


def test_nobody_has_to_read_how_far_the_work_is(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as broken:
        monkeypatch.setattr(sys, "stderr", broken)
        report(0.5, "Training")
        # What could not be written would be tried again when the file is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), broken.fileno())


@pytest.mark.parametrize(("verb", "niceness"), [("train", NICENESS), ("price", 0)])
def test_long_work_stands_back_for_those_who_price(verb: str, niceness: int) -> None:
    code = (
        "import os, sys, core.cli.main as main\n"
        "before = os.getpriority(os.PRIO_PROCESS, 0)\n"
        "main.main = lambda _: print(os.getpriority(os.PRIO_PROCESS, 0) - before) or 0\n"
        f"sys.argv[1:] = [{verb!r}]\n"
        "from core.__main__ import run\n"
        "run()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == niceness
