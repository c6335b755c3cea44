"""drift: whether new records are still like those the model learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import options, reading
from pipeline.cli.axis import Axis
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    from collections.abc import Mapping

    import pandas as pd


@click.command()
@click.argument("files", nargs=-1, type=options.PATH)
@click.option("--model", default="fields", show_default=True, help="Which field classifier to compare with.")
@click.option("--out", type=options.PATH, help="The workbook (.xlsx) or JSON file (.json) to write.")
@options.encoder
@options.author_fields
@options.store
@options.tables
@options.common
def drift(
    console: Console,
    files: tuple[Path, ...],
    model: str,
    out: Path | None,
    *,
    store: Path | None,
    author_fields: Path | None,
) -> None:
    """Compare the initiatives in FILES, or in the archive, with those that the model learnt from.

    New words, the mix of fields, how sure the model is, and the form of records are compared; each
    difference has an effect size with an interval, so that few records do not cry wolf. It says what to do:
    nothing, look, or label new records and train again.

    \b
    Example:
      sangkien drift new.xlsx --out drift.xlsx
    """
    from pipeline import drifting, report, starter
    from pipeline.errors import NoUsableRow, UsageError

    if out is not None and out.suffix.lower() not in {".xlsx", ".json"}:
        raise UsageError("{path}: name a workbook that ends in .xlsx or a file that ends in .json.", path=out)
    asked = Axis.of(console, store, author_fields=author_fields)
    # What a run's labels are told from must be told here too, or its lack would look like drift.
    batch = asked.coded(console, _records(console, files, store))
    root, readers = options.models_folder(), options.readers()
    with console.stage("load the field model", 1):
        ready = starter.fields(root, asked.taxonomy, name=model, created=options.now(), readers=readers)
    with console.stage("drift", 1):
        content = drifting.content(ready, batch)
    if not content["records"]:
        raise NoUsableRow("No record holds any text to compare. Name another table.")
    console.data(content)
    _show(console, content, asked.taxonomy.names)
    if out is not None:
        report.drift(content, out, names=asked.taxonomy.names, language=console.language)
        console.say("{path}", path=out)


def _records(console: Console, files: tuple[Path, ...], store: Path | None) -> pd.DataFrame:
    from pipeline import normalize
    from pipeline.store import Store

    if files:
        return normalize.frame(reading.records(console, files))
    with console.stage("read the archive", 1), Store.read(store or options.store_folder()) as opened:
        return normalize.frame(opened.archive())


def _show(console: Console, content: Mapping[str, Any], names: Mapping[str, str]) -> None:
    from pipeline.report import drifted
    from pipeline.report.wording import Wording

    wording = Wording.of(console.language)
    told = [*content["effects"], *(each for each in content["fields"] if each["size"] != "none")]
    rows = [(drifted.name(each, names, wording), wording(drifted.SIZES[each["size"]])) for each in told]
    console.table(console.words("Beside what the model learnt from"), rows)
    for each in told:
        if each["size"] != "none":
            console.say("{sentence}", sentence=drifted.sentence(each, names, wording))
    terms = [(each["term"], each["records"], each["example"][:60]) for each in content["new_terms"]]
    if terms and any(each["name"] == "vocabulary" and each["size"] != "none" for each in content["effects"]):
        head = [console.words(text) for text in ("Word or phrase", "Records", "Example")]
        console.table(console.words("New words"), terms, head=head)
    console.warn("{sentence}", sentence=wording(drifted.CONCLUSIONS[content["conclusion"]]))
