"""The documents cannot rot: what they say of commands, files, columns and codes is held against the code."""

from __future__ import annotations

import doctest
import importlib.util
import re
import shlex
import shutil
import unicodedata
from pathlib import Path

import click
import pandas as pd
import pytest
from click.testing import CliRunner

from pipeline import classify, records, report
from pipeline.cli import cli
from pipeline.cli.main import EXIT_CODES
from pipeline.read import aliases
from pipeline.settings import Settings
from pipeline.taxonomy import default

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
READMES = [README, ROOT / "README.vi.md"]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "data" / "README.md"])
RUN_FILES = {
    "initiatives.parquet", "matches.csv", "matches.parquet", "groups.csv", "evidence.jsonl", "labels.csv",
    "labels.parquet", "quarantine.csv", "ket_qua.xlsx", "run.json",
}  # fmt: skip
AVOIDED = ("đạo văn", "sao chép", "plagiar")


def load_generator():
    """The script that writes documents, as a module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = load_generator()
COMMANDS = [
    pytest.param(path, command, id=" ".join(path[1:]) or "sangkien")
    for path, command, _ in GENERATE.commands(cli, "sangkien")
]
LEAVES = [each for each in COMMANDS if not isinstance(each.values[1], click.Group)]


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of a language in a document."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def calls(text: str) -> list[list[str]]:
    """The words of each line that calls the program."""
    lines = (line.strip() for line in text.splitlines())
    return [shlex.split(line, comments=True) for line in lines if line.startswith("sangkien ")]


def parse(words: list[str]) -> None:
    """Parse a call without doing it; an unknown command or option raises."""
    command, rest = cli, words[1:]
    while isinstance(command, click.Group):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(" ".join(words), rest)


def section(title: str) -> str:
    """The part of docs/outputs.md about one file."""
    text = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    return next(part for part in re.split(r"^## ", text, flags=re.MULTILINE) if title in part.split("\n")[0])


@pytest.mark.parametrize("path", GENERATE.documents(), ids=lambda path: path.name)
def test_generated_documents_are_fresh(path):
    """What the code can write is written as the code has it now: else `python docs/generate.py`."""
    assert path.read_text(encoding="utf-8") == GENERATE.documents()[path]


def test_the_generator_does_what_its_examples_say():
    """The examples in the script that writes documents hold."""
    assert doctest.testmod(GENERATE) == (0, 1)


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_has_an_example_that_parses(path, command):
    """The help of each command shows how to call it, and that call is one the program understands."""
    _, _, example = (command.help or "").partition("Example:")
    found = calls(example.replace("\b", ""))
    assert found
    for words in found:
        assert tuple(words[: len(path)]) == path or isinstance(command, click.Group)
        parse(words)


@pytest.mark.parametrize(("path", "command"), LEAVES)
@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_command_is_in_the_readme(readme, path, command):
    """A reader of either README meets every command."""
    assert f"`{' '.join(path)}" in readme.read_text(encoding="utf-8"), command.help


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_calls_in_documents_parse(document):
    """Every call of the program and of make that a document shows exists."""
    text = document.read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shell = "\n".join(blocks(document, "sh"))
    for words in calls(shell):
        parse(words)
    assert set(re.findall(r"`make (\w+)", text) + re.findall(r"^make (\w+)", shell, re.MULTILINE)) <= targets
    for words in re.findall(r"`(sangkien(?: [a-z]+(?:-[a-z]+)*)+)", text):
        names = words.split()[1:]
        command = cli
        while isinstance(command, click.Group) and names:
            command = command.commands[names.pop(0)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    """A link to a file of the project leads to one."""
    found = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    local = [link for link in found if not re.match(r"\w+:", link)]
    assert [link for link in local if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_accuse_nobody_and_name_no_machine(document):
    """Documents are composed text, say what is alike and not who took it, and hold no path of a machine."""
    text = document.read_text(encoding="utf-8")
    assert unicodedata.is_normalized("NFC", text)
    assert [word for word in AVOIDED if word in text.casefold()] == []
    assert re.findall(r"(?<![\w.])/(?:home|root|tmp|work|Users)/\S+", text) == []


def test_the_first_screen_answers_the_first_questions():
    """What it is, how to try it, the path and the outputs stand before the first heading."""
    first = README.read_text(encoding="utf-8").partition("\n## ")[0]
    assert "make demo" in first
    assert "make test" in first
    assert "read → normalize → segment → dedupe → classify → report" in first
    named = set(re.findall(r"[a-z_]+\.(?:csv|xlsx|jsonl|json|parquet)", first))
    suffixes = {"matches.parquet", "labels.parquet"}  # told as "`matches.csv`, `.parquet`"
    assert named == RUN_FILES - suffixes


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_headers_in_the_readme_are_understood(readme):
    """Every header that a README promises to accept is accepted, as the column it is named under."""
    known, columns_known = aliases(), {*records.CANONICAL, *records.OPTIONAL}
    rows = re.findall(
        r"^\| [^|`]*(`[^|]*`)\)? \| ([^|`]+) \|$", readme.read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {
        header.strip(): named
        for columns, headers in rows
        if (named := set(re.findall(r"`(\w+)`", columns))) and named <= columns_known
        for header in re.split("[,;]", headers)
    }
    assert len(told) > len(columns_known)
    assert {
        header for header, columns in told.items() if (known.match(header) or [""])[0] not in columns
    } == set()


def test_thresholds_in_the_readme_are_the_defaults():
    """The probabilities that the README tells are those a run uses."""
    text = README.read_text(encoding="utf-8")
    settings = Settings()
    assert f"From {settings.match_probability} the pair is a duplicate" in text
    assert f"from {settings.related_probability} it is shown" in text


def test_exit_codes_in_the_readme_are_the_programs():
    """Every exit code that the program can give is explained."""
    line = next(
        line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("Exit codes:")
    )
    assert set(map(int, re.findall(r"\d+", line))) == {0, 130, *EXIT_CODES.values()}


@pytest.mark.parametrize(
    ("title", "columns"),
    [
        ("matches.csv", report.MATCH_COLUMNS),
        ("initiatives.parquet", (*records.CANONICAL, *records.ORIGIN, *records.CLEANED, "tokens")),
    ],
)
def test_columns_are_documented(title, columns):
    """Each column of a table is explained under its file's heading."""
    assert [column for column in columns if f"`{column}`" not in section(title)] == []


def test_numbers_of_the_sample_are_right(sample):
    """The data dictionary counts the rows that are there, and knows every relation and file."""
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    told = {
        name: int(rows.replace(",", "")) for name, rows in re.findall(r"`sample/(\S+)` \| ([\d,]+)", text)
    }
    assert set(told) == {path.name for path in sample.iterdir()}
    tables = {
        path.name: pd.read_csv(
            path, dtype="str", keep_default_na=False, encoding="utf-8-sig", sep=None, engine="python"
        )
        for path in sample.glob("*.csv")
    }
    assert {name: len(table) for name, table in tables.items()} == {
        name: rows for name, rows in told.items() if name.endswith(".csv")
    }
    relations = {name: int(rows) for name, rows in re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)}
    assert relations == tables["pairs.csv"]["relation"].value_counts().to_dict()


def test_every_label_of_the_sample_is_a_field(sample):
    """The labels that the data dictionary describes are codes of the list of fields beside it."""
    for name in ("archive.csv", "labelled.csv", "batch_labels.csv"):
        table = pd.read_csv(sample / name, dtype="str", keep_default_na=False, encoding="utf-8-sig")
        assert set(table["field"]) <= set(default().codes), name


@pytest.mark.parametrize("number", range(len(blocks(README, "python"))))
def test_python_in_the_readme_runs(number, monkeypatch):
    """The examples for programmers run as they stand, from the root of a checkout."""
    monkeypatch.chdir(ROOT)
    exec(compile(blocks(README, "python")[number], "README.md", "exec"), {})


@pytest.mark.slow
@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_office_commands_run(readme, models, sample, tmp_path, monkeypatch):
    """The commands for offices do what they say, and write the files and columns that are documented."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANGKIEN_MODELS", str(models))
    shutil.copy(sample / "batch_portal.xlsx", "moi.xlsx")
    shutil.copy(sample / "archive.csv", "da-nop.csv")
    for words in calls("\n".join(blocks(readme, "sh"))):
        done = CliRunner().invoke(cli, words[1:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    out = tmp_path / "ket-qua"
    assert {path.name for path in out.iterdir()} == RUN_FILES
    assert len(pd.read_parquet(out / "initiatives.parquet")) == 114
    for name in ("matches", "groups", "labels", "quarantine"):
        columns = pd.read_csv(out / f"{name}.csv", encoding="utf-8-sig").columns
        assert [column for column in columns if column not in section(f"{name}.csv")] == []
    assert set(classify.REASONS) >= set(pd.read_csv(out / "labels.csv", encoding="utf-8-sig")["reason"])
