"""Objects whose arrays lie in a file: as they were, shared, and refused when somebody touched them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from core.errors import ArtifactCorrupt
from core.store.models.mapped_text import MappedText
from core.store.models.opened_files import OpenedFiles

MANY = 20_000


@pytest.fixture
def files(tmp_path: Path) -> OpenedFiles:
    return OpenedFiles(tmp_path)


def value() -> dict[str, Any]:
    """Arrays of every kind that evidence has, large and small, and one twice."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(MANY, 3))
    names = np.array([np.nan if row % 7 == 0 else f"{row} Main St" for row in range(MANY)], dtype=object)
    return {
        "numbers": numbers,
        "again": numbers.copy(),
        "columns": np.asfortranarray(numbers),
        "days": np.datetime64("2020-01-01", "us") + np.arange(MANY).astype("timedelta64[D]"),
        "names": names,
        "codes": np.array(["98103", "98104"] * (MANY // 2), dtype=object),
        "mixed": np.array([1, "one"] * (MANY // 2), dtype=object),
        "tree": cKDTree(numbers),
        "table": pd.DataFrame({"price": numbers[:, 0], "street": names}),
        "few": np.arange(3),
        "words": ("a", 1.5, None),
    }


def test_an_object_comes_back_as_it_was_and_its_arrays_are_mapped(files: OpenedFiles) -> None:
    before = value()
    files.keep("m", "key", before)
    after = files.read("m", "key")
    for name in ("numbers", "again", "columns", "days", "few"):
        assert np.array_equal(before[name], after[name]), name
        assert before[name].dtype == after[name].dtype
    for name in ("names", "codes", "mixed"):
        assert pd.Series(np.asarray(after[name])).equals(pd.Series(before[name])), name
    assert after["words"] == before["words"]
    pd.testing.assert_frame_equal(after["table"], before["table"])
    places = np.random.default_rng(1).normal(size=(50, 3))
    assert np.array_equal(before["tree"].query(places, k=9), after["tree"].query(places, k=9))
    assert not after["numbers"].flags.writeable
    assert not after["numbers"].flags.owndata


def test_what_is_held_twice_is_written_once(files: OpenedFiles) -> None:
    one = np.random.default_rng(0).normal(size=100_000)
    files.keep("m", "once", [one])
    files.keep("m", "twice", [one, one.copy(), one.copy()])
    once, twice = (files.home / "opened" / "m" / f"{name}.opened" for name in ("once", "twice"))
    assert twice.stat().st_size < once.stat().st_size + 1_000


@pytest.mark.parametrize("part", ["head", "pickle", "array", "end"])
def test_a_file_that_somebody_changed_is_refused(files: OpenedFiles, part: str) -> None:
    files.keep("m", "key", value())
    path = files.home / "opened" / "m" / "key.opened"
    content = bytearray(path.read_bytes())
    place = {"head": 30, "pickle": 2_000, "array": len(content) // 2, "end": len(content) - 200}[part]
    content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArtifactCorrupt, match="made again from the sales"):
        files.read("m", "key")


def test_a_file_of_another_key_is_refused_before_it_is_unpickled(
    files: OpenedFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trap = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (trap,)

    files.keep("m", "key", Trap())
    monkeypatch.setenv("DOORSTEP_SIGNING_KEY", "another-key-of-somebody-who-writes-to-this-folder")
    with pytest.raises(ArtifactCorrupt, match="not signed"):
        files.read("m", "key")
    assert not trap.exists()


@pytest.mark.parametrize("content", [None, b"", b"DOORST1\n", b"x" * 500])
def test_a_missing_or_foreign_file_is_named(files: OpenedFiles, content: bytes | None) -> None:
    path = files.home / "opened" / "m" / "key.opened"
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtifactCorrupt, match=r"key\.opened cannot be used"):
        files.read("m", "key")


def test_only_the_latest_files_of_a_market_stay_and_a_mapped_one_can_be_removed(files: OpenedFiles) -> None:
    first = np.arange(50_000)
    files.keep("m", "0", first)
    held = files.read("m", "0")
    files.keep("other", "0", first)
    for number in range(1, 5):
        files.keep("m", str(number), number)
        path = files.home / "opened" / "m" / f"{number}.opened"
        os.utime(path, ns=(number * 10**9 * 10**9,) * 2)
    assert [number for number in range(5) if files.holds("m", str(number))] == [2, 3, 4]
    assert files.holds("other", "0")
    assert np.array_equal(held, first)


@given(st.lists(st.one_of(st.none(), st.text()), max_size=80), st.data())
def test_mapped_texts_read_like_the_array_they_were_made_of(texts: list[str | None], data: st.DataObject) -> None:
    plain = np.array([np.nan if text is None else text for text in texts] + [""], dtype=object)[:-1]
    # Lone surrogates are no text of any file; everything else is kept.
    if any(isinstance(text, str) and not text.isprintable() and _lone(text) for text in plain):
        return
    plain = np.tile(plain, data.draw(st.sampled_from([1, 5])))
    mapped = MappedText.of(plain)
    assert mapped is not None
    assert (len(mapped), mapped.shape) == (len(plain), plain.shape)
    assert _same(np.asarray(mapped), plain)
    if len(plain):
        rows = data.draw(st.lists(st.integers(-len(plain), len(plain) - 1), max_size=9))
        assert _same(mapped[rows], plain[np.array(rows, dtype=int)])
        assert all(_same(np.array([mapped[row]], dtype=object), plain[[row]]) for row in rows)
        mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(plain), max_size=len(plain))), dtype=bool)
        assert _same(mapped[mask], plain[mask])
        assert _same(mapped[1:], plain[1:])


def _lone(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return pd.Series(one, dtype=object).equals(pd.Series(other, dtype=object))
