"""A row of a sheet as one text, and back: what stands in the column ``raw`` of the quarantine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_QUOTED: Final = re.compile(r'[\t\r\n]|^"')


def joined(cells: Iterable[str]) -> str:
    r"""Return the cells joined by tabs; one with a tab or line end, or that opens with ``"``, is quoted.

    >>> joined(["a", "b c", "d\ne"])
    'a\tb c\t"d\ne"'
    """
    return "\t".join('"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell for cell in cells)
