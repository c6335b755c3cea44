"""Groups: everybody resembles the earliest, nobody is renamed, the order of matches does not count."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedupe import group


@st.composite
def judged(draw):
    """Ids in order of filing, and some matches among them."""
    order = [f"r{number}" for number in draw(st.permutations(range(draw(st.integers(0, 12)))))]
    pairs = [(later, earlier) for at, later in enumerate(order) for earlier in order[:at]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    chances = st.sampled_from([0.5, 0.7, 0.7, 1.0])
    return order, [(later, earlier, draw(chances)) for later, earlier in chosen]


def obvious(order, matches):
    """The rule as it is said: each record in turn looks for the representative it matches best."""
    leads: dict[str, str] = {}
    for later in order:
        choices = [
            (-chance, order.index(earlier), earlier)
            for one, earlier, chance in matches
            if one == later and leads.get(earlier, earlier) == earlier
        ]
        if choices:
            first = min(choices)[2]
            leads[first] = leads[later] = first
    return set(leads.items())


@given(case=judged())
def test_groups_are_the_obvious_ones(case):
    """The groups are those of the rule, each pair of id and representative told once."""
    order, matches = case
    found = group(order, matches)
    assert len({name for name, _ in found}) == len(found)
    assert set(found) == obvious(order, matches)


@given(case=judged())
def test_every_member_matches_the_earliest(case):
    """A representative is the earliest of its group, and every other member has a match with it."""
    order, matches = case
    pairs = {(later, earlier) for later, earlier, _ in matches}
    for name, first in group(order, matches):
        assert name == first or ((name, first) in pairs and order.index(first) < order.index(name))


@given(case=judged())
def test_a_group_has_two_members_and_needs_a_match(case):
    """Nobody is in a group alone, and where there is a match there is a group."""
    order, matches = case
    found = group(order, matches)
    firsts = [first for _, first in found]
    assert all(firsts.count(first) >= 2 for first in firsts)
    assert bool(found) == bool(matches)


@given(case=judged(), data=st.data())
def test_the_order_of_matches_changes_nothing(case, data):
    """The same matches in another order, or told from the other side, give the same groups."""
    order, matches = case
    shuffled = data.draw(st.permutations(matches))
    assert group(order, shuffled) == group(order, matches)
    assert group(order, [(earlier, later, chance) for later, earlier, chance in matches]) == group(
        order, matches
    )


@given(case=judged(), data=st.data())
def test_later_records_rename_nobody(case, data):
    """What later records bring adds members and groups; those there were keep their names and members."""
    order, matches = case
    known = order[: data.draw(st.integers(0, len(order)))]
    before = group(known, [match for match in matches if match[0] in known])
    assert set(before) <= set(group(order, matches))


def test_a_chain_does_not_glue_strangers():
    """Where each of six resembles only the next, no group holds two that do not resemble its first."""
    chain = [(later, earlier, 0.9) for later, earlier in zip("bcdef", "abcde", strict=True)]
    assert group("abcdef", chain) == [("a", "a"), ("b", "a"), ("c", "c"), ("d", "c"), ("e", "e"), ("f", "e")]
