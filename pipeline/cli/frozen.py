"""Labelled records on which models are judged, and which of them have taught the models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.cli import labelling, options, reading
from pipeline.cli.axis import Axis
from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time these cost seconds, which --help must not pay.
    from collections.abc import Mapping
    from typing import Any

    import pandas as pd

    from pipeline.seen import Flags


class Frozen(NamedTuple):
    """Labelled records; rows with the same name in ``groups`` are copies of one another."""

    batch: pd.DataFrame
    groups: list[str]

    def of(self, rows: Flags) -> Frozen:
        """Return some of the records."""
        kept = [group for group, wanted in zip(self.groups, rows, strict=True) if wanted]
        return Frozen(self.batch[rows].reset_index(drop=True), kept)


def records(
    console: Console, root: Path, files: tuple[Path, ...], store: Path | None, asked: Axis, *, stored: bool
) -> Frozen:
    """Return the labelled records of tables; with ``stored`` as people labelled them and the archive's.

    Raises:
        UsageError: None has a label.
    """
    from pipeline import normalize, starter
    from pipeline.errors import UsageError
    from pipeline.settings import Settings

    settings = Settings()
    if stored:
        batch = asked.coded(console, labelling.labelled(console, files, store, others=0)[0])
    else:
        batch = asked.labelled(console, normalize.frame(reading.records(console, files)))
    batch = batch[batch["field"].str.strip() != ""].reset_index(drop=True)
    if batch.empty:
        raise UsageError("No row has a label to compare with. Fill the column field, then run again.")
    known = starter.knowledge(settings=settings)
    judge = starter.pairs(root, settings=settings, known=known, created=options.now())
    return Frozen(batch, starter.copies(batch, judge.model, settings=settings, known=known))


def taught(models: Mapping[str, Mapping[str, Any]], frozen: Frozen) -> tuple[Flags, tuple[str, ...]]:
    """Return which records any of some stored models learnt from, and the names of those that do not say."""
    import numpy as np

    from pipeline import seen

    found = np.zeros(len(frozen.batch), dtype=bool)
    silent = []
    for name, stored in models.items():
        known = seen.by(stored, *frozen)
        if known is None:
            silent.append(name)
        else:
            found |= known
    return found, tuple(silent)


def untaught(models: Mapping[str, Mapping[str, Any]], frozen: Frozen, console: Console) -> Frozen:
    """Return the records that no model learnt from, having said how many are left out.

    Raises:
        GateRefused: None is left, or a model does not say what it learnt from.
    """
    from pipeline.errors import GateRefused

    found, silent = taught(models, frozen)
    if silent:
        raise GateRefused(
            "{names} does not say which records it learnt from: an earlier program trained it. Train it "
            "again, or name tables that it did not learn from.",
            names=", ".join(silent),
        )
    if found.all():
        raise GateRefused(
            "{names} learnt from all {count} labelled records, or from copies of them: nothing is left to "
            "judge on. Label others first (`sangkien label-queue`), or name tables of others.",
            names=", ".join(models),
            count=len(found),
        )
    if found.any():
        console.say(
            "{count} of {all} labelled records are left out: {names} learnt from them, or from copies.",
            count=int(found.sum()),
            all=len(found),
            names=", ".join(models),
        )
    return frozen.of(~found)
