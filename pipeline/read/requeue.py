"""The quarantine of a run, mended by a person → initiatives again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.errors import InputNotFound, UsageError
from pipeline.read import delimited, headers, jsonlines, parts
from pipeline.read.account import File
from pipeline.read.faults import Fault, Row, UnreadableError
from pipeline.read.reading import Reader, Reading, must_be_there, names_of
from pipeline.records import CANONICAL, Table

_COLUMNS: Final = ("file", "sheet", "row", "code", "raw")
_TABLE: Final = headers.HeaderAliases(
    headers.HeaderAliases.of([(name, name) for name in (*_COLUMNS, "column", "message")]).columns,
    frozenset({"raw"}),
)
_ERROR: Final = re.compile(r"#(?:REF!|N/A|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|ERROR|GETTING_DATA)")
_UNMENDED: Final = {"E-CELL": _ERROR, "E-FORMULA-NOVALUE": re.compile("=.*", re.DOTALL)}


class _Line(NamedTuple):
    """One row of a quarantine."""

    file: str
    sheet: str
    row: int
    code: str
    raw: str


def requeue(
    paths: Sequence[Path],
    tables: Mapping[str, Sequence[Table]],
    *,
    accepted: Path | None = None,
    plain: Callable[[str], str] = str,
) -> Reading:
    r"""Return the rows of the quarantines ``paths`` that can be read now, and those that still cannot.

    Each row is read as a row of its own table was; one that nobody mended is refused as before. What stands
    in more than one quarantine, or was accepted in the run, is not taken a second time.

    Args:
        paths: Tables with the columns of ``quarantine.csv``.
        tables: How the tables of each input file were understood in that run.
        accepted: The run's accepted rows (``initiatives.parquet``).
        plain: Takes away what was put before a cell to make it no formula.

    Raises:
        InputNotFound: A path is not there.
        UsageError: A path is no quarantine, or it names a file that is not in ``tables``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "quarantine.csv"
    ...     _ = path.write_text('file,sheet,row,code,raw\na.csv,,7,E-COLS,"1;Máy;x"\n', encoding="utf-8")
    ...     table = Table("", ("id", "title"), ("id", "title"), ";")
    ...     still = requeue([path], {"a.csv": [table]})
    ...     _ = path.write_text('file,sheet,row,code,raw\na.csv,,7,E-COLS,"1;Máy"\n', encoding="utf-8")
    ...     now = requeue([path], {"a.csv": [table]})
    >>> still.quarantine[0].code, now.batch["title"].tolist()
    ('E-COLS', ['Máy'])
    """
    paths = [Path(path) for path in paths]
    must_be_there(paths)
    reader = Reader(headers.aliases(), lambda _bytes: None)
    try:
        if accepted:
            reader.read(accepted, "")
        for (name, sheet), lines in _grouped(paths, plain).items():
            table = next((each for each in tables.get(name, ()) if each.sheet == sheet), None)
            if table is None:
                raise UsageError(
                    "The run's record does not know the table {file}. Name the folder of the run whose "
                    "quarantine this is.",
                    file=parts.place_of(name, sheet),
                )
            file = next((file for file in reader.files if file.name == name), None)
            if file is None:
                file = File(name)
                reader.files.append(file)
            reader.part(file, _part(table, lines))
        with reader.settled() as found:
            batch = found.batch()
            mine = batch[batch["source_file"] != ""].reset_index(drop=True)
            filled = [
                name for name in mine if name in CANONICAL or (mine[name] != "").any() or name == "flags"
            ]
            return Reading(
                mine[filled],
                tuple(row for row in found.quarantine if row.file),
                tuple(source for source in found.sources if source.file),
            )
    finally:
        reader.spool.close()


def _grouped(paths: Sequence[Path], plain: Callable[[str], str]) -> dict[tuple[str, str], list[_Line]]:
    """Return the lines of all quarantines by table, each once; those of whole files are left out."""
    found: dict[tuple[str, str], dict[_Line, None]] = {}
    for path, name in zip(paths, names_of(paths), strict=True):
        for line in _lines(path, name, plain):
            if line.row > 0:
                found.setdefault((line.file, line.sheet), {})[line] = None
    return {place: list(lines) for place, lines in found.items()}


def _lines(path: Path, name: str, plain: Callable[[str], str]) -> Iterator[_Line]:
    try:
        with parts.opened(path) as handle:
            for part in parts.look(handle, name, path.suffix.lower()).parts(_TABLE):
                if not {"file", "row", "raw"} <= set(part.header.names):
                    continue
                for row in part.rows:
                    cells = dict(zip(part.header.names, row.cells, strict=False))
                    number = cells.get("row", "").strip()
                    if number.isdecimal():
                        file, sheet, raw = (
                            plain(cells.get(column, "")) for column in ("file", "sheet", "raw")
                        )
                        yield _Line(file, sheet, int(number), cells.get("code", "").strip(), raw)
    except UnreadableError as fault:
        raise UsageError(
            "{path} is no quarantine of a run: {reason}", path=path, reason=fault.note(name)
        ) from None
    except FileNotFoundError:
        raise InputNotFound("{path} is not there. Check the name.", path=str(path)) from None


def _part(table: Table, lines: Sequence[_Line]) -> parts.Part:
    """Return the lines as a table like the one they came from."""
    folded = (tuple(map(headers.fold, table.header)),)
    columns = dict(zip(table.header, table.columns, strict=True))
    header = headers.Header(table.columns, table.header, folded, columns)
    rows = [row for line in lines for row in _rows(table, line)]
    exact = table.delimiter not in {"", "\t"} or not table.sheet
    return parts.Part(
        header,
        rows,
        table.delimiter,
        sheet=table.sheet,
        prefix=f"{table.sheet}!" if table.sheet else "",
        exact=exact and table.delimiter != "",
        count=lambda: len(rows),
    )


def _rows(table: Table, line: _Line) -> Iterator[Row]:
    raw = line.raw.encode("utf-8", "surrogatepass")
    if not table.delimiter:
        cells = jsonlines.cells(raw, table.header) if raw.strip() else []
        fault = cells if isinstance(cells, Fault) else None
        yield Row(line.row, [] if isinstance(cells, Fault) else cells, raw, fault)
        return
    delimiter, position = table.delimiter.encode(), 0
    while position < len(raw) or not raw:
        found = min(
            (delimited.record(raw, position, delimiter, escapes=escapes) for escapes in (False, True)),
            key=lambda record: record.open or record.trailing or len(record.cells) != len(table.header),
        )
        piece = raw[position : found.end].rstrip(b"\r\n")
        cells = [cell.decode("utf-8", "replace") for cell in found.cells]
        fault = Fault("E-QUOTE") if found.open else None
        yield Row(line.row, [] if fault else cells, piece, fault, _errors(line.code, cells))
        position = found.end
        if not raw:
            return


def _errors(code: str, cells: Sequence[str]) -> tuple[tuple[int, str, str], ...]:
    """Return the cells that still hold what made the row unreadable, though as a text they could be read."""
    pattern = _UNMENDED.get(code)
    if pattern is None:
        return ()
    return tuple((place, code, cell) for place, cell in enumerate(cells) if pattern.fullmatch(cell.strip()))
