"""The sheets about what is missing and about what was compared without a finding; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from pipeline.records import DUPLICATE_LEVELS, FLAGS, ORIGIN, VALIDITY
from pipeline.report import tables
from pipeline.report.outcome import Outcome, Record
from pipeline.report.sheets import filed, title_of
from pipeline.report.wording import REPAIRS, Wording
from pipeline.report.workbook import Column, Row, Sheet

MISSING: Final = "Thiếu thông tin"
CLEAR: Final = "Không trùng"

_GAPS: Final = {
    "title": ("There is no title", "Fill in the title"),
    "author": ("No author is named", "Fill in the author"),
    "unit": ("No unit is named", "Fill in the unit"),
    "submitted": ("There is no date of filing", "Fill in the date of filing"),
}
_NOT_COMPARED: Final = "not_compared"
_NEEDED: Final = (
    *("id", "title", "clean_title", "author", "unit", "submitted", "flags"),
    *VALIDITY,
    *ORIGIN,
)
_ROW_BY_ROW: Final = frozenset({"too_short", _NOT_COMPARED})
"""What is said of every record that has it, however many have it: such a record was not checked."""

Issue = tuple[str, str]


def missing(outcome: Outcome, _: Wording) -> Sheet:
    """Return what is missing or damaged, and how to repair it: files as a whole, records, unread rows.

    What all records of a file lack is said once for the file.
    """
    columns = (
        Column(_("File"), 24),
        Column(_("Row"), 10),
        Column(_("Id"), 13),
        Column(_("Title"), 45),
        Column(_("What is missing"), 50),
        Column(_("How to repair it"), 45),
        Column(_("As it stands in the file"), 50),
    )
    return Sheet(MISSING, columns, _missing_rows(outcome, _))


def clear(outcome: Outcome, _: Wording) -> Sheet:
    """Return the initiatives that were compared and resemble no other: the proof that they were checked.

    Those that are too short to compare stand in `missing` and never here.
    """
    columns = (
        Column(_("Id"), 13),
        Column(_("Title"), 55),
        Column(_("Unit"), 30),
        Column(_("Filed"), 12, "date"),
        Column(_("Compared with"), 14, "count"),
        Column(_("Archive up to"), 14),
        Column(_("Result"), 55),
    )
    return Sheet(CLEAR, columns, _clear_rows(outcome, _))


def duplicated(outcome: Outcome) -> set[str]:
    """Return the ids that stand in a match of a duplicate level, on either side."""
    if outcome.matches is None:
        return set()
    rows = outcome.matches[outcome.matches["level"].isin(DUPLICATE_LEVELS)]
    return {*rows["later"], *rows["earlier"]}


def _missing_rows(outcome: Outcome, _: Wording) -> Iterator[Row]:
    records = tables.records(outcome.initiatives, *_NEEDED)
    found = duplicated(outcome)
    issues = [
        _issues(record, record["id"] not in found and outcome.matches is not None) for record in records
    ]
    everywhere = _everywhere(records, issues)
    for file, codes in sorted(everywhere.items()):
        for code in codes:
            what, repair = _say(code, _)
            yield Row((file, _("whole file"), "", "", what, repair, ""), "strong")
    for record, codes in zip(records, issues, strict=True):
        own = [code for code in codes if code not in everywhere[record["source_file"]]]
        if own:
            said = [_say(code, _) for code in own]
            place = (record["source_file"], record["source_row"], record["id"], title_of(record))
            repairs = dict.fromkeys(repair for _what, repair in said if repair)
            yield Row((*place, "\n".join(what for what, _repair in said), "\n".join(repairs), ""))
    yield from _unread_rows(outcome, _)


def _unread_rows(outcome: Outcome, _: Wording) -> Iterator[Row]:
    for row in tables.rows(tables.quarantine(outcome, _)):
        place = f"{row.sheet}!{row.row}" if row.sheet else str(row.row)
        yield Row((row.file, place if row.row else _("whole file"), "", "", row.message, "", row.raw))


def _issues(record: Record, unmatched: bool) -> list[str]:
    """Return the codes of what a record lacks: its flags, then the columns that are empty."""
    flags = record.get("flags", "").split()
    gaps = [column for column in _GAPS if not record.get(column)]
    if "bad_date" in flags and "submitted" in gaps:
        gaps.remove("submitted")
    not_compared = [_NOT_COMPARED] if "too_short" in flags and unmatched else []
    return [*flags, *not_compared, *gaps, *_reasons(record)]


def _reasons(record: Record) -> list[str]:
    """Return why a record is not valid, in the words of the rules, but for what a gap says already."""
    codes, reasons = record.get("validity_codes", "").split(), record.get("validity_reason", "").split("; ")
    pairs = zip(codes, reasons, strict=False)
    return [reason for code, reason in pairs if code not in {*_GAPS, "description"}]


def _everywhere(records: list[Record], issues: list[list[str]]) -> dict[str, list[str]]:
    """Return, by file, the codes that all of its records have; a file of one record has none."""
    sizes = Counter(record["source_file"] for record in records)
    seen = Counter(
        (record["source_file"], code)
        for record, codes in zip(records, issues, strict=True)
        for code in set(codes) - _ROW_BY_ROW
    )
    common: dict[str, list[str]] = {file: [] for file in sizes}
    for (file, code), count in sorted(seen.items()):
        if count == sizes[file] > 1:
            common[file].append(code)
    return common


def _say(code: str, _: Wording) -> Issue:
    if code in _GAPS:
        return _(_GAPS[code][0]), _(_GAPS[code][1])
    if code == _NOT_COMPARED:
        return _("Not compared: nothing is said about repetition"), ""
    what = _(FLAGS[code]) if code in FLAGS else code
    return what[:1].upper() + what[1:], _(REPAIRS[code]) if code in REPAIRS else ""


def _clear_rows(outcome: Outcome, _: Wording) -> Iterator[Row]:
    found = duplicated(outcome)
    matched = set() if outcome.matches is None else {*outcome.matches["later"], *outcome.matches["earlier"]}
    records = tables.records(outcome.initiatives, *_NEEDED)
    compared = [record for record in records if "too_short" not in record.get("flags", "").split()]
    others = max(outcome.archive_size + len(compared) - 1, 0)
    for record in compared:
        if record["id"] in found:
            continue
        words = _("No similar content was found in {count} other initiatives", count=_.number(others))
        if record["id"] in matched:
            words += "; " + _("one on the same subject stands in the sheet “{sheet}”", sheet="Cần xem")
        place = (record["id"], title_of(record), record.get("unit", ""), filed(record))
        yield Row((*place, others, _.date(outcome.archive_date), words + "."))
