"""How good the duplicates are, as a page that a person can read and keep: one file, no script, no network."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from pipeline.report.plot import Mark, diagram, reliability
from pipeline.report.wording import DISCLAIMER, Wording

RELATIONS: Final = {
    "exact": "The same text",
    "format": "Other layout",
    "noise": "Typing errors, no marks",
    "partial": "A part is the same",
    "reorder": "Sentences in another order",
    "light": "Lightly reworded",
    "deep": "Told wholly in other words",
    "same_topic": "Same subject, other solution",
    "same_form": "Same long form text",
    "same_series": "One author's series",
    "unrelated": "Nothing in common",
}
"""What each relation of a judged pair is called."""

_FIGURES: Final = (
    ("model", "Pair model"),
    ("threshold", "Probability from which a pair is flagged"),
    ("recall", "Of the pairs judged the same, flagged"),
    ("precision", "Of the flagged pairs, judged the same"),
    ("average_precision", "Average precision over all probabilities"),
    ("wanted_precision", "Precision wanted"),
    ("best_recall", "Most that can be found at that precision"),
    ("best_threshold", "Probability from which a pair would then be flagged"),
    ("brier", "Brier score over all pairs compared (0 is best)"),
    ("brier_judged", "Brier score over the judged pairs"),
    ("ece", "Calibration error over all pairs compared"),
)
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #bbb;"
    "padding:.3rem .6rem;text-align:left;vertical-align:top}td.n{text-align:right;"
    "font-variant-numeric:tabular-nums;white-space:nowrap}th{background:#f0f0f0}"
    ".plots{display:flex;flex-wrap:wrap;gap:2rem}figure{margin:0;width:26rem;max-width:100%}"
    "svg{width:100%;height:auto;font:12px system-ui,sans-serif}.grid{stroke:#ddd;fill:none}"
    ".line{stroke:#0b5394;stroke-width:2;fill:none}.guide{stroke:#666;stroke-dasharray:5 4;fill:none}"
    "circle{fill:#b45f06;fill-opacity:.75;stroke:#fff}"
)


def page(content: Mapping[str, Any], _: Wording) -> str:
    """Return the page of an evaluation (`evaluate.Pairs.content`, with ``model``) as HTML."""
    title = escape(_("How good the duplicates are, beside what people judged"))
    hidden = frozenset(content.get("confidential", ()))
    missed, false = ([_pair(row, hidden, _) for row in content[which]] for which in ("missed", "false"))
    return document(
        title,
        [
            table((), [(_(text), shown(content.get(name), _)) for name, text in _FIGURES]),
            f'<div class="plots">{_curve(content, _)}{_reliability(content, _)}</div>',
            f"<h2>{escape(_('By relation'))}</h2>",
            _relations(content["relations"], _),
            f"<h2>{escape(_('Judged the same and not flagged: {count}', count=len(content['missed'])))}</h2>",
            _pairs(missed, _),
            f"<h2>{escape(_('Flagged and not judged the same: {count}', count=len(content['false'])))}</h2>",
            _pairs(false, _),
        ],
        _,
    )


def document(title: str, parts: Sequence[str], _: Wording) -> str:
    """Return a page of one file that needs no script and no network; ``title`` and ``parts`` are HTML."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{_.language}"><head><meta charset="utf-8"><title>{title}</title>',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            f"<p>{escape(_(DISCLAIMER))}</p>",
            *parts,
            "</body></html>\n",
        ]
    )


def _curve(content: Mapping[str, Any], _: Wording) -> str:
    steps: list[tuple[float, float]] = []
    for point in content["curve"]:
        # Between two points nothing more is found, and precision only falls: a step, not a slope.
        steps += [(steps[-1][0] if steps else 0.0, point["precision"]), (point["recall"], point["precision"])]
    marks = [
        Mark(recall, precision, _("from {probability}", probability=shown(threshold, _)))
        for recall, precision, threshold in (
            (content["recall"], content["precision"], content["threshold"]),
            (content["best_recall"], content["best_precision"], content["best_threshold"]),
        )
        if precision is not None
    ]
    title = _("Precision and recall at every probability")
    wanted = content["wanted_precision"]
    svg = diagram(
        steps, marks, title=title, across=_("Recall"), up=_("Precision"), guide=((0, wanted), (1, wanted))
    )
    return figure(
        svg,
        _(
            "{title}. The dots are the threshold in use and the best one; dashed: the precision wanted.",
            title=title,
        ),
    )


def _reliability(content: Mapping[str, Any], _: Wording) -> str:
    points = content["reliability"]
    says = [_("{count} pairs", count=_.number(point["rows"])) for point in points]
    title = _("Do probabilities mean what they say?")
    return figure(
        reliability(points, says, title=title, across=_("Probability"), up=_("Share judged the same")),
        _("{title} On the dashed line they do; the larger a dot, the more pairs it stands for.", title=title),
    )


def figure(svg: str, caption: str) -> str:
    """Return a diagram with what stands below it."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _relations(rows: Iterable[Mapping[str, Any]], _: Wording) -> str:
    head = [
        _("Relation"),
        "",
        _("Pairs"),
        _("Flagged"),
        _("Share"),
        _("Share at the best threshold"),
        _("Shown first"),
        _("Among the first three"),
    ]
    shares = ("share", "share_best", "first", "top3")
    return table(
        head,
        [
            (
                row["relation"],
                _.name(RELATIONS, row["relation"]),
                _.number(row["pairs"]),
                _.number(row["flagged"]),
                *(_.percent(row[name]) for name in shares),
            )
            for row in rows
        ],
        numbers=2,
    )


def _pair(row: Mapping[str, Any], hidden: Container[str], _: Wording) -> Sequence[Any]:
    told = (titled(row[f"id_{side}"], row[f"title_{side}"], hidden, _) for side in "ab")
    (first, first_title), (second, second_title) = told
    return row["relation"], first, first_title, second, second_title, row["probability"]


def titled(name: str, title: str, hidden: Container[str], _: Wording) -> tuple[str, str]:
    """Return an id and what is shown as its title: of a confidential record that it is one."""
    return name, _("(marked confidential)") if name in hidden else title


def _pairs(rows: Iterable[Sequence[Any]], _: Wording) -> str:
    head = [_("Relation"), _("Id"), _("Title"), _("Id"), _("Title"), _("Probability")]
    return table(
        head,
        [
            (_.name(RELATIONS, relation) if relation else _("Not judged"), *texts, shown(probability, _))
            for relation, *texts, probability in rows
        ],
        numbers=len(head) - 1,
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 1) -> str:
    """Return a table; from the column ``numbers`` on cells hold numbers."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="n">{escape(cell)}</td>' if place >= numbers else f"<td>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table>{f'<tr>{top}</tr>' if head else ''}{body}</table>"


def shown(value: object, _: Wording) -> str:
    """Return a figure as people of the language write it; – where there is none."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}".replace(".", "," if _.language == "vi" else ".")
    return str(value)
