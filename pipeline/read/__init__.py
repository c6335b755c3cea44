"""Office tables → initiatives, with an account of every row.

CSV, TSV, XLSX, XLS, JSON Lines and Parquet; `tables` reads them, `aliases` loads the table of header names.
"""

from pipeline.read.headers import HeaderAliases, aliases
from pipeline.read.reading import Reading, tables

__all__ = ["HeaderAliases", "Reading", "aliases", "tables"]
