"""The documents that the code can write: docs/cli.md, codes of docs/outputs.md, the zoo of docs/input.md.

Run it after a change to a command's help or to a code: ``python docs/generate.py``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

import click

from pipeline import classify, records
from pipeline.cli import cli
from pipeline.cli.main import EXIT_CODES
from pipeline.read import faults
from pipeline.report.wording import DECISIONS, LEVELS
from pipeline.words import translator

DOCS: Final = Path(__file__).resolve().parent
MARKS: Final = ("<!-- begin: written by docs/generate.py -->\n", "<!-- end -->\n")
_WIDTH: Final = 100
_EXITS: Final = {
    0: "done; rows that could not be read are in `quarantine.csv` and do not change this",
    70: "a fault of the program itself",
    130: "interrupted",
}


def commands(
    command: click.Command, *path: str
) -> Iterator[tuple[tuple[str, ...], click.Command, click.Context]]:
    """Yield every command with its words and a context to ask for its help, groups before their members."""
    context = click.Context(
        command, info_name=" ".join(path), terminal_width=_WIDTH, max_content_width=_WIDTH, color=False
    )
    context.help_option_names = ["-h", "--help"]
    yield path, command, context
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from commands(command.commands[name], *path, name)


def command_line() -> str:
    """Return `docs/cli.md`: the help of every command, and the exit codes."""
    parts = [
        "# Commands\n",
        "Written by `docs/generate.py` from the program's own help.\n",
        "Messages and tables for people go to stderr, data to stdout.\n",
    ]
    for path, command, context in commands(cli, "sangkien"):
        parts.append(f"## {' '.join(path)}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join([*parts, "## Exit codes\n", exits()])


def exits() -> str:
    """Return the table of exit codes."""
    said = {**_EXITS, **{code: _first_line(kind) for kind, code in EXIT_CODES.items()}}
    return table(("code", "meaning"), [(str(code), said[code]) for code in sorted(said)])


def codes() -> str:
    """Return the tables of every code that stands in an output, in English and Vietnamese."""
    vietnamese = translator("vi")
    both = ("code", "English", "Vietnamese")

    def rows(words: Mapping[str, str]) -> list[tuple[str, ...]]:
        return [(f"`{code}`", text, vietnamese(text)) for code, text in words.items()]

    parts = [
        "### Levels of a match (`level`)\n",
        table(both, rows(LEVELS)),
        "### Decisions on a label (`decision`)\n",
        table(both, rows(DECISIONS)),
        "### Reasons of a label (`reason`)\n",
        table(("code", "meaning"), [(f"`{code}`", text) for code, text in classify.REASONS.items()]),
        "### Flags of an initiative (`flags`)\n",
        table(both, rows(records.FLAGS)),
        "### Repairs of a text (`fixes`)\n",
        table(("code", "meaning"), [(f"`{code}`", text) for code, text in records.FIXES.items()]),
        "### Why a row could not be read (`code` in `quarantine.csv`)\n",
        table(both, rows(faults.ROW)),
        "### Why a file could not be read (row 0 in `quarantine.csv`)\n",
        table(both, rows(faults.FILE)),
    ]
    return "\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""Return a Markdown table.

    >>> table(["a", "b"], [["1", "x|y"]])
    '| a | b |\n|---|---|\n| 1 | x\\|y |\n'
    """
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines)
    texts = ["| " + " | ".join(line) + " |" for line in cells]
    texts[1] = "|" + "---|" * len(head)
    return "\n".join(texts) + "\n"


def zoo() -> str:
    """Return the table of what bad input becomes, from the cases that the tests hold the reader to."""
    cases = _cases().CASES
    head = ("input", "read", "accepted", "quarantined", "blank", "codes", "people are told", "exit")
    parts = []
    for group in dict.fromkeys(case.group for case in cases):
        rows = [
            (
                case.name,
                *map(str, case.counts),
                ", ".join(f"`{code}`" for code in dict.fromkeys(code for _, code in case.codes)),
                case.says,
                str(case.exit),
            )
            for case in cases
            if case.group == group
        ]
        parts.append(f"### {group}\n\n{table(head, rows)}")
    return "\n".join(parts)


def _cases() -> ModuleType:
    path = DOCS.parent / "tests" / "zoo.py"
    spec = importlib.util.spec_from_file_location("zoo", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["zoo"] = module  # where its dataclass looks for its names
    spec.loader.exec_module(module)
    return module


def within(text: str, written: str) -> str:
    """Return a document with what stands between the marks written anew."""
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}\n{written}\n{MARKS[1]}{after}"


def documents() -> dict[Path, str]:
    """Return every document that is written by the code, as it should be now."""
    outputs, given = DOCS / "outputs.md", DOCS / "input.md"
    return {
        DOCS / "cli.md": command_line(),
        outputs: within(outputs.read_text(encoding="utf-8"), codes()),
        given: within(given.read_text(encoding="utf-8"), zoo()),
    }


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
