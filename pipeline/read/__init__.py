"""Office tables → initiatives, with an account of every row.

CSV, TSV, XLSX, XLS, JSON, JSON Lines and Parquet; `tables` reads them, `stream` does so batch by batch,
`aliases` loads the table of header names.
`taxonomy_sheet` reads a sheet of fields; `requeue` takes back rows that were mended; `decided` reads what
people decided about pairs, `labelled` which fields they gave records.
"""

from pipeline.read.account import Stream
from pipeline.read.fieldsheet import taxonomy_sheet
from pipeline.read.headers import HeaderAliases, aliases
from pipeline.read.labelled import Labelled, labelled
from pipeline.read.reading import Reading, size, stream, tables
from pipeline.read.requeue import requeue
from pipeline.read.verdicts import Verdicts, decided

__all__ = [
    "HeaderAliases",
    "Labelled",
    "Reading",
    "Stream",
    "Verdicts",
    "aliases",
    "decided",
    "labelled",
    "requeue",
    "size",
    "stream",
    "tables",
    "taxonomy_sheet",
]
