"""An office's register of its units: which there are, to whom they belong, and since when."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pandas as pd

from pipeline.errors import UsageError
from pipeline.records import REGISTERED
from pipeline.sheets import rows
from pipeline.units.names import UnitName
from pipeline.units.sheet import UnitSheet

COLUMNS: Final = ("name", "upper_union", "sector", "since", "until")
"""Columns of the register; only the name is needed."""

_DATE: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_NEAR: Final = 0.75  # of difflib's ratio: below, names have little more than "trường" and "công ty" in common
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Unit:
    """A row of the register; a unit that moved from one upper union to another has a row for each time."""

    name: str
    upper_union: str = ""
    sector: str = ""
    since: str = ""
    until: str = ""

    def holds(self, day: str) -> bool:
        """Return whether the row holds on a day (ISO; an unknown day lies in every time)."""
        return not day or ((not self.since or self.since <= day) and (not self.until or day <= self.until))


class Unknown(NamedTuple):
    """A name that the register does not have, how many records bear it, and the nearest names it has."""

    unit: str
    records: int
    nearest: tuple[str, ...]


def parse_register(text: str, *, file: str) -> tuple[Unit, ...]:
    r"""Return the rows of a CSV register with the column ``name`` and any others of `COLUMNS`.

    Args:
        text: The file's content.
        file: Its name for messages.

    Raises:
        UsageError: The column of names is missing, or a day is no ISO date.

    >>> parse_register("name,upper_union\nCông ty A,LĐLĐ quận 1", file="a.csv")[0].upper_union
    'LĐLĐ quận 1'
    """
    found = []
    for number, cells in rows(text, file=file, columns=COLUMNS, needed=1):
        row = Unit(**{name: cells[name] for name in COLUMNS})
        for day in (row.since, row.until):
            if day and not _DATE.fullmatch(day):
                raise UsageError(
                    "{file}, row {row}: {found} is no date. Write it as 2025-07-01.",
                    file=file,
                    row=number,
                    found=day,
                )
        if row.name:
            found.append(row)
    return tuple(found)


class Register:
    """The units of an office, found by any of their names.

    Args:
        units: The rows; of two that hold on one day the first counts.
        sheet: What is known of unit names.

    >>> found = Register([Unit("Bệnh viện Bạch Mai", "CĐ ngành Y tế")], UnitSheet())
    >>> found.find("Khoa Nhi, bệnh viện BẠCH MAI").upper_union, found.nearest("Bệnh viện Bạch Mia")
    ('CĐ ngành Y tế', ('Bệnh viện Bạch Mai',))
    """

    def __init__(self, units: Iterable[Unit], sheet: UnitSheet) -> None:
        self.units = tuple(units)
        self._sheet = sheet
        self._places: dict[str, list[Unit]] = {}
        for unit in self.units:
            for key in self._keys(unit.name, whole=False):
                self._places.setdefault(key, []).append(unit)
        self._flat = {name.flat: unit.name for unit in self.units for name in sheet.names(unit.name)}

    def _keys(self, cell: str, day: str = "", *, whole: bool = True) -> list[str]:
        """Return the spellings of a unit: names, later names and, if asked, those of its place of work."""
        names: list[UnitName] = []
        for name in self._sheet.names(cell):
            names += (name, *self._sheet.later_names(name, on=day))
        places = [name.workplace for name in names] if whole else []
        return list(dict.fromkeys(name.flat for name in (*names, *places) if name.flat))

    def find(self, cell: str, day: str = "") -> Unit | None:
        """Return the row of the unit that a cell names, as of a day (ISO); None where there is none."""
        for key in self._keys(cell, day):
            for unit in self._places.get(key, ()):
                if unit.holds(day):
                    return unit
        return None

    def nearest(self, cell: str) -> tuple[str, ...]:
        """Return the names in the register that look most like that in a cell, best first; few or none."""
        asked = next((name.flat for name in self._sheet.names(cell)), "")
        close = difflib.get_close_matches(asked, list(self._flat), n=_SHOWN, cutoff=_NEAR)
        return tuple(dict.fromkeys(self._flat[flat] for flat in close))


def registered(batch: pd.DataFrame, register: Register) -> tuple[pd.DataFrame, tuple[Unknown, ...]]:
    """Return the batch with `records.REGISTERED`, and the names that the register does not have.

    These come the most frequent first. A name is found or not; a near one is told and never taken.

    >>> rows = pd.DataFrame({"unit": ["CTY A", "Công ti B", ""], "submitted": "2025-01-01"})
    >>> found, unknown = registered(rows, Register([Unit("Công ty B", "LĐLĐ quận 1")], UnitSheet()))
    >>> found["registered_union"].tolist(), [each.unit for each in unknown]
    (['', 'LĐLĐ quận 1', ''], ['CTY A'])
    """
    asked = batch[["unit", "submitted"]].drop_duplicates()
    rows = {(cell, day): register.find(cell, day) for cell, day in asked.itertuples(index=False)}
    pairs = list(zip(batch["unit"], batch["submitted"], strict=True))
    found = [rows[pair] or Unit("") for pair in pairs]
    columns: dict[str, Sequence[str]] = {
        REGISTERED[0]: [unit.name for unit in found],
        REGISTERED[1]: [unit.upper_union for unit in found],
        REGISTERED[2]: [unit.sector for unit in found],
    }
    added = {name: pd.Series(cells, batch.index, dtype="str") for name, cells in columns.items()}
    lost = batch["unit"][(added[REGISTERED[0]] == "") & (batch["unit"].str.strip() != "")]
    counts = sorted(lost.value_counts().items(), key=lambda item: (-item[1], str(item[0])))
    unknown = tuple(Unknown(str(cell), int(count), register.nearest(str(cell))) for cell, count in counts)
    return batch.assign(**added), unknown
