"""The store: everything Doorstep keeps, in one folder and one database."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqlalchemy.engine import URL

from core.errors import StoreUnavailable
from core.store.base.artifacts import ArtifactFolder, SharedFiles, make_private_folder, unavailable_on_os_error
from core.store.base.audit import Events
from core.store.base.database import Database, create_private_file, parse_url, sqlite_url
from core.store.base.group_commit import LedgerDatabase
from core.store.base.markets import Markets
from core.store.base.migrate import ensure_schema, is_new
from core.store.connections.held_lock import HeldLock
from core.store.ledger.agent_decisions import AgentDecisions
from core.store.ledger.answer_counts import AnswerCounts
from core.store.ledger.estimates import Ledger
from core.store.ledger.export import Export
from core.store.ledger.feedback import Feedback
from core.store.ledger.figures import Figures
from core.store.ledger.listings import Listings
from core.store.ledger.outcomes import Outcomes
from core.store.ledger.samples import Samples
from core.store.ledger.spool import Spool
from core.store.models.levels import Levels
from core.store.models.opened_files import OpenedFiles
from core.store.models.registry import Models
from core.store.models.shadows import Shadows
from core.store.models.signed_files import SignedFiles
from core.store.operations.alerts import Alerts
from core.store.operations.api_keys import ApiKeys
from core.store.operations.artifact_list import Artifacts
from core.store.operations.basis import Bases
from core.store.operations.dump import Dump
from core.store.operations.jobs import Jobs
from core.store.operations.pilot_figures import PilotFigures
from core.store.operations.profiles import Profiles
from core.store.operations.repeatable import RepeatableAnswers
from core.store.operations.rollouts import Rollouts
from core.store.operations.shared_files import VARIABLE, shared_files
from core.store.operations.sign_ins import SignIns
from core.store.operations.thresholds import Thresholds
from core.store.operations.workers import Workers
from core.store.sales.address_answers import Matches
from core.store.sales.column_names import ColumnNames
from core.store.sales.drafts import Drafts
from core.store.sales.presets import Presets
from core.store.sales.scrutiny import SaleDecisions
from core.store.sales.snapshots import Snapshots
from core.store.sales.uploads import Uploads
from core.store.sales.versions import Versions

DEFAULT_HOME: Final = Path("var")
DATABASE_FILE: Final = "doorstep.sqlite"
FOLDERS: Final = ("versions", "ledgers", "models", "signatures", "scores", "uploads", "unwritten", "opened")


class Store:
    """Everything Doorstep keeps, by kind: markets, data versions, models, the ledger, outcomes, alerts, events.

    Safe to share between threads; each process opens its own, from ``home``, the folder of the artifact files, and
    ``database_url``, which may hold a password (None for the SQLite file in the folder).
    """

    def __init__(
        self,
        home: Path,
        database: Database,
        ledger_database: Database,
        database_url: str | None,
        shared: SharedFiles | None = None,
    ) -> None:
        self.home = home
        self.database_url = database_url
        self.shared = shared
        self._database = database
        self._ledger_database = ledger_database
        self.markets = Markets(database)
        self.artifacts = _artifacts(home, shared, database)
        self.versions = Versions(database, self.artifacts.snapshots, self.artifacts.ledgers)
        self.models = Models(database, self.artifacts.models)
        self.scores = self.artifacts.scores
        self.opened = OpenedFiles(home)
        self.dump = Dump(database)
        self.levels = Levels(database)
        self.bases = Bases(database)
        self.ledger = Ledger(database, ledger_database)
        self.spool = Spool(home / "unwritten", self.ledger, database)
        self.outcomes = Outcomes(database)
        self.feedback = Feedback(database)
        self.listings = Listings(database)
        self.figures = Figures(database)
        self.answer_counts = AnswerCounts(database)
        self.samples = Samples(database)
        self.export = Export(database)
        self.shadows = Shadows(database)
        self.alerts = Alerts(database)
        self.thresholds = Thresholds(database)
        self.workers = Workers(database)
        self.agent_decisions = AgentDecisions(database)
        self.api_keys = ApiKeys(database)
        self.rollouts = Rollouts(database)
        self.pilot_figures = PilotFigures(database)
        self.repeatable = RepeatableAnswers(ledger_database)
        self.sign_ins = SignIns(database)
        self.profiles = Profiles(database)
        self.events = Events(database)
        self.jobs = Jobs(database)
        self.presets = Presets(database)
        self.column_names = ColumnNames(database)
        self.matches = Matches(database)
        self.sale_decisions = SaleDecisions(database)
        self.drafts = Drafts(database)
        self.uploads = Uploads(home / "uploads")

    def close(self) -> None:
        """Close the database connections; using the store again opens new ones."""
        self._database.close()
        self._ledger_database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(home: Path | None = None, database_url: str | None = None) -> Store:
    """Open the store, creating or migrating it as needed.

    ``home`` defaults to DOORSTEP_HOME, then ./var; ``database_url`` to DATABASE_URL, then a SQLite file in home.
    Artifacts are in home and, if DOORSTEP_ARTIFACTS names a place that servers share, there too.
    Raises StoreUnavailable if the folder or database cannot be used, a newer Doorstep wrote the database, or it is
    missing beside the sales and models it described.
    """
    folder = (home or default_home()).resolve()
    for name in ("", *FOLDERS):
        make_private_folder(folder / name)
    shared = shared_files(os.environ.get(VARIABLE) or "")
    address = database_url or os.environ.get("DATABASE_URL") or ""
    url = _locate_database(folder, address)
    held = HeldLock()
    database = Database(url, held=held)
    try:
        if _holds_artifacts(folder) and is_new(database):
            raise _lost(address)
        ensure_schema(database)
    except BaseException:
        database.close()
        raise
    ledger_database = LedgerDatabase(url, held=held) if database.is_sqlite else database
    return Store(folder, database, ledger_database, address or None, shared)


def default_home() -> Path:
    """Return the folder that DOORSTEP_HOME names, ./var without it."""
    return Path(os.environ.get("DOORSTEP_HOME") or DEFAULT_HOME)


def _locate_database(folder: Path, database_url: str) -> URL:
    if database_url:
        return parse_url(database_url)
    path = folder / DATABASE_FILE
    if _holds_artifacts(folder) and not path.exists():
        raise _lost(database_url)
    with unavailable_on_os_error(path):
        create_private_file(path)
    return sqlite_url(path)


def _holds_artifacts(folder: Path) -> bool:
    return any(True for name in ("versions", "models") for _ in (folder / name).glob("[!.]*"))


def _lost(database_url: str) -> StoreUnavailable:
    """A new database in place of the old one would show an empty store, and hide that everything else is there."""
    where = "The database of DATABASE_URL" if database_url else f"The database file {DATABASE_FILE}"
    return StoreUnavailable(
        f"{where} is missing or empty, while the folder holds sales or models: artifacts without database. Restore it "
        "from a backup; to begin anew, name an empty folder in DOORSTEP_HOME. Nothing was changed."
    )


def _artifacts(home: Path, shared: SharedFiles | None, database: Database) -> Artifacts:
    def folder(name: str, suffix: str, what: str, remedy: str) -> ArtifactFolder:
        return ArtifactFolder(home / name, suffix, what, remedy, shared)

    again = "Restore the store from a backup, or undo the data version and commit its files again."
    other = "Restore it from a backup; the sales themselves are not affected."
    return Artifacts(
        database,
        snapshots=Snapshots(
            files=folder("versions", ".parquet", "The sales part", again),
            lists=folder("versions", ".json", "The list of parts of a data version", again),
        ),
        ledgers=folder("ledgers", ".parquet", "The row ledger", other),
        models=SignedFiles(
            home, folder("models", ".joblib", "The model", "Restore it from a backup, or train a new model.")
        ),
        scores=folder("scores", ".parquet", "The test scores", "Train the model again."),
    )
