"""Settings: each one that makes no sense is named before anything listens, with what helps and without a secret."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from core.cli.api import listening_socket
from core.cli.main import main
from core.errors import WrongUsage
from core.workflows.operations.settings import check_settings, dashboard_faults, setting_faults
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[3]
SECRET = "only-the-server-knows-this"
WRONG = {
    "DATABASE_URL": (f"user:{SECRET}@host", "is not a database address"),
    "DOORSTEP_ALERT_TO": ("mia@example.org", "needs? each other"),
    "DOORSTEP_API_HOSTS": ("https://desk.example.com", "'https://desk.example.com', which is not a host name"),
    "DOORSTEP_API_LOCAL": ("no", "'no' is neither on nor off"),
    "DOORSTEP_API_RATE": ("many", "'many' is not a number of requests a minute"),
    "DOORSTEP_ARTIFACTS": ("folder", "is not an address of artifacts"),
    "DOORSTEP_DEMO_SALES": ("-5", "'-5' is not a number of sales"),
    "DOORSTEP_IDLE_MINUTES": ("0", "'0' is not a number above 0"),
    "DOORSTEP_LOGIN": ("yes", "'yes' is neither on nor off"),
    "DOORSTEP_LOG_FORMAT": ("xml", "'xml' is neither text nor json"),
    "DOORSTEP_LOG_LEVEL": ("loud", "'loud' is not a level"),
    "DOORSTEP_NOTIFY_URLS": (f"nothing://{SECRET}", "is of no service that apprise knows"),
    "DOORSTEP_PEOPLE": ("nowhere.toml", "nowhere.toml cannot be read"),
    "DOORSTEP_SESSION_HOURS": ("1000", "'1000' is not a number above 0 and up to 720"),
    "DOORSTEP_SIGNING_KEY": ("short", "has 5 characters; the least is 32"),
    "DOORSTEP_SIGNING_KEY_FILE": ("nowhere.key", r"nowhere.key cannot be read \(FileNotFoundError\)"),
    "DOORSTEP_SMTP_URL": (f"http://kim:{SECRET}@host", "is not an smtp or smtps address"),
    "DOORSTEP_SCHEDULER": ("10.0.0.5:8786", "is no address of a scheduler"),
    "DOORSTEP_TILES": ("http://tiles.example.com/{z}/{x}/{y}.png", "is not an address of https"),
    "DOORSTEP_TILES_ATTRIBUTION": ("©" * 121, "has 121 characters; the limit is 120"),
    "DOORSTEP_WEBHOOK_URL": (f"ftp://host/{SECRET}", "is not an http or https address"),
    "DOORSTEP_WORKER": ("External", "'External' is not external"),
}
"""A value that makes no sense for each variable that has such values, and what is said of it."""

ANY_TEXT = {
    "DOORSTEP_CONTACT",
    "DOORSTEP_HOME",
    "DOORSTEP_OFFICE_CLAIM",
    "DOORSTEP_ROLE_CLAIM",
    "DOORSTEP_WEBHOOK_SECRET",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder and an account without files of settings, and no setting but the key that tests sign with."""
    for name in {*WRONG, *ANY_TEXT} - {"DOORSTEP_SIGNING_KEY"}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "account"))
    return tmp_path


def test_no_variable_that_the_code_reads_goes_unchecked() -> None:
    sources = [ROOT / "app.py", *(path for part in ("api", "core", "pages") for path in (ROOT / part).rglob("*.py"))]
    read = {name for path in sources for name in re.findall(r"\"(DOORSTEP_[A-Z_]+)\"", path.read_text("utf-8"))}
    assert read | {"DATABASE_URL"} == set(WRONG) | ANY_TEXT


def test_without_any_setting_nothing_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOORSTEP_SIGNING_KEY")
    assert setting_faults(tmp_path / "home") == dashboard_faults(tmp_path / "home") == ()
    assert not (tmp_path / "account").exists(), "checking makes no key"


@pytest.mark.parametrize("name", WRONG)
def test_a_setting_that_makes_no_sense_is_named_with_what_helps(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, expected = WRONG[name]
    monkeypatch.setenv(name, value)
    [fault] = setting_faults(tmp_path / "home")
    assert name in fault
    assert re.search(expected, fault)
    assert SECRET not in fault
    assert re.search(r"\b(correct|set|unset|write|make|name|restore|choose)\b", fault, flags=re.IGNORECASE)


def test_all_of_them_are_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_one_part = ("API_RATE", "API_LOCAL", "API_HOSTS", "LOG_LEVEL", "LOG_FORMAT", "IDLE_MINUTES", "SESSION_HOURS")
    names = [f"DOORSTEP_{name}" for name in ("WORKER", "WEBHOOK_URL", *of_one_part)]
    for name in names:
        monkeypatch.setenv(name, WRONG[name][0])
    with pytest.raises(WrongUsage, match=r"9 settings are wrong\. \(1\).*\(2\).*\(9\)") as raised:
        check_settings(tmp_path / "home")
    assert all(name in str(raised.value) for name in names)


def test_the_secrets_file_is_checked_too(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    path = tmp_path / ".streamlit" / "secrets.toml"
    for text, expected in (
        ("not toml", "secrets.toml cannot be read"),
        ("doorstep = 3\n", "doorstep in the secrets file is not a table"),
        ("[doorstep]\nidle_minutes = 0\n", "idle_minutes = 0 is not a number above 0"),
        ('[auth]\nclient_id = "a"\n', "redirect_uri in the secrets file must be"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(WrongUsage, match=expected):
            check_settings(tmp_path / "home")


def test_a_key_that_could_not_be_made_is_missed_before_a_training_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOORSTEP_SIGNING_KEY")
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(WrongUsage, match=r"a key cannot be made at .*file/doorstep/signing\.key"):
        check_settings(tmp_path / "home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    with pytest.raises(WrongUsage, match="is in the store's folder"):
        check_settings(tmp_path / "home")


@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_a_server_or_worker_with_a_wrong_setting_does_not_start(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOORSTEP_IDLE_MINUTES", "0")
    assert main([verb, "--home", str(tmp_path / "home")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: idle_minutes = '0' is not a number")


def test_the_dashboard_with_a_wrong_setting_does_not_start_and_prints_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DOORSTEP_WORKER", "off")
    # Its port is of no account: it does not come to that.
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 1
    assert "error: DOORSTEP_WORKER = 'off' is not external" in done.stderr
    assert "Traceback" not in done.stderr
    assert "running at" not in done.stdout


def test_doctor_names_a_wrong_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOORSTEP_WORKER", "off")
    assert main(["doctor", "--home", str(tmp_path / "home")]) == 1
    assert "settings: DOORSTEP_WORKER = 'off' is not external" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DOORSTEP_LOGIN", "on", "Login is demanded, but no secrets file with the table"),
        ("STREAMLIT_SERVER_ADDRESS", "0.0.0.0", "server.address = '0.0.0.0' opens Doorstep to the network"),
        ("STREAMLIT_SERVER_ALLOWED_HOSTS", "prices.example localhost", r"server.allowedHosts = \['prices.example'"),
        ("", '[server]\naddress = "192.168.1.5"', "server.address = '192.168.1.5' opens"),
        ("", "not toml", "config.toml cannot be read"),
    ],
)
def test_what_keeps_the_dashboard_from_starting_is_a_fault_for_doctor(
    name: str, value: str, told: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / ".streamlit").mkdir()
    if name:
        monkeypatch.setenv(name, value)
    else:
        (elsewhere / ".streamlit" / "config.toml").write_text(value, encoding="utf-8")
    [fault] = dashboard_faults(elsewhere / "home")
    assert re.search(told, fault)
    # A server of the API alone may do without the dashboard's login.
    assert setting_faults(elsewhere / "home") == ()
    if "opens" in told:
        table = '[auth]\nredirect_uri = "https://prices.example/oauth2callback"\nclient_id = "a"\nclient_secret = "s"\n'
        table += f'server_metadata_url = "https://id.example"\ncookie_secret = "{"c" * 40}"\n'
        text = f'{table}[doorstep]\nrole_claim = "roles"\n'
        (elsewhere / ".streamlit" / "secrets.toml").write_text(text, encoding="utf-8")
        assert dashboard_faults(elsewhere / "home") == ()


def test_a_port_that_is_taken_is_one_sentence_and_no_address_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--home", str(tmp_path / "home"), "--port", str(port)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        f"error: Port {port} of 127.0.0.1 is taken by another program. Stop it, or name another port with --port.\n"
    )
    assert main(["serve", "--home", str(tmp_path / "home"), "--host", "nowhere.invalid"]) == 2
    assert "cannot listen on 'nowhere.invalid'" in capsys.readouterr().err


def test_serve_prints_its_address_once_it_can_be_reached(tmp_path: Path) -> None:
    with listening_socket("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "core", "serve", "--home", str(tmp_path / "home"), "--port", str(port), "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == f"The API is described at http://127.0.0.1:{port}/api/v1/docs\n"
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=PATIENCE_SECONDS) as answer:
                assert answer.status == 200
        finally:
            server.terminate()
