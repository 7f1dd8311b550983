"""Where a store's artifacts are: one folder for each kind, and what is said and advised where a file is missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.store.base.artifacts import ArtifactFolder
from core.store.base.shared_files import SharedFiles
from core.store.models.signed_files import SignedFiles


@dataclass(frozen=True)
class ArtifactFolders:
    """The folders of data snapshots, row ledgers, signed model bundles and test scores."""

    snapshots: ArtifactFolder
    row_ledgers: ArtifactFolder
    bundles: SignedFiles
    scores: ArtifactFolder


def artifact_folders(home: Path, shared: SharedFiles | None) -> ArtifactFolders:
    """Return the folders in ``home``, whose files servers also share where ``shared`` says so."""

    def folder(name: str, suffix: str, what: str, remedy: str) -> ArtifactFolder:
        return ArtifactFolder(home / name, suffix, what, remedy, shared)

    restore = "Restore it from a backup"
    return ArtifactFolders(
        folder("versions", ".parquet", "The data snapshot", f"{restore}, or undo and commit the files again."),
        folder("ledgers", ".parquet", "The row ledger", f"{restore}; the sales themselves are not affected."),
        SignedFiles(home, folder("models", ".joblib", "The model", "Roll back to the previous model, or train again.")),
        folder("scores", ".parquet", "The test scores", "Train the model again."),
    )
