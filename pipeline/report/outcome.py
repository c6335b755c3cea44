"""What a run found: all that the tables, the workbook and ``run.json`` are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Final

import pandas as pd

from pipeline.decisions import InForce
from pipeline.records import Match, Quarantined, Source
from pipeline.settings import Scope

MATCH_COLUMNS: Final = (
    "later",
    "earlier",
    "probability",
    "level",
    "same_author",
    "same_unit",
    "shared",
    "differs",
    "order_known",
)
"""Columns of ``matches.csv``, in order."""

Record = Mapping[str, str]
"""The cells of one row, by column."""

_NOT_CONFIDENTIAL: Final = frozenset({"", "-", "0", "không", "không có", "no", "none", "false"})


def match_frame(matches: Iterable[Match]) -> pd.DataFrame:
    """Return ``matches`` as a table: `MATCH_COLUMNS` and ``spans`` (a tuple of `records.Span` a row).

    >>> match_frame([]).columns.tolist()[-2:]
    ['order_known', 'spans']
    """
    rows = list(matches)
    names = [each.name for each in fields(Match)]
    return pd.DataFrame({name: [getattr(row, name) for row in rows] for name in names})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run found.

    Attributes:
        initiatives: The accepted rows: `records.CANONICAL`, other input columns, `records.ORIGIN`,
            `records.CLEANED`, ``tokens`` where the words were cut; unique ids.
        others: The archive's records that ``matches`` refer to, with at least `records.CANONICAL`'s
            ``id``. Where an id stands in both tables, a match means the row of ``initiatives``.
        matches: `MATCH_COLUMNS` and ``spans`` (see `match_frame`); None when duplicates were not looked for.
        groups: ``id,group,representative``; None with ``matches``.
        labels: The columns of ``labels.csv``; None when nothing was classified.
        shares: How many records belong to each field (`classify.report_counts`), ``by`` being ``""``; None
            where they are only labelled.
        quarantine: Rows that could not be read.
        sources: What became of each input file.
        field_names: Code to name of the taxonomy's fields.
        facts: What stands in ``run.json`` beside the counts and is the same for the same input: versions,
            settings, model, taxonomy. Values are what JSON can hold.
        cost: What differs from run to run: seconds per step, peak memory, workers, the time it started.
        archive_size: How many archived records the initiatives were compared with.
        archive_date: ISO date to which the archive reaches; ``""`` when unknown.
        verdicts: What people decided about pairs of these records.
        silenced: How many pairs were found and left out, because a person called them different.
        scope: Which pairs were looked at: see `settings.Scope`.
        outside: How many pairs were found and left out, because they lie outside the scope.
        unknown_units: Names of units that the office's register does not have: the name, how many records
            bear it, the nearest names that it has.
        kinds: The columns of ``kinds.csv``, a row an initiative that names no kind of solution; None where no
            model of kinds is in use.
        kind_names: Code to name of the kinds of solution.
        unknown_kinds: What records say of their kind that the sheet of kinds does not have: the cell, how
            many records say so.

    Raises:
        ValueError: The rows of the tables and the counts of ``sources`` contradict each other.
    """

    initiatives: pd.DataFrame
    others: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"id": []}, dtype="str"))
    matches: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    labels: pd.DataFrame | None = None
    shares: pd.DataFrame | None = None
    quarantine: tuple[Quarantined, ...] = ()
    sources: tuple[Source, ...] = ()
    field_names: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    cost: Mapping[str, object] = field(default_factory=dict)
    archive_size: int = 0
    archive_date: str = ""
    verdicts: InForce = field(default_factory=InForce)
    silenced: int = 0
    scope: Scope = "all"
    outside: int = 0
    unknown_units: tuple[tuple[str, int, tuple[str, ...]], ...] = ()
    kinds: pd.DataFrame | None = None
    kind_names: Mapping[str, str] = field(default_factory=dict)
    unknown_kinds: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        self._check_equation()
        if not self.initiatives["id"].is_unique:
            raise ValueError("initiatives: an id stands on two rows")
        if (self.matches is None) != (self.groups is None):
            raise ValueError("matches and groups come from one step: give both or neither")
        if self.labels is not None and list(self.labels["id"]) != list(self.initiatives["id"]):
            raise ValueError("labels: one row an initiative is wanted, in the same order")
        if self.kinds is not None and not set(self.kinds["id"]) <= set(self.initiatives["id"]):
            raise ValueError("kinds: a row is of no initiative")
        if self.matches is not None:
            known = {*self.initiatives["id"], *self.others["id"]}
            for column in ("later", "earlier"):
                if strange := set(self.matches[column]) - known:
                    raise ValueError(f"matches: {column} names records nobody gave: {sorted(strange)[:3]}")

    def _check_equation(self) -> None:
        """Raise unless every row that was read is accepted, quarantined or blank."""
        for source in self.sources:
            if source.read != source.accepted + source.quarantined + source.blank:
                raise ValueError(f"{source.file}: read is not accepted + quarantined + blank")
        accepted = {source.file: source.accepted for source in self.sources if source.accepted}
        if accepted != self.initiatives["source_file"].value_counts().to_dict():
            raise ValueError("initiatives: the rows per source_file are not those the sources accepted")

    @cached_property
    def records(self) -> dict[str, dict[str, str]]:
        """Every record a match may name, by id: its cells by column."""
        found: dict[str, dict[str, str]] = {}
        for frame, archived in ((self.others, True), (self.initiatives, False)):
            wanted = self._named_by_matches & set(frame["id"])
            rows = frame[frame["id"].isin(wanted)].to_dict("records")
            found |= {row["id"]: {**row, "archived": "yes" if archived else ""} for row in rows}
        return found

    @cached_property
    def _named_by_matches(self) -> set[str]:
        if self.matches is None:
            return set()
        return {*self.matches["later"], *self.matches["earlier"]}

    @cached_property
    def confidential(self) -> frozenset[str]:
        """The ids of records whose text may be compared but not quoted.

        A column named ``confidential``, or with "bảo mật" in its name as on the form for filing an
        initiative (Thông tư 18/2013/TT-BKHCN, Phụ lục I: "những thông tin cần được bảo mật"), marks a
        record by any cell but an empty one or a "no".
        """
        return confidential(self.initiatives) | confidential(self.others)


def confidential(frame: pd.DataFrame) -> frozenset[str]:
    """Return the ids of the rows that a column marks as confidential (see `Outcome.confidential`).

    >>> sorted(confidential(pd.DataFrame({"id": ["1", "2"], "Cần bảo mật": ["x", "Không"]})))
    ['1']
    """
    marked: set[str] = set()
    for column in frame.columns:
        name = str(column).casefold()
        if name == "confidential" or "bảo mật" in name:
            said = frame[column].str.strip().str.casefold()
            marked.update(frame["id"][~said.isin(_NOT_CONFIDENTIAL)])
    return frozenset(marked)
