"""The knobs, in one frozen place, and where the tables that travel with the code stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Scope = Literal["unit", "union", "all"]
"""Whose pairs are findings: inside one place of work, inside one upper union (or place of work), or all."""

_PACKAGE: Final = Path(__file__).resolve().parent


def checkout(*parts: str) -> Path:
    """Return the path of a file that travels with the code: ``data/...`` or ``benchmarks/...``.

    In a checkout that is the file itself; in an installed package, the copy inside it.

    >>> checkout("data", "sample").name
    'sample'
    """
    installed = _PACKAGE / "_checkout"
    return (installed if installed.is_dir() else _PACKAGE.parent).joinpath(*parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run may be told; the defaults are the measured ones.

    Shingles are runs of ``shingle`` folded syllables. One that stands in more than
    ``max(form_min, form_share * records)`` records is form text and ignored; of a more common one than
    ``holders`` only the first that many records are compared with. ``candidate_score`` is the least
    weighted overlap (0 to 1) with such a holder, ``candidate_exact`` the least exact one, at which a pair is
    looked at, beside all but the last of the ``neighbours`` nearest by words, which among more than ``many``
    records must be near from both sides; ``match_probability`` and ``related_probability`` (0 to 1) are where
    a pair is called a duplicate, and where it is still shown. ``scope`` says which pairs are shown at all.
    Of an archive of more than ``read_whole`` records only those are read that its index names.
    """

    shingle: int = 3
    holders: int = 12
    form_min: int = 400
    form_share: float = 0.001
    candidate_score: float = 0.08
    candidate_shared: int = 4
    candidate_exact: float = 0.1
    matches_per_record: int = 50
    neighbours: int = 3
    many: int = 5_000
    read_whole: int = 50_000
    match_probability: float = 0.5
    related_probability: float = 0.005
    accept_precision: float = 0.95
    scope: Scope = "all"
