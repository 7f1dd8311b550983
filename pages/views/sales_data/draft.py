"""Files uploaded but not yet committed: kept in the store as the person's draft, which survives a reload."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

import streamlit as st

from core.collect.columns.near_misses import are_listings as listings_of
from core.collect.mapping import ColumnMapping
from core.collect.mapping_file import mapping_from_json, mapping_to_json
from core.collect.privacy.findings import PersonalColumn
from core.collect.privacy.read_file import ReadFile, read_file, scrubbed
from core.collect.reading.table import RawTable, ReadingChoice
from core.errors import DoorstepError
from core.prepare.quality.corrections import Repeats
from core.progress import silent
from core.schema import Source
from core.store import Upload
from core.store.base.markets import USUAL_CURRENCY, AreaUnit
from core.store.sales.drafts import UPLOADS
from core.store.sales.uploads import display_name
from core.workflows.data.inspection import Inspection, inspect_intake
from core.workflows.data.intake import IntakePreview, prepare_intake
from core.workflows.data.market_of_files import NewMarket, customs_of, market_id_of
from core.workflows.data.source_preview import SourcePreview, preview_read
from core.workflows.source_files.customs import NO_CUSTOMS, Customs, as_customary
from core.workflows.source_files.reading import SourceFile
from core.workflows.source_files.refusals import may_hold_sales
from pages.kit import session

KEPT: Final = timedelta(days=14)
"""How long a draft and its files wait for the person to come back."""

_SHOWN: Final = "_draft_shown"

# An upload without a draft was interrupted, or another tab discarded its draft.
_LOST: Final = timedelta(days=1)


class Step(StrEnum):
    """The current step of the flow."""

    FILES = "files"
    COLUMNS = "columns"
    CHECK = "check"
    PREVIEW = "preview"
    COMMIT = "commit"


class Staged(NamedTuple):
    """A staged file: its upload, its kind, its mapping, what was removed of persons, and how it was read.

    ``kept`` names the text columns that fit no field and were kept because the person named them, and ``repeats`` says
    what other facts of stored sales do.
    """

    upload_id: str
    source: Source
    mapping: ColumnMapping
    dropped: tuple[PersonalColumn, ...] = ()
    kept: tuple[str, ...] = ()
    reading: str = ""
    repeats: Repeats = Repeats.STAY


class Destination(NamedTuple):
    """Where the sales go: the id of a market or, with a name, the properties of a new one.

    With both, it is a market without sales in use, which takes these properties with its next sales.
    """

    market_id: str = ""
    name: str = ""
    currency: str = USUAL_CURRENCY
    area_unit: AreaUnit = "sqft"

    def market(self) -> str | NewMarket:
        """Return it in the form the intake needs."""
        return NewMarket(self.name, self.currency, self.area_unit) if self.name else self.market_id

    def customs(self) -> Customs:
        """Return how its files are read where they leave it open (as the intake reads them)."""
        market = self.market()
        return customs_of(session.store(), market) if market else customs_of(session.store(), None, self.area_unit)

    def is_complete(self) -> bool:
        """Tell whether it names a market, and of a new one the currency of its prices."""
        return bool(self.currency and (self.market_id or self.name))


@dataclass(frozen=True)
class Draft:
    """Everything one person has staged.

    ``checked`` is the mark of the files and mappings that passed the check, ``idle`` whether they would change nothing,
    ``same`` the address pairs that a person had confirmed as the same home at that time. ``note`` is for the record.
    """

    files: tuple[Staged, ...] = ()
    destination: Destination | None = None
    step: Step = Step.FILES
    checked: str = ""
    same: tuple[tuple[str, str], ...] = ()
    idle: bool = False
    note: str = ""

    def mark(self) -> str:
        """Return a mark of what a check depends on: it changes with any file, any mapping and the destination."""
        aim = [*map(str, self.destination or ())]
        parts = [aim, self.same, [[one.upload_id, mapping_to_json(one.mapping), one.repeats] for one in self.files]]
        return hashlib.sha256(json.dumps(parts).encode("utf-8")).hexdigest()[:16]

    @property
    def passed(self) -> bool:
        """Whether the current files passed the check."""
        return self.checked == self.mark()


def draft() -> Draft:
    """Return the actor's draft without files that are gone; raises StoreUnavailable."""
    document = session.store().drafts.load(session.current_actor())
    return Draft() if document is None else _read(document)


class Shown(NamedTuple):
    """The files that this session shows: ids of their uploads, names, SHA-256 hashes, and since when (UTC)."""

    upload_ids: frozenset[str]
    names: tuple[str, ...]
    contents: frozenset[str]
    since: datetime


def taken_away(held: Draft, now: datetime) -> Shown | None:
    """Return the files that this session showed, once all of them are gone by a deed in another tab or window.

    All tabs of a person share the draft; ``held`` is what it is now, which is shown from here on.
    """
    shown: Shown | None = st.session_state.get(_SHOWN)
    ids = frozenset(file.upload_id for file in held.files)
    if shown is not None and shown.upload_ids == ids:
        return None
    uploads = [upload_of(file) for file in held.files]
    names, contents = tuple(one.name for one in uploads), frozenset(one.sha256 for one in uploads)
    st.session_state[_SHOWN] = Shown(ids, names, contents, now)
    return shown if shown is not None and shown.upload_ids and not shown.upload_ids & ids else None


def staged() -> tuple[Staged, ...]:
    """Return the staged files in upload order."""
    return draft().files


def bring(name: str, content: bytes, kept: Sequence[str] = (), choice: ReadingChoice | None = None) -> None:
    """Remove personal data from a file, write the rest to the store once, and guess its mapping; it is read only once.

    ``kept`` names text columns to keep although they fit no field, ``choice`` says how to read it; a file brought again
    for the sake of either replaces the one of its name. If the file is unusable, raises the error and keeps nothing.
    """
    store, limit = session.store(), session.problem().intake.upload_bytes
    store.drafts.forget(KEPT)
    store.uploads.sweep(_LOST, store.drafts.uploads())
    clean = scrubbed(content, display_name(name), limit, kept, choice)
    upload = store.uploads.save(name, clean.content, limit)
    if kept or choice:
        for file in draft().files:
            if upload_of(file).name == upload.name:
                drop(file.upload_id)
    held = draft()
    if any(upload_of(file).sha256 == upload.sha256 for file in held.files):
        store.uploads.discard(upload.upload_id)
        return
    try:
        _table(str(store.home), upload.upload_id, tuple(kept), clean.read)
        seen = preview(upload.upload_id, None, tuple(kept))
    except DoorstepError:
        store.uploads.discard(upload.upload_id)
        raise
    columns = tuple(column for column in kept if column in seen.columns)
    reading = clean.reading.describe()
    file = Staged(upload.upload_id, seen.source, guessed(seen, held.destination), clean.read.personal, columns, reading)
    _write(replace(held, files=(*held.files, file)))


def as_kept(file: Staged) -> Staged:
    """Return a staged file as the draft has it now."""
    return next(one for one in draft().files if one.upload_id == file.upload_id)


def keep(file: Staged) -> None:
    """Replace a staged file with one of another kind or mapping."""
    held = draft()
    files = tuple(file if one.upload_id == file.upload_id else one for one in held.files)
    _write(replace(held, files=files))


def aim(destination: Destination) -> None:
    """Remember where the sales go; files mapped as guessed are read as that market's files are."""
    held = draft()
    if held.destination == destination:
        return
    files = []
    for file in held.files:
        seen = preview(file.upload_id, file.source, file.kept)
        as_guessed = file.mapping == guessed(seen, held.destination)
        files.append(file._replace(mapping=guessed(seen, destination)) if as_guessed else file)
    _write(replace(held, files=tuple(files), destination=destination))


def guessed(seen: SourcePreview, destination: Destination | None) -> ColumnMapping:
    """Return the guessed mapping of a file for the market it goes to."""
    customs = destination.customs() if destination is not None else NO_CUSTOMS
    return as_customary(seen.read.table, seen.guess.mapping, customs)


def go(step: Step) -> None:
    """Remember the current step."""
    _write(replace(draft(), step=step))


def market_id(held: Draft) -> str:
    """Return the id of the market the files go to, or the id a new one will get."""
    return market_id_of((held.destination or Destination()).market())


def same(of_market: str) -> tuple[tuple[str, str], ...]:
    """Return the address pairs that a person confirmed as the same home, in order."""
    return tuple(sorted(pair for pair, is_same in session.store().matches.of(of_market).items() if is_same))


def apply_answers() -> None:
    """Copy the answers to near matches into the draft, so that a change triggers a new check."""
    held = draft()
    answers = same(market_id(held))
    if held.files and answers != held.same:
        _write(replace(held, same=answers))


def passed(idle: bool) -> None:
    """Remember that the current files passed the check, and whether they would change nothing."""
    held = draft()
    if not held.passed or held.idle != idle:
        _write(replace(held, checked=held.mark(), idle=idle))


def take_facts(repeats: Repeats) -> None:
    """Remember what other facts of stored sales do, of all staged files."""
    held = draft()
    _write(replace(held, files=tuple(file._replace(repeats=repeats) for file in held.files)))


def noted(note: str) -> None:
    """Remember the note for the record as it is typed so far."""
    _write(replace(draft(), note=note))


def drop(upload_id: str) -> None:
    """Forget a file and remove it from disk."""
    held = draft()
    _write(replace(held, files=tuple(one for one in held.files if one.upload_id != upload_id)))
    st.session_state.pop(_SHOWN, None)
    session.store().uploads.discard(upload_id)


def drop_all() -> None:
    """Forget the draft and remove its files from disk."""
    files = draft().files
    st.session_state.pop(_SHOWN, None)
    session.store().drafts.discard(session.current_actor())
    for file in files:
        session.store().uploads.discard(file.upload_id)


def upload_of(file: Staged) -> Upload:
    """Return the stored upload; raises NotFound once it is gone."""
    return session.store().uploads.get(file.upload_id)


def preview(upload_id: str, source: Source | None, kept: tuple[str, ...]) -> SourcePreview:
    """Return the file as read and guessed, of the given kind or the recognized one; read once, then remembered."""
    return _preview(str(session.store().home), upload_id, source.value if source else "", kept)


@st.cache_resource(max_entries=16, show_spinner="Guessing the columns…")
def _preview(home: str, upload_id: str, source: str, kept: tuple[str, ...]) -> SourcePreview:
    return preview_read(_table(home, upload_id, kept), Source(source) if source else None)


@st.cache_resource(max_entries=16, show_spinner="Reading the file…")
def _table(home: str, upload_id: str, kept: tuple[str, ...], _read_already: ReadFile | None = None) -> ReadFile:
    """Return a staged file as read: as it was when it came, or from disk once that is forgotten."""
    if _read_already is not None:
        return _read_already
    upload = session.store().uploads.get(upload_id)
    return read_file(upload.path, upload.name, session.problem().intake.upload_bytes, kept)


def tables(held: Draft) -> dict[str, RawTable]:
    """Return the staged files as read, by name."""
    read = (preview(file.upload_id, file.source, file.kept).read.table for file in held.files)
    return {table.name: table for table in read}


def are_listings(held: Draft) -> bool:
    """Tell whether some staged file has homes for sale, and none has sales."""
    tables = [(file, preview(file.upload_id, file.source, file.kept).read.table) for file in held.files]
    listings = [file for file, table in tables if listings_of(table, file.mapping)]
    sales = [file for file in held.files if file.source is Source.SALES and file not in listings]
    return bool(listings) and not sales


def lack_prices(held: Draft) -> bool:
    """Tell whether no staged file has sales, and some has homes whose prices are missing: it completes no sales."""
    seen = [(preview(file.upload_id, file.source, file.kept).read.table, file.mapping) for file in held.files]
    has_sales = any(file.source is Source.SALES for file in held.files)
    return not has_sales and may_hold_sales([table for table, _ in seen], [mapping for _, mapping in seen])


def check(held: Draft, today: date) -> IntakePreview:
    """Compute what committing would do, once for the same files, mappings and data, then cached.

    Raises as prepare_intake does.
    """
    destination = held.destination or Destination()
    latest = session.store().versions.latest(destination.market_id) if destination.market_id else None
    version_id = latest.version_id if latest else ""
    names = tuple(
        (file.upload_id, mapping_to_json(file.mapping), file.kept, file.reading, file.repeats) for file in held.files
    )
    return _checked(str(session.store().home), names, destination, (version_id, held.same), today)


# Few entries: each holds a market's full table. All sessions share them, under upload ids nobody can guess.
@st.cache_resource(max_entries=2, show_spinner="Reading, merging and checking every row…")
def _checked(
    home: str,
    names: tuple[tuple[str, str, tuple[str, ...], str, Repeats], ...],
    destination: Destination,
    rests_on: object,
    today: date,
) -> IntakePreview:
    store = session.store()
    files = []
    for upload_id, mapping, kept, reading, repeats in names:
        upload = store.uploads.get(upload_id)
        read = _table(home, upload_id, kept)
        known = mapping_from_json(mapping)
        files.append(SourceFile(upload.path, upload.name, known, read, reading=reading, repeats=repeats))
    return prepare_intake(session.workspace(), destination.market(), files, silent)


def inspected(held: Draft, today: date) -> Inspection:
    """Inspect the result of ``check``, once for the same input, then cached. Raises as ``check`` does."""
    destination = held.destination or Destination()
    latest = session.store().versions.latest(destination.market_id) if destination.market_id else None
    return _inspected(str(session.store().home), held.mark(), latest.version_id if latest else "", today, held)


@st.cache_resource(max_entries=4, show_spinner="Comparing each column with the stored sales…")
def _inspected(home: str, mark: str, version_id: str, today: date, _held: Draft) -> Inspection:
    return inspect_intake(session.workspace(), check(_held, today))


def _write(held: Draft) -> None:
    document = {
        UPLOADS: [file.upload_id for file in held.files],
        "files": [
            {
                "upload_id": file.upload_id,
                "mapping": mapping_to_json(file.mapping),
                "dropped": [asdict(one) for one in file.dropped],
                "kept": file.kept,
                "reading": file.reading,
                "repeats": file.repeats.value,
            }
            for file in held.files
        ],
        "destination": None if held.destination is None else held.destination._asdict(),
        "step": held.step.value,
        "checked": held.checked,
        "same": held.same,
        "idle": held.idle,
        "note": held.note,
    }
    session.store().drafts.keep(session.current_actor(), document)


def _read(document: Mapping[str, Any]) -> Draft:
    destination = document.get("destination")
    return Draft(
        files=tuple(_files(document.get("files", ()))),
        destination=Destination(**destination) if destination else None,
        step=Step(document.get("step", Step.FILES)),
        checked=str(document.get("checked", "")),
        same=tuple((str(ours), str(theirs)) for ours, theirs in document.get("same", ())),
        idle=bool(document.get("idle", False)),
        note=str(document.get("note", "")),
    )


def _files(documents: Sequence[Mapping[str, Any]]) -> list[Staged]:
    files = []
    for one in documents:
        try:
            mapping = _mapping(one["mapping"])
            session.store().uploads.get(one["upload_id"])
        except DoorstepError:
            # Swept, or written by another release: it must be uploaded again.
            continue
        dropped = tuple(PersonalColumn(**found) for found in one["dropped"])
        kept, reading = tuple(one.get("kept", ())), str(one.get("reading", ""))
        repeats = Repeats(one.get("repeats", Repeats.STAY))
        files.append(Staged(one["upload_id"], mapping.source, mapping, dropped, kept, reading, repeats))
    return files


@lru_cache(maxsize=64)
def _mapping(text: str) -> ColumnMapping:
    return mapping_from_json(text)
