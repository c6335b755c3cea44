"""Raw columns of a table → what they mean: Unicode for old encodings, ISO dates, sectors.

A column is looked at as a whole, because its cells explain each other: "12/03/2025" is a day of March or of
December as the other dates have it, and two letters in an old encoding can only be told by the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import pandas as pd

from pipeline import amounts
from pipeline.errors import Note
from pipeline.normalize import ENCODINGS, encodings, fold, repaired, said
from pipeline.read import dates, values
from pipeline.records import BENEFIT, ENCODING, OPTIONAL, ORIGIN, Source

AS_SUBMITTED: Final = "{header} (as submitted)"
"""The column that keeps what a cell was, where its meaning is another text or none."""

_BENEFIT: Final = re.compile(
    r"\b(?:(?:gia tri |tien )?lam loi|tien tiet kiem|hieu qua kinh te|loi ich kinh te)\b"
)
_SUBMISSION: Final = ("title", "description")
_TEXTS: Final = ("author", "unit", "upper_union", "sector", "submitted", "field", "field2", *OPTIONAL)


def understood(
    batch: pd.DataFrame, sources: Iterable[Source], *, also: Iterable[str] = ()
) -> tuple[pd.DataFrame, tuple[Source, ...]]:
    """Return the batch with the meaning of its columns, and the sources with what is to be said of them.

    ``submitted`` becomes an ISO date or ``""``, ``sector`` a code or ``""``; the other columns but title and
    description are put into Unicode. What a cell was stands in the column `AS_SUBMITTED` where it is lost.
    Title and description stay; `records.ENCODING` says which old encoding their columns are in, if any.

    Args:
        batch: Cells as they stand in the files, with `records.CANONICAL`, `records.ORIGIN` and ``flags``.
        sources: The files, whose ``columns`` name the headers.
        also: Encodings of `normalize.ON_REQUEST` to be looked for too.
    """
    if batch.empty:
        return batch, tuple(sources)
    extra = tuple(also)
    told = list(sources)
    # A file that is named twice has one name and two entries: its rows are those of the first.
    place_of = {source.file: place for place, source in reversed(list(enumerate(told)))}
    parts = []
    for (file, prefix), part in batch.groupby([batch[ORIGIN[0]], _prefix(batch)], sort=False):
        source = told[place_of[str(file)]]
        table = _Table(
            part, _headers(source.columns, str(prefix)), f"{file}" if not prefix else f"{file} › {prefix}"
        )
        table.decode(extra)
        table.date()
        table.sector()
        table.benefit()
        parts.append(table.frame)
        told[place_of[str(file)]] = replace(source, notes=(*source.notes, *table.notes))
    whole = pd.concat(parts).loc[batch.index]
    added = [name for name in whole.columns if name not in batch.columns]
    whole = whole.fillna(dict.fromkeys(added, "")).astype(dict.fromkeys(added, "str"))
    own = [name for name in (*batch.columns, *added) if name not in {*ORIGIN, "flags"}]
    return whole[[*own, *ORIGIN, "flags"]], tuple(told)


def _prefix(batch: pd.DataFrame) -> pd.Series[str]:
    """Return the sheet that each row stands on, ``""`` for the first of a file."""
    return batch[ORIGIN[1]].str.rpartition("!")[0]


def _headers(columns: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return the header of each column on a sheet, as it is written."""
    start = f"{prefix}!" if prefix else ""
    return {
        column: header.removeprefix(start) for header, column in columns.items() if header.startswith(start)
    }


class _Table:
    """One table on the way to its meaning, and what is to be said of it."""

    def __init__(self, frame: pd.DataFrame, headers: Mapping[str, str], place: str) -> None:
        self.frame = frame.copy(deep=False)
        self.headers = headers
        self.place = place
        self.notes: list[Note] = []

    def decode(self, also: tuple[str, ...]) -> None:
        """Put the columns into Unicode; of title and description, say what they are in."""
        names = [name for name in (*_SUBMISSION, *_TEXTS) if name in self.frame]
        found = encodings({name: self.frame[name].tolist() for name in names}, also=also)
        for name, encoding in found.items():
            self._tell(
                '{file}: the column "{header}" is in {encoding}; its letters are restored. Check a few rows.',
                header=self._header(name),
                encoding=ENCODINGS[encoding],
            )
        for name in names:
            if name not in _SUBMISSION:
                self._become(name, partial(repaired, encoding=found.get(name, "")))
        if stated := said({name: code for name, code in found.items() if name in _SUBMISSION}):
            self.frame[ENCODING] = pd.Series(stated, self.frame.index, dtype="str")

    def date(self) -> None:
        """Make ISO dates of the cells under ``submitted``."""
        column = dates.column(self.frame["submitted"])
        read = {
            cell: column.read(cell) if cell.strip() else dates.Date("")
            for cell in self.frame["submitted"].unique()
        }
        found = self.frame["submitted"].map(read.get)
        self._flag(found.map(lambda each: "bad_date" if each is None else each.flag))
        self._keep("submitted", found.isna())
        self._tell_order(column)
        if column.serial:
            self._tell('{file}: whole numbers under "{header}" are read as dates, as Excel counts the days.')
        self.frame["submitted"] = found.map(lambda each: each.iso if each else "").astype("str")

    def sector(self) -> None:
        """Make codes of the cells under ``sector``."""
        read = {cell: values.sector(cell) if cell.strip() else "" for cell in self.frame["sector"].unique()}
        found = self.frame["sector"].map(read.get)
        self._keep("sector", found.isna())
        self.frame["sector"] = found.fillna("").astype("str")

    def benefit(self) -> None:
        """Read the first column of stated benefits, if there is one, as whole đồng."""
        name = next((name for name in self.frame if _BENEFIT.search(fold(str(name)))), None)
        if name is None:
            return
        column = self.frame[name]
        style = amounts.style(str(name), column.tolist())
        read = {cell: style.money(cell) for cell in column.unique()}
        found = column.map(lambda cell: "" if read[cell] is None else str(read[cell])).astype("str")
        filled = int((column.str.strip() != "").sum())
        if filled:
            self.frame[BENEFIT] = found
            self._tell(
                '{file}: of {filled} amounts under "{header}", {read} were read, as đồng, into the column '
                "{column}; the others are left as they are.",
                header=name,
                filled=filled,
                read=int((found != "").sum()),
                column=BENEFIT,
            )

    def _tell_order(self, column: dates.Column) -> None:
        numbers = {"day": column.day_first, "month": column.month_first, "either": column.either}
        if column.order == "month":
            self._tell(
                '{file}: under "{header}", {month} dates can only be month/day/year; {either} that could be '
                "both are read so too. Check a few rows.",
                **numbers,
            )
        elif column.order == "unclear" and column.either:
            self._tell(
                '{file}: under "{header}", {day} dates can only be day/month/year and {month} only '
                "month/day/year; {either} that could be both are not read. Write them as day/month/year.",
                **numbers,
            )

    def _become(self, name: str, meaning: Callable[[str], str]) -> None:
        column = self.frame[name]
        read = {cell: meaning(cell) for cell in column.unique()}
        if any(cell != text for cell, text in read.items()):
            found = column.map(read.get).astype("str")
            self._keep(name, found != column)
            self.frame[name] = found

    def _keep(self, name: str, lost: pd.Series[bool]) -> None:
        """Keep the cells that are lost, in a column of their own."""
        if lost.any():
            kept = AS_SUBMITTED.format(header=self._header(name))
            before = self.frame.get(kept, pd.Series("", self.frame.index, dtype="str"))
            # A date in an old encoding may be lost twice: what stood in the file is what counts.
            self.frame[kept] = before.where(~lost | (before != ""), self.frame[name].str.strip())

    def _flag(self, codes: pd.Series[str]) -> None:
        if (codes != "").any():
            pairs = zip(self.frame["flags"], codes, strict=True)
            joined = [" ".join(sorted({*flags.split(), *code.split()})) for flags, code in pairs]
            self.frame["flags"] = pd.Series(joined, self.frame.index, dtype="str")

    def _header(self, name: str) -> str:
        return self.headers.get(name, name)

    def _tell(self, template: str, **values: object) -> None:
        self.notes.append(Note(template, {"file": self.place, "header": self._header("submitted"), **values}))
