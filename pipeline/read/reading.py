"""Files → one batch, and an account of every physical row on the way."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import pandas as pd
import pyarrow as pa

from pipeline.errors import InputNotFound, Note, NoUsableRow, UsageError
from pipeline.read import columnar, delimited, encoding, headers, ids, jsonlines, kinds, workbook
from pipeline.read.faults import Fault, Row, UnreadableError
from pipeline.read.judge import Accepted, Verdicts, judge
from pipeline.records import CANONICAL, ORIGIN, Quarantined, Source

_SAID: Final = 5  # reasons named in one message; all of them are in the quarantine


@dataclass(frozen=True)
class Reading:
    """What the input files hold.

    ``batch`` has the columns `records.CANONICAL`, then the inputs' other columns under their own headers,
    `records.ORIGIN` and ``flags`` (``id_made``, ``bad_date``: space-separated codes that `normalize` adds
    to). Cells are as submitted, but for ``id`` (stripped, NFC), ``submitted`` (ISO date or ``""``) and
    ``sector`` (``enterprise``, ``public`` or ``""``); a date or sector that was not understood stands in
    the column ``<header> (as submitted)``.

    ``quarantine`` has the rows that could not be read, in input order, and with row 0 the files and
    messages about whole files. ``sources`` has one entry a file; for each, and so in `totals`,
    ``read == accepted + quarantined + blank``, where only rows are counted.
    """

    batch: pd.DataFrame
    quarantine: tuple[Quarantined, ...]
    sources: tuple[Source, ...]

    def __post_init__(self) -> None:
        totals = self.totals
        assert totals["read"] == totals["accepted"] + totals["quarantined"] + totals["blank"]
        assert totals["accepted"] == len(self.batch)
        assert totals["quarantined"] == sum(row.row > 0 for row in self.quarantine)

    @property
    def totals(self) -> dict[str, int]:
        """Return ``read``, ``accepted``, ``quarantined`` and ``blank`` rows of all files together."""
        parts = ("read", "accepted", "quarantined", "blank")
        return {part: sum(getattr(source, part) for source in self.sources) for part in parts}

    @property
    def made_ids(self) -> frozenset[str]:
        """Return the ids that were made from the content because the table gave none."""
        made = self.batch["flags"].str.split().map(lambda flags: "id_made" in flags).astype(bool)
        return frozenset(self.batch.loc[made, "id"])


def tables(
    paths: Sequence[Path],
    *,
    aliases: headers.HeaderAliases | None = None,
    progress: Callable[[str], None] | None = None,
) -> Reading:
    r"""Return the initiatives in the files ``paths``, in their order, and an account of every row.

    Args:
        paths: CSV, TSV, XLSX, XLS, JSON Lines or Parquet files, told apart by content, not by name.
        aliases: Which header means what; default: the table that is shipped.
        progress: Called with the name of each file before it is read.

    Raises:
        UsageError: ``paths`` is empty.
        InputNotFound: A path is not there.
        NoUsableRow: Not one row is an initiative; its attribute ``reading`` holds the account.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_text("Mã số;Tên sáng kiến;Ngày nộp\n007;Máy gieo hạt;4/3/25\n", encoding="utf-8")
    ...     tables([path]).batch[["id", "title", "submitted"]].to_numpy().tolist()
    [['007', 'Máy gieo hạt', '2025-03-04']]
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise UsageError("No input file was named. Name at least one table.")
    must_be_there(paths)
    table = aliases or headers.aliases()
    seen: dict[str, _File] = {}
    files = []
    for path, name in zip(paths, names_of(paths), strict=True):
        if progress:
            progress(name)
        files.append(_file(path, name, table, seen))
    reading = _settle(files)
    if reading.batch.empty:
        raise _no_row(reading)
    return reading


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
    parts = [_shown(Path(os.path.abspath(path))).split("/") for path in paths]  # noqa: PTH100 - keeps symlinks' names
    depth = [1] * len(parts)
    while True:
        names = ["/".join(part[-count:]) for part, count in zip(parts, depth, strict=True)]
        # A file that is named twice has one name: no number of folders would tell the two apart.
        shared = Counter(
            name for name, _ in {(name, tuple(part)) for name, part in zip(names, parts, strict=True)}
        )
        longer = [
            min(count + 1, len(part)) if shared[name] > 1 else count
            for part, count, name in zip(parts, depth, names, strict=True)
        ]
        if longer == depth:
            return names
        depth = longer


def _shown(path: Path) -> str:
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


@dataclass(slots=True)
class _File:
    """One file on the way: its rows sheet by sheet, or why it cannot be read."""

    name: str
    sha256: str = ""
    kind: str = ""
    parts: list[_Part] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    failure: UnreadableError | None = None

    def say(self, template: str, **values: object) -> None:
        """Add a note; the value ``file`` is this file's name if none is given."""
        self.notes.append(Note(template, {"file": self.name, **values}))


@dataclass(slots=True)
class _Part:
    """One table of a file: the sheet it stands on, what `source_row` starts with, and its rows."""

    sheet: str
    prefix: str
    verdicts: Verdicts


def _file(path: Path, name: str, table: headers.HeaderAliases, seen: dict[str, _File]) -> _File:
    file = _File(name)
    try:
        if path.name.startswith("~$"):
            file.say("{file}: a lock file of a workbook open elsewhere was passed over.")
            return file
        with opened(path) as handle:
            data = handle.read()
            file.sha256 = hashlib.sha256(data).hexdigest()
            _only_once(file, seen, empty=not data)
            _read(file, handle, data, path.suffix.lower(), table)
    except PermissionError:
        file.failure = UnreadableError("E-PERM")
    except OSError as error:
        file.failure = UnreadableError("E-IO", reason=error.strerror or type(error).__name__)
    except UnreadableError as error:
        file.failure = error
    if file.failure:
        file.parts, file.columns = [], {}
    return file


def _only_once(file: _File, seen: dict[str, _File], *, empty: bool) -> None:
    first = seen.setdefault(file.sha256, file)
    if first is not file and not empty:
        raise UnreadableError("E-FILE-TWICE", first_file=first.name)


def opened(path: Path) -> IO[bytes]:
    """Return the file, open for reading.

    Raises:
        UnreadableError: ``E-TYPE``: it is a folder, pipe or device.
    """
    # A pipe or device would block or never end: the type is known before anything is opened.
    if not stat.S_ISREG(path.stat().st_mode):
        found = "a folder" if path.is_dir() else "a pipe or device"
        raise UnreadableError("E-TYPE", found=Note(found), advice=Note("Name the files themselves."))
    return path.open("rb")


def _read(file: _File, handle: IO[bytes], data: bytes, suffix: str, table: headers.HeaderAliases) -> None:
    kind = kinds.kind(data, suffix)
    file.kind = kind
    if suffix not in kinds.SUFFIXES[kind]:
        file.say(
            "{file}: was read as {kind}, which it is by its content, not by its name.", kind=kind.upper()
        )
    if kind in {"xlsx", "xls"}:
        _workbook(file, handle, data, table, checked=kind == "xlsx")
    elif kind == "parquet":
        names, rows = columnar.rows(data)
        _add(file, _Origin(), names, rows, table)
    else:
        text = encoding.utf8(data)
        if text.guessed and text.encoding != "UTF-8":
            file.say(
                "{file}: was read as {encoding}. Check the Vietnamese letters of a few rows.",
                encoding=text.encoding,
            )
        (_json_lines if kind == "jsonl" else _delimited)(file, text, table)


def _delimited(file: _File, text: encoding.Text, table: headers.HeaderAliases) -> None:
    layout = delimited.layout(text.data, table)
    _above(file, file.name, layout.skipped, layout.header_line)
    rows = delimited.rows(text.data, layout, encoding=text.encoding)
    _add(file, _Origin(exact=True), layout.head, rows, table)


def _json_lines(file: _File, text: encoding.Text, table: headers.HeaderAliases) -> None:
    keys, rows, surrogates = jsonlines.rows(text.data, encoding=text.encoding)
    if surrogates:
        file.say("{file}: {count} half characters were replaced by U+FFFD.", count=surrogates)
    if not any(row.fault or row.cells for row in rows):
        raise UnreadableError("E-EMPTY")
    _add(file, _Origin(), keys, rows, table)


def _workbook(
    file: _File, handle: IO[bytes], data: bytes, table: headers.HeaderAliases, *, checked: bool
) -> None:
    failure = UnreadableError("E-EMPTY")
    for position, sheet in enumerate(workbook.sheets(handle, data, checked=checked)):
        origin = _Origin(sheet.name, f"{sheet.name}!" if position else "")
        if not sheet.rows:
            file.say("{file} › {sheet}: the sheet is empty.", sheet=sheet.name)
            continue
        if not sheet.visible:
            file.say("{file} › {sheet}: the sheet is hidden.", sheet=sheet.name)
        try:
            at = headers.find([row.cells for row in sheet.rows[: headers.SEARCHED]], table)
        except UnreadableError as error:
            failure = error
            file.say("{file} › {sheet}: no header row was found; the sheet was not read.", sheet=sheet.name)
            continue
        head, below = sheet.rows[at], sheet.rows[at + 1 :]
        _above(file, place_of(file.name, sheet.name), at, head.number)
        part = _add(file, origin, head.cells, below, table)
        part.verdicts.blank += sheet.height - head.number - len(below)
    if not file.parts:
        raise failure


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a table stands in its file, and whether its rows must have as many cells as the header."""

    sheet: str = ""
    prefix: str = ""
    exact: bool = False


def _add(
    file: _File, origin: _Origin, cells: Sequence[str], rows: Iterable[Row], table: headers.HeaderAliases
) -> _Part:
    place = place_of(file.name, origin.sheet)
    if cells:
        headers.find([cells], table)
    header = headers.header(cells, table, file=place)
    part = _Part(origin.sheet, origin.prefix, judge(rows, header, exact=origin.exact))
    file.parts.append(part)
    file.notes.extend(header.notes)
    file.columns |= {f"{origin.prefix}{cell}": column for cell, column in header.columns.items()}
    if not (part.verdicts.accepted or part.verdicts.refused):
        file.say("{file}: no row stands below the header.", file=place)
    return part


def _above(file: _File, place: str, count: int, row: int) -> None:
    if count:
        template = "{file}: the header stands in row {row}; {count} rows above it are no data."
        file.say(template, file=place, count=count, row=row)


def place_of(file: str, sheet: str) -> str:
    """Return what a table is called in messages."""
    return f"{file} › {sheet}" if sheet else file


@dataclass(slots=True)
class _Entry:
    """An accepted row and where it came from, until it is known that its id is its own."""

    file: int
    part: _Part
    accepted: Accepted


def _settle(files: Sequence[_File]) -> Reading:
    """Return the account of all files together: here the ids of the whole run meet."""
    entries = [
        _Entry(number, part, accepted)
        for number, file in enumerate(files)
        for part in file.parts
        for accepted in part.verdicts.accepted
    ]
    for entry in entries:
        entry.accepted.cells["id"] = ids.given(entry.accepted.cells["id"])
    names = [entry.accepted.cells["id"] for entry in entries]
    repeated = ids.repeated(
        names, [tuple(entry.accepted.cells[column] for column in ids.CONTENT) for entry in entries]
    )
    for position, first in repeated.items():
        _refuse(files, entries[position], None if first is None else entries[first])
    kept = [entry for position, entry in enumerate(entries) if position not in repeated]
    nameless = [entry.accepted for entry in kept if not entry.accepted.cells["id"]]
    for accepted, name in zip(nameless, ids.made((row.cells for row in nameless), names), strict=True):
        accepted.cells["id"] = name
        accepted.flags.append("id_made")
    accepted_of = Counter(entry.file for entry in kept)
    sources = tuple(_source(file, accepted_of[number]) for number, file in enumerate(files))
    return Reading(_batch(files, kept), tuple(_quarantine(files)), sources)


def _refuse(files: Sequence[_File], entry: _Entry, first: _Entry | None) -> None:
    name = entry.accepted.cells["id"]
    if first is None:
        fault = Fault("E-ID-CONFLICT", {"id": name})
    else:
        place = place_of(files[first.file].name, first.part.sheet)
        fault = Fault(
            "E-ID-DUPLICATE", {"id": name, "first_file": place, "first_row": first.accepted.row.number}
        )
    entry.part.verdicts.refused.append((entry.accepted.row, fault))


def _source(file: _File, accepted: int) -> Source:
    refused = sum(len(part.verdicts.refused) for part in file.parts)
    blank = sum(part.verdicts.blank for part in file.parts)
    found = sum(len(part.verdicts.accepted) for part in file.parts)
    conflicts = sum(
        fault.code.startswith("E-ID-") for part in file.parts for _, fault in part.verdicts.refused
    )
    # What was found below the header is counted before ids are compared; both counts must agree.
    source = Source(
        file=file.name,
        sha256=file.sha256,
        kind=file.kind,
        read=found + (refused - conflicts) + blank,
        accepted=accepted,
        quarantined=refused,
        blank=blank,
        columns=file.columns,
        notes=tuple(file.notes),
    )
    assert source.read == source.accepted + source.quarantined + source.blank
    return source


def _quarantine(files: Sequence[_File]) -> Iterator[Quarantined]:
    for file in files:
        if file.failure:
            yield Quarantined(file.name, "", 0, "", file.failure.code, file.failure.note(file.name), "")
        for part in file.parts:
            place = place_of(file.name, part.sheet)
            for row, fault in sorted(part.verdicts.refused, key=lambda refused: refused[0].number):
                column = str(fault.details.get("column", ""))
                note = fault.note(place, row.number)
                yield Quarantined(file.name, part.sheet, row.number, column, fault.code, note, row.text())


def _batch(files: Sequence[_File], kept: Sequence[_Entry]) -> pd.DataFrame:
    extras = dict.fromkeys(name for entry in kept for name in entry.accepted.cells if name not in CANONICAL)
    columns = {ORIGIN[0]: _column(files[entry.file].name for entry in kept)}
    columns[ORIGIN[1]] = _column(f"{entry.part.prefix}{entry.accepted.row.number}" for entry in kept)
    columns["flags"] = _column(" ".join(sorted(entry.accepted.flags)) for entry in kept)
    own = (*CANONICAL, *extras)
    for name in own:
        # Taken out one by one, so that the texts are not held twice when the last column is built.
        columns[name] = _column(entry.accepted.cells.pop(name, "") for entry in kept)
    return pd.DataFrame({name: columns[name] for name in (*own, *ORIGIN, "flags")}, copy=False)


def _column(cells: Iterable[str]) -> pd.Series[str]:
    return pd.Series(pa.array(cells, pa.large_string()), dtype="str")


def _no_row(reading: Reading) -> NoUsableRow:
    reasons = [row.note for row in reading.quarantine][:_SAID]
    reasons += [note for source in reading.sources if not source.read for note in source.notes][:_SAID]
    reasons += [
        Note("{file}: no row stands below the header.", {"file": source.file})
        for source in reading.sources
        if 0 < source.read == source.blank
    ][:_SAID]
    if (more := len(reading.quarantine) - _SAID) > 0:
        reasons.append(Note("(+{count})", {"count": more}))
    error = NoUsableRow("No row could be used. {reasons}", reasons=tuple(reasons))
    error.reading = reading  # type: ignore[attr-defined]
    return error
