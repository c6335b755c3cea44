"""Duplicates: fingerprints → candidates → resemblance → probability → groups → evidence.

Two records are compared by what they share of rare three-syllable runs, so that a copied half is found
as surely as a copied whole and form text does not count. A pair always points from the later record to
the earlier.
"""

from pipeline.dedupe.evidence import Evidence, explain, explain_all
from pipeline.dedupe.groups import group
from pipeline.dedupe.pairs import PairClassifier
from pipeline.dedupe.search import (
    Candidates,
    Corpus,
    Judge,
    Pairs,
    compare,
    corpus,
    find,
    form_shingles,
    table,
)

__all__ = (
    "Candidates",
    "Corpus",
    "Evidence",
    "Judge",
    "PairClassifier",
    "Pairs",
    "compare",
    "corpus",
    "explain",
    "explain_all",
    "find",
    "form_shingles",
    "group",
    "table",
)
