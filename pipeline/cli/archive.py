"""archive: the growing store of initiatives that new ones are compared with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import options, reading
from pipeline.cli.console import Console

if TYPE_CHECKING:
    from pipeline.archive import Made


@click.group()
def archive() -> None:
    """Keep the initiatives that new ones are compared with.

    \b
    Example:
      sangkien archive add recognised-2024.xlsx
    """


def _made(form: Path | None = None) -> Made:
    """Return what an index is made with."""
    from pipeline import starter
    from pipeline.archive import Made
    from pipeline.settings import Settings

    return Made(Settings(), starter.knowledge(settings=Settings(), form=form))


@archive.command()
@click.argument("files", nargs=-1, required=True, type=options.PATH)
@options.store
@options.form_text
@options.headers
@options.fill_merged
@options.keep_personal
@options.encoding
@options.common
def add(
    console: Console,
    files: tuple[Path, ...],
    store: Path | None,
    form_text: Path | None,
    **chosen: Any,
) -> None:
    """Put the initiatives of tables into the archive; the same table twice changes nothing.

    \b
    Example:
      sangkien archive add recognised-2024.xlsx --store office
    """
    from pipeline import archive as archives
    from pipeline.store import Store

    folder, made = store or options.STORE, _made(form_text)
    given = reading.tables(
        console,
        files,
        headers=chosen["headers"],
        personal=chosen["keep_personal"],
        encodings=chosen["encodings"],
        fill=chosen["fill_merged"],
    )
    reading.tell(console, given.sources)
    with Store.open(folder, create=True) as opened, console.stage("index the archive", 1):
        done = archives.add(folder, opened, given.batch, made, now=options.now())
        total = opened.status().records
    console.say(
        "{added} initiatives added, {known} were there already; the archive holds {total}.",
        added=len(done.added),
        known=len(done.known),
        total=total,
    )
    for name in done.conflicts:
        console.warn(
            "{id}: the archive holds this id with other content; the archived one was left as it is.", id=name
        )
    console.unread(given.quarantine)
    console.data(
        {
            **{name: len(ids) for name, ids in asdict(done).items()},
            "quarantined": len(given.quarantine),
            "records": total,
        }
    )


@archive.command()
@options.store
@options.common
def status(console: Console, store: Path | None) -> None:
    """Say how many initiatives the archive holds, and of which time.

    \b
    Example:
      sangkien archive status --json
    """
    from pipeline import archive as archives
    from pipeline.store import Store

    folder, made = store or options.STORE, _made()
    with Store.read(folder) as opened:
        found = opened.status()
        index = archives.condition(folder, opened, made)
    console.data({**asdict(found), "index": asdict(index)})
    rows = [
        (console.words("Initiatives"), found.records),
        (console.words("with a date"), found.dated),
        (console.words("Earliest date"), found.first),
        (console.words("Latest date"), found.last),
        (console.words("Last changed"), found.changed),
        (console.words("Index, MB"), round(index.size / 1_000_000, 1)),
    ]
    console.table(console.words("Archive"), rows)
    if not index.current:
        console.warn(
            "The index is not that of the archive as it is. `sangkien archive rebuild` makes it again."
        )


@archive.command()
@click.argument("ids", nargs=-1, required=True)
@options.store
@options.common
def remove(console: Console, ids: tuple[str, ...], store: Path | None) -> None:
    """Take initiatives out of the archive for good.

    What reviewers decided about them stays on record: it holds ids and hashes of texts only.

    \b
    Example:
      sangkien archive remove SK-2024-017
    """
    from pipeline import archive as archives
    from pipeline.store import TOKENS, Store

    folder, made = store or options.STORE, _made()
    with Store.open(folder) as opened:
        gone = archives.remove(folder, opened, ids, made, now=options.now())
    if gone:
        # The cache holds words of removed texts; it is rebuilt as it is needed.
        (folder / TOKENS).unlink(missing_ok=True)
    console.say("{count} initiatives removed.", count=len(gone))
    for name in ids:
        if name not in gone:
            console.warn("{id} is not in the archive.", id=name)
    console.data({"removed": list(gone)})


@archive.command()
@options.store
@options.form_text
@options.common
def rebuild(console: Console, store: Path | None, form_text: Path | None) -> None:
    """Make the archive's index again from its records; nothing is lost when it was damaged or deleted.

    \b
    Example:
      sangkien archive rebuild --store office
    """
    from pipeline import archive as archives
    from pipeline.store import Store

    folder, made = store or options.STORE, _made(form_text)
    with Store.open(folder) as opened:
        with console.stage("index the archive", opened.status().records) as advance:
            archives.rebuild(folder, opened, made, advance=advance)
        index = archives.condition(folder, opened, made)
    console.say(
        "The index of {count} initiatives was made again ({size} MB).",
        count=index.records,
        size=round(index.size / 1_000_000, 1),
    )
    console.data(asdict(index))
