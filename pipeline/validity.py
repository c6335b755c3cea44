"""Is a record valid (tính hợp lệ)? Rules of a programme as a sheet, one verdict a record, with its reasons.

What makes an initiative valid differs from programme to programme; the sheet ``data/validity.csv`` holds what
Nghị định 13/2012/NĐ-CP, Điều 3 asks everywhere, and as examples, switched off, the dates of the union
programme of Hướng dẫn 46/HD-TLĐ. A verdict says what the table shows; whether it is so, a person knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

import pandas as pd

from pipeline import sheets
from pipeline.errors import UsageError
from pipeline.normalize import fold
from pipeline.read.dates import column
from pipeline.records import PHASE, VALIDITY
from pipeline.report.outcome import confidential

Check = Literal["filled", "filled_or_confidential", "not_in", "date_between", "phase", "in_a_phase"]
Verdict = Literal["valid", "invalid", "unclear"]
VERDICTS: Final = get_args(Verdict)
"""What may be said of a record, the best first."""

COLUMNS: Final = ("code", "check", "columns", "value", "verdict", "missing", "reason")
"""Columns of the sheet."""

_OFF: Final = "off"
_SKIP: Final = "skip"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        code: Its name in outputs.
        check: What is asked of the cell.
        columns: Headers of the cell, the first that the table has counts.
        value: What the check compares with: ``a|b|c``, or ``2021-09-01..2023-09-01`` (one end may be open).
        verdict: What a record is that fails it.
        missing: What it is where the whole file has nothing in those columns; ``skip``: nothing is said.
        reason: Why, for people.
    """

    code: str
    check: Check
    columns: tuple[str, ...]
    value: str
    verdict: str
    missing: str
    reason: str


def parse(text: str, *, file: str) -> tuple[Rule, ...]:
    r"""Return the rules of a CSV sheet with `COLUMNS`, by commas or semicolons; those that are off left out.

    Args:
        text: The file's content.
        file: Its name for messages.

    Raises:
        UsageError: A column is missing or a cell holds what is no check, verdict or range of dates.

    >>> head = ",".join(COLUMNS)
    >>> parse(f"{head}\nd,filled,Số QĐ,,invalid,skip,Chưa có quyết định", file="a.csv")[0].columns
    ('Số QĐ',)
    """
    told = sheets.rows(text, file=file, columns=COLUMNS, needed=len(COLUMNS))
    rules = [_rule(row, file, line) for line, row in told]
    return tuple(rule for rule in rules if rule.verdict != _OFF)


def _rule(row: dict[str, str], file: str, number: int) -> Rule:
    allowed = {
        "check": get_args(Check),
        "verdict": (*VERDICTS[1:], _OFF),
        "missing": (*VERDICTS[1:], _SKIP),
    }
    for name, known in allowed.items():
        if row.get(name) not in known:
            raise UsageError(
                "{file}, row {row}, column {column}: {found} is unknown. Use one of: {known}.",
                file=file,
                row=number,
                column=name,
                found=row.get(name) or '""',
                known=", ".join(known),
            )
    rule = Rule(
        row["code"],
        cast("Check", row["check"]),
        tuple(part.strip() for part in row["columns"].split("|") if part.strip()),
        row["value"],
        row["verdict"],
        row["missing"],
        row["reason"].replace(";", ","),
    )
    if rule.check in {"date_between", "phase"} and _range(rule.value) is None:
        raise UsageError(
            "{file}, row {row}, column {column}: {found} is no range of dates. Write it as "
            "2021-09-01..2023-09-01; one end may be left open.",
            file=file,
            row=number,
            column="value",
            found=rule.value or '""',
        )
    return rule


def _range(value: str) -> tuple[str, str] | None:
    first, dots, last = (part.strip() for part in value.partition(".."))
    ends = [end for end in (first, last) if end]
    try:
        valid = bool(dots) and bool(ends) and all(pd.Timestamp(end).date().isoformat() == end for end in ends)
    except ValueError:
        return None
    return (first or "0000-00-00", last or "9999-99-99") if valid else None


def judged(batch: pd.DataFrame, rules: Sequence[Rule]) -> pd.DataFrame:
    r"""Return the batch with `records.VALIDITY`, and `records.PHASE` where the rules know phases.

    A column counts as missing where a file has nothing in it: it was not asked for there.

    >>> rules = parse(",".join(COLUMNS) + "\nx,filled,author,,invalid,unclear,Thiếu tác giả", file="a.csv")
    >>> rows = pd.DataFrame({"author": ["Lê A", ""], "source_file": "a.csv"})
    >>> judged(rows, rules)[list(VALIDITY)].to_numpy().tolist()
    [['valid', '', ''], ['invalid', 'x', 'Thiếu tác giả']]
    """
    parts = [_judged(part, rules) for _file, part in batch.groupby("source_file", sort=False)]
    added = pd.concat(parts).loc[batch.index] if parts else pd.DataFrame(columns=[*VALIDITY], dtype="str")
    if not any(rule.check == "phase" for rule in rules):
        added = added[list(VALIDITY)]
    return batch.assign(**{name: added[name].astype("str") for name in added.columns})


def _judged(part: pd.DataFrame, rules: Sequence[Rule]) -> pd.DataFrame:
    phase = _phases(part, rules)
    verdicts = pd.Series(0, part.index)
    failed: list[list[Rule]] = [[] for _row in range(len(part))]
    for rule in rules:
        if rule.check == "phase":
            continue
        cells = _cells(part, rule.columns)
        verdict = rule.verdict if cells is not None else rule.missing
        if verdict == _SKIP:
            continue
        wrong = _wrong(part, rule, cells, phase) if cells is not None else pd.Series(True, part.index)
        verdicts = verdicts.where(~wrong, verdicts.clip(lower=_RANK[verdict]))
        for row in wrong.to_numpy().nonzero()[0].tolist():
            failed[row].append(rule)
    return pd.DataFrame(
        {
            VALIDITY[0]: [_NAMED[rank] for rank in verdicts],
            VALIDITY[1]: [" ".join(rule.code for rule in each) for each in failed],
            VALIDITY[2]: ["; ".join(rule.reason for rule in each) for each in failed],
            PHASE: phase,
        },
        index=part.index,
    )


_RANK: Final = {"valid": 0, "unclear": 1, "invalid": 2}
_NAMED: Final = {rank: name for name, rank in _RANK.items()}


def _cells(part: pd.DataFrame, columns: Iterable[str]) -> pd.Series[str] | None:
    """Return the first of the columns in which the file has anything; None where there is none."""
    named = {fold(str(name)): name for name in reversed(list(part.columns))}
    for header in columns:
        name = header if header in part.columns else named.get(fold(header))
        if name is not None and part[name].str.strip().ne("").any():
            return part[name].str.strip()
    return None


def _wrong(part: pd.DataFrame, rule: Rule, cells: pd.Series[str], phase: pd.Series[str]) -> pd.Series[bool]:
    """Return which rows fail a rule."""
    empty = cells == ""
    if rule.check == "filled":
        return empty
    if rule.check == "filled_or_confidential":
        return empty & ~part["id"].isin(confidential(part))
    if rule.check == "not_in":
        refused = {fold(word) for word in rule.value.split("|")}
        return cells.map(lambda cell: fold(cell) in refused) & ~empty
    if rule.check == "in_a_phase":
        return ~empty & (phase == "")
    return ~empty & ~_inside(cells, rule.value)


def _inside(cells: pd.Series[str], value: str) -> pd.Series[bool]:
    """Return which cells are a date of a range; what is no date lies outside."""
    first, last = _range(value) or ("", "")
    read: Callable[[str], object] = column(cells).read
    days = {cell: getattr(read(cell), "iso", "") for cell in cells.unique()}
    return cells.map(lambda cell: first <= days[cell] <= last).astype(bool)


def _phases(part: pd.DataFrame, rules: Sequence[Rule]) -> pd.Series[str]:
    """Return the phase of each row, ``""`` for none: of two that hold it, the first."""
    found = pd.Series("", part.index, dtype="str")
    for rule in rules:
        cells = _cells(part, rule.columns) if rule.check == "phase" else None
        if cells is not None:
            found = found.where((found != "") | ~_inside(cells, rule.value), rule.reason)
    return found
