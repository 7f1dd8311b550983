"""What a server has worked out from models and sales, kept on its disk so that its processes share one copy of it.

A file holds one object. Its large arrays lie in the file as they do in memory: a process that opens it reads only the
small rest, and the system loads what is used of the arrays, once for all processes. Unlike a model, such a file can be
made again at any time; it stays on its server and is no part of a backup. As it holds a pickle, which can run any code
when it is loaded, it is read only with a valid signature, which covers the arrays by their hash.
"""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import pickle
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactCorrupt
from core.store.base.artifacts import (
    make_private_folder,
    remove_abandoned,
    unavailable_on_os_error,
    write_parts_atomically,
)
from core.store.models.mapped_text import MappedText
from core.store.models.signing_keys import accepted_keys, keys_to_sign

_MAGIC: Final = b"DOORST1\n"
_HEAD: Final = struct.Struct("<8sQQ64s")
"""Magic number, lengths of the index and of the pickle, and the signature of both."""

# As the arrays of numpy and pyarrow are.
_ALIGNED: Final = 64
# Smaller arrays are quicker read than mapped.
_LARGE: Final = 1 << 16
_BLOCK: Final = 1 << 22
# The one in use, the one it replaces, and one of a model on trial.
_KEPT: Final = 3


@dataclass(frozen=True)
class OpenedFiles:
    """The opened files of a home, by market and key; a key names all that a file was made of."""

    home: Path

    def holds(self, market_id: str, key: str) -> bool:
        """Tell whether there is such a file; only reading it shows whether it is intact."""
        return self._path(market_id, key).is_file()

    def keep(self, market_id: str, key: str, value: object) -> None:
        """Write an object, and remove all but the latest files of its market; raises StoreUnavailable."""
        keys, path = keys_to_sign(self.home), self._path(market_id, key)
        make_private_folder(path.parent)
        with unavailable_on_os_error(path):
            remove_abandoned(path.parent)
            pickled, arrays = _pickled(value)
            places, once = _places(arrays)
            index = json.dumps({"places": places, "sha256": _hash(_laid_out(once))}).encode()
            head = _HEAD.pack(_MAGIC, len(index), len(pickled), keys.sign(index + pickled))
            front = [head, index, pickled, bytes(-(len(head) + len(index) + len(pickled)) % _ALIGNED)]
            write_parts_atomically(path, chain(front, _laid_out(once)))
            for old in sorted(path.parent.glob("*.opened"), key=lambda one: -one.stat().st_mtime_ns)[_KEPT:]:
                old.unlink(missing_ok=True)

    def read(self, market_id: str, key: str) -> Any:
        """Return the object of a file, its large arrays mapped and read-only.

        Raises ArtifactCorrupt if the file is missing, altered or not signed with a key of this server.
        """
        path = self._path(market_id, key)
        try:
            with path.open("rb") as file:
                index, pickled = self._front(file, path)
                first = file.tell() + -file.tell() % _ALIGNED
                file.seek(first)
                if _hash(iter(lambda: file.read(_BLOCK), b"")) != index["sha256"]:
                    raise _unusable(path, "it was altered")
                return pickle.loads(pickled, buffers=_mapped(file, first, index["places"]))  # noqa: S301 - signed
        except FileNotFoundError as error:
            raise _unusable(path, "it is missing") from error
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error

    def _front(self, file: BinaryIO, path: Path) -> tuple[dict[str, Any], bytes]:
        """Return the index and the pickle once their signature is verified."""
        head = file.read(_HEAD.size)
        if len(head) != _HEAD.size or not head.startswith(_MAGIC):
            raise _unusable(path, "it is no such file")
        _, index_length, pickle_length, signature = _HEAD.unpack(head)
        index, pickled = file.read(index_length), file.read(pickle_length)
        if not accepted_keys(self.home).accept(index + pickled, signature):
            raise _unusable(path, "it is not signed with a key of this server")
        return json.loads(index), pickled

    def _path(self, market_id: str, key: str) -> Path:
        return self.home / "opened" / market_id / f"{key}.opened"


class _Pickler(pickle.Pickler):
    """Leaves large arrays out of the pickle; texts and days, which pickle alone would write one by one, too."""

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.nbytes < _LARGE:
            return NotImplemented
        if value.dtype.kind in "mM":
            return _days, (np.ascontiguousarray(value).view(np.int64), value.dtype.str)
        if value.dtype == object and value.ndim == 1:
            texts = MappedText.of(value)
            return NotImplemented if texts is None else texts.__reduce__()
        if not value.flags.c_contiguous and value.dtype != object:
            return _as_it_is, (np.ascontiguousarray(value),)
        return NotImplemented


def _days(numbers: NDArray[Any], dtype: str) -> NDArray[Any]:
    return numbers.view(dtype)


def _as_it_is(values: NDArray[Any]) -> NDArray[Any]:
    return values


def _pickled(value: object) -> tuple[bytes, list[memoryview]]:
    """Return the pickle of an object, and the arrays it leaves out."""
    arrays: list[memoryview] = []

    def leave_out(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _LARGE:
            return True
        arrays.append(raw)
        return False

    stream = io.BytesIO()
    _Pickler(stream, protocol=5, buffer_callback=leave_out).dump(value)
    return stream.getvalue(), arrays


def _places(arrays: list[memoryview]) -> tuple[list[tuple[int, int]], list[memoryview]]:
    """Return where each array lies among those to write, and its size; arrays of one content are written once."""
    once: dict[tuple[int, bytes], tuple[int, memoryview]] = {}
    places, end = [], 0
    for one in arrays:
        content = len(one), hashlib.sha256(one).digest()
        if content not in once:
            once[content] = end, one
            end += len(one) + -len(one) % _ALIGNED
        places.append((once[content][0], len(one)))
    return places, [one for _, one in once.values()]


def _laid_out(arrays: list[memoryview]) -> Iterator[memoryview | bytes]:
    """Yield the arrays with the blanks between them."""
    for one in arrays:
        yield one
        yield bytes(-len(one) % _ALIGNED)


def _mapped(file: BinaryIO, first: int, places: list[tuple[int, int]]) -> Iterator[memoryview]:
    """Yield the arrays of a file, which its memory map keeps open."""
    if places:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        for start, size in places:
            yield whole[first + start : first + start + size]


def _hash(parts: Iterable[memoryview | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _unusable(path: Path, why: str) -> ArtifactCorrupt:
    return ArtifactCorrupt(f"The opened file {path} cannot be used: {why}. It is made again from the sales.")
