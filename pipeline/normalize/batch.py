"""A batch with the texts for people beside the texts as submitted."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import Final

import pandas as pd

from pipeline.normalize.cleaning import Cleaned, clean
from pipeline.normalize.columns import stated
from pipeline.normalize.forms import lacks_diacritics
from pipeline.records import CLEANED, ENCODING

_SYLLABLE: Final = re.compile(r"[^\W_]+")
_LEAST_SYLLABLES: Final = 20


def frame(batch: pd.DataFrame) -> pd.DataFrame:
    """Return ``batch`` with the columns `records.CLEANED` added, in a new table with the same index.

    ``fixes`` says what was repaired in title and description, as ``code:count; code:count`` sorted by
    code; ``flags`` are sorted codes of `records.FLAGS`, joined to those the batch already had. The
    encodings that the column `records.ENCODING` names, where there is one, are undone in short cells too.

    >>> batch = pd.DataFrame({"title": ["Cải  tiến"], "description": [""]})
    >>> frame(batch).loc[0, ["clean_title", "fixes", "flags"]].tolist()
    ['Cải tiến', 'space:1', 'no_description too_short']
    """
    titles, descriptions = (_cleaned(batch, name) for name in ("title", "description"))
    known = batch["flags"].tolist() if "flags" in batch else [""] * len(batch)
    pairs = list(zip(titles, descriptions, strict=True))
    columns = (
        [title.text for title in titles],
        [description.text for description in descriptions],
        [_fixes(title, description) for title, description in pairs],
        [_flags(title, description, flags) for (title, description), flags in zip(pairs, known, strict=True)],
    )
    added = dict(zip(CLEANED, columns, strict=True))
    return batch.assign(**{name: pd.Series(cells, batch.index, dtype="str") for name, cells in added.items()})


def _cleaned(batch: pd.DataFrame, column: str) -> list[Cleaned]:
    cells = batch[column].tolist()
    if ENCODING not in batch:
        return [clean(text) for text in cells]
    stated_by = {cell: stated(cell).get(column, "") for cell in batch[ENCODING].unique()}
    named = [stated_by[cell] for cell in batch[ENCODING].tolist()]
    return [clean(text, encoding=encoding) for text, encoding in zip(cells, named, strict=True)]


def _fixes(title: Cleaned, description: Cleaned) -> str:
    if not title.fixes and not description.fixes:
        return ""
    counts = Counter(title.fixes) + Counter(description.fixes)
    return "; ".join(f"{code}:{count}" for code, count in sorted(counts.items()))


def _flags(title: Cleaned, description: Cleaned, known: str) -> str:
    flags = {*known.split(), *title.flags, *description.flags}
    text = f"{title.text}\n{description.text}"
    if not description.text:
        flags.add("no_description")
    if next(islice(_SYLLABLE.finditer(text), _LEAST_SYLLABLES - 1, None), None) is None:
        flags.add("too_short")
    if lacks_diacritics(text):
        flags.add("no_diacritics")
    return " ".join(sorted(flags))
