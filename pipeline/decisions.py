"""What people decided about pairs: which verdict counts, which contradict each other, what a model may learn.

Decisions are only ever added. Which of them counts is worked out anew each time, from all of them: a verdict
holds for the two texts it was given on, and of several the newest counts.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from pipeline.records import Decision, Verdict

Pair = frozenset[str]
"""The ids of two records, in no order."""

JUDGED: Final = ("id_a", "id_b", "same", "content_a", "content_b")
"""Columns of `judged`."""

CHOICE: Final[Mapping[Verdict, str]] = {
    "duplicate": "Trùng",
    "similar": "Gần giống – yêu cầu làm rõ",
    "different": "Khác",
}
"""What each verdict is called in workbooks, in every language: people and programs look for these words."""

UNSEEN: Final = "Chưa xem"
"""Where a pair stands that nobody has decided yet."""

CONTENT: Final = ("content_later", "content_earlier")
"""Headers of the hidden columns with the `content_hash` of the texts that a verdict is given on."""

_LEARNED: Final[tuple[Verdict, ...]] = ("duplicate", "different")


def content_hash(title: str, description: str) -> str:
    """Return the SHA-256 (hex) of a record's text as submitted: title, newline, description.

    >>> content_hash("a", "b")[:8]
    '7e18f737'
    """
    return hashlib.sha256(f"{title}\n{description}".encode("utf-8", "surrogatepass")).hexdigest()


def pair(decision: Decision) -> frozenset[tuple[str, str]]:
    """Return what a decision is about: two ids, each with the text it stood for, in no order.

    >>> one = Decision(later="b", earlier="a", verdict="duplicate", later_content="2", earlier_content="1")
    >>> other = Decision(later="a", earlier="b", verdict="similar", later_content="1", earlier_content="2")
    >>> pair(one) == pair(other)
    True
    """
    return frozenset(((decision.later, decision.later_content), (decision.earlier, decision.earlier_content)))


def key(decision: Decision) -> str:
    """Return the SHA-256 (hex) of what was decided by whom and when; two rows with one key say the same.

    When and from which file it was recorded does not count, nor does the order of the pair.
    """
    said = (decision.verdict, decision.note, decision.reviewer, decision.decided)
    parts = [*(part for side in sorted(pair(decision)) for part in side), *said]
    # Lengths keep ("ab", "c") and ("a", "bc") apart.
    whole = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def day(decision: Decision) -> str:
    """Return the ISO date of a decision: the day it names, or else the day it was recorded."""
    return decision.decided or decision.recorded[:10]


def newest_first(decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decisions by `day`, the newest first; of one day the one recorded last.

    Args:
        decisions: In the order in which they were recorded.
    """
    # Turned round as a whole, so that of one day the last recorded comes first.
    return sorted(decisions, key=day)[::-1]


def newest(decisions: Sequence[Decision]) -> dict[frozenset[tuple[str, str]], Decision]:
    """Return the decision that counts on each `pair` of texts, the newest first."""
    found: dict[frozenset[tuple[str, str]], Decision] = {}
    for decision in newest_first(decisions):
        found.setdefault(pair(decision), decision)
    return found


@dataclass(frozen=True)
class InForce:
    """The verdicts that count for some records.

    Attributes:
        by_pair: The decision that counts for each pair of ids.
        stale: How many pairs have verdicts on former texts only.

    >>> told = InForce({frozenset("ab"): Decision(later="b", earlier="a", verdict="different")})
    >>> told.pairs("different"), told.pairs("duplicate")
    ([('a', 'b')], [])
    """

    by_pair: Mapping[Pair, Decision] = field(default_factory=dict)
    stale: int = 0

    def pairs(self, verdict: Verdict) -> list[tuple[str, str]]:
        """Return the pairs of ids with this verdict, sorted."""
        found = [sorted(ids) for ids, decision in self.by_pair.items() if decision.verdict == verdict]
        return sorted((first, second) for first, second in found)

    def of(self, one: str, other: str) -> Decision | None:
        """Return the decision on two ids that counts, if there is one."""
        return self.by_pair.get(frozenset((one, other)))


def in_force(decisions: Sequence[Decision], records: pd.DataFrame) -> InForce:
    """Return the verdicts that count for ``records`` as their texts are now.

    A verdict counts while both texts are those it was given on. One that does not say which texts it was
    given on counts for any, until there is a newer one on the pair. Of several the newest counts
    (`newest_first`).

    Args:
        decisions: In the order in which they were recorded.
        records: Unique ids, ``title`` and ``description`` as submitted.
    """
    contents = _contents(decisions, records)
    found: dict[Pair, Decision] = {}
    former: set[Pair] = set()
    for decision in newest_first(decisions):
        ids = frozenset((decision.later, decision.earlier))
        if not ids <= contents.keys():
            continue
        given = pair(decision)
        if any(content not in ("", contents[name]) for name, content in given):
            former.add(ids)
        elif ids not in former or all(content for _, content in given):
            found.setdefault(ids, decision)
    return InForce(found, len(former - found.keys()))


def _contents(decisions: Iterable[Decision], records: pd.DataFrame) -> dict[str, str]:
    """Return the present `content_hash` of the records that decisions name."""
    # Only of these: hashing a large archive for nothing would take seconds.
    named = {name for decision in decisions for name in (decision.later, decision.earlier)}
    known = records.loc[records["id"].isin(named), ["id", "title", "description"]]
    cells = zip(*(known[name].tolist() for name in known.columns), strict=True)
    return {name: content_hash(title, description) for name, title, description in cells}


def conflicts(decisions: Sequence[Decision]) -> list[tuple[Decision, ...]]:
    """Return the pairs on whose texts reviewers disagree: the newest decision of each, newest first.

    Somebody who changes their mind contradicts nobody. A name is the same however its letters are encoded
    and in whatever case it is written; decisions without a name are one person's.
    """
    by_pair: dict[frozenset[tuple[str, str]], dict[str, Decision]] = {}
    for decision in newest_first(decisions):
        by_pair.setdefault(pair(decision), {}).setdefault(_person(decision.reviewer), decision)
    voices = [tuple(each.values()) for each in by_pair.values()]
    return [each for each in voices if len({decision.verdict for decision in each}) > 1]


def _person(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()


def judged(decisions: Sequence[Decision], records: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of ``records`` that people decided, for a model to learn from: `JUDGED`.

    ``same`` is true for ``duplicate``, false for ``different``; ``similar`` is neither and left out.
    Verdicts on former texts are left out too. Sorted by ids.

    >>> texts = pd.DataFrame({"id": ["a", "b"], "title": ["x", "y"], "description": ["", ""]})
    >>> judged([Decision(later="b", earlier="a", verdict="duplicate")], texts)[["id_a", "id_b", "same"]]
      id_a id_b  same
    0    a    b  True
    """
    told = in_force(decisions, records)
    contents = _contents(decisions, records)
    rows = sorted(
        (first, second, verdict == "duplicate", contents[first], contents[second])
        for verdict in _LEARNED
        for first, second in told.pairs(verdict)
    )
    frame = pd.DataFrame(rows, columns=list(JUDGED))
    return frame.astype({name: "bool" if name == "same" else "str" for name in JUDGED})
