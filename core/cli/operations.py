"""The verbs of whoever runs Doorstep: signing models, checking, backup and restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.cli.session import FAILED, OK, AddVerb, Session

if TYPE_CHECKING:
    from core.workflows.operations.signing import Signed


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    sign = verb("sign", "sign models with the first signing key, all of them if none is named", _sign)
    sign.add_argument("models", nargs="*", metavar="MODEL", help="ids of models, as `models` lists them")
    sign.add_argument(
        "--vouch",
        action="store_true",
        help="also sign models without a valid signature: only if you trust everybody who could write to the store",
    )


def _sign(session: Session) -> int:
    from core.workflows.operations.signing import sign_models

    options = session.options
    found = sign_models(session.workspace, options.models, vouch=options.vouch)
    session.print_result(
        {"models": [_signed_form(one) for one in found]},
        lambda: "\n".join(map(_signed_text, found)) or "no models",
    )
    return FAILED if any(one.refused for one in found) else OK


def _signed_form(one: Signed) -> dict[str, object]:
    return {"model": one.record.model_id, "signed": one.changed, "refused": one.refused or None}


def _signed_text(one: Signed) -> str:
    if one.refused:
        return f"{one.record.model_id}  not signed: {one.refused}"
    made = f"trained {one.record.created_at:%Y-%m-%d} by {one.record.created_by}"
    return f"{one.record.model_id}  {'signed' if one.changed else 'signed already'}, {made}"
