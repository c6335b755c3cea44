"""decisions: what reviewers decided about pairs, as a workbook and back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli import options
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    from collections.abc import Iterable, Sequence

    from pipeline.errors import Note
    from pipeline.records import Decision


@click.group()
def decisions() -> None:
    """Keep what reviewers decided about pairs, so that the next run knows it.

    \b
    Example:
      sangkien decisions import results/ket_qua.xlsx
    """


@decisions.command("import")
@click.argument("files", nargs=-1, required=True, type=options.PATH)
@options.store
@click.option("--reviewer", default="", help="Who decided, where a row does not say.")
@options.common
def import_(console: Console, files: tuple[Path, ...], store: Path | None, reviewer: str) -> None:
    """Read verdicts from filled sheets "Kết luận" (or tables later,earlier,verdict) into the store.

    Nothing is lost: a later verdict on a pair overrules an earlier one, and both stay on record.
    The same file twice changes nothing.

    \b
    Example:
      sangkien decisions import results/ket_qua.xlsx --reviewer "Trần Thị Lan"
    """
    from pipeline import read
    from pipeline.decisions import conflicts, pair
    from pipeline.errors import NoUsableRow
    from pipeline.store import Store

    now = options.now()
    with console.stage("read", len(files)) as advance:
        found = read.decided(files, today=options.today(), reviewer=reviewer)
        advance(len(files))
    console.unread(found.problems)
    if not found.decisions and not found.unseen:
        raise NoUsableRow("No verdict could be read; nothing was recorded.")
    with Store.open(store or options.STORE, create=True) as opened:
        done = opened.decide(found.decisions, now=now)
        recorded = opened.decisions()
    console.say(
        "{added} verdicts recorded, {known} were there already, {unseen} pairs are not decided yet, "
        "{problems} rows could not be used.",
        added=len(done.added),
        known=len(done.known),
        unseen=found.unseen,
        problems=len(found.problems),
    )
    _warn(console, done.added, done.overruled)
    named = {pair(each) for each in found.decisions}
    disputed = [voices for voices in conflicts(recorded) if pair(voices[0]) in named]
    _conflicts(console, disputed)
    console.data(
        {
            "added": len(done.added),
            "known": len(done.known),
            "overruled": len(done.overruled),
            "unseen": found.unseen,
            "problems": console.problems(found.problems),
            "conflicts": [[asdict(each) for each in voices] for voices in disputed],
            "decisions": len(recorded),
        }
    )


def _warn(console: Console, added: Sequence[Decision], overruled: Sequence[Decision]) -> None:
    for each in overruled:
        console.warn(
            "{later} – {earlier}: this verdict ({verdict}) was recorded before, and a newer one counts. "
            "If it is to count again, give it the date of the day it was decided anew.",
            later=each.later,
            earlier=each.earlier,
            verdict=_choice(each),
        )
    if open_ := sum(not (each.later_content and each.earlier_content) for each in added):
        console.warn(
            "{count} verdicts do not say on which texts they were given: whatever the texts, they count "
            "until there is a newer one on the pair. Those of the sheet {sheet} count until a text changes.",
            count=open_,
            sheet="Kết luận",
        )


def _conflicts(console: Console, disputed: Iterable[Sequence[Decision]]) -> None:
    for voices in disputed:
        console.warn(
            "{later} – {earlier}: reviewers disagree. {voices} The newest counts: {verdict}.",
            later=voices[0].later,
            earlier=voices[0].earlier,
            voices=tuple(_voice(each) for each in voices),
            verdict=_choice(voices[0]),
        )


def _voice(decision: Decision) -> Note:
    from pipeline.decisions import day
    from pipeline.errors import Note

    said = {"reviewer": decision.reviewer, "date": day(decision), "verdict": _choice(decision)}
    if decision.reviewer:
        return Note("{reviewer} decided “{verdict}” on {date}.", {**said})
    return Note("Somebody unnamed decided “{verdict}” on {date}.", {**said})


def _choice(decision: Decision) -> str:
    from pipeline.decisions import CHOICE

    return CHOICE[decision.verdict]


@decisions.command()
@click.option("--out", required=True, type=options.PATH, help="The workbook (.xlsx) to write.")
@options.store
@options.common
def export(console: Console, out: Path, store: Path | None) -> None:
    """Write the verdicts that count as a workbook that can be changed and imported again.

    \b
    Example:
      sangkien decisions export --out ket-luan.xlsx
    """
    from pipeline import report
    from pipeline.decisions import newest
    from pipeline.store import Store

    with Store.read(store or options.STORE) as opened:
        found = list(newest(opened.decisions()).values())
        titles = opened.titles(name for each in found for name in (each.later, each.earlier))
    report.export(found, out, titles=titles, language=console.language)
    console.say("{count} verdicts stand in {path}.", count=len(found), path=out)
    console.data({"out": str(out), "decisions": len(found)})


@decisions.command()
@options.store
@options.common
def log(console: Console, store: Path | None) -> None:
    """Say who decided what and when, the newest first; * marks what counts while the texts stay.

    \b
    Example:
      sangkien decisions log --json
    """
    from pipeline.decisions import conflicts, day, newest, newest_first
    from pipeline.store import Store

    with Store.read(store or options.STORE) as opened:
        recorded = opened.decisions()
    counting = {id(each) for each in newest(recorded).values()}
    found, disputed = newest_first(recorded), conflicts(recorded)
    console.data(
        {
            "decisions": [{**asdict(each), "counts": id(each) in counting} for each in found],
            "conflicts": [[asdict(each) for each in voices] for voices in disputed],
        }
    )
    if not found:
        console.say("No verdict is recorded yet.")
        return
    rows = [
        (
            day(each),
            each.reviewer,
            _choice(each),
            "*" if id(each) in counting else "",
            each.later,
            each.earlier,
            each.note,
            each.source,
        )
        for each in found
    ]
    console.table(console.words("Verdicts"), rows, head=_head(console))
    _conflicts(console, disputed)


def _head(console: Console) -> list[str]:
    return [
        console.words(name)
        for name in ("Date", "Reviewer", "Verdict", "Counts", "Later id", "Earlier id", "Remark", "File")
    ]
