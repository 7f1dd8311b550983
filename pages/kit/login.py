"""Login: somebody is signed in by the identity provider, or sees the way in and nothing else.

Without [auth] in Streamlit's secrets there is no login: the local mode.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import streamlit as st
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from core.access import Actor
from core.errors import DoorstepError, SignInEnded
from core.store import Store
from core.workflows.login.identity import actor_of
from core.workflows.login.people import People
from core.workflows.login.sessions import Sessions
from core.workflows.login.settings import (
    DEMANDED,
    LoginSettings,
    check_provider,
    providers,
    read_login_settings,
    require_provider,
)
from pages.kit.text import plain

_CHECK_SECONDS: Final = 60
_STYLE: Final = """<style>
[data-testid="stMain"] .st-key-sign_in {
  max-width: 28rem; margin: 10vh auto 0; padding: 1.25rem 2rem 2rem; gap: 1.25rem;
}
</style>"""


def is_configured() -> bool:
    """Tell whether login is configured; once the environment demands it, losing the secrets opens nothing."""
    return os.environ.get(DEMANDED) == "on" or _has_provider()


def settings() -> LoginSettings:
    """Return the settings of login; raises WrongUsage for one that makes no sense."""
    table = st.secrets["doorstep"].to_dict() if "doorstep" in st.secrets else {}
    return read_login_settings(table, os.environ)


def address() -> str:
    """Return Doorstep's own address as browsers see it, such as "https://prices.example"."""
    parts = urlsplit(str(st.secrets["auth"]["redirect_uri"]).replace("{port}", str(st.get_option("server.port"))))
    return f"{parts.scheme}://{parts.netloc}"


def check() -> None:
    """Raise WrongUsage for anything that would keep everybody from signing in, or let anybody in without."""
    _require_provider()
    check_provider(st.secrets["auth"].to_dict())
    People(settings().people).check()


def enter(store: Store) -> Actor:
    """Return who is signed in and note that they are at work.

    Raises SignInEnded for somebody who is not, AccessDenied for somebody without a role, WrongUsage, StoreUnavailable.
    """
    _require_provider()
    claims = _claims()
    if not claims.get("is_logged_in"):
        raise SignInEnded("")
    known, people, sessions = _kept(_mark())
    actor = actor_of(claims, known, people)
    sessions.enter(store, claims, actor, datetime.now(UTC))
    return actor


def is_signed_in(store: Store, cookies: Mapping[str, str]) -> bool:
    """Tell whether a request's cookies are those of somebody who is signed in and has a role."""
    signed = _get_signed_cookie_with_chunks(dict(cookies), USER_COOKIE_NAME)
    try:
        claims = json.loads(signed or b"{}")
        known, people, sessions = _kept(_mark())
        return sessions.lasts(store, claims, actor_of(claims, known, people), datetime.now(UTC))
    except (ValueError, DoorstepError):
        return False


def draw_way_in(why: str) -> None:
    """Draw the way in; ``why`` says what ended the sign-in before, "" without one."""
    with _card():
        st.title("Sign in to Doorstep", anchor=False)
        if why:
            st.info(plain(why), icon=":material/schedule:")
        else:
            st.markdown("Use your company account. You come back to the page you asked for.")
        for name in providers(st.secrets["auth"].to_dict()):
            label = "Sign in" if name is None else f"Sign in with {plain(name.capitalize())}"
            if st.button(label, type="primary", icon=":material/login:", width="stretch", key=f"sign_in_{name}"):
                st.login(name)


def draw_denied(why: str) -> None:
    """Draw why somebody who is signed in may not come in, and the way out."""
    with _card():
        st.title("No access yet", anchor=False)
        st.warning(plain(why), icon=":material/lock:")
        if st.button("Sign out", icon=":material/logout:", width="stretch"):
            st.logout()


def draw_way_out(store: Store, actor: Actor) -> None:
    """Draw in the sidebar who is signed in and the way out, and watch that the sign-in lasts."""
    with st.sidebar.container(key="signed_in"):
        of = f", {plain(actor.office)}" if actor.office else ""
        st.caption(f"{plain(actor.name)}  \n{actor.role.value.capitalize()}{of}")
        if st.button("Sign out", key="sign_out", icon=":material/logout:", width="stretch"):
            _, _, sessions = _kept(_mark())
            sessions.end(store, _claims(), actor, datetime.now(UTC))
            st.logout()
            # Nothing more is drawn for whoever has gone: the browser is on its way out.
            st.stop()
    _watch(store, actor)


@st.fragment(run_every=_CHECK_SECONDS)
def _watch(store: Store, actor: Actor) -> None:
    """Leave the page once the sign-in is over, so that nobody reads on."""
    if not _lasts(store, actor):
        st.rerun()


def _lasts(store: Store, actor: Actor) -> bool:
    """Tell whether this session may go on; where that cannot be known, the page itself says why."""
    claims = _claims()
    try:
        _, _, sessions = _kept(_mark())
        return bool(claims.get("is_logged_in")) and sessions.lasts(store, claims, actor, datetime.now(UTC))
    except DoorstepError:
        return False


def _require_provider() -> None:
    require_provider(_has_provider())


def _has_provider() -> bool:
    # Reading a secret where there is no file would raise.
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def _card() -> Any:
    st.html(_STYLE)
    return st.container(key="sign_in", border=True)


def _claims() -> Mapping[str, Any]:
    claims: Mapping[str, Any] = st.user.to_dict()
    return claims


def _mark() -> str:
    """Return what tells one configuration from another, so that a changed one is read again."""
    table = st.secrets["doorstep"].to_dict() if "doorstep" in st.secrets else {}
    return repr((table, [(name, value) for name, value in os.environ.items() if name.startswith("DOORSTEP_")]))


@st.cache_resource(max_entries=4, show_spinner=False)
def _kept(mark: str) -> tuple[LoginSettings, People, Sessions]:
    known = settings()
    return known, People(known.people), Sessions(known)
