"""Messages reach real local servers, signed, once; what does not arrive waits, and secrets stay out of everything."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from core.workflows.monitoring import notifications
from core.workflows.monitoring.notifications import GIVE_UP_AFTER, Channels, Notice, Notices, channels_of, signature

SECRET = "hush-hush"
NOTICE = Notice("a1-open", "larkhaven", "Larkhaven: error high open", {"alert_id": "a1", "why": "12.4 %", "n": 60})
OFF = Channels("", "", "", (), ())


@dataclass
class Hook:
    """A webhook: what it received, and what it answers."""

    status: int = 204
    location: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def listening(self) -> Iterator[Hook]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.received.append((dict(self.headers), body))
                self.send_response(hook.status)
                if hook.location:
                    self.send_header("Location", hook.location)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/token-in-path"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Mailbox:
    """Takes e-mail in; ``logins`` are the names and passwords it was given."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], bytes]] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"

    def log_in(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=True)


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is due again at once."""
    monkeypatch.setattr(notifications, "_FIRST_WAIT_SECONDS", 0)


def webhook(url: str, secret: str = "") -> Channels:
    return channels_of({"DOORSTEP_WEBHOOK_URL": url, "DOORSTEP_WEBHOOK_SECRET": secret})


def mail(url: str) -> Channels:
    return channels_of({"DOORSTEP_SMTP_URL": url, "DOORSTEP_ALERT_TO": "mia@example.org, max@example.org"})


def test_a_webhook_gets_the_alert_once_as_json_signed_over_time_and_body(tmp_path: Path) -> None:
    with Hook().listening() as hook:
        notices = Notices(tmp_path, webhook(hook.url, SECRET))
        notices.put(NOTICE)
        notices.put(NOTICE)
        assert (notices.send().arrived, notices.send().arrived) == (1, 0)
    [(headers, body)] = hook.received
    document = json.loads(body)
    assert headers["Content-Type"] == "application/json"
    assert (document["alert_id"], document["why"], document["n"]) == ("a1", "12.4 %", 60)
    assert document["subject"] == NOTICE.subject
    assert headers["X-Doorstep-Signature"] == signature(SECRET, headers["X-Doorstep-Timestamp"], body)
    assert headers["X-Doorstep-Signature"] != signature("other", headers["X-Doorstep-Timestamp"], body)
    assert notices.state().waiting == 0


def test_processes_that_send_at_once_send_each_message_once(tmp_path: Path) -> None:
    with Hook().listening() as hook:
        several = [Notices(tmp_path, webhook(hook.url)) for _ in range(4)]
        for number in range(5):
            several[0].put(replace(NOTICE, key=f"n{number}"))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Notices.send, several))
    assert len(hook.received) == 5


def test_without_a_secret_nothing_is_signed(tmp_path: Path) -> None:
    with Hook().listening() as hook:
        notices = Notices(tmp_path, webhook(hook.url))
        notices.put(NOTICE)
        notices.send()
    assert "X-Doorstep-Signature" not in hook.received[0][0]


def test_what_a_webhook_that_is_down_missed_waits_on_disk_and_arrives_later(tmp_path: Path, at_once: None) -> None:
    hook = Hook()
    with hook.listening():
        pass
    notices = Notices(tmp_path, webhook(hook.url))
    notices.put(NOTICE)
    assert (notices.send().failed, notices.send().failed) == (1, 1)
    state = notices.state()
    assert (state.waiting, state.failing, state.given_up) == (1, 1, 0)
    assert "cannot be reached" in state.last_error
    with Hook().listening() as again:
        assert Notices(tmp_path, webhook(again.url)).send().arrived == 1
    assert json.loads(again.received[0][1])["alert_id"] == "a1"


def test_after_a_failure_a_message_rests_before_it_is_tried_again(tmp_path: Path) -> None:
    with Hook(status=503).listening() as hook:
        notices = Notices(tmp_path, webhook(hook.url))
        notices.put(NOTICE)
        assert notices.send().failed == 1
        assert notices.send().later == 1
    assert len(hook.received) == 1
    assert "answered 503" in notices.state().last_error


def test_one_failure_rests_the_channel_for_the_round_so_that_nobody_waits_for_each(tmp_path: Path) -> None:
    with Hook(status=500).listening() as hook:
        notices = Notices(tmp_path, webhook(hook.url))
        for number in range(5):
            notices.put(Notice(f"a{number}-open", "larkhaven", "s", {}))
        sent = notices.send()
    assert (sent.failed, sent.later, len(hook.received)) == (1, 4, 1)


def test_a_message_nobody_takes_is_given_up_at_last_and_counted(tmp_path: Path, at_once: None) -> None:
    with Hook(status=410).listening() as hook:
        notices = Notices(tmp_path, webhook(hook.url))
        notices.put(NOTICE)
        for _ in range(GIVE_UP_AFTER + 2):
            notices.send()
    assert len(hook.received) == GIVE_UP_AFTER
    assert (notices.state().waiting, notices.state().given_up) == (0, 1)


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with Hook().listening() as elsewhere, Hook(status=302, location=elsewhere.url).listening() as hook:
        notices = Notices(tmp_path, webhook(hook.url))
        notices.put(NOTICE)
        assert notices.send().failed == 1
    assert elsewhere.received == []


def test_addresses_and_secrets_reach_no_log_no_file_and_no_state(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    environment = {
        "DOORSTEP_WEBHOOK_URL": "http://127.0.0.1:1/token-in-path",
        "DOORSTEP_WEBHOOK_SECRET": SECRET,
        "DOORSTEP_SMTP_URL": f"smtp://mia:{SECRET}@127.0.0.1:1",
        "DOORSTEP_ALERT_TO": "mia@example.org",
    }
    channels = channels_of(environment)
    notices = Notices(tmp_path, channels)
    notices.put(NOTICE)
    assert notices.send().failed == 2
    kept = "".join(path.read_text() for path in (tmp_path / "notices").iterdir())
    for said in (caplog.text, kept, str(notices.state()), repr(channels)):
        assert SECRET not in said
        assert "token-in-path" not in said


def test_nothing_is_queued_where_nothing_is_configured(tmp_path: Path) -> None:
    notices = Notices(tmp_path, OFF)
    notices.put(NOTICE)
    assert notices.state().waiting == 0
    assert notices.state().channels == ()


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"DOORSTEP_WEBHOOK_URL": "ftp://host/x"}, "WEBHOOK_URL is not an http"),
        ({"DOORSTEP_WEBHOOK_URL": "file:///etc/passwd"}, "WEBHOOK_URL is not an http"),
        ({"DOORSTEP_SMTP_URL": "mail.example.org", "DOORSTEP_ALERT_TO": "a@b.org"}, "SMTP_URL is not an smtp"),
        ({"DOORSTEP_SMTP_URL": "smtp://host:99999999", "DOORSTEP_ALERT_TO": "a@b.org"}, "SMTP_URL is not an smtp"),
        ({"DOORSTEP_SMTP_URL": "smtp://host"}, "need each other"),
        ({"DOORSTEP_SMTP_URL": "smtp://host", "DOORSTEP_ALERT_TO": "mia"}, "invalid email address"),
    ],
)
def test_settings_that_make_no_sense_are_named_and_left_out(environment: dict[str, str], problem: str) -> None:
    channels = channels_of(environment)
    assert channels.names == ()
    assert problem in channels.problems[0]


def test_e_mail_reaches_all_addressees_with_subject_and_next_action(tmp_path: Path) -> None:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        notices = Notices(tmp_path, mail(f"smtp://127.0.0.1:{controller.port}?from=desk@example.org"))
        notices.put(Notice("a1-open", "larkhaven", "Larkhaven:\nerror high", {"why": "It rose.", "next_action": "Go."}))
        assert notices.send().arrived == 1
    finally:
        controller.stop()
    [(to, content)] = box.received
    message = _parsed(content)
    assert to == ["mia@example.org", "max@example.org"]
    assert message["Subject"] == "Doorstep: Larkhaven: error high"
    assert message["From"] == "desk@example.org"
    assert message.get_content().splitlines()[:2] == ["It rose.", "Next: Go."]


def test_where_starttls_is_offered_the_password_goes_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    box = Mailbox()
    controller = Controller(
        box,
        hostname="localhost",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=box.log_in,
    )
    controller.start()
    try:
        address = f"smtp://mia:{SECRET}@localhost:{controller.port}"
        notices = Notices(tmp_path, mail(address))
        notices.put(NOTICE)
        assert notices.send().failed == 1  # nobody vouches for the certificate
        assert box.logins == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setattr(time, "time", lambda: 4e9)
        assert notices.send().arrived == 1
    finally:
        controller.stop()
    assert box.logins == [(b"mia", SECRET.encode())]
    assert len(box.received) == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _parsed(content: bytes) -> EmailMessage:
    from email import message_from_bytes, policy

    return message_from_bytes(content, policy=policy.default)


def services(*addresses: str) -> Channels:
    return channels_of({"DOORSTEP_NOTIFY_URLS": " ".join(addresses)})


def test_each_service_gets_the_message_once_and_a_failing_one_holds_up_no_other(tmp_path: Path) -> None:
    with Hook().listening() as slack, Hook(status=500).listening() as teams:
        addresses = (hook.url.replace("http://", "json://") for hook in (teams, slack))
        notices = Notices(tmp_path, services(*addresses))
        notices.put(NOTICE)
        sent = notices.send()
        assert (sent.arrived, sent.failed) == (1, 1)
        [(_, body)] = slack.received
        document = json.loads(body)
        assert document["title"] == "Doorstep: Larkhaven: error high open"
        assert "12.4 %" in document["message"]
        state = notices.state()
        assert state.waiting == state.failing == 1
        assert "token-in-path" not in f"{state}{notices._channels}"


def test_no_service_is_followed_to_another_address(tmp_path: Path) -> None:
    with Hook().listening() as elsewhere, Hook(status=302, location=elsewhere.url).listening() as hook:
        notices = Notices(tmp_path, services(hook.url.replace("http://", "json://")))
        notices.put(NOTICE)
        assert notices.send().failed == 1
        assert elsewhere.received == []


def test_an_address_of_no_service_is_a_problem_named_by_its_place() -> None:
    found = services("json://localhost:9", "fax:nonsense-with-token")
    assert [one.partition("-")[0] for one in found.names] == ["json"]
    [problem] = found.problems
    assert "Address 2" in problem
    assert "token" not in problem
