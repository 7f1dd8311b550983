"""The verbs of data versions: listing them, undoing some, and using undone ones again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from core.cli.session import OK, AddVerb, Session, command
from core.errors import NotFound, PriceGivenAway, StaleVersion

_TRAINS: Final = ("train", "retrain")
_VERSION: Final = "id of the data version, as `versions` lists it, or its first characters"
_MARKET_OF_VERSION: Final = "market of the version, to be sure of it (default: the version's own)"


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    versions = verb(
        "versions", "list a market's data versions, how their files were read and what was inferred", _versions
    )
    versions.add_argument("--market", help="market (default: the only one)")
    undo = verb("undo-version", "undo a data version; the one it was built on is in use again", _undo_version)
    undo.add_argument("version", help=_VERSION)
    undo.add_argument("--market", help=_MARKET_OF_VERSION)
    undo.add_argument("--reason", required=True, help="why, for the audit trail")
    undo.add_argument(
        "--later",
        action="append",
        default=[],
        metavar="VERSION",
        help="a later version that was built on it and is undone with it (to be given for each)",
    )
    use = verb("use-version", "use an undone data version again", _use_version)
    use.add_argument("version", help=_VERSION)
    use.add_argument("--market", help=_MARKET_OF_VERSION)
    use.add_argument("--reason", default="", help="why, for the audit trail")
    use.add_argument(
        "--earlier",
        action="append",
        default=[],
        metavar="VERSION",
        help="an undone version that it was built on and that comes back with it (to be given for each)",
    )


def _versions(session: Session) -> int:
    from core.wording import market_instant
    from core.workflows.data.versions import history, intake_of

    market = session.market()
    records = history(session.workspace, market.market_id)
    intake = {one.version.version_id: intake_of(session.workspace, one.version.version_id) for one in records}
    document = {
        "versions": [
            {
                "version": one.version.version_id,
                "state": one.state,
                "sales": one.version.rows,
                "note": one.version.note,
                "created_at": one.version.created_at,
                "created_by": one.version.created_by,
                "models": one.models,
                "undone_at": one.undone_at,
                "undone_by": one.undone_by,
                "undone_because": one.reason,
                "can_be_used_again": one.returnable,
                "files": [asdict(file) for file in intake[one.version.version_id]],
            }
            for one in records
        ]
    }

    def text() -> str:
        lines = []
        for one in records:
            version = one.version
            lines.append(f"{version.version_id}  {one.state}  {version.rows:,} sales  {version.note}")
            if one.undone_at is not None:
                at = market_instant(one.undone_at, market.currency)
                lines.append(f"  undone by {one.undone_by}, {at}: {one.reason}")
            for file in intake[version.version_id]:
                lines.append(f"  {file.file}: {file.reading}")
                lines += [f"  {file.file}: {found.column}: {found}" for found in file.inferences]
        return "\n".join(lines) or "no versions yet"

    session.print_result(document, text)
    return OK


def _undo_version(session: Session) -> int:
    from core.workflows.data.versions import NOTHING_IN_USE, later_versions, undo_version

    workspace, options, version_id = session.workspace, session.options, _version_named(session)
    later = later_versions(workspace, version_id)
    were = "was" if len(later) == 1 else "were"
    why = f"{', '.join(later)} {were} built on {version_id} and can only be undone with it"
    _refuse_unnamed(session, "later", later, _again("undo-version", version_id, "later", later, options.reason), why)
    undone = undo_version(workspace, version_id, options.reason, later)
    version, restored = undone.version, undone.restored
    now = f"{restored.version_id} with {restored.rows:,} sales is in use" if restored else NOTHING_IN_USE
    document = {
        "market": version.market_id,
        "undone": version.version_id,
        "later": undone.later,
        "in_use": restored.version_id if restored else None,
        "sales": restored.rows if restored else 0,
        "models": undone.models,
    }

    def text() -> str:
        along = f", with {', '.join(undone.later)}" if undone.later else ""
        lines = [f"data version {version.version_id} of {version.market_id} is undone{along}; {now}"]
        if undone.later:
            back, *rest = undone.later
            again = _again("use-version", back, "earlier", (version.version_id, *reversed(rest)), "")
            lines.append(f"to take that back: {command(again, options.home)}")
        if undone.models:
            lines.append(
                f"trained on {'them' if undone.later else 'it'} and unchanged, live or not: {', '.join(undone.models)}"
            )
        return "\n".join(lines)

    session.print_result(document, text)
    return OK


def _use_version(session: Session) -> int:
    from core.workflows.data.versions import earlier_versions, redo_version

    workspace, options, version_id = session.workspace, session.options, _version_named(session)
    earlier = earlier_versions(workspace, version_id)
    were = "was" if len(earlier) == 1 else "were"
    why = f"{version_id} was built on {', '.join(earlier)}, which {were} undone, too: bring all back together"
    again = _again("use-version", version_id, "earlier", earlier, options.reason)
    _refuse_unnamed(session, "earlier", earlier, again, why)
    version = redo_version(workspace, version_id, options.reason, earlier)
    document = {"market": version.market_id, "in_use": version.version_id, "sales": version.rows}
    session.print_result(
        document,
        lambda: f"data version {version.version_id} of {version.market_id} with {version.rows:,} sales is in use again",
    )
    return OK


def without_price(session: Session, error: PriceGivenAway) -> PriceGivenAway:
    """Return a refusal with the options or commands that set the column aside, in place of the steps on the pages."""
    if error.columns and session.options.verb == "ingest":
        return PriceGivenAway(error.reason, _options_without(session, error.columns))
    if error.fact and session.options.verb in _TRAINS:
        return PriceGivenAway(error.reason, _commands_without(session, error.fact))
    return error


def _options_without(session: Session, columns: Sequence[tuple[str, str]]) -> str:
    """Say which options of the import leave columns out, and which keep them."""
    several = len(session.options.files) > 1
    out = [shlex.quote(f"{file}:{column}=" if several else f"{column}=") for file, column in columns]
    kept = [shlex.quote(column) for _, column in columns]
    return (
        f"Repeat the command with {' '.join(f'--map {one}' for one in out)} to leave it out, or with "
        f"{' '.join(f'--keep {one}' for one in kept)} to store it all the same: no model is trained while it is there."
    )


def _commands_without(session: Session, fact: str) -> str:
    """Say which commands undo the version that brought a fact, and import its file again without it."""
    from core.workflows.data.versions import brought_by

    market, home = session.market().market_id, session.options.home
    found = brought_by(session.workspace, market, fact)
    if found is None:
        return (
            f"Find the version that added it: {command(f'versions --market {market}', home)}. Undo it with "
            'undo-version, and ingest its file again with --map "COLUMN=", which leaves the column out.'
        )
    why = shlex.quote(f"{found.column} tells the price")
    undo = command(f"undo-version {found.version_id} --reason {why}", home)
    option, how = f"{found.column}=", "without the column"
    if fact == "sale_price":
        option, how = "COLUMN=sale_price", "with the column of whole prices named"
    again = f"ingest {shlex.quote(found.file)} --market {market} --map {shlex.quote(option)}"
    return f"Undo the version that added it: {undo}. Then import its file again {how}: {command(again, home)}"


def _refuse_unnamed(session: Session, option: str, needed: Sequence[str], again: str, why: str) -> None:
    """Raise StaleVersion unless the versions that go along are exactly those that ``option`` names, in any order.

    ``why`` says why they go along; ``again`` is the command that names them.
    """
    named = getattr(session.options, option)
    if set(needed) == {session.version_id(one) for one in named}:
        return
    if not needed:
        raise StaleVersion(
            f"No version goes along with this one, but --{option} names {', '.join(named)}; leave it out."
        )
    raise StaleVersion(f"{why}. To do so, repeat: {command(again, session.options.home)}. Nothing was changed.")


def _again(verb: str, version_id: str, option: str, along: Sequence[str], reason: str) -> str:
    """Return the whole command that takes the versions along."""
    named = "".join(f" --{option} {one}" for one in along)
    return f"{verb} {version_id}{named}" + (f" --reason {shlex.quote(reason)}" if reason else "")


def _version_named(session: Session) -> str:
    """Return the id of the version that is named; raises NotFound where it is of another market than is named."""
    options = session.options
    version_id = session.version_id(options.version)
    if options.market is None:
        return version_id
    wanted, version = session.market(), session.workspace.store.versions.get(version_id)
    if version.market_id != wanted.market_id:
        raise NotFound(
            f"Version {version_id} is of market {version.market_id!r}, not of {wanted.market_id!r}: name that "
            "market, or leave --market out."
        )
    return version_id
