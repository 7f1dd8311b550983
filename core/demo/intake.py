"""Brings simulated files into the demo city as an analyst's files: from disk through the whole intake."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from core.access import Actor, Role
from core.demo.files import DemoFiles
from core.progress import Progress
from core.store import Market
from core.workflows.data.intake import SourceFile, ingest
from core.workspace import Workspace

DEMO_ACTOR: Final = Actor("demo set-up", Role.MANAGER)


def take_in(workspace: Workspace, market: Market, files: DemoFiles, progress: Progress) -> None:
    """Commit three simulated files as the market's next version, on the workspace's current day; raises StoreError."""
    with TemporaryDirectory(prefix="doorstep-demo-") as folder:
        sources = []
        for name, content in zip(files.names, (files.sales, files.tax, files.neighbourhoods), strict=True):
            path = Path(folder) / name
            path.write_bytes(content)
            sources.append(SourceFile(path, name))
        ingest(workspace, market.market_id, sources, progress)
