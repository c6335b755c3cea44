"""requeue: rows that could not be read, mended by a person, become a table again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli import options
from pipeline.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.records import Table


@click.command()
@click.argument("quarantine", nargs=-1, required=True, type=options.PATH)
@click.option(
    "--out", required=True, type=options.PATH, help="Table (.csv) for the rows that can be read now."
)
@click.option(
    "--results",
    type=options.PATH,
    help="Folder of the run that the quarantine is of.  [default: where the quarantine stands]",
)
@options.common
def requeue(console: Console, quarantine: tuple[Path, ...], out: Path, results: Path | None) -> None:
    """Take back rows of a run's QUARANTINE that were mended: they become a table to run or to archive.

    Mend the cells of the column raw in quarantine.csv (Excel will do) and save it. QUARANTINE is that
    file, or the folder of the run. Rows that nobody mended are named again and stay where they are; doing
    it twice gives the same table.

    \b
    Example:
      sangkien requeue ket-qua/quarantine.csv --out da-sua.csv
    """
    from pipeline import read, report
    from pipeline.report import files

    paths = [path / "quarantine.csv" if path.is_dir() else path for path in quarantine]
    folder = results or paths[0].parent
    accepted = folder / "initiatives.parquet"
    reading = read.requeue(
        paths,
        _tables(folder),
        accepted=accepted if accepted.exists() else None,
        plain=files.verbatim,
    )
    taken = len(reading.batch)
    if taken:
        report.table(reading.batch.drop(columns="flags"), out, made=reading.made_ids)
        console.say("{count} rows can be read now and stand in {path}.", count=taken, path=out)
    console.unread(reading.quarantine)
    if not taken:
        console.warn("No row can be read that could not be read before. Mend the column raw, then try again.")
    console.data({"out": str(out) if taken else None, "taken": taken, "left": len(reading.quarantine)})


def _tables(folder: Path) -> Mapping[str, Sequence[Table]]:
    """Return how the run in ``folder`` understood the tables of each of its files."""
    from pipeline.errors import InputNotFound, UsageError
    from pipeline.records import Table

    path = folder / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {
            source["file"]: [
                Table(each["sheet"], tuple(each["header"]), tuple(each["columns"]), each["delimiter"])
                for each in source["tables"]
            ]
            for source in record["inputs"]
        }
    except FileNotFoundError:
        raise InputNotFound(
            "{path} is not there: it says how the rows are to be read. "
            "Name the folder of the run (--results).",
            path=path,
        ) from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            "{path} is not the record of a run of this version. Run again, then mend its quarantine.",
            path=path,
        ) from None
