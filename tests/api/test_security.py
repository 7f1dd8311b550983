"""The headers of every response, and the host names a server answers to."""

from __future__ import annotations

import base64
import hashlib

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.security import inline_script_digests, protection, security_headers
from tests.api.server import Answer, ask

SCRIPT = "window.prerenderReady = false"
PAGE = f'<html><script>{SCRIPT}</script><script src="./main.js"></script></html>'


def answer(host: str = "127.0.0.1:8501", hosts: tuple[str, ...] = ("127.0.0.1", "localhost")) -> Answer:
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))], middleware=protection(PAGE, hosts))
    return ask(app, "/", host)


def test_the_inline_scripts_of_the_page_and_no_others_may_run() -> None:
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert inline_script_digests(PAGE) == [digest]
    policy = security_headers(PAGE)["Content-Security-Policy"]
    [scripts] = [part for part in policy.split("; ") if part.startswith("script-src ")]
    assert scripts == f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}'"


def test_a_page_without_inline_scripts_lets_none_run() -> None:
    policy = security_headers("<html></html>")["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    assert "'unsafe-eval'" not in policy


def test_pictures_of_one_origin_more_may_be_shown_and_nothing_else_may_be_fetched() -> None:
    plain, opened = security_headers(PAGE), security_headers(PAGE, "https://tiles.example.com")
    policy = opened.pop("Content-Security-Policy")
    assert policy == plain.pop("Content-Security-Policy").replace("blob:;", "blob: https://tiles.example.com;", 1)
    assert policy.count("tiles.example.com") == 1
    assert "img-src 'self' data: blob: https://tiles.example.com;" in policy
    assert opened == plain


def test_every_response_carries_the_headers() -> None:
    headers = answer().headers
    for name, value in security_headers(PAGE).items():
        assert headers[name.lower()] == value
    assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8501"])
def test_a_host_name_of_this_server_is_answered(host: str) -> None:
    assert answer(host).body == b"here"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "www.localhost"])
def test_a_foreign_host_name_is_refused(host: str) -> None:
    assert answer(host).status == 400


def test_any_host_name_is_answered_where_none_is_configured() -> None:
    assert answer("doorstep.example", ()).body == b"here"
