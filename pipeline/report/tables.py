"""The tables of a run, from what was found; pure, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import pandas as pd

from pipeline.records import CANONICAL, CLEANED, KIND_CODE, ORIGIN, VALIDITY, VERDICTS
from pipeline.report.outcome import MATCH_COLUMNS, Outcome, Record
from pipeline.report.wording import Wording

QUARANTINE_COLUMNS: Final = ("file", "sheet", "row", "column", "code", "message", "raw")
_PROBABILITIES: Final = ("probability", "probability2")
_DECIMALS: Final = 4
_MATCH_TYPES: Final = {
    "later": "str",
    "earlier": "str",
    "probability": "float64",
    "level": "str",
    "same_author": "bool",
    "same_unit": "bool",
    "shared": "str",
    "differs": "str",
    "order_known": "bool",
}


def initiatives(outcome: Outcome) -> pd.DataFrame:
    """Return every accepted row: the input's columns, where it stood, the clean text, the words."""
    added = [*VALIDITY, *ORIGIN, *CLEANED, "tokens"]
    frame = outcome.initiatives
    carried = [name for name in frame.columns if name not in {*CANONICAL, *added}]
    return frame[[name for name in (*CANONICAL, *carried, *added) if name in frame.columns]]


def matches(outcome: Outcome) -> pd.DataFrame:
    """Return the matches with their ``spans``, the most probable first, then by ids.

    Probabilities are rounded to the decimals that are printed, so that the order holds in the file too.
    Where either record is confidential, ``shared`` and ``differs`` are empty and spans have no text.
    """
    assert outcome.matches is not None
    frame = outcome.matches[[*MATCH_COLUMNS, "spans"]].copy()
    frame = frame.astype(_MATCH_TYPES)  # an empty table has no types to see
    frame["probability"] = frame["probability"].round(_DECIMALS)
    hidden = frame["later"].isin(outcome.confidential) | frame["earlier"].isin(outcome.confidential)
    frame.loc[hidden, ["shared", "differs"]] = ""
    return frame.sort_values(
        ["probability", "later", "earlier"], ascending=[False, True, True], kind="stable", ignore_index=True
    )


def evidence(outcome: Outcome) -> Iterator[Mapping[str, object]]:
    """Yield one object a match, in the order of `matches`, with the passages both texts share."""
    for row in rows(matches(outcome)[["later", "earlier", "spans"]]):
        hidden = not outcome.confidential.isdisjoint((row.later, row.earlier))
        spans = [
            {
                "later_start": span.later_start,
                "later_end": span.later_end,
                "earlier_start": span.earlier_start,
                "earlier_end": span.earlier_end,
                "text": "" if hidden else span.text,
            }
            for span in sorted(row.spans, key=lambda each: (each.later_start, each.earlier_start))
        ]
        yield {"later": row.later, "earlier": row.earlier, "spans": spans}


def groups(outcome: Outcome) -> pd.DataFrame:
    """Return ``id,group,representative``, by group and id."""
    assert outcome.groups is not None
    frame = outcome.groups[["id", "group", "representative"]].astype("str")
    return frame.sort_values(["group", "id"], kind="stable", ignore_index=True)


def labels(outcome: Outcome) -> pd.DataFrame:
    """Return the labels, one row an initiative, in the order of the input."""
    assert outcome.labels is not None
    return _rounded(outcome.labels)


def kinds(outcome: Outcome) -> pd.DataFrame:
    """Return the kinds that a model gives the initiatives that name none, in the order of the input."""
    assert outcome.kinds is not None
    return _rounded(outcome.kinds)


def kind_name(outcome: Outcome, codes: str) -> str:
    """Return what the kinds in a cell of `records.KIND_CODE` are called."""
    return "; ".join(outcome.kind_names.get(code, code) for code in codes.split())


def _rounded(labels: pd.DataFrame) -> pd.DataFrame:
    frame = labels.copy()
    for name in _PROBABILITIES:
        frame[name] = pd.to_numeric(frame[name]).astype("float64").round(_DECIMALS)
    return frame


def quarantine(outcome: Outcome, _: Wording) -> pd.DataFrame:
    r"""Return the rows that could not be read, each with what to do and the row as it stands in its file.

    Bytes that were no text, and are kept as half surrogate pairs, become escapes such as ``\udcff``.
    """
    rows = [
        (each.file, each.sheet, each.row, each.column, each.code, each.note.say(_.translate), each.raw)
        for each in outcome.quarantine
    ]
    frame = pd.DataFrame(rows, columns=list(QUARANTINE_COLUMNS), dtype="object")
    for name in frame.columns.drop("row"):
        cells = [cell.encode("utf-8", "backslashreplace").decode() for cell in frame[name]]
        frame[name] = pd.Series(cells, dtype="str")
    return frame.astype({"row": "int64"})


def counts(outcome: Outcome) -> dict[str, object]:
    """Return the counts of a run: rows per file and in all, then what each step found."""
    kinds = ("read", "accepted", "quarantined", "blank")
    per_file = [
        {"file": each.file, **{kind: getattr(each, kind) for kind in kinds}} for each in outcome.sources
    ]
    found: dict[str, object] = {
        "files": per_file,
        **{kind: sum(getattr(each, kind) for each in outcome.sources) for kind in kinds},
    }
    if VALIDITY[0] in outcome.initiatives:
        found["validity"] = _tally(outcome.initiatives[VALIDITY[0]])
    if outcome.matches is not None and outcome.groups is not None:
        found["archive"] = outcome.archive_size
        found["matches"] = _tally(outcome.matches["level"])
        found["groups"] = int(outcome.groups["group"].nunique())
        found["after_merging"] = after_merging(outcome)
        found["repeating_archive"] = repeating_archive(outcome)
        found["outside_scope"] = outcome.outside
        found["verdicts"] = {
            **{verdict: len(outcome.verdicts.pairs(verdict)) for verdict in VERDICTS},
            "silenced": outcome.silenced,
            "stale": outcome.verdicts.stale,
        }
    if outcome.labels is not None:
        found["fields"] = _tally(outcome.labels["field"])
        found["decisions"] = _tally(outcome.labels["decision"])
    if outcome.shares is not None:
        found["field_shares"] = {
            each.field: asdict(each) for each in sorted(field_shares(outcome), key=lambda each: each.field)
        }
    if KIND_CODE in outcome.initiatives:
        told = outcome.initiatives[KIND_CODE]
        found["kinds"] = _tally(told[told != ""])
    if outcome.kinds is not None:
        found["guessed_kinds"] = _tally(outcome.kinds["field"])
    return found


@dataclass(frozen=True, slots=True)
class FieldShare:
    """How many initiatives were labelled with a field, and the share (0 to 1) that follows from all of them.

    The truth lies from ``low`` to ``high`` in 95 of 100 such reports; the three last are None where the model
    does not say how it errs.
    """

    field: str
    count: int
    share: float
    corrected: float | None
    low: float | None
    high: float | None


def field_shares(outcome: Outcome) -> list[FieldShare]:
    """Return the fields of a run, the most frequent label first; [] where fields were not counted."""
    if outcome.shares is None:
        return []
    found = [
        FieldShare(
            str(row.field),
            int(row.count_),
            float(row.share),
            *(None if pd.isna(value) else float(value) for value in (row.corrected, row.low, row.high)),
        )
        for row in rows(outcome.shares.rename(columns={"count": "count_"}))
    ]
    return sorted(found, key=lambda each: (-each.count, each.field))


def after_merging(outcome: Outcome) -> int:
    """Return how many of the initiatives remain when each group of duplicates counts once."""
    return len(outcome.initiatives) - len(_grouped(outcome)) + _grouped(outcome)["group"].nunique()


def repeating_archive(outcome: Outcome) -> int:
    """Return how many of those that remain share a group with an archived record, so were counted before."""
    if outcome.groups is None:
        return 0
    new = outcome.groups["id"].isin(outcome.initiatives["id"])
    return len(set(outcome.groups["group"][new]) & set(outcome.groups["group"][~new]))


def _grouped(outcome: Outcome) -> pd.DataFrame:
    """Return the rows of ``groups`` that are initiatives of this run."""
    if outcome.groups is None:
        return pd.DataFrame({"id": [], "group": []})
    return outcome.groups[outcome.groups["id"].isin(outcome.initiatives["id"])]


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a table, their cells as attributes named by its columns."""
    return iter(frame.itertuples(index=False))


def records(frame: pd.DataFrame, *names: str) -> list[Record]:
    """Return the rows of a table as mappings from column to cell, of those of ``names`` that it has."""
    wanted = frame[[name for name in names if name in frame.columns]]
    return cast("list[Record]", wanted.to_dict("records"))


def _tally(codes: pd.Series[str]) -> dict[str, int]:
    return {str(code): int(count) for code, count in codes.value_counts().sort_index().items()}
