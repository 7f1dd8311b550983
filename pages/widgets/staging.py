"""Files brought to the page and not yet committed: kept on disk by the store, by id only in the visit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import streamlit as st

from core.collect.mapping import ColumnMapping
from core.errors import DoorstepError
from core.lifecycle import IntakePreview, NewMarket, SourceFile, SourcePreview, prepare_intake, preview_source
from core.problem import load_problem
from core.schema import Source
from core.store import Upload
from core.store.markets import AreaUnit
from pages.widgets import session

_STAGED: Final = "_staged"
_KEPT: Final = timedelta(days=1)


class Staged(NamedTuple):
    """A file of this visit: the upload in the store, the kind of file it is taken for, and its mapping."""

    upload_id: str
    source: Source
    mapping: ColumnMapping


class Destination(NamedTuple):
    """Where the sales are to go: the id of a market, or (with an empty id) what a new one is to be."""

    market_id: str
    name: str = ""
    currency: str = ""
    area_unit: AreaUnit = "sqft"

    def market(self) -> str | NewMarket:
        """Return it as the intake of files takes it."""
        return self.market_id or NewMarket(self.name, self.currency, self.area_unit)


def staged() -> list[Staged]:
    """Return the files of this visit in the order they came; to be changed through keep and drop."""
    files: list[Staged] = st.session_state.setdefault(_STAGED, [])
    return files


def bring(name: str, content: bytes) -> None:
    """Write a file to the store once, read it and guess its mapping; raises what makes it unusable, keeping nothing."""
    store, problem = session.store(), load_problem()
    store.uploads.sweep(_KEPT)
    upload = store.uploads.save(name, content, problem.intake.upload_mb * 1024 * 1024)
    if any(upload_of(file).sha256 == upload.sha256 for file in staged()):
        store.uploads.discard(upload.upload_id)
        return
    try:
        seen = preview(upload.upload_id, None)
    except DoorstepError:
        store.uploads.discard(upload.upload_id)
        raise
    staged().append(Staged(upload.upload_id, seen.source, seen.guess.mapping))


def keep(file: Staged) -> None:
    """Put a file with another kind or mapping in the place of the one it was."""
    files = staged()
    place = [one.upload_id for one in files].index(file.upload_id)
    files[place] = file


def drop(upload_id: str) -> None:
    """Forget a file and remove it from disk."""
    st.session_state[_STAGED] = [one for one in staged() if one.upload_id != upload_id]
    session.store().uploads.discard(upload_id)


def drop_all() -> None:
    """Forget all files of this visit."""
    for file in list(staged()):
        drop(file.upload_id)


def upload_of(file: Staged) -> Upload:
    """Return the stored upload; raises NotFound once it is gone."""
    return session.store().uploads.get(file.upload_id)


def preview(upload_id: str, source: Source | None) -> SourcePreview:
    """Return the file as read and guessed, of the given kind or the recognised one; read once, then remembered."""
    return _preview(str(session.store().home), upload_id, source.value if source else "")


@st.cache_resource(max_entries=16, show_spinner="Reading the file and guessing its columns…")
def _preview(home: str, upload_id: str, source: str) -> SourcePreview:
    upload = session.store().uploads.get(upload_id)
    return preview_source(upload.path, upload.name, load_problem(), Source(source) if source else None)


def check(files: Sequence[Staged], destination: Destination, today: date) -> IntakePreview:
    """Work out what committing would do; done once for the same files, mappings and data, then remembered.

    Raises what core.lifecycle.prepare_intake raises.
    """
    latest = session.store().versions.latest(destination.market_id) if destination.market_id else None
    version_id = latest.version_id if latest else ""
    names = tuple((file.upload_id, file.mapping.to_json()) for file in files)
    return _checked(str(session.store().home), names, destination, version_id, today)


# Few entries: each holds a market's whole table. All sessions share them, under upload ids nobody can guess.
@st.cache_resource(max_entries=2, show_spinner="Reading, merging and checking every row…")
def _checked(
    home: str, names: tuple[tuple[str, str], ...], destination: Destination, version_id: str, today: date
) -> IntakePreview:
    store = session.store()
    files = []
    for upload_id, mapping in names:
        upload = store.uploads.get(upload_id)
        files.append(SourceFile(upload.path, upload.name, ColumnMapping.from_json(mapping)))
    return prepare_intake(store, destination.market(), files, load_problem(), today, lambda fraction, message: None)
