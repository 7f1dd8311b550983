"""The verbs of the REST API: its keys, and its server."""

from __future__ import annotations

import argparse
import errno
import os
import socket
from typing import TYPE_CHECKING, Final

from core.access import Action, Role
from core.cli.session import FAILED, OK, AddVerb, Session
from core.cli.values import quoted, whole_number
from core.errors import WrongUsage

if TYPE_CHECKING:
    from core.store.operations.api_keys import ApiKey

PORT: Final = 8600
_PORT_MAX: Final = 65_535
# Named and not imported: core stands without the API.
_SERVER: Final = "api.server:create"
_BACKLOG: Final = 2_048


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    key = verb("create-key", "create an API key, shown once", _create)
    key.add_argument("name", help="name of its holder, for the ledger and the audit trail")
    key.add_argument(
        "--as-role",
        choices=[role.value for role in Role],
        default=Role.AGENT.value,
        help="role the holder acts in (default: %(default)s)",
    )
    key.add_argument("--office", default="", help="office whose estimates it sees and makes (default: all)")
    key.add_argument(
        "--allow",
        nargs="+",
        action="extend",
        type=_action,
        default=[],
        metavar="ACTION",
        help=f"only these actions, such as price (default: all of the role): {', '.join(map(_word, Action))}",
    )
    verb("keys", "list the API keys and when each was last used", _list)
    verb("revoke-key", "make an API key invalid at once", _revoke).add_argument(
        "key", help="its id, as `keys` lists it"
    )
    serve = verb("serve", "serve the REST API alone, without the dashboard", _serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    port = whole_number(1, _PORT_MAX)
    serve.add_argument("--port", type=port, default=PORT, help="port to listen on (default: %(default)s)")


def _create(session: Session) -> int:
    from core.workflows.api_keys import create_key, key_form

    options = session.options
    key, text = create_key(session.workspace, options.name, Role(options.as_role), options.office, options.allow)
    currency = session.workspace.store.markets.common_currency()
    session.print_result(
        key_form(key) | {"text": text},
        lambda: f"{_key_text(key, currency)}\n{text}\nKeep it now: it is not stored and cannot be shown again.",
    )
    return OK


def _list(session: Session) -> int:
    from core.workflows.api_keys import key_form, list_keys

    keys = list_keys(session.workspace)
    currency = session.workspace.store.markets.common_currency()
    session.print_result(
        {"keys": [key_form(key) for key in keys]},
        lambda: "\n".join(_key_text(key, currency) for key in keys) or "no keys",
    )
    return OK


def _revoke(session: Session) -> int:
    from core.workflows.api_keys import key_form, revoke_key

    key = revoke_key(session.workspace, session.options.key)
    session.print_result(key_form(key), lambda: f"key {key.key_id} ({key.name}) is revoked")
    return OK


def _serve(session: Session) -> int:
    import uvicorn

    from core.workflows.operations.logs import start_logging
    from core.workflows.operations.settings import check_settings

    options, home = session.options, session.workspace.store.home
    check_settings(home)
    # The server opens its own store, in the process that it may start.
    os.environ["DOORSTEP_HOME"] = str(home)
    session.workspace.store.close()
    # Headers of a proxy do not make a caller local.
    config = uvicorn.Config(_SERVER, factory=True, proxy_headers=False, log_config=None, access_log=False)
    config.load()
    with listening_socket(options.host, options.port) as listening:
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"The API is described at http://{host}:{options.port}/api/v1/docs", flush=True)
        start_logging("warning" if options.quiet else "info")
        server = uvicorn.Server(config)
        server.run(sockets=[listening])
    return OK if server.started else FAILED


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises WrongUsage for an address that is taken, unknown or not this computer's."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise WrongUsage(
                f"Port {port} of {host} is taken by another program. Stop it, or name another port with --port."
            ) from error
        if error.errno == errno.EACCES:
            raise WrongUsage(
                f"This account may not listen on port {port}. Name one above 1,023 with --port, and put a proxy before "
                "it."
            ) from error
        raise WrongUsage(
            f"Doorstep cannot listen on {quoted(host)} ({error.strerror or error}). Name an address of this computer "
            "with --host, such as 127.0.0.1."
        ) from error
    return listening


def _key_text(key: ApiKey, currency: str) -> str:
    from core.wording import market_instant

    used = f"last used {market_instant(key.last_used_at, currency)}" if key.last_used_at else "never used"
    state = f"revoked {market_instant(key.revoked_at, currency)} by {key.revoked_by}" if key.revoked_at else used
    office = key.office or "all offices"
    return f"{key.key_id}  {key.name}, {key.role}, {office}; may {', '.join(key.actions)}; {state}"


def _action(text: str) -> Action:
    found = next((action for action in Action if _word(action) == text), None)
    if found is None:
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not an action; choose from: {', '.join(map(_word, Action))}"
        )
    return found


def _word(action: Action) -> str:
    return action.name.lower().replace("_", "-")
