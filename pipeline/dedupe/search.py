"""From two tables of records to the pairs worth showing, best first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.dedupe import features, house, join, neighbours, parts, wording
from pipeline.dedupe.shingles import fingerprint
from pipeline.dedupe.syllables import Syllables, syllables
from pipeline.settings import Settings

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Mask = NDArray[np.bool_]

IDENTITY: Final = 4
"""Syllables a text needs for being the same as another to mean anything."""
_ALL_BUT_WHOLE: Final = 0.6
_WORDS_OF_BOTH: Final = 0.85
_PASSAGE: Final = 8


class Judge(Protocol):
    """What gives a pair's probability: a fitted `pairs.PairClassifier`, or anything like it."""

    def predict_proba(self, X: F64, /) -> F64:  # noqa: N803 - scikit-learn's name
        """Return a row "not the same", "the same" for each pair."""
        ...


def _nobody(_records: pd.DataFrame) -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known before any record is read.

    Attributes:
        form: Shingles of sentences known to be form text (`form_shingles`), sorted.
        lexicon: How rare words are and what they mean.
        headings: How the parts of a form begin.
        unit_phrases: Gives what texts may call the units of some records (columns ``unit``, ``upper_union``):
            form text among them.
    """

    form: U64
    lexicon: wording.Lexicon
    headings: parts.Headings
    unit_phrases: Callable[[pd.DataFrame], Sequence[str]] = _nobody

    def digest(self) -> str:
        """Return what changes whenever a text's words or what they weigh would."""
        digest = blake2b(digest_size=16)
        worth, phrases = self.lexicon.worth, self.lexicon.phrases
        for numbers in (self.form, worth.places.hashes, worth.rarity, phrases.hashes, self.lexicon.concepts):
            digest.update(numbers.tobytes())
        for said in (worth.unknown, self.headings.pattern.pattern, sorted(self.headings.codes.items())):
            digest.update(repr(said).encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Corpus:
    """New and archived records in one table, ready to be compared.

    ``records`` stand earliest first (`in_order`); ``fresh`` marks the new ones. ``first[i]`` is the earliest
    record whose folded text is the same as record i's: only these are compared, the rest follow them.
    ``texts`` are their syllables; ``form`` are the shingles that stand in many filings of one place of work
    (`house`), ``names`` what their units are called: shown as evidence of nothing, and yet weighed like
    anything else, for a copy often still names the unit of its source.
    """

    records: pd.DataFrame
    fresh: Mask
    texts: Syllables
    first: I64
    form: U64
    names: U64


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of rows of a corpus, ``later`` below ``earlier``, with how alike they are.

    ``form`` are the shingles that were form text, sorted: no evidence of anything.
    """

    later: I64
    earlier: I64
    probability: F64
    level: NDArray[np.str_]
    form: U64


def in_order(new: pd.DataFrame, archive: pd.DataFrame | None) -> tuple[pd.DataFrame, Mask]:
    """Return all records, earliest filed first, and which are new.

    Undated ones come first: one that does not say when it was filed can never be called the later. Of
    equal dates the archive comes before the new, then the smaller id.
    """
    both = new.assign(_fresh=True)
    if archive is not None and len(archive):
        both = pd.concat([archive.assign(_fresh=False), both], ignore_index=True)
    both = both.sort_values(["submitted", "_fresh", "id"], kind="stable", ignore_index=True)
    fresh = both.pop("_fresh").to_numpy(dtype=bool)
    return both, fresh


def corpus(
    new: pd.DataFrame,
    archive: pd.DataFrame | None,
    known: Knowledge,
    settings: Settings,
    *,
    chosen: bool = False,
) -> Corpus:
    """Return the records of both tables with their numbers.

    Args:
        new: A batch with `normalize.frame`'s columns.
        archive: Another with none of the new ids, or None.
        known: How the parts of a form begin.
        settings: ``shingle``.
        chosen: Whether the archived ones were chosen for what they share with the new ones, and so say
            nothing of what is form.
    """
    records, fresh = in_order(new, archive)
    texts = cut(records, known, settings)
    comparable = np.diff(texts.marks.starts) >= IDENTITY
    first = join.first_of_equals(texts.marks.digests, comparable)
    # One of the tables may have no such column.
    named = records.reindex(columns=["unit", "upper_union"], fill_value="").fillna("")
    names = form_shingles(known.unit_phrases(named), width=settings.shingle)
    rows = np.flatnonzero((first == np.arange(len(first))) & (fresh | (not chosen)))
    own = house.house_form(texts.marks.of(rows), house.names_of(named.iloc[rows]))
    return Corpus(records, fresh, texts, first, own, names)


def cut(records: pd.DataFrame, known: Knowledge, settings: Settings) -> Syllables:
    """Return the syllables of records with `normalize.frame`'s columns."""
    cells = list(zip(records["clean_title"].tolist(), records["clean_description"].tolist(), strict=True))
    return syllables(cells, known.headings, width=settings.shingle)


def form_shingles(phrases: Iterable[str], *, width: int = 3) -> U64:
    """Return the shingles of sentences known to be form text, sorted.

    What a large file's records share too often is found by counting; this adds what a small file cannot
    show. Phrases of fewer than ``width`` syllables are left out: they would hide every text of those words.
    """
    marks = fingerprint(list(phrases), width=width)
    long = np.repeat(np.diff(marks.starts) >= width, np.diff(marks.bounds))
    return np.unique(marks.shingles[long])


def weigh(found: Corpus, form: U64, settings: Settings) -> tuple[I64, join.Table]:
    """Return the rows that are compared (one of each set of equal texts) and what their shingles count."""
    rows = np.flatnonzero(found.first == np.arange(len(found.first)))
    limit = join.form_limit(len(rows), least=settings.form_min, share=settings.form_share)
    table = join.table(found.texts.marks, rows, limit=limit, holders=settings.holders, form=form)
    return rows, table


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of rows of a corpus that share something, and how alike they are (pairs x `features.NAMES`).

    ``form`` are the shingles that were form text.
    """

    later: I64
    earlier: I64
    alike: F64
    form: U64


def compare(found: Corpus, known: Knowledge, settings: Settings) -> Candidates:
    """Return the candidate pairs of the corpus with a new record in them, and how alike they are."""
    rows, table = weigh(found, np.union1d(known.form, found.form), settings)
    asked = np.zeros(len(found.first), dtype=bool)
    np.logical_or.at(asked, found.first, found.fresh)
    fresh = asked[rows]
    later, earlier = join.candidates(
        table,
        fresh,
        score=settings.candidate_score,
        shared=settings.candidate_shared,
        most=settings.matches_per_record,
    )
    # First holders undercount what two followers share; the exact share decides who is looked at.
    close = table.share(later, earlier) >= settings.candidate_exact
    said = features.spoken(found.texts.take(rows), table.form, known.lexicon)
    rarest = said.heaviest(neighbours.RAREST, known.lexicon) if len(rows) > settings.many else said
    look = neighbours.look(
        neighbours.vocabulary(rarest, known.lexicon),
        fresh,
        telling(found)[rows],
        (later[close], earlier[close]),
        neighbours.Knobs(settings.neighbours, settings.many),
        total=len(rows),
    )
    return measured(found, rows, said, look, Whole(table.known, table.form), known)


def telling(found: Corpus) -> Mask:
    """Return which records have enough syllables for their words to mean anything."""
    enough: Mask = np.diff(found.texts.marks.starts) >= IDENTITY
    return enough


@dataclass(frozen=True, slots=True)
class Whole:
    """What is known of all records together: how many hold each shingle, and which of these are form text."""

    frequencies: join.Frequencies
    form: U64


def measured(
    found: Corpus, rows: I64, said: features.Said, look: neighbours.Look, whole: Whole, known: Knowledge
) -> Candidates:
    """Return how alike the pairs of a look are, which like ``said`` speaks of ``rows`` of the corpus."""
    inside = np.union1d(np.union1d(look.later, look.earlier), np.union1d(*look.near))
    texts = found.texts.take(rows[inside])
    sides = features.sides(texts, said.take(inside), whole.frequencies, whole.form, known.lexicon)

    def local(place: I64) -> I64:
        return np.searchsorted(inside, place)

    near = local(look.near[0]), local(look.near[1])
    alike = features.measure(sides, local(look.later), local(look.earlier), near)
    return Candidates(rows[look.later], rows[look.earlier], alike, np.union1d(whole.form, found.names))


def find(found: Corpus, judge: Judge, known: Knowledge, settings: Settings) -> Pairs:
    """Return the pairs with a new record in them that are duplicates or worth a look.

    Sorted by probability (falling, in steps of 0.0001), then later and earlier id; of a later record the
    ``matches_per_record`` most probable.
    """
    return shown(found, compare(found, known, settings), judge, settings)


def shown(found: Corpus, near: Candidates, judge: Judge, settings: Settings) -> Pairs:
    """Return those of the pairs compared that are duplicates or worth a look, as `find` does."""
    probability = np.round(judge.predict_proba(near.alike)[:, 1], 4)
    chosen = probability >= settings.related_probability
    level = _levels(near, probability, settings)[chosen]
    pairs = _with_equals(
        found, Pairs(near.later[chosen], near.earlier[chosen], probability[chosen], level, near.form)
    )
    return _limited(found, pairs, settings.matches_per_record)


def scored(found: Corpus, near: Candidates, judge: Judge, settings: Settings) -> Pairs:
    """Return every pair compared with its probability as it is, not rounded: for measuring; in no order."""
    probability = judge.predict_proba(near.alike)[:, 1]
    level = _levels(near, probability, settings)
    return _with_equals(found, Pairs(near.later, near.earlier, probability, level, near.form))


def _levels(near: Candidates, probability: F64, settings: Settings) -> NDArray[np.str_]:
    alike = dict(zip(features.NAMES, near.alike.T, strict=True))
    whole = np.maximum(alike["share"], alike["plain"]) >= _ALL_BUT_WHOLE
    return np.select(
        [
            probability < settings.match_probability,
            whole | (alike["words"] >= _WORDS_OF_BOTH),
            alike["run"] >= _PASSAGE,
        ],
        ["related", "copy", "partial"],
        "reworded",
    )


def _with_equals(found: Corpus, pairs: Pairs) -> Pairs:
    """Return the pairs of records: of equal texts each follower meets the first, and the first's partners."""
    later, earlier, probability, level = pairs.later, pairs.earlier, pairs.probability, pairs.level
    followers = np.flatnonzero(found.first != np.arange(len(found.first)))
    by_first = pd.Series(followers).groupby(found.first[followers]).indices
    one, two = [later, followers], [earlier, found.first[followers]]
    chance, kind = [probability, np.ones(len(followers))], [level, np.full(len(followers), "copy")]
    for here, there in ((later, earlier), (earlier, later)):
        many = [followers[by_first.get(row, [])] for row in here.tolist()] if len(followers) else []
        counts = np.array([len(rows) for rows in many], dtype=np.int64)
        if counts.any():
            one.append(np.concatenate(many))
            two.append(np.repeat(there, counts))
            chance.append(np.repeat(probability, counts))
            kind.append(np.repeat(level, counts))
    first, second = np.concatenate(one), np.concatenate(two)
    new = found.fresh[first] | found.fresh[second]
    return Pairs(
        np.maximum(first, second)[new],
        np.minimum(first, second)[new],
        np.concatenate(chance)[new],
        np.concatenate(kind)[new],
        pairs.form,
    )


def _limited(found: Corpus, pairs: Pairs, most: int) -> Pairs:
    best = np.lexsort((pairs.earlier, -pairs.probability, pairs.later))
    rows = pairs.later[best]
    kept = best[np.arange(len(rows)) - np.searchsorted(rows, rows) < most]
    return ordered(found, pairs, kept)


def ordered(found: Corpus, pairs: Pairs, places: I64 | None = None) -> Pairs:
    """Return the pairs at ``places`` (or all) by falling probability, then later and earlier id."""
    ids = found.records["id"].to_numpy(dtype=object)
    order = sorted(
        range(len(pairs.later)) if places is None else places.tolist(),
        key=lambda at: (-pairs.probability[at], ids[pairs.later[at]], ids[pairs.earlier[at]]),
    )
    return Pairs(
        pairs.later[order], pairs.earlier[order], pairs.probability[order], pairs.level[order], pairs.form
    )


def table(found: Corpus, pairs: Pairs) -> pd.DataFrame:
    """Return the pairs by id: ``later,earlier,probability,level``."""
    ids = found.records["id"].to_numpy(dtype=object)
    columns = {
        "later": pd.Series(ids[pairs.later], dtype="str"),
        "earlier": pd.Series(ids[pairs.earlier], dtype="str"),
        "probability": pairs.probability,
        "level": pd.Series(pairs.level, dtype="str"),
    }
    return pd.DataFrame(columns)
