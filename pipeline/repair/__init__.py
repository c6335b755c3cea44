"""A table in → a clean copy of it in Unicode, and a list of every cell that was changed.

::

    document (text, records, workbook)   which cells there are, and how they are put back
    cells                                what becomes of a cell, as its column has it; pure
    mend(path, folder)                   the copy, and what was changed

Everything that is no text stays as it was: numbers, formulas and formats of a workbook, types of a Parquet
file, the delimiter and the quotation marks of a text.
"""

from pipeline.repair.cells import Change
from pipeline.repair.mending import Mended, mend, record

__all__ = ["Change", "Mended", "mend", "record"]
