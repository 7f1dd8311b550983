"""The command line explains itself: help and examples of every verb, also where the problem statement is broken."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.main import command_parser, main
from core.cli.roles import NEEDS, role_for
from core.cli.session import OK
from tests.test_cli import ROOT, broken_copy

__all__ = ["broken_copy"]


def verbs() -> dict[str, argparse.ArgumentParser]:
    [action] = [one for one in command_parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(action.choices)


VERBS = sorted(verbs())


def test_without_a_role_each_verb_is_run_in_the_least_that_may_do_it() -> None:
    assert set(NEEDS) == set(VERBS)
    roles = {verb: role_for(verb).value for verb in VERBS}
    of_managers = {"promote", "rollback", "reject", "pilot", "sign", "doctor", "backup", "restore"}
    assert {verb for verb in VERBS if roles[verb] == "manager"} == of_managers
    assert {verb for verb in VERBS if roles[verb] == "admin"} == {"create-key", "keys", "revoke-key"}
    assert {verb for verb in VERBS if roles[verb] == "agent"} == {"markets", "price", "serve"}
    assert set(roles.values()) == {"agent", "analyst", "manager", "admin"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_has_a_help_text(verb: str) -> None:
    bare = [one.option_strings or one.dest for one in verbs()[verb]._actions if not one.help]
    assert bare == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_ends_with_two_examples_that_parse(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == OK
    shown = capsys.readouterr().out
    examples = shown.partition("examples:\n")[2].splitlines()
    assert len(examples) == 2
    for example in examples:
        program, words = example.split(f" {verb}", 1)
        assert program.strip()
        command_parser().parse_args([verb, *shlex.split(words)])
    assert "the least that may do this" in " ".join(shown.split())


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]], ids=" ".join)
def test_a_broken_problem_statement_is_one_line_beside_the_help(broken_copy: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", *arguments], cwd=broken_copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == OK
    assert "examples:\n" in done.stdout
    assert done.stderr.startswith("warning: Key success.target_mape = 10")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--family", "magic"],
        ["backtest", "--start", "2024-01-01", "--family", "magic"],
        ["price", "--level", "7"],
        ["worker", "--every", "x"],
    ],
    ids=" ".join,
)
def test_help_and_wrong_usage_load_no_library_of_tables_or_models(arguments: list[str]) -> None:
    script = (
        f"import sys\nfrom core.cli.main import main\ntry:\n    main({arguments!r})\nfinally:\n    print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2)
    assert "core.cli.main" in done.stdout
    assert not {"pandas", "numpy", "sklearn", "sqlalchemy", "scipy"} & {*done.stdout.split()}
