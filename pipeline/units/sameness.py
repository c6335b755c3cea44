"""One unit, one place of work, inside a scope: what two cells say of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.normalize import fold
from pipeline.settings import Scope
from pipeline.units.names import UnitName, agree
from pipeline.units.sheet import UnitSheet

_LEAST: Final = 2


def unit_key(cell: str, sheet: UnitSheet) -> str:
    """Return the first name in a cell in one spelling, its parts by comma; ``""`` where it names no unit.

    Equal keys are one unit; one unit may have several keys (see `same_unit`). The key of a key is itself.

    >>> unit_key("Trường Tiểu học LÊ LỢI (quận 1)", UnitSheet())
    'tieu hoc le loi, quan 1'
    """
    return next((name.key for name in sheet.names(cell)), "")


def same_unit(one: str, other: str, sheet: UnitSheet, *, days: tuple[str, str] = ("", "")) -> bool:
    """Return whether two cells name one unit, as far as the names and the sheet tell it.

    Symmetric; true of a name and itself, never of a cell without a name. Not transitive: a name may be two
    units' former or later one, and one that says less can agree with two that say more.

    - A province that only one of them states is no difference where the rest can mean one unit, and so is
      a province that has become the other's (with units of a name of their own). Two former provinces are
      two. A unit of the surviving name may have been another before: the names do not tell.
    - A district that only one of them states is no difference where commune and province are the same.
    - ``days`` (ISO, ``""``: unknown) say when each name was used: a renaming counts only for a new name
      that was used after it began.
    - A department, group or workshop is not the whole, nor is another one: see `same_workplace`.

    >>> same_unit("Trường Lê Lợi - QUẬN 1", "truong le loi, quan 01", UnitSheet())
    True
    >>> same_unit("Tổ 1, Công ty A", "Tổ 2, Công ty A", UnitSheet())
    False
    """
    return _same(sheet.names(one), sheet.names(other), sheet, days)


def same_workplace(one: str, other: str, sheet: UnitSheet, *, days: tuple[str, str] = ("", "")) -> bool:
    """Return whether two cells name one place of work, perhaps other departments of it.

    Novelty is judged inside the place of work (``cơ sở``; Nghị định 13/2012/NĐ-CP, Điều 3), not inside a
    department of it. Wherever `same_unit` is true, so is this.

    >>> same_workplace("Tổ 1, Công ty A", "Tổ 2, Công ty A", UnitSheet())
    True
    """
    names, others = sheet.names(one), sheet.names(other)
    return _same(names, others, sheet, days) or _same(_workplaces(names), _workplaces(others), sheet, days)


def _workplaces(names: tuple[UnitName, ...]) -> tuple[UnitName, ...]:
    return tuple(name.workplace for name in names)


def _same(
    names: tuple[UnitName, ...], others: tuple[UnitName, ...], sheet: UnitSheet, days: tuple[str, str]
) -> bool:
    # What two units both became is not compared: they were two.
    return (
        _any_agree(names, others)
        # A new name is another unit's until the renaming: the day on which it was used decides.
        or _any_agree(_later(names, sheet, days[1]), others)
        or _any_agree(names, _later(others, sheet, days[0]))
    )


def _any_agree(names: tuple[UnitName, ...], others: tuple[UnitName, ...]) -> bool:
    return any(agree(name, other) for name, other in product(names, others))


def _later(names: tuple[UnitName, ...], sheet: UnitSheet, day: str) -> tuple[UnitName, ...]:
    return tuple(later for name in names for later in sheet.later_names(name, on=day))


def in_scope(
    records: pd.DataFrame,
    later: NDArray[np.int64],
    earlier: NDArray[np.int64],
    *,
    scope: Scope,
    sheet: UnitSheet,
) -> NDArray[np.bool_]:
    """Return which pairs of rows lie inside a scope.

    ``unit``: of one place of work. ``union``: of one upper union or one place of work. ``all``: every pair.
    A pair is inside, too, where one of its records names no unit (or, for ``union``, no upper union), so that
    nothing is lost to an empty cell.

    Args:
        records: With the columns ``unit`` and ``upper_union``, and ``submitted`` where renamings have dates.
        later: Positions of rows.
        earlier: As many.
        scope: Which pairs.
        sheet: What is known of unit names.

    >>> rows = pd.DataFrame({"unit": ["Tổ 1, Công ty A", "Công ty A", "Công ty B", ""], "upper_union": ""})
    >>> in_scope(rows, np.array([1, 2, 3]), np.array([0, 0, 0]), scope="unit", sheet=UnitSheet()).tolist()
    [True, False, True]
    """
    if scope == "all":
        return np.ones(len(later), dtype=np.bool_)
    rows, places = np.unique(np.concatenate((later, earlier)), return_inverse=True)
    sides = places.reshape(2, -1)
    cells = records[["unit", "upper_union"]].iloc[rows]
    days = records["submitted"].iloc[rows] if "submitted" in records else pd.Series("", cells.index)
    epochs = days.map(sheet.epoch)
    inside = _alike(cells["unit"], epochs, sides, sheet, same_workplace)
    inside |= _unsaid(cells["unit"], sides, sheet)
    if scope == "unit":
        return inside
    union = cells["upper_union"]
    return inside | _alike(union, epochs, sides, sheet, same_unit) | _unsaid(union, sides, sheet)


def _alike(
    cells: pd.Series[str],
    epochs: pd.Series[str],
    sides: NDArray[np.int64],
    sheet: UnitSheet,
    same: Callable[..., bool],
) -> NDArray[np.bool_]:
    """Return which pairs of cells are the same, asking once for each two spellings of two times."""
    codes, values = pd.factorize(pd.Series(list(zip(cells, epochs, strict=True)), dtype="object"))
    pairs, of = np.unique(np.sort(codes[sides], axis=0), axis=1, return_inverse=True)
    asked = ((values[one], values[other]) for one, other in pairs.T.tolist())
    found = [same(one, other, sheet, days=(day, day2)) for (one, day), (other, day2) in asked]
    return np.array(found, dtype=np.bool_)[of.ravel()]


def _unsaid(cells: pd.Series[str], sides: NDArray[np.int64], sheet: UnitSheet) -> NDArray[np.bool_]:
    """Return which pairs have a cell that names nothing."""
    codes, values = pd.factorize(cells)
    nameless = np.array([not sheet.names(cell) for cell in values], dtype=np.bool_)[codes]
    return np.asarray(nameless[sides].any(axis=0), dtype=np.bool_)


def unit_phrases(batch: pd.DataFrame, sheet: UnitSheet) -> list[str]:
    """Return the folded ways in which texts may name the units of a batch, sorted: form text, no evidence.

    Of each cell of ``unit`` and ``upper_union``: as it stands, its abbreviations written out, its own names
    without the place where those mean one unit, and the same with the sheet's abbreviations of what they
    contain. Phrases have at least two syllables.

    >>> unit_phrases(pd.DataFrame({"unit": ["BV Ba Vì, Hà Nội"], "upper_union": [""]}), UnitSheet())
    ['bv ba vi ha noi']
    """
    cells = {*batch["unit"].tolist(), *batch["upper_union"].tolist()}
    found = {phrase for cell in cells if sheet.names(cell) for phrase in _ways(cell, sheet)}
    return sorted(phrase for phrase in found if len(phrase.split()) >= _LEAST)


def _ways(cell: str, sheet: UnitSheet) -> Iterator[str]:
    yield fold(cell)
    yield from sheet.ways(cell)
