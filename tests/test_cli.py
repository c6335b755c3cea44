"""The command line: what it prints, writes and exits with, in this process and as an installed command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from pipeline.cli import cli
from pipeline.cli.main import EXIT_CODES, main
from pipeline.errors import SangkienError

FILES = {
    "initiatives.parquet", "matches.csv", "matches.parquet", "groups.csv", "evidence.jsonl", "labels.csv",
    "labels.parquet", "quarantine.csv", "ket_qua.xlsx", "run.json",
}  # fmt: skip


@pytest.fixture
def command(monkeypatch, tmp_path, models, capsys):
    """Run a command in this process, in an empty folder, with trained models; gives code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANGKIEN_MODELS", str(models))
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)
    monkeypatch.delenv("SANGKIEN_LANG", raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sangkien", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write a small CSV and return its path."""
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


LONG = (
    "Nhóm thợ hàn thêm một khung xoay bằng ống thép cũ để lật cửa sắt khi sơn, một người làm được việc "
    "của ba người, mỗi cửa nhanh hơn hai mươi phút, sơn không chảy và không ai phải khiêng nặng nữa."
)
OTHER = (
    "Lớp học dán nhãn màu lên giá sách để trẻ tự cất đồ chơi đúng chỗ, cuối buổi cô giáo không phải dọn, trẻ "
    "nhớ màu và chữ cái đầu, phụ huynh làm theo ở nhà bằng giấy màu cắt sẵn."
)


def test_run_writes_every_file_of_the_contract(command, sample, tmp_path):
    """The main job leaves exactly the promised files and finds the planted copies."""
    new = [sample / "batch_unions.csv", sample / "batch_portal.xlsx"]
    code, out, err = command("run", *new, "--against", sample / "archive.csv", "--out", "out", "--json")
    assert code == 0, err
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    summary = json.loads(out)
    counts = summary["counts"]
    assert counts["read"] == counts["accepted"] + counts["quarantined"] + counts["blank"]
    matches = pd.read_csv(tmp_path / "out" / "matches.csv", dtype="str", encoding="utf-8-sig")
    assert list(matches.columns) == [
        "later", "earlier", "probability", "level", "same_author", "same_unit",
        "shared", "differs", "order_known",
    ]  # fmt: skip
    found = {frozenset(pair) for pair in matches[["later", "earlier"]].to_numpy().tolist()}
    pairs = pd.read_csv(sample / "pairs.csv", dtype="str", encoding="utf-8-sig")
    planted = pairs[pairs["relation"].isin(["exact", "format", "noise", "partial", "reorder", "light"])]
    hits = sum(frozenset(pair) in found for pair in planted[["id_a", "id_b"]].to_numpy().tolist())
    assert hits >= 0.98 * len(planted)


def test_the_columns_of_labels_and_groups_are_the_contract(command, sample, tmp_path):
    """labels.csv and groups.csv have the promised columns, and every record has one label."""
    assert command("run", sample / "batch_unions.csv", "--out", "out")[0] == 0
    labels = pd.read_csv(
        tmp_path / "out" / "labels.csv", dtype="str", encoding="utf-8-sig", keep_default_na=False
    )
    assert list(labels.columns) == [
        "id", "field", "probability", "field2", "probability2", "decision", "reason", "model", "taxonomy",
        "shortlist",
    ]  # fmt: skip
    assert set(labels["decision"]) <= {"auto", "review"}
    assert (labels["field"] != "").all()
    groups = pd.read_csv(tmp_path / "out" / "groups.csv", encoding="utf-8-sig")
    assert list(groups.columns) == ["id", "group", "representative"]


@pytest.mark.slow
def test_the_number_of_workers_changes_no_byte(command, sample, tmp_path):
    """One worker and two give the same bytes in every file, but for what a run cost."""
    new = [sample / "batch_unions.csv", sample / "batch_portal.xlsx"]
    for workers in (1, 2):
        against = ["--against", sample / "archive.csv"]
        store = tmp_path / f"store{workers}"
        out = f"out{workers}"
        code, _, err = command("run", *new, *against, "--out", out, "--workers", workers, "--quiet")
        assert code == 0, err
        assert not store.exists()
    for name in FILES - {"run.json"}:
        assert (tmp_path / "out1" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes(), name
    one, two = (
        json.loads((tmp_path / out / "run.json").read_text(encoding="utf-8")) for out in ("out1", "out2")
    )
    assert one.pop("cost") != two.pop("cost")
    assert one == two


def test_dedupe_and_classify_write_their_part(command, tmp_path):
    """`dedupe` writes no labels, `classify` no matches; both keep rows and quarantine."""
    new = table(tmp_path / "new.csv", [{"id": "A", "title": "Khung lật cửa", "description": LONG}])
    assert command("dedupe", new, "--out", "d")[0] == 0
    assert command("classify", new, "--out", "c")[0] == 0
    both = {"initiatives.parquet", "quarantine.csv", "ket_qua.xlsx", "run.json"}
    assert {path.name for path in (tmp_path / "d").iterdir()} == FILES - {"labels.csv", "labels.parquet"}
    assert {path.name for path in (tmp_path / "c").iterdir()} == both | {"labels.csv", "labels.parquet"}


def test_the_later_record_points_to_the_earlier(command, tmp_path):
    """Dates decide who repeats whom, also against an archive record filed later than the new one."""
    archive = table(
        tmp_path / "a.csv", [{"id": "OLD", "title": "Khung", "description": LONG, "submitted": "2024-05-01"}]
    )
    new = table(
        tmp_path / "n.csv", [{"id": "NEW", "title": "Khung", "description": LONG, "submitted": "2023-05-01"}]
    )
    assert command("dedupe", new, "--against", archive, "--out", "out")[0] == 0
    row = pd.read_csv(tmp_path / "out" / "matches.csv", dtype="str", encoding="utf-8-sig").iloc[0]
    assert (row["later"], row["earlier"], row["order_known"], row["level"]) == ("OLD", "NEW", "true", "copy")


def test_a_scope_and_an_offices_own_unit_names(command, tmp_path):
    """Only pairs of one place of work are shown; the office's own sheet helps to tell what is one."""
    units = {"A": "BV Đức Giang", "B": "Khoa Nhi - Bệnh viện Đức Giang", "C": "BV Thanh Nhàn", "D": "Nhà 3"}
    new = table(
        tmp_path / "new.csv",
        [{"id": i, "title": "Máy", "description": LONG, "unit": u} for i, u in units.items()],
    )
    own = table(tmp_path / "own.csv", [{"alias": "Nhà 3", "name": "BV Thanh Nhàn", "note": "nay là"}])
    code, _, err = command(
        "dedupe", new, "--out", "out", "--scope", "unit", "--unit-aliases", own, "--lang", "en"
    )
    assert code == 0, err
    matches = pd.read_csv(tmp_path / "out" / "matches.csv", encoding="utf-8-sig")
    pairs = {frozenset(pair): same for *pair, same in matches[["later", "earlier", "same_unit"]].to_numpy()}
    assert pairs == {frozenset("AB"): False, frozenset("CD"): True}
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert run["settings"]["scope"] == "unit"
    assert run["unit_aliases"]["file"] == "own.csv"
    assert run["counts"]["outside_scope"] == 2
    assert "2 pairs lie outside the scope" in err


def test_the_archive_grows_only_by_archive_add(command, tmp_path):
    """`archive add` twice adds once; `run` compares with the default store and leaves it as it was."""
    old = table(
        tmp_path / "old.csv",
        [{"id": "OLD", "title": "Khung", "description": LONG, "submitted": "2024-05-01"}],
    )
    assert json.loads(command("archive", "add", old, "--json")[1])["added"] == 1
    assert json.loads(command("archive", "add", old, "--json")[1]) == {
        "added": 0, "known": 1, "conflicts": 0, "quarantined": 0, "records": 1,
    }  # fmt: skip
    new = table(
        tmp_path / "new.csv",
        [
            {"id": "N1", "title": "Khung", "description": LONG, "submitted": "2025-05-01"},
            {"id": "N2", "title": "Nhãn màu", "description": OTHER, "submitted": "2025-05-01"},
            {"id": "OLD", "title": "Khung", "description": LONG, "submitted": "2024-05-01"},
        ],
    )
    assert command("run", new, "--out", "out")[0] == 0
    matches = pd.read_csv(tmp_path / "out" / "matches.csv", dtype="str", encoding="utf-8-sig")
    assert matches[["later", "earlier"]].to_numpy().tolist() == [["N1", "OLD"]]
    assert json.loads(command("archive", "status", "--json")[1])["records"] == 1
    assert json.loads(command("archive", "remove", "OLD", "--json")[1]) == {"removed": ["OLD"]}
    assert json.loads(command("archive", "status", "--json")[1])["records"] == 0


def test_an_id_that_the_archive_knows_with_other_content_is_a_conflict(command, tmp_path):
    """The same id with another text is flagged, not silently matched or overwritten."""
    old = table(tmp_path / "old.csv", [{"id": "X", "title": "Khung", "description": LONG}])
    new = table(tmp_path / "new.csv", [{"id": "X", "title": "Nhãn màu", "description": OTHER}])
    assert command("dedupe", new, "--against", old, "--out", "out")[0] == 0
    flags = pd.read_parquet(tmp_path / "out" / "initiatives.parquet")["flags"].iloc[0]
    assert "id_conflict" in flags.split()


def test_an_empty_text_is_never_labelled_without_a_person(command, tmp_path):
    """A record of two words gets a field, and the decision is a person's."""
    new = table(
        tmp_path / "n.csv",
        [{"id": "1", "title": "Máy", "description": ""}, {"id": "2", "title": "...", "description": ""}],
    )
    assert command("classify", new, "--out", "out")[0] == 0
    labels = pd.read_csv(
        tmp_path / "out" / "labels.csv", dtype="str", encoding="utf-8-sig", keep_default_na=False
    )
    assert set(labels["decision"]) == {"review"}
    assert (labels["field"] != "").all()


def test_hostile_cells_cost_next_to_nothing(command, tmp_path):
    """Cells made to hang a tokenizer pass through the whole path, each kept as it was."""
    hostile = [
        "http://" + "!?" * 2000,
        "a." * 8000,
        "1." * 8000,
        "a+" * 4000,
        "a" + "\u0301\u0323" * 5000,
        "#" * 30000,
    ]
    rows = [{"id": str(n), "title": "Máy ép", "description": text} for n, text in enumerate(hostile)]
    new = table(tmp_path / "n.csv", rows)
    assert command("run", new, "--out", "out")[0] == 0
    kept = pd.read_parquet(tmp_path / "out" / "initiatives.parquet")
    assert kept["description"].tolist() == hostile


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "missing.csv", "--out", "out"], 66),
        (["run", "empty.csv", "--out", "out"], 65),
        (["run", "new.csv", "--out", "new.csv"], 2),
        (["run", "new.csv", "--out", "out", "--store", "s", "--against", "new.csv"], 2),
        (["run", "new.csv", "--out", "out", "--store", "nowhere"], 66),
        (["run", "new.csv"], 2),
        (["runn", "new.csv"], 2),
        (["classify", "new.csv", "--out", "out", "--model", "nobody"], 66),
        (["evaluate", "dedupe", "new.csv", "missing.csv"], 66),
        (["train", "new.csv"], 2),
        (["models", "show", "nobody"], 66),
        (["bench", "nothing"], 2),
        (["--version"], 0),
    ],
)
def test_every_failure_has_its_exit_code_and_a_sentence(command, tmp_path, arguments, code):
    """A wrong call ends with the promised code and a message, never a traceback, and publishes nothing."""
    table(tmp_path / "new.csv", [{"id": "A", "title": "Khung lật cửa", "description": LONG}])
    (tmp_path / "empty.csv").write_text("id,title\n", encoding="utf-8")
    found, out, err = command(*arguments)
    assert found == code, err
    assert (out + err).strip()
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Thiếu 'NEW...'"),
        (["run", "new.csv"], "Thiếu '--out'"),
        (["run", "new.csv", "--out"], "--out: thiếu giá trị"),
        (["run", "--nothing"], "Không có tùy chọn --nothing"),
        (["run", "new.csv", "--out", "o", "--scope", "x"], "hãy chọn một trong unit, union, all"),
        (["run", "new.csv", "--out", "o", "--workers", "0"], "'--workers': giá trị không hợp lệ"),
        (["runn"], "Không hiểu lệnh vừa gõ"),
    ],
)
def test_wrong_calls_are_told_in_the_language_of_the_user(command, arguments, said):
    """What is wrong with a call is said in Vietnamese, and in English where that was asked for."""
    assert said in command(*arguments)[2]
    assert "Error: " in command(*arguments[:1], "--lang=en", *arguments[1:])[2]


def test_rows_that_cannot_be_read_are_kept_even_when_none_can(command, tmp_path):
    """A file without one usable row ends 65 and leaves its rows in quarantine.csv."""
    (tmp_path / "bad.csv").write_text('id,title\n1,"Tổng cộng",x,y\n', encoding="utf-8")
    code, _, err = command("run", "bad.csv", "--out", "out")
    assert code == 65, err
    kept = pd.read_csv(tmp_path / "out" / "quarantine.csv", dtype="str", encoding="utf-8-sig")
    assert list(kept.columns) == ["file", "sheet", "row", "column", "code", "message", "raw"]
    assert len(kept) == 1


def test_a_file_that_cannot_be_read_is_named_though_others_can(command, tmp_path):
    """An unreadable table among good ones, new or earlier, is told on stderr, quiet or not."""
    table(tmp_path / "new.csv", [{"id": "A", "title": "Khung lật cửa", "description": LONG}])
    table(tmp_path / "old.csv", [{"id": "B", "title": "Dán nhãn màu", "description": OTHER}])
    (tmp_path / "strange.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    for arguments in (["strange.csv"], ["--against", "old.csv", "--against", "strange.csv"]):
        code, _, err = command("dedupe", "new.csv", *arguments, "--out", "out", "--quiet")
        assert code == 0, err
        assert "strange.csv" in err


def test_a_file_that_may_not_be_read_does_not_stop_the_others(command, tmp_path, monkeypatch):
    """Access is judged when a file is read, where the others go on, and not when the call is parsed."""
    table(tmp_path / "new.csv", [{"id": "A", "title": "Khung lật cửa", "description": LONG}])
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    assert command("dedupe", "new.csv", "--out", "out")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["evaluate", "classify", "new.csv"], 2),
        (["evaluate", "dedupe", "new.csv", "different.csv"], 2),
        (["evaluate", "dedupe", "new.csv", "headless.csv"], 2),
        (["evaluate", "dedupe", "new.csv", "wide.csv"], 2),
        (["evaluate", "dedupe", "new.csv", "empty.csv"], 2),
    ],
)
def test_nothing_to_measure_is_a_wrong_call(command, tmp_path, arguments, code):
    """Tables without a label, or without a pair judged the same, end with a sentence and code 2."""
    table(tmp_path / "new.csv", [{"id": "A", "title": "Khung lật cửa", "description": LONG}])
    (tmp_path / "different.csv").write_text("id_a,id_b,relation\nA,B,unrelated\n", encoding="utf-8")
    (tmp_path / "headless.csv").write_text("id_a,id_b,relation\n", encoding="utf-8")
    (tmp_path / "wide.csv").write_text("id_a,id_b,relation\nA,B,exact\nA,B,exact,x,y\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_bytes(b"")
    found, _, err = command(*arguments)
    assert found == code, err
    assert "SANGKIEN_DEBUG" not in err


def test_being_told_to_end_is_an_interruption(tmp_path):
    """SIGTERM in the middle of a run ends it like Ctrl-C: code 130, a sentence, nothing published."""
    program = (
        "import os, signal\n"
        "from pipeline import read\n"
        "from pipeline.cli import main\n"
        "read.tables = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "dedupe", "new.csv", "--out", "out"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert done.stderr.strip()
    assert list(tmp_path.iterdir()) == []


def test_errors_are_codes_outside_and_sentences_in_both_languages(command, tmp_path):
    """The same failure is told in Vietnamese by default and in English on request."""
    vietnamese = command("run", "missing.csv", "--out", "out")[2]
    english = command("run", "missing.csv", "--out", "out", "--lang", "en")[2]
    assert vietnamese != english
    assert "missing.csv" in vietnamese
    assert "missing.csv" in english


def test_every_kind_of_error_has_a_code():
    """No error that a step can raise is without an exit code."""
    assert set(SangkienError.__subclasses__()) == set(EXIT_CODES)


def commands(group=cli, path=()):
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_the_help_of_every_command_has_an_example(words):
    """`-h` answers for every command, with an example of it."""
    shown = CliRunner().invoke(cli, [*words, "-h"])
    assert shown.exit_code == 0
    assert "Example" in shown.output
    assert f"sangkien {' '.join(words)}" in shown.output


def test_help_loads_no_heavy_library():
    """`--help` answers without pandas, scikit-learn or underthesea, which cost seconds."""
    code = (
        "import sys; from pipeline.cli import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        "heavy = {'pandas', 'numpy', 'sklearn', 'scipy', 'underthesea', 'rich', 'joblib'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_data_goes_to_stdout_and_words_to_stderr(sample, tmp_path, models):
    """The installed command prints on stdout what --json asks for, and no control characters."""
    environment = {**os.environ, "SANGKIEN_MODELS": str(models)}
    program = Path(sys.executable).with_name("sangkien")
    done = subprocess.run(
        [program, "dedupe", sample / "batch_unions.csv", "--out", "out"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "\x1b" not in done.stderr
    assert "matches.csv" in done.stderr


def test_a_table_that_cannot_be_read_replaces_no_former_result(command, tmp_path):
    """Results of an earlier run stay; what could not be read is kept beside them."""
    new = table(tmp_path / "new.csv", [{"id": "A", "title": "Khung lật cửa", "description": LONG}])
    assert command("run", new, "--out", "out")[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "bad.csv").write_text('id,title\n1,"x",y,z\n', encoding="utf-8")
    assert command("run", "bad.csv", "--out", "out")[0] == 65
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert (tmp_path / "out-quarantine" / "quarantine.csv").exists()


def test_versions_of_which_none_is_in_use_are_not_trained_over(command, tmp_path, models, monkeypatch):
    """Where models stand on the shelf and none is in use, a run asks which instead of training one."""
    shutil.copytree(models, tmp_path / "shelf")
    (tmp_path / "shelf" / "fields" / "current").unlink()
    monkeypatch.setenv("SANGKIEN_MODELS", str(tmp_path / "shelf"))
    new = table(tmp_path / "new.csv", [{"id": "A", "title": "Khung lật cửa", "description": LONG}])
    code, _, err = command("classify", new, "--out", "out")
    assert code == 66
    assert "fields" in err


def judged_records(folder: Path) -> tuple[Path, Path]:
    """Write two records of one text and one of another, and what people judged of them."""
    rows = {"A": LONG, "B": LONG.replace("khung xoay", "giá xoay"), "C": OTHER}
    records = table(
        folder / "r.csv", [{"id": i, "title": "Cải tiến", "description": t} for i, t in rows.items()]
    )
    pairs = table(
        folder / "p.csv",
        [
            {"id_a": "A", "id_b": "B", "relation": "light"},
            {"id_a": "A", "id_b": "C", "relation": "unrelated"},
            {"id_a": "A", "id_b": "nobody", "relation": "exact"},
        ],
    )
    return records, pairs


@pytest.mark.parametrize("language", ["vi", "en"])
def test_evaluate_dedupe_tells_how_good_and_writes_a_page(command, tmp_path, language):
    """The figures go to stdout as JSON, the tables to stderr, the page and its figures into the folder."""
    records, pairs = judged_records(tmp_path)
    code, out, err = command(
        "evaluate", "dedupe", records, pairs, "--out", "judged", "--json", "--lang", language
    )
    assert code == 0, err
    figures = json.loads(out)
    assert figures["recall"] == figures["precision"] == figures["average_precision"] == 1.0
    assert figures["relations"] == {"light": 1.0, "unrelated": 0.0}
    assert "p.csv: " in err
    content = json.loads((tmp_path / "judged" / "evaluation.json").read_text(encoding="utf-8"))
    assert content["missed"] == content["false"] == []
    assert (tmp_path / "judged" / "evaluation.html").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["train"], 2),
        (["train", "--pairs", "p.csv"], 2),
        (["train", "r.csv", "--pairs", "nowhere.csv"], 66),
        (["train", "r.csv", "--pairs", "strangers.csv"], 2),
        (["train", "--pairs"], 66),
        (["train", "--pairs", "--store", "office"], 2),
    ],
)
def test_nothing_to_learn_from_is_told(command, tmp_path, arguments, code):
    """Without records, pairs of them, a store or a verdict in it, training says what to do."""
    records, _ = judged_records(tmp_path)
    table(tmp_path / "strangers.csv", [{"id_a": "X", "id_b": "Y", "relation": "exact"}])
    assert command("archive", "add", records, "--store", "office")[0] == 0
    found, _, err = command(*arguments)
    assert found == code, err
    assert "Traceback" not in err


@pytest.mark.slow
def test_train_pairs_learns_from_verdicts_and_from_a_table(command, tmp_path, sample, monkeypatch):
    """Verdicts in the store, or a table of pairs, teach a version that can be promoted and rolled back."""
    monkeypatch.setenv("SANGKIEN_MODELS", str(tmp_path / "shelf"))
    judged = pd.read_csv(sample / "pairs.csv", dtype="str", encoding="utf-8-sig")
    told = judged[judged["relation"] == "same_form"].head(40)
    verdicts = told.rename(columns={"id_a": "later", "id_b": "earlier"}).assign(verdict="Khác")
    verdicts[["later", "earlier", "verdict"]].to_csv(tmp_path / "v.csv", index=False)
    told.to_csv(tmp_path / "p.csv", index=False)
    assert command("archive", "add", sample / "archive.csv")[0] == 0
    assert command("decisions", "import", "v.csv")[0] == 0
    versions = []
    for arguments, source in (
        (["--pairs"], "verdicts"),
        ([sample / "archive.csv", "--pairs", "p.csv"], "pairs"),
    ):
        code, out, err = command("train", *arguments, "--json")
        assert code == 0, err
        learnt = json.loads(out)
        assert learnt["name"] == "pairs"
        assert set(learnt["judgements"]) == {"sample", source}
        assert learnt["judgements"][source]["different"] > 0
        assert command("models", "promote", "pairs", learnt["version"])[0] == 0
        versions.append(learnt["version"])
    card = json.loads(command("models", "show", "pairs")[1])
    assert card["version"] == versions[-1]
    assert command("models", "rollback", "pairs")[0] == 0
    assert json.loads(command("models", "show", "pairs")[1])["version"] == versions[0]
    new = table(tmp_path / "n.csv", [{"id": "1", "title": "Máy ép", "description": LONG}])
    assert command("dedupe", new, "--out", "out")[0] == 0


def test_columns_are_told_and_own_names_understood(command, tmp_path):
    """How columns were understood is said and kept; a sheet of one's own names adds to the program's."""
    table(tmp_path / "new.csv", [{"Mã": "A", "Cái hay": OTHER, "CĐCS": "Tổ 1"}])
    (tmp_path / "names.csv").write_text("alias,column\nCái hay,title\n", encoding="utf-8")
    assert command("classify", "new.csv", "--out", "out")[0] == 65
    code, _, err = command("classify", "new.csv", "--out", "out", "--headers", "names.csv", "--lang", "en")
    assert code == 0, err
    assert 'new.csv: "Mã" → id; "Cái hay" → title; "CĐCS" → unit.' in err
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["inputs"][0]["tables"][0]["columns"] == ["id", "title", "unit"]
    assert record["headers"]["file"] == "names.csv"


def test_analysts_read_the_tables_that_reviewers_read(command, tmp_path):
    """Where a run needs the office's own sheet of column names, so does the analyst, and it is taken."""
    rows = [{"Mã": f"A{number}", "Việc đã làm": text} for number, text in enumerate([LONG, OTHER])]
    new = table(tmp_path / "new.csv", rows)
    names = tmp_path / "names.csv"
    names.write_text("alias,column\nViệc đã làm,description\n", encoding="utf-8")
    assert command("drift", new)[0] == 65
    code, out, said = command("drift", new, "--headers", names, "--json")
    assert code == 0, said
    assert json.loads(out)["records"] == 2
