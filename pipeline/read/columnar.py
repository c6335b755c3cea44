"""Parquet → rows of text."""

from __future__ import annotations

import io

import pyarrow as pa
from pyarrow import parquet

from pipeline.read.faults import Row, UnreadableError
from pipeline.read.workbook_child import text_of

_BATCH = 10_000


def rows(data: bytes) -> tuple[list[str], list[Row]]:
    """Return the column names and the rows of a Parquet file, counted from 1; null is ``""``.

    Raises:
        UnreadableError: ``E-PARQUET``.

    >>> sink = pa.BufferOutputStream()
    >>> parquet.write_table(pa.table({"id": ["007"], "n": [3.0]}), sink)
    >>> names, found = rows(sink.getvalue().to_pybytes())
    >>> names, found[0].cells
    (['id', 'n'], ['007', '3'])
    """
    found: list[Row] = []
    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        names = list(file.schema_arrow.names)
        for batch in file.iter_batches(_BATCH):
            columns = [[text_of(value) for value in column.to_pylist()] for column in batch.columns]
            for cells in zip(*columns, strict=True):
                found.append(Row(len(found) + 1, list(cells), "\t".join(cells)))
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        raise UnreadableError("E-PARQUET", reason=str(error).split("\n", maxsplit=1)[0][:200]) from None
    return names, found
