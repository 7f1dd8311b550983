"""Tables of sales on disk: an immutable file each, or beyond one window a list of immutable parts by hash.

A list is a JSON file named by its own hash. It has the columns with their dtypes, and the parts in order. A part is a
Parquet file with the rows of one window, without the columns that have no value there. So new sales write only the
newest parts, a corrected sale only the part it lies in, and a new column no part without a value of it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.arrays import Ints
from core.errors import ArtifactCorrupt, InvalidRecord
from core.store.base.artifacts import ArtifactFolder
from core.store.sales.window_digest import digest, filled, is_cuttable

WINDOW: Final = 50_000
"""Rows read from files that share a part, whether they were kept or not."""

_ROW: Final = "intake_row"
_TEXT: Final = "str"
_FORMAT: Final = 1
_DICTIONARY: Final = 1 << 16
"""Bytes of a column's different values up to which a part lists these: a part is smaller so than by Parquet's limit."""


@dataclass(frozen=True)
class Part:
    """A part of a table: its rows, the digest of what they hold, and its file by hash and size."""

    rows: int
    digest: str
    sha256: str
    size: int


@dataclass(frozen=True)
class PartList:
    """A table as the parts it is made of, in order; ``columns`` has the dtype of each column by name."""

    columns: Mapping[str, str]
    parts: tuple[Part, ...]

    def payload(self) -> bytes:
        """Return the list as the content of its file."""
        document = {
            "format": _FORMAT,
            "columns": list(self.columns.items()),
            "parts": [asdict(part) for part in self.parts],
        }
        return json.dumps(document, indent=1).encode()


@dataclass(frozen=True)
class Planned:
    """A table that is not stored yet: the hash it will have, and the files to write, a list after its parts."""

    sha256: str
    parts: tuple[bytes, ...] = ()
    list_of_parts: bytes | None = None


@dataclass(frozen=True)
class Snapshots:
    """Stores tables by hash in one folder: ``files`` are whole tables and parts, ``lists`` the lists of parts.

    A table within one window of ``window`` rows is a whole file. So is each one of earlier releases.
    """

    files: ArtifactFolder
    lists: ArtifactFolder
    window: int = WINDOW

    def plan(self, frame: pd.DataFrame, what: str, basis: str | None) -> Planned:
        """Work out the files of a table, ``basis`` being the hash of the one it comes from, None without one.

        Parts that the basis has are neither encoded nor written again. Nothing is stored yet. Raises InvalidRecord for
        a table that Parquet cannot hold, ArtifactStoreAway, StoreUnavailable.
        """
        cuts = self._cuts(frame)
        if len(cuts) <= 2 or not is_cuttable(frame):
            payload = to_parquet(frame, what)
            return Planned(_sha256(payload), (payload,))
        if basis is not None and self._is_whole_with(basis, frame):
            return Planned(basis)
        return self._plan_parts(frame, what, cuts, {part.digest: part for part in self._known(basis)})

    def _plan_parts(self, frame: pd.DataFrame, what: str, cuts: list[int], known: Mapping[str, Part]) -> Planned:
        parts, payloads = [], []
        for begin, end in pairwise(cuts):
            rows = frame.iloc[begin:end]
            names = filled(rows)
            key = digest(rows, names)
            part = known.get(key)
            if part is None or not self.files.keeps(part.sha256, part.size):
                payload = to_parquet(rows[names], what, _DICTIONARY)
                part = Part(len(rows), key, _sha256(payload), len(payload))
                payloads.append(payload)
            parts.append(part)
        made = PartList({str(name): str(dtype) for name, dtype in frame.dtypes.items()}, tuple(parts)).payload()
        return Planned(_sha256(made), tuple(payloads), made)

    def write(self, planned: Planned) -> str:
        """Store a planned table and return its hash; a list is stored after all its parts.

        Raises StoreUnavailable. Killed at any moment, no list names a part that is not stored.
        """
        for payload in planned.parts:
            self.files.put(payload)
        if planned.list_of_parts is not None:
            self.lists.put(planned.list_of_parts)
        return planned.sha256

    def load(self, sha256: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a table with its dtypes and a new RangeIndex, ``columns`` of it where given; part by part.

        Raises ArtifactCorrupt if one of its files is missing or altered, StoreUnavailable.
        """
        parts = self._list(sha256)
        if parts is None:
            return from_parquet(self.whole(sha256), columns)
        names = list(parts.columns) if columns is None else list(columns)
        return self._joined(parts, {name: parts.columns[name] for name in names})

    def column_names(self, sha256: str) -> tuple[str, ...]:
        """Return the names of a table's columns without loading its rows; raises as ``load`` does."""
        parts = self._list(sha256)
        if parts is not None:
            return tuple(parts.columns)
        return tuple(pq.read_schema(io.BytesIO(self.whole(sha256))).names)

    def whole(self, sha256: str) -> bytes:
        """Return the content of a table's one file; raises ArtifactCorrupt, StoreUnavailable."""
        if self.files.shared is None and not self.files.path(sha256).is_file():
            raise ArtifactCorrupt(
                f"{self.files.what} file {self.files.path(sha256)} (or {self.lists.path(sha256).name}, the list of its "
                f"parts) is missing. {self.files.remedy}"
            )
        return self.files.read(sha256)

    def files_of(self, sha256: str) -> Iterator[tuple[ArtifactFolder, str]]:
        """Yield folder and hash of each file of a table; of a list that is lost or altered, the list alone.

        Raises StoreUnavailable.
        """
        try:
            parts = self._list(sha256)
        except ArtifactCorrupt:
            yield self.lists, sha256
            return
        if parts is None:
            yield self.files, sha256
            return
        yield self.lists, sha256
        yield from ((self.files, part.sha256) for part in parts.parts)

    def _cuts(self, frame: pd.DataFrame) -> list[int]:
        """Return where each window of a table begins, and its end: by rows of the intake, else by place."""
        rows = frame[_ROW].to_numpy() if list(frame.columns).count(_ROW) == 1 else np.arange(len(frame))
        if not np.issubdtype(rows.dtype, np.integer) or (len(rows) > 1 and bool(np.any(np.diff(rows) < 0))):
            rows = np.arange(len(frame))
        windows: Ints = rows // self.window
        return [0, *(np.flatnonzero(np.diff(windows)) + 1).tolist(), len(frame)]

    def _known(self, sha256: str | None) -> tuple[Part, ...]:
        # What is lost is written again as if it had never been there.
        with suppress(ArtifactCorrupt):
            parts = self._list(sha256) if sha256 is not None else None
            return parts.parts if parts is not None else ()
        return ()

    def _is_whole_with(self, sha256: str, frame: pd.DataFrame) -> bool:
        """Tell whether a whole file holds this table already, as one of an earlier release may."""
        with suppress(ArtifactCorrupt):
            if self._list(sha256) is None:
                payload = self.whole(sha256)
                if pq.read_metadata(io.BytesIO(payload)).num_rows == len(frame):
                    held = from_parquet(payload)
                    same = list(held.dtypes.items()) == list(frame.dtypes.items())
                    return same and _whole_digest(held) == _whole_digest(frame)
        return False

    def _list(self, sha256: str) -> PartList | None:
        """Return a list of parts, None where the table is one whole file."""
        if self.files.path(sha256).is_file() or not self.lists.holds(sha256):
            return None
        document = json.loads(self.lists.read(sha256))
        if document["format"] != _FORMAT:
            raise InvalidRecord(
                f"The list of parts {self.lists.path(sha256)} has format {document['format']}; this release reads "
                f"{_FORMAT}. Update Doorstep."
            )
        return PartList(dict(document["columns"]), tuple(Part(**part) for part in document["parts"]))

    def _joined(self, parts: PartList, dtypes: Mapping[str, str]) -> pd.DataFrame:
        """Fill a table part by part: at no time is more in memory than the table and one part."""
        rows, begin = sum(part.rows for part in parts.parts), 0
        words: dict[str, list[pa.ChunkedArray]] = {name: [] for name, dtype in dtypes.items() if dtype == _TEXT}
        values = {name: np.empty(rows, dtype) for name, dtype in dtypes.items() if dtype != _TEXT}
        for part in parts.parts:
            file, end = pq.ParquetFile(io.BytesIO(self.files.read(part.sha256))), begin + part.rows
            held = set(file.schema_arrow.names)
            read = file.read([name for name in dtypes if name in held])
            for name, array in values.items():
                array[begin:end] = read[name].to_numpy() if name in held else _missing(array.dtype)
            for name, texts in words.items():
                texts.append(read[name].cast(pa.large_string()) if name in held else _no_words(part.rows))
            begin = end
        columns = {name: values[name] if name in values else _text(words.pop(name)) for name in dtypes}
        return pd.DataFrame(columns, index=pd.RangeIndex(rows), copy=False)


def to_parquet(frame: pd.DataFrame, what: str, dictionary: int | None = None) -> bytes:
    """Return a table as a Parquet file; ``dictionary`` limits the bytes of each column's list of different values.

    Raises InvalidRecord for a table that Parquet cannot hold.
    """
    # Attributes and index are not content, but would change the file and so its hash.
    bare = frame.reset_index(drop=True).copy(deep=False)
    bare.attrs = {}
    buffer = io.BytesIO()
    try:
        table = pa.Table.from_pandas(bare, preserve_index=False)
        pq.write_table(table, buffer, compression="zstd", dictionary_pagesize_limit=dictionary)
    except (pa.ArrowException, ValueError) as error:
        raise InvalidRecord(
            f"The {what} table cannot be stored as Parquet ({' '.join(str(error).split())}); give each column one type "
            "and a unique name. Nothing was changed."
        ) from error
    return buffer.getvalue()


def from_parquet(payload: bytes, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the table of a Parquet file, or ``columns`` of it, with a new RangeIndex."""
    read = pq.read_table(io.BytesIO(payload), columns=None if columns is None else list(columns))
    frame: pd.DataFrame = read.to_pandas()
    return frame


def _whole_digest(frame: pd.DataFrame) -> str:
    return digest(frame, filled(frame))


def _missing(dtype: np.dtype[Any]) -> Any:
    return np.datetime64("NaT") if dtype.kind == "M" else np.nan


def _no_words(rows: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(rows, pa.large_string())])


def _text(parts: list[pa.ChunkedArray]) -> pd.Series:
    """Return texts as one piece, as from one file."""
    pieces = [piece for part in parts for piece in part.chunks]
    return pa.chunked_array([pa.concat_arrays(pieces)]).to_pandas()


def _sha256(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
