"""train, models, evaluate: the analyst's circle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipeline.cli import options, reading
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    from collections.abc import Mapping

    import pandas as pd

    from pipeline.evaluate import Pairs
    from pipeline.lessons import Lesson

_VERDICTS: Final = Path("verdicts in the store")
_SOURCES: Final = {"sample": "the sample", "pairs": "the table of pairs", "verdicts": "reviewers' verdicts"}


@click.command()
@click.argument("labelled", nargs=-1, type=options.PATH)
@click.option("--name", help="What to call the model.  [default: fields; with --pairs: pairs]")
@click.option(
    "--pairs",
    type=options.PATH,
    is_flag=False,
    flag_value=_VERDICTS,
    metavar="[PAIRS.csv]",
    help="Learn the pair model instead: from a table id_a,id_b,relation of records in LABELLED; or, when no "
    "table is named, from the verdicts in the store. Put it last.",
)
@options.store
@options.common
def train(
    console: Console, labelled: tuple[Path, ...], name: str | None, pairs: Path | None, store: Path | None
) -> None:
    """Learn a model from what people said; `models promote` puts it in use.

    From LABELLED tables with a filled column field: the field classifier.
    With --pairs: the pair model, from the sample's judged pairs and yours. Verdicts ("Trùng", "Khác") are of
    records in the store's archive; name the tables of others as LABELLED.

    \b
    Example:
      sangkien train labelled-2025.xlsx
      sangkien train records.csv --pairs judged.csv
      sangkien train --pairs
    """
    from pipeline import registry
    from pipeline.errors import UsageError

    if not labelled and pairs != _VERDICTS:
        raise UsageError("Name the tables to learn from. `sangkien train -h` shows how.")
    root = options.models_folder()
    if pairs is None:
        name = name or "fields"
        version = _train_fields(console, root, labelled, name)
    else:
        name = name or "pairs"
        version = _train_pairs(console, root, labelled, name, pairs=pairs, store=store)
    card = registry.card(root, name, version)
    _figures(console, console.words("On records it had not seen"), card["metrics"])
    if "judgements" in card:
        _judgements(console, card["judgements"])
    console.say(
        "{name}/{version} was trained. To put it in use: sangkien models promote {name} {version}",
        name=name,
        version=version,
    )
    learnt = {"judgements": card["judgements"]} if "judgements" in card else {}
    console.data({"name": name, "version": version, "metrics": card["metrics"], **learnt})


def _train_fields(console: Console, root: Path, labelled: tuple[Path, ...], name: str) -> str:
    from pipeline import starter
    from pipeline.taxonomy import default

    batch, taxonomy = _read(console, labelled), default()
    with console.stage("train", 1):
        return starter.train_fields(root, batch, taxonomy, name=name, source=labelled, created=options.now())


def _train_pairs(
    console: Console, root: Path, records: tuple[Path, ...], name: str, *, pairs: Path, store: Path | None
) -> str:
    from pipeline import starter
    from pipeline.settings import Settings

    settings = Settings()
    lesson = (
        _verdicts(console, records, store or options.STORE)
        if pairs == _VERDICTS
        else _judged_pairs(console, records, pairs)
    )
    with console.stage("train", 1):
        return starter.train_pairs(
            root,
            [starter.sample(), lesson],
            settings=settings,
            known=starter.knowledge(settings=settings),
            name=name,
            created=options.now(),
        )


def _judged_pairs(console: Console, records: tuple[Path, ...], pairs: Path) -> Lesson:
    from pipeline import starter
    from pipeline.errors import UsageError
    from pipeline.lessons import Lesson

    table = starter.judged(pairs)
    batch = _read(console, records)
    lesson = Lesson.of("pairs", batch, _there(console, table, batch, pairs))
    if lesson.judged.empty:
        raise UsageError("{path}: no pair is of records that were given. Name their tables too.", path=pairs)
    return lesson


def _verdicts(console: Console, records: tuple[Path, ...], store: Path) -> Lesson:
    """Return what reviewers decided about records of the archive and of the tables given."""
    import pandas as pd

    from pipeline import decisions, normalize
    from pipeline.errors import UsageError
    from pipeline.lessons import Lesson
    from pipeline.store import Store

    given = _reading(console, records)
    with Store.read(store) as opened:
        archive, judged = opened.archive(), opened.judged(given)
        recorded = decisions.newest(opened.decisions()).values()
    verdicts = sum(each.verdict != "similar" for each in recorded)
    if verdicts > len(judged):
        console.warn(
            "{count} of {all} verdicts are on texts that the archive does not hold: nothing is learnt from "
            "them. Name the tables of those records, or add them to the archive.",
            count=verdicts - len(judged),
            all=verdicts,
        )
    if judged.empty:
        raise UsageError(
            'In {path} there is no verdict "{same}" or "{different}" on records that are known. Record some '
            "with `sangkien decisions import`, then train again.",
            path=store,
            same=decisions.CHOICE["duplicate"],
            different=decisions.CHOICE["different"],
        )
    both = pd.concat([*([] if given is None else [given]), archive], ignore_index=True).fillna("")
    batch = normalize.frame(both.drop_duplicates("id", ignore_index=True))
    return Lesson("verdicts", batch, judged[["id_a", "id_b", "same"]])


def _read(console: Console, files: tuple[Path, ...]) -> pd.DataFrame:
    from pipeline import normalize

    batch = _reading(console, files)
    assert batch is not None
    return normalize.frame(batch)


def _reading(console: Console, files: tuple[Path, ...]) -> pd.DataFrame | None:
    if not files:
        return None
    given = reading.tables(console, files)
    console.unread(given.quarantine)
    return given.batch


def _there(console: Console, judged: pd.DataFrame, batch: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the judged pairs whose records are there, having told how many are not."""
    there = judged["id_a"].isin(batch["id"]) & judged["id_b"].isin(batch["id"])
    if absent := int((~there).sum()):
        console.warn(
            "{path}: {count} pairs name records that were not given; they are left out.",
            path=path,
            count=absent,
        )
    return judged[there].reset_index(drop=True)


def _judgements(console: Console, used: Mapping[str, Mapping[str, int]]) -> None:
    rows = [
        (console.words(_SOURCES[source]), counts["judged"], counts["same"], counts["different"])
        for source, counts in used.items()
    ]
    head = [
        console.words(name) for name in ("Learnt from", "judged", "learnt: the same", "learnt: different")
    ]
    console.table(console.words("Judgements"), rows, head=head)


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
    from pipeline import classify, evaluate, normalize, starter
    from pipeline.errors import UsageError
    from pipeline.taxonomy import default

    taxonomy, given = default(), reading.tables(console, files)
    console.unread(given.quarantine)
    batch = normalize.frame(given.batch)
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
@click.argument("records", nargs=-1, required=True, type=options.PATH)
@click.argument("pairs", type=options.PATH)
@click.option("--out", type=options.PATH, help="Folder for evaluation.html and evaluation.json.")
@options.common
def evaluate_dedupe(console: Console, records: tuple[Path, ...], pairs: Path, out: Path | None) -> None:
    """Compare the pairs found in RECORDS with PAIRS (id_a,id_b,relation) that people have judged.

    A flagged pair that is not in PAIRS counts as wrong.
    evaluation.html shows the curves and names every pair that was missed or wrongly flagged.

    \b
    Example:
      sangkien evaluate dedupe records.csv pairs.csv --out judged
    """
    from pipeline import report, starter
    from pipeline.settings import Settings

    settings = Settings()
    table = starter.judged(pairs)
    batch = _read(console, records)
    judged = _there(console, table, batch, pairs)
    _check_judged(judged, pairs)
    known = starter.knowledge(settings=settings)
    judge = starter.pairs(options.models_folder(), settings=settings, known=known, created=options.now())
    found = starter.measured(batch, judged, judge.model, settings=settings, known=known)
    console.data({"model": judge.name, **found.summary()})
    _figures(console, console.words("Beside what people judged"), {"model": judge.name, **found.summary()})
    _relations(console, found)
    if out:
        titles = dict(zip(batch["id"].tolist(), batch["clean_title"].tolist(), strict=True))
        content = {"model": judge.name, **found.content(titles)}
        for path in report.judgement(content, out, language=console.language):
            console.say("{path}", path=path)


def _relations(console: Console, found: Pairs) -> None:
    rows = [
        (
            row["relation"],
            row["pairs"],
            row["flagged"],
            *(f"{row[column]:.3f}" for column in ("share", "share_best", "first", "top3")),
        )
        for row in found.relations.to_dict("records")
    ]
    head = [
        console.words(name)
        for name in ("Relation", "pairs", "flagged", "share", "share at best", "shown first", "among 3 shown")
    ]
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
