"""Notifications: messages to a webhook and by email, kept until they are delivered.

Each message waits in its own file, so that nothing is lost when the receiver or this process is down. A webhook
receives one JSON object; if a secret is set, the header X-Doorstep-Signature is "sha256=" and the HMAC-SHA256, in
hexadecimal, of the header X-Doorstep-Timestamp, a period and the body.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import logging
import os
import smtplib
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from core.errors import MessageNotSent, StoreUnavailable
from core.store.base.artifacts import make_private_folder, unavailable_on_os_error, write_atomically
from core.workflows.monitoring.message_services import MessageService, send_by, services_of

_LOG: Final = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 5.0
"""How long the receiver may take; whoever changed the alert waits too."""

GIVE_UP_AFTER: Final = 12
"""After this many attempts, about two days, a message is kept but no longer tried."""

_FIRST_WAIT_SECONDS: Final = 60
_LONGEST_WAIT_SECONDS: Final = 6 * 3600
_SUFFIX: Final = ".json"
_LOCK: Final = "lock"
_GIVEN_UP: Final = ".given-up"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Notice:
    """A message: ``key`` prevents duplicates, and ``document`` is the webhook's JSON object."""

    key: str
    market_id: str
    subject: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Channels:
    """Where messages go; "" for an unused channel. ``problems`` describe invalid settings."""

    webhook_url: str
    webhook_secret: str
    smtp_url: str
    alert_to: tuple[str, ...]
    problems: tuple[str, ...]
    services: tuple[MessageService, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The channels in use: "webhook", "e-mail", and each service, such as "slack-3fa2b1"."""
        used = {"webhook": self.webhook_url, "e-mail": self.smtp_url}
        return (*(name for name, address in used.items() if address), *(one.name for one in self.services))

    def __repr__(self) -> str:
        # Addresses and secrets must not appear in a log.
        return f"Channels({', '.join(self.names) or 'none'})"


@dataclass(frozen=True)
class Sent:
    """The result of one round of sending: messages delivered, failed, and not due yet."""

    arrived: int
    failed: int
    later: int


@dataclass(frozen=True)
class NoticeState:
    """Waiting messages: how many there are, how many have failed at least once, how many were given up, and why.

    ``last_error`` is the latest failure's, without addresses or secrets; ``oldest`` is in UTC.
    """

    channels: tuple[str, ...]
    problems: tuple[str, ...]
    waiting: int
    failing: int
    given_up: int
    oldest: datetime | None
    last_error: str


@dataclass(frozen=True)
class _Queued:
    channel: str
    subject: str
    document: dict[str, Any]
    at: str
    attempts: int
    not_before: float
    error: str


def channels_of(environment: Mapping[str, str]) -> Channels:
    """Read the channels from DOORSTEP_WEBHOOK_URL, _WEBHOOK_SECRET, _SMTP_URL, _ALERT_TO (comma-separated) and
    _NOTIFY_URLS.

    The SMTP address is smtp://user:password@host:port or smtps://..., optionally with ``?from=`` and the sender's
    address. An invalid setting disables its channel and is listed in the problems.
    """
    webhook, problems = environment.get("DOORSTEP_WEBHOOK_URL", "").strip(), []
    if webhook and not _is_url(webhook, ("http", "https")):
        problems.append("DOORSTEP_WEBHOOK_URL is not an http or https address, so no webhook is called. Correct it.")
        webhook = ""
    smtp = environment.get("DOORSTEP_SMTP_URL", "").strip()
    to = tuple(one.strip() for one in environment.get("DOORSTEP_ALERT_TO", "").split(",") if one.strip())
    if smtp and not _is_url(smtp, ("smtp", "smtps")):
        problems.append("DOORSTEP_SMTP_URL is not an smtp or smtps address, so no email is sent. Correct it.")
        smtp = ""
    if bool(smtp) != bool(to):
        problems.append("DOORSTEP_SMTP_URL and DOORSTEP_ALERT_TO need each other; no email is sent. Set both.")
        smtp = ""
    if any("@" not in one or any(char in one for char in "\r\n<>") for one in to):
        problems.append("DOORSTEP_ALERT_TO has an invalid email address; no email is sent. Correct it.")
        smtp = ""
    services, wrong = services_of(environment)
    secret = environment.get("DOORSTEP_WEBHOOK_SECRET", "")
    return Channels(webhook, secret, smtp, to, (*problems, *wrong), services)


class Notices:
    """Messages of a store, one file per message and channel in its folder; any process may put and send."""

    def __init__(self, home: Path, channels: Channels | None = None) -> None:
        self._folder = home / "notices"
        self._channels = channels or channels_of(os.environ)

    def put(self, notice: Notice) -> None:
        """Queue a message for each channel in use; if the disk is full, it is lost and logged."""
        for channel in self._channels.names:
            queued = _Queued(channel, notice.subject, dict(notice.document), datetime.now(UTC).isoformat(), 0, 0.0, "")
            path = self._folder / f"{notice.key}-{channel}{_SUFFIX}"
            try:
                make_private_folder(self._folder)
                with unavailable_on_os_error(path):
                    write_atomically(path, json.dumps(asdict(queued)).encode())
            except StoreUnavailable as error:
                _LOG.error("the message %s could not be queued: %s", notice.key, error)

    def send(self) -> Sent:
        """Send the due messages, oldest first; never raises for a receiver. A failed channel is skipped this round.

        A failed message is retried after a minute, then after twice as long each time, up to six hours. While another
        process sends, this one leaves it to it, so that no message arrives twice.
        """
        with _turn(self._folder) as mine:
            return self._send() if mine else Sent(0, 0, len(self._queued()))

    def _send(self) -> Sent:
        arrived = failed = later = 0
        resting: set[str] = set()
        for path, queued in self._queued():
            if queued.channel in resting or queued.not_before > time.time() or queued.channel not in self._ways:
                later += 1
                continue
            try:
                self._ways[queued.channel](queued)
            except MessageNotSent as error:
                resting.add(queued.channel)
                failed += 1
                _LOG.warning("a message could not be sent by %s: %s", queued.channel, error)
                _put_back(path, queued, str(error))
            else:
                arrived += 1
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        return Sent(arrived, failed, later)

    def state(self) -> NoticeState:
        """Return the state of all processes' messages; an unreadable folder counts as empty."""
        queued = [one for _, one in self._queued()]
        failing = [one for one in queued if one.attempts]
        latest = max(failing, key=lambda one: one.not_before, default=None)
        return NoticeState(
            channels=self._channels.names,
            problems=self._channels.problems,
            waiting=len(queued),
            failing=len(failing),
            given_up=len(list(self._folder.glob(f"*{_GIVEN_UP}"))),
            oldest=min((datetime.fromisoformat(one.at) for one in queued), default=None),
            last_error=latest.error if latest else "",
        )

    @property
    def _ways(self) -> dict[str, Callable[[_Queued], None]]:
        known: dict[str, Callable[[_Queued], None]] = {"webhook": self._post, "e-mail": self._mail}
        known |= {one.name: partial(_send_by, one) for one in self._channels.services}
        return {name: known[name] for name in self._channels.names}

    def _queued(self) -> list[tuple[Path, _Queued]]:
        found = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            try:
                found.append((path, _Queued(**json.loads(path.read_bytes()))))
            except FileNotFoundError:
                continue  # another process has just sent it
            except (OSError, ValueError, TypeError) as error:
                _LOG.error("the message in %s cannot be read: %s", path.name, error)
        return sorted(found, key=lambda pair: (pair[1].at, pair[0].name))

    def _post(self, queued: _Queued) -> None:
        body = json.dumps({"subject": queued.subject, "at": queued.at, **queued.document}).encode()
        stamp = str(int(time.time()))
        headers = {"Content-Type": "application/json", "User-Agent": "Doorstep", "X-Doorstep-Timestamp": stamp}
        if self._channels.webhook_secret:
            headers["X-Doorstep-Signature"] = signature(self._channels.webhook_secret, stamp, body)
        # Only an http or https address becomes the webhook's.
        request = urllib.request.Request(self._channels.webhook_url, body, headers, method="POST")  # noqa: S310
        try:
            with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
                answer.read(1_000)
        except urllib.error.HTTPError as error:
            error.close()
            raise MessageNotSent(f"The webhook answered {error.code}. Check its address and its log.") from None
        except (OSError, HTTPException) as error:
            raise MessageNotSent(f"The webhook cannot be reached ({_reason(error)}). It will be retried.") from None

    def _mail(self, queued: _Queued) -> None:
        address = urllib.parse.urlsplit(self._channels.smtp_url)
        sender = urllib.parse.parse_qs(address.query).get("from", [f"doorstep@{address.hostname}"])[0]
        message = EmailMessage()
        message["Subject"] = _title(queued)
        message["From"], message["To"] = sender, ", ".join(self._channels.alert_to)
        message.set_content(_text(queued))
        try:
            with _connected(address) as server:
                _log_in(server, address)
                server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise MessageNotSent(f"The mail server did not accept it ({_reason(error)}). It will be retried.") from None


def _send_by(service: MessageService, queued: _Queued) -> None:
    send_by(service, _title(queued), _text(queued))


def _title(queued: _Queued) -> str:
    return " ".join(f"Doorstep: {queued.subject}".split())


@contextmanager
def _turn(folder: Path) -> Iterator[bool]:
    """Tell whether it is this process's turn to send; no other gets one until this one ends, even by a kill."""
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # no folder, so no messages; or one that cannot be written, where nothing is marked as sent
        yield folder.is_dir()
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(handle)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of X-Doorstep-Signature, which a receiver computes again to compare."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: a redirected POST would arrive as a GET without its body, or at an unintended address."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _connected(address: urllib.parse.SplitResult) -> smtplib.SMTP:
    host = address.hostname or ""
    if address.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, address.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(host, address.port or 587, timeout=TIMEOUT_SECONDS)
    server.ehlo_or_helo_if_needed()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    elif address.password and host not in _LOCAL:
        server.close()
        raise smtplib.SMTPNotSupportedError("it offers no STARTTLS, and the password is not sent unencrypted")
    return server


def _log_in(server: smtplib.SMTP, address: urllib.parse.SplitResult) -> None:
    if address.username and address.password:
        server.login(urllib.parse.unquote(address.username), urllib.parse.unquote(address.password))


def _text(queued: _Queued) -> str:
    document = queued.document
    lines = [str(document.get("why") or queued.subject)]
    if document.get("next_action"):
        lines.append(f"Next: {document['next_action']}")
    about = {"Market": "market", "Alert": "alert_id", "By": "changed_by", "Changed": "changed_at"}
    lines += ["", *(f"{label}: {document[name]}" for label, name in about.items() if document.get(name))]
    return "\n".join(lines)


def _put_back(path: Path, queued: _Queued, why: str) -> None:
    attempts = queued.attempts + 1
    wait = min(_FIRST_WAIT_SECONDS * 2 ** (attempts - 1), _LONGEST_WAIT_SECONDS)
    tried = replace(queued, attempts=attempts, not_before=time.time() + wait, error=why)
    # The message itself is on disk; if this failure cannot be recorded, it is only retried sooner.
    with suppress(OSError):
        write_atomically(path, json.dumps(asdict(tried)).encode())
        if attempts >= GIVE_UP_AFTER:
            path.rename(path.with_suffix(_GIVEN_UP))


def _reason(error: Exception) -> str:
    """Describe an error without the receiver's text or an address."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return _reason(error.reason)
    if isinstance(error, smtplib.SMTPResponseException):
        return f"code {error.smtp_code}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return str(error)
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    return type(error).__name__
