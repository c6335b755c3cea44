"""One spelling for every text: raw → clean (for people) → key and fold (for comparing).

The raw text is never changed. ``clean`` repairs what a person would call damage and says what it did;
``key`` also unifies what writers do differently (tone placement, case, quotes, i/y); ``fold`` leaves
bare syllables. Store `VERSION` beside every derived text: another version may derive another text.
"""

from __future__ import annotations

from typing import Final

from pipeline.normalize.batch import frame
from pipeline.normalize.cleaning import LONGEST, Cleaned, clean, trace
from pipeline.normalize.columns import ENCODINGS, encodings, repaired, said, stated
from pipeline.normalize.forms import fold, fold_table, key, lacks_diacritics
from pipeline.normalize.legacy import ON_REQUEST, decode, decodings, vote
from pipeline.normalize.letters import letter_table, tone_table

VERSION: Final = "3"

__all__ = (
    "ENCODINGS",
    "LONGEST",
    "ON_REQUEST",
    "VERSION",
    "Cleaned",
    "clean",
    "decode",
    "decodings",
    "encodings",
    "fold",
    "fold_table",
    "frame",
    "key",
    "lacks_diacritics",
    "letter_table",
    "repaired",
    "said",
    "stated",
    "tone_table",
    "trace",
    "vote",
)
