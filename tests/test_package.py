"""The package: what is stated twice agrees, and its shipped files and version are found wherever it stands."""

from __future__ import annotations

import importlib.util
import re
import shutil
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement

from core import installation
from core.cli.main import main
from core.collect.vocabulary import DEFAULT_PATH as COLUMNS
from core.problem import DEFAULT_PATH as PROBLEM

ROOT = Path(__file__).resolve().parent.parent


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(name: str) -> set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith(("#", "-"))}


def name_of(requirement: str) -> str:
    return Requirement(requirement).name


def test_the_package_needs_what_requirements_txt_lists_but_for_pytest() -> None:
    assert {*project()["project"]["dependencies"]} == {
        line for line in requirements("requirements.txt") if name_of(line) != "pytest"
    }
    assert "pytest" in map(name_of, requirements("requirements.txt"))


def test_the_dev_group_holds_what_the_tests_need_beyond_it() -> None:
    dev = {*project()["dependency-groups"]["dev"]}
    assert dev == {
        *requirements("tests/requirements.txt"),
        *(line for line in requirements("requirements.txt") if name_of(line) == "pytest"),
    }


def test_the_builder_is_the_one_the_tests_install() -> None:
    assert {*project()["build-system"]["requires"]} <= requirements("tests/requirements.txt")


def test_the_constraints_pin_every_requirement_to_a_version_it_allows() -> None:
    pinned = dict(line.split("==") for line in requirements("constraints.txt"))
    versions = {name.lower(): version for name, version in pinned.items()}
    wrong = [
        line
        for line in requirements("requirements.txt") | requirements("tests/requirements.txt")
        if not Requirement(line).specifier.contains(versions.get(name_of(line).lower(), "0"))
    ]
    assert wrong == []


def test_the_version_is_the_one_pyproject_states(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"doorstep {project()['project']['version']}\n"


def test_the_shipped_files_of_a_checkout_are_beside_core() -> None:
    assert installation.ASSETS == ROOT / "assets"
    assert PROBLEM.is_file()
    assert COLUMNS.is_file()


def test_an_installed_package_has_its_files_inside_and_its_version_from_the_installer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "core" / "assets").mkdir(parents=True)
    (tmp_path / "assets").mkdir()
    # Another project's, such as one that is installed from sources into the same folder.
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.9.9"\n', encoding="utf-8")
    monkeypatch.setattr(metadata, "version", {"doorstep": "0.5.1"}.__getitem__)
    installed = standing_at(tmp_path)
    assert tmp_path / "core" / "assets" == installed.ASSETS
    assert installed.version() == "0.5.1"


def test_a_checkout_states_its_own_version_whatever_is_installed_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.7.0"\n', encoding="utf-8")
    monkeypatch.setattr(metadata, "version", {"doorstep": "0.5.1"}.__getitem__)
    assert standing_at(tmp_path).version() == "0.7.0"


def test_files_copied_out_of_a_checkout_still_answer(tmp_path: Path) -> None:
    assert standing_at(tmp_path).version() == "unknown"


def standing_at(folder: Path) -> ModuleType:
    """The module as it is when ``core`` stands in this folder."""
    (folder / "core").mkdir(exist_ok=True)
    path = Path(shutil.copy(ROOT / "core" / "installation.py", folder / "core"))
    spec = importlib.util.spec_from_file_location("installation_elsewhere", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_promise_names_tests_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    promises = readme.split("## What we promise")[1].split("\n## ")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)`", row)
        assert named, row
        assert all((ROOT / path).is_file() for path in named), row
