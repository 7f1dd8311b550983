"""`python -m tests.benchmarks.book.training_only PARQUET ROWS_SEEN`: the default training of the code on the path.

It uses only what the trainer had before as well, so that it measures a release of before in its own folder.
"""

from __future__ import annotations

import json
import sys
import time

import pandas as pd

from core.problem import load_problem
from core.train.trainer import default_plan, train


def main(path: str, rows_seen: int) -> None:
    """Train on a table of sales and print seconds and validation error."""
    sales, problem = pd.read_parquet(path), load_problem()
    started = time.perf_counter()
    trained = train(sales, rows_seen, default_plan(problem), problem, lambda fraction, message: None)
    print(json.dumps({"seconds": time.perf_counter() - started, "error": trained.chosen.mape}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
