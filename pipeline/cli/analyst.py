"""train, models, evaluate: the analyst's circle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli import options
from pipeline.cli.console import Console

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@click.argument("labelled", nargs=-1, required=True, type=options.PATH)
@click.option("--name", default="fields", show_default=True, help="What to call the model.")
@options.common
def train(console: Console, labelled: tuple[Path, ...], name: str) -> None:
    """Learn a field classifier from tables with a filled column field; `models promote` puts it in use.

    \b
    Example:
      sangkien train labelled-2025.xlsx
    """
    from pipeline import normalize, read, registry, starter
    from pipeline.taxonomy import default

    with console.stage("read", len(labelled)) as advance:
        reading = read.tables(labelled, progress=lambda _name: advance(1))
    console.unread(reading.quarantine)
    root, taxonomy = options.models_folder(), default()
    with console.stage("train", 1):
        version = starter.train_fields(
            root, normalize.frame(reading.batch), taxonomy, name=name, source=labelled, created=options.now()
        )
    card = registry.card(root, name, version)
    _figures(console, console.words("On records it had not seen"), card["metrics"])
    console.say(
        "{name}/{version} was trained. To put it in use: sangkien models promote {name} {version}",
        name=name,
        version=version,
    )
    console.data({"name": name, "version": version, "metrics": card["metrics"]})


def _figures(console: Console, title: str, metrics: dict[str, object]) -> None:
    rows = [(name, value) for name, value in metrics.items() if not isinstance(value, dict)]
    console.table(title, rows)


@click.group()
def models() -> None:
    """List, show, put in use and take back models.

    \b
    Example:
      sangkien models list
    """


@models.command("list")
@options.common
def list_models(console: Console) -> None:
    """List every model and version; * marks the one in use.

    \b
    Example:
      sangkien models list --json
    """
    from pipeline import registry

    root = options.models_folder()
    found = [
        {"name": name, "version": version, "current": version == registry.current(root, name)}
        for name in registry.names(root)
        for version in registry.versions(root, name)
    ]
    console.data({"models": found})
    if not found:
        console.say("There is no model in {path} yet; the first run trains one from the sample.", path=root)
        return
    rows = [(f"{each['name']}/{each['version']}", "*" if each["current"] else "") for each in found]
    console.table(console.words("Models"), rows)


@models.command()
@click.argument("name")
@click.argument("version", required=False)
def show(name: str, version: str | None) -> None:
    """Print the card of a model (of the version in use, unless another is named).

    \b
    Example:
      sangkien models show fields
    """
    from pipeline import registry
    from pipeline.errors import InputNotFound

    root = options.models_folder()
    version = version or registry.current(root, name)
    if version is None:
        raise InputNotFound("No version of the model {name} is in use in {root}.", name=name, root=root)
    click.echo(json.dumps(registry.card(root, name, version), ensure_ascii=False, indent=2))


@models.command()
@click.argument("name")
@click.argument("version")
@options.common
def promote(console: Console, name: str, version: str) -> None:
    """Put a version of a model in use.

    \b
    Example:
      sangkien models promote fields 0002-1a2b3c4d
    """
    from pipeline import registry

    registry.promote(options.models_folder(), name, version)
    console.say("{name}/{version} is in use now.", name=name, version=version)


@models.command()
@click.argument("name")
@options.common
def rollback(console: Console, name: str) -> None:
    """Put the version in use before the present one in use again.

    \b
    Example:
      sangkien models rollback fields
    """
    from pipeline import registry

    version = registry.rollback(options.models_folder(), name)
    console.say("{name}/{version} is in use now.", name=name, version=version)


@click.group()
def evaluate() -> None:
    """Measure how good labels and duplicates are, on records that people have judged.

    \b
    Example:
      sangkien evaluate dedupe records.csv pairs.csv
    """


@evaluate.command("classify")
@click.argument("files", nargs=-1, required=True, type=options.PATH)
@click.option("--model", default="fields", show_default=True, help="Which field classifier to judge.")
@options.common
def evaluate_classify(console: Console, files: tuple[Path, ...], model: str) -> None:
    """Compare the model's labels with the column field (and field2) of tables it was not trained on.

    \b
    Example:
      sangkien evaluate classify judged-2025.xlsx
    """
    from pipeline import classify, evaluate, normalize, read, starter
    from pipeline.errors import UsageError
    from pipeline.taxonomy import default

    taxonomy, reading = default(), read.tables(files)
    console.unread(reading.quarantine)
    batch = normalize.frame(reading.batch)
    batch = batch[batch["field"] != ""].reset_index(drop=True)
    if batch.empty:
        raise UsageError("No row has a label to compare with. Fill the column field, then run again.")
    ready = starter.fields(options.models_folder(), taxonomy, name=model, created=options.now())
    labels = classify.label(ready.model, batch, name=ready.name)
    found = evaluate.labels(
        [taxonomy.code_of(cell) or cell for cell in batch["field"]],
        labels["field"].tolist(),
        second=[taxonomy.code_of(cell) or cell for cell in batch["field2"]],
        probability=labels["probability"].astype(float).tolist(),
        auto=(labels["decision"] == "auto").tolist(),
    )
    console.data({"model": ready.name, **found.summary()})
    _figures(console, console.words("Beside what people judged"), {"model": ready.name, **found.summary()})
    rows = [
        (row["field"], *(f"{row[name]:.3f}" for name in ("precision", "recall", "f1")), row["true"])
        for row in found.fields.to_dict("records")
    ]
    console.table(console.words("Fields"), rows, head=["", "precision", "recall", "F1", "n"])


@evaluate.command("dedupe")
@click.argument("records", type=options.PATH)
@click.argument("pairs", type=options.PATH)
@options.common
def evaluate_dedupe(console: Console, records: Path, pairs: Path) -> None:
    """Compare the pairs found in RECORDS with PAIRS (id_a,id_b,relation) that people have judged.

    A flagged pair that is not in PAIRS counts as wrong.

    \b
    Example:
      sangkien evaluate dedupe records.csv pairs.csv
    """
    from pipeline import dedupe, evaluate, normalize, read, starter
    from pipeline.settings import Settings

    settings = Settings()
    judged = starter.judged(pairs)
    reading = read.tables([records])
    console.unread(reading.quarantine)
    batch = normalize.frame(reading.batch)
    there = judged["id_a"].isin(batch["id"]) & judged["id_b"].isin(batch["id"])
    if absent := int((~there).sum()):
        console.warn(
            "{path}: {count} pairs name records that {records} does not hold; they are left out.",
            path=pairs,
            count=absent,
            records=records,
        )
        judged = judged[there]
    _check_judged(judged, pairs)
    form = starter.form_text(settings=settings)
    judge = starter.pairs(options.models_folder(), settings=settings, form=form, created=options.now())
    corpus = dedupe.corpus(batch, None, settings)
    table = dedupe.table(corpus, dedupe.find(corpus, judge.model, form, settings))
    found = evaluate.pairs(judged, table, threshold=settings.match_probability)
    console.data({"model": judge.name, **found.summary()})
    _figures(console, console.words("Beside what people judged"), {"model": judge.name, **found.summary()})
    rows = [
        (row["relation"], row["pairs"], row["flagged"], f"{row['share']:.3f}")
        for row in found.relations.to_dict("records")
    ]
    head = [console.words(name) for name in ("Relation", "pairs", "flagged", "share")]
    console.table(console.words("By relation"), rows, head=head)


def _check_judged(judged: pd.DataFrame, path: Path) -> None:
    from pipeline.errors import UsageError
    from pipeline.records import SAME

    if not judged["relation"].isin(SAME).any():
        raise UsageError(
            "{path}: no pair is judged to be the same initiative, so nothing can be measured. "
            "Add pairs with one of the relations: {known}.",
            path=path,
            known=", ".join(SAME),
        )
