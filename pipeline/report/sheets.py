"""The sheets about matches and labels, for the people who decide; pure.

Sheet names and the choices of a verdict are the same in every language: other programs look for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.decisions import CHOICE, CONTENT, UNSEEN, content_hash
from pipeline.records import AUTHOR_FIELD, DUPLICATE_LEVELS, KIND, KIND_CODE, Decision, Span
from pipeline.report import tables
from pipeline.report.outcome import Outcome, Record
from pipeline.report.passages import Painted, paint
from pipeline.report.wording import DECISIONS, LEVELS, REASONS, Wording, day_of
from pipeline.report.workbook import Cell, Column, Row, Sheet

TO_LOOK_AT: Final = "Cần xem"
VERDICTS: Final = "Kết luận"
FIELDS: Final = "Lĩnh vực"

CHOICES: Final = (*CHOICE.values(), UNSEEN)
"""The verdicts a reviewer may choose; the last is where every match starts."""

MORE: Final = " … (more; the whole text stands in initiatives.parquet)"
CONFIDENTIAL: Final = "Some content is similar; it is marked confidential. Contact {unit}."

_ALIKE: Final = {
    "copy": "The two records are the same in whole or nearly in whole",
    "partial": "A part of the content stands in both records",
    "reworded": "Both records describe the same solution in different words",
    "related": "Both records are about the same subject and are not counted as the same initiative",
}
_SURE: Final = ((0.9, "Sure"), (0.7, "Fairly sure"), (0.0, "Not sure"))


def to_look_at(outcome: Outcome, _: Wording) -> Sheet:
    """Return one row a match: first those that may be the same initiative, then the merely related."""
    columns = (
        Column(_("Level"), 22),
        Column(_("Later id"), 13),
        Column(_("Earlier id"), 13),
        Column(_("Later title"), 32),
        Column(_("Earlier title"), 32),
        Column(_("Later unit"), 22),
        Column(_("Earlier unit"), 22),
        Column(_("Later filed"), 12, "date"),
        Column(_("Earlier filed"), 12, "date"),
        Column(_("Same author?"), 11),
        Column(_("Same unit?"), 11),
        Column(_("Order by date"), 12),
        Column(_("What is the same (extract)"), 45),
        Column(_("What differs"), 40),
        Column(_("Reason"), 40),
        Column(_("Where the earlier record is"), 22),
        Column(_("Later record – the same in colour"), 70),
        Column(_("Earlier record – the same in colour"), 70),
    )
    return Sheet(TO_LOOK_AT, columns, (_match_row(outcome, row, _) for row in _in_order(outcome)))


def verdicts(outcome: Outcome, _: Wording) -> Sheet:
    """Return one row a match, in the order of `to_look_at`, for a person to fill in.

    What people decided before on these texts stands there already. The hidden columns hold the
    `content_hash` of both records, by which a verdict given on a text is told from one given on a former
    text of the same id.
    """
    rows = (_verdict_row(outcome, match, _) for match in _in_order(outcome))
    return Sheet(VERDICTS, _verdict_columns(_), rows)


def decided(decisions: Iterable[Decision], titles: Mapping[str, str], _: Wording) -> Sheet:
    """Return one row a decision, as `verdicts` has them, to be changed and read again.

    Args:
        decisions: What was decided.
        titles: By id, of the records whose titles are known.
        _: The language of the headers.
    """
    rows = (
        Row(
            (
                each.later,
                each.earlier,
                None,
                titles.get(each.later, ""),
                titles.get(each.earlier, ""),
                *_entries(each),
                each.later_content,
                each.earlier_content,
            )
        )
        for each in decisions
    )
    return Sheet(VERDICTS, _verdict_columns(_), rows)


def _verdict_columns(_: Wording) -> tuple[Column, ...]:
    return (
        Column(_("Later id"), 13),
        Column(_("Earlier id"), 13),
        Column(_("Level"), 22),
        Column(_("Later title"), 40),
        Column(_("Earlier title"), 40),
        Column(_("Verdict"), 26, "entry", choices=CHOICES),
        Column(_("Remark"), 40, "entry"),
        Column(_("Reviewer"), 20, "entry"),
        Column(_("Date"), 12, "date", asks_date=True),
        *(Column(name, 12, hidden=True) for name in CONTENT),
    )


def _entries(decision: Decision | None) -> tuple[Cell, ...]:
    """Return verdict, remark, reviewer and date of a decision, or the cells for a first one."""
    if decision is None:
        return UNSEEN, None, None, None
    day = day_of(decision.decided)
    return (
        CHOICE[decision.verdict],
        decision.note or None,
        decision.reviewer or None,
        day or decision.decided or None,
    )


def fields(outcome: Outcome, _: Wording) -> Sheet:
    """Return one row an initiative: its field, how sure that is, and why.

    Behind that stand the kind of solution and the field as the author put it, where the tables have them, and
    the kind that a model gives those that name none.
    """
    columns = [
        Column(_("Id"), 13),
        Column(_("Title"), 50),
        Column(_("Field"), 28),
        Column(_("How sure"), 14),
        Column(_("Probability"), 12, "share"),
        Column(_("Second field"), 28),
        Column(_("Decision"), 22),
        Column(_("Reason"), 45),
    ]
    if KIND_CODE in outcome.initiatives:
        columns.append(Column(_("Kind of solution"), 30))
    if outcome.kinds is not None:
        columns.append(Column(_("Kind of solution, by the model"), 30))
    if AUTHOR_FIELD in outcome.initiatives:
        columns.append(Column(_("Field as the author put it"), 30))
    return Sheet(FIELDS, tuple(columns), _field_rows(outcome, _))


def title_of(record: Record) -> str:
    """Return the title people read: the repaired one where there is one."""
    return record.get("clean_title") or record.get("title") or ""


def _in_order(outcome: Outcome) -> Iterator[Any]:
    frame = tables.matches(outcome)
    duplicate = frame["level"].isin(DUPLICATE_LEVELS)
    for part in (frame[duplicate], frame[~duplicate]):
        yield from tables.rows(part)


def _match_row(outcome: Outcome, match: Any, _: Wording) -> Row:
    later, earlier = outcome.records[match.later], outcome.records[match.earlier]
    same, differs, *texts = _contents(outcome, match, _)
    cells: tuple[Cell, ...] = (
        _.name(LEVELS, match.level),
        match.later,
        match.earlier,
        title_of(later),
        title_of(earlier),
        later.get("unit", ""),
        earlier.get("unit", ""),
        filed(later),
        filed(earlier),
        _sameness(match.same_author, later, earlier, "author", _),
        _sameness(match.same_unit, later, earlier, "unit", _),
        _order(match, later, earlier, _),
        same,
        differs,
        _reason(match, later, earlier, _),
        _place(earlier, _),
        *texts,
    )
    return Row(cells, "plain" if match.level in DUPLICATE_LEVELS else "pale")


def _contents(outcome: Outcome, match: Any, _: Wording) -> tuple[Cell, ...]:
    """Return what is the same, what differs, and both texts with the shared passages marked.

    A confidential text may be compared, not quoted: a sentence stands in place of all four.
    """
    hidden = [each for each in (match.later, match.earlier) if each in outcome.confidential]
    if hidden:
        unit = outcome.records[hidden[0]].get("unit") or _("the author's unit")
        return (_(CONFIDENTIAL, unit=unit),) * 4
    later, earlier = outcome.records[match.later], outcome.records[match.earlier]
    spans: tuple[Span, ...] = match.spans
    return (
        match.shared,
        match.differs,
        _painted(later, [(span.later_start, span.later_end) for span in spans], _),
        _painted(earlier, [(span.earlier_start, span.earlier_end) for span in spans], _),
    )


def _painted(record: Record, ranges: list[tuple[int, int]], _: Wording) -> Painted:
    text = f"{record.get('title', '')}\n{record.get('description', '')}"
    return paint(text, ranges, more=_(MORE))


def filed(record: Record) -> date | str:
    """Return the day a record was filed; what stands there where a workbook has no such day."""
    submitted = record.get("submitted", "")
    day = day_of(submitted)
    return day if day and day.year >= 1900 else submitted  # noqa: PLR2004 - where Excel's calendar begins


def _sameness(same: bool, later: Record, earlier: Record, column: str, _: Wording) -> str:
    return _.yes(same) if same or (later.get(column) and earlier.get(column)) else _("Not known")


def _order(match: Any, later: Record, earlier: Record, _: Wording) -> str:
    if match.order_known:
        return _("Clear from the dates")
    days = day_of(later.get("submitted", "")), day_of(earlier.get("submitted", ""))
    return _("Same day") if days[0] and days[0] == days[1] else _("Not clear from the dates")


def _place(record: Record, _: Wording) -> str:
    if record["archived"]:
        return _("The archive")
    return _("{file}, row {row}", file=record.get("source_file", ""), row=record.get("source_row", ""))


def _reason(match: Any, later: Record, earlier: Record, _: Wording) -> str:
    """Return one sentence made of the facts a council weighs: how alike, by whom, where, when."""
    facts = [
        _(_ALIKE[match.level]),
        _whose(match.same_author, later, earlier, "author", _),
        _whose(match.same_unit, later, earlier, "unit", _),
        _when(match, later, earlier, _),
    ]
    return "; ".join(facts) + "."


def _whose(same: bool, later: Record, earlier: Record, column: str, _: Wording) -> str:
    if same:
        return _("same author") if column == "author" else _("same unit")
    if later.get(column) and earlier.get(column):
        return _("different authors") if column == "author" else _("different units")
    return _("an author is not given") if column == "author" else _("a unit is not given")


def _when(match: Any, later: Record, earlier: Record, _: Wording) -> str:
    last, first = day_of(later.get("submitted", "")), day_of(earlier.get("submitted", ""))
    if last and first and last == first:
        return _("both filed on {date}", date=_.date(first.isoformat()))
    if match.order_known and last and first:
        days = _.number((last - first).days)
        return _(
            "the earlier one was filed on {date}, {days} days before",
            date=_.date(first.isoformat()),
            days=days,
        )
    return _("the dates do not tell which was filed first")


def _verdict_row(outcome: Outcome, match: Any, _: Wording) -> Row:
    pair = outcome.records[match.later], outcome.records[match.earlier]
    hashes = [content_hash(each.get("title", ""), each.get("description", "")) for each in pair]
    titles = [title_of(each) for each in pair]
    level = _.name(LEVELS, match.level)
    cells: tuple[Cell, ...] = (
        match.later,
        match.earlier,
        level,
        *titles,
        *_entries(outcome.verdicts.of(match.later, match.earlier)),
        *hashes,
    )
    return Row(cells, "plain" if match.level in DUPLICATE_LEVELS else "pale")


def _field_rows(outcome: Outcome, _: Wording) -> Iterator[Row]:
    told = tables.records(outcome.initiatives, "title", "clean_title", KIND, KIND_CODE, AUTHOR_FIELD)
    kinds = {} if outcome.kinds is None else {row.id: row for row in tables.rows(tables.kinds(outcome))}
    for label, record in zip(tables.rows(tables.labels(outcome)), told, strict=True):
        names = [outcome.field_names.get(code, code) for code in (label.field, label.field2)]
        sure = next(word for least, word in _SURE if label.probability >= least)
        why = "; ".join(_.name(REASONS, code) for code in label.reason.split())
        decision = _.name(DECISIONS, label.decision)
        cells: list[Cell] = [label.id, title_of(record), names[0], _(sure), label.probability, names[1]]
        cells += [decision, why]
        if KIND_CODE in record:
            cells.append(tables.kind_name(outcome, record[KIND_CODE]) or record[KIND])
        if outcome.kinds is not None:
            cells.append(_guessed(outcome, kinds.get(label.id), _))
        if AUTHOR_FIELD in record:
            cells.append(record[AUTHOR_FIELD])
        yield Row(tuple(cells), "plain" if label.decision == "auto" else "strong")


def _guessed(outcome: Outcome, kind: Any, _: Wording) -> str:
    """Return the kind of solution that a model gives a record, and whether a person must look."""
    if kind is None:
        return ""
    name = tables.kind_name(outcome, kind.field)
    return name if kind.decision == "auto" else f"{name} – {_.name(DECISIONS, kind.decision)}"
