"""The exact join: which records share rare shingles, and how much.

A record's shingles weigh ``ln((N + 1) / df)``, N at least 1000: what stands in few records counts, what
stands in many is form text and counts for nothing. All shingles of all records are sorted once; then each
record meets, for each of its shingles, the first records that hold it.

Weights are whole numbers, `SCALE` to the natural logarithm: sums come out the same in whatever order and in
however many parts they are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.dedupe.shingles import HASH_BITS, Marks, ranges
from pipeline.errors import UsageError

F64 = NDArray[np.float64]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Mask = NDArray[np.bool_]

RECORD_BITS: Final = 64 - HASH_BITS
SCALE: Final = 1 << 18
"""What a natural logarithm of 1 is as a whole number: sums of 2^15 shingles still fit a double exactly."""
BIG_FILE: Final = 1000
"""Records a file is taken to stand for at least.

In a file of two copies and nothing else every shingle stands in all records and would weigh nothing: a small
file is weighed as part of an office's.
"""
_PAIRS: Final = 16384
BLOCK: Final = 1 << 23
WINDOW, SLICE = 1 << 18, 1 << 16
"""Postings looked at together: what is made of them stays in a processor's own memory."""
MEETINGS: Final = 1 << 17
"""Meetings counted together: twice as many counters stay in a processor's own memory."""
_STEP, _SPREAD = np.uint32(0x85EBCA6B), np.uint32(0x9E3779B1)
_LOW: Final = np.uint64((1 << RECORD_BITS) - 1)
_SHIFT: Final = np.uint64(RECORD_BITS)


@dataclass(frozen=True, slots=True)
class Frequencies:
    """In how many records shingles stand.

    ``hashes`` are sorted, ``counts`` belong to them. A shingle that is not among them stands in no record,
    or, in one that was counted, in that one alone.
    """

    records: int
    hashes: U64
    counts: I32

    def of(self, hashes: U64) -> I64:
        """Return the document frequency of each of ``hashes``, in any order; 0 where it is not known.

        >>> known = Frequencies(9, np.array([3, 8], dtype=np.uint64), np.array([2, 5], dtype=np.int32))
        >>> known.of(np.array([8, 4, 3], dtype=np.uint64)).tolist()
        [5, 0, 2]
        """
        if not len(self.hashes):
            return np.zeros(len(hashes), dtype=np.int64)
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[place] == hashes, self.counts[place], 0).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Table:
    """Records x shared shingles, rows in the order given.

    Attributes:
        held: Rows x the shingles that stand in 2 to ``limit`` records and are no form text; a cell is how
            many records hold the shingle before this one, at most ``holders``.
        first: The first holders of each of these shingles, one shingle after another.
        bounds: Where the first holders of each begin (shingles + 1).
        frequency: In how many records each stands.
        shingles: Which shingle each column is, sorted.
        counted: How many of a record's different shingles count.
        logs: The summed logarithms of the frequencies of a record's shingles that count, `SCALE` to one.
        form: The shingles that are form text, sorted.
        known: In how many records each shingle of two records or more stands, form text too.
    """

    held: csr_array
    first: I32
    bounds: I64
    frequency: I32
    shingles: U64
    counted: I64
    logs: I64
    form: U64
    known: Frequencies

    @property
    def whole(self) -> int:
        """The logarithm of one more than all records, `SCALE` to one: what a shingle of one record weighs."""
        return int(logarithm(np.array([max(self.known.records, BIG_FILE) + 1]))[0])

    @property
    def unit(self) -> float:
        """The weight of a shingle that stands in one record only."""
        return self.whole / SCALE

    @property
    def weight(self) -> F64:
        """The weight of all of a record's shingles outside form text."""
        return (self.counted * self.whole - self.logs) / SCALE

    @property
    def worth(self) -> F64:
        """The weight of each shingle, in whole numbers: `SCALE` to one."""
        return (self.whole - logarithm(self.frequency)).astype(np.float64)

    def base(self, later: I64, earlier: I64) -> F64:
        """Return what a pair's shared weight is a share of: the lighter record, or ten unique shingles.

        The floor keeps a very short text from looking copied for a few words.
        """
        weight = self.weight
        return np.maximum(np.minimum(weight[later], weight[earlier]), 10 * self.unit)

    def share(self, later: I64, earlier: I64) -> F64:
        """Return the weight of all that each pair has in common, as a share of `base` (0 to 1)."""
        worth, shared = self.worth, np.zeros(len(later))
        for start in range(0, len(later), _PAIRS):
            part = slice(start, start + _PAIRS)
            one, other = self.held[later[part]], self.held[earlier[part]]
            one.data, other.data = worth[one.indices], np.ones(other.nnz)
            shared[part] = one.multiply(other).sum(axis=1)
        share: F64 = shared / SCALE / self.base(later, earlier)
        return share


def logarithm(counts: NDArray[np.integer]) -> I64:
    """Return the natural logarithms of ``counts`` (1 or more) as whole numbers, `SCALE` to one."""
    logarithms: I64 = np.rint(np.log(counts) * SCALE).astype(np.int64)
    return logarithms


def form_limit(records: int, *, least: int, share: float) -> int:
    """Return in how many records a shingle may stand before it is form text.

    >>> form_limit(10_000, least=400, share=0.001), form_limit(2_000_000, least=400, share=0.001)
    (400, 2000)
    """
    return max(least, int(records * share))


class Postings:
    """The shingles of many texts, each with the number of its text, added a few thousand texts at a time.

    Numbers count from 0 in the order of adding. Nothing else of a text is kept but its digest and how many
    syllables it has: a million texts of 250 syllables take 2 GB.

    >>> from pipeline.dedupe.shingles import fingerprint
    >>> found = Postings()
    >>> found.add(fingerprint(["cải tiến máy ép nhựa", "máy"]))
    >>> found.add(fingerprint(["cai tien may ep nhua"]))
    >>> len(found), found.first_of_equals(least=4).tolist()
    (3, [0, 1, 0])
    """

    def __init__(self) -> None:
        self.keys: list[U64] = []
        self._free = 0
        self._digests: list[U64] = []
        self._syllables: list[I64] = []

    def __len__(self) -> int:
        return sum(map(len, self._syllables))

    def add(self, marks: Marks) -> None:
        """Add the shingles of some texts."""
        start = len(self)
        refuse_too_many(start + len(marks))
        keys = marks.shingles << _SHIFT
        keys |= np.repeat(np.arange(start, start + len(marks), dtype=np.uint64), np.diff(marks.bounds))
        while len(keys):
            if not self._free:
                # Blocks this large go back to the system when they are let go.
                self.keys.append(np.empty(BLOCK, dtype=np.uint64))
                self._free = BLOCK
            part, keys = keys[: self._free], keys[self._free :]
            used = BLOCK - self._free
            self.keys[-1][used : used + len(part)] = part
            self._free -= len(part)
        self._digests.append(marks.digests)
        self._syllables.append(np.diff(marks.starts))

    def first_of_equals(self, *, least: int, order: I64 | None = None) -> I64:
        """Return for each text the first one (in ``order``) that folds to the same syllables.

        A text of fewer than ``least`` syllables is only itself.
        """
        return first_of_equals(self.digests(), self.syllables() >= least, order)

    def digests(self) -> U64:
        """Return the digests of the texts (`shingles.Marks`)."""
        return np.concatenate([np.zeros((0, 2), np.uint64), *self._digests])

    def syllables(self) -> I64:
        """Return how many syllables each text has."""
        return np.concatenate([np.zeros(0, np.int64), *self._syllables])

    def taken(self, rank: NDArray[np.uint32], count: int) -> U64:
        """Return all postings with ranks in place of numbers, sorted; those of rank ``count`` are left out.

        The postings are used up: at a million texts they must not be in memory twice.
        """
        keys = np.empty(sum(map(len, self.keys)) - self._free, dtype=np.uint64)
        used, free = 0, self._free
        while self.keys:
            block = self.keys.pop()
            block, free = block[: len(block) - free], 0
            for start in range(0, len(block), SLICE):
                part = block[start : start + SLICE]
                row = rank[(part & _LOW).view(np.int64)]
                part = (part & ~_LOW) | row
                if count < len(rank):
                    part = part[row < count]
                keys[used : used + len(part)] = part
                used += len(part)
        self._free = 0
        keys = keys[:used]
        keys.sort()
        return keys


def first_of_equals(digests: U64, comparable: Mask, order: I64 | None = None) -> I64:
    """Return for each text the first one (in ``order``) with its digest; itself where not ``comparable``.

    >>> digests = np.array([[1, 2], [3, 4], [1, 2], [3, 4]], dtype=np.uint64)
    >>> first_of_equals(digests, np.array([True, True, True, False])).tolist()
    [0, 1, 0, 3]
    """
    rows = np.arange(len(digests))
    place = rows if order is None else np.argsort(order)
    first = rows.copy()
    by = np.lexsort((place, digests[:, 1], digests[:, 0]))
    by = by[comparable[by]]
    if len(by):
        ordered = digests[by]
        new = np.concatenate(([True], (ordered[1:] != ordered[:-1]).any(axis=1)))
        first[by] = by[np.flatnonzero(new)][np.cumsum(new) - 1]
    return first


def table(marks: Marks, order: I64, *, limit: int, holders: int, form: U64) -> Table:
    """Return the weights of the texts' shingles, with row ``r`` for text ``order[r]``.

    Args:
        marks: The shingles of all texts.
        order: Which text comes r-th, earliest first: ``holders`` keeps the earliest.
        limit: Document frequency above which a shingle is form text.
        holders: How many first holders of a shingle others are compared with, 127 at most.
        form: Shingles that are form text whatever their frequency, sorted.
    """
    postings = Postings()
    postings.add(marks)
    return table_of(postings, order, limit=limit, holders=holders, form=form)


def table_of(postings: Postings, order: I64, *, limit: int, holders: int, form: U64) -> Table:
    """Return the same for texts added part by part; the postings are used up."""
    count = len(order)
    rank = np.full(len(postings), count, dtype=np.uint32)  # texts left out of `order` are cut
    rank[order] = np.arange(count, dtype=np.uint32)
    keys = postings.taken(rank, count)
    parts = [_runs(window, limit=limit, holders=holders, form=form) for window in _windows(keys)]
    del keys  # before as much again is made of the parts
    return _assembled(parts, count, holders, form)


def table_of_sorted(keys: U64, records: int, *, limit: int, holders: int, form: U64) -> Table:
    """Return the same from sorted postings, a shingle and in the low bits a row."""
    parts = [_runs(window, limit=limit, holders=holders, form=form) for window in _windows(keys)]
    return _assembled(parts, records, holders, form)


def refuse_too_many(count: int) -> None:
    """Raise UsageError where ``count`` records are more than a posting can tell apart."""
    if count >= 1 << RECORD_BITS:
        raise UsageError(
            "{count} records are more than one run can hold ({limit}): split the archive.",
            count=count,
            limit=(1 << RECORD_BITS) - 1,
        )


def _windows(keys: U64) -> Iterator[U64]:
    """Yield sorted postings, a few million at a time, all of a shingle together."""
    start = 0
    while start < len(keys):
        stop = start + WINDOW
        if stop < len(keys):
            border = keys[stop] & ~_LOW
            stop = max(int(np.searchsorted(keys, border)), start)
            if stop == start:  # one shingle fills the window
                stop = int(np.searchsorted(keys, border | _LOW, side="right"))
        yield keys[start:stop]
        start = stop


@dataclass(slots=True)
class _Part:
    """What is made of a window of postings: shingles that count, with their rows, and what else there was.

    ``rows`` and ``before`` have a value for each posting of ``shingles``, one shingle after another;
    ``alone`` are the rows of shingles that stand once.
    """

    shingles: U64
    sizes: I32
    rows: I32
    before: NDArray[np.int8]
    first: I32
    alone: I32
    form: U64
    known: U64
    counts: I32

    def take(self, name: str) -> NDArray[Any]:
        """Return a field and leave nothing in its place."""
        values: NDArray[Any] = getattr(self, name)
        setattr(self, name, values[:0].copy())
        return values

    def logs(self, count: int) -> I64:
        """Return what the logarithms of the frequencies add up to in each of ``count`` rows."""
        logs = np.repeat(logarithm(self.sizes), self.sizes)
        return np.bincount(self.rows, weights=logs, minlength=count).astype(np.int64)


def _runs(keys: U64, *, limit: int, holders: int, form: U64) -> _Part:
    keys = keys[begins(keys)]  # a record that repeats a shingle holds it once
    hashes, rows = keys >> _SHIFT, (keys & _LOW).astype(np.int32)
    starts = np.flatnonzero(begins(hashes))
    sizes = np.diff(np.append(starts, len(keys)))
    hashes = hashes[starts]
    known = sizes > 1
    told = np.zeros(len(hashes), dtype=bool)
    told[_places(hashes, form)] = True
    counts = known & ~told & (sizes <= limit)
    members = rows[np.repeat(counts, sizes)]
    kept = sizes[counts]
    before = np.arange(len(members)) - np.repeat(np.cumsum(kept) - kept, kept)
    # A shingle's last record is nobody's earlier one.
    early = before < np.repeat(np.minimum(kept - 1, holders), kept)
    return _Part(
        hashes[counts],
        kept.astype(np.int32),
        members,
        np.minimum(before, holders).astype(np.int8),
        members[early],
        rows[starts[~known & ~told]],
        hashes[known & (sizes > limit)],
        hashes[known],
        sizes[known].astype(np.int32),
    )


def _assembled(parts: list[_Part], records: int, holders: int, form: U64) -> Table:
    alone, logs = np.zeros(records, dtype=np.int64), np.zeros(records, dtype=np.int64)
    for part in parts:
        alone += np.bincount(part.alone, minlength=records)
        logs += part.logs(records)
    sizes = _all(parts, "sizes", np.int32)
    first, shingles = _all(parts, "first", np.int32), _all(parts, "shingles", np.uint64)
    ignored = _all(parts, "form", np.uint64)
    known = Frequencies(records, _all(parts, "known", np.uint64), _all(parts, "counts", np.int32))
    before, rows = _all(parts, "before", np.int8), _all(parts, "rows", np.int32)
    parts.clear()
    bounds = np.concatenate(([0], np.cumsum(np.minimum(sizes - 1, holders), dtype=np.int64)))
    # Rows stand sorted in each shingle: the transpose is already compressed.
    ends = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    if ends[-1] <= np.iinfo(np.int32).max:
        ends = ends.astype(np.int32)  # or all of `rows` would be copied as 64 bits
    held = csr_array((before, rows, ends), shape=(len(sizes), records)).T.tocsr()
    return Table(
        held=held,
        first=first,
        bounds=bounds,
        frequency=sizes,
        shingles=shingles,
        counted=alone + np.diff(held.indptr),
        logs=logs,
        form=np.union1d(ignored, form),
        known=known,
    )


def _all(parts: Sequence[_Part], name: str, kind: type[np.generic]) -> Any:
    """Return one field of all parts, taken out of them: what is joined need not be in memory twice."""
    return np.concatenate([np.zeros(0, kind), *(part.take(name) for part in parts)])


def _places(ordered: U64, wanted: U64) -> I64:
    """Return where in ``ordered`` those of ``wanted`` stand that do stand there (the first place of each)."""
    places = np.searchsorted(ordered, wanted)
    inside = places < len(ordered)
    places, wanted = places[inside], wanted[inside]
    found: I64 = places[ordered[places] == wanted]
    return found


def begins(ordered: U64) -> Mask:
    """Return which of sorted values differ from the one before.

    >>> begins(np.array([3, 3, 7], dtype=np.uint64)).tolist()
    [True, False, True]
    """
    new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return new


def candidates(found: Table, fresh: Mask, *, score: float, shared: int, most: int) -> tuple[I64, I64]:
    """Return the pairs ``(later row, earlier row)`` worth a look, one of them fresh, sorted.

    A pair is kept when it shares at least ``shared`` shingles, whose weight is at least ``score`` of
    `Table.base`; of a later record the ``most`` best earlier ones, ties to the earlier row.

    Args:
        found: The weights; rows in order of filing.
        fresh: Which rows are new: pairs inside the archive are nobody's question.
        score: Least share of weight, 0 to 1.
        shared: Least number of shared shingles.
        most: Most pairs of one later row.
    """
    worth, unit = found.worth, 10 * found.unit * SCALE
    weight = found.counted * found.whole - found.logs
    later, earlier = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for meetings in _meetings(found, fresh):
        one, other, scored = meetings.often(shared, worth)
        share = scored / np.maximum(np.minimum(weight[one], weight[other]), unit)
        kept = share >= score
        one, other, share = one[kept], other[kept], share[kept]
        by = np.lexsort((other, -share, one))
        one, other = one[by], other[by]
        kept = np.arange(len(one)) - np.searchsorted(one, one) < most
        later.append(one[kept])
        earlier.append(other[kept])
    one, other = np.concatenate(later), np.concatenate(earlier)
    by = np.lexsort((other, one))
    return one[by], other[by]


@dataclass(frozen=True, slots=True)
class _Meetings:
    """Rows that meet earlier ones, each once for each shingle they share.

    ``rows`` meet, posting by posting: ``owner`` is the place in ``rows``, ``shingles`` the shingle, ``times``
    how many it meets there, the postings with the most first. ``met`` are those, posting after posting.
    """

    rows: I64
    owner: I64
    shingles: I32
    times: I64
    met: I32

    def often(self, shared: int, worth: F64) -> tuple[I64, I64, F64]:
        """Return who meets whom at least ``shared`` times, and the summed worth of the shingles."""
        # Nearly all meet once or twice. Counters that several pairs may share tell which can be left out
        # before anything is sorted; what they let through is counted exactly.
        counter = self._counters()
        often = np.flatnonzero(np.bincount(counter)[counter] >= shared)
        posting = np.searchsorted(np.cumsum(self.times), often, side="right")
        earlier, owner = self.met[often].astype(np.int64), self.owner[posting]
        before = earlier < self.rows[owner]
        pair = ((owner << RECORD_BITS) | earlier)[before]
        by = np.argsort(pair, kind="stable")
        pair, posting = pair[by], posting[before][by]
        starts = np.flatnonzero(begins(pair.view(np.uint64)))
        times = np.diff(np.append(starts, len(pair)))
        scored = np.add.reduceat(worth[self.shingles[posting]], starts) if len(starts) else np.zeros(0)
        kept = times >= shared
        pair = pair[starts[kept]]
        return self.rows[pair >> RECORD_BITS], pair & int(_LOW), scored[kept]

    def _counters(self) -> NDArray[np.intp]:
        """Return which counter each meeting is counted by, twice as many as meetings; the same for a pair."""
        counter = self.met.view(np.uint32) * _SPREAD
        own = self.owner.astype(np.uint32) * _STEP
        # Most postings meet as many as there may be: for them no list of repetitions is made.
        most = int(self.times.max(initial=1))
        full = int(np.searchsorted(-self.times, -most, side="right"))
        table = counter[: full * most].reshape(full, most)
        table += own[:full, None]
        counter[full * most :] += np.repeat(own[full:], self.times[full:])
        counter >>= np.uint32(max(31 - len(counter).bit_length(), 1))
        return counter.astype(np.intp)


def _meetings(found: Table, fresh: Mask) -> Iterator[_Meetings]:
    """Yield who meets whom. Fresh rows meet everybody, archived ones only the fresh filed before them."""
    if fresh.any():
        yield from _meeting(found.held, np.flatnonzero(fresh), found.first, found.bounds, found.held.data)
    if not fresh.all():
        new = fresh[found.first]
        bounds = np.concatenate(([0], np.cumsum(new)))[found.bounds]
        times = np.diff(bounds)[found.held.indices]
        rows = np.flatnonzero(~fresh)
        rows = rows[rows > int(fresh.argmax())] if fresh.any() else rows[:0]
        yield from _meeting(found.held, rows, found.first[new], bounds, times)


def _meeting(
    held: csr_array, rows: I64, first: I32, bounds: I64, times: NDArray[np.integer]
) -> Iterator[_Meetings]:
    """Yield the meetings of ``rows``, each with the first ``times`` of ``first`` for each of its postings."""
    sums = np.concatenate(([0], np.cumsum(times, dtype=np.int64)))
    total = np.cumsum(sums[held.indptr[rows + 1]] - sums[held.indptr[rows]])
    start = 0
    while start < len(rows):
        done = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, done + MEETINGS, side="right")), start + 1)
        part = rows[start:stop]
        start = stop
        sizes = held.indptr[part + 1] - held.indptr[part]
        place = ranges(held.indptr[part].astype(np.int64), sizes.astype(np.int64))
        each = times[place].astype(np.int64)
        meets = np.flatnonzero(each)
        most = int(each.max(initial=0))
        full = each[meets] == most
        meets = np.concatenate((meets[full], meets[~full]))
        owner = np.repeat(np.arange(len(part)), sizes)[meets]
        shingles, each = held.indices[place[meets]], each[meets]
        begin = bounds[shingles]
        regular = int(full.sum())
        place = (begin[:regular, None] + np.arange(most)).ravel()
        place = np.concatenate((place, ranges(begin[regular:], each[regular:])))
        yield _Meetings(part, owner, shingles, each, first[place])
