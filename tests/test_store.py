"""The store: what was confirmed stays, what was removed is gone, and what is wrong is said."""

from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import sys
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import store as module
from pipeline.errors import InputNotFound, OutputError, PermissionDenied, StoreLocked
from pipeline.records import CANONICAL
from pipeline.store import DATABASE, MIGRATIONS, TOKENS, Store, TokenCache

NOW = "2026-01-02T03:04:05+00:00"


def batch(*rows):
    """Records of an id and a title, with every canonical column."""
    return pd.DataFrame(
        [{**dict.fromkeys(CANONICAL, ""), "id": name, "title": title} for name, title in rows]
    )


@pytest.fixture
def folder(tmp_path):
    """A folder for a store."""
    return tmp_path / "store"


@pytest.fixture
def opened(folder):
    """A new store."""
    with Store.open(folder, create=True) as store:
        yield store


def test_what_is_added_comes_back_in_order_of_ids(opened):
    """Every cell of every column comes back as it went in, but for those that a step derived."""
    rows = [
        {
            **{column: f"{column} {number}" for column in CANONICAL},
            "id": name,
            "submitted": "2025-03-04",
            "Ghi chú": 'a\n"b"\u200b\0=1+1 🙂',
            "flags": "too_short",
            "source_file": "a.csv",
            "source_row": "7",
        }
        for number, name in enumerate(["B", "A", "Ă", "a"])
    ]
    done = opened.add(pd.DataFrame(rows, dtype="str"), now=NOW)
    assert done == module.Added(("B", "A", "Ă", "a"), (), ())
    stored = opened.archive()
    assert stored.columns.tolist() == [*CANONICAL, "Ghi chú"]
    wanted = sorted(rows, key=lambda row: row["id"])
    assert stored.to_dict("records") == [{key: row[key] for key in stored.columns} for row in wanted]


def test_a_column_that_only_some_brought_is_empty_for_the_rest(opened):
    """Batches with different columns stand in one archive, nothing missing in it."""
    opened.add(batch(("A", "máy")).assign(extra="x"), now=NOW)
    opened.add(batch(("B", "bơm")).assign(other="y"), now=NOW)
    stored = opened.archive()
    assert stored[["id", "extra", "other"]].values.tolist() == [["A", "x", ""], ["B", "", "y"]]
    assert set(map(str, stored.dtypes)) == {"str"}


def test_an_empty_archive_has_its_columns(opened):
    """Before anything is added, the archive is a table of the canonical columns without rows."""
    stored = opened.archive()
    assert stored.columns.tolist() == list(CANONICAL)
    assert len(stored) == 0
    assert opened.status() == module.Status(0, 0, "", "", "")


def test_adding_twice_changes_nothing(opened, folder):
    """The same records once more are known, and neither the archive nor the audit changes."""
    rows = batch(("A", "máy"), ("B", "bơm"))
    opened.add(rows, now=NOW)
    before, log = opened.archive(), audit(folder)
    again = opened.add(rows, now="2027-01-01T00:00:00+00:00")
    assert again == module.Added((), ("A", "B"), ())
    pd.testing.assert_frame_equal(opened.archive(), before)
    assert audit(folder) == log


def test_an_id_with_other_content_is_told_and_left_alone(opened):
    """A conflict is named, what stands in the archive stays, and the other records go in."""
    opened.add(batch(("A", "máy")), now=NOW)
    done = opened.add(batch(("A", "bơm"), ("B", "quạt")), now=NOW)
    assert done == module.Added(("B",), (), ("A",))
    assert opened.archive()["title"].tolist() == ["máy", "quạt"]


@settings(max_examples=40)
@given(
    batches=st.lists(
        st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["máy", "bơm", "", "quạt\0"]), max_size=5),
        max_size=5,
    )
)
def test_the_archive_is_what_came_first(tmp_path_factory, batches):
    """Whatever is offered in whatever order, an id keeps its first content and each record is told once."""
    kept: dict[str, str] = {}
    with Store.open(tmp_path_factory.mktemp("store"), create=True) as store:
        for rows in batches:
            if not rows:
                continue
            done = store.add(batch(*rows.items()), now=NOW)
            assert Counter(itertools.chain(done.added, done.known, done.conflicts)) == Counter(list(rows))
            assert set(done.added) == rows.keys() - kept.keys()
            assert set(done.known) == {name for name in rows if kept.get(name) == rows[name]}
            kept = {**rows, **kept}
        stored = store.archive()
    assert dict(zip(stored["id"], stored["title"], strict=True)) == kept


def test_a_batch_goes_in_whole_or_not_at_all(opened):
    """Where one record cannot be stored, none of its batch is."""
    rows = batch(("A", "máy"), ("B", "bơm"), ("B", "quạt"))
    with pytest.raises(OutputError):
        opened.add(rows, now=NOW)
    assert len(opened.archive()) == 0
    assert opened.add(batch(("A", "máy")), now=NOW).added == ("A",)


def test_more_ids_than_one_query_takes(opened):
    """A batch larger than what SQLite takes in one query is stored, and known again."""
    rows = batch(*((f"R{number:04}", f"máy {number}") for number in range(1_700)))
    assert len(opened.add(rows, now=NOW).added) == 1_700
    assert len(opened.add(rows, now=NOW).known) == 1_700


def test_what_is_removed_is_not_in_the_files(opened, folder):
    """After a removal no file of the store holds the text, and the id can be used again."""
    secret = "Nguyễn Thị Bí Mật 079123456789 " * 300  # more than a page
    filler = [(f"R{number:03}", f"máy {number}") for number in range(200)]
    opened.add(batch(*filler, ("A", secret)), now=NOW)
    assert any(b"079123456789" in path.read_bytes() for path in folder.iterdir())
    assert opened.remove(["A", "không có", "A"], now=NOW) == ("A",)
    assert not any(b"079123456789" in path.read_bytes() for path in folder.iterdir())
    assert len(opened.archive()) == 200
    assert opened.add(batch(("A", "khác")), now=NOW).added == ("A",)


def test_status_counts(opened):
    """The status says how many there are, of which time, and when the archive was last changed."""
    rows = batch(("A", "máy"), ("B", "bơm"), ("C", "quạt")).assign(submitted=["2025-01-02", "", "2024-05-06"])
    opened.add(rows, now=NOW)
    assert opened.status() == module.Status(3, 2, "2024-05-06", "2025-01-02", NOW)


def audit(folder):
    """The rows of the audit."""
    with sqlite3.connect(folder / DATABASE) as connection:
        rows = connection.execute("select * from audit order by seq").fetchall()
    connection.close()
    return rows


@pytest.mark.parametrize("statement", ["update audit set time = ''", "delete from audit"])
def test_the_audit_is_only_added_to(opened, folder, statement):
    """What was noted cannot be changed or taken away, not even past the program."""
    opened.add(batch(("A", "máy")), now=NOW)
    opened.remove(["A"], now=NOW)
    assert [row[2] for row in audit(folder)] == ["archive add", "archive remove"]
    connection = sqlite3.connect(folder / DATABASE)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    assert len(audit(folder)) == 2


def test_a_second_writer_is_told_to_try_again(monkeypatch, folder):
    """While another connection writes, adding and removing say so; reading goes on, and later all works."""
    monkeypatch.setattr(module, "_WAIT", 0.05)
    with Store.open(folder, create=True) as store:
        store.add(batch(("A", "máy")), now=NOW)
        other = sqlite3.connect(folder / DATABASE, isolation_level=None)
        other.execute("begin immediate")
        with Store.open(folder) as second:
            with pytest.raises(StoreLocked, match="Try again"):
                second.add(batch(("B", "bơm")), now=NOW)
            with pytest.raises(StoreLocked):
                second.remove(["A"], now=NOW)
            assert len(second.archive()) == 1
        other.execute("rollback")
        other.close()
        assert store.add(batch(("B", "bơm")), now=NOW).added == ("B",)


def test_there_is_no_store_where_none_was_made(folder):
    """Opening what is not there says how to make one, and makes nothing."""
    with pytest.raises(InputNotFound, match="archive add"):
        Store.open(folder)
    assert not folder.exists()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_newer_file_is_refused_and_left_as_it_is(folder, mode):
    """A store of a later version is not touched: the bytes are those it had."""
    folder.mkdir()
    connection = sqlite3.connect(folder / DATABASE)
    connection.execute(f"pragma journal_mode = {mode}")
    connection.execute("create table record (id text)")
    connection.execute(f"pragma user_version = {len(MIGRATIONS) + 1}")
    connection.commit()
    connection.close()
    before = (folder / DATABASE).read_bytes()
    with pytest.raises(OutputError, match="newer"):
        Store.open(folder, create=True)
    assert (folder / DATABASE).read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [DATABASE]


@pytest.mark.parametrize("step", range(len(MIGRATIONS)))
def test_a_migration_that_fails_leaves_the_version_before(monkeypatch, folder, step):
    """A step of the schema is done whole or not at all, and is done the next time."""
    broken = list(MIGRATIONS)
    broken[step] += "; create table record (id text);"
    monkeypatch.setattr(module, "MIGRATIONS", tuple(broken))
    with pytest.raises(OutputError):
        Store.open(folder, create=True)
    connection = sqlite3.connect(folder / DATABASE)
    assert connection.execute("pragma user_version").fetchone()[0] == step
    connection.close()
    monkeypatch.undo()
    with Store.open(folder) as store:
        assert store.add(batch(("A", "máy")), now=NOW).added == ("A",)


def filled(folder):
    """A store's file with some pages in it."""
    with Store.open(folder, create=True) as store:
        store.add(batch(*((f"R{number:03}", f"máy {number} " * 40) for number in range(300))), now=NOW)
    return folder / DATABASE


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"x" * len(data),
        lambda data: data[: len(data) // 3],
        lambda data: data[:4096] + b"\xff" * (len(data) - 4096),
        lambda data: data[:100] + b"\0" * 3996 + data[4096:],
        lambda data: data.replace(b'{"id": "R007"', b'\x00"id": "R007"'),
        lambda data: data.replace(b"R007", b"\xff\xfe07"),
    ],
    ids=["no database", "cut", "pages", "schema", "cell", "encoding"],
)
def test_a_damaged_file_is_named(folder, damage):
    """What is no longer a store is called damaged, with its path, and never a traceback of something else."""
    path = filled(folder)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(OutputError) as fault, Store.open(folder) as store:
        store.archive()
    assert str(path) in str(fault.value)


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path):
    """A path that cannot be a store's folder is an error with the path in it."""
    (tmp_path / "store").write_text("no folder")
    with pytest.raises(OutputError, match="store"):
        Store.open(tmp_path / "store", create=True)


WRITER = """
import sys
from pathlib import Path
import pandas as pd
from pipeline.records import CANONICAL
from pipeline.store import Store
folder, run = Path(sys.argv[1]), sys.argv[2]
with Store.open(folder, create=True) as store:
    for number in range(100_000):
        row = {**dict.fromkeys(CANONICAL, ""), "title": "máy " * 500}
        rows = [{**row, "id": f"{run}-{number}-{part}"} for part in "ab"]
        print("start", number, flush=True)
        store.add(pd.DataFrame(rows, dtype="str"), now="2026-01-01T00:00:00+00:00")
        print("done", number, flush=True)
"""


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_was_confirmed(folder):
    """Killed at any moment, a writer leaves every batch it confirmed, and of the next one all or nothing."""
    confirmed: set[str] = set()
    for run, lines in enumerate((1, 2, 7, 20, 33, 50)):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(run)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        confirmed |= {
            f"{run}-{line.split()[1]}" for line in said if line.startswith("done") and line[-1] == "\n"
        }
    with Store.open(folder) as store:
        halves = Counter(name.rpartition("-")[0] for name in store.archive()["id"])
    assert confirmed
    assert confirmed <= halves.keys()
    assert set(halves.values()) == {2}
    assert len(halves) <= len(confirmed) + 6


def cut(calls):
    """A stand-in for the segmenter that notes what it was asked."""

    def through(texts):
        calls.extend(texts)
        return [(text.replace(" ", "_"), len(text) > 5) for text in texts]

    return through


@settings(max_examples=30)
@given(
    rounds=st.lists(
        st.lists(st.sampled_from(["", "a b", "máy ép nhựa", "x\0y", "a  b"]), max_size=6), max_size=4
    )
)
def test_the_cache_changes_no_answer(tmp_path_factory, rounds):
    """With the cache or without, the answers are the same, and no text is cut twice."""
    folder = tmp_path_factory.mktemp("cache")
    calls: list[str] = []
    for texts in rounds:
        plain = TokenCache(None, model="m1").through(texts, cut([]))
        assert TokenCache(folder, model="m1").through(texts, cut(calls)) == plain == cut([])(texts)
    assert len(set(calls)) == len(calls)


def test_another_model_cuts_anew(tmp_path):
    """Words cut by one model are not given to another."""
    TokenCache(tmp_path, model="m1").through(["a b"], cut([]))
    calls: list[str] = []
    assert TokenCache(tmp_path, model="m2").through(["a b"], lambda texts: [("other", True)]) == [
        ("other", True)
    ]
    assert TokenCache(tmp_path, model="m1").through(["a b"], cut(calls)) == [("a_b", False)]
    assert calls == []


@pytest.mark.parametrize("damage", ["junk", "folder", "schema", "cut"])
def test_a_cache_that_is_damaged_only_costs_time(tmp_path, damage):
    """Where the cache cannot be used, every text is cut, and nobody is troubled."""
    texts = [f"máy ép {number}" for number in range(600)]
    path = tmp_path / TOKENS
    if damage == "junk":
        path.write_bytes(b"no database" * 1000)
    elif damage == "folder":
        path.mkdir()
    elif damage == "schema":
        connection = sqlite3.connect(path)
        connection.execute("create table token (something)")
        connection.close()
    else:
        TokenCache(tmp_path, model="m1").through(texts, cut([]))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for _ in range(2):
        assert TokenCache(tmp_path, model="m1").through(texts, cut([])) == cut([])(texts)


@pytest.mark.skipif(os.name != "posix", reason="permissions are asked of the system")
def test_a_cache_in_a_place_that_is_no_folder_only_costs_time(tmp_path):
    """A path that cannot be a folder is as good as no cache."""
    (tmp_path / "file").write_text("")
    assert TokenCache(tmp_path / "file", model="m").through(["a b"], cut([])) == [("a_b", False)]


def test_an_empty_file_is_no_archive(folder):
    """An archive cut to nothing is not taken for one without records: every copy would look new."""
    folder.mkdir()
    (folder / DATABASE).touch()
    with pytest.raises(InputNotFound):
        Store.open(folder)


def test_a_file_in_the_place_of_the_folder_is_named(folder):
    """A store that is a file is refused with a sentence that says so."""
    folder.touch()
    with pytest.raises(OutputError, match="Name a folder"):
        Store.open(folder, create=True)


def test_an_archive_can_be_read_where_nothing_may_be_written(tmp_path, monkeypatch):
    """Reading writes nothing, so that colleagues can compare with an archive they may not change."""
    with Store.open(tmp_path, create=True) as store:
        store.add(pd.DataFrame({"id": ["A"], "title": ["Khung"]}, dtype="str"), now=NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with Store.read(tmp_path) as store:
        assert store.archive()["id"].tolist() == ["A"]
        assert store.status().records == 1
        with pytest.raises(PermissionDenied):
            store.add(pd.DataFrame({"id": ["B"], "title": ["Khung"]}, dtype="str"), now=NOW)
    assert before.items() <= {path.name: path.read_bytes() for path in tmp_path.iterdir()}.items()
