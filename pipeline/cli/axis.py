"""What labels are of: fields or kinds of solution; and what authors' own words for fields mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from pipeline.cli import fields
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    from collections.abc import Sequence

    import pandas as pd

    from pipeline.axes import AuthorWords
    from pipeline.taxonomy import Taxonomy

Name = Literal["field", "kind"]

OPTION: Final = click.option(
    "--axis",
    type=click.Choice(["field", "kind"]),
    default="field",
    show_default=True,
    help='What the labels are: fields, or kinds of solution (the column kind, "Loại giải pháp").',
)

_NAMED: Final = 10  # of words for kinds that are not known; more would push what matters off the screen


@dataclass(slots=True)
class Axis:
    """What labels are of, the list that they belong to, and what authors' own words for fields mean."""

    name: Name
    taxonomy: Taxonomy
    words: AuthorWords
    warned: bool = False

    @classmethod
    def of(
        cls,
        console: Console,
        store: Path | None,
        *,
        axis: Name = "field",
        kinds: Path | None = None,
        author_fields: Path | None = None,
    ) -> Axis:
        """Return an axis with its list: the fields in use in a store, or the kinds of solution.

        Args:
            console: Where faults of a sheet are named.
            store: The folder, as `fields.in_use` takes it.
            axis: Whether labels are of fields or of kinds.
            kinds: The office's own list of kinds, instead of the shipped.
            author_fields: The office's own sheet of authors' words, which counts before the shipped.
        """
        from pipeline import starter

        used = fields.in_use(store)
        words = starter.author_words(used, author_fields)
        return cls(axis, kinds_of(console, kinds) if axis == "kind" else used, words)

    def coded(self, console: Console, batch: pd.DataFrame) -> pd.DataFrame:
        """Return the batch with what its authors' words for fields mean (`tell` says what does not count)."""
        from pipeline import axes

        self.tell(console, batch)
        return axes.author_codes(batch, self.words)

    def tell(self, console: Console, batch: pd.DataFrame) -> None:
        """Say once what of the shipped sheet does not count, where a batch has authors' words at all."""
        from pipeline.records import AUTHOR_FIELD

        if AUTHOR_FIELD in batch and not self.warned:
            self.warned = True
            for note in self.words.notes:
                console.warn("{note}", note=note)

    def labelled(self, console: Console, batch: pd.DataFrame) -> pd.DataFrame:
        """Return the batch, coded, with what people said on the axis in the columns ``field`` and ``field2``.

        Raises:
            UsageError: No kind is recognised; or a table has authors' own words for fields and no labels.
        """
        batch = self.coded(console, batch)
        if self.name == "kind":
            return _with_kinds(console, batch, self.taxonomy)
        _refuse_authors_words(batch)
        return batch


def kinds_of(console: Console, path: Path | None) -> Taxonomy:
    """Return the kinds of solution: those of an office's own list, whose faults are named, or the shipped."""
    from pipeline import starter

    return fields.sheet_of(console, path) if path else starter.kinds()


def unknown_kinds(console: Console, unknown: Sequence[tuple[str, int]]) -> None:
    """Name what records say of their kind that the list of kinds does not have."""
    for cell, count in unknown[:_NAMED]:
        console.warn("No kind of solution is called “{cell}” ({count} records).", cell=cell, count=count)
    if (more := len(unknown) - _NAMED) > 0:
        console.warn("{count} more words for kinds of solution are not known.", count=more)


def _with_kinds(console: Console, batch: pd.DataFrame, taxonomy: Taxonomy) -> pd.DataFrame:
    """Return the batch with the first kind that a record names as its field, and the next as its second."""
    from pipeline import axes
    from pipeline.errors import UsageError
    from pipeline.records import KIND_CODE

    batch, unknown = axes.kinds(batch, taxonomy)
    unknown_kinds(console, unknown)
    if KIND_CODE not in batch or not batch[KIND_CODE].any():
        raise UsageError(
            'No row names a kind of solution that is known. Fill the column kind ("Loại giải pháp") with one '
            "of: {known}.",
            known=", ".join(f'"{name}"' for name in taxonomy.names.values()),
        )
    codes = [[*cell.split(), "", ""] for cell in batch[KIND_CODE]]
    return batch.assign(field=[each[0] for each in codes], field2=[each[1] for each in codes])


def _refuse_authors_words(batch: pd.DataFrame) -> None:
    """Refuse a table whose only fields are those that authors wrote: they are no labels."""
    from pipeline.errors import UsageError
    from pipeline.records import AUTHOR_FIELD

    if AUTHOR_FIELD not in batch:
        return
    for file, part in batch.groupby("source_file", sort=False):
        labelled, written = ((part[name].str.strip() != "").any() for name in ("field", AUTHOR_FIELD))
        if written and not labelled:
            raise UsageError(
                "{file}: the fields in this table are the authors' own words (column {column}), which are no "
                'labels. If people checked them, name the column "Lĩnh vực"; otherwise add such a column and '
                "fill it.",
                file=file,
                column=AUTHOR_FIELD,
            )
