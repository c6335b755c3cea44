"""Duplicates: fingerprints → candidates → resemblance → probability → groups → evidence.

Two records are compared by what they share of rare three-syllable runs, so that a copied half is found
as surely as a copied whole and form text does not count. A pair always points from the later record to
the earlier.
"""

from pipeline.dedupe.evidence import Evidence, Rarity, explain, explain_all
from pipeline.dedupe.features import NAMES, form_share
from pipeline.dedupe.groups import group, in_line
from pipeline.dedupe.lookup import Index, among, around
from pipeline.dedupe.pairs import PairClassifier
from pipeline.dedupe.parts import Headings, headings
from pipeline.dedupe.rulings import ruled
from pipeline.dedupe.scope import within
from pipeline.dedupe.search import (
    Candidates,
    Corpus,
    Judge,
    Knowledge,
    Pairs,
    compare,
    corpus,
    find,
    form_shingles,
    scored,
    shown,
    table,
)
from pipeline.dedupe.wording import Lexicon, lexicon, mean_vectors

__all__ = (
    "NAMES",
    "Candidates",
    "Corpus",
    "Evidence",
    "Headings",
    "Index",
    "Judge",
    "Knowledge",
    "Lexicon",
    "PairClassifier",
    "Pairs",
    "Rarity",
    "among",
    "around",
    "compare",
    "corpus",
    "explain",
    "explain_all",
    "find",
    "form_share",
    "form_shingles",
    "group",
    "headings",
    "in_line",
    "lexicon",
    "mean_vectors",
    "ruled",
    "scored",
    "shown",
    "table",
    "within",
)
