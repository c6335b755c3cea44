"""label-queue, audit-labels: which records to label next, and which labels to look at again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipeline.cli import fields, options, reading
from pipeline.cli.axis import Axis
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    from collections.abc import Sequence

    import pandas as pd

    from pipeline.classify import Model
    from pipeline.errors import Note
    from pipeline.labels import InForce
    from pipeline.records import Label
    from pipeline.revision import Course
    from pipeline.taxonomy import Taxonomy

_PART: Final = 5_000


@click.command("label-queue")
@click.argument("files", nargs=-1, type=options.PATH)
@click.option("--out", type=options.PATH, help="The workbook (.xlsx) to write, in which people label.")
@click.option(
    "--import",
    "filled",
    is_flag=True,
    help="FILES are filled workbooks (or tables id,field): read their labels into the store.",
)
@click.option(
    "--count", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many to ask for."
)
@click.option("--labeller", default="", help="Who labelled, where a row does not say.")
@options.encoder
@options.author_fields
@options.store
@options.tables
@options.common
def label_queue(  # noqa: PLR0913 - what users may choose
    console: Console,
    files: tuple[Path, ...],
    out: Path | None,
    *,
    filled: bool,
    count: int,
    labeller: str,
    author_fields: Path | None,
    store: Path | None,
) -> None:
    """Write the records whose labels would teach most, of FILES or of the archive; or read them back.

    First come records of a field that was split, then typical ones of all there is, and from 200 labels on
    those that a model cannot decide: one learnt here from the labels so far, or the one in use where it was
    taught by as many. Of more than 20,000 records so many are looked at. Copies are asked about once. Labels
    are only ever added: the newest on a text counts, a disagreement is shown, the same file twice changes
    nothing.

    \b
    Example:
      sangkien label-queue new.xlsx --out to-label.xlsx
      sangkien label-queue --import to-label.xlsx --labeller "Trần Thị Lan"
    """
    from pipeline.errors import UsageError

    if filled == (out is not None) or (filled and not files):
        raise UsageError(
            "Either name a workbook to write (--out FILE.xlsx), or filled ones to read (--import FILE.xlsx)."
        )
    if filled:
        _import(console, files, store or options.STORE, labeller=labeller)
    else:
        assert out is not None
        _write(console, files, store, out=out, count=count, author_fields=author_fields)


def _write(
    console: Console,
    files: tuple[Path, ...],
    store: Path | None,
    *,
    out: Path,
    count: int,
    author_fields: Path | None,
) -> None:
    from pipeline import asking, report, starter
    from pipeline.errors import UsageError
    from pipeline.settings import Settings

    if out.exists() or out.suffix.lower() != ".xlsx":
        # Said before minutes are spent; `report.ask` says which of the two it is.
        report.ask(_nothing(), out, taxonomy=fields.in_use(store), today=_today(), language=console.language)
    batch, told = labelled(console, files, store, archive=not files)
    if batch.empty:
        raise UsageError("There are no records to label. Name tables, or add records to the archive.")
    taxonomy, root, settings = fields.in_use(store), options.models_folder(), Settings()
    batch = Axis.of(console, store, author_fields=author_fields).coded(console, batch)
    known = starter.knowledge(settings=settings)
    with console.stage("label-queue", 1):
        judge = starter.pairs(root, settings=settings, known=known, created=options.now())
        name, model = _adviser(batch, taxonomy, root)
        alike = partial(starter.copies, judge=judge.model, settings=settings, known=known)
        asked = asking.queue(batch, told, model, alike, size=count)
    if asked.empty:
        raise UsageError("Every record has a label, or is a copy of one that has: there is nothing to ask.")
    report.ask(asked, out, taxonomy=taxonomy, today=_today(), language=console.language)
    console.say(
        "{count} records to label stand in {path}. When they are: sangkien label-queue --import {path}",
        count=len(asked),
        path=out,
    )
    reasons = {reason: int((asked["why"] == reason).sum()) for reason in asking.WHY}
    if reasons[asking.UNSURE]:
        console.say(
            "{name} is unsure of {count} of them.",
            name=name or console.words("A model learnt from the labels so far"),
            count=reasons[asking.UNSURE],
        )
    console.data({"out": str(out), "records": len(asked), "model": name, "why": reasons})


def _adviser(batch: pd.DataFrame, taxonomy: Taxonomy, root: Path) -> tuple[str, Model | None]:
    """Return the model whose doubts choose, and its name: ``""`` for one that the labels so far teach."""
    from pipeline import asking, registry, starter

    count = int((batch["field"].str.strip() != "").sum())
    if count < asking.ENOUGH:
        return "", None
    used = registry.current(root, starter.FIELDS)
    card = registry.card(root, starter.FIELDS, used) if used else {}
    # The starter was taught by others' records, however many.
    fits = card.get("taxonomy") == taxonomy.version and not starter.is_starter(card)
    if fits and int(card.get("rows", 0)) >= count:
        ready = starter.fields(root, taxonomy, created=options.now(), readers=options.readers())
        return ready.name, ready.model
    model = asking.learnt(batch, taxonomy, reader=options.readers().to_learn())
    if model is not None:
        return "", model
    ready = starter.fields(root, taxonomy, created=options.now(), readers=options.readers())
    return ready.name, ready.model


def _nothing() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: [] for name in ("id", "title", "description", "unit", "why", "content")})


def _today() -> date:
    return date.fromisoformat(options.today())


def labelled(
    console: Console,
    files: tuple[Path, ...],
    store: Path | None,
    *,
    archive: bool = True,
    others: int | None = None,
) -> tuple[pd.DataFrame, InForce]:
    """Return the records of tables and of the archive with the labels that people gave them in the store.

    Args:
        console: Where it is said what could not be read.
        files: The tables; where an id stands in the archive too, the table's record counts.
        store: The folder of the store, None for the default one.
        archive: Whether the archive's records are wanted.
        others: How many records of the archive without a label at most, drawn by chance; `asking.WIDE`.
    """
    from itertools import chain

    import pandas as pd

    from pipeline import asking, labels, normalize
    from pipeline.store import DATABASE, Store

    tables = []
    if files:
        tables.append(reading.records(console, files))
    said: list[Label] = []
    folder = store or options.store_folder()
    # Tables alone can be asked about before there is a store; nothing else can.
    if (folder / DATABASE).exists() or store or not files:
        with Store.read(folder) as opened:
            said = labels.moved(opened.labels(), opened.course())
            if archive:
                # What stands in the archive's own column field is what authors wrote, no label.
                parts = chain([opened.some(())], opened.batches(_PART))
                bare = (part.assign(field="", field2="") for part in parts)
                most = asking.WIDE if others is None else others
                tables.append(asking.drawn(bare, {label.id for label in said}, most=most))
    batch = pd.concat(tables, ignore_index=True).fillna("").drop_duplicates("id", ignore_index=True)
    told = labels.in_force(said, batch)
    return normalize.frame(labels.applied(batch, told)), told


def _import(console: Console, files: tuple[Path, ...], store: Path, *, labeller: str) -> None:
    from pipeline import labels, read
    from pipeline.errors import NoUsableRow
    from pipeline.store import Store

    with Store.open(store, create=True) as opened:
        course = opened.course()
        with console.stage("read", len(files)) as advance:
            found = read.labelled(files, course=course, today=options.today(), labeller=labeller)
            advance(len(files))
        console.unread(found.problems)
        if not found.labels and not found.unseen:
            raise NoUsableRow("No label could be read; nothing was recorded.")
        done = opened.label(found.labels, now=options.now())
        recorded = opened.labels()
    console.say(
        "{added} labels recorded, {known} were there already, {unseen} records are not labelled yet, "
        "{problems} rows could not be used.",
        added=len(done.added),
        known=len(done.known),
        unseen=found.unseen,
        problems=len(found.problems),
    )
    if guesses := sum(each.source == "model" for each in done.added):
        console.warn(
            "{count} of the labels are a model's (their table has probabilities): they are kept as that, and "
            "nothing is learnt from them.",
            count=guesses,
        )
    for each in done.overruled:
        console.warn(
            "{id}: this label ({field}) was recorded before, and a newer one counts. If it is to count "
            "again, give it the date of the day it was given anew.",
            id=each.id,
            field=each.field,
        )
    named = {labels.subject(each) for each in found.labels}
    disputed = [
        voices
        for voices in labels.conflicts(labels.moved(recorded, course))
        if labels.subject(voices[0]) in named
    ]
    _conflicts(console, disputed, course)
    console.data(
        {
            "added": len(done.added),
            "known": len(done.known),
            "overruled": len(done.overruled),
            "unseen": found.unseen,
            "problems": console.problems(found.problems),
            "conflicts": [[asdict(each) for each in voices] for voices in disputed],
            "labels": len(recorded),
        }
    )


def _conflicts(console: Console, disputed: Sequence[Sequence[Label]], course: Course) -> None:
    for voices in disputed:
        console.warn(
            "{id}: people disagree. {voices} The newest counts: {field}.",
            id=voices[0].id,
            voices=tuple(_voice(each, course) for each in voices),
            field=course.current.names[voices[0].field],
        )


def _voice(label: Label, course: Course) -> Note:
    from pipeline.errors import Note
    from pipeline.labels import day

    said = {"labeller": label.labeller, "date": day(label), "field": course.current.names[label.field]}
    if label.labeller:
        return Note("{labeller} said “{field}” on {date}.", {**said})
    return Note("Somebody unnamed said “{field}” on {date}.", {**said})


@click.command("audit-labels")
@click.argument("files", nargs=-1, required=True, type=options.PATH)
@click.option(
    "--out", required=True, type=options.PATH, help="The table (.csv) or workbook (.xlsx) to write."
)
@options.author_fields
@options.store
@options.tables
@options.common
def audit_labels(
    console: Console, files: tuple[Path, ...], out: Path, store: Path | None, author_fields: Path | None
) -> None:
    """Rank the labels of tables by how much they are to be doubted; none is changed or left out.

    Each label is held against a model that never saw the record nor a copy of it. The workbook has
    drop-downs: what is chosen there is read with `label-queue --import`.

    \b
    Example:
      sangkien audit-labels labelled-2025.xlsx --out doubts.xlsx
    """
    from pipeline import judging, normalize, report, starter
    from pipeline.errors import UsageError
    from pipeline.settings import Settings

    if out.suffix.lower() not in {".csv", ".xlsx"}:
        raise UsageError("{path}: name a table that ends in .csv or a workbook that ends in .xlsx.", path=out)
    given = reading.records(console, files)
    taxonomy, root, settings = fields.in_use(store), options.models_folder(), Settings()
    asked = Axis.of(console, store, author_fields=author_fields)
    batch = asked.labelled(console, normalize.frame(given))
    batch = batch[batch["field"].str.strip() != ""].reset_index(drop=True)
    starter.codes(batch, "field", taxonomy)  # a wrong label is said before minutes are spent
    known = starter.knowledge(settings=settings)
    with console.stage("audit-labels", 1):
        judge = starter.pairs(root, settings=settings, known=known, created=options.now())
        groups = starter.copies(batch, judge.model, settings=settings, known=known)
        found = judging.audit(batch, taxonomy, groups)
    if out.suffix.lower() == ".csv":
        report.table_of_doubts(found, out)
    else:
        report.ask_again(found, out, taxonomy=taxonomy, today=_today(), language=console.language)
    doubtful = int(found["doubtful"].sum())
    console.say(
        "{doubtful} of {count} labels are to be doubted; {path} has the most doubtful first. "
        "{left} could not be held against a model.",
        doubtful=doubtful,
        count=len(found),
        left=len(batch) - len(found),
        path=out,
    )
    console.data(
        {"out": str(out), "labels": len(found), "doubtful": doubtful, "left": len(batch) - len(found)}
    )
