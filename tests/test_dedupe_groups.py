"""Groups: all resemble the earliest or were called the same, nobody is renamed, verdicts are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedupe import group, in_line


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


@st.composite
def ruled(draw):
    """Ids in order, matches among them, and pairs that people called the same or told apart."""
    order, matches = draw(judged())
    pairs = [(one, other) for one in order for other in order if one != other]
    some = st.lists(st.sampled_from(pairs), max_size=8) if pairs else st.just([])
    return order, matches, {"together": draw(some), "apart": draw(some)}


@given(case=ruled())
def test_every_member_resembles_its_first_or_was_called_the_same_as_a_member(case):
    """Nobody is in a group but for a match with its representative, or a verdict about a member."""
    order, matches, told = case
    alike = {frozenset(match[:2]) for match in matches}
    same = {frozenset(pair) for pair in told["together"]}
    found = dict(group(order, matches, **told))
    for name, first in found.items():
        others = {other for other, leader in found.items() if leader == first} - {name}
        assert order.index(first) <= order.index(name)
        assert (
            name == first
            or {name, first} in alike
            or any(frozenset((name, other)) in same for other in others)
        )
        assert others, "nobody is in a group alone"


@given(case=ruled())
def test_nobody_shares_a_group_with_whom_they_were_told_apart_from(case):
    """No pair that people told apart is in one group, whatever matches and verdicts chain them."""
    order, matches, told = case
    found = dict(group(order, matches, **told))
    for one, other in told["apart"]:
        assert one not in found or found[one] != found.get(other)


@given(case=ruled(), data=st.data())
def test_later_records_rename_no_group_of_verdicts(case, data):
    """With verdicts too, who is in a group stays there under the same name when later records arrive."""
    order, matches, told = case
    known = order[: data.draw(st.integers(0, len(order)))]
    before = group(known, [match for match in matches if match[0] in known], **told)
    assert set(before) <= set(group(order, matches, **told))


@given(case=ruled(), data=st.data())
def test_the_order_of_verdicts_changes_nothing(case, data):
    """Matches and verdicts in another order, or told from the other side, give the same groups."""
    order, matches, told = case
    turned = {
        name: [pair[::-1] for pair in data.draw(st.permutations(pairs))] for name, pairs in told.items()
    }
    assert group(order, data.draw(st.permutations(matches)), **turned) == group(order, matches, **told)


@given(case=ruled())
def test_a_verdict_joins_whom_nothing_keeps_apart(case):
    """Two that people called the same share a group, unless a group of each stood, or somebody is apart."""
    order, matches, told = case
    found = dict(group(order, matches, **told))
    kept_apart = {name for pair in told["apart"] for name in pair}
    called = {frozenset(pair) for pair in told["together"]}
    for pair in called:
        one, other = sorted(pair, key=order.index)
        alone = [each for each in called if other in each] == [pair]
        if alone and not kept_apart:
            assert found[one] == found[other]


def test_a_chain_is_cut_where_the_ends_differ():
    """A resembles B and B resembles C, but C not A: C is not glued to A, unless people say it is."""
    chain = [("B", "A", 0.9), ("C", "B", 0.9)]
    assert group("ABC", chain) == [("A", "A"), ("B", "A")]
    assert group("ABC", chain, together=[("A", "C")]) == [("A", "A"), ("B", "A"), ("C", "A")]
    assert group("ABC", chain, together=[("A", "C")], apart=[("B", "C")]) == [("A", "A"), ("B", "A")]
    both = [*chain, ("C", "A", 0.9)]
    assert group("ABC", both) == [("A", "A"), ("B", "A"), ("C", "A")]
    assert group("ABC", both, apart=[("C", "A")]) == [("A", "A"), ("B", "A")]


def test_a_verdict_brings_in_those_who_stand_alone():
    """Who was called the same as two records that are in no group makes one group of all three."""
    assert group("ABC", [], together=[("C", "A"), ("C", "B")]) == [("A", "A"), ("B", "A"), ("C", "A")]
    assert group("ABC", [], together=[("C", "A"), ("C", "B")], apart=[("A", "B")]) == [("A", "A"), ("C", "A")]


def test_a_group_keeps_its_name_when_undated_records_arrive():
    """A newcomer without a date comes behind all that were there, dated or not; an earlier date leads."""
    archive = pd.DataFrame({"id": ["m", "z"], "submitted": ["2024-05-06", ""]})
    new = pd.DataFrame({"id": ["a", "b", "c"], "submitted": ["", "2024-05-06", "2023-01-01"]})
    fresh = np.array([False, False, True, True, True])
    assert in_line(pd.concat([archive, new], ignore_index=True), fresh) == ["c", "m", "b", "z", "a"]
