"""Labels of people: kept for good, asked for where they teach most, read back and learnt from."""

from __future__ import annotations

import json
import sqlite3

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import asking, classify, labels, normalize, read
from pipeline.cli.main import main
from pipeline.decisions import content_hash
from pipeline.errors import OutputError
from pipeline.records import Label
from pipeline.revision import Course
from pipeline.store import DATABASE, Store
from pipeline.taxonomy import check, default

NOW = "2026-03-01T00:00:00+00:00"
RECORDS = pd.DataFrame(
    {"id": ["a", "b", "c"], "title": ["x", "y", "z"], "description": ["", "", ""]}, dtype="str"
)


def told(name: str, field: str, **more: str) -> Label:
    """A label of a person on a record as it is."""
    title = dict(zip(RECORDS["id"], RECORDS["title"], strict=True)).get(name, "")
    return Label(id=name, field=field, **{"content": content_hash(title, ""), "taxonomy": "1", **more})


def newer(cells: dict[str, dict[str, str]], *, new: str = "") -> Course:
    """The program's taxonomy and a version 2 in which some cells differ, with one more field."""
    rows = [{**row, "version": "2", **cells.get(row["code"], {})} for row in default().rows()]
    rows += [{"version": "2", "code": new, "name": f"Tên {new}"}] if new else []
    found = check(enumerate(rows, 2), file="2").taxonomy
    assert found is not None
    return Course((default(), found))


def test_the_same_labels_twice_change_nothing(tmp_path):
    """What was recorded stays as it was; a second time all are known."""
    given = [told("a", "safety", labeller="Lan"), told("b", "union")]
    with Store.open(tmp_path, create=True) as store:
        assert len(store.label(given, now=NOW).added) == 2
        again = store.label(given, now="2026-04-01T00:00:00+00:00")
        assert (again.added, len(again.known)) == ((), 2)
        assert [(each.id, each.recorded) for each in store.labels()] == [("a", NOW), ("b", NOW)]


def test_labels_and_taxonomies_are_only_ever_added(tmp_path):
    """Neither can be changed or removed, and a flipped letter behind the program's back is noticed."""
    with Store.open(tmp_path, create=True) as store:
        store.label([told("a", "safety")], now=NOW)
        store.adopt(newer({}, new="extra").current, now=NOW)
    with sqlite3.connect(tmp_path / DATABASE) as file:
        for table in ("label", "taxonomy"):
            for command in (f"delete from {table}", f"update {table} set key = ''"):
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    file.execute(command)
        file.execute("drop trigger label_is_not_changed")
        file.execute("update label set field = 'union'")
    file.close()
    with Store.read(tmp_path) as store, pytest.raises(OutputError, match="label"):
        store.labels()


def test_a_store_without_a_sheet_has_the_program_s_taxonomy_and_keeps_what_is_adopted(tmp_path):
    """The version it started from belongs to the history."""
    course = newer({"union": {"name": "Công đoàn cơ sở"}})
    with Store.open(tmp_path, create=True) as store:
        assert store.course() == Course((default(),))
        store.adopt(course.current, now=NOW)
        assert store.course() == course


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["safety", "union"]), st.booleans()), max_size=8
    )
)
def test_the_newest_label_of_a_person_counts_and_never_a_model_s(said):
    """Whatever models said and when, what counts is what a person said last."""
    given = [told(name, field, source="human" if person else "model") for name, field, person in said]
    last = {name: field for name, field, person in said if person}
    found = labels.in_force(given, RECORDS).by_id
    assert {name: label.field for name, label in found.items()} == last
    assert all(label.source == "human" for label in found.values())


def test_a_label_holds_for_the_text_it_was_given_on():
    """On a former text it counts no more and is said to be stale; without a text it counts for any."""
    former = told("a", "safety", content="0" * 64)
    assert labels.in_force([former], RECORDS).by_id == {}
    assert labels.in_force([former], RECORDS).stale == 1
    assert set(labels.in_force([told("a", "safety", content="")], RECORDS).by_id) == {"a"}


def test_labels_follow_the_taxonomy_and_those_of_a_split_field_are_asked_again():
    """Merged labels count under the new code; split ones do not count and are named."""
    course = newer(
        {"society": {"replaced_by": "other"}, "safety": {"replaced_by": "safety; extra"}}, new="extra"
    )
    given = [told("a", "society"), told("b", "safety"), told("c", "safety", taxonomy="2")]
    found = labels.in_force(labels.moved(given, course), RECORDS)
    assert {name: label.field for name, label in found.by_id.items()} == {"a": "other", "c": "safety"}
    assert found.again == {"b"}
    table = labels.applied(RECORDS.assign(field="union", field2="union"), found)
    assert table["field"].tolist() == ["other", "", "safety"]
    assert table["field2"].tolist() == ["", "", ""]


def test_people_who_disagree_are_shown_and_nobody_else():
    """Two names, two fields: a conflict. A change of mind, a second field or a model is none."""
    one, other = told("a", "safety", labeller="Lan"), told("a", "union", labeller="Hoa")
    assert labels.conflicts([one, other]) == [(other, one)]
    assert labels.conflicts([one, told("a", "union", labeller="LAN ")]) == []
    assert labels.conflicts([one, told("a", "union", field2="safety", labeller="Hoa")]) == []
    assert labels.conflicts([one, told("a", "union", labeller="fields/1", source="model")]) == []


def corpus(topics: int, each: int) -> pd.DataFrame:
    """Texts of some topics, whose words are their own."""
    rows = [
        (f"{topic}-{number}", " ".join(f"chu{topic}x{(number * 7 + k) % 11}" for k in range(9)), str(topic))
        for topic in range(topics)
        for number in range(each)
    ]
    table = pd.DataFrame(rows, columns=["id", "title", "topic"], dtype="str").assign(description="", field="")
    return normalize.frame(table)


def test_centres_show_every_topic():
    """As many texts as there are topics show each topic once, in whatever order the rows come."""
    batch = corpus(6, 15)
    found = batch.iloc[classify.centres(batch, 6)]
    assert sorted(found["topic"]) == list("012345")
    turned = batch.iloc[::-1].reset_index(drop=True)
    assert set(turned.iloc[classify.centres(turned, 6)]["id"]) == set(found["id"])
    assert len(classify.centres(batch.head(3), 6)) == 3
    same = batch.head(9).assign(clean_title="một hai ba bốn năm")
    assert len(set(classify.centres(same, 6).tolist())) == 6


@given(st.integers(1, 40), st.integers(0, 50), st.integers(0, 9))
def test_doubts_come_from_the_smallest_margins(rows, count, seed):
    """Every row drawn is among the three times as many of least margin, and none comes twice."""
    high = np.linspace(0.5, 1.0, rows)
    found = classify.doubtful(np.column_stack([high, 1 - high]), count, seed=seed).tolist()
    assert len(found) == len(set(found)) == min(count, rows)
    assert all(row < 3 * count for row in found)


@pytest.fixture(scope="module")
def model():
    """A classifier of the first topics."""
    batch = corpus(4, 12)
    return classify.fit(batch, [f"t{topic}" for topic in batch["topic"]]).model


def named(batch, groups):
    """Return what says which records are copies, from a group a record."""
    group = dict(zip(batch["id"], groups, strict=True))
    return lambda part: [f"g{group[name]}" for name in part["id"]]


def different(count: int) -> pd.DataFrame:
    """Records of four topics, no two of the same text."""
    rows = [
        (f"{n:03d}", " ".join(f"chu{n % 4}x{(n * 7 + k) % 11}" for k in range(9)) + f" số{n}")
        for n in range(count)
    ]
    table = pd.DataFrame(rows, columns=["id", "title"], dtype="str")
    return normalize.frame(table.assign(description="", field="", field2=""))


def test_the_queue_asks_no_copy_and_nothing_labelled(model):
    """One of each group is asked; a labelled record and its copies are not; split labels come first."""
    batch = corpus(4, 12)
    groups = [name if number % 2 else batch["id"][number + 1] for number, name in enumerate(batch["id"])]
    batch.loc[0, "field"] = "t0"
    again = labels.InForce({}, frozenset({batch["id"][20]}))
    found = asking.queue(batch, again, model, named(batch, groups), size=60)
    assert found["why"].iloc[0] == asking.SPLIT
    assert found["id"].iloc[0] == batch["id"][20]
    group = dict(zip(batch["id"], groups, strict=True))
    asked = [group[name] for name in found["id"]]
    assert len(asked) == len(set(asked)) == len(set(groups)) - 1
    assert group[batch["id"][0]] not in asked
    pd.testing.assert_frame_equal(found, asking.queue(batch, again, model, named(batch, groups), size=60))


def test_the_queue_starts_with_what_is_typical_and_goes_on_with_doubts(model):
    """Without labels all are typical; when enough are labelled, all are doubts."""
    batch = different(asking.ENOUGH + 60)
    alone = named(batch, batch["id"].tolist())
    assert set(asking.queue(batch, labels.InForce({}), model, alone, size=20)["why"]) == {asking.START}
    batch.loc[: asking.ENOUGH - 11, "field"] = "t0"
    both = asking.queue(batch, labels.InForce({}), model, alone, size=20)["why"].tolist()
    assert both == [asking.START] * 10 + [asking.UNSURE] * 10
    assert set(asking.queue(batch, labels.InForce({}), None, alone, size=20)["why"]) == {asking.START}
    batch.loc[: asking.ENOUGH - 1, "field"] = "t0"
    assert set(asking.queue(batch, labels.InForce({}), model, alone, size=20)["why"]) == {asking.UNSURE}


@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=40),
    st.sets(st.integers(0, 39), max_size=10),
    st.integers(1, 30),
    st.integers(0, 3),
)
def test_of_a_large_archive_no_copy_is_asked_either(model, groups, labelled, size, seed):
    """Where only some records are compared at a time, none asked is a copy of another or of a labelled."""
    batch = different(len(groups))
    rows = [row for row in sorted(labelled) if row < len(groups)]
    batch.loc[rows, "field"] = "t0"
    compared = []

    def alike(part):
        compared.append(len(part))
        return named(batch, groups)(part)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "TOGETHER", 4)
        found = asking.queue(batch, labels.InForce({}), model, alike, size=size, seed=seed)
    group = dict(zip(batch["id"], groups, strict=True))
    asked = [group[name] for name in found["id"]]
    done = {groups[row] for row in rows}
    assert len(asked) == len(set(asked))
    assert not set(asked) & done
    # As many as there are: more are looked at until nothing is left.
    assert len(asked) == min(size, len(set(groups) - done))
    assert all(count <= max(4, len(rows) + 2 * size + 40) for count in compared)


@given(st.sets(st.integers(0, 300), max_size=120), st.integers(0, 60), st.integers(1, 50), st.randoms())
def test_the_draw_of_a_large_table_is_the_same_in_whatever_parts_it_comes(names, most, size, random):
    """Wanted records and so many others stay, the same for any parts; what else goes changes none."""
    ids = sorted(map(str, names))
    wanted = set(ids[::7])
    whole = pd.DataFrame({"id": ids, "title": ids}, dtype="str")
    parts = [whole.iloc[start : start + size] for start in range(0, len(ids), size)] or [whole]
    found = asking.drawn(parts, wanted, most=most)
    assert found.columns.tolist() == ["id", "title"]
    assert found["id"].tolist() == asking.drawn([whole], wanted, most=most)["id"].tolist()
    assert found["id"].is_monotonic_increasing
    assert wanted <= set(found["id"])
    assert len(found) == len(wanted) + min(most, len(ids) - len(wanted))
    gone = {name for name in ids if name not in set(found["id"]) and random.random() < 0.5}
    rest = whole[~whole["id"].isin(gone)]
    assert asking.drawn([rest], wanted, most=most)["id"].tolist() == found["id"].tolist()


def reading(tmp_path, text, **more):
    """Read a CSV of labels."""
    path = tmp_path / "l.csv"
    path.write_text(text, encoding="utf-8")
    return read.labelled([path], course=Course((default(),)), today="2026-03-01", **more)


def test_a_table_of_labels_is_read_however_fields_are_typed(tmp_path):
    """Names, codes and aliases in any case; nothing chosen, or "Chưa rõ", is not labelled yet."""
    found = reading(
        tmp_path, "Mã,Lĩnh vực,Người gán nhãn\nA,Y TE,Lan\nB,safety,\nC,,\nD,chưa rõ,\n", labeller="Hoa"
    )
    assert [(each.id, each.field, each.labeller) for each in found.labels] == [
        ("A", "healthcare", "Lan"),
        ("B", "safety", "Hoa"),
    ]
    assert (found.unseen, found.problems) == (2, ())


def test_what_a_model_wrote_is_read_as_a_model_s(tmp_path):
    """A table of labels with probabilities, as a run writes it, holds no word of a person."""
    found = reading(tmp_path, "id,field,probability,model\nA,safety,0.9,fields/1\n")
    assert [(each.source, each.labeller) for each in found.labels] == [("model", "fields/1")]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("A,hàng không,,,", "E-LABEL"),
        ("A,safety,thiên văn,,", "E-LABEL"),
        (",safety,,,", "E-LABEL-ID"),
        ("A,safety,,31/02/2026,", "E-LABEL-DATE"),
        ("A,safety,,02/03/2026,", "E-LABEL-DATE"),
        ("A,safety,,,7", "E-LABEL-VERSION"),
    ],
)
def test_a_row_that_is_no_label_is_named(tmp_path, row, code):
    """The file, the row and what to do are said; the rows beside it are read."""
    found = reading(tmp_path, f"id,field,field2,date,taxonomy\n{row}\nB,union,,,\n")
    assert [each.id for each in found.labels] == ["B"]
    assert [(each.code, each.row) for each in found.problems] == [(code, 2)]
    assert "row 2" in str(found.problems[0].note)


@pytest.fixture
def call(tmp_path, monkeypatch, capsys, models):
    """Call the program in a folder of its own; return exit code, JSON and messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)
    monkeypatch.setenv("SANGKIEN_MODELS", str(models))

    def run(*words):
        language = [] if words[0] == "models" else ["--lang", "en"]
        monkeypatch.setattr("sys.argv", ["sangkien", *map(str, words), *language])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code, json.loads(out) if out else None, err

    return run


def test_the_queue_goes_out_is_filled_and_comes_back(call, tmp_path, sample):
    """A workbook with drop-downs, filled in, becomes labels that training takes; they are not asked again."""
    table = pd.read_csv(sample / "labelled.csv", dtype="str", keep_default_na=False).iloc[::9].head(60)
    truth = dict(zip(table["id"], table["field"], strict=True))
    new = tmp_path / "new.csv"
    table.drop(columns=["field", "field2"], errors="ignore").to_csv(new, index=False)
    code, done, said = call("label-queue", new, "--out", "q.xlsx", "--count", "30", "--json")
    assert code == 0, said
    assert done["why"]["start"] == done["records"] == 30
    book = openpyxl.load_workbook("q.xlsx")
    page = book["Gán nhãn"]
    lists = [each.formula1 for each in page.data_validations.dataValidation if each.type == "list"]
    assert lists == ["'Danh mục lĩnh vực'!$A$2:$A$14"] * 2
    names = [row[0] for row in book["Danh mục lĩnh vực"].iter_rows(min_row=2, values_only=True)]
    assert names == [*default().names.values(), labels.UNSURE]
    ids = [page.cell(row, 1).value for row in range(2, 32)]
    for row, name in enumerate(ids[:-1], 2):
        page.cell(row, 5).value = default().names[default().code_of(truth[name])]
    book.save("q.xlsx")
    code, done, said = call("label-queue", "--import", "q.xlsx", "--labeller", "Lan", "--json")
    assert (code, done["added"], done["unseen"], done["problems"]) == (0, 29, 1, []), said
    assert call("label-queue", "--import", "q.xlsx", "--labeller", "Lan", "--json")[1]["known"] == 29
    done = call("label-queue", "--import", "q.xlsx", "--labeller", "Hoa", "--json")[1]
    assert (done["added"], done["conflicts"]) == (29, [])
    page.cell(2, 5).value = next(name for name in names if name != page.cell(2, 5).value)
    book.save("q.xlsx")
    code, done, said = call("label-queue", "--import", "q.xlsx", "--labeller", "Minh", "--json")
    assert len(done["conflicts"]) == 1
    assert "people disagree" in said
    again = call("label-queue", new, "--out", "q2.xlsx", "--json")[1]
    rows = openpyxl.load_workbook("q2.xlsx")["Gán nhãn"].iter_rows(min_row=2, max_col=1, values_only=True)
    assert not {row[0] for row in rows} & set(ids[:-1])
    assert again["records"] <= 31
    code, done, said = call("train", new, "--stored", "--name", "own", "--json")
    assert code == 0, said
    assert call("models", "show", "own", done["version"])[1]["rows"] == 29


def test_a_filled_workbook_is_not_written_over_and_a_call_must_be_clear(call, tmp_path):
    """What people typed stays; neither of --out and --import, or both, is refused."""
    (tmp_path / "q.xlsx").write_bytes(b"typed")
    (tmp_path / "new.csv").write_text("id,title\nA,Đồ gá hàn\n", encoding="utf-8")
    assert call("label-queue", "new.csv", "--out", "q.xlsx")[0] == 2
    assert (tmp_path / "q.xlsx").read_bytes() == b"typed"
    assert call("label-queue", "new.csv")[0] == 2
    assert call("label-queue", "new.csv", "--import", "--out", "r.xlsx")[0] == 2
