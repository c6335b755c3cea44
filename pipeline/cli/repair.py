"""repair: clean copies of tables, and a list of what was changed in them."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.console import Console
from pipeline.records import FIXES


@click.command()
@click.argument("files", nargs=-1, required=True, type=options.PATH)
@click.option(
    "--out", type=options.PATH, default=Path("repaired"), show_default=True, help="Folder for the copies."
)
@options.encoding
@options.common
def repair(console: Console, files: tuple[Path, ...], out: Path, encodings: tuple[str, ...]) -> None:
    """Write clean copies of tables in Unicode (UTF-8), and changes.csv with every cell that was changed.

    Old encodings (TCVN3, VNI, windows-1258), UTF-8 gone wrong, letters composed of pieces,
    characters that cannot be seen, letters of other alphabets. Rows, columns, numbers,
    formulas and formats stay. The files themselves are never written to.

    \b
    Example:
      sangkien repair danh-sach.xlsx --out repaired
    """
    from pipeline import repair as mending
    from pipeline.errors import UsageError

    names = [path.name for path in files]
    if len(set(names)) < len(names):
        raise UsageError("Two files have one name. Mend them one after the other, into different folders.")
    done = []
    with console.stage("repair", len(files)) as advance:
        for path in files:
            done.append(mending.mend(path, out, also=encodings))
            advance(1)
    listed = mending.record(done, out, say=lambda code: console.words(FIXES[code]))
    for each in done:
        _remarks(console, each)
    console.table(
        console.words("Repairs"),
        [(each.source.name, each.cells, len(each.changes)) for each in done],
        head=[console.words(name) for name in ("File", "cells", "changed")],
    )
    console.say("The copies and the list of changes ({name}) stand in {path}.", name=listed.name, path=out)
    content = [
        {"file": str(each.source), "copy": str(each.copy), "cells": each.cells, "changed": len(each.changes)}
        | {"fixes": each.fixes}
        for each in done
    ]
    console.data({"out": str(out), "files": content})


def _remarks(console: Console, done: object) -> None:
    from pipeline.repair import Mended

    assert isinstance(done, Mended)
    if done.encoding:
        console.say(
            "{file}: was read as {encoding}. Check the Vietnamese letters of a few rows.",
            file=done.source.name,
            encoding=done.encoding,
        )
    if done.values_only:
        console.warn(
            "{file}: workbooks of this kind cannot be written any more; {copy} holds the values only.",
            file=done.source.name,
            copy=done.copy.name,
        )
