"""Filled sheets of verdicts → decisions, and what is wrong with the rows that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.decisions import CHOICE, CONTENT, UNSEEN
from pipeline.errors import Note, UsageError
from pipeline.read import headers, ids
from pipeline.read.filled import Filled, Line
from pipeline.read.reading import must_be_there, names_of
from pipeline.records import Decision, Quarantined, Verdict

_ALIASES: Final = (
    ("Mã sau", "later"),
    ("Later id", "later"),
    ("later", "later"),
    ("Mã trước", "earlier"),
    ("Earlier id", "earlier"),
    ("earlier", "earlier"),
    ("Kết luận", "verdict"),
    ("Verdict", "verdict"),
    ("Ghi chú", "note"),
    ("Remark", "note"),
    ("note", "note"),
    ("Người xem", "reviewer"),
    ("Người xét", "reviewer"),
    ("Reviewer", "reviewer"),
    ("Ngày", "date"),
    ("Ngày xem", "date"),
    ("Ngày xét", "date"),
    ("Date", "date"),
    ("decided", "date"),
    (CONTENT[0], "later_content"),
    ("later_content", "later_content"),
    (CONTENT[1], "earlier_content"),
    ("earlier_content", "earlier_content"),
)
_TABLE: Final = headers.HeaderAliases(headers.HeaderAliases.of(_ALIASES).columns, frozenset({"verdict"}))
_NEEDED: Final = ("later", "earlier", "verdict")

_WORDS: Final[Mapping[str, Verdict]] = {
    **{headers.fold(word): verdict for verdict, word in CHOICE.items()},
    **{verdict: verdict for verdict in CHOICE},
    "trunglap": "duplicate",
    "gangiong": "similar",
    "yeucaulamro": "similar",
    "khongtrung": "different",
}
_NOT_YET: Final = frozenset({"", headers.fold(UNSEEN)})


@dataclass(frozen=True)
class Verdicts:
    """What filled sheets hold: ``rows == len(decisions) + unseen`` and the rows among ``problems`` (row > 0).

    ``unseen`` rows are those that nobody has decided yet; blank rows are not counted.
    """

    decisions: tuple[Decision, ...]
    problems: tuple[Quarantined, ...]
    unseen: int

    @property
    def rows(self) -> int:
        """Return how many rows were read."""
        return len(self.decisions) + self.unseen + sum(row.row > 0 for row in self.problems)


def decided(paths: Sequence[Path], *, today: str, reviewer: str = "") -> Verdicts:
    r"""Return the decisions in the tables ``paths``, row by row, and every row that is none.

    A table has the columns later, earlier and verdict, under these names or those of the sheet "Kết luận",
    in any order; note, reviewer, date and the hidden `decisions.CONTENT` may be there. Of a workbook every
    sheet with such columns is read. Verdicts are understood in any case, with or without marks.

    Args:
        paths: CSV, TSV, XLSX, XLS, JSON Lines or Parquet files, told apart by content, not by name.
        today: ISO date; nobody decides later.
        reviewer: Who decided where a row does not say.

    Raises:
        UsageError: ``paths`` is empty.
        InputNotFound: A path is not there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_text("later,earlier,verdict\nB,A,TRUNG\nC,A,chưa xem\n", encoding="utf-8")
    ...     found = decided([path], today="2026-01-02")
    >>> found.decisions[0].verdict, found.unseen
    ('duplicate', 1)
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise UsageError("No input file was named. Name at least one table.")
    must_be_there(paths)
    reader = _Reader(today, reviewer)
    for path, name in zip(paths, names_of(paths), strict=True):
        reader.file(path, name)
    return Verdicts(tuple(reader.said), tuple(reader.problems), reader.unseen)


class _Reader(Filled[Decision]):
    """Reads rows of verdicts."""

    def __init__(self, today: str, reviewer: str) -> None:
        absent = Note(
            "no table with the columns {columns} was found. Give the workbook whose sheet "
            '"{sheet}" was filled in, or a table with the columns later, earlier and verdict.',
            {
                "columns": ", ".join(f'"{column}"' for column in ("Mã sau", "Mã trước", "Kết luận")),
                "sheet": "Kết luận",
            },
        )
        super().__init__(_TABLE, _NEEDED, "E-VERDICT", absent)
        self.today = today
        self.reviewer = reviewer

    def row(self, line: Line, source: str) -> Decision | None:
        """Return the decision of a row."""
        verdict = _verdict(line)
        if verdict is None:
            return None
        later, earlier = line.id("later"), line.id("earlier")
        if later == earlier:
            raise line.wrong(
                "E-VERDICT-ID",
                "earlier",
                "{file}, row {row}, column {column}: both ids are {found}, but a verdict is about two "
                "records. Put the ids right, then import again.",
            )
        return Decision(
            later=later,
            earlier=earlier,
            verdict=verdict,
            later_content=line.content("later_content"),
            earlier_content=line.content("earlier_content"),
            note=line.text("note"),
            reviewer=line.text("reviewer") or ids.given(self.reviewer),
            decided=line.day(self.today),
            source=source,
        )


def _verdict(line: Line) -> Verdict | None:
    """Return the verdict, None where nobody has decided yet."""
    word = headers.fold(found := line.cell("verdict"))
    if not found or (word and word in _NOT_YET):
        return None
    if word not in _WORDS:
        raise line.wrong(
            "E-VERDICT",
            "verdict",
            '{file}, row {row}, column {column}: "{found}" is no verdict. '
            "Choose one of {choices}, then import again.",
            choices=", ".join(f'"{choice}"' for choice in (*CHOICE.values(), UNSEEN)),
        )
    return _WORDS[word]
