"""The archive on disk: store and index in step, whatever was added, removed, damaged or cut short."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pipeline import archive, normalize
from pipeline.cli.main import cli
from pipeline.dedupe import Knowledge, headings, index, join, lexicon
from pipeline.dedupe.shingles import fingerprint
from pipeline.errors import OutputError
from pipeline.settings import Settings
from pipeline.store import Store

LEXICON = lexicon([], np.zeros(0, np.int64), 1000, np.zeros((0, 2), np.float32), np.zeros((0, 2)))
KNOBS = archive.Made(Settings(), Knowledge(np.zeros(0, np.uint64), LEXICON, headings([])))
NOW = "2026-01-02T03:04:05+00:00"
NONE = np.zeros(0, dtype=np.uint64)
SENTENCES = tuple(" ".join(f"{word}{number}" for number in range(14)) for word in "abcdefgh")


def batch(*rows):
    """A table of ``(id, submitted, sentences)``."""
    cells = [(name, "Cải tiến", "\n".join(SENTENCES[each] for each in told), day) for name, day, told in rows]
    return pd.DataFrame(cells, columns=["id", "title", "description", "submitted"], dtype="str")


FIRST = batch(("A1", "2024-01-01", (0, 1)), ("A2", "", (1, 2)), ("A3", "2024-05-05", (0, 1)))
SECOND = batch(("B1", "2023-01-01", (3, 4)), ("B2", "2025-01-01", (0, 2)))
NEW = batch(("N1", "2026-01-01", (0, 1, 5)), ("N2", "", (3, 4)), ("N3", "2026-01-01", (6, 7)))


@pytest.fixture
def store(tmp_path):
    """A new store, opened for writing."""
    with Store.open(tmp_path, create=True) as opened:
        yield opened


def marks(table):
    """The numbers of a table's records."""
    clean = normalize.frame(table)
    texts = zip(clean["clean_title"], clean["clean_description"], strict=True)
    return fingerprint([f"{title}\n{description}" for title, description in texts])


def words(*tables):
    """The words of some tables' records, in codes."""
    texts = [KNOBS.cut(table)[1] for table in tables]
    return np.concatenate([KNOBS.rarest(each, NONE).codes for each in texts])


def near(held):
    """What the archive has to do with the new records: pairs by id, and the records to be read."""
    new = NEW.sort_values(["submitted", "id"], ignore_index=True)
    found = index.nearby(held, marks(new), new["submitted"].tolist(), NONE, index.Ask(), least=4)
    names = {}
    for number, name in [
        *zip(held.text.tolist(), held.ids, strict=True),
        *zip(found.text.tolist(), new["id"], strict=True),
    ]:
        names.setdefault(number, set()).add(name)
    pairs = {
        (frozenset(names[one]), frozenset(names[two]))
        for one, two in zip(found.later.tolist(), found.earlier.tolist(), strict=True)
    }
    return pairs, [held.ids[place] for place in found.records]


def add(tmp_path, store, *tables):
    """Add tables one after another."""
    for table in tables:
        archive.add(tmp_path, store, table, KNOBS, now=NOW)


def test_added_in_batches_is_added_at_once(tmp_path, store):
    """Batches added one by one give what the same records give when the index is made anew."""
    add(tmp_path, store, FIRST, SECOND)
    stepwise = near(archive.load(tmp_path, store, KNOBS).held)
    archive.rebuild(tmp_path, store, KNOBS)
    assert near(archive.load(tmp_path, store, KNOBS).held) == stepwise
    pairs, told = stepwise
    assert (frozenset({"N1"}), frozenset({"A1", "A3"})) in pairs
    assert {"A1", "A3", "B1"} <= set(told)


def test_the_same_table_twice_changes_nothing(tmp_path, store):
    """Records that are there already leave the index as it was."""
    add(tmp_path, store, FIRST, SECOND)
    before = archive.condition(tmp_path, store, KNOBS)
    add(tmp_path, store, FIRST)
    assert archive.condition(tmp_path, store, KNOBS) == before
    assert before.current
    assert (before.records, before.texts) == (5, 4)


def test_a_removed_record_is_in_no_file(tmp_path, store):
    """After removal neither the id nor any shingle of its own is in any file of the index."""
    secret = batch(("SECRET-ID-77", "2024-02-02", (5, 6)))
    add(tmp_path, store, FIRST, secret, SECOND)
    own = np.setdiff1d(marks(secret).shingles, marks(pd.concat([FIRST, SECOND])).shingles)
    patterns = [int(each).to_bytes(5, "little") for each in own] + [b"SECRET-ID-77"]
    patterns += [
        int(code).to_bytes(4, "little") for code in np.setdiff1d(words(secret), words(FIRST, SECOND))
    ]
    files = tmp_path / archive.FOLDER

    def there():
        content = b"".join(path.read_bytes() for path in sorted(files.iterdir()))
        return sum(pattern in content for pattern in patterns)

    assert there() == len(patterns)
    assert archive.remove(tmp_path, store, ["SECRET-ID-77", "nobody"], KNOBS, now=NOW) == ("SECRET-ID-77",)
    assert there() == 0
    held = archive.load(tmp_path, store, KNOBS).held
    assert sorted(held.ids) == ["A1", "A2", "A3", "B1", "B2"]
    left = near(held)
    archive.rebuild(tmp_path, store, KNOBS)
    assert near(archive.load(tmp_path, store, KNOBS).held) == left


def test_of_two_who_filed_a_text_one_can_be_removed(tmp_path, store):
    """The text stays as long as somebody is left who filed it, and the next one stands for it."""
    add(tmp_path, store, FIRST)
    archive.remove(tmp_path, store, ["A1"], KNOBS, now=NOW)
    pairs, told = near(archive.load(tmp_path, store, KNOBS).held)
    assert (frozenset({"N1"}), frozenset({"A3"})) in pairs
    assert "A1" not in told


def damage(path, place, length=None):
    """Change one byte of a file, or cut it."""
    content = bytearray(path.read_bytes())
    if length is not None:
        path.write_bytes(content[:length])
    else:
        content[place] ^= 0x10
        path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: damage(next(folder.glob("segment-*")), 3),
        lambda folder: damage(next(folder.glob("segment-*")), 20),
        lambda folder: damage(next(folder.glob("segment-*")), 0, length=100),
        lambda folder: damage(next(folder.glob("segment-*")), 0, length=0),
        lambda folder: next(folder.glob("segment-*")).unlink(),
        lambda folder: damage(next(folder.glob("words-*")), 3),
        lambda folder: damage(next(folder.glob("words-*")), 0, length=100),
        lambda folder: next(folder.glob("words-*")).unlink(),
        lambda folder: damage(next(folder.glob("texts-*")), 700),
        lambda folder: damage(next(folder.glob("texts-*")), 0, length=1000),
        lambda folder: next(folder.glob("texts-*")).unlink(),
        lambda folder: damage(folder / archive.MANIFEST, 30),
        lambda folder: (folder / archive.MANIFEST).write_text("{}"),
        lambda folder: (folder / archive.MANIFEST).unlink(),
    ],
    ids=[
        "magic",
        "header",
        "cut",
        "empty",
        "gone",
        "words",
        "words-cut",
        "words-gone",
        "texts",
        "texts-cut",
        "texts-gone",
        "manifest",
        "other",
        "no",
    ],
)
def test_what_is_damaged_is_made_again_and_never_used(tmp_path, store, spoil):
    """A damaged or missing file makes the whole index count for nothing until it is made again."""
    add(tmp_path, store, FIRST)
    spoil(tmp_path / archive.FOLDER)
    assert archive.load(tmp_path, store, KNOBS) is None
    assert not archive.condition(tmp_path, store, KNOBS).current
    add(tmp_path, store, SECOND)
    assert sorted(archive.load(tmp_path, store, KNOBS).held.ids) == ["A1", "A2", "A3", "B1", "B2"]


def test_an_index_of_another_version_is_not_used(tmp_path, store, monkeypatch):
    """Another version of the normalization, of the algorithm or of the settings makes the index anew."""
    add(tmp_path, store, FIRST)
    assert archive.load(tmp_path, store, replace(KNOBS, settings=Settings(form_min=9))) is None
    with monkeypatch.context() as patched:
        patched.setattr(normalize, "VERSION", "another")
        assert archive.load(tmp_path, store, KNOBS) is None
    monkeypatch.setattr(archive, "ALGORITHM", 99)
    assert archive.load(tmp_path, store, KNOBS) is None
    archive.rebuild(tmp_path, store, KNOBS)
    assert archive.load(tmp_path, store, KNOBS) is not None


def test_records_added_behind_the_index_make_it_stale(tmp_path, store):
    """An index of the store as it was is not used for the store as it is."""
    add(tmp_path, store, FIRST)
    store.add(SECOND, now=NOW)
    assert archive.load(tmp_path, store, KNOBS) is None


@pytest.mark.parametrize("call", range(6))
def test_a_change_cut_short_leaves_the_old_index_or_the_new(tmp_path, store, monkeypatch, call):
    """Wherever writing fails, what counts afterwards is whole; what was half written is swept away later."""
    add(tmp_path, store, FIRST)
    real, calls = os.fsync, []

    def failing(descriptor):
        calls.append(descriptor)
        if len(calls) == call + 1:
            raise OSError(28, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing)
        with contextlib.suppress(OutputError):
            archive.rebuild(tmp_path, store, KNOBS)
    held = archive.load(tmp_path, store, KNOBS).held
    assert sorted(held.ids) == ["A1", "A2", "A3"]
    archive.rebuild(tmp_path, store, KNOBS)
    assert len(list((tmp_path / archive.FOLDER).iterdir())) == 4


def test_segments_stay_few(tmp_path, store):
    """Many small additions do not leave many segments: what is of one size becomes one."""
    for number in range(12):
        add(tmp_path, store, batch((f"A{number:02}", "", (number % 8, (number + 3) % 8))))
    held = archive.load(tmp_path, store, KNOBS).held
    assert len(held.segments) <= 4
    assert len(held.ids) == 12
    for segment in held.segments:
        assert (np.diff((segment >> np.uint64(join.RECORD_BITS)).astype(np.int64)) >= 0).all()


def test_the_commands_keep_the_index(tmp_path):
    """`archive add`, `status`, `rebuild` and `remove` keep the index in step and say how it is."""
    table, store = tmp_path / "first.csv", tmp_path / "store"
    FIRST.to_csv(table, index=False)
    run = CliRunner().invoke
    assert run(cli, ["archive", "add", str(table), "--store", str(store), "--json"]).exit_code == 0
    assert '"current": true' in run(cli, ["archive", "status", "--store", str(store), "--json"]).stdout
    for path in (store / archive.FOLDER).glob("*"):
        path.unlink()
    assert '"current": false' in run(cli, ["archive", "status", "--store", str(store), "--json"]).stdout
    assert run(cli, ["archive", "rebuild", "--store", str(store)]).exit_code == 0
    assert run(cli, ["archive", "remove", "A2", "--store", str(store)]).exit_code == 0
    assert '"current": true' in run(cli, ["archive", "status", "--store", str(store), "--json"]).stdout
