"""The archive as numbers that stay on disk: which archived texts a new batch must be compared with.

The join sorts the shingles of all records; of an archive that work is done once. `Holdings` are its sorted
postings, in a few segments that are only ever written whole, and what each text weighs. A new batch looks up
its own shingles, and gives exactly the pairs that one join over archive and batch would.

Records whose texts fold to the same syllables share one text: it has a number and its postings once. Nothing
here opens a file: segments may be arrays in memory or mapped from a disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.dedupe import join
from pipeline.dedupe.join import I32, I64, U64, Mask
from pipeline.dedupe.shingles import HASH_BITS, Marks, ranges

F64 = NDArray[np.float64]
Dates = NDArray[np.bytes_]

_LOW: Final = np.uint64((1 << join.RECORD_BITS) - 1)
_SHIFT: Final = np.uint64(join.RECORD_BITS)
WINDOW: Final = 1 << 21
MANY: Final = 10
"""Of so many texts one new: all are weighed again, which takes longer than a few and less than many."""
_TIER: Final = 3
"""A segment less than this many times as large as the next is merged with it: a query looks into few."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """What the weights of an archive depend on beside its texts (`settings.Settings`)."""

    form_min: int = 400
    form_share: float = 0.001

    def limit(self, texts: int) -> int:
        """Return in how many of ``texts`` a shingle may stand before it is form text."""
        return join.form_limit(texts, least=self.form_min, share=self.form_share)


@dataclass(frozen=True, slots=True)
class Holdings:
    """An archive as numbers.

    Attributes:
        segments: Sorted postings (a shingle and, in the low bits, a text's number), each of a text once.
        digests: Texts x 2; zeros where a text was removed.
        comparable: Which texts are long enough to be the same as another.
        live: Which numbers still have a text.
        counted: How many of a text's shingles are no form text.
        logs: The summed logarithms of their frequencies (`join.Table`).
        common: The shingles in more texts than the limit, sorted.
        common_counts: In how many each stands.
        text: The text of each record; records stand by date, then id.
        dates: When each was filed, ISO, empty where nobody knows.
        ids: What each is called.
        knobs: What form text was taken to be.
    """

    segments: tuple[U64, ...]
    digests: U64
    comparable: Mask
    live: Mask
    counted: I64
    logs: I64
    common: U64
    common_counts: I64
    text: I32
    dates: Dates
    ids: tuple[str, ...]
    knobs: Knobs

    @property
    def texts(self) -> int:
        """How many different texts there are."""
        return int(self.live.sum())

    def frequencies(self, hashes: U64) -> I64:
        """Return in how many texts each of ``hashes`` (sorted) stands."""
        return _Places.of(self.segments, hashes).counts()


def nothing(knobs: Knobs) -> Holdings:
    """Return an archive without records."""
    none, zero = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    return Holdings(
        segments=(),
        digests=np.zeros((0, 2), np.uint64),
        comparable=np.zeros(0, bool),
        live=np.zeros(0, bool),
        counted=zero,
        logs=zero,
        common=none,
        common_counts=zero,
        text=np.zeros(0, np.int32),
        dates=np.zeros(0, "S10"),
        ids=(),
        knobs=knobs,
    )


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Records that come to an archive, or are compared with it.

    ``keys`` are the sorted postings of the texts that the archive does not have, each of a text once,
    numbered from the archive's next number on; ``text`` is the number of each record's text, old or new.
    """

    keys: U64
    text: I64
    digests: U64
    comparable: Mask


def arrivals(held: Holdings, found: join.Postings, *, least: int, ids: Sequence[str] = ()) -> Arrivals:
    """Return the texts of records that come to an archive; the postings are used up.

    Args:
        held: The archive.
        found: The shingles of the records.
        least: Syllables a text needs for being the same as another to mean anything.
        ids: What the records are called, where some may be in the archive already.
    """
    digests, comparable = found.digests(), found.syllables() >= least
    first = join.first_of_equals(digests, comparable)
    known = _same_text(held, digests)
    known[~comparable] = -1
    # A record that is there already is itself, however short.
    former = _former(held, ids)
    there = former >= 0
    there[there] = (held.digests[former[there]] == digests[np.flatnonzero(there)]).all(axis=1)
    known[: len(former)][there] = former[there]
    new = np.flatnonzero((first == np.arange(len(first))) & (known < 0))
    start = len(held.live)
    join.refuse_too_many(start + len(new))
    number = np.where(known >= 0, known, 0)
    number[new] = start + np.arange(len(new))
    number = np.where(known >= 0, known, number[first])
    rank = np.full(len(first), len(new), dtype=np.uint32)
    rank[new] = np.arange(len(new), dtype=np.uint32)
    keys = found.taken(rank, len(new))
    keys = keys[join.begins(keys)] if len(keys) else keys
    keys += np.uint64(start)
    return Arrivals(keys, number, digests[new], comparable[new])


def _former(held: Holdings, ids: Sequence[str]) -> I64:
    """Return the number of the text that each id stands for in the archive, -1 where it is not there."""
    wanted = set(ids)
    there = {name: place for place, name in enumerate(held.ids) if name in wanted} if wanted else {}
    places = np.array([there.get(name, -1) for name in ids], dtype=np.int64)
    return np.where(places >= 0, held.text[places] if len(held.text) else -1, -1).astype(np.int64)


def _same_text(held: Holdings, digests: U64) -> I64:
    """Return the number of the archive's text with each digest, -1 where there is none."""
    there = np.flatnonzero(held.live & held.comparable)
    there = there[np.isin(held.digests[there, 0], digests[:, 0])]
    by = {
        tuple(pair): number for pair, number in zip(held.digests[there].tolist(), there.tolist(), strict=True)
    }
    if not by:
        return np.full(len(digests), -1, dtype=np.int64)
    return np.array([by.get(tuple(pair), -1) for pair in digests.tolist()], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What texts weigh when others have come: the archive's and, behind them, the new."""

    counted: I64
    logs: I64
    common: U64
    common_counts: I64


def _weighed(held: Holdings, keys: U64, form: U64, limit: int) -> _Weighed:
    """Return the weights of the archive with the texts of ``keys``; ``form`` is form text beside the common.

    Only what changes is looked at: the new texts' shingles, the known form text, and what the higher limit
    lets in again.
    """
    numbers = int((keys & _LOW).max()) + 1 if len(keys) else 0
    size = max(len(held.live), numbers)
    counted, logs = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    counted[: len(held.live)], logs[: len(held.live)] = held.counted, held.logs
    former = held.knobs.limit(held.texts)
    again = held.common[held.common_counts <= limit]
    commons: list[tuple[U64, I64]] = []
    seen: list[U64] = []
    for hashes, new, members in _batches(keys, np.union1d(form, again)):
        places = _Places.of(held.segments, hashes)
        before = places.counts()
        after = before + new
        counts = (after <= limit) & ~np.isin(hashes, form)
        counted_before = (before > 0) & (before <= former)
        worth = np.where(counts, join.logarithm(np.maximum(after, 1)), 0)
        own = np.repeat(counts, new)
        counted += np.bincount(members, weights=own, minlength=size).astype(np.int64)
        logs += np.bincount(members, weights=np.repeat(worth, new), minlength=size).astype(np.int64)
        lost = np.where(counted_before, join.logarithm(np.maximum(before, 1)), 0)
        moved = (before > 0) & (counts | counted_before) & ((counts != counted_before) | (worth != lost))
        place, holders = places.holders(moved)
        step = counts.astype(np.int64) - counted_before
        counted += np.bincount(holders, weights=step[place], minlength=size).astype(np.int64)
        logs += np.bincount(holders, weights=(worth - lost)[place], minlength=size).astype(np.int64)
        commons.append((hashes[after > limit], after[after > limit]))
        seen.append(hashes)
    left = ~np.isin(held.common, np.concatenate([np.zeros(0, np.uint64), *seen]))
    hashes = np.concatenate([held.common[left], *(each for each, _ in commons)])
    many = np.concatenate([held.common_counts[left], *(each for _, each in commons)])
    by = np.argsort(hashes)
    return _Weighed(counted, logs, hashes[by], many[by])


def _batches(keys: U64, others: U64) -> Iterator[tuple[U64, I64, I64]]:
    """Yield shingles in order, how many texts of ``keys`` hold each, and these; ``others`` too if none do."""
    start = 0
    while start < len(keys) or start == 0:
        stop = min(start + WINDOW, len(keys))
        if stop < len(keys):
            border = keys[stop] & ~_LOW
            stop = int(np.searchsorted(keys, border))
            stop = stop if stop > start else int(np.searchsorted(keys, border | _LOW, side="right"))
        part = keys[start:stop]
        low = part[0] >> _SHIFT if start else np.uint64(0)
        high = keys[stop] >> _SHIFT if stop < len(keys) else np.uint64(1 << HASH_BITS)
        between = others[np.searchsorted(others, low) : np.searchsorted(others, high)]
        hashes, counts = np.unique(part >> _SHIFT, return_counts=True)
        every = np.union1d(hashes, between)
        new = np.zeros(len(every), dtype=np.int64)
        new[np.searchsorted(every, hashes)] = counts
        yield every, new, (part & _LOW).astype(np.int64)
        start = max(stop, 1)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the postings of some shingles begin and end in each of several segments."""

    segments: tuple[U64, ...]
    starts: I64
    stops: I64

    @classmethod
    def of(cls, segments: tuple[U64, ...], hashes: U64) -> Self:
        """Look up ``hashes``, which are sorted: each search goes on near where the last one ended."""
        shape = (len(segments), len(hashes))
        starts, stops = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, segment in enumerate(segments):
            starts[row] = np.searchsorted(segment, hashes << _SHIFT)
            stops[row] = np.searchsorted(segment, (hashes << _SHIFT) | _LOW, side="right")
        return cls(segments, starts, stops)

    def counts(self) -> I64:
        """Return in how many texts each shingle stands."""
        counts: I64 = (self.stops - self.starts).sum(axis=0)
        return counts

    def holders(self, wanted: Mask) -> tuple[I64, I64]:
        """Return the texts that hold a wanted shingle, and its place among all."""
        place = np.flatnonzero(wanted)
        places, texts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for segment, starts, stops in zip(self.segments, self.starts, self.stops, strict=True):
            sizes = stops[place] - starts[place]
            places.append(np.repeat(place, sizes))
            texts.append((segment[ranges(starts[place], sizes)] & _LOW).astype(np.int64))
        return np.concatenate(places), np.concatenate(texts)


def added(held: Holdings, arrived: Arrivals, ids: Sequence[str], dates: Sequence[str]) -> Holdings:
    """Return the archive with records added, their postings as a segment of their own behind the others.

    Args:
        held: The archive.
        arrived: What came, a text a record.
        ids: What the records are called, none of them in the archive.
        dates: When they were filed, ISO, or empty.
    """
    filing = np.array([each.encode() for each in dates], dtype="S10").reshape(-1)
    order = _in_order((*held.ids, *ids), np.concatenate((held.dates, filing)))
    many = len(arrived.digests)
    grown = replace(
        held,
        segments=(*held.segments, arrived.keys) if len(arrived.keys) else held.segments,
        digests=np.concatenate((held.digests, arrived.digests)),
        comparable=np.concatenate((held.comparable, arrived.comparable)),
        live=np.concatenate((held.live, np.ones(many, bool))),
        text=np.concatenate((held.text, arrived.text.astype(np.int32)))[order],
        dates=np.concatenate((held.dates, filing))[order],
        ids=tuple(np.array([*held.ids, *ids], dtype=object)[order].tolist()),
    )
    if many * MANY > held.texts:
        return reweighed(grown)
    weighed = _weighed(held, arrived.keys, np.zeros(0, np.uint64), held.knobs.limit(held.texts + many))
    # A text may have no shingle at all.
    missing = len(grown.live) - len(weighed.counted)
    return replace(
        grown,
        counted=np.pad(weighed.counted, (0, missing)),
        logs=np.pad(weighed.logs, (0, missing)),
        common=weighed.common,
        common_counts=weighed.common_counts,
    )


def _in_order(ids: Sequence[str], dates: Dates) -> I64:
    filed = dates.tolist()
    return np.array(sorted(range(len(ids)), key=lambda row: (filed[row], ids[row])), dtype=np.int64)


def removed(held: Holdings, ids: Iterable[str]) -> Holdings:
    """Return the archive without the records of these ids, and without texts that nobody else filed."""
    gone = set(ids)
    kept = np.array([name not in gone for name in held.ids], dtype=bool)
    text = held.text[kept]
    live = np.zeros(len(held.live), dtype=bool)
    live[text] = True
    dead = held.live & ~live
    segments = held.segments
    if dead.any():
        segments = tuple(_without(segment, dead) for segment in held.segments)
        segments = tuple(segment for segment in segments if len(segment))
    left = replace(
        held,
        segments=segments,
        digests=np.where(live[:, None], held.digests, np.uint64(0)),
        live=live,
        text=text,
        dates=held.dates[kept],
        ids=tuple(name for name in held.ids if name not in gone),
    )
    return reweighed(left) if dead.any() else left


def _without(segment: U64, dead: Mask) -> U64:
    """Return a segment without the postings of the dead texts: itself if it has none."""
    parts, changed = [], False
    for start in range(0, len(segment), WINDOW):
        part = np.asarray(segment[start : start + WINDOW])
        kept = ~dead[(part & _LOW).astype(np.int64)]
        changed |= not kept.all()
        parts.append(part[kept] if not kept.all() else part)
    return np.concatenate(parts) if changed else segment


def reweighed(held: Holdings) -> Holdings:
    """Return the archive with its weights computed again from all postings."""
    limit = held.knobs.limit(held.texts)
    counted = np.zeros(len(held.live), dtype=np.int64)
    logs = np.zeros(len(held.live), dtype=np.int64)
    commons = [(np.zeros(0, np.uint64), np.zeros(0, np.int64))]
    for window in merged(held.segments):
        starts = np.flatnonzero(join.begins(window >> _SHIFT))
        sizes = np.diff(np.append(starts, len(window)))
        hashes = window[starts] >> _SHIFT
        counts = sizes <= limit
        members = (window & _LOW).astype(np.int64)
        worth = np.where(counts, join.logarithm(sizes), 0)
        counted += np.bincount(members, np.repeat(counts, sizes), len(counted)).astype(np.int64)
        logs += np.bincount(members, np.repeat(worth, sizes), len(logs)).astype(np.int64)
        commons.append((hashes[~counts], sizes[~counts]))
    return replace(
        held,
        counted=counted,
        logs=logs,
        common=np.concatenate([hashes for hashes, _ in commons]),
        common_counts=np.concatenate([sizes for _, sizes in commons]),
    )


def merged(segments: Sequence[U64]) -> Iterator[U64]:
    """Yield the postings of all segments in order, part by part, all of a shingle together."""
    total = sum(map(len, segments))
    steps = -(-total // WINDOW)
    for step in range(steps):
        low, high = ((part << HASH_BITS) // steps << join.RECORD_BITS for part in (step, step + 1))
        slices = []
        for segment in segments:
            start = int(np.searchsorted(segment, np.uint64(low)))
            stop = len(segment) if step + 1 == steps else int(np.searchsorted(segment, np.uint64(high)))
            slices.append(np.asarray(segment[start:stop]))
        window = np.concatenate(slices)
        if len(slices) > 1:
            window.sort(kind="stable")
        if len(window):
            yield window


def to_merge(sizes: Sequence[int]) -> int:
    """Return how many of the last segments should become one: 0, or 2 and more.

    >>> to_merge([900, 100]), to_merge([900, 400]), to_merge([900, 200, 100])
    (0, 2, 2)
    """
    count, total = 1, sizes[-1] if sizes else 0
    for size in reversed(sizes[:-1]):
        if size >= _TIER * total:
            break
        count, total = count + 1, total + size
    return count if count > 1 else 0


@dataclass(frozen=True, slots=True)
class Nearby:
    """What an archive has to do with a batch.

    Attributes:
        later: Of each candidate pair the later text's number.
        earlier: The earlier one's.
        text: The text of each new record, in the order given.
        records: Places in ``Holdings.ids`` of the archived records of these texts, in order.
        total: How many different texts archive and batch have together.
        form: The shingles in more of these than the limit, sorted.
    """

    later: I64
    earlier: I64
    text: I64
    records: I64
    total: int
    form: U64


@dataclass(frozen=True, slots=True)
class Ask:
    """What makes a candidate (`settings.Settings`)."""

    score: float = 0.08
    shared: int = 4
    exact: float = 0.1
    holders: int = 12
    most: int = 50


def nearby(  # noqa: PLR0913 - what the records are, by name
    held: Holdings,
    marks: Marks,
    dates: Sequence[str],
    form: U64,
    ask: Ask,
    *,
    least: int,
    ids: Sequence[str] = (),
) -> Nearby:
    """Return the pairs of texts, one of them new, that one join over archive and batch would give.

    Args:
        held: The archive.
        marks: The shingles of the new records, which stand by date, then id.
        dates: When they were filed, ISO, or empty.
        form: Shingles that are form text whatever their frequency, sorted.
        ask: What makes a candidate.
        least: Syllables a text needs for being the same as another to mean anything.
        ids: What they are called, where some may be in the archive already.
    """
    postings = join.Postings()
    postings.add(marks)
    arrived = arrivals(held, postings, least=least, ids=ids)
    size = len(held.live) + len(arrived.digests)
    total = held.texts + len(arrived.digests)
    limit = held.knobs.limit(total)
    weighed = _weighed(held, arrived.keys, form, limit)
    missing = size - len(weighed.counted)
    counted, logs = np.pad(weighed.counted, (0, missing)), np.pad(weighed.logs, (0, missing))
    order = line(held, arrived.text, dates, size)
    rank = np.empty(size, dtype=np.uint32)
    rank[order] = np.arange(size, dtype=np.uint32)
    hashes = np.unique(marks.shingles)
    places = _Places.of(held.segments, hashes)
    mine = np.searchsorted(hashes, arrived.keys >> _SHIFT)
    counts = places.counts() + np.bincount(mine, minlength=len(hashes))
    place, texts = places.holders(counts <= limit)
    old = (hashes[place] << _SHIFT) | rank[texts]
    new = (arrived.keys & ~_LOW) | rank[(arrived.keys & _LOW).astype(np.int64)]
    keys = np.concatenate((old, new[counts[mine] <= limit]))
    keys.sort()
    fresh = np.zeros(size, dtype=bool)
    fresh[rank[arrived.text]] = True
    found = join.table_of_sorted(
        _needed(keys, fresh, ask.holders), size, limit=limit, holders=ask.holders, form=form
    )
    found = replace(
        found,
        frequency=counts[np.searchsorted(hashes, found.shingles)].astype(np.int32),
        counted=counted[order],
        logs=logs[order],
        known=replace(found.known, records=total),
    )
    later, earlier = join.candidates(found, fresh, score=ask.score, shared=ask.shared, most=ask.most)
    # What a pair has in common counts also where the earlier one is no first holder.
    named = np.zeros(size, dtype=bool)
    named[later] = named[earlier] = True
    whole = join.table_of_sorted(
        keys[named[(keys & _LOW).astype(np.int64)]], size, limit=size, holders=1, form=form
    )
    frequency = counts[np.searchsorted(hashes, whole.shingles)].astype(np.int32)
    exact = replace(found, held=whole.held, frequency=frequency)
    kept = exact.share(later, earlier) >= ask.exact
    later, earlier = order[later[kept]], order[earlier[kept]]
    wanted = np.zeros(size, dtype=bool)
    wanted[later] = wanted[earlier] = wanted[arrived.text] = True
    return Nearby(later, earlier, arrived.text, np.flatnonzero(wanted[held.text]), total, weighed.common)


def _needed(keys: U64, fresh: Mask, holders: int) -> U64:
    """Return the sorted postings of a shingle's first holders, and of what stands behind the first new text.

    An archived text before all new ones meets none of them, and they meet it only as a first holder.
    """
    starts = np.flatnonzero(join.begins(keys >> _SHIFT))
    place = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
    first = int(fresh.argmax()) if fresh.any() else len(fresh)
    return keys[(place < holders) | ((keys & _LOW) >= first)]


def line(held: Holdings, text: I64, dates: Sequence[str], size: int) -> I64:
    """Return the numbers of all texts in the order of filing; of one day the archive comes first.

    Args:
        held: The archive.
        text: The text of each new record, which stand by date, then id.
        dates: When they were filed, ISO, or empty.
        size: How many numbers there are.
    """
    place = np.full(size, np.inf)
    filing = np.array([each.encode() for each in dates], dtype="S10").reshape(-1)
    # A new record stands before the first archived one of a later day.
    before = np.searchsorted(held.dates, filing, side="right") - 0.5
    place[text[::-1]] = before[::-1]
    known = np.full(size, np.inf)
    known[held.text[::-1]] = np.arange(len(held.text))[::-1]
    among = np.full(size, len(text), dtype=np.int64)
    among[text[::-1]] = np.arange(len(text))[::-1]
    return np.lexsort((among, np.minimum(place, known)))
