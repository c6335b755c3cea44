"""Matches to groups, without a chain of look-alikes gluing strangers together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def group(order: Sequence[str], matches: Iterable[tuple[str, str, float]]) -> list[tuple[str, str]]:
    """Return ``(id, representative)`` of every id in a group, ordered by representative's and own place.

    A group forms around its earliest record. A later record joins the group whose representative it
    matches best (ties to the earlier representative); one that only resembles another follower starts a group
    of its own. So every member resembles its representative, and a group keeps its name when later records
    arrive.

    Args:
        order: Ids, earliest first.
        matches: ``(later, earlier, probability)`` of the duplicate-level matches.

    >>> group("abcd", [("b", "a", 0.9), ("c", "b", 0.9), ("d", "a", 0.8)])
    [('a', 'a'), ('b', 'a'), ('d', 'a')]
    """
    place = {name: number for number, name in enumerate(order)}
    found: dict[str, list[tuple[float, int, str]]] = {}
    for later, earlier, probability in matches:
        if place[later] < place[earlier]:
            later, earlier = earlier, later  # noqa: PLW2901 - the pair is turned, not replaced
        found.setdefault(later, []).append((-probability, place[earlier], earlier))
    leader: dict[str, str] = {}
    for later in sorted(found, key=place.__getitem__):
        leading = (
            earlier for _, _, earlier in sorted(found[later]) if leader.get(earlier, earlier) == earlier
        )
        first = next(leading, None)
        if first is not None:
            leader[first] = leader[later] = first
    return sorted(leader.items(), key=lambda pair: (place[pair[1]], place[pair[0]]))
