"""The account of a run: what was read of each file, where ids meet, and the accepted rows batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from pipeline.errors import Note
from pipeline.read import ids
from pipeline.read.faults import Fault, Row, UnreadableError, raw_text
from pipeline.read.judge import Verdicts
from pipeline.read.parts import place_of
from pipeline.read.spool import Spool
from pipeline.records import CANONICAL, ORIGIN, Quarantined, Source, Table

_NUMBER, _RAW, _FLAGS = "\0row", "\0raw", "\0flags"
_SHOWN: Final = 3  # ids that only look alike, named in a note

U64 = NDArray[np.uint64]


@dataclass(slots=True)
class Part:
    """One table of a file: where it stands, how many rows were read, and what became of them."""

    sheet: str
    prefix: str
    table: Table
    read: int = 0
    blank: int = 0
    accepted: int = 0
    refused: list[tuple[Row, Fault]] = field(default_factory=list)
    batches: list[tuple[int, int]] = field(default_factory=list)
    extras: dict[str, None] = field(default_factory=dict)

    def keep(self, spool: Spool, verdicts: Verdicts) -> None:
        """Put accepted rows into the spool: their cells, and where each stood and what it was."""
        self.extras |= dict.fromkeys(name for name in verdicts.columns if name not in CANONICAL)
        rows = verdicts.rows
        kept: Mapping[str, list[Any]] = {
            **verdicts.columns,
            _NUMBER: [str(row.number) for row in rows],
            _RAW: [row.raw for row in rows],
            _FLAGS: [" ".join(sorted(flags)) for flags in verdicts.flags],
        }
        self.batches.append((spool.put(kept), len(rows)))
        self.accepted += len(rows)


@dataclass(slots=True)
class File:
    """One file on the way: its tables, or why it cannot be read."""

    name: str
    sha256: str = ""
    kind: str = ""
    parts: list[Part] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    failure: UnreadableError | None = None

    def say(self, template: str, **values: object) -> None:
        """Add a note; the value ``file`` is this file's name if none is given."""
        self.notes.append(Note(template, {"file": self.name, **values}))

    def tell(self, notes: Iterable[Note]) -> None:
        """Add notes that do not know the name of the file."""
        for note in notes:
            self.notes.append(replace(note, values={"file": self.name, **note.values}))  # noqa: PD011 - no frame


class Ledger:
    """A few numbers for each accepted row: hashes of its id and of how that looks, and what makes an id.

    Two ids have one hash once in a million runs of five million rows; rows that seem to have one id are
    therefore looked at again.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[U64, U64, U64]] = []
        self.like_made = False

    def add(self, columns: Mapping[str, list[str]]) -> None:
        """Note the next accepted rows, given by column."""
        names = columns["id"]
        nameless = [place for place, name in enumerate(names) if not name]
        named, looks = _hashed(names), _hashed([ids.alike(name) for name in names])
        made = np.zeros(len(names), dtype=np.uint64)
        if nameless:
            named[nameless] = 0
            made[nameless] = [
                ids.digest(ids.content_of(columns[name][place] for name in ids.CONTENT)) for place in nameless
            ]
        self.like_made = self.like_made or any(name.startswith("SK-") for name in names)
        self._runs.append((named, looks, made))

    def forget(self, count: int) -> None:
        """Strike the last ``count`` rows out: they belong to a file that failed."""
        while count > 0:
            count -= len(self._runs.pop()[0])

    def columns(self) -> tuple[U64, U64, U64]:
        """Return the hashes of the ids (0: none was given), of their looks, and the numbers for made ones."""
        none = np.zeros(0, dtype=np.uint64)
        named, looks, made = (
            (np.concatenate([none, *column]) for column in zip(*self._runs, strict=True))
            if self._runs
            else (none, none, none)
        )
        self._runs = []
        return named, looks, made


def _hashed(cells: Sequence[str]) -> U64:
    values = np.empty(len(cells), dtype=object)
    values[:] = cells
    found: U64 = pd.util.hash_array(values, categorize=False)
    return found


class _Run(NamedTuple):
    """Accepted rows in the spool, and the position of the first among all."""

    file: File
    part: Part
    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """An accepted row that is looked at again."""

    position: int
    run: _Run
    row: Row
    id: str
    content: tuple[str, ...]


class Stream:
    """The initiatives of a run, batch by batch, and the account of every row; see `Reading`.

    ``quarantine`` and ``sources`` are complete from the start.
    """

    def __init__(self, spool: Spool, files: Sequence[File], ledger: Ledger) -> None:
        self._spool = spool
        self._runs: list[_Run] = []
        for file in files:
            for part in file.parts:
                for number, length in part.batches:
                    start = self._runs[-1].end if self._runs else 0
                    self._runs.append(_Run(file, part, number, start, start + length))
        self._extras = tuple(dict.fromkeys(name for run in self._runs for name in run.part.extras))
        named, looks, self._made = ledger.columns()
        self._nameless = named == 0
        self._dropped = np.zeros(len(named), dtype=bool)
        self._refuse(named)
        self._times = self._numbered(named, check=ledger.like_made)
        self._warn(named, looks)
        self.quarantine = tuple(_quarantine(files))
        self.sources = tuple(self._source(file) for file in files)

    def __enter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the rows."""
        self._spool.close()

    @property
    def totals(self) -> dict[str, int]:
        """Return ``read``, ``accepted``, ``quarantined`` and ``blank`` rows of all files together."""
        return totals(self.sources)

    def batches(self) -> Iterator[pd.DataFrame]:
        """Yield the accepted rows in the order of the input, a run at a time, all columns alike."""
        for run in self._runs:
            batch = self._batch(run)
            if len(batch):
                yield batch

    def batch(self) -> pd.DataFrame:
        """Return all accepted rows as one batch."""
        found = list(self.batches())
        if not found:
            names = (*CANONICAL, *self._extras, *ORIGIN, "flags")
            return pd.DataFrame({name: [] for name in names}, dtype="str")
        return found[0] if len(found) == 1 else pd.concat(found, ignore_index=True)

    def _batch(self, run: _Run) -> pd.DataFrame:
        table = self._spool.take(run.number)
        own = ~self._dropped[run.start : run.end]
        if not own.all():
            table = table.filter(pa.array(own))
        nameless = self._nameless[run.start : run.end][own]
        names, flags = table.column("id").to_pylist(), table.column(_FLAGS).to_pylist()
        for place in np.flatnonzero(nameless).tolist():
            at = run.start + np.flatnonzero(own)[place] if not own.all() else run.start + place
            names[place] = ids.named(int(self._made[at]), int(self._times[at]))
            flags[place] = " ".join(sorted({*flags[place].split(), "id_made"}))
        rows = table.num_rows
        source_row = compute.binary_join_element_wise(
            pa.scalar(run.part.prefix, pa.large_string()),
            table.column(_NUMBER),
            pa.scalar("", pa.large_string()),
        )
        found = {name: table.column(name) for name in table.column_names}
        found |= {
            "id": pa.array(names, pa.large_string()),
            ORIGIN[0]: pa.array([run.file.name] * rows, pa.large_string()),
            ORIGIN[1]: source_row,
            "flags": pa.array(flags, pa.large_string()),
        }
        nothing = pa.array([""] * rows, pa.large_string())
        names = (*CANONICAL, *self._extras, *ORIGIN, "flags")
        return pd.DataFrame({name: _series(found.get(name, nothing)) for name in names}, copy=False)

    def _refuse(self, named: U64) -> None:
        """Refuse the rows whose id stood before: with the same content, or all of them with other content."""
        seen = self._seen(_repeated(named))
        verdicts = ids.repeated([each.id for each in seen], [each.content for each in seen])
        for place, earlier in verdicts.items():
            each = seen[place]
            if earlier is None:
                fault = Fault("E-ID-CONFLICT", {"id": each.id})
            else:
                first = seen[earlier]
                where = place_of(first.run.file.name, first.run.part.sheet)
                values = {"id": each.id, "first_file": where, "first_row": first.row.number}
                fault = Fault("E-ID-DUPLICATE", values)
            each.run.part.refused.append((each.row, fault))
            each.run.part.accepted -= 1
            self._dropped[each.position] = True

    def _seen(self, positions: NDArray[np.int64]) -> list[_Seen]:
        """Return the accepted rows at ``positions`` (ascending)."""
        found: list[_Seen] = []
        for run in self._runs:
            here = positions[np.searchsorted(positions, run.start) : np.searchsorted(positions, run.end)]
            if not len(here):
                continue
            table = self._spool.take(run.number).take(pa.array(here - run.start))
            columns = [table.column(name).to_pylist() for name in ("id", _NUMBER, _RAW, *ids.CONTENT)]
            for position, name, number, raw, *content in zip(here.tolist(), *columns, strict=True):
                found.append(_Seen(position, run, Row(int(number), [], raw), name, ids.content_of(content)))
        return found

    def _numbered(self, named: U64, *, check: bool) -> NDArray[np.int64]:
        """Return for each row how often its content stood before, passing over ids that were given."""
        places = np.flatnonzero(self._nameless)
        found = np.zeros(len(named), dtype=np.int64)
        found[places] = ids.times(self._made[places])
        if not check or not len(places):
            return found
        given = set(named.tolist())

        def taken(number: int, time: int) -> bool:
            return int(_hashed([ids.named(number, time)])[0]) in given

        following: dict[int, int] = {}
        for place, number in zip(places.tolist(), self._made[places].tolist(), strict=True):
            time = following.get(number, 0)
            while taken(number, time):
                time += 1
            found[place] = time
            following[number] = time + 1
        return found

    def _warn(self, named: U64, looks: U64) -> None:
        """Tell of ids that only look alike: they are different ones, which is hardly meant."""
        order = np.argsort(looks, kind="stable")
        order = order[~(self._nameless | self._dropped)[order]]
        alike = (looks[order][1:] == looks[order][:-1]) & (named[order][1:] != named[order][:-1])
        pairs = np.flatnonzero(alike)
        if not len(pairs):
            return
        shown = np.unique(np.concatenate([order[pairs[:_SHOWN]], order[pairs[:_SHOWN] + 1]]))
        seen = self._seen(shown)
        file = seen[0].run.file
        file.say(
            "{file}: {count} ids differ from another only in case, spaces or look-alike letters ({found}). "
            "They are kept as different ids; correct them if they are one.",
            count=len(pairs),
            found=", ".join(f'"{each.id}"' for each in seen),
        )

    def _source(self, file: File) -> Source:
        found = Source(
            file=file.name,
            sha256=file.sha256,
            kind=file.kind,
            read=sum(part.read for part in file.parts),
            accepted=sum(part.accepted for part in file.parts),
            quarantined=sum(len(part.refused) for part in file.parts),
            blank=sum(part.blank for part in file.parts),
            columns=file.columns,
            notes=tuple(file.notes),
            tables=tuple(part.table for part in file.parts),
        )
        # What was read was counted where rows are cut, the rest where they are sorted: they must agree.
        assert found.read == found.accepted + found.quarantined + found.blank, file.name
        return found


def totals(sources: Sequence[Source]) -> dict[str, int]:
    """Return ``read``, ``accepted``, ``quarantined`` and ``blank`` rows of ``sources`` together."""
    kinds = ("read", "accepted", "quarantined", "blank")
    return {kind: sum(getattr(source, kind) for source in sources) for kind in kinds}


def _repeated(named: U64) -> NDArray[np.int64]:
    """Return the positions of hashes that stand more than once, ascending; 0 is none."""
    order = np.argsort(named, kind="stable")
    ordered = named[order]
    same = (ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)
    found = np.zeros(len(named), dtype=bool)
    found[1:] |= same
    found[:-1] |= same
    return np.sort(order[found])


def _quarantine(files: Sequence[File]) -> Iterator[Quarantined]:
    for file in files:
        if file.failure:
            yield Quarantined(file.name, "", 0, "", file.failure.code, file.failure.note(file.name), "")
        for part in file.parts:
            place = place_of(file.name, part.sheet)
            for row, fault in sorted(part.refused, key=lambda refused: refused[0].number):
                column = str(fault.details.get("column", ""))
                note = fault.note(place, row.number)
                yield Quarantined(
                    file.name, part.sheet, row.number, column, fault.code, note, raw_text(row.raw)
                )


def _series(column: pa.Array | pa.ChunkedArray) -> pd.Series[str]:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pd.Series(whole, dtype="str")
