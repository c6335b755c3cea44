"""Matches to groups, without a chain of look-alikes gluing strangers together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_UNDATED: Final = "9999"
"""Sorts behind every date."""


def in_line(records: pd.DataFrame, fresh: NDArray[np.bool_]) -> list[str]:
    """Return the ids in the order in which groups form around them: earliest filed first, undated ones last.

    Of one day, and of those without a date, the archive comes before the new (``fresh``), then the smaller
    id. So a newcomer that does not say when it was filed never takes the lead of a group that is there.

    >>> filed = pd.DataFrame({"id": ["a", "b", "c"], "submitted": ["", "2024-05-06", ""]})
    >>> in_line(filed, np.array([True, True, False]))
    ['b', 'c', 'a']
    """
    keys = pd.DataFrame(
        {"day": records["submitted"].replace("", _UNDATED), "new": fresh, "id": records["id"]}
    )
    line: list[str] = keys.sort_values(["day", "new", "id"], kind="stable")["id"].tolist()
    return line


def group(
    order: Sequence[str],
    matches: Iterable[tuple[str, str, float]],
    *,
    together: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
) -> list[tuple[str, str]]:
    """Return ``(id, representative)`` of every id in a group, ordered by representative's and own place.

    Records take their places one by one, earliest first, and nobody is moved again. One that people called
    the same as an earlier one joins that one's group (of several, the one with the earliest
    representative). Any other joins the group whose representative it matches best (ties to the earlier
    representative); one that only resembles another follower starts a group of its own. Nobody joins a
    group with a member from which people told it apart. So every member resembles its representative or
    was called the same as a member, and a group keeps its name when later records arrive. Verdicts never
    join two groups that stand: that would rename one of them.

    Args:
        order: Ids, earliest first.
        matches: ``(later, earlier, probability)`` of the duplicate-level matches.
        together: Pairs that people called the same.
        apart: Pairs that people told apart; where a pair is in both, this counts.

    >>> group("abcd", [("b", "a", 0.9), ("c", "b", 0.9), ("d", "a", 0.8)])
    [('a', 'a'), ('b', 'a'), ('d', 'a')]
    >>> group("abcd", [("b", "a", 0.9), ("d", "a", 0.8)], together=[("c", "b")], apart=[("a", "d")])
    [('a', 'a'), ('b', 'a'), ('c', 'a')]
    """
    place = {name: number for number, name in enumerate(order)}
    alike: dict[str, list[tuple[float, int, str]]] = {}
    for one, other, probability in matches:
        later, earlier = _turned(one, other, place)
        alike.setdefault(later, []).append((-probability, place[earlier], earlier))
    vouched = _partners(together, place)
    seats = _Seats(place, _partners(apart, place))
    for later in sorted(alike.keys() | vouched.keys(), key=place.__getitem__):
        partners = sorted(
            (name for name in vouched.get(later, ()) if place[name] < place[later]), key=place.__getitem__
        )
        leaders = {seats.leader.get(name, name) for name in partners}
        if seats.join(later, sorted(leaders, key=place.__getitem__)):
            for name in partners:
                seats.follow(name, later)
        else:
            seats.join(later, (name for _, _, name in sorted(alike.get(later, ())) if seats.leads(name)))
    return sorted(seats.leader.items(), key=lambda pair: (place[pair[1]], place[pair[0]]))


class _Seats:
    """Who sits in whose group, and who may not sit with whom."""

    def __init__(self, place: Mapping[str, int], apart: Mapping[str, Collection[str]]) -> None:
        self.place = place
        self.apart = apart
        self.leader: dict[str, str] = {}
        self.members: dict[str, set[str]] = {}

    def leads(self, name: str) -> bool:
        """Return whether ``name`` has a group, or could begin one."""
        return self.leader.get(name, name) == name

    def join(self, name: str, leaders: Iterable[str]) -> bool:
        """Seat ``name`` with the first of ``leaders`` with all of whose members it may sit."""
        forbidden = self.apart.get(name, ())
        for first in leaders:
            if self.members.get(first, {first}).isdisjoint(forbidden):
                self.leader[first] = self.leader[name] = first
                self.members.setdefault(first, {first}).add(name)
                return True
        return False

    def follow(self, name: str, other: str) -> None:
        """Seat ``name``, if it has no seat yet, in the group of ``other`` behind whose leader it comes."""
        first = self.leader[other]
        if name not in self.leader and self.place[first] < self.place[name]:
            self.join(name, (first,))


def _turned(one: str, other: str, place: Mapping[str, int]) -> tuple[str, str]:
    return (one, other) if place[one] > place[other] else (other, one)


def _partners(pairs: Iterable[tuple[str, str]], place: Mapping[str, int]) -> dict[str, set[str]]:
    """Return with whom each id stands in a pair; pairs with an id that is not there are left out."""
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        if one in place and other in place:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return found
