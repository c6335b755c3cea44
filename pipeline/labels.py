"""What people called records: which label counts, which contradict each other, what a model may learn.

Labels are only ever added. Which of them counts is worked out anew each time, from all of them: a label holds
for the text it was given on, of several the newest counts, and what a model said is never the truth.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from pipeline.decisions import content_hash
from pipeline.records import Label
from pipeline.revision import Course

CONTENT: Final = "content"
"""Header of the hidden column with the `decisions.content_hash` of the text that a label is given on."""

VERSION: Final = "taxonomy"
"""Header of the hidden column with the version of the taxonomy that a label is given in."""

UNSURE: Final = "Chưa rõ"
"""What a labeller may choose instead of a field: the record stays without a label."""


def subject(label: Label) -> tuple[str, str]:
    """Return what a label is about: an id and the text it stood for."""
    return label.id, label.content


def key(label: Label) -> str:
    """Return the SHA-256 (hex) of what was said by whom and when; two rows with one key say the same.

    When and from which file it was recorded does not count.

    >>> key(Label(id="a", field="safety")) == key(Label(id="a", field="safety", file="b.csv"))
    True
    """
    said = (
        label.field,
        label.field2,
        label.taxonomy,
        label.source,
        label.labeller,
        label.labelled,
        label.note,
    )
    # Lengths keep ("ab", "c") and ("a", "bc") apart.
    whole = "".join(f"{len(part)}:{part}" for part in (*subject(label), *said))
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def day(label: Label) -> str:
    """Return the ISO date of a label: the day it names, or else the day it was recorded."""
    return label.labelled or label.recorded[:10]


def newest_first(given: Sequence[Label]) -> list[Label]:
    """Return the labels by `day`, the newest first; of one day the one recorded last."""
    # Turned round as a whole, so that of one day the last recorded comes first.
    return sorted(given, key=day)[::-1]


def newest(given: Sequence[Label]) -> dict[tuple[str, str], Label]:
    """Return the label that counts on each `subject`, the newest first; a person's before any model's."""
    found: dict[tuple[str, str], Label] = {}
    for label in newest_first(given):
        if subject(label) not in found or (label.source, found[subject(label)].source) == ("human", "model"):
            found[subject(label)] = label
    return found


def moved(given: Iterable[Label], course: Course) -> list[Label]:
    """Return the labels in the codes of the taxonomy in use.

    ``field`` is ``""`` where a person must choose anew, because the field was split since.
    """
    now = course.current.version
    return [
        replace(
            label,
            field=course.now(label.field, label.taxonomy),
            field2=course.now(label.field2, label.taxonomy) if label.field2 else "",
            taxonomy=now,
        )
        for label in given
    ]


@dataclass(frozen=True, slots=True)
class InForce:
    """The labels of people that count for some records, by id.

    Attributes:
        by_id: The label of each record that has one.
        again: Ids whose label's field was split since: they are to be labelled again.
        stale: How many records have labels on former texts only.
    """

    by_id: dict[str, Label]
    again: frozenset[str] = frozenset()
    stale: int = 0


def in_force(given: Sequence[Label], records: pd.DataFrame) -> InForce:
    """Return the labels that count for ``records`` as their texts are now; those of people only.

    A label counts while the text is the one it was given on; one that does not say which text that was
    counts for any, until there is a newer one.

    Args:
        given: In the order of recording, in the codes in use (`moved`).
        records: Unique ids, ``title`` and ``description`` as submitted.

    >>> table = pd.DataFrame({"id": ["a", "b"], "title": ["x", "y"], "description": ["", ""]})
    >>> said = [Label(id="a", field="safety"), Label(id="b", field="safety", source="model")]
    >>> list(in_force(said, table).by_id)
    ['a']
    """
    people = [label for label in given if label.source == "human"]
    contents = _contents(people, records)
    found: dict[str, Label] = {}
    former: set[str] = set()
    for label in newest_first(people):
        if label.id not in contents:
            continue
        if label.content not in ("", contents[label.id]):
            former.add(label.id)
        elif label.id not in former or label.content:
            found.setdefault(label.id, label)
    again = frozenset(name for name, label in found.items() if not label.field)
    return InForce(
        {name: label for name, label in found.items() if label.field}, again, len(former - found.keys())
    )


def _contents(given: Iterable[Label], records: pd.DataFrame) -> dict[str, str]:
    """Return the present `content_hash` of the records that labels name."""
    # Only of these: hashing a large archive for nothing would take seconds.
    known = records.loc[records["id"].isin({label.id for label in given}), ["id", "title", "description"]]
    cells = zip(*(known[name].tolist() for name in known.columns), strict=True)
    return {name: content_hash(title, description) for name, title, description in cells}


def conflicts(given: Sequence[Label]) -> list[tuple[Label, ...]]:
    """Return the records on which people disagree: the newest label of each, newest first.

    Somebody who changes their mind contradicts nobody, and neither does somebody who names another's second
    field first. A name is the same however its letters are encoded and in whatever case it is written; labels
    without a name are one person's.

    Args:
        given: In the order of recording, in the codes in use (`moved`).
    """
    by_text: dict[tuple[str, str], dict[str, Label]] = {}
    for label in newest_first([each for each in given if each.source == "human" and each.field]):
        by_text.setdefault(subject(label), {}).setdefault(_person(label.labeller), label)
    voices = [tuple(each.values()) for each in by_text.values()]
    return [each for each in voices if not _agree(each)]


def _agree(voices: Sequence[Label]) -> bool:
    return bool(set.intersection(*({label.field, label.field2} - {""} for label in voices)))


def _person(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()


def applied(records: pd.DataFrame, told: InForce) -> pd.DataFrame:
    """Return records with the columns ``field`` and ``field2`` as people labelled them since.

    A label counts more than what stands in the table, and where one must be given anew nothing stands.
    """
    ids = records["id"].tolist()
    columns = {}
    for column in ("field", "field2"):
        there = records[column].tolist() if column in records else [""] * len(ids)
        columns[column] = [
            getattr(told.by_id[name], column) if name in told.by_id else "" if name in told.again else cell
            for name, cell in zip(ids, there, strict=True)
        ]
    return records.assign(**columns).astype(dict.fromkeys(columns, "str"))
