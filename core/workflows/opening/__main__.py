"""`python -m core.workflows.opening --home FOLDER MARKET`: works out a market's evidence, so that others find it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from core.progress import NICENESS, end_with_starter
from core.store import open_store
from core.workflows.opening.addresses import address_book, names_kept
from core.workflows.opening.evidence import load_champion


def main() -> int:
    """Bring the market's champion up to all known sales; a large market's evidence and addresses are then on disk."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("market")
    options = parser.parse_args()
    end_with_starter(options.parent)
    if os.name == "posix":
        os.nice(NICENESS)
    with open_store(options.home) as store:
        champion = store.models.champion(options.market)
        if champion is None:
            return 0
        found = load_champion(store, champion).evidence
        if found is not None and found.figures is not None:
            names = names_kept(found.live_model.model, found.figures.area)
            address_book(store, options.market, found.version_id, names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
