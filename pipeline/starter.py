"""The models a run needs: the ones in use, or starters trained from the sample in seconds.

A fresh machine has no model. Rather than refuse, a run learns one from ``data/sample`` and shelves it
with its card, where `sangkien models show` tells what it was made of and how good it was on records it
had not seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import (
    axes,
    classify,
    dedupe,
    encode,
    evaluate,
    labels,
    lessons,
    normalize,
    read,
    registry,
    seen,
    segment,
    units,
    validity,
)
from pipeline.errors import GateRefused, InputNotFound, UsageError
from pipeline.records import DUPLICATE_LEVELS, NOT_SAME, SAME, Label
from pipeline.settings import Settings, checkout
from pipeline.taxonomy import OTHER, Taxonomy, load

FIELDS: Final = "fields"
KINDS: Final = "kinds"
PAIRS: Final = "pairs"
_PROTOCOL: Final = "held out in folds, copies kept together"
_ERRORS: Final = "errors"
_SAMPLE: Final = ("archive.csv", "labelled.csv")


class Ready(NamedTuple):
    """A model to use, what it is called in results, and whether it was trained just now.

    ``stored`` is what the registry holds of it, which tells what it has seen (`seen.by`).
    ``errors`` is what a field classifier told of records it had not seen, ``profile`` what it learnt
    from is like (`classify.profile`); None where its file does not say.
    """

    model: Any
    name: str
    trained: bool
    stored: Any
    errors: classify.Errors | None = None
    profile: dict[str, Any] | None = None


def fields(
    root: Path,
    taxonomy: Taxonomy,
    *,
    name: str = FIELDS,
    created: str = "",
    readers: Readers | None = None,
) -> Ready:
    """Return the field classifier in use; the starter, where there is none of the starter's name.

    Args:
        root: The folder of models.
        taxonomy: What the labels must belong to.
        name: Which model.
        created: The date a new card bears.
        readers: What texts may be read with.

    Raises:
        GateRefused: There is no model yet that was learnt in the taxonomy, and the sample has other fields.
    """
    readers = readers or Readers()
    trained = False
    if name == FIELDS and (not registry.versions(root, name) or _outgrown_fields(root, taxonomy)):
        sample = [checkout("data", "sample", file) for file in _SAMPLE]
        batch = normalize.frame(read.tables(sample).batch)
        if not all(taxonomy.code_now(cell) for cell in batch["field"].unique() if cell.strip()):
            raise GateRefused(
                "No model knows the fields of taxonomy {version} yet, and the program's own examples have "
                "other fields. Learn one from initiatives that people labelled (`sangkien train FILE --name "
                "NAME`), put it in use (`sangkien models promote`), then name it (--model NAME).",
                version=taxonomy.version,
            )
        registry.promote(
            root,
            name,
            train_fields(
                root, batch, taxonomy, name=name, source=sample, created=created, reader=readers.to_learn()
            ),
        )
        trained = True
    stored = registry.load(root, name, taxonomy=taxonomy.version)
    model = restored(stored, readers)
    # A model of an earlier version of the program has none: its labels are counted as they stand.
    kept = stored.model.get(_ERRORS)
    errors = classify.Errors.unpack(kept, model.classes) if kept else None
    profile = stored.card.get("profile")
    return Ready(model, f"{name}/{stored.version}", trained, stored.model, errors, profile)


@dataclass(frozen=True, slots=True)
class Readers:
    """What classifiers may read texts with.

    Attributes:
        cut: Gives each text its words; by default `segment.column` does, in this process.
        folders: Folders of encoders (`encode.load`).
    """

    cut: Callable[[Sequence[str]], Sequence[str]] | None = None
    folders: tuple[Path, ...] = ()

    def to_learn(self) -> classify.Reader:
        """Return what a new model may read: by the first encoder, or by syllables where labels are few."""
        if self.folders:
            return classify.Reader(self.cut or _cut, encode.load(self.folders[0]))
        return classify.Reader(self.cut or _cut, syllables(), few=True)

    def of(self, card: Mapping[str, Any]) -> classify.Reader:
        """Return what the model of a card reads: by the encoder that it was learnt with, if that is here."""
        known: list[classify.Encoder] = [encode.load(folder) for folder in self.folders]
        wanted = card.get("encoder")
        if not wanted:
            return classify.Reader(self.cut or _cut)
        known.append(syllables())
        found = (encoder for encoder in known if encoder.digest == wanted["sha256"])
        return classify.Reader(self.cut or _cut, next(found, known[0]))


def _cut(texts: Sequence[str]) -> list[str]:
    return [text for text, _guarded in segment.column(texts)]


@cache
def syllables() -> encode.Syllables:
    """Return the vectors of syllables in ``data/lexicon.npz``."""
    with np.load(checkout("data", "lexicon.npz")) as stored:
        return encode.Syllables(
            tuple(stored["syllables"].tolist()),
            stored["documents"] / int(stored["total"]),
            stored["vectors"].astype(np.float32) * stored["scale"],
        )


def restored(stored: registry.Stored, readers: Readers | None = None) -> classify.Model:
    """Return the field classifier of what the registry holds, with what it reads texts with.

    Raises:
        GateRefused: It is something else, or was made for another version of the program.
    """
    try:
        return classify.restore(stored.model, stored.card, (readers or Readers()).of(stored.card))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as fault:
        raise GateRefused(
            "The model {name} {version} is no field classifier of this program ({kind}). Roll back to an "
            "earlier version, or train again.",
            name=stored.card["name"],
            version=stored.version,
            kind=type(fault).__name__,
        ) from None


def _outgrown_fields(root: Path, taxonomy: Taxonomy) -> bool:
    """Return whether the field classifier in use is a starter of another program version or taxonomy."""
    version = registry.current(root, FIELDS)
    if version is None:
        return False
    card = registry.card(root, FIELDS, version)
    fits = card.get("features") == classify.SCHEMA and card.get("normalize") == normalize.VERSION
    fits = fits and card.get("taxonomy") == taxonomy.version and "profile" in card
    return not fits and is_starter(card)


def is_starter(card: Mapping[str, Any]) -> bool:
    """Return whether the card of a field classifier is that of one that the sample alone taught."""
    return bool(card.get("data", {}).get("files") == list(_SAMPLE))


def train_fields(  # noqa: PLR0913 - what is learnt from, and what the card says of it
    root: Path,
    batch: pd.DataFrame,
    taxonomy: Taxonomy,
    *,
    name: str,
    source: Iterable[Path],
    created: str,
    groups: Sequence[str] | None = None,
    unlabelled: pd.DataFrame | None = None,
    reader: classify.Reader | None = None,
    axis: str = "field",
) -> str:
    """Return the version of a classifier learnt from the labelled records of ``batch``; not yet in use.

    Args:
        root: The folder of models.
        batch: Normalized records, ``field`` (and ``field2``) filled with codes or names of the taxonomy.
        taxonomy: What the labels belong to.
        name: What to call it.
        source: The files the records came from, for the card.
        created: The date the card bears.
        groups: Rows of ``batch`` with the same name here are copies of one another (`copies`).
        unlabelled: Normalized records without labels, which may help where there are few.
        reader: What texts may be read with; by default nothing beside syllables.
        axis: What the labels are, for the card: ``field``, or ``kind`` of solution.

    Raises:
        UsageError: A label is not in the taxonomy, or there are too few.
    """
    known = (batch["field"].str.strip() != "").to_numpy()
    labelled = batch[known].reset_index(drop=True)
    first = codes(labelled, "field", taxonomy)
    second = codes(labelled, "field2", taxonomy)
    alike = None if groups is None else [group for group, kept in zip(groups, known, strict=True) if kept]
    fitted = classify.fit(
        labelled,
        first,
        second=second,
        groups=alike,
        phrases=phrases(taxonomy),
        unlabelled=unlabelled,
        reader=reader,
        taxonomy=taxonomy.version,
        precision=Settings().accept_precision,
    )
    truth = pd.DataFrame({"field": first, "field2": second}, index=labelled["id"])
    metrics = judged_labels(fitted.held_out, truth)
    later = judged_labels(fitted.later, truth).summary() if len(fitted.later) else None
    card = {
        **classify.card(fitted.model),
        "axis": axis,
        "created": created,
        "data": {
            "files": [path.name for path in source],
            "sha256": _digest(labelled, ["id", *lessons.TEXT, "field"]),
        },
        "metrics": {"protocol": _PROTOCOL, **metrics.summary(), "later": later},
        "candidates": fitted.trials,
        "chosen": fitted.chosen,
        "fields": {field.code: field.name for field in taxonomy.fields},
        "rows": len(labelled),
        "profile": classify.profile(fitted, labelled, first, alike, phrases(taxonomy)),
        "unlabelled": 0 if unlabelled is None else len(unlabelled),
    }
    errors = classify.Errors.of_fitted(fitted, labelled, first, alike)
    stored = {
        **classify.artefact(fitted.model),
        seen.KEY: seen.learnt(labelled),
        _ERRORS: errors.pack(),
    }
    return registry.save(root, name, stored, card)


def field_counts(
    batch: pd.DataFrame,
    found: pd.DataFrame,
    *,
    errors: classify.Errors | None,
    said: Sequence[Label] = (),
    by: Sequence[str] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return how many records of a batch belong to each field (`classify.report_counts`).

    What stands in the batch's own column ``field`` is what authors wrote, and proves nothing.

    Args:
        batch: Normalized records.
        found: Their labels, with the probability of every field (`classify.label`).
        errors: What is known of the model's errors.
        said: Labels that people gave, in the codes in use; those on these texts are certain.
        by: What each record is counted under, such as its unit, sector or phase.
        level: How often an interval is to hold the truth.
    """
    told = labels.in_force(said, batch).by_id if said else {}
    chances = None
    if errors is not None:
        chances = found[[f"{classify.CHANCE}{code}" for code in errors.classes]]
    return classify.report_counts(
        found,
        chances,
        errors,
        title=classify.title_only(batch),
        known=[told[name].field if name in told else "" for name in batch["id"]],
        by=by,
        level=level,
    )


def judged_labels(given: pd.DataFrame, truth: pd.DataFrame) -> evaluate.Labels:
    """Return how good labels are beside the true ``field`` and ``field2`` of a table (index: ids)."""
    true = truth.loc[given["id"]]
    return evaluate.labels(
        true["field"].tolist(),
        given["field"].tolist(),
        second=true["field2"].tolist(),
        probability=given["probability"].astype(float).tolist(),
        auto=(given["decision"] == "auto").tolist(),
    )


def copies(
    batch: pd.DataFrame, judge: dedupe.Judge, *, settings: Settings, known: dedupe.Knowledge
) -> list[str]:
    """Return a name for each record, the same for records that the pair model takes for one initiative.

    Args:
        batch: Normalized records, unique ids.
        judge: The pair model.
        settings: How records are compared.
        known: What is known of words and forms.
    """
    corpus = dedupe.corpus(batch, None, known, settings)
    names = corpus.records["id"].tolist()
    pairs = dedupe.find(corpus, judge, known, settings)
    alike = [
        (names[later], names[earlier], float(probability))
        for later, earlier, probability, level in zip(
            pairs.later, pairs.earlier, pairs.probability, pairs.level, strict=True
        )
        if level in DUPLICATE_LEVELS
    ]
    first = dict(dedupe.group(dedupe.in_line(corpus.records, corpus.fresh), alike))
    return [first.get(name, name) for name in batch["id"]]


def phrases(taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Return what the taxonomy says of each field, as texts to learn from; nothing for `other`.

    >>> from pipeline.taxonomy import default
    >>> phrases(default())["safety"][0]
    'An toàn, vệ sinh lao động, môi trường'
    """
    found = {}
    for field in taxonomy.fields:
        parts = [field.name, *field.aliases, field.definition, *field.includes, *field.phrases]
        texts = [normalize.clean(part).text for part in parts if part]
        if field.code != OTHER:
            found[field.code] = [*texts, "; ".join(texts)]
    return found


def codes(batch: pd.DataFrame, column: str, taxonomy: Taxonomy) -> list[str]:
    """Return the codes that the cells of a column name, ``""`` for an empty one.

    A field that another took over stands for that one.

    Raises:
        UsageError: A cell names no field of the taxonomy; the message says where it stands.
    """
    found = {cell: taxonomy.code_now(cell) for cell in batch[column].unique() if cell.strip()}
    for cell, code in found.items():
        if not code:
            row = batch[batch[column] == cell].iloc[0]
            raise UsageError(
                "{file}, row {row}, column {column}: {cell} is no field of taxonomy {version}. "
                "Use one of: {known}.",
                file=row["source_file"],
                row=row["source_row"],
                column=column,
                cell=cell,
                version=taxonomy.version,
                known=", ".join(field.code for field in taxonomy.fields),
            )
    return [found.get(cell, "") for cell in batch[column]]


def pairs(root: Path, *, settings: Settings, known: dedupe.Knowledge, created: str = "") -> Ready:
    """Return the pair classifier in use, or the starter learnt from the sample's judged pairs.

    Args:
        root: The folder of models.
        settings: How records are compared.
        known: What is known of words and forms.
        created: The date a new card bears.

    Raises:
        GateRefused: The model in use was taught by people, in another version of the program.
    """
    trained = False
    if not registry.versions(root, PAIRS) or _outgrown(root):
        version = train_pairs(root, [sample()], settings=settings, known=known, created=created)
        registry.promote(root, PAIRS, version)
        trained = True
    stored = registry.load(root, PAIRS)
    model = dedupe.PairClassifier.of(stored.model)
    return Ready(model, f"{PAIRS}/{stored.version}", trained, stored.model)


def _outgrown(root: Path) -> bool:
    """Return whether the pair model in use is a starter that another version of the program learnt.

    Raises:
        GateRefused: It is such a model, but people taught it: it is not thrown away unasked.
    """
    version = registry.current(root, PAIRS)
    if version is None:
        return False
    card = registry.card(root, PAIRS, version)
    if card.get("features") == list(dedupe.NAMES) and card.get("normalize") == normalize.VERSION:
        return False
    if set(card.get("judgements", {})) - {"sample"}:
        raise GateRefused(
            "The model {name} was learnt by another version of the program and does not fit this one. "
            "Learn it again (`sangkien train --pairs`) and put it in use (`sangkien models promote`).",
            name=f"{PAIRS}/{version}",
        )
    return True


def form_text(path: Path | None = None, *, settings: Settings) -> NDArray[np.uint64]:
    """Return the shingles of the sentences in the shipped sheet, with those of an office's own.

    A sheet has the column ``phrase``, one sentence a row.

    Raises:
        InputNotFound: There is no such file.
        UsageError: It is no CSV in UTF-8, or has no column ``phrase``.
    """
    sheets = [checkout("data", "form_text.csv"), *([path] if path else [])]
    phrases = [phrase for sheet in sheets for phrase in _phrases(sheet)]
    return dedupe.form_shingles([normalize.clean(phrase).text for phrase in phrases], width=settings.shingle)


def _phrases(path: Path) -> list[str]:
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputNotFound("{path} is not there: the sheet of form text.", path=path) from None
    except ValueError as error:  # no UTF-8, no columns, or rows of different lengths
        raise UsageError(
            "{path} is not a CSV table in UTF-8. Save it as CSV UTF-8, then run again.", path=path
        ) from error
    if "phrase" not in table.columns:
        raise UsageError(
            "{path}: the column phrase is missing. Put one sentence of form text in each row.", path=path
        )
    return table["phrase"].tolist()


def form_headings(path: Path | None = None) -> dedupe.Headings:
    """Return the headings of a sheet with the columns ``heading,part`` (default: the shipped one).

    Raises:
        UsageError: A column is missing, a part is unknown or a heading stands under two.
    """
    path = path or checkout("data", "form_headings.csv")
    table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    if not {"heading", "part"}.issubset(table.columns):
        raise UsageError(
            "{path}: the columns heading and part are needed. Put one heading of a form in each row.",
            path=path,
        )
    return dedupe.headings(zip(table["heading"], table["part"], strict=True))


def unit_names(path: Path | None = None) -> units.UnitSheet:
    """Return what is known of unit names: the shipped sheet and, beyond it, that of an office.

    Of one alias in both the office's row counts.

    Raises:
        InputNotFound: There is no such file.
        UsageError: It is no such sheet; the message names column or row.
    """
    shipped = checkout("data", "unit_aliases.csv")
    sheets = [_unit_rows(each) for each in ([shipped, path] if path else [shipped])]
    return units.UnitSheet(row for rows in sheets for row in rows)


def _unit_rows(path: Path) -> tuple[units.Row, ...]:
    return units.parse(_sheet(path), file=path.name)


def register(path: Path, sheet: units.UnitSheet) -> units.Register:
    """Return an office's register of units, its names read by ``sheet``.

    Raises:
        InputNotFound: There is no such file.
        UsageError: It is no register.
    """
    return units.Register(units.parse_register(_sheet(path), file=path.name), sheet)


def rules(path: Path | None = None) -> tuple[validity.Rule, ...]:
    """Return the rules of validity of a sheet (default: the shipped one).

    Raises:
        InputNotFound: There is no such file.
        UsageError: It is no sheet of rules.
    """
    path = path or checkout("data", "validity.csv")
    return validity.parse(_sheet(path), file=path.name)


def _sheet(path: Path) -> str:
    """Return the text of a sheet that an office edits."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputNotFound("The sheet {path} is not there. Check the name.", path=path) from None
    except UnicodeDecodeError:
        raise UsageError("{path} is not UTF-8 text. Save it as UTF-8.", path=path) from None


def kinds() -> Taxonomy:
    """Return the kinds of solution (``data/kinds.csv``), a list of the same form as that of fields.

    >>> kinds().codes
    ('technical', 'management', 'operational', 'application', 'other')
    """
    return load(checkout("data", "kinds.csv"))


def author_words(taxonomy: Taxonomy, path: Path | None = None) -> axes.AuthorWords:
    """Return what authors' words for fields mean: the shipped sheet and, before it, that of an office.

    Raises:
        InputNotFound: There is no such file.
        UsageError: It is no such sheet, or a row of the office's names no field of the taxonomy.
    """
    own = _author_rows(path) if path else ()
    return axes.author_words(_author_rows(checkout("data", "author_fields.csv")), own, taxonomy)


def _author_rows(path: Path) -> tuple[axes.Row, ...]:
    return axes.parse(_sheet(path), file=path.name)


def judged(path: Path) -> pd.DataFrame:
    """Return a table of judged pairs, ``id_a,id_b,relation``, as text.

    Raises:
        InputNotFound: The file is not there.
        UsageError: It is no CSV, a column is missing or a relation unknown.
    """
    if not path.is_file():
        raise InputNotFound("{path} is not there. Check the name.", path=path)
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except ValueError as error:  # no UTF-8, no columns, or rows of different lengths
        raise UsageError(
            "{path} is not a CSV table in UTF-8. Save it as CSV UTF-8, then run again.", path=path
        ) from error
    wanted = ["id_a", "id_b", "relation"]
    if missing := [column for column in wanted if column not in table.columns]:
        raise UsageError(
            "{path}: the column {column} is missing; a table of judged pairs has id_a, id_b and relation.",
            path=path,
            column=missing[0],
        )
    known = {*SAME, *NOT_SAME}
    for row, relation in enumerate(table["relation"], start=2):
        if relation not in known:
            raise UsageError(
                "{path}, row {row}, column relation: {relation} is unknown. Use one of: {known}.",
                path=path,
                row=row,
                relation=relation or '""',
                known=", ".join((*SAME, *NOT_SAME)),
            )
    return table


def knowledge(*, settings: Settings, form: Path | None = None, names: Path | None = None) -> dedupe.Knowledge:
    """Return what is known before any record is read, from the tables that travel with the code.

    Args:
        settings: How records are compared.
        form: An office's own sheet of form text, beside the shipped one.
        names: An office's own sheet of unit names, beside the shipped one.
    """
    return dedupe.Knowledge(
        form_text(form, settings=settings),
        lexicon(),
        form_headings(),
        partial(units.unit_phrases, sheet=unit_names(names)),
    )


def lexicon() -> dedupe.Lexicon:
    """Return how rare syllables are and what they mean (``data/lexicon.npz``), with ``data/synonyms.csv``."""
    with np.load(checkout("data", "lexicon.npz")) as stored:
        numbers = {name: stored[name] for name in stored.files}
    table = pd.read_csv(
        checkout("data", "synonyms.csv"), dtype="str", keep_default_na=False, encoding="utf-8-sig"
    )
    return dedupe.lexicon(
        numbers["syllables"].tolist(),
        numbers["documents"],
        int(numbers["total"]),
        numbers["vectors"].astype(np.float32) * numbers["scale"],
        numbers["common"],
        [cell.split(";") for cell in table["words"]],
    )


def sample() -> lessons.Lesson:
    """Return the records of the sample and the pairs of them that people judged."""
    folder = checkout("data", "sample")
    files = [folder / name for name in ("archive.csv", "batch_unions.csv", "batch_portal.xlsx")]
    batch = normalize.frame(read.tables(files).batch)
    return lessons.Lesson.of("sample", batch, judged(folder / "pairs.csv"), whole=True)


def train_pairs(
    root: Path,
    taught: Sequence[lessons.Lesson],
    *,
    settings: Settings,
    known: dedupe.Knowledge,
    name: str = PAIRS,
    created: str = "",
) -> str:
    """Return the version of a pair classifier learnt from judged pairs; not yet in use.

    Args:
        root: The folder of models.
        taught: What people judged (`sample` for one); of two texts that several judge, the last word counts.
        settings: How records are compared.
        known: What is known of words and forms.
        name: What to call it; runs use `PAIRS`.
        created: The date the card bears.

    Raises:
        UsageError: Too few pairs were judged.
    """
    learnt = lessons.learn(taught, settings=settings, known=known)
    card = {
        "created": created,
        "normalize": normalize.VERSION,
        "features": list(dedupe.NAMES),
        "data": {each.source: _lesson_digest(each) for each in taught},
        "judgements": learnt.used,
        "metrics": learnt.metrics,
        "rows": learnt.examples,
    }
    return registry.save(root, name, learnt.model.model_, card)


def _lesson_digest(lesson: lessons.Lesson) -> dict[str, str]:
    return {
        "sha256": _digest(lesson.batch, ["id", *lessons.TEXT]),
        "pairs": _digest(lesson.judged.astype("str"), ["id_a", "id_b", "same"]),
    }


def _digest(table: pd.DataFrame, columns: list[str]) -> str:
    rows = sorted("\x1f".join(row) for row in table[columns].itertuples(index=False, name=None))
    return hashlib.sha256("\x1e".join(rows).encode()).hexdigest()


def measured(
    batch: pd.DataFrame,
    table: pd.DataFrame,
    judge: dedupe.Judge,
    *,
    settings: Settings,
    known: dedupe.Knowledge,
) -> evaluate.Pairs:
    """Return how good the pairs found in ``batch`` are beside those that people judged (`judged`).

    Args:
        batch: Normalized records.
        table: ``id_a,id_b,relation``, of these records.
        judge: The pair model.
        settings: How records are compared.
        known: What is known of words and forms.
    """
    corpus = dedupe.corpus(batch, None, known, settings)
    near = dedupe.compare(corpus, known, settings)
    return evaluate.pairs(
        table,
        dedupe.table(corpus, dedupe.shown(corpus, near, judge, settings)),
        threshold=settings.match_probability,
        scored=dedupe.table(corpus, dedupe.scored(corpus, near, judge, settings)),
    )
