"""Accepted rows on the way: kept beside memory, so that a table may be larger than it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

import pyarrow as pa
from pyarrow import ipc

_IN_MEMORY: Final = 32 << 20  # bytes, packed: what office files come to never touches a disk


class Spool:
    """Tables of text, put in one after the other and taken out by number.

    >>> with Spool() as spool:
    ...     number = spool.put({"id": ["1", "2"]})
    ...     spool.take(number).column("id").to_pylist()
    ['1', '2']
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._places: list[tuple[int, int]] = []
        self._options = ipc.IpcWriteOptions(compression="lz4")

    def put(self, columns: Mapping[str, Sequence[str] | Sequence[bytes]]) -> int:
        """Keep a table; return its number."""
        arrays = [
            pa.array(cells, pa.large_binary() if cells and isinstance(cells[0], bytes) else pa.large_string())
            for cells in columns.values()
        ]
        sink = pa.BufferOutputStream()
        batch = pa.record_batch(arrays, names=list(columns))
        with ipc.new_stream(sink, batch.schema, options=self._options) as stream:
            stream.write_batch(batch)
        packed = sink.getvalue()
        start = self._file.seek(0, 2)
        self._file.write(packed.to_pybytes())
        self._places.append((start, packed.size))
        return len(self._places) - 1

    def take(self, number: int) -> pa.Table:
        """Return a table that was put in."""
        start, size = self._places[number]
        self._file.seek(start)
        return ipc.open_stream(self._file.read(size)).read_all()

    def close(self) -> None:
        """Let go of everything."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
