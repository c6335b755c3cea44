"""What has changed since the model learnt, in words and as a workbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipeline.report.wording import Wording
from pipeline.report.workbook import Column, Phrases, Row, Sheet

CHANGES: Final = "Biến động"
TERMS: Final = "Từ mới"

SIZES: Final = {
    "none": "No notable difference",
    "small": "A small difference",
    "medium": "A medium difference",
    "large": "A large difference",
}
"""What each size of an effect is called."""

CONCLUSIONS: Final = {
    "nothing": "Nothing notable: the records are like those the model learnt from.",
    "look": "Look at what is named below; the model may go on. Where the form of records changed, ask for "
    "whole texts with marks; another mix of fields is corrected for in the counts.",
    "retrain": "Label new records (`sangkien label-queue`) and train again: the records are no longer like "
    "those the model learnt from.",
}
"""What to do, by conclusion."""

_NAMES: Final = {
    "vocabulary": "New vocabulary",
    "confidence": "Confidence of the model",
    "automatic": "Labels that stand by themselves",
    "titles": "Records that are a title alone",
    "bare": "Texts typed without marks",
    "length": "Length of records, syllables",
}
_SENTENCES: Final = {
    "vocabulary": "In a middling record {now} of the words and phrases are unknown to the model; in its "
    "training set it was {then}.",
    "confidence": "The middling probability of a label is {now}; in the training set it was {then}.",
    "automatic": "{now} of the labels of whole records stand by themselves; in the training set {then} did.",
    "titles": "{now} of the records are a title alone; in the training set {then} were.",
    "bare": "{now} of the texts are typed without marks; in the training set {then} were.",
    "length": "A middling record has {now} syllables; in the training set it had {then}.",
}
_FIELD: Final = "{field}: {now} of the records; in the training set {then}."
_MEASURES: Final = {"h": "Cohen's h", "delta": "Cliff's delta"}


def name(effect: Mapping[str, Any], fields: Mapping[str, str], _: Wording) -> str:
    """Return what is compared, in words."""
    if effect["name"] in _NAMES:
        return _(_NAMES[effect["name"]])
    return fields.get(effect["name"], str(effect["name"]))


def sentence(effect: Mapping[str, Any], fields: Mapping[str, str], _: Wording) -> str:
    """Return one sentence that says what was and what is."""
    now, then = (
        _.number(round(effect[side])) if effect["name"] == "length" else _.percent(effect[side])
        for side in ("now", "then")
    )
    if effect["name"] in _SENTENCES:
        return _(_SENTENCES[effect["name"]], now=now, then=then)
    return _(_FIELD, field=fields.get(effect["name"], effect["name"]), now=now, then=then)


def sheets(content: Mapping[str, Any], fields: Mapping[str, str], _: Wording) -> Iterator[Sheet]:
    """Yield the sheet of differences, with what follows from them on top, and that of new words.

    Args:
        content: `drifting.content`.
        fields: The name of each field.
        _: The language.
    """
    columns = (
        Column(_("What is compared"), 34),
        Column(_("Difference"), 24),
        Column(_("In words"), 70),
        Column(_("Effect"), 14),
        Column(_("Value"), 10),
        Column(_("At least"), 10),
        Column(_("At most"), 10),
        Column(_("Sector"), 14),
    )
    yield Sheet(CHANGES, columns, _rows(content, fields, _))
    terms = (Column(_("Word or phrase"), 28), Column(_("Records"), 10, "count"), Column(_("Example"), 80))
    yield Sheet(
        TERMS, terms, (Row((each["term"], each["records"], each["example"])) for each in content["new_terms"])
    )


def _rows(content: Mapping[str, Any], fields: Mapping[str, str], _: Wording) -> Iterator[Row]:
    top = _(CONCLUSIONS[content["conclusion"]])
    yield Row((_("Conclusion"), "", top, "", "", "", "", ""), "strong")
    for effect in [*content["effects"], *content["fields"], *content["sectors"]]:
        figures = (_decimal(effect[side], _) for side in ("value", "low", "high"))
        cells = (
            name(effect, fields, _),
            _(SIZES[effect["size"]]),
            sentence(effect, fields, _),
            _(_MEASURES[effect["measure"]]),
            *figures,
            effect.get("sector", ""),
        )
        yield Row(cells, "plain" if effect["size"] == "none" else "strong")


def _decimal(value: float, _: Wording) -> str:
    return f"{value:+.2f}".replace(".", "," if _.language == "vi" else ".")


def phrases(_: Wording) -> Phrases:
    """Return the sentences of the workbook itself."""
    return Phrases(
        title=_("What has changed since the model learnt"),
        footer=_(
            "Effect sizes with intervals that hold 95 times in 100; a difference counts by the end "
            "nearest to none."
        ),
        more=_(" … (more; the whole text stands in the table it came from)"),
        date_wanted=_("Type a date as day/month/year."),
        choice_wanted=_("Choose one of the fields in the list."),
    )
