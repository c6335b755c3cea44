"""run, dedupe, classify: new tables in, a folder of results out."""

from __future__ import annotations

import hashlib
import resource
import sys
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import fields, options, reading
from pipeline.cli.axis import Axis, kinds_of, unknown_kinds
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from pipeline.axes import AuthorWords
    from pipeline.classify import Errors
    from pipeline.dedupe import Knowledge
    from pipeline.errors import Note
    from pipeline.flow import Archive, Spread, Tools
    from pipeline.read import Reading
    from pipeline.records import Decision, Label
    from pipeline.report import Outcome, Published
    from pipeline.report.tables import FieldShare
    from pipeline.report.wording import Wording
    from pipeline.settings import Scope, Settings
    from pipeline.starter import Ready
    from pipeline.taxonomy import Taxonomy

_UNITS = 10  # unknown units named one by one

NEW = click.argument("new", nargs=-1, required=True, type=options.PATH)
OUT = click.option(
    "--out", required=True, type=options.PATH, help="Folder for the results; whole or not at all."
)
AGAINST = click.option(
    "--against",
    multiple=True,
    type=options.PATH,
    help="Table of earlier initiatives, instead of the store's archive.",
)
_TEXTS = 1_000
"""How many texts are cut into words at once, by one process."""

MODEL = click.option("--model", default="fields", show_default=True, help="Which field classifier to use.")


@click.command()
@NEW
@OUT
@options.store
@AGAINST
@MODEL
@options.encoder
@options.author_fields
@options.kinds
@options.scope
@options.unit_names
@options.units
@options.rules
@options.keep_personal
@options.encoding
@options.form_text
@options.headers
@options.fill_merged
@options.workers
@options.common
def run(console: Console, new: tuple[Path, ...], out: Path, **chosen: Any) -> None:
    """Do the whole job: read NEW tables, find duplicates, classify, write every output.

    Duplicates are looked for within NEW and against the archive: of --store, of the tables
    --against, or of the default store when there is one. The archive is not changed.
    What reviewers decided (`sangkien decisions import`) counts: pairs they told apart stay silent.

    \b
    Example:
      sangkien run new.xlsx --against archive.csv --out results
    """
    _work(console, new, out, _Choices(dedupe=True, classify=True, **chosen))


@click.command()
@NEW
@OUT
@options.store
@AGAINST
@options.kinds
@options.scope
@options.unit_names
@options.units
@options.rules
@options.keep_personal
@options.encoding
@options.form_text
@options.headers
@options.fill_merged
@options.workers
@options.common
def dedupe(console: Console, new: tuple[Path, ...], out: Path, **chosen: Any) -> None:
    """Find duplicates within NEW tables and against the archive, and nothing else.

    \b
    Example:
      sangkien dedupe new.xlsx --store office --out results
    """
    _work(console, new, out, _Choices(dedupe=True, classify=False, **chosen))


@click.command()
@NEW
@OUT
@options.fields_of
@MODEL
@options.encoder
@options.author_fields
@options.kinds
@options.keep_personal
@options.encoding
@options.headers
@options.fill_merged
@options.workers
@options.common
def classify(console: Console, new: tuple[Path, ...], out: Path, **chosen: Any) -> None:
    """Put the initiatives in NEW tables into fields, and nothing else.

    The fields are those of the store's list (`sangkien taxonomy apply`), or the program's own.

    \b
    Example:
      sangkien classify new.xlsx --out results
      sangkien classify models.xlsx --store dan-van --model dan-van --out results
    """
    _work(console, new, out, _Choices(dedupe=False, classify=True, **chosen))


@dataclass(frozen=True, kw_only=True)
class _Choices:
    """What the options said."""

    dedupe: bool
    classify: bool
    workers: int
    engine: str
    store: Path | None = None
    against: tuple[Path, ...] = ()
    model: str = ""
    scope: Scope = "all"
    unit_aliases: Path | None = None
    form_text: Path | None = None
    headers: Path | None = None
    fill_merged: bool = False
    rules: Path | None = None
    kinds: Path | None = None
    author_fields: Path | None = None
    units: Path | None = None
    keep_personal: bool = False
    encodings: tuple[str, ...] = ()

    @property
    def reading(self) -> dict[str, Any]:
        return {
            "headers": self.headers,
            "personal": self.keep_personal,
            "encodings": self.encodings,
            "fill": self.fill_merged,
        }

    @property
    def folder(self) -> Path:
        return self.store or options.STORE

    @property
    def settings(self) -> Settings:
        from pipeline.settings import Settings

        return Settings(scope=self.scope)


def _work(console: Console, new: tuple[Path, ...], out: Path, choices: _Choices) -> None:
    from pipeline import flow, report
    from pipeline.errors import UsageError

    if choices.store and choices.against:
        raise UsageError("Choose either --store or --against: both name the archive to compare with.")
    started = options.now()
    report.settle(out)
    given = _read(console, new, out, choices)
    if choices.classify and choices.store and not fields.kept_in(choices.store):
        console.warn("There is no store in {path}: the program's own fields are used.", path=choices.store)
    taxonomy = fields.in_use(choices.store)
    words = _author_words(console, given, choices) if choices.classify else None
    tools, used = _tools(console, taxonomy, choices)
    tools = replace(tools, author_words=words)
    archive, source = _archive(console, choices, tools.known) if choices.dedupe else (None, {})
    facts = {
        "archive": source,
        "models": used,
        "taxonomy": taxonomy.version,
        "unit_aliases": _sheet(choices.unit_aliases),
        "form_text": _sheet(choices.form_text),
        "headers": _sheet(choices.headers),
        "personal_data": {"kept": choices.keep_personal, "dropped": given.dropped.cells},
        "rules": _sheet(choices.rules),
        "kinds": _sheet(choices.kinds),
        "author_fields": _sheet(choices.author_fields),
        "units": _sheet(choices.units),
        **_versions(choices.settings),
        "steps": [name for name in flow.STEPS if getattr(choices, name)],
    }
    names = {field.code: field.name for field in taxonomy.fields}
    outcome = flow.run(
        given,
        archive,
        tools,
        decisions=_decisions(choices) if choices.dedupe else (),
        settings=choices.settings,
        facts=facts,
        field_names=names,
    )
    cost = {"started": started, "workers": choices.workers, "engine": choices.engine}
    _publish(console, outcome, out, cost=cost)


def _author_words(console: Console, given: Reading, choices: _Choices) -> AuthorWords:
    asked = Axis.of(console, choices.store, author_fields=choices.author_fields)
    asked.tell(console, given.batch)
    return asked.words


def _sheet(path: Path | None) -> dict[str, str] | None:
    """Return which sheet of its own an office used."""
    if path is None:
        return None
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _versions(settings: Settings) -> dict[str, object]:
    from importlib.metadata import version

    from pipeline import normalize, segment

    libraries = ("numpy", "pandas", "scikit-learn", "underthesea")
    return {
        "versions": {
            "sangkien": version("sangkien"),
            "normalize": normalize.VERSION,
            "segment": segment.model_version(),
            **{name: version(name) for name in libraries},
        },
        "settings": asdict(settings),
    }


def _read(console: Console, new: tuple[Path, ...], out: Path, choices: _Choices) -> Reading:
    from pipeline.errors import NoUsableRow, PermissionDenied

    try:
        given = reading.tables(console, new, **choices.reading)
    except (NoUsableRow, PermissionDenied) as fault:
        _keep_quarantine(console, fault, out)
        raise
    reading.tell(console, given.sources)
    console.unread(row for row in given.quarantine if row.row == 0)
    return given


def _keep_quarantine(console: Console, fault: Any, out: Path) -> None:
    """Publish what could not be read, though nothing else is: nobody's row is lost, and no former result."""
    from pipeline import normalize, report

    given = getattr(fault, "reading", None)
    if given is None:
        return
    outcome = report.Outcome(
        initiatives=normalize.frame(given.batch), quarantine=given.quarantine, sources=given.sources
    )
    beside = out.with_name(f"{out.name}-quarantine") if (out / "run.json").exists() else out
    published = report.publish(outcome, beside, language=console.language)
    console.warn("What could not be read is kept in {path}.", path=published.folder / "quarantine.csv")


def _archive(
    console: Console, choices: _Choices, known: Knowledge | None
) -> tuple[Archive, dict[str, object]]:
    from pipeline.store import DATABASE

    if choices.against:
        given = reading.tables(console, choices.against, stage="read the archive", **choices.reading)
        console.unread(row for row in given.quarantine if row.row == 0)
        if lost := given.totals["quarantined"]:
            console.warn(
                "{count} rows of the archive could not be read and are not compared with.", count=lost
            )
        files = [{"file": source.file, "sha256": source.sha256} for source in given.sources]
        return given.batch, {"files": files, "records": len(given.batch)}
    if choices.store is None and not (options.STORE / DATABASE).exists():
        return None, {}
    return _stored(console, choices, known)


def _stored(
    console: Console, choices: _Choices, known: Knowledge | None
) -> tuple[Archive, dict[str, object]]:
    """Return the store's archive; of a large one its index, where that is of the store as it is."""
    from pipeline import archive, flow
    from pipeline.store import Store

    folder = choices.folder
    with Store.read(folder) as opened:
        count = opened.status().records
        if known is not None and count > choices.settings.read_whole:
            index = archive.load(folder, opened, archive.Made(choices.settings, known))
            if index is not None:
                return flow.Indexed(index, partial(_some, folder)), {
                    "store": True,
                    "records": count,
                    "indexed": True,
                }
            console.warn(
                "The index is not that of the archive as it is: all {count} records are read, which takes "
                "long. `sangkien archive rebuild` makes it again.",
                count=count,
            )
        with console.stage("read the archive", 1):
            records = opened.archive()
    return records, {"store": True, "records": count, "indexed": False}


def _some(folder: Path, ids: Iterable[str]) -> pd.DataFrame:
    from pipeline.store import Store

    with Store.read(folder) as opened:
        return opened.some(ids)


def _decisions(choices: _Choices) -> list[Decision]:
    """Return what people decided, from the store; from the default one also when tables are compared with."""
    from pipeline.store import DATABASE, Store

    if not (choices.folder / DATABASE).exists():
        return []
    with Store.read(choices.folder) as opened:
        return opened.decisions()


def _tools(console: Console, taxonomy: Taxonomy, choices: _Choices) -> tuple[Tools, dict[str, str]]:
    from pipeline import classify, flow, parallel, registry, segment, starter
    from pipeline.store import TokenCache

    root, today = options.models_folder(), options.now()
    used: dict[str, str] = {}
    kinds = kinds_of(console, choices.kinds)
    tools = flow.Tools(
        spread=partial(parallel.spread, workers=choices.workers), stage=console.stage, kinds=kinds
    )
    cache = TokenCache(choices.folder, model=segment.model_version())
    cut = partial(cache.through, cut=_Cutter(console, tools.spread, options.cache_folder()))
    if choices.dedupe:
        tools = replace(tools, rules=starter.rules(choices.rules))
        with console.stage("load the pair model", 1):
            known = starter.knowledge(
                settings=choices.settings, form=choices.form_text, names=choices.unit_aliases
            )
            judge = starter.pairs(root, settings=choices.settings, known=known, created=today)
        _told(console, judge, root)
        used["pairs"] = judge.name
        names = starter.unit_names(choices.unit_aliases)
        register = starter.register(choices.units, names) if choices.units else None
        tools = replace(tools, judge=judge.model, known=known, unit_names=names, register=register)
    if choices.classify:
        with console.stage("load the field model", 1):
            readers = options.readers(lambda texts: [text for text, _guarded in cut(texts)])
            ready = starter.fields(root, taxonomy, name=choices.model, created=today, readers=readers)
        _told(console, ready, root)
        used["fields"] = ready.name
        label = partial(classify.label, ready.model, name=ready.name, chances=True)
        tools = replace(tools, label=label, count=_counting(choices, ready.errors))
        if ready.errors is None:
            console.say(
                "{name} does not say how it errs: fields are counted as labelled, shares are not corrected. "
                "For that, train it again.",
                name=ready.name,
            )
        if registry.current(root, starter.KINDS):
            ready = starter.fields(root, kinds, name=starter.KINDS, readers=readers)
            used["kinds"] = ready.name
            tools = replace(tools, label_kinds=partial(classify.label, ready.model, name=ready.name))
    return replace(tools, cut=cut), used


def _counting(
    choices: _Choices, errors: Errors | None
) -> Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]:
    """Return what counts fields of a batch; labels that people gave in the store are certain."""
    from pipeline import labels, starter
    from pipeline.store import DATABASE, Store

    said: list[Label] = []
    folder = choices.store or options.store_folder()
    if (folder / DATABASE).exists():
        with Store.read(folder) as opened:
            said = labels.moved(opened.labels(), opened.course())
    return partial(starter.field_counts, errors=errors, said=said)


@dataclass(slots=True)
class _Cutter:
    """Cuts words, by several processes where there are many texts, and warns once if that is slow."""

    console: Console
    spread: Spread
    tables: Path | None
    warned: bool = False

    def __call__(self, texts: list[str]) -> list[tuple[str, bool]]:
        from pipeline import parallel

        parts = list(self.spread(partial(_cut, tables=self.tables), parallel.chunks(texts, _TEXTS)))
        reason = next((reason for _, reason in parts if reason), None)
        if reason and not self.warned:
            self.console.warn("{note}", note=reason)
            self.warned = True
        return [each for found, _ in parts for each in found]


def _cut(texts: Sequence[str], *, tables: Path | None) -> tuple[list[tuple[str, bool]], Note | None]:
    from pipeline import segment

    rows = [(text, guarded) for text, guarded in segment.column(texts, tables=tables)]  # light to be sent
    return rows, segment.slow_reason(tables=tables)


def _told(console: Console, ready: Ready, root: Path) -> None:
    if ready.trained:
        console.say(
            "There was no model for this version of the program: {name} was trained from the sample and "
            "stands in {path}, with its card.",
            name=ready.name,
            path=root / ready.name,
        )


def _publish(console: Console, outcome: Outcome, out: Path, *, cost: dict[str, object]) -> None:
    from pipeline import report

    with console.stage("write", 1):
        spent = {**cost, "seconds": dict(console.seconds), "peak_memory_mb": _peak_memory()}
        published = report.publish(replace(outcome, cost=spent), out, language=console.language)
    for path in published.kept:
        console.warn("A file that people had changed was kept: {path}", path=path)
    if published.cut_cells:
        console.warn(
            "{count} cells of the workbook were too long for Excel and were cut, each saying so.",
            count=published.cut_cells,
        )
    _summary(console, outcome, published)


def _peak_memory() -> int:
    """Return the most memory this process and any one of its workers held, in MB."""
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    own, workers = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return int(max(own, workers) // scale)


def _summary(console: Console, outcome: Outcome, published: Published) -> None:
    from pipeline.report.tables import counts

    found = counts(outcome)
    console.data(
        {"out": str(published.folder), "files": [path.name for path in published.paths], "counts": found}
    )
    console.table(console.words("Rows"), _source_rows(console, outcome), head=_row_head(console))
    rows = list(_found(console, outcome))
    if rows:
        console.table(console.words("Found"), rows)
    _field_shares(console, outcome)
    _unknown_units(console, outcome)
    unknown_kinds(console, outcome.unknown_kinds)
    _scope(console, outcome)
    _told_by_reviewers(console, outcome)
    console.table(console.words("Results"), [(str(path),) for path in _in_reading_order(published)])
    console.say("For reference only; the decision is the council's.")


def _field_shares(console: Console, outcome: Outcome) -> None:
    """Show how many initiatives belong to each field, the most frequent first."""
    from pipeline.report.tables import field_shares
    from pipeline.report.wording import Wording

    told = Wording.of(console.language)
    rows = [
        (outcome.field_names.get(each.field, each.field), each.count, *_percentages(each, told))
        for each in field_shares(outcome)
    ]
    if rows:
        head = [console.words(name) for name in ("Field", "labels", "share", "corrected share", "from – to")]
        console.table(console.words("Fields"), rows, head=head)


def _percentages(each: FieldShare, told: Wording) -> tuple[str, str, str]:
    if each.corrected is None or each.low is None or each.high is None:
        return told.percent(each.share), "", ""
    ends = f"{told.percent(each.low)} – {told.percent(each.high)}"
    return told.percent(each.share), told.percent(each.corrected), ends


def _unknown_units(console: Console, outcome: Outcome) -> None:
    for unit, count, nearest in outcome.unknown_units[:_UNITS]:
        if nearest:
            console.warn(
                "The register has no unit {unit} ({count} records). Perhaps: {names}.",
                unit=unit,
                count=count,
                names="; ".join(nearest),
            )
        else:
            console.warn("The register has no unit {unit} ({count} records).", unit=unit, count=count)
    if (more := len(outcome.unknown_units) - _UNITS) > 0:
        console.warn("{count} more units are not in the register; run.json lists all.", count=more)


def _scope(console: Console, outcome: Outcome) -> None:
    if outcome.scope != "all":
        console.say(
            "{count} pairs lie outside the scope and are not shown; a record that names no unit stays in it.",
            count=outcome.outside,
        )


def _told_by_reviewers(console: Console, outcome: Outcome) -> None:
    if outcome.silenced:
        console.say(
            "{count} pairs are not shown: a reviewer told them apart, and no text has changed since.",
            count=outcome.silenced,
        )
    if outcome.verdicts.stale:
        console.say(
            "{count} pairs have a verdict on a former text only: a text has changed, look at them again.",
            count=outcome.verdicts.stale,
        )


def _in_reading_order(published: Published) -> list[Path]:
    """Return the files, what people open first."""
    return sorted(
        published.paths, key=lambda path: (path.suffix != ".xlsx", path.suffix != ".csv", path.name)
    )


def _row_head(console: Console) -> list[str]:
    return [console.words(name) for name in ("File", "read", "accepted", "quarantined", "blank")]


def _source_rows(console: Console, outcome: Outcome) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [
        (source.file, source.read, source.accepted, source.quarantined, source.blank)
        for source in outcome.sources
    ]
    total = tuple(sum(int(str(row[place])) for row in rows) for place in range(1, 5))
    return [*rows, (console.words("Total (read = accepted + quarantined + blank)"), *total)]


def _found(console: Console, outcome: Outcome) -> Any:
    if outcome.matches is not None and outcome.groups is not None:
        levels = outcome.matches["level"].value_counts()
        yield console.words("Archived initiatives compared with"), outcome.archive_size
        for level, name in (
            ("copy", "Pairs: the whole or nearly the whole is the same"),
            ("partial", "Pairs: a part is the same"),
            ("reworded", "Pairs: the same solution in other words"),
            ("related", "Pairs: same subject, only for looking at"),
        ):
            yield console.words(name), int(levels.get(level, 0))
        yield console.words("Initiatives in groups of similar content"), len(outcome.groups)
    if outcome.labels is not None:
        decided = outcome.labels["decision"].value_counts()
        yield console.words("Fields assigned automatically"), int(decided.get("auto", 0))
        yield console.words("Fields that need a person"), int(decided.get("review", 0))
