"""The dashboard's own protection: sockets, cookies, closed addresses, the page asked for, and the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.dashboard import Served, dashboard_protection
from api.server import LOCAL_SCOPE, local_actor, settings
from core.access import Action
from core.errors import WrongUsage
from core.workflows.login.reach import network_fault
from core.workflows.operations.api_settings import read_settings

OWN = "http://127.0.0.1:8501"
LOCAL = Served(["127.0.0.1", "localhost"], frozenset(), "", frozenset({"", "pricing"}), False, None)
OFFICE = Served(["prices.example"], frozenset({"https://prices.example"}), "", frozenset({"", "pricing"}), True, 28_800)
HERE, ELSEWHERE = ("127.0.0.1", 50_000), ("203.0.113.9", 50_000)


async def page(_: Request) -> Response:
    answer = PlainTextResponse("here")
    answer.set_cookie("_streamlit_xsrf", "x", samesite="lax")
    return answer


async def callback(request: Request) -> Response:
    answer = RedirectResponse("/", 302)
    if "fail" not in request.query_params:
        answer.set_cookie("_streamlit_user", "kim", max_age=30 * 86_400, httponly=True, samesite="lax")
    return answer


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


def signed_in(cookies: Mapping[str, str]) -> bool:
    return cookies.get("_streamlit_user") == "kim"


def client(served: Served, base: str = OWN, caller: tuple[str, int] = HERE) -> TestClient:
    routes = [
        Route("/oauth2callback", callback),
        WebSocketRoute("/_stcore/stream", stream),
        Route("/{path:path}", page),
    ]
    app = Starlette(routes=routes, middleware=dashboard_protection("<html></html>", served, signed_in))
    return TestClient(app, base_url=base, client=caller, follow_redirects=False)


def connects(browser: TestClient, origin: str | None) -> bool:
    headers = {} if origin is None else {"origin": origin}
    # A test client names the host "testserver" on sockets unless told otherwise.
    headers["host"] = browser.base_url.netloc.decode()
    try:
        with browser.websocket_connect("/_stcore/stream", headers=headers):
            return True
    except WebSocketDisconnect as refused:
        return refused.code != 1008


@pytest.mark.parametrize(
    ("origin", "opened"),
    [
        (OWN, True),
        (None, False),
        ("", False),
        ("null", False),
        ("http://localhost:3000", False),
        ("http://127.0.0.1:8502", False),
        ("http://127.0.0.1", False),
        ("http://127.0.0.1:8501.evil.example", False),
        ("http://127.0.0.1:8501@evil.example", False),
        ("http://evil.example/http://127.0.0.1:8501", False),
        ("ws://127.0.0.1:8501", False),
    ],
)
def test_a_socket_opens_for_pages_of_this_very_server_only(origin: str | None, opened: bool) -> None:
    assert connects(client(LOCAL), origin) == opened


@pytest.mark.parametrize(
    ("origin", "opened"),
    [
        ("https://prices.example", True),
        ("https://prices.example:443", True),
        ("http://prices.example", False),
        ("https://prices.example:8443", False),
        ("https://other.example", False),
    ],
)
def test_behind_a_proxy_the_configured_address_counts_whatever_port_the_proxy_asks(origin: str, opened: bool) -> None:
    assert connects(client(OFFICE, "http://prices.example:8501", ELSEWHERE), origin) == opened


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/script-health-check"])
def test_what_nobody_needs_is_closed(path: str) -> None:
    for served, base in ((LOCAL, OWN), (OFFICE, "http://prices.example")):
        assert client(served, base).get(path).status_code == 404
    below = Served(["127.0.0.1"], frozenset(), "/desk", frozenset({""}), False, None)
    assert client(below).get(f"/desk{path}").status_code == 404


@pytest.mark.parametrize("path", ["/media/abc.csv", "/media/abc.pdf", "/media/abc", "/_stcore/upload_file/s/f"])
def test_files_are_given_to_whoever_is_signed_in_only(path: str) -> None:
    browser = client(OFFICE, "https://prices.example")
    assert browser.get(path).status_code == 403
    assert browser.get(path, headers={"cookie": "_streamlit_user=somebody"}).status_code == 403
    assert browser.get(path, headers={"cookie": "_streamlit_user=kim"}).status_code == 200
    assert browser.get("/media/logo.svg").status_code == 200
    assert client(LOCAL).get(path).status_code == 200


def test_without_login_other_computers_and_proxies_are_refused_also_on_an_open_address() -> None:
    assert client(LOCAL).get("/pricing").text == "here"
    assert client(LOCAL, caller=ELSEWHERE).get("/pricing").status_code == 403
    assert not connects(client(LOCAL, caller=ELSEWHERE), OWN)
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        refused = client(LOCAL).get("/pricing", headers={name: "203.0.113.9"})
        assert (refused.status_code, "no login" in refused.text) == (403, True)
    assert client(OFFICE, "http://prices.example", ELSEWHERE).get("/pricing").text == "here"
    # The API asks other computers for a key instead.
    assert client(LOCAL, caller=ELSEWHERE).get("/api/v1/health").status_code == 200


def test_cookies_go_over_tls_only_and_the_one_of_login_lasts_no_longer_than_a_sign_in() -> None:
    browser = client(OFFICE, "https://prices.example")
    [xsrf] = browser.get("/").headers.get_list("set-cookie")
    assert "Secure" in xsrf
    assert "samesite=lax" in xsrf.lower()
    login = browser.get("/oauth2callback").headers.get_list("set-cookie")[0].lower()
    assert {"httponly", "samesite=lax", "secure", "max-age=28800"} <= {part.strip() for part in login.split(";")}
    assert "secure" not in client(LOCAL).get("/").headers["set-cookie"].lower()


def test_transport_is_strict_where_tls_is_served() -> None:
    assert client(OFFICE, "https://prices.example").get("/").headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in client(LOCAL).get("/").headers


def after_login(asked_from: str, answer: str = "/oauth2callback", planted: str = "") -> str:
    """Where somebody is led who went to the login from an address."""
    browser = client(OFFICE, "https://prices.example")
    kept = browser.get("/auth/login?provider=t", headers={"referer": asked_from})
    if planted:
        browser.cookies.set("doorstep_asked", planted, domain="prices.example")
    for cookie in kept.headers.get_list("set-cookie"):
        if cookie.startswith("doorstep_asked="):
            assert {"HttpOnly", "SameSite=Lax", "Secure"} <= {part.strip() for part in cookie.split(";")}
    led = browser.get(answer)
    assert "doorstep_asked" not in browser.cookies
    return str(led.headers["location"])


def test_after_login_the_page_asked_for_comes_with_its_question() -> None:
    asked = "/pricing?estimate=b0bd53b67414af69&market=Larkhaven"
    assert after_login(f"https://prices.example{asked}") == asked
    assert after_login("https://prices.example/") == "/"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/pricing",
        "https://prices.example/unknown",
        "https://prices.example//evil.example/pricing",
        "https://prices.example/auth/logout",
        "https://prices.example:8443/pricing",
        f"https://prices.example/pricing?{'x' * 2_000}",
        "no address",
    ],
)
def test_no_other_address_is_led_to(address: str) -> None:
    assert after_login(address) == "/"


@pytest.mark.parametrize("planted", ["https%3A//evil.example/pricing", "//evil.example", "%5C%5Cevil.example", "/x"])
def test_nor_one_that_somebody_planted(planted: str) -> None:
    assert after_login("https://evil.example/", planted="%2Fpricing") == "/pricing"
    assert after_login("https://evil.example/", planted=planted) == "/"


def test_a_login_that_fails_leads_to_the_way_in() -> None:
    assert after_login("https://prices.example/pricing", "/oauth2callback?fail=1") == "/"


def test_a_line_break_in_the_question_does_not_reach_a_header() -> None:
    led = after_login("https://prices.example/pricing?estimate=%0d%0aSet-Cookie:%20a=b")
    assert led == "/pricing?estimate=%0d%0aSet-Cookie%3A%20a=b"


@pytest.mark.parametrize(
    ("address", "hosts", "told"),
    [
        ("127.0.0.1", ["127.0.0.1", "localhost"], ""),
        ("::1", ["[::1]", "localhost"], ""),
        ("localhost", ["localhost"], ""),
        ("127.8.8.8", ["localhost"], ""),
        ("0.0.0.0", ["localhost"], "server.address = '0.0.0.0' opens"),
        ("", ["localhost"], "server.address is not set, which opens"),
        ("192.168.1.5", ["localhost"], "server.address = '192.168.1.5' opens"),
        ("127.0.0.1", ["localhost", "prices.example"], "server.allowedHosts"),
        ("127.0.0.1", ["*"], "server.allowedHosts"),
        ("127.0.0.1", [], "server.allowedHosts"),
    ],
)
def test_a_server_without_login_starts_for_this_computer_only(address: str, hosts: list[str], told: str) -> None:
    assert network_fault(address, hosts).startswith(told)
    assert (network_fault(address, hosts) == "") == (told == "")


def test_with_login_a_program_on_this_computer_needs_a_key_unless_the_environment_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings({}).local
    assert not read_settings({}, login=True).local
    assert read_settings({"DOORSTEP_API_LOCAL": "on"}, login=True).local
    assert not read_settings({"DOORSTEP_LOGIN": "on"}).local
    with pytest.raises(WrongUsage, match="DOORSTEP_LOGIN = 'yes'"):
        read_settings({"DOORSTEP_LOGIN": "yes"})
    # The API alone looks where the dashboard would.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.delenv("DOORSTEP_API_LOCAL", raising=False)
    assert settings().local
    (tmp_path / ".streamlit").mkdir()
    for text in ('[auth]\nclient_id = "doorstep"\n', "not toml"):
        (tmp_path / ".streamlit" / "secrets.toml").write_text(text, encoding="utf-8")
        assert not settings().local


def test_a_program_on_this_computer_changes_no_data_model_limit_or_key() -> None:
    forbidden = {Action.INGEST, Action.TRAIN, Action.PROMOTE, Action.REJECT, Action.ACT_ON_ALERTS, Action.MANAGE_KEYS}
    assert local_actor().scope == LOCAL_SCOPE
    assert not LOCAL_SCOPE & forbidden
