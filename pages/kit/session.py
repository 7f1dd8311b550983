"""What a page may ask about this session: the store, the actor, and the open market."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import streamlit as st

from core.access import Action, Actor, Role, least_role
from core.errors import AccessDenied
from core.problem import Problem, load_problem
from core.store import Market, Store, open_store
from core.wording import either
from core.workflows.columns.names import use_names_of
from core.workspace import Workspace
from pages.kit import login, navigation
from pages.kit.text import plain

ROLE_KEY: Final = "role"
MARKET_KEY: Final = "market"
_NEXT_ROLE: Final = "_next_role"
_NEXT_MARKET: Final = "_next_market"
_OPEN_MARKET: Final = "_open_market"
SIMULATED: Final = "Simulated"
_TOUR: Final = "_tour"
_FIRST_PRICE: Final = "_first_price"
_LOCAL_USER: Final = "local user"
_SIGNED_IN: Final = "_signed_in"


def store() -> Store:
    """Return the store, opened once for all sessions; raises StoreUnavailable."""
    return _opened(os.environ.get("DOORSTEP_HOME", ""), os.environ.get("DATABASE_URL", ""))


@st.cache_resource(show_spinner=False)
def _opened(home: str, database_url: str) -> Store:
    # The arguments are what open_store reads from the environment, so another folder gives another store.
    return open_store()


def enter() -> Actor:
    """Return who is at work, and draw in the sidebar what changes that: the way out or, in local mode, the role.

    Raises SignInEnded for somebody who has to sign in, AccessDenied for somebody without a role, WrongUsage,
    StoreUnavailable.
    """
    if login.is_configured():
        st.session_state.pop(_SIGNED_IN, None)
        actor = login.enter(store())
        st.session_state[_SIGNED_IN] = actor
        return actor
    _choose_role()
    return current_actor()


def current_actor() -> Actor:
    """Return the current actor; raises AccessDenied outside the shell, where nobody entered."""
    if login.is_configured():
        actor = st.session_state.get(_SIGNED_IN)
        if not isinstance(actor, Actor):
            raise AccessDenied("Nobody is signed in to this session. Open Doorstep from its first page.")
        return actor
    role = st.session_state.get(ROLE_KEY)
    if role not in [known.value for known in Role]:
        raise AccessDenied("No role was chosen for this session. Open Doorstep from its first page.")
    return Actor(_user_name(), Role(role))


def act_as(role: Role) -> None:
    """Take another role in local mode; only for callbacks, which run before the selector is drawn."""
    if not login.is_configured():
        st.session_state[ROLE_KEY] = role.value


def act_next_as(role: Role) -> None:
    """Take another role in local mode from the next run on."""
    st.session_state[_NEXT_ROLE] = role


def _choose_role() -> None:
    """Draw local mode's role selector; the role is the least one until somebody chooses another."""
    asked = st.session_state.pop(_NEXT_ROLE, None)
    if isinstance(asked, Role):
        act_as(asked)
    _read_any_case()
    st.sidebar.selectbox(
        "Local mode: act as",
        [role.value for role in Role],
        format_func=str.capitalize,
        key=ROLE_KEY,
        bind="query-params",
    )
    # A caption and no help: an icon of help would be one more stop of the Tab key on every page.
    st.sidebar.caption("No login: anyone on this computer can choose a role. It is recorded with your user name.")


def _read_any_case() -> None:
    """Write the role in the address as the selector writes it; another word than a role's leaves the least role."""
    asked = st.query_params.get(ROLE_KEY, "")
    if ROLE_KEY not in st.session_state and asked.casefold() in [role.value for role in Role]:
        st.session_state[ROLE_KEY] = asked.casefold()


@st.cache_resource(max_entries=1, show_spinner=False)
def problem() -> Problem:
    """Return the problem statement in use, read once for all sessions; raises ProblemStatementError."""
    return load_problem()


def workspace() -> Workspace:
    """Return this session's workspace; raises AccessDenied outside the shell, StoreUnavailable."""
    return Workspace(store(), problem(), current_actor())


def guard(path: str) -> Workspace:
    """Return the session's workspace if its role may open the page at this address; call it first on each page.

    Raises AccessDenied, which the shell shows instead of the page.
    """
    page, actor = navigation.page_at(path), current_actor()
    if actor.role not in page.roles:
        raise AccessDenied(f"The page “{page.title}” is not open to the role {actor.role}. {_who_may(page.roles)}")
    return workspace()


def who_trains() -> str:
    """Return what to do for a first model, for a role that may not train one."""
    return _who_may(frozenset([least_role(Action.INGEST, Action.TRAIN)]), " to train one")


def _who_may(roles: Collection[Role], deed: str = "") -> str:
    able = either(role.value for role in Role if role in roles)
    return f"Ask your {able}{deed}." if login.is_configured() else f"Act as {able}{deed} (in the sidebar)."


def choose_market(markets: Sequence[Market], usual: Callable[[], str | None]) -> Market | None:
    """Return the open market: the only one by name, one of several by a selector in the sidebar; None if none.

    A session keeps its market, whatever markets are made meanwhile; ``usual`` says once which one it begins with, and
    the first by name does where it says none.
    """
    by_id = {market.market_id: market for market in markets}
    wanted = st.session_state.pop(_NEXT_MARKET, None)
    wanted = wanted if wanted in by_id else _linked(markets)
    if len(by_id) > 1 and MARKET_KEY not in st.session_state:
        if wanted in by_id:
            _name_in_address(by_id[wanted])
        elif st.query_params.get(MARKET_KEY, "") not in map(title_of, markets):
            _name_in_address(by_id[_begins_with(by_id, usual)])
    if len(by_id) > 1 and wanted in by_id:
        st.session_state[MARKET_KEY] = wanted
    chosen = _selected(by_id, lambda: _begins_with(by_id, usual))
    st.session_state[_OPEN_MARKET] = chosen
    return chosen


def _name_in_address(begun: Market) -> None:
    """Write the market that a session begins with into the address in the selector's words, and reread.

    Once the selector is drawn, it alone writes there.
    """
    if st.query_params.get(MARKET_KEY, "") != title_of(begun):
        st.query_params[MARKET_KEY] = title_of(begun)
        st.rerun()


def _begins_with(by_id: Mapping[str, Market], usual: Callable[[], str | None]) -> str:
    """Return the market that is open where neither a person nor the address names one: the one open before, if any."""
    before = market()
    kept = before.market_id if before is not None else usual()
    return kept if kept is not None and kept in by_id else next(iter(by_id))


def _linked(markets: Sequence[Market]) -> str | None:
    """Return the id of the market that a link names by id or name, in any letters; None where the selector knows it."""
    named = str(st.query_params.get(MARKET_KEY, "")).strip()
    if not named or not markets or named in map(title_of, markets):
        return None
    for one in markets:
        if named.casefold() in (one.market_id.casefold(), one.name.casefold()):
            return one.market_id
    st.toast(plain(f"There is no market “{named}” here; another one is open."), icon=":material/help:")
    return None


def open_market(market_id: str) -> None:
    """Make this the open market as of the next rerun; follow it with st.rerun() or st.switch_page()."""
    st.session_state[_NEXT_MARKET] = market_id


def offer_tour(market_id: str) -> None:
    """Show whoever opened the demo city around, once: on a first home that is already priced."""
    st.session_state[_TOUR] = st.session_state[_FIRST_PRICE] = market_id


def tour_offered(market: Market) -> bool:
    """Tell whether the tour of a simulated market is open; it never comes back once it is closed."""
    return market.simulated and st.session_state.get(_TOUR) == market.market_id


def close_tour() -> None:
    """Close the tour for good; for callbacks."""
    st.session_state.pop(_TOUR, None)


def take_first_price(market: Market) -> bool:
    """Tell, once, that the tour's first home is to be priced."""
    return tour_offered(market) and st.session_state.pop(_FIRST_PRICE, None) is not None


def market() -> Market | None:
    """Return the open market, None if there is no market."""
    chosen = st.session_state.get(_OPEN_MARKET)
    return chosen if isinstance(chosen, Market) else None


def use_names() -> None:
    """Show the open market's own columns by their names; a fragment, which runs on its own, calls it first."""
    opened = market()
    use_names_of(store(), opened.market_id if opened is not None else None)


def title_of(market: Market) -> str:
    """Return the market's name, with a label if it is simulated."""
    return f"{market.name} (simulated)" if market.simulated else market.name


def _selected(by_id: Mapping[str, Market], begins_with: Callable[[], str]) -> Market | None:
    """Draw the open market, with a selector of several, and keep it in the address of every page; return it."""
    if not by_id:
        return None
    if len(by_id) == 1:
        [only] = by_id.values()
        # A link stays with its market once there are several.
        if st.query_params.get(MARKET_KEY, "") != title_of(only):
            st.query_params[MARKET_KEY] = title_of(only)
        st.sidebar.markdown(f"Market: **{plain(only.name)}**")
        _label(only)
        return only
    chosen = st.sidebar.selectbox(
        "Market",
        list(by_id),
        # The selector leaves its default out of the address, so it has none.
        None,
        format_func=lambda market_id: title_of(by_id[market_id]),
        key=MARKET_KEY,
        bind="query-params",
        required=True,
    )
    if chosen is None or chosen not in by_id:
        # Led back to an address of before there were several: the next run names the market there.
        open_market(begins_with())
        st.rerun()
    found = by_id[chosen]
    _label(found)
    return found


def _label(market: Market) -> None:
    """Label a simulated market in its box."""
    if market.simulated:
        st.sidebar.badge(SIMULATED, icon=":material/science:", color="orange", help="Its homes and sales are invented.")


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a user id without a name
        return _LOCAL_USER
