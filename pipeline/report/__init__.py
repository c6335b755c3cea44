"""What was found, as tables for programs and a workbook for people.

::

    settle(out)            at the start of a run: may results go there, is anything left to put right
    publish(outcome, out)  at its end: every file, whole or not at all
    table(batch, path)     rows that were mended, as a table that is read again
    export(decisions, …)   what people decided, as a workbook that is filled and read again
    ask(asked, path, …)    records to label, as a workbook that is filled and read again
    ask_again(found, …)    labels to doubt, likewise; table_of_doubts writes them as CSV
    judgement(content, …)  how good the duplicates are, as a page
    drift(content, …)      what has changed since a model learnt
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from pipeline.errors import UsageError
from pipeline.records import Decision
from pipeline.report import asked as asking
from pipeline.report import (
    checks,
    drifted,
    evaluation,
    files,
    folder,
    labelling,
    sheets,
    summary,
    tables,
    workbook,
)
from pipeline.report.modelcard import model_card
from pipeline.report.outcome import MATCH_COLUMNS, Outcome, match_frame
from pipeline.report.wording import DISCLAIMER, Wording
from pipeline.taxonomy import Taxonomy

__all__ = [
    "MATCH_COLUMNS",
    "Outcome",
    "Published",
    "ask",
    "ask_again",
    "drift",
    "export",
    "judgement",
    "label_judgement",
    "match_frame",
    "model_card",
    "publish",
    "settle",
    "table",
    "table_of_doubts",
]

WORKBOOK: Final = "ket_qua.xlsx"


@dataclass(frozen=True, slots=True)
class Published:
    """What was published.

    Attributes:
        folder: Where, links followed.
        paths: The files written.
        kept: Files of former results that people had added or changed, where they stand now.
        cut_cells: How many cells of the workbook were too long for one and were cut, each saying so.
    """

    folder: Path
    paths: tuple[Path, ...]
    kept: tuple[Path, ...]
    cut_cells: int


def settle(out: Path) -> None:
    """Finish or undo what an interrupted run left at ``out``, having checked that results may go there.

    Raises:
        UsageError: ``out`` is a file, or a folder that holds something that is not a run's results.
        PermissionDenied: The system refuses.
    """
    folder.settle(folder.target(out))


def publish(outcome: Outcome, out: Path, *, language: str = "vi") -> Published:
    """Write every file of a run's results into the folder ``out``, whole or not at all.

    Which files there are follows from what ``outcome`` holds: no labels, no ``labels.csv``; no matches, no
    ``matches.csv``, ``groups.csv`` and ``evidence.jsonl``; no model of kinds, no ``kinds.csv``. Results that
    stand in ``out`` are replaced; what people added or changed is carried along under ``kept``.

    Args:
        outcome: What the run found.
        out: The folder; it is made where there is none.
        language: Of the workbook and the messages, ``vi`` or ``en``.

    Raises:
        UsageError: ``out`` is a file, or a folder that holds something that is not a run's results.
        StoreLocked: Another run is publishing into ``out``.
        PermissionDenied: The system refuses to write there.
        OutputError: Something could not be written; ``out`` is as it was.
    """
    wording = Wording.of(language)
    place = folder.target(out)
    before = set(folder.kept(place))
    with folder.replacing(place) as new:
        cut = _write(outcome, new, wording)
        names = sorted(path.name for path in new.iterdir())
    kept = tuple(path for path in folder.kept(place) if path not in before)
    return Published(place, tuple(place / name for name in names), kept, cut)


def export(
    decisions: Iterable[Decision], path: Path, *, titles: Mapping[str, str], language: str = "vi"
) -> None:
    """Write decisions as a workbook with the sheet "Kết luận", to be changed and read again.

    Args:
        decisions: What was decided, in the order of the rows.
        path: The workbook; what people may have typed into one that is there is not written over.
        titles: By id, of the records whose titles are known.
        language: Of the headers, ``vi`` or ``en``.

    Raises:
        UsageError: ``path`` is there already, or is not called ``.xlsx``, which Excel wants.
        OSError: The system could not write; nothing is left at ``path``.
    """
    wording = Wording.of(language)
    _to_fill(path, [sheets.decided(decisions, titles, wording)], _phrases(wording))


def ask(
    asked: pd.DataFrame,
    path: Path,
    *,
    taxonomy: Taxonomy,
    today: date,
    language: str = "vi",
) -> None:
    """Write records to label as a workbook with the sheet "Gán nhãn", to be filled in and read again.

    Args:
        asked: ``id,title,description,unit,why,content``, a row a record.
        path: The workbook; what people may have typed into one that is there is not written over.
        taxonomy: The version in use; fields that are closed, or whose labels go elsewhere, are not offered.
        today: Which fields are open.
        language: Of the headers, ``vi`` or ``en``.

    Raises:
        UsageError: ``path`` is there already, or is not called ``.xlsx``, which Excel wants.
        OSError: The system could not write; nothing is left at ``path``.
    """
    wording = Wording.of(language)
    pages = asking.sheets(asked, taxonomy, taxonomy.offered(today), wording)
    _to_fill(path, pages, asking.phrases(wording))


def ask_again(
    found: pd.DataFrame, path: Path, *, taxonomy: Taxonomy, today: date, language: str = "vi"
) -> None:
    """Write labels to look at again, as `ask` writes records to label.

    Args:
        found: The labels, the most doubtful first (`judging.audit`).
        path: The workbook; one that is there is not written over.
        taxonomy: The version in use.
        today: Which fields are open.
        language: Of the headers, ``vi`` or ``en``.

    Raises:
        UsageError: ``path`` is there already, or is not called ``.xlsx``.
        OSError: The system could not write; nothing is left at ``path``.
    """
    wording = Wording.of(language)
    pages = asking.doubts(found, taxonomy, taxonomy.offered(today), wording)
    _to_fill(path, pages, asking.phrases(wording))


def table_of_doubts(found: pd.DataFrame, path: Path) -> None:
    """Write labels to look at again (`judging.audit`) as CSV, the most doubtful first.

    Raises:
        UsageError: ``path`` is there already with other content.
        PermissionDenied: The system refuses to write there.
        OutputError: It could not be written.
    """
    table(found.drop(columns=["description", "content"]), path)


def drift(content: Mapping[str, Any], path: Path, *, names: Mapping[str, str], language: str = "vi") -> None:
    """Write what has changed since a model learnt: a workbook for people, or JSON for programs.

    Args:
        content: `drifting.content`.
        path: Ends in ``.xlsx`` or ``.json``; a file that is there is replaced.
        names: The name of each field.
        language: Of the workbook, ``vi`` or ``en``.

    Raises:
        PermissionDenied: The system refuses to write there.
        OutputError: It could not be written.
    """
    wording = Wording.of(language)
    part = path.with_name(f".{path.name}.part")
    with folder.telling(path):
        try:
            if path.suffix.lower() == ".json":
                files.write_json(content, part)
            else:
                workbook.write(part, drifted.sheets(content, names, wording), drifted.phrases(wording))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _to_fill(path: Path, pages: Iterable[workbook.Sheet], phrases: workbook.Phrases) -> None:
    if path.suffix.lower() != ".xlsx":
        raise UsageError("{path}: name a workbook that ends in .xlsx.", path=path)
    if path.exists():
        raise UsageError(
            "{path} is there already. Import what was filled in there, then remove it or name another file.",
            path=path,
        )
    part = path.with_name(f".{path.name}.part")
    try:
        workbook.write(part, pages, phrases)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def table(batch: pd.DataFrame, path: Path, *, made: Collection[str] = ()) -> None:
    """Write rows as a table that can be read again.

    Args:
        batch: The rows.
        path: A CSV file; one that is there with the same content is left as it is.
        made: Ids that were made from the content; they are left out, to be made again.

    Raises:
        UsageError: ``path`` does not end in ``.csv``, or is there with other content.
        PermissionDenied: The system refuses to write there.
        OutputError: It could not be written.
    """
    if path.suffix.lower() != ".csv":
        raise UsageError("{path}: name a table that ends in .csv.", path=path)
    part = path.with_name(f".{path.name}.part")
    with folder.telling(path):
        try:
            files.write_csv(batch.assign(id=batch["id"].where(~batch["id"].isin(list(made)), "")), part)
            if path.exists() and path.read_bytes() != part.read_bytes():
                raise UsageError("{path} is there already with other content. Name another file.", path=path)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def judgement(content: Mapping[str, Any], out: Path, *, language: str = "vi") -> tuple[Path, ...]:
    """Write how good the duplicates are: ``evaluation.html`` for people, ``evaluation.json`` for programs.

    Args:
        content: `evaluate.Pairs.content`, and the name of the ``model``.
        out: The folder; it is made where there is none. Other files in it stay as they are.
        language: Of the page, ``vi`` or ``en``.

    Returns:
        The files, the page first.

    Raises:
        UsageError: ``out`` is a file.
        PermissionDenied: The system refuses to write there.
        OutputError: Something could not be written.
    """
    return _judged(content, evaluation.page(content, Wording.of(language)), out)


def label_judgement(
    content: Mapping[str, Any], out: Path, *, names: Mapping[str, str], language: str = "vi"
) -> tuple[Path, ...]:
    """Write how good the fields are: ``evaluation.html`` for people, ``evaluation.json`` for programs.

    Args:
        content: `judging.content`.
        out: The folder; it is made where there is none. Other files in it stay as they are.
        names: The name of each field.
        language: Of the page, ``vi`` or ``en``.

    Returns:
        The files, the page first.

    Raises:
        UsageError: ``out`` is a file.
        PermissionDenied: The system refuses to write there.
        OutputError: Something could not be written.
    """
    return _judged(content, labelling.page(content, names, Wording.of(language)), out)


def _judged(content: Mapping[str, Any], page: str, out: Path) -> tuple[Path, ...]:
    if out.exists() and not out.is_dir():
        raise UsageError("{path} is a file. Name a folder for the results.", path=out)
    paths = (out / "evaluation.html", out / "evaluation.json")
    with folder.telling(out):
        out.mkdir(parents=True, exist_ok=True)
        parts = [path.with_name(f".{path.name}.part") for path in paths]
        try:
            parts[0].write_text(page, encoding="utf-8", errors="backslashreplace", newline="\n")
            files.write_json(content, parts[1])
            for part, path in zip(parts, paths, strict=True):
                part.replace(path)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)
    return paths


def _write(outcome: Outcome, new: Path, _: Wording) -> int:
    files.write_parquet(tables.initiatives(outcome), new / "initiatives.parquet")
    if outcome.matches is not None:
        matches = tables.matches(outcome).drop(columns="spans")
        files.write_csv(matches, new / "matches.csv")
        files.write_parquet(matches, new / "matches.parquet")
        files.write_csv(tables.groups(outcome), new / "groups.csv")
        files.write_json_lines(tables.evidence(outcome), new / "evidence.jsonl")
    if outcome.labels is not None:
        labels = tables.labels(outcome)
        files.write_csv(labels, new / "labels.csv")
        files.write_parquet(labels, new / "labels.parquet")
    if outcome.kinds is not None:
        files.write_csv(tables.kinds(outcome), new / "kinds.csv")
    files.write_csv(tables.quarantine(outcome, _), new / "quarantine.csv")
    cut = workbook.write(new / WORKBOOK, _sheets(outcome, _), _phrases(_))
    # Last, because it vouches for the others: a folder without it is not finished.
    files.write_json(run_record(outcome, new), new / folder.RECORD)
    return cut


def _sheets(outcome: Outcome, _: Wording) -> Iterator[workbook.Sheet]:
    if outcome.matches is not None:
        yield sheets.to_look_at(outcome, _)
        yield sheets.verdicts(outcome, _)
    if outcome.labels is not None:
        yield sheets.fields(outcome, _)
    yield checks.missing(outcome, _)
    if outcome.matches is not None:
        yield checks.clear(outcome, _)
    yield summary.totals(outcome, _)


def _phrases(_: Wording) -> workbook.Phrases:
    return workbook.Phrases(
        title=_("Results of checking initiatives"),
        footer=_(DISCLAIMER),
        more=_(sheets.MORE),
        date_wanted=_("Type a date as day/month/year."),
        choice_wanted=_("Choose one of the verdicts in the list."),
    )


def run_record(outcome: Outcome, written: Path) -> dict[str, object]:
    """Return the content of ``run.json``: counts, inputs, facts, the SHA-256 of each file in ``written``.

    All that may differ between two runs of the same input stands under ``cost``.
    """
    return {
        **outcome.facts,
        "program": folder.PROGRAM,
        "schema": 1,
        "counts": tables.counts(outcome),
        "inputs": [
            {
                "file": source.file,
                "sha256": source.sha256,
                "kind": source.kind,
                "columns": dict(source.columns),
                "notes": [str(note) for note in source.notes],
                "tables": [asdict(table) for table in source.tables],
            }
            for source in outcome.sources
        ],
        "unknown_units": [
            {"unit": unit, "records": count, "nearest": list(nearest)}
            for unit, count, nearest in outcome.unknown_units
        ],
        "unknown_kinds": [{"kind": cell, "records": count} for cell, count in outcome.unknown_kinds],
        "outputs": {path.name: files.sha256(path) for path in sorted(written.iterdir())},
        "cost": dict(outcome.cost),
    }
