"""Brings simulated files into the demo city as an analyst's files: from disk through the whole intake."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from core.access import Actor, Role
from core.demo.files import RATES, DemoFiles
from core.progress import Progress
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from core.workspace import Workspace

DEMO_ACTOR: Final = Actor("demo set-up", Role.MANAGER)


def take_in(workspace: Workspace, market: str | NewMarket, files: DemoFiles, progress: Progress) -> None:
    """Commit the simulated files as a market's next version, on the workspace's current day; raises StoreError.

    ``market`` is its id, or what the commit will make it.
    """
    with TemporaryDirectory(prefix="doorstep-demo-") as folder:
        sources = []
        contents = (files.sales, files.tax, files.neighbourhoods, files.rates)
        for name, content in zip((*files.names, RATES), contents, strict=True):
            path = Path(folder) / name
            path.write_bytes(content)
            sources.append(SourceFile(path, name))
        ingest(workspace, market, sources, progress)
