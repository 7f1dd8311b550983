"""What protects the dashboard beside the headers: who may open its socket, its cookies, and what of it is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from api.local import comes_from_here
from api.security import protection

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_POLICY_VIOLATION: Final = 1008
_CLOSED: Final = ("_stcore/metrics", "_stcore/agent/", "_stcore/script-health-check")
_FILES: Final = ("media/", "_stcore/upload_file/")
_PICTURES: Final = (".png", ".svg")
_LOGIN: Final = "auth/login"
_CALLBACK: Final = "oauth2callback"
_ASKED: Final = "doorstep_asked"
_ASKED_SECONDS: Final = 600
_ASKED_MAX: Final = 1_500
_OF_LOGIN: Final = "_streamlit_user"
_STATIC: Final = Path(__file__).resolve().parent / "static"
_HEAD: Final = "".join(
    f"<{tag}>{(_STATIC / name).read_text(encoding='utf-8')}</{tag}>"
    for tag, name in (("style", "dashboard.css"), ("script", "dashboard.js"))
)
# Unless the page names its server, Streamlit's client asks below the page's own path first and logs the failures.
_SERVER: Final = (
    '<meta name="doorstep-page" content="{page}"><script>window.__streamlit = {{BACKEND_BASE_URL: location.origin + '
    "location.pathname.replace(/[/]*$/, '').slice(0, -document.querySelector('[name=doorstep-page]').content.length "
    "|| undefined)}}</script>"
)


@dataclass(frozen=True)
class Served:
    """How the dashboard is served.

    ``hosts`` are the host names it answers to, ``origins`` the addresses its pages may have beside the one they were
    asked under, such as "https://prices.example"; ``base`` is the path it is under, "" for none, and ``pages`` are the
    paths below that. ``login_seconds`` is how long a sign-in lasts, None without login; ``https`` tells whether
    browsers reach it over TLS. ``pictures`` is the origin of map tiles, "" for none.
    """

    hosts: Sequence[str]
    origins: frozenset[str]
    base: str
    pages: frozenset[str]
    https: bool
    login_seconds: int | None
    pictures: str = ""


SignedIn = Callable[[Mapping[str, str]], bool]
"""Tells by a request's cookies whether somebody is signed in who has a role."""


def dashboard_protection(page: str, served: Served, signed_in: SignedIn) -> list[Middleware]:
    """Return the middleware that protects the dashboard; ``page`` is its HTML, without what FirstPaint adds."""
    page += _HEAD + _SERVER.format(page="")
    own = [Middleware(Dashboard, served=served), Middleware(FirstPaint, served=served)]
    if served.login_seconds is None:
        return [*protection(page, served.hosts, served.https, served.pictures), Middleware(LocalOnly), *own]
    own += [Middleware(Files, served=served, signed_in=signed_in), Middleware(AskedPage, served=served)]
    return [*protection(page, served.hosts, served.https, served.pictures), *own]


class Dashboard:
    """Middleware: closes what nobody needs, checks the origin of sockets, and makes cookies safer."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self._app, self._served = app, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "websocket" and not self._may_connect(Headers(scope=scope)):
            await _refuse(scope, receive, send, "This page's address is not Doorstep's own.")
        elif scope["type"] == "http" and self._is_closed(scope["path"]):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
        else:
            await self._app(scope, receive, self._with_safer_cookies(send) if scope["type"] == "http" else send)

    def _may_connect(self, headers: Headers) -> bool:
        """Tell whether a socket is opened by a page of this server; browsers always name the page's origin."""
        origin, host = headers.get("origin", ""), headers.get("host", "")
        scheme = origin.partition("://")[0]
        if scheme not in _DEFAULT_PORTS or (self._served.https and scheme != "https"):
            return False
        given = _authority(origin)
        own = {*map(_authority, self._served.origins), _authority(f"{scheme}://{host}")}
        return given is not None and given in own

    def _is_closed(self, path: str) -> bool:
        return path.removeprefix(self._served.base).lstrip("/").startswith(_CLOSED)

    def _with_safer_cookies(self, send: Send) -> Send:
        async def send_safer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, self._safer(value) if name.lower() == b"set-cookie" else value)
                    for name, value in message["headers"]
                ]
            await send(message)

        return send_safer

    def _safer(self, cookie: bytes) -> bytes:
        """Return a cookie that goes over TLS only, and of the login one that lasts no longer than the sign-in."""
        parts = [part.strip() for part in cookie.decode("latin-1").split(";")]
        lasts = self._served.login_seconds
        if lasts is not None and parts[0].startswith(_OF_LOGIN):
            parts = [
                f"Max-Age={min(int(part.partition('=')[2]), lasts)}" if part.lower().startswith("max-age=") else part
                for part in parts
            ]
        if self._served.https and "secure" not in (part.lower() for part in parts):
            parts.append("Secure")
        return "; ".join(parts).encode("latin-1")


class LocalOnly:
    """Middleware of a dashboard without login: it answers this computer only, whatever address it listens on.

    The API asks other computers for a key, so it is left to itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if (
            scope["type"] not in ("http", "websocket")
            or scope["path"].startswith("/api/")
            or comes_from_here(HTTPConnection(scope))
        ):
            await self._app(scope, receive, send)
            return
        await _refuse(scope, receive, send, "This Doorstep has no login, so it answers the computer it runs on only.")


class Files:
    """Middleware: gives and takes files only for whoever is signed in; Streamlit asks for no more than their address.

    The pictures are the logo's, which the way in shows.
    """

    def __init__(self, app: ASGIApp, served: Served, signed_in: SignedIn) -> None:
        self._app, self._served, self._signed_in = app, served, signed_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        path = _below(scope, self._served)
        is_file = path.startswith(_FILES) and not path.endswith(_PICTURES)
        if is_file and not await run_in_threadpool(self._signed_in, HTTPConnection(scope).cookies):
            await _refuse(scope, receive, send, "Sign in to Doorstep first.")
            return
        await self._app(scope, receive, send)


class AskedPage:
    """Middleware: after login, leads to the page that was asked for; Streamlit itself would lead to the first one.

    The page's address waits in a cookie of its own. It is taken from where the browser says it comes from, and only
    addresses of this server's pages are kept.
    """

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self._app, self._served = app, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        path = _below(scope, self._served)
        change: Callable[[HTTPConnection, Message], None] | None = {_LOGIN: self._keep, _CALLBACK: self._lead}.get(path)
        if change is None:
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                change(request, message)
            await send(message)

        await self._app(scope, receive, send_changed)

    def _keep(self, request: HTTPConnection, message: Message) -> None:
        referer = urlsplit(request.headers.get("referer", ""))
        asked = self._page(f"{referer.path}?{referer.query}" if referer.query else referer.path)
        if asked and referer.netloc == request.headers.get("host"):
            MutableHeaders(scope=message).append("set-cookie", self._cookie(quote(asked), _ASKED_SECONDS))

    def _lead(self, request: HTTPConnection, message: Message) -> None:
        kept = request.cookies.get(_ASKED, "")
        if not kept:
            return
        headers = MutableHeaders(scope=message)
        signed_in = any(_sets(cookie, _OF_LOGIN) for cookie in headers.getlist("set-cookie"))
        asked = self._page(unquote(kept))
        if signed_in and asked and 300 <= message["status"] < 400:
            headers["location"] = asked
        headers.append("set-cookie", self._cookie("", 0))

    def _page(self, address: str) -> str:
        """Return the address of a page on this server, "" for any other."""
        parts = urlsplit(address)
        path = parts.path.removeprefix(self._served.base).strip("/")
        if parts.scheme or parts.netloc or path not in self._served.pages or len(address) > _ASKED_MAX:
            return ""
        query = quote(parts.query, safe="=&+%-._~")
        return f"{self._served.base}/{path}{'?' if query else ''}{query}"

    def _cookie(self, value: str, seconds: int) -> str:
        return f"{_ASKED}={value}; Path={self._served.base or '/'}; Max-Age={seconds}; HttpOnly; SameSite=Lax"


class FirstPaint:
    """Middleware: gives the page its style and script from the first paint on, and the menu its place beforehand."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self._app, self._served = app, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        asked = _below(scope, self._served)
        if scope["type"] != "http" or asked not in self._served.pages:
            await self._app(scope, receive, send)
            return
        # The page is small: it is not worth compressing it first and taking it apart here.
        plain = [header for header in scope["headers"] if header[0] not in (b"accept-encoding", b"range")]
        started: list[Message] = []
        head = (_HEAD + _SERVER.format(page=asked)).encode()
        body = bytearray()

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            page = bytes(body).replace(b"</head>", head + b"</head>", 1)
            headers = MutableHeaders(scope=started[0])
            if "content-length" in headers and body:
                headers["content-length"] = str(len(page))
            await send(started[0])
            await send({"type": "http.response.body", "body": page})

        await self._app({**scope, "headers": plain}, receive, send_changed)


def _below(scope: Scope, served: Served) -> str:
    """Return the path of a request below the dashboard's own, "" for the first page and for a socket."""
    path: str = scope["path"] if scope["type"] == "http" else ""
    return path.removeprefix(served.base).strip("/")


def _sets(cookie: str, name: str) -> bool:
    value = cookie.partition(";")[0].removeprefix(f"{name}=")
    return cookie.startswith(f"{name}=") and value.strip('"') != ""


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).close(_POLICY_VIOLATION)
    else:
        await PlainTextResponse(f"{why}\n", 403)(scope, receive, send)


def _authority(origin: str) -> tuple[str, int] | None:
    """Return the host and port of an address such as "http://localhost:8501", None if it is none."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if parts.hostname is None or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        return None
    return parts.hostname, port
