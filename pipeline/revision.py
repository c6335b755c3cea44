"""What changed between two versions of a taxonomy, and what becomes of labels given before.

Codes are stable: a field that is renamed keeps its code, one that is merged, split or closed keeps its row.
So a label is never rewritten; where it belongs now follows from the versions since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pipeline.taxonomy import Field, Taxonomy

Kind = Literal["new", "renamed", "redefined", "merged", "split", "closed", "reopened", "gone"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the codes before and after; of a field whose name alone changed both are the same."""

    kind: Kind
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """The step from one version to the next.

    ``moves`` has the code that takes all labels of a code; ``splits`` the codes of whose labels a person must
    choose one anew, and among which.
    """

    changes: tuple[Change, ...]
    moves: Mapping[str, str]
    splits: Mapping[str, tuple[str, ...]]

    @property
    def gone(self) -> tuple[str, ...]:
        """Return the codes that the new sheet has no row for, which it must not lack."""
        return tuple(each.old[0] for each in self.changes if each.kind == "gone")


def compare(old: Taxonomy, new: Taxonomy) -> Revision:
    """Return what changed from ``old`` to ``new``, in the order of the old sheet, then of the new one.

    >>> from pipeline.taxonomy import check
    >>> rows = [{"version": "1", "code": code, "name": code} for code in ("a", "b", "other")]
    >>> old = check(enumerate(rows), file="").taxonomy
    >>> rows[0]["replaced_by"] = "b"
    >>> found = compare(old, check(enumerate(rows), file="").taxonomy)
    >>> found.changes[0].kind, dict(found.moves)
    ('merged', {'a': 'b'})
    """
    before = {field.code: field for field in old.fields}
    after = {field.code: field for field in new.fields}
    moves = {code: new.end(code).code for code in after if new.end(code).code != code}
    # What had moved there before is no news.
    fresh = {code: goal for code, goal in moves.items() if code in before and old.end(code).code != goal}
    splits = {
        code: new.end(code).successors
        for code in before
        if code in after and new.end(code).successors and not _split_before(old, new, code)
    }
    found: list[Change] = []
    for code, field in before.items():
        if code not in after:
            found.append(Change("gone", (code,), ()))
            continue
        if code in splits:
            found.append(Change("split", (code,), splits[code]))
        elif code not in fresh:
            found += _changed(field, after[code])
    found += _takeovers(fresh, before, splits)
    taken = {code for each in found if each.kind in {"renamed", "merged", "split"} for code in each.new}
    found += [Change("new", (), (code,)) for code in after if code not in before and code not in taken]
    return Revision(tuple(found), moves, splits)


def _split_before(old: Taxonomy, new: Taxonomy, code: str) -> bool:
    former, now = old.end(code), new.end(code)
    return former.code == now.code and former.successors == now.successors


def _changed(before: Field, after: Field) -> list[Change]:
    """Return what changed of a field that keeps its labels."""
    kinds: list[Kind] = []
    if before.name != after.name:
        kinds.append("renamed")
    told = [(each.definition, each.includes, each.excludes) for each in (before, after)]
    if told[0] != told[1]:
        kinds.append("redefined")
    if after.to_date and before.to_date is None:
        kinds.append("closed")
    if before.to_date and after.to_date is None:
        kinds.append("reopened")
    return [Change(kind, (after.code,), (after.code,)) for kind in kinds]


def _takeovers(
    fresh: Mapping[str, str], before: Mapping[str, Field], splits: Mapping[str, Sequence[str]]
) -> list[Change]:
    """Return who took whose labels: one for one under a code that is new is a new name, all else a merger."""
    whose: dict[str, list[str]] = {}
    for code, goal in fresh.items():
        if code not in splits:
            whose.setdefault(goal, []).append(code)
    return [
        Change("renamed" if goal not in before and len(codes) == 1 else "merged", tuple(codes), (goal,))
        for goal, codes in whose.items()
    ]


@dataclass(frozen=True, slots=True)
class Course:
    """The versions that an office has had, in order; the last is in use.

    >>> from pipeline.taxonomy import default
    >>> Course((default(),)).now("safety", "1")
    'safety'
    """

    versions: tuple[Taxonomy, ...]

    @property
    def current(self) -> Taxonomy:
        """Return the version in use."""
        return self.versions[-1]

    def now(self, code: str, version: str) -> str:
        """Return the code in use for a label ``code`` that was given in ``version``.

        ``""`` where its field was split since, so that a person must give it anew, or where no version
        knows the code. A version that is not known is taken for the first.
        """
        names = [each.version for each in self.versions]
        start = names.index(version) if version in names else 0
        if code not in self.versions[start].codes:
            return ""
        code = self.versions[start].end(code).code
        for old, new in pairwise(self.versions[start:]):
            step = compare(old, new)
            if code in step.splits or code not in new.codes:
                return ""
            code = step.moves.get(code, code)
        return code
