"""How good the fields are, as a page that a person can read and keep: one file, no script, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from pipeline.report.evaluation import document, figure, shown, table, titled
from pipeline.report.plot import Mark, diagram, reliability
from pipeline.report.wording import Wording

_FIGURES: Final = (
    ("model", "Field classifier"),
    ("rows", "Records that people labelled"),
    ("accuracy", "Field as people said"),
    ("accuracy_second", "Field, or second field, as people said"),
    ("macro_f1", "Mean F1 of the fields"),
    ("ece", "Calibration error of the probabilities"),
    ("coverage", "Share accepted without a person"),
    ("precision_auto", "Of those, right"),
)
FORMS: Final = {
    "title": "Titles alone",
    "no_workplace": "Without the workplace",
    "no_marks": "Typed without marks",
    "decomposed": "Decomposed letters (NFD)",
}
"""What each form of the same records is called."""
_WHOLE: Final = 0.95


def page(content: Mapping[str, Any], names: Mapping[str, str], _: Wording) -> str:
    """Return the page of an evaluation (`judging.content`) as HTML; ``names`` are those of the fields."""
    return document(
        escape(_("How good the fields are, beside what people judged")),
        [
            *_seen(content["seen"], _),
            table((), [(_(text), shown(content.get(name), _)) for name, text in _FIGURES]),
            f'<div class="plots">{_coverage(content, _)}{_reliability(content, _)}</div>',
            _heading(_("By field, with intervals that hold in 95 of 100 cases")),
            _fields(content["fields"], names, _),
            _heading(_("What is taken for what")),
            _confusions(content, names, _),
            _heading(_("The same records in other forms")),
            _slices(content["forms"], {form: _.name(FORMS, form) for form in FORMS}, _),
            _heading(_("By sector")),
            _slices(content["sectors"], {}, _),
            _heading(_("By unit (10 records or more)")),
            _slices(content["units"], {}, _),
        ],
        _,
    )


def _seen(found: Mapping[str, Any], _: Wording) -> list[str]:
    """Return what must be known before any figure is read: whether the model has seen the records."""
    if not found["known"]:
        return [_strong(_("Whether the model learnt from these records cannot be told."))]
    if not found["records"]:
        return []
    said = _(
        "The model learnt from {count} of these records, or from copies of them: the figures are better than "
        "on records that are new to it.",
        count=_.number(found["records"]),
    )
    if found["others"] is None:
        return [_strong(said)]
    return [_strong(said), _slices([found["others"]], {"others": _("The other records alone")}, _)]


def _strong(text: str) -> str:
    return f"<p><strong>{escape(text)}</strong></p>"


def _heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def _coverage(content: Mapping[str, Any], _: Wording) -> str:
    points = [(point["coverage"], point["accuracy"]) for point in content["risk_coverage"]]
    marks = [
        Mark(
            point["coverage"],
            point["accuracy"],
            _("from {probability}", probability=shown(point["probability"], _)),
        )
        for point in content["risk_coverage"]
    ]
    title = _("How often labels are right when only the surest are taken")
    svg = diagram(
        points, marks, title=title, across=_("Share of records taken"), up=_("Share right"),
        guide=((0, _WHOLE), (1, _WHOLE)),
    )  # fmt: skip
    return figure(svg, _("{title}. Dashed: the share that is wanted.", title=title))


def _reliability(content: Mapping[str, Any], _: Wording) -> str:
    points = content["reliability"]
    says = [_("{count} records", count=_.number(point["rows"])) for point in points]
    title = _("Do probabilities mean what they say?")
    svg = reliability(points, says, title=title, across=_("Probability"), up=_("Share right"))
    said = _(
        "{title} On the dashed line they do; the larger a dot, the more records it stands for.", title=title
    )
    return figure(svg, said)


def _fields(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], _: Wording) -> str:
    head = [
        _("Code"),
        _("Field"),
        _("Precision"),
        _("Recall"),
        "F1",
        _("So labelled by people"),
        _("by the model"),
    ]
    body = [
        (
            row["field"],
            names.get(row["field"], ""),
            *(_bounded(row, figure_name, _) for figure_name in ("precision", "recall", "f1")),
            _.number(row["true"]),
            _.number(row["predicted"]),
        )
        for row in rows
    ]
    return table(head, body, numbers=2)


def _bounded(row: Mapping[str, Any], name: str, _: Wording) -> str:
    return f"{_.percent(row[name])} ({_.percent(row[name + '_low'])} – {_.percent(row[name + '_high'])})"


def _confusions(content: Mapping[str, Any], names: Mapping[str, str], _: Wording) -> str:
    hidden = frozenset(content["confidential"])
    head = [_("People said"), _("The model said"), _("Records"), _("The surest mistakes")]
    body = [
        (
            names.get(row["true"], row["true"]),
            names.get(row["predicted"], row["predicted"]),
            _.number(row["rows"]),
            "; ".join(": ".join(titled(each["id"], each["title"], hidden, _)) for each in row["examples"]),
        )
        for row in content["confusions"]
    ]
    return table(head, body, numbers=len(head))


def _slices(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], _: Wording) -> str:
    head = [
        "",
        _("Records"),
        _("Field as people said"),
        _("Field, or second field, as people said"),
        _("Mean F1 of the fields"),
        _("Calibration error"),
        _("Share accepted without a person"),
        _("Of those, right"),
    ]
    shares = ("accuracy", "accuracy_second", "macro_f1", "ece", "coverage", "precision_auto")
    body = [
        (
            names.get(row["name"], row["name"]),
            _.number(row["rows"]),
            *("–" if row[name] is None else _.percent(row[name]) for name in shares),
        )
        for row in rows
    ]
    return table(head, body)
