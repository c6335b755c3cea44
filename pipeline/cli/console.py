"""What a command says: progress and tables for people on stderr, one JSON object for machines on stdout."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from pipeline.errors import Note
from pipeline.records import Quarantined
from pipeline.words import translator

_NAMED: Final = 20  # rows named one by one; more would push what matters off the screen


@dataclass
class Console:
    """Where a command speaks, in which language, and how long its steps took.

    Nothing moves and nothing is coloured unless stderr is a terminal.
    """

    language: str = "vi"
    quiet: bool = False
    as_json: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    def words(self, template: str, **values: object) -> str:
        """Return a sentence in the language of the user; so are notes among its values."""
        return Note(template, values).say(translator(self.language))

    def say(self, template: str, **values: object) -> None:
        """Tell the user something, unless told to be quiet."""
        if not self.quiet:
            print(self.words(template, **values), file=sys.stderr, flush=True)  # noqa: T201 - this is the mouth

    def warn(self, template: str, **values: object) -> None:
        """Tell the user something that must be known, quiet or not."""
        print(self.words(template, **values), file=sys.stderr, flush=True)  # noqa: T201 - this is the mouth

    def unread(self, quarantine: Iterable[Quarantined]) -> None:
        """Name what could not be read, quiet or not: nobody would look for what is not said to be missing."""
        rows = list(quarantine)
        for row in rows[:_NAMED]:
            self.warn("{note}", note=row.note)
        if len(rows) > _NAMED:
            self.warn("{count} more could not be read.", count=len(rows) - _NAMED)

    def left_out(self, dropped: Mapping[str, Mapping[str, int]]) -> None:
        """Name the columns whose personal data were left out, and how many cells each."""
        if dropped:
            columns = "; ".join(f"{name}: {sum(kinds.values())}" for name, kinds in dropped.items())
            self.say(
                "Personal data were left out (column: cells): {columns}. --keep-personal keeps them.",
                columns=columns,
            )

    def data(self, content: Mapping[str, object]) -> None:
        """Print the machine's summary, if it was asked for."""
        if self.as_json:
            print(json.dumps(content, ensure_ascii=False, indent=2, default=str))  # noqa: T201 - this is the mouth

    def problems(self, rows: Iterable[Quarantined]) -> list[dict[str, object]]:
        """Return what was wrong with rows, for the machine's summary."""
        return [
            {
                "file": row.file,
                "sheet": row.sheet,
                "row": row.row,
                "column": row.column,
                "code": row.code,
                "message": self.words("{note}", note=row.note),
            }
            for row in rows
        ]

    def table(self, title: str, rows: Sequence[Sequence[object]], *, head: Sequence[str] = ()) -> None:
        """Print a small table for people."""
        if self.quiet:
            return
        from rich import box
        from rich.console import Console as Rich
        from rich.table import Table

        shown = Table(title=title, title_justify="left", box=box.SIMPLE, show_header=bool(head))
        for place, name in enumerate(head or [""] * len(rows[0] if rows else ())):
            shown.add_column(name, justify="left" if place == 0 else "right", overflow="fold")
        for row in rows:
            shown.add_row(*(str(cell) for cell in row))
        wide = None if sys.stderr.isatty() else 110
        Rich(stderr=True, width=wide, highlight=False, soft_wrap=False).print(shown)

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a bar while a step runs (on a terminal), and remember how long it took."""
        started = time.perf_counter()
        try:
            if self.quiet or not sys.stderr.isatty():
                yield lambda _done: None
            else:
                yield from self._bar(name, total)
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - started, 3)

    def _bar(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        from rich.console import Console as Rich
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        with Progress(*columns, console=Rich(stderr=True)) as progress:
            task = progress.add_task(self.words(name), total=total)
            yield lambda done: progress.advance(task, done)
