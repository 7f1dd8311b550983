"""`python -m tests.benchmarks VERB`: how fast, how large and how accurate, as one line of JSON per measurement."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from tests.acting import acting

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from threadpoolctl import threadpool_limits

from core.demo.opening import DEMO_MARKET, open_demo
from core.problem import load_problem
from core.progress import silent
from core.states import Family
from core.store import Store, open_store
from core.workflows.pricing.desk import open_desk
from tests.benchmarks import accuracy, earlier_and_placeless, long_ledger
from tests.benchmarks import giant as giant_file
from tests.benchmarks import intake as intake_files
from tests.benchmarks import ledger as ledger_writers
from tests.benchmarks import overnight as many_markets
from tests.benchmarks.accuracy import milliseconds
from tests.benchmarks.book.verb import add_options, make_book
from tests.benchmarks.pricing import (
    batch_seconds,
    estimate_times,
    feature_seconds,
    file_seconds,
    plain_pipeline,
    price_first_home,
    seconds,
)
from tests.benchmarks.processes import peak_memory

ROOT = Path(__file__).resolve().parent.parent.parent


def tell(**figures: Any) -> None:
    """Print one measurement."""
    print(json.dumps(figures, default=float), flush=True)


@contextmanager
def fresh_store() -> Iterator[Store]:
    """A store in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder, open_store(Path(folder)) as store:
        yield store


def demo(_: argparse.Namespace) -> None:
    """From an empty store to the first priced home of the demo city: seconds by step, peak memory."""
    steps: dict[str, float] = {}
    with fresh_store() as store, peak_memory() as peak:
        started = time.perf_counter()

        def progress(fraction: float, message: str) -> None:
            steps.setdefault(message.partition(":")[0].partition(" larkhaven")[0], time.perf_counter() - started)

        record = open_demo(acting(store), progress)
        desk = open_desk(store, record.market_id, load_problem())
        answer = price_first_home(desk)
        total = time.perf_counter() - started
        prepared = steps["Committed"] - steps["Reading"] + feature_seconds(store, record.market_id)
    tell(
        benchmark="demo",
        seconds_to_first_price=round(total, 1),
        ingest_clean_features_seconds=round(prepared, 1),
        peak_mb=round(peak.bytes / 1e6),
        priced=answer.point,
        test_mape=round(record.card["metrics"]["mape"]["value"], 4),
        steps={name: round(at, 1) for name, at in steps.items()},
    )


def estimate(options: argparse.Namespace) -> None:
    """Single estimates on the demo champion: milliseconds at p50 and p95, against a plain scikit-learn pipeline."""
    with fresh_store() as store, threadpool_limits(1):
        record = open_demo(acting(store), silent, options.sales)
        version = store.versions.latest(record.market_id)
        assert version is not None
        sales = store.versions.load(version.version_id)
        desk = open_desk(store, record.market_id, load_problem())
        homes = sales.sample(options.repeats, random_state=1)
        plain, columns = plain_pipeline(sales)
        ours = estimate_times(desk, homes)
        baseline = milliseconds(lambda n: plain.predict(homes[columns].iloc[[n]]), options.repeats)
    tell(
        benchmark="estimate",
        market=DEMO_MARKET,
        p50_ms=round(float(np.percentile(ours, 50)), 2),
        p95_ms=round(float(np.percentile(ours, 95)), 2),
        plain_p95_ms=round(float(np.percentile(baseline, 95)), 2),
        ratio_p95=round(float(np.percentile(ours, 95) / np.percentile(baseline, 95)), 2),
    )


def batch(options: argparse.Namespace) -> None:
    """Many homes at once on the demo champion: rows per second, against a plain scikit-learn pipeline's."""
    with fresh_store() as store:
        record = open_demo(acting(store), silent, options.sales)
        version = store.versions.latest(record.market_id)
        assert version is not None
        sales = store.versions.load(version.version_id)
        desk = open_desk(store, record.market_id, load_problem())
        homes = sales.sample(options.rows, replace=True, random_state=1).drop(columns=["sale_price", "sale_date"])
        plain, columns = plain_pipeline(sales)
        ours, whole = batch_seconds(desk, homes), file_seconds(store, desk, homes)
        baseline = seconds(lambda: plain.predict(homes[columns]))
    tell(
        benchmark="batch",
        market=DEMO_MARKET,
        rows=options.rows,
        rows_per_second=round(options.rows / ours),
        plain_rows_per_second=round(options.rows / baseline),
        ratio=round(ours / baseline, 2),
        file_to_ledger_rows_per_second=round(options.rows / whole),
    )


def page(options: argparse.Namespace) -> None:
    """The page “Price a home” in Chromium, demo city: milliseconds from the press of the button to the new range."""
    from tests.benchmarks.page import answer_times

    with fresh_store() as store:
        open_demo(acting(store), silent, options.sales)
        times = answer_times(store, min(options.repeats, 40))
    for name, found in times.items():
        p50, p95 = np.percentile(found, [50, 95])
        tell(benchmark="page", screen=name, n=len(found), p50_ms=round(float(p50)), p95_ms=round(float(p95)))


def intake(options: argparse.Namespace) -> None:
    """The demo city's three files from disk to a committed version: seconds and peak memory."""
    tell(benchmark="intake", **intake_files.three_sources(options.sales))


def intake_million(_: argparse.Namespace) -> None:
    """A million sales in one file from disk to a committed version: seconds and peak memory."""
    tell(benchmark="intake-million", **intake_files.one_large_file(1_000_000))


def giant(_: argparse.Namespace) -> None:
    """Files of 1 and 10 million sales cut by county and by month: seconds and peak memory, beside pandas in chunks."""
    for found in giant_file.measure():
        tell(benchmark="giant", **found)


def evaluation(options: argparse.Namespace) -> None:
    """The page “Evaluation” in Chromium: milliseconds until each view is drawn, by test sales, beside the page Home."""
    from tests.benchmarks.evaluation import load_times

    with fresh_store() as store:
        open_demo(acting(store), silent, options.sales)
        for found in load_times(store.home, min(options.repeats, 10)):
            times = {kind: np.percentile(found.pop(kind), [50, 95]) for kind in ("cold", "warm")}
            figures = {
                f"{kind}_p{part}_ms": round(at)
                for kind, (p50, p95) in times.items()
                for part, at in ((50, p50), (95, p95))
            }
            tell(benchmark="evaluation", **found, **figures)


def monitoring(options: argparse.Namespace) -> None:
    """The page “Monitoring” in Chromium: milliseconds until drawn, by length of the ledger, beside the page Home."""
    from tests.benchmarks.monitoring import load_times

    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder:
        for found in load_times(Path(folder), min(options.repeats, 20)):
            times = {kind: np.percentile(found.pop(kind), [50, 95]) for kind in ("cold", "warm", "after")}
            figures = {
                f"{kind}_p{part}_ms": round(at)
                for kind, (p50, p95) in times.items()
                for part, at in ((50, p50), (95, p95))
            }
            tell(benchmark="monitoring", **found, **figures)


def unknown(options: argparse.Namespace) -> None:
    """Homes of which few facts are known, in each market: error, confidence, and what the ranges hold."""
    from tests.benchmarks.facts.unknown import markets, measure

    found = markets(options.sales)
    if options.market not in ("", *found):
        raise SystemExit(f"There is no market {options.market!r}; name one of {', '.join(found)}.")
    for name, market in found.items():
        if options.market in ("", name):
            for row in measure(name, market):
                tell(benchmark="unknown", **row)


def comparables(options: argparse.Namespace) -> None:
    """Comparables of 600 homes sold in the 60 days after --until: how far adjusted, and how near the sale prices."""
    from tests.benchmarks.facts.comparables import MARKETS, measure

    names = [market.name for market in MARKETS]
    if options.market not in ("", *names):
        raise SystemExit(f"There is no market {options.market!r}; name one of {', '.join(names)}.")
    for market in MARKETS:
        if options.market in ("", market.name):
            for row in measure(market, options.until):
                tell(benchmark="comparables", **row)


def signals(options: argparse.Namespace) -> None:
    """What the market's pace and a jump in assessed value add in the demo city of --sales, by time."""
    from tests.benchmarks.facts.signals import measure

    for row in measure(options.sales):
        tell(benchmark="signals", **row)


def king_county(_: argparse.Namespace) -> None:
    """Accuracy on King County 2014-15, random 60/20/20, beside textbook models: the table of the README."""
    for row in accuracy.table(accuracy.KING_COUNTY):
        tell(benchmark="king-county", **row)


def ahead(_: argparse.Namespace) -> None:
    """Accuracy by time on real sales: each month priced with the sales before it."""
    for market in (accuracy.KING_COUNTY, accuracy.SINGAPORE):
        figures = accuracy.months(market, (Family.BLEND,))
        if figures is not None:
            tell(benchmark="ahead", **figures)


def markets(options: argparse.Namespace) -> None:
    """All markets of real sales, both splits, beside four learners with the same level: the table of the README."""
    from tests.benchmarks.rivals.markets import MARKETS, SPLITS, compare

    names = [market.name for market in MARKETS]
    if options.market not in ("", *names):
        raise SystemExit(f"There is no market {options.market!r}; name one of {', '.join(names)}.")
    for market in MARKETS:
        if options.market in ("", market.name):
            for split in SPLITS:
                for row in compare(market, split):
                    tell(benchmark="markets", **row)


def own_sales(_: argparse.Namespace) -> None:
    """King County 2014-15 with the sales since 2006 taken in: with and without a home's own earlier sale."""
    for row in earlier_and_placeless.own_sales():
        tell(benchmark="own-sales", **row)


def placeless(_: argparse.Namespace) -> None:
    """Melbourne with its coordinates removed, beside CatBoost if that is installed."""
    for row in earlier_and_placeless.placeless():
        tell(benchmark="placeless", **row)


def scrutiny(_: argparse.Namespace) -> None:
    """Planted errors in King County and Singapore: recall and precision of the review queue, and the test error."""
    from tests.benchmarks import scrutiny as planted_errors

    for file in (planted_errors.KING_COUNTY, planted_errors.SINGAPORE):
        found = planted_errors.measure(file)
        if found is None:
            print(f"skipped: the real sales of {file.name} are not there; set SALES_DATA_DIR", file=sys.stderr)
        else:
            tell(benchmark="scrutiny", **found)


def ledger(options: argparse.Namespace) -> None:
    """Appends to the ledger by 8 threads and by 8 processes, beside plain inserts: milliseconds, lost."""
    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder:
        for found in ledger_writers.measure(Path(folder), options.repeats):
            tell(benchmark="ledger", **found)


def load(options: argparse.Namespace) -> None:
    """Fifty agents at once: by the API (needs locust), also while a model trains, and in browser sessions."""
    from tests.benchmarks.load import measure

    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder:
        home = options.home or Path(folder)
        if options.home is None:
            with open_store(home) as store:
                open_demo(acting(store), silent, options.sales)
        tell(benchmark="load", **measure.by_sessions(home, 8, options.servers))
        for found in measure.by_api(home, 60, options.servers):
            tell(benchmark="load", **found)


def overnight(options: argparse.Namespace) -> None:
    """Many markets (--markets, each of --sales) retrained on a Dask cluster of --workers: seconds, memory, report."""
    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder:
        for found in many_markets.measure(
            options.home or Path(folder), options.markets, options.sales, options.workers
        ):
            tell(benchmark="overnight", **found)


def figures(options: argparse.Namespace) -> None:
    """The figures of the monitoring page on a ledger of --rows estimates: milliseconds each and together."""
    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder:
        for found in long_ledger.measure(Path(folder), options.rows):
            tell(benchmark="figures", **found)


def main() -> int:
    """Run the benchmark named."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    runs = {
        "demo": demo,
        "estimate": estimate,
        "batch": batch,
        "page": page,
        "intake": intake,
        "intake-million": intake_million,
        "giant": giant,
        "evaluation": evaluation,
        "monitoring": monitoring,
        "king-county": king_county,
        "ahead": ahead,
        "markets": markets,
        "own-sales": own_sales,
        "placeless": placeless,
        "unknown": unknown,
        "comparables": comparables,
        "signals": signals,
        "scrutiny": scrutiny,
        "ledger": ledger,
        "figures": figures,
        "load": load,
        "overnight": overnight,
    }
    for name, run in runs.items():
        verb = verbs.add_parser(name, help=run.__doc__)
        verb.set_defaults(run=run)
        verb.add_argument("--sales", type=int, default=50_000)
        verb.add_argument("--repeats", type=int, default=300)
        verb.add_argument("--rows", type=int, default=20_000)
        verb.add_argument("--home", type=Path, help="a store to use as it is (load, overnight)")
        verb.add_argument("--market", default="", help="one market only, such as Melbourne")
        verb.add_argument("--until", type=date.fromisoformat, help="last day known, excluded (comparables only)")
        verb.add_argument("--markets", type=int, default=200, help="how many markets (overnight only)")
        verb.add_argument("--workers", type=int, default=2, help="workers of the cluster (overnight only)")
        verb.add_argument("--servers", type=int, default=1, help="servers that share the agents (load only)")
    book = verbs.add_parser("book", help=make_book.__doc__)
    book.set_defaults(run=make_book)
    add_options(book)
    options = parser.parse_args()
    options.run(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
