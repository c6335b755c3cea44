"""The workbook in which people label records: what is asked, and the fields there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from pipeline.labels import CONTENT, UNSURE, VERSION
from pipeline.report import tables
from pipeline.report.wording import Wording
from pipeline.report.workbook import Column, Phrases, Row, Sheet
from pipeline.taxonomy import Field, Taxonomy

LABELS: Final = "Gán nhãn"
LIST: Final = "Danh mục lĩnh vực"

_HIDDEN: Final = (Column(CONTENT, 12, hidden=True), Column(VERSION, 12, hidden=True))

_WHY: Final = {
    "split": "The field of its label was split",
    "start": "Typical of many: a start for all fields",
    "unsure": "The model cannot decide between two fields",
}
"""What each reason for asking (`asking.WHY`) is called."""


def sheets(asked: pd.DataFrame, taxonomy: Taxonomy, fields: tuple[Field, ...], _: Wording) -> Iterator[Sheet]:
    """Yield the sheet to be filled in, and the list of fields that its drop-downs show.

    What the model guesses is not shown: people would agree with it too easily.

    Args:
        asked: ``id,title,description,unit,why,content``, a row a record.
        taxonomy: The version in use.
        fields: Those of its fields that take labels.
        _: The language of the headers.
    """
    columns = (
        *_record(_),
        *_to_fill(fields, _),
        Column(_("Why it is asked"), 24),
        *_HIDDEN,
    )
    rows = (
        Row(
            (
                row.id,
                row.title,
                row.description,
                row.unit,
                *(None,) * 5,
                _(_WHY[row.why]),
                row.content,
                taxonomy.version,
            )
        )
        for row in tables.rows(asked)
    )
    yield Sheet(LABELS, columns, rows)
    yield Sheet(LIST, _list_columns(_), _listed(fields, _))


def doubts(found: pd.DataFrame, taxonomy: Taxonomy, fields: tuple[Field, ...], _: Wording) -> Iterator[Sheet]:
    """Yield the sheet of labels to look at again, the most doubtful first, and the list of fields.

    The column to fill in is empty: a label nobody looked at is not said a second time.
    """
    columns = (
        *_record(_),
        Column(_("Label now"), 28),
        Column(_("Second label now"), 28),
        Column(_("How likely"), 10, "share"),
        Column(_("Perhaps"), 28),
        Column(_("How likely that is"), 10, "share"),
        *_to_fill(fields, _),
        *_HIDDEN,
    )
    names = taxonomy.names
    rows = (
        Row(
            (
                row.id,
                row.title,
                row.description,
                row.unit,
                *(names.get(code, code) for code in (row.field, row.field2)),
                row.probability,
                names.get(row.suggested, ""),
                row.probability2,
                *(None,) * 5,
                row.content,
                taxonomy.version,
            ),
            "strong" if row.doubtful else "plain",
        )
        for row in tables.rows(found)
    )
    yield Sheet(LABELS, columns, rows)
    yield Sheet(LIST, _list_columns(_), _listed(fields, _))


def _record(_: Wording) -> tuple[Column, ...]:
    """Return the columns that show a record to whoever labels it."""
    return (
        Column(_("Id"), 13),
        Column(_("Title"), 40),
        Column(_("Description"), 70),
        Column(_("Unit"), 24),
    )


def _to_fill(fields: tuple[Field, ...], _: Wording) -> tuple[Column, ...]:
    """Return the columns in which people say what a record's field is."""
    # The list has one row more than there are fields: for whoever cannot tell.
    choices = f"='{LIST}'!$A$2:$A${len(fields) + 2}"
    return (
        Column(_("Field"), 28, "entry", choices_from=choices),
        Column(_("Second field"), 28, "entry", choices_from=choices),
        Column(_("Remark"), 30, "entry"),
        Column(_("Labeller"), 20, "entry"),
        Column(_("Date"), 12, "date", asks_date=True),
    )


def _list_columns(_: Wording) -> tuple[Column, ...]:
    return (
        Column(_("Field"), 34),
        Column(_("Code"), 16),
        Column(_("Definition"), 60),
        Column(_("What belongs"), 50),
        Column(_("What does not"), 50),
    )


def _listed(fields: tuple[Field, ...], _: Wording) -> Iterator[Row]:
    for field in fields:
        yield Row(
            (field.name, field.code, field.definition, "; ".join(field.includes), "; ".join(field.excludes))
        )
    yield Row((UNSURE, "", _("Nobody can tell: the record stays without a label."), "", ""))


def phrases(_: Wording) -> Phrases:
    """Return the sentences of the workbook itself."""
    return Phrases(
        title=_("Records to label"),
        footer=_("Choose the field of each record; a second one only where it deserves it."),
        more=_(" … (more; the whole text stands in the table it came from)"),
        date_wanted=_("Type a date as day/month/year."),
        choice_wanted=_("Choose one of the fields in the list."),
    )
