"""Tables → a reading, as every command takes them: with progress, and what must be known of each file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import options
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    import pandas as pd

    from pipeline.read import Reading
    from pipeline.records import Source


def tables(
    console: Console,
    files: Sequence[Path],
    *,
    stage: str = "read",
    **chosen: Any,
) -> Reading:
    """Return what the tables hold.

    What was ``chosen``, here or by `options.tables`, is handed on to `read.tables`; ``headers`` is the
    office's own sheet of column names.
    """
    from pipeline import read

    chosen = {**options.reading(), **chosen}
    aliases = read.aliases(chosen.pop("headers", None))
    with console.stage(stage, read.size(files)) as advance:
        reading = read.tables(files, aliases=aliases, progress=advance, **chosen)
    console.left_out(reading.dropped.cells)
    return reading


def records(console: Console, files: Sequence[Path]) -> pd.DataFrame:
    """Return the records that the tables hold, the rows that could not be read having been named."""
    given = tables(console, files)
    console.unread(given.quarantine)
    return given.batch


def tell(console: Console, sources: Sequence[Source]) -> None:
    """Say how the columns of each file were understood, and what else a person should know of it."""
    for source in sources:
        found = [
            f'"{header}" → {column}'
            for header, column in source.columns.items()
            if header.rpartition("!")[2] != column and _understood(column)
        ]
        if found:
            console.say("{file}: {columns}.", file=source.file, columns="; ".join(found))
        for note in source.notes:
            console.say("{note}", note=note)


def _understood(column: str) -> bool:
    from pipeline.records import CANONICAL, OPTIONAL

    return column in {*CANONICAL, *OPTIONAL}
