"""Files → batches of initiatives, and an account of every physical row on the way.

::

    file → parts: header and rows of raw cells → judge: accepted, refused, blank → spool
    all files → ids that meet → batches

Only a run of rows, and a few numbers for each accepted one, are held in memory.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd

from pipeline.errors import InputNotFound, Note, NoUsableRow, PermissionDenied, SangkienError, UsageError
from pipeline.read import headers, ids, parts
from pipeline.read.account import File, Ledger, Part, Stream, totals
from pipeline.read.faults import Row, UnreadableError
from pipeline.read.judge import Judge, Verdicts
from pipeline.read.meaning import understood
from pipeline.read.personal import Dropped, without_personal
from pipeline.read.spool import Spool
from pipeline.records import Quarantined, Source, Table

BATCH: Final = 10_000
"""Rows that are held at a time."""

_BATCH_BYTES: Final = 16 << 20
_SAID: Final = 5  # reasons named in one message; all of them are in the quarantine

Advance = Callable[[int], object]


@dataclass(frozen=True)
class Reading:
    """What the input files hold.

    ``batch`` has the columns `records.CANONICAL`, then the inputs' other columns under their own headers,
    `records.ORIGIN` and ``flags`` (``id_made``, ``bad_date``, ``hidden_row``: space-separated codes that
    `normalize` adds to). Cells are as submitted, but for ``id`` (stripped, NFC), ``submitted`` (ISO date or
    ``""``) and ``sector`` (``enterprise``, ``public`` or ``""``); a date or sector that was not understood
    stands in the column ``<header> (as submitted)``.

    ``quarantine`` has the rows that could not be read, in input order, and with row 0 the files and
    messages about whole files. ``sources`` has one entry a file; for each, and so in `totals`,
    ``read == accepted + quarantined + blank``, where only rows are counted.

    ``dropped`` says which personal data are not in the batch; ``quarantine`` holds its rows verbatim.
    """

    batch: pd.DataFrame
    quarantine: tuple[Quarantined, ...]
    sources: tuple[Source, ...]
    dropped: Dropped = field(default_factory=Dropped)

    def __post_init__(self) -> None:
        assert self.totals["accepted"] == len(self.batch)
        _balance(self.quarantine, self.sources)

    @property
    def totals(self) -> dict[str, int]:
        """Return ``read``, ``accepted``, ``quarantined`` and ``blank`` rows of all files together."""
        return totals(self.sources)

    @property
    def made_ids(self) -> frozenset[str]:
        """Return the ids that were made from the content because the table gave none."""
        made = self.batch["flags"].str.split().map(lambda flags: "id_made" in flags).astype(bool)
        return frozenset(self.batch.loc[made, "id"])


def _balance(quarantine: Sequence[Quarantined], sources: Sequence[Source]) -> None:
    """Assert that every row that was read has become one thing: what was read is counted by itself."""
    refused = Counter(row.file for row in quarantine if row.row > 0)
    assert sum(refused.values()) == sum(source.quarantined for source in sources)
    for source in sources:
        assert source.read == source.accepted + source.quarantined + source.blank, source.file


def tables(
    paths: Sequence[Path],
    *,
    aliases: headers.HeaderAliases | None = None,
    progress: Advance | None = None,
    personal: bool = False,
    encodings: Sequence[str] = (),
    fill: bool = False,
) -> Reading:
    r"""Return the initiatives in the files ``paths``, in their order, and an account of every row.

    Args:
        paths: CSV, TSV, XLSX, XLS, JSON or JSON Lines, or Parquet files, told apart by content, not by name.
        aliases: Which header means what; default: the table that is shipped.
        progress: Called with the number of bytes that were read since it was called last.
        personal: Whether personal data beside authors' names are kept (see `personal.without_personal`).
        encodings: Old encodings to look for beside the usual ones (`normalize.ON_REQUEST`).
        fill: Whether the text of cells merged down counts for each of their rows.

    Raises:
        UsageError: ``paths`` is empty.
        InputNotFound: A path is not there.
        PermissionDenied: The system refused every file.
        NoUsableRow: Not one row is an initiative; like the error before, its attribute ``reading`` holds
            the account.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_text("Mã số;Tên sáng kiến;Ngày nộp\n007;Máy gieo hạt;4/3/25\n", encoding="utf-8")
    ...     tables([path]).batch[["id", "title", "submitted"]].to_numpy().tolist()
    [['007', 'Máy gieo hạt', '2025-03-04']]
    """
    with stream(paths, aliases=aliases, progress=progress, fill=fill) as found:
        batch, sources = understood(found.batch(), found.sources, also=encodings)
        dropped = Dropped()
        if not personal:
            batch, dropped = without_personal(batch)
        reading = Reading(batch, found.quarantine, sources, dropped)
    if reading.batch.empty:
        raise _no_row(reading)
    return reading


def stream(
    paths: Sequence[Path],
    *,
    aliases: headers.HeaderAliases | None = None,
    progress: Advance | None = None,
    fill: bool = False,
) -> Stream:
    r"""Return what `tables` does, to be taken batch by batch: the memory needed does not grow with the texts.

    Its rows are as they stand in the files: what a column means as a whole, and which of it is personal, is
    only known at its end. Errors are those of `tables`, but that no row at all is none. Close it after use.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_text("title\nMáy gieo hạt\n", encoding="utf-8")
    ...     with stream([path]) as found:
    ...         [len(batch) for batch in found.batches()], found.totals["read"]
    ([1], 1)
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise UsageError("No input file was named. Name at least one table.")
    must_be_there(paths)
    table = aliases or headers.aliases()
    reader = Reader(table, progress or (lambda _bytes: None), fill=fill)
    try:
        for path, name in zip(paths, names_of(paths), strict=True):
            reader.read(path, name)
        return reader.settled()
    except BaseException:
        reader.spool.close()
        raise


def size(paths: Iterable[Path]) -> int:
    """Return how many bytes `tables` will tell its ``progress`` of."""
    return sum(path.stat().st_size for path in map(Path, paths) if path.is_file())


def must_be_there(paths: Sequence[Path]) -> None:
    """Raise InputNotFound for the first path that is not there."""
    for path in paths:
        if not os.path.lexists(path) or (path.is_symlink() and not _resolves(path)):
            raise InputNotFound("{path} is not there. Check the name.", path=str(path))


def _resolves(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True  # it is there; why it cannot be read is said when it is
    return True


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return the file names, lengthened by folders where two would be the same."""
    parts_of = [_shown(Path(os.path.abspath(path))).split("/") for path in paths]  # noqa: PTH100 - keeps symlinks' names
    depth = [1] * len(parts_of)
    while True:
        names = ["/".join(part[-count:]) for part, count in zip(parts_of, depth, strict=True)]
        # A file that is named twice has one name: no number of folders would tell the two apart.
        shared = Counter(
            name for name, _ in {(name, tuple(part)) for name, part in zip(names, parts_of, strict=True)}
        )
        longer = [
            min(count + 1, len(part)) if shared[name] > 1 else count
            for part, count, name in zip(parts_of, depth, names, strict=True)
        ]
        if longer == depth:
            return names
        depth = longer


def _shown(path: Path) -> str:
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


class Reader:
    """Goes through files, and keeps the accepted rows and a few numbers for each."""

    def __init__(self, table: headers.HeaderAliases, advance: Advance, *, fill: bool = False) -> None:
        self.table, self.fill = table, fill
        self.advance = advance
        self.files: list[File] = []
        self.first: dict[str, File] = {}
        self.spool = Spool()
        self.ledger = Ledger()

    def read(self, path: Path, name: str) -> None:
        """Read one file; why it cannot be read is kept, and the others go on."""
        file = File(name)
        self.files.append(file)
        if path.name.startswith("~$"):
            file.say("{file}: a lock file of a workbook open elsewhere was passed over.")
            return
        try:
            with parts.opened(path) as handle:
                self._open(file, parts.look(handle, name, path.suffix.lower()))
        except PermissionError:
            file.failure = UnreadableError("E-PERM")
        except OSError as error:
            file.failure = UnreadableError("E-IO", reason=error.strerror or type(error).__name__)
        except UnreadableError as error:
            file.failure = error
        if file.failure:
            self.ledger.forget(sum(part.accepted for part in file.parts))
            file.parts, file.columns = [], {}

    def _open(self, file: File, found: parts.Opened) -> None:
        file.sha256, file.kind, file.notes = found.sha256, found.kind, found.notes
        first = self.first.setdefault(found.sha256, file)
        if first is not file:
            raise UnreadableError("E-FILE-TWICE", first_file=first.name)
        found.fill = self.fill
        for part in found.parts(self.table, advance=self.advance):
            self.part(file, part)

    def part(self, file: File, found: parts.Part) -> None:
        """Read one table of a file."""
        place = parts.place_of(file.name, found.sheet)
        header = found.header
        part = Part(
            found.sheet, found.prefix, Table(found.sheet, header.cells, header.names, found.delimiter)
        )
        file.parts.append(part)
        judge = Judge(header, found.exact)
        for rows in _runs(found.rows):
            self._keep(part, judge.sort(rows))
        part.read = found.count()
        part.blank += found.passed()
        file.notes.extend(header.notes)
        file.tell(found.notes())
        file.columns |= {f"{found.prefix}{cell}": column for cell, column in header.columns.items()}
        if part.read == part.blank == 0:
            file.say("{file}: no row stands below the header.", file=place)

    def _keep(self, part: Part, verdicts: Verdicts) -> None:
        part.blank += verdicts.blank
        part.refused += verdicts.refused
        if not verdicts.rows:
            return
        columns = verdicts.columns
        columns["id"] = [ids.given(cell) for cell in columns["id"]]
        self.ledger.add(columns)
        part.keep(self.spool, verdicts)

    def settled(self) -> Stream:
        """Return the account of all files together: here the ids of the whole run meet."""
        return Stream(self.spool, self.files, self.ledger)


def _runs(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield the rows in runs that fit into memory, however long they are."""
    run: list[Row] = []
    length = 0
    for row in rows:
        run.append(row)
        length += len(row.raw)
        if len(run) >= BATCH or length >= _BATCH_BYTES:
            yield run
            run, length = [], 0
    if run:
        yield run


def _no_row(reading: Reading) -> SangkienError:
    reasons = [row.note for row in reading.quarantine][:_SAID]
    reasons += [note for source in reading.sources if not source.read for note in source.notes][:_SAID]
    reasons += [
        Note("{file}: no row stands below the header.", {"file": source.file})
        for source in reading.sources
        if 0 < source.read == source.blank
    ][:_SAID]
    if (more := len(reading.quarantine) - _SAID) > 0:
        reasons.append(Note("(+{count})", {"count": more}))
    error: SangkienError = NoUsableRow("No row could be used. {reasons}", reasons=tuple(reasons))
    if [row.code for row in reading.quarantine] == ["E-PERM"] * len(reading.sources):
        error = PermissionDenied("No file could be read. {reasons}", reasons=tuple(reasons))
    vars(error)["reading"] = reading
    return error
