"""The verbs of the REST API: its keys, and its server."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Final

from core.access import Action, Role
from core.cli.session import OK, AddVerb, Session
from core.cli.values import quoted, whole_number

if TYPE_CHECKING:
    from core.store.operations.api_keys import ApiKey

PORT: Final = 8600
_PORT_MAX: Final = 65_535
# Named and not imported: core stands without the API.
_SERVER: Final = "api.server:create"


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
    session.print_result(
        key_form(key) | {"text": text},
        lambda: f"{_key_text(key)}\n{text}\nKeep it now: it is not stored and cannot be shown again.",
    )
    return OK


def _list(session: Session) -> int:
    from core.workflows.api_keys import key_form, list_keys

    keys = list_keys(session.workspace)
    session.print_result(
        {"keys": [key_form(key) for key in keys]}, lambda: "\n".join(map(_key_text, keys)) or "no keys"
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

    options = session.options
    # The server opens its own store, in the process that it may start.
    os.environ["DOORSTEP_HOME"] = str(session.workspace.store.home)
    session.workspace.store.close()
    url = f"http://{options.host}:{options.port}/api/v1/docs"
    print(f"The API is described at {url}", flush=True)
    start_logging("warning" if options.quiet else "info")
    # Headers of a proxy do not make a caller local.
    uvicorn.run(
        _SERVER,
        factory=True,
        host=options.host,
        port=options.port,
        proxy_headers=False,
        log_config=None,
        access_log=False,
    )
    return OK


def _key_text(key: ApiKey) -> str:
    from core.wording import instant

    used = f"last used {instant(key.last_used_at)}" if key.last_used_at else "never used"
    state = f"revoked {instant(key.revoked_at)} by {key.revoked_by}" if key.revoked_at else used
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
