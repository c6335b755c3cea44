"""Rows that could not be read, mended by a person, come back: once, and only those."""

import csv
import json

import pytest
import xlsxwriter
from click.testing import CliRunner

from pipeline import normalize, read, report
from pipeline.cli import cli
from pipeline.errors import NoUsableRow
from pipeline.report import files

HEAD = "Mã số,Tên sáng kiến,Nội dung\n"


@pytest.fixture
def results(tmp_path):
    """Return a function that reads tables and publishes what a run does of them; it returns the folder."""

    def run(*paths):
        try:
            reading = read.tables(paths)
        except NoUsableRow as error:
            reading = error.reading
        outcome = report.Outcome(
            initiatives=normalize.frame(reading.batch),
            quarantine=reading.quarantine,
            sources=reading.sources,
        )
        return report.publish(outcome, tmp_path / "results").folder

    return run


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a text table and gives its path."""

    def write(text, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


def mend(folder, change):
    """Change the column raw of the quarantine of a run, as a person does in a spreadsheet."""
    path = folder / "quarantine.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["raw"] = files.inert(change(files.verbatim(row["raw"])))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def requeue(folder, out, *more, expected=0):
    """Call the command and return its summary."""
    done = CliRunner().invoke(cli, ["requeue", str(folder), "--out", str(out), "--json", *map(str, more)])
    assert done.exit_code == expected, done.output
    return json.loads(done.stdout) if not expected else str(done.exception)


def test_mended_rows_become_a_table(results, table, tmp_path):
    """What was mended stands in the new table under its own id; what was not is counted and left."""
    folder = results(table(HEAD + "1,Máy,a\n2,Bếp\n3,Lò,b,c\n4,,\n"))
    mend(folder, lambda raw: {"2,Bếp": "2,Bếp,đun trấu", "4,,": '4,"Ao, cá",sạch'}.get(raw, raw))
    out = tmp_path / "b.csv"
    assert requeue(folder, out) == {"out": str(out), "taken": 2, "left": 1}
    batch = read.tables([out]).batch
    assert batch[["id", "title", "description"]].to_numpy().tolist() == [
        ["2", "Bếp", "đun trấu"],
        ["4", "Ao, cá", "sạch"],
    ]
    assert batch["source_row (input)"].tolist() == ["3", "5"]


def test_twice_without_harm(results, table, tmp_path):
    """Doing it again writes the same bytes; another table in that place is never written over."""
    folder = results(table(HEAD + "1,Máy,a\n,Bếp\n"))
    mend(folder, lambda raw: raw + ",đun trấu")
    out = tmp_path / "b.csv"
    requeue(folder, out)
    once = out.read_bytes()
    requeue(folder, out, folder / "quarantine.csv")
    assert out.read_bytes() == once
    assert read.tables([out]).made_ids == read.tables([out]).made_ids
    out.write_text("mine", encoding="utf-8")
    requeue(folder, out, "--lang", "en", expected=1)
    assert out.read_text(encoding="utf-8") == "mine"


def test_nobody_mended_anything(results, table, tmp_path):
    """Without a repair no row comes back, whatever it was refused for."""
    path = table(
        HEAD + '1,Máy,a\n1,Máy,a\n2,x\n3,"y\n4,\n5,b,c\n5,d,e\nTổng cộng,,2\nNgười lập biểu,,\nAn,,\n'
    )
    folder = results(path)
    found = requeue(folder, tmp_path / "b.csv")
    assert found["taken"] == 0
    assert not (tmp_path / "b.csv").exists()


def test_rows_of_a_workbook(results, tmp_path):
    """A row of a sheet is mended between its tabs; an Excel error that is still there is refused again."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Danh sách")
        sheet.write_row(0, 0, ["Mã số", "Tên sáng kiến", "Nội dung"])
        sheet.write_row(1, 0, ["1", "Máy", "a"])
        for row, name in ((2, "2"), (3, "3")):
            sheet.write_row(row, 0, [name, "", "dòng\tcó tab"])
            sheet.write_formula(row, 1, "=A1/0", None, "#DIV/0!")
    folder = results(path)
    mend(folder, lambda raw: raw.replace("2\t#DIV/0!", "2\tBếp"))
    out = tmp_path / "b.csv"
    assert requeue(folder, out)["taken"] == 1
    assert read.tables([out]).batch[["id", "title", "description"]].to_numpy().tolist() == [
        ["2", "Bếp", "dòng\tcó tab"]
    ]


def test_lines_of_json(results, table, tmp_path):
    """A damaged object is mended as the text it is."""
    folder = results(table('{"id": "1", "title": "Máy"}\n{"id": "2", "title": "Bếp"\n', "a.jsonl"))
    mend(folder, lambda raw: raw + "}")
    assert requeue(folder, tmp_path / "b.csv")["taken"] == 1


def test_one_row_mended_into_two(results, table, tmp_path):
    """Where a quotation mark had swallowed rows, each of them may be given a line of its own."""
    folder = results(table(HEAD + '1,Máy,a\n2,"Bếp\n3,Lò\n'))
    mend(folder, lambda raw: {'2,"Bếp\n3,Lò': "2,Bếp,x\n9,Ao,z\n3,Lò,y"}[raw])
    out = tmp_path / "b.csv"
    assert requeue(folder, out)["left"] == 0
    assert read.tables([out]).batch["id"].tolist() == ["2", "9", "3"]


def test_what_the_run_has_is_not_taken_again(results, table, tmp_path):
    """A mended row with the id and content of an accepted one is that one; with other content, a conflict."""
    folder = results(table(HEAD + "1,Máy,a\n2,Bếp,b\n1,Máy\n2,Lò\n"))
    mend(folder, lambda raw: raw + (",a" if raw == "1,Máy" else ",z"))
    done = CliRunner().invoke(cli, ["requeue", str(folder), "--out", str(tmp_path / "b.csv"), "--lang", "en"])
    assert "was read before" in done.output
    assert "different content" in done.output


def test_what_is_no_quarantine(results, table, tmp_path):
    """A table without the run's record, or of another run, is refused with what to do."""
    other = table("file,row,raw\nb.csv,2,x\n", "q.csv")
    assert "run.json" in requeue(other, tmp_path / "b.csv", "--lang", "en", expected=1)
    folder = results(table(HEAD + "1,Máy,a\n2\n"))
    said = requeue(other, tmp_path / "b.csv", "--results", folder, "--lang", "en", expected=1)
    assert "b.csv" in said
