"""The artifacts that the database names, and their parts: what a backup holds, and what doctor verifies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from core.store.base.artifacts import ArtifactFolder
from core.store.base.database import Database
from core.store.base.tables import DATA_VERSION, MODEL
from core.store.models.signed_files import SignedFiles
from core.store.sales.snapshots import Snapshots


@dataclass(frozen=True)
class Artifact:
    """A file that the database names; ``name`` is its path in the home.

    ``read`` returns its content, verified; it raises ArtifactCorrupt, StoreUnavailable.
    """

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Artifacts:
    """Finds the artifacts of a store; a model's signature follows the model if there is one."""

    database: Database
    snapshots: Snapshots
    ledgers: ArtifactFolder
    models: SignedFiles
    scores: ArtifactFolder

    def __iter__(self) -> Iterator[Artifact]:
        """Yield every artifact once; raises StoreUnavailable."""
        version, model = DATA_VERSION.c, MODEL.c
        with self.database.read() as connection:
            versions = connection.execute(
                sa.select(
                    version.sha256,
                    version.set_aside_sha256,
                    version.roll_sha256,
                    version.indicators_sha256,
                    version.ledger_sha256,
                )
            ).all()
            models = connection.execute(sa.select(model.sha256, model.card)).all()
        tables = dict.fromkeys(one for row in versions for one in row[:-1] if one)
        snapshots = dict.fromkeys(file for one in tables for file in self.snapshots.files_of(one))
        for folder, one in snapshots:
            is_whole = folder is self.snapshots.files and one in tables
            yield _artifact(folder, one, self.snapshots.whole if is_whole else folder.read)
        yield from (_artifact(self.ledgers, one) for one in dict.fromkeys(row[-1] for row in versions))
        for sha256 in dict.fromkeys(row.sha256 for row in models):
            yield _artifact(self.models.bundles, sha256)
            yield from self._signature(sha256)
        scores = dict.fromkeys(row.card["scores"] for row in models if row.card.get("scores"))
        yield from (_artifact(self.scores, one) for one in scores)

    def _signature(self, sha256: str) -> Iterator[Artifact]:
        found = self.models.signature(sha256)
        if found is not None:
            name, payload = found
            yield Artifact(name, lambda: payload)


def _artifact(folder: ArtifactFolder, sha256: str, read: Callable[[str], bytes] | None = None) -> Artifact:
    return Artifact(f"{folder.folder.name}/{folder.path(sha256).name}", lambda: (read or folder.read)(sha256))
