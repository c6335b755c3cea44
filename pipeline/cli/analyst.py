"""train, models, evaluate: the analyst's circle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pipeline.cli import axis, labelling, options, reading
from pipeline.cli.axis import Axis
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    from collections.abc import Mapping

    import pandas as pd

    from pipeline.cli.frozen import Frozen
    from pipeline.evaluate import Pairs
    from pipeline.lessons import Lesson
    from pipeline.registry import Stored

_VERDICTS: Final = Path("verdicts in the store")
_SOURCES: Final = {"sample": "the sample", "pairs": "the table of pairs", "verdicts": "reviewers' verdicts"}


@click.command()
@click.argument("labelled", nargs=-1, type=options.PATH)
@click.option("--name", help="What to call the model.  [default: fields; kinds; pairs]")
@axis.OPTION
@click.option(
    "--pairs",
    type=options.PATH,
    is_flag=False,
    flag_value=_VERDICTS,
    metavar="[PAIRS.csv]",
    help="Learn the pair model instead: from a table id_a,id_b,relation of records in LABELLED; or, when no "
    "table is named, from the verdicts in the store. Put it last.",
)
@click.option(
    "--unlabelled",
    type=options.PATH,
    multiple=True,
    help="Tables of initiatives without labels, which help where there are few; may be given several times.",
)
@click.option(
    "--stored",
    is_flag=True,
    help="Learn from the labels that people gave in the store, of its archive's records and of those in "
    "LABELLED; records without one help where there are few.",
)
@options.encoder
@options.author_fields
@options.kinds
@options.store
@options.tables
@options.common
def train(  # noqa: PLR0913 - what users may choose
    console: Console,
    labelled: tuple[Path, ...],
    name: str | None,
    pairs: Path | None,
    *,
    unlabelled: tuple[Path, ...],
    stored: bool,
    store: Path | None,
    **chosen: Any,
) -> None:
    """Learn a model from what people said; `models promote` puts it in use.

    From LABELLED tables with a filled column field: the field classifier.
    With --axis kind: the classifier of kinds of solution, from a filled column kind ("Loại giải pháp").
    With --pairs: the pair model, from the sample's judged pairs and yours. Verdicts ("Trùng", "Khác") are of
    records in the store's archive; name the tables of others as LABELLED.

    \b
    Example:
      sangkien train labelled-2025.xlsx
      sangkien train labelled-2025.xlsx --unlabelled archive-2024.csv
      sangkien train --stored
      sangkien train registered-2025.xlsx --axis kind
      sangkien train records.csv --pairs judged.csv
      sangkien train --pairs
    """
    from pipeline import registry
    from pipeline.errors import UsageError

    if not labelled and pairs != _VERDICTS and not stored:
        raise UsageError("Name the tables to learn from. `sangkien train -h` shows how.")
    if chosen["axis"] == "kind" and (stored or pairs):
        raise UsageError(
            "Kinds of solution are learnt from tables with a column kind: name them, without {option}.",
            option="--pairs" if pairs else "--stored",
        )
    root = options.models_folder()
    if pairs is None:
        name = name or ("kinds" if chosen["axis"] == "kind" else "fields")
        version = _train_fields(
            console, root, labelled, name, unlabelled=unlabelled, store=store, stored=stored, **chosen
        )
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


def _train_fields(  # noqa: PLR0913 - what users may choose
    console: Console,
    root: Path,
    labelled: tuple[Path, ...],
    name: str,
    *,
    unlabelled: tuple[Path, ...],
    store: Path | None,
    stored: bool,
    **chosen: Any,
) -> str:
    from pipeline import starter
    from pipeline.settings import Settings

    asked, settings = Axis.of(console, store, **chosen), Settings()
    batch = (
        asked.coded(console, labelling.labelled(console, labelled, store)[0])
        if stored
        else asked.labelled(console, _read(console, labelled))
    )
    others = _others(console, asked, batch if stored else None, unlabelled)
    starter.codes(batch, "field", asked.taxonomy)  # a wrong label is said before minutes are spent
    known = starter.knowledge(settings=settings)
    judge = starter.pairs(root, settings=settings, known=known, created=options.now())
    with console.stage("train", 1):
        return starter.train_fields(
            root,
            batch,
            asked.taxonomy,
            name=name,
            source=labelled,
            created=options.now(),
            groups=starter.copies(batch, judge.model, settings=settings, known=known),
            unlabelled=others,
            reader=options.readers().to_learn(),
            axis=asked.name,
        )


def _others(
    console: Console, asked: Axis, batch: pd.DataFrame | None, unlabelled: tuple[Path, ...]
) -> pd.DataFrame | None:
    """Return the records without labels: of the tables named, and of the archive where its labels teach."""
    import pandas as pd

    parts = [] if batch is None else [batch[batch["field"].str.strip() == ""]]
    if unlabelled:
        parts.append(asked.coded(console, _read(console, unlabelled)))
    return pd.concat(parts, ignore_index=True).fillna("") if parts else None


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

    given = reading.records(console, records) if records else None
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

    return normalize.frame(reading.records(console, files))


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
@click.option("--text", type=click.Choice(["vi", "en"]), help="Print it for people, in this language.")
def show(name: str, version: str | None, text: str | None) -> None:
    """Print the card of a model (of the version in use, unless another is named).

    \b
    Example:
      sangkien models show fields
      sangkien models show fields --text vi
    """
    from pipeline import registry, report
    from pipeline.errors import InputNotFound

    root = options.models_folder()
    version = version or registry.current(root, name)
    if version is None:
        raise InputNotFound("No version of the model {name} is in use in {root}.", name=name, root=root)
    card = registry.card(root, name, version)
    if text and "labels" in card:
        click.echo(report.model_card(card, text), nl=False)
    else:
        click.echo(json.dumps(card, ensure_ascii=False, indent=2))


@models.command()
@click.argument("name")
@click.argument("version")
@click.option(
    "--on",
    "tables",
    type=options.PATH,
    multiple=True,
    help="Labelled tables neither model learnt from, on which both are compared; may be given several times.",
)
@click.option(
    "--on-stored",
    "stored",
    is_flag=True,
    help="Compare on what people labelled in the store, of its archive and of --on; what either model learnt "
    "from is left out.",
)
@click.option(
    "--force", help="Put it in use whatever the comparison says, for this REASON.", metavar="REASON"
)
@options.encoder
@options.author_fields
@options.kinds
@options.store
@options.tables
@options.common
def promote(  # noqa: PLR0913 - what users may choose
    console: Console,
    name: str,
    version: str,
    tables: tuple[Path, ...],
    *,
    stored: bool,
    force: str | None,
    store: Path | None,
    **chosen: Any,
) -> None:
    """Put a version of a model in use.

    A field classifier takes another's place only if it is better on records that people labelled (--on,
    --on-stored) and that taught neither: more right, no field much worse, honest probabilities, robust
    without marks, few labels changed. Otherwise the command ends with code 3 and says why. The card keeps
    the comparison, or the REASON. Fields are those in use in the store.

    \b
    Example:
      sangkien models promote fields 0002-1a2b3c4d --on frozen.xlsx
      sangkien models promote fields 0002-1a2b3c4d --on-stored --store office
      sangkien models promote fields 0002-1a2b3c4d --force "new fields in 2026, no old set fits"
    """
    from pipeline import registry
    from pipeline.errors import UsageError

    if force is not None and not force.strip():
        raise UsageError('Say why: --force "the reason". The card keeps it.')
    root = options.models_folder()
    note: dict[str, object] = {"when": options.now()}
    used = registry.current(root, name)
    if used not in {None, version} and "labels" in registry.card(root, name, version):
        both = _Both(root, name, version, str(used))
        note |= _compared(console, both, tables, store, stored=stored, force=force, **chosen)
    if force:
        note["forced"] = force.strip()
    registry.promote(root, name, version, note=note)
    console.say("{name}/{version} is in use now.", name=name, version=version)
    console.data({"name": name, "version": version, "promotion": note})


class _Both(NamedTuple):
    """A version that is to take the place of the one in use."""

    root: Path
    name: str
    new: str
    used: str


def _compared(
    console: Console,
    both: _Both,
    tables: tuple[Path, ...],
    store: Path | None,
    *,
    stored: bool,
    force: str | None,
    **chosen: Any,
) -> dict[str, object]:
    """Return what the card keeps of the comparison with the model in use.

    Raises:
        GateRefused: The new model is not good enough, or a record taught one of them; nobody forces it.
    """
    from pipeline import evaluate, judging, registry, starter
    from pipeline.cli import frozen
    from pipeline.errors import EncoderNeeded, GateRefused, OutputError

    if force and not (tables or stored):
        return {}
    chosen["axis"] = registry.card(both.root, both.name, both.new).get("axis", "field")
    asked = Axis.of(console, store, **chosen)
    taxonomy = asked.taxonomy
    new = registry.load(both.root, both.name, both.new, taxonomy=taxonomy.version)
    try:
        old = registry.load(both.root, both.name, both.used, taxonomy=taxonomy.version)
        former = starter.restored(old, options.readers())
    except (GateRefused, OutputError) as fault:
        if isinstance(fault, EncoderNeeded) and not force:
            raise
        # Runs refuse it as well: there is nothing that the new one could be worse than.
        console.warn(
            "The model in use is of no use any more, so nothing is compared. {note}", note=fault.note
        )
        return {"compared_with": None, "not_compared": str(fault)}
    if not (tables or stored):
        raise GateRefused(
            "{name} has a version in use. Name labelled tables that neither model learnt from (--on), or say "
            'why no comparison is needed (--force "the reason").',
            name=both.name,
        )
    found = frozen.records(console, both.root, tables, store, asked, stored=stored)
    found = _unseen(console, both, found, models=(new, old), stored=stored, force=force)
    true = judging.truth(found.batch, taxonomy, found.groups)
    answers = [
        judging.ask(model, found.batch, name=version)
        for model, version in ((starter.restored(new, options.readers()), both.new), (former, both.used))
    ]
    verdict = evaluate.gate(true, *answers)
    _figures(console, console.words("Beside the model in use"), verdict.figures)
    if len(verdict.flips):
        console.table(
            console.words("Automatic labels that would change"),
            [tuple(row) for row in verdict.flips.head(20).itertuples(index=False)],
            head=[console.words(text) for text in ("Id", "People said", "In use", "New")],
        )
    if verdict.reasons and not force:
        raise GateRefused(
            "{name}/{version} was not put in use. {reasons}",
            name=both.name,
            version=both.new,
            reasons=verdict.reasons,
        )
    return {
        "compared_with": both.used,
        "comparison": verdict.figures,
        "against": [str(reason) for reason in verdict.reasons],
        "flips": verdict.flips.to_dict("records"),
    }


def _unseen(
    console: Console,
    both: _Both,
    found: Frozen,
    *,
    models: tuple[Stored, Stored],
    stored: bool,
    force: str | None,
) -> Frozen:
    """Return those of the records on which two models may be compared: those that taught neither.

    Raises:
        GateRefused: Tables hold others, and nobody forces it; or none is left of those in the store.
    """
    from pipeline.cli import frozen
    from pipeline.errors import GateRefused

    known = {f"{both.name}/{each.version}": each.model for each in models}
    if stored:
        return frozen.untaught(known, found, console)
    taught, silent = frozen.taught(known, found)
    if taught.any() and not force:
        raise GateRefused(
            "{count} of the {all} labelled records taught one of {names}, or are copies of such: compared on "
            "them, the one that knows them looks better than it is. Name tables that neither learnt from, or "
            'say why it is all the same (--force "the reason").',
            count=int(taught.sum()),
            all=len(taught),
            names=", ".join(known),
        )
    if taught.any():
        console.warn(
            "{count} of {all} records taught one of the models: the comparison flatters it.",
            count=int(taught.sum()),
            all=len(taught),
        )
    _silent(console, silent)
    return found


def _silent(console: Console, names: tuple[str, ...]) -> None:
    if names:
        console.warn(
            "{names} does not say which records it learnt from: an earlier program trained it. Whether "
            "it has seen these cannot be told.",
            names=", ".join(names),
        )


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
@click.argument("files", nargs=-1, type=options.PATH)
@click.option("--model", help="Which classifier to judge.  [default: fields; with --axis kind: kinds]")
@axis.OPTION
@click.option("--out", type=options.PATH, help="Folder for evaluation.html and evaluation.json.")
@click.option(
    "--stored",
    is_flag=True,
    help="Judge on what people labelled in the store, of its archive's records and of FILES; what the model "
    "learnt from is left out.",
)
@options.encoder
@options.author_fields
@options.kinds
@options.store
@options.tables
@options.common
def evaluate_classify(
    console: Console,
    files: tuple[Path, ...],
    model: str | None,
    out: Path | None,
    *,
    stored: bool,
    store: Path | None,
    **chosen: Any,
) -> None:
    """Compare the model's labels with the column field (and field2) of tables it was not trained on.

    With --axis kind: the kinds that a model gives with the column kind ("Loại giải pháp").

    Records of FILES that the model learnt from, or copies of them, are counted and said: figures on them
    say nothing of new ones. Fields are those in use in the store.
    evaluation.html shows each field with intervals, what is taken for what with examples, whether
    probabilities mean what they say, and the same records without marks, as titles, by sector and unit.

    \b
    Example:
      sangkien evaluate classify judged-2025.xlsx --out judged
      sangkien evaluate classify --stored --store office
      sangkien evaluate classify registered-2026.xlsx --axis kind
    """
    from pipeline import judging, report, starter
    from pipeline.cli import frozen
    from pipeline.errors import UsageError

    if not files and not stored:
        raise UsageError("Name labelled tables to judge on, or --stored for the labels in the store.")
    if stored and chosen["axis"] == "kind":
        raise UsageError(
            "The store holds labels of fields: name tables with a column kind, without --stored."
        )
    root, asked = options.models_folder(), Axis.of(console, store, **chosen)
    taxonomy, model = asked.taxonomy, model or ("kinds" if asked.name == "kind" else "fields")
    found = frozen.records(console, root, files, store, asked, stored=stored)
    ready = starter.fields(root, taxonomy, name=model, created=options.now(), readers=options.readers())
    known = {ready.name: ready.stored}
    if stored:
        found = frozen.untaught(known, found, console)
    taught, silent = frozen.taught(known, found)
    if taught.any():
        console.warn(
            "WARNING: {name} learnt from {count} of these {all} records, or from copies of them. The figures "
            "are better than on records that are new to it; judge it on others.",
            name=ready.name,
            count=int(taught.sum()),
            all=len(taught),
        )
    _silent(console, silent)
    true = judging.truth(found.batch, taxonomy, found.groups)
    content = judging.content(
        ready.model, found.batch, true, name=ready.name, taught=None if silent else taught
    )
    console.data({name: value for name, value in content.items() if name not in {"confusions", "units"}})
    single = {name: value for name, value in content.items() if not isinstance(value, list | dict)}
    _figures(console, console.words("Beside what people judged"), single)
    rows = [
        (row["field"], *(f"{row[name]:.3f}" for name in ("precision", "recall", "f1")), row["true"])
        for row in content["fields"]
    ]
    console.table(console.words("Fields"), rows, head=["", "precision", "recall", "F1", "n"])
    if out:
        for path in report.label_judgement(content, out, names=taxonomy.names, language=console.language):
            console.say("{path}", path=path)


@evaluate.command("dedupe")
@click.argument("records", nargs=-1, required=True, type=options.PATH)
@click.argument("pairs", type=options.PATH)
@click.option("--out", type=options.PATH, help="Folder for evaluation.html and evaluation.json.")
@options.tables
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
    from pipeline.report.outcome import confidential
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
        hidden = confidential(batch)
        shown = {name: "" if name in hidden else title for name, title in titles.items()}
        content = {"model": judge.name, **found.content(shown), "confidential": sorted(hidden)}
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
