"""Calls side by side on this machine, and what is left of them when somebody cancels."""

from __future__ import annotations

import time
import warnings
from contextlib import suppress

import pytest
from joblib import parallel_config

from core.errors import JobCancelled
from core.parallel.calls import in_parallel
from tests.one_process import ONE_PROCESS


def slow(number: int) -> int:
    time.sleep(0.01)
    return number


def cancel_after_the_first(fraction: float, _: str) -> None:
    if fraction:
        raise JobCancelled("The job was cancelled.")


def test_a_cancelled_round_of_calls_ends_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ONE_PROCESS)
    with warnings.catch_warnings(record=True) as given, parallel_config(backend="threading", n_jobs=2):
        warnings.simplefilter("always")
        # Unlike pytest.raises, this keeps nothing of the round alive, so that whatever it warns of is heard here.
        with suppress(JobCancelled):
            in_parallel(slow, [(number,) for number in range(20)], cancel_after_the_first, "Calls done")
            raise AssertionError("nothing was cancelled")
    assert [str(one.message) for one in given] == []
