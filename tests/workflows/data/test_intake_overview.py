"""What an analyst finds on the first page: the last upload of any kind, and what waits with the one next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.progress import silent
from core.states import SaleDecision, Stage
from core.store import Market, ModelRecord
from core.workflows import intake_overview as module
from core.workflows import standing
from core.workflows.data.intake import ingest
from core.workflows.data.scrutiny import Choice, ToDecide, apply_decisions, decide, review_queue, to_decide
from core.workflows.intake_overview import IntakeOverview, Step, intake_overview
from core.workflows.overview import Overview, overview
from core.workflows.source_files.reading import SourceFile
from core.workflows.standing import Standing, standing_now
from core.workflows.standing import Step as Next
from core.workspace import Workspace
from tests.postgresql import ON_BOTH
from tests.workflows.data.test_intake import HEADER, rows, write


def take_in(workspace: Workspace, market: Market, *files: SourceFile) -> None:
    ingest(workspace, market.market_id, files, silent)


def seen_by(workspace: Workspace, market: Market, of_market: Overview | None = None) -> IntakeOverview:
    return intake_overview(workspace, market, ToDecide(), of_market or overview(workspace, market))


def test_the_last_upload_is_the_last_one_of_any_kind_and_says_what_it_corrects(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    first = rows(50).splitlines()[0].split(",")
    first[4] = f"{float(first[4]) * 1.1:.0f}"
    take_in(workspace, market, write(tmp_path, HEADER + ",".join(first) + "\n", "corrections.csv"))
    found = seen_by(workspace, market)
    assert found.words.startswith("corrections.csv, ")
    assert (found.corrections, found.files[0].accepted) == (1, 1)
    more = write(tmp_path, HEADER + rows(5, 60), "more.csv")
    areas = "zip code,walk score\n" + "".join(f"0010{n},{50 + n}\n" for n in range(5))
    take_in(workspace, market, more, write(tmp_path, areas, "areas.csv"))
    found = seen_by(workspace, market)
    # The figures count the rows of the files of sales.
    assert sum(one.rows_in for one in found.files) == 5
    assert found.words.startswith("more.csv, ")
    assert found.words.endswith("; with areas.csv, whose rows are not among these")
    rates = "month,mortgage rate\n" + "".join(f"2024-{n:02d}-01,{4 + n / 10}\n" for n in range(1, 13))
    take_in(workspace, market, write(tmp_path, rates, "rates.csv"))
    found = seen_by(workspace, market)
    assert found.words.startswith("rates.csv, ")
    assert [one.file for one in found.files] == ["rates.csv"]


def test_files_for_another_market_are_said_to_be(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    for aim, words in (
        ({"market_id": market.market_id, "name": ""}, "Your files are staged but not committed."),
        ({"market_id": "", "name": "Elsewhere"}, "Your files for Elsewhere are staged but not committed."),
    ):
        workspace.store.drafts.keep(workspace.actor, {"destination": aim})
        waiting = seen_by(workspace, market).waiting
        assert (waiting.words[0], waiting.step) == (words, Step.COMMIT)


@ON_BOTH
def test_decisions_that_no_version_has_yet_wait(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    odd = "777,7 Elm Street,00102,2024-05-05,2250000,1200,3,1990\n"
    take_in(workspace, market, write(tmp_path, HEADER + rows(50) + odd))
    queue = review_queue(workspace, market.market_id).rows.set_index("property_id")
    decide(workspace, market.market_id, [Choice(str(queue.loc["777", "key"]), SaleDecision.CORRECT)])
    assert (
        "1 decision on doubtful sales is not yet in the data: apply them."
        in to_decide(workspace, market.market_id).words
    )
    apply_decisions(workspace, market.market_id)
    assert to_decide(workspace, market.market_id).pending == 0


def test_a_challenger_to_decide_on_comes_before_another_training(
    workspace: Workspace,
    market: Market,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    model = ModelRecord("m", market.market_id, "earlier", "", Stage.CHAMPION, {}, 0, at, "Ana")
    of_market = replace(overview(workspace, market), champion=model, newest=model)
    for step, deciding in ((Next.COMPARE, True), (Next.RETRAIN, False)):
        monkeypatch.setattr(module, "standing_for", lambda *_, step=step: Standing("Decide on it.", step))
        waiting = seen_by(workspace, market, of_market).waiting
        assert (waiting.words == ("Decide on it.",)) is deciding
        assert (waiting.step is Step.COMPARE) is deciding


def test_a_training_that_runs_is_waited_for_and_one_that_failed_says_why(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    jobs = workspace.store.jobs
    job = jobs.create("train", market.market_id, workspace.actor)
    waiting = seen_by(workspace, market).waiting
    assert (waiting.words, waiting.step) == (("No model is live; a model waits to be trained.",), Step.WAIT)
    why = "The fact 'annual_tax' is computed from the sale price."
    jobs.fail(job.job_id, why)
    assert standing_now(workspace, market).next == f"the last training failed: {why}"
    [words] = seen_by(workspace, market).waiting.words
    assert words.endswith(f"the last training failed: {why}")
    # Other data may train.
    take_in(workspace, market, write(tmp_path, HEADER + rows(60)))
    assert "failed" not in standing_now(workspace, market).sentence


def test_an_analyst_reads_who_decides_on_a_challenger(
    workspace: Workspace, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    monkeypatch.setattr(standing, "standing_of", lambda *_: Standing("Decide on it.", Next.COMPARE))
    assert "Ask a manager to do it." in seen_by(workspace, market).waiting.deciding
