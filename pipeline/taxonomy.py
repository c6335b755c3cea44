"""The fields an initiative can belong to: codes, names, what is in and what is out, in versions."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from pipeline.errors import InputNotFound, Note, SangkienError, UsageError
from pipeline.settings import checkout

OTHER: Final = "other"
"""The code every taxonomy has: none fits, or nobody can tell."""

COLUMNS: Final = (
    "version", "code", "name", "aliases", "definition", "includes", "excludes", "phrases",
    "from_date", "to_date", "replaced_by",
)  # fmt: skip
"""Columns of a taxonomy file; lists in a cell are separated by semicolons."""

NEEDED: Final = tuple(name for name in COLUMNS if name not in {"aliases", "phrases"})
"""Columns that must be there, if only as headings."""

Cells = Mapping[str, str]
"""The cells of a row by column; what is not there is empty."""

_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field (lĩnh vực).

    ``code`` is stable, ``name`` and ``aliases`` are what people call it. No new labels are given before
    ``from_date`` or after ``to_date`` (None: no limit). ``successors`` are the codes that its rows go to: one
    takes them all (a field that was renamed or merged); of several, a person must choose for each row (a
    field that was split, which may be one of its own successors).
    """

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    definition: str = ""
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    from_date: date | None = None
    to_date: date | None = None
    successors: tuple[str, ...] = ()

    @property
    def replaced_by(self) -> str:
        """Return the one code that takes all rows of the field, or ``""``."""
        return self.successors[0] if len(self.successors) == 1 else ""

    @property
    def kept(self) -> bool:
        """Return whether labels may stay with the field: nobody took it over, or it is a part of itself."""
        return not self.successors or self.code in self.successors

    def open_on(self, day: date) -> bool:
        """Return whether the field takes labels on ``day``, both limits included."""
        return (self.from_date or date.min) <= day <= (self.to_date or date.max)


@dataclass(frozen=True)
class Taxonomy:
    """The fields of one version, in the order of the file."""

    version: str
    fields: tuple[Field, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes, in order."""
        return tuple(field.code for field in self.fields)

    @property
    def names(self) -> dict[str, str]:
        """Return the name of each code."""
        return {field.code: field.name for field in self.fields}

    def offered(self, day: date) -> tuple[Field, ...]:
        """Return the fields that take labels on a day: open ones that no other has taken over.

        >>> len(default().offered(date(2026, 1, 1)))
        12
        """
        return tuple(field for field in self.fields if field.open_on(day) and field.kept)

    def end(self, code: str) -> Field:
        """Return the field that the rows of ``code`` have come to; one that was split is the end.

        Raises:
            KeyError: There is no such code.
        """
        fields = {field.code: field for field in self.fields}
        found = fields[code]
        while found.replaced_by:
            found = fields[found.replaced_by]
        return found

    def rows(self) -> list[dict[str, str]]:
        """Return the cells of the sheet, a row a field, from which `check` makes the same taxonomy.

        >>> check(enumerate(default().rows(), 2), file="again").taxonomy == default()
        True
        """
        return [_cells(self.version, field) for field in self.fields]

    def code_of(self, text: str) -> str:
        """Return the code that ``text`` names, or ``""``.

        A code, a name or an alias; case, marks, punctuation and runs of spaces do not matter.

        >>> default().code_of("GIAO DUC - ĐÀO TẠO"), default().code_of("an ninh mạng")
        ('education', '')
        """
        return self._spoken.get(_plain(text), "")

    def code_now(self, text: str) -> str:
        """Return the code that takes the labels of the field that ``text`` names (`code_of`), or ``""``.

        A field that another took over stands for that one; of one that was split and is no part of itself
        nobody can tell which part was meant.

        >>> default().code_now("Y tế"), default().code_now("an ninh mạng")
        ('healthcare', '')
        """
        code = self.code_of(text)
        field = self.end(code) if code else None
        return field.code if field and field.kept else ""

    @cached_property
    def _spoken(self) -> dict[str, str]:
        return {_plain(name): field.code for field in self.fields for name in _spoken_names(field)}


@cache
def default() -> Taxonomy:
    """Return the taxonomy that travels with the program.

    >>> len(default().codes), default().names["safety"]
    (12, 'An toàn, vệ sinh lao động, môi trường')
    """
    return load(checkout("data", "taxonomy.csv"))


def load(path: Path) -> Taxonomy:
    """Return the taxonomy of a CSV file (UTF-8, the columns `COLUMNS`, one field a row), checked.

    Raises:
        InputNotFound: There is no such file.
        UsageError: The file is no taxonomy; the message names row and column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputNotFound("The taxonomy {file} is not there.", file=str(path)) from None
    except UnicodeDecodeError:
        raise UsageError(
            "The taxonomy {file} is not UTF-8 text. Save it as CSV UTF-8.", file=str(path)
        ) from None
    return parse(text, file=path.name)


def parse(text: str, *, file: str) -> Taxonomy:
    """Return the taxonomy that the text of a CSV file describes; ``file`` is its name for messages.

    Raises:
        UsageError: A column is missing, a cell is wrong, two fields share a name, versions differ, or
            there is no field ``other``.
    """
    rows = _Sheet(file).rows(text)
    found = check(rows, file=file)
    if found.taxonomy is None:
        raise UsageError("{note}", note=found.problems[0])
    return found.taxonomy


@dataclass(frozen=True, slots=True)
class Checked:
    """A taxonomy, or all that is wrong with its sheet."""

    taxonomy: Taxonomy | None
    problems: tuple[Note, ...]


def check(rows: Iterable[tuple[int, Cells]], *, file: str) -> Checked:
    """Return the taxonomy of the rows of a sheet, or every fault in them by row and column.

    Args:
        rows: Physical row and cells (`COLUMNS`; what is not there is empty) of every row that is not blank.
        file: The sheet's name for messages.

    >>> found = check([(2, {"version": "1", "code": "X!", "name": "Khác"})], file="a.csv")
    >>> [str(problem)[:36] for problem in found.problems]
    ['a.csv, row 2, column code: X! is no ']
    """
    sheet, told = _Sheet(file), list(rows)
    tidied = [(row, {name: _tidy(cells.get(name, "")) for name in COLUMNS}) for row, cells in told]
    fields: list[Field] = []
    problems: list[Note] = []
    for row, cells in tidied:
        problems += _faults(lambda row=row, cells=cells: fields.append(sheet.field(row, cells)))  # type: ignore[misc]
    whole: tuple[Callable[[], None], ...] = (
        lambda: sheet.check_names(fields),
        lambda: sheet.check_whole(fields, {cells["version"] for _, cells in tidied}),
    )
    # Of a field that could not be read, a rule about all fields would say what is not so.
    for rule in whole if not problems else ():
        problems += _faults(rule)
    if not problems:
        problems += _faults(lambda: sheet.check_replacements(fields))
    taxonomy = None if problems else Taxonomy(tidied[0][1]["version"], tuple(fields))
    return Checked(taxonomy, tuple(problems))


def _faults(rule: Callable[[], None]) -> list[Note]:
    try:
        rule()
    except SangkienError as fault:
        return [fault.note]
    return []


def _cells(version: str, field: Field) -> dict[str, str]:
    return {
        "version": version,
        "code": field.code,
        "name": field.name,
        "aliases": "; ".join(field.aliases),
        "definition": field.definition,
        "includes": "; ".join(field.includes),
        "excludes": "; ".join(field.excludes),
        "phrases": "; ".join(field.phrases),
        "from_date": field.from_date.isoformat() if field.from_date else "",
        "to_date": field.to_date.isoformat() if field.to_date else "",
        "replaced_by": "; ".join(field.successors),
    }


def check_columns(header: Sequence[str], *, file: str) -> None:
    """Refuse a sheet without a column that must be there.

    Raises:
        UsageError: One of `NEEDED` is missing.
    """
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise UsageError(
            "{file}: the column {column} is missing. A taxonomy has the columns {columns}.",
            file=file,
            column=missing[0],
            columns=", ".join(COLUMNS),
        )


class _Sheet:
    """The checks of one file; it knows the file's name so that each message can say it."""

    def __init__(self, file: str) -> None:
        self.file = file

    def rows(self, text: str) -> list[tuple[int, Mapping[str, str]]]:
        """Return (physical row, cells) of every row that is not blank."""
        # Without newline="" a line end inside a quoted cell would be changed before the reader sees it.
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            body = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
        except csv.Error as fault:
            raise UsageError(
                "{file}, row {row}: not a CSV table ({fault}).",
                file=self.file,
                row=reader.line_num,
                fault=fault,
            ) from None
        check_columns(header, file=self.file)
        for row, cells in body:
            if len(cells) != len(header):
                raise UsageError(
                    "{file}, row {row}: {found} cells stand under {expected} headings. Put cells that hold "
                    "commas in quotes.",
                    file=self.file,
                    row=row,
                    found=len(cells),
                    expected=len(header),
                )
        return [(row, dict(zip(header, cells, strict=True))) for row, cells in body]

    def field(self, row: int, cells: Mapping[str, str]) -> Field:
        """Return the field of one row."""
        for column in ("version", "code", "name"):
            if not cells[column]:
                raise UsageError(
                    "{file}, row {row}: the column {column} is empty. Fill it in.",
                    file=self.file,
                    row=row,
                    column=column,
                )
        if not _CODE.fullmatch(cells["code"]):
            raise UsageError(
                "{file}, row {row}, column code: {code} is no code. Use small letters a-z, digits and _, "
                "beginning with a letter, at most 32.",
                file=self.file,
                row=row,
                code=cells["code"],
            )
        found = Field(
            code=cells["code"],
            name=cells["name"],
            aliases=_items(cells["aliases"]),
            definition=cells["definition"],
            includes=_items(cells["includes"]),
            excludes=_items(cells["excludes"]),
            phrases=_items(cells["phrases"]),
            from_date=self.day(row, "from_date", cells),
            to_date=self.day(row, "to_date", cells),
            successors=_items(cells["replaced_by"]),
        )
        if found.from_date and found.to_date and found.from_date > found.to_date:
            raise UsageError(
                "{file}, row {row}: from_date {start} is after to_date {end}.",
                file=self.file,
                row=row,
                start=found.from_date,
                end=found.to_date,
            )
        return found

    def day(self, row: int, column: str, cells: Mapping[str, str]) -> date | None:
        """Return the date of a cell, None for an empty one."""
        try:
            return date.fromisoformat(cells[column]) if cells[column] else None
        except ValueError:
            raise UsageError(
                "{file}, row {row}, column {column}: {value} is no date. Write it as 2025-03-31.",
                file=self.file,
                row=row,
                column=column,
                value=cells[column],
            ) from None

    def check_names(self, fields: Iterable[Field]) -> None:
        """Refuse a code, name or alias that would mean two fields."""
        owner: dict[str, str] = {}
        seen: set[str] = set()
        for field in fields:
            if field.code in seen:
                raise UsageError(
                    "{file}: the code {code} stands in two rows.", file=self.file, code=field.code
                )
            seen.add(field.code)
            for name in _spoken_names(field):
                other = owner.setdefault(_plain(name), field.code)
                if other != field.code:
                    raise UsageError(
                        "{file}: {name} names both {code} and {other}. Change one of them.",
                        file=self.file,
                        name=name,
                        code=field.code,
                        other=other,
                    )

    def check_whole(self, fields: Sequence[Field], versions: set[str]) -> None:
        """Refuse a file without ``other``, or of more than one version."""
        if all(field.code != OTHER for field in fields):
            raise UsageError(
                "{file}: there is no field with the code other. Add one for what fits nowhere.",
                file=self.file,
            )
        if len(versions) != 1:
            raise UsageError(
                "{file}: the rows belong to several versions ({versions}). Keep one version a file.",
                file=self.file,
                versions=", ".join(sorted(versions)),
            )

    def check_replacements(self, fields: Sequence[Field]) -> None:
        """Refuse a replacement that is unknown, or that leads in a circle."""
        following = {field.code: _others(field) for field in fields}
        for field in fields:
            for other in following[field.code]:
                if other not in following or _leads(other, field.code, following):
                    raise UsageError(
                        "{file}, field {code}: replaced_by {other} is not another field of the file, or "
                        "leads back to it.",
                        file=self.file,
                        code=field.code,
                        other=other,
                    )


def _others(field: Field) -> tuple[str, ...]:
    """Return the successors of a field; one that was split may stay beside those that were cut off."""
    if len(field.successors) > 1:
        return tuple(code for code in field.successors if code != field.code)
    return field.successors


def _leads(start: str, goal: str, following: Mapping[str, Sequence[str]]) -> bool:
    passed: set[str] = set()
    ahead = [start]
    while ahead:
        code = ahead.pop()
        if code == goal:
            return True
        if code not in passed:
            passed.add(code)
            ahead += following.get(code, ())
    return False


def _spoken_names(field: Field) -> tuple[str, ...]:
    return (field.code, field.name, *field.aliases)


def _tidy(cell: str) -> str:
    return " ".join(unicodedata.normalize("NFC", cell).split())


def _items(cell: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in cell.split(";") if item.strip())


def _plain(text: str) -> str:
    """Return the bare letters and digits of ``text``, so that a name is known however it is typed."""
    marked = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    bare = "".join(letter for letter in marked if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W_]+", bare))
