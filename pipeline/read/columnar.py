"""Parquet → rows of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
from pyarrow import parquet

from pipeline.read import raw
from pipeline.read.faults import Row, UnreadableError
from pipeline.read.workbook_child import text_of

_BATCH = 10_000


class Columns:
    """A Parquet file: its column ``names``, how many rows it says it has (``count``), and the rows.

    Raises:
        UnreadableError: ``E-PARQUET``, at the start or on the way.

    >>> import io
    >>> file = io.BytesIO()
    >>> parquet.write_table(pa.table({"id": ["007"], "n": [3.0]}), file)
    >>> found = Columns(file)
    >>> found.names, found.count, [row.cells for row in found]
    (['id', 'n'], 1, [['007', '3']])
    """

    def __init__(self, file: IO[bytes]) -> None:
        file.seek(0)
        try:
            self._file = parquet.ParquetFile(file)
            self.names = list(self._file.schema_arrow.names)
        except _DAMAGED as error:
            raise _unreadable(error) from None
        self.count = int(self._file.metadata.num_rows)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows, counted from 1; null is ``""``."""
        number = 0
        try:
            for batch in self._file.iter_batches(_BATCH):
                columns = [[text_of(value) for value in column.to_pylist()] for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield Row(number, list(cells), raw.joined(cells))
        except _DAMAGED as error:
            raise _unreadable(error) from None


_DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError)


def _unreadable(error: Exception) -> UnreadableError:
    return UnreadableError("E-PARQUET", reason=str(error).split("\n", maxsplit=1)[0][:200])
