"""Decisions: which verdict counts, which contradict, what is learned from them, and that nothing is lost."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import decisions
from pipeline import store as module
from pipeline.decisions import content_hash
from pipeline.errors import OutputError, PermissionDenied
from pipeline.records import CANONICAL, VERDICTS, Decision
from pipeline.store import DATABASE, Store

NOW = "2026-01-02T03:04:05+00:00"
TEXTS = ("máy ép", "máy bơm")


def records(**titles):
    """Records of an id and a title."""
    return pd.DataFrame({"id": list(titles), "title": list(titles.values()), "description": ""}, dtype="str")


def decision(one, other, verdict="duplicate", **more):
    """A decision; texts are given by ``texts``, in the order of the ids."""
    one_text, other_text = more.pop("texts", (None, None))
    hashes = ["" if text is None else content_hash(text, "") for text in (one_text, other_text)]
    return Decision(
        later=one,
        earlier=other,
        verdict=verdict,
        later_content=hashes[0],
        earlier_content=hashes[1],
        **more,
    )


@st.composite
def decided(draw):
    """A decision about two of three records, on one of two texts of each or on none that is known."""
    one, other = draw(st.permutations("abc"))[:2]
    return decision(
        one,
        other,
        draw(st.sampled_from(VERDICTS)),
        texts=(draw(st.sampled_from([*TEXTS, None])), draw(st.sampled_from([*TEXTS, None]))),
        note=draw(st.sampled_from(["", "rõ ràng"])),
        reviewer=draw(st.sampled_from(["", "Lan", "LAN ", "Minh"])),
        decided=draw(st.sampled_from(["", "2025-01-01", "2025-12-31"])),
    )


def turned(each):
    """The same decision, told from the other side."""
    return replace(
        each,
        later=each.earlier,
        earlier=each.later,
        later_content=each.earlier_content,
        earlier_content=each.later_content,
    )


def obvious(told, texts):
    """The rule as it is said, for each pair: the newest that was given on the texts as they are."""
    contents = {name: content_hash(title, "") for name, title in texts.items()}
    found = {}
    for ids in ({"a", "b"}, {"a", "c"}, {"b", "c"}):
        mine = [
            (each.decided, place, each)
            for place, each in enumerate(told)
            if {each.later, each.earlier} == ids
        ]
        for _, _, each in sorted(mine, key=lambda at: at[:2], reverse=True):
            sides = ((each.later, each.later_content), (each.earlier, each.earlier_content))
            if all(content == contents[name] for name, content in sides):
                found[frozenset(ids)] = each
                break
            newer = [other for day, place, other in mine if (day, place) > (each.decided, told.index(each))]
            if all(content in ("", contents[name]) for name, content in sides) and not newer:
                found[frozenset(ids)] = each
                break
    return found


@given(told=st.lists(decided(), max_size=8, unique_by=decisions.key))
def test_the_newest_verdict_on_the_present_texts_counts(told):
    """What counts is what the rule says; one on unknown texts only while nothing newer was decided."""
    told = [replace(each, recorded="2024-01-01") if not each.decided else each for each in told]
    dated = [replace(each, decided=decisions.day(each)) for each in told]
    texts = {"a": TEXTS[0], "b": TEXTS[0], "c": TEXTS[0]}
    found = decisions.in_force(dated, records(**texts))
    assert dict(found.by_pair) == obvious(dated, texts)


@given(told=st.lists(decided(), max_size=8))
def test_the_side_a_pair_is_told_from_does_not_count(told):
    """Later and earlier are only names: turned round, the same pairs get the same verdicts."""
    texts = records(a=TEXTS[0], b=TEXTS[1], c=TEXTS[0])
    one = decisions.in_force(told, texts)
    other = decisions.in_force([turned(each) for each in told], texts)
    for verdict in VERDICTS:
        assert one.pairs(verdict) == other.pairs(verdict)
    assert one.stale == other.stale
    assert len(decisions.conflicts(told)) == len(decisions.conflicts([turned(each) for each in told]))
    assert [decisions.key(each) for each in told] == [decisions.key(turned(each)) for each in told]


@given(told=st.lists(decided(), max_size=8))
def test_what_nobody_knows_has_no_verdict(told):
    """Decisions about records that are not there count for nothing and are no stale ones either."""
    found = decisions.in_force(told, records(a=TEXTS[0]))
    assert (dict(found.by_pair), found.stale) == ({}, 0)


def test_a_verdict_ends_when_a_text_changes_and_comes_back_with_it():
    """Given on one text, a verdict counts for that text only; on another it is stale, not lost."""
    told = [decision("b", "a", "different", texts=TEXTS)]
    assert decisions.in_force(told, records(b=TEXTS[0], a=TEXTS[1])).pairs("different") == [("a", "b")]
    changed = decisions.in_force(told, records(b="máy ép mới", a=TEXTS[1]))
    assert (changed.pairs("different"), changed.stale) == ([], 1)


def test_a_verdict_on_no_text_counts_until_a_newer_one():
    """Without texts a verdict holds for any, but not past a newer verdict that was given on other texts."""
    plain = decision("b", "a", "different", decided="2025-01-01")
    newer = decision("b", "a", "duplicate", texts=TEXTS, decided="2025-02-02")
    changed = records(b="máy ép mới", a=TEXTS[1])
    assert decisions.in_force([plain], changed).pairs("different") == [("a", "b")]
    found = decisions.in_force([plain, newer], changed)
    assert (dict(found.by_pair), found.stale) == ({}, 1)


def test_reviewers_who_disagree_are_named_until_they_agree():
    """A conflict is two people's newest verdicts on the same texts; a change of mind is none."""
    lan = decision("b", "a", "duplicate", reviewer="Lan", decided="2025-01-01")
    minh = decision("a", "b", "different", reviewer="Minh", decided="2025-01-02")
    assert decisions.conflicts([minh, lan]) == [(minh, lan)]
    mended = decision("b", "a", "different", reviewer=" LAN", decided="2025-01-03")
    assert decisions.conflicts([lan, minh, mended]) == []
    assert decisions.conflicts([lan, replace(mended, decided="2025-01-03")]) == []
    elsewhere = replace(minh, later_content=content_hash("khác", ""))
    assert decisions.conflicts([lan, elsewhere]) == []


def test_of_one_day_the_later_row_counts():
    """Dates decide; of one date the row that was recorded last; undated ones count as recorded."""
    texts = records(a="x", b="y")
    first = decision("b", "a", "duplicate", decided="2025-01-01")
    second = decision("b", "a", "different", decided="2025-01-01")
    assert decisions.in_force([first, second], texts).of("b", "a") == second
    assert decisions.in_force([second, first], texts).of("a", "b") == first
    undated = decision("b", "a", "similar", recorded="2024-12-31T00:00:00+00:00")
    assert decisions.in_force([first, undated], texts).of("a", "b") == first


def test_what_a_model_may_learn():
    """Duplicates are the same, different ones are not; similar and former verdicts teach nothing."""
    told = [
        decision("b", "a", "duplicate"),
        decision("a", "c", "different"),
        decision("b", "c", "similar"),
        decision("d", "a", "duplicate", texts=("cũ", None)),
    ]
    found = decisions.judged(told, records(a="x", b="y", c="z", d="mới"))
    assert found.columns.tolist() == list(decisions.JUDGED)
    assert found[["id_a", "id_b", "same"]].to_numpy().tolist() == [["a", "b", True], ["a", "c", False]]
    assert found["content_b"].tolist() == [content_hash("y", ""), content_hash("z", "")]
    empty = decisions.judged([], records(a="x"))
    assert list(map(str, empty.dtypes)) == ["str", "str", "bool", "str", "str"]


@pytest.fixture
def folder(tmp_path):
    """A folder for a store."""
    return tmp_path / "store"


@settings(max_examples=25)
@given(batches=st.lists(st.lists(decided(), max_size=5), max_size=4), data=st.data())
def test_what_was_decided_stays_and_is_there_once(tmp_path_factory, batches, data):
    """Every different decision is kept in order, and the same ones again, in any order, change nothing."""
    kept: dict[str, Decision] = {}
    with Store.open(tmp_path_factory.mktemp("store"), create=True) as store:
        for batch in batches:
            done = store.decide(batch, now=NOW)
            assert len(done.added) + len(done.known) == len(batch)
            assert {decisions.key(each) for each in done.added}.isdisjoint(kept)
            for each in batch:
                kept.setdefault(decisions.key(each), replace(each, recorded=NOW))
            before = store.decisions()
            again = store.decide(data.draw(st.permutations(batch)), now="2027-01-01T00:00:00+00:00")
            assert again.added == ()
            assert store.decisions() == before == list(kept.values())


@pytest.mark.parametrize("statement", ["update decision set verdict = 'similar'", "delete from decision"])
def test_decisions_are_only_added_to(folder, statement):
    """What was decided cannot be changed or taken away, not even past the program."""
    with Store.open(folder, create=True) as store:
        store.decide([decision("b", "a")], now=NOW)
        connection = sqlite3.connect(folder / DATABASE)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
        connection.close()
        assert len(store.decisions()) == 1


@pytest.mark.parametrize("column", ["later", "verdict", "reviewer", "decided", "recorded", "key", "chain"])
def test_a_decision_that_was_tampered_with_is_noticed(folder, column):
    """Where somebody gets past the lock and changes a cell, the store says that it is damaged."""
    with Store.open(folder, create=True) as store:
        store.decide([decision("b", "a"), decision("c", "a", "different")], now=NOW)
    connection = sqlite3.connect(folder / DATABASE)
    connection.execute("drop trigger decision_is_not_changed")
    value = "similar" if column == "verdict" else "x"
    connection.execute(f"update decision set {column} = ? where seq = 1", (value,))
    connection.commit()
    connection.close()
    with Store.open(folder) as store, pytest.raises(OutputError, match="damaged"):
        store.decisions()


def test_a_known_verdict_that_counts_no_more_is_told(folder):
    """Recording again what was overruled since changes nothing, and the caller learns that."""
    first, second = decision("b", "a", "different"), decision("b", "a", "duplicate")
    with Store.open(folder, create=True) as store:
        store.decide([first], now=NOW)
        assert store.decide([second], now="2026-02-01T00:00:00+00:00").overruled == ()
        again = store.decide([first], now="2026-03-01T00:00:00+00:00")
        assert [each.verdict for each in again.overruled] == ["different"]
        assert (
            decisions.in_force(store.decisions(), records(a="x", b="y")).of("a", "b").verdict == "duplicate"
        )


FIRST_SCHEMA = """
create table record (
    id text primary key, content text not null, cells text not null, submitted text not null
) strict, without rowid;
create table audit (
    seq integer primary key autoincrement, time text not null, action text not null, detail text not null
) strict;
create trigger audit_is_not_changed before update on audit begin select raise(abort, 'append-only'); end;
create trigger audit_is_not_cut before delete on audit begin select raise(abort, 'append-only'); end;
insert into record values ('A', 'x', '{"id": "A", "title": "máy"}', '');
pragma user_version = 1;
"""


def first_store(folder):
    """A store as the first release wrote it, with one record."""
    folder.mkdir()
    connection = sqlite3.connect(folder / DATABASE)
    connection.executescript(FIRST_SCHEMA)
    connection.close()


@pytest.mark.parametrize("way", [Store.open, Store.read])
def test_a_store_of_the_first_release_takes_decisions(folder, way):
    """A file without a table of decisions opens with its records, and can be decided in."""
    first_store(folder)
    with way(folder) as store:
        assert store.archive()["title"].tolist() == ["máy"]
        assert store.decisions() == []
    with Store.open(folder) as store:
        assert len(store.decide([decision("b", "a")], now=NOW).added) == 1


def test_a_store_of_the_first_release_is_read_where_nothing_may_be_written(folder, monkeypatch):
    """Where the file cannot be brought up to date, a copy in memory is; the file keeps its bytes."""
    first_store(folder)
    before = (folder / DATABASE).read_bytes()

    def refused(*_arguments, **_options):
        raise PermissionDenied("{path} cannot be opened: the system refuses access.", path=folder)

    monkeypatch.setattr(module.Store, "open", refused)
    with Store.read(folder) as store:
        assert store.decisions() == []
        assert store.archive()["title"].tolist() == ["máy"]
    assert (folder / DATABASE).read_bytes() == before


def test_removing_a_record_keeps_what_was_decided_about_it(folder):
    """Decisions hold ids and hashes only, so they stay on record when a record is taken out."""
    row = {**dict.fromkeys(CANONICAL, ""), "id": "A", "title": "Nội dung bí mật 079123456789"}
    with Store.open(folder, create=True) as store:
        store.add(pd.DataFrame([row], dtype="str"), now=NOW)
        told = decision("B", "A", texts=("x", row["title"]))
        store.decide([told], now=NOW)
        assert store.titles(["A", "B"]) == {"A": row["title"]}
        store.remove(["A"], now=NOW)
        assert [decisions.key(each) for each in store.decisions()] == [decisions.key(told)]
    assert not any(b"079123456789" in path.read_bytes() for path in folder.iterdir())


def test_the_store_gives_what_a_model_may_learn(folder):
    """Judged pairs are those of the archive and of the records handed in, which count first."""
    with Store.open(folder, create=True) as store:
        rows = records(A="máy", B="bơm").assign(
            **dict.fromkeys(set(CANONICAL) - {"id", "title", "description"}, "")
        )
        store.add(rows, now=NOW)
        store.decide([decision("B", "A", "different"), decision("C", "A", texts=("mới", "máy"))], now=NOW)
        assert store.judged()[["id_a", "id_b", "same"]].to_numpy().tolist() == [["A", "B", False]]
        both = store.judged(records(C="mới", A="máy"))
        assert both["same"].tolist() == [False, True]
        assert store.judged(records(C="mới", A="máy khác"))["id_b"].tolist() == ["B"]
