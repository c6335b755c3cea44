"""A run knows what reviewers decided: told apart is silent, called the same is one, and the sheet says so."""

from __future__ import annotations

import json
import sys

import openpyxl
import pandas as pd
import pytest

from pipeline import flow, read, report, starter
from pipeline.cli.main import main
from pipeline.decisions import content_hash
from pipeline.records import Decision
from pipeline.settings import Settings

CELLS = ("id", "title", "description", "author", "unit", "submitted")
WELD = (
    "Nhóm thợ hàn thêm một khung xoay bằng ống thép cũ để lật cửa sắt khi sơn, một người làm được việc "
    "của ba người, mỗi cửa nhanh hơn hai mươi phút, sơn không chảy và không ai phải khiêng nặng nữa."
)
SHELF = (
    "Lớp học dán nhãn màu lên giá sách để trẻ tự cất đồ chơi đúng chỗ, cuối buổi cô giáo không phải dọn, trẻ "
    "nhớ màu và chữ cái đầu, phụ huynh làm theo ở nhà bằng giấy màu cắt sẵn."
)
ROWS = (
    {"id": "A", "title": "Khung xoay lật cửa", "description": WELD, "submitted": "2024-01-01"},
    {"id": "B", "title": "Khung xoay lật cửa sắt", "description": WELD, "submitted": "2024-02-01"},
    {"id": "C", "title": "Khung xoay để sơn", "description": WELD, "submitted": "2024-03-01"},
    {"id": "D", "title": "Nhãn màu trên giá", "description": SHELF, "submitted": "2024-04-01"},
)


@pytest.fixture(scope="module")
def tools(models):
    """A trained pair model."""
    known = starter.knowledge(settings=Settings())
    return flow.Tools(judge=starter.pairs(models, settings=Settings(), known=known).model, known=known)


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """Three records of one text and a stranger."""
    path = tmp_path_factory.mktemp("new") / "new.csv"
    pd.DataFrame([dict.fromkeys(CELLS, "") | row for row in ROWS]).to_csv(path, index=False)
    return read.tables([path])


def told(one, other, verdict, **more):
    """A decision on two of the records as they are."""
    texts = {row["id"]: content_hash(row["title"], row["description"]) for row in ROWS}
    return Decision(
        later=one,
        earlier=other,
        verdict=verdict,
        later_content=texts[one],
        earlier_content=texts[other],
        **more,
    )


def pairs(outcome):
    """The pairs that were found, in no order."""
    return {frozenset(pair) for pair in outcome.matches[["later", "earlier"]].to_numpy().tolist()}


def groups(outcome):
    """Each id's group."""
    return dict(zip(outcome.groups["id"], outcome.groups["group"], strict=True))


def test_told_apart_is_silent_until_a_text_changes(reading, tools):
    """The pair is in no match and no group together, and is counted; on another text it is found again."""
    before = flow.run(reading, None, tools)
    assert pairs(before) == {frozenset("AB"), frozenset("AC"), frozenset("BC")}
    assert groups(before) == dict.fromkeys("ABC", "G-A")
    verdict = told("C", "A", "different")
    after = flow.run(reading, None, tools, decisions=[verdict])
    assert pairs(after) == {frozenset("AB"), frozenset("BC")}
    assert groups(after) == {"A": "G-A", "B": "G-A"}
    assert (after.silenced, after.verdicts.stale) == (1, 0)
    former = Decision(later="C", earlier="A", verdict="different", later_content="0" * 64, earlier_content="")
    again = flow.run(reading, None, tools, decisions=[former])
    assert pairs(again) == pairs(before)
    assert (again.silenced, again.verdicts.stale) == (0, 1)


def test_called_the_same_is_a_match_and_one_group(reading, tools):
    """A pair that no model would find is there with the probability 0, and joins the group."""
    found = flow.run(reading, None, tools, decisions=[told("D", "B", "duplicate")])
    row = found.matches[found.matches["later"] == "D"].iloc[0]
    assert (row["earlier"], row["probability"], row["level"]) == ("B", 0.0, "reworded")
    assert groups(found) == dict.fromkeys("ABCD", "G-A")
    assert found.matches["probability"].is_monotonic_decreasing


def test_similar_changes_no_match(reading, tools):
    """To be made clear: the pair stays as it was found, and joins nobody."""
    plain = flow.run(reading, None, tools)
    asked = flow.run(reading, None, tools, decisions=[told("C", "A", "similar"), told("D", "A", "similar")])
    pd.testing.assert_frame_equal(asked.matches, plain.matches)
    pd.testing.assert_frame_equal(asked.groups, plain.groups)


def test_verdicts_about_archived_records_hold_their_groups_together(reading, tools):
    """Two archived records called the same are one group for whoever comes; alone they are no result."""
    archive = reading.batch[reading.batch["id"].isin(["A", "D"])].reset_index(drop=True)
    new = reading.batch[reading.batch["id"] == "B"].reset_index(drop=True)
    source = [type(each)(**{**vars_of(each), "read": 1, "accepted": 1}) for each in reading.sources]
    one = type(reading)(new, (), tuple(source))
    found = flow.run(one, archive, tools, decisions=[told("D", "A", "duplicate")])
    assert groups(found) == dict.fromkeys("ABD", "G-A")
    assert pairs(found) == {frozenset("AB")}
    alone = flow.run(
        one, archive, tools, decisions=[told("D", "A", "duplicate"), told("B", "A", "different")]
    )
    assert groups(alone) == {}
    assert alone.silenced == 1


def vars_of(source):
    """The fields of a source."""
    return {name: getattr(source, name) for name in source.__dataclass_fields__}


def test_the_sheet_carries_what_was_decided(reading, tools, tmp_path):
    """Kết luận has the verdicts, names and dates, Tổng hợp and run.json say how many, and all come back."""
    decided = [
        told("B", "A", "duplicate", reviewer="Lan", note="rõ", decided="2025-01-02"),
        told("C", "B", "similar", reviewer="Minh"),
        told("C", "A", "different"),
    ]
    report.publish(flow.run(reading, None, tools, decisions=decided), tmp_path / "out")
    book = openpyxl.load_workbook(tmp_path / "out" / "ket_qua.xlsx")
    rows = list(book["Kết luận"].iter_rows(min_row=2, values_only=True))
    said = {(row[0], row[1]): [str(cell or "")[:10] for cell in row[5:9]] for row in rows}
    assert said == {
        ("B", "A"): ["Trùng", "rõ", "Lan", "2025-01-02"],
        ("C", "B"): ["Gần giống ", "", "Minh", ""],
    }
    counts = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["counts"]
    assert counts["verdicts"] == {"duplicate": 1, "similar": 1, "different": 1, "silenced": 1, "stale": 0}
    items = {row[1]: row[2] for row in book["Tổng hợp"].iter_rows(min_row=2, values_only=True)}
    assert items["Số cặp không hiển thị vì người xem đã kết luận là khác nhau"] == 1
    back = read.decided([tmp_path / "out" / "ket_qua.xlsx"], today="2026-01-01")
    assert {(each.later, each.earlier, each.verdict, each.reviewer) for each in back.decisions} == {
        ("B", "A", "duplicate", "Lan"),
        ("C", "B", "similar", "Minh"),
    }


@pytest.fixture
def command(monkeypatch, tmp_path, models, capsys):
    """Run a command in this process, in an empty folder, in English; gives code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANGKIEN_MODELS", str(models))
    monkeypatch.setenv("SANGKIEN_LANG", "en")
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["sangkien", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def filled(path, choices):
    """Fill in the sheet of verdicts as a reviewer does."""
    book = openpyxl.load_workbook(path)
    for row in book["Kết luận"].iter_rows(min_row=2):
        if choice := choices.get((row[0].value, row[1].value)):
            row[5].value, row[7].value = choice, "Lan"
    book.save(path)


def test_a_filled_workbook_comes_back_in_the_next_run(command, tmp_path):
    """Filled, imported, run again: told apart is silent and said so, the rest stands in the new sheet."""
    pd.DataFrame(ROWS).to_csv("new.csv", index=False)
    assert command("dedupe", "new.csv", "--out", "one", "--store", "office")[0] == 66
    assert command("dedupe", "new.csv", "--out", "one")[0] == 0
    filled(tmp_path / "one" / "ket_qua.xlsx", {("C", "A"): "Khác", ("B", "A"): "Trùng", ("C", "B"): "đúng"})
    code, out, err = command("decisions", "import", "one/ket_qua.xlsx", "--json")
    assert code == 0
    said = json.loads(out)
    assert {name: said[name] for name in ("added", "known", "unseen")} == {
        "added": 2,
        "known": 0,
        "unseen": 0,
    }
    assert [(row["row"], row["column"], row["sheet"]) for row in said["problems"]] == [
        (4, "Verdict", "Kết luận")
    ]
    assert "no verdict" in err
    code, out, _ = command("decisions", "import", "one/ket_qua.xlsx", "--json")
    assert (json.loads(out)["added"], json.loads(out)["known"]) == (0, 2)
    code, out, err = command("dedupe", "new.csv", "--out", "two", "--json")
    assert code == 0
    assert json.loads(out)["counts"]["verdicts"]["silenced"] == 1
    assert "1 pairs are not shown" in err
    matches = pd.read_csv("two/matches.csv", encoding="utf-8-sig")
    assert matches[["later", "earlier"]].to_numpy().tolist() == [["B", "A"], ["C", "B"]]
    sheet = openpyxl.load_workbook("two/ket_qua.xlsx")["Kết luận"]
    assert [row[5] for row in sheet.iter_rows(min_row=2, values_only=True)] == ["Trùng", "Chưa xem"]
    pd.DataFrame([{**row, "title": f"{row['title']} mới"} for row in ROWS]).to_csv("new.csv", index=False)
    _, out, err = command("dedupe", "new.csv", "--out", "three", "--json")
    assert json.loads(out)["counts"]["verdicts"] == {
        "duplicate": 0, "similar": 0, "different": 0, "silenced": 0, "stale": 2,
    }  # fmt: skip
    assert "former text" in err


def test_reviewers_who_disagree_are_shown(command, tmp_path):
    """Import and log say who decided what and when, the newest counts, and an export brings it elsewhere."""
    lines = ["later,earlier,verdict,note,reviewer,date"]
    (tmp_path / "a.csv").write_text("\n".join([*lines, "B,A,trùng,rõ,Lan,2025-01-01"]), encoding="utf-8")
    (tmp_path / "b.csv").write_text("\n".join([*lines, "A,B,khác,,Minh,2025-01-02"]), encoding="utf-8")
    _, _, err = command("decisions", "import", "a.csv")
    assert "do not say on which texts" in err
    code, out, err = command("decisions", "import", "b.csv", "--json")
    assert code == 0
    assert (
        "Minh decided “Khác” on 2025-01-02. Lan decided “Trùng” on 2025-01-01. The newest counts: Khác."
        in err
    )
    assert len(json.loads(out)["conflicts"]) == 1
    code, out, err = command("decisions", "log", "--json")
    assert [(each["reviewer"], each["verdict"], each["counts"]) for each in json.loads(out)["decisions"]] == [
        ("Minh", "different", True),
        ("Lan", "duplicate", False),
    ]
    assert "reviewers disagree" in err
    _, _, err = command("decisions", "import", "a.csv")
    assert "0 verdicts recorded, 1 were there already" in err
    assert "a newer one counts" in err
    assert command("decisions", "export", "--out", "x.xlsx")[0] == 0
    assert command("decisions", "export", "--out", "x.xlsx")[0] == 2
    _, out, _ = command("decisions", "import", "x.xlsx", "--store", "elsewhere", "--json")
    assert json.loads(out)["added"] == 1
    assert command("decisions", "export", "--out", "y.xlsx", "--store", "elsewhere")[0] == 0
    assert (tmp_path / "x.xlsx").read_bytes() == (tmp_path / "y.xlsx").read_bytes()


def test_an_import_of_nothing_usable_is_told(command, tmp_path):
    """Where no row can be used the exit code is 65 and no store is made; a log without a store is 66."""
    (tmp_path / "a.csv").write_text("later,earlier,verdict\nB,A,sao cũng được\n", encoding="utf-8")
    code, _, err = command("decisions", "import", "a.csv")
    assert code == 65
    assert "row 2, column verdict" in err
    assert not (tmp_path / "sangkien-store").exists()
    assert command("decisions", "log")[0] == 66
    assert command("decisions", "import", "b.csv")[0] == 66
