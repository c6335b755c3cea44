"""The sheet of totals: counts by level, field, sector and unit, and what the run was made with; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, get_args

from pipeline import records
from pipeline.decisions import CHOICE
from pipeline.records import Level
from pipeline.report import tables
from pipeline.report.outcome import Outcome
from pipeline.report.wording import DECISIONS, DISCLAIMER, LEVELS, SCOPES, SECTORS, VALIDITY, Wording
from pipeline.report.workbook import Cell, Column, Formula, Row, Sheet, Style

SUMMARY: Final = "Tổng hợp"
_TOP_UNITS: Final = 20
_NUMBERS: Final = 5
_CORRECTED: Final = (
    "The share that is likely in truth, seeing how often the model takes one field for another; in 95 of 100 "
    "reports the truth lies between At least and At most. It holds for records like those the model learnt "
    "from."
)
_NOT_CORRECTED: Final = "The model does not say how it errs, so shares are not corrected. Train it again."


def totals(outcome: Outcome, _: Wording) -> Sheet:
    """Return the totals of a run; sums and shares are formulas, so that it is seen how they come about."""
    columns = (
        Column(_("Part"), 30),
        Column(_("Item"), 50),
        Column(_("Number"), 12, "count"),
        Column(_("Share"), 10, "share"),
        Column(_("Corrected share"), 12, "share"),
        Column(_("At least"), 10, "share"),
        Column(_("At most"), 10, "share"),
        Column(_("Remark"), 60),
    )
    page = _Page()
    page.add(_("Remark"), "", remark=_(DISCLAIMER), style="strong")
    _rows_read(page, outcome, _)
    _initiatives(page, outcome, _)
    _breakdowns(page, outcome, _)
    _made_with(page, outcome.facts, _)
    return Sheet(SUMMARY, columns, page.rows)


class _Page:
    """Rows as they come, knowing on which row of the sheet each will stand."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, part: str, item: str, *numbers: Cell, remark: str = "", style: Style = "plain") -> None:
        """Add a row; ``numbers`` are the number, its share, the corrected share and its ends."""
        cells = (*numbers, *(None,) * _NUMBERS)[:_NUMBERS]
        self.rows.append(Row((part, item, *cells, remark), style))

    def block(
        self,
        part: str,
        items: Mapping[str, int],
        total: str,
        beside: Mapping[str, tuple[Cell, ...]] | None = None,
    ) -> None:
        """Add one row an item and a row ``total`` that sums them; ``beside`` stands right of a share."""
        if not items:
            return
        first = len(self.rows) + 2  # rows count from 1, and the header is the first
        last = first + len(items) - 1
        whole = sum(items.values())
        for line, (item, count) in enumerate(items.items(), first):
            ratio = Formula(f"IF(C{last + 1}=0,0,C{line}/C{last + 1})", count / whole if whole else 0)
            self.add(part, item, count, ratio, *(beside or {}).get(item, ()))
        self.add(part, total, Formula(f"SUM(C{first}:C{last})", whole), style="strong")


def _rows_read(page: _Page, outcome: Outcome, _: Wording) -> None:
    """Every row that was read is accepted, set aside or blank: for each file, then in all."""
    kinds = {
        "accepted": _("Accepted"),
        "quarantined": _("Could not be read (sheet “{sheet}”)", sheet="Thiếu thông tin"),
        "blank": _("Blank rows"),
    }
    for source in outcome.sources:
        part = _("Rows of {file}", file=source.file)
        page.block(part, {name: getattr(source, kind) for kind, name in kinds.items()}, _("Rows read"))
    if len(outcome.sources) > 1:
        sums = {name: sum(getattr(each, kind) for each in outcome.sources) for kind, name in kinds.items()}
        page.block(_("Rows of all files"), sums, _("Rows read"))


def _initiatives(page: _Page, outcome: Outcome, _: Wording) -> None:
    part = _("Initiatives")
    page.add(part, _("Submissions"), len(outcome.initiatives), style="strong")
    _benefits(page, outcome, _)
    if outcome.groups is None:
        return
    page.add(
        part,
        _("Initiatives after merging"),
        tables.after_merging(outcome),
        remark=_("Each group of records with similar content counts once; to be confirmed by the council."),
        style="strong",
    )
    page.add(part, _("Of these, similar to one in the archive"), tables.repeating_archive(outcome))
    date = _.date(outcome.archive_date)
    remark = _("Filed up to {date}", date=date) if date else ""
    page.add(part, _("Archived records compared with"), outcome.archive_size, remark=remark)


def _benefits(page: _Page, outcome: Outcome, _: Wording) -> None:
    """The sum of what records state in đồng, and how many of them state it; nothing where none does."""
    if records.BENEFIT not in outcome.initiatives:
        return
    stated = [int(cell) for cell in outcome.initiatives[records.BENEFIT] if cell]
    remark = _(
        "Stated in figures by {count} of the records; others are not in the sum.", count=_.number(len(stated))
    )
    page.add(_("Initiatives"), _("Stated benefit, đồng"), sum(stated), remark=remark)


def _breakdowns(page: _Page, outcome: Outcome, _: Wording) -> None:
    total = _("Total")
    if outcome.matches is not None:
        seen = Counter(outcome.matches["level"])
        levels = {_.name(LEVELS, level): seen[level] for level in get_args(Level)}
        page.block(_("Pairs by level"), levels, total)
        _scope(page, outcome, _)
        _verdicts(page, outcome, _)
    if outcome.labels is not None:
        _fields(page, outcome, _)
        decisions = outcome.labels["decision"].map(lambda code: _.name(DECISIONS, code))
        page.block(_("Fields by decision"), _ranked(decisions), total)
    if records.VALIDITY[0] in outcome.initiatives:
        verdicts = outcome.initiatives[records.VALIDITY[0]].map(lambda code: _.name(VALIDITY, code))
        page.block(_("Initiatives by validity"), _ranked(verdicts), total)
    unknown = _("Not given")
    _kinds(page, outcome, _)
    sectors = outcome.initiatives["sector"].map(lambda code: _.name(SECTORS, code) or unknown)
    page.block(_("Initiatives by sector"), _ranked(sectors), total)
    if "registered_sector" in outcome.initiatives:
        blocks = outcome.initiatives["registered_sector"].map(lambda name: name or unknown)
        page.block(_("Initiatives by block of the register"), _ranked(blocks), total)
    for column, named, part in (
        ("upper_union", "registered_union", _("Initiatives by upper union")),
        ("unit", "registered_unit", _("Initiatives by unit")),
    ):
        cells = outcome.initiatives[column]
        if named in outcome.initiatives:  # what the office's register calls it counts
            cells = outcome.initiatives[named].where(outcome.initiatives[named] != "", cells)
        page.block(part, _largest(_ranked(cells.map(lambda name: name or unknown)), _), total)
    for unit, count, nearest in outcome.unknown_units:
        remark = _("Perhaps: {names}", names="; ".join(nearest)) if nearest else ""
        page.add(_("Units that the register does not have"), unit, count, remark=remark)


def _fields(page: _Page, outcome: Outcome, _: Wording) -> None:
    """How many initiatives have each label, and beside it the share that is likely in truth."""
    assert outcome.labels is not None
    part = _("Initiatives by field")
    told = tables.field_shares(outcome)
    names = {each.field: outcome.field_names.get(each.field, each.field) for each in told}
    counted = {names[each.field]: each.count for each in told}
    plain = _ranked(outcome.labels["field"].map(lambda code: outcome.field_names.get(code, code)))
    beside = {names[each.field]: (each.corrected, each.low, each.high) for each in told}
    page.block(part, counted or plain, _("Total"), beside)
    if any(each.corrected is not None for each in told):
        page.add(part, _("Corrected share"), remark=_(_CORRECTED))
    elif told:
        page.add(part, _("Corrected share"), remark=_(_NOT_CORRECTED))


def _kinds(page: _Page, outcome: Outcome, _: Wording) -> None:
    """How many initiatives name which kind of solution; nothing where none names any."""
    if records.KIND_CODE not in outcome.initiatives or not outcome.initiatives[records.KIND].any():
        return
    named = zip(outcome.initiatives[records.KIND_CODE], outcome.initiatives[records.KIND], strict=True)
    rest = {True: _("Not recognised"), False: _("Not given")}
    kinds = [tables.kind_name(outcome, codes) or rest[any(map(str.isalnum, cell))] for codes, cell in named]
    page.block(_("Initiatives by kind of solution"), _ranked(kinds), _("Total"))
    for cell, count in outcome.unknown_kinds:
        page.add(_("Kinds of solution that the sheet does not have"), cell, count)


def _scope(page: _Page, outcome: Outcome, _: Wording) -> None:
    """How many pairs were left out because of where they come from; nothing where all were asked for."""
    if outcome.scope != "all":
        remark = _.name(SCOPES, outcome.scope)
        page.add(_("Scope"), _("Pairs outside the scope, not shown"), outcome.outside, remark=remark)


def _verdicts(page: _Page, outcome: Outcome, _: Wording) -> None:
    """What people decided before, and how many pairs are therefore not shown; nothing where nobody did."""
    part, told = _("Verdicts of reviewers"), outcome.verdicts
    if told.by_pair:
        choices = {choice: len(told.pairs(verdict)) for verdict, choice in CHOICE.items()}
        page.block(part, choices, _("Total"))
        remark = _("These pairs were found again; they stay silent until a text changes.")
        page.add(
            part, _("Pairs not shown, because a reviewer told them apart"), outcome.silenced, remark=remark
        )
    if told.stale:
        remark = _("A text has changed since; the pair is to be looked at again.")
        page.add(part, _("Pairs with a verdict on a former text only"), told.stale, remark=remark)


def _ranked(names: object) -> dict[str, int]:
    """Return how often each name stands, the most frequent first, then by name."""
    counted = Counter(names)  # type: ignore[call-overload] # a Series is an iterable of its cells
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _largest(ranked: dict[str, int], _: Wording) -> dict[str, int]:
    """Return the largest items and, as one more, all the others."""
    items = list(ranked.items())
    rest = items[_TOP_UNITS:]
    if not rest:
        return ranked
    name = _("Others ({count})", count=_.number(len(rest)))
    return {**dict(items[:_TOP_UNITS]), name: sum(count for _name, count in rest)}


def _made_with(page: _Page, facts: Mapping[str, object], _: Wording) -> None:
    for name, value in _flat(facts):
        page.add(_("Made with"), name, remark=value)


def _flat(facts: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested facts as lines: ``model.name``, value."""
    lines: list[tuple[str, str]] = []
    for key in sorted(facts):
        value = facts[key]
        if isinstance(value, Mapping):
            lines += _flat(value, f"{prefix}{key}.")
        elif value is not None:
            lines.append((f"{prefix}{key}", str(value)))
    return lines
