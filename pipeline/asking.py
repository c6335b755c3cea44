"""The label queue: which records people should label next, and why each."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

import numpy as np
import pandas as pd

from pipeline import classify, seen, starter
from pipeline.classify import Model
from pipeline.decisions import content_hash
from pipeline.errors import UsageError
from pipeline.labels import InForce
from pipeline.taxonomy import Taxonomy

Alike = Callable[[pd.DataFrame], Sequence[str]]
"""Says of some records which are copies of one another: a name each, the same for copies."""

SPLIT: Final = "split"
START: Final = "start"
UNSURE: Final = "unsure"
WHY: Final = (SPLIT, START, UNSURE)
"""Why a record is asked about: its label's field was split, it is typical of many, the model is unsure."""

ENOUGH: Final = 200
"""Labelled records from which a model's doubts choose, not what is typical."""

WIDE: Final = 20_000
"""Records without a label among which is chosen; of more so many are drawn by chance."""

TOGETHER: Final = 5_000
"""Records that are held against one another at a time, so that copies are told by what is usual there."""

_SPARE: Final = 1.2
_ROUNDS: Final = 12
_LEAST: Final = 10


def drawn(parts: Iterable[pd.DataFrame], wanted: Collection[str], *, most: int = WIDE) -> pd.DataFrame:
    """Return of large tables the records with ``wanted`` ids and ``most`` others, in the order given.

    The others are drawn by their ids alone: the same ones whatever the parts, and for as long as they stand.

    >>> parts = [pd.DataFrame({"id": ["a", "b"]}), pd.DataFrame({"id": ["c", "d"]})]
    >>> found = drawn(parts, {"b"}, most=1)["id"].tolist()
    >>> len(found), "b" in found
    (2, True)
    """
    kept: list[pd.DataFrame] = []
    lots: list[int] = []
    border = 1 << 64
    for part in parts:
        own = np.array([-1 if name in wanted else _lot(name) for name in part["id"]], dtype=object)
        here = part.assign(**{_LOT: own})[own < border]
        kept.append(here)
        lots = heapq.nsmallest(most, [*lots, *(lot for lot in own.tolist() if 0 <= lot < border)])
        if len(lots) == most:
            border = lots[-1] + 1 if lots else 0
        # What a later part outdid is let go now and then, not at the end: memory stays that of what is kept.
        if sum(map(len, kept)) > 2 * (most + len(wanted)) + len(part):
            kept = [_under(kept, border)]
    return _under(kept, border).drop(columns=_LOT)


_LOT: Final = "\x00lot"


def _under(kept: Sequence[pd.DataFrame], border: int) -> pd.DataFrame:
    whole = pd.concat(kept, ignore_index=True)
    return whole[(whole[_LOT] < border).to_numpy(dtype=bool)].reset_index(drop=True)


def _lot(name: str) -> int:
    data = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, person=b"lot").digest(), "big")


def learnt(batch: pd.DataFrame, taxonomy: Taxonomy, *, reader: classify.Reader | None = None) -> Model | None:
    """Return a model of what is labelled so far, helped by what is not; None where too little is.

    Args:
        batch: Normalized records.
        taxonomy: What the labels belong to.
        reader: What texts may be read with beside syllables.

    Raises:
        UsageError: A label is not in the taxonomy.
    """
    known = (batch["field"].str.strip() != "").to_numpy()
    labelled, rest = batch[known].reset_index(drop=True), batch[~known]
    first, second = (starter.codes(labelled, column, taxonomy) for column in ("field", "field2"))
    if len(set(first)) < 2 or len(first) < _LEAST:  # noqa: PLR2004 - one field cannot be told from none
        return None
    try:
        return classify.fit(
            labelled,
            first,
            second=second,
            phrases=starter.phrases(taxonomy),
            unlabelled=rest,
            reader=reader,
            taxonomy=taxonomy.version,
        ).model
    except UsageError:  # too few that differ, or no words in common
        return None


def queue(
    batch: pd.DataFrame,
    told: InForce,
    model: Model | None,
    alike: Alike,
    *,
    size: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the records to label next, the most useful first: ``id,title,description,unit,why,content``.

    First come records whose label is to be given anew, then, until `ENOUGH` are labelled, typical ones, then
    those that the model is unsure of. Nothing is asked that has a label, or whose copy has one, or twice
    under two ids.

    Args:
        batch: Normalized records, the labelled ones among them (`labels.applied`).
        told: The labels that count.
        model: The classifier whose doubts count; None where there is none, and all are typical.
        alike: Says which records are copies. It is asked of all records where they are few, else of those
            labelled, those about to be asked and some others, `TOGETHER` at least.
        size: How many records at most.
        seed: Decides what is drawn by chance.
    """
    return _asked(batch, _Desk(batch, told, alike, seed).choose(model, size))


class _Desk:
    """The records of a queue, and what is known of them so far.

    ``free`` are those that may still be asked, ``again`` those whose label is to be given anew, ``done`` how
    many different texts are labelled.
    """

    def __init__(self, batch: pd.DataFrame, told: InForce, alike: Alike, seed: int) -> None:
        self._batch, self._alike, self._seed = batch, alike, seed
        self._labelled = (batch["field"].str.strip() != "").to_numpy()
        self._again = batch["id"].isin(told.again).to_numpy()
        ids = batch["id"].tolist()
        self._order = sorted(range(len(ids)), key=lambda row: (not self._again[row], ids[row]))
        texts = seen.marks(batch)
        self._free = (texts > 0) & ~self._labelled
        self._groups = texts.tolist()
        self._done = len(set(texts[self._labelled].tolist()))
        self._whole = len(batch) <= TOGETHER
        if self._whole:
            self._groups = list(alike(batch))
            self._done = len({self._groups[row] for row in np.flatnonzero(self._labelled).tolist()})
        self._keep_one(self._groups)

    def _keep_one(self, groups: Sequence[object]) -> None:
        """Leave free one record of each group, to be labelled anew before others, none of a labelled one."""
        taken = {groups[row] for row in np.flatnonzero(self._labelled).tolist()}
        for row in self._order:
            if self._free[row]:
                self._free[row] = groups[row] not in taken
                taken.add(groups[row])

    def choose(self, model: Model | None, size: int) -> list[tuple[int, str]]:
        """Return rows to ask and why, the most useful first."""
        chosen: list[tuple[int, str]] = []
        spare = _SPARE
        for _ in range(_ROUNDS):
            missing = size - len(chosen)
            wanted = missing if self._whole else int(np.ceil(missing * spare))
            found = self._next(model, wanted, ENOUGH - self._done - len(chosen))
            if not found:
                break
            self._free[[row for row, _ in found]] = False
            chosen += found if self._whole else self._different(chosen, found)
            if self._whole or len(chosen) >= size:
                break
            # Where nearly all are copies, more are looked at each time.
            spare *= 2
        return chosen[:size]

    def _next(self, model: Model | None, wanted: int, start: int) -> list[tuple[int, str]]:
        free, again = np.flatnonzero(self._free), self._again
        found = [(row, SPLIT) for row in free[again[free]].tolist()][:wanted]
        rest = free[~again[free]]
        typical = wanted - len(found) if model is None else min(max(start, 0), wanted - len(found))
        if typical:
            rows = rest[classify.centres(self._batch.iloc[rest], typical, seed=self._seed)]
            found += [(row, START) for row in rows.tolist()]
            rest = np.setdiff1d(rest, rows)
        if len(found) < wanted and len(rest) and model is not None:
            chances = classify.score(model, self._batch.iloc[rest]).probabilities
            rows = rest[classify.doubtful(chances, wanted - len(found), seed=self._seed)]
            found += [(row, UNSURE) for row in rows.tolist()]
        return found

    def _different(
        self, chosen: Sequence[tuple[int, str]], found: Sequence[tuple[int, str]]
    ) -> list[tuple[int, str]]:
        """Return those found that are no copies of one another, of what is chosen already or labelled."""
        known = [*np.flatnonzero(self._labelled).tolist(), *(row for row, _ in chosen)]
        rows = [*known, *(row for row, _ in found)]
        others = np.setdiff1d(np.arange(len(self._batch)), rows)
        # How usual a phrase is cannot be told from a hundred records.
        extra = np.random.default_rng(self._seed).permutation(others)[: max(TOGETHER - len(rows), 0)]
        rows += np.sort(extra).tolist()
        names = dict(zip(rows, self._alike(self._batch.iloc[rows].reset_index(drop=True)), strict=True))
        taken = {names[row] for row in known}
        kept = []
        for row, why in found:
            if names[row] not in taken:
                taken.add(names[row])
                kept.append((row, why))
        return kept


def _asked(batch: pd.DataFrame, chosen: Sequence[tuple[int, str]]) -> pd.DataFrame:
    rows = batch.iloc[[row for row, _ in chosen]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "id": rows["id"],
            "title": rows["clean_title"],
            "description": rows["clean_description"],
            "unit": rows.get("unit", ""),
            "why": [why for _, why in chosen],
            "content": [content_hash(title, text) for title, text in _texts(rows, "title", "description")],
        },
        dtype="str",
    )


def _texts(batch: pd.DataFrame, *columns: str) -> list[tuple[str, str]]:
    first, second = (batch[name].tolist() for name in columns)
    return list(zip(first, second, strict=True))
