"""Office tables → initiatives, with an account of every row.

CSV, TSV, XLSX, XLS, JSON Lines and Parquet; `tables` reads them, `aliases` loads the table of header names.
`decided` reads what people decided about pairs.
"""

from pipeline.read.headers import HeaderAliases, aliases
from pipeline.read.reading import Reading, tables
from pipeline.read.verdicts import Verdicts, decided

__all__ = ["HeaderAliases", "Reading", "Verdicts", "aliases", "decided", "tables"]
