"""`python -m core.workflows.opening --home FOLDER MODEL`: works out a model's evidence, so that others find it."""

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
    """Bring a model up to all known sales; a large market's evidence and addresses are then on disk."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("model")
    options = parser.parse_args()
    end_with_starter(options.parent)
    if os.name == "posix":
        os.nice(NICENESS)
    with open_store(options.home) as store:
        record = store.models.get(options.model)
        found = load_champion(store, record).evidence
        if found is not None and found.figures is not None:
            names = names_kept(found.live_model.model, found.figures.area)
            address_book(store, record.market_id, found.version_id, names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
