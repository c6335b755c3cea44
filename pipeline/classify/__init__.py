"""Texts → fields: a linear classifier that says how sure it is, and when a person must look.

``fit`` learns from labelled records, ``label`` gives labels with a reason each. `Model` is stored by the
registry as `artefact` (arrays and stock parts) and `card`; `restore` puts the two together again.
"""

from __future__ import annotations

from pipeline.classify.decision import COLUMNS, REASONS, Rules, Scores, decide
from pipeline.classify.model import CHANCE, SCHEMA, Calibration, Model, artefact, card, label, restore, score
from pipeline.classify.profile import Look, look, new_terms, profile
from pipeline.classify.queue import centres, doubtful
from pipeline.classify.reading import Encoder, Reader, features, title_only
from pipeline.classify.shares import Errors, report_counts
from pipeline.classify.training import Fitted, fit

__all__ = (
    "CHANCE",
    "COLUMNS",
    "REASONS",
    "SCHEMA",
    "Calibration",
    "Encoder",
    "Errors",
    "Fitted",
    "Look",
    "Model",
    "Reader",
    "Rules",
    "Scores",
    "artefact",
    "card",
    "centres",
    "decide",
    "doubtful",
    "features",
    "fit",
    "label",
    "look",
    "new_terms",
    "profile",
    "report_counts",
    "restore",
    "score",
    "title_only",
)
