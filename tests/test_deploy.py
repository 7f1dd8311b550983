"""The files that put Doorstep into service are what their tools accept, and start what Doorstep has."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import crossplane
import pytest
from crossplane.analyzer import DIRECTIVES
from ruamel.yaml import YAML

from core.cli.main import command_parser

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SYSTEMD = shutil.which("systemd-analyze")


def compose() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(DEPLOY / "compose.yaml")
    return found


def checked(*command: str) -> str:
    """Run a checker and return what it printed; a complaint fails the test."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_the_dockerfile_passes_hadolint() -> None:
    assert checked(tool("hadolint"), str(DEPLOY / "Dockerfile")) == ""


def test_the_compose_file_fits_the_compose_specification() -> None:
    checked(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml"))


@pytest.mark.parametrize("name", ["Caddyfile", "compose.Caddyfile"])
def test_caddy_takes_what_is_said_to_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORSTEP_HOST", "desk.example.com")
    monkeypatch.setenv("HOME", str(tmp_path))
    checked(tool("caddy"), "adapt", "--validate", "--adapter", "caddyfile", "--config", str(DEPLOY / name))


def test_nginx_knows_every_directive_and_its_place(tmp_path: Path) -> None:
    outer = tmp_path / "nginx.conf"
    outer.write_text(f"events {{}}\nhttp {{\n    include {DEPLOY / 'nginx.conf'};\n}}\n", encoding="utf-8")
    parsed = crossplane.parse(str(outer), check_ctx=True, check_args=True)
    assert (parsed["status"], parsed["errors"]) == ("ok", [])
    # Inside a map stand values, not directives.
    blocks = [one for file in parsed["config"] for one in file["parsed"]]
    names = set()
    while blocks:
        block = blocks.pop()
        names.add(block["directive"])
        blocks += block.get("block", []) if block["directive"] != "map" else []
    assert "proxy_set_header" in names
    assert names <= set(DIRECTIVES)


def test_every_value_the_compose_file_asks_for_is_explained_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    example = (DEPLOY / "example.env").read_text(encoding="utf-8")
    assert asked == set(re.findall(r"^(\w+)=", example, flags=re.MULTILINE))


@pytest.mark.skipif(SYSTEMD is None and not os.environ.get("CI"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_passes_systemds_own_check(unit: Path, tmp_path: Path) -> None:
    """The programs of a unit are those of an installation; here this Python stands for them."""
    text = re.sub(r"/opt/doorstep/\.venv/bin/\w+", sys.executable, unit.read_text(encoding="utf-8"))
    copy = tmp_path / unit.name
    copy.write_text(text, encoding="utf-8")
    assert SYSTEMD is not None
    assert checked(SYSTEMD, "verify", "--recursive-errors=no", str(copy)) == ""


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_what_a_unit_starts_exists(unit: Path) -> None:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(unit, encoding="utf-8")
    starts(shlex.split(read["Service"]["ExecStart"])[1:])


def test_what_the_containers_start_exists() -> None:
    services = compose()["services"]
    starts(services["worker"]["command"][1:])
    default = re.findall(r"^CMD (\[.*\])$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    starts(json.loads(default[-1])[1:])


def starts(arguments: list[str]) -> None:
    """Check that `streamlit run app.py` or a verb of the command line, with its options, is what it should be."""
    if arguments[:2] == ["run", "app.py"]:
        assert (ROOT / "app.py").is_file()
    else:
        assert arguments[:2] == ["-m", "core"]
        command_parser().parse_args(arguments[2:])


def test_the_example_names_its_files_from_the_root_on() -> None:
    example = (DEPLOY / "example.env").read_text(encoding="utf-8")
    paths = re.findall(r"^\w+_FILE=(.*)$", example, flags=re.MULTILINE)
    assert len(paths) == 2
    assert all(Path(path).is_absolute() for path in paths)


def test_each_home_is_on_a_volume_that_outlives_its_container() -> None:
    home = re.findall(r"DOORSTEP_HOME=(\S+)", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))[0]
    services, named = compose()["services"], set(compose()["volumes"])
    ours = [service for service in services.values() if "build" in service]
    assert len(ours) == 2
    for service in ours:
        volumes = dict(volume.split(":")[1::-1] for volume in service["volumes"])
        assert volumes[home] in named
    mounted = [volume for service in services.values() for volume in service["volumes"]]
    assert all(volume.startswith("./") or volume.split(":")[0] in named for volume in mounted)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_can_read_its_signing_key_which_is_outside_its_home(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    [line] = re.findall(r"^Environment=(.*)$", text, flags=re.MULTILINE)
    values = dict(one.split("=") for one in line.split())
    key, home = Path(values["DOORSTEP_SIGNING_KEY_FILE"]), Path(values["DOORSTEP_HOME"])
    assert "ProtectHome=true" in text
    assert not any(key.is_relative_to(hidden) for hidden in ("/home", "/root", "/run/user", home))
    assert home == Path("/var/lib") / re.findall(r"^StateDirectory=(.*)$", text, flags=re.MULTILINE)[0]
    assert str(key) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_only_the_proxy_is_reachable_from_outside() -> None:
    assert [name for name, service in compose()["services"].items() if "ports" in service] == ["proxy"]
