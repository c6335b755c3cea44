"""The whole path on one page: normalize → segment → dedupe → classify, from a reading to an outcome.

Nothing here opens a file, prints, or looks at a clock: models, form text, caches and workers are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import axes, classify, dedupe, normalize, units, validity
from pipeline.decisions import InForce, in_force
from pipeline.read import Reading
from pipeline.records import DUPLICATE_LEVELS, KIND_CODE, Decision, Match
from pipeline.report import Outcome, match_frame
from pipeline.settings import Settings
from pipeline.taxonomy import Taxonomy

Item = TypeVar("Item")
Result = TypeVar("Result")

STEPS: Final = ("dedupe", "classify")
_ROWS: Final = 2_000
_PAIRS: Final = 200


class Spread(Protocol):
    """What runs a function over items: `map`, or the same in several processes; results in order."""

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item], /) -> Iterator[Result]:
        """Yield ``function(item)`` for each item, in order."""
        ...


Advance = Callable[[int], None]
Stage = Callable[[str, int], AbstractContextManager[Advance]]


@contextmanager
def silent(_name: str, _total: int) -> Iterator[Advance]:
    """Stand in for a progress display: a stage nobody watches."""
    yield lambda _done: None


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What the path works with.

    Attributes:
        judge: Gives a pair's probability (`dedupe.PairClassifier`); None when duplicates are not looked for.
        known: What is known of words and forms (`dedupe.Knowledge`); needed where there is a judge.
        label: Gives a batch its labels (`classify.label`); None when nothing is classified.
        count: Counts fields, from the batch and what ``label`` gave it (chances too); None when only labels
            are wanted.
        cut: Gives each text its words, space-separated, and whether it was shortened for that.
        spread: Runs the same function over many chunks.
        stage: Shows how far each step is.
        unit_names: What is known of the names of units.
        rules: What makes a record valid.
        register: The units of the office; None where it has given none.
        kinds: The kinds of solution; None where they are not told apart.
        label_kinds: Gives a batch its kinds of solution, as ``label`` its fields; None where no model knows.
        author_words: What authors' words for fields mean; None where nothing is classified.
    """

    judge: dedupe.Judge | None = None
    known: dedupe.Knowledge | None = None
    label: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    count: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame] | None = None
    cut: Callable[[Sequence[str]], Sequence[tuple[str, bool]]] | None = None
    spread: Spread = map
    stage: Stage = silent
    unit_names: units.UnitSheet = field(default_factory=units.UnitSheet)
    rules: Sequence[validity.Rule] = ()
    register: units.Register | None = None
    kinds: Taxonomy | None = None
    label_kinds: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    author_words: axes.AuthorWords | None = None


@dataclass(frozen=True, slots=True)
class Indexed:
    """An archive too large to be read: its index, and what reads those of its records that have some ids."""

    index: dedupe.Index
    some: Callable[[Iterable[str]], pd.DataFrame]


Archive = pd.DataFrame | Indexed | None
"""Earlier records: the columns of a batch, or where to ask for them."""


@dataclass(frozen=True, slots=True)
class _Duplicates:
    matches: pd.DataFrame
    groups: pd.DataFrame
    others: pd.DataFrame
    form_share: list[float]
    verdicts: InForce
    silenced: int
    outside: int


def run(  # noqa: PLR0913 - all that a run depends on, by name
    reading: Reading,
    archive: Archive,
    tools: Tools,
    *,
    decisions: Sequence[Decision] = (),
    settings: Settings | None = None,
    facts: Mapping[str, object] | None = None,
    field_names: Mapping[str, str] | None = None,
) -> Outcome:
    """Return what is found in ``reading``: repaired texts, words, duplicates and labels.

    Args:
        reading: The new records.
        archive: Earlier records to compare them with; None for none.
        tools: The models and workers; a step whose tool is None is left out.
        decisions: What people decided about pairs, in the order of recording.
        settings: The knobs.
        facts: What ``run.json`` says beside the counts.
        field_names: Code to name of the fields.
    """
    settings = settings or Settings()
    batch = clean(reading.batch, tools, name="normalize")
    strange: tuple[axes.Unknown, ...] = ()
    if tools.kinds:
        batch, strange = axes.kinds(batch, tools.kinds)
    if tools.author_words:
        batch = axes.author_codes(batch, tools.author_words)
    unknown: tuple[units.Unknown, ...] = ()
    if tools.register:
        batch, unknown = units.registered(batch, tools.register)
    if tools.rules:
        batch = validity.judged(batch, tools.rules)
    if tools.cut:
        batch = words(batch, tools)
    found = None
    size, date = 0, ""
    if tools.judge is not None:
        if isinstance(archive, Indexed):
            held = archive.index.held
            size, date = len(held.ids), held.dates[-1].decode() if len(held.dates) else ""
            batch, _ = settle_ids(
                batch, clean(archive.some(batch["id"]), tools, name="normalize the archive")
            )
        elif archive is not None:
            archive = clean(archive, tools, name="normalize the archive")
            size, date = len(archive), max(archive["submitted"], default="")
            batch, archive = settle_ids(batch, archive)
        found = duplicates(batch, archive, tools, settings, decisions)
        batch = batch.assign(form_share=found.form_share)
    # A model is too large to be sent to workers with every part: this process labels.
    labels = _in_parts(tools.label, batch, "classify", tools) if tools.label else None
    shares = tools.count(batch, labels) if tools.count and labels is not None else None
    if labels is not None:
        labels = labels[list(classify.COLUMNS)]
    kinds = (
        _in_parts(tools.label_kinds, untold(batch), "classify the kinds", tools)
        if tools.label_kinds
        else None
    )
    return Outcome(
        initiatives=batch,
        others=found.others if found else _nobody(),
        matches=found.matches if found else None,
        groups=found.groups if found else None,
        labels=labels,
        shares=shares,
        quarantine=reading.quarantine,
        sources=reading.sources,
        field_names=field_names or {},
        facts=facts or {},
        archive_size=size,
        archive_date=date,
        verdicts=found.verdicts if found else InForce(),
        silenced=found.silenced if found else 0,
        scope=settings.scope,
        outside=found.outside if found else 0,
        unknown_units=unknown,
        kinds=kinds,
        kind_names=tools.kinds.names if tools.kinds else {},
        unknown_kinds=strange,
    )


def untold(batch: pd.DataFrame) -> pd.DataFrame:
    """Return the records of which no kind of solution is known."""
    return batch[batch[KIND_CODE] == ""].reset_index(drop=True) if KIND_CODE in batch else batch


def clean(batch: pd.DataFrame, tools: Tools, *, name: str) -> pd.DataFrame:
    """Return the batch with the columns `records.CLEANED`."""
    return _in_parts(normalize.frame, batch, name, tools, spread=tools.spread)


def _in_parts(
    function: Callable[[pd.DataFrame], pd.DataFrame],
    batch: pd.DataFrame,
    name: str,
    tools: Tools,
    *,
    spread: Spread = map,
) -> pd.DataFrame:
    """Return what ``function`` makes of a batch, a part at a time, so that progress can be shown."""
    parts = [batch.iloc[start : start + _ROWS] for start in range(0, max(len(batch), 1), _ROWS)]
    done = []
    with tools.stage(name, len(batch)) as advance:
        for part in spread(function, parts):
            done.append(part)
            advance(len(part))
    return pd.concat(done, ignore_index=True)


def words(batch: pd.DataFrame, tools: Tools) -> pd.DataFrame:
    """Return the batch with ``tokens``: title's and description's words, inner spaces as ``_``."""
    assert tools.cut is not None
    titles, descriptions = batch["clean_title"].tolist(), batch["clean_description"].tolist()
    cut: list[tuple[str, bool]] = []
    with tools.stage("segment", len(batch)) as advance:
        for start in range(0, len(batch), _ROWS):
            part = titles[start : start + _ROWS] + descriptions[start : start + _ROWS]
            done = tools.cut(part)
            half = len(part) // 2
            cut += [
                (f"{title[0]} {description[0]}".strip(), title[1] or description[1])
                for title, description in zip(done[:half], done[half:], strict=True)
            ]
            advance(half)
    guarded = pd.Series([guard for _, guard in cut], dtype=bool)
    return _flagged(
        batch.assign(tokens=pd.Series([text for text, _ in cut], dtype="str")), guarded, "segment_guard"
    )


def settle_ids(batch: pd.DataFrame, archive: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the batch, ids known with other content flagged, and the archive without the batch's ids.

    A record that stands in the archive is itself, not a match.
    """
    stored = _content(archive[archive["id"].isin(batch["id"])])
    mine = _content(batch[batch["id"].isin(list(stored))])
    conflicts = {name for name, content in mine.items() if stored[name] != content}
    kept = archive[~archive["id"].isin(list(stored))].reset_index(drop=True)
    return _flagged(batch, batch["id"].isin(conflicts), "id_conflict"), kept


def _content(batch: pd.DataFrame) -> dict[str, tuple[str, str]]:
    texts = zip(batch["clean_title"], batch["clean_description"], strict=True)
    return dict(zip(batch["id"], texts, strict=True))


def _flagged(batch: pd.DataFrame, which: pd.Series[bool], flag: str) -> pd.DataFrame:
    if not which.any():
        return batch
    flags = batch["flags"].where(
        ~which, batch["flags"].map(lambda said: " ".join(sorted({*said.split(), flag})))
    )
    return batch.assign(flags=flags)


def duplicates(
    batch: pd.DataFrame,
    archive: Archive,
    tools: Tools,
    settings: Settings,
    decisions: Sequence[Decision] = (),
) -> _Duplicates:
    """Return the matches of the batch with itself and the archive, as people decided, evidence, groups."""
    assert tools.judge is not None
    assert tools.known is not None
    corpus, near = _compared(batch, archive, tools, settings, decisions)
    told = in_force(decisions, corpus.records)
    same, apart = told.pairs("duplicate"), told.pairs("different")
    pairs = dedupe.shown(corpus, near, tools.judge, settings)
    placed = _placed(corpus.records, tools)
    inside = partial(units.in_scope, placed, scope=settings.scope, sheet=tools.unit_names)
    pairs, outside = dedupe.within(corpus, pairs, inside, kept=same)
    pairs, silenced = dedupe.ruled(corpus, pairs, same=same, apart=apart)
    matches = _explained(corpus, pairs, tools)
    order = dedupe.in_line(corpus.records, corpus.fresh)
    alike = [(m.later, m.earlier, m.probability) for m in matches if m.level in DUPLICATE_LEVELS]
    members = dedupe.group(order, alike, together=same, apart=apart)
    groups = pd.DataFrame(members, columns=["id", "representative"], dtype="str")
    # What was decided about archived records holds groups together that this run does not touch.
    touched = groups["representative"][groups["id"].isin(batch["id"])]
    groups = groups[groups["representative"].isin(touched)].reset_index(drop=True)
    groups.insert(1, "group", "G-" + groups["representative"])
    named = {name for match in matches for name in (match.later, match.earlier)}
    archived = corpus.records[~corpus.fresh]
    others = archived[archived["id"].isin(named)].sort_values("id", ignore_index=True)
    fresh = np.flatnonzero(corpus.fresh)
    share = dict(
        zip(
            corpus.records["id"].to_numpy()[fresh].tolist(),
            dedupe.form_share(corpus.texts.take(fresh), pairs.form).round(2).tolist(),
            strict=True,
        )
    )
    return _Duplicates(
        match_frame(matches), groups, others, [share[name] for name in batch["id"]], told, silenced, outside
    )


def _compared(
    batch: pd.DataFrame, archive: Archive, tools: Tools, settings: Settings, decisions: Sequence[Decision]
) -> tuple[dedupe.Corpus, dedupe.Candidates]:
    """Return the batch with the archived records it has to do with, and the pairs worth a look."""
    assert tools.known is not None
    if not isinstance(archive, Indexed):
        with tools.stage("dedupe", 1) as advance:
            corpus = dedupe.corpus(batch, archive, tools.known, settings)
            near = dedupe.compare(corpus, tools.known, settings)
            advance(1)
        return corpus, near
    with tools.stage("ask the archive's index", 1) as advance:
        around = dedupe.around(archive.index, batch, tools.known, settings)
        advance(1)
    fresh = set(batch["id"])
    ids = _judged_with(fresh | set(around.ids), decisions) - fresh
    before = clean(archive.some(ids), tools, name="normalize the archive")
    with tools.stage("dedupe", 1) as advance:
        corpus = dedupe.corpus(batch, before, tools.known, settings, chosen=True)
        near = dedupe.among(corpus, around, archive.index, tools.known)
        advance(1)
    return corpus, near


def _judged_with(ids: set[str], decisions: Sequence[Decision]) -> set[str]:
    """Return the ids and those that people judged beside one of them, these too, and so on."""
    pairs = {(each.later, each.earlier) for each in decisions}
    reached = set(ids)
    while more := {name for pair in pairs if not reached.isdisjoint(pair) for name in pair} - reached:
        reached |= more
    return reached


def _placed(records: pd.DataFrame, tools: Tools) -> pd.DataFrame:
    """Return the records, those without an upper union with that of their unit in the register."""
    if tools.register is None:
        return records
    found, _unknown = units.registered(records[["unit", "upper_union", "submitted"]], tools.register)
    union = found["upper_union"].where(found["upper_union"].str.strip() != "", found["registered_union"])
    return found.assign(upper_union=union)


def _explained(corpus: dedupe.Corpus, pairs: dedupe.Pairs, tools: Tools) -> list[Match]:
    rows = _sides(corpus.records, np.union1d(pairs.later, pairs.earlier))
    sides = [
        (rows[later], rows[earlier])
        for later, earlier in zip(pairs.later.tolist(), pairs.earlier.tolist(), strict=True)
    ]
    assert tools.known is not None
    rarity = tools.known.lexicon.folded
    chunks = [
        ([(later.text, earlier.text) for later, earlier in sides[start : start + _PAIRS]], pairs.form, rarity)
        for start in range(0, len(sides), _PAIRS)
    ]
    found: list[dedupe.Evidence] = []
    with tools.stage("evidence", len(sides)) as advance:
        for part in tools.spread(_explain, chunks):
            found += part
            advance(len(part))
    return [
        Match(
            later.id,
            earlier.id,
            float(probability),
            str(level),  # type: ignore[arg-type]
            bool(units.people(later.author) & units.people(earlier.author)),
            units.same_unit(
                later.unit, earlier.unit, tools.unit_names, days=(later.submitted, earlier.submitted)
            ),
            evidence.shared,
            evidence.differs,
            bool(later.submitted and earlier.submitted) and later.submitted != earlier.submitted,
            evidence.spans,
        )
        for (later, earlier), probability, level, evidence in zip(
            sides, pairs.probability, pairs.level, found, strict=True
        )
    ]


def _explain(
    chunk: tuple[list[tuple[tuple[str, str], tuple[str, str]]], NDArray[np.uint64], dedupe.Rarity],
) -> list[dedupe.Evidence]:
    pairs, form, rarity = chunk
    return dedupe.explain_all(pairs, form=form, rarity=rarity)


@dataclass(frozen=True, slots=True)
class _Side:
    """One record of a pair, as far as a pair looks at it."""

    id: str
    text: tuple[str, str]
    author: str
    unit: str
    submitted: str


def _sides(records: pd.DataFrame, rows: NDArray[np.int64]) -> dict[int, _Side]:
    columns = records.loc[rows, ["id", "title", "description", "author", "unit", "submitted"]]
    cells = zip(*(columns[name].tolist() for name in columns), strict=True)
    return {
        row: _Side(name, (title, description), author, unit, submitted)
        for row, (name, title, description, author, unit, submitted) in zip(rows.tolist(), cells, strict=True)
    }


def _nobody() -> pd.DataFrame:
    return pd.DataFrame({"id": []}, dtype="str")
