"""What a field classifier is, for people: a model card (Mitchell et al., *Model cards*, FAT* 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.report.wording import Wording


def model_card(card: Mapping[str, Any], language: str) -> str:
    """Return the card of a field classifier (`registry.card`) as Markdown, in ``vi`` or ``en``."""
    return "\n".join(_lines(card, Wording.of(language))) + "\n"


def _lines(card: Mapping[str, Any], _: Wording) -> Iterator[str]:
    metrics = card["metrics"]
    yield f"# {_('Field classifier')} {card['name']}/{card['version']}"
    yield ""
    yield _(
        "Puts an initiative into a field, says how sure it is, and leaves it to a person where it is not."
    )
    yield _("It orders work and counts; it decides nothing about recognition, and says nothing of quality.")
    yield ""
    yield f"## {_('What it learnt from')}"
    yield ""
    yield _(
        "{rows} labelled records of {files}, {unlabelled} without labels; taxonomy {taxonomy}; on {date}.",
        rows=_.number(card["rows"]),
        files=", ".join(card["data"]["files"]),
        unlabelled=_.number(card.get("unlabelled", 0)),
        taxonomy=card["taxonomy"],
        date=card["created"] or "–",
    )
    yield _(
        "Chosen by cross-validation among {count}: {chosen}.",
        count=len(card["candidates"]),
        chosen=card["chosen"],
    )
    yield _("Beside syllables it reads: {things}.", things=", ".join(_read(card, _)) or _("nothing"))
    yield ""
    yield f"## {_('How good it is on records it had not seen')}"
    yield ""
    for name, text in _FIGURES:
        yield f"- {_(text)}: {_share(metrics[name], _)}"
    if metrics.get("later"):
        yield "- " + _(
            "On the latest fifth, learnt from the earlier ones: {share}",
            share=_share(metrics["later"]["accuracy_second"], _),
        )
    yield ""
    yield f"| {_('Field')} | F1 | {_('Accepted from probability')} |"
    yield "|---|---|---|"
    accept = card["experts"]["marked"]["whole"]["rules"]["accept"]
    for code in card["labels"]:
        least = accept.get(code)
        shown = _("never without a person") if least is None else _share(least, _)
        yield f"| {card['fields'].get(code, code)} | {_share(metrics['f1'].get(code, 0.0), _)} | {shown} |"
    yield ""
    yield f"## {_('Limits')}"
    yield ""
    yield "- " + _(
        "Titles alone are harder than whole records; empty, very short and foreign texts are never accepted."
    )
    yield "- " + _("A workplace suggests a field. Where an author works for another field, look at the text.")
    yield "- " + _("New fields, new words and new forms of writing call for new labels and a new model.")
    if promotion := card.get("promotion"):
        yield from _promotion(promotion, _)


def _read(card: Mapping[str, Any], _: Wording) -> Iterator[str]:
    """Yield what the model reads of a record beside its syllables."""
    blocks = {block for expert in card["experts"].values() for block in expert["reads"]}
    for block, name in _READ:
        if block in blocks:
            yield _(name, encoder=(card["encoder"] or {}).get("name", ""))


_READ = (
    ("words", "words"),
    ("vectors", "vectors of the encoder {encoder}"),
    ("unit", "the workplace"),
    ("author", "the field that the author named"),
)
_FIGURES = (
    ("accuracy", "Field as people said"),
    ("accuracy_second", "Field, or second field, as people said"),
    ("macro_f1", "Mean F1 of the fields"),
    ("ece", "Calibration error of the probabilities"),
    ("coverage", "Share accepted without a person"),
    ("precision_auto", "Of those, right"),
)


def _promotion(promotion: Mapping[str, Any], _: Wording) -> Iterator[str]:
    yield ""
    yield f"## {_('Put in use')}"
    yield ""
    yield _("On {date}.", date=promotion["when"])
    if "forced" in promotion:
        yield _("Forced, for this reason: {reason}", reason=promotion["forced"])
    for reason in promotion.get("against", ()):
        yield f"- {reason}"


def _share(value: float | None, _: Wording) -> str:
    return "–" if value is None else _.percent(value)
