"""Filled sheets of labels → labels, and what is wrong with the rows that are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pipeline.errors import Note, UsageError
from pipeline.labels import CONTENT, UNSURE, VERSION
from pipeline.read import headers, ids
from pipeline.read.filled import Filled, Line
from pipeline.read.reading import must_be_there, names_of
from pipeline.records import Label, Quarantined
from pipeline.revision import Course

_ALIASES: Final = (
    ("Mã", "id"),
    ("Id", "id"),
    ("Mã sáng kiến", "id"),
    ("Lĩnh vực", "field"),
    ("Field", "field"),
    ("Lĩnh vực thứ hai", "field2"),
    ("Second field", "field2"),
    ("field2", "field2"),
    ("Ghi chú", "note"),
    ("Remark", "note"),
    ("note", "note"),
    ("Người gán nhãn", "labeller"),
    ("Labeller", "labeller"),
    ("Ngày", "date"),
    ("Date", "date"),
    ("labelled", "date"),
    (CONTENT, "content"),
    (VERSION, "taxonomy"),
    ("Xác suất", "probability"),
    ("probability", "probability"),
    ("model", "model"),
)
_TABLE: Final = headers.HeaderAliases(headers.HeaderAliases.of(_ALIASES).columns, frozenset({"field"}))
_NOT_YET: Final = frozenset({"", headers.fold(UNSURE)})


@dataclass(frozen=True)
class Labelled:
    """What filled sheets hold; ``unseen`` rows are those that nobody has labelled."""

    labels: tuple[Label, ...]
    problems: tuple[Quarantined, ...]
    unseen: int


def labelled(paths: Sequence[Path], *, course: Course, today: str, labeller: str = "") -> Labelled:
    """Return the labels in the tables ``paths``, row by row, and every row that is none.

    A table has the columns id and field, under these names or those of the sheet "Gán nhãn"; field2, note,
    labeller, date and the hidden content and taxonomy may be there. Fields are told by code, name or alias.
    A table with a column of probabilities holds what a model said, and its labels are kept as that.

    Args:
        paths: CSV, TSV, XLSX, XLS, JSON Lines or Parquet files, told apart by content, not by name.
        course: The versions of the taxonomy; a row that names none speaks of the one in use.
        today: ISO date; nobody labels later.
        labeller: Who labelled where a row does not say.

    Raises:
        UsageError: ``paths`` is empty.
        InputNotFound: A path is not there.
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise UsageError("No input file was named. Name at least one table.")
    must_be_there(paths)
    reader = _Reader(course, today, labeller)
    for path, name in zip(paths, names_of(paths), strict=True):
        reader.file(path, name)
    return Labelled(tuple(reader.said), tuple(reader.problems), reader.unseen)


class _Reader(Filled[Label]):
    """Reads rows of labels."""

    def __init__(self, course: Course, today: str, labeller: str) -> None:
        absent = Note(
            'no table with the columns id and field was found. Give the workbook whose sheet "{sheet}" was '
            "filled in, or a table with these columns.",
            {"sheet": "Gán nhãn"},
        )
        super().__init__(_TABLE, ("id", "field"), "E-LABEL", absent)
        self.course = course
        self.today = today
        self.labeller = labeller

    def row(self, line: Line, source: str) -> Label | None:
        """Return the label of a row."""
        if headers.fold(line.cell("field")) in _NOT_YET:
            return None
        day = line.day(self.today)
        version = self._version(line)
        guessed = "probability" in line.header.names
        return Label(
            id=line.id("id"),
            field=self._field(line, "field", version, day),
            field2=self._field(line, "field2", version, day),
            content=line.content("content"),
            taxonomy=version,
            source="model" if guessed else "human",
            labeller=line.text("model" if guessed else "labeller") or ids.given(self.labeller),
            labelled=day,
            note=line.text("note"),
            file=source,
        )

    def _version(self, line: Line) -> str:
        found = line.cell("taxonomy") or self.course.current.version
        if found not in {each.version for each in self.course.versions}:
            raise line.wrong(
                "E-LABEL-VERSION",
                "taxonomy",
                "{file}, row {row}: the label is of version {found} of the taxonomy, which the store does "
                "not know. Put that version in use first (`sangkien taxonomy apply`), then import again.",
                found=found,
            )
        return found

    def _field(self, line: Line, column: str, version: str, day: str) -> str:
        found = line.cell(column)
        if headers.fold(found) in _NOT_YET:
            return ""
        taxonomy = next(each for each in self.course.versions if each.version == version)
        code = taxonomy.code_of(found)
        offered = taxonomy.offered(date.fromisoformat(day or self.today))
        if code not in {field.code for field in offered}:
            raise line.wrong(
                "E-LABEL",
                column,
                '{file}, row {row}, column {column}: "{found}" is no field that takes labels on that day '
                "(taxonomy {version}). Choose one of {choices}, then import again.",
                version=version,
                choices=", ".join(f'"{field.name}"' for field in offered),
            )
        return code
