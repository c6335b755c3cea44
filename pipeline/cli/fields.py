"""taxonomy: the list of fields as a sheet, what changes in a new version, and putting one in use."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipeline.cli import options
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    from pipeline.records import Label
    from pipeline.revision import Course, Revision
    from pipeline.taxonomy import Taxonomy

_KINDS: Final = {
    "new": "new",
    "renamed": "renamed: labels go along",
    "redefined": "defined otherwise: labels stay",
    "merged": "merged: labels go along",
    "split": "split: labels are to be given anew",
    "closed": "closed: labels stay in history",
    "reopened": "open again",
    "gone": "gone from the sheet: put the row back, with to_date",
}
"""What each kind of change (`revision.Kind`) means for labels."""


def in_use(store: Path | None) -> Taxonomy:
    """Return the taxonomy in use in a store, or the program's own.

    Args:
        store: The folder; None is the one that the environment names, or that of the current folder.
    """
    from pipeline.store import Store
    from pipeline.taxonomy import default

    folder = store or options.store_folder()
    if not kept_in(folder):
        return default()
    with Store.read(folder) as opened:
        return opened.course().current


def kept_in(folder: Path) -> bool:
    """Return whether there is a store in a folder."""
    from pipeline.store import DATABASE

    return (folder / DATABASE).exists()


@click.group()
def taxonomy() -> None:
    """Keep the list of fields: check a sheet, see what changes, put a version in use.

    \b
    Example:
      sangkien taxonomy diff data/taxonomy.csv fields-2026.xlsx
    """


@taxonomy.command()
@click.argument("sheet", type=options.PATH)
@options.common
def check(console: Console, sheet: Path) -> None:
    """Say whether SHEET (XLSX, CSV) is a list of fields; if not, every fault by row and column.

    Columns: version, code, name, aliases, definition, includes, excludes, phrases, from_date, to_date,
    replaced_by. Items of a list are parted by semicolons; several codes in replaced_by split a field.

    \b
    Example:
      sangkien taxonomy check fields-2026.xlsx
    """
    found = sheet_of(console, sheet)
    console.say(
        "{file} is a taxonomy: version {version}, {count} fields.",
        file=sheet.name,
        version=found.version,
        count=len(found.fields),
    )
    rows = [
        (field.code, field.name, field.from_date or "", field.to_date or "", "; ".join(field.successors))
        for field in found.fields
    ]
    head = [console.words(name) for name in ("Code", "Field", "From", "To", "Replaced by")]
    console.table(console.words("Fields"), rows, head=head)
    console.data({"version": found.version, "fields": found.rows()})


@taxonomy.command()
@click.argument("old", type=options.PATH)
@click.argument("new", type=options.PATH)
@options.common
def diff(console: Console, old: Path, new: Path) -> None:
    """Say what changes from the sheet OLD to NEW: fields new, renamed, merged, split, closed.

    \b
    Example:
      sangkien taxonomy diff data/taxonomy.csv fields-2026.xlsx
    """
    from pipeline.revision import compare

    before, after = sheet_of(console, old), sheet_of(console, new)
    step = compare(before, after)
    _changes(console, before, after, step)
    console.data({"from": before.version, "to": after.version, **_told(step)})


@taxonomy.command("apply")
@click.argument("sheet", type=options.PATH)
@options.store
@options.common
def apply_(console: Console, sheet: Path, store: Path | None) -> None:
    """Put SHEET in use in the store. No label is rewritten: each is read in the codes in use.

    Labels of a field that was renamed or merged go along; those of one that was split come to the label
    queue; a closed field keeps its labels. A field must not be taken out: close it with to_date. Models
    learnt in another version must be trained again. A store without labels may begin with any sheet.

    \b
    Example:
      sangkien taxonomy apply fields-2026.xlsx --store office
      sangkien taxonomy apply data/taxonomy_danvan.csv --store dan-van
    """
    from pipeline.store import Store
    from pipeline.taxonomy import Taxonomy

    new = sheet_of(console, sheet)
    with Store.open(store or options.STORE, create=True) as opened:
        before = opened.course().current
        step = opened.adopt(new, now=options.now())
        given, course = opened.labels(), opened.course()
    if before not in course.versions:
        before = Taxonomy("", ())  # the store begins with the sheet: the program's own list is not its past
    _changes(console, before, new, step)
    counts = _counts(given, course)
    console.say(
        "Version {version} of the taxonomy is in use. Of {all} labels in the store {moved} are read under "
        "another code and {again} are to be given anew.",
        version=new.version,
        all=len(given),
        **counts,
    )
    console.data({"from": before.version, "to": new.version, **_told(step), "labels": len(given), **counts})


def _counts(given: list[Label], course: Course) -> dict[str, int]:
    from pipeline.labels import moved

    kinds = Counter(
        "again" if not now.field else "moved" if now.field != then.field else "same"
        for then, now in zip(given, moved(given, course), strict=True)
    )
    return {"moved": kinds["moved"], "again": kinds["again"]}


def sheet_of(console: Console, path: Path) -> Taxonomy:
    """Return the taxonomy of a sheet, having named every fault.

    Raises:
        UsageError: There are faults.
    """
    from pipeline import read
    from pipeline.errors import UsageError

    found = read.taxonomy_sheet(path)
    if found.taxonomy is not None:
        return found.taxonomy
    for problem in found.problems:
        console.warn("{note}", note=problem)
    console.data({"problems": [console.words("{note}", note=each) for each in found.problems]})
    raise UsageError(
        "{file} is no taxonomy yet: {count} faults. Mend them, then check again.",
        file=path.name,
        count=len(found.problems),
    )


def _changes(console: Console, old: Taxonomy, new: Taxonomy, step: Revision) -> None:
    if not step.changes:
        console.say("No field changes from version {old} to {new}.", old=old.version, new=new.version)
        return
    rows = [
        (console.words(_KINDS[each.kind]), _named(old, each.old), _named(new, each.new))
        for each in step.changes
    ]
    head = [console.words(name) for name in ("What changes", "Before", "After")]
    console.table(console.words("Fields"), rows, head=head)


def _named(taxonomy: Taxonomy, codes: tuple[str, ...]) -> str:
    return "; ".join(f"{code} ({taxonomy.names[code]})" for code in codes)


def _told(step: Revision) -> dict[str, object]:
    return {
        "changes": [{"kind": each.kind, "old": each.old, "new": each.new} for each in step.changes],
        "moves": dict(step.moves),
        "splits": dict(step.splits),
    }
